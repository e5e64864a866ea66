/** An upgraded connection to a container, joined with a person's streams: what exec, attach, cp, run -i and debug -i have in common (client-go `tools/remotecommand`). */
import type { Input } from '../../../linux/program.ts';
import { ApiError, type ApiResponse, type Frame, type FramePipe, type Status } from '../../api/request.ts';
import { Pipe, type Stream } from '../../api/stream.ts';
import { ExitWith, KubectlError, usageError } from '../errors.ts';
import { type FlagSpec, type FlagSpecs, text } from '../flags.ts';
import { isObject, readStream, type Session } from '../session.ts';
import type { PodObject } from './pods.ts';

/** What a terminal may let a program do; the shell's terminals can. */
export interface RawTerminal {
  readonly columns: number;
  readonly rows: number;
  setRaw?(raw: boolean): void;
}

export const RUNNING_TIMEOUT: FlagSpecs = { 'pod-running-timeout': { type: 'duration', default: '1m0s' } };
export const CONTAINER: FlagSpec = text('c');

/** Microseconds. */
export function runningTimeout(session: Session): number {
  const timeout = session.flags.duration('pod-running-timeout');
  if (timeout <= 0) throw usageError(session.command, '--pod-running-timeout must be higher than zero');
  return timeout;
}

/** Whether a person is at a terminal that can be made raw; says so if one was asked for in vain (`StreamOptions.SetupTTY`). */
export function rawTerminal(session: Session, stdin: boolean, tty: boolean, quiet: boolean): RawTerminal | undefined {
  if (!stdin || !tty) return undefined;
  const terminal = session.self.terminal as RawTerminal | undefined;
  if (!terminal && !quiet) session.err('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  return terminal;
}

export interface Remote {
  readonly pod: PodObject;
  readonly subresource: 'exec' | 'attach';
  readonly container: string;
  readonly command?: readonly string[];
  readonly stdin: Input | undefined;
  /** Keys go as they come, and the window's size with them. */
  readonly terminal: RawTerminal | undefined;
  out(text: string): void;
  err(text: string): void;
}

/** Runs until the remote side ends. Throws ExitWith for a command's own failure, KubectlError and ApiError for everybody else's. */
export async function stream(session: Session, remote: Remote): Promise<void> {
  const { self } = session;
  const { pod, subresource, stdin, terminal } = remote;
  const input: FramePipe = new Pipe<Frame>();
  const query: Record<string, string | readonly string[]> = { container: remote.container, stdout: 'true' };
  if (remote.command) query['command'] = remote.command;
  if (stdin) query['stdin'] = 'true';
  if (terminal) query['tty'] = 'true';
  else query['stderr'] = 'true';
  const response = await session.send('GET', `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/${subresource}`, {
    query,
    upgrade: input,
  });
  const output = readStream(upgradedStream(response), self);
  self.process.onExit(() => input.close());
  if (terminal) {
    terminal.setRaw?.(true);
    const tell = (): void => input.write({ channel: 4, data: JSON.stringify({ Width: terminal.columns, Height: terminal.rows }) });
    tell();
    self.onSignal((signal) => {
      if (signal === 'WINCH') tell();
    });
  }
  if (stdin) {
    (async () => {
      for (let piece = await stdin.read(); piece !== undefined; piece = await stdin.read()) {
        self.process.clock.wake();
        input.write({ channel: 0, data: piece });
      }
      input.write({ channel: 255, data: '0' });
    })();
  }
  try {
    for (let frame = await output.next(); frame !== undefined; frame = await output.next()) {
      if (frame.channel === 1) remote.out(frame.data);
      else if (frame.channel === 2) remote.err(frame.data);
      else if (frame.channel === 3) {
        finish(session, JSON.parse(frame.data) as Status);
        return;
      }
    }
  } finally {
    terminal?.setRaw?.(false);
    input.close();
  }
}

/** The frames of a connection that was upgraded; throws in kubectl's words when it was not. */
export function upgradedStream({ status, body, stream: frames }: ApiResponse): Stream<Frame> {
  if (status < 400 && frames) return frames as Stream<Frame>;
  if (isObject(body) && body['kind'] === 'Status') {
    const refusal = body as unknown as Status;
    if (refusal.code === 500) throw new KubectlError(internalText(refusal.message));
    throw new ApiError(refusal);
  }
  throw new KubectlError(`unable to upgrade connection: ${typeof body === 'string' ? body : `HTTP ${status}`}`);
}

const internalText = (message = ''): string => `Internal error occurred: ${message.replace(/^Internal error occurred: /, '')}`;

/** What the error channel says at the end. */
function finish(session: Session, status: Status): void {
  if (status.status === 'Success') return;
  const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
  if (status.reason === 'NonZeroExitCode' && code !== undefined) {
    session.err(`command terminated with exit code ${code}\n`);
    throw new ExitWith(Number(code));
  }
  throw new KubectlError(status.reason === 'InternalError' || !status.reason ? internalText(status.message) : (status.message ?? ''));
}
