/** What one shell remembers: variables, functions, options, jobs. A subshell begins with a copy. */
import type { Input, Signal } from '../program.ts';
import type { Running } from './machine.ts';
import type { Command } from './syntax.ts';
import { SharedInput } from './text-pipe.ts';

export interface Variable {
  readonly value: string;
  readonly exported: boolean;
  readonly readonly: boolean;
}

export type Write = (text: string) => void;
/** Standard input, and what each other descriptor writes to. */
export interface Streams {
  readonly stdin: SharedInput;
  readonly out: ReadonlyMap<number, Write>;
}
export const streamsOf = (stdin: Input, stdout: Write, stderr: Write): Streams => ({
  stdin: stdin instanceof SharedInput ? stdin : new SharedInput(stdin),
  out: new Map([
    [1, stdout],
    [2, stderr],
  ]),
});

/** A process group: what Ctrl-C, `kill %1` or a broken pipe stop together. */
export class Group {
  readonly children = new Set<Running>();
  private readonly parts = new Set<Group>();
  /** Exit code of a group that was stopped; its shell commands end at their next step. */
  stopped: number | undefined;
  private readonly stopListeners = new Set<(code: number) => void>();

  /** A group within this one: one stage of a pipeline. */
  part(): Group {
    const part = new Group();
    part.stopped = this.stopped;
    this.parts.add(part);
    return part;
  }
  leave(part: Group): void {
    this.parts.delete(part);
  }

  /** The shell's own commands in it end at their next step. */
  stop(code: number): void {
    if (this.stopped !== undefined) return;
    this.stopped = code;
    for (const part of [...this.parts]) part.stop(code);
    for (const listener of [...this.stopListeners]) listener(code);
  }
  onStop(listener: (code: number) => void): () => void {
    this.stopListeners.add(listener);
    return () => this.stopListeners.delete(listener);
  }
  signal(signal: Signal): void {
    for (const part of [...this.parts]) part.signal(signal);
    for (const child of [...this.children]) child.signalGroup(signal);
  }
  kill(code: number): void {
    for (const part of [...this.parts]) part.kill(code);
    for (const child of [...this.children]) child.kill(code);
  }
}

export interface Job {
  readonly id: number;
  readonly pid: number;
  readonly source: string;
  readonly group: Group;
  readonly done: Promise<number>;
  /** Set when it has ended. */
  code?: number;
  reported?: boolean;
}

/** Control flow that leaves several levels of the tree at once. */
export class Leave extends Error {
  constructor(
    readonly how: 'exit' | 'return' | 'break' | 'continue' | 'stopped',
    readonly code: number,
    public levels = 1,
  ) {
    super(how);
  }
}
/** An error of the shell itself that ends the command line (a bad substitution, an unset variable under -u). */
export class ShellError extends Error {
  constructor(
    message: string,
    readonly code = 1,
  ) {
    super(message);
  }
}

export class Shell {
  variables = new Map<string, Variable>();
  functions = new Map<string, Command>();
  aliases = new Map<string, string>();
  args: readonly string[] = [];
  name = 'sh';
  cwd = '/';
  /** `errexit`, `xtrace`, `nounset`, `pipefail`, `noglob`, `noclobber`. */
  options = new Set<string>();
  status = 0;
  pid = 1;
  lastBackground: number | undefined;
  line = 1;
  /** Above 0 a failure is being asked for (`if`, `&&`), and errexit looks away. */
  tested = 0;
  traps = new Map<string, string>();
  jobs: Job[] = [];
  nextJob = 1;
  /** Per function call: what `local` covers up. */
  readonly covered: Map<string, Variable | undefined>[] = [];
  history: string[] = [];
  interactive = false;
  /** `script`: errors carry the line, as of a file; `command`: of `-c`. */
  origin: 'prompt' | 'script' | 'command' = 'prompt';
  /** Streams that `exec >file` has put in place for what follows. */
  redirected: Streams | undefined;

  get(name: string): string | undefined {
    return this.variables.get(name)?.value;
  }

  set(name: string, value: string, exported?: boolean): void {
    const old = this.variables.get(name);
    if (old?.readonly) throw new ShellError(`${name}: readonly variable`);
    this.variables.set(name, { value, exported: exported ?? (old?.exported || this.options.has('allexport')), readonly: false });
  }

  get environment(): Record<string, string> {
    const environment: Record<string, string> = {};
    for (const [name, variable] of this.variables) if (variable.exported) environment[name] = variable.value;
    return environment;
  }

  /** The copy a subshell gets. Traps are reset and jobs are its own (POSIX 2.12). */
  fork(): Shell {
    const copy = new Shell();
    copy.variables = new Map(this.variables);
    copy.functions = new Map(this.functions);
    copy.aliases = new Map(this.aliases);
    copy.args = this.args;
    copy.name = this.name;
    copy.cwd = this.cwd;
    copy.options = new Set(this.options);
    copy.status = this.status;
    copy.pid = this.pid;
    copy.lastBackground = this.lastBackground;
    copy.line = this.line;
    copy.tested = this.tested;
    copy.history = [...this.history];
    copy.origin = this.origin;
    copy.interactive = this.interactive;
    copy.redirected = this.redirected;
    copy.covered.push(...this.covered.map((level) => new Map(level)));
    return copy;
  }

  /** Errors speak as bash or as busybox' ash, by the name the shell was called by. */
  get bash(): boolean {
    return /(^|[-/])bash$/.test(this.name) || this.get('BASH') !== undefined;
  }
  /** `bash: `, `bash: line 1: `, `./deploy.sh: line 3: `. */
  get prefix(): string {
    const name = this.name.replace(/^-/, '').replace(/^.*\/(bash|sh|ash)$/, '$1');
    if (this.origin === 'prompt') return `${name}: `;
    if (this.origin === 'command') return this.bash ? `${name}: line ${this.line}: ` : `${name}: `;
    return `${name}: line ${this.line}: `;
  }
}
