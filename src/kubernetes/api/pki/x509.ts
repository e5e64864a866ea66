/**
 * X.509 certificates (RFC 5280) and certification requests (PKCS #10, RFC 2986): made as Go's crypto/x509
 * makes them for kubeadm and for the signing controllers, and read again.
 */
import { sha1 } from '@noble/hashes/legacy.js';
import { rfc3339 } from '../time.ts';
import { type Bytes, pem, pemBlocks, textOf } from './bytes.ts';
import {
  bits,
  bitsOf,
  boolean,
  children,
  context,
  DerError,
  expect,
  integer,
  integerOf,
  type Node,
  octets,
  oid,
  oidOf,
  readNode,
  sequence,
  setOf,
  string,
  stringOf,
  time,
  timeOf,
  tlv,
} from './der.ts';
import { ecdsaSha256, type PrivateKey, pointOf, sign, verify } from './keys.ts';

export interface Subject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** Bits of the key usage extension, in their order. */
export const KEY_USAGES = [
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
] as const;
const EXTENDED: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
};

export interface Template {
  readonly subject: Subject;
  /** SubjectPublicKeyInfo. */
  readonly publicInfo: Bytes;
  readonly serial: bigint;
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** As certificates.k8s.io names them: `digital signature`, `client auth`. */
  readonly usages: readonly string[];
  readonly authority?: boolean;
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}

export interface Names {
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
}

export interface Certificate extends Names {
  readonly subject: Subject;
  readonly issuer: Bytes;
  readonly subjectBytes: Bytes;
  readonly serial: bigint;
  /** Seconds since 1970 as RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly publicInfo: Bytes;
  readonly authority: boolean;
  readonly usages: readonly string[];
  readonly signed: Bytes;
  readonly algorithm: string;
  readonly signature: Bytes;
}

export interface Request extends Names {
  readonly subject: Subject;
  readonly publicInfo: Bytes;
  readonly emails: readonly string[];
  readonly uris: readonly string[];
}

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';

/** RDNs as Go's pkix.Name writes them: all organizations in one set, then the common name. */
function name({ commonName, organizations }: Subject): Bytes {
  const attribute = (id: string, text: string) => sequence(oid(id), string(text));
  return sequence(
    ...(organizations.length > 0 ? [setOf(...organizations.map((organization) => attribute(ORGANIZATION, organization)))] : []),
    ...(commonName ? [setOf(attribute(COMMON_NAME, commonName))] : []),
  );
}

function subjectOf(node: Node): Subject {
  let commonName = '';
  const organizations: string[] = [];
  for (const set of children(expect(node, 0x30)))
    for (const pair of children(set)) {
      const [id, value] = children(pair);
      if (!id || !value) throw new DerError('x509: invalid RDNSequence');
      if (oidOf(id) === COMMON_NAME) commonName = stringOf(value);
      else if (oidOf(id) === ORGANIZATION) organizations.push(stringOf(value));
    }
  return { commonName, organizations };
}

const keyId = (publicInfo: Bytes): Bytes => sha1(pointOf(publicInfo));

/** An address in its four or sixteen bytes. Here simplified: IPv4 alone. */
const addressBytes = (address: string): Bytes => Uint8Array.from(address.split('.'), Number);

function extensions(template: Template, issuerInfo: Bytes): Bytes {
  const one = (id: string, critical: boolean, value: Bytes) => sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
  const { usages, authority = false, dnsNames = [], addresses = [] } = template;
  const list: Bytes[] = [];
  const mask = KEY_USAGES.reduce((sum, usage, i) => (usages.includes(usage) ? sum | (0x80 >> i) : sum), 0);
  if (mask !== 0) {
    let unused = 0;
    while (((mask >> unused) & 1) === 0) unused++;
    list.push(one('2.5.29.15', true, bits(Uint8Array.of(mask), unused)));
  }
  const extended = usages.flatMap((usage) => (EXTENDED[usage] ? [oid(EXTENDED[usage])] : []));
  if (extended.length > 0) list.push(one('2.5.29.37', false, sequence(...extended)));
  list.push(one('2.5.29.19', true, authority ? sequence(boolean(true)) : sequence()));
  if (authority) list.push(one('2.5.29.14', false, octets(keyId(template.publicInfo))));
  else list.push(one('2.5.29.35', false, sequence(tlv(0x80, keyId(issuerInfo)))));
  if (dnsNames.length + addresses.length > 0) {
    const alternative = [
      ...dnsNames.map((dns) =>
        tlv(
          0x82,
          Uint8Array.from(dns, (c) => c.charCodeAt(0)),
        ),
      ),
      ...addresses.map((a) => tlv(0x87, addressBytes(a))),
    ];
    list.push(one('2.5.29.17', false, sequence(...alternative)));
  }
  return context(3, sequence(...list));
}

/** A certificate in DER. An authority's own is signed with its own key. */
export function issue(template: Template, issuer: Subject, key: PrivateKey): Bytes {
  const signed = sequence(
    context(0, integer(2n)),
    integer(template.serial),
    ecdsaSha256(),
    name(issuer),
    sequence(time(rfc3339(template.notBefore)), time(rfc3339(template.notAfter))),
    name(template.subject),
    template.publicInfo,
    extensions(template, key.publicInfo),
  );
  return sequence(signed, ecdsaSha256(), bits(sign(key, signed)));
}

export const certificatePem = (der: Bytes): string => pem('CERTIFICATE', der);

/** Reads a certificate. Throws DerError. */
export function readCertificate(der: Bytes): Certificate {
  const [tbs, algorithm, signature] = children(expect(readNode(der).node, 0x30));
  const parts = [...children(expect(tbs, 0x30))];
  if (parts[0]?.tag === 0xa0) parts.shift();
  const [serial, , issuer, validity, subject, publicInfo, ...rest] = parts;
  const [from, to] = children(expect(validity, 0x30));
  if (!from || !to || !serial || !issuer || !subject || !publicInfo) throw new DerError('x509: malformed certificate');
  const found = rest.find(({ tag }) => tag === 0xa3);
  const read = readExtensions(found ? children(found)[0] : undefined);
  return {
    subject: subjectOf(subject),
    subjectBytes: subject.whole,
    issuer: issuer.whole,
    serial: integerOf(serial),
    notBefore: timeOf(from),
    notAfter: timeOf(to),
    publicInfo: publicInfo.whole,
    signed: tbs!.whole,
    algorithm: oidOf(children(expect(algorithm, 0x30))[0]!),
    signature: bitsOf(signature),
    ...read,
  };
}

interface Extensions extends Names {
  readonly authority: boolean;
  readonly usages: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
}

function readExtensions(list: Node | undefined): Extensions {
  let authority = false;
  const usages: string[] = [];
  const alternative = { dnsNames: [] as string[], addresses: [] as string[], emails: [] as string[], uris: [] as string[] };
  for (const extension of list ? children(list) : []) {
    const [id, ...more] = children(extension);
    const value = readNode(expect(more.at(-1), 0x04).content).node;
    switch (oidOf(id!)) {
      case '2.5.29.15': {
        const mask = value.content[1] ?? 0;
        KEY_USAGES.forEach((usage, i) => {
          if (mask & (0x80 >> i)) usages.push(usage);
        });
        break;
      }
      case '2.5.29.37':
        for (const each of children(value)) {
          const dotted = oidOf(each);
          usages.push(Object.keys(EXTENDED).find((known) => EXTENDED[known] === dotted) ?? dotted);
        }
        break;
      case '2.5.29.19':
        authority = children(value)[0]?.tag === 0x01;
        break;
      case '2.5.29.17':
        for (const { tag, content } of children(value)) {
          if (tag === 0x82) alternative.dnsNames.push(textOf(content));
          else if (tag === 0x87) alternative.addresses.push(Array.from(content).join('.'));
          else if (tag === 0x81) alternative.emails.push(textOf(content));
          else if (tag === 0x86) alternative.uris.push(textOf(content));
        }
    }
  }
  return { authority, usages, ...alternative };
}

/** All certificates of a PEM text; undefined when there is none, or one is malformed. */
export function readCertificates(text: string): readonly Certificate[] | undefined {
  const blocks = pemBlocks(text).filter(({ label }) => label === 'CERTIFICATE');
  try {
    return blocks.length > 0 ? blocks.map(({ der }) => readCertificate(der)) : undefined;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

export const signedBy = (certificate: Certificate, issuer: Certificate): boolean =>
  sameBytes(certificate.issuer, issuer.subjectBytes) && verify(issuer.publicInfo, certificate.algorithm, certificate.signed, certificate.signature);

const sameBytes = (a: Bytes, b: Bytes): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

// --- PKCS #10 -----------------------------------------------------------------------------------------
export const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** A request for a certificate in PEM, signed with the key it is for. */
export function requestPem(subject: Subject, key: PrivateKey, { dnsNames = [], addresses = [] }: Partial<Names> = {}): string {
  const alternative = [
    ...dnsNames.map((dns) =>
      tlv(
        0x82,
        Uint8Array.from(dns, (c) => c.charCodeAt(0)),
      ),
    ),
    ...addresses.map((a) => tlv(0x87, addressBytes(a))),
  ];
  const extension = sequence(oid(EXTENSION_REQUEST), setOf(sequence(sequence(oid('2.5.29.17'), octets(sequence(...alternative))))));
  const signed = sequence(integer(0n), name(subject), key.publicInfo, alternative.length > 0 ? context(0, extension) : context(0));
  return pem('CERTIFICATE REQUEST', sequence(signed, ecdsaSha256(), bits(sign(key, signed))));
}

/** What spec.request holds, decoded from base64. Throws an Error with the text Go gives: no PEM, malformed, or a signature that is not the key's. */
export function readRequest(text: string): Request {
  const block = pemBlocks(text)[0];
  if (block?.label !== 'CERTIFICATE REQUEST') throw new Error('PEM block type must be CERTIFICATE REQUEST');
  const [info, algorithm, signature] = children(expect(readNode(block.der).node, 0x30));
  const [, subject, publicInfo, attributes] = children(expect(info, 0x30));
  if (!subject || !publicInfo) throw new DerError('asn1: structure error: sequence truncated');
  const wanted = attributes ? children(attributes).find((attribute) => oidOf(children(attribute)[0]!) === EXTENSION_REQUEST) : undefined;
  const { dnsNames, addresses, emails, uris } = readExtensions(wanted ? children(children(wanted)[1]!)[0] : undefined);
  if (!verify(publicInfo.whole, oidOf(children(expect(algorithm, 0x30))[0]!), info!.whole, bitsOf(signature)))
    throw new Error('x509: ECDSA verification failure');
  return { subject: subjectOf(subject), publicInfo: publicInfo.whole, dnsNames, addresses, emails, uris };
}
