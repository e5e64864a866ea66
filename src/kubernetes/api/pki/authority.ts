/**
 * The cluster's authorities and everything kubeadm signs with them (`app/phases/certs`, `app/phases/kubeconfig`):
 * made when somebody reads it, the same each time for one seed. Virtual zero is the instant of `kubeadm init`.
 *
 * Here simplified: TLS itself is not modelled. Who connects presents its certificate on the connection
 * (`ApiRequest.certificate`); the cluster's own processes present only its subject, people and foreign programs the
 * certificate itself, which the API server then verifies. The three authorities' keys are the same in every
 * world (`cluster-ca.ts` says why), and all keys are ECDSA on P-256 (`encryptionAlgorithm: ECDSA-P256`).
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { EPOCH_SECONDS } from '../time.ts';
import { type Bytes, base64, utf8 } from './bytes.ts';
import { CLUSTER_ADMIN } from './cluster-admin.ts';
import { CLUSTER_CA } from './cluster-ca.ts';
import { bigOf } from './der.ts';
import { keyOf, type PrivateKey, privatePem, publicPem } from './keys.ts';
import { certificatePem, issue, readCertificates, type Subject, type Template } from './x509.ts';

const DAY = 86_400;
/** kubeadm dates certificates back, so that clocks a little behind accept them. */
const BACKDATE = 300;
const LEAF_LASTS = 365 * DAY;
const AUTHORITY_LASTS = 3_650 * DAY;

export type AuthorityName = 'kubernetes' | 'etcd-ca' | 'front-proxy-ca';

const authorityKey = (name: AuthorityName): PrivateKey =>
  keyOf(`authority ${name}`, name === 'kubernetes' ? readCertificates(CLUSTER_CA)![0]!.publicInfo : undefined);
const subject = (commonName: string, ...organizations: string[]): Subject => ({ commonName, organizations });
/** 63 bits, as kubeadm draws them; here from the names. */
const serialOf = (text: string): bigint => (bigOf(sha256(utf8(text)).subarray(0, 8)) >> 1n) | 1n;

/** An authority's own certificate, in PEM. */
export function authorityCertificate(name: AuthorityName): string {
  const key = authorityKey(name);
  const template: Template = {
    subject: subject(name),
    publicInfo: key.publicInfo,
    serial: serialOf(`authority ${name}`),
    notBefore: EPOCH_SECONDS - BACKDATE,
    notAfter: EPOCH_SECONDS + AUTHORITY_LASTS,
    usages: ['digital signature', 'key encipherment', 'cert sign'],
    authority: true,
    dnsNames: [name],
  };
  return certificatePem(issue(template, template.subject, key));
}

/** What a signing controller or a plane of keys hands out: signed by the cluster's authority. `notBefore` in seconds since 1970. */
export function signWithClusterAuthority(template: Omit<Template, 'serial'> & { readonly serial?: bigint }): Bytes {
  const serial = template.serial ?? serialOf(`${template.subject.commonName} ${template.notBefore} ${template.notAfter}`);
  return issue({ ...template, serial }, subject('kubernetes'), authorityKey('kubernetes'));
}

export interface Place {
  /** What all keys but the authorities' are drawn from. */
  readonly seed: string;
  readonly controlPlane: { readonly name: string; readonly ip: string };
}

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** The keys and certificates of one cluster. */
export class ClusterPki {
  constructor(private readonly place: Place) {}

  /** Signs the cluster's service account tokens: `sa.key`. */
  get serviceAccountKey(): PrivateKey {
    return keyOf(`${this.place.seed} sa`);
  }

  /** A key pair for a subject, signed by one of the authorities. */
  pair(
    name: string,
    who: Subject,
    usages: readonly string[],
    more: { readonly by?: AuthorityName; readonly dnsNames?: readonly string[]; readonly addresses?: readonly string[]; readonly lasts?: number } = {},
  ): Pair {
    const { by = 'kubernetes', lasts = LEAF_LASTS, ...names } = more;
    const key = keyOf(`${this.place.seed} ${name}`);
    const der = issue(
      {
        subject: who,
        publicInfo: key.publicInfo,
        serial: serialOf(`${this.place.seed} ${name}`),
        notBefore: EPOCH_SECONDS - BACKDATE,
        notAfter: EPOCH_SECONDS - BACKDATE + lasts,
        usages: ['digital signature', 'key encipherment', ...usages],
        ...names,
      },
      subject(by),
      authorityKey(by),
    );
    return { certificate: certificatePem(der), key: privatePem(key) };
  }

  /** A client of the API server. The administrator's pair is the same in every world (`cluster-admin.ts` says why). */
  client(commonName: string, ...organizations: string[]): Pair {
    if (commonName === 'kubernetes-admin' && organizations.join() === 'kubeadm:cluster-admins') return CLUSTER_ADMIN;
    return this.pair(`client ${commonName}`, subject(commonName, ...organizations), ['client auth']);
  }

  /** The text of one of kubeadm's files below /etc/kubernetes/pki on the control plane; undefined when it writes none of that name. */
  file(name: string): string {
    const { controlPlane } = this.place;
    const [, stem = '', kind = ''] = /^(.*)\.(crt|key|pub)$/.exec(name) ?? [];
    if (stem === 'sa') return kind === 'pub' ? publicPem(this.serviceAccountKey) : privatePem(this.serviceAccountKey);
    const authority = AUTHORITIES[stem];
    if (authority) return kind === 'crt' ? authorityCertificate(authority) : privatePem(authorityKey(authority));
    const pair = this.leaf(stem, controlPlane);
    return kind === 'crt' ? pair.certificate : pair.key;
  }

  private leaf(stem: string, { name, ip }: Place['controlPlane']): Pair {
    switch (stem) {
      case 'apiserver':
        return this.pair(stem, subject('kube-apiserver'), ['server auth'], {
          dnsNames: [name, 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
          addresses: ['10.96.0.1', ip],
        });
      case 'apiserver-kubelet-client':
        return this.pair(stem, subject('kube-apiserver-kubelet-client', 'kubeadm:cluster-admins'), ['client auth']);
      case 'apiserver-etcd-client':
        return this.pair(stem, subject('kube-apiserver-etcd-client'), ['client auth'], { by: 'etcd-ca' });
      case 'front-proxy-client':
        return this.pair(stem, subject('front-proxy-client'), ['client auth'], { by: 'front-proxy-ca' });
      default:
        throw new RangeError(`kubeadm writes no ${stem}`);
    }
  }

  /** A kubeconfig with its credentials inside, as kubeadm writes it. */
  kubeconfig(server: string, user: string, pair: Pair): string {
    const data = (text: string) => base64(utf8(text));
    return kubeconfigText(server, data(CLUSTER_CA), user, [`    client-certificate-data: ${data(pair.certificate)}`, `    client-key-data: ${data(pair.key)}`]);
  }

  /** A kubelet's: its credentials are in a file that it renews. */
  kubeletConfig(server: string, node: string): string {
    const file = '/var/lib/kubelet/pki/kubelet-client-current.pem';
    return kubeconfigText(
      server,
      base64(utf8(CLUSTER_CA)),
      `system:node:${node}`,
      [`    client-certificate: ${file}`, `    client-key: ${file}`],
      'default-auth',
    );
  }
}

const AUTHORITIES: Readonly<Record<string, AuthorityName>> = { ca: 'kubernetes', 'etcd/ca': 'etcd-ca', 'front-proxy-ca': 'front-proxy-ca' };

/** kubeadm's files below /etc/kubernetes/pki on a control plane with external etcd. */
export const PKI_FILES = [
  'apiserver-etcd-client.crt',
  'apiserver-etcd-client.key',
  'apiserver-kubelet-client.crt',
  'apiserver-kubelet-client.key',
  'apiserver.crt',
  'apiserver.key',
  'ca.key',
  'etcd/ca.crt',
  'front-proxy-ca.crt',
  'front-proxy-ca.key',
  'front-proxy-client.crt',
  'front-proxy-client.key',
  'sa.key',
  'sa.pub',
] as const;

function kubeconfigText(server: string, authority: string, user: string, credentials: readonly string[], name = user): string {
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${authority}
    server: ${server}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: ${name}
  name: ${user}@kubernetes
current-context: ${user}@kubernetes
kind: Config
preferences: {}
users:
- name: ${name}
  user:
${credentials.join('\n')}
`;
}
