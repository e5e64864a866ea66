/**
 * `npm run bench [-- --json]`: what the world costs, as ratios to what the machine can do.
 *
 * The floors are the limit scripts of `../shared/limits`, run in the same command; without them the
 * figures stand alone. CPU is a whole process's (user + system: compiler and garbage collector on their
 * own threads count). Worlds are run one to a process, cold, as a page runs them; medians of several.
 * The limit scripts count their main thread alone, so what is bounded is given that way too.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isReady } from '../src/cluster/testing.ts';
import { Headless } from '../src/hosts/node.ts';
import type { DeepReadonly } from '../src/kubernetes/api/json.ts';
import type { ApiRequest } from '../src/kubernetes/api/request.ts';
import type { Pod } from '../src/kubernetes/api/types.gen.ts';
import { commitProposals, idle } from '../src/kubernetes/etcd/raft/bench.ts';
import { largeCluster, placeMany, podEventsOn } from '../src/kubernetes/scheduler/bench.ts';
import { address } from '../src/linux/address.ts';
import { output } from '../src/linux/forward.ts';
import { segment } from '../src/linux/packet.ts';
import { seconds } from '../src/sim/clock.ts';
import { clusterWrites, storeWrites } from './etcd-cost.ts';
import { watchCost } from './watch-cost.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '5' },
    /** One world in this process, its figures as JSON: what the command starts for every run. */
    world: { type: 'string' },
    /** Raft's core in this process with so many proposals to a batch: how many a second of the main thread it commits. */
    raft: { type: 'string' },
  },
});
// The script runs bundled, from the project's folder.
const limits = join(process.cwd(), '..', 'shared', 'limits');

interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: string;
  readonly ratio?: number;
  readonly budget?: number;
}
const results: Result[] = [];
const report = (result: Result): void => {
  results.push(result);
  if (values.json) console.log(JSON.stringify(result));
  else
    console.log(
      `${result.name.padEnd(56)} ${result.value.toFixed(1).padStart(10)} ${result.unit}${result.ratio === undefined ? '' : `   ${result.ratio.toFixed(result.ratio < 1 ? 2 : 1)}x ${result.limit}`}${result.budget === undefined ? '' : ` (budget ${result.budget})`}`,
    );
};

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

/** CPU milliseconds of the bare skeleton with the same nodes and pods, in a process of its own as ours is. */
function roofline(nodes: number, pods: number): number | undefined {
  if (!existsSync(join(limits, 'roofline.mjs'))) return undefined;
  const runs = Array.from(
    { length: 5 },
    () =>
      JSON.parse(
        execFileSync(process.execPath, [join(limits, 'roofline.mjs'), String(nodes), String(pods)], { encoding: 'utf8' })
          .trim()
          .split('\n')
          .at(-1)!,
      ) as { create_cpu_ms: number },
  );
  return median(runs.map((run) => run.create_cpu_ms));
}

/** On-CPU milliseconds of this process's main thread, as the limit scripts count them; undefined where the system does not tell. */
function threadMs(): number | undefined {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

interface WorldFigures {
  readonly boot: number;
  readonly bootThread: number | undefined;
  readonly bootVirtual: number;
  readonly hour: number;
  readonly hourThread: number | undefined;
  readonly events: number;
  /** Microseconds each. */
  readonly podStatus: Cost;
  readonly lease: Cost;
  /** Nanoseconds, and how many hops it was. */
  readonly walk: number;
  readonly hops: number;
}

interface Cost {
  /** Of the whole process, the median batch. */
  readonly cpu: number;
  /** Of the main thread, the mean: the system counts it in ticks longer than a batch. */
  readonly thread: number | undefined;
}

/** A cluster from nothing to 30 Ready pods, an idle hour of it, and then single operations of it, now warm. */
async function measure(seed: number): Promise<WorldFigures> {
  const before = cpuMs();
  const threadBefore = threadMs();
  const headless = Headless.start('three-nodes', seed);
  const { world } = headless;
  await headless.untilReady();
  const { exitCode, stderr } = await headless.run('kubectl create deployment web --image=nginx --replicas=30');
  if (exitCode !== 0) throw new Error(stderr);
  const ready = (): boolean => {
    const pods = world.cluster.mirror.list('pods').filter(({ metadata }) => metadata.namespace === 'default');
    return pods.length === 30 && pods.every((pod) => isReady(pod as DeepReadonly<Pod>));
  };
  while (!ready()) await world.run(world.now + seconds(1));
  const boot = cpuMs() - before;
  const thread = threadMs();
  const bootVirtual = world.now;
  await world.run(world.now + seconds(60));
  const idleFrom = cpuMs();
  const idleThreadFrom = threadMs();
  const eventsFrom = world.loop.events;
  await world.run(world.now + seconds(3600));
  const hour = cpuMs() - idleFrom;
  const idleThread = threadMs();
  const events = world.loop.events - eventsFrom;
  const { podStatus, lease } = await writes(headless);
  return {
    boot,
    bootThread: thread === undefined || threadBefore === undefined ? undefined : thread - threadBefore,
    bootVirtual,
    hour,
    hourThread: idleThread === undefined || idleThreadFrom === undefined ? undefined : idleThread - idleThreadFrom,
    events,
    podStatus,
    lease,
    ...walks(headless),
  };
}

/**
 * A write through the whole chain, sent as the cluster's own components send it (a value, not text), one
 * after the other: authentication, RBAC, admission, three etcd members, the watches. The cluster's own
 * idle work meanwhile is in it.
 */
async function writes({ world }: Headless): Promise<{ podStatus: Cost; lease: Cost }> {
  const batches = 100;
  const perBatch = 20;
  /** Of what was last written: whoever writes again says what he knows. */
  let resourceVersion = '';
  const timed = async (make: (n: number) => ApiRequest): Promise<Cost> => {
    const costs: number[] = [];
    const began = threadMs();
    for (let batch = 0; batch < batches; batch++) {
      const from = cpuMs();
      let left = perBatch;
      const next = (): void => {
        if (left-- === 0) {
          world.loop.stop();
          return;
        }
        world.cluster.admin(make(batch * perBatch + left)).then((response) => {
          if (response.status !== 200) throw new Error(JSON.stringify(response.body));
          resourceVersion = (response.body as unknown as Pod).metadata?.resourceVersion ?? '';
          next();
        });
      };
      await world.loop.input(next);
      while (left >= 0) await world.run(world.now + seconds(60));
      costs.push(((cpuMs() - from) * 1000) / perBatch);
    }
    const ended = threadMs();
    return { cpu: median(costs), thread: began === undefined || ended === undefined ? undefined : ((ended - began) * 1000) / (batches * perBatch) };
  };
  const typed = { query: {}, headers: { 'content-type': 'application/strategic-merge-patch+json' }, typed: true } as const;
  const pod = world.cluster.mirror.list('pods').find(({ metadata }) => metadata.namespace === 'default')!;
  const podStatus = await timed((n) => ({
    ...typed,
    method: 'PATCH',
    path: `/api/v1/namespaces/default/pods/${pod.metadata.name}/status`,
    body: { status: { conditions: [{ type: 'orrery.dev/bench', status: n % 2 === 0 ? 'True' : 'False', message: `number ${n}` }] } },
  }));
  // A lease of our own, so that no kubelet renews it in between.
  const collection = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
  const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'bench', namespace: 'kube-node-lease' } };
  const json = { 'content-type': 'application/json' };
  await world.loop.input(() => void world.cluster.admin({ ...typed, method: 'POST', path: collection, headers: json, body: object }));
  await world.run(world.now + seconds(1));
  resourceVersion = world.cluster.mirror.get('leases', 'kube-node-lease/bench')!.metadata.resourceVersion ?? '';
  const lease = await timed((n) => {
    const renewTime = `2026-01-05T12:00:00.${String(n).padStart(6, '0')}Z`;
    const body = {
      ...object,
      metadata: { ...object.metadata, resourceVersion },
      spec: { holderIdentity: 'bench', leaseDurationSeconds: 40, renewTime },
    };
    return { ...typed, method: 'PUT', path: `${collection}/bench`, headers: json, body };
  });
  return { podStatus, lease };
}

/** A pod's packet to a Service: through its cable and bridge, netfilter with its DNAT, and out. Asked, not sent: nothing of the world changes. */
function walks({ world }: Headless): { walk: number; hops: number } {
  const pod = world.cluster.mirror.list('pods').find(({ metadata }) => metadata.namespace === 'default')! as unknown as {
    spec: { nodeName: string };
    status: { podIP: string };
  };
  const { kernel } = world.cluster.node(pod.spec.nodeName)!;
  const source = address(pod.status.podIP);
  const netns = kernel.netnsNames.map((name) => kernel.netns(name)!).find((space) => space.name !== 'root' && space.isLocal(source))!;
  const ends = { protocol: 'tcp', source, sourcePort: 40_000, destination: address('10.96.0.1'), destinationPort: 443 } as const;
  const packet = segment(ends, 2, 0, 0, '', 0);
  const at = { now: world.now, draw: () => 7, commit: false };
  const hops = output(netns, packet, at).hops.length;
  const costs: number[] = [];
  for (let batch = 0; batch < 100; batch++) {
    const from = process.hrtime.bigint();
    for (let i = 0; i < 1_000; i++) output(netns, packet, at);
    costs.push(Number(process.hrtime.bigint() - from) / 1_000);
  }
  return { walk: median(costs), hops };
}

/** CPU microseconds a write costs a real etcd of three members, each kept in memory; undefined where it is not installed. */
function realEtcd(): number | undefined {
  const script = join(limits, 'etcd_peer.mjs');
  if (!existsSync(script)) return undefined;
  try {
    execFileSync('etcd', ['--version'], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const text = execFileSync(process.execPath, [script, '3'], { encoding: 'utf8' });
  return (JSON.parse(text.trim().split('\n').at(-1)!) as { etcd_cpu_us_per_write: number }).etcd_cpu_us_per_write;
}

/** Operations per second of one line of a limit script's table. */
function limit(script: string, line: string): number | undefined {
  if (!existsSync(join(limits, `${script}.mjs`))) return undefined;
  const code = `const { run } = await import(${JSON.stringify(join(limits, `${script}.mjs`))}); const log = console.log; console.log = () => {}; const out = await run({ reps: 3 }); log(JSON.stringify(out));`;
  const out = JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })) as unknown;
  const find = (value: unknown): number | undefined => {
    if (typeof value !== 'object' || value === null) return undefined;
    for (const [name, inner] of Object.entries(value)) {
      const hit = name.includes(line) ? (inner as { ops_s?: number }).ops_s : find(inner);
      if (hit !== undefined) return hit;
    }
    return undefined;
  };
  return find(out);
}

if (values.world !== undefined) {
  console.log(JSON.stringify(await measure(Number(values.world))));
  process.exit(0);
}

if (values.raft !== undefined) {
  const batch = Number(values.raft);
  const proposals = batch === 1 ? 300_000 : 1_024_000;
  const spent = (): number => threadMs() ?? cpuMs();
  // The engine takes its time to compile it well: the limit script warms up as long.
  commitProposals(3, batch, proposals);
  const perSecond = Array.from({ length: 3 }, () => {
    const from = spent();
    commitProposals(3, batch, proposals);
    return (proposals * 1_000) / (spent() - from);
  });
  console.log(median(perSecond));
  process.exit(0);
}

const worlds = Array.from({ length: Number(values.runs) }, (_, i) => {
  const text = execFileSync(process.execPath, [process.argv[1]!, '--world', String(i + 1)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(text.trim().split('\n').at(-1)!) as WorldFigures;
});
const of = (pick: (figures: WorldFigures) => number): number => median(worlds.map(pick));

const floor = roofline(3, 30);
const boot = of((w) => w.boot);
report({
  name: 'boot of three-nodes and 30 pods, all Ready: CPU',
  value: boot,
  unit: 'ms',
  ...(floor ? { limit: 'roofline.mjs 3 30', ratio: boot / floor, budget: 40 } : {}),
});
if (worlds.every((w) => w.bootThread !== undefined)) {
  const thread = of((w) => w.bootThread!);
  report({
    name: 'the same, main thread alone, as the limit counts',
    value: thread,
    unit: 'ms',
    ...(floor ? { limit: 'roofline.mjs 3 30', ratio: thread / floor, budget: 40 } : {}),
  });
}
report({ name: 'the same, virtual time', value: of((w) => w.bootVirtual) / 1_000_000, unit: 's' });
report({ name: 'one virtual hour of it, idle: CPU', value: of((w) => w.hour), unit: 'ms', budget: 2000 });
if (worlds.every((w) => w.hourThread !== undefined)) report({ name: 'the same, main thread alone', value: of((w) => w.hourThread!), unit: 'ms', budget: 2000 });
report({ name: 'events in that hour', value: of((w) => w.events), unit: 'events' });

const commits = limit('e_raft', '3 members, batch 1:');
for (const [name, pick] of [
  ['API write: pod status patch, whole chain', (w: WorldFigures) => w.podStatus],
  ['API write: lease update, whole chain', (w: WorldFigures) => w.lease],
] as const) {
  const told = (what: string, value: number): void =>
    report({
      name: `${name}: ${what}`,
      value,
      unit: 'us',
      budget: 60,
      ...(commits ? { limit: 'e_raft.mjs, 3 members, batch 1', ratio: (value * commits) / 1_000_000 } : {}),
    });
  told(
    'CPU',
    of((w) => pick(w).cpu),
  );
  if (worlds.every((w) => pick(w).thread !== undefined))
    told(
      'main thread',
      of((w) => pick(w).thread!),
    );
}
for (const [load, count, least] of [
  ['basic', 10_000, 5_000],
  ['anti-affinity', 3_000, 2_000],
  ['affinity', 5_000, 2_000],
  ['spread', 10_000, 2_000],
] as const) {
  placeMany(largeCluster(5_000), load, 1_000);
  const snapshot = largeCluster(5_000);
  placeMany(snapshot, load, 1_000);
  const spent = (): number => threadMs() ?? cpuMs();
  const from = spent();
  placeMany(snapshot, load, count, 1_000);
  report({ name: `scheduler, 5,000 nodes, ${load} (at least ${least})`, value: (count * 1_000) / (spent() - from), unit: 'pods/s' });
}
{
  const cost = (nodes: number): number => {
    const snapshot = largeCluster(nodes);
    placeMany(snapshot, 'spread', 100);
    podEventsOn(snapshot, 100_000);
    const from = performance.now();
    podEventsOn(snapshot, 100_000);
    return ((performance.now() - from) * 1_000) / 200_000;
  };
  const [few, many] = [cost(100), cost(5_000)];
  report({ name: "a pod's coming or going, scheduler with 5,000 nodes", value: many, unit: 'us', limit: 'the same with 100', ratio: many / few, budget: 1.5 });
}
{
  const [few, many] = [watchCost(50, () => performance.now()), watchCost(5_000, () => performance.now())];
  report({
    name: 'one event to 5,000 watchers, each by its node',
    value: many.us,
    unit: 'us',
    limit: 'the same with 50',
    ratio: many.us / few.us,
    budget: 1.5,
  });
}
for (const batch of [1, 64]) {
  const line = `3 members, batch ${batch}:`;
  const bareRaft = batch === 1 ? commits : limit('e_raft', line);
  // In a process of its own, as the limit script's: in this one the heap is full by now, and the engine has seen other shapes.
  const perSecond = Number(execFileSync(process.execPath, [process.argv[1]!, '--raft', String(batch)], { encoding: 'utf8' }));
  report({
    name: `Raft proposals, 3 members, batch ${batch}`,
    value: perSecond,
    unit: '/s',
    ...(bareRaft ? { limit: `e_raft.mjs, ${line.slice(0, -1)} (at least 0.25)`, ratio: perSecond / bareRaft } : {}),
  });
}
{
  const spent = (): number => threadMs() ?? cpuMs();
  const perSecond = median(storeWrites(5, spent));
  const bareStore = limit('b_mvcc', '2 + structural-sharing');
  report({
    name: 'writes to the store alone, 50,000 keys',
    value: perSecond,
    unit: '/s',
    ...(bareStore ? { limit: 'b_mvcc.mjs, row 2 (at least 0.3)', ratio: perSecond / bareStore } : {}),
  });
}
{
  const [all = 0, thread = 0] = await clusterWrites(64, 20_000, cpuMs, () => threadMs() ?? cpuMs());
  const real = realEtcd();
  report({ name: 'a put of 3.4 kB to three members, 64 at once: main thread', value: thread, unit: 'us' });
  report({
    name: 'the same: CPU',
    value: all,
    unit: 'us',
    ...(real ? { limit: `of a real etcd's ${real} us (at most 0.2)`, ratio: all / real, budget: 0.2 } : {}),
  });
}
{
  idle(3, 20_000);
  const from = cpuMs();
  idle(3, 864_000);
  report({ name: 'a virtual day of an idle Raft group of 3: CPU', value: cpuMs() - from, unit: 'ms', budget: 10_000 });
}
const walk = of((w) => w.walk);
const bare = limit('j_net', 'packet walk, 8 hops, full trace');
report({
  name: `packets walked, pod to Service, ${of((w) => w.hops)} hops`,
  value: 1_000_000_000 / walk,
  unit: '/s',
  ...(bare ? { limit: 'j_net.mjs, 8 hops with trace', ratio: (walk * bare) / 1_000_000_000 } : {}),
});
