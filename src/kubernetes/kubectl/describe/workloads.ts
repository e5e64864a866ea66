/** Workloads: what makes pods. */

import { canonicalQuantity } from '../../api/quantity.ts';
import { formatLabelSelector, selectorOf } from '../../api/selector.ts';
import type { DaemonSet, Deployment, LabelSelector, PersistentVolumeClaim, ReplicaSet, ReplicationController, StatefulSet } from '../../api/types.gen.ts';
import { goJson, goPrint } from '../gostring.ts';
import { storageClass } from './claim.ts';
import { aboutObject, eventsOf } from './events.ts';
import { writeController, writePodTemplate } from './pod.ts';
import { type Describer, listOf, type Reader } from './reader.ts';
import { formatLabels, longTime, type Sheet } from './sheet.ts';

interface Owner {
  readonly metadata: { readonly namespace?: string; readonly uid?: string };
}

/** `2 Running / 1 Waiting / 0 Succeeded / 0 Failed`: an owner's own pods among those it selects. */
async function podCounts(read: Reader, { metadata }: Owner, labelSelector: string): Promise<string> {
  const pods = await listOf(read, 'Pod', metadata.namespace ?? '', { labelSelector });
  const own = pods.filter((pod) => pod.metadata.ownerReferences?.some(({ controller, uid }) => controller && uid === metadata.uid));
  const count = (phase: string): number => own.filter(({ status }) => status?.phase === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}

export const selectorText = (selector: LabelSelector | undefined): string => selectorOf(selector).toString();

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}

function writeConditions(sheet: Sheet, conditions: readonly Condition[] = []): void {
  if (conditions.length === 0) return;
  sheet.line(0, 'Conditions:');
  sheet.head(1, 'Type', 'Status', 'Reason');
  for (const { type, status, reason } of conditions) sheet.line(1, `${type} `, status, reason ?? '');
}

export const describeDeployment: Describer<Deployment> = async (sheet, deployment, context) => {
  const { metadata, spec, status = {} } = deployment;
  const labelSelector = selectorText(spec?.selector);
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.line(0, 'CreationTimestamp:', longTime(metadata.creationTimestamp));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Selector:', labelSelector);
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, unavailableReplicas = 0 } = status;
  sheet.line(
    0,
    'Replicas:',
    `${spec?.replicas ?? 1} desired | ${updatedReplicas} updated | ${replicas} total | ${availableReplicas} available | ${unavailableReplicas} unavailable`,
  );
  sheet.line(0, 'StrategyType:', spec?.strategy?.type ?? '');
  sheet.line(0, 'MinReadySeconds:', String(spec?.minReadySeconds ?? 0));
  const rolling = spec?.strategy?.rollingUpdate;
  if (rolling) sheet.line(0, 'RollingUpdateStrategy:', `${rolling.maxUnavailable ?? '<nil>'} max unavailable, ${rolling.maxSurge ?? '<nil>'} max surge`);
  writePodTemplate(sheet, spec?.template);
  writeConditions(sheet, status.conditions);
  const { older, current } = await replicaSetsOf(context.read, deployment, labelSelector);
  if (older.length > 0 || current) {
    sheet.line(0, 'OldReplicaSets:', older.map(replicaSetText).join(', ') || '<none>');
    sheet.line(0, 'NewReplicaSet:', current ? replicaSetText(current) : '<none>');
  }
  await eventsOf(sheet, context, aboutObject(deployment));
};

const replicaSetText = ({ metadata, spec, status }: ReplicaSet): string =>
  `${metadata.name} (${status?.replicas ?? 0}/${spec?.replicas ?? 1} replicas created)`;

/** The replica set of the present template and all others, oldest first (kubectl's util/deployment). */
async function replicaSetsOf(
  read: Reader,
  { metadata, spec }: Deployment,
  labelSelector: string,
): Promise<{ older: readonly ReplicaSet[]; current: ReplicaSet | undefined }> {
  let sets: readonly ReplicaSet[];
  try {
    sets = await listOf(read, 'ReplicaSet', metadata.namespace ?? '', { labelSelector });
  } catch {
    return { older: [], current: undefined };
  }
  const age = (set: ReplicaSet): string => `${set.metadata.creationTimestamp} ${set.metadata.name}`;
  const own = sets
    .filter((set) => set.metadata.ownerReferences?.some(({ controller, uid }) => controller && uid === metadata.uid))
    .sort((a, b) => (age(a) < age(b) ? -1 : 1));
  const wanted = templateText(spec?.template);
  const current = own.find((set) => templateText(set.spec?.template) === wanted);
  return { older: own.filter((set) => set !== current), current };
}

/** A template without the hash its controller added, to compare. */
function templateText(template: NonNullable<Deployment['spec']>['template'] | undefined): string {
  const { 'pod-template-hash': _, ...labels } = template?.metadata?.labels ?? {};
  return goJson({ ...template, metadata: { ...template?.metadata, labels } });
}

export const describeReplicaSet: Describer<ReplicaSet> = async (sheet, set, context) => {
  const { metadata, spec, status } = set;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.line(0, 'Selector:', formatLabelSelector(spec?.selector));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  writeController(sheet, set);
  sheet.line(0, 'Replicas:', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 1} desired`);
  sheet.line(0, 'Pods Status:', await podCounts(context.read, set, selectorText(spec?.selector)));
  writePodTemplate(sheet, spec?.template);
  writeConditions(sheet, status?.conditions);
  await eventsOf(sheet, context, aboutObject(set));
};

export const describeReplicationController: Describer<ReplicationController> = async (sheet, controller, context) => {
  const { metadata, spec, status } = controller;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.line(0, 'Selector:', formatLabels(spec?.selector));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Replicas:', `${status?.replicas ?? 0} current / ${spec?.replicas ?? 1} desired`);
  sheet.line(0, 'Pods Status:', await podCounts(context.read, controller, formatLabels(spec?.selector)));
  writePodTemplate(sheet, spec?.template);
  writeConditions(sheet, status?.conditions);
  await eventsOf(sheet, context, aboutObject(controller));
};

export const describeDaemonSet: Describer<DaemonSet> = async (sheet, set, context) => {
  const { metadata, spec, status } = set;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.line(0, 'Selector:', selectorText(spec?.selector));
  sheet.line(0, 'Node-Selector:', formatLabels(spec?.template.spec?.nodeSelector));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}`);
  sheet.line(0, `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}`);
  sheet.line(0, `Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}`);
  sheet.line(0, `Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}`);
  sheet.line(0, `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}`);
  sheet.line(0, 'Pods Status:', await podCounts(context.read, set, selectorText(spec?.selector)));
  writePodTemplate(sheet, spec?.template);
  await eventsOf(sheet, context, aboutObject(set));
};

export const describeStatefulSet: Describer<StatefulSet> = async (sheet, set, context) => {
  const { metadata, spec, status } = set;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.line(0, 'CreationTimestamp:', longTime(metadata.creationTimestamp));
  sheet.line(0, 'Selector:', selectorText(spec?.selector));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Replicas:', `${spec?.replicas ?? 1} desired | ${status?.replicas ?? 0} total`);
  sheet.line(0, 'Update Strategy:', spec?.updateStrategy?.type ?? '');
  const rolling = spec?.updateStrategy?.rollingUpdate;
  if (rolling?.partition !== undefined) {
    sheet.line(1, 'Partition:', String(rolling.partition));
    if (rolling.maxUnavailable !== undefined) sheet.line(1, 'MaxUnavailable:', String(rolling.maxUnavailable));
  }
  sheet.line(0, 'Pods Status:', await podCounts(context.read, set, selectorText(spec?.selector)));
  writePodTemplate(sheet, spec?.template);
  writeClaimTemplates(sheet, spec?.volumeClaimTemplates);
  await eventsOf(sheet, context, aboutObject(set));
};

function writeClaimTemplates(sheet: Sheet, templates: readonly PersistentVolumeClaim[] = []): void {
  if (templates.length === 0) sheet.line(0, 'Volume Claims:', '<none>');
  else sheet.line(0, 'Volume Claims:');
  for (const claim of templates) {
    const capacity = claim.spec?.resources?.requests?.['storage'];
    sheet.line(1, 'Name:', claim.metadata.name ?? '');
    sheet.line(1, 'StorageClass:', storageClass(claim));
    sheet.labels('Labels', claim.metadata.labels, '  ');
    sheet.labels('Annotations', claim.metadata.annotations, '  ');
    sheet.line(1, 'Capacity:', capacity === undefined ? '<default>' : canonicalQuantity(capacity));
    sheet.line(1, 'Access Modes:', goPrint(claim.spec?.accessModes ?? []));
  }
}
