/**
 * The last two points of every node and container, and what was used between them (metrics-server `pkg/storage`).
 * Pure: instants and numbers come from the scraped text, which bears the kubelet's own times.
 */

/** Milliseconds since 1970, as the samples' timestamps. */
export type Millis = number;

export interface Point {
  readonly at: Millis;
  /** Nanoseconds of a core since `started`. */
  readonly cpuNanos: number;
  readonly memoryBytes: number;
  /** When the container began; of a node: when the world did. */
  readonly started: Millis;
}
export interface Batch {
  readonly nodes: ReadonlyMap<string, Point>;
  /** `namespace/name` → container → point. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Point>>;
}
/** What was used in a window that ended at `at`. */
export interface Usage {
  readonly at: Millis;
  readonly window: Millis;
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
}

/** A container younger than this gives no figure worth having. */
const YOUNGEST: Millis = 10_000;

export class Storage {
  private last: Batch = { nodes: new Map(), pods: new Map() };
  private prev: Batch = { nodes: new Map(), pods: new Map() };

  constructor(private readonly resolution: Millis) {}

  /** Is there anything to serve? */
  get ready(): boolean {
    return this.prev.nodes.size > 0 || this.prev.pods.size > 0;
  }

  store(batch: Batch): void {
    const nodes = new Map<string, Point>();
    for (const [name, point] of batch.nodes) {
      const before = this.earlier(point, this.last.nodes.get(name), this.prev.nodes.get(name));
      if (before) nodes.set(name, before);
    }
    const pods = new Map<string, Map<string, Point>>();
    for (const [pod, containers] of batch.pods) {
      const points = new Map<string, Point>();
      for (const [name, point] of containers) {
        const age = point.at - point.started;
        const last = this.last.pods.get(pod)?.get(name);
        // A fresh container is measured from its beginning.
        const before =
          age >= YOUNGEST && age < this.resolution
            ? { ...point, at: point.started, cpuNanos: 0 }
            : last && point.started < last.at
              ? this.earlier(point, last, this.prev.pods.get(pod)?.get(name))
              : undefined;
        if (before) points.set(name, before);
      }
      if (points.size > 0) pods.set(pod, points);
    }
    this.last = batch;
    this.prev = { nodes, pods };
  }

  /** The point a newer one is compared with. */
  private earlier(point: Point, last: Point | undefined, prev: Point | undefined): Point | undefined {
    if (!last) return undefined;
    if (point.at > last.at) return last;
    return prev && prev.at < point.at ? prev : undefined;
  }

  node(name: string): Usage | undefined {
    return usage(this.last.nodes.get(name), this.prev.nodes.get(name));
  }

  /** Container by container, with the earliest time among them; undefined unless all of them are known twice. */
  pod(key: string): { readonly at: Millis; readonly window: Millis; readonly containers: ReadonlyMap<string, Usage> } | undefined {
    const last = this.last.pods.get(key);
    const prev = this.prev.pods.get(key);
    if (!last || !prev) return undefined;
    const containers = new Map<string, Usage>();
    let earliest: Usage | undefined;
    for (const [name, point] of last) {
      const before = prev.get(name);
      if (!before) return undefined;
      const used = usage(point, before);
      if (!used) continue;
      containers.set(name, used);
      if (!earliest || used.at < earliest.at) earliest = used;
    }
    return earliest && { at: earliest.at, window: earliest.window, containers };
  }
}

function usage(last: Point | undefined, prev: Point | undefined): Usage | undefined {
  if (!last || !prev || last.cpuNanos < prev.cpuNanos) return undefined;
  const window = last.at - prev.at;
  if (window <= 0) return undefined;
  return { at: last.at, window, cpuNanoCores: Math.floor(((last.cpuNanos - prev.cpuNanos) * 1_000) / window), memoryBytes: last.memoryBytes };
}

const LINE = /^(\w+)(?:\{([^}]*)\})? (\S+)(?: (\d+))?$/;
const nanosOf = (seconds: string): number => Math.round(Number(seconds) * 1_000_000_000);

/** What a kubelet's `/metrics/resource` says. Containers without all three figures are left out, as metrics-server does. */
export function parseResourceMetrics(node: string, text: string): Batch {
  const nodes = new Map<string, Point>();
  const found = new Map<string, Map<string, { at?: Millis; cpu?: number; memory?: number; started?: Millis }>>();
  let nodeCpu: { readonly at: Millis; readonly nanos: number } | undefined;
  let nodeMemory: number | undefined;
  for (const line of text.split('\n')) {
    const m = LINE.exec(line);
    if (!m) continue;
    const [, name = '', labels = '', value = '', time] = m;
    if (name === 'node_cpu_usage_seconds_total') nodeCpu = { at: Number(time), nanos: nanosOf(value) };
    else if (name === 'node_memory_working_set_bytes') nodeMemory = Number(value);
    else if (name.startsWith('container_')) {
      const of = (label: string): string => new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1] ?? '';
      const key = `${of('namespace')}/${of('pod')}`;
      let containers = found.get(key);
      if (!containers) {
        containers = new Map();
        found.set(key, containers);
      }
      const container = of('container');
      const entry = containers.get(container) ?? {};
      if (name === 'container_cpu_usage_seconds_total') Object.assign(entry, { at: Number(time), cpu: nanosOf(value) });
      else if (name === 'container_memory_working_set_bytes') entry.memory = Number(value);
      else if (name === 'container_start_time_seconds') entry.started = Math.floor(Number(value) * 1_000);
      containers.set(container, entry);
    }
  }
  if (nodeCpu && nodeMemory !== undefined) nodes.set(node, { at: nodeCpu.at, cpuNanos: nodeCpu.nanos, memoryBytes: nodeMemory, started: 0 });
  const pods = new Map<string, Map<string, Point>>();
  for (const [key, containers] of found) {
    const points = new Map<string, Point>();
    for (const [name, { at, cpu, memory, started }] of containers)
      if (at !== undefined && cpu !== undefined && memory !== undefined) points.set(name, { at, cpuNanos: cpu, memoryBytes: memory, started: started ?? 0 });
    if (points.size === containers.size) pods.set(key, points);
  }
  return { nodes, pods };
}
