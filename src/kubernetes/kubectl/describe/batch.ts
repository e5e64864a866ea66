/** Jobs and cron jobs. */
import { humanDuration, instantOf } from '../../api/time.ts';
import type { CronJob, Job, JobTemplateSpec } from '../../api/types.gen.ts';
import { aboutObject, eventsOf } from './events.ts';
import { writeController, writePodTemplate } from './pod.ts';
import type { Describer } from './reader.ts';
import { longTime, type Sheet, yesNoUnset } from './sheet.ts';
import { selectorText } from './workloads.ts';

export const describeJob: Describer<Job> = async (sheet, job, context) => {
  const { metadata, spec, status = {} } = job;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.line(0, 'Selector:', selectorText(spec?.selector));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  writeController(sheet, job);
  if (spec?.parallelism !== undefined) sheet.line(0, 'Parallelism:', String(spec.parallelism));
  sheet.line(0, 'Completions:', String(spec?.completions ?? '<unset>'));
  if (spec?.completionMode) sheet.line(0, 'Completion Mode:', spec.completionMode);
  if (spec?.suspend !== undefined) sheet.line(0, 'Suspend:', String(spec.suspend));
  if (spec?.backoffLimit !== undefined) sheet.line(0, 'Backoff Limit:', String(spec.backoffLimit));
  if (spec?.ttlSecondsAfterFinished !== undefined) sheet.line(0, 'TTL Seconds After Finished:', String(spec.ttlSecondsAfterFinished));
  if (status.startTime) sheet.line(0, 'Start Time:', longTime(status.startTime));
  if (status.completionTime) sheet.line(0, 'Completed At:', longTime(status.completionTime));
  const [from, to] = [instantOf(status.startTime), instantOf(status.completionTime)];
  if (from !== undefined && to !== undefined) sheet.line(0, 'Duration:', humanDuration(to - from));
  if (spec?.activeDeadlineSeconds !== undefined) sheet.line(0, 'Active Deadline Seconds:', `${spec.activeDeadlineSeconds}s`);
  const ready = status.ready === undefined ? '' : ` (${status.ready} Ready)`;
  sheet.line(0, 'Pods Statuses:', `${status.active ?? 0} Active${ready} / ${status.succeeded ?? 0} Succeeded / ${status.failed ?? 0} Failed`);
  if (spec?.completionMode === 'Indexed') sheet.line(0, 'Completed Indexes:', capIndexes(status.completedIndexes));
  writePodTemplate(sheet, spec?.template);
  await eventsOf(sheet, context, aboutObject(job));
};

/** Cuts a long list of indexes at the first comma after 50 characters. */
function capIndexes(indexes = ''): string {
  const comma = indexes.indexOf(',', 50);
  return indexes === '' ? '<none>' : comma < 0 ? indexes : `${indexes.slice(0, comma + 1)}...`;
}

export const describeCronJob: Describer<CronJob> = async (sheet, cron, context) => {
  const { metadata, spec, status } = cron;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Schedule:', spec?.schedule ?? '');
  sheet.line(0, 'Concurrency Policy:', spec?.concurrencyPolicy ?? '');
  sheet.line(0, 'Suspend:', yesNoUnset(spec?.suspend));
  sheet.line(0, 'Successful Job History Limit:', String(spec?.successfulJobsHistoryLimit ?? '<unset>'));
  sheet.line(0, 'Failed Job History Limit:', String(spec?.failedJobsHistoryLimit ?? '<unset>'));
  sheet.line(0, 'Starting Deadline Seconds:', spec?.startingDeadlineSeconds === undefined ? '<unset>' : `${spec.startingDeadlineSeconds}s`);
  writeJobTemplate(sheet, spec?.jobTemplate);
  sheet.line(0, 'Last Schedule Time:', status?.lastScheduleTime ? longTime(status.lastScheduleTime) : '<unset>');
  sheet.line(0, 'Active Jobs:', (status?.active ?? []).map(({ name }) => name).join(', ') || '<none>');
  await eventsOf(sheet, context, aboutObject(cron));
};

function writeJobTemplate(sheet: Sheet, template: JobTemplateSpec | undefined): void {
  const spec = template?.spec;
  sheet.line(0, 'Selector:', spec?.selector ? selectorText(spec.selector) : '<unset>');
  sheet.line(0, 'Parallelism:', String(spec?.parallelism ?? '<unset>'));
  sheet.line(0, 'Completions:', String(spec?.completions ?? '<unset>'));
  if (spec?.activeDeadlineSeconds !== undefined) sheet.line(0, 'Active Deadline Seconds:', `${spec.activeDeadlineSeconds}s`);
  writePodTemplate(sheet, spec?.template);
}
