/**
 * What a kubelet tells of resource use: `/stats/summary` (pkg/kubelet/server/stats, the Summary API) and
 * `/metrics/resource` (pkg/kubelet/metrics/collectors/resource_metrics.go), which metrics-server reads. Both are looked
 * up at the instant of the request.
 *
 * Here simplified: a machine's own daemons and kernel use the same little all the time; there are no figures of file
 * systems and networks.
 */
import { type Instant, inSeconds } from '../../sim/clock.ts';
import type { Json } from '../api/json.ts';
import { wholeValue } from '../api/quantity.ts';
import type { ApiResponse } from '../api/request.ts';
import { EPOCH_SECONDS, timestamp } from '../api/time.ts';
import type { ContainerStats } from './cri.ts';
import type { KubeletNode } from './node.ts';
import { type PodObject, viewOf } from './pod-view.ts';
import type { ServerSources } from './server.ts';
import { RESERVED_MEMORY, SYSTEM } from './system-use.ts';

export function serveStats(node: KubeletNode, sources: ServerSources, path: string): ApiResponse {
  if (path === '/stats/summary' || path === '/stats/summary/')
    return { status: 200, headers: { 'content-type': 'application/json' }, body: summary(node, sources) };
  if (path === '/metrics/resource')
    return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores' }, body: resourceMetrics(node, sources) };
  return { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' };
}

interface Measured {
  readonly name: string;
  readonly stats: ContainerStats;
}

/** The containers of a pod that run. */
const measured = (node: KubeletNode, pod: PodObject): readonly Measured[] =>
  [...viewOf(node.runtime, pod.metadata.uid ?? '').containers].flatMap(([name, list]) => {
    const running = list.find(({ state }) => state === 'running');
    const stats = running && node.runtime.stats(running.id);
    return stats ? [{ name, stats }] : [];
  });

interface Machine {
  readonly cpuNanos: number;
  readonly memoryBytes: number;
}

function machineOf(node: KubeletNode): Machine {
  const { cpuNanos, memoryBytes } = node.runtime.usage();
  return { cpuNanos: cpuNanos + SYSTEM.cpuMilli * node.self.clock.now(), memoryBytes: memoryBytes + SYSTEM.memoryBytes };
}

const cpuOf = (time: string, nanoCores: number, nanos: number) => ({ time, usageNanoCores: nanoCores, usageCoreNanoSeconds: nanos });
const memoryOf = (time: string, bytes: number, available?: number) => ({
  time,
  ...(available === undefined ? {} : { availableBytes: Math.max(0, available) }),
  usageBytes: bytes,
  workingSetBytes: bytes,
  rssBytes: bytes,
});

function summary(node: KubeletNode, sources: ServerSources): Json {
  const time = timestamp(node.self.clock.now());
  const capacity = wholeValue(node.allocatable['memory']) + RESERVED_MEMORY;
  let nanoCores = SYSTEM.cpuMilli * 1_000_000;
  const pods = sources.pods().map((pod) => {
    const limits = new Map((pod.spec?.containers ?? []).map(({ name, resources }) => [name, resources?.limits?.['memory'] as string | undefined]));
    let cores = 0;
    let nanos = 0;
    let bytes = 0;
    const containers = measured(node, pod).map(({ name, stats }) => {
      cores += stats.cpuNanoCores;
      nanos += stats.cpuNanos;
      bytes += stats.memoryBytes;
      const limit = limits.get(name);
      return {
        name,
        startTime: timestamp(stats.startedAt),
        cpu: cpuOf(time, stats.cpuNanoCores, stats.cpuNanos),
        memory: memoryOf(time, stats.memoryBytes, limit === undefined ? undefined : wholeValue(limit) - stats.memoryBytes),
      };
    });
    nanoCores += cores;
    return {
      podRef: { name: pod.metadata.name ?? '', namespace: pod.metadata.namespace ?? '', uid: pod.metadata.uid ?? '' },
      startTime: sources.status(pod.metadata.uid ?? '')?.startTime ?? pod.metadata.creationTimestamp ?? time,
      containers,
      cpu: cpuOf(time, cores, nanos),
      memory: memoryOf(time, bytes),
    };
  });
  const machine = machineOf(node);
  return {
    node: {
      nodeName: node.nodeName,
      startTime: timestamp(0),
      cpu: cpuOf(time, nanoCores, machine.cpuNanos),
      memory: memoryOf(time, machine.memoryBytes, capacity - machine.memoryBytes),
    },
    pods,
  };
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly lines: string[];
}

/** Prometheus' text format, families by name; times in milliseconds since 1970. */
function resourceMetrics(node: KubeletNode, sources: ServerSources): string {
  const at = epochMillis(node.self.clock.now());
  const family = (name: string, type: Family['type'], help: string): Family => ({ name, type, help, lines: [] });
  const containerCpu = family('container_cpu_usage_seconds_total', 'counter', '[STABLE] Cumulative cpu time consumed by the container in core-seconds');
  const containerMemory = family('container_memory_working_set_bytes', 'gauge', '[STABLE] Current working set of the container in bytes');
  const started = family('container_start_time_seconds', 'gauge', '[STABLE] Start time of the container since unix epoch in seconds');
  const nodeCpu = family('node_cpu_usage_seconds_total', 'counter', '[STABLE] Cumulative cpu time consumed by the node in core-seconds');
  const nodeMemory = family('node_memory_working_set_bytes', 'gauge', '[STABLE] Current working set of the node in bytes');
  const podCpu = family('pod_cpu_usage_seconds_total', 'counter', '[STABLE] Cumulative cpu time consumed by the pod in core-seconds');
  const podMemory = family('pod_memory_working_set_bytes', 'gauge', '[STABLE] Current working set of the pod in bytes');
  const scrape = family('resource_scrape_error', 'gauge', '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise');
  const add = ({ name, lines }: Family, labels: string, value: number, time = at): void =>
    void lines.push(`${name}${labels} ${goFloat(value)}${time < 0 ? '' : ` ${time}`}`);
  for (const pod of sources.pods()) {
    const where = `namespace="${pod.metadata.namespace}",pod="${pod.metadata.name}"`;
    let nanos = 0;
    let bytes = 0;
    const containers = measured(node, pod);
    for (const { name, stats } of containers) {
      nanos += stats.cpuNanos;
      bytes += stats.memoryBytes;
      const labels = `{container="${name}",${where}}`;
      add(containerCpu, labels, stats.cpuNanos / 1_000_000_000);
      add(containerMemory, labels, stats.memoryBytes);
      add(started, labels, EPOCH_SECONDS + inSeconds(stats.startedAt), -1);
    }
    if (containers.length === 0) continue;
    add(podCpu, `{${where}}`, nanos / 1_000_000_000);
    add(podMemory, `{${where}}`, bytes);
  }
  const machine = machineOf(node);
  add(nodeCpu, '', machine.cpuNanos / 1_000_000_000);
  add(nodeMemory, '', machine.memoryBytes);
  add(scrape, '', 0, -1);
  return [containerCpu, containerMemory, started, nodeCpu, nodeMemory, podCpu, podMemory, scrape]
    .filter(({ lines }) => lines.length > 0)
    .map(({ name, help, type, lines }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`)
    .join('');
}

const epochMillis = (now: Instant): number => EPOCH_SECONDS * 1_000 + Math.floor(now / 1_000);

/** A number as Go's strconv writes it with format `g` and the shortest precision: exponents from a million on. */
export function goFloat(value: number): string {
  if (value === 0) return '0';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
