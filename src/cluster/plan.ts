/** What every cluster is given: its ranges of addresses, and the images of its parts. */
import { RELEASE } from '../kubernetes/api/release.ts';

export const POD_CIDR = '10.244.0.0/16';
export const SERVICE_CIDR = '10.96.0.0/12';
export const DNS_IP = '10.96.0.10';

export const IMAGES = {
  apiserver: `registry.k8s.io/kube-apiserver:${RELEASE.gitVersion}`,
  controllerManager: `registry.k8s.io/kube-controller-manager:${RELEASE.gitVersion}`,
  scheduler: `registry.k8s.io/kube-scheduler:${RELEASE.gitVersion}`,
  kubeProxy: `registry.k8s.io/kube-proxy:${RELEASE.gitVersion}`,
  coredns: 'registry.k8s.io/coredns/coredns:v1.12.0',
  pause: 'registry.k8s.io/pause:3.10',
  kindnet: 'docker.io/kindest/kindnetd:v20250512-df8de77b',
} as const;
