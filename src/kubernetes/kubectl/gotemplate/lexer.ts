/** The tokens of a Go template (text/template/parse/lex.go): text, and what stands between `{{` and `}}`. */

export type TokenType =
  | 'text'
  | 'left'
  | 'right'
  | 'space'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'bool'
  | 'nil'
  | 'dot'
  | 'number'
  | 'char'
  | 'string'
  | 'raw'
  | 'pipe'
  | 'comma'
  | 'lparen'
  | 'rparen'
  | 'declare'
  | 'assign'
  | 'other'
  | 'eof';

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  /** Where it begins in the template. */
  readonly at: number;
  readonly line: number;
}

/** `template: output:LINE: …` is put before the message by whoever catches it. */
export class TemplateSyntaxError extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

const KEYWORDS = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with']);
const SPACE = /[ \t\r\n]/;
const ALPHANUMERIC = /[\p{L}\p{Nd}_]/u;

/** All tokens; comments are gone and trim markers have done their work. Throws TemplateSyntaxError. */
export function tokens(template: string): readonly Token[] {
  const out: Token[] = [];
  let at = 0;
  let line = 1;
  let trimNext = false;
  const push = (type: TokenType, text: string, from: number, onLine = line): void => {
    out.push({ type, text, at: from, line: onLine });
  };
  const newlines = (text: string): number => text.split('\n').length - 1;
  while (at < template.length) {
    const open = template.indexOf('{{', at);
    const end = open < 0 ? template.length : open;
    let text = template.slice(at, end);
    const trims = open >= 0 && template[open + 2] === '-' && SPACE.test(template[open + 3] ?? '');
    let start = at;
    if (trimNext) {
      const kept = text.replace(/^[ \t\r\n]+/, '');
      start += text.length - kept.length;
      line += newlines(text.slice(0, text.length - kept.length));
      text = kept;
    }
    const shown = trims ? text.replace(/[ \t\r\n]+$/, '') : text;
    if (shown !== '') push('text', shown, start);
    line += newlines(text);
    if (open < 0) break;
    at = open + 2 + (trims ? 2 : 0);
    if (template.startsWith('/*', at)) {
      const close = template.indexOf('*/', at);
      if (close < 0) throw new TemplateSyntaxError('unclosed comment', line);
      const after = close + 2;
      const trimmed = /^[ \t\r\n]-\}\}/.test(template.slice(after));
      if (!trimmed && !template.startsWith('}}', after)) throw new TemplateSyntaxError('comment ends before closing delimiter', line);
      line += newlines(template.slice(at, after));
      at = after + (trimmed ? 4 : 2);
      trimNext = trimmed;
      continue;
    }
    push('left', '{{', open);
    [at, line, trimNext] = inside(template, at, line, push);
  }
  push('eof', '', template.length);
  return out;
}

type Push = (type: TokenType, text: string, from: number, line?: number) => void;

/** From behind `{{` to behind `}}`. */
function inside(template: string, from: number, firstLine: number, push: Push): [number, number, boolean] {
  let at = from;
  let line = firstLine;
  let depth = 0;
  const fail = (message: string): never => {
    throw new TemplateSyntaxError(message, line);
  };
  const word = (begin: number): number => {
    let end = begin;
    while (end < template.length && ALPHANUMERIC.test(template[end]!)) end++;
    return end;
  };
  /** A field, variable, identifier or number must end where one may. */
  const ended = (end: number): boolean =>
    end >= template.length || SPACE.test(template[end]!) || '.,|:)('.includes(template[end]!) || template.startsWith('}}', end);
  for (;;) {
    if (at >= template.length) return fail('unclosed action');
    const trimmed = /^[ \t\r\n]-\}\}/.test(template.slice(at, at + 4));
    if (trimmed || template.startsWith('}}', at)) {
      if (depth > 0) fail('unclosed left paren');
      push('right', '}}', at, line);
      return [at + (trimmed ? 4 : 2), line, trimmed];
    }
    const c = template[at]!;
    let end = at + 1;
    let type: TokenType;
    if (SPACE.test(c)) {
      while (SPACE.test(template[end] ?? '') && !/^[ \t\r\n]-\}\}/.test(template.slice(end, end + 4))) end++;
      type = 'space';
    } else if (c === '=') type = 'assign';
    else if (c === ':') {
      if (template[end] !== '=') fail('expected :=');
      end++;
      type = 'declare';
    } else if (c === '|') type = 'pipe';
    else if (c === ',') type = 'comma';
    else if (c === '(') {
      depth++;
      type = 'lparen';
    } else if (c === ')') {
      if (--depth < 0) fail(`unexpected right paren`);
      type = 'rparen';
    } else if (c === '"') {
      for (;;) {
        const next = template[end++];
        if (next === '\\' && template[end] !== undefined && template[end] !== '\n') end++;
        else if (next === undefined || next === '\n') fail('unterminated quoted string');
        else if (next === '"') break;
      }
      type = 'string';
    } else if (c === '`') {
      end = template.indexOf('`', end) + 1;
      if (end === 0) fail('unterminated raw quoted string');
      type = 'raw';
    } else if (c === "'") {
      for (;;) {
        const next = template[end++];
        if (next === '\\' && template[end] !== undefined && template[end] !== '\n') end++;
        else if (next === undefined || next === '\n') fail('unterminated character constant');
        else if (next === "'") break;
      }
      type = 'char';
    } else if (c === '$') {
      end = word(end);
      if (!ended(end)) fail(`bad character U+${hex(template, end)}`);
      type = 'variable';
    } else if (c === '.' && !/[0-9]/.test(template[end] ?? '')) {
      end = word(end);
      if (end > at + 1 && !ended(end)) fail(`bad character U+${hex(template, end)}`);
      type = end === at + 1 ? 'dot' : 'field';
    } else if (/[-+0-9.]/.test(c)) {
      const m = /^[-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9_]*\.?[0-9_]*([eE][-+]?[0-9_]+)?)/.exec(template.slice(at))!;
      end = at + m[0].length;
      if (m[0].length < 1 || /^[-+.]?$/.test(m[0]) || ALPHANUMERIC.test(template[end] ?? ' '))
        fail(`bad number syntax: ${JSON.stringify(template.slice(at, end + 1))}`);
      type = 'number';
    } else if (ALPHANUMERIC.test(c)) {
      end = word(at);
      if (!ended(end)) fail(`bad character U+${hex(template, end)}`);
      const name = template.slice(at, end);
      type = KEYWORDS.has(name) ? 'keyword' : name === 'nil' ? 'nil' : name === 'true' || name === 'false' ? 'bool' : 'identifier';
    } else if (/[\x21-\x7e]/.test(c)) type = 'other';
    else return fail(`unrecognized character in action: U+${hex(template, at)}`);
    const text = template.slice(at, end);
    push(type, text, at, line);
    line += text.split('\n').length - 1;
    at = end;
  }
}

/** `0024 '$'`: %#U without its `U+`. */
const hex = (template: string, at: number): string => {
  const code = template.codePointAt(at) ?? 0;
  return `${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`;
};
