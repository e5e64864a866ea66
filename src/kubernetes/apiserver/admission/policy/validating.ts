/**
 * ValidatingAdmissionPolicy: rules in CEL, kept in the cluster and judged in the API server itself. A policy
 * says what to check, a binding where and with which parameters (apiserver `pkg/admission/plugin/policy`).
 */
import type { DeepReadonly } from '../../../api/json.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { ApiError } from '../../../api/request.ts';
import type { MatchResources, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../../api/types.gen.ts';
import { lazyVariables } from '../../cel/environment.ts';
import { forbidden } from '../../errors.ts';
import { type Attributes, nameOf, type Plugin, type World } from '../admission.ts';
import {
  authorizersFor,
  conditionsMatch,
  isConfiguration,
  matchRules,
  requested,
  requestOf,
  ruleMatches,
  run,
  selectorsMatch,
  shownAs,
  type View,
} from '../matching.ts';
import { type CompiledPolicy, compiled } from './compiled.ts';
import { parametersOf } from './parameters.ts';

type Policy = DeepReadonly<ValidatingAdmissionPolicy>;
type Binding = DeepReadonly<ValidatingAdmissionPolicyBinding>;

const POLICIES = '/registry/validatingadmissionpolicies/';
const BINDINGS = '/registry/validatingadmissionpolicybindings/';
const LONGEST_MESSAGE = 5 * 1024;
const LONGEST_ANNOTATION = 10 * 1024;
/** metav1.StatusReason → HTTP (reasonToCode). */
const CODES: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 };

interface Denial {
  readonly policy: Policy;
  readonly binding: Binding | undefined;
  readonly message: string;
  readonly reason: string;
}

export const validatingPolicies: Plugin = {
  name: 'ValidatingAdmissionPolicy',
  validate(attributes, world) {
    if (isConfiguration(attributes)) return;
    const bindings = bindingsOf(world);
    const denials: Denial[] = [];
    for (const { object } of world.under(POLICIES)) {
      const policy = object as Policy;
      const bound = bindings.get(policy.metadata.name ?? '');
      if (bound) judge(policy, bound, attributes, world, denials);
    }
    const first = denials[0];
    if (first) throw denied(first, attributes);
  },
};

const cached = new WeakMap<World, { readonly version: number; readonly byPolicy: ReadonlyMap<string, readonly Binding[]> }>();

function bindingsOf(world: World): ReadonlyMap<string, readonly Binding[]> {
  const version = world.version(BINDINGS);
  const known = cached.get(world);
  if (known?.version === version) return known.byPolicy;
  const byPolicy = new Map<string, Binding[]>();
  for (const { object } of world.under(BINDINGS)) {
    const binding = object as Binding;
    const name = binding.spec?.policyName ?? '';
    byPolicy.set(name, [...(byPolicy.get(name) ?? []), binding]);
  }
  cached.set(world, { version, byPolicy });
  return byPolicy;
}

function denied({ policy, binding, message, reason }: Denial, attributes: Attributes): ApiError {
  const { row } = attributes;
  const by = binding
    ? `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`
    : `ValidatingAdmissionPolicy '${policy.metadata.name}'`;
  const text = `${by} denied request: ${message}`;
  const { status } = forbidden(row.group, row.plural, nameOf(attributes), text);
  return new ApiError({ ...status, reason, code: CODES[reason] ?? 422, details: { ...status.details, causes: [{ message: text }] } });
}

/** The version in which a policy or binding wants the request. Rules left out want everything (matching.Matcher). */
export function matches(match: DeepReadonly<MatchResources> | undefined, attributes: Attributes, world: World): View | undefined {
  if (!match) return requested(attributes);
  if (!selectorsMatch(match as MatchResources, attributes, world)) return undefined;
  const asked = requested(attributes);
  if (match.excludeResourceRules?.some((rule) => ruleMatches(rule, attributes, asked))) return undefined;
  if (!match.resourceRules || match.resourceRules.length === 0) return asked;
  return matchRules(match.resourceRules, attributes, match.matchPolicy);
}

function judge(policy: Policy, bindings: readonly Binding[], attributes: Attributes, world: World, denials: Denial[]): void {
  const view = matches(policy.spec?.matchConstraints, attributes, world);
  if (!view) return;
  const { call, namespace, row } = attributes;
  const fails = policy.spec?.failurePolicy !== 'Ignore';
  const notes = new Map<string, string[]>();
  const namespaceObject = row.namespaced ? (world.get(`/registry/namespaces/${namespace}`) ?? null) : null;
  const common = {
    object: shownAs(view, attributes, attributes.object),
    oldObject: shownAs(view, attributes, attributes.old),
    request: requestOf(attributes, view, ''),
    namespaceObject: namespaceObject && withoutSecrets(namespaceObject),
    ...authorizersFor(attributes, world),
  };
  for (const binding of bindings) {
    if (!matches(binding.spec?.matchResources, attributes, world)) continue;
    let parameters: readonly (KubeObject | null)[];
    try {
      parameters = parametersOf(policy.spec?.paramKind, binding.spec?.paramRef, namespace, world);
    } catch (error) {
      if (fails) denials.push({ policy, binding, message: `failed to configure binding: ${(error as Error).message}`, reason: 'Invalid' });
      continue;
    }
    for (const params of parameters) {
      const result = evaluate(policy, { ...common, ...(policy.spec?.paramKind ? { params } : {}) }, fails);
      for (const { index, message, reason } of result.denials) {
        for (const action of binding.spec?.validationActions ?? []) {
          if (action === 'Deny') denials.push({ policy, binding, message, reason });
          else if (action === 'Warn')
            call.warn(`Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${message}`);
          else call.annotate('validation.policy.admission.k8s.io/validation_failure', failureNote(policy, binding, index, message));
        }
      }
      for (const { key, value } of result.annotations) {
        const values = notes.get(key) ?? [];
        if (!values.includes(value)) notes.set(key, [...values, value]);
      }
      // When an annotation cannot be computed and the policy fails closed, that is a refusal of its own.
      for (const message of result.annotationErrors) denials.push({ policy, binding, message, reason: 'Invalid' });
    }
  }
  for (const [key, values] of notes) call.annotate(`${policy.metadata.name}/${key}`, values.join(', '));
  call.stage('api.policy', { policy: policy.metadata.name, denied: denials.some((denial) => denial.policy === policy) });
}

const failureNote = (policy: Policy, binding: Binding, expressionIndex: number, message: string): string =>
  JSON.stringify([
    { message, policy: policy.metadata.name, binding: binding.metadata.name, expressionIndex, validationActions: binding.spec?.validationActions ?? [] },
  ]);

/** What expressions see of the namespace (CreateNamespaceObject). */
export function withoutSecrets({ apiVersion, kind, metadata, ...rest }: KubeObject): KubeObject {
  const { managedFields: _m, ownerReferences: _o, ...shown } = metadata as KubeObject['metadata'] & { managedFields?: unknown };
  return { apiVersion, kind, metadata: shown, ...rest } as KubeObject;
}

interface Result {
  readonly denials: readonly { readonly index: number; readonly message: string; readonly reason: string }[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  readonly annotationErrors: readonly string[];
}
const NOTHING: Result = { denials: [], annotations: [], annotationErrors: [] };

function evaluate(policy: Policy, bindings: Readonly<Record<string, unknown>>, fails: boolean): Result {
  const { matchConditions, validations = [], auditAnnotations = [] } = policy.spec ?? {};
  const applies = conditionsMatch(matchConditions, bindings);
  if (applies === false) return NOTHING;
  if (applies instanceof Error) return fails ? { ...NOTHING, denials: [{ index: 0, message: applies.message, reason: 'Invalid' }] } : NOTHING;
  const programs = compiled(policy);
  const all: Record<string, unknown> = { ...bindings };
  all['variables'] = variablesOf(programs, all);
  const denials = validations.flatMap((validation, index) => {
    const expression = validation.expression;
    const value = run(programs.validations[index]!, expression, all);
    if (value instanceof Error) return fails ? [{ index, message: value.message, reason: 'Invalid' }] : [];
    if (value === true) return [];
    return [{ index, message: messageOf(policy, programs, index, all), reason: validation.reason || 'Invalid' }];
  });
  const annotations: { key: string; value: string }[] = [];
  const annotationErrors: string[] = [];
  for (const [i, { key, valueExpression }] of auditAnnotations.entries()) {
    const value = run(programs.annotations[i]!, valueExpression, all);
    if (value instanceof Error) {
      if (fails) annotationErrors.push(value.message);
    } else if (typeof value === 'string' && value.trim() !== '') annotations.push({ key, value: value.trim().slice(0, LONGEST_ANNOTATION) });
    else if (value !== null && typeof value !== 'string' && fails)
      annotationErrors.push(
        `valueExpression '${valueExpression}' resulted in unsupported return type: ${typeof value}. Return type must be either string or null.`,
      );
  }
  return { denials, annotations, annotationErrors };
}

/** Each variable is computed when first asked for, and may ask for those before it. */
export function variablesOf(programs: Pick<CompiledPolicy, 'variables'>, bindings: Readonly<Record<string, unknown>>): unknown {
  const values: Record<string, () => unknown> = {};
  for (const { name, program } of programs.variables) {
    values[name] = () => {
      if (program instanceof Error) throw program;
      return program.value(bindings);
    };
  }
  return lazyVariables(values);
}

function messageOf(policy: Policy, programs: CompiledPolicy, index: number, bindings: Readonly<Record<string, unknown>>): string {
  const { message, messageExpression, expression = '' } = policy.spec?.validations?.[index] ?? {};
  const program = programs.messages[index];
  if (program) {
    const said = run(program, messageExpression ?? '', bindings);
    const text = typeof said === 'string' ? said.trim() : '';
    if (text !== '' && text.length <= LONGEST_MESSAGE && !text.includes('\n')) return text;
  }
  return message?.trim() || `failed expression: ${expression.trim()}`;
}
