/** Tables of what makes pods. */
import type { Instant } from '../../../sim/clock.ts';
import { controllerOf } from '../../api/owner.ts';
import { byObject } from '../../api/resources.ts';
import { formatLabelSelector } from '../../api/selector.ts';
import { humanDuration, instantOf } from '../../api/time.ts';
import type {
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  Job,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../api/types.gen.ts';
import { age, ageOf, columns, containerCells, formatLabels, type Printer } from './table.ts';

const TEMPLATE = ['+Containers', '+Images', '+Selector'] as const;

export const deploymentPrinter: Printer<Deployment> = {
  columns: columns('Name', 'Ready', 'Up-to-date #', 'Available #', 'Age', ...TEMPLATE),
  cells: (object, now) => [
    object.metadata.name ?? '',
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    object.status?.updatedReplicas ?? 0,
    object.status?.availableReplicas ?? 0,
    age(object, now),
    ...containerCells(object.spec?.template.spec?.containers),
    formatLabelSelector(object.spec?.selector),
  ],
};

export const replicaSetPrinter: Printer<ReplicaSet> = {
  columns: columns('Name', 'Desired #', 'Current #', 'Ready #', 'Age', ...TEMPLATE),
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.spec?.replicas ?? 0,
    object.status?.replicas ?? 0,
    object.status?.readyReplicas ?? 0,
    age(object, now),
    ...containerCells(object.spec?.template?.spec?.containers),
    formatLabelSelector(object.spec?.selector),
  ],
};

export const replicationControllerPrinter: Printer<ReplicationController> = {
  columns: columns('Name', 'Desired #', 'Current #', 'Ready #', 'Age', ...TEMPLATE),
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.spec?.replicas ?? 0,
    object.status?.replicas ?? 0,
    object.status?.readyReplicas ?? 0,
    age(object, now),
    ...containerCells(object.spec?.template?.spec?.containers),
    formatLabels(object.spec?.selector),
  ],
};

export const statefulSetPrinter: Printer<StatefulSet> = {
  columns: columns('Name', 'Ready', 'Age', '+Containers', '+Images'),
  cells: (object, now) => [
    object.metadata.name ?? '',
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    age(object, now),
    ...containerCells(object.spec?.template.spec?.containers),
  ],
};

export const daemonSetPrinter: Printer<DaemonSet> = {
  columns: columns('Name', 'Desired #', 'Current #', 'Ready #', 'Up-to-date #', 'Available #', 'Node Selector', 'Age', ...TEMPLATE),
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.status?.desiredNumberScheduled ?? 0,
    object.status?.currentNumberScheduled ?? 0,
    object.status?.numberReady ?? 0,
    object.status?.updatedNumberScheduled ?? 0,
    object.status?.numberAvailable ?? 0,
    formatLabels(object.spec?.template.spec?.nodeSelector),
    age(object, now),
    ...containerCells(object.spec?.template.spec?.containers),
    formatLabelSelector(object.spec?.selector),
  ],
};

/** printJob's status: Complete and Failed win over the states on the way there. */
function jobStatus(job: Job): string {
  const is = (type: string): boolean => job.status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false;
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp) return 'Terminating';
  if (is('Suspended')) return 'Suspended';
  if (is('FailureTarget')) return 'FailureTarget';
  if (is('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

function jobDuration(job: Job, now: Instant): string {
  const start = instantOf(job.status?.startTime);
  if (start === undefined) return '';
  const end = instantOf(job.status?.completionTime);
  return humanDuration((end ?? now) - start);
}

function jobCompletions(job: Job): string {
  const succeeded = job.status?.succeeded ?? 0;
  if (job.spec?.completions !== undefined) return `${succeeded}/${job.spec.completions}`;
  const parallelism = job.spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

export const jobPrinter: Printer<Job> = {
  columns: columns('Name', 'Status', 'Completions', 'Duration', 'Age', ...TEMPLATE),
  cells: (object, now) => [
    object.metadata.name ?? '',
    jobStatus(object),
    jobCompletions(object),
    jobDuration(object, now),
    age(object, now),
    ...containerCells(object.spec?.template.spec?.containers),
    formatLabelSelector(object.spec?.selector),
  ],
};

export const cronJobPrinter: Printer<CronJob> = {
  columns: columns('Name', 'Schedule', 'Timezone', 'Suspend', 'Active #', 'Last Schedule', 'Age', ...TEMPLATE),
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.spec?.schedule ?? '',
    object.spec?.timeZone ?? '<none>',
    object.spec?.suspend ? 'True' : 'False',
    object.status?.active?.length ?? 0,
    object.status?.lastScheduleTime ? ageOf(object.status.lastScheduleTime, now) : '<none>',
    age(object, now),
    ...containerCells(object.spec?.jobTemplate.spec?.template.spec?.containers),
    formatLabelSelector(object.spec?.jobTemplate.spec?.selector),
  ],
};

export const disruptionBudgetPrinter: Printer<PodDisruptionBudget> = {
  columns: columns('Name', 'Min Available', 'Max Unavailable', 'Allowed Disruptions #', 'Age'),
  cells: (object, now) => [
    object.metadata.name ?? '',
    String(object.spec?.minAvailable ?? 'N/A'),
    String(object.spec?.maxUnavailable ?? 'N/A'),
    object.status?.disruptionsAllowed ?? 0,
    age(object, now),
  ],
};

export const controllerRevisionPrinter: Printer<ControllerRevision> = {
  columns: columns('Name', 'Controller', 'Revision', 'Age'),
  cells: (object, now) => {
    const owner = controllerOf(object);
    const row = owner && byObject(owner);
    const kind = owner ? `${owner.kind.toLowerCase()}${row?.group ? `.${row.group}` : ''}/${owner.name}` : '<none>';
    return [object.metadata.name ?? '', kind, String(object.revision), age(object, now)];
  },
};

/** `cpu: 20%/80%`, `<unknown>/10`; three metrics at most (formatHPAMetrics). */
function autoscalerTargets(object: HorizontalPodAutoscaler): string {
  const specs = object.spec?.metrics ?? [];
  if (specs.length === 0) return '<none>';
  const shown = specs.slice(0, 2).map((spec, i) => metricText(spec, object.status?.currentMetrics?.[i]));
  return `${shown.join(', ')}${specs.length > 2 ? ` + ${specs.length - 2} more...` : ''}`;
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'Resource':
      return `${spec.resource?.name}: ${pair(spec.resource?.target, status?.resource?.current)}`;
    case 'ContainerResource':
      return `${spec.containerResource?.name}: ${pair(spec.containerResource?.target, status?.containerResource?.current)}`;
    case 'Pods':
      return pair(spec.pods?.target, status?.pods?.current);
    case 'Object':
      return pair(spec.object?.target, status?.object?.current, ' (avg)');
    case 'External':
      return pair(spec.external?.target, status?.external?.current, ' (avg)');
    default:
      return '<unknown type>';
  }
}

function pair(target: MetricTarget | undefined, current: MetricValueStatus | undefined, average = ''): string {
  if (target?.averageUtilization !== undefined) {
    return `${current?.averageUtilization !== undefined ? `${current.averageUtilization}%` : '<unknown>'}/${target.averageUtilization}%`;
  }
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}${average}`;
  return `${current?.value ?? '<unknown>'}/${target?.value ?? '<auto>'}`;
}

const HPA_COLUMNS = columns('Name', 'Reference', 'Targets', 'MinPods', 'MaxPods', 'Replicas', 'Age');
const orUnset = (value: number | undefined): string => (value === undefined ? '<unset>' : String(value));

export const autoscalerPrinter: Printer<HorizontalPodAutoscaler> = {
  columns: HPA_COLUMNS,
  cells: (object, now) => [
    object.metadata.name ?? '',
    `${object.spec?.scaleTargetRef.kind}/${object.spec?.scaleTargetRef.name}`,
    autoscalerTargets(object),
    orUnset(object.spec?.minReplicas),
    object.spec?.maxReplicas ?? 0,
    object.status?.currentReplicas ?? 0,
    age(object, now),
  ],
};

export const autoscalerV1Printer: Printer<HorizontalPodAutoscalerV1> = {
  columns: HPA_COLUMNS,
  cells: (object, now) => {
    const target = object.spec?.targetCPUUtilizationPercentage;
    const current = object.status?.currentCPUUtilizationPercentage;
    return [
      object.metadata.name ?? '',
      `${object.spec?.scaleTargetRef.kind}/${object.spec?.scaleTargetRef.name}`,
      target === undefined ? '<none>' : `cpu: ${current === undefined ? '<unknown>' : `${current}%`}/${target}%`,
      orUnset(object.spec?.minReplicas),
      object.spec?.maxReplicas ?? 0,
      object.status?.currentReplicas ?? 0,
      age(object, now),
    ];
  },
};
