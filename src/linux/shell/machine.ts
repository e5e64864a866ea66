/**
 * Where programs run: starts them as processes, gives them numbers, delivers signals.
 *
 * A program that ends, crashes, is killed or is stopped by a signal always gives its exit code to whoever
 * started it (128 + the signal's number for a signal, as a shell sees it).
 */
import { us } from '../../sim/clock.ts';
import { defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { Files } from '../files.ts';
import type { Input, Program, ProgramContext, Signal } from '../program.ts';
import type { Sockets } from '../sockets.ts';

export const SIGNAL_NUMBERS: Readonly<Record<Signal | 'PIPE', number>> = { HUP: 1, INT: 2, QUIT: 3, KILL: 9, PIPE: 13, TERM: 15, WINCH: 28 };

/** A terminal a program can put into raw mode: keys then come as they are typed, Ctrl-C included. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  setRaw?(raw: boolean): void;
}

/** Completes the arguments of one command (`kubectl`): whole words that may stand for `current`; undefined leaves it to file names. */
export type ArgumentCompleter = (
  words: readonly string[],
  current: string,
  context: { readonly process: Process; readonly files: Files; readonly env: Readonly<Record<string, string>>; readonly cwd: string },
) => Promise<readonly string[] | undefined>;

export interface MachineOptions {
  readonly hostname: string;
  readonly files: Files;
  readonly sockets: Sockets;
  /** Looks a program up by the name it is called by, without directories. */
  programs(name: string): Program | undefined;
  /** All the names `programs` knows, for completion. */
  readonly programNames?: readonly string[];
  /** By command name. */
  readonly completers?: Readonly<Record<string, ArgumentCompleter>>;
  /** Whom programs run as; root when undefined. */
  readonly user?: MachineUser;
}
export interface MachineUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export interface StartOptions {
  readonly parent: Process;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly terminal?: Terminal | undefined;
  /** Pid 1 of a container: TERM and INT without a handler do nothing. */
  readonly init?: boolean;
  readonly ppid?: number;
}

export interface Running {
  readonly pid: number;
  readonly exit: Promise<number>;
  /** To this program and all it has started, as the terminal's Ctrl-C. */
  signalGroup(signal: Signal): void;
  signal(signal: Signal): void;
  /** At once and whatever its handlers say; the exit code is `code`. */
  kill(code: number): void;
}

/** What programs started by a `Machine` get: the plain context and a little more. */
export interface MachineContext extends ProgramContext {
  readonly machine: Machine;
  readonly pid: number;
  readonly terminal?: Terminal;
  /** Undefined when there is no such program. */
  start(argv: readonly string[], io?: StartIo): Running | undefined;
}
export type StartIo = Partial<Pick<ProgramContext, 'env' | 'cwd' | 'stdin' | 'stdout' | 'stderr'>> & { readonly terminal?: Terminal | undefined };

export const isMachineContext = (context: ProgramContext): context is MachineContext => 'machine' in context && 'start' in context;

interface Entry {
  readonly pid: number;
  readonly ppid: number;
  readonly argv: readonly string[];
  readonly startedAt: number;
  readonly running: Running;
}

export class Machine {
  private lastPid = 0;
  private readonly table = new Map<number, Entry>();
  constructor(readonly options: MachineOptions) {}

  has(name: string): boolean {
    return this.options.programs(name) !== undefined;
  }

  get processes(): readonly { readonly pid: number; readonly ppid: number; readonly argv: readonly string[]; readonly startedAt: number }[] {
    return [...this.table.values()];
  }

  /** A number for something that is no program of its own: a shell's background job. */
  nextPid(): number {
    return ++this.lastPid;
  }

  /** False when there is no such process. */
  signal(pid: number, signal: Signal): boolean {
    const entry = this.table.get(pid);
    entry?.running.signal(signal);
    return entry !== undefined;
  }

  /** Starts a program found by name; undefined when there is none. */
  start(options: StartOptions): Running | undefined {
    const name = (options.argv[0] ?? '').split('/').at(-1)!;
    const program = this.options.programs(name);
    return program && this.startProgram(program, options);
  }

  startProgram(program: Program, options: StartOptions): Running {
    const pid = ++this.lastPid;
    const ended = defer<number>(options.parent.clock);
    const children = new Set<Running>();
    const handlers: ((signal: Signal) => void)[] = [];
    let alive = true;
    let process: Process | undefined;
    const finish = (code: number) => {
      if (!alive) return;
      alive = false;
      this.table.delete(pid);
      for (const child of children) child.kill(128 + SIGNAL_NUMBERS.HUP);
      ended.resolve(code);
    };
    const kill = (code: number) => {
      if (!alive) return;
      finish(code);
      process?.kill();
    };
    const signal = (name: Signal) => {
      if (!alive) return;
      if (name === 'KILL') kill(128 + SIGNAL_NUMBERS.KILL);
      else if (handlers.length > 0) for (const handler of handlers) handler(name);
      else if (name !== 'WINCH' && !options.init) kill(128 + SIGNAL_NUMBERS[name]);
    };
    const running: Running = {
      pid,
      exit: ended.promise,
      signal,
      kill,
      signalGroup: (name) => {
        for (const child of [...children]) child.signalGroup(name);
        signal(name);
      },
    };
    this.table.set(pid, { pid, ppid: options.ppid ?? 0, argv: options.argv, startedAt: options.parent.clock.now(), running });
    // What a dead program still says (a promise of it may yet settle) is not heard.
    const stdout = (text: string) => {
      if (alive) options.stdout(text);
    };
    const stderr = (text: string) => {
      if (alive) options.stderr(text);
    };
    process = options.parent.spawn(`${(options.argv[0] ?? '').split('/').at(-1)}-${pid}`, async (self) => {
      const start = (argv: readonly string[], io: StartIo = {}): Running | undefined => {
        const ownsTerminal = io.stdin === undefined && io.stdout === undefined;
        const child = this.start({
          parent: self,
          argv,
          env: io.env ?? options.env,
          cwd: io.cwd ?? options.cwd,
          stdin: io.stdin ?? options.stdin,
          stdout: io.stdout ?? stdout,
          stderr: io.stderr ?? stderr,
          terminal: 'terminal' in io ? io.terminal : ownsTerminal ? options.terminal : undefined,
          ppid: pid,
        });
        if (!child) return undefined;
        children.add(child);
        child.exit.then(() => children.delete(child));
        return child;
      };
      const context: MachineContext = {
        argv: options.argv,
        env: options.env,
        cwd: options.cwd,
        hostname: this.options.hostname,
        files: this.options.files,
        sockets: this.options.sockets,
        process: self,
        stdin: options.stdin,
        stdout,
        stderr,
        ...(options.terminal ? { terminal: options.terminal } : {}),
        onSignal: (handler) => handlers.push(handler),
        machine: this,
        pid,
        start,
        run: async (argv, io = {}) => {
          const child = start(argv, io);
          if (child) return child.exit;
          (io.stderr ?? stderr)(`sh: ${argv[0]}: not found\n`);
          return 127;
        },
      };
      // A fork and an exec take about this long; it also keeps an endless loop of commands from standing still in time.
      await self.clock.sleep(us(300));
      let code = 1;
      try {
        code = await program(context);
      } catch (error) {
        stderr(`${options.argv[0]}: ${error instanceof Error ? error.message : String(error)}\n`);
      }
      self.clock.wake();
      finish(code);
    });
    // Killed with its parent or by the host: whoever waits still hears of it, if alive itself.
    process.onExit(() => finish(128 + SIGNAL_NUMBERS.KILL));
    return running;
  }
}
