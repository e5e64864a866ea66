/** Defaults of what makes pods: pkg/apis/{apps,batch,autoscaling}/…/defaults.go. */
import type {
  CronJob,
  DaemonSet,
  Deployment,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  HPAScalingRules,
  Job,
  JobSpec,
  PodTemplate,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../api/types.gen.ts';
import { claimDefaults } from './core.ts';
import { at, each, fill } from './fill.ts';
import { podTemplateDefaults } from './pod.ts';

export const deploymentDefaults = (object: Deployment): Deployment =>
  at(object, 'spec', (before) => {
    let spec = fill(before, { progressDeadlineSeconds: 600, replicas: 1, revisionHistoryLimit: 10, strategy: {} });
    spec = at(spec, 'strategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      if (typed.type !== 'RollingUpdate') return typed;
      return at(fill(typed, { rollingUpdate: {} }), 'rollingUpdate', (rolling) => fill(rolling, { maxSurge: '25%', maxUnavailable: '25%' }));
    });
    return at(spec, 'template', podTemplateDefaults);
  });

export const replicaSetDefaults = (object: ReplicaSet): ReplicaSet =>
  at(object, 'spec', (spec) => at(fill(spec, { replicas: 1 }), 'template', podTemplateDefaults));

export function replicationControllerDefaults(object: ReplicationController): ReplicationController {
  const labels = object.spec?.template?.metadata?.labels;
  let out = at(object, 'spec', (spec) => at(fill(spec, { replicas: 1, ...(labels ? { selector: labels } : {}) }), 'template', podTemplateDefaults));
  if (labels) out = at(out, 'metadata', (metadata) => fill(metadata, { labels }));
  return out;
}

export const podTemplateObjectDefaults = (object: PodTemplate): PodTemplate => at(object, 'template', podTemplateDefaults);

export const daemonSetDefaults = (object: DaemonSet): DaemonSet =>
  at(object, 'spec', (before) => {
    let spec = fill(before, { revisionHistoryLimit: 10, updateStrategy: {} });
    spec = at(spec, 'updateStrategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      if (typed.type !== 'RollingUpdate') return typed;
      return at(fill(typed, { rollingUpdate: {} }), 'rollingUpdate', (rolling) => fill(rolling, { maxSurge: 0, maxUnavailable: 1 }));
    });
    return at(spec, 'template', podTemplateDefaults);
  });

export const statefulSetDefaults = (object: StatefulSet): StatefulSet =>
  at(object, 'spec', (before) => {
    let spec = fill(before, {
      persistentVolumeClaimRetentionPolicy: {},
      podManagementPolicy: 'OrderedReady',
      replicas: 1,
      revisionHistoryLimit: 10,
      updateStrategy: {},
    });
    spec = at(spec, 'persistentVolumeClaimRetentionPolicy', (policy) => fill(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' }));
    spec = at(spec, 'updateStrategy', (strategy) => {
      const typed = fill(strategy, { type: 'RollingUpdate' });
      if (typed.type !== 'RollingUpdate') return typed;
      return at(fill(typed, { rollingUpdate: {} }), 'rollingUpdate', (rolling) => fill(rolling, { partition: 0 }));
    });
    spec = at(spec, 'volumeClaimTemplates', (list) => each(list, (claim) => claimDefaults(fill(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' }))));
    return at(spec, 'template', podTemplateDefaults);
  });

export function jobDefaults(object: Job): Job {
  const spec = object.spec;
  if (!spec) return object;
  let out = at(object, 'spec', (before) => at(jobSpecDefaults(before), 'template', podTemplateDefaults));
  const labels = spec.template?.metadata?.labels;
  if (labels) out = at(out, 'metadata', (metadata) => fill(metadata, { labels }));
  return out;
}

function jobSpecDefaults(spec: JobSpec): JobSpec {
  // Neither said: one pod. Only parallelism said: a work queue, with no number of completions.
  const both = spec.completions === undefined && spec.parallelism === undefined;
  return fill(withConditionDefaults(spec), {
    backoffLimit: spec.backoffLimitPerIndex !== undefined ? 2_147_483_647 : 6,
    completionMode: 'NonIndexed',
    ...(both ? { completions: 1 } : {}),
    manualSelector: false,
    parallelism: 1,
    podReplacementPolicy: spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
    suspend: false,
  });
}

/** A pattern of a pod failure policy that names no status means True. */
function withConditionDefaults(spec: JobSpec): JobSpec {
  if (!spec.podFailurePolicy?.rules) return spec;
  const rules = spec.podFailurePolicy.rules.map((rule) =>
    rule.onPodConditions
      ? { ...rule, onPodConditions: rule.onPodConditions.map((pattern) => (pattern.status ? pattern : { ...pattern, status: 'True' })) }
      : rule,
  );
  return { ...spec, podFailurePolicy: { ...spec.podFailurePolicy, rules } };
}

export const cronJobDefaults = (object: CronJob): CronJob =>
  at(object, 'spec', (before) =>
    at(fill(before, { concurrencyPolicy: 'Allow', failedJobsHistoryLimit: 1, successfulJobsHistoryLimit: 3, suspend: false }), 'jobTemplate', (template) =>
      at(template, 'spec', (spec) => at(withConditionDefaults(spec), 'template', podTemplateDefaults)),
    ),
  );

const SCALE_UP: HPAScalingRules = {
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
  selectPolicy: 'Max',
  stabilizationWindowSeconds: 0,
};
const SCALE_DOWN: HPAScalingRules = { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }], selectPolicy: 'Max' };

function withoutTolerance(given: HPAScalingRules): HPAScalingRules {
  const { tolerance, ...rules } = given;
  return tolerance === undefined ? given : rules;
}

export const autoscalerDefaults = (object: HorizontalPodAutoscaler): HorizontalPodAutoscaler =>
  at(object, 'spec', (before) => {
    let spec = fill(before, { minReplicas: 1 });
    if (!spec.metrics?.length)
      spec = { ...spec, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }] };
    return at(spec, 'behavior', (behavior) => {
      // The alpha gate HPAConfigurableTolerance is off: its field is dropped (registry/autoscaling/horizontalpodautoscaler/strategy.go).
      const plain = at(at(behavior, 'scaleUp', withoutTolerance), 'scaleDown', withoutTolerance);
      const filled = fill(plain, { scaleDown: {}, scaleUp: {} });
      return at(
        at(filled, 'scaleUp', (rules) => fill(rules, SCALE_UP)),
        'scaleDown',
        (rules) => fill(rules, SCALE_DOWN),
      );
    });
  });

export const autoscalerV1Defaults = (object: HorizontalPodAutoscalerV1): HorizontalPodAutoscalerV1 =>
  at(object, 'spec', (spec) => fill(spec, { minReplicas: 1 }));
