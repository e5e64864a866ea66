/**
 * PodSecurity: a namespace's labels say which Pod Security Standard its pods must meet. Pods that do not are
 * refused (enforce), noted in the audit log (audit) or warned of (warn); workloads only warned of, since it is
 * their pods that count (plugin/pkg/admission/security/podsecurity, pod-security-admission/admission).
 *
 * Here simplified: no configuration file, so the defaults are privileged and nobody is exempt; and all pods of a
 * namespace are looked at when its label changes, not only as many as fit in a second.
 */
import type { KubeObject } from '../../../api/meta.ts';
import { ApiError } from '../../../api/request.ts';
import type { Pod, PodTemplateSpec } from '../../../api/types.gen.ts';
import { forbidden } from '../../errors.ts';
import { invalidStatus } from '../../validation/field.ts';
import { type Attributes, nameOf, type Plugin, type World } from '../admission.ts';
import { type Violation, violations } from './checks.ts';
import { type LevelVersion, type Policy, PREFIX, policyOf, policyText, samePolicy, strictness } from './policy.ts';

export const podSecurity: Plugin = {
  name: 'PodSecurity',
  validate(attributes, world) {
    const { row, namespace } = attributes;
    if (row.plural === 'namespaces') return validateNamespace(attributes, world);
    const found = world.get(`/registry/namespaces/${namespace}`);
    if (!found) return;
    const { policy, errors } = policyOf(found.metadata.labels);
    if (errors.length > 0) attributes.call.annotate(`${PREFIX}error`, `Failed to parse policy: ${errors.map(({ field }) => field).join(', ')}`);
    if (row.plural === 'pods') {
      if (attributes.operation === 'UPDATE' && !isSignificant(attributes.object as Pod, attributes.old as Pod)) return;
      evaluate(attributes, policy, attributes.object as Pod, true);
      return;
    }
    const template = templateOf(attributes.object as KubeObject);
    if (template) evaluate(attributes, policy, template as Pod, false);
  },
};

function evaluate(attributes: Attributes, policy: Policy, pod: Pick<Pod, 'spec' | 'metadata'>, enforces: boolean): void {
  const { call, row } = attributes;
  const against = ({ level, minor }: LevelVersion): Violation[] => violations(level, minor, pod, pod.metadata?.annotations);
  const refused = enforces ? against(policy.enforce) : [];
  if (enforces) call.annotate(`${PREFIX}enforce-policy`, policyText(policy.enforce));
  const noted = against(policy.audit);
  if (noted.length > 0) call.annotate(`${PREFIX}audit-violations`, `would violate PodSecurity ${JSON.stringify(policyText(policy.audit))}: ${detail(noted)}`);
  if (refused.length > 0)
    throw forbidden(row.group, row.plural, nameOf(attributes), `violates PodSecurity ${JSON.stringify(policyText(policy.enforce))}: ${detail(refused)}`);
  const warned = against(policy.warn);
  if (warned.length > 0) call.warn(`would violate PodSecurity ${JSON.stringify(policyText(policy.warn))}: ${detail(warned)}`);
}

const detail = (list: readonly Violation[]): string => list.map((each) => (each.detail === '' ? each.reason : `${each.reason} (${each.detail})`)).join(', ');

function templateOf(object: KubeObject): PodTemplateSpec | undefined {
  const { spec, template } = object as {
    spec?: { template?: PodTemplateSpec; jobTemplate?: { spec?: { template?: PodTemplateSpec } } };
    template?: PodTemplateSpec;
  };
  return object.kind === 'PodTemplate' ? template : object.kind === 'CronJob' ? spec?.jobTemplate?.spec?.template : spec?.template;
}

/** Of what may change in a pod, only images, the old seccomp annotations and new containers matter. */
function isSignificant(pod: Pod, old: Pod): boolean {
  const notes = (of: Pod): string =>
    JSON.stringify(Object.entries(of.metadata.annotations ?? {}).filter(([key]) => /seccomp\.security\.alpha|apparmor\.security\.beta/.test(key)));
  if (notes(pod) !== notes(old)) return true;
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'] as const) {
    const [now, before] = [pod.spec?.[list] ?? [], old.spec?.[list] ?? []];
    if (list !== 'ephemeralContainers' && now.length !== before.length) return true;
    for (const container of now) if (before.find(({ name }) => name === container.name)?.image !== container.image) return true;
  }
  return false;
}

function validateNamespace({ operation, object, old, call }: Attributes, world: World): void {
  const name = object?.metadata.name ?? '';
  const next = policyOf(object?.metadata.labels);
  const wrong = () => new ApiError(invalidStatus('Namespace', '', name, next.errors));
  if (operation === 'CREATE') {
    if (next.errors.length > 0) throw wrong();
    return;
  }
  const before = policyOf(old?.metadata.labels);
  if (next.errors.length > 0 && JSON.stringify(next.errors) !== JSON.stringify(before.errors)) throw wrong();
  const [to, from] = [next.policy.enforce, before.policy.enforce];
  if (samePolicy(to, from) || to.level === 'privileged') return;
  if (to.minor === from.minor && strictness(to.level) < strictness(from.level)) return;
  for (const text of warningsOf(world, name, to)) call.warn(text);
}

/** What running pods do that the new level forbids; those that do the same are told of together. */
function warningsOf(world: World, namespace: string, enforce: LevelVersion): string[] {
  const found = new Map<string, string[]>();
  for (const { object } of world.under(`/registry/pods/${namespace}/`)) {
    const bad = violations(enforce.level, enforce.minor, object as Pod, object.metadata.annotations);
    if (bad.length === 0) continue;
    const reason = bad.map((each) => each.reason).join(', ');
    found.set(reason, [...(found.get(reason) ?? []), object.metadata.name ?? '']);
  }
  if (found.size === 0) return [];
  const lines = [...found].map(([reason, pods]) => {
    const others = pods.length === 1 ? '' : pods.length === 2 ? ' (and 1 other pod)' : ` (and ${pods.length - 1} other pods)`;
    return `${[...pods].sort()[0]}${others}: ${reason}`;
  });
  return [
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(policyText(enforce))}`,
    ...lines.sort(),
  ];
}
