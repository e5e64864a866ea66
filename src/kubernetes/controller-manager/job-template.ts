/** The pod a Job makes: its template, tracked by a finalizer, and for an Indexed Job told which index it is to complete. */
import type { DeepReadonly } from '../api/json.ts';
import type { Container, PodSpec } from '../api/types.gen.ts';
import { INDEX_ANNOTATION } from './job-indexes.ts';
import {
  countsPerIndex,
  FAILURE_COUNT_ANNOTATION,
  failuresBefore,
  IGNORED_FAILURE_COUNT_ANNOTATION,
  ignoredFailuresBefore,
  judgeFailure,
  type ReadonlyJob,
  TRACKING_FINALIZER,
} from './job-pods.ts';
import { podFromTemplate, type ReadonlyPod } from './pods.ts';

const INDEX_ENV = 'JOB_COMPLETION_INDEX';
/** What is left of 63 characters when five random ones are appended. */
const LONGEST_PREFIX = 58;

/** @param index of an Indexed Job @param replaces the last pod that failed in this index, whose count the new one carries on */
export function podFor(job: ReadonlyJob, index?: number, replaces?: ReadonlyPod): ReadonlyPod {
  const template = job.spec?.template ?? {};
  const finalizers = [...(template.metadata?.finalizers ?? []).filter((name) => name !== TRACKING_FINALIZER), TRACKING_FINALIZER];
  const pod = podFromTemplate({ ...template, metadata: { ...template.metadata, finalizers } }, job);
  if (index === undefined) return pod;
  const name = job.metadata.name ?? '';
  const suffix = `-${index}-`;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: name.slice(0, LONGEST_PREFIX - suffix.length) + suffix,
      labels: { ...pod.metadata.labels, [INDEX_ANNOTATION]: String(index) },
      annotations: { ...pod.metadata.annotations, [INDEX_ANNOTATION]: String(index), ...(countsPerIndex(job) ? failureCounts(job, replaces) : {}) },
    },
    spec: withIndexEnv({ ...(template.spec ?? { containers: [] }), hostname: `${name}-${index}` }),
  };
}

function failureCounts(job: ReadonlyJob, replaces: ReadonlyPod | undefined): Record<string, string> {
  let failures = 0;
  let ignored = 0;
  if (replaces) {
    failures = failuresBefore(replaces);
    ignored = ignoredFailuresBefore(replaces);
    if (judgeFailure(job.spec?.podFailurePolicy, replaces).counts) failures++;
    else ignored++;
  }
  return { [FAILURE_COUNT_ANNOTATION]: String(failures), ...(ignored > 0 ? { [IGNORED_FAILURE_COUNT_ANNOTATION]: String(ignored) } : {}) };
}

function withIndexEnv(spec: DeepReadonly<PodSpec>): DeepReadonly<PodSpec> {
  const told = (container: DeepReadonly<Container>): DeepReadonly<Container> =>
    container.env?.some(({ name }) => name === INDEX_ENV)
      ? container
      : {
          ...container,
          env: [
            ...(container.env ?? []),
            { name: INDEX_ENV, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${INDEX_ANNOTATION}']` } } },
          ],
        };
  return { ...spec, ...(spec.initContainers ? { initContainers: spec.initContainers.map(told) } : {}), containers: spec.containers.map(told) };
}
