/** JSON Web Tokens (RFC 7519) signed with ES256; RS256 is verified as well, for issuers of others. */
import { sha256 } from '@noble/hashes/sha2.js';
import { base64url, fromBase64, textOf, utf8 } from './bytes.ts';
import { type PrivateKey, pointOf, publicInfoOf, signCompact, verifyCompact, verifyRs256 } from './keys.ts';

export interface JsonWebKey {
  readonly kty: string;
  readonly kid?: string;
  readonly use?: string;
  readonly alg?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
}

/** The id kube-apiserver gives a key: base64url of the SHA-256 of its PKIX form. */
export const keyIdOf = (publicInfo: Uint8Array): string => base64url(sha256(publicInfo));

export function jwkOf(key: Pick<PrivateKey, 'publicInfo'>): JsonWebKey {
  const point = pointOf(key.publicInfo);
  return {
    use: 'sig',
    kty: 'EC',
    kid: keyIdOf(key.publicInfo),
    crv: 'P-256',
    alg: 'ES256',
    x: base64url(point.subarray(1, 33)),
    y: base64url(point.subarray(33)),
  };
}

export const signedPart = (key: Pick<PrivateKey, 'publicInfo'>, claims: object): string =>
  `${base64url(utf8(JSON.stringify({ alg: 'ES256', kid: keyIdOf(key.publicInfo) })))}.${base64url(utf8(JSON.stringify(claims)))}`;
export const signatureOf = (key: PrivateKey, signed: string): string => base64url(signCompact(key, utf8(signed)));
export const signJwt = (key: PrivateKey, claims: object): string => {
  const signed = signedPart(key, claims);
  return `${signed}.${signatureOf(key, signed)}`;
};

export interface Jwt {
  readonly header: { readonly alg?: string; readonly kid?: string };
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: string;
  readonly signature: string;
}

/** The parts of a token, nothing verified; undefined when it is none. */
export function readJwt(token: string): Jwt | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  const json = (part: string | undefined): unknown => {
    const bytes = fromBase64(part ?? '');
    return bytes && JSON.parse(textOf(bytes));
  };
  try {
    const header = json(parts[0]);
    const claims = json(parts[1]);
    if (typeof header !== 'object' || header === null || typeof claims !== 'object' || claims === null) return undefined;
    return { header, claims: claims as Record<string, unknown>, signed: `${parts[0]}.${parts[1]}`, signature: parts[2]! };
  } catch {
    return undefined;
  }
}

export function verifyJwt({ header, signed, signature }: Jwt, keys: readonly JsonWebKey[]): boolean {
  const bytes = fromBase64(signature);
  if (!bytes) return false;
  return keys.some((key) => {
    if (header.kid !== undefined && key.kid !== undefined && key.kid !== header.kid) return false;
    const part = (text: string | undefined) => fromBase64(text ?? '') ?? new Uint8Array();
    if (header.alg === 'ES256' && key.kty === 'EC') return verifyCompact(publicInfoOf(part(key.x), part(key.y)), utf8(signed), bytes);
    return header.alg === 'RS256' && key.kty === 'RSA' && verifyRs256(part(key.n), part(key.e), utf8(signed), bytes);
  });
}
