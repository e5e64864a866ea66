/**
 * Who is asking: client certificates, service account tokens, what only strangers show (`authentication/`), anonymous,
 * and impersonation (apiserver `pkg/authentication`, `endpoints/filters/impersonation.go`).
 */
import type { KubeObject } from '../api/meta.ts';
import type { ApiRequest } from '../api/request.ts';
import type { AuthenticationConfiguration } from './authentication/configuration.ts';
import { foreign } from './authentication/lazy.ts';
import { failure, unauthorized } from './errors.ts';
import { ISSUER, type TokenClaims, type TokenSigner } from './tokens.ts';

export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const AUTHENTICATED = 'system:authenticated';

/** Whether what a token is bound to still exists with that uid. */
export type TokenLookup = (claims: TokenClaims) => boolean;

/** What the methods know. */
export interface Credentials {
  readonly tokens: TokenSigner;
  readonly alive: TokenLookup;
  nowSeconds(): number;
  /** From the cache: bootstrap tokens are Secrets. */
  secret(namespace: string, name: string): KubeObject | undefined;
  /** `--authentication-config`, or the `--oidc-…` flags. */
  readonly configuration?: AuthenticationConfiguration | undefined;
  /** `--anonymous-auth=false` */
  readonly anonymous?: boolean | undefined;
  /** What a token webhook said of a token it was asked about (`authorization/delegation.ts`); undefined where there is none. */
  webhookUser?(token: string): User | string | undefined;
  /** Hears why nobody was recognised: the caller is only told `Unauthorized`. */
  refused?(why: string): void;
}

/** Certificates give the same few users again and again: one object for each. */
const fromSubjects = new WeakMap<object, User>();
/** As do tokens. */
const fromClaims = new WeakMap<TokenClaims, User>();

/**
 * The first method that recognises the caller decides; nobody recognised and no credentials shown is
 * `system:anonymous`. Throws Unauthorized for credentials that are not valid.
 */
export function authenticate(request: ApiRequest, credentials: Credentials): User {
  const { certificate } = request;
  const why: string[] = [];
  if (certificate && certificate.pem === undefined) {
    let user = fromSubjects.get(certificate);
    if (!user) {
      user = { name: certificate.commonName, groups: [...certificate.organizations, AUTHENTICATED] };
      fromSubjects.set(certificate, user);
    }
    return user;
  }
  if (certificate?.pem !== undefined) {
    const found = foreign().userOfCertificate(certificate.pem, credentials.nowSeconds());
    if (typeof found !== 'string') return found;
    why.push(found);
  }
  const authorization = request.headers['authorization'];
  if (!authorization && why.length === 0) return anonymous(request, credentials);
  const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token !== undefined) {
    const found = userOfToken(token, credentials, [ISSUER]);
    if (typeof found !== 'string') return found;
    why.push('invalid bearer token');
    if (found) why.push(found);
  }
  credentials.refused?.(why.length === 1 ? why[0]! : `[${why.join(', ')}]`);
  throw unauthorized();
}

function anonymous({ path }: ApiRequest, { anonymous: allowed = true, configuration }: Credentials): User {
  const settings = configuration?.anonymous;
  const enabled = settings ? settings.enabled && (!settings.conditions || settings.conditions.some((condition) => condition.path === path)) : allowed;
  if (!enabled) throw unauthorized();
  return ANONYMOUS;
}

/** The user a token speaks for in one of `audiences`, or why it speaks for nobody ('' when it is nothing this server knows). */
export function userOfToken(token: string, credentials: Credentials, audiences: readonly string[]): User | string {
  const claims = credentials.tokens.verify(token);
  if (claims) return userOfAccount(claims, credentials, audiences);
  // The cluster's own code shows nothing but its sealed tokens.
  if (token.startsWith('~')) return '';
  const found = foreign().userOfForeignToken(token, credentials);
  return typeof found === 'string' ? (credentials.webhookUser?.(token) ?? found) : found;
}

function userOfAccount(claims: TokenClaims, { alive, nowSeconds }: Credentials, audiences: readonly string[]): User | string {
  const now = nowSeconds();
  if (claims.exp !== 0 && claims.exp <= now) return 'service account token has expired';
  if (claims.iat > now) return 'service account token is not valid yet';
  if (!claims.audiences.some((audience) => audiences.includes(audience))) {
    const list = (all: readonly string[]) => `[${all.map((each) => JSON.stringify(each)).join(' ')}]`;
    return `token audiences ${list(claims.audiences)} is invalid for the target audiences ${list(audiences)}`;
  }
  if (!alive(claims)) return 'service account token has been invalidated';
  const known = fromClaims.get(claims);
  if (known) return known;
  const { namespace, serviceAccount, uid, pod, node, jti } = claims;
  const extra: Record<string, readonly string[]> = {
    ...(jti ? { 'authentication.kubernetes.io/credential-id': [`JTI=${jti}`] } : {}),
    ...(node ? { 'authentication.kubernetes.io/node-name': [node.name], 'authentication.kubernetes.io/node-uid': [node.uid] } : {}),
    ...(pod ? { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] } : {}),
  };
  const user: User = {
    name: `system:serviceaccount:${namespace}:${serviceAccount}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
  fromClaims.set(claims, user);
  return user;
}

export interface Impersonation {
  readonly user: User;
  /** What the caller must be allowed to `impersonate`, in upstream's order. */
  readonly needs: readonly {
    readonly group: string;
    readonly resource: string;
    readonly subresource: string;
    readonly namespace: string;
    readonly name: string;
  }[];
}

const EXTRA = 'impersonate-extra-';

/**
 * Reads the Impersonate-* headers; undefined when there are none. Several groups, and several values of one extra,
 * arrive joined by commas, as HTTP allows. Throws 500 for groups, uid or extra without a user.
 */
export function impersonation(headers: Readonly<Record<string, string>>): Impersonation | undefined {
  const name = headers['impersonate-user'];
  if (name === undefined && headers['impersonate-group'] === undefined && headers['impersonate-uid'] === undefined) return undefined;
  const list = (text: string | undefined) => (text ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  const groups = list(headers['impersonate-group']);
  const uid = headers['impersonate-uid'];
  const need = (group: string, resource: string, subject: string, subresource = '', namespace = '') => ({
    group,
    resource,
    subresource,
    namespace,
    name: subject,
  });
  if (!name) {
    const asked = [...groups.map((group) => `{Group  ${group}    }`), ...(uid ? [`{UID  ${uid} authentication.k8s.io/v1   }`] : [])];
    throw failure(500, 'InternalError', `Internal error occurred: requested [${asked.join(' ')}] without impersonating a user`, {});
  }
  const extra: Record<string, readonly string[]> = {};
  for (const header of Object.keys(headers)) if (header.startsWith(EXTRA)) extra[decodeURIComponent(header.slice(EXTRA.length))] = list(headers[header]);
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const needs = [
    account ? need('', 'serviceaccounts', account[2]!, '', account[1]!) : need('', 'users', name),
    ...groups.map((group) => need('', 'groups', group)),
    ...Object.entries(extra).flatMap(([key, values]) => values.map((value) => need('authentication.k8s.io', 'userextras', value, key))),
    ...(uid ? [need('authentication.k8s.io', 'uids', uid)] : []),
  ];
  const all = account && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : groups;
  const everybody = name === ANONYMOUS.name ? 'system:unauthenticated' : AUTHENTICATED;
  const marked = all.includes(everybody) ? all : [...all, everybody];
  return { user: { name, groups: marked, ...(uid ? { uid } : {}), ...(Object.keys(extra).length > 0 ? { extra } : {}) }, needs };
}
