/** The transformers that are one line in a kustomization: namespace, prefix and suffix, labels, annotations, images, replicas. */
import { addEntries, applies, changeField, type FieldSpec } from './fields.ts';
import { isClusterScoped, isTree, KustomizeError, type Resource, type Tree, type Value } from './resource.ts';

type Words = Readonly<Record<string, string>>;

// --- namespace ---------------------------------------------------------------------------------------------

const NAMESPACE_FIELDS: readonly FieldSpec[] = [
  { path: 'metadata/name', kind: 'Namespace', create: true },
  { path: 'spec/service/namespace', group: 'apiregistration.k8s.io', kind: 'APIService', create: true },
  { path: 'spec/conversion/webhook/clientConfig/service/namespace', group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
];

/** Of a binding's subjects only those named `default` move along; references to others follow their accounts later. */
export function setNamespace(resources: readonly Resource[], namespace: string): void {
  for (const resource of resources) {
    if (Object.keys(resource.object).length === 0) continue;
    resource.remember();
    if (!isClusterScoped(resource.id)) resource.metadata['namespace'] = namespace;
    if (resource.kind === 'RoleBinding' || resource.kind === 'ClusterRoleBinding')
      changeField(resource, { path: 'subjects' }, (subjects) => {
        for (const subject of Array.isArray(subjects) ? subjects : []) if (isTree(subject) && subject['name'] === 'default') subject['namespace'] = namespace;
        return undefined;
      });
    for (const spec of NAMESPACE_FIELDS)
      changeField(
        resource,
        spec,
        () => namespace,
        () => '',
      );
  }
}

// --- names -------------------------------------------------------------------------------------------------

/** Kinds whose names mean something outside. */
const keepsName = ({ kind, id }: Resource): boolean =>
  kind === 'CustomResourceDefinition' || kind === 'Namespace' || (kind === 'APIService' && id.group === 'apiregistration.k8s.io');

export function rename(resources: readonly Resource[], prefix: string, suffix: string): void {
  for (const resource of resources) {
    if (keepsName(resource)) continue;
    if (prefix !== '') {
      resource.remember();
      resource.name = prefix + resource.name;
      resource.prefixes.push(prefix);
    }
    if (suffix !== '') {
      resource.remember();
      resource.name += suffix;
      resource.suffixes.push(suffix);
    }
  }
}

// --- labels and annotations --------------------------------------------------------------------------------

const TEMPLATED = ['ReplicationController', 'Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job'];
const templateFields = (field: string, create: boolean): readonly FieldSpec[] => [
  ...TEMPLATED.map((kind) => ({ path: `spec/template/metadata/${field}`, kind, create, group: GROUP[kind] })),
  { path: `spec/jobTemplate/metadata/${field}`, group: 'batch', kind: 'CronJob', create },
  { path: `spec/jobTemplate/spec/template/metadata/${field}`, group: 'batch', kind: 'CronJob', create },
];
const GROUP: Readonly<Record<string, string>> = { StatefulSet: 'apps', Job: 'batch' };
const affinityFields = (kind: string): readonly FieldSpec[] => [
  ...['podAffinity', 'podAntiAffinity'].flatMap((affinity) =>
    ['preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm', 'requiredDuringSchedulingIgnoredDuringExecution'].map((when) => ({
      path: `spec/template/spec/affinity/${affinity}/${when}/labelSelector/matchLabels`,
      group: 'apps',
      kind,
    })),
  ),
  { path: 'spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels', group: 'apps', kind },
];
const SELECTOR_FIELDS: readonly FieldSpec[] = [
  { path: 'spec/selector', version: 'v1', kind: 'Service', create: true },
  { path: 'spec/selector', version: 'v1', kind: 'ReplicationController', create: true },
  ...['Deployment', 'ReplicaSet', 'DaemonSet'].map((kind) => ({ path: 'spec/selector/matchLabels', kind, create: true })),
  { path: 'spec/selector/matchLabels', group: 'apps', kind: 'StatefulSet', create: true },
  { path: 'spec/volumeClaimTemplates[]/metadata/labels', group: 'apps', kind: 'StatefulSet', create: true },
  ...affinityFields('Deployment'),
  ...affinityFields('StatefulSet'),
  { path: 'spec/selector/matchLabels', group: 'batch', kind: 'Job' },
  { path: 'spec/jobTemplate/spec/selector/matchLabels', group: 'batch', kind: 'CronJob' },
  { path: 'spec/selector/matchLabels', group: 'policy', kind: 'PodDisruptionBudget' },
  { path: 'spec/podSelector/matchLabels', group: 'networking.k8s.io', kind: 'NetworkPolicy' },
  { path: 'spec/ingress/from/podSelector/matchLabels', group: 'networking.k8s.io', kind: 'NetworkPolicy' },
  { path: 'spec/egress/to/podSelector/matchLabels', group: 'networking.k8s.io', kind: 'NetworkPolicy' },
];
const OWN_LABELS: FieldSpec = { path: 'metadata/labels', create: true };
/** `commonLabels`, and `labels` with includeSelectors. */
export const LABELS_EVERYWHERE: readonly FieldSpec[] = [...SELECTOR_FIELDS, OWN_LABELS, ...templateFields('labels', true)];
export const LABELS_OF_OBJECTS: readonly FieldSpec[] = [OWN_LABELS];
export const LABELS_OF_TEMPLATES: readonly FieldSpec[] = [
  OWN_LABELS,
  ...templateFields('labels', false),
  { path: 'spec/volumeClaimTemplates[]/metadata/labels', group: 'apps', kind: 'StatefulSet', create: true },
];
export const ANNOTATIONS: readonly FieldSpec[] = [{ path: 'metadata/annotations', create: true }, ...templateFields('annotations', true)];

export function addToMaps(resources: readonly Resource[], specs: readonly FieldSpec[], entries: Words): void {
  if (Object.keys(entries).length === 0) return;
  for (const resource of resources) for (const spec of specs) addEntries(resource, spec, entries);
}

// --- images ------------------------------------------------------------------------------------------------

export interface ImageChange {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly tagSuffix?: string;
  readonly digest?: string;
}

const IMAGE_FIELDS = new Set(['containers', 'initContainers']);

/** Every list called `containers` or `initContainers`, wherever it stands; definitions of kinds are left alone. */
export function setImage(resources: readonly Resource[], change: ImageChange): void {
  const visit = (value: Value): void => {
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    if (!isTree(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      if (IMAGE_FIELDS.has(key) && Array.isArray(inner))
        for (const container of inner)
          if (isTree(container) && typeof container['image'] === 'string') container['image'] = changed(container['image'], change);
      visit(inner);
    }
  };
  for (const resource of resources) if (resource.kind !== 'CustomResourceDefinition') visit(resource.object);
}

function changed(image: string, { name, newName, newTag, tagSuffix, digest }: ImageChange): string {
  const pattern = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (!new RegExp(`^${pattern}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`).test(image)) return image;
  const at = image.indexOf('@');
  const bare = at < 0 ? image : image.slice(0, at);
  const colon = bare.indexOf(':', bare.lastIndexOf('/') + 1);
  let tag = colon < 0 ? '' : bare.slice(colon + 1);
  let hash = at < 0 ? '' : image.slice(at + 1);
  const shown = newName || (colon < 0 ? bare : bare.slice(0, colon));
  if (newTag && digest) [tag, hash] = [newTag, digest];
  else if (newTag) [tag, hash] = [newTag, ''];
  else if (digest) [tag, hash] = ['', digest];
  if (tagSuffix) [tag, hash] = [tag + tagSuffix, ''];
  return shown + (tag === '' ? '' : `:${tag}`) + (hash === '' ? '' : `@${hash}`);
}

// --- replicas ----------------------------------------------------------------------------------------------

const REPLICA_KINDS = ['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController'];

/** Throws KustomizeError when nothing of that name has replicas. */
export function setReplicas(resources: readonly Resource[], name: string, count: number): void {
  let found = false;
  for (const kind of REPLICA_KINDS)
    for (const resource of resources) {
      if (!applies({ kind }, resource) || !resource.ids.some((id) => id.name === name)) continue;
      found = true;
      changeField(
        resource,
        { path: 'spec/replicas', create: true },
        () => count,
        () => 0,
      );
    }
  if (!found)
    throw new KustomizeError(
      `resource with name ${name} does not match a config with the following GVK [${REPLICA_KINDS.map((kind) => `${kind}.[noVer].[noGrp]`).join(' ')}]`,
    );
}

export const wordsOf = (value: Value | undefined): Words =>
  isTree(value) ? Object.fromEntries(Object.entries(value as Tree).map(([key, word]) => [key, String(word)])) : {};
