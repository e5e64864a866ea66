/** From a word to its fields: tilde, parameters, command substitution, arithmetic, splitting, file names (POSIX XCU 2.6). */

import type { Files } from '../files.ts';
import { ArithmeticError, evaluateArithmetic } from './arithmetic.ts';
import { elementAt, elementsOf, indexesOf } from './arrays.ts';
import { escapePattern, glob, isPattern, patternToRegExp } from './pattern.ts';
import { type Shell, ShellError } from './state.ts';
import type { ParameterOperation, Script, Word, WordPart } from './syntax.ts';

export interface Expander {
  readonly shell: Shell;
  readonly files: Files;
  /** Runs `$(…)`: its output. */
  substitute(body: Script): Promise<string>;
}

interface Piece {
  readonly text: string;
  readonly quoted: boolean;
  /** The field ends here, whatever IFS says: between the arguments of `"$@"`. */
  readonly boundary?: boolean;
  /** Subject to splitting: came from an expansion. */
  readonly split?: boolean;
}

/** The fields of several words, as arguments of a command. */
export async function expandWords(words: readonly Word[], expander: Expander): Promise<string[]> {
  const fields: string[] = [];
  for (const word of words) {
    for (const alternative of braces(word)) {
      const plain = plainText(alternative);
      if (plain !== undefined) fields.push(plain);
      else fields.push(...toFields(await pieces(alternative, expander), expander));
    }
  }
  return fields;
}

/** One string: no splitting, no file names. For assignments, redirections and `case`. */
export async function expandText(word: Word, expander: Expander): Promise<string> {
  const plain = plainText(word);
  if (plain !== undefined) return plain;
  return (await pieces(word, expander)).map((piece) => (piece.boundary ? ' ' : piece.text)).join('');
}

/** A pattern in which quoted text stands for itself. */
export async function expandPattern(word: Word, expander: Expander): Promise<string> {
  return (await pieces(word, expander)).map((piece) => (piece.quoted ? escapePattern(piece.text) : piece.text)).join('');
}

/** A literal word without anything to expand: the common case, without a promise. */
function plainText(word: Word): string | undefined {
  let text = '';
  for (const part of word) {
    if (part.kind !== 'text') return undefined;
    if (!part.quoted && (/[*?[\\]/.test(part.text) || (text === '' && part.text.startsWith('~')) || part.text.includes('=~'))) return undefined;
    text += part.text;
  }
  return word.length === 0 ? undefined : text;
}

async function pieces(word: Word, expander: Expander): Promise<Piece[]> {
  const found: Piece[] = [];
  for (let i = 0; i < word.length; i++) {
    const part = word[i]!;
    if (part.kind === 'text') found.push({ text: i === 0 && !part.quoted ? tilde(part.text, expander.shell) : part.text, quoted: part.quoted });
    else found.push(...(await partPieces(part, expander)));
  }
  return found;
}

const tilde = (text: string, shell: Shell): string => text.replace(/^~(?=\/|$)/, () => shell.get('HOME') ?? '/root');

async function partPieces(part: Exclude<WordPart, { kind: 'text' }>, expander: Expander): Promise<Piece[]> {
  const { quoted } = part;
  switch (part.kind) {
    case 'command':
      return [{ text: (await expander.substitute(part.body)).replace(/\n+$/, ''), quoted, split: true }];
    case 'arithmetic':
      return [{ text: String(await arithmetic(part.expression, expander)), quoted, split: true }];
    case 'parameter': {
      if (part.index === '@' || part.index === '*') return array(part.name, part.index, quoted, part.operation, expander);
      if (part.index) return parameter(elementAt(expander.shell, part.name, await arithmetic(part.index, expander)), quoted, part.operation, expander);
      if (part.name === '@' || part.name === '*') {
        const args = part.operation?.kind === 'substring' ? await slice(expander, part.operation) : expander.shell.args;
        if (part.operation?.kind === 'length') return [{ text: String(args.length), quoted, split: true }];
        if (!(part.operation && part.operation.kind === 'default')) {
          return listed(args, part.name, quoted, expander);
        }
      }
      return parameter(part.name, quoted, part.operation, expander);
    }
  }
}

/** Each a field of its own; a quoted star makes one of all. */
function listed(values: readonly string[], how: '@' | '*', quoted: boolean, expander: Expander): Piece[] {
  if (how === '*' && quoted) return [{ text: values.join((expander.shell.get('IFS') ?? ' ')[0] ?? ''), quoted }];
  const list: Piece[] = [];
  values.forEach((text, i) => {
    if (i > 0) list.push({ text: '', quoted, boundary: true });
    list.push({ text, quoted, split: true });
  });
  return list;
}

/** All of an array: its elements, how many (`${#a[@]}`), which (`${!a[@]}`), or some of them (`${a[@]:1:2}`). */
async function array(name: string, how: '@' | '*', quoted: boolean, operation: ParameterOperation | undefined, expander: Expander): Promise<Piece[]> {
  const { shell } = expander;
  if (operation?.kind === 'length') return [{ text: String(indexesOf(shell, name).length), quoted, split: true }];
  if (operation?.kind === 'indirect') return listed(indexesOf(shell, name).map(String), how, quoted, expander);
  let values = elementsOf(shell, name);
  if (operation?.kind === 'substring') {
    const offset = await arithmetic(operation.offset, expander);
    const start = offset < 0 ? Math.max(0, values.length + offset) : offset;
    values = values.slice(start, operation.length ? start + (await arithmetic(operation.length, expander)) : undefined);
  } else if (operation?.kind === 'default' && values.length === 0) return parameter(name, quoted, operation, expander);
  return listed(values, how, quoted, expander);
}

async function slice(expander: Expander, operation: Extract<ParameterOperation, { kind: 'substring' }>): Promise<readonly string[]> {
  const all = [expander.shell.name, ...expander.shell.args];
  const offset = await arithmetic(operation.offset, expander);
  const start = offset < 0 ? all.length + offset : offset === 0 ? 0 : offset;
  const length = operation.length ? await arithmetic(operation.length, expander) : all.length;
  return all.slice(start, start + length);
}

/** The value of `$name`, specials included; undefined when unset. */
export function parameterValue(name: string, shell: Shell): string | undefined {
  if (/^[A-Za-z_]/.test(name)) {
    if (name === 'RANDOM' || name === 'SECONDS' || name === 'LINENO') return name === 'LINENO' ? String(shell.line) : shell.get(name);
    return shell.get(name);
  }
  switch (name) {
    case '?':
      return String(shell.status);
    case '#':
      return String(shell.args.length);
    case '$':
      return String(shell.pid);
    case '!':
      return shell.lastBackground === undefined ? undefined : String(shell.lastBackground);
    case '-':
      return (
        (shell.options.has('errexit') ? 'e' : '') +
        (shell.options.has('nounset') ? 'u' : '') +
        (shell.options.has('xtrace') ? 'x' : '') +
        (shell.interactive ? 'i' : '')
      );
    case '0':
      return shell.name;
    case '@':
    case '*':
      return shell.args.length > 0 ? shell.args.join(' ') : undefined;
    default:
      return shell.args[Number(name) - 1];
  }
}

async function parameter(name: string, quoted: boolean, operation: ParameterOperation | undefined, expander: Expander): Promise<Piece[]> {
  const { shell } = expander;
  const raw = parameterValue(name, shell);
  const one = (text: string): Piece[] => [{ text, quoted, split: true }];
  if (raw === undefined && shell.options.has('nounset') && operation?.kind !== 'default')
    throw new ShellError(shell.bash ? `${name}: unbound variable` : `${name}: parameter not set`);
  const value = raw ?? '';
  switch (operation?.kind) {
    case undefined:
      return one(value);
    case 'length':
      return one(String(value.length));
    case 'indirect':
      return one(parameterValue(value, shell) ?? '');
    case 'default': {
      const missing = raw === undefined || (operation.colon && raw === '');
      if (operation.operator === '+')
        return missing ? one('') : (await pieces(operation.word, expander)).map((piece) => ({ ...piece, split: true, quoted: piece.quoted || quoted }));
      if (!missing) return one(value);
      if (operation.operator === '?') {
        const message = await expandText(operation.word, expander);
        throw new ShellError(`${name}: ${message || 'parameter null or not set'}`);
      }
      if (operation.operator === '=') {
        const text = await expandText(operation.word, expander);
        shell.set(name, text);
        return one(text);
      }
      return (await pieces(operation.word, expander)).map((piece) => ({ ...piece, split: true, quoted: piece.quoted || quoted }));
    }
    case 'trim': {
      const pattern = await expandPattern(operation.pattern, expander);
      return one(trim(value, pattern, operation.side, operation.greedy));
    }
    case 'substring': {
      const offset = await arithmetic(operation.offset, expander);
      const start = offset < 0 ? Math.max(0, value.length + offset) : offset;
      if (!operation.length) return one(value.slice(start));
      const length = await arithmetic(operation.length, expander);
      return one(length < 0 ? value.slice(start, value.length + length) : value.slice(start, start + length));
    }
    case 'replace': {
      const pattern = patternToRegExp(await expandPattern(operation.pattern, expander), { anchored: false }).source;
      const replacement = await expandText(operation.replacement, expander);
      if (pattern === '') return one(value);
      const regExp = new RegExp(
        operation.anchor === '#' ? `^(?:${pattern})` : operation.anchor === '%' ? `(?:${pattern})$` : pattern,
        operation.all ? 'g' : '',
      );
      return one(value.replace(regExp, () => replacement));
    }
    case 'case': {
      const change = (text: string) => (operation.to === 'upper' ? text.toUpperCase() : text.toLowerCase());
      return one(operation.all ? change(value) : change(value.slice(0, 1)) + value.slice(1));
    }
  }
}

/** The shortest or longest prefix or suffix that matches, taken away. */
function trim(value: string, pattern: string, side: 'prefix' | 'suffix', greedy: boolean): string {
  const regExp = patternToRegExp(pattern);
  for (let i = 0; i <= value.length; i++) {
    const length = greedy ? value.length - i : i;
    const candidate = side === 'prefix' ? value.slice(0, length) : value.slice(value.length - length);
    if (regExp.test(candidate)) return side === 'prefix' ? value.slice(length) : value.slice(0, value.length - length);
  }
  return value;
}

export async function arithmetic(expression: Word, expander: Expander): Promise<number> {
  const text = await expandText(expression, expander);
  try {
    return evaluateArithmetic(text, { get: (name) => parameterValue(name, expander.shell), set: (name, value) => expander.shell.set(name, value) });
  } catch (error) {
    if (error instanceof ArithmeticError) throw new ShellError(expander.shell.bash ? error.message : `arithmetic syntax error`);
    throw error;
  }
}

/** Splits by IFS what came from expansions, then looks for files. */
function toFields(list: readonly Piece[], expander: Expander): string[] {
  const ifs = expander.shell.get('IFS') ?? ' \t\n';
  const fields: string[] = [];
  /** Undefined: no field begun. */
  let field: { text: string; pattern: string; magic: boolean } | undefined;
  const add = (text: string, quoted: boolean) => {
    field ??= { text: '', pattern: '', magic: false };
    field.text += text;
    field.pattern += quoted ? escapePattern(text) : text;
    if (!quoted && isPattern(text)) field.magic = true;
  };
  const end = () => {
    if (!field) return;
    const matches = field.magic && !expander.shell.options.has('noglob') ? glob(expander.files, expander.shell.cwd, field.pattern) : [];
    if (matches.length > 0) fields.push(...matches);
    else fields.push(field.text);
    field = undefined;
  };
  for (const piece of list) {
    if (piece.boundary) {
      if (!field && piece.quoted) fields.push('');
      end();
    } else if (piece.quoted || !piece.split) {
      if (piece.quoted || piece.text !== '') add(piece.text, piece.quoted);
    } else {
      let start = 0;
      for (let i = 0; i <= piece.text.length; i++) {
        const c = piece.text[i];
        if (c !== undefined && !ifs.includes(c)) continue;
        if (i > start) add(piece.text.slice(start, i), false);
        if (c !== undefined) {
          if (!' \t\n'.includes(c) && !field) fields.push('');
          end();
        }
        start = i + 1;
      }
    }
  }
  end();
  return fields;
}

/** `{a,b}` and `{1..3}` of unquoted literal text, before anything else is expanded. */
function braces(word: Word): readonly Word[] {
  for (let i = 0; i < word.length; i++) {
    const part = word[i]!;
    if (part.kind !== 'text' || part.quoted) continue;
    const range = /\{(-?\d+|[a-z])\.\.(-?\d+|[a-z])(?:\.\.(\d+))?\}/.exec(part.text);
    const open = range ? range.index : part.text.search(/\{[^{}]*,/);
    if (open < 0) continue;
    let alternatives: string[];
    let after: number;
    if (range) {
      alternatives = sequence(range[1]!, range[2]!, Number(range[3] ?? 1) || 1);
      after = range.index + range[0].length;
    } else {
      const close = matchingBrace(part.text, open);
      if (close < 0) continue;
      alternatives = splitTop(part.text.slice(open + 1, close));
      after = close + 1;
    }
    return alternatives.flatMap((alternative) =>
      braces([...word.slice(0, i), { ...part, text: part.text.slice(0, open) + alternative + part.text.slice(after) }, ...word.slice(i + 1)]),
    );
  }
  return [word];
}

function sequence(from: string, to: string, by: number): string[] {
  const letters = /[a-z]/.test(from);
  const number = (text: string) => (letters ? text.charCodeAt(0) : Number(text));
  const [a, b] = [number(from), number(to)];
  const width = !letters && /^-?0\d/.test(from) ? from.length : 0;
  const found: string[] = [];
  for (let n = a; a <= b ? n <= b : n >= b; n += a <= b ? by : -by) found.push(letters ? String.fromCharCode(n) : String(n).padStart(width, '0'));
  return found;
}

function matchingBrace(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i;
  }
  return -1;
}

function splitTop(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}') depth--;
    else if (text[i] === ',' && depth === 0) {
      found.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...found, text.slice(start)];
}
