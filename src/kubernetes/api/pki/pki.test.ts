/** What the world's own certificates and tokens are to a program that knows nothing of it: node:crypto, on OpenSSL. */
import { createPrivateKey, createPublicKey, createSign, generateKeyPairSync, sign, verify, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EPOCH_SECONDS } from '../time.ts';
import { authorityCertificate, ClusterPki, PKI_FILES, signWithClusterAuthority } from './authority.ts';
import { base64, base64url, fromBase64, pemBlocks, textOf, utf8 } from './bytes.ts';
import { CLUSTER_ADMIN } from './cluster-admin.ts';
import { CLUSTER_CA } from './cluster-ca.ts';
import { jwkOf, readJwt, signJwt, verifyJwt } from './jwt.ts';
import { keyOf, privatePem, publicPem, readPrivateKey, verify as verifySignature } from './keys.ts';
import { certificatePem, readCertificates, readRequest, requestPem, signedBy } from './x509.ts';

const pki = new ClusterPki({ seed: 'seven', controlPlane: { name: 'control-plane', ip: '10.0.0.10' } });

describe('base64', () => {
  it.each(['', 'a', 'ab', 'abc', 'grün', '\u0000\u00ff', '🙂'])('%j there and back', (text) => {
    expect(base64(utf8(text))).toBe(Buffer.from(text).toString('base64'));
    expect(base64url(utf8(text))).toBe(Buffer.from(text).toString('base64url'));
    expect(textOf(fromBase64(base64(utf8(text)))!)).toBe(text);
  });
});

describe('the authority', () => {
  const ca = new X509Certificate(CLUSTER_CA);
  it('is the one written out', () => expect(authorityCertificate('kubernetes')).toBe(CLUSTER_CA));
  it('signed the administrator who is written out', () => {
    const [commonName, ...organizations] = ['kubernetes-admin', 'kubeadm:cluster-admins'];
    const made = new ClusterPki({ seed: 'every world', controlPlane: { name: 'control-plane', ip: '10.0.0.10' } });
    expect(made.pair(`client ${commonName}`, { commonName: commonName!, organizations }, ['client auth'])).toEqual(CLUSTER_ADMIN);
  });
  it('is one for OpenSSL', () => {
    expect([ca.subject, ca.issuer, ca.ca, ca.subjectAltName]).toEqual(['CN=kubernetes', 'CN=kubernetes', true, 'DNS:kubernetes']);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect([ca.validFrom, ca.validTo]).toEqual(['Jan  5 07:55:00 2026 GMT', 'Jan  3 08:00:00 2036 GMT']);
  });

  it.each([
    ['client', () => pki.client('kubernetes-admin', 'kubeadm:cluster-admins').certificate, 'O=kubeadm:cluster-admins\nCN=kubernetes-admin'],
    ['kubelet', () => pki.client('system:node:node-1', 'system:nodes').certificate, 'O=system:nodes\nCN=system:node:node-1'],
    ['server', () => pki.file('apiserver.crt'), 'CN=kube-apiserver'],
  ] as const)('signs a %s', (_, make, subject) => {
    const certificate = new X509Certificate(make());
    expect([certificate.subject, certificate.issuer, certificate.ca]).toEqual([subject, 'CN=kubernetes', false]);
    expect(certificate.checkIssued(ca) && certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.validTo).toBe('Jan  5 07:55:00 2027 GMT');
  });

  it('knows its names', () => {
    const certificate = new X509Certificate(pki.file('apiserver.crt'));
    expect(certificate.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
    expect(certificate.checkIP('10.0.0.10')).toBe('10.0.0.10');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  it.each(PKI_FILES)('%s can be read', (name) => {
    const text = pki.file(name);
    if (name.endsWith('.crt')) expect(new X509Certificate(text).issuer).toMatch(/^CN=(kubernetes|etcd-ca|front-proxy-ca)$/);
    else if (name.endsWith('.key')) expect(createPrivateKey(text).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    else expect(createPublicKey(text).asymmetricKeyType).toBe('ec');
  });

  it('gives the key that fits', () => {
    const pair = pki.client('jane');
    expect(new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
    expect(new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pki.client('bob').key))).toBe(false);
    expect(privatePem(readPrivateKey(pair.key)!)).toBe(pair.key);
    const pkcs8 = createPrivateKey(pair.key).export({ type: 'pkcs8', format: 'pem' }) as string;
    expect(privatePem(readPrivateKey(pkcs8)!)).toBe(pair.key);
  });

  it('is the same each time, and another for another seed', () => {
    const again = new ClusterPki({ seed: 'seven', controlPlane: { name: 'control-plane', ip: '10.0.0.10' } });
    const other = new ClusterPki({ seed: 'eight', controlPlane: { name: 'control-plane', ip: '10.0.0.10' } });
    expect(again.client('jane')).toEqual(pki.client('jane'));
    expect(other.client('jane').key).not.toBe(pki.client('jane').key);
  });
});

describe('reading', () => {
  const [ca] = readCertificates(CLUSTER_CA)!;
  it('finds what was written', () => {
    const [read] = readCertificates(pki.client('jane', 'dev', 'ops').certificate)!;
    expect(read).toMatchObject({ subject: { commonName: 'jane', organizations: ['dev', 'ops'] }, authority: false, notAfter: '2027-01-05T07:55:00Z' });
    expect(read!.usages).toEqual(['digital signature', 'key encipherment', 'client auth']);
    expect(signedBy(read!, ca!)).toBe(true);
  });
  it('notices a forgery', () => {
    const block = pemBlocks(pki.client('jane').certificate)[0]!;
    const changed = Uint8Array.from(block.der);
    // One letter of the name.
    const at = textOf(changed.map((byte) => (byte < 128 ? byte : 46))).indexOf('jane');
    changed[at] = 'k'.charCodeAt(0);
    const [read] = readCertificates(certificatePem(changed))!;
    expect([read!.subject.commonName, signedBy(read!, ca!)]).toEqual(['kane', false]);
  });
  it.each(['', 'nonsense', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'])('does not take %j', (text) =>
    expect(readCertificates(text)).toBeUndefined(),
  );
});

describe('keys of strangers', () => {
  const data = Buffer.from('what was signed');
  it.each([
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sha256', '1.2.840.10045.4.3.2'],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sha384', '1.2.840.10045.4.3.3'],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }), 'sha256', '1.2.840.113549.1.1.11'],
    ['Ed25519', generateKeyPairSync('ed25519'), undefined, '1.3.101.112'],
  ] as const)('%s', (_, pair, hash, algorithm) => {
    const signature = new Uint8Array(sign(hash, data, pair.privateKey));
    const info = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }));
    expect(verifySignature(info, algorithm, new Uint8Array(data), signature)).toBe(true);
    signature[10]! ^= 1;
    expect(verifySignature(info, algorithm, new Uint8Array(data), signature)).toBe(false);
  });
});

describe('requests', () => {
  const key = keyOf('jane');
  it('are PKCS #10', () => {
    const pem = requestPem({ commonName: 'jane', organizations: ['dev'] }, key, { dnsNames: ['a.example'], addresses: ['10.0.0.1'] });
    expect(readRequest(pem)).toMatchObject({ subject: { commonName: 'jane', organizations: ['dev'] }, dnsNames: ['a.example'], addresses: ['10.0.0.1'] });
    const signed = signWithClusterAuthority({
      subject: readRequest(pem).subject,
      publicInfo: readRequest(pem).publicInfo,
      notBefore: EPOCH_SECONDS,
      notAfter: EPOCH_SECONDS + 3600,
      usages: ['digital signature', 'client auth'],
    });
    expect(new X509Certificate(certificatePem(signed)).checkPrivateKey(createPrivateKey(privatePem(key)))).toBe(true);
  });
  it.each([
    ['nothing', '', 'PEM block type must be CERTIFICATE REQUEST'],
    ['a certificate', CLUSTER_CA, 'PEM block type must be CERTIFICATE REQUEST'],
    [
      'another key’s signature',
      requestPem({ commonName: 'jane', organizations: [] }, { ...key, scalar: keyOf('bob').scalar }),
      'x509: ECDSA verification failure',
    ],
  ])('refuse %s', (_, text, message) => expect(() => readRequest(text)).toThrow(message));
});

describe('tokens', () => {
  const key = keyOf('issuer');
  const token = signJwt(key, { iss: 'us', sub: 'grün' });
  it('are verified by node:crypto', () => {
    const [head, body, signature] = token.split('.');
    const public_ = createPublicKey(publicPem(key));
    expect(verify('sha256', Buffer.from(`${head}.${body}`), { key: public_, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature!, 'base64url'))).toBe(true);
    expect(JSON.parse(Buffer.from(head!, 'base64url').toString())).toEqual({ alg: 'ES256', kid: jwkOf(key).kid });
    expect(createPublicKey({ key: jwkOf(key) as never, format: 'jwk' }).equals(public_)).toBe(true);
  });
  it('are read again, and no others', () => {
    const read = readJwt(token)!;
    expect(read.claims).toEqual({ iss: 'us', sub: 'grün' });
    expect(verifyJwt(read, [jwkOf(key)])).toBe(true);
    expect(verifyJwt(read, [jwkOf(keyOf('other'))])).toBe(false);
    expect(verifyJwt({ ...read, signed: `${read.signed}A` }, [jwkOf(key)])).toBe(false);
    expect(readJwt('a.b')).toBeUndefined();
  });
  it('of RSA issuers too', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signed = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}`;
    const signature = createSign('sha256').update(signed).sign(privateKey).toString('base64url');
    expect(verifyJwt(readJwt(`${signed}.${signature}`)!, [publicKey.export({ format: 'jwk' }) as never])).toBe(true);
  });
});
