/**
 * exec, attach and port-forward on the kubelet's side (cri-streaming `pkg/streaming`): the channels of an
 * upgraded connection joined with the streams the runtime gives.
 */

import type { Connection } from '../../linux/sockets.ts';
import { type Cancel, seconds } from '../../sim/clock.ts';
import type { ApiRequest, ApiResponse, Frame, Status } from '../api/request.ts';
import { Pipe } from '../api/stream.ts';
import type { ContainerStatus, ExecIo, SandboxId, TerminalSize } from './cri.ts';
import type { KubeletNode } from './node.ts';

const many = (value: string | readonly string[] | undefined): readonly string[] => (value === undefined ? [] : typeof value === 'string' ? [value] : value);
const yes = (value: string | readonly string[] | undefined): boolean => ['true', '1'].includes(many(value)[0] ?? '');

/** Runs a command in a container; its exit code goes onto the error channel. */
export function exec(node: KubeletNode, status: ContainerStatus, request: ApiRequest): ApiResponse {
  const command = many(request.query['command']);
  return upgraded(request, yes(request.query['tty']), (io, finish) => {
    node.runtime.exec(status.id, command, io).then(
      (code) => finish(code === 0 ? SUCCESS : nonZero(code)),
      (error: Error) => finish(internal(`error executing command in container: ${error.message}`)),
    );
  });
}

/** Joins a running container. Whether there is a terminal was decided when it was made, not now. */
export function attach(node: KubeletNode, status: ContainerStatus, request: ApiRequest): ApiResponse {
  return upgraded(request, status.config.tty === true, (io, finish) => {
    node.runtime.attach(status.id, io).then(
      () => finish(SUCCESS),
      (error: Error) => finish(internal(`error attaching to container: ${error.message}`)),
    );
  });
}

const SUCCESS: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 200 };
/** How an exit code travels on the error channel (`remotecommand/exec.go`). */
const nonZero = (code: number): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: `command terminated with non-zero exit code: exit status ${code}`,
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  code: 500,
});
const internal = (message: string): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: `Internal error occurred: ${message}`,
  reason: 'InternalError',
  code: 500,
});

/** Joins a process's streams to the channels of the connection. */
function upgraded(request: ApiRequest, tty: boolean, begin: (io: ExecIo, finish: (status: Status) => void) => void): ApiResponse {
  const out = new Pipe<Frame>();
  const wants = (name: string): boolean => yes(request.query[name]);
  const input = new Late<string | undefined>();
  const sizes = new Late<TerminalSize>();
  request.upgrade?.read({
    value: ({ channel, data }) => {
      if (channel === 0) input.put(data);
      else if (channel === 4) sizes.put(...sizeOf(data));
      else if (channel === 255 && data === '0') input.put(undefined);
    },
    // The client has gone. What it started runs on, as upstream, unless it reads its input to the end.
    end: () => {
      input.put(undefined);
      out.close();
    },
  });
  const io: ExecIo = {
    stdout: (data) => wants('stdout') && out.write({ channel: 1, data }),
    stderr: (data) => wants('stderr') && out.write({ channel: 2, data }),
    tty,
    ...(wants('stdin') && { stdin: (take) => input.to(take) }),
    ...(tty && { resize: (take) => sizes.to(take) }),
  };
  out.onCancel(() => input.put(undefined));
  begin(io, (status) => {
    out.write({ channel: 3, data: JSON.stringify(status) });
    out.close();
  });
  return { status: 101, headers: { 'sec-websocket-protocol': 'v5.channel.k8s.io' }, stream: out };
}

/** What comes before anybody listens is kept. */
class Late<T> {
  private taker: ((value: T) => void) | undefined;
  private early: T[] = [];
  put(...values: readonly T[]): void {
    if (this.taker) for (const value of values) this.taker(value);
    else this.early.push(...values);
  }
  to(taker: (value: T) => void): void {
    this.taker = taker;
    for (const value of this.early.splice(0)) taker(value);
  }
}

/** `{"Width":80,"Height":24}`; nothing when it is none. */
function sizeOf(data: string): readonly TerminalSize[] {
  try {
    const { Width, Height } = JSON.parse(data) as { readonly Width?: unknown; readonly Height?: unknown };
    return typeof Width === 'number' && typeof Height === 'number' && Width > 0 && Height > 0 ? [{ columns: Width, rows: Height }] : [];
  } catch {
    return [];
  }
}

/** When one side has no more to say, the other gets this long. */
const GRACE = seconds(1);

/** Any number of connections into a pod over one upgraded connection. */
export function portForward(node: KubeletNode, sandbox: SandboxId, request: ApiRequest): ApiResponse {
  const out = new Pipe<Frame>();
  const open = new Map<number, Forward>();
  const end = (): void => {
    for (const forward of [...open.values()]) forward.close();
    out.close();
  };
  request.upgrade?.read({
    value: ({ stream = 0, channel, data }) => {
      if (channel === 4)
        open.set(
          stream,
          new Forward(
            node,
            sandbox,
            Number(data),
            (frame) => out.write({ ...frame, stream }),
            () => open.delete(stream),
          ),
        );
      else if (channel === 0) open.get(stream)?.send(data);
      else if (channel === 255 && data === '0') open.get(stream)?.finish();
      else if (channel === 255) open.get(stream)?.close();
    },
    end,
  });
  out.onCancel(end);
  return { status: 101, headers: { 'sec-websocket-protocol': 'portforward.k8s.io' }, stream: out };
}

/** One connection into a pod; what comes before it is made waits. */
class Forward {
  private connection: Connection | undefined;
  private early: string[] = [];
  private closed = false;
  private finished = false;
  private timer: Cancel = () => {};

  constructor(
    private readonly node: KubeletNode,
    sandbox: SandboxId,
    port: number,
    private readonly tell: (frame: Frame) => void,
    private readonly onClose: () => void,
  ) {
    node.runtime.portForward(sandbox, port).then(
      (connection) => this.carry(connection),
      (error: Error) => this.fail(error.message),
    );
  }

  send(data: string): void {
    if (this.connection) this.connection.send(data);
    else this.early.push(data);
  }

  /** The client has no more to send. */
  finish(): void {
    this.finished = true;
    if (this.connection) this.timer = this.node.self.clock.after(GRACE, () => this.close());
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.timer();
    this.connection?.close();
    this.tell({ channel: 255, data: '1' });
    this.onClose();
  }

  private fail(message: string): void {
    if (this.closed) return;
    this.tell({ channel: 3, data: message });
    this.close();
  }

  private async carry(connection: Connection): Promise<void> {
    if (this.closed) return connection.close();
    this.connection = connection;
    for (const data of this.early.splice(0)) connection.send(data);
    if (this.finished) this.finish();
    try {
      for (let data = await connection.receive(); data !== undefined && !this.closed; data = await connection.receive()) this.tell({ channel: 1, data });
      this.close();
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }
}
