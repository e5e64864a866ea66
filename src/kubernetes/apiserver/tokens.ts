/**
 * Service account tokens: three base64url parts like a JWT (RFC 7519), so that `kubectl create token`
 * shows what it shows elsewhere. Here simplified: the signature is a keyed hash, not RS256.
 */
import { hash32 } from '../../sim/rng.ts';
import { base64url, fromBase64url } from './base64.ts';

export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly uid: string;
  readonly pod?: { readonly name: string; readonly uid: string };
  readonly node?: string;
  readonly audiences: readonly string[];
  /** Seconds since 1970. */
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
}

export interface TokenSigner {
  sign(claims: TokenClaims): string;
  /** The claims of a token this signer made; undefined for any other text. Expiry is the caller's to judge. */
  verify(token: string): TokenClaims | undefined;
}

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** `key` stands for /etc/kubernetes/pki/sa.key: signers with the same key accept each other's tokens. */
export function createTokenSigner(key: string): TokenSigner {
  const seed = hash32(key);
  const header = base64url(JSON.stringify({ alg: 'RS256', kid: hash32(key, 1).toString(16) }));
  const signature = (text: string): string => {
    // The long text is read twice, not once for every word of the signature.
    const digest = `${hash32(text, seed)}.${hash32(text, ~seed)}`;
    let out = '';
    for (let i = 0; i < 8; i++) out += hash32(digest, i).toString(16).padStart(8, '0');
    return base64url(out);
  };
  const verified = new Map<string, TokenClaims>();
  return {
    sign(claims) {
      const body = {
        aud: claims.audiences,
        exp: claims.exp,
        iat: claims.iat,
        iss: ISSUER,
        jti: claims.jti,
        'kubernetes.io': {
          namespace: claims.namespace,
          ...(claims.node ? { node: { name: claims.node } } : {}),
          ...(claims.pod ? { pod: claims.pod } : {}),
          serviceaccount: { name: claims.serviceAccount, uid: claims.uid },
        },
        nbf: claims.iat,
        sub: `system:serviceaccount:${claims.namespace}:${claims.serviceAccount}`,
      };
      const text = `${header}.${base64url(JSON.stringify(body))}`;
      const token = `${text}.${signature(text)}`;
      remember(verified, token, claims);
      return token;
    },
    verify(token) {
      const known = verified.get(token);
      if (known) return known;
      const dot = token.lastIndexOf('.');
      const text = token.slice(0, dot);
      if (dot < 0 || signature(text) !== token.slice(dot + 1)) return undefined;
      try {
        const body = JSON.parse(fromBase64url(text.slice(text.indexOf('.') + 1)));
        const own = body['kubernetes.io'];
        const claims: TokenClaims = {
          namespace: own.namespace,
          serviceAccount: own.serviceaccount.name,
          uid: own.serviceaccount.uid,
          ...(own.pod ? { pod: own.pod } : {}),
          ...(own.node ? { node: own.node.name } : {}),
          audiences: body.aud,
          iat: body.iat,
          exp: body.exp,
          jti: body.jti,
        };
        remember(verified, token, claims);
        return claims;
      } catch {
        return undefined;
      }
    },
  };
}

function remember(map: Map<string, TokenClaims>, token: string, claims: TokenClaims): void {
  if (map.size >= 4096) map.delete(map.keys().next().value!);
  map.set(token, claims);
}
