/** Jobs and CronJobs: pkg/apis/batch/validation. */
import { parseSchedule } from '../../api/cron.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors, qualifiedNameErrors } from '../../api/names.ts';
import { SelectorError, selectorOf } from '../../api/selector.ts';
import type { CronJob, Job, JobSpec, PodFailurePolicyRule, PodTemplateSpec, SuccessPolicyRule } from '../../api/types.gen.ts';
import { duplicate, type Errors, each, immutable, invalid, notNegative, notSupported, OMITTED, oneOf, required, sameJson, tooLong, tooMany } from './field.ts';
import { countIndexes } from './job-indexes.ts';
import { validateAnnotations, validateLabelSelector, validateLabels } from './metadata.ts';
import { validatePodTemplate } from './pod.ts';
import { isTimeZone } from './time-zone-names.ts';

const RULES_AT_MOST = 20;
const EXIT_CODES_AT_MOST = 255;
const MANY_COMPLETIONS = 100_000;
const FEW_FOR_MANY = 10_000;
const MANAGED_BY_LENGTH = 63;
const INDEXES_LENGTH = 64 * 1024;

export function validateJob(errors: Errors, job: Job, old: Job | undefined): void {
  const { metadata, spec } = job;
  if (!spec) return;
  validateGeneratedSelector(errors, job, old);
  validateJobSpec(errors, spec, 'spec');
  validateSelector(errors, spec);
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    // Pods' hostnames end in their index.
    const longest = `${metadata.name}-${spec.completions! - 1}`;
    if (dns1123LabelErrors(longest).length > 0)
      errors.push(invalid('metadata.name', metadata.name, `will not able to create pod with invalid DNS label: ${longest}`));
  }
  if (old?.spec) validateJobUpdate(errors, job, old);
}

/** Unless the selector was made by hand, the template bears the labels by which the server selects (`validateGeneratedSelector`). */
function validateGeneratedSelector(errors: Errors, { metadata, spec }: Job, old: Job | undefined): void {
  if (spec?.manualSelector || !spec?.selector) return;
  const uid = metadata.uid ?? '';
  const name = metadata.name ?? '';
  const before = old?.spec?.template.metadata?.labels;
  // Jobs from before the prefixed labels may do without them.
  const prefixed = !old || (before?.['batch.kubernetes.io/job-name'] !== undefined && before['batch.kubernetes.io/controller-uid'] !== undefined);
  const wanted: Record<string, string> = {
    'controller-uid': uid,
    'job-name': name,
    ...(prefixed ? { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name } : {}),
  };
  const labels = spec.template?.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(wanted)) {
    const path = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) errors.push(required(path, `must be '${value}'`));
    else if (labels[key] !== value) errors.push(invalid(path, labels, `must be '${value}'`));
  }
  try {
    if (!selectorOf(spec.selector).matches(wanted)) errors.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
  }
}

function validateSelector(errors: Errors, spec: JobSpec): void {
  if (!spec.selector) {
    errors.push(required('spec.selector'));
    return;
  }
  validateLabelSelector(errors, spec.selector, 'spec.selector');
  const labels = spec.template?.metadata?.labels;
  try {
    if (!selectorOf(spec.selector).matches(labels))
      errors.push(invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'));
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
  }
}

function validateJobSpec(errors: Errors, spec: JobSpec, path: string): void {
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const)
    notNegative(errors, `${path}.${field}`, spec[field]);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  if (spec.managedBy !== undefined) validateManagedBy(errors, spec.managedBy, `${path}.managedBy`);
  validateMode(errors, spec, path);
  if (spec.podFailurePolicy) validateFailurePolicy(errors, spec, `${path}.podFailurePolicy.rules`);
  if (spec.successPolicy) {
    if (spec.completionMode !== 'Indexed') errors.push(invalid(`${path}.successPolicy`, spec.successPolicy, 'requires indexed completion mode'));
    else validateSuccessPolicy(errors, spec, `${path}.successPolicy.rules`);
  }
  const replacement = spec.podReplacementPolicy;
  const replacements = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  if (replacement !== undefined && !replacements.includes(replacement)) errors.push(notSupported(`${path}.podReplacementPolicy`, replacement, replacements));
  if (!spec.template) return;
  validatePodTemplate(errors, spec.template, `${path}.template`);
  const policy = spec.template.spec?.restartPolicy;
  const at = `${path}.template.spec.restartPolicy`;
  // Always is what a template gets that says nothing.
  if (policy === undefined || policy === 'Always') errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.push(notSupported(at, policy, ['OnFailure', 'Never']));
  else if (spec.podFailurePolicy && policy !== 'Never') errors.push(invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified'));
}

function validateManagedBy(errors: Errors, name: string, path: string): void {
  const slash = name.indexOf('/');
  if (name === '') errors.push(required(path));
  else if (slash <= 0 || slash === name.length - 1) errors.push(invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  else {
    each(errors, path, name.slice(0, slash), dns1123SubdomainErrors(name.slice(0, slash)));
    if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(name.slice(slash + 1)))
      errors.push(invalid(path, name.slice(slash + 1), "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"));
  }
  if (name.length > MANAGED_BY_LENGTH) errors.push(tooLong(path, MANAGED_BY_LENGTH));
}

function validateMode(errors: Errors, spec: JobSpec, path: string): void {
  const { completionMode = 'NonIndexed', completions, parallelism, backoffLimitPerIndex, maxFailedIndexes } = spec;
  if (completionMode !== 'NonIndexed' && completionMode !== 'Indexed') {
    errors.push(notSupported(`${path}.completionMode`, completionMode, ['NonIndexed', 'Indexed']));
    return;
  }
  if (completionMode === 'NonIndexed') {
    if (backoffLimitPerIndex !== undefined) errors.push(invalid(`${path}.backoffLimitPerIndex`, backoffLimitPerIndex, 'requires indexed completion mode'));
    if (maxFailedIndexes !== undefined) errors.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'requires indexed completion mode'));
    return;
  }
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'));
  if ((parallelism ?? 0) > MANY_COMPLETIONS)
    errors.push(invalid(`${path}.parallelism`, parallelism, `must be less than or equal to ${MANY_COMPLETIONS} when completion mode is Indexed`));
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions)
    errors.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'));
  if ((maxFailedIndexes ?? 0) > MANY_COMPLETIONS)
    errors.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, `must be less than or equal to ${MANY_COMPLETIONS}`));
  if ((completions ?? 0) <= MANY_COMPLETIONS || backoffLimitPerIndex === undefined) return;
  const few = `must be less than or equal to ${FEW_FOR_MANY} when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) errors.push(required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${MANY_COMPLETIONS}`));
  if ((parallelism ?? 0) > FEW_FOR_MANY) errors.push(invalid(`${path}.parallelism`, parallelism, few));
  if ((maxFailedIndexes ?? 0) > FEW_FOR_MANY) errors.push(invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, few));
}

// --- what failing and succeeding mean ----------------------------------------------------------------------

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];
/** Go's `%q` of a list of strings. */
const listed = (values: readonly string[]): string => `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;

function validateFailurePolicy(errors: Errors, spec: JobSpec, path: string): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (rules.length > RULES_AT_MOST) errors.push(tooMany(path, rules.length, RULES_AT_MOST));
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  for (const [i, rule] of rules.entries()) {
    const at = `${path}[${i}]`;
    if (!rule.action) errors.push(required(`${at}.action`, listed(ACTIONS)));
    else if (rule.action === 'FailIndex') {
      if (spec.backoffLimitPerIndex === undefined) errors.push(invalid(`${at}.action`, rule.action, 'requires the backoffLimitPerIndex to be set'));
    } else if (!ACTIONS.includes(rule.action)) errors.push(notSupported(`${at}.action`, rule.action, ACTIONS));
    if (rule.onExitCodes) validateExitCodes(errors, rule.onExitCodes, `${at}.onExitCodes`, names);
    const conditions = rule.onPodConditions ?? [];
    if (conditions.length > RULES_AT_MOST) errors.push(tooMany(`${at}.onPodConditions`, conditions.length, RULES_AT_MOST));
    for (const [j, { type, status }] of conditions.entries()) {
      each(errors, `${at}.onPodConditions[${j}].type`, type ?? '', qualifiedNameErrors(type ?? ''));
      if (!status) errors.push(required(`${at}.onPodConditions[${j}].status`, listed(STATUSES)));
      else if (!STATUSES.includes(status)) errors.push(notSupported(`${at}.onPodConditions[${j}].status`, status, STATUSES));
    }
    if (rule.onExitCodes && conditions.length > 0) errors.push(invalid(at, OMITTED, 'specifying both OnExitCodes and OnPodConditions is not supported'));
    if (!rule.onExitCodes && conditions.length === 0) errors.push(invalid(at, OMITTED, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
}

function validateExitCodes(errors: Errors, codes: NonNullable<PodFailurePolicyRule['onExitCodes']>, path: string, names: ReadonlySet<string>): void {
  const { operator, containerName, values = [] } = codes;
  if (!operator) errors.push(required(`${path}.operator`, listed(OPERATORS)));
  else if (!OPERATORS.includes(operator)) errors.push(notSupported(`${path}.operator`, operator, OPERATORS));
  if (containerName !== undefined && !names.has(containerName))
    errors.push(invalid(`${path}.containerName`, containerName, 'must be one of the container or initContainer names in the pod template'));
  if (values.length === 0) errors.push(invalid(`${path}.values`, values, 'at least one value is required'));
  else if (values.length > EXIT_CODES_AT_MOST) errors.push(tooMany(`${path}.values`, values.length, EXIT_CODES_AT_MOST));
  for (const [i, value] of values.entries()) {
    if (operator === 'In' && value === 0) errors.push(invalid(`${path}.values[${i}]`, value, 'must not be 0 for the In operator'));
    if (values.indexOf(value) < i) errors.push(duplicate(`${path}.values[${i}]`, value));
  }
  if (values.some((value, i) => i > 0 && values[i - 1]! > value)) errors.push(invalid(`${path}.values`, values, 'must be ordered'));
}

function validateSuccessPolicy(errors: Errors, spec: JobSpec, path: string): void {
  const rules = spec.successPolicy?.rules ?? [];
  if (rules.length === 0) errors.push(required(path, 'at least one rules must be specified when the successPolicy is specified'));
  if (rules.length > RULES_AT_MOST) errors.push(tooMany(path, rules.length, RULES_AT_MOST));
  for (const [i, rule] of rules.entries()) validateSuccessRule(errors, rule, spec.completions ?? 0, `${path}[${i}]`);
}

function validateSuccessRule(errors: Errors, { succeededCount, succeededIndexes }: SuccessPolicyRule, completions: number, path: string): void {
  if (succeededCount === undefined && succeededIndexes === undefined)
    errors.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  let total = 0;
  if (succeededIndexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (succeededIndexes.length > INDEXES_LENGTH) errors.push(tooLong(at, INDEXES_LENGTH));
    const counted = countIndexes(succeededIndexes, completions);
    if (typeof counted === 'string') errors.push(invalid(at, succeededIndexes, `error parsing succeededIndexes: ${counted}`));
    else total = counted;
  }
  if (succeededCount === undefined) return;
  const at = `${path}.succeededCount`;
  notNegative(errors, at, succeededCount);
  if (succeededCount > completions)
    errors.push(invalid(at, succeededCount, `must be less than or equal to ${completions} (the number of specified completions)`));
  if (succeededIndexes !== undefined && succeededCount > total)
    errors.push(invalid(at, succeededCount, `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`));
}

// --- what never changes ------------------------------------------------------------------------------------

function validateJobUpdate(errors: Errors, job: Job, old: Job): void {
  const spec = job.spec!;
  const before = old.spec!;
  if (spec.completionMode !== 'Indexed') immutable(errors, 'spec.completions', spec.completions ?? null, before.completions ?? null);
  else if (spec.completions !== undefined && spec.completions !== before.completions && spec.completions !== spec.parallelism)
    errors.push(invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'));
  immutable(errors, 'spec.selector', spec.selector, before.selector);
  // Where pods are to run may be changed as long as none has been made.
  const template = before.suspend === true && old.status?.startTime === undefined ? withDirectivesOf(before.template, spec.template) : before.template;
  immutable(errors, 'spec.template', spec.template, template);
  for (const field of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const)
    immutable(errors, `spec.${field}`, spec[field] ?? null, before[field] ?? null);
}

/** The old template with the scheduling directives of the new (`validatePodTemplateUpdate`). */
function withDirectivesOf(old: PodTemplateSpec, next: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, tolerations, schedulingGates, affinity } = next.spec ?? { containers: [] };
  const { nodeAffinity: _, ...others } = old.spec?.affinity ?? {};
  const rest = { ...others, ...(affinity?.nodeAffinity ? { nodeAffinity: affinity.nodeAffinity } : {}) };
  const spec = {
    ...(old.spec ?? { containers: [] }),
    nodeSelector,
    tolerations,
    schedulingGates,
    affinity: affinity || Object.keys(rest).length > 0 ? rest : undefined,
  };
  return { ...old, metadata: { ...old.metadata, annotations: next.metadata?.annotations, labels: next.metadata?.labels }, spec } as PodTemplateSpec;
}

// --- CronJobs ----------------------------------------------------------------------------------------------

export function validateCronJob(errors: Errors, object: CronJob, old: CronJob | undefined): void {
  const spec = object.spec;
  const name = object.metadata.name ?? '';
  if (spec) {
    if (!spec.schedule) errors.push(required('spec.schedule'));
    else validateSchedule(errors, spec.schedule, spec.timeZone, old?.spec?.schedule.includes('TZ') ?? false);
    notNegative(errors, 'spec.startingDeadlineSeconds', spec.startingDeadlineSeconds);
    if (!old || old.spec?.timeZone !== spec.timeZone) validateTimeZone(errors, spec.timeZone);
    oneOf(errors, 'spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']);
    const job = spec.jobTemplate?.spec;
    if (job) {
      validateJobSpec(errors, job, 'spec.jobTemplate.spec');
      if (job.selector) errors.push(invalid('spec.jobTemplate.spec.selector', job.selector, '`selector` will be auto-generated'));
      if (job.manualSelector) errors.push(notSupported('spec.jobTemplate.spec.manualSelector', job.manualSelector, ['nil', 'false']));
    }
    const { labels, annotations } = spec.jobTemplate?.metadata ?? {};
    if (labels) validateLabels(errors, labels, 'spec.jobTemplate.labels');
    if (annotations) validateAnnotations(errors, annotations, 'spec.jobTemplate.annotations');
    notNegative(errors, 'spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit);
    notNegative(errors, 'spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit);
  }
  // The controller appends eleven characters to make a job's name.
  if (name.length > 52 && !old) errors.push(invalid('metadata.name', name, 'must be no more than 52 characters'));
}

function validateSchedule(errors: Errors, schedule: string, timeZone: string | undefined, mayNameZone: boolean): void {
  const parsed = parseSchedule(schedule);
  if ('error' in parsed) errors.push(invalid('spec.schedule', schedule, parsed.error));
  else if (parsed.zone !== undefined && !isTimeZone(parsed.zone))
    errors.push(invalid('spec.schedule', schedule, `provided bad location ${parsed.zone}: unknown time zone ${parsed.zone}`));
  if (!schedule.includes('TZ')) return;
  if (!mayNameZone) errors.push(invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  else if (timeZone !== undefined) errors.push(invalid('spec.schedule', schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'));
}

function validateTimeZone(errors: Errors, zone: string | undefined): void {
  if (zone === undefined) return;
  if (zone === '') errors.push(invalid('spec.timeZone', zone, 'timeZone must be nil or non-empty string'));
  else if (zone.toLowerCase() === 'local') {
    errors.push(invalid('spec.timeZone', zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'));
    // Go knows "Local", and no other way to write it.
    if (zone !== 'Local') errors.push(invalid('spec.timeZone', zone, `unknown time zone ${zone}`));
  } else if (!isTimeZone(zone)) errors.push(invalid('spec.timeZone', zone, `unknown time zone ${zone}`));
}

/** Where the server would warn rather than refuse (`WarningsOnCreate`, `WarningsForJobSpec`). */
export function jobWarnings({ metadata, spec }: Job, old: Job | undefined): string[] {
  const warnings: string[] = [];
  const wrong = dns1123LabelErrors(metadata.name ?? '');
  if (!old && wrong.length > 0)
    warnings.push(
      `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${wrong.join(' ')}]`,
    );
  if (old && sameJson(old.spec, spec)) return warnings;
  if (spec?.completionMode === 'Indexed' && (spec.completions ?? 0) > MANY_COMPLETIONS && (spec.parallelism ?? 0) > FEW_FOR_MANY)
    warnings.push(
      'spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
    );
  return warnings;
}
