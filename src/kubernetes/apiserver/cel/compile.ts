/**
 * Checks a syntax tree against the types of its variables and turns it into a function: every node is visited
 * once, and gives its static type and what computes it (cel-go `checker` and `interpreter` in one walk).
 */
import type { Library, Overload } from './functions.ts';
import { AUTHORIZER_LIBRARY } from './library/authorizer.ts';
import { KUBERNETES } from './library/kubernetes.ts';
import { STANDARD, TYPE_NAMES } from './library/standard.ts';
import { comprehension, type Macro } from './macros.ts';
import { goRegex, RegexError } from './regex.ts';
import { CelCompileError, issue, type Node, parse, positionOf, STRUCT } from './syntax.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import { assignable, BOOL, BYTES, type CelType, DOUBLE, DYN, INT, join, listOf, mapOf, NULL, optionalOf, STRING, TYPE, typeText, UINT } from './types.ts';
import { CelEvaluationError, Double, fits, isMap, lookup, mapKey, Optional, read, TypeValue, Uint } from './values.ts';

/** One run: the variables, the slots of comprehensions, and what it has cost so far. */
export interface Frame {
  readonly bindings: Readonly<Record<string, unknown>>;
  readonly locals: unknown[];
  left: number;
}
export type Run = (frame: Frame) => unknown;
export interface Checked {
  readonly type: CelType;
  readonly run: Run;
}
interface Local {
  readonly name: string;
  readonly type: CelType;
  readonly slot: number;
}

export interface Compiled {
  readonly type: CelType;
  readonly uses: ReadonlySet<string>;
  readonly run: (bindings: Readonly<Record<string, unknown>>, limit: number) => unknown;
}

const FUNCTIONS: Library = merge([STANDARD, KUBERNETES, AUTHORIZER_LIBRARY]);
function merge(libraries: readonly Library[]): Library {
  const all: Record<string, readonly Overload[]> = Object.create(null) as Record<string, readonly Overload[]>;
  for (const library of libraries) for (const [name, overloads] of Object.entries(library)) all[name] = [...(all[name] ?? []), ...overloads];
  return all;
}

export const spend = (frame: Frame, cost = 1): void => {
  frame.left -= cost;
  if (frame.left < 0) throw new CelEvaluationError('operation cancelled: actual cost limit exceeded');
};

/** Throws CelCompileError with every issue. */
export function compileExpression(input: string, variables: Readonly<Record<string, CelType>>): Compiled {
  const compiler = new Compiler(variables);
  const { type, run } = compiler.visit(parse(input), []);
  if (compiler.issues.length > 0) throw new CelCompileError(`compilation failed: ${compiler.issues.join('\n')}`);
  return { type, uses: compiler.uses, run: (bindings, limit) => run({ bindings, locals: [], left: limit }) };
}

export class Compiler {
  readonly issues: string[] = [];
  readonly uses = new Set<string>();
  private slots = 0;

  constructor(private readonly variables: Readonly<Record<string, CelType>>) {}

  local(name: string, type: CelType): Local {
    return { name, type, slot: this.slots++ };
  }

  complain(node: Node, message: string): Checked {
    this.issues.push(issue(node.input, positionOf(node), message));
    return { type: DYN, run: () => null };
  }

  visit(node: Node, scope: readonly Local[]): Checked {
    switch (node.op) {
      case 'value':
        return literal(node.args);
      case 'id':
        return this.identifier(node, node.args, scope);
      case '.':
      case '.?':
        return this.select(node, node.args[0], node.args[1], node.op === '.?', scope);
      case '[]':
      case '[?]':
        return this.index(node, node.args[0], node.args[1], node.op === '[?]', scope);
      case 'call':
        return this.globalCall(node, node.args[0], node.args[1], scope);
      case 'rcall':
        return this.memberCall(node, node.args[0], node.args[1], node.args[2], scope);
      case 'list':
        return this.list(node.args, scope);
      case 'map':
        return this.map(node.args, scope);
      case '?:':
        return this.ternary(node, node.args, scope);
      case '&&':
      case '||':
        return this.logical(node, node.op, node.args, scope);
      case '!_':
      case '-_':
        return this.resolve(node, node.op, [this.visit(node.args, scope)], false);
      case 'in':
        return this.resolve(
          node,
          '@in',
          node.args.map((each) => this.visit(each, scope)),
          false,
        );
      default:
        return this.resolve(
          node,
          `_${node.op}_`,
          (node.args as readonly Node[]).map((each) => this.visit(each, scope)),
          false,
        );
    }
  }

  private identifier(node: Node, name: string, scope: readonly Local[]): Checked {
    const local = [...scope].reverse().find((each) => each.name === name);
    if (local) return { type: local.type, run: (frame) => frame.locals[local.slot] };
    const type = Object.hasOwn(this.variables, name) ? this.variables[name] : undefined;
    if (type) {
      this.uses.add(name);
      return {
        type,
        run: (frame) => {
          const value = frame.bindings[name];
          if (value === undefined) throw new CelEvaluationError(`no such attribute(s): ${name}`);
          return read(value, type);
        },
      };
    }
    const known = TYPE_NAMES[name];
    if (known !== undefined) return { type: TYPE, run: () => new TypeValue(known) };
    return this.complain(node, `undeclared reference to '${name}' (in container '')`);
  }

  /** The type of a field, or undefined when there is none (and that has been said). */
  private fieldType(node: Node, type: CelType, name: string): { readonly type: CelType; readonly name: string } | undefined {
    switch (type.kind) {
      case 'dyn':
        return { type: DYN, name };
      case 'map':
        return { type: type.value, name };
      case 'optional':
        return this.fieldType(node, type.value, name);
      case 'object': {
        const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
        if (!field) this.complain(node, `undefined field '${name}'`);
        return field;
      }
      default:
        this.complain(node, `type '${typeText(type)}' does not support field selection`);
        return undefined;
    }
  }

  private select(node: Node, operand: Node, name: string, optional: boolean, scope: readonly Local[]): Checked {
    const inner = this.visit(operand, scope);
    const field = this.fieldType(node, inner.type, name);
    if (!field) return { type: DYN, run: () => null };
    const { type } = field;
    const maybe = optional || inner.type.kind === 'optional';
    return {
      type: maybe ? optionalOf(type) : type,
      run: (frame) => {
        spend(frame);
        const from = inner.run(frame);
        if (from instanceof Optional) {
          if (!from.present || !isMap(from.value)) return Optional.NONE;
          const value = lookup(from.value, field.name);
          return value === undefined ? Optional.NONE : new Optional(read(value, type));
        }
        if (!isMap(from)) {
          if (optional && from === null) return Optional.NONE;
          throw new CelEvaluationError(from === null ? `no such key: ${name}` : 'no such overload');
        }
        const value = lookup(from, field.name);
        if (optional) return value === undefined ? Optional.NONE : new Optional(read(value, type));
        if (value === undefined) throw new CelEvaluationError(`no such key: ${name}`);
        return read(value, type);
      },
    };
  }

  /** `has(a.b)`: whether the field is there; what leads to it must be. */
  has(node: Node, argument: Node | undefined, scope: readonly Local[]): Checked {
    if (argument?.op !== '.' && argument?.op !== '.?') return this.complain(node, 'invalid argument to has() macro');
    const [operand, name] = argument.args;
    const inner = this.visit(operand, scope);
    const field = this.fieldType(argument, inner.type, name);
    return {
      type: BOOL,
      run: (frame) => {
        spend(frame);
        let from = inner.run(frame);
        if (from instanceof Optional) {
          if (!from.present) return false;
          from = from.value;
        }
        if (!isMap(from)) throw new CelEvaluationError('no such overload');
        return lookup(from, field?.name ?? name) !== undefined;
      },
    };
  }

  private index(node: Node, operand: Node, at: Node, optional: boolean, scope: readonly Local[]): Checked {
    const inner = this.visit(operand, scope);
    const key = this.visit(at, scope);
    const container = inner.type.kind === 'optional' ? inner.type.value : inner.type;
    let type: CelType = DYN;
    if (container.kind === 'list' && assignable(key.type, INT)) type = container.element;
    else if (container.kind === 'map' && assignable(key.type, container.key)) type = container.value;
    else if (container.kind !== 'dyn')
      return this.complain(node, `found no matching overload for '_[_]' applied to '(${typeText(inner.type)}, ${typeText(key.type)})'`);
    const maybe = optional || inner.type.kind === 'optional';
    const find = (from: unknown, k: unknown): unknown => {
      if (Array.isArray(from)) {
        const n = mapKey(k);
        if (typeof n !== 'bigint') throw new CelEvaluationError(`no such overload`);
        const value = n < 0n ? undefined : (from as unknown[])[Number(n)];
        if (value === undefined && !maybe) throw new CelEvaluationError(`index out of bounds: ${n}`);
        return value;
      }
      if (!isMap(from)) throw new CelEvaluationError('no such overload');
      const value = lookup(from, k);
      if (value === undefined && !maybe) throw new CelEvaluationError(`no such key: ${k instanceof Double || k instanceof Uint ? k.value : String(k)}`);
      return value;
    };
    return {
      type: maybe ? optionalOf(type) : type,
      run: (frame) => {
        spend(frame);
        const from = inner.run(frame);
        const k = key.run(frame);
        if (from instanceof Optional && !from.present) return Optional.NONE;
        const value = find(from instanceof Optional ? from.value : from, k);
        if (!maybe) return read(value, type);
        return value === undefined ? Optional.NONE : new Optional(read(value, type));
      },
    };
  }

  private globalCall(node: Node, name: string, args: readonly Node[], scope: readonly Local[]): Checked {
    if (name === 'has') return this.has(node, args[0], scope);
    if (name === STRUCT) return this.struct(args, scope);
    return this.resolve(
      node,
      name,
      args.map((each) => this.visit(each, scope)),
      false,
      args,
    );
  }

  private memberCall(node: Node, name: string, receiver: Node, args: readonly Node[], scope: readonly Local[]): Checked {
    if (receiver.op === 'id' && !scope.some((each) => each.name === receiver.args) && !Object.hasOwn(this.variables, receiver.args)) {
      const qualified = `${receiver.args}.${name}`;
      if (FUNCTIONS[qualified])
        return this.resolve(
          node,
          qualified,
          args.map((each) => this.visit(each, scope)),
          false,
          args,
        );
    }
    const macro: Macro | undefined = comprehension(name, args.length);
    if (macro) return macro(this, { node, receiver, args, scope });
    const given = [receiver, ...args].map((each) => this.visit(each, scope));
    return this.resolve(node, name, given, true, args);
  }

  /** Chooses among a function's overloads: now if the types say which, else each time it runs. */
  private resolve(node: Node, name: string, given: readonly Checked[], member: boolean, literals: readonly Node[] = []): Checked {
    const types = given.map((each) => each.type);
    const all = FUNCTIONS[name];
    if (!all) return this.complain(node, `undeclared reference to '${name}' (in container '')`);
    let fitting = all.filter((each) => each.member === member && each.args.length === given.length && each.args.every((arg, i) => assignable(types[i]!, arg)));
    // Equality and membership are generic: both sides have one type.
    if (name === '_==_' || name === '_!=_') fitting = fitting.filter(() => comparable(types[0]!, types[1]!));
    if (name === '@in') {
      const [item, range] = types as [CelType, CelType];
      const inside = range.kind === 'list' ? range.element : range.kind === 'map' ? range.key : DYN;
      fitting = fitting.filter(() => assignable(item, inside));
    }
    if (fitting.length === 0) {
      const [first, ...rest] = types.map(typeText);
      const applied = member ? `${first}.(${rest.join(', ')})` : `(${[first, ...rest].filter((each) => each !== undefined).join(', ')})`;
      return this.complain(node, `found no matching overload for '${name}' applied to '${applied}'`);
    }
    this.checkLiteral(name, literals);
    const results = fitting.map(({ result }) => (typeof result === 'function' ? result(types) : result));
    const type = results.reduce(join);
    const runs = given.map((each) => each.run);
    const [only] = fitting;
    if (fitting.length === 1 && only!.args.every((arg, i) => arg.kind === 'dyn' || (types[i]!.kind !== 'dyn' && types[i]!.kind === arg.kind))) {
      const call = only!.run as (...args: unknown[]) => unknown;
      return {
        type,
        run: (frame) => {
          spend(frame);
          return read(call(...runs.map((run) => run(frame))));
        },
      };
    }
    return {
      type,
      run: (frame) => {
        spend(frame);
        const values = runs.map((run) => run(frame));
        const overload = fitting.find((each) => each.args.every((arg, i) => fits(values[i], arg)));
        if (!overload) throw new CelEvaluationError('no such overload');
        return read((overload.run as (...args: unknown[]) => unknown)(...values));
      },
    };
  }

  /** Literals that can never work are refused at once (cel-go's ASTValidators). */
  private checkLiteral(name: string, literals: readonly Node[]): void {
    const last = literals.at(-1);
    if (last?.op !== 'value' || typeof last.args !== 'string') return;
    const bad =
      name === 'matches' || name === 'find' || name === 'findAll'
        ? isBadRegex(last.args)
        : name === 'duration'
          ? parseDuration(last.args) === undefined
          : name === 'timestamp' && parseTimestamp(last.args) === undefined;
    if (bad) this.issues.push(issue(last.input, last.start, `invalid ${name} argument`));
  }

  private list(elements: readonly Node[], scope: readonly Local[]): Checked {
    const given = elements.map((each) => this.visit(each, scope));
    const first = given[0]?.type;
    given.forEach((each, i) => {
      if (first && !assignable(each.type, first)) {
        this.issues.push(issue(elements[i]!.input, elements[i]!.start, `expected type '${typeText(first)}' but found '${typeText(each.type)}'`));
      }
    });
    const type = listOf(given.length === 0 ? DYN : given.map((each) => each.type).reduce(join));
    return { type, run: (frame) => given.map((each) => each.run(frame)) };
  }

  private map(entries: readonly (readonly [Node, Node])[], scope: readonly Local[]): Checked {
    const given = entries.map(([key, value]) => [this.visit(key, scope), this.visit(value, scope)] as const);
    const type = given.length === 0 ? mapOf(DYN, DYN) : mapOf(given.map(([key]) => key.type).reduce(join), given.map(([, value]) => value.type).reduce(join));
    return {
      type,
      run: (frame) => new Map(given.map(([key, value]) => [mapKey(key.run(frame)), value.run(frame)])),
    };
  }

  /** `Object.spec{replicas: 1}`: a map by field name. Here simplified: the fields are not checked against the kind's schema. */
  private struct(args: readonly Node[], scope: readonly Local[]): Checked {
    const fields = (args[1]?.op === 'map' ? args[1].args : []).map(
      ([key, value]) => [key.op === 'id' ? key.args : key.op === 'value' ? String(key.args) : '', this.visit(value, scope)] as const,
    );
    return {
      type: DYN,
      run: (frame) => {
        const made = new Map<string, unknown>();
        for (const [name, value] of fields) {
          const v = value.run(frame);
          if (v instanceof Optional) {
            if (v.present) made.set(name, v.value);
          } else made.set(name, v);
        }
        return made;
      },
    };
  }

  private ternary(node: Node, [condition, yes, no]: readonly [Node, Node, Node], scope: readonly Local[]): Checked {
    const test = this.visit(condition, scope);
    const a = this.visit(yes, scope);
    const b = this.visit(no, scope);
    if (!assignable(test.type, BOOL) || !(assignable(a.type, b.type) || assignable(b.type, a.type)))
      return this.complain(node, `found no matching overload for '_?_:_' applied to '(${[test, a, b].map(({ type }) => typeText(type)).join(', ')})'`);
    return {
      type: join(a.type, b.type),
      run: (frame) => {
        const value = test.run(frame);
        if (typeof value !== 'boolean') throw new CelEvaluationError('no such overload');
        return value ? a.run(frame) : b.run(frame);
      },
    };
  }

  /** An error on one side does not matter when the other side decides. */
  private logical(node: Node, op: '&&' | '||', [left, right]: readonly [Node, Node], scope: readonly Local[]): Checked {
    const a = this.visit(left, scope);
    const b = this.visit(right, scope);
    if (!assignable(a.type, BOOL) || !assignable(b.type, BOOL))
      return this.complain(node, `found no matching overload for '_${op}_' applied to '(${typeText(a.type)}, ${typeText(b.type)})'`);
    const decides = op === '||';
    return {
      type: BOOL,
      run: (frame) => {
        let failed: unknown;
        for (const side of [a, b]) {
          try {
            const value = side.run(frame);
            if (value === decides) return decides;
            if (typeof value !== 'boolean') throw new CelEvaluationError('no such overload');
          } catch (error) {
            if (!(error instanceof CelEvaluationError)) throw error;
            failed ??= error;
          }
        }
        if (failed) throw failed;
        return !decides;
      },
    };
  }
}

const comparable = (a: CelType, b: CelType): boolean =>
  assignable(a, b) || assignable(b, a) || (a.kind === 'object' && b.kind === 'map') || (a.kind === 'map' && b.kind === 'object');

function isBadRegex(pattern: string): boolean {
  try {
    goRegex(pattern);
    return false;
  } catch (error) {
    if (error instanceof RegexError) return true;
    throw error;
  }
}

function literal(value: unknown): Checked {
  if (typeof value === 'bigint') return { type: INT, run: () => value };
  if (typeof value === 'number') {
    const made = new Double(value);
    return { type: DOUBLE, run: () => made };
  }
  if (typeof value === 'string') return { type: STRING, run: () => value };
  if (typeof value === 'boolean') return { type: BOOL, run: () => value };
  if (value === null) return { type: NULL, run: () => null };
  if (value instanceof Uint8Array) return { type: BYTES, run: () => value };
  const made = new Uint(BigInt(String(value)));
  return { type: UINT, run: () => made };
}
