/** What follows a `$` or a backquote inside a word: parameters, command substitutions, arithmetic. */
import { Parser } from './parser.ts';
import type { ParameterOperation, Script, ShellSyntaxError, Word, WordPart } from './syntax.ts';

/** What these readers need of the parser they work for. */
export interface Scanner {
  source: string;
  at: number;
  readonly aliases: ReadonlyMap<string, string>;
  list(stops: ReadonlySet<string>): Script;
  incomplete(): ShellSyntaxError;
  unexpected(): ShellSyntaxError;
}

/** At a `$`. Undefined (and one character on) when the dollar means itself. */
export function readDollar(scanner: Scanner, quoted: boolean): WordPart | undefined {
  const { source } = scanner;
  if (source.startsWith('$((', scanner.at)) {
    const saved = scanner.at;
    scanner.at += 3;
    const expression = readArithmeticWord(scanner, '))');
    if (expression) return { kind: 'arithmetic', expression, quoted };
    scanner.at = saved;
  }
  if (source.startsWith('$(', scanner.at)) {
    scanner.at += 2;
    const body = scanner.list(new Set());
    if (scanner.source[scanner.at] !== ')') throw scanner.unexpected();
    scanner.at++;
    return { kind: 'command', body, quoted };
  }
  if (source.startsWith('${', scanner.at)) return readBraced(scanner, quoted);
  const m = /^\$([A-Za-z_]\w*|[0-9@*#?$!-])/.exec(source.slice(scanner.at, scanner.at + 200));
  if (!m) {
    scanner.at++;
    return undefined;
  }
  scanner.at += m[0].length;
  return { kind: 'parameter', name: m[1]!, quoted };
}

export function readBackquoted(scanner: Scanner, quoted: boolean): WordPart {
  let text = '';
  scanner.at++;
  for (;;) {
    const c = scanner.source[scanner.at++];
    if (c === undefined) throw scanner.incomplete();
    if (c === '`') break;
    if (c === '\\' && '$`\\'.includes(scanner.source[scanner.at] ?? ' ')) text += scanner.source[scanner.at++];
    else text += c;
  }
  return { kind: 'command', body: new Parser(text, scanner.aliases).list(new Set()), quoted };
}

/** The text up to `end` at depth zero, expanded as if double-quoted. Undefined when `end` never comes: it was two subshells. */
export function readArithmeticWord(scanner: Scanner, end: string): Word | undefined {
  let depth = 0;
  let i = scanner.at;
  for (; i < scanner.source.length; i++) {
    const c = scanner.source[i];
    if (depth === 0 && scanner.source.startsWith(end, i)) break;
    if (c === '(') depth++;
    else if (c === ')') depth--;
    if (depth < 0) return undefined;
  }
  if (i >= scanner.source.length) {
    if (end === '))') throw scanner.incomplete();
    return undefined;
  }
  const text = scanner.source.slice(scanner.at, i);
  scanner.at = i + end.length;
  return asQuoted(text, scanner.aliases);
}

export function asQuoted(text: string, aliases: ReadonlyMap<string, string>): Word {
  return new Parser(`${text.replaceAll('"', '')}"`, aliases).doubleQuoted();
}

function readBraced(scanner: Scanner, quoted: boolean): WordPart {
  scanner.at += 2;
  const rest = () => scanner.source.slice(scanner.at, scanner.at + 200);
  const length = /^#([A-Za-z_]\w*|[0-9]+|[@*])(\[[^\]]+\])?\}/.exec(rest());
  if (length) {
    scanner.at += length[0].length;
    return { kind: 'parameter', name: length[1]!, ...indexOf(length[2], scanner), quoted, operation: { kind: 'length' } };
  }
  const indirect = /^!([A-Za-z_]\w*)(\[[@*]\])?\}/.exec(rest());
  if (indirect) {
    scanner.at += indirect[0].length;
    return { kind: 'parameter', name: indirect[1]!, ...indexOf(indirect[2], scanner), quoted, operation: { kind: 'indirect' } };
  }
  const m = /^([A-Za-z_]\w*|[0-9]+|[@*#?$!-])/.exec(rest());
  if (!m) throw scanner.source.length <= scanner.at ? scanner.incomplete() : scanner.unexpected();
  scanner.at += m[0].length;
  const name = m[1]!;
  const bracket = /^[A-Za-z_]/.test(name) ? bracketed(scanner) : undefined;
  if (bracket !== undefined) scanner.at += bracket.length;
  const index = indexOf(bracket, scanner);
  if (scanner.source[scanner.at] === '}') {
    scanner.at++;
    return { kind: 'parameter', name, ...index, quoted };
  }
  const operator = /^(:?[-=?+]|##?|%%?|\/\/|\/|\^\^?|,,?|:)/.exec(rest())?.[1];
  if (!operator) throw scanner.unexpected();
  scanner.at += operator.length;
  const operation = readOperation(scanner, operator, quoted);
  return { kind: 'parameter', name, ...index, quoted, operation };
}

/** `[…]` where the scanner stands; an index may hold brackets itself, as of another array. */
function bracketed(scanner: Scanner): string | undefined {
  if (scanner.source[scanner.at] !== '[') return undefined;
  let depth = 0;
  for (let i = scanner.at; i < scanner.source.length; i++) {
    if (scanner.source[i] === '[') depth++;
    else if (scanner.source[i] === ']' && --depth === 0) return scanner.source.slice(scanner.at, i + 1);
  }
  throw scanner.incomplete();
}

function indexOf(bracket: string | undefined, scanner: Scanner): { readonly index?: Word | '@' | '*' } {
  if (bracket === undefined) return {};
  const text = bracket.slice(1, -1);
  return { index: text === '@' || text === '*' ? text : asQuoted(text, scanner.aliases) };
}

function readOperation(scanner: Scanner, operator: string, quoted: boolean): ParameterOperation {
  const last = operator.at(-1)!;
  if ('-=?+'.includes(last))
    return { kind: 'default', operator: last as '-' | '=' | '?' | '+', colon: operator.length === 2, word: braceWord(scanner, '}', quoted) };
  if (operator[0] === '#' || operator[0] === '%')
    return { kind: 'trim', side: operator[0] === '#' ? 'prefix' : 'suffix', greedy: operator.length === 2, pattern: braceWord(scanner, '}', false) };
  if (operator[0] === '/') {
    const anchor = scanner.source[scanner.at] === '#' ? '#' : scanner.source[scanner.at] === '%' ? '%' : '';
    if (anchor !== '') scanner.at++;
    const pattern = braceWord(scanner, '/}', false);
    const replacement = scanner.source[scanner.at - 1] === '/' ? braceWord(scanner, '}', false) : [];
    return { kind: 'replace', all: operator === '//', anchor, pattern, replacement };
  }
  if (operator[0] === '^' || operator[0] === ',') {
    braceWord(scanner, '}', false);
    return { kind: 'case', to: operator[0] === '^' ? 'upper' : 'lower', all: operator.length === 2 };
  }
  const offset = braceWord(scanner, ':}', true);
  const size = scanner.source[scanner.at - 1] === ':' ? braceWord(scanner, '}', true) : undefined;
  return { kind: 'substring', offset, ...(size ? { length: size } : {}) };
}

/** A word inside braces, up to one of the characters `ends`, which is stepped over. Blanks belong to it. */
function braceWord(scanner: Scanner, ends: string, quoted: boolean): Word {
  const parser = scanner as Parser;
  if (!quoted) {
    const word = parser.word(new Set(ends));
    if (parser.atEnd) throw scanner.incomplete();
    scanner.at++;
    return word;
  }
  const parts: WordPart[] = [];
  let text = '';
  const flush = () => {
    if (text !== '') parts.push({ kind: 'text', text, quoted: true });
    text = '';
  };
  for (;;) {
    const c = scanner.source[scanner.at];
    if (c === undefined) throw scanner.incomplete();
    if (ends.includes(c)) break;
    if (c === '$') {
      const part = readDollar(scanner, true);
      if (part) {
        flush();
        parts.push(part);
      } else text += '$';
    } else if (c === '`') {
      flush();
      parts.push(readBackquoted(scanner, true));
    } else if (c === '"') {
      scanner.at++;
      flush();
      parts.push(...parser.doubleQuoted());
    } else if (c === '\\' && '$`"\\}'.includes(scanner.source[scanner.at + 1] ?? ' ')) {
      text += scanner.source[scanner.at + 1];
      scanner.at += 2;
    } else {
      text += c;
      scanner.at++;
    }
  }
  flush();
  scanner.at++;
  return parts;
}
