/**
 * A running program: what a shim and runc give containerd. Owns the sockets the program opens, delivers
 * signals with pid 1's rules (pid_namespaces(7): without a handler, init ignores everything but KILL),
 * and turns the way it ended into an exit code (128 + signal number).
 */
import type { Files } from '../../linux/files.ts';
import type { Input, Program, ProgramContext, Signal } from '../../linux/program.ts';
import type { Connection, Sockets } from '../../linux/sockets.ts';
import { Mailbox } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { Cgroup, ContainerContext } from './cgroup.ts';

const NUMBERS: Readonly<Record<Signal, number>> = { HUP: 1, INT: 2, QUIT: 3, KILL: 9, TERM: 15, WINCH: 28 };

/** Finds the program that argv[0] names; undefined when there is none. */
export type Lookup = (name: string, env: Readonly<Record<string, string>>, cwd: string) => { readonly program: Program; readonly prefix: readonly string[] } | undefined;

export interface TaskOptions {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly hostname: string;
  readonly files: Files;
  readonly sockets: Sockets;
  readonly stdin: Input;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly tty: boolean;
  readonly pid1: boolean;
  readonly cgroup: Cgroup;
  readonly lookup: Lookup;
  readonly program: Program;
}
export interface Task {
  readonly process: Process;
  signal(signal: Signal): void;
}

/** Starts a program as a child of `parent`; `onExit` is called once, unless the machine goes down with it. */
export function startTask(parent: Process, options: TaskOptions, onExit: (code: number) => void): Task {
  const handlers: ((signal: Signal) => void)[] = [];
  let code = 0;
  let killedBy: Signal | undefined;
  const process = parent.spawn(options.name, async (self) => {
    code = await options.program(contextOf(self));
  });
  const owned = ownSockets(options.sockets, process);

  const contextOf = (self: Process): ContainerContext => ({
    argv: options.argv,
    env: options.env,
    cwd: options.cwd,
    hostname: options.hostname,
    files: options.files,
    sockets: owned.sockets,
    process: self,
    stdin: options.stdin,
    stdout: options.stdout,
    stderr: options.stderr,
    ...(options.tty && { terminal: { columns: 80, rows: 24 } }),
    onSignal: (handler) => handlers.push(handler),
    run: (argv, io = {}) => runChild(self, options, argv, io),
    cgroup: options.cgroup,
  });

  process.onExit((exit) => {
    owned.closeAll();
    if (!parent.alive) return;
    if (exit.how === 'crashed' && !options.cgroup.oomKilled) options.stderr(`${exit.error.message}\n`);
    onExit(exit.how === 'ended' ? code & 255 : exit.how === 'crashed' ? 1 : 128 + NUMBERS[killedBy ?? 'KILL']);
  });

  return {
    process,
    signal: (signal) => {
      if (!process.alive) return;
      if (signal === 'KILL') return process.kill();
      if (handlers.length > 0) {
        process.clock.after(0, () => {
          for (const handler of handlers) handler(signal);
        });
      } else if (!options.pid1 && signal !== 'WINCH') {
        killedBy = signal;
        process.kill();
      }
    },
  };
}

function runChild(
  self: Process,
  options: TaskOptions,
  argv: readonly string[],
  io: Partial<Pick<ProgramContext, 'env' | 'cwd' | 'stdin' | 'stdout' | 'stderr'>>,
): Promise<number> {
  const env = io.env ?? options.env;
  const cwd = io.cwd ?? options.cwd;
  const stderr = io.stderr ?? options.stderr;
  const found = options.lookup(argv[0] ?? '', env, cwd);
  if (!found) {
    stderr(`sh: ${argv[0] ?? ''}: not found\n`);
    return Promise.resolve(127);
  }
  return new Promise((resolve) => {
    startTask(
      self,
      {
        ...options,
        name: argv[0] ?? '',
        argv: [...found.prefix, ...argv],
        env,
        cwd,
        stdin: io.stdin ?? options.stdin,
        stdout: io.stdout ?? options.stdout,
        stderr,
        pid1: false,
        program: found.program,
      },
      (code) => {
        self.clock.wake();
        resolve(code);
      },
    );
  });
}

/** An input that text is put into; `undefined` ends it. */
export function createInput(process: Process): { readonly input: Input; put(text: string | undefined): void } {
  const box = new Mailbox<string | undefined>(process.clock);
  let ended = false;
  return {
    input: { read: () => (ended && box.length === 0 ? Promise.resolve(undefined) : box.take()) },
    put: (text) => {
      if (ended) return;
      if (text === undefined) ended = true;
      box.put(text);
    },
  };
}
export const emptyInput: Input = { read: () => Promise.resolve(undefined) };

/** The kernel closes what a dead process had open; a dead process hears nothing any more. */
function ownSockets(sockets: Sockets, process: Process): { readonly sockets: Sockets; closeAll(): void } {
  const open = new Set<() => void>();
  const hold = (close: () => void): (() => void) => {
    const once = (): void => {
      if (open.delete(once)) close();
    };
    open.add(once);
    return once;
  };
  /** Settles only while the process lives. */
  const mine = <T>(promise: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      promise.then(
        (value) => {
          if (process.alive) resolve(value);
        },
        (error) => {
          if (process.alive) reject(error);
        },
      );
    });
  const wrap = (connection: Connection): Connection => {
    const close = hold(() => connection.close());
    return {
      local: connection.local,
      remote: connection.remote,
      send: (text) => {
        if (process.alive) connection.send(text);
      },
      receive: () => mine(connection.receive()),
      close,
    };
  };
  return {
    sockets: {
      listen: (port, onConnection) =>
        hold(
          sockets.listen(port, (connection) => {
            if (process.alive) onConnection(wrap(connection));
          }),
        ),
      connect: async (host, port, options) => {
        const opening = sockets.connect(host, port, options);
        opening.then(
          (connection) => {
            if (!process.alive) connection.close();
          },
          () => {},
        );
        return wrap(await mine(opening));
      },
      listenUdp: (port, onDatagram) =>
        hold(
          sockets.listenUdp(port, (text, from, reply) => {
            if (process.alive) onDatagram(text, from, reply);
          }),
        ),
      askUdp: (ip, port, text, timeout) => mine(sockets.askUdp(ip, port, text, timeout)),
      resolve: (name) => mine(sockets.resolve(name)),
    },
    closeAll: () => {
      for (const close of [...open]) close();
    },
  };
}
