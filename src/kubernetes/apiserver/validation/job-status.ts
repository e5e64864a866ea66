/**
 * What the status of a Job may become (validateJobStatus and ValidateJobStatusUpdate in pkg/apis/batch/validation): since
 * other controllers may look after Jobs (`managedBy`), the server holds them to what clients rely on. A rule is asked
 * only where what it is about has changed (`getStatusValidationOptions` in pkg/registry/batch/job/strategy.go).
 */
import { isTrue } from '../../api/condition.ts';
import { instantOf } from '../../api/time.ts';
import type { Job } from '../../api/types.gen.ts';
import { duplicate, type Errors, invalid, notNegative, OMITTED, required, sameJson } from './field.ts';
import { countIndexes, intervalOf } from './job-indexes.ts';

const is = (job: Job, type: string): boolean => isTrue(job.status?.conditions, type);
const isFinished = (job: Job): boolean => is(job, 'Complete') || is(job, 'Failed');

export function validateJobStatus(errors: Errors, job: Job, old: Job | undefined): void {
  const status = job.status ?? {};
  const before = old?.status ?? {};
  const changed = (...types: string[]): boolean => types.some((type) => (old ? is(old, type) : false) !== is(job, type));
  const differs = (field: keyof NonNullable<Job['status']>): boolean => !sameJson(status[field], before[field]);
  const finishing = (old ? isFinished(old) : false) !== isFinished(job);

  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) notNegative(errors, `status.${field}`, status[field]);
  validateUncounted(errors, job);
  const conditions = (detail: string): void => {
    errors.push(invalid('status.conditions', OMITTED, detail));
  };
  if (changed('Complete', 'Failed') && is(job, 'Complete') && is(job, 'Failed')) conditions('cannot set Complete=True and Failed=true conditions');
  if (changed('Complete', 'FailureTarget') && is(job, 'Complete') && is(job, 'FailureTarget'))
    conditions('cannot set Complete=True and FailureTarget=true conditions');
  if (changed('Complete') || differs('completionTime')) {
    if (status.completionTime !== undefined && !is(job, 'Complete'))
      errors.push(invalid('status.completionTime', status.completionTime, 'cannot set completionTime when there is no Complete=True condition'));
    if (status.completionTime === undefined && is(job, 'Complete'))
      errors.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
  }
  const [from, to] = [instantOf(status.startTime), instantOf(status.completionTime)];
  if ((differs('startTime') || differs('completionTime')) && from !== undefined && to !== undefined && to < from)
    errors.push(invalid('status.completionTime', status.completionTime, 'completionTime cannot be set before startTime'));
  if (changed('Failed', 'FailureTarget') && is(job, 'Failed') && !is(job, 'FailureTarget'))
    conditions('cannot set Failed=True condition without the FailureTarget=true condition');
  if (changed('Complete', 'SuccessCriteriaMet') && is(job, 'Complete') && !is(job, 'SuccessCriteriaMet'))
    conditions('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  if (isFinished(job)) validateEnd(errors, job, finishing, differs);
  validateIndexes(errors, job, differs);
  if ((differs('ready') || differs('active')) && (status.ready ?? 0) > (status.active ?? 0))
    errors.push(invalid('status.ready', status.ready, 'cannot set more ready pods than active'));
  if (is(job, 'SuccessCriteriaMet') && is(job, 'Failed')) conditions('cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (is(job, 'SuccessCriteriaMet') && is(job, 'FailureTarget')) conditions('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  if (job.spec?.successPolicy && !is(job, 'SuccessCriteriaMet') && is(job, 'Complete'))
    conditions('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  if (old) validateStep(errors, job, old, conditions, differs);
}

type Differs = (field: keyof NonNullable<Job['status']>) => boolean;

function validateUncounted(errors: Errors, job: Job): void {
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const)
    for (const [i, uid] of (job.status?.uncountedTerminatedPods?.[list] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${list}[${i}]`;
      if (uid === '') errors.push(invalid(path, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(duplicate(path, uid));
      seen.add(uid);
    }
}

/** Nothing is left to do for a Job that is over. */
function validateEnd(errors: Errors, { status = {} }: Job, finishing: boolean, differs: Differs): void {
  if ((finishing || differs('active')) && (status.active ?? 0) > 0)
    errors.push(invalid('status.active', status.active, 'active>0 is invalid for finished job'));
  if ((finishing || differs('startTime')) && status.startTime === undefined)
    errors.push(required('status.startTime', 'startTime is required for finished job'));
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  if ((finishing || differs('uncountedTerminatedPods')) && succeeded.length + failed.length > 0)
    errors.push(invalid('status.uncountedTerminatedPods', status.uncountedTerminatedPods, 'uncountedTerminatedPods needs to be empty for finished job'));
  if ((finishing || differs('terminating')) && (status.terminating ?? 0) > 0)
    errors.push(invalid('status.terminating', status.terminating, 'terminating>0 is invalid for finished job'));
}

function validateIndexes(errors: Errors, { spec, status = {} }: Job, differs: Differs): void {
  const { completedIndexes = '', failedIndexes } = status;
  const completions = spec?.completions;
  for (const field of ['completedIndexes', 'failedIndexes'] as const) {
    const text = status[field];
    if (!differs(field) || text === undefined || completions === undefined || (field === 'failedIndexes' && spec?.backoffLimitPerIndex === undefined)) continue;
    const counted = countIndexes(text, completions);
    if (typeof counted === 'string') errors.push(invalid(`status.${field}`, text, `error parsing ${field}: ${counted}`));
  }
  if (differs('completedIndexes') && completedIndexes !== '' && spec?.completionMode !== 'Indexed')
    errors.push(invalid('status.completedIndexes', completedIndexes, 'cannot set non-empty completedIndexes when non-indexed completion mode'));
  if (differs('failedIndexes') && failedIndexes !== undefined && spec?.backoffLimitPerIndex === undefined)
    errors.push(invalid('status.failedIndexes', failedIndexes, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'));
  if ((differs('failedIndexes') || differs('completedIndexes')) && failedIndexes && completedIndexes && completions !== undefined) {
    const both = overlap(completedIndexes, failedIndexes, completions);
    if (both !== undefined) errors.push(invalid('status.failedIndexes', failedIndexes, `failedIndexes and completedIndexes overlap at index: ${both}`));
  }
}

function overlap(a: string, b: string, completions: number): number | undefined {
  const intervals = (text: string) => text.split(',').map((piece) => intervalOf(piece, completions));
  for (const x of intervals(a))
    for (const y of intervals(b)) if (typeof x !== 'string' && typeof y !== 'string' && x[0] <= y[1] && y[0] <= x[1]) return Math.max(x[0], y[0]);
  return undefined;
}

/** What never goes back. */
function validateStep(errors: Errors, job: Job, old: Job, conditions: (detail: string) => void, differs: Differs): void {
  const status = job.status ?? {};
  const before = old.status ?? {};
  for (const type of ['Failed', 'Complete', 'FailureTarget'])
    if (is(old, type) && !is(job, type)) conditions(`cannot disable the terminal ${type}=True condition`);
  if ((status.failed ?? 0) < (before.failed ?? 0)) errors.push(invalid('status.failed', status.failed ?? 0, 'cannot decrease the failed counter'));
  // An Indexed Job whose two numbers move together may shrink, and what succeeded with it.
  const shrinks = job.spec?.completionMode === 'Indexed' && job.spec.completions === job.spec.parallelism;
  if (!shrinks && (status.succeeded ?? 0) < (before.succeeded ?? 0))
    errors.push(invalid('status.succeeded', status.succeeded ?? 0, 'cannot decrease the succeeded counter'));
  if (status.completionTime !== undefined && before.completionTime !== undefined && differs('completionTime'))
    errors.push(invalid('status.completionTime', status.completionTime, 'completionTime cannot be mutated'));
  if (before.startTime !== undefined && differs('startTime') && !job.spec?.suspend)
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  if (is(old, 'SuccessCriteriaMet') && !is(job, 'SuccessCriteriaMet')) conditions('cannot disable the SuccessCriteriaMet=True condition');
  if (is(old, 'Complete') && !is(old, 'SuccessCriteriaMet') && is(job, 'SuccessCriteriaMet'))
    conditions('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
}
