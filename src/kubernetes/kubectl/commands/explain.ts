/** kubectl explain. */
import { groupVersionOf } from '../discovery.ts';
import { ExitWith, KubectlError } from '../errors.ts';
import { ExplainError, explainText } from '../explain/explain.ts';
import { bool, text } from '../flags.ts';
import { rowOf } from '../rows.ts';
import { isObject, type JsonObject } from '../session.ts';
import type { Command } from './command.ts';

export const explain: Command = {
  summary: 'Get documentation for a resource',
  usage: 'kubectl explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2] [options]',
  flags: { recursive: bool(), 'api-version': text(), output: text(undefined, 'plaintext') },
  run: async (session, args) => {
    if (args.length === 0)
      throw new KubectlError('You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported resources.');
    if (args.length > 1) throw new KubectlError('We accept only this format: explain RESOURCE');
    const [type, ...path] = args[0]!.replace(/\.$/, '').split('.') as [string, ...string[]];
    const { discovery, flags } = session;
    // `deployments.apps` is a resource of a group; `pods.spec` a field.
    let info = await discovery.find(args[0]!);
    let fields: readonly string[] = [];
    if (!info || path.length === 0) {
      // Said as it is, without kubectl's `error: `.
      // A name that is not known may be that of a definition made since.
      info = await discovery.resolve(type).catch(() => undefined);
      if (!info) {
        session.err(`the server doesn't have a resource type ${JSON.stringify(type)}\n`);
        throw new ExitWith(1);
      }
      fields = path;
    }
    const wanted = flags.text('api-version');
    if (wanted) {
      const found = (await discovery.all()).find((other) => groupVersionOf(other) === wanted && other.resource === info!.resource);
      if (!found) throw new KubectlError(`couldn't find resource for ${JSON.stringify(`${wanted}, Kind=${info.kind}`)}`);
      info = found;
    }
    const format = flags.text('output');
    // The small v2 document of this server tells of no kind; upstream's parser of it then finds none.
    if (format === 'plaintext-openapiv2')
      throw new KubectlError(`couldn't find resource for ${JSON.stringify(`${info.group}/${info.version}, Kind=${info.kind}`)}`);
    if (format !== 'plaintext') throw new KubectlError(`unrecognized format: ${format}`);
    const root = info.group === '' ? `api/${info.version}` : `apis/${info.group}/${info.version}`;
    const index = await session.request('GET', '/openapi/v3');
    const paths = isObject(index) ? index['paths'] : undefined;
    const entry = isObject(paths) ? (paths[root] as JsonObject | undefined) : undefined;
    if (!entry) throw new KubectlError(`couldn't find resource for ${JSON.stringify(`${groupVersionOf(info)}, Resource=${info.resource}`)}`);
    const url = String(entry['serverRelativeURL'] ?? `/openapi/v3/${root}`);
    const hash = /[?&]hash=([^&]*)/.exec(url)?.[1];
    const document = await session.request('GET', url.split('?')[0]!, { query: hash ? { hash } : {} });
    try {
      session.out(explainText(document, rowOf(info), fields, flags.bool('recursive')));
    } catch (error) {
      if (!(error instanceof ExplainError)) throw error;
      session.out(error.printed);
      throw new KubectlError(error.message);
    }
  },
};
