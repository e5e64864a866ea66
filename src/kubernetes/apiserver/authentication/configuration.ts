/**
 * AuthenticationConfiguration (apiserver.config.k8s.io/v1beta1, KEP-3331): issuers of JSON Web Tokens, who a token's claims make one, and who may
 * be anonymous. The `--oidc-…` flags are a configuration with one issuer.
 */
import { type ClaimRules, rulesOf } from './claim-rules.ts';

/** A claim by its name, with something before it, or an expression that makes it of all claims. */
export interface ClaimOrExpression {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}
export interface JwtAuthenticator {
  readonly issuer: { readonly url: string; readonly discoveryURL?: string; readonly audiences: readonly string[]; readonly audienceMatchPolicy?: string };
  readonly claimValidationRules?: readonly {
    readonly claim?: string;
    readonly requiredValue?: string;
    readonly expression?: string;
    readonly message?: string;
  }[];
  readonly claimMappings: {
    readonly username: ClaimOrExpression;
    readonly groups?: ClaimOrExpression;
    readonly uid?: Omit<ClaimOrExpression, 'prefix'>;
    readonly extra?: readonly { readonly key: string; readonly valueExpression: string }[];
  };
  readonly userValidationRules?: readonly { readonly expression?: string; readonly message?: string }[];
  /** The above, ready to be asked. */
  readonly rules?: ClaimRules;
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
  if ((file.jwt ?? []).length > MOST_ISSUERS) errors.push(`jwt: Too many: ${file.jwt!.length}: must have at most ${MOST_ISSUERS} items`);
  const jwt = (file.jwt ?? []).map((each, i): JwtAuthenticator => {
    const at = `jwt[${i}]`;
    checkIssuer(each, at, seen, errors);
    checkMappings(each, at, errors);
    checkRules(each, at, errors);
    return each.claimMappings?.username ? { ...each, rules: rulesOf(each, at, errors) } : each;
  });
  if (errors.length > 0) throw new Error(errors.length > 1 ? `[${errors.join(', ')}]` : errors[0]);
  return { ...file, jwt };
}

const MOST_ISSUERS = 64;
const quote = (text: unknown): string => JSON.stringify(text ?? '');

function checkIssuer({ issuer }: JwtAuthenticator, at: string, seen: Set<string>, errors: string[]): void {
  if (!issuer?.url) errors.push(`${at}.issuer.url: Required value: URL is required`);
  else if (!issuer.url.startsWith('https://')) errors.push(`${at}.issuer.url: Invalid value: ${quote(issuer.url)}: URL scheme must be https`);
  else if (seen.has(issuer.url)) errors.push(`${at}.issuer.url: Duplicate value: ${quote(issuer.url)}`);
  seen.add(issuer?.url ?? '');
  if (issuer?.discoveryURL && issuer.discoveryURL.replace(/\/$/, '') === issuer.url?.replace(/\/$/, ''))
    errors.push(`${at}.issuer.discoveryURL: Invalid value: ${quote(issuer.discoveryURL)}: discoveryURL must be different from URL`);
  if (!issuer?.audiences?.length) errors.push(`${at}.issuer.audiences: Required value: at least one ${at}.issuer.audiences is required`);
  else if (issuer.audiences.length > 1 && issuer.audienceMatchPolicy !== 'MatchAny')
    errors.push(
      `${at}.issuer.audienceMatchPolicy: Invalid value: ${quote(issuer.audienceMatchPolicy)}: audienceMatchPolicy must be MatchAny for multiple audiences`,
    );
}

function checkMapping(mapping: ClaimOrExpression | undefined, at: string, must: boolean, errors: string[]): void {
  const { claim, expression, prefix } = mapping ?? {};
  if (claim && expression) errors.push(`${at}: Invalid value: "": claim and expression can't both be set`);
  else if (!claim && !expression) {
    if (must) errors.push(`${at}: Required value: claim or expression is required`);
    if (prefix) errors.push(`${at}.prefix: Invalid value: ${quote(prefix)}: non-empty prefix isn't allowed when claim is not set`);
  } else if (expression && prefix !== undefined) errors.push(`${at}.prefix: Invalid value: ${quote(prefix)}: prefix can't be set when expression is set`);
  else if (claim && prefix === undefined)
    errors.push(`${at}.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing`);
}

function checkMappings({ claimMappings, claimValidationRules = [] }: JwtAuthenticator, jwt: string, errors: string[]): void {
  const at = `${jwt}.claimMappings`;
  const { username, groups, uid, extra = [] } = claimMappings ?? {};
  checkMapping(username, `${at}.username`, true, errors);
  checkMapping(groups, `${at}.groups`, false, errors);
  if (uid?.claim && uid.expression) errors.push(`${at}.uid: Invalid value: "": claim and expression can't both be set`);
  const keys = new Set<string>();
  extra.forEach(({ key, valueExpression }, i) => {
    const own = `${at}.extra[${i}]`;
    if (!key) errors.push(`${own}.key: Required value`);
    else if (key !== key.toLowerCase()) errors.push(`${own}.key: Invalid value: ${quote(key)}: key must be lowercase`);
    else if (!/^[a-z0-9.-]+\/.+$/.test(key)) errors.push(`${own}.key: Invalid value: ${quote(key)}: must be a domain-prefixed path (such as "acme.io/foo")`);
    else if (keys.has(key)) errors.push(`${own}.key: Duplicate value: ${quote(key)}`);
    keys.add(key);
    if (!valueExpression) errors.push(`${own}.valueExpression: Required value: valueExpression is required`);
  });
  const expressions = [username?.expression, ...extra.map((one) => one.valueExpression), ...claimValidationRules.map((one) => one.expression)];
  if (username?.expression && /\bclaims\.email\b/.test(username.expression) && !expressions.some((one) => /\bclaims\.\??email_verified\b/.test(one ?? '')))
    errors.push(
      `${at}.username.expression: Invalid value: ${quote(username.expression)}: claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression`,
    );
}

function checkRules({ claimValidationRules = [], userValidationRules = [] }: JwtAuthenticator, jwt: string, errors: string[]): void {
  const seen = new Set<string>();
  claimValidationRules.forEach(({ claim, expression, message, requiredValue }, i) => {
    const at = `${jwt}.claimValidationRules[${i}]`;
    if (claim && expression) errors.push(`${at}: Invalid value: ${quote(claim)}: claim and expression can't both be set`);
    else if (!claim && !expression) errors.push(`${at}: Required value: claim or expression is required`);
    else if (claim && message) errors.push(`${at}.message: Invalid value: ${quote(message)}: message can't be set when claim is set`);
    else if (expression && requiredValue)
      errors.push(`${at}.requiredValue: Invalid value: ${quote(requiredValue)}: requiredValue can't be set when expression is set`);
    const key = claim ? `claim ${claim}` : `expression ${expression}`;
    if (seen.has(key)) errors.push(`${at}.${claim ? 'claim' : 'expression'}: Duplicate value: ${quote(claim ?? expression)}`);
    seen.add(key);
  });
  const users = new Set<string>();
  userValidationRules.forEach(({ expression }, i) => {
    const at = `${jwt}.userValidationRules[${i}].expression`;
    if (!expression) errors.push(`${at}: Required value: expression is required`);
    else if (users.has(expression)) errors.push(`${at}: Duplicate value: ${quote(expression)}`);
    users.add(expression ?? '');
  });
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
  const jwt: JwtAuthenticator = {
    issuer: { url, audiences: [flags.get('oidc-client-id') ?? ''] },
    claimMappings: {
      username: { claim, prefix },
      ...(groups ? { groups: { claim: groups, prefix: flags.get('oidc-groups-prefix') ?? '' } } : {}),
    },
  };
  return { jwt: [{ ...jwt, rules: rulesOf(jwt, 'jwt[0]', []) }] };
}
