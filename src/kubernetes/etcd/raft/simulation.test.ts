/**
 * Random runs with everything that goes wrong: loss, duplication, reordering, partitions, crashes in the
 * middle of a write. Every run is checked for what Raft promises (paper figure 3), then healed and
 * expected to work again.
 */
import { describe, expect, test } from 'vitest';
import { Network, type Node } from './network.test-support.ts';
import type { Entry, NodeId, Ready } from './types.ts';

const SEEDS = 60;
const STEPS = 3_000;

class Checker {
  private readonly leaders = new Map<number, NodeId>();
  private readonly votes = new Map<string, NodeId>();
  /** (index, term) -> content and the term before: log matching by induction. */
  private readonly written = new Map<string, string>();
  private readonly applied: (string | undefined)[] = [];
  private readonly committed = new Map<number, number>();
  private readonly last = new Map<NodeId, { term: number; commit: number; applied: number }>();
  elections = 0;

  constructor(private readonly net: Network) {}

  ready(node: Node, ready: Ready): void {
    const raft = node.raft!;
    const known = this.last.get(node.id) ?? { term: 0, commit: 0, applied: 0 };
    if (ready.hardState) {
      const { term, vote, commit } = ready.hardState;
      expect(term, 'terms never go back').toBeGreaterThanOrEqual(known.term);
      expect(commit, 'commit never goes back').toBeGreaterThanOrEqual(known.commit);
      this.last.set(node.id, { ...known, term, commit });
      if (vote !== 0) {
        const key = `${node.id}/${term}`;
        expect(this.votes.get(key) ?? vote, 'one vote per term').toBe(vote);
        this.votes.set(key, vote);
      }
    }
    let before = ready.entries[0] ? raft.log.term(ready.entries[0].index - 1) : 0;
    for (const entry of ready.entries) {
      const key = `${entry.index}/${entry.term}`;
      const content = `${before}|${entry.type}|${entry.data ?? ''}`;
      if (before !== undefined) {
        expect(this.written.get(key) ?? content, `log matching at ${key}`).toBe(content);
        this.written.set(key, content);
      }
      before = entry.term;
    }
    if (ready.softState?.role === 'Leader') {
      expect(this.leaders.get(raft.term) ?? node.id, `election safety in term ${raft.term}`).toBe(node.id);
      if (!this.leaders.has(raft.term)) {
        this.elections++;
        for (const [index, term] of this.committed) {
          const held = raft.log.term(index);
          if (index >= raft.log.firstIndex()) expect(held, `leader completeness: ${index} in the log of ${node.id}`).toBe(term);
          else expect(raft.log.committed).toBeGreaterThanOrEqual(index);
        }
      }
      this.leaders.set(raft.term, node.id);
    }
  }

  apply(node: Node, entry: Entry): void {
    const content = `${entry.term}|${entry.type}|${entry.data ?? ''}`;
    expect(this.applied[entry.index] ?? content, `state machine safety at ${entry.index}`).toBe(content);
    this.applied[entry.index] = content;
    this.committed.set(entry.index, entry.term);
    // Durable on a majority of the members there are.
    const holders = [...this.net.nodes.values()].filter(
      ({ storage }) => storage.lastIndex() >= entry.index && (entry.index < storage.firstIndex() || storage.term(entry.index) === entry.term),
    );
    expect(holders.length, `${entry.index} is durable on a majority`).toBeGreaterThan(this.net.nodes.size / 2);
    expect(node.appliedIndex).toBe(entry.index);
  }
}

interface Run {
  readonly elections: number;
  readonly crashes: number;
  readonly acknowledged: number;
  readonly digest: string;
}

function run(seed: number, size: number, options: { preVote: boolean; checkQuorum: boolean }): Run {
  const ids = Array.from({ length: size }, (_, i) => i + 1);
  const net = new Network(ids, { seed, maxInflightMsgs: 4, maxSizePerMsg: 64, ...options });
  const checker = new Checker(net);
  const { random } = net;
  net.onReady = (node, ready) => checker.ready(node, ready);
  net.onApply = (node, entry) => checker.apply(node, entry);
  let crashes = 0;
  let proposals = 0;
  // Swarm: every seed has its own mix of troubles.
  const loss = random(20);
  const duplication = random(10);
  const crashing = random(12);
  const cutting = random(8);
  const lazyDisk = random(60);

  for (let step = 0; step < STEPS; step++) {
    const id = ids[random(size)]!;
    const node = net.node(id);
    const dice = random(1000);
    if (dice < crashing && node.raft) {
      crashes++;
      crash(net, node);
    } else if (dice < 20) {
      if (!node.raft) net.start(id);
    } else if (dice < 20 + cutting) net.cut.add(`${id}>${ids[random(size)]}`);
    else if (dice < 20 + cutting + 4) net.cut.clear();
    else if (dice < 40) node.raft && net.compact(id, random(4));
    else if (dice < 44) node.raft?.transferLeader(ids[random(size)]!);
    else if (dice < 100) {
      const raft = net.leader() ?? node.raft;
      raft?.propose(`p${proposals++}`);
    } else if (dice < 110) node.raft?.readIndex(`r${step}`);
    else if (dice < 114) {
      const lead = net.leader();
      for (const { id: peer } of lead?.peers ?? []) if (peer !== lead!.id) lead!.reportSnapshot(peer, false);
    } else if (dice < 400) node.raft?.tick();
    else if (net.wire.length > 0) {
      // Any message may come next.
      const [message] = net.wire.splice(random(Math.min(net.wire.length, 12)), 1);
      if (random(100) >= loss) {
        const to = net.nodes.get(message!.to as NodeId)!;
        if (to.raft && net.reachable(message!.from as NodeId, to.id)) to.raft.step(message!);
      }
      if (random(100) < duplication) net.wire.push(message!);
    }
    // A slow disk leaves things lie, so that several messages are acted on at once.
    for (const each of ids) {
      if (random(100) >= lazyDisk) net.drain(each);
      else if (random(2) === 0) net.begin(each);
    }
    if (net.wire.length > 300) net.wire.splice(0, 100);
  }

  // Healed, the group must find a leader and commit again.
  net.cut.clear();
  for (const id of ids) if (!net.node(id).raft) net.start(id);
  net.settle();
  for (let round = 0; round < 20; round++) {
    net.run(10);
    const lead = net.leader();
    for (const { id: peer, progress } of lead?.peers ?? []) if (progress.state === 'Snapshot') lead!.reportSnapshot(peer, false);
  }
  expect(net.leader(), `seed ${seed}: a leader after healing`).toBeDefined();
  net.propose(net.leader()!.id, 'final');
  net.run(30);
  for (const id of ids) expect(net.node(id).applied.at(-1), `seed ${seed}: ${id} applies the final write`).toBe('final');
  const first = net.node(1).applied.join();
  for (const id of ids) expect(net.node(id).applied.join()).toBe(first);
  return {
    elections: checker.elections,
    crashes,
    acknowledged: net.node(1).applied.length,
    digest: `${first.length}/${net.leader()!.term}/${net.leader()!.id}`,
  };
}

/** The process dies, perhaps in the middle of a write: a prefix of the batch is on the disk, its messages never leave. */
function crash(net: Network, node: Node): void {
  const raft = node.raft!;
  const ready = node.pending ?? (net.random(2) === 0 && raft.hasReady() ? raft.ready() : undefined);
  if (ready) {
    if (!ready.snapshot) {
      const kept = net.random(ready.entries.length + 1);
      node.storage.append(ready.entries.slice(0, kept));
      if (kept === ready.entries.length && ready.hardState && net.random(2) === 0) node.storage.hardState = ready.hardState;
    }
  }
  net.crash(node.id);
}

describe.each([
  [3, { preVote: true, checkQuorum: true }],
  [5, { preVote: true, checkQuorum: true }],
  [3, { preVote: false, checkQuorum: false }],
] as const)('%i members, %j', (size, options) => {
  test(`${SEEDS / 3} seeds keep every promise and recover`, () => {
    let elections = 0;
    let crashes = 0;
    let acknowledged = 0;
    for (let seed = 1; seed <= SEEDS / 3; seed++) {
      const result = run(seed * 101 + size, size, options);
      elections += result.elections;
      crashes += result.crashes;
      acknowledged += result.acknowledged;
    }
    // Something must have happened for the promises to mean anything.
    expect(elections).toBeGreaterThan(SEEDS / 3);
    expect(crashes).toBeGreaterThan(SEEDS);
    expect(acknowledged).toBeGreaterThan(SEEDS * 5);
  });
});

test('the same seed gives the same run', () => {
  expect(run(42, 3, { preVote: true, checkQuorum: true })).toEqual(run(42, 3, { preVote: true, checkQuorum: true }));
});

test('the alarm rings: a member that forgets its vote elects two leaders in one term, or is caught voting twice', () => {
  let caught = 0;
  for (let seed = 1; seed <= 10; seed++) {
    try {
      const ids = [1, 2, 3];
      const net = new Network(ids, { seed });
      const checker = new Checker(net);
      net.onReady = (node, ready) => checker.ready(node, ready);
      for (let round = 0; round < 30; round++) {
        for (const id of ids) {
          net.raft(id).campaign();
          net.drain(id);
        }
        for (const id of ids) {
          net.node(id).storage.hardState = { ...net.node(id).storage.hardState, vote: 0 };
          net.start(id);
        }
        net.settle();
      }
    } catch {
      caught++;
    }
  }
  expect(caught).toBeGreaterThan(0);
});
