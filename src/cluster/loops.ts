/**
 * What the Loops view draws: every controller of the manager that leads, the scheduler and the kubelets, each as a
 * conveyor of keys. Read from the queues as they are and from facts; no cost, no effect, no virtual time.
 *
 * The controllers are those that the manager itself started: no list is kept here. A lens belongs to one onlooker and
 * remembers what it has told, so that a picture says only what is new. When it is opened it reads what is still
 * remembered of the past, so that it can tell of what happened before anybody looked.
 */
import {
  LOOP_ENDS,
  LOOP_KEYS,
  LOOP_RECONCILES,
  type LoopClosely,
  type LoopDelay,
  type LoopDrift,
  type LoopEnd,
  type LoopGroup,
  type LoopKey,
  type LoopLease,
  type LoopPipe,
  type LoopRecord,
  type LoopsPicture,
  type LoopWork,
} from '../hosts/protocol.ts';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import { keyOf } from '../kubernetes/api/meta.ts';
import { RESOURCES } from '../kubernetes/api/resources.ts';
import { instantOf } from '../kubernetes/api/time.ts';
import type { Lease, Pod } from '../kubernetes/api/types.gen.ts';
import { insideOf } from '../kubernetes/client/inside.ts';
import type { QueueInside } from '../kubernetes/client/workqueue.ts';
import type { RunningController } from '../kubernetes/controller-manager/controller.ts';
import { seconds } from '../sim/clock.ts';
import type { Fact, TraceId } from '../sim/trace.ts';
import type { Cluster } from './cluster.ts';
import type { ManagerCopy } from './loop-book.ts';
import { DriftTable, type Worker } from './loops-drift.ts';
import { LoopsLog, type Work } from './loops-log.ts';
import { sentence } from './why.ts';

/** Facts of the past that are read when the view is opened. */
const LOOK_BACK = 60_000;
const DRIFTS = 40;
const CAUSES = 500;
const COMPONENTS = ['kube-controller-manager', 'kube-scheduler'] as const;
const NO_DRIFT: LoopRecord['drift'] = { missing: 0, extra: 0, objects: 0 };
const UID = /^[0-9a-f]{8}-[0-9a-f]{4}-/;

export class LoopsLens {
  /** The loop that is told closely. */
  chosen: string | undefined;
  readonly log = new LoopsLog();
  private readonly told = new Map<string, string>();
  /** What was last known of a loop: it stays in its place while it runs nowhere. */
  private readonly known = new Map<string, LoopRecord>();
  private readonly causes = new Map<TraceId, string>();
  private readonly enqueued = new Map<string, TraceId>();
  private drifts = new Map<string, readonly LoopDrift[]>();
  /** Pods without a node. */
  private pending: readonly DeepReadonly<Pod>[] | undefined;
  private stale = true;
  private table: DriftTable;
  private last = '';
  private readonly stops: readonly (() => void)[];

  constructor(private readonly cluster: Cluster) {
    const { trace } = cluster.loop;
    this.table = new DriftTable(cluster.mirror);
    for (const fact of trace.since(Math.max(1, trace.newest - LOOK_BACK))) this.take(fact);
    this.stops = [
      trace.listen((fact) => this.take(fact)),
      cluster.mirror.observe((events) => {
        // Heartbeats and Events are nobody's work.
        if (events.some(({ kv: { key } }) => !key.startsWith('/registry/leases/') && !key.startsWith('/registry/events/'))) this.stale = true;
      }),
    ];
  }

  close(): void {
    for (const stop of this.stops) stop();
  }

  private take(fact: Fact): void {
    if (fact.type === 'sched.enqueue') this.enqueued.set(fact.about, fact.id);
    this.log.take(fact);
  }

  /** What is to be seen now; nothing when it is what was told last. `count`: drift is counted anew if anything was stored, which takes a while in large clusters. */
  picture(count = true): LoopsPicture | undefined {
    if (this.stale && count) {
      this.table = new DriftTable(this.cluster.mirror);
      this.drifts = new Map();
      this.pending = undefined;
      this.stale = false;
    }
    const leases = this.leases();
    const records = this.records(leases);
    const order = records.map(({ id }) => id);
    const loops = records.filter((record) => {
      const text = JSON.stringify(record);
      if (this.told.get(record.id) === text) return false;
      this.told.set(record.id, text);
      return true;
    });
    const chosen = records.find(({ id }) => id === this.chosen);
    const closely = chosen && this.closely(chosen);
    const state = JSON.stringify([leases, order, closely]);
    if (loops.length === 0 && state === this.last) return undefined;
    this.last = state;
    return { type: 'loops', now: this.cluster.loop.now, leases, order, loops, closely };
  }

  private leases(): LoopLease[] {
    const { loops, mirror } = this.cluster;
    return COMPONENTS.flatMap((component) => {
      const lease = mirror.get('leases', `kube-system/${component}`) as DeepReadonly<Lease> | undefined;
      const holder = lease?.spec?.holderIdentity ?? '';
      const copies = loops.copies.filter((copy) => copy.component === component);
      if (!lease && copies.length === 0) return [];
      const renewed = instantOf(lease?.spec?.renewTime) ?? 0;
      return [
        {
          component,
          holder,
          node: copies.find(({ identity }) => identity === holder)?.node ?? '',
          expiresAt: renewed + seconds(lease?.spec?.leaseDurationSeconds ?? 0),
          copies: copies.map(({ identity, node, process }) => ({
            identity,
            node,
            state: process.paused ? ('paused' as const) : identity === holder ? ('leads' as const) : ('waits' as const),
          })),
        },
      ];
    });
  }

  private records(leases: readonly LoopLease[]): readonly LoopRecord[] {
    const { cluster } = this;
    const lead = leases.find(({ component }) => component === 'kube-controller-manager')?.holder;
    const fresh = new Map<string, LoopRecord>();
    // A copy that stands still and lost its lease still holds its controllers: the leader's count.
    const copies = cluster.loops.copies.filter(({ controllers }) => controllers.length > 0);
    const leader = copies.find(({ identity }) => identity === lead) ?? copies[0];
    for (const controller of leader?.controllers ?? []) fresh.set(controller.name, this.controller(controller, leader!));
    for (const copy of cluster.loops.copies.filter(({ component }) => component === 'kube-scheduler').slice(0, 1))
      fresh.set('kube-scheduler', this.scheduler(copy.node, copy.process.paused));
    for (const { machine } of cluster.nodes) {
      if (machine.isRunning('kubelet')) fresh.set(`kubelet@${machine.name}`, this.kubelet(machine.name, machine.process('kubelet')?.paused ?? false));
    }
    for (const [id, record] of fresh) this.known.set(id, record);
    for (const [id, record] of this.known) if (!fresh.has(id)) this.known.set(id, stopped(record, this.driftOf(workerOf(record))));
    // By what they look after, and there as they were started: a place once taken is kept.
    return [...this.known.values()].sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
  }

  private controller({ name, kind, process }: RunningController, copy: ManagerCopy): LoopRecord {
    const { queues, informers } = insideOf(process);
    const insides = queues.map((queue) => queue.look());
    const kinds = [...informers.keys()];
    const about: string = kind ?? insides.find((inside) => inside.kind !== '')?.kind ?? '';
    const paused = process.paused || insides.some(({ held }) => held);
    const waiting = insides.flatMap((inside) => [
      ...inside.waiting.map((item) => this.keyOf(inside, item, false)),
      ...inside.again.map((item) => this.keyOf(inside, item, true)),
    ]);
    const working = insides.flatMap((inside) => inside.processing.map((key) => this.workOf(name, inside, key)));
    const delayed = insides.flatMap((inside) => inside.delayed.map((item) => this.delayOf(name, inside, item))).sort((a, b) => a.at - b.at);
    return {
      ...this.past(name),
      id: name,
      role: 'controller',
      group: this.groupFor(name, about, kinds),
      kind: about,
      where: `${copy.component}@${copy.node}`,
      state: copy.process.paused ? 'stopped' : paused ? 'paused' : 'running',
      steps: insides.length > 0,
      pipes: kinds.slice(0, LOOP_KEYS).map((each) => this.pipe(each, informers.get(each)!, copy.process.name)),
      waiting: waiting.slice(0, LOOP_KEYS),
      waitingCount: waiting.length,
      working: working.slice(0, LOOP_KEYS),
      workingCount: working.length,
      delayed: delayed.slice(0, LOOP_KEYS),
      delayedCount: delayed.length,
      drift: driftTotal(this.driftOf({ name, role: 'controller', kind: about })),
    };
  }

  /** Once it has begun it keeps its place. */
  private groupFor(name: string, kind: string, listens: readonly string[]): LoopGroup {
    const known = this.known.get(name);
    return known && (known.kind !== '' || known.pipes.length > 0) ? known.group : groupOf(kind, listens);
  }

  private pipe(kind: string, informer: { list(): readonly unknown[]; readonly watching: boolean; readonly hasSynced: boolean }, process: string): LoopPipe {
    return { kind, objects: informer.list().length, events: this.log.events(process, kind), watching: informer.watching || !informer.hasSynced };
  }

  private keyOf(inside: QueueInside, { key, adds, fact }: QueueInside['waiting'][number], after: boolean): LoopKey {
    return { about: this.nameOf(inside, key), adds, fact, after };
  }
  private workOf(loop: string, inside: QueueInside, key: string): LoopWork {
    const work = this.log.under(loop, inside.name, aboutOf(inside, key));
    return { about: this.nameOf(inside, key), since: work?.began ?? this.cluster.loop.now, fact: work?.fact ?? 0, requests: work?.requests.length ?? 0 };
  }
  private delayOf(loop: string, inside: QueueInside, { key, at, requeues }: QueueInside['delayed'][number]): LoopDelay {
    return { about: this.nameOf(inside, key), at, requeues, delay: requeues > 0 ? this.log.lastDelay(loop, aboutOf(inside, key)) : 0 };
  }
  /** As a person knows it: the garbage collector's keys are uids. */
  private nameOf(inside: QueueInside, key: string): string {
    return inside.kind === '' && UID.test(key) ? (this.table.nameOf(key) ?? `object ${key.slice(0, 8)}`) : aboutOf(inside, key);
  }

  private past(loop: string): Pick<LoopRecord, 'ends' | 'counts' | 'lately'> {
    const { works, ended, failed, writes } = this.log.of(loop);
    return {
      ends: works.slice(0, LOOP_ENDS).map((work) => this.endOf(work)),
      counts: { ended, failed, writes },
      lately: this.log.lately(loop, this.cluster.loop.now),
    };
  }
  private endOf({ fact, about, outcome, began, ended = began, writes, error }: Work): LoopEnd {
    const name = UID.test(about) ? (this.table.nameOf(about) ?? `object ${about.slice(0, 8)}`) : about;
    return { fact, about: name, outcome, at: ended, took: ended - began, writes, error };
  }

  private scheduler(node: string, paused: boolean): LoopRecord {
    this.pending ??= this.table
      .list<DeepReadonly<Pod>>('pods')
      .filter((pod) => !pod.spec?.nodeName && !pod.metadata.deletionTimestamp && pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded');
    const pods = this.pending;
    const isTried = (pod: DeepReadonly<Pod>): boolean =>
      pod.status?.conditions?.some(({ type, status }) => type === 'PodScheduled' && status === 'False') ?? false;
    const name = (pod: DeepReadonly<Pod>): string => `Pod/${keyOf(pod)}`;
    const waiting = pods.filter((pod) => !isTried(pod));
    const shelf = pods.filter(isTried);
    const past = this.past('kube-scheduler');
    return {
      ...past,
      id: 'kube-scheduler',
      role: 'scheduler',
      group: 'placement',
      kind: 'Pod',
      where: `kube-scheduler@${node}`,
      state: paused ? 'paused' : 'running',
      steps: false,
      pipes: [],
      waiting: waiting.slice(0, LOOP_KEYS).map((pod) => ({ about: name(pod), adds: 1, fact: this.enqueued.get(name(pod)) ?? 0, after: false })),
      waitingCount: waiting.length,
      working: [],
      workingCount: 0,
      delayed: shelf
        .slice(0, LOOP_KEYS)
        .map((pod) => ({ about: name(pod), at: 0, requeues: triesOf(this.log.of('kube-scheduler').works, name(pod)), delay: 0 })),
      delayedCount: shelf.length,
      drift: driftTotal(this.driftOf({ name: 'kube-scheduler', role: 'scheduler', kind: 'Pod' })),
    };
  }

  private kubelet(node: string, paused: boolean): LoopRecord {
    const id = `kubelet@${node}`;
    const worker: Worker = { name: id, role: 'kubelet', kind: 'Pod', node };
    // Every pod has a worker of its own: those that are not as asked for are at work.
    const working = this.driftOf(worker).filter(({ desired, observed }) => desired !== observed);
    return {
      ...this.past(id),
      id,
      role: 'kubelet',
      group: 'placement',
      kind: 'Pod',
      where: id,
      state: paused ? 'paused' : 'running',
      steps: false,
      pipes: [],
      waiting: [],
      waitingCount: 0,
      working: working.slice(0, LOOP_KEYS).map(({ about }) => ({ about, since: this.sinceOf(about), fact: 0, requests: 0 })),
      workingCount: working.length,
      delayed: [],
      delayedCount: 0,
      drift: driftTotal(this.driftOf(worker)),
    };
  }

  /** When a pod was asked for, or asked to go. */
  private sinceOf(about: string): number {
    const pod = this.table.get('pods', about.slice('Pod/'.length));
    return instantOf(pod?.metadata.deletionTimestamp ?? pod?.metadata.creationTimestamp) ?? 0;
  }

  private driftOf(worker: Worker): readonly LoopDrift[] {
    let rows = this.drifts.get(worker.name);
    if (!rows) {
      rows = this.table.of(worker);
      this.drifts.set(worker.name, rows);
    }
    return rows;
  }

  private closely(record: LoopRecord): LoopClosely {
    const rows = this.driftOf(workerOf(record));
    const off = rows.filter(({ desired, observed }) => desired !== observed);
    const level = rows.filter(({ desired, observed }) => desired === observed);
    const drifts = [...off, ...level].slice(0, DRIFTS);
    return {
      id: record.id,
      drifts,
      level: rows.length - drifts.length,
      causes: record.waiting.map(({ fact }) => ({ fact, sentence: this.causeOf(fact, record.id) })),
      reconciles: this.log
        .of(record.id)
        .works.slice(0, LOOP_RECONCILES)
        .map((work) => ({ ...this.endOf(work), requests: work.requests.map((request) => ({ ...request })), cause: this.causeOf(work.fact, record.id) })),
      backoffs: this.log.delaysOf(record.id).map(({ about, delays }) => ({ about, delays: [...delays] })),
    };
  }

  /** Why a key came into the queue, in a sentence; empty: nobody remembers. */
  private causeOf(fact: TraceId, loop: string): string {
    const known = this.causes.get(fact);
    if (known !== undefined) return known;
    const told = fact === 0 ? '' : causeSentence(this.cluster.loop.trace.chain(fact), loop);
    if (this.causes.size >= CAUSES) this.causes.clear();
    this.causes.set(fact, told);
    return told;
  }
}

/** Nearest first: of a key that was put off, why; else the first thing on the way back that a person would tell. */
export function causeSentence(chain: readonly Fact[], loop: string): string {
  const [first] = chain;
  for (const fact of chain) {
    if (fact.type === 'queue.requeue')
      return `It failed for the ${ordinal(Number(fact.data['requeues']))} time in a row, and was put off for ${spanText(Number(fact.data['delay']))}.`;
    if (fact.type === 'reconcile.start' && fact.by === loop && fact.about === first?.about) return 'An earlier look at it asked for this one.';
    // A write is told as who asked for it; the queue's own facts, and etcd's, are steps between.
    const told = fact.type === 'api.request' ? requestSentence(fact) : fact.type === 'api.response' ? undefined : sentence(fact);
    if (told !== undefined) return told;
  }
  return '';
}

const SERVICE_ACCOUNT = 'system:serviceaccount:kube-system:';
function requestSentence({ about, data }: Fact): string {
  const user = String(data['user'] ?? '') || 'Somebody';
  return `${user.startsWith(SERVICE_ACCOUNT) ? user.slice(SERVICE_ACCOUNT.length) : user} asked to ${String(data['verb'])} ${about.replace('/', ' ') || String(data['path'])}.`;
}

const ordinal = (n: number): string =>
  `${n}${n % 10 === 1 && n % 100 !== 11 ? 'st' : n % 10 === 2 && n % 100 !== 12 ? 'nd' : n % 10 === 3 && n % 100 !== 13 ? 'rd' : 'th'}`;
const spanText = (micros: number): string => (micros < 1_000_000 ? `${Math.round(micros / 1_000)} ms` : `${Math.round(micros / 10_000) / 100} s`);
const aboutOf = ({ kind }: QueueInside, key: string): string => (kind ? `${kind}/${key}` : key);
const triesOf = (works: readonly Work[], about: string): number => works.filter((work) => work.about === about && work.outcome === 'retry').length;
const workerOf = ({ id, role, kind }: LoopRecord): Worker => ({ name: id, role, kind, ...(role === 'kubelet' ? { node: id.slice(id.indexOf('@') + 1) } : {}) });

function driftTotal(rows: readonly LoopDrift[]): LoopRecord['drift'] {
  let [missing, extra, objects] = [0, 0, 0];
  for (const { desired, observed } of rows) {
    if (desired === observed) continue;
    objects++;
    if (observed < desired) missing += observed - desired;
    else extra += observed - desired;
  }
  return objects === 0 ? NO_DRIFT : { missing, extra, objects };
}

/** Nobody runs it: what it was is past, and the drift goes on. */
const stopped = (record: LoopRecord, drifts: readonly LoopDrift[]): LoopRecord => ({
  ...record,
  where: '',
  state: 'stopped',
  waiting: [],
  waitingCount: 0,
  working: [],
  workingCount: 0,
  delayed: [],
  delayedCount: 0,
  pipes: record.pipes.map((pipe) => ({ ...pipe, watching: false })),
  drift: driftTotal(drifts),
});

const GROUPS: readonly LoopGroup[] = ['workloads', 'placement', 'network', 'nodes', 'housekeeping'];
/** Kinds and API groups of what runs. */
const WORKLOADS = new Set(['apps', 'batch', 'autoscaling', 'policy']);
const NETWORK = new Set(['discovery.k8s.io', 'networking.k8s.io']);

/** By the kind it looks after, else by what it listens to: a controller that nobody here has heard of has its place too. */
export function groupOf(kind: string, listens: readonly string[]): LoopGroup {
  const row = RESOURCES.find((each) => each.kind === kind);
  if (kind === 'Node' || (kind === '' && listens.length <= 4 && listens.includes('Node'))) return 'nodes';
  if (kind === 'Service' || kind === 'Endpoints' || (row && NETWORK.has(row.group))) return 'network';
  if (kind === 'Pod' || kind === 'ReplicationController' || (row && WORKLOADS.has(row.group))) return 'workloads';
  return 'housekeeping';
}
