/**
 * A small shell: the grammar of POSIX and the habits of bash, on virtual time. The laptop's terminal runs
 * it as `bash`, busybox containers as `sh`; their error texts differ and so do ours.
 *
 * `parser.ts` reads a script into the tree of `syntax.ts`; `expand.ts` makes fields of words;
 * `interpreter.ts` walks the tree; `builtins.ts` are the commands that change the shell; `machine.ts`
 * starts programs; `applets/` are busybox' programs; `tty.ts`, `line-editor.ts` and `interactive.ts`
 * are what a person types into.
 */

import { type Deferred, defer, Mailbox } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { Program, ProgramContext } from '../program.ts';
import { applets } from './applets/applets.ts';
import { runInteractive } from './interactive.ts';
import { Interpreter, type ShellHost } from './interpreter.ts';
import { isMachineContext, Machine, type Running, type StartIo } from './machine.ts';
import { resolvePath } from './pattern.ts';
import { Group, Leave, Shell, streamsOf } from './state.ts';
import { readAll, SharedInput, textInput } from './text-pipe.ts';

/** `sh -c 'script' args`, `sh file args`, `sh` with a script on its standard input, and at a terminal a prompt. */
export const sh: Program = async (self) => {
  const shell = new Shell();
  shell.name = self.argv[0] ?? 'sh';
  shell.cwd = self.cwd;
  if (isMachineContext(self)) shell.pid = self.pid;
  for (const [name, value] of Object.entries(self.env)) if (/^[A-Za-z_]\w*$/.test(name)) shell.variables.set(name, { value, exported: true, readonly: false });
  shell.set('PWD', self.cwd, true);
  if (shell.get('IFS') === undefined) shell.set('IFS', ' \t\n', false);

  let at = 1;
  let script: string | undefined;
  let interactive = false;
  let command = false;
  for (; at < self.argv.length && /^[-+]./.test(self.argv[at]!); at++) {
    const arg = self.argv[at]!;
    if (arg === '--') {
      at++;
      break;
    }
    if (arg.startsWith('--')) continue;
    for (const letter of arg.slice(1)) {
      if (letter === 'c') command = true;
      else if (letter === 'i') interactive = true;
      else if (letter === 'o') shell.options.add(self.argv[++at] ?? '');
      else if (letter === 'e') shell.options.add('errexit');
      else if (letter === 'x') shell.options.add('xtrace');
      else if (letter === 'u') shell.options.add('nounset');
      else if (letter !== 'l' && letter !== 's') {
        self.stderr(shell.bash ? `${shell.prefix}${arg}: invalid option\n` : `${shell.prefix}illegal option -${letter}\n`);
        return 2;
      }
    }
  }
  const operands = self.argv.slice(at);
  if (command) {
    script = operands[0];
    if (script === undefined) {
      self.stderr(`${shell.prefix}-c: option requires an argument\n`);
      return 2;
    }
    if (operands[1] !== undefined) shell.name = operands[1];
    shell.args = operands.slice(2);
    shell.origin = 'command';
  } else if (operands[0] !== undefined) {
    const path = resolvePath(self.cwd, operands[0]);
    if (!self.files.exists(path) || self.files.isDirectory(path)) {
      const why = self.files.exists(path) ? 'Is a directory' : 'No such file or directory';
      self.stderr(shell.bash ? `${shell.prefix}${operands[0]}: ${why}\n` : `${shell.prefix}can't open '${operands[0]}': ${why}\n`);
      return shell.bash && why.startsWith('Is') ? 126 : shell.bash ? 127 : 2;
    }
    script = self.files.read(path);
    if (shell.bash) shell.set('BASH', '/usr/bin/bash', false);
    shell.name = operands[0];
    shell.args = operands.slice(1);
    shell.origin = 'script';
  }
  const host = hostOf(self);
  if (script === undefined && (interactive || self.terminal)) return runInteractive(self, shell, host);
  if (script === undefined) {
    shell.origin = 'script';
    script = await readAll(self.stdin);
  }
  return runScript(self, shell, host, script);
};

async function runScript(self: ProgramContext, shell: Shell, host: ShellHost, script: string): Promise<number> {
  const interpreter = new Interpreter(host);
  const group = new Group();
  let listening = false;
  interpreter.onTrap = () => {
    if (listening) return;
    listening = true;
    self.onSignal((signal) => {
      if (shell.traps.has(signal)) {
        interpreter.pendingSignals.push(signal);
        interpreter.onPending?.(signal);
      } else if (signal === 'TERM' || signal === 'INT' || signal === 'HUP') {
        const code = 128 + { TERM: 15, INT: 2, HUP: 1 }[signal];
        group.stop(code);
        group.kill(code);
      }
    });
  };
  const streams = host.root;
  let code: number;
  try {
    code = await interpreter.text(script, shell, streams, group);
    if (interpreter.pendingSignals.length > 0) await interpreter.runTraps(shell, streams, group);
  } catch (error) {
    code = error instanceof Leave ? error.code : interpreter.codeOf(error, shell, streams);
  }
  return interpreter.exitTrap(code, shell, streams, new Group());
}

/** The machine's own way to start programs; in a context that has none, busybox' applets and whatever `run` finds. */
function hostOf(self: ProgramContext): ShellHost {
  const root = streamsOf(self.stdin, self.stdout, self.stderr);
  const common = { process: self.process, files: self.files, root, terminal: self.terminal };
  if (isMachineContext(self)) return { ...common, machine: self.machine, start: (argv, io) => self.start(argv, io), foreign: false };
  const machine = new Machine({
    hostname: self.hostname,
    files: self.files,
    sockets: self.sockets,
    programs: (name) => (name === 'sh' || name === 'ash' || name === 'bash' ? sh : Object.hasOwn(applets, name) ? applets[name] : undefined),
    programNames: Object.keys(applets),
  });
  const start = (argv: readonly string[], io: StartIo): Running => {
    const options = { parent: self.process, argv, env: self.env, cwd: self.cwd, stdin: self.stdin, stdout: self.stdout, stderr: self.stderr, ...io };
    const viaRun: Program = (child) => self.run(child.argv, { env: child.env, cwd: child.cwd, stdin: child.stdin, stdout: child.stdout, stderr: child.stderr });
    return machine.start(options) ?? machine.startProgram(viaRun, options);
  };
  return { ...common, machine, start, foreign: true };
}

export interface CommandContext {
  readonly self: Process;
  readonly machine: Machine;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Given to the command as standard input. */
  readonly stdin?: string;
  /** `bash` by default. */
  readonly shell?: string;
}
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * A shell without a terminal, given line after line, as at a prompt: variables, functions, directory,
 * history and background jobs live on from one to the next. A line need not wait for the one before.
 */
export class CommandSession {
  private readonly lines: Mailbox<Line>;
  private readonly pending = new Set<Line>();
  private readonly shell = new Shell();
  private readonly running: Running;

  constructor(private readonly context: CommandContext) {
    const { self, machine, shell = 'bash', env, cwd } = context;
    this.lines = new Mailbox(self.clock);
    this.running = machine.startProgram((program) => this.serve(program), {
      parent: self,
      argv: [shell],
      env,
      cwd,
      stdin: new SharedInput(textInput('')),
      stdout: () => {},
      stderr: () => {},
    });
    // `kill $$`: nobody is left to answer.
    this.running.exit.then((exitCode) => {
      for (const line of [...this.pending]) this.answer(line, exitCode);
    });
  }

  run(text: string): Promise<CommandResult> {
    const line: Line = { text, stdout: [], stderr: [], done: defer<CommandResult>(this.context.self.clock) };
    this.pending.add(line);
    this.lines.put(line);
    return line.done.promise;
  }

  private answer(line: Line, exitCode: number): void {
    this.pending.delete(line);
    line.done.resolve({ stdout: line.stdout.join(''), stderr: line.stderr.join(''), exitCode });
  }

  /** Ends the shell and what it has left running. */
  close(): void {
    this.running.kill(129);
  }

  private async serve(self: ProgramContext): Promise<number> {
    const { shell } = this;
    if (isMachineContext(self)) shell.pid = self.pid;
    shell.name = this.context.shell ?? 'bash';
    shell.cwd = self.cwd;
    for (const [name, value] of Object.entries(self.env)) shell.variables.set(name, { value, exported: true, readonly: false });
    shell.set('PWD', self.cwd, true);
    for (;;) {
      const line = await this.lines.take();
      shell.history.push(line.text);
      const own: ProgramContext = {
        ...self,
        stdin: new SharedInput(textInput(this.context.stdin ?? '')),
        stdout: (text) => void line.stdout.push(text),
        stderr: (text) => void line.stderr.push(text),
      };
      runScript(own, shell, hostOf(own), line.text).then(
        (exitCode) => this.answer(line, exitCode),
        (error) => {
          line.stderr.push(`${error instanceof Error ? error.message : String(error)}\n`);
          this.answer(line, 1);
        },
      );
    }
  }
}

interface Line {
  readonly text: string;
  readonly stdout: string[];
  readonly stderr: string[];
  readonly done: Deferred<CommandResult>;
}

/** One command line without a terminal, as `bash -c` would run it; errors read as at a prompt. What it leaves in the background ends with it. */
export async function runCommand(context: CommandContext, line: string): Promise<CommandResult> {
  const session = new CommandSession(context);
  const result = await session.run(line);
  session.close();
  return result;
}
