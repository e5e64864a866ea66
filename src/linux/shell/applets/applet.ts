/** What the small programs have in common: options, files named on the command line, complaints. */
import { FileError } from '../../files.ts';
import type { Input, Program, ProgramContext } from '../../program.ts';
import { resolvePath } from '../pattern.ts';
import { Lines, noInput, readAll, textInput } from '../text-pipe.ts';

/** Ends a program with a message on stderr. */
export class AppletError extends Error {
  constructor(
    message: string,
    readonly code = 1,
  ) {
    super(message);
  }
}

export const nameOf = (self: ProgramContext): string => (self.argv[0] ?? '').split('/').at(-1)!;
/** Containers have busybox' programs, the laptop GNU's; they differ in what they say when something is wrong. */
export const isBusybox = (self: ProgramContext): boolean => self.files.exists('/bin/busybox');

export const applet =
  (main: Program): Program =>
  async (self) => {
    try {
      return await main(self);
    } catch (error) {
      if (error instanceof AppletError) {
        self.stderr(`${nameOf(self)}: ${error.message}\n`);
        return error.code;
      }
      throw error;
    }
  };

export interface Flags {
  readonly operands: readonly string[];
  has(name: string): boolean;
  /** The last value given. */
  value(name: string): string | undefined;
  values(name: string): readonly string[];
}

/**
 * GNU's getopt: `spec` as `nr:` (a letter with a colon takes a value), long options by name, those in
 * `long` with a `=` suffix take one. Options and operands may be mixed unless `spec` begins with `+`.
 */
export function parseFlags(self: ProgramContext, spec: string, long: Readonly<Record<string, string>> = {}): Flags {
  const found: [string, string][] = [];
  const operands: string[] = [];
  const args = self.argv.slice(1);
  const stopAtOperand = spec.startsWith('+');
  const fail = (text: string): never => {
    throw new AppletError(
      isBusybox(self)
        ? text.replace('invalid option', 'unrecognized option').replace(/ -- '(.)'/, ': $1')
        : `${text}\nTry '${nameOf(self)} --help' for more information.`,
      nameOf(self) === 'ls' || nameOf(self) === 'grep' ? 2 : 1,
    );
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const [name, value] = splitOnce(arg.slice(2), '=');
      const letter = long[name] ?? fail(`unrecognized option '${arg}'`);
      if (letter.endsWith(':')) found.push([letter.slice(0, -1), value ?? args[++i] ?? fail(`option '${arg}' requires an argument`)]);
      else found.push([letter, '']);
    } else if (arg.startsWith('-') && arg.length > 1) {
      for (let j = 1; j < arg.length; j++) {
        const letter = arg[j]!;
        const at = spec.indexOf(letter);
        if (at < 0 || letter === ':') fail(`invalid option -- '${letter}'`);
        if (spec[at + 1] === ':') {
          const value = arg.slice(j + 1) || args[++i];
          if (value === undefined) fail(`option requires an argument -- '${letter}'`);
          found.push([letter, value!]);
          break;
        }
        found.push([letter, '']);
      }
    } else {
      operands.push(arg);
      if (stopAtOperand) {
        operands.push(...args.slice(i + 1));
        break;
      }
    }
  }
  return {
    operands,
    has: (name) => found.some(([key]) => key === name),
    value: (name) => found.filter(([key]) => key === name).at(-1)?.[1],
    values: (name) => found.filter(([key]) => key === name).map(([, value]) => value),
  };
}

export function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

export const pathOf = (self: ProgramContext, path: string): string => resolvePath(self.cwd, path);

/** A file, or standard input for `-`. Throws FileError. */
export function openInput(self: ProgramContext, path: string): Input {
  if (path === '-' || path === '/dev/stdin') return self.stdin;
  if (path === '/dev/null') return noInput;
  return textInput(self.files.read(pathOf(self, path)));
}

/** `x: No such file or directory`, in the words of the userland at hand. */
export const fileMessage = (self: ProgramContext, path: string, error: FileError, verb = 'open'): string =>
  isBusybox(self) && verb === 'open' && error.code !== 'EISDIR' ? `can't open '${path}': ${error.message}` : `${path}: ${error.message}`;

/** Calls `each` for every file (standard input when none is named); a file that cannot be read is complained of, and makes the code 1. */
export async function eachInput(
  self: ProgramContext,
  paths: readonly string[],
  each: (input: Input, path: string) => Promise<boolean | void>,
): Promise<number> {
  let code = 0;
  for (const path of paths.length === 0 ? ['-'] : paths) {
    let input: Input;
    try {
      input = openInput(self, path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      self.stderr(`${nameOf(self)}: ${fileMessage(self, path, error)}\n`);
      code = 1;
      continue;
    }
    if ((await each(input, path)) === false) break;
  }
  return code;
}

/** Line by line over all files, in batches as they come. Return false to stop. */
export function eachBatch(
  self: ProgramContext,
  paths: readonly string[],
  each: (lines: readonly string[], path: string) => boolean | void | Promise<boolean | void>,
): Promise<number> {
  return eachInput(self, paths, async (input, path) => {
    const lines = new Lines(input);
    for (let batch = await lines.batch(); batch; batch = await lines.batch()) {
      self.process.clock.wake();
      if ((await each(batch, path)) === false) return false;
    }
    return true;
  });
}

/** All lines of all files. */
export async function allLines(self: ProgramContext, paths: readonly string[]): Promise<{ lines: string[]; code: number }> {
  const lines: string[] = [];
  const code = await eachInput(self, paths, async (input) => {
    const text = await readAll(input);
    if (text === '') return;
    lines.push(...text.replace(/\n$/, '').split('\n'));
  });
  return { lines, code };
}

/** A count or a duration given as text; busybox and GNU agree that anything else is an error. */
export function wholeNumber(text: string, what: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw new AppletError(`${what}: '${text}'`);
  return Number(text);
}
