/**
 * The kubelet's own API on port 10250 (`server/server.go`), which the API server calls for logs, exec and
 * attach: an ApiHandler like any other.
 */

import { seconds } from '../../sim/clock.ts';
import type { DeepReadonly, Json } from '../api/json.ts';
import { type ApiHandler, type ApiRequest, type ApiResponse, TransportError } from '../api/request.ts';
import { Pipe } from '../api/stream.ts';
import { instantOf, microTimestamp } from '../api/time.ts';
import type { PodStatus } from '../api/types.gen.ts';
import type { ContainerStatus, LogLine } from './cri.ts';
import type { KubeletNode } from './node.ts';
import { allContainers, type PodObject, readySandbox, viewOf } from './pod-view.ts';
import { attach, exec, portForward } from './streaming.ts';

export interface ServerSources {
  /** Every pod of this node, by namespace and name. */
  pod(namespace: string, name: string): PodObject | undefined;
  pods(): readonly PodObject[];
  status(uid: string): DeepReadonly<PodStatus> | undefined;
}

const text = (status: number, body: string): ApiResponse => ({ status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body });
const one = (value: string | readonly string[] | undefined): string | undefined => (typeof value === 'string' ? value : value?.[0]);
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
      case 'metrics': {
        const { serveStats } = await node.self.outside(import('./stats.ts'));
        return serveStats(node, sources, request.path);
      }
      case 'containerLogs': {
        const pod = sources.pod(namespace, name);
        return pod ? logs(node, sources, pod, container, request) : text(404, `pod "${name}" not found`);
      }
      case 'exec':
      case 'attach': {
        const pod = sources.pod(namespace, name);
        const status = pod && runningContainer(node, pod, container);
        const { stdin, stdout, stderr } = request.query;
        if (!yes(stdin) && !yes(stdout) && !yes(stderr)) return text(400, 'you must specify at least 1 of stdin, stdout, stderr');
        if (!status)
          return text(500, verb === 'exec' ? `container not found ("${container}")` : `container ${container} not found in pod ${name}_${namespace}`);
        return verb === 'exec' ? exec(node, status, request) : attach(node, status, request);
      }
      case 'portForward': {
        const pod = sources.pod(namespace, name);
        const sandbox = pod && readySandbox(viewOf(node.runtime, pod.metadata.uid ?? ''));
        return sandbox ? portForward(node, sandbox.id, request) : text(500, `pod not found ("${name}_${namespace}")`);
      }
      default:
        return text(404, '404 page not found\n');
    }
  };
}

const runningContainer = (node: KubeletNode, pod: PodObject, container: string): ContainerStatus | undefined =>
  viewOf(node.runtime, pod.metadata.uid ?? '')
    .containers.get(container)
    ?.find((other) => other.state === 'running');

const podList = (sources: ServerSources): Json =>
  ({
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: {},
    items: sources.pods().map((pod) => ({ ...pod, status: sources.status(pod.metadata.uid ?? '') ?? pod.status ?? {} })),
  }) as unknown as Json;

// --- Logs -------------------------------------------------------------------------------------------
function logs(node: KubeletNode, sources: ServerSources, pod: PodObject, name: string, request: ApiRequest): ApiResponse {
  const known = allContainers(pod).some((container) => container.name === name);
  if (!known) return text(404, `container "${name}" not found in pod "${pod.metadata.name}"`);
  const list = viewOf(node.runtime, pod.metadata.uid ?? '').containers.get(name) ?? [];
  const previous = yes(request.query['previous']);
  const status: ContainerStatus | undefined = previous
    ? list.filter((other) => other.state === 'exited')[list[0]?.state === 'exited' && !waits(sources, pod, name) ? 1 : 0]
    : list[0];
  if (!status || status.state === 'created') {
    if (previous) return text(400, `previous terminated container "${name}" in pod "${pod.metadata.name}" not found`);
    const all = sources.status(pod.metadata.uid ?? '');
    const state = [...(all?.containerStatuses ?? []), ...(all?.initContainerStatuses ?? []), ...(all?.ephemeralContainerStatuses ?? [])].find(
      (one) => one.name === name,
    )?.state;
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
