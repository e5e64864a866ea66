/**
 * Who is asking: client certificates, service account tokens, anonymous, and impersonation
 * (apiserver `pkg/authentication`, `endpoints/filters/impersonation.go`).
 */
import type { ApiRequest } from '../api/request.ts';
import { unauthorized } from './errors.ts';
import type { TokenSigner } from './tokens.ts';

export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const AUTHENTICATED = 'system:authenticated';

/** Whether a token's service account (and the pod it is bound to) still exists with that uid. */
export type TokenLookup = (claims: { namespace: string; serviceAccount: string; uid: string; pod?: { name: string; uid: string } }) => boolean;

/** Certificates give the same few users again and again: one object for each. */
const fromCertificates = new WeakMap<object, User>();

/**
 * The first method that recognises the caller decides; nobody recognised and no credentials shown is
 * `system:anonymous`. Throws Unauthorized for a bearer token that is not valid.
 */
export function authenticate(request: ApiRequest, tokens: TokenSigner, alive: TokenLookup, nowSeconds: number): User {
  const certificate = request.certificate;
  if (certificate) {
    let user = fromCertificates.get(certificate);
    if (!user) {
      user = { name: certificate.commonName, groups: [...certificate.organizations, AUTHENTICATED] };
      fromCertificates.set(certificate, user);
    }
    return user;
  }
  const authorization = request.headers['authorization'];
  if (!authorization) return ANONYMOUS;
  const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
  const user = token === undefined ? undefined : userOfToken(token, tokens, alive, nowSeconds);
  if (!user) throw unauthorized();
  return user;
}

/** The service account a token speaks for, or undefined when it is forged, expired or its subject is gone. */
export function userOfToken(token: string, tokens: TokenSigner, alive: TokenLookup, nowSeconds: number): User | undefined {
  const claims = tokens.verify(token);
  if (!claims || claims.exp <= nowSeconds) return undefined;
  const { namespace, serviceAccount, uid, pod, node } = claims;
  if (!alive({ namespace, serviceAccount, uid, ...(pod ? { pod } : {}) })) return undefined;
  return {
    name: `system:serviceaccount:${namespace}:${serviceAccount}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
      ...(node ? { 'authentication.kubernetes.io/node-name': [node] } : {}),
      ...(pod ? { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] } : {}),
    },
  };
}

export interface Impersonation {
  readonly user: User;
  /** What the caller must be allowed to `impersonate`, in upstream's order. */
  readonly needs: readonly { readonly group: string; readonly resource: string; readonly namespace: string; readonly name: string }[];
}

/** Reads the Impersonate-* headers; undefined when there are none. Several groups arrive joined by commas, as HTTP allows. */
export function impersonation(headers: Readonly<Record<string, string>>): Impersonation | undefined {
  const name = headers['impersonate-user'];
  if (name === undefined) return undefined;
  const groups = (headers['impersonate-group'] ?? '')
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '');
  const uid = headers['impersonate-uid'];
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const needs = [
    account ? { group: '', resource: 'serviceaccounts', namespace: account[1]!, name: account[2]! } : { group: '', resource: 'users', namespace: '', name },
    ...groups.map((group) => ({ group: '', resource: 'groups', namespace: '', name: group })),
    ...(uid ? [{ group: 'authentication.k8s.io', resource: 'uids', namespace: '', name: uid }] : []),
  ];
  const all = account && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : groups;
  const marked = name === ANONYMOUS.name ? [...all, 'system:unauthenticated'] : all.includes(AUTHENTICATED) ? all : [...all, AUTHENTICATED];
  return { user: { name, groups: marked, ...(uid ? { uid } : {}) }, needs };
}
