/** kubectl patch (kubectl pkg/cmd/patch). */
import type { Json } from '../../api/json.ts';
import { applyJsonPatch } from '../../api/json-patch.ts';
import { applyMergePatch, applyStrategicMergePatch } from '../../api/patch.ts';
import { ApiError } from '../../api/request.ts';
import { equalJson } from '../../api/three-way.ts';
import type { Kind } from '../../api/types.gen.ts';
import { parseYaml, YamlError } from '../../api/yaml.ts';
import { fromFiles, loadFiles, locate, resolveObjects, type Target } from '../builder.ts';
import { MEDIA, type PatchKind, sendPatch } from '../change.ts';
import { pathOf } from '../discovery.ts';
import { AggregateFailure, KubectlError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { dryRunOf, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import { isBuiltIn } from './apply.ts';
import type { Command } from './command.ts';

export const patch: Command = {
  summary: 'Update fields of a resource',
  usage: 'kubectl patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE] [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRINT_FLAGS,
    ...DRY_RUN_FLAGS,
    patch: text('p'),
    'patch-file': text(),
    type: text(undefined, 'strategic'),
    subresource: text(),
    local: bool(),
    'field-manager': text(undefined, 'kubectl-patch'),
  },
  run: async (session, args) => {
    const { flags } = session;
    const dryRun = dryRunOf(session);
    const body = patchText(session);
    const kind = flags.text('type').toLowerCase();
    if (kind !== 'json' && kind !== 'merge' && kind !== 'strategic')
      throw new KubectlError(`--type must be one of [json merge strategic], not ${JSON.stringify(flags.text('type'))}`);
    if (flags.bool('local') && args.length > 0) throw new KubectlError('cannot specify --local and server resources');
    if (flags.bool('local') && dryRun === 'server') throw new KubectlError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
    let change: Json;
    try {
      change = parseYaml(body);
    } catch (error) {
      if (error instanceof YamlError) throw new KubectlError(`unable to parse ${JSON.stringify(body)}: ${error.message}`);
      throw error;
    }
    const subresource = flags.text('subresource') || undefined;
    const { found, failures } = await targetsOf(session, args);
    const errors: unknown[] = [...failures];
    for (const target of found) {
      try {
        const before =
          subresource && dryRun !== 'client'
            ? ((await session.request('GET', pathOf(target.info, target.namespace, target.name, subresource))) as unknown as ObjectLike)
            : target.object;
        const after =
          flags.bool('local') || dryRun === 'client'
            ? applied(target, before, change, kind)
            : await sendPatch(session, target, kind, change, { manager: 'kubectl-patch', dryRun, subresource });
        const printer = new ResultPrinter(session, dryRun);
        printer.print(infoOf(target, after), after, equalJson(before as unknown as Json, after as unknown as Json) ? 'patched (no change)' : 'patched');
      } catch (error) {
        errors.push(error instanceof ApiError && error.code === 415 ? notSupported(target, kind, error) : error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateFailure(errors);
  },
};

/** Custom kinds know no strategic merge patch. */
function notSupported({ info }: Target, kind: PatchKind, { message }: ApiError): KubectlError {
  return new KubectlError(`${MEDIA[kind]} is not supported by ${info.group}/${info.version}, Kind=${info.kind}: ${message}`);
}

/** A subresource may answer with another kind: `scale.autoscaling/web patched`. */
function infoOf(target: Target, answer: ObjectLike): Target['info'] {
  if (!answer.kind || answer.kind === target.info.kind) return target.info;
  const [group, version] = answer.apiVersion.includes('/') ? (answer.apiVersion.split('/') as [string, string]) : ['', answer.apiVersion];
  return { ...target.info, group, version, kind: answer.kind };
}

function patchText(session: Session): string {
  const { flags, self } = session;
  const file = flags.text('patch-file');
  if (flags.text('patch') !== '' && file !== '') throw new KubectlError('cannot specify --patch and --patch-file together');
  if (file === '') {
    if (flags.text('patch') === '') throw new KubectlError('must specify --patch or --patch-file containing the contents of the patch');
    return flags.text('patch');
  }
  const path = file.startsWith('/') ? file : `${self.cwd}/${file}`;
  if (!self.files.exists(path)) throw new KubectlError(`unable to read patch file: open ${file}: no such file or directory`);
  return self.files.read(path);
}

async function targetsOf(
  session: Session,
  args: readonly string[],
): Promise<{ readonly found: readonly (Target & { readonly object: ObjectLike })[]; readonly failures: readonly unknown[] }> {
  if (!session.flags.bool('local') || !fromFiles(session)) return resolveObjects(session, args);
  const found: (Target & { readonly object: ObjectLike })[] = [];
  for (const loaded of await loadFiles(session)) found.push(await locate(session, loaded));
  return { found, failures: [] };
}

/** What the server would make of it, computed here. */
function applied({ info }: Target, object: ObjectLike, change: Json, kind: PatchKind): ObjectLike {
  const value = object as unknown as Json;
  if (kind === 'json') return applyJsonPatch(value, change) as unknown as ObjectLike;
  if (kind === 'merge') return applyMergePatch(value, change) as unknown as ObjectLike;
  if (!isBuiltIn(info.kind, info.group, info.version))
    throw new KubectlError(
      `strategic merge patch is not supported for ${info.version === '' ? info.kind : `${info.group}/${info.version}, Kind=${info.kind}`} locally, try --type merge`,
    );
  return applyStrategicMergePatch(info.kind as Kind, value, change) as unknown as ObjectLike;
}
