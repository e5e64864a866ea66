/** `test`, `[` and `[[`: what is true. */
import type { Files } from '../files.ts';
import { patternToRegExp, resolvePath } from './pattern.ts';

export class ConditionError extends Error {}

/** The arguments of `test`, without the closing `]`. Throws ConditionError (exit code 2). */
export function evaluateTest(args: readonly string[], files: Files, cwd: string): boolean {
  let at = 0;
  const or = (): boolean => {
    let value = and();
    while (args[at] === '-o') {
      at++;
      const right = and();
      value = value || right;
    }
    return value;
  };
  const and = (): boolean => {
    let value = not();
    while (args[at] === '-a') {
      at++;
      const right = not();
      value = value && right;
    }
    return value;
  };
  const not = (): boolean => {
    if (args[at] === '!' && args.length - at > 1 && !isBinary(args[at + 1])) {
      at++;
      return !not();
    }
    return primary();
  };
  const primary = (): boolean => {
    const first = args[at];
    if (first === undefined) throw new ConditionError('argument expected');
    const second = args[at + 1];
    if (isBinary(second) && args[at + 2] !== undefined) {
      at += 3;
      return compare(first, second!, args[at - 1]!);
    }
    if (first === '(') {
      at++;
      const value = or();
      if (args[at++] !== ')') throw new ConditionError("`)' expected");
      return value;
    }
    if (/^-[a-zA-Z]$/.test(first) && second !== undefined && second !== '-a' && second !== '-o') {
      at += 2;
      return unary(first, second, files, cwd);
    }
    at++;
    return first !== '';
  };
  if (args.length === 0) return false;
  if (args.length === 1) return args[0] !== '';
  const value = or();
  if (at < args.length) throw new ConditionError(args.length - at === 1 ? `${args[at]}: unexpected operator` : 'too many arguments');
  return value;
}

const isBinary = (text: string | undefined): boolean => text !== undefined && /^(=|==|!=|=~|<|>|-(eq|ne|lt|le|gt|ge|nt|ot|ef))$/.test(text);

function compare(a: string, operator: string, b: string): boolean {
  const numbers = (): [number, number] => {
    for (const text of [a, b]) if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new ConditionError(`${text}: integer expression expected`);
    return [Number(a), Number(b)];
  };
  switch (operator) {
    case '=':
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '-nt':
    case '-ot':
      return false; // Here simplified: files carry no time.
    case '-ef':
      return a === b;
  }
  const [x, y] = numbers();
  return { '-eq': x === y, '-ne': x !== y, '-lt': x < y, '-le': x <= y, '-gt': x > y, '-ge': x >= y }[operator] ?? false;
}

function unary(operator: string, text: string, files: Files, cwd: string): boolean {
  const path = resolvePath(cwd, text);
  switch (operator) {
    case '-n':
      return text !== '';
    case '-z':
      return text === '';
    case '-d':
      return files.isDirectory(path);
    case '-f':
      return files.exists(path) && !files.isDirectory(path);
    case '-e':
    case '-r':
    case '-w':
    case '-x':
      return files.exists(path);
    case '-s':
      return files.exists(path) && (files.isDirectory(path) || files.read(path) !== '');
    case '-t':
      return false;
    case '-L':
    case '-h':
    case '-p':
    case '-S':
    case '-b':
    case '-c':
      return false;
    default:
      throw new ConditionError(`${operator}: unary operator expected`);
  }
}

/** One operand of `[[ … ]]`: its text, and its text as a pattern or regular expression. */
export interface ConditionWord {
  readonly text: string;
  readonly pattern: string;
  readonly literal: boolean;
}

/** `[[ … ]]`: patterns on the right of `==`, regular expressions of `=~` (their groups go to `onMatch`), `&&`, `||`, `!`, parentheses. */
export function evaluateConditional(words: readonly ConditionWord[], files: Files, cwd: string, isSet: (name: string) => boolean): boolean {
  let at = 0;
  const is = (text: string) => words[at]?.literal === true && words[at]?.text === text;
  const or = (): boolean => {
    let value = and();
    while (is('||')) {
      at++;
      const right = and();
      value = value || right;
    }
    return value;
  };
  const and = (): boolean => {
    let value = not();
    while (is('&&')) {
      at++;
      const right = not();
      value = value && right;
    }
    return value;
  };
  const not = (): boolean => {
    if (is('!')) {
      at++;
      return !not();
    }
    if (is('(')) {
      at++;
      const value = or();
      if (!is(')')) throw new ConditionError("`)' expected");
      at++;
      return value;
    }
    const first = words[at];
    if (!first) throw new ConditionError('argument expected');
    const operator = words[at + 1];
    const right = words[at + 2];
    if (operator?.literal && right && isBinary(operator.text)) {
      at += 3;
      if (operator.text === '=~') {
        try {
          return new RegExp(right.text).test(first.text);
        } catch {
          throw new ConditionError('invalid regular expression');
        }
      }
      if (operator.text === '=' || operator.text === '==') return patternToRegExp(right.pattern).test(first.text);
      if (operator.text === '!=') return !patternToRegExp(right.pattern).test(first.text);
      return compare(first.text, operator.text, right.text);
    }
    if (first.literal && /^-[a-zA-Z]$/.test(first.text) && operator) {
      at += 2;
      if (first.text === '-v') return isSet(operator.text);
      return unary(first.text, operator.text, files, cwd);
    }
    at++;
    return first.text !== '';
  };
  const value = or();
  if (at < words.length) throw new ConditionError(`syntax error near \`${words[at]!.text}'`);
  return value;
}
