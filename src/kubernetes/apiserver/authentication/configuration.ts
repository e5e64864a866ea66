/**
 * AuthenticationConfiguration (apiserver.config.k8s.io/v1beta1, KEP-3331): issuers of JSON Web Tokens and who may
 * be anonymous. The `--oidc-…` flags are a configuration with one issuer.
 */

export interface ClaimOrPrefix {
  readonly claim?: string;
  readonly prefix?: string;
}
export interface JwtAuthenticator {
  readonly issuer: { readonly url: string; readonly audiences: readonly string[] };
  readonly claimValidationRules?: readonly { readonly claim?: string; readonly requiredValue?: string }[];
  readonly claimMappings: {
    readonly username: ClaimOrPrefix;
    readonly groups?: ClaimOrPrefix;
    readonly uid?: { readonly claim?: string };
  };
}
export interface AuthenticationConfiguration {
  readonly jwt?: readonly JwtAuthenticator[];
  readonly anonymous?: { readonly enabled: boolean; readonly conditions?: readonly { readonly path: string }[] };
  /** Where an issuer's keys are read (its `jwks_uri`); given by whoever runs the server. */
  readonly keysOf?: (issuer: string) => readonly object[] | undefined;
}

/** Checks a file's content. Throws an Error with the text kube-apiserver exits with. */
export function readConfiguration(value: unknown): AuthenticationConfiguration {
  const file = value as (AuthenticationConfiguration & { readonly apiVersion?: string; readonly kind?: string }) | null;
  if (file?.kind !== 'AuthenticationConfiguration' || !/^apiserver\.config\.k8s\.io\/v1(beta1|alpha1)?$/.test(file.apiVersion ?? ''))
    throw new Error(`no kind ${JSON.stringify(file?.kind ?? '')} is registered for version ${JSON.stringify(file?.apiVersion ?? '')} in scheme`);
  const errors: string[] = [];
  const seen = new Set<string>();
  (file.jwt ?? []).forEach(({ issuer, claimMappings }, i) => {
    const at = `jwt[${i}]`;
    if (!issuer?.url) errors.push(`${at}.issuer.url: Required value: URL is required`);
    else if (!issuer.url.startsWith('https://')) errors.push(`${at}.issuer.url: Invalid value: ${JSON.stringify(issuer.url)}: URL scheme must be https`);
    else if (seen.has(issuer.url)) errors.push(`${at}.issuer.url: Duplicate value: ${JSON.stringify(issuer.url)}`);
    seen.add(issuer?.url ?? '');
    if (!issuer?.audiences?.length) errors.push(`${at}.issuer.audiences: Required value: at least one jwt[${i}].issuer.audiences is required`);
    if (!claimMappings?.username?.claim) errors.push(`${at}.claimMappings.username: Required value: claim or expression is required`);
    else if (claimMappings.username.prefix === undefined)
      errors.push(
        `${at}.claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing`,
      );
  });
  if (errors.length > 0) throw new Error(errors.length > 1 ? `[${errors.join(', ')}]` : errors[0]);
  return file;
}

/** The configuration the `--oidc-…` flags stand for; undefined without `--oidc-issuer-url`. */
export function configurationOfFlags(flags: ReadonlyMap<string, string>): AuthenticationConfiguration | undefined {
  const url = flags.get('oidc-issuer-url');
  if (!url) return undefined;
  const claim = flags.get('oidc-username-claim') ?? 'sub';
  const given = flags.get('oidc-username-prefix');
  // Every name but an e-mail address is prefixed with its issuer, unless told otherwise.
  const prefix = given === '-' ? '' : (given ?? (claim === 'email' ? '' : `${url}#`));
  const groups = flags.get('oidc-groups-claim');
  return {
    jwt: [
      {
        issuer: { url, audiences: [flags.get('oidc-client-id') ?? ''] },
        claimMappings: {
          username: { claim, prefix },
          ...(groups ? { groups: { claim: groups, prefix: flags.get('oidc-groups-prefix') ?? '' } } : {}),
        },
      },
    ],
  };
}
