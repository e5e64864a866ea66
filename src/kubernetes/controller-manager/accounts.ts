/**
 * Who each controller is to the API server (`--use-service-account-credentials`, which kubeadm sets): a service
 * account of kube-system with the rights of one `system:controller:…` role.
 *
 * Here simplified: controllers show the account itself, as other components show their certificates' subjects;
 * upstream makes the accounts and has tokens issued for them.
 */
import type { PresentedCertificate } from '../api/request.ts';

/** Where the account is not called what the controller is (cmd/kube-controller-manager/app: ClientOrDie). */
const ACCOUNTS: Readonly<Record<string, string>> = {
  'certificatesigningrequest-approving-controller': 'certificate-controller',
  'certificatesigningrequest-cleaner-controller': 'certificate-controller',
  'certificatesigningrequest-signing-controller': 'certificate-controller',
  'bootstrap-signer-controller': 'bootstrap-signer',
  'daemonset-controller': 'daemon-set-controller',
  'endpoint-slice-controller': 'endpointslice-controller',
  'endpoints-controller': 'endpoint-controller',
  'endpointslice-mirroring-controller': 'endpointslicemirroring-controller',
  'garbage-collector-controller': 'generic-garbage-collector',
  'horizontal-pod-autoscaler-controller': 'horizontal-pod-autoscaler',
  'legacy-serviceaccount-token-cleaner-controller': 'legacy-service-account-token-cleaner',
  'node-ipam-controller': 'node-controller',
  'node-lifecycle-controller': 'node-controller',
  'persistentvolume-attach-detach-controller': 'attachdetach-controller',
  'persistentvolume-binder-controller': 'persistent-volume-binder',
  'persistentvolume-binder-controller-volumes': 'persistent-volume-binder',
  'persistentvolume-expander-controller': 'expand-controller',
  'persistentvolume-protection-controller': 'pv-protection-controller',
  'persistentvolumeclaim-protection-controller': 'pvc-protection-controller',
  'pod-garbage-collector-controller': 'pod-garbage-collector',
  'replicationcontroller-controller': 'replication-controller',
  'root-ca-certificate-publisher': 'root-ca-cert-publisher',
  'root-ca-certificate-publisher-controller': 'root-ca-cert-publisher',
  'service-cidr-controller': 'service-cidrs-controller',
  'serviceaccount-controller': 'service-account-controller',
  'taint-eviction-controller': 'node-controller',
  'token-cleaner-controller': 'token-cleaner',
};

/** Shares the rights of the manager itself: it has had them since before there were accounts (`rootClientBuilder`). */
const MANAGERS_OWN = new Set(['serviceaccount-token-controller']);

const known = new Map<string, PresentedCertificate>();

/** Undefined: the manager's own. */
export function accountOf(controller: string): PresentedCertificate | undefined {
  if (MANAGERS_OWN.has(controller)) return undefined;
  const account = ACCOUNTS[controller] ?? controller;
  let shown = known.get(account);
  if (!shown) {
    shown = { commonName: `system:serviceaccount:kube-system:${account}`, organizations: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'] };
    known.set(account, shown);
  }
  return shown;
}

/** Where events do not say the controller's name (upstream: `EventSource.Component`). */
const COMPONENTS: Readonly<Record<string, string>> = {
  'ephemeral-volume-controller': 'ephemeral_volume',
  'persistentvolume-binder-controller': 'persistentvolume-controller',
  'persistentvolume-binder-controller-volumes': 'persistentvolume-controller',
  'persistentvolume-expander-controller': 'volume_expand',
};

/** Whom a controller's events are from. */
export const componentOf = (controller: string): string => COMPONENTS[controller] ?? controller;
