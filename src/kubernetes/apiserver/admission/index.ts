/** The plugins in upstream's order (kubeapiserver `pkg/kubeapiserver/options/plugins.go`, AllOrderedPlugins). */
import type { Plugin } from './admission.ts';
import { concerns } from './concerns.ts';
import { defaultIngressClass } from './default-ingress-class.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { lazy } from './lazy.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { priority } from './priority.ts';
import { serviceAccount } from './service-account.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';

/** `--enable-admission-plugins` and `--disable-admission-plugins`, by name, besides those on by default. */
export interface PluginChoice {
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
}

const ORDERED: readonly Plugin[] = [
  namespaceLifecycle,
  lazy('LimitRanger', 'both', concerns.limitRanger),
  serviceAccount,
  lazy('ServiceAccount', 'validate', concerns.mountableSecrets),
  nodeRestriction,
  taintNodesByCondition,
  lazy('AlwaysPullImages', 'both', concerns.alwaysPullImages),
  lazy('PodSecurity', 'validate', concerns.podSecurity),
  priority,
  defaultTolerationSeconds,
  lazy('PodTolerationRestriction', 'both', concerns.podTolerations),
  lazy('ExtendedResourceToleration', 'mutate', concerns.extendedResources),
  defaultStorageClass,
  lazy('StorageObjectInUseProtection', 'mutate', concerns.storageInUse),
  lazy('OwnerReferencesPermissionEnforcement', 'validate', concerns.ownerReferences),
  lazy('PersistentVolumeClaimResize', 'validate', concerns.volumeResize),
  lazy('RuntimeClass', 'both', concerns.runtimeClass),
  // CertificateApproval, CertificateSigning and CertificateSubjectRestriction are asked by the registry (`registry/checks.ts`).
  defaultIngressClass,
  lazy('DenyServiceExternalIPs', 'validate', concerns.denyExternalIps),
  // The border's last word on the kinds that configure admission; upstream has it in the registry's strategies.
  lazy('AdmissionConfiguration', 'validate', concerns.configuration),
  lazy('MutatingAdmissionPolicy', 'mutate', concerns.mutatingPolicies),
  lazy('MutatingAdmissionWebhook', 'mutate', concerns.mutatingWebhooks),
  lazy('ValidatingAdmissionPolicy', 'validate', concerns.validatingPolicies),
  lazy('ValidatingAdmissionWebhook', 'validate', concerns.validatingWebhooks),
  lazy('ResourceQuota', 'validate', concerns.resourceQuota),
];

const PODS = new Set(['pods']);
const CLAIMS = new Set(['persistentvolumeclaims']);
/** What plugins are about, where that is few resources; each still looks for itself. */
const ABOUT: Readonly<Record<string, ReadonlySet<string>>> = {
  LimitRanger: new Set(['pods', 'persistentvolumeclaims']),
  ServiceAccount: PODS,
  NodeRestriction: new Set(['pods', 'nodes', 'leases']),
  TaintNodesByCondition: new Set(['nodes']),
  AlwaysPullImages: PODS,
  Priority: new Set(['pods', 'priorityclasses']),
  DefaultTolerationSeconds: PODS,
  PodTolerationRestriction: PODS,
  ExtendedResourceToleration: PODS,
  DefaultStorageClass: CLAIMS,
  StorageObjectInUseProtection: new Set(['persistentvolumeclaims', 'persistentvolumes']),
  PersistentVolumeClaimResize: CLAIMS,
  RuntimeClass: PODS,
  DefaultIngressClass: new Set(['ingresses']),
  DenyServiceExternalIPs: new Set(['services']),
};

/**
 * DefaultOffAdmissionPlugins; NodeRestriction is on because kubeadm asks for it. Here left out, as they are off by
 * default and need a configuration file or an alpha API: EventRateLimit, ImagePolicyWebhook, PodNodeSelector,
 * ClusterTrustBundleAttest (its kind is not served by default).
 */
const OFF = new Set([
  'AlwaysPullImages',
  'DenyServiceExternalIPs',
  'ExtendedResourceToleration',
  'OwnerReferencesPermissionEnforcement',
  'PodTolerationRestriction',
]);

/** Throws for a name nobody knows, as kube-apiserver refuses to start. */
export function pluginsFor({ enable = [], disable = [] }: PluginChoice = {}): readonly Plugin[] {
  for (const [flag, names] of [
    ['enable', enable],
    ['disable', disable],
  ] as const) {
    for (const name of names) if (!ORDERED.some((plugin) => plugin.name === name)) throw new Error(`${flag}-admission-plugins plugin "${name}" is unknown`);
  }
  return ORDERED.filter(({ name }) => (enable.includes(name) || !OFF.has(name)) && !disable.includes(name)).map((plugin) => {
    const about = ABOUT[plugin.name];
    return about ? { ...plugin, about } : plugin;
  });
}
