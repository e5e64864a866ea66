/** The tree of a Go template (text/template/parse): nodes know where they stand and how they are written, for errors say both. */
import { goQuote } from '../gostring.ts';
import { Float } from './format.ts';
import { TemplateSyntaxError, type Token, type TokenType, tokens } from './lexer.ts';

export interface Base {
  readonly at: number;
}
export type Operand =
  | (Base & { readonly kind: 'dot' | 'nil' })
  | (Base & { readonly kind: 'field'; readonly path: readonly string[] })
  | (Base & { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] })
  | (Base & { readonly kind: 'identifier'; readonly name: string })
  | (Base & { readonly kind: 'constant'; readonly value: string | Float | bigint | boolean; readonly text: string })
  | (Base & { readonly kind: 'pipe'; readonly pipe: Pipe })
  | (Base & { readonly kind: 'chain'; readonly node: Operand; readonly path: readonly string[] });
export interface Command extends Base {
  readonly args: readonly Operand[];
}
export interface Pipe extends Base {
  readonly declares: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}
export type Node =
  | (Base & { readonly kind: 'text'; readonly text: string })
  | (Base & { readonly kind: 'action'; readonly pipe: Pipe })
  | (Base & { readonly kind: 'if' | 'with' | 'range'; readonly pipe: Pipe; readonly body: readonly Node[]; readonly otherwise: readonly Node[] | undefined })
  | (Base & { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined })
  | (Base & { readonly kind: 'break' | 'continue' });

/** Named templates; the one parsed is `output`. */
export type Trees = ReadonlyMap<string, readonly Node[]>;

/** As the source wrote it, with spaces where Go's printer has them. */
export function operandText(node: Operand): string {
  switch (node.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'field':
      return node.path.map((name) => `.${name}`).join('');
    case 'variable':
      return [node.name, ...node.path].join('.');
    case 'identifier':
      return node.name;
    case 'constant':
      return node.text;
    case 'pipe':
      return `(${pipeText(node.pipe)})`;
    case 'chain':
      return operandText(node.node) + node.path.map((name) => `.${name}`).join('');
  }
}
export const commandText = (command: Command): string => command.args.map(operandText).join(' ');
export const pipeText = (pipe: Pipe): string =>
  (pipe.declares.length > 0 ? `${pipe.declares.join(', ')} ${pipe.assigns ? '=' : ':='} ` : '') + pipe.commands.map(commandText).join(' | ');

/** Throws Error `template: output:1: …`. `known` tells which functions there are. */
export function parse(template: string, known: (name: string) => boolean): Trees {
  try {
    return new Parser(tokens(template), known).trees();
  } catch (error) {
    if (error instanceof TemplateSyntaxError) throw new Error(`template: output:${error.line}: ${error.message}`);
    throw error;
  }
}

type Ending = 'end' | 'else' | 'eof';

class Parser {
  private index = 0;
  private variables: string[] = ['$'];
  private loops = 0;
  private readonly named = new Map<string, readonly Node[]>();

  constructor(
    private readonly list: readonly Token[],
    private readonly known: (name: string) => boolean,
  ) {}

  trees(): Trees {
    const { nodes } = this.nodes('output', true);
    this.named.set('output', nodes);
    return this.named;
  }

  private fail(message: string, line?: number): never {
    throw new TemplateSyntaxError(message, line ?? this.list[Math.max(0, this.index - 1)]!.line);
  }
  private next(): Token {
    return this.list[Math.min(this.index++, this.list.length - 1)]!;
  }
  private peek(): Token {
    return this.list[Math.min(this.index, this.list.length - 1)]!;
  }
  private nextSolid(): Token {
    for (;;) {
      const token = this.next();
      if (token.type !== 'space') return token;
    }
  }
  private peekSolid(): Token {
    const token = this.nextSolid();
    this.index--;
    return token;
  }
  private expect(type: TokenType, context: string): Token {
    const token = this.nextSolid();
    if (token.type !== type) this.unexpected(token, context);
    return token;
  }
  private unexpected(token: Token, context: string): never {
    return this.fail(`unexpected ${shown(token)} in ${context}`);
  }

  /** Nodes up to `{{end}}`, `{{else}}` or the end of the text. */
  private nodes(context: string, top = false): { readonly nodes: readonly Node[]; readonly ending: Ending } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.next();
      if (token.type === 'eof') {
        if (top) return { nodes, ending: 'eof' };
        this.fail('unexpected EOF');
      }
      if (token.type === 'text') {
        nodes.push({ kind: 'text', text: token.text, at: token.at });
        continue;
      }
      const first = this.nextSolid();
      if (first.type !== 'keyword') {
        this.index--;
        const pipe = this.pipe('command', 'right');
        nodes.push({ kind: 'action', pipe, at: first.at });
        continue;
      }
      switch (first.text) {
        case 'end':
          this.expect('right', 'end');
          if (top) this.fail('unexpected {{end}}');
          return { nodes, ending: 'end' };
        case 'else':
          if (top) this.fail('unexpected {{else}}');
          return { nodes, ending: 'else' };
        case 'if':
        case 'with':
        case 'range':
          nodes.push(this.control(first.text, first.at));
          break;
        case 'define':
          if (!top) this.unexpected(first, context === 'output' ? 'input' : 'command');
          this.define();
          break;
        case 'block':
        case 'template':
          nodes.push(this.call(first));
          break;
        default: {
          if (this.loops === 0) this.fail(`{{${first.text}}} outside {{range}}`);
          this.expect('right', `{{${first.text}}}`);
          nodes.push({ kind: first.text as 'break' | 'continue', at: first.at });
        }
      }
    }
  }

  private control(kind: 'if' | 'with' | 'range', at: number): Node {
    const depth = this.variables.length;
    const pipe = this.pipe(kind, 'right');
    if (kind === 'range') this.loops++;
    const { nodes: body, ending } = this.nodes(kind);
    if (kind === 'range') this.loops--;
    let otherwise: readonly Node[] | undefined;
    if (ending === 'else') {
      const follows = this.peekSolid();
      if (kind !== 'range' && follows.type === 'keyword' && follows.text === kind) {
        this.nextSolid();
        otherwise = [this.control(kind, follows.at)];
      } else {
        this.expect('right', 'else');
        const rest = this.nodes(kind);
        if (rest.ending === 'else') this.fail(`expected end; found {{else}}`);
        otherwise = rest.nodes;
      }
    }
    this.variables.length = depth;
    return { kind, pipe, body, otherwise, at };
  }

  private name(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'raw') this.unexpected(token, context);
    return unquote(token.text);
  }

  private define(): void {
    const name = this.name(this.nextSolid(), 'define clause');
    this.expect('right', 'define clause');
    const kept = this.variables;
    this.variables = ['$'];
    const { nodes, ending } = this.nodes('define clause');
    if (ending !== 'end') this.fail(`unexpected {{else}} in define clause`);
    this.variables = kept;
    this.named.set(name, nodes);
  }

  private call(keyword: Token): Node {
    const { at } = this.peekSolid();
    const name = this.name(this.nextSolid(), keyword.text === 'block' ? 'block clause' : 'template clause');
    let pipe: Pipe | undefined;
    if (keyword.text === 'block' || this.peekSolid().type !== 'right') pipe = this.pipe(keyword.text === 'block' ? 'block clause' : 'template clause', 'right');
    else this.nextSolid();
    if (keyword.text === 'block') {
      const kept = this.variables;
      this.variables = ['$'];
      const { nodes, ending } = this.nodes('block clause');
      if (ending !== 'end') this.fail('unexpected {{else}} in block clause');
      this.variables = kept;
      this.named.set(name, nodes);
    }
    return { kind: 'template', name, pipe, at };
  }

  private pipe(context: string, end: 'right' | 'rparen'): Pipe {
    const at = this.peekSolid().at;
    const declares: string[] = [];
    let assigns = false;
    let begin = this.index;
    // $x := …, $i, $x := …: what is no declaration is read again as an operand.
    for (let token = this.peekSolid(); token.type === 'variable'; token = this.peekSolid()) {
      begin = this.index;
      this.nextSolid();
      const next = this.peekSolid();
      if (next.type === 'declare' || next.type === 'assign') {
        assigns = next.type === 'assign';
        this.nextSolid();
        declares.push(token.text);
        if (!assigns) this.variables.push(token.text);
        break;
      }
      if (next.type === 'comma' && context === 'range' && declares.length < 1) {
        this.nextSolid();
        declares.push(token.text);
        this.variables.push(token.text);
        const second = this.peekSolid();
        if (second.type === 'variable') continue;
        this.fail('range can only initialize variables');
      }
      if (next.type === 'comma') {
        if (context === 'range') this.fail('too many declarations in range');
      }
      this.index = begin;
      break;
    }
    const commands: Command[] = [];
    for (;;) {
      const token = this.nextSolid();
      if (token.type === end) {
        if (commands.length === 0) this.fail(`missing value for ${context}`);
        commands.slice(1).forEach((command, i) => {
          const kind = command.args[0]!.kind;
          if (kind === 'constant' || kind === 'dot' || kind === 'nil') this.fail(`non executable command in pipeline stage ${i + 2}`);
        });
        return { at, declares, assigns, commands };
      }
      if (!OPERANDS.has(token.type)) this.unexpected(token, context);
      this.index--;
      commands.push(this.command());
    }
  }

  private command(): Command {
    const at = this.peekSolid().at;
    const args: Operand[] = [];
    for (;;) {
      this.peekSolid();
      while (this.peek().type === 'space') this.next();
      const operand = this.operand();
      if (operand) args.push(operand);
      const token = this.next();
      if (token.type === 'space') continue;
      if (token.type === 'right' || token.type === 'rparen') this.index--;
      else if (token.type !== 'pipe') this.unexpected(token, 'operand');
      break;
    }
    if (args.length === 0) this.fail('empty command');
    return { at, args };
  }

  private operand(): Operand | undefined {
    const node = this.term();
    if (!node || this.peek().type !== 'field') return node;
    // As Go's parser: the place of a chain is that of what is added to it.
    const at = this.peek().at;
    const path: string[] = [];
    while (this.peek().type === 'field') path.push(this.next().text.slice(1));
    if (node.kind === 'field') return { kind: 'field', path: [...node.path, ...path], at };
    if (node.kind === 'variable') return { kind: 'variable', name: node.name, path: [...node.path, ...path], at };
    if (node.kind === 'constant' || node.kind === 'nil' || node.kind === 'dot') this.fail(`unexpected . after term ${goQuote(operandText(node))}`);
    return { kind: 'chain', node, path, at };
  }

  private term(): Operand | undefined {
    const token = this.nextSolid();
    const { at, text } = token;
    switch (token.type) {
      case 'identifier':
        if (!this.known(text)) this.fail(`function ${goQuote(text)} not defined`);
        return { kind: 'identifier', name: text, at };
      case 'dot':
        return { kind: 'dot', at };
      case 'nil':
        return { kind: 'nil', at };
      case 'variable':
        if (!this.variables.includes(text)) this.fail(`undefined variable ${goQuote(text)}`);
        return { kind: 'variable', name: text, path: [], at };
      case 'field':
        return { kind: 'field', path: [text.slice(1)], at };
      case 'bool':
        return { kind: 'constant', value: text === 'true', text, at };
      case 'number':
        return { kind: 'constant', value: numberOf(text), text, at };
      case 'char':
        return { kind: 'constant', value: BigInt(unquote(`"${text.slice(1, -1).replaceAll('"', '\\"')}"`).codePointAt(0) ?? 0), text, at };
      case 'string':
      case 'raw':
        return { kind: 'constant', value: unquote(text), text, at };
      case 'lparen':
        return { kind: 'pipe', pipe: this.pipe('parenthesized pipeline', 'rparen'), at };
      default:
        this.index--;
        return undefined;
    }
  }
}

const OPERANDS: ReadonlySet<TokenType> = new Set(['bool', 'char', 'dot', 'field', 'identifier', 'number', 'nil', 'raw', 'string', 'variable', 'lparen']);

/** As Go's lexer names a token in an error. */
function shown(token: Token): string {
  if (token.type === 'eof') return 'EOF';
  if (token.type === 'keyword') return `<${token.text}>`;
  return token.text.length > 10 ? `${goQuote(token.text.slice(0, 10))}...` : goQuote(token.text);
}

/** An int where Go has one, else a float. */
function numberOf(text: string): Float | bigint {
  const plain = text.replaceAll('_', '');
  const m = /^([-+]?)(0[xXbBoO][0-9a-fA-F]+|\d+)$/.exec(plain);
  if (!m) return new Float(Number(plain));
  const digits = /^0\d+$/.test(m[2]!) ? `0o${m[2]!.slice(1)}` : m[2]!;
  return m[1] === '-' ? -BigInt(digits) : BigInt(digits);
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', "'": "'", '"': '"' };

/** strconv.Unquote. */
function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1).replaceAll('\r', '');
  return text.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g, (_, code: string) => {
    if (/^[xuU]./.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]{3}$/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
    return ESCAPES[code] ?? code;
  });
}
