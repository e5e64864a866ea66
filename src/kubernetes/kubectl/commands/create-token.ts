/** kubectl create token (kubectl pkg/cmd/create/create_token.go). */
import type { Json } from '../../api/json.ts';
import { KubectlError, usageError } from '../errors.ts';
import { PRINT_FLAGS, text } from '../flags.ts';
import { objectPrinter } from '../printers/objects.ts';
import { asTyped } from '../printers/typed.ts';
import type { ObjectLike } from '../session.ts';
import type { Command } from './command.ts';

/** What a token may be bound to, and where that is served. */
const BOUND: Readonly<Record<string, string>> = { Node: 'v1', Pod: 'v1', Secret: 'v1' };

export const token: Command = {
  summary: 'Request a service account token',
  usage: 'kubectl create token SERVICE_ACCOUNT_NAME [options]',
  flags: {
    ...PRINT_FLAGS,
    audience: { type: 'strings' },
    duration: { type: 'duration', default: '0' },
    'bound-object-kind': text(),
    'bound-object-name': text(),
    'bound-object-uid': text(),
  },
  run: async (session, args) => {
    const { flags } = session;
    const [account] = args;
    if (account === undefined || args.length > 1) throw usageError('kubectl create token', `exactly one NAME is required, got ${args.length}`);
    const printer = objectPrinter(session);
    const duration = flags.duration('duration');
    if (duration < 0) throw new KubectlError('--duration must be greater than or equal to 0');
    if (duration % 1_000_000 !== 0) throw new KubectlError('--duration cannot be expressed in units less than seconds');
    for (const audience of flags.all('audience')) if (audience === '') throw new KubectlError('--audience must not be an empty string');
    const [kind, name, uid] = ['bound-object-kind', 'bound-object-name', 'bound-object-uid'].map((flag) => flags.text(flag)) as [string, string, string];
    if (kind === '') {
      if (name !== '') throw new KubectlError('--bound-object-name can only be set if --bound-object-kind is provided');
      if (uid !== '') throw new KubectlError('--bound-object-uid can only be set if --bound-object-kind is provided');
    } else {
      if (!BOUND[kind]) throw new KubectlError(`supported --bound-object-kind values are ${Object.keys(BOUND).join(', ')}`);
      if (name === '') throw new KubectlError('--bound-object-name is required if --bound-object-kind is provided');
    }
    const audiences = flags.list('audience');
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: audiences.length > 0 ? audiences : null,
        ...(duration > 0 ? { expirationSeconds: Math.floor(duration / 1_000_000) } : {}),
        ...(kind === '' ? {} : { boundObjectRef: { kind, apiVersion: BOUND[kind]!, name, ...(uid === '' ? {} : { uid }) } }),
      },
    };
    const answer = (await session
      .request('POST', `/api/v1/namespaces/${session.namespace}/serviceaccounts/${account}/token`, { body: body as unknown as Json })
      .catch((error: Error) => {
        throw new KubectlError(`failed to create token: ${error.message}`);
      })) as unknown as ObjectLike & { readonly status?: { readonly token?: string } };
    const made = answer.status?.token;
    if (!made) throw new KubectlError('failed to create token: no token in server response');
    if (printer) session.out(printer(asTyped({ ...answer, apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' } as ObjectLike), true));
    else if (flags.text('output') !== '')
      throw new KubectlError(`unable to match a printer suitable for the output format ${JSON.stringify(flags.text('output'))}`);
    // A line of its own for people, the bare token for scripts.
    else session.out(session.self.terminal ? `${made}\n` : made);
  },
};
