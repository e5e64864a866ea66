/**
 * A person's streams into a container: exec, attach and port-forward (containerd
 * `internal/cri/server/container_exec.go`, `container_attach.go`, `sandbox_portforward_linux.go`).
 *
 * With a terminal the container's programs get a pseudo-terminal: lines are echoed and edited, Ctrl-C is a
 * signal, and the window may change its size; a shell puts it into raw mode and does all that itself.
 */
import type { Input } from '../../linux/program.ts';
import { bringShell } from '../../linux/shell/lazy.ts';
import type { Running, Terminal } from '../../linux/shell/machine.ts';
import { type Connection, SocketError, type Sockets } from '../../linux/sockets.ts';
import type { Process } from '../../sim/process.ts';
import { type ExecIo, RuntimeError, type TerminalSize } from '../kubelet/cri.ts';
import type { ContainerLog } from './log.ts';
import { notFoundText } from './program-lookup.ts';
import { createInput, emptyInput, type ProgramStart, type Task } from './task.ts';

/** The master side of a pseudo-terminal. */
export interface Pty {
  /** What programs know it as. */
  readonly terminal: Terminal;
  readonly stdin: Input;
  /** A program's output on its way to the screen. */
  print(text: string): void;
  /** Typed keys; undefined hangs up. */
  keys(text: string | undefined): void;
  resize(size: TerminalSize): void;
}

/** What a program sees until somebody says how large the window is. */
const UNSIZED: TerminalSize = { columns: 80, rows: 24 };

/** `group`: whom Ctrl-C and a changed window are told to. */
export async function openPty(self: Process, show: (text: string) => void, group: () => Pick<Running, 'signalGroup'> | undefined): Promise<Pty> {
  const { Tty } = await bringShell(self);
  const size: { columns: number; rows: number } = { ...UNSIZED };
  const tty = new Tty(self.clock, size, show);
  tty.onInterrupt = () => {
    tty.print('\n');
    group()?.signalGroup('INT');
  };
  tty.onQuit = () => {
    tty.print('\n');
    group()?.signalGroup('QUIT');
  };
  return {
    terminal: tty,
    stdin: tty,
    print: tty.print,
    keys: (text) => (text === undefined ? tty.close() : tty.keys(text)),
    resize: ({ columns, rows }) => {
      if (columns === size.columns && rows === size.rows) return;
      size.columns = columns;
      size.rows = rows;
      group()?.signalGroup('WINCH');
    },
  };
}

/** What runc says of a command that the container does not have; `id` is the exec's. */
export const execFailure = (id: string, name: string): RuntimeError =>
  new RuntimeError(
    `failed to exec in container: failed to start exec "${id}": OCI runtime exec failed: exec failed: unable to start container process: ${notFoundText(name)}: unknown`,
    'NotFound',
  );

/** Runs a program beside the container's own; resolves with its exit code. */
export async function execIn(self: Process, task: Task, start: Omit<ProgramStart, 'stdin' | 'stdout' | 'stderr' | 'terminal'>, io: ExecIo): Promise<number> {
  if (!io.tty) {
    const input = createInput(self);
    io.stdin?.((text) => input.put(text));
    return task.exec({ ...start, stdin: io.stdin ? input.input : emptyInput, stdout: (text) => io.stdout(text), stderr: (text) => io.stderr(text) }).exit;
  }
  let running: ReturnType<Task['exec']> | undefined;
  const pty = await openPty(
    self,
    (text) => io.stdout(text),
    () => running,
  );
  io.resize?.((size) => pty.resize(size));
  io.stdin?.((text) => pty.keys(text));
  const { terminal, print } = pty;
  const env = { TERM: 'xterm', ...start.env };
  running = task.exec({ ...start, env, stdin: io.stdin ? pty.stdin : emptyInput, stdout: print, stderr: print, terminal });
  return running.exit;
}

/** What a container's first process has open for those who attach. */
export interface Attachable {
  readonly log: Pick<ContainerLog, 'watch'>;
  readonly pty: Pty | undefined;
  /** Undefined: made without `stdin: true`. */
  readonly input: { put(text: string | undefined): void } | undefined;
}

/** Joins a session to a container's first process; returns the function that leaves it. */
export function attachTo({ log, pty, input }: Attachable, stdinOnce: boolean, io: ExecIo): () => void {
  io.resize?.((size) => pty?.resize(size));
  io.stdin?.((text) => {
    // The session's end is the program's end of input only once, and only if asked for.
    if (!input || (text === undefined && !stdinOnce)) return;
    if (pty) pty.keys(text);
    else input.put(text);
  });
  return log.watch((stream, text) => (stream === 'stdout' || io.tty ? io.stdout(text) : io.stderr(text)));
}

/** A connection to `localhost` inside a pod's network. Rejects with what containerd says of a port nobody listens on. */
export async function connectInside(sockets: Sockets, sandbox: string, netns: string | undefined, port: number): Promise<Connection> {
  try {
    return await sockets.connect('127.0.0.1', port);
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    const where = netns === undefined ? 'host' : `"/var/run/netns/${netns}"`;
    const inside = netns === undefined ? "in the host's network namespace" : `inside namespace "${sandbox}"`;
    throw new Error(
      `error forwarding port ${port} to pod ${sandbox}, uid : failed to execute portforward in network namespace ${where}: failed to connect to localhost:${port} ${inside}, IPv4: dial tcp4 127.0.0.1:${port}: ${error.message.replace(/^dial tcp \S+: /, '')} IPv6 dial tcp6: address localhost: no suitable address found `,
    );
  }
}
