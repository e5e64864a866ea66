/**
 * A little of Python's grammar, enough for the scripts that Kubernetes' documentation gives to `python3 -c`: lines and
 * blocks, names, calls, attributes, operators, text and numbers. What it cannot read is a SyntaxError, as in life.
 *
 * Here simplified: no functions, classes, comprehensions, exceptions or f-strings.
 */

export type Expression =
  | { readonly is: 'value'; readonly value: string | number | boolean | null }
  | { readonly is: 'name'; readonly name: string }
  | { readonly is: 'list'; readonly items: readonly Expression[] }
  | { readonly is: 'attribute'; readonly of: Expression; readonly name: string }
  | { readonly is: 'item'; readonly of: Expression; readonly at: Expression }
  | { readonly is: 'call'; readonly of: Expression; readonly args: readonly Expression[]; readonly named: ReadonlyMap<string, Expression> }
  | { readonly is: 'unary'; readonly operator: string; readonly of: Expression }
  | { readonly is: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression };

export interface Statement {
  readonly line: number;
  readonly what:
    | { readonly is: 'import'; readonly module: string; readonly as: string; readonly names?: readonly string[] }
    | { readonly is: 'do'; readonly expression: Expression }
    | { readonly is: 'set'; readonly name: string; readonly operator: string; readonly to: Expression }
    | { readonly is: 'if'; readonly branches: readonly { readonly when?: Expression; readonly block: Block }[] }
    | { readonly is: 'while'; readonly when: Expression; readonly block: Block }
    | { readonly is: 'for'; readonly name: string; readonly over: Expression; readonly block: Block }
    | { readonly is: 'pass' | 'break' | 'continue' };
}
export type Block = readonly Statement[];

/** `line` counts from 1. */
export class PythonSyntaxError extends Error {
  constructor(
    message: string,
    readonly line: number,
    readonly text: string,
  ) {
    super(message);
  }
}

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

const TOKEN = /\s*(?:(\d+\.\d+|\d+)|([A-Za-z_]\w*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\/\/|\*\*|[=!<>+\-*/%]=|[-+*/%<>=()[\],.:])|(#.*)|(\S))/gy;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };
/** From those that bind least. */
const LEVELS: readonly (readonly string[])[] = [['or'], ['and'], ['==', '!=', '<', '>', '<=', '>=', 'in', 'not in'], ['+', '-'], ['*', '/', '//', '%']];

export function parsePython(source: string): Block {
  const lines = source
    .split('\n')
    .map((text, i): Line => ({ number: i + 1, indent: text.length - text.trimStart().length, text: text.trim() }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
  const reader = new Reader(lines);
  return reader.block(lines[0]?.indent ?? 0);
}

class Reader {
  private at = 0;
  constructor(private readonly lines: readonly Line[]) {}

  block(indent: number): Block {
    const statements: Statement[] = [];
    for (let line = this.lines[this.at]; line && line.indent >= indent; line = this.lines[this.at]) {
      if (line.indent > indent) throw new PythonSyntaxError('unexpected indent', line.number, line.text);
      this.at++;
      statements.push(...this.statements(line));
    }
    return statements;
  }

  /** A line holds several simple statements, or one that begins a block. */
  private statements(line: Line): Statement[] {
    const made: Statement[] = [];
    const tokens = new Tokens(line);
    const add = (what: Statement['what']): void => {
      made.push({ line: line.number, what });
    };
    const word = tokens.peek;
    if (word === 'if') add({ is: 'if', branches: this.branches(line, tokens) });
    else if (word === 'while') {
      tokens.next();
      const when = tokens.expression();
      add({ is: 'while', when, block: this.body(line, tokens) });
    } else if (word === 'for') {
      tokens.next();
      const name = tokens.name();
      tokens.expect('in');
      const over = tokens.expression();
      add({ is: 'for', name, over, block: this.body(line, tokens) });
    } else for (const what of tokens.simple()) add(what);
    return made;
  }

  private branches(first: Line, tokens: Tokens) {
    tokens.next();
    const branches: { when?: Expression; block: Block }[] = [{ when: tokens.expression(), block: this.body(first, tokens) }];
    for (let line = this.lines[this.at]; line && line.indent === first.indent; line = this.lines[this.at]) {
      const next = new Tokens(line);
      const word = next.peek;
      if (word !== 'elif' && word !== 'else') break;
      this.at++;
      next.next();
      branches.push({ ...(word === 'elif' ? { when: next.expression() } : {}), block: this.body(line, next) });
      if (word === 'else') break;
    }
    return branches;
  }

  /** After the colon: on the same line, or indented below it. */
  private body(line: Line, tokens: Tokens): Block {
    tokens.expect(':');
    if (!tokens.done) return tokens.simple().map((what) => ({ line: line.number, what }));
    const next = this.lines[this.at];
    if (!next || next.indent <= line.indent)
      throw new PythonSyntaxError(
        `expected an indented block after '${line.text.split(/\W/)[0]}' statement on line ${line.number}`,
        next?.number ?? line.number,
        next?.text ?? line.text,
      );
    return this.block(next.indent);
  }
}

class Tokens {
  private readonly tokens: { readonly kind: 'number' | 'name' | 'text' | 'sign'; readonly text: string }[] = [];
  private at = 0;

  constructor(private readonly line: Line) {
    // Statements on one line are parted by semicolons.
    const text = line.text;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const found = TOKEN.exec(text);
      if (!found) break;
      const [, number, name, quoted, sign, comment, other] = found;
      if (comment !== undefined) break;
      if (number !== undefined) this.tokens.push({ kind: 'number', text: number });
      else if (name !== undefined) this.tokens.push({ kind: 'name', text: name });
      else if (quoted !== undefined) this.tokens.push({ kind: 'text', text: quoted.slice(1, -1).replace(/\\(.)/gs, (all, c: string) => ESCAPES[c] ?? all) });
      else if (sign !== undefined || other === ';') this.tokens.push({ kind: 'sign', text: sign ?? ';' });
      else throw this.wrong('invalid syntax');
    }
  }

  get done(): boolean {
    return this.at >= this.tokens.length;
  }
  get peek(): string | undefined {
    const token = this.tokens[this.at];
    return token && token.kind !== 'text' ? token.text : undefined;
  }
  next() {
    const token = this.tokens[this.at++];
    if (!token) throw this.wrong('invalid syntax');
    return token;
  }
  wrong(message: string): PythonSyntaxError {
    return new PythonSyntaxError(message, this.line.number, this.line.text);
  }
  name(): string {
    const token = this.next();
    if (token.kind !== 'name') throw this.wrong('invalid syntax');
    return token.text;
  }
  expect(text: string): void {
    const token = this.tokens[this.at++];
    if (!token || token.kind === 'text' || token.text !== text) throw this.wrong(text === ':' ? "expected ':'" : 'invalid syntax');
  }
  private take(text: string): boolean {
    if (this.peek !== text) return false;
    this.at++;
    return true;
  }

  simple(): Statement['what'][] {
    const made: Statement['what'][] = [];
    do {
      if (this.done) break;
      made.push(...this.small());
    } while (this.take(';'));
    if (!this.done) throw this.wrong('invalid syntax');
    return made;
  }

  private small(): Statement['what'][] {
    const word = this.peek;
    if (word === 'pass' || word === 'break' || word === 'continue') {
      this.at++;
      return [{ is: word }];
    }
    if (word === 'import') {
      this.at++;
      return this.list(() => {
        const module = this.name();
        return { is: 'import' as const, module, as: this.take('as') ? this.name() : module };
      });
    }
    if (word === 'from') {
      this.at++;
      const module = this.name();
      this.expect('import');
      return [{ is: 'import', module, as: module, names: this.list(() => this.name()) }];
    }
    const expression = this.expression();
    const operator = this.peek;
    if (operator === undefined || !/^(?:[-+*/%]?=)$/.test(operator)) return [{ is: 'do', expression }];
    if (expression.is !== 'name') throw this.wrong('cannot assign to expression here.');
    this.at++;
    return [{ is: 'set', name: expression.name, operator, to: this.expression() }];
  }

  private list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.take(',')) items.push(item());
    return items;
  }

  expression(level = 0): Expression {
    const operators = LEVELS[level];
    if (!operators) return this.unary();
    if (level === 2 && this.take('not')) return { is: 'unary', operator: 'not', of: this.expression(2) };
    let left = this.expression(level + 1);
    for (;;) {
      let operator = this.peek;
      if (operator === 'not' && level === 2 && this.tokens[this.at + 1]?.text === 'in') operator = 'not in';
      if (operator === undefined || !operators.includes(operator)) return left;
      this.at += operator === 'not in' ? 2 : 1;
      left = { is: 'binary', operator, left, right: this.expression(level + 1) };
    }
  }

  private unary(): Expression {
    if (this.take('-')) return { is: 'unary', operator: '-', of: this.unary() };
    return this.trailers(this.atom());
  }

  private atom(): Expression {
    const { kind, text } = this.next();
    if (kind === 'text') return { is: 'value', value: text };
    if (kind === 'number') return { is: 'value', value: Number(text) };
    if (text === '(') {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    if (text === '[') {
      const items = this.peek === ']' ? [] : this.list(() => this.expression());
      this.expect(']');
      return { is: 'list', items };
    }
    if (kind !== 'name' || ['if', 'else', 'elif', 'in', 'is', 'and', 'or', 'def', 'class', 'lambda', 'try', 'with'].includes(text))
      throw this.wrong('invalid syntax');
    if (text === 'True' || text === 'False') return { is: 'value', value: text === 'True' };
    return text === 'None' ? { is: 'value', value: null } : { is: 'name', name: text };
  }

  private trailers(of: Expression): Expression {
    if (this.take('.')) return this.trailers({ is: 'attribute', of, name: this.name() });
    if (this.take('[')) {
      const at = this.expression();
      this.expect(']');
      return this.trailers({ is: 'item', of, at });
    }
    if (!this.take('(')) return of;
    const args: Expression[] = [];
    const named = new Map<string, Expression>();
    while (!this.take(')')) {
      const arg = this.expression();
      if (arg.is === 'name' && this.take('=')) named.set(arg.name, this.expression());
      else args.push(arg);
      if (this.peek !== ')') this.expect(',');
    }
    return this.trailers({ is: 'call', of, args, named });
  }
}
