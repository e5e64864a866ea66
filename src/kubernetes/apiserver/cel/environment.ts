/**
 * CEL as the API server offers it to CustomResourceDefinitions and admission policies (apiserver `pkg/cel`):
 * an expression is parsed and checked once, with the types of its variables, and then run on objects.
 *
 * The grammar is @marcbachmann/cel-js; checking and running are ours (`compile.ts`), because upstream checks
 * against structural schemas, counts cost, and says what is wrong in words people search the web for.
 * Lives in a part of the program of its own: import this file only from what is itself loaded lazily.
 */
import { compileExpression } from './compile.ts';
import { authorizerOf, type Decide, type Question, requestResourceOf } from './library/authorizer.ts';
import { CelCompileError } from './syntax.ts';
import { BOOL, type CelType, DYN, STRING, typeText } from './types.ts';
import { LazyMap, toJson } from './values.ts';

export { CelCompileError } from './syntax.ts';
export { CelEvaluationError } from './values.ts';

export interface CompileOptions {
  /** Names of type dyn: `object`, `oldObject`, `request`, `params`, `variables`, … */
  readonly variables: readonly string[];
  /** Variables whose type is known, as those of a CRD's schema. */
  readonly typed?: Readonly<Record<string, CelType>>;
  readonly returns?: 'bool' | 'string' | 'dyn';
}

export interface CelProgram {
  readonly expression: string;
  /** The static type of what it gives, as upstream writes it: `bool`, `list(string)`. */
  readonly type: string;
  /** The variables it mentions. */
  readonly uses: ReadonlySet<string>;
  /**
   * Runs it. Bindings are plain JSON (objects of the API), `lazyVariables(...)` or `celAuthorizer(...)`; the result is plain JSON:
   * ints and doubles as numbers. Throws CelEvaluationError.
   */
  evaluate(bindings: Readonly<Record<string, unknown>>): unknown;
  /** The same, but the value stays one of CEL (quantities, times): for a variable that another expression reads. */
  value(bindings: Readonly<Record<string, unknown>>): unknown;
}

/** What a run may cost (apiserver `PerCallLimit`). */
const PER_CALL_LIMIT = 1_000_000;

/** Checks an expression. Throws CelCompileError (`compilation failed: ERROR: <input>:1:1: undeclared reference to 'x' (in container '')…`). */
export function compile(expression: string, options: CompileOptions): CelProgram {
  const types: Record<string, CelType> = {};
  for (const name of options.variables) types[name] = DYN;
  Object.assign(types, options.typed);
  const { type, run, uses } = compileExpression(expression, types);
  const wanted = options.returns === 'bool' ? BOOL : options.returns === 'string' ? STRING : undefined;
  if (wanted && type.kind !== wanted.kind && type.kind !== 'dyn') throw new CelCompileError(`must evaluate to ${wanted.kind}`);
  return {
    expression,
    type: typeText(type),
    uses,
    evaluate: (bindings) => toJson(run(bindings, PER_CALL_LIMIT)),
    value: (bindings) => run(bindings, PER_CALL_LIMIT),
  };
}

/** `variables` of an admission policy: each is computed when it is first asked for. A computation may throw CelEvaluationError. */
export const lazyVariables = (values: Readonly<Record<string, () => unknown>>): unknown => new LazyMap(values);

/** The value of `authorizer` in admission policies and match conditions. */
export const celAuthorizer = (decide: Decide): unknown => authorizerOf(decide);

/** The value of `authorizer.requestResource`, which a policy reads as the variable `authorizer.requestResource`. */
export const celRequestResource = (decide: Decide, about: Omit<Question, 'verb'>): unknown => requestResourceOf(decide, about);
export type { Decide, Question } from './library/authorizer.ts';
