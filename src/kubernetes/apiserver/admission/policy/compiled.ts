/** A ValidatingAdmissionPolicy with its expressions compiled (apiserver `plugin/policy/validating/validator.go`). */
import type { DeepReadonly } from '../../../api/json.ts';
import type { ValidatingAdmissionPolicy } from '../../../api/types.gen.ts';
import { type CelProgram, compile } from '../../cel/environment.ts';
import { attempt } from '../matching.ts';

export type Program = CelProgram | Error;
export interface CompiledPolicy {
  readonly variables: readonly { readonly name: string; readonly expression: string; readonly program: Program }[];
  readonly validations: readonly Program[];
  /** Undefined where a validation has none. */
  readonly messages: readonly (Program | undefined)[];
  readonly annotations: readonly Program[];
}

type Policy = DeepReadonly<ValidatingAdmissionPolicy>;
const known = new WeakMap<object, CompiledPolicy>();

/** The names an expression of the policy may use. */
export const namesOf = (policy: Policy, authorizer = true): readonly string[] => [
  'object',
  'oldObject',
  'request',
  'namespaceObject',
  'variables',
  ...(policy.spec?.paramKind ? ['params'] : []),
  ...(authorizer ? ['authorizer', 'authorizer.requestResource'] : []),
];

/** Compiled once for as long as the policy is the same. */
export function compiled(policy: Policy): CompiledPolicy {
  let found = known.get(policy);
  if (!found) {
    const { variables = [], validations = [], auditAnnotations = [] } = policy.spec ?? {};
    const names = namesOf(policy);
    found = {
      variables: variables.map(({ name, expression }) => ({ name, expression, program: attempt(() => compile(expression, { variables: names })) })),
      validations: validations.map(({ expression }) => attempt(() => compile(expression, { variables: names, returns: 'bool' }))),
      messages: validations.map(({ messageExpression }) =>
        messageExpression ? attempt(() => compile(messageExpression, { variables: namesOf(policy, false), returns: 'string' })) : undefined,
      ),
      annotations: auditAnnotations.map(({ valueExpression }) => attempt(() => compile(valueExpression, { variables: names }))),
    };
    known.set(policy, found);
  }
  return found;
}
