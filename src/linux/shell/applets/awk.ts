/**
 * awk, the part people use at a prompt: patterns, BEGIN and END, `print`, `printf`, fields, variables,
 * arithmetic, comparisons, `~`, `if`, `for (k in a)`, arrays, and a few functions.
 *
 * Here simplified: no user functions, no `while`, no getline, no output redirection.
 */
import type { Program } from '../../program.ts';
import { formatPrintf, unescapeText } from '../printf.ts';
import { AppletError, applet, eachBatch, parseFlags } from './applet.ts';
import { posixRegExp } from './text.ts';

type Value = string | number;
interface Runtime {
  readonly variables: Map<string, Value>;
  readonly arrays: Map<string, Map<string, Value>>;
  fields: string[];
  print(text: string): void;
}
type Expression = (runtime: Runtime) => Value;
type Statement = (runtime: Runtime) => void;
class Next extends Error {}
class Exit extends Error {
  constructor(readonly code: number) {
    super();
  }
}

const TOKEN =
  /\s*(?:#[^\n]*)?(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|"((?:[^"\\]|\\[\s\S])*)"|([A-Za-z_]\w*)|(\+\+|--|&&|\|\||[-+*/%^]=|[<>=!]=|!~|[-+*/%^<>=!~?:,;(){}[\]$\n]))/y;
interface Token {
  readonly kind: 'number' | 'string' | 'name' | 'operator' | 'end';
  readonly text: string;
}

const number = (value: Value): number => (typeof value === 'number' ? value : Number.parseFloat(value) || 0);
const text = (value: Value): string => (typeof value === 'string' ? value : Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6))));
const looksNumeric = (value: Value): boolean => typeof value === 'number' || /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(value);
const truth = (value: Value): boolean => (looksNumeric(value) ? number(value) !== 0 : value !== '');

class Parser {
  private at = 0;
  private token: Token = { kind: 'end', text: '' };
  constructor(private readonly source: string) {
    this.next();
  }

  private next(): Token {
    const before = this.token;
    TOKEN.lastIndex = this.at;
    const skipped = /[ \t\r]*(?:#[^\n]*)?/y;
    skipped.lastIndex = this.at;
    this.at += skipped.exec(this.source)![0].length;
    if (this.source[this.at] === '\\' && this.source[this.at + 1] === '\n') this.at += 2;
    if (this.at >= this.source.length) this.token = { kind: 'end', text: '' };
    else if (this.source[this.at] === '\n') {
      this.at++;
      this.token = { kind: 'operator', text: '\n' };
    } else {
      TOKEN.lastIndex = this.at;
      const m = TOKEN.exec(this.source);
      if (!m) throw new AppletError(`cmd. line:1: ${this.source}\nsyntax error near ${this.source.slice(this.at, this.at + 10)}`, 2);
      this.at = TOKEN.lastIndex;
      this.token =
        m[1] !== undefined
          ? { kind: 'number', text: m[1] }
          : m[2] !== undefined
            ? { kind: 'string', text: unescapeText(m[2].replace(/\\"/g, '"').replace(/\\\//g, '/')).text }
            : m[3] !== undefined
              ? { kind: 'name', text: m[3] }
              : { kind: 'operator', text: m[4]! };
    }
    return before;
  }
  private is(operator: string): boolean {
    return this.token.kind !== 'string' && this.token.kind !== 'number' && this.token.text === operator && this.token.kind !== 'end';
  }
  private accept(operator: string): boolean {
    if (!this.is(operator)) return false;
    this.next();
    return true;
  }
  private expect(operator: string): void {
    if (!this.accept(operator)) throw new AppletError(`cmd. line:1: syntax error at or near ${this.token.text || 'end of file'}`, 2);
  }
  private newlines(): void {
    while (this.is('\n') || this.is(';')) this.next();
  }
  /** A regular expression literal; the token under way is its opening `/`. */
  private regExp(): RegExp {
    let pattern = '';
    while (this.at < this.source.length && this.source[this.at] !== '/') {
      if (this.source[this.at] === '\\' && this.source[this.at + 1] === '/') this.at++;
      else if (this.source[this.at] === '\\') pattern += this.source[this.at++];
      pattern += this.source[this.at++];
    }
    this.at++;
    this.next();
    return posixRegExp(pattern, true);
  }

  program(): {
    begin: Statement[];
    main: { pattern: Expression | undefined; end: Expression | undefined; active: boolean; body: Statement }[];
    end: Statement[];
  } {
    const program = {
      begin: [] as Statement[],
      main: [] as { pattern: Expression | undefined; end: Expression | undefined; active: boolean; body: Statement }[],
      end: [] as Statement[],
    };
    for (this.newlines(); this.token.kind !== 'end'; this.newlines()) {
      if (this.accept('BEGIN')) program.begin.push(this.block());
      else if (this.accept('END')) program.end.push(this.block());
      else {
        const pattern = this.is('{') ? undefined : this.expression();
        const end = pattern && this.accept(',') ? this.expression() : undefined;
        const body: Statement = this.is('{') ? this.block() : (runtime) => runtime.print(`${runtime.fields[0]}\n`);
        program.main.push({ pattern, end, active: false, body });
      }
    }
    return program;
  }

  private block(): Statement {
    this.newlines();
    this.expect('{');
    const statements: Statement[] = [];
    for (this.newlines(); !this.is('}'); this.newlines()) {
      if (this.token.kind === 'end') this.expect('}');
      statements.push(this.statement());
    }
    this.next();
    return (runtime) => {
      for (const statement of statements) statement(runtime);
    };
  }

  private statement(): Statement {
    if (this.is('{')) return this.block();
    if (this.accept('if')) {
      this.expect('(');
      const condition = this.expression();
      this.expect(')');
      while (this.accept('\n')) {}
      const yes = this.statement();
      const saved = { at: this.at, token: this.token };
      while (this.is(';') || this.is('\n')) this.next();
      if (this.accept('else')) {
        while (this.accept('\n')) {}
        const no = this.statement();
        return (runtime) => (truth(condition(runtime)) ? yes(runtime) : no(runtime));
      }
      this.at = saved.at;
      this.token = saved.token;
      return (runtime) => {
        if (truth(condition(runtime))) yes(runtime);
      };
    }
    if (this.accept('for')) {
      this.expect('(');
      const name = this.token.text;
      const saved = { at: this.at, token: this.token };
      this.next();
      if (this.accept('in')) {
        const array = this.next().text;
        this.expect(')');
        while (this.accept('\n')) {}
        const body = this.statement();
        return (runtime) => {
          for (const key of [...(runtime.arrays.get(array)?.keys() ?? [])]) {
            runtime.variables.set(name, key);
            body(runtime);
          }
        };
      }
      this.at = saved.at;
      this.token = saved.token;
      const start = this.expression();
      this.expect(';');
      const condition = this.expression();
      this.expect(';');
      const step = this.expression();
      this.expect(')');
      while (this.accept('\n')) {}
      const body = this.statement();
      return (runtime) => {
        let turns = 0;
        for (start(runtime); truth(condition(runtime)); step(runtime)) {
          body(runtime);
          if (++turns > 1_000_000) throw new AppletError('loop without an end', 2);
        }
      };
    }
    if (this.accept('print')) {
      const values = this.arguments();
      return (runtime) => {
        const separator = text(runtime.variables.get('OFS') ?? ' ');
        const line = values.length === 0 ? runtime.fields[0]! : values.map((value) => text(value(runtime))).join(separator);
        runtime.print(line + text(runtime.variables.get('ORS') ?? '\n'));
      };
    }
    if (this.accept('printf')) {
      const values = this.arguments();
      return (runtime) => {
        const [format, ...rest] = values.map((value) => text(value(runtime)));
        runtime.print(formatPrintf((format ?? '').replace(/\\/g, '\\\\'), rest).text);
      };
    }
    if (this.accept('next'))
      return () => {
        throw new Next();
      };
    if (this.accept('exit')) {
      const code = this.is('}') || this.is(';') || this.is('\n') || this.token.kind === 'end' ? () => 0 : this.expression();
      return (runtime) => {
        throw new Exit(number(code(runtime)));
      };
    }
    if (this.accept('delete')) {
      const name = this.next().text;
      if (!this.accept('[')) return (runtime) => void runtime.arrays.delete(name);
      const key = this.expression();
      this.expect(']');
      return (runtime) => void runtime.arrays.get(name)?.delete(text(key(runtime)));
    }
    const expression = this.expression();
    return (runtime) => void expression(runtime);
  }

  private arguments(): Expression[] {
    const values: Expression[] = [];
    if (this.is(';') || this.is('}') || this.is('\n') || this.token.kind === 'end') return values;
    do values.push(this.expression());
    while (this.accept(','));
    return values;
  }

  expression(): Expression {
    const left = this.ternary();
    for (const operator of ['=', '+=', '-=', '*=', '/=', '%=']) {
      if (!this.is(operator)) continue;
      const assign = (left as Expression & { assign?: (runtime: Runtime, value: Value) => void }).assign;
      if (!assign) break;
      this.next();
      const right = this.expression();
      return (runtime) => {
        const value = operator === '=' ? right(runtime) : arithmetic(operator[0]!, number(left(runtime)), number(right(runtime)));
        assign(runtime, value);
        return value;
      };
    }
    return left;
  }
  private ternary(): Expression {
    const condition = this.or();
    if (!this.accept('?')) return condition;
    const yes = this.ternary();
    this.expect(':');
    const no = this.ternary();
    return (runtime) => (truth(condition(runtime)) ? yes(runtime) : no(runtime));
  }
  private or(): Expression {
    let left = this.and();
    while (this.accept('||')) {
      const [a, b] = [left, this.and()];
      left = (runtime) => Number(truth(a(runtime)) || truth(b(runtime)));
    }
    return left;
  }
  private and(): Expression {
    let left = this.match();
    while (this.accept('&&')) {
      const [a, b] = [left, this.match()];
      left = (runtime) => Number(truth(a(runtime)) && truth(b(runtime)));
    }
    return left;
  }
  private match(): Expression {
    const left = this.comparison();
    if (this.is('in')) {
      this.next();
      const array = this.next().text;
      return (runtime) => Number(runtime.arrays.get(array)?.has(text(left(runtime))) ?? false);
    }
    if (!this.is('~') && !this.is('!~')) return left;
    const negate = this.is('!~');
    this.next();
    if (this.is('/')) {
      const regExp = this.regExp();
      return (runtime) => Number(regExp.test(text(left(runtime))) !== negate);
    }
    const right = this.comparison();
    return (runtime) => Number(posixRegExp(text(right(runtime)), true).test(text(left(runtime))) !== negate);
  }
  private comparison(): Expression {
    const left = this.concatenation();
    for (const operator of ['<=', '>=', '==', '!=', '<', '>']) {
      if (!this.is(operator)) continue;
      this.next();
      const right = this.concatenation();
      return (runtime) => {
        const [a, b] = [left(runtime), right(runtime)];
        const [x, y]: [Value, Value] = looksNumeric(a) && looksNumeric(b) ? [number(a), number(b)] : [text(a), text(b)];
        return Number({ '<=': x <= y, '>=': x >= y, '==': x === y, '!=': x !== y, '<': x < y, '>': x > y }[operator]);
      };
    }
    return left;
  }
  private concatenation(): Expression {
    let left = this.additive();
    while (
      this.token.kind === 'string' ||
      this.token.kind === 'number' ||
      (this.token.kind === 'name' && this.token.text !== 'in') ||
      this.is('$') ||
      this.is('(') ||
      this.is('-')
    ) {
      const [a, b] = [left, this.additive()];
      left = (runtime) => text(a(runtime)) + text(b(runtime));
    }
    return left;
  }
  private additive(): Expression {
    let left = this.multiplicative();
    while (this.is('+') || this.is('-')) {
      const operator = this.next().text;
      const [a, b] = [left, this.multiplicative()];
      left = (runtime) => arithmetic(operator, number(a(runtime)), number(b(runtime)));
    }
    return left;
  }
  private multiplicative(): Expression {
    let left = this.unary();
    while (this.is('*') || this.is('/') || this.is('%')) {
      const operator = this.next().text;
      const [a, b] = [left, this.unary()];
      left = (runtime) => arithmetic(operator, number(a(runtime)), number(b(runtime)));
    }
    return left;
  }
  private unary(): Expression {
    if (this.accept('!')) {
      const value = this.unary();
      return (runtime) => Number(!truth(value(runtime)));
    }
    if (this.accept('-')) {
      const value = this.unary();
      return (runtime) => -number(value(runtime));
    }
    for (const operator of ['++', '--']) {
      if (!this.accept(operator)) continue;
      const target = this.primary() as Expression & { assign?: (runtime: Runtime, value: Value) => void };
      return (runtime) => {
        const value = number(target(runtime)) + (operator === '++' ? 1 : -1);
        target.assign?.(runtime, value);
        return value;
      };
    }
    const value = this.primary() as Expression & { assign?: (runtime: Runtime, value: Value) => void };
    if (value.assign && (this.is('++') || this.is('--'))) {
      const by = this.next().text === '++' ? 1 : -1;
      return (runtime) => {
        const old = number(value(runtime));
        value.assign!(runtime, old + by);
        return old;
      };
    }
    return value;
  }

  private primary(): Expression {
    if (this.is('/')) {
      const regExp = this.regExp();
      return (runtime) => Number(regExp.test(runtime.fields[0]!));
    }
    if (this.accept('(')) {
      const value = this.expression();
      this.expect(')');
      return (runtime) => value(runtime);
    }
    if (this.accept('$')) {
      const index = this.primary();
      const field = (runtime: Runtime): Value => runtime.fields[number(index(runtime))] ?? '';
      return Object.assign(field, {
        assign: (runtime: Runtime, value: Value) => {
          const at = number(index(runtime));
          if (at === 0) setRecord(runtime, text(value));
          else {
            while (runtime.fields.length <= at) runtime.fields.push('');
            runtime.fields[at] = text(value);
            runtime.fields[0] = runtime.fields.slice(1).join(text(runtime.variables.get('OFS') ?? ' '));
            runtime.variables.set('NF', runtime.fields.length - 1);
          }
        },
      });
    }
    const token = this.next();
    if (token.kind === 'number') return () => Number(token.text);
    if (token.kind === 'string') return () => token.text;
    if (token.kind !== 'name') throw new AppletError(`cmd. line:1: syntax error at or near ${token.text.trim() || 'end of file'}`, 2);
    const name = token.text;
    if (name in FUNCTIONS && (this.is('(') || name === 'length')) return this.call(name);
    if (this.accept('[')) {
      const key = this.expression();
      this.expect(']');
      const element = (runtime: Runtime): Value => runtime.arrays.get(name)?.get(text(key(runtime))) ?? '';
      return Object.assign(element, {
        assign: (runtime: Runtime, value: Value) => {
          if (!runtime.arrays.has(name)) runtime.arrays.set(name, new Map());
          runtime.arrays.get(name)!.set(text(key(runtime)), value);
        },
      });
    }
    return Object.assign((runtime: Runtime): Value => runtime.variables.get(name) ?? '', {
      assign: (runtime: Runtime, value: Value) => void runtime.variables.set(name, value),
    });
  }

  private call(name: string): Expression {
    if (!this.accept('(')) return (runtime) => runtime.fields[0]!.length;
    const values: Expression[] = [];
    const regExps: (RegExp | undefined)[] = [];
    const names: string[] = [];
    while (!this.is(')')) {
      names.push(this.token.text);
      if (this.is('/')) {
        const regExp = this.regExp();
        regExps[values.length] = regExp;
        values.push(() => regExp.source);
      } else values.push(this.expression());
      if (!this.accept(',')) break;
    }
    this.expect(')');
    const body = FUNCTIONS[name]!;
    return (runtime) => body(runtime, values, regExps, names);
  }
}

const arithmetic = (operator: string, a: number, b: number): number => {
  if ((operator === '/' || operator === '%') && b === 0) throw new AppletError('cmd. line:1: division by zero', 2);
  return operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : operator === '/' ? a / b : a % b;
};

type AwkFunction = (runtime: Runtime, values: readonly Expression[], regExps: readonly (RegExp | undefined)[], names: readonly string[]) => Value;
const replace =
  (all: boolean): AwkFunction =>
  (runtime, values, regExps) => {
    const source = regExps[0]?.source ?? posixRegExp(text(values[0]!(runtime)), true).source;
    const replacement = text(values[1]!(runtime));
    const target = values[2] as (Expression & { assign?: (runtime: Runtime, value: Value) => void }) | undefined;
    let count = 0;
    const old = target ? text(target(runtime)) : runtime.fields[0]!;
    const changed = old.replace(new RegExp(source, all ? 'g' : ''), (match) => {
      count++;
      return replacement.replace(/\\&|&/g, (m) => (m === '&' ? match : '&'));
    });
    if (target) target.assign?.(runtime, changed);
    else setRecord(runtime, changed);
    return count;
  };
const FUNCTIONS: Readonly<Record<string, AwkFunction>> = {
  length: (runtime, [value], _, names) =>
    value === undefined ? runtime.fields[0]!.length : (runtime.arrays.get(names[0]!)?.size ?? text(value(runtime)).length),
  substr: (runtime, values) => {
    const from = Math.round(number(values[1]!(runtime)));
    const size = values[2] ? Math.round(number(values[2](runtime))) : Number.POSITIVE_INFINITY;
    return text(values[0]!(runtime)).slice(Math.max(0, from - 1), Math.max(0, from - 1 + size));
  },
  index: (runtime, values) => text(values[0]!(runtime)).indexOf(text(values[1]!(runtime))) + 1,
  toupper: (runtime, values) => text(values[0]!(runtime)).toUpperCase(),
  tolower: (runtime, values) => text(values[0]!(runtime)).toLowerCase(),
  int: (runtime, values) => Math.trunc(number(values[0]!(runtime))),
  sprintf: (runtime, values) => {
    const [format, ...rest] = values.map((value) => text(value(runtime)));
    return formatPrintf((format ?? '').replace(/\\/g, '\\\\'), rest).text;
  },
  split: (runtime, values, regExps, names) => {
    const subject = text(values[0]!(runtime));
    const separator = values[2] ? (regExps[2] ?? text(values[2](runtime))) : text(runtime.variables.get('FS') ?? ' ');
    const parts = splitFields(subject, separator);
    runtime.arrays.set(names[1]!, new Map(parts.map((part, i) => [String(i + 1), part])));
    return parts.length;
  },
  sub: replace(false),
  gsub: replace(true),
  match: (runtime, values, regExps) => {
    const m = (regExps[1] ?? posixRegExp(text(values[1]!(runtime)), true)).exec(text(values[0]!(runtime)));
    runtime.variables.set('RSTART', m ? m.index + 1 : 0);
    runtime.variables.set('RLENGTH', m ? m[0].length : -1);
    return m ? m.index + 1 : 0;
  },
};

function splitFields(line: string, separator: string | RegExp): string[] {
  if (line === '') return [];
  if (separator === ' ')
    return line
      .trim()
      .split(/\s+/)
      .filter((field) => field !== '');
  if (typeof separator === 'string' && separator.length === 1) return line.split(separator);
  return line.split(typeof separator === 'string' ? posixRegExp(separator, true) : separator);
}
function setRecord(runtime: Runtime, line: string): void {
  const separator = text(runtime.variables.get('FS') ?? ' ');
  runtime.fields = [line, ...splitFields(line, separator)];
  runtime.variables.set('NF', runtime.fields.length - 1);
}

export const awk: Program = applet(async (self) => {
  const flags = parseFlags(self, '+F:v:f:');
  const [source, ...paths] = flags.operands;
  if (source === undefined) {
    self.stderr('Usage: awk [-F fs][-v var=value] program [file ...]\n');
    return 2;
  }
  const program = new Parser(source).program();
  const runtime: Runtime = {
    variables: new Map<string, Value>([
      ['NR', 0],
      ['NF', 0],
    ]),
    arrays: new Map(),
    fields: [''],
    print: self.stdout,
  };
  if (flags.has('F')) runtime.variables.set('FS', flags.value('F') === 't' ? '\t' : unescapeText(flags.value('F')!).text);
  for (const assignment of flags.values('v')) {
    const at = assignment.indexOf('=');
    runtime.variables.set(assignment.slice(0, at), unescapeText(assignment.slice(at + 1)).text);
  }
  let code = 0;
  let stopped = false;
  const guarded = (body: () => void) => {
    try {
      body();
    } catch (error) {
      if (error instanceof Exit) {
        code = error.code;
        stopped = true;
      } else if (!(error instanceof Next)) throw error;
    }
  };
  for (const statement of program.begin) if (!stopped) guarded(() => statement(runtime));
  if ((program.main.length > 0 || program.end.length > 0) && !stopped) {
    let output = '';
    runtime.print = (line) => {
      output += line;
    };
    const read = await eachBatch(self, paths, (lines, path) => {
      for (const line of lines) {
        if (stopped) break;
        runtime.variables.set('NR', number(runtime.variables.get('NR')!) + 1);
        runtime.variables.set('FILENAME', path === '-' ? '' : path);
        setRecord(runtime, line);
        guarded(() => {
          for (const rule of program.main) {
            if (rule.end) {
              if (!rule.active && !truth(rule.pattern!(runtime))) continue;
              rule.active = !truth(rule.end(runtime));
            } else if (rule.pattern && !truth(rule.pattern(runtime))) continue;
            rule.body(runtime);
          }
        });
      }
      self.stdout(output);
      output = '';
      return !stopped;
    });
    if (read !== 0) code = 2;
    runtime.print = self.stdout;
  }
  for (const statement of program.end) guarded(() => statement(runtime));
  return code;
});
