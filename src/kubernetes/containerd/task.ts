/**
 * A container's processes: what a shim and runc give containerd. One `Machine` (the pid namespace) per
 * container, whose pid 1 ignores TERM unless it handles it (pid_namespaces(7)) and takes everything else
 * with it when it ends. The sockets its programs open are closed with it, as the kernel does.
 */
import type { Files } from '../../linux/files.ts';
import type { Input, Program, Signal } from '../../linux/program.ts';
import { Machine, type MachineOptions, type MachineUser, type Running, type Terminal } from '../../linux/shell/machine.ts';
import type { Connection, Sockets } from '../../linux/sockets.ts';
import { ms } from '../../sim/clock.ts';
import { Mailbox } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { Cgroup } from './cgroup.ts';

/** Finds the program that argv[0] names; `prefix` is the interpreter of a script. Undefined when there is none. */
export type Lookup = (
  name: string,
  env: Readonly<Record<string, string>>,
  cwd: string,
) => { readonly program: Program; readonly prefix: readonly string[] } | undefined;

/** What starting a program costs, in CPU time. */
const FORK_AND_EXEC = ms(1);

/** The options of a container's machine; `cgroupOf` finds the cgroup by it. */
export interface ContainerMachineOptions extends MachineOptions {
  readonly cgroup: Cgroup;
  /** TCP ports its container names. */
  readonly ports?: readonly number[];
}

export interface ProgramStart {
  readonly program: Program;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly terminal?: Terminal;
}
export interface TaskOptions extends ProgramStart {
  readonly name: string;
  readonly hostname: string;
  readonly files: Files;
  readonly sockets: Sockets;
  readonly cgroup: Cgroup;
  readonly lookup: Lookup;
  readonly user?: MachineUser;
  readonly ports?: readonly number[];
}
export interface Task {
  readonly process: Process;
  /** To pid 1. */
  signal(signal: Signal): void;
  /** To pid 1 and all it has started, as from its terminal. */
  signalGroup(signal: Signal): void;
  /** Another program in the same container; its exit code is 137 when the container dies first. */
  exec(start: ProgramStart): Pick<Running, 'exit' | 'signalGroup'>;
}

/** Starts a container as a child of `parent`; `onExit` is called once with pid 1's exit code, unless the machine goes down with it. */
export function startTask(parent: Process, options: TaskOptions, onExit: (code: number) => void): Task {
  let code = 137;
  let init: Running | undefined;
  let machine: Machine | undefined;
  const process = parent.spawn(options.name, async (self) => {
    init = machine!.startProgram(options.program, { ...options, parent: self, init: true });
    code = await init.exit;
  });
  options.cgroup.start(process.clock);
  const owned = ownSockets(options.sockets, process);
  const machineOptions: ContainerMachineOptions = {
    hostname: options.hostname,
    files: options.files,
    sockets: owned.sockets,
    programs: (name) => {
      const found = options.lookup(name, options.env, '/')?.program;
      if (found) options.cgroup.charge(FORK_AND_EXEC);
      return found;
    },
    cgroup: options.cgroup,
    ...(options.ports && { ports: options.ports }),
    ...(options.user && { user: options.user }),
  };
  machine = new Machine(machineOptions);
  process.onExit((exit) => {
    owned.closeAll();
    if (parent.alive) onExit(exit.how === 'ended' ? code & 255 : 137);
  });
  return {
    process,
    signal: (signal) => {
      if (!process.alive) return;
      if (signal === 'KILL') process.kill();
      else if (init) init.signal(signal);
      // Sent before the program's first instruction: it is pending until then.
      else process.clock.after(ms(1), () => init?.signal(signal));
    },
    signalGroup: (signal) => {
      if (process.alive) init?.signalGroup(signal);
    },
    exec: (start) => machine.startProgram(start.program, { ...start, parent: process }),
  };
}

/** An input that text is put into; `undefined` ends it. */
export function createInput(process: Pick<Process, 'clock'>): { readonly input: Input; put(text: string | undefined): void } {
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
  const wrap = (connection: Connection): Connection =>
    new OwnConnection(
      connection,
      process,
      hold(() => connection.close()),
      mine,
    );
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

/** A connection of a program. */
class OwnConnection implements Connection {
  constructor(
    private readonly connection: Connection,
    private readonly process: Process,
    readonly close: () => void,
    /** Settles only while the process lives. */
    private readonly mine: <T>(promise: Promise<T>) => Promise<T>,
  ) {}

  get local(): Connection['local'] {
    return this.connection.local;
  }
  get remote(): Connection['remote'] {
    return this.connection.remote;
  }

  send(text: string): void {
    if (this.process.alive) this.connection.send(text);
  }

  receive(): Promise<string | undefined> {
    return this.mine(this.connection.receive());
  }

  get onReceive(): Connection['onReceive'] {
    const { connection, process } = this;
    if (!connection.onReceive) return undefined;
    return (take, failed) =>
      connection.onReceive!(
        (text) => process.alive && take(text),
        (error) => {
          if (process.alive) failed(error);
        },
      );
  }
}
