/**
 * The kubelet's own API on port 10250 (`server/server.go`), which the API server calls for logs, exec and
 * attach: an ApiHandler like any other.
 */

import { seconds } from '../../sim/clock.ts';
import type { DeepReadonly, Json } from '../api/json.ts';
import { type ApiHandler, type ApiRequest, type ApiResponse, type Frame, type Status, TransportError } from '../api/request.ts';
import { Pipe } from '../api/stream.ts';
import { instantOf, microTimestamp } from '../api/time.ts';
import type { PodStatus } from '../api/types.gen.ts';
import type { ContainerStatus, ExecIo, LogLine } from './cri.ts';
import type { KubeletNode } from './node.ts';
import { type PodObject, viewOf } from './pod-view.ts';

export interface ServerSources {
  /** Every pod of this node, by namespace and name. */
  pod(namespace: string, name: string): PodObject | undefined;
  pods(): readonly PodObject[];
  status(uid: string): DeepReadonly<PodStatus> | undefined;
}

const text = (status: number, body: string): ApiResponse => ({ status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body });
const one = (value: string | readonly string[] | undefined): string | undefined => (typeof value === 'string' ? value : value?.[0]);
const many = (value: string | readonly string[] | undefined): readonly string[] => (value === undefined ? [] : typeof value === 'string' ? [value] : value);
const yes = (value: string | readonly string[] | undefined): boolean => one(value) === 'true' || one(value) === '1';

export function createServer(node: KubeletNode, sources: ServerSources): ApiHandler {
  return async (request) => {
    if (!node.self.alive) throw new TransportError(`dial tcp ${node.hostIP}:10250: connect: connection refused`);
    const [, verb, namespace = '', name = '', container = ''] = request.path.split('/');
    switch (verb) {
      case 'healthz':
        return text(200, 'ok');
      case 'pods':
        return { status: 200, headers: { 'content-type': 'application/json' }, body: podList(sources) };
      case 'stats':
        return { status: 200, headers: { 'content-type': 'application/json' }, body: statsSummary(node, sources) };
      case 'containerLogs':
      case 'exec':
      case 'attach': {
        const pod = sources.pod(namespace, name);
        if (!pod) return text(404, `pod "${name}" not found`);
        if (verb === 'containerLogs') return logs(node, sources, pod, container, request);
        const status = viewOf(node.runtime, pod.metadata.uid ?? '')
          .containers.get(container)
          ?.find((other) => other.state === 'running');
        if (!status) return text(404, `container not found ("${container}")`);
        return verb === 'exec' ? exec(node, status, request) : attach(node, status, request);
      }
      case 'portForward': {
        const pod = sources.pod(namespace, name);
        if (!pod) return text(404, `pod "${name}" not found`);
        return portForward(node, sources, pod, request);
      }
      default:
        return text(404, '404 page not found\n');
    }
  };
}

const podList = (sources: ServerSources): Json =>
  ({
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: {},
    items: sources.pods().map((pod) => ({ ...pod, status: sources.status(pod.metadata.uid ?? '') ?? pod.status ?? {} })),
  }) as unknown as Json;

/** `/stats/summary`, the part metrics-server reads: CPU and memory per container. */
function statsSummary(node: KubeletNode, sources: ServerSources): Json {
  const time = microTimestamp(node.self.clock.now());
  let cpu = 0;
  let memory = 0;
  const pods = sources.pods().map((pod) => {
    const containers = [...viewOf(node.runtime, pod.metadata.uid ?? '').containers].flatMap(([name, list]) => {
      const stats = list[0] && node.runtime.stats(list[0].id);
      if (!stats) return [];
      cpu += stats.cpuNanoCores;
      memory += stats.memoryBytes;
      return [{ name, cpu: { time, usageNanoCores: stats.cpuNanoCores }, memory: { time, workingSetBytes: stats.memoryBytes } }];
    });
    return { podRef: { name: pod.metadata.name ?? '', namespace: pod.metadata.namespace ?? '', uid: pod.metadata.uid ?? '' }, containers };
  });
  return { node: { nodeName: node.nodeName, cpu: { time, usageNanoCores: cpu }, memory: { time, workingSetBytes: memory } }, pods };
}

// --- Logs -------------------------------------------------------------------------------------------
function logs(node: KubeletNode, sources: ServerSources, pod: PodObject, name: string, request: ApiRequest): ApiResponse {
  const known = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].some((container) => container.name === name);
  if (!known) return text(404, `container "${name}" not found in pod "${pod.metadata.name}"`);
  const list = viewOf(node.runtime, pod.metadata.uid ?? '').containers.get(name) ?? [];
  const previous = yes(request.query['previous']);
  const status: ContainerStatus | undefined = previous
    ? list.filter((other) => other.state === 'exited')[list[0]?.state === 'exited' && !waits(sources, pod, name) ? 1 : 0]
    : list[0];
  if (!status || status.state === 'created') {
    if (previous) return text(400, `previous terminated container "${name}" in pod "${pod.metadata.name}" not found`);
    const all = sources.status(pod.metadata.uid ?? '');
    const state = [...(all?.containerStatuses ?? []), ...(all?.initContainerStatuses ?? [])].find((one) => one.name === name)?.state;
    const why = state?.waiting?.reason;
    const what = why === 'ErrImagePull' || why === 'ImagePullBackOff' ? 'trying and failing to pull image' : `waiting to start: ${why ?? 'ContainerCreating'}`;
    return text(400, `container "${name}" in pod "${pod.metadata.name}" is ${what}`);
  }
  const { now } = node.self.clock;
  const sinceSeconds = one(request.query['sinceSeconds']);
  const sinceTime = one(request.query['sinceTime']);
  const since = sinceSeconds !== undefined ? now() - seconds(Number(sinceSeconds)) : (instantOf(sinceTime) ?? Number.NEGATIVE_INFINITY);
  const timestamps = yes(request.query['timestamps']);
  const format = (line: LogLine): string => `${timestamps ? `${microTimestamp(line.at).replace('Z', '000Z')} ` : ''}${line.text}\n`;
  let lines = node.runtime.logs(status.id).filter((line) => line.at >= since);
  const tail = one(request.query['tailLines']);
  if (tail !== undefined) lines = Number(tail) === 0 ? [] : lines.slice(-Number(tail));
  const limit = one(request.query['limitBytes']);
  let left = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);

  const pipe = new Pipe<string>();
  const write = (line: LogLine): void => {
    const out = format(line).slice(0, left);
    left -= out.length;
    pipe.write(out);
    if (left <= 0) close();
  };
  const closers: (() => void)[] = [];
  const close = (): void => {
    for (const closer of closers.splice(0)) closer();
    pipe.close();
  };
  for (const line of lines) if (left > 0) write(line);
  if (!yes(request.query['follow']) || status.state === 'exited' || left <= 0) close();
  else {
    closers.push(node.runtime.followLogs(status.id, (line) => node.self.alive && write(line)));
    closers.push(
      node.runtime.onEvent((event) => {
        if (event.what === 'stopped' && event.container === status.id) close();
      }),
    );
    pipe.onCancel(() => {
      for (const closer of closers.splice(0)) closer();
    });
  }
  return { status: 200, headers: { 'content-type': 'text/plain' }, stream: pipe };
}

/** A container that waits for its restart: its newest dead one is the previous. */
const waits = (sources: ServerSources, pod: PodObject, name: string): boolean =>
  sources.status(pod.metadata.uid ?? '')?.containerStatuses?.find((status) => status.name === name)?.state?.waiting !== undefined;

// --- exec and attach ----------------------------------------------------------------------------------
function exec(node: KubeletNode, status: ContainerStatus, request: ApiRequest): ApiResponse {
  const command = many(request.query['command']);
  return upgraded(request, (io, finish) => {
    node.runtime.exec(status.id, command, io).then(
      (code) => finish(code === 0 ? SUCCESS : failure(code)),
      (error: Error) => finish(internal(`error executing command in container: ${error.message}`)),
    );
  });
}
function attach(node: KubeletNode, status: ContainerStatus, request: ApiRequest): ApiResponse {
  return upgraded(request, (io, finish) => {
    node.runtime.attach(status.id, io).then(
      () => finish(SUCCESS),
      (error: Error) => finish(internal(`error attaching to container: ${error.message}`)),
    );
  });
}

const SUCCESS: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 200 };
/** How an exit code travels on the error channel (`remotecommand/exec.go`). */
const failure = (code: number): Status => ({
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
function upgraded(request: ApiRequest, begin: (io: ExecIo, finish: (status: Status) => void) => void): ApiResponse {
  const out = new Pipe<Frame>();
  const tty = yes(request.query['tty']);
  const wantsInput = yes(request.query['stdin']);
  let reader: ((text: string | undefined) => void) | undefined;
  const early: (string | undefined)[] = [];
  const put = (input: string | undefined): void => {
    if (reader) reader(input);
    else early.push(input);
  };
  request.upgrade?.read({
    value: (frame) => {
      if (frame.channel === 0) put(frame.data);
      else if (frame.channel === 255 && frame.data === '0') put(undefined);
    },
    end: () => put(undefined),
  });
  const io: ExecIo = {
    stdout: (data) => out.write({ channel: 1, data }),
    stderr: (data) => out.write({ channel: 2, data }),
    tty,
    ...(wantsInput && {
      stdin: (take) => {
        reader = take;
        for (const input of early.splice(0)) take(input);
      },
    }),
  };
  // The client has gone: what reads its input sees the end.
  out.onCancel(() => put(undefined));
  begin(io, (status) => {
    out.write({ channel: 3, data: JSON.stringify(status) });
    out.close();
  });
  return { status: 101, headers: { 'sec-websocket-protocol': 'v5.channel.k8s.io' }, stream: out };
}

/**
 * `/portForward/{namespace}/{pod}?port=8080`. Here simplified: one connection of the pod per request, its
 * bytes on channels 0 (to the pod) and 1 (from it), what went wrong on channel 3, instead of a pair of
 * channels per port.
 */
function portForward(node: KubeletNode, sources: ServerSources, pod: PodObject, request: ApiRequest): ApiResponse {
  const port = Number(one(request.query['port']) ?? one(request.query['ports']));
  const ip = sources.status(pod.metadata.uid ?? '')?.podIP ?? '';
  const out = new Pipe<Frame>();
  const fail = (message: string): void => {
    out.write({ channel: 3, data: JSON.stringify(internal(message)) });
    out.close();
  };
  node.connect(ip, port, seconds(10)).then(
    async (connection) => {
      out.onCancel(() => connection.close());
      request.upgrade?.read({ value: (frame) => frame.channel === 0 && connection.send(frame.data), end: () => connection.close() });
      try {
        for (let data = await connection.receive(); data !== undefined; data = await connection.receive()) out.write({ channel: 1, data });
        out.close();
      } catch (error) {
        fail(error instanceof Error ? error.message : String(error));
      }
    },
    () =>
      fail(
        `error forwarding port ${port} to pod ${pod.metadata.uid}, uid : failed to execute portforward in network namespace: failed to connect to localhost:${port} inside namespace: dial tcp4 127.0.0.1:${port}: connect: connection refused`,
      ),
  );
  return { status: 101, headers: { 'sec-websocket-protocol': 'v4.channel.k8s.io' }, stream: out };
}
