/**
 * Go's text/template, as `-o go-template` runs it over decoded JSON (cli-runtime printers/template.go). `lexer.ts`
 * and `parser.ts` make the tree, `functions.ts` and `format.ts` have the functions, this file walks.
 */
import { goQuote } from '../gostring.ts';
import { Float, plain, typeName } from './format.ts';
import { FUNCTIONS, truth } from './functions.ts';
import { type Base, type Command, commandText, type Node, type Operand, operandText, type Pipe, parse, type Trees } from './parser.ts';

export interface GoTemplate {
  /** Throws TemplateFailure with what was written before the failure. */
  execute(data: unknown): string;
}
export class TemplateFailure extends Error {
  constructor(
    message: string,
    readonly written: string,
  ) {
    super(message);
  }
}

/** Throws Error `template: output:LINE: …` for a template that cannot be read. With `allowMissingKeys` false a missing key is an error. */
export function parseGoTemplate(template: string, allowMissingKeys = true): GoTemplate {
  const trees = parse(template, (name) => Object.hasOwn(FUNCTIONS, name));
  return { execute: (data) => new Execution(template, trees, allowMissingKeys).run(data) };
}

/** A value with the type Go knows of it: what comes out of a map or a list is an `interface {}` still. Nothing there is `undefined`. */
interface Value {
  readonly value: unknown;
  readonly boxed: boolean;
}
const boxed = (value: unknown): Value => ({ value, boxed: true });
const bare = (value: unknown): Value => ({ value, boxed: false });
const NOTHING = bare(undefined);

class Leave extends Error {
  constructor(readonly how: 'break' | 'continue') {
    super(how);
  }
}
/** text/template's own limit is 100000 calls; JavaScript's stack is smaller. */
const MAX_DEPTH = 1_000;

class Execution {
  private out = '';
  private name = 'output';
  private node: { readonly at: number; readonly text: () => string } | undefined;
  private variables: { readonly name: string; value: Value }[] = [];
  private depth = 0;

  constructor(
    private readonly template: string,
    private readonly trees: Trees,
    private readonly allowMissing: boolean,
  ) {}

  run(data: unknown): string {
    const dot = bare(data);
    this.variables = [{ name: '$', value: dot }];
    try {
      this.walk(this.trees.get('output') ?? [], dot);
    } catch (error) {
      if (error instanceof Error) throw new TemplateFailure(error.message, this.out);
      throw error;
    }
    return this.out;
  }

  private fail(message: string): never {
    if (!this.node) throw new Error(`template: ${this.name}: ${message}`);
    const before = this.template.slice(0, this.node.at);
    const column = this.node.at - (before.lastIndexOf('\n') + 1);
    throw new Error(`template: output:${before.split('\n').length}:${column}: executing ${goQuote(this.name)} at <${this.node.text()}>: ${message}`);
  }
  private at(node: Base, text: () => string): void {
    this.node = { at: node.at, text };
  }
  private atOperand(node: Operand): void {
    this.at(node, () => operandText(node));
  }

  private walk(nodes: readonly Node[], dot: Value): void {
    for (const node of nodes) this.step(node, dot);
  }

  private step(node: Node, dot: Value): void {
    switch (node.kind) {
      case 'text':
        this.out += node.text;
        return;
      case 'action': {
        const value = this.pipe(node.pipe, dot);
        if (node.pipe.declares.length === 0) this.out += value.value === undefined ? '<no value>' : plain(value.value);
        return;
      }
      case 'if':
      case 'with': {
        const mark = this.variables.length;
        const value = this.pipe(node.pipe, dot);
        if (truth(value.value)) this.walk(node.body, node.kind === 'with' ? value : dot);
        else if (node.otherwise) this.walk(node.otherwise, dot);
        this.variables.length = mark;
        return;
      }
      case 'range':
        this.range(node.pipe, node.body, node.otherwise, dot);
        return;
      case 'template':
        this.call(node.name, node.pipe, dot, node);
        return;
      default:
        throw new Leave(node.kind);
    }
  }

  private range(pipe: Pipe, body: readonly Node[], otherwise: readonly Node[] | undefined, dot: Value): void {
    const mark = this.variables.length;
    const { value } = this.pipe(pipe, dot, true);
    const inner = this.variables.length;
    const once = (key: Value, item: Value): void => {
      const names = pipe.declares;
      // One name is the item, two are key and item.
      if (names.length === 1) this.bind(names[0]!, item, pipe.assigns);
      if (names.length === 2) {
        this.bind(names[0]!, key, pipe.assigns);
        this.bind(names[1]!, item, pipe.assigns);
      }
      try {
        this.walk(body, item);
      } finally {
        this.variables.length = inner;
      }
    };
    let items: readonly (readonly [Value, Value])[] = [];
    if (Array.isArray(value)) items = value.map((item, i) => [bare(BigInt(i)), boxed(item)] as const);
    else if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
      if (pipe.declares.length > 1) this.fail(`can't use ${plain(value)} to iterate over more than one variable`);
      items = Array.from({ length: Math.max(0, Number(value)) }, (_, i) => [bare(BigInt(i)), bare(typeof value === 'bigint' ? BigInt(i) : i)] as const);
    } else if (typeof value === 'object' && value !== null)
      items = Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [bare(key), boxed(item)] as const);
    else if (value !== undefined && value !== null) {
      this.fail(`range can't iterate over ${plain(value)}`);
    }
    if (items.length === 0 && otherwise) this.walk(otherwise, dot);
    for (const [key, item] of items) {
      try {
        once(key, item);
      } catch (error) {
        if (!(error instanceof Leave)) throw error;
        if (error.how === 'break') break;
      }
    }
    this.variables.length = mark;
  }

  private call(name: string, pipe: Pipe | undefined, dot: Value, node: Base): void {
    this.at(node, () => `{{template ${goQuote(name)}${pipe ? ` ${pipe.commands.map(commandText).join(' | ')}` : ''}}}`);
    const body = this.trees.get(name);
    if (!body) this.fail(`template ${goQuote(name)} not defined`);
    if (this.depth >= MAX_DEPTH) this.fail(`exceeded maximum template depth (100000)`);
    const given = pipe ? this.pipe(pipe, dot) : NOTHING;
    const [variables, before] = [this.variables, this.name];
    this.variables = [{ name: '$', value: given }];
    this.name = name;
    this.depth++;
    this.walk(body!, given);
    this.depth--;
    this.name = before;
    this.variables = variables;
  }

  /** The innermost of that name. */
  private variable(name: string): { readonly name: string; value: Value } | undefined {
    for (let i = this.variables.length - 1; i >= 0; i--) if (this.variables[i]!.name === name) return this.variables[i];
    return undefined;
  }

  private bind(name: string, value: Value, assigns: boolean): void {
    if (!assigns) {
      this.variables.push({ name, value });
      return;
    }
    const found = this.variable(name);
    if (found) found.value = value;
  }

  /** The last command's value, out of its box; declared variables get it, except those of a range. */
  private pipe(pipe: Pipe, dot: Value, ofRange = false): Value {
    let value: Value | undefined;
    for (const command of pipe.commands) {
      const result = this.command(command, dot, value);
      value = bare(result.value ?? undefined);
    }
    const last = value ?? NOTHING;
    if (!ofRange) for (const name of pipe.declares) this.bind(name, last, pipe.assigns);
    return last;
  }

  private command(command: Command, dot: Value, final: Value | undefined): Value {
    const [first, ...args] = command.args as readonly [Operand, ...Operand[]];
    if (first.kind === 'identifier') return this.func(first.name, args, command, dot, final);
    if (first.kind === 'pipe' && args.length === 0 && final === undefined) return this.pipe(first.pipe, dot);
    this.atOperand(first);
    const hasArgs = args.length > 0 || final !== undefined;
    if (
      hasArgs &&
      (first.kind === 'constant' ||
        first.kind === 'dot' ||
        first.kind === 'nil' ||
        first.kind === 'pipe' ||
        (first.kind === 'variable' && first.path.length === 0))
    )
      this.fail(`can't give argument to non-function ${operandText(first)}`);
    if (first.kind === 'nil') this.fail('nil is not a command');
    return this.operand(first, dot, hasArgs);
  }

  private operand(node: Operand, dot: Value, hasArgs = false): Value {
    this.atOperand(node);
    switch (node.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return NOTHING;
      case 'constant':
        return bare(node.value);
      case 'field':
        return this.fields(node, dot, node.path, hasArgs);
      case 'variable': {
        const found = this.variable(node.name);
        if (!found) this.fail(`undefined variable: ${node.name}`);
        return this.fields(node, found!.value, node.path, hasArgs);
      }
      case 'pipe':
        return this.pipe(node.pipe, dot);
      case 'identifier':
        return this.func(node.name, [], { at: node.at, args: [node] }, dot, undefined);
      case 'chain': {
        if (node.node.kind === 'nil') this.fail(`indirection through explicit nil in ${operandText(node)}`);
        const base = this.operand(node.node, dot);
        return this.fields(undefined, base, node.path, hasArgs);
      }
    }
  }

  private fields(node: Operand | undefined, from: Value, path: readonly string[], hasArgs: boolean): Value {
    let at = from;
    path.forEach((name, i) => {
      if (node) this.atOperand(node);
      at = this.field(at, name, hasArgs && i === path.length - 1);
    });
    return at;
  }

  private field(from: Value, name: string, hasArgs: boolean): Value {
    const { value } = from;
    if (value === undefined) {
      if (!this.allowMissing) this.fail(`nil data; no entry for key ${goQuote(name)}`);
      return NOTHING;
    }
    const type = from.boxed ? 'interface {}' : typeName(value);
    if (value === null) this.fail(`nil pointer evaluating ${type}.${name}`);
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof Float) this.fail(`can't evaluate field ${name} in type ${type}`);
    if (hasArgs) this.fail(`${name} is not a method but has arguments`);
    const map = value as Readonly<Record<string, unknown>>;
    if (!Object.hasOwn(map, name) || map[name] === undefined) {
      if (!this.allowMissing) this.fail(`map has no entry for key ${goQuote(name)}`);
      return NOTHING;
    }
    return boxed(map[name]);
  }

  private func(name: string, args: readonly Operand[], command: Command, dot: Value, final: Value | undefined): Value {
    const found = FUNCTIONS[name]!;
    const text = (): string => commandText(command);
    this.atOperand(command.args[0]!);
    const count = args.length + (final === undefined ? 0 : 1);
    if (found.more ? count < found.wants : count !== found.wants)
      this.fail(`wrong number of args for ${name}: want ${found.more ? `at least ${found.wants}` : found.wants} got ${count}`);
    if (name === 'and' || name === 'or') {
      // Short circuits: later arguments are not looked at.
      let value = NOTHING;
      for (const arg of args) {
        value = this.operand(arg, dot);
        if (truth(value.value) === (name === 'or')) return value;
      }
      return final ?? value;
    }
    const values = args.map((arg, i) => {
      const { value } = this.operand(arg, dot);
      if (found.strings?.includes(i)) this.requireString(value, arg);
      return value;
    });
    if (final !== undefined) {
      if (found.strings?.includes(values.length)) this.requireString(final.value, undefined);
      values.push(final.value);
    }
    try {
      return bare(found.call(values));
    } catch (error) {
      this.at(command, text);
      return this.fail(`error calling ${name}: ${(error as Error).message}`);
    }
  }

  private requireString(value: unknown, node: Operand | undefined): void {
    if (typeof value === 'string') return;
    if (value === undefined || value === null) this.fail(`invalid value; expected string`);
    if (node?.kind === 'constant') this.fail(`expected string; found ${node.text}`);
    this.fail(`wrong type for value; expected string; got ${typeName(value)}`);
  }
}
