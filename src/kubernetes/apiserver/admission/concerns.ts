/** Whether a request concerns a plugin whose code is not here yet: what every request pays, so it must be next to nothing. */
import type { KubeObject } from '../../api/meta.ts';
import type { Pod } from '../../api/types.gen.ts';
import type { Attributes, World } from './admission.ts';

type Concern = (attributes: Attributes, world: World) => boolean;

/** LimitRanger: pods when they are made or resized, and claims. */
function isLimited({ operation, row, subresource, namespace }: Attributes, world: World): boolean {
  if (row.group !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return false;
  if (row.plural === 'pods') {
    if (operation === 'UPDATE' ? subresource !== 'resize' : subresource !== '') return false;
  } else if (row.plural !== 'persistentvolumeclaims' || subresource !== '') return false;
  return world.any(`/registry/limitranges/${namespace}/`);
}

/** Only these may come to cost more after they were made. */
const CHARGED_ON_UPDATE = new Set(['services', 'persistentvolumeclaims']);
const NEVER_COUNTED = new Set(['bindings', 'events']);

/** ResourceQuota: whether a request may cost anything in a namespace that has quotas. */
function isQuotaConcerned({ operation, row, subresource, namespace }: Attributes, world: World): boolean {
  if (namespace === '' || row.plural === 'namespaces' || row.prefix === '') return false;
  const resize = row.plural === 'pods' && row.group === '' && subresource === 'resize' && operation === 'UPDATE';
  if (!resize && subresource !== '') return false;
  if (!resize && operation !== 'CREATE' && !(operation === 'UPDATE' && row.group === '' && CHARGED_ON_UPDATE.has(row.plural))) return false;
  return !NEVER_COUNTED.has(row.plural) && world.any(`/registry/resourcequotas/${namespace}/`);
}

const POD_SECURITY = 'pod-security.kubernetes.io/';
const TEMPLATED = new Set(['replicationcontrollers', 'podtemplates', 'replicasets', 'deployments', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs']);
/** Subresources of pods that leave the spec alone. */
const HARMLESS = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']);

const isLabelled = (namespace: KubeObject | undefined): boolean => {
  for (const label in namespace?.metadata.labels) if (label.startsWith(POD_SECURITY)) return true;
  return false;
};

/** PodSecurity: namespaces with its labels, and what has a pod's spec in them. */
function isSecured({ operation, row, subresource, namespace, object, old }: Attributes, world: World): boolean {
  if (operation !== 'CREATE' && operation !== 'UPDATE') return false;
  if (row.plural === 'namespaces') return row.group === '' && subresource === '' && (isLabelled(object) || isLabelled(old));
  if (row.plural === 'pods' ? row.group !== '' || HARMLESS.has(subresource) : subresource !== '' || !TEMPLATED.has(row.plural)) return false;
  return isLabelled(world.get(`/registry/namespaces/${namespace}`));
}

/** Binding and eviction are shown to webhooks as what they are (`connect.ts`), and not once more as the update or delete they lead to. */
const isServed = ({ operation, row, subresource, call }: Attributes): boolean =>
  row.plural !== 'pods' ||
  row.group !== '' ||
  (operation === 'UPDATE' ? subresource !== 'binding' && subresource !== 'eviction' : operation !== 'DELETE' || call.path.subresource !== 'eviction');
const WEBHOOKS = { mutating: '/registry/mutatingwebhookconfigurations/', validating: '/registry/validatingwebhookconfigurations/' } as const;

/** A pod that is made, or whose spec is changed through none of the subresources. */
const isPod = ({ row, subresource, operation }: Attributes, ...operations: readonly string[]): boolean =>
  row.plural === 'pods' && row.group === '' && subresource === '' && operations.includes(operation);
const isMade = ({ operation, subresource }: Attributes): boolean => operation === 'CREATE' && subresource === '';

const ENFORCE_SECRETS = 'kubernetes.io/enforce-mountable-secrets';

export const concerns = {
  limitRanger: isLimited,
  podSecurity: isSecured,
  alwaysPullImages: (attributes) => isPod(attributes, 'CREATE', 'UPDATE'),
  denyExternalIps: ({ row, subresource, object }) => row.plural === 'services' && row.group === '' && subresource === '' && object !== undefined,
  extendedResources: (attributes) => isPod(attributes, 'CREATE', 'UPDATE'),
  mountableSecrets: (attributes, world) => {
    if (!isPod(attributes, 'CREATE')) return false;
    const account = (attributes.object as Pod).spec?.serviceAccountName;
    if (!account) return false;
    return world.get(`/registry/serviceaccounts/${attributes.namespace}/${account}`)?.metadata.annotations?.[ENFORCE_SECRETS] === 'true';
  },
  ownerReferences: ({ object, operation }) => object?.metadata.ownerReferences !== undefined && (operation === 'CREATE' || operation === 'UPDATE'),
  podTolerations: (attributes) => isPod(attributes, 'CREATE', 'UPDATE'),
  runtimeClass: (attributes) => {
    if (!isPod(attributes, 'CREATE')) return false;
    const { runtimeClassName, overhead } = (attributes.object as Pod).spec ?? {};
    return runtimeClassName !== undefined || overhead !== undefined;
  },
  storageInUse: (attributes) =>
    isMade(attributes) && attributes.row.group === '' && (attributes.row.plural === 'persistentvolumeclaims' || attributes.row.plural === 'persistentvolumes'),
  volumeResize: ({ row, operation, subresource }) => operation === 'UPDATE' && row.plural === 'persistentvolumeclaims' && subresource === '',
  configuration: ({ row, operation, subresource }) =>
    row.group === 'admissionregistration.k8s.io' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  mutatingWebhooks: (attributes, world) => world.any(WEBHOOKS.mutating) && isServed(attributes),
  mutatingPolicies: (attributes, world) => world.any('/registry/mutatingadmissionpolicybindings/') && isServed(attributes),
  validatingPolicies: (attributes, world) => world.any('/registry/validatingadmissionpolicybindings/') && isServed(attributes),
  validatingWebhooks: (attributes, world) => world.any(WEBHOOKS.validating) && isServed(attributes),
  resourceQuota: isQuotaConcerned,
} satisfies Record<string, Concern>;
