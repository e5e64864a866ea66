/**
 * Keys and signatures: ECDSA on P-256 is what this cluster uses (kubeadm's `encryptionAlgorithm: ECDSA-P256`);
 * of strangers' keys P-384, P-521, Ed25519 and RSA (PKCS #1 v1.5) are verified as well.
 *
 * Signatures are deterministic (RFC 6979), keys are drawn from a seed: a world is the same each time.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { type Bytes, concat, hexOf, pem, pemBlocks, utf8 } from './bytes.ts';
import { bigOf, bits, bitsOf, children, context, DerError, expect, integer, integerOf, type Node, octets, oid, oidOf, readNode, sequence } from './der.ts';

// A small table of multiples: this program signs a handful of times, and the usual big one takes longer to fill than that.
p256.Point.BASE.precompute(4, true);

export interface PrivateKey {
  readonly scalar: Bytes;
  /** SubjectPublicKeyInfo. */
  readonly publicInfo: Bytes;
}

const EC = '1.2.840.10045.2.1';
const RSA = '1.2.840.113549.1.1.1';
const ED25519 = '1.3.101.112';
const CURVES = { '1.2.840.10045.3.1.7': p256, '1.3.132.0.34': p384, '1.3.132.0.35': p521 } as const;
const P256 = '1.2.840.10045.3.1.7';
export const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const ECDSA: Readonly<Record<string, (data: Bytes) => Bytes>> = {
  [ECDSA_SHA256]: sha256,
  '1.2.840.10045.4.3.3': sha384,
  '1.2.840.10045.4.3.4': sha512,
};
/** Hash and its DigestInfo prefix (RFC 8017 9.2). */
const RSA_SIGNATURES: Readonly<Record<string, readonly [(data: Bytes) => Bytes, string]>> = {
  '1.2.840.113549.1.1.11': [sha256, '3031300d060960864801650304020105000420'],
  '1.2.840.113549.1.1.12': [sha384, '3041300d060960864801650304020205000430'],
  '1.2.840.113549.1.1.13': [sha512, '3051300d060960864801650304020305000440'],
};

const keys = new Map<string, PrivateKey>();

/** The P-256 key of a seed and a name: the same each time. `publicInfo`, where its public half is written down somewhere: working it out takes as long as a signature. */
export function keyOf(seed: string, publicInfo?: Bytes): PrivateKey {
  let key = keys.get(seed);
  if (!key) {
    let scalar = sha256(utf8(`orrery key ${seed}`));
    while (!p256.utils.isValidSecretKey(scalar)) scalar = sha256(scalar);
    key = publicInfo ? { scalar, publicInfo } : fromScalar(scalar);
    if (keys.size > 64) keys.clear();
    keys.set(seed, key);
  }
  return key;
}

function fromScalar(scalar: Bytes): PrivateKey {
  const point = p256.getPublicKey(scalar, false);
  return { scalar, publicInfo: sequence(sequence(oid(EC), oid(P256)), bits(point)) };
}

/** As openssl and kubeadm write it (SEC 1). */
export const privatePem = ({ scalar, publicInfo }: PrivateKey): string =>
  pem('EC PRIVATE KEY', sequence(integer(1n), octets(scalar), context(0, oid(P256)), context(1, bits(pointOf(publicInfo)))));
export const publicPem = ({ publicInfo }: Pick<PrivateKey, 'publicInfo'>): string => pem('PUBLIC KEY', publicInfo);
export const pointOf = (publicInfo: Bytes): Bytes => bitsOf(children(readNode(publicInfo).node)[1]);

/** A P-256 key in SEC 1 or PKCS #8; undefined for any other text. */
export function readPrivateKey(text: string): PrivateKey | undefined {
  for (const { label, der } of pemBlocks(text)) {
    try {
      if (label === 'EC PRIVATE KEY') return fromScalar(scalarOf(readNode(der).node));
      if (label === 'PRIVATE KEY') {
        const [, algorithm, inner] = children(readNode(der).node);
        const [kind, curve] = children(expect(algorithm, 0x30));
        if (oidOf(kind!) === EC && oidOf(curve!) === P256) return fromScalar(scalarOf(readNode(expect(inner, 0x04).content).node));
      }
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
    }
  }
  return undefined;
}
const scalarOf = (node: Node): Bytes => {
  const scalar = expect(children(node)[1], 0x04).content;
  if (scalar.length !== 32) throw new DerError('x509: failed to parse EC private key');
  return Uint8Array.from(scalar);
};

/** ECDSA with SHA-256, in DER. */
export const sign = (key: PrivateKey, data: Bytes): Bytes => p256.sign(data, key.scalar, { format: 'der', lowS: false });
/** The same as JOSE writes it: r and s, 32 bytes each. */
export const signCompact = (key: PrivateKey, data: Bytes): Bytes => p256.sign(data, key.scalar, { format: 'compact', lowS: false });

/** Whether `signature` by `algorithm` (dotted) over `data` was made with the key of a SubjectPublicKeyInfo. */
export function verify(publicInfo: Bytes, algorithm: string, data: Bytes, signature: Bytes): boolean {
  try {
    const [header, key] = children(readNode(publicInfo).node);
    const [kind, curve] = children(expect(header, 0x30));
    switch (oidOf(kind!)) {
      case EC: {
        const hash = ECDSA[algorithm];
        const found = CURVES[oidOf(curve!) as keyof typeof CURVES] as typeof p256 | undefined;
        if (!hash || !found) return false;
        return found.verify(signature, hash(data), bitsOf(key), { format: 'der', prehash: false, lowS: false });
      }
      case ED25519:
        return algorithm === ED25519 && ed25519.verify(signature, data, bitsOf(key));
      case RSA:
        return verifyRsa(bitsOf(key), algorithm, data, signature);
      default:
        return false;
    }
  } catch {
    // A malformed key or signature verifies nothing.
    return false;
  }
}

export const verifyCompact = (publicInfo: Bytes, data: Bytes, signature: Bytes): boolean => {
  try {
    return p256.verify(signature, data, pointOf(publicInfo), { format: 'compact', lowS: false });
  } catch {
    return false;
  }
};

function verifyRsa(key: Bytes, algorithm: string, data: Bytes, signature: Bytes): boolean {
  const known = RSA_SIGNATURES[algorithm];
  const [n, e] = children(readNode(key).node);
  if (!known) return false;
  return rsaVerifies(integerOf(n!), integerOf(e!), known[0](data), known[1], signature);
}

function rsaVerifies(modulus: bigint, exponent: bigint, digest: Bytes, prefix: string, signature: Bytes): boolean {
  const length = Math.ceil(modulus.toString(16).length / 2);
  let result = 1n;
  let base = bigOf(signature) % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  const info = prefix + hexOf(digest);
  return result.toString(16).padStart(length * 2, '0') === `0001${'ff'.repeat(length - 3 - info.length / 2)}00${info}`;
}

/** RS256 of a JSON web key's n and e. */
export const verifyRs256 = (modulus: Bytes, exponent: Bytes, data: Bytes, signature: Bytes): boolean =>
  rsaVerifies(bigOf(modulus), bigOf(exponent), sha256(data), RSA_SIGNATURES['1.2.840.113549.1.1.11']![1], signature);

/** SubjectPublicKeyInfo of a P-256 point given as x and y. */
export const publicInfoOf = (x: Bytes, y: Bytes): Bytes => sequence(sequence(oid(EC), oid(P256)), bits(concat(Uint8Array.of(4), x, y)));
export const ecdsaSha256 = (): Bytes => sequence(oid(ECDSA_SHA256));
export const isRsa = (publicInfo: Bytes): boolean => oidOf(children(children(readNode(publicInfo).node)[0]!)[0]!) === RSA;
