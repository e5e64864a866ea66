/** Whether a certificate and a private key belong together, in the words of Go's tls.X509KeyPair (crypto/tls/tls.go). */
import { children, expect, integerOf, type Node, oidOf, readNode } from '../api/pki/der.ts';
import { openPki } from '../api/pki/lazy.ts';

const RSA = '1.2.840.113549.1.1.1';
const EC = '1.2.840.10045.2.1';
const ED25519 = '1.3.101.112';

type Bytes = Uint8Array;
/** What of a key both halves show: the algorithm, and the public part as far as it can be read without curves of ours. */
interface Half {
  readonly algorithm: string;
  readonly public: string | undefined;
}

/** The first thing that is wrong, or undefined. Loads what reads certificates: inside a world, wait with `Process.outside`. */
export async function pairProblem(certificate: string, key: string): Promise<string | undefined> {
  const { pemBlocks, readCertificates, readPrivateKey, hex } = await tools();
  const labels = pemBlocks(certificate).map(({ label }) => label);
  if (!labels.includes('CERTIFICATE')) {
    if (labels.length === 0) return 'tls: failed to find any PEM data in certificate input';
    if (labels.length === 1 && labels[0]!.endsWith('PRIVATE KEY'))
      return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
    return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${labels.join(' ')}]`;
  }
  const blocks = pemBlocks(key);
  const block = blocks.find(({ label }) => label === 'PRIVATE KEY' || label.endsWith(' PRIVATE KEY'));
  if (!block) {
    if (blocks.length === 0) return 'tls: failed to find any PEM data in key input';
    if (blocks.length === 1 && blocks[0]!.label === 'CERTIFICATE') return 'tls: found a certificate rather than a key in the PEM for the private key';
    return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${blocks.map(({ label }) => label).join(' ')}]`;
  }
  const leaf = readCertificates(certificate)?.[0];
  if (!leaf) return 'x509: malformed certificate';
  const theirs = publicHalf(leaf.publicInfo, hex);
  let mine: Half | undefined;
  try {
    mine = privateHalf(block.label, block.der, (text) => readPrivateKey(text)?.publicInfo, key, hex);
  } catch {
    mine = undefined;
  }
  if (!mine) return 'tls: failed to parse private key';
  if (mine.algorithm !== theirs.algorithm) return 'tls: private key type does not match public key type';
  if (mine.public !== undefined && mine.public !== theirs.public) return 'tls: private key does not match public key';
  return undefined;
}

async function tools() {
  const [{ pemBlocks, readCertificates, readPrivateKey }, { hexOf }] = await Promise.all([openPki(), import('../api/pki/bytes.ts')]);
  return { pemBlocks, readCertificates, readPrivateKey, hex: hexOf };
}

function publicHalf(publicInfo: Bytes, hex: (bytes: Bytes) => string): Half {
  const [header, bits] = children(readNode(publicInfo).node);
  const algorithm = oidOf(children(header!)[0]!);
  const content = expect(bits, 0x03).content.subarray(1);
  // Of RSA the modulus says which key it is.
  return { algorithm, public: algorithm === RSA ? String(integerOf(children(readNode(content).node)[0]!)) : hex(content) };
}

/** Here simplified: an EC key of another curve than P-256 is told by the public part it carries, and an Ed25519 key is not computed. */
function privateHalf(
  label: string,
  der: Bytes,
  publicInfoOf: (text: string) => Bytes | undefined,
  text: string,
  hex: (bytes: Bytes) => string,
): Half | undefined {
  const rsa = (node: Node): Half => ({ algorithm: RSA, public: String(integerOf(children(node)[1]!)) });
  const ec = (node: Node): Half => {
    const known = publicInfoOf(text);
    const carried = children(node).find(({ tag }) => tag === 0xa1);
    const point = carried ? hex(expect(readNode(carried.content).node, 0x03).content.subarray(1)) : undefined;
    return { algorithm: EC, public: known ? publicHalf(known, hex).public : point };
  };
  const { node } = readNode(der);
  if (label === 'RSA PRIVATE KEY') return rsa(node);
  if (label === 'EC PRIVATE KEY') return ec(node);
  const [, header, inner] = children(node);
  const algorithm = oidOf(children(expect(header, 0x30))[0]!);
  const content = expect(inner, 0x04).content;
  if (algorithm === RSA) return rsa(readNode(content).node);
  if (algorithm === EC) return ec(readNode(content).node);
  return algorithm === ED25519 ? { algorithm, public: undefined } : undefined;
}
