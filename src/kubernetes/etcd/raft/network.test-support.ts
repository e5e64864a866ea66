/** Raft members with disks and a network in the hand of a test: nothing moves unless told to. */
import { RaftCore } from './raft.ts';
import { MemoryStorage } from './storage.ts';
import type { Config, ConfState, Entry, Message, NodeId, Ready, Snapshot, TraceEvent } from './types.ts';

/** A small seeded generator (mulberry32): the core may import nothing, and so may its tests. */
export function luck(seed: number): (n: number) => number {
  let a = seed >>> 0;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

export interface Node {
  readonly id: NodeId;
  storage: MemoryStorage;
  raft: RaftCore | undefined;
  /** What the state machine was given: index -> data. The machine's state is the list itself. */
  applied: string[];
  appliedIndex: number;
  conf: ConfState;
  /** A Ready the disk is busy with: messages may still come in, nothing goes out. */
  pending: Ready | undefined;
  /** With `asyncStorageWrites`: what the two threads have still to do. */
  append: Message[];
  apply: Message[];
}

export interface NetworkOptions extends Partial<Config> {
  readonly seed?: number;
  readonly tell?: (event: TraceEvent) => void;
  /** The first members begin with snapshots of these indexes, of term 1; one for all, or one each. */
  readonly from?: readonly number[];
  readonly learners?: readonly NodeId[];
  /** A member's storage has a snapshot of whatever it has applied, at any time, as in etcd-io/raft's interaction tests. */
  readonly fresh?: boolean;
}

export class Network {
  readonly nodes = new Map<NodeId, Node>();
  /** Messages in flight, oldest first. */
  wire: Message[] = [];
  readonly cut = new Set<string>();
  /** Told of every Ready before it is carried out. */
  onReady: ((node: Node, ready: Ready) => void) | undefined;
  onApply: ((node: Node, entry: Entry) => void) | undefined;
  onSend: ((message: Message) => void) | undefined;
  readonly random: (n: number) => number;

  constructor(
    ids: readonly NodeId[],
    private readonly options: NetworkOptions = {},
  ) {
    this.random = luck(options.seed ?? 1);
    const learners = [...(options.learners ?? [])];
    const conf: ConfState = { voters: ids.filter((id) => !learners.includes(id)), votersOutgoing: [], learners, learnersNext: [], autoLeave: false };
    ids.forEach((id, i) => {
      this.add(id, conf, options.from?.[i] ?? options.from?.[0]);
    });
  }

  add(id: NodeId, conf: ConfState, from = 0): Node {
    const node: Node = { id, storage: new MemoryStorage(conf), raft: undefined, applied: [], appliedIndex: 0, conf, pending: undefined, append: [], apply: [] };
    if (from > 0) {
      node.storage.applySnapshot({ index: from, term: 1, conf, data: '' });
      node.storage.hardState = { term: 0, vote: 0, commit: from };
    }
    if (this.options.fresh) {
      const kept = node.storage.snapshot.bind(node.storage);
      node.storage.snapshot = () => (node.raft ? this.snapshotOf(node) : kept());
    }
    this.nodes.set(id, node);
    this.start(id);
    return node;
  }

  start(id: NodeId): void {
    const node = this.node(id);
    const snapshot = node.storage.snapshot();
    node.applied = snapshot.data ? snapshot.data.split('\n') : [];
    node.appliedIndex = snapshot.index;
    node.conf = snapshot.conf;
    const { seed: _, tell, from: __, learners: ___, fresh: ____, ...config } = this.options;
    node.raft = new RaftCore(
      {
        electionTick: 10,
        heartbeatTick: 1,
        stepDownOnRemoval: true,
        random: this.random,
        ...(tell ? { trace: tell } : {}),
        ...config,
        id,
        applied: snapshot.index,
      },
      node.storage,
    );
  }

  /** Silence; what is in flight from it stays in flight. */
  crash(id: NodeId): void {
    const node = this.node(id);
    node.raft = undefined;
    node.pending = undefined;
    node.append = [];
    node.apply = [];
  }

  node(id: NodeId): Node {
    return this.nodes.get(id)!;
  }

  raft(id: NodeId): RaftCore {
    return this.node(id).raft!;
  }

  get alive(): Node[] {
    return [...this.nodes.values()].filter((node) => node.raft);
  }

  leader(): RaftCore | undefined {
    return this.alive
      .map((node) => node.raft!)
      .filter((raft) => raft.role === 'Leader')
      .sort((a, b) => b.term - a.term)[0];
  }

  /** Persists, sends, applies and advances until the member has nothing more to say. */
  drain(id: NodeId): void {
    const node = this.node(id);
    if (node.pending) {
      const ready = node.pending;
      node.pending = undefined;
      this.carryOut(node, ready);
    }
    while (node.raft?.hasReady()) this.carryOut(node, node.raft.ready());
  }

  /** Hands the next Ready to a slow disk; `drain` ends the write. */
  begin(id: NodeId): void {
    const node = this.node(id);
    if (!node.pending && node.raft?.hasReady()) node.pending = node.raft.ready();
  }

  /** Lets a member's local thread do one thing; false if there is nothing to do. */
  thread(node: Node, which: 'append' | 'apply'): boolean {
    const m = node[which].shift();
    if (!m || !node.raft) return false;
    if (which === 'append') {
      const { term, vote = 0, commit } = m;
      if (m.snapshot) this.takeSnapshot(node, m.snapshot);
      node.storage.append(m.entries ?? []);
      if (commit !== undefined) node.storage.hardState = { term, vote, commit };
    } else for (const entry of m.entries ?? []) this.applyEntry(node, entry);
    for (const response of m.responses ?? []) {
      if (response.to === node.id) node.raft.step(response);
      else this.post(node, response);
    }
    return true;
  }

  private takeSnapshot(node: Node, snapshot: Snapshot): void {
    node.storage.applySnapshot(snapshot);
    node.applied = snapshot.data ? snapshot.data.split('\n') : [];
    node.appliedIndex = snapshot.index;
    node.conf = snapshot.conf;
  }

  private applyEntry(node: Node, entry: Entry): void {
    if (entry.confChange) node.conf = node.raft!.applyConfChange(entry.confChange);
    else if (entry.data) node.applied.push(entry.data);
    node.appliedIndex = entry.index;
    this.onApply?.(node, entry);
  }

  carryOut(node: Node, ready: Ready): void {
    this.onReady?.(node, ready);
    if (this.options.asyncStorageWrites) {
      for (const m of ready.messages) {
        if (m.to === 'append' || m.to === 'apply') node[m.to].push(m);
        else this.post(node, m);
      }
      return;
    }
    if (ready.snapshot) this.takeSnapshot(node, ready.snapshot);
    node.storage.append(ready.entries);
    if (ready.hardState) node.storage.hardState = ready.hardState;
    for (const message of ready.messages) this.post(node, message);
    for (const entry of ready.committedEntries) this.applyEntry(node, entry);
    node.raft!.advance();
  }

  private post(node: Node, message: Message): void {
    // A fresh snapshot, so that the receiver need not come back for what was compacted meanwhile.
    const sent = message.type === 'MsgSnap' ? { ...message, snapshot: this.snapshotOf(node) } : message;
    this.onSend?.(sent);
    this.wire.push(sent);
  }

  snapshotOf(node: Node): Snapshot {
    return { index: node.appliedIndex, term: node.raft!.log.term(node.appliedIndex) ?? 0, conf: node.conf, data: node.applied.join('\n') };
  }

  /** Keeps the state in a snapshot and forgets the log up to it. */
  compact(id: NodeId, keep = 0): void {
    const node = this.node(id);
    const { index, conf, data } = this.snapshotOf(node);
    if (index === 0) return;
    node.storage.createSnapshot(index, conf, data);
    node.storage.compact(index - keep);
  }

  reachable(from: NodeId, to: NodeId): boolean {
    return !this.cut.has(`${from}>${to}`);
  }

  isolate(id: NodeId): void {
    for (const other of this.nodes.keys()) {
      this.cut.add(`${id}>${other}`);
      this.cut.add(`${other}>${id}`);
    }
  }

  /** Delivers one message and lets the receiver act on it. */
  deliver(message: Message): void {
    const to = this.nodes.get(message.to as NodeId);
    if (!to?.raft || !this.reachable(message.from as NodeId, to.id)) return;
    to.raft.step(message);
    this.drain(to.id);
  }

  /** Lets everything happen that happens without time passing. */
  settle(): void {
    for (const id of this.nodes.keys()) this.drain(id);
    for (let rounds = 0; ; rounds++) {
      if (rounds > 100_000) throw new Error('the network does not come to rest');
      const message = this.wire.shift();
      if (message) this.deliver(message);
      else if (![...this.nodes.values()].some((node) => this.work(node))) return;
    }
  }

  private work(node: Node): boolean {
    if (!this.thread(node, 'append') && !this.thread(node, 'apply')) return false;
    this.drain(node.id);
    return true;
  }

  tick(id: NodeId, times = 1): void {
    for (let i = 0; i < times; i++) {
      this.node(id).raft?.tick();
      this.drain(id);
    }
  }

  /** Everybody's clock runs; messages arrive at once. */
  run(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      for (const id of this.nodes.keys()) this.tick(id);
      this.settle();
    }
  }

  elect(id: NodeId): void {
    this.raft(id).campaign();
    this.settle();
    if (this.raft(id).role !== 'Leader') throw new Error(`${id} did not win`);
  }

  propose(id: NodeId, data: string): void {
    this.raft(id).propose(data);
    this.settle();
  }

  /** Terms of the entries a member holds, from index 1. */
  terms(id: NodeId): number[] {
    const { log } = this.raft(id);
    return log.entriesFrom(log.firstIndex())!.map((entry) => entry.term);
  }
}
