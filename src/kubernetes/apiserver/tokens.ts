/**
 * Service account tokens: JWTs (RFC 7519) with upstream's claims (pkg/serviceaccount/claims.go), really signed.
 * The algorithm is ES256, which kube-apiserver uses when `--service-account-signing-key-file` holds an ECDSA key;
 * kubeadm's default is RSA and RS256.
 *
 * A signature costs more CPU than starting the pod that gets it, and hardly anybody ever reads one. So the
 * cluster's own kubelets are given a *sealed* token: the same claims under a keyed hash. The kubelet's file turns
 * into the real token when somebody reads it (`Files.promise`); the server accepts both. The seal never
 * leaves the program: whoever asks from outside gets the JWT.
 */
import { hash32 } from '../../sim/rng.ts';
import { pki } from '../api/pki/lazy.ts';
import { base64url, fromBase64url } from './base64.ts';

export interface Bound {
  readonly name: string;
  readonly uid: string;
}

export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly uid: string;
  readonly pod?: Bound;
  readonly secret?: Bound;
  readonly node?: Bound;
  readonly audiences: readonly string[];
  /** Seconds since 1970. */
  readonly iat: number;
  /** 0: never, as a token kept in a Secret. */
  readonly exp: number;
  readonly jti: string;
  /** From then on its use is warned of (extended expiration). */
  readonly warnAfter?: number;
}

export interface TokenSigner {
  /** A token for the cluster's own code; `complete` makes the real one of it. */
  seal(claims: TokenClaims): string;
  /** The real token. Needs `openPki`. */
  sign(claims: TokenClaims): string;
  /** The real token of a sealed one; any other text unchanged. Needs `openPki`. */
  complete(token: string): string;
  /** The claims of a token this signer made; undefined for any other text. Expiry is the caller's to judge. A JWT needs `openPki`. */
  verify(token: string): TokenClaims | undefined;
  /** JSON Web Key Set of `/openid/v1/jwks`. Needs `openPki`. */
  keys(): readonly object[];
}

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';
/** Of tokens kept in Secrets (pkg/serviceaccount/legacy.go). */
const LEGACY_ISSUER = 'kubernetes/serviceaccount';
const SEALED = '~';

/** `seed` stands for the cluster's /etc/kubernetes/pki/sa.key: signers of the same accept each other's tokens. */
export function createTokenSigner(seed: string): TokenSigner {
  const key = hash32(seed);
  const sealOf = (body: string): string => `${hash32(body, key).toString(16)}${hash32(body, ~key).toString(16)}`;
  const pair = () => pki().keyOf(`${seed} sa`);
  const verified = new Map<string, TokenClaims>();
  return {
    seal(claims) {
      const body = base64url(JSON.stringify(bodyOf(claims)));
      const token = `${SEALED}.${body}.${sealOf(body)}`;
      remember(verified, token, claims);
      return token;
    },
    sign: (claims) => pki().signJwt(pair(), bodyOf(claims)),
    complete(token) {
      const [head, body, seal] = token.split('.');
      if (head !== SEALED || body === undefined || seal !== sealOf(body)) return token;
      return pki().signJwt(pair(), JSON.parse(fromBase64url(body)));
    },
    verify(token) {
      const known = verified.get(token);
      if (known) return known;
      let claims: TokenClaims | undefined;
      if (token.startsWith(SEALED)) {
        const [, body = '', seal] = token.split('.');
        if (seal !== sealOf(body)) return undefined;
        claims = claimsOf(JSON.parse(fromBase64url(body)));
      } else {
        const { jwkOf, readJwt, verifyJwt } = pki();
        const jwt = readJwt(token);
        if (!jwt || !verifyJwt(jwt, [jwkOf(pair())])) return undefined;
        claims = claimsOf(jwt.claims as unknown as Body);
      }
      if (claims) remember(verified, token, claims);
      return claims;
    },
    keys: () => [pki().jwkOf(pair())],
  };
}

interface Body {
  readonly aud?: readonly string[];
  readonly exp?: number;
  readonly iat?: number;
  readonly iss: string;
  readonly jti?: string;
  readonly 'kubernetes.io'?: {
    readonly namespace: string;
    readonly node?: Bound;
    readonly pod?: Bound;
    readonly secret?: Bound;
    readonly serviceaccount: Bound;
    readonly warnafter?: number;
  };
  readonly 'kubernetes.io/serviceaccount/namespace'?: string;
  readonly 'kubernetes.io/serviceaccount/secret.name'?: string;
  readonly 'kubernetes.io/serviceaccount/service-account.name'?: string;
  readonly 'kubernetes.io/serviceaccount/service-account.uid'?: string;
  readonly nbf?: number;
  readonly sub: string;
}

function bodyOf(claims: TokenClaims): object {
  return {
    aud: claims.audiences,
    exp: claims.exp,
    iat: claims.iat,
    iss: ISSUER,
    jti: claims.jti,
    'kubernetes.io': {
      namespace: claims.namespace,
      ...(claims.node ? { node: claims.node } : {}),
      ...(claims.pod ? { pod: claims.pod } : {}),
      ...(claims.secret ? { secret: claims.secret } : {}),
      serviceaccount: { name: claims.serviceAccount, uid: claims.uid },
      ...(claims.warnAfter ? { warnafter: claims.warnAfter } : {}),
    },
    nbf: claims.iat,
    sub: `system:serviceaccount:${claims.namespace}:${claims.serviceAccount}`,
  };
}

function claimsOf(body: Body): TokenClaims | undefined {
  const own = body['kubernetes.io'];
  if (body.iss === LEGACY_ISSUER) {
    const namespace = body['kubernetes.io/serviceaccount/namespace'] ?? '';
    return {
      namespace,
      serviceAccount: body['kubernetes.io/serviceaccount/service-account.name'] ?? '',
      uid: body['kubernetes.io/serviceaccount/service-account.uid'] ?? '',
      secret: { name: body['kubernetes.io/serviceaccount/secret.name'] ?? '', uid: '' },
      audiences: [ISSUER],
      iat: 0,
      exp: 0,
      jti: '',
    };
  }
  if (!own || body.iss !== ISSUER) return undefined;
  return {
    namespace: own.namespace,
    serviceAccount: own.serviceaccount.name,
    uid: own.serviceaccount.uid,
    ...(own.pod ? { pod: own.pod } : {}),
    ...(own.secret ? { secret: own.secret } : {}),
    ...(own.node ? { node: own.node } : {}),
    audiences: body.aud ?? [],
    iat: body.iat ?? 0,
    exp: body.exp ?? 0,
    jti: body.jti ?? '',
    ...(own.warnafter ? { warnAfter: own.warnafter } : {}),
  };
}

function remember(map: Map<string, TokenClaims>, token: string, claims: TokenClaims): void {
  if (map.size >= 4096) map.delete(map.keys().next().value!);
  map.set(token, claims);
}
