/**
 * How values of a kind merge and who may own what in them: the schema of structured-merge-diff (`schema/elements.go`).
 *
 * Built-in kinds: our generated types, and the list and map types upstream's Go types are marked with (`+listType`,
 * `+listMapKey`, `+mapType`, `+structType` under staging/src/k8s.io/api), which npm does not carry and which are therefore
 * listed here. Custom resources: their own schema's `x-kubernetes-list-type` and its kin. Everything else is deduced from
 * the value: maps are merged, lists are owned as a whole (`__untyped_deduced_`).
 */
import type { Json } from '../../api/json.ts';
import { SCHEMA } from '../../api/schema.ts';

export interface MapShape {
  readonly type: 'map';
  /** Owned as a whole. */
  readonly atomic: boolean;
  /** The shape of a field; undefined when there can be no such field. */
  field(name: string): Shape | undefined;
  /** True for a field of a structure, false for a key of a map. */
  named(name: string): boolean;
  /** Fields that are Go structures and not pointers: always there, if only empty. */
  readonly inline: readonly string[];
  /** Required lists that associate: `null` in an empty Go structure. */
  readonly nulls: readonly string[];
}
export interface ListShape {
  readonly type: 'list';
  readonly atomic: boolean;
  /** Of an associative list: what tells items apart, sorted; none for a set. */
  readonly keys: readonly string[];
  /** Keys an item may leave out. */
  readonly defaults: Readonly<Record<string, Json>>;
  readonly element: Shape;
}
export interface ScalarShape {
  readonly type: 'scalar';
  readonly of: 'numeric' | 'string' | 'boolean' | 'untyped';
}
export type Shape = MapShape | ListShape | ScalarShape | { readonly type: 'deduced' };

const UNTYPED: ScalarShape = { type: 'scalar', of: 'untyped' };
const SCALARS: Readonly<Record<string, ScalarShape>> = {
  s: { type: 'scalar', of: 'string' },
  by: { type: 'scalar', of: 'string' },
  b: { type: 'scalar', of: 'boolean' },
  i32: { type: 'scalar', of: 'numeric' },
  i64: { type: 'scalar', of: 'numeric' },
  d: { type: 'scalar', of: 'numeric' },
  string: { type: 'scalar', of: 'string' },
  boolean: { type: 'scalar', of: 'boolean' },
  integer: { type: 'scalar', of: 'numeric' },
  number: { type: 'scalar', of: 'numeric' },
};
export const DEDUCED: Shape = { type: 'deduced' };
const ATOMIC_LIST: ListShape = { type: 'list', atomic: true, keys: [], defaults: {}, element: DEDUCED };
const mapOf = (element: Shape, atomic = false): MapShape => ({ type: 'map', atomic, field: () => element, named: () => false, inline: [], nulls: [] });

/** What a value whose shape is unknown is. */
export const DEDUCED_MAP: MapShape = mapOf(DEDUCED);
export { ATOMIC_LIST };

/** `Model.field` → keys of an associative list; `''` for a set. Any other list is atomic. */
const LISTS: Readonly<Record<string, string>> = {
  'ObjectMeta.ownerReferences': 'uid',
  'ObjectMeta.finalizers': '',
  'PodSpec.containers': 'name',
  'PodSpec.initContainers': 'name',
  'PodSpec.ephemeralContainers': 'name',
  'PodSpec.volumes': 'name',
  'PodSpec.imagePullSecrets': 'name',
  'PodSpec.schedulingGates': 'name',
  'PodSpec.resourceClaims': 'name',
  'PodSpec.hostAliases': 'ip',
  'PodSpec.topologySpreadConstraints': 'topologyKey whenUnsatisfiable',
  'Container.ports': 'containerPort protocol',
  'Container.env': 'name',
  'Container.volumeMounts': 'mountPath',
  'Container.volumeDevices': 'devicePath',
  'EphemeralContainer.ports': 'containerPort protocol',
  'EphemeralContainer.env': 'name',
  'EphemeralContainer.volumeMounts': 'mountPath',
  'EphemeralContainer.volumeDevices': 'devicePath',
  'ResourceRequirements.claims': 'name',
  'PodStatus.conditions': 'type',
  'PodStatus.podIPs': 'ip',
  'PodStatus.resourceClaimStatuses': 'name',
  'NodeSpec.podCIDRs': '',
  'NodeStatus.conditions': 'type',
  'NodeStatus.addresses': 'type',
  'NamespaceStatus.conditions': 'type',
  'ServiceSpec.ports': 'port protocol',
  'ServiceStatus.conditions': 'type',
  'ServiceAccount.secrets': 'name',
  'ReplicationControllerStatus.conditions': 'type',
  'PersistentVolumeClaimStatus.conditions': 'type',
  'DeploymentStatus.conditions': 'type',
  'ReplicaSetStatus.conditions': 'type',
  'DaemonSetStatus.conditions': 'type',
  'StatefulSetStatus.conditions': 'type',
  'PodDisruptionBudgetStatus.conditions': 'type',
  'HorizontalPodAutoscalerStatus.conditions': 'type',
  'UncountedTerminatedPods.succeeded': '',
  'UncountedTerminatedPods.failed': '',
  'CSINodeSpec.drivers': 'name',
  'MutatingWebhookConfiguration.webhooks': 'name',
  'ValidatingWebhookConfiguration.webhooks': 'name',
  'MutatingWebhook.matchConditions': 'name',
  'ValidatingWebhook.matchConditions': 'name',
  'ValidatingAdmissionPolicySpec.matchConditions': 'name',
  'ValidatingAdmissionPolicySpec.variables': 'name',
  'ValidatingAdmissionPolicyStatus.conditions': 'type',
  'CustomResourceDefinitionStatus.conditions': 'type',
  'APIServiceStatus.conditions': 'type',
  'CertificateSigningRequestStatus.conditions': 'type',
  'FlowSchemaStatus.conditions': 'type',
  'PriorityLevelConfigurationStatus.conditions': 'type',
};
const DEFAULT_KEYS: Readonly<Record<string, Json>> = { protocol: 'TCP' };

/** Structures owned as a whole. */
const ATOMIC = new Set([
  'ConfigMapKeySelector',
  'CrossVersionObjectReferenceV1',
  'DiscoveryV1EndpointPort',
  'EndpointAddress',
  'EndpointPort',
  'LabelSelector',
  'LocalObjectReference',
  'NodeSelector',
  'NodeSelectorTerm',
  'ObjectFieldSelector',
  'ObjectReference',
  'OwnerReference',
  'ResourceFieldSelector',
  'RoleRef',
  'ScopeSelector',
  'ScopedResourceSelectorRequirement',
  'SecretKeySelector',
  'SecretReference',
  'Subject',
  'TopologySelectorTerm',
  'TypedLocalObjectReference',
  'ParamKind',
  'ParamRef',
]);
/** Maps and structures that a field makes atomic, or not, whatever their type says. */
const FIELDS_ATOMIC: Readonly<Record<string, boolean>> = {
  'ServiceSpec.selector': true,
  'ReplicationControllerSpec.selector': true,
  'PodSpec.nodeSelector': true,
  'Scheduling.nodeSelector': true,
  'PersistentVolumeSpec.claimRef': false,
};

/** `Model.field` that are structures and not pointers, besides every kind's metadata, spec and status. */
const INLINE = new Set([
  'PodTemplateSpec.metadata',
  'PodTemplateSpec.spec',
  'JobTemplateSpec.metadata',
  'JobTemplateSpec.spec',
  'PersistentVolumeClaimTemplate.metadata',
  'PersistentVolumeClaimTemplate.spec',
  'DeploymentSpec.template',
  'DeploymentSpec.strategy',
  'ReplicaSetSpec.template',
  'DaemonSetSpec.template',
  'DaemonSetSpec.updateStrategy',
  'StatefulSetSpec.template',
  'StatefulSetSpec.updateStrategy',
  'JobSpec.template',
  'CronJobSpec.jobTemplate',
  'PodTemplate.template',
  'Container.resources',
  'EphemeralContainer.resources',
  'PersistentVolumeClaimSpec.resources',
  'NodeStatus.nodeInfo',
  'NodeStatus.daemonEndpoints',
  'NodeDaemonEndpoints.kubeletEndpoint',
  'ServiceStatus.loadBalancer',
  'IngressStatus.loadBalancer',
  'HorizontalPodAutoscalerSpec.scaleTargetRef',
  'HorizontalPodAutoscalerSpecV1.scaleTargetRef',
  'NetworkPolicySpec.podSelector',
  'RoleBinding.roleRef',
  'ClusterRoleBinding.roleRef',
  'Event.involvedObject',
  'Event.source',
  'EventsV1Event.regarding',
  'EventsV1Event.deprecatedSource',
  'VolumeAttachmentSpec.source',
]);
/** Kinds' fields of these names that are pointers, or no structure of Go's own. */
const POINTERS = new Set(['CustomResourceDefinition.status']);
const NULLS: Readonly<Record<string, readonly string[]>> = { PodSpec: ['containers'], CSINodeSpec: ['drivers'] };

const models = new Map<string, MapShape>();

/** The shape of a built-in type by its name in the schema (`Deployment`, `PodSpec`); deduced when there is none. */
export function shapeOf(model: string): Shape {
  let shape = models.get(model);
  if (shape) return shape;
  const known = SCHEMA[model];
  if (!known) return DEDUCED;
  const fields = known.fields;
  const shapes = new Map<string, Shape>();
  const names = Object.keys(fields);
  shape = {
    type: 'map',
    atomic: ATOMIC.has(model),
    field(name) {
      let found = shapes.get(name);
      if (!found && Object.hasOwn(fields, name)) {
        found = shapeOfField(model, name, fields[name]!);
        shapes.set(name, found);
      }
      return found;
    },
    named: () => true,
    inline: names.filter(
      (name) => INLINE.has(`${model}.${name}`) || (known.gvk && isKindsOwn(name) && fields[name]![0] === '#' && !POINTERS.has(`${model}.${name}`)),
    ),
    nulls: NULLS[model] ?? [],
  };
  models.set(model, shape);
  return shape;
}
const isKindsOwn = (name: string): boolean => name === 'metadata' || name === 'spec' || name === 'status';

function shapeOfField(model: string, name: string, type: string): Shape {
  const id = `${model}.${name}`;
  if (id === 'ObjectMeta.managedFields') return ATOMIC_LIST;
  if (type.startsWith('[]')) {
    const keys = LISTS[id];
    if (keys === undefined) return ATOMIC_LIST;
    return { type: 'list', atomic: false, keys: keys === '' ? [] : keys.split(' '), defaults: DEFAULT_KEYS, element: shapeOfType(type.slice(2)) };
  }
  const shape = shapeOfType(type);
  const atomic = FIELDS_ATOMIC[id];
  return atomic !== undefined && shape.type === 'map' ? { ...shape, atomic } : shape;
}

function shapeOfType(type: string): Shape {
  if (type.startsWith('{}')) return mapOf(shapeOfType(type.slice(2)));
  if (type.startsWith('[]')) return ATOMIC_LIST;
  if (type.startsWith('#')) return shapeOf(type.slice(1));
  return type === 'any' ? DEDUCED : (SCALARS[type] ?? UNTYPED);
}

// --- custom resources ----------------------------------------------------------------------------------

/** As much of a CRD version's OpenAPI v3 schema as decides ownership. */
export interface SchemaProps {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaProps>>;
  readonly additionalProperties?: SchemaProps | boolean;
  readonly items?: SchemaProps;
  readonly default?: Json;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

const customs = new WeakMap<SchemaProps, Shape>();

/** The shape of a custom resource, by the schema of its version. The root's metadata is every object's. */
export function shapeOfCustom(schema: SchemaProps): Shape {
  let shape = customs.get(schema);
  if (!shape) {
    const own = shapeOfSchema(schema);
    const root: MapShape = own.type === 'map' ? own : DEDUCED_MAP;
    shape = {
      ...root,
      atomic: false,
      field: (name) => (name === 'metadata' ? shapeOf('ObjectMeta') : name === 'apiVersion' || name === 'kind' ? SCALARS['s'] : root.field(name)),
    };
    customs.set(schema, shape);
  }
  return shape;
}

function shapeOfSchema(schema: SchemaProps): Shape {
  if (schema['x-kubernetes-int-or-string']) return UNTYPED;
  const list = schema['x-kubernetes-list-type'];
  switch (schema.type) {
    case 'array': {
      const { items } = schema;
      if (!items || (list !== 'map' && list !== 'set')) return ATOMIC_LIST;
      const keys = list === 'set' ? [] : [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort();
      const defaults: Record<string, Json> = {};
      for (const key of keys) if (items.properties?.[key]?.default !== undefined) defaults[key] = items.properties[key].default;
      return { type: 'list', atomic: false, keys, defaults, element: shapeOfSchema(items) };
    }
    case 'object': {
      const { properties, additionalProperties } = schema;
      const atomic = schema['x-kubernetes-map-type'] === 'atomic';
      const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
      if (!properties && !additionalProperties) return atomic ? { ...DEDUCED_MAP, atomic } : DEDUCED;
      const shapes = new Map(Object.entries(properties ?? {}).map(([name, inner]) => [name, shapeOfSchema(inner)] as const));
      const rest = typeof additionalProperties === 'object' ? shapeOfSchema(additionalProperties) : open || additionalProperties ? DEDUCED : undefined;
      return { type: 'map', atomic, field: (name) => shapes.get(name) ?? rest, named: (name) => shapes.has(name), inline: [], nulls: [] };
    }
    case undefined:
    case '':
      return DEDUCED;
    default:
      return SCALARS[schema.type] ?? UNTYPED;
  }
}

/** All associative lists of built-in types, for the tests. */
export const associativeLists = (): readonly (readonly [model: string, field: string, keys: readonly string[]])[] =>
  Object.entries(LISTS).map(([id, keys]) => {
    const dot = id.indexOf('.');
    return [id.slice(0, dot), id.slice(dot + 1), keys === '' ? [] : keys.split(' ')] as const;
  });
