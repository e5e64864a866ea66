/**
 * `kubectl get` asks for a Table first; the server makes its columns and cells (pkg/printers/internalversion). Kinds
 * without a printer show their name and age.
 */
import type { Instant } from '../../../sim/clock.ts';
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Kind, Kinds } from '../../api/types.gen.ts';
import * as admission from './admission.ts';
import * as core from './core.ts';
import * as devices from './devices.ts';
import { apiServicePrinter, definitionPrinter } from './extensions.ts';
import { nodePrinter, podPrinter, podTemplatePrinter } from './pod.ts';
import * as security from './security.ts';
import { age, columns, type Printer, type Table, type TableRow } from './table.ts';
import * as workloads from './workloads.ts';

const PRINTERS: { readonly [K in Kind]?: Printer<Kinds[K]> } = {
  CertificateSigningRequest: security.signingRequestPrinter,
  APIService: apiServicePrinter,
  CustomResourceDefinition: definitionPrinter,
  ComponentStatus: devices.componentPrinter,
  CSIStorageCapacity: devices.capacityPrinter,
  IPAddress: devices.addressPrinter,
  ServiceCIDR: devices.serviceCidrPrinter,
  ResourceClaimV1beta1: devices.claimPrinter,
  ResourceClaimV1beta2: devices.claimPrinter as Printer<Kinds['ResourceClaimV1beta2']>,
  ResourceSliceV1beta1: devices.slicePrinter,
  ResourceSliceV1beta2: devices.slicePrinter as Printer<Kinds['ResourceSliceV1beta2']>,
  ClusterRole: core.clusterRolePrinter,
  ClusterRoleBinding: core.clusterRoleBindingPrinter,
  ConfigMap: core.configMapPrinter,
  ControllerRevision: workloads.controllerRevisionPrinter,
  CronJob: workloads.cronJobPrinter,
  CSIDriver: core.csiDriverPrinter,
  CSINode: core.csiNodePrinter,
  DaemonSet: workloads.daemonSetPrinter,
  Deployment: workloads.deploymentPrinter,
  Endpoints: core.endpointsPrinter,
  EndpointSlice: core.endpointSlicePrinter,
  Event: core.eventPrinter,
  EventsV1Event: core.eventsV1Printer,
  FlowSchema: security.flowSchemaPrinter,
  HorizontalPodAutoscaler: workloads.autoscalerPrinter,
  HorizontalPodAutoscalerV1: workloads.autoscalerV1Printer,
  Ingress: core.ingressPrinter,
  IngressClass: core.ingressClassPrinter,
  Job: workloads.jobPrinter,
  Lease: core.leasePrinter,
  LimitRange: core.limitRangePrinter,
  MutatingAdmissionPolicy: admission.mutatingPolicyPrinter,
  MutatingAdmissionPolicyBinding: admission.admissionPolicyBindingPrinter as unknown as Printer<Kinds['MutatingAdmissionPolicyBinding']>,
  MutatingWebhookConfiguration: admission.webhookConfigurationPrinter,
  Namespace: core.namespacePrinter,
  NetworkPolicy: core.networkPolicyPrinter,
  Node: nodePrinter,
  PersistentVolume: core.persistentVolumePrinter,
  PersistentVolumeClaim: core.claimPrinter,
  Pod: podPrinter,
  PodDisruptionBudget: workloads.disruptionBudgetPrinter,
  PodTemplate: podTemplatePrinter,
  PriorityLevelConfiguration: security.priorityLevelPrinter,
  PriorityClass: core.priorityClassPrinter,
  ReplicaSet: workloads.replicaSetPrinter,
  ReplicationController: workloads.replicationControllerPrinter,
  ResourceQuota: core.resourceQuotaPrinter,
  Role: core.rolePrinter,
  RoleBinding: core.roleBindingPrinter,
  RuntimeClass: core.runtimeClassPrinter,
  Secret: core.secretPrinter,
  Service: core.servicePrinter,
  ServiceAccount: core.serviceAccountPrinter,
  StatefulSet: workloads.statefulSetPrinter,
  StorageClass: core.storageClassPrinter,
  ValidatingAdmissionPolicy: admission.admissionPolicyPrinter,
  ValidatingAdmissionPolicyBinding: admission.admissionPolicyBindingPrinter,
  ValidatingWebhookConfiguration: admission.webhookConfigurationPrinter,
  VolumeAttachment: core.volumeAttachmentPrinter,
};

const DEFAULT: Printer<KubeObject> = { columns: columns('Name', 'Age'), cells: (object, now) => [object.metadata.name ?? '', age(object, now)] };

/** The scale subresource's own (printScale). */
export const scalePrinter: Printer<KubeObject & { readonly spec?: { readonly replicas?: number }; readonly status?: { readonly replicas?: number } }> = {
  columns: columns('Name', 'Desired #', 'Available #', 'Age'),
  cells: (scale, now) => [scale.metadata.name ?? '', scale.spec?.replicas ?? 0, scale.status?.replicas ?? 0, age(scale, now)],
};

export interface TableOptions {
  /** Ages are counted to this instant. */
  readonly now: Instant;
  /** What each row carries: the metadata (the default), the whole object, or nothing (`includeObject=…`). */
  readonly includeObject?: 'Metadata' | 'Object' | 'None';
  /** Of a list; for a single object its own. */
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
  /** In a watch only the first event's table carries columns. */
  readonly withoutColumns?: boolean;
}

/** The table of some objects of one kind; `kind` is the key of `Kinds`. */
export function tableFor(kind: Kind, objects: readonly object[], options: TableOptions, custom?: Printer<KubeObject>): Table {
  const printer = custom ?? ((PRINTERS[kind] ?? DEFAULT) as Printer<KubeObject>);
  const { now, includeObject = 'Metadata' } = options;
  const rows = objects.map((value): TableRow => {
    const object = value as KubeObject;
    const conditions = printer.conditions?.(object);
    return { cells: printer.cells(object, now), ...(conditions ? { conditions } : {}), object: carried(object, includeObject) };
  });
  const first = objects.length === 1 ? (objects[0] as KubeObject) : undefined;
  const resourceVersion = options.resourceVersion ?? first?.metadata.resourceVersion;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(options.continue === undefined ? {} : { continue: options.continue }),
      ...(options.remainingItemCount === undefined ? {} : { remainingItemCount: options.remainingItemCount }),
    },
    ...(options.withoutColumns ? {} : { columnDefinitions: printer.columns }),
    rows,
  };
}

function carried(object: KubeObject, include: 'Metadata' | 'Object' | 'None'): Json {
  if (include === 'None') return null;
  if (include === 'Object') return object as unknown as Json;
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata as unknown as Json };
}
