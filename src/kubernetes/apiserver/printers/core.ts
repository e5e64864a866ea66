/** Tables of services, events, storage, rules and the rest. */
import { formatLabelSelector } from '../../api/selector.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  CSIDriver,
  CSINode,
  EndpointSlice,
  Endpoints,
  Event,
  EventsV1Event,
  Ingress,
  IngressClass,
  Lease,
  LimitRange,
  Namespace,
  NetworkPolicy,
  PersistentVolume,
  PersistentVolumeClaim,
  PriorityClass,
  RbacV1Subject,
  ResourceQuota,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  Service,
  ServiceAccount,
  StorageClass,
  VolumeAttachment,
} from '../../api/types.gen.ts';
import { age, ageOf, columns, formatLabels, type Printer } from './table.ts';

const name = (object: { readonly metadata: { readonly name?: string } }): string => object.metadata.name ?? '';

function externalAddress(service: Service): string {
  const { type, externalIPs = [], externalName } = service.spec ?? {};
  if (type === 'ExternalName') return externalName ?? '';
  if (type === 'LoadBalancer') {
    const addresses = [...new Set((service.status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || '').filter((a) => a !== ''))].sort();
    const all = [...addresses, ...externalIPs];
    return all.length > 0 ? all.join(',') : '<pending>';
  }
  return externalIPs.length > 0 ? externalIPs.join(',') : '<none>';
}

export const servicePrinter: Printer<Service> = {
  columns: columns('Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', '+Selector'),
  cells: (object, now) => {
    const ports = (object.spec?.ports ?? []).map((p) => (p.nodePort ? `${p.port}:${p.nodePort}/${p.protocol ?? 'TCP'}` : `${p.port}/${p.protocol ?? 'TCP'}`));
    return [
      name(object),
      object.spec?.type ?? '',
      object.spec?.clusterIPs?.[0] || object.spec?.clusterIP || '<none>',
      externalAddress(object),
      ports.join(',') || '<none>',
      age(object, now),
      formatLabels(object.spec?.selector),
    ];
  },
};

export const endpointsPrinter: Printer<Endpoints> = {
  columns: columns('Name', 'Endpoints', 'Age'),
  cells: (object, now) => {
    const list: string[] = [];
    for (const subset of object.subsets ?? []) {
      if (!subset.ports?.length) for (const address of subset.addresses ?? []) list.push(address.ip);
      for (const port of subset.ports ?? []) for (const address of subset.addresses ?? []) list.push(`${address.ip}:${port.port}`);
    }
    const text = list.length > 3 ? `${list.slice(0, 3).join(',')} + ${list.length - 3} more...` : list.join(',');
    return [name(object), object.subsets?.length ? text : '<none>', age(object, now)];
  },
};

export const endpointSlicePrinter: Printer<EndpointSlice> = {
  columns: columns('Name', 'AddressType', 'Ports', 'Endpoints', 'Age'),
  cells: (object, now) => {
    const ports = (object.ports ?? []).map((port) => (port.port === undefined ? '*' : String(port.port)));
    const addresses = (object.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
    const short = (list: readonly string[], none: string): string =>
      list.length === 0 ? none : list.length > 3 ? `${list.slice(0, 3).join(',')} + ${list.length - 3} more...` : list.join(',');
    return [name(object), object.addressType, short(ports, '<unset>'), short(addresses, '<unset>'), age(object, now)];
  },
};

export const namespacePrinter: Printer<Namespace> = {
  columns: columns('Name', 'Status', 'Age'),
  cells: (object, now) => [name(object), object.status?.phase ?? '', age(object, now)],
};

export const configMapPrinter: Printer<ConfigMap> = {
  columns: columns('Name', 'Data #', 'Age'),
  cells: (object, now) => [name(object), Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length, age(object, now)],
};

export const secretPrinter: Printer<Secret> = {
  columns: columns('Name', 'Type', 'Data #', 'Age'),
  cells: (object, now) => [name(object), object.type ?? '', Object.keys(object.data ?? {}).length, age(object, now)],
};

export const serviceAccountPrinter: Printer<ServiceAccount> = {
  columns: columns('Name', 'Secrets #', 'Age'),
  cells: (object, now) => [name(object), object.secrets?.length ?? 0, age(object, now)],
};

export const eventPrinter: Printer<Event> = {
  columns: columns('Last Seen', 'Type', 'Reason', 'Object', '+Subobject', '+Source', 'Message', '+First Seen', '+Count #', '+Name'),
  cells: (event, now) => {
    const first = event.firstTimestamp ?? event.eventTime;
    const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? first;
    const { kind, name: objectName, fieldPath } = event.involvedObject;
    const component = event.source?.component || event.reportingComponent || '';
    const host = event.source?.host || event.reportingInstance || '';
    return [
      ageOf(last, now),
      event.type ?? '',
      event.reason ?? '',
      objectName ? `${(kind ?? '').toLowerCase()}/${objectName}` : (kind ?? '').toLowerCase(),
      fieldPath ?? '',
      host ? `${component}, ${host}` : component,
      (event.message ?? '').trim(),
      ageOf(first, now),
      event.series?.count ?? (event.count || 1),
      name(event),
    ];
  },
};

export const eventsV1Printer: Printer<EventsV1Event> = {
  columns: eventPrinter.columns,
  cells: (event, now) => [
    ageOf(event.series?.lastObservedTime ?? event.deprecatedLastTimestamp ?? event.eventTime, now),
    event.type ?? '',
    event.reason ?? '',
    `${(event.regarding?.kind ?? '').toLowerCase()}/${event.regarding?.name ?? ''}`,
    event.regarding?.fieldPath ?? '',
    event.reportingInstance ? `${event.reportingController ?? ''}, ${event.reportingInstance}` : (event.reportingController ?? ''),
    (event.note ?? '').trim(),
    ageOf(event.deprecatedFirstTimestamp ?? event.eventTime, now),
    event.series?.count ?? (event.deprecatedCount || 1),
    name(event),
  ],
};

export const ingressPrinter: Printer<Ingress> = {
  columns: columns('Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'),
  cells: (object, now) => {
    const rules = object.spec?.rules ?? [];
    const hosts = rules.slice(0, 3).flatMap((rule) => (rule.host ? [rule.host] : []));
    const text = hosts.length === 0 ? '*' : rules.length > 3 ? `${hosts.join(',')} + ${rules.length - 3} more...` : hosts.join(',');
    const addresses = (object.status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || '').filter((a) => a !== '');
    return [
      name(object),
      object.spec?.ingressClassName ?? '<none>',
      text,
      [...new Set(addresses)].sort().join(','),
      object.spec?.tls?.length ? '80, 443' : '80',
      age(object, now),
    ];
  },
};

export const ingressClassPrinter: Printer<IngressClass> = {
  columns: columns('Name', 'Controller', 'Parameters', 'Age'),
  cells: (object, now) => {
    const parameters = object.spec?.parameters;
    const group = parameters?.apiGroup ? `.${parameters.apiGroup}` : '';
    return [name(object), object.spec?.controller ?? '', parameters ? `${parameters.kind}${group}/${parameters.name}` : '<none>', age(object, now)];
  },
};

export const networkPolicyPrinter: Printer<NetworkPolicy> = {
  columns: columns('Name', 'Pod-Selector', 'Age'),
  cells: (object, now) => [name(object), formatLabelSelector(object.spec?.podSelector ?? {}), age(object, now)],
};

const MODES: readonly (readonly [string, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];
const accessModes = (modes: readonly string[] | undefined): string =>
  MODES.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');

export const persistentVolumePrinter: Printer<PersistentVolume> = {
  columns: columns(
    'Name',
    'Capacity',
    'Access Modes',
    'Reclaim Policy',
    'Status',
    'Claim',
    'StorageClass',
    'VolumeAttributesClass',
    'Reason',
    'Age',
    '+VolumeMode',
  ),
  cells: (object, now) => {
    const claim = object.spec?.claimRef;
    return [
      name(object),
      object.spec?.capacity?.['storage'] ?? '0',
      accessModes(object.spec?.accessModes),
      object.spec?.persistentVolumeReclaimPolicy ?? '',
      object.metadata.deletionTimestamp ? 'Terminating' : (object.status?.phase ?? ''),
      claim ? `${claim.namespace}/${claim.name}` : '',
      object.spec?.storageClassName ?? '',
      object.spec?.volumeAttributesClassName ?? '<unset>',
      object.status?.reason ?? '',
      age(object, now),
      object.spec?.volumeMode ?? '<unset>',
    ];
  },
};

export const claimPrinter: Printer<PersistentVolumeClaim> = {
  columns: columns('Name', 'Status', 'Volume', 'Capacity', 'Access Modes', 'StorageClass', 'VolumeAttributesClass', 'Age', '+VolumeMode'),
  cells: (object, now) => {
    const bound = Boolean(object.spec?.volumeName);
    return [
      name(object),
      object.metadata.deletionTimestamp ? 'Terminating' : (object.status?.phase ?? ''),
      object.spec?.volumeName ?? '',
      bound ? (object.status?.capacity?.['storage'] ?? '0') : '',
      bound ? accessModes(object.status?.accessModes) : '',
      object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? object.spec?.storageClassName ?? '',
      object.spec?.volumeAttributesClassName ?? '<unset>',
      age(object, now),
      object.spec?.volumeMode ?? '<unset>',
    ];
  },
};

export const storageClassPrinter: Printer<StorageClass> = {
  columns: columns('Name', 'Provisioner', 'ReclaimPolicy', 'VolumeBindingMode', 'AllowVolumeExpansion', 'Age'),
  cells: (object, now) => {
    const standard = object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
    return [
      standard ? `${name(object)} (default)` : name(object),
      object.provisioner,
      object.reclaimPolicy ?? 'Delete',
      object.volumeBindingMode ?? 'Immediate',
      String(object.allowVolumeExpansion ?? false),
      age(object, now),
    ];
  },
};

export const csiDriverPrinter: Printer<CSIDriver> = {
  columns: columns('Name', 'AttachRequired', 'PodInfoOnMount', 'StorageCapacity', 'TokenRequests', 'RequiresRepublish', 'Modes', 'Age'),
  cells: (object, now) => [
    name(object),
    String(object.spec.attachRequired ?? true),
    String(object.spec.podInfoOnMount ?? false),
    String(object.spec.storageCapacity ?? false),
    (object.spec.tokenRequests ?? []).map((t) => t.audience).join(',') || '<unset>',
    String(object.spec.requiresRepublish ?? false),
    (object.spec.volumeLifecycleModes ?? []).join(',') || '<none>',
    age(object, now),
  ],
};

export const csiNodePrinter: Printer<CSINode> = {
  columns: columns('Name', 'Drivers #', 'Age'),
  cells: (object, now) => [name(object), object.spec.drivers.length, age(object, now)],
};

export const volumeAttachmentPrinter: Printer<VolumeAttachment> = {
  columns: columns('Name', 'Attacher', 'PV', 'Node', 'Attached', 'Age'),
  cells: (object, now) => [
    name(object),
    object.spec.attacher,
    object.spec.source.persistentVolumeName ?? '',
    object.spec.nodeName,
    String(object.status?.attached ?? false),
    age(object, now),
  ],
};

export const rolePrinter: Printer<Role> = {
  columns: columns('Name', 'Created At'),
  cells: (object) => [name(object), object.metadata.creationTimestamp ?? '<unknown>'],
};
export const clusterRolePrinter: Printer<ClusterRole> = {
  columns: rolePrinter.columns,
  cells: (object) => [name(object), object.metadata.creationTimestamp ?? '<unknown>'],
};

const subjects = (list: readonly RbacV1Subject[] | undefined, kind: string): string =>
  (list ?? [])
    .filter((s) => s.kind === kind)
    .map((s) => (kind === 'ServiceAccount' ? `${s.namespace ?? ''}/${s.name}` : s.name))
    .join(', ');

const bindingPrinter: Printer<RoleBinding | ClusterRoleBinding> = {
  columns: columns('Name', 'Role', 'Age', '+Users', '+Groups', '+ServiceAccounts'),
  cells: (object, now) => [
    name(object),
    `${object.roleRef.kind}/${object.roleRef.name}`,
    age(object, now),
    subjects(object.subjects, 'User'),
    subjects(object.subjects, 'Group'),
    subjects(object.subjects, 'ServiceAccount'),
  ],
};
export const roleBindingPrinter: Printer<RoleBinding> = bindingPrinter;
export const clusterRoleBindingPrinter: Printer<ClusterRoleBinding> = bindingPrinter;

export const leasePrinter: Printer<Lease> = {
  columns: columns('Name', 'Holder', 'Age'),
  cells: (object, now) => [name(object), object.spec?.holderIdentity ?? '', age(object, now)],
};

export const priorityClassPrinter: Printer<PriorityClass> = {
  columns: columns('Name', 'Value #', 'Global-Default', 'Age', 'PreemptionPolicy'),
  cells: (object, now) => [name(object), object.value, String(object.globalDefault ?? false), age(object, now), object.preemptionPolicy ?? ''],
};

export const runtimeClassPrinter: Printer<RuntimeClass> = {
  columns: columns('Name', 'Handler', 'Age'),
  cells: (object, now) => [name(object), object.handler, age(object, now)],
};

export const resourceQuotaPrinter: Printer<ResourceQuota> = {
  columns: columns('Name', 'Request', 'Limit', 'Age'),
  cells: (object, now) => {
    const hard = object.status?.hard ?? {};
    const text = (limits: boolean): string =>
      Object.keys(hard)
        .sort()
        .filter((resource) => resource.startsWith('limits.') === limits)
        .map((resource) => `${resource}: ${object.status?.used?.[resource] ?? '0'}/${hard[resource]}`)
        .join(', ');
    return [name(object), text(false), text(true), age(object, now)];
  },
};

export const limitRangePrinter: Printer<LimitRange> = {
  columns: columns('Name', 'Created At'),
  cells: (object) => [name(object), object.metadata.creationTimestamp ?? '<unknown>'],
};
