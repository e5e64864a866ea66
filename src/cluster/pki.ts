/**
 * Where kubeadm puts keys, certificates and kubeconfigs (`phases certs`, `phases kubeconfig`): files that come
 * into being when somebody reads them, because hardly anybody does and each costs a signature.
 */
import { CLUSTER_CA } from '../kubernetes/api/pki/cluster-ca.ts';
import { openPki, pki } from '../kubernetes/api/pki/lazy.ts';
import { createTokenSigner, type TokenSigner } from '../kubernetes/apiserver/tokens.ts';
import type { Files } from '../linux/files.ts';
import { alsoBring } from '../linux/shell/lazy.ts';
import type { Rng } from '../sim/rng.ts';

export const CA_PATH = '/etc/kubernetes/pki/ca.crt';

export interface Place {
  readonly name: string;
  readonly ip: string;
}

/** kubeadm's files on a control plane with external etcd, in their order; `authority.ts` makes them. */
const PKI_FILES: readonly string[] = ['apiserver-etcd-client', 'apiserver-kubelet-client', 'apiserver', 'front-proxy-ca', 'front-proxy-client'].flatMap(
  (stem) => [`${stem}.crt`, `${stem}.key`],
);

/** The secrets of one cluster: all drawn from one text. */
export class ClusterSecrets {
  readonly tokens: TokenSigner;
  readonly seed: string;

  constructor(
    luck: Rng,
    private readonly controlPlane: Place,
  ) {
    this.seed = luck.text(32, '0123456789abcdef');
    this.tokens = createTokenSigner(this.seed);
    // Only a shell looks at files, and what runs in one.
    alsoBring(openPki);
  }

  private get server(): string {
    return `https://${this.controlPlane.ip}:6443`;
  }

  private keys() {
    return new (pki().ClusterPki)({ seed: this.seed, controlPlane: this.controlPlane });
  }

  /** `kubeadm init`: /etc/kubernetes on the control plane. */
  writeControlPlane(files: Files): void {
    files.write(CA_PATH, CLUSTER_CA);
    for (const name of [...PKI_FILES, 'ca.key', 'etcd/ca.crt', 'sa.key', 'sa.pub'])
      files.promise(`/etc/kubernetes/pki/${name}`, '', () => this.keys().file(name));
    const config = (name: string, user: string, ...groups: string[]): void =>
      files.promise(`/etc/kubernetes/${name}.conf`, '', () => {
        const keys = this.keys();
        return keys.kubeconfig(this.server, user, keys.client(user, ...groups));
      });
    config('admin', 'kubernetes-admin', 'kubeadm:cluster-admins');
    config('super-admin', 'kubernetes-super-admin', 'system:masters');
    config('controller-manager', 'system:kube-controller-manager');
    config('scheduler', 'system:kube-scheduler');
    this.writeNode(this.controlPlane.name, files);
  }

  /** `kubeadm join`: what a kubelet needs. */
  writeNode(name: string, files: Files): void {
    if (name !== this.controlPlane.name) files.write(CA_PATH, CLUSTER_CA);
    files.promise('/etc/kubernetes/kubelet.conf', '', () => this.keys().kubeletConfig(this.server, name));
    files.promise('/var/lib/kubelet/pki/kubelet-client-current.pem', '', () => {
      const { certificate, key } = this.keys().client(`system:node:${name}`, 'system:nodes');
      return certificate + key;
    });
  }

  /** The administrator's kubeconfig, as copied from /etc/kubernetes/admin.conf. */
  writeKubeconfig(path: string, files: Files): void {
    files.promise(path, '', () => {
      const keys = this.keys();
      return keys.kubeconfig(this.server, 'kubernetes-admin', keys.client('kubernetes-admin', 'kubeadm:cluster-admins'));
    });
  }
}
