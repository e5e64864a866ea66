/** The macros: `all`, `exists`, `map`, `filter` over one variable or two, `optMap`, `orValue` (cel-go `parser/macro.go`, `ext/comprehensions.go`). */
import type { Checked, Compiler, Frame } from './compile.ts';
import { spend } from './compile.ts';
import type { Node } from './syntax.ts';
import { assignable, BOOL, type CelType, DYN, INT, join, listOf, mapOf, optionalOf, STRING, typeText } from './types.ts';
import { CelEvaluationError, isMap, keysOf, lookup, mapKey, Optional, read } from './values.ts';

type Scope = Parameters<Compiler['visit']>[1];
export interface Use {
  readonly node: Node;
  readonly receiver: Node;
  readonly args: readonly Node[];
  readonly scope: Scope;
}
export type Macro = (compiler: Compiler, use: Use) => Checked;

/** The macro of this name and number of arguments, if it is one. */
export function comprehension(name: string, args: number): Macro | undefined {
  return MACROS[`${name}/${args}`];
}

/** What is walked: the elements of a list or the keys of a map, each with what it leads to. */
interface Range {
  readonly key: CelType;
  readonly value: CelType;
  /** The type of a single variable: the element, or the key. */
  readonly one: CelType;
}

function rangeOf(compiler: Compiler, node: Node, type: CelType): Range | undefined {
  switch (type.kind) {
    case 'list':
      return { key: INT, value: type.element, one: type.element };
    case 'map':
      return { key: type.key, value: type.value, one: type.key };
    case 'object':
      return { key: STRING, value: DYN, one: STRING };
    case 'dyn':
      return { key: DYN, value: DYN, one: DYN };
    default:
      compiler.complain(node, `expression of type '${typeText(type)}' cannot be range of a comprehension (must be list, map, or dynamic)`);
      return undefined;
  }
}

function walk(from: unknown, range: Range, each: (key: unknown, value: unknown, one: unknown) => boolean): void {
  if (Array.isArray(from)) {
    for (let i = 0; i < from.length; i++) {
      const value = read((from as unknown[])[i], range.value);
      if (!each(BigInt(i), value, value)) return;
    }
  } else if (isMap(from)) {
    for (const key of keysOf(from)) if (!each(key, read(lookup(from, key), range.value), key)) return;
  } else throw new CelEvaluationError('no such overload');
}

interface Loop {
  /** What each step gives; undefined where it has none (the filter said no). */
  readonly start: () => unknown;
  /** Whether to go on. */
  step(state: { result: unknown; error?: unknown }, body: readonly (() => unknown)[], item: { key: unknown; value: unknown; one: unknown }): boolean;
  end?(state: { result: unknown; error?: unknown }): unknown;
  readonly type: (bodies: readonly CelType[], range: Range, receiver: CelType) => CelType;
  /** Bodies that must be conditions, by position. */
  readonly conditions: readonly number[];
}

/** A macro over `variables` names (one or two) and `bodies` expressions. */
const looping =
  (variables: 1 | 2, loop: Loop): Macro =>
  (compiler, { node, receiver, args, scope }) => {
    const inner = compiler.visit(receiver, scope);
    const range = rangeOf(compiler, receiver, inner.type);
    if (!range) return { type: DYN, run: () => null };
    const names = args.slice(0, variables).map((each) => (each.op === 'id' ? each.args : undefined));
    if (names.includes(undefined)) return compiler.complain(node, 'argument must be a simple name');
    const types = variables === 1 ? [range.one] : [range.key, range.value];
    const locals = names.map((name, i) => compiler.local(name!, types[i]!));
    const bodies = args.slice(variables).map((each) => compiler.visit(each, [...scope, ...locals]));
    for (const i of loop.conditions) {
      const body = bodies[i];
      if (body && !assignable(body.type, BOOL)) return compiler.complain(args[variables + i]!, `expected type 'bool' but found '${typeText(body.type)}'`);
    }
    return {
      type: loop.type(
        bodies.map((each) => each.type),
        range,
        inner.type,
      ),
      run: (frame: Frame) => {
        const from = inner.run(frame);
        const state: { result: unknown; error?: unknown } = { result: loop.start() };
        const runs = bodies.map((body) => () => body.run(frame));
        walk(from, range, (key, value, one) => {
          spend(frame);
          const given = variables === 1 ? [one] : [key, value];
          locals.forEach((local, i) => {
            frame.locals[local.slot] = given[i];
          });
          return loop.step(state, runs, { key, value, one });
        });
        return loop.end ? loop.end(state) : state.result;
      },
    };
  };

const condition = (value: unknown): boolean => {
  if (typeof value !== 'boolean') throw new CelEvaluationError('no such overload');
  return value;
};

/** `all` and `exists`: an error counts only if nothing else decides. */
const quantifier = (decides: boolean): Loop => ({
  start: () => !decides,
  step(state, [body]) {
    try {
      if (condition(body!()) === decides) {
        state.result = decides;
        return false;
      }
    } catch (error) {
      if (!(error instanceof CelEvaluationError)) throw error;
      state.error ??= error;
    }
    return true;
  },
  end(state) {
    if (state.result !== decides && state.error) throw state.error;
    return state.result;
  },
  type: () => BOOL,
  conditions: [0],
});
const existsOne: Loop = {
  start: () => 0,
  step(state, [body]) {
    if (condition(body!())) state.result = (state.result as number) + 1;
    return true;
  },
  end: (state) => state.result === 1,
  type: () => BOOL,
  conditions: [0],
};
const filter: Loop = {
  start: () => [],
  step(state, [body], { one }) {
    if (condition(body!())) (state.result as unknown[]).push(one);
    return true;
  },
  type: (_, range) => listOf(range.one),
  conditions: [0],
};
const transformed = (filtered: boolean): Loop => ({
  start: () => [],
  step(state, bodies) {
    if (!filtered || condition(bodies[0]!())) (state.result as unknown[]).push(bodies[filtered ? 1 : 0]!());
    return true;
  },
  type: (bodies) => listOf(bodies[filtered ? 1 : 0]!),
  conditions: filtered ? [0] : [],
});
const transformedMap = (filtered: boolean): Loop => ({
  start: () => new Map(),
  step(state, bodies, { key }) {
    if (!filtered || condition(bodies[0]!())) (state.result as Map<unknown, unknown>).set(mapKey(key), bodies[filtered ? 1 : 0]!());
    return true;
  },
  type: (bodies, range) => mapOf(range.key, bodies[filtered ? 1 : 0]!),
  conditions: filtered ? [0] : [],
});

const optMap =
  (flat: boolean): Macro =>
  (compiler, { node, receiver, args, scope }) => {
    const inner = compiler.visit(receiver, scope);
    const name = args[0]?.op === 'id' ? args[0].args : undefined;
    if (name === undefined) return compiler.complain(node, `${flat ? 'optFlatMap' : 'optMap'}() variable name must be a simple identifier`);
    const local = compiler.local(name, inner.type.kind === 'optional' ? inner.type.value : DYN);
    const body = compiler.visit(args[1]!, [...scope, local]);
    return {
      type: flat ? body.type : optionalOf(body.type),
      run: (frame) => {
        const from = inner.run(frame);
        if (!(from instanceof Optional)) throw new CelEvaluationError('no such overload');
        if (!from.present) return Optional.NONE;
        frame.locals[local.slot] = from.value;
        const value = body.run(frame);
        return flat ? value : new Optional(value);
      },
    };
  };

/** `or` and `orValue` look at the other side only when there is nothing on this one. */
const alternative =
  (unwrap: boolean): Macro =>
  (compiler, { node, receiver, args, scope }) => {
    const inner = compiler.visit(receiver, scope);
    const other = compiler.visit(args[0]!, scope);
    const wants = unwrap ? (inner.type.kind === 'optional' ? inner.type.value : DYN) : optionalOf(DYN);
    if (!assignable(inner.type, optionalOf(DYN)) || !assignable(other.type, wants))
      return compiler.complain(
        node,
        `found no matching overload for '${unwrap ? 'orValue' : 'or'}' applied to '${typeText(inner.type)}.(${typeText(other.type)})'`,
      );
    return {
      type: unwrap ? join(wants, other.type) : inner.type,
      run: (frame) => {
        const from = inner.run(frame);
        if (!(from instanceof Optional)) throw new CelEvaluationError('no such overload');
        return from.present ? (unwrap ? from.value : from) : other.run(frame);
      },
    };
  };

const MACROS: Readonly<Record<string, Macro>> = {
  'all/2': looping(1, quantifier(false)),
  'exists/2': looping(1, quantifier(true)),
  'exists_one/2': looping(1, existsOne),
  'existsOne/2': looping(1, existsOne),
  'filter/2': looping(1, filter),
  'map/2': looping(1, transformed(false)),
  'map/3': looping(1, transformed(true)),
  'all/3': looping(2, quantifier(false)),
  'exists/3': looping(2, quantifier(true)),
  'existsOne/3': looping(2, existsOne),
  'transformList/3': looping(2, transformed(false)),
  'transformList/4': looping(2, transformed(true)),
  'transformMap/3': looping(2, transformedMap(false)),
  'transformMap/4': looping(2, transformedMap(true)),
  'optMap/2': optMap(false),
  'optFlatMap/2': optMap(true),
  'or/1': alternative(false),
  'orValue/1': alternative(true),
};
