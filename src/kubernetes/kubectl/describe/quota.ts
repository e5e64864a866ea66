/** Limits on namespaces and on disruption: namespaces, quotas, limit ranges, priority classes, disruption budgets. */
import { canonicalQuantity, formatQuantity, parseQuantity } from '../../api/quantity.ts';
import { formatLabelSelector } from '../../api/selector.ts';
import type { LimitRange, Namespace, PodDisruptionBudget, PriorityClass, ResourceQuota } from '../../api/types.gen.ts';
import { aboutObject, eventsOf } from './events.ts';
import { type Describer, listOf } from './reader.ts';
import { formatLabels, longTime, type Sheet, sortedKeys } from './sheet.ts';

export const describeNamespace: Describer<Namespace> = async (sheet, { metadata, status }, { read }) => {
  const name = metadata.name ?? '';
  const quotas = await listOf(read, 'ResourceQuota', name);
  const ranges = await listOf(read, 'LimitRange', name);
  sheet.line(0, 'Name:', name);
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Status:', status?.phase ?? '');
  if (status?.conditions?.length) {
    sheet.line(0, 'Conditions:');
    sheet.head(1, 'Type', 'Status', 'LastTransitionTime', 'Reason', 'Message');
    for (const c of status.conditions) sheet.line(1, c.type, c.status, longTime(c.lastTransitionTime), c.reason ?? '', c.message ?? '');
  }
  sheet.line(0, '');
  if (quotas.length === 0) sheet.line(0, 'No resource quota.');
  else {
    sheet.line(0, 'Resource Quotas');
    for (const quota of [...quotas].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))) {
      sheet.line(1, 'Name:', quota.metadata.name ?? '');
      writeScopes(sheet, quota, 1, '');
      sheet.line(1, 'Resource', 'Used', 'Hard');
      sheet.line(1, '--------', '---', '---');
      writeAmounts(sheet, quota, 1);
    }
  }
  sheet.line(0, '');
  if (ranges.length === 0) sheet.line(0, 'No LimitRange resource.');
  else {
    sheet.line(0, 'Resource Limits');
    sheet.line(0, ' Type', ...LIMIT_TITLES);
    sheet.line(0, ' ----', ...LIMIT_TITLES.map((title) => '-'.repeat(title.length)));
    for (const range of ranges) writeLimits(sheet, range, ' ');
  }
};

const LIMIT_TITLES = ['Resource', 'Min', 'Max', 'Default Request', 'Default Limit', 'Max Limit/Request Ratio'];

export const describeLimitRange: Describer<LimitRange> = async (sheet, range) => {
  sheet.line(0, 'Name:', range.metadata.name ?? '');
  sheet.line(0, 'Namespace:', range.metadata.namespace ?? '');
  sheet.head(0, 'Type', ...LIMIT_TITLES);
  writeLimits(sheet, range, '');
};

function writeLimits(sheet: Sheet, { spec }: LimitRange, prefix: string): void {
  for (const item of spec?.limits ?? []) {
    const lists = [item.min, item.max, item.defaultRequest, item.default, item.maxLimitRequestRatio];
    const names = [...new Set(lists.flatMap((list) => Object.keys(list ?? {})))].sort();
    for (const name of names)
      sheet.line(0, prefix + item.type, name, ...lists.map((list) => (list?.[name] === undefined ? '-' : canonicalQuantity(list[name]))));
  }
}

export const describeResourceQuota: Describer<ResourceQuota> = async (sheet, quota) => {
  sheet.line(0, 'Name:', quota.metadata.name ?? '');
  sheet.line(0, 'Namespace:', quota.metadata.namespace ?? '');
  writeScopes(sheet, quota, 0, ' ');
  sheet.head(0, 'Resource', 'Used', 'Hard');
  writeAmounts(sheet, quota, 0);
};

const SCOPES: Readonly<Record<string, string>> = {
  Terminating: 'Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.',
  NotTerminating:
    'Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.',
  BestEffort: 'Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.',
  NotBestEffort: 'Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.',
};

function writeScopes(sheet: Sheet, { spec }: ResourceQuota, level: number, indent: string): void {
  const scopes = [...(spec?.scopes ?? [])].sort();
  if (scopes.length === 0) return;
  sheet.line(level, 'Scopes:', scopes.join(', '));
  for (const scope of scopes) if (SCOPES[scope]) sheet.line(level, `${indent}* ${SCOPES[scope]}`);
}

function writeAmounts(sheet: Sheet, { status }: ResourceQuota, level: number): void {
  for (const name of sortedKeys(status?.hard)) {
    const hard = parseQuantity(status?.hard?.[name] ?? '0');
    const used = parseQuantity(status?.used?.[name] ?? '0');
    // A quota by itself shows both in the units of the limit; a namespace's list does not.
    sheet.line(level, name, formatQuantity(level === 0 ? { ...used, format: hard.format } : used), formatQuantity(hard));
  }
}

export const describePriorityClass: Describer<PriorityClass> = async (sheet, priorityClass, context) => {
  const { metadata, value, globalDefault = false, preemptionPolicy = '', description = '' } = priorityClass;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Value:', String(value));
  sheet.line(0, 'GlobalDefault:', String(globalDefault));
  sheet.line(0, 'PreemptionPolicy:', preemptionPolicy);
  sheet.line(0, 'Description:', description);
  sheet.line(0, 'Annotations:', formatLabels(metadata.annotations));
  await eventsOf(sheet, context, aboutObject(priorityClass));
};

export const describePodDisruptionBudget: Describer<PodDisruptionBudget> = async (sheet, budget, context) => {
  const { metadata, spec, status } = budget;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  if (spec?.minAvailable !== undefined) sheet.line(0, 'Min available:', String(spec.minAvailable));
  else if (spec?.maxUnavailable !== undefined) sheet.line(0, 'Max unavailable:', String(spec.maxUnavailable));
  sheet.line(0, 'Selector:', spec?.selector ? formatLabelSelector(spec.selector) : '<unset>');
  sheet.line(0, 'Status:');
  sheet.line(2, 'Allowed disruptions:', String(status?.disruptionsAllowed ?? 0));
  sheet.line(2, 'Current:', String(status?.currentHealthy ?? 0));
  sheet.line(2, 'Desired:', String(status?.desiredHealthy ?? 0));
  sheet.line(2, 'Total:', String(status?.expectedPods ?? 0));
  await eventsOf(sheet, context, aboutObject(budget));
};
