/**
 * The grammar of kubectl's JSONPath templates: text with actions in braces (client-go util/jsonpath/parser.go).
 * A template is a list of nodes; each action is itself a list of steps.
 */

export interface Bound {
  readonly value: number;
  readonly known: boolean;
  /** The end of `[n]`, which is n + 1. */
  readonly derived?: boolean;
}

export type Node =
  | { readonly is: 'list'; readonly nodes: readonly Node[] }
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'field'; readonly name: string }
  | { readonly is: 'array'; readonly bounds: readonly [Bound, Bound, Bound] }
  | { readonly is: 'filter'; readonly left: readonly Node[]; readonly right: readonly Node[]; readonly operator: string }
  | { readonly is: 'int' | 'float'; readonly value: number }
  | { readonly is: 'bool'; readonly value: boolean }
  | { readonly is: 'wildcard' }
  | { readonly is: 'recursive' }
  | { readonly is: 'union'; readonly paths: readonly (readonly Node[])[] }
  | { readonly is: 'identifier'; readonly name: string };

/** Throws Error with upstream's bare text (`unclosed action`, `unterminated array`, …). */
export function parseTemplate(template: string): readonly Node[] {
  return new Parser(template).parse();
}

const parseAction = (text: string): readonly Node[] => {
  const first = parseTemplate(`{${text}}`)[0];
  return first?.is === 'list' ? first.nodes : [];
};

const TERMINATORS = new Set(['', ' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}']);
const FILTER = /^([^!<>=]+)([!<>=]+)(.+?)$/;
const SLICE = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/;

class Parser {
  private at = 0;
  private start = 0;

  constructor(private readonly input: string) {}

  parse(): readonly Node[] {
    const nodes: Node[] = [];
    while (this.at < this.input.length) {
      const brace = this.input.indexOf('{', this.at);
      const end = brace < 0 ? this.input.length : brace;
      if (end > this.at) nodes.push({ is: 'text', text: this.input.slice(this.at, end) });
      this.at = end;
      if (brace < 0) break;
      this.at += 1;
      this.start = this.at;
      nodes.push({ is: 'list', nodes: this.action() });
    }
    return nodes;
  }

  /** `''` at the end. */
  private next(): string {
    const point = this.input.codePointAt(this.at);
    if (point === undefined) return '';
    const ch = String.fromCodePoint(point);
    this.at += ch.length;
    return ch;
  }

  private peek(): string {
    const at = this.at;
    const ch = this.next();
    this.at = at;
    return ch;
  }

  private taken(): string {
    const text = this.input.slice(this.start, this.at);
    this.start = this.at;
    return text;
  }

  private action(): readonly Node[] {
    const nodes: Node[] = [];
    for (;;) {
      if (this.input.startsWith('}', this.at)) {
        this.at += 1;
        this.start = this.at;
        return nodes;
      }
      if (this.input.startsWith('[?(', this.at)) nodes.push(this.filter());
      else if (this.input.startsWith('..', this.at)) {
        if (nodes.at(-1)?.is === 'recursive') throw new Error('invalid multiple recursive descent');
        this.at += 2;
        this.start = this.at;
        nodes.push({ is: 'recursive' });
        if (isWord(this.peek())) nodes.push(this.field());
      } else this.step(nodes);
    }
  }

  private step(nodes: Node[]): void {
    const ch = this.next();
    if (ch === '' || ch === '\r' || ch === '\n') throw new Error('unclosed action');
    if (ch === ' ' || ch === '@' || ch === '$') this.taken();
    else if (ch === '[') nodes.push(...this.array());
    else if (ch === '"' || ch === "'") nodes.push(this.quoted(ch));
    else if (ch === '.') nodes.push(this.field());
    else if (/[-+\p{Nd}]/u.test(ch)) {
      this.at -= ch.length;
      nodes.push(this.number());
    } else if (isWord(ch)) nodes.push(this.identifier());
    else throw new Error(`unrecognized character in action: U+${(ch.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} '${ch}'`);
  }

  private identifier(): Node {
    while (!TERMINATORS.has(this.peek())) this.next();
    const name = this.taken();
    return name === 'true' || name === 'false' ? { is: 'bool', value: name === 'true' } : { is: 'identifier', name };
  }

  private number(): Node {
    if (/[-+]/.test(this.peek())) this.next();
    while (/[.\p{Nd}]/u.test(this.peek())) this.next();
    const text = this.taken();
    if (/^[-+]?\d+$/.test(text)) return { is: 'int', value: Number(text) };
    if (/^[-+]?(\d+\.?\d*|\.\d+)$/.test(text)) return { is: 'float', value: Number(text) };
    throw new Error(`cannot parse number ${text}`);
  }

  private field(): Node {
    this.taken();
    for (let ch = this.peek(); ; ch = this.peek()) {
      if (ch === '\\') this.next();
      else if (TERMINATORS.has(ch)) break;
      if (this.next() === '') break;
    }
    const name = this.taken();
    return name === '*' ? { is: 'wildcard' } : { is: 'field', name: name.replaceAll('\\', '') };
  }

  private quoted(end: string): Node {
    for (;;) {
      const ch = this.next();
      if (ch === '' || ch === '\n') throw new Error('unterminated quoted string');
      if (ch === end && this.input[this.at - 2] !== '\\') break;
    }
    const text = this.taken();
    const bare = unquote(text);
    if (bare === undefined) throw new Error(`unquote string ${text} error invalid syntax`);
    return { is: 'text', text: bare };
  }

  private array(): readonly Node[] {
    for (let ch = this.next(); ch !== ']'; ch = this.next()) if (ch === '' || ch === '\n') throw new Error('unterminated array');
    const inside = this.taken().slice(1, -1);
    const text = inside === '*' ? ':' : inside;
    const parts = text.split(',');
    if (parts.length > 1) return [{ is: 'union', paths: parts.map((part) => parseAction(`[${part.replace(/^ +| +$/g, '')}]`)) }];
    const key = /^'([^']*)'$/.exec(text);
    if (key) return parseAction(`.${key[1] ?? ''}`);
    const m = SLICE.exec(text);
    if (!m) throw new Error(`invalid array index ${text}`);
    const from = bound(m[1] ?? '');
    const to = m[2] === undefined ? { value: from.value + 1, known: true, derived: true } : bound(m[2].slice(1));
    const step = bound((m[3] ?? ':').slice(1));
    return [{ is: 'array', bounds: [from, to, step] }];
  }

  private filter(): Node {
    this.at += 3;
    this.start = this.at;
    let pair = '';
    let closed = false;
    for (;;) {
      const ch = this.next();
      if (ch === '' || ch === '\n') throw new Error('unterminated filter');
      if (ch === '"' || ch === "'") {
        if (pair === '') pair = ch;
        else if (this.input[this.at - 2] !== '\\' && ch === pair) closed = true;
      } else if (ch === ')' && (pair !== '') === closed) break;
    }
    if (this.next() !== ']') throw new Error('unclosed array expect ]');
    const text = this.taken().slice(0, -2);
    const m = FILTER.exec(text);
    if (!m) return { is: 'filter', left: parseAction(text), right: [], operator: 'exists' };
    return { is: 'filter', left: parseAction(m[1] ?? ''), right: parseAction(m[3] ?? ''), operator: m[2] ?? '' };
  }
}

const isWord = (ch: string): boolean => /^[_\p{L}\p{Nd}]$/u.test(ch);

function bound(text: string): Bound {
  if (text === '') return { value: 0, known: false };
  if (!/^-?\d+$/.test(text)) throw new Error(`array index ${text} is not a number`);
  return { value: Number(text), known: true };
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };

/** A quoted text without quotes and escapes (strconv.UnquoteChar's); undefined when it is malformed. */
function unquote(text: string): string | undefined {
  const quote = text[0] ?? '';
  const inside = text.slice(1, -1);
  let bad = false;
  const out = inside.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[\s\S]|$)|["']/g, (all, code: string | undefined) => {
    if (code === undefined) {
      if (all === quote) bad = true;
      return all;
    }
    const simple = ESCAPES[code] ?? (code === quote ? quote : undefined);
    if (simple !== undefined) return simple;
    if (/^[0-7]{3}$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    if (code.length > 1) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    bad = true;
    return all;
  });
  return bad ? undefined : out;
}
