/**
 * `python3`: runs a script given with `-c`, or in a file, as far as `python-syntax.ts` reads the language, with the few
 * modules that such scripts import: os, sys, time, socket, random.
 */
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { seconds, us } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import { httpServer } from './python-http-server.ts';
import { type Block, type Expression, PythonSyntaxError, parsePython } from './python-syntax.ts';

const VERSION = '3.13.5';

type Value = string | number | boolean | null | readonly Value[] | Namespace | Callable;
type Callable = (args: readonly Value[], named: ReadonlyMap<string, Value>) => Value | Promise<Value>;
/** A module, or a mapping such as os.environ. */
class Namespace {
  constructor(
    readonly name: string,
    readonly members: ReadonlyMap<string, Value>,
    /** What `[]` finds. */
    readonly items?: Readonly<Record<string, string>>,
  ) {}
}

/** An exception that nothing catches. */
class Raised extends Error {
  constructor(
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}
class Exit extends Error {
  constructor(readonly code: number) {
    super('');
  }
}
class Loop extends Error {
  constructor(readonly how: 'break' | 'continue') {
    super('');
  }
}

export const python: Program = async (self) => {
  const [, ...args] = self.argv;
  if (args[0] === '--version' || args[0] === '-V') {
    self.stdout(`Python ${VERSION}\n`);
    return 0;
  }
  // Unbuffered output and the like change nothing here.
  while (args[0] !== undefined && /^-[uBEsSIOq]+$/.test(args[0])) args.shift();
  if (args[0] === '-m') return httpServer(self, args.slice(1));
  const [first] = args;
  if (first === undefined || first === '-i') return defer<number>(self.process.clock).promise;
  const inline = first === '-c';
  const source = inline ? (args[1] ?? '') : read(self, first);
  if (source === undefined) {
    self.stderr(
      `python3: can't open file '${first.startsWith('/') ? first : `${self.cwd.replace(/\/$/, '')}/${first}`}': [Errno 2] No such file or directory\n`,
    );
    return 2;
  }
  const file = inline ? '<string>' : first;
  const run = new Run(self, inline ? ['-c', ...args.slice(2)] : args);
  try {
    await run.block(parsePython(source));
    return 0;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    if (error instanceof PythonSyntaxError) {
      self.stderr(`  File "${file}", line ${error.line}\n    ${error.text}\nSyntaxError: ${error.message}\n`);
      return 1;
    }
    if (!(error instanceof Raised)) throw error;
    const line = inline ? '' : `    ${source.split('\n')[run.line - 1]?.trim() ?? ''}\n`;
    self.stderr(`Traceback (most recent call last):\n  File "${file}", line ${run.line}, in <module>\n${line}${error.type}: ${error.message}\n`);
    return 1;
  }
};

function read(self: ProgramContext, name: string): string | undefined {
  const path = name.startsWith('/') ? name : `${self.cwd.replace(/\/$/, '')}/${name}`;
  try {
    return self.files.read(path);
  } catch {
    return undefined;
  }
}

class Run {
  line = 1;
  private readonly names: Map<string, Value>;
  private readonly modules: ReadonlyMap<string, Namespace>;

  constructor(
    private readonly self: ProgramContext,
    argv: readonly string[],
  ) {
    this.names = new Map(Object.entries(builtins(self)));
    this.modules = modulesOf(self, argv);
  }

  async block(block: Block): Promise<void> {
    for (const { line, what } of block) {
      this.line = line;
      if (what.is === 'do') await this.value(what.expression);
      else if (what.is === 'set') {
        const value = await this.value(what.to);
        this.names.set(what.name, what.operator === '=' ? value : binary(what.operator.slice(0, -1), this.named(what.name), value));
      } else if (what.is === 'import') this.bring(what.module, what.as, what.names);
      else if (what.is === 'if') {
        for (const { when, block: inner } of what.branches) {
          if (when && !truth(await this.value(when))) continue;
          await this.block(inner);
          break;
        }
      } else if (what.is === 'while') {
        while (truth(await this.value(what.when))) if (!(await this.turn(what.block))) break;
      } else if (what.is === 'for') {
        const over = await this.value(what.over);
        const items = typeof over === 'string' ? [...over] : Array.isArray(over) ? (over as readonly Value[]) : undefined;
        if (!items) throw new Raised('TypeError', `'${typeName(over)}' object is not iterable`);
        for (const item of items) {
          this.names.set(what.name, item);
          if (!(await this.turn(what.block))) break;
        }
      } else if (what.is !== 'pass') throw new Loop(what.is);
    }
  }

  /** One turn of a loop; false: it is left. It takes time, or a loop that waits for nothing would stop the world. */
  private async turn(block: Block): Promise<boolean> {
    await this.self.process.clock.sleep(us(10));
    try {
      await this.block(block);
    } catch (error) {
      if (!(error instanceof Loop)) throw error;
      return error.how === 'continue';
    }
    return true;
  }

  private bring(module: string, as: string, names: readonly string[] | undefined): void {
    const found = this.modules.get(module);
    if (!found) throw new Raised('ModuleNotFoundError', `No module named '${module}'`);
    if (!names) this.names.set(as, found);
    for (const name of names ?? []) {
      const member = found.members.get(name);
      if (member === undefined) throw new Raised('ImportError', `cannot import name '${name}' from '${module}'`);
      this.names.set(name, member);
    }
  }

  private named(name: string): Value {
    const value = this.names.get(name);
    if (value === undefined) throw new Raised('NameError', `name '${name}' is not defined`);
    return value;
  }

  private async value(of: Expression): Promise<Value> {
    switch (of.is) {
      case 'value':
        return of.value;
      case 'name':
        return this.named(of.name);
      case 'list':
        return this.all(of.items);
      case 'attribute':
        return attribute(await this.value(of.of), of.name);
      case 'item':
        return item(await this.value(of.of), await this.value(of.at));
      case 'unary': {
        const value = await this.value(of.of);
        return of.operator === 'not' ? !truth(value) : -number(value, 'bad operand type for unary -');
      }
      case 'binary': {
        const left = await this.value(of.left);
        if (of.operator === 'or') return truth(left) ? left : this.value(of.right);
        if (of.operator === 'and') return truth(left) ? this.value(of.right) : left;
        return binary(of.operator, left, await this.value(of.right));
      }
      case 'call': {
        const callee = await this.value(of.of);
        if (typeof callee !== 'function') throw new Raised('TypeError', `'${typeName(callee)}' object is not callable`);
        const args = await this.all(of.args);
        const named = new Map<string, Value>();
        for (const [name, expression] of of.named) named.set(name, await this.value(expression));
        return callee(args, named);
      }
    }
  }

  private async all(expressions: readonly Expression[]): Promise<Value[]> {
    const values: Value[] = [];
    for (const expression of expressions) values.push(await this.value(expression));
    return values;
  }
}

const truth = (value: Value): boolean => value !== null && value !== false && value !== 0 && value !== '' && !(Array.isArray(value) && value.length === 0);

function number(value: Value, wrong: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  throw new Raised('TypeError', `${wrong}: '${typeName(value)}'`);
}

function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (typeof value === 'function') return 'builtin_function_or_method';
  return value instanceof Namespace ? (value.items ? '_Environ' : 'module') : 'list';
}

function text(value: Value, within = false): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return within ? `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'` : value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'function') return '<built-in function>';
  return value instanceof Namespace
    ? `<${value.items ? 'environ' : 'module'} '${value.name}'>`
    : `[${(value as readonly Value[]).map((each) => text(each, true)).join(', ')}]`;
}

function same(a: Value, b: Value): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, i) => same(each as Value, b[i] as Value));
  return (typeof a === 'boolean' ? Number(a) : a) === (typeof b === 'boolean' ? Number(b) : b);
}

function binary(operator: string, left: Value, right: Value): Value {
  const unsupported = () => new Raised('TypeError', `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`);
  if (operator === '==') return same(left, right);
  if (operator === '!=') return !same(left, right);
  if (operator === 'in' || operator === 'not in') {
    const found =
      typeof right === 'string'
        ? right.includes(text(left))
        : right instanceof Namespace && right.items
          ? text(left) in right.items
          : Array.isArray(right) && right.some((each) => same(each as Value, left));
    return found === (operator === 'in');
  }
  if (typeof left === 'string' && typeof right === 'string') {
    if (operator === '+') return left + right;
    if (operator === '<' || operator === '<=') return operator === '<' ? left < right : left <= right;
    if (operator === '>' || operator === '>=') return operator === '>' ? left > right : left >= right;
  }
  if (operator === '+' && Array.isArray(left) && Array.isArray(right)) return [...(left as readonly Value[]), ...(right as readonly Value[])];
  if (operator === '*' && typeof left === 'string' && typeof right === 'number') return left.repeat(Math.max(0, right));
  if (operator === '+' && typeof left === 'string') throw new Raised('TypeError', `can only concatenate str (not "${typeName(right)}") to str`);
  if (typeof left === 'string' || typeof right === 'string' || left === null || right === null || typeof left === 'object' || typeof right === 'object') {
    if ('<>='.includes(operator[0] ?? ''))
      throw new Raised('TypeError', `'${operator}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`);
    throw unsupported();
  }
  const a = Number(left);
  const b = Number(right);
  if ((operator === '/' || operator === '//' || operator === '%') && b === 0)
    throw new Raised('ZeroDivisionError', operator === '/' ? 'division by zero' : 'integer division or modulo by zero');
  const results: Readonly<Record<string, () => Value>> = {
    '+': () => a + b,
    '-': () => a - b,
    '*': () => a * b,
    '/': () => a / b,
    '//': () => Math.floor(a / b),
    '%': () => a - b * Math.floor(a / b),
    '<': () => a < b,
    '>': () => a > b,
    '<=': () => a <= b,
    '>=': () => a >= b,
  };
  const result = results[operator];
  if (!result) throw unsupported();
  return result();
}

function attribute(of: Value, name: string): Value {
  if (of instanceof Namespace) {
    const member = of.members.get(name);
    if (member !== undefined) return member;
    throw new Raised('AttributeError', of.items ? `'_Environ' object has no attribute '${name}'` : `module '${of.name}' has no attribute '${name}'`);
  }
  if (typeof of === 'string') {
    const methods: Readonly<Record<string, Callable>> = {
      upper: () => of.toUpperCase(),
      lower: () => of.toLowerCase(),
      strip: () => of.trim(),
      startswith: ([start]) => of.startsWith(text(start ?? '')),
      endswith: ([end]) => of.endsWith(text(end ?? '')),
      split: ([by]) => (by === undefined ? of.split(/\s+/).filter((each) => each !== '') : of.split(text(by))),
      join: ([list]) => (Array.isArray(list) ? (list as readonly Value[]).map((each) => text(each)).join(of) : of),
    };
    if (Object.hasOwn(methods, name)) return methods[name]!;
  }
  throw new Raised('AttributeError', `'${typeName(of)}' object has no attribute '${name}'`);
}

function item(of: Value, at: Value): Value {
  if (of instanceof Namespace && of.items) {
    const value = of.items[text(at)];
    if (value === undefined) throw new Raised('KeyError', text(at, true));
    return value;
  }
  if (typeof of === 'string' || Array.isArray(of)) {
    const list: readonly Value[] = typeof of === 'string' ? [...of] : (of as readonly Value[]);
    const index = number(at, 'list indices must be integers or slices, not');
    const value = list[index < 0 ? list.length + index : index];
    if (value === undefined) throw new Raised('IndexError', `${typeName(of) === 'str' ? 'string' : 'list'} index out of range`);
    return value;
  }
  throw new Raised('TypeError', `'${typeName(of)}' object is not subscriptable`);
}

function builtins(self: ProgramContext): Record<string, Value> {
  return {
    print: (args, named) => {
      const line = args.map((each) => text(each)).join(named.has('sep') ? text(named.get('sep')!) : ' ');
      const whole = line + (named.has('end') ? text(named.get('end')!) : '\n');
      const file = named.get('file');
      if (file instanceof Namespace && file.name === 'stderr') self.stderr(whole);
      else self.stdout(whole);
      return null;
    },
    int: ([value = 0]) => {
      if (typeof value === 'number' || typeof value === 'boolean') return Math.trunc(Number(value));
      if (typeof value !== 'string')
        throw new Raised('TypeError', `int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`);
      if (!/^\s*[+-]?\d+\s*$/.test(value)) throw new Raised('ValueError', `invalid literal for int() with base 10: ${text(value, true)}`);
      return Number(value);
    },
    float: ([value = 0]) => Number(value),
    str: ([value = '']) => text(value),
    len: ([value = null]) => {
      if (typeof value === 'string' || Array.isArray(value)) return value.length;
      throw new Raised('TypeError', `object of type '${typeName(value)}' has no len()`);
    },
    range: (args) => {
      const [from, to, step] = args.length === 1 ? [0, Number(args[0]), 1] : [Number(args[0]), Number(args[1]), Number(args[2] ?? 1)];
      const numbers: number[] = [];
      for (let n = from; (step > 0 ? n < to : n > to) && numbers.length < 1_000_000; n += step) numbers.push(n);
      return numbers;
    },
    exit: ([code = 0]) => leave(self, code),
  };
}

/** A number is the exit code; anything else is written to standard error, with code 1. */
function leave(self: ProgramContext, code: Value): never {
  if (code === null) throw new Exit(0);
  if (typeof code === 'number' || typeof code === 'boolean') throw new Exit(((Math.trunc(Number(code)) % 256) + 256) % 256);
  self.stderr(`${text(code)}\n`);
  throw new Exit(1);
}

function modulesOf(self: ProgramContext, argv: readonly string[]): ReadonlyMap<string, Namespace> {
  const { clock, rng } = self.process;
  const module = (name: string, members: Record<string, Value>): [string, Namespace] => [name, new Namespace(name, new Map(Object.entries(members)))];
  const get: Callable = ([name = '', otherwise = null]) => self.env[text(name)] ?? otherwise;
  const stream = (name: string, write: (text: string) => void) =>
    new Namespace(
      name,
      new Map<string, Value>([
        ['flush', () => null],
        [
          'write',
          ([what = '']) => {
            write(text(what));
            return text(what).length;
          },
        ],
      ]),
    );
  return new Map([
    module('os', { environ: new Namespace('environ', new Map([['get', get]]), self.env), getenv: get, getcwd: () => self.cwd, getpid: () => 1 }),
    module('sys', {
      exit: ([code = null]) => leave(self, code),
      argv,
      version: `${VERSION} (main) [GCC 12.2.0]`,
      stdout: stream('stdout', (out) => self.stdout(out)),
      stderr: stream('stderr', (out) => self.stderr(out)),
    }),
    module('time', {
      sleep: async ([length = 0]) => {
        await clock.sleep(Math.max(1, seconds(Number(length))));
        return null;
      },
      time: () => clock.now() / 1_000_000,
    }),
    module('socket', { gethostname: () => self.hostname }),
    module('random', { randint: ([from = 0, to = 0]) => rng.between(Number(from), Number(to) + 1), random: () => rng.between(0, 1_000_000) / 1_000_000 }),
  ]);
}
