/**
 * MutatingAdmissionPolicy (KEP-3962, alpha in v1.33: `--runtime-config=admissionregistration.k8s.io/v1alpha1=true` and
 * `--feature-gates=MutatingAdmissionPolicy=true`): changes made by the API server itself, as a configuration that is applied or
 * as a JSON patch, each made by an expression (apiserver `pkg/admission/plugin/policy/mutating`).
 *
 * Here simplified: fields of `Object{…}` are checked when the configuration is applied, not when the policy is written.
 */

import type { DeepReadonly, Json } from '../../../api/json.ts';
import { applyJsonPatch } from '../../../api/json-patch.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { PatchError } from '../../../api/patch.ts';
import type { MatchResources, MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '../../../api/types.gen.ts';
import { customOf } from '../../apiextensions/custom-kind.ts';
import { border } from '../../border.ts';
import { type CelProgram, compile } from '../../cel/environment.ts';
import { forbidden } from '../../errors.ts';
import { shapeOfRow } from '../../managed-fields/field-manager.ts';
import { ledgerOf, withLedger } from '../../managed-fields/ledger.ts';
import type { Shape } from '../../managed-fields/shapes.ts';
import { merge } from '../../managed-fields/typed.ts';
import { nameOf, type Plugin, type World, type Writing } from '../admission.ts';
import { attempt, authorizersFor, conditionsMatch, isConfiguration, requestOf, run, shownAs, type View } from '../matching.ts';
import { parametersOf } from './parameters.ts';
import { matches, variablesOf, withoutSecrets } from './validating.ts';

type Policy = DeepReadonly<MutatingAdmissionPolicy>;
type Binding = DeepReadonly<MutatingAdmissionPolicyBinding>;
type Program = CelProgram | Error;

const POLICIES = '/registry/mutatingadmissionpolicies/';
const BINDINGS = '/registry/mutatingadmissionpolicybindings/';

interface CompiledMutations {
  readonly variables: readonly { readonly name: string; readonly expression: string; readonly program: Program }[];
  readonly mutations: readonly { readonly type: string; readonly expression: string; readonly program: Program }[];
}
const known = new WeakMap<object, CompiledMutations>();

/** The names an expression of the policy may use. */
export const namesOfMutations = ({ spec }: Policy): readonly string[] => [
  'object',
  'oldObject',
  'request',
  'namespaceObject',
  'variables',
  ...(spec?.paramKind ? ['params'] : []),
  'authorizer',
  'authorizer.requestResource',
];

function compiled(policy: Policy): CompiledMutations {
  let found = known.get(policy);
  if (!found) {
    const variables = namesOfMutations(policy);
    const program = (expression: string): Program => attempt(() => compile(expression, { variables }));
    found = {
      variables: (policy.spec?.variables ?? []).map(({ name, expression }) => ({ name, expression, program: program(expression) })),
      mutations: (policy.spec?.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => {
        const expression = (patchType === 'JSONPatch' ? jsonPatch?.expression : applyConfiguration?.expression) ?? '';
        return { type: patchType, expression, program: program(expression) };
      }),
    };
    known.set(policy, found);
  }
  return found;
}

export const mutatingPolicies: Plugin = {
  name: 'MutatingAdmissionPolicy',
  mutate(attributes, world) {
    if (isConfiguration(attributes)) return attributes.object;
    const { call } = attributes;
    let now = attributes;
    for (const { object } of world.under(POLICIES)) {
      const policy = object as unknown as Policy;
      for (const { object: bound } of world.under(BINDINGS)) {
        const binding = bound as unknown as Binding;
        if (binding.spec?.policyName !== policy.metadata.name) continue;
        // In the second round only those that asked for it.
        if (call.reinvocation?.is && policy.spec?.reinvocationPolicy !== 'IfNeeded') continue;
        const next = apply(policy, binding, now, world);
        if (next === now.object) continue;
        call.mutated(`MutatingAdmissionPolicy ${policy.metadata.name}`, now.object, next);
        now = { ...now, object: next };
        // Whoever had their turn before has another look, once.
        call.reinvocation ??= { should: false, is: false, previous: new Set(), again: new Set(), last: undefined };
        call.reinvocation.should = true;
      }
    }
    return now.object;
  },
};

/** The object after one policy by one binding. Throws Forbidden where it fails and may not. */
function apply(policy: Policy, binding: Binding, attributes: Writing, world: World): KubeObject {
  const view = matches(policy.spec?.matchConstraints as DeepReadonly<MatchResources> | undefined, attributes, world);
  if (!view || !matches(binding.spec?.matchResources as DeepReadonly<MatchResources> | undefined, attributes, world)) return attributes.object;
  const fails = policy.spec?.failurePolicy !== 'Ignore';
  const refuse = (why: string): KubeObject => {
    if (!fails) return attributes.object;
    const text = `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${why}`;
    throw forbidden(attributes.row.group, attributes.row.plural, nameOf(attributes), text);
  };
  let parameters: readonly (KubeObject | null)[];
  try {
    parameters = parametersOf(policy.spec?.paramKind, binding.spec?.paramRef, attributes.namespace, world);
  } catch (error) {
    return refuse(`failed to configure binding: ${(error as Error).message}`);
  }
  let now = attributes;
  for (const params of parameters) {
    try {
      now = { ...now, object: mutated(policy, view, now, policy.spec?.paramKind ? { params } : {}, world) };
    } catch (error) {
      if (!(error instanceof MutationError)) throw error;
      return refuse(error.message);
    }
  }
  return now.object;
}

/** A mutation that cannot be made. */
class MutationError extends Error {}

function mutated(policy: Policy, view: View, attributes: Writing, params: Readonly<Record<string, unknown>>, world: World): KubeObject {
  const { namespace, row } = attributes;
  const namespaceObject = row.namespaced ? (world.get(`/registry/namespaces/${namespace}`) ?? null) : null;
  const programs = compiled(policy);
  let shown = shownAs(view, attributes, attributes.object)!;
  const bindings = (object: KubeObject): Record<string, unknown> => {
    const all: Record<string, unknown> = {
      object,
      oldObject: shownAs(view, attributes, attributes.old),
      request: requestOf(attributes, view, ''),
      namespaceObject: namespaceObject && withoutSecrets(namespaceObject),
      ...authorizersFor(attributes, world),
      ...params,
    };
    all['variables'] = variablesOf(programs, all);
    return all;
  };
  const applies = conditionsMatch(policy.spec?.matchConditions, bindings(shown));
  if (applies === false) return attributes.object;
  if (applies instanceof Error) throw new MutationError(applies.message);
  const before = shown;
  for (const { type, expression, program } of programs.mutations) {
    const value = run(program, expression, bindings(shown));
    if (value instanceof Error) throw new MutationError(value.message);
    shown = type === 'JSONPatch' ? patched(shown, value) : configured(view, shown, value);
  }
  if (shown === before) return attributes.object;
  const { managedFields: _, ...metadata } = shown.metadata as KubeObject['metadata'] & { managedFields?: unknown };
  const clean = { ...shown, metadata } as unknown as Json;
  const read = customOf(view.row)?.decode(clean) ?? border().decode(view.row.type, clean);
  const wrong = border().decodeError(read, shown.kind, view.version, true);
  if (wrong !== undefined) throw new MutationError(wrong);
  return world.defaults(row, withLedger(read.object as unknown as KubeObject, ledgerOf(attributes.object)));
}

function patched(object: KubeObject, operations: unknown): KubeObject {
  if (!Array.isArray(operations)) throw new MutationError('type mismatch: JSONPatchType.expression should evaluate to array');
  if (operations.length === 0) return object;
  try {
    return applyJsonPatch(object as unknown as Json, operations as unknown as Json) as unknown as KubeObject;
  } catch (error) {
    if (error instanceof PatchError) throw new MutationError(`JSON Patch: ${error.message}`);
    throw error;
  }
}

/** As server-side apply merges, but that nobody owns what comes of it; what is owned as a whole may not be said. */
function configured(view: View, object: KubeObject, configuration: unknown): KubeObject {
  if (typeof configuration !== 'object' || configuration === null || Array.isArray(configuration))
    throw new MutationError(`unexpected return type for 'Object' ApplyConfiguration: ${configuration === null ? 'null' : typeof configuration}`);
  const shape = shapeOfRow(view.row);
  const whole: string[] = [];
  atomics(shape, configuration as unknown as Json, '', whole);
  if (whole.length > 0) throw new MutationError(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${whole.join(', ')}`);
  return merge(shape, object as unknown as Json, configuration as Json) as unknown as KubeObject;
}

function atomics(shape: Shape | undefined, value: Json, path: string, found: string[]): void {
  if (!shape || typeof value !== 'object' || value === null) return;
  if ((shape.type === 'map' || shape.type === 'list') && shape.atomic) {
    found.push(path);
    return;
  }
  if (Array.isArray(value)) {
    if (shape.type === 'list') value.forEach((item, i) => atomics(shape.element, item as Json, `${path}[${i}]`, found));
    return;
  }
  if (shape.type !== 'map') return;
  for (const [name, inner] of Object.entries(value as { readonly [key: string]: Json })) atomics(shape.field(name), inner, `${path}.${name}`, found);
}
