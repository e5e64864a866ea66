/** The `--authorization-…` and `--authentication-token-webhook-…` flags, and who is asked by them (kube-apiserver `pkg/kubeapiserver/options`). */
import type { AuthenticationConfiguration } from '../authentication/configuration.ts';
import { type Authorizer, readAuthorizers, secondsOf, serverOf } from './configuration.ts';
import type { DelegationOptions } from './delegation.ts';

const MODES = ['AlwaysAllow', 'AlwaysDeny', 'Webhook', 'RBAC', 'Node'];

/** Undefined when nobody else need be asked. `read` gives a file's content, parsed. Throws an Error with the text kube-apiserver exits with. */
export function delegationOfFlags(
  flags: ReadonlyMap<string, string>,
  read: (path: string) => unknown,
  authentication: AuthenticationConfiguration | undefined,
): Omit<DelegationOptions, 'log'> | undefined {
  const authorizers = authorizersOf(flags, read);
  const tokenFile = flags.get('authentication-token-webhook-config-file');
  const issuers = (authentication?.jwt ?? []).map(({ issuer: { url } }) => url);
  if (!authorizers && tokenFile === undefined && issuers.length === 0) return undefined;
  return {
    issuers,
    ...(authorizers ? { authorizers } : {}),
    ...(tokenFile === undefined
      ? {}
      : {
          tokenWebhook: {
            url: serverOf(read(tokenFile)),
            ttl: secondsOf(flags.get('authentication-token-webhook-cache-ttl')) ?? 120,
            version: flags.get('authentication-token-webhook-version') ?? 'v1beta1',
          },
        }),
  };
}

/** Undefined for Node and RBAC alone, as kubeadm has it. */
function authorizersOf(flags: ReadonlyMap<string, string>, read: (path: string) => unknown): readonly Authorizer[] | undefined {
  const file = flags.get('authorization-config');
  const modes = (flags.get('authorization-mode') ?? '').split(',').filter((mode) => mode !== '');
  const webhookFlags = [...flags.keys()].filter((name) => name.startsWith('authorization-webhook-'));
  if (file !== undefined) {
    if (modes.length > 0 || webhookFlags.length > 0)
      throw new Error('--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined');
    return readAuthorizers(read(file), read);
  }
  for (const mode of modes) if (!MODES.includes(mode)) throw new Error(`authorization-mode ${JSON.stringify(mode)} is not a valid mode`);
  if (new Set(modes).size < modes.length)
    throw new Error(`authorization-mode [${modes.map((mode) => JSON.stringify(mode)).join(' ')}] has mode specified more than once`);
  const config = flags.get('authorization-webhook-config-file');
  if (modes.includes('Webhook') && config === undefined) throw new Error("authorization-mode Webhook's authorization config file not passed");
  if (config !== undefined && !modes.includes('Webhook')) throw new Error('cannot specify --authorization-webhook-config-file without mode Webhook');
  if (modes.every((mode) => mode === 'Node' || mode === 'RBAC')) return undefined;
  return modes.map(
    (mode): Authorizer =>
      mode !== 'Webhook'
        ? (mode as 'Node' | 'RBAC')
        : {
            name: 'default',
            url: serverOf(read(config!)),
            timeout: 30,
            authorizedTtl: secondsOf(flags.get('authorization-webhook-cache-authorized-ttl')) ?? 300,
            unauthorizedTtl: secondsOf(flags.get('authorization-webhook-cache-unauthorized-ttl')) ?? 30,
            version: flags.get('authorization-webhook-version') ?? 'v1beta1',
            failurePolicy: 'NoOpinion',
            matches: () => true,
          },
  );
}
