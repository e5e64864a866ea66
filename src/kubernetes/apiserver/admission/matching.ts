/**
 * Which requests a webhook or a policy is about: rules, selectors, match conditions (apiserver
 * `pkg/admission/plugin/webhook/{predicates,generic,matchconditions}`).
 */
import type { KubeObject } from '../../api/meta.ts';
import { byPlural, type ResourceRow } from '../../api/resources.ts';
import { type LabelSelectorLike, selectorOf } from '../../api/selector.ts';
import type { User } from '../authentication.ts';
import { CelEvaluationError, type CelProgram, celAuthorizer, celRequestResource, compile, type Decide } from '../cel/environment.ts';
import { fromStorage } from '../conversion.ts';
import { withLedger } from '../managed-fields/ledger.ts';
import { shownTo } from '../managed-fields/ownership.ts';
import { scaleOf } from '../registry/scale.ts';
import { type Attributes, nameOf, type World } from './admission.ts';
import { aggregate } from './aggregate.ts';

export interface Rule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly scope?: string;
}

/** A version in which a request may be shown: what was asked for, or another of the same object. */
export interface View {
  readonly row: ResourceRow;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** Objects that are served under two groups or versions (`runtime.EquivalentResourceMapper`). */
const TWINS: readonly (readonly [string, string, string])[][] = [
  [
    ['', 'v1', 'events'],
    ['events.k8s.io', 'v1', 'events'],
  ],
  [
    ['autoscaling', 'v2', 'horizontalpodautoscalers'],
    ['autoscaling', 'v1', 'horizontalpodautoscalers'],
  ],
];

export function requested({ row, call: { path } }: Attributes): View {
  const own = path.group === row.group && path.version === row.version ? row : (byPlural(path.group, path.version, row.plural) ?? row);
  return { row: own, group: own.group, version: own.version, resource: own.plural };
}

/** In which version the rules want the request; undefined when they do not want it at all. */
export function matchRules(rules: readonly Rule[], attributes: Attributes, matchPolicy: string | undefined): View | undefined {
  const asked = requested(attributes);
  if (rules.some((rule) => ruleMatches(rule, attributes, asked))) return asked;
  if (matchPolicy === 'Exact') return undefined;
  const twins = TWINS.find((set) => set.some(([group, version, plural]) => group === asked.group && version === asked.version && plural === asked.resource));
  for (const [group, version, plural] of twins ?? []) {
    const row = byPlural(group, version, plural);
    const view = row && { row, group, version, resource: plural };
    if (view && rules.some((rule) => ruleMatches(rule, attributes, view))) return view;
  }
  return undefined;
}

const has = (list: readonly string[] | undefined, value: string): boolean => list !== undefined && (list.includes('*') || list.includes(value));

export function ruleMatches(rule: Rule, attributes: Attributes, { row, group, version, resource }: View): boolean {
  const { operation, subresource } = attributes;
  if (!has(rule.operations, operation) || !has(rule.apiGroups, group) || !has(rule.apiVersions, version)) return false;
  if (rule.scope === 'Namespaced' && !row.namespaced) return false;
  // A namespace is its own namespace, and yet of the cluster.
  if (rule.scope === 'Cluster' && row.namespaced) return false;
  if (rule.resourceNames && rule.resourceNames.length > 0 && !rule.resourceNames.includes(nameOf(attributes))) return false;
  return (rule.resources ?? []).some((wanted) => {
    const [name, sub = ''] = wanted.split('/');
    return (name === '*' || name === resource) && (sub === '*' || sub === subresource);
  });
}

/** The kinds that configure admission are never subject to it: a bad webhook could not be taken away again. */
const CONFIGURATION = new Set([
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
]);
export const isConfiguration = ({ row }: Attributes): boolean => row.group === 'admissionregistration.k8s.io' && CONFIGURATION.has(row.plural);

/** The labels a namespaceSelector is asked about; undefined: the request is in no namespace, and matches. */
function namespaceLabels({ row, namespace, object, old }: Attributes, world: World): Readonly<Record<string, string>> | undefined {
  if (row.plural === 'namespaces' && row.group === '') return (object ?? old)?.metadata.labels ?? {};
  if (!row.namespaced) return undefined;
  return world.get(`/registry/namespaces/${namespace}`)?.metadata.labels ?? {};
}

const isEmpty = (selector: LabelSelectorLike | undefined): boolean =>
  !selector || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0);

export function selectorsMatch(
  { namespaceSelector, objectSelector }: { namespaceSelector?: LabelSelectorLike | undefined; objectSelector?: LabelSelectorLike | undefined },
  attributes: Attributes,
  world: World,
): boolean {
  if (!isEmpty(namespaceSelector)) {
    const labels = namespaceLabels(attributes, world);
    if (labels && !selectorOf(namespaceSelector).matches(labels)) return false;
  }
  if (isEmpty(objectSelector)) return true;
  const selector = selectorOf(objectSelector);
  return [attributes.object, attributes.old].some((object) => object !== undefined && selector.matches(object.metadata.labels));
}

// --- what is shown ---------------------------------------------------------------------------------------

/**
 * An object as webhooks and expressions see it: in the version asked for, and a Scale where that is what is written.
 * Here simplified: expressions see no managedFields, whose upstream form only the border knows; webhooks do.
 */
export function shownAs(view: View, { subresource }: Attributes, object: KubeObject | undefined, whole = false): KubeObject | null {
  if (!object) return null;
  if (subresource === 'scale') return scaleOf(object) as unknown as KubeObject;
  const shown = fromStorage(view.row, object);
  return whole ? shownTo(view.row, shown, false) : withLedger(shown, undefined);
}

/** `AdmissionRequest` without the objects (admission.k8s.io/v1); what CEL calls `request`. */
export function requestOf(attributes: Attributes, view: View, uid: string): Record<string, unknown> {
  const { operation, subresource, namespace, user, dryRun, row } = attributes;
  const asked = requested(attributes);
  const kindOf = (of: View) => {
    const sub = row.subresources.find(({ name }) => name === subresource);
    return sub
      ? { group: sub.group ?? of.group, version: sub.version ?? of.version, kind: sub.kind }
      : { group: of.group, version: of.version, kind: of.row.kind };
  };
  const resourceOf = ({ group, version, resource }: View) => ({ group, version, resource });
  const name = nameOf(attributes);
  return {
    uid,
    kind: kindOf(view),
    resource: resourceOf(view),
    ...(subresource ? { subResource: subresource } : {}),
    requestKind: kindOf(asked),
    requestResource: resourceOf(asked),
    ...(subresource ? { requestSubResource: subresource } : {}),
    ...(name !== 'Unknown' ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: userInfo(user),
    dryRun,
    options: optionsOf(attributes),
  };
}

const userInfo = (user: User): Record<string, unknown> => {
  const { uid, extra } = user as User & { uid?: string; extra?: unknown };
  return { username: user.name, ...(uid ? { uid } : {}), groups: [...user.groups], ...(extra ? { extra } : {}) };
};

function optionsOf({ operation, call, options, dryRun }: Attributes): Record<string, unknown> | null {
  if (operation === 'CONNECT') return null;
  const kind = { CREATE: 'CreateOptions', UPDATE: call.verb === 'patch' ? 'PatchOptions' : 'UpdateOptions', DELETE: 'DeleteOptions' }[operation];
  const { fieldManager, fieldValidation } = call.request.query;
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(options ?? {}),
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(operation !== 'DELETE' && fieldManager ? { fieldManager } : {}),
    ...(operation !== 'DELETE' && fieldValidation ? { fieldValidation } : {}),
  };
}

// --- expressions -----------------------------------------------------------------------------------------

/** What match conditions of webhooks may mention. */
export const CONDITION_NAMES: readonly string[] = ['object', 'oldObject', 'request', 'namespaceObject', 'authorizer', 'authorizer.requestResource'];

/** The values of `authorizer` and `authorizer.requestResource`: may the user of this request …? */
export function authorizersFor({ user, row, subresource, namespace, call }: Attributes, world: World): Record<string, unknown> {
  const decide: Decide = (asked) => {
    const who = asked.serviceAccount
      ? {
          name: `system:serviceaccount:${asked.serviceAccount.namespace}:${asked.serviceAccount.name}`,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${asked.serviceAccount.namespace}`, 'system:authenticated'],
        }
      : user;
    const { verb, group, resource, name, path = '' } = asked;
    const allowed = world.allowed(who, { verb, group, resource, subresource: asked.subresource, namespace: asked.namespace, name, path });
    return { allowed, reason: '' };
  };
  return {
    authorizer: celAuthorizer(decide),
    'authorizer.requestResource': celRequestResource(decide, { group: row.group, resource: row.plural, subresource, namespace, name: call.path.name }),
  };
}

export interface Condition {
  readonly name: string;
  readonly expression: string;
}
type Compiled = CelProgram | Error;

const conditions = new WeakMap<readonly Condition[], readonly Compiled[]>();

/** Compiled once for as long as the configuration is the same. */
export function compileAll(list: readonly Condition[], variables: readonly string[]): readonly Compiled[] {
  let programs = conditions.get(list);
  if (!programs) {
    programs = list.map(({ expression }) => attempt(() => compile(expression, { variables, returns: 'bool' })));
    conditions.set(list, programs);
  }
  return programs;
}
export const attempt = <T>(make: () => T): T | Error => {
  try {
    return make();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
};

/** Runs an expression; the error says which one it was. */
export function run(program: Compiled, expression: string, bindings: Readonly<Record<string, unknown>>): unknown {
  if (program instanceof Error) return new Error(`compilation error: ${program.message}`);
  try {
    return program.evaluate(bindings);
  } catch (error) {
    if (!(error instanceof CelEvaluationError)) throw error;
    return new Error(`expression '${expression}' resulted in error: ${error.message}`);
  }
}

/** True, false, or why it cannot be told; one that is false outweighs errors. */
export function conditionsMatch(list: readonly Condition[] | undefined, bindings: Readonly<Record<string, unknown>>): boolean | Error {
  if (!list || list.length === 0) return true;
  const errors: string[] = [];
  for (const [i, program] of compileAll(list, Object.keys(bindings)).entries()) {
    const value = run(program, list[i]!.expression, bindings);
    if (value === false) return false;
    if (value instanceof Error) errors.push(value.message);
  }
  return errors.length === 0 ? true : new Error(aggregate(errors));
}
