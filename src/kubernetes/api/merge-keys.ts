/**
 * How strategic merge treats lists: the `patchStrategy` and `patchMergeKey` tags of staging/src/k8s.io/api. npm
 * carries no such tags, so this table is written by hand. A list that is not here is replaced as a whole (tolerations, args, …).
 */
import generated from './merge-paths.gen.json';

/** Model → field → model, for the fields that lead to a list of the table below; generated from it. */
const PATHS: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = generated;

/** `Model.field` → the key that tells items apart; `''` for a list of plain values merged as a set. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  'ObjectMeta.ownerReferences': 'uid',
  'ObjectMeta.finalizers': '',
  'PodSpec.volumes': 'name',
  'PodSpec.containers': 'name',
  'PodSpec.initContainers': 'name',
  'PodSpec.ephemeralContainers': 'name',
  'PodSpec.imagePullSecrets': 'name',
  'PodSpec.hostAliases': 'ip',
  'PodSpec.topologySpreadConstraints': 'topologyKey',
  'PodSpec.schedulingGates': 'name',
  'PodSpec.resourceClaims': 'name',
  'Container.ports': 'containerPort',
  'Container.env': 'name',
  'Container.volumeMounts': 'mountPath',
  'Container.volumeDevices': 'devicePath',
  'EphemeralContainer.ports': 'containerPort',
  'EphemeralContainer.env': 'name',
  'EphemeralContainer.volumeMounts': 'mountPath',
  'EphemeralContainer.volumeDevices': 'devicePath',
  'PodStatus.conditions': 'type',
  'PodStatus.podIPs': 'ip',
  'PodStatus.hostIPs': 'ip',
  'PodStatus.resourceClaimStatuses': 'name',
  'ContainerStatus.volumeMounts': 'mountPath',
  'NodeSpec.podCIDRs': '',
  'NodeStatus.conditions': 'type',
  'NodeStatus.addresses': 'type',
  'NamespaceStatus.conditions': 'type',
  'ServiceSpec.ports': 'port',
  'ServiceStatus.conditions': 'type',
  'ServiceAccount.secrets': 'name',
  'ReplicationControllerStatus.conditions': 'type',
  'PersistentVolumeClaimStatus.conditions': 'type',
  'DeploymentStatus.conditions': 'type',
  'ReplicaSetStatus.conditions': 'type',
  'DaemonSetStatus.conditions': 'type',
  'StatefulSetStatus.conditions': 'type',
  'JobStatus.conditions': 'type',
  'PodDisruptionBudgetStatus.conditions': 'type',
  'HorizontalPodAutoscalerStatus.conditions': 'type',
  'CSINodeSpec.drivers': 'name',
  'MutatingWebhookConfiguration.webhooks': 'name',
  'MutatingWebhook.matchConditions': 'name',
  'ValidatingWebhookConfiguration.webhooks': 'name',
  'ValidatingWebhook.matchConditions': 'name',
  'ValidatingAdmissionPolicySpec.matchConditions': 'name',
  'ValidatingAdmissionPolicySpec.variables': 'name',
};

/** Maps of which a client's patch names all keys that shall remain (`patchStrategy: retainKeys`). */
const RETAIN_KEYS = new Set(['PodSpec.volumes', 'PodSpec.resourceClaims', 'DeploymentSpec.strategy']);

/** The merge key of a list field; `''` for a set of plain values; undefined for a list replaced as a whole. */
export const mergeKeyOf = (model: string | undefined, field: string): string | undefined => (model === undefined ? undefined : MERGE_KEYS[`${model}.${field}`]);

export const retainsKeys = (model: string | undefined, field: string): boolean => model !== undefined && RETAIN_KEYS.has(`${model}.${field}`);

/** The model of a field's value (or of its items), if anything in it merges by key. */
export const childModel = (model: string | undefined, field: string): string | undefined => (model === undefined ? undefined : PATHS[model]?.[field]);
