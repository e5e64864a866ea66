/**
 * One random run: a group with simulated disks, clocks and wires, clients who use it, and everything that
 * goes wrong; checked at every step, then healed and expected to work again. Pure: the same seed and
 * options give the same digest in Node and in a browser.
 *
 * Called for all seeds by `npm run fuzz`, and for some by fuzz.test.ts.
 */
import type { ConfChange, ConfState, Message, NodeId } from '../types.ts';
import { Broken, Checks } from './checks.ts';
import { Clients } from './clients.ts';
import { Host } from './host.ts';
import { Luck } from './luck.ts';
import { decode, encode } from './state.ts';
import { FAULTS, type Fault, type FuzzOptions, type Swarm, swarmOf } from './swarm.ts';
import { Timeline } from './timeline.ts';

export { type FuzzOptions, PROFILES, type Profile } from './swarm.ts';

export interface FuzzStats {
  events: number;
  faults: number;
  crashes: number;
  elections: number;
  committed: number;
  operations: number;
  answered: number;
  /** Keys whose history the judge gave up on; the order in the log was checked all the same. */
  undecided: number;
  /** 1 when the group could not recover from the removal of its leader, as etcd's could not (see `isStranded`). */
  stranded: number;
  /** Microseconds of virtual time. */
  virtual: number;
}

export interface FuzzResult {
  /** A hash of everything that happened. */
  readonly digest: string;
  /** In words; empty when every promise was kept. */
  readonly violations: readonly string[];
  readonly stats: FuzzStats;
}

/** After healing there must be a leader, and a write applied by all, within this time (microseconds). */
const HEALING = 25_000_000;
/** A run takes some 15,000 events; many more mean that members keep each other busy for nothing. */
const TOO_MANY = 400_000;
/** The last write, by a client that nobody else is. */
const MARK = 1_000_000_000;

export function runFuzz(seed: number, options: FuzzOptions = {}): FuzzResult {
  return new Run(seed, options).play();
}

class Run {
  private readonly swarm: Swarm;
  private readonly timeline = new Timeline();
  private readonly luck: Luck;
  private readonly checks = new Checks();
  private readonly hosts: Host[] = [];
  private readonly clients: Clients;
  /** Directions that are cut, as from * 16 + to. */
  private readonly cut = new Set<number>();
  /** Members that were removed: their processes are stopped in the end, as an operator would. */
  private readonly retired = new Set<NodeId>();
  private latest: ConfState;
  private latestIndex = 0;
  private membershipChanged = false;
  private stranded = false;
  private healed = false;
  private digest = 0x811c9dc5;
  private faults = 0;
  private crashes = 0;

  constructor(seed: number, options: FuzzOptions) {
    this.swarm = swarmOf(seed, options);
    this.luck = new Luck(seed * 2);
    const { members, spares } = this.swarm;
    const voters = Array.from({ length: members }, (_, i) => i + 1);
    this.latest = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    for (let id = 1; id <= members + spares; id++) {
      // Who joins later knows whom it joins, and that it is none of them yet.
      this.hosts.push(
        new Host(id, this.latest, this.swarm, this.timeline, this.luck, this.checks, {
          send: (m) => this.send(m),
          applied: (host, entry, done) => {
            this.note(host.id, 1, entry.index, entry.term);
            if (entry.data) this.clients.applied(decode(entry.data), done, entry.index);
            if (!this.membershipChanged)
              this.checks.durable(
                entry,
                this.hosts.slice(0, members).map(({ disk }) => disk.durable),
              );
          },
          readable: (host, context) => this.clients.readable(host, context),
          configured: (next, index) => this.configured(next, index),
        }),
      );
    }
    this.clients = new Clients(this.swarm, this.timeline, this.luck, () => this.hosts);
  }

  play(): FuzzResult {
    const violations: string[] = [];
    let undecided = 0;
    try {
      for (const host of this.hosts) host.start();
      this.troubleLater();
      for (let elections = 0; this.timeline.step(this.swarm.faultsFor); ) {
        this.count();
        if (this.checks.elections === elections) continue;
        elections = this.checks.elections;
        this.ambush();
      }
      this.heal();
      const judged = this.clients.judge();
      undecided = judged.undecided;
      if (judged.violation) violations.push(judged.violation);
    } catch (error) {
      // The core refuses to go on when its own rules are broken; that is a finding too.
      violations.push(error instanceof Broken ? error.message : `panic: ${error instanceof Error ? error.message : String(error)}`);
    }
    const { clients, checks, timeline } = this;
    return {
      digest: (this.digest >>> 0).toString(16).padStart(8, '0'),
      violations,
      stats: {
        events: timeline.count,
        faults: this.faults,
        crashes: this.crashes,
        elections: checks.elections,
        committed: checks.committed,
        operations: clients.operations,
        answered: clients.answered,
        undecided,
        stranded: this.stranded ? 1 : 0,
        virtual: timeline.now,
      },
    };
  }

  private count(): void {
    if (this.timeline.count > TOO_MANY) throw new Broken(`livelock: ${TOO_MANY} events in ${Math.floor(this.timeline.now / 1_000)} ms`);
  }

  private note(a: number, b: number, c: number, d: number): void {
    let hash = this.digest;
    for (const n of [a, b, c, d, this.timeline.now]) hash = Math.imul(hash ^ n, 0x01000193);
    this.digest = hash;
  }

  // ---- wires ----

  private send(m: Message): void {
    const { luck, swarm } = this;
    this.note(m.from as number, m.to as number, m.type.length, m.index ?? 0);
    if (!this.healed && luck.chance(swarm.loss)) {
      this.lost(m);
      return;
    }
    this.carry(m);
    if (!this.healed && luck.chance(swarm.duplication)) this.carry(m);
  }

  private carry(m: Message): void {
    const { luck, swarm } = this;
    let delay = luck.between(swarm.latency[0], swarm.latency[1]);
    if (!this.healed && luck.chance(swarm.stragglers)) delay *= luck.between(2, 10);
    this.timeline.after(delay, () => {
      const from = m.from as NodeId;
      const to = this.hosts[(m.to as NodeId) - 1]!;
      if (!to.raft || this.cut.has(from * 16 + to.id)) {
        this.lost(m);
        return;
      }
      to.receive((raft) => raft.step(m));
      if (m.type === 'MsgSnap') this.hosts[from - 1]!.receive((raft) => raft.reportSnapshot(to.id, true));
    });
  }

  /** The sender of a snapshot hears that it did not arrive; else its receiver would be waited for in vain. */
  private lost(m: Message): void {
    if (m.type !== 'MsgSnap') return;
    const sender = this.hosts[(m.from as NodeId) - 1]!;
    this.timeline.after(this.swarm.tick * 2, () => sender.receive((raft) => raft.reportSnapshot(m.to as NodeId, false)));
  }

  // ---- membership ----

  private configured(next: ConfState, index: number): void {
    // Others come to it later, and again after a restart.
    if (index <= this.latestIndex) return;
    this.latestIndex = index;
    this.latest = next;
    const named = [...next.voters, ...next.votersOutgoing, ...next.learners, ...next.learnersNext];
    for (const { id } of this.hosts) {
      if (named.includes(id)) this.retired.delete(id);
      else this.retired.add(id);
    }
  }

  /** Some next change that makes sense: learners come in, are promoted, voters are replaced or leave; never fewer than three. */
  private change(): ConfChange | undefined {
    const { luck, latest } = this;
    const { voters, learners, votersOutgoing } = latest;
    if (votersOutgoing.length > 0) return { changes: [] };
    const outside = this.hosts.map(({ id }) => id).filter((id) => !voters.includes(id) && !learners.includes(id));
    const kind = luck.below(5);
    if (kind === 0 && outside.length > 0) return { v1: true, changes: [{ type: 'addLearner', node: luck.pick(outside) }] };
    if (kind === 1 && learners.length > 0) return { v1: true, changes: [{ type: 'addVoter', node: luck.pick(learners) }] };
    if (kind === 2 && voters.length > 3) return { changes: [{ type: 'remove', node: luck.pick(voters) }] };
    const joining = luck.pick([...learners, ...outside, 0]);
    if (joining === 0) return undefined;
    const leaving = luck.pick(voters);
    const remove: ConfChange['changes'] = [{ type: 'remove', node: leaving }];
    // Two for two leave little that both configurations share.
    const second = outside.find((id) => id !== joining);
    const another = voters.find((id) => id !== leaving && luck.chance(500));
    if (kind >= 2 && second && another)
      return {
        transition: luck.pick(['implicit', 'explicit'] as const),
        changes: [{ type: 'addVoter', node: joining }, { type: 'addVoter', node: second }, ...remove, { type: 'remove', node: another }],
      };
    // Several at once: through a joint configuration, left by itself or by a later change.
    if (kind === 3) return { transition: luck.pick(['implicit', 'explicit'] as const), changes: [{ type: 'addVoter', node: joining }, ...remove] };
    return {
      changes: [
        { type: 'addVoter', node: joining },
        { type: 'addLearner', node: leaving },
      ],
    };
  }

  // ---- trouble ----

  private troubleLater(): void {
    const { luck, swarm, timeline } = this;
    timeline.after(luck.between(1, swarm.faultEvery * 2), () => {
      if (this.healed) return;
      this.faults++;
      this.trouble(FAULTS[luck.weighted(swarm.weights)]!);
      this.troubleLater();
    });
  }

  private get leader(): Host | undefined {
    let best: Host | undefined;
    for (const host of this.hosts) if (host.raft?.role === 'Leader' && (!best || host.raft.term > best.raft!.term)) best = host;
    return best;
  }

  private trouble(fault: Fault): void {
    const { luck, swarm, timeline, hosts } = this;
    const host = luck.pick(hosts);
    this.note(host.id, FAULTS.indexOf(fault), 0, 0);
    const soon = (): number => luck.between(swarm.tick, swarm.tick * 40);
    switch (fault) {
      case 'crash':
        this.crash(luck.chance(400) ? (this.leader ?? host) : host, soon());
        return;
      case 'crashAll':
        for (const each of hosts) this.crash(each, soon());
        return;
      case 'pause':
        host.pausedUntil = timeline.now + soon();
        return;
      case 'slowDisk':
        host.disk.slowness = luck.pick([1, 10, 50]);
        timeline.after(soon() * 2, () => {
          host.disk.slowness = 1;
        });
        return;
      case 'isolate':
        this.isolate(host.id);
        return;
      case 'isolateLeader':
        this.isolate((this.leader ?? host).id);
        return;
      case 'split': {
        const left = hosts.filter(() => luck.chance(500));
        for (const a of left) for (const b of hosts) if (!left.includes(b)) this.sever(a.id, b.id);
        return;
      }
      case 'oneWay':
        this.cut.add(host.id * 16 + luck.pick(hosts).id);
        return;
      case 'heal':
        this.cut.clear();
        return;
      case 'skew':
        host.rate = luck.pick([300, 700, 1_000, 1_500, 3_000]);
        return;
      case 'transfer': {
        const to = luck.pick(this.latest.voters);
        (luck.chance(700) ? (this.leader ?? host) : host).receive((raft) => raft.transferLeader(to));
        return;
      }
      case 'campaign':
        host.receive((raft) => raft.campaign());
        return;
      case 'forget':
        host.receive((raft) => raft.forgetLeader());
        return;
      case 'membership': {
        const change = this.change();
        if (!change) return;
        this.membershipChanged = true;
        // As an operator would: leadership is moved before its holder is removed.
        (this.leader ?? host).receive((raft) => {
          if (change.changes.every(({ type, node }) => type === 'addVoter' || node !== raft.lead)) raft.proposeConfChange(change);
        });
        return;
      }
      case 'compact':
        host.compact(luck.below(10));
        return;
      case 'unreachable': {
        const other = luck.pick(hosts).id;
        this.leader?.receive((raft) => raft.reportUnreachable(other));
        return;
      }
    }
  }

  private ambush(): void {
    const { luck, swarm, leader } = this;
    if (!leader || !luck.chance(swarm.ambush)) return;
    this.timeline.after(luck.below(swarm.latency[1] * 3 + swarm.fsync[1] * 2), () => {
      if (this.healed) return;
      this.faults++;
      if (luck.chance(500)) this.crash(leader, luck.between(swarm.tick, swarm.tick * 60));
      else {
        this.isolate(leader.id);
        // Back among the others when they have moved on.
        this.timeline.after(luck.between(swarm.tick * 10, swarm.tick * 60), () => this.rejoin(leader.id));
      }
    });
  }

  private crash(host: Host, down: number): void {
    if (!host.raft) return;
    this.crashes++;
    host.crash();
    this.timeline.after(down, () => this.restart(host));
  }

  private restart(host: Host): void {
    if (host.raft) return;
    host.pausedUntil = 0;
    host.start();
  }

  private sever(a: NodeId, b: NodeId): void {
    this.cut.add(a * 16 + b);
    this.cut.add(b * 16 + a);
  }

  private isolate(id: NodeId): void {
    for (const other of this.hosts) if (other.id !== id) this.sever(id, other.id);
  }

  private rejoin(id: NodeId): void {
    for (const other of this.hosts) {
      this.cut.delete(id * 16 + other.id);
      this.cut.delete(other.id * 16 + id);
    }
  }

  // ---- the end ----

  /** Everything works again: now there must be progress. */
  private heal(): void {
    const { timeline, hosts } = this;
    this.healed = true;
    this.clients.stop();
    this.cut.clear();
    for (const host of hosts) {
      host.rate = 1_000;
      host.disk.slowness = 1;
      host.pausedUntil = 0;
    }
    const until = timeline.now + HEALING;
    // In a register that no client looks at.
    const data = encode({ client: MARK, number: 1, key: this.swarm.keys, value: MARK, kind: 'put' });
    const ask = (): void => {
      // Not before everybody knows: until then the old configuration's majority may be needed.
      const known = this.latest.voters.every((id) => hosts[id - 1]!.applied >= this.latestIndex) && this.latest.votersOutgoing.length === 0;
      for (const host of hosts) {
        if (known && this.retired.has(host.id)) host.crash();
        else this.restart(host);
      }
      this.leader?.receive((raft) => raft.propose(data));
      timeline.after(this.swarm.tick * 10, ask);
    };
    ask();
    const everybody = (): boolean => {
      const named = [...this.latest.voters, ...this.latest.learners];
      return named.every((id) => hosts[id - 1]!.raft && hosts[id - 1]!.registers.read(this.swarm.keys) === MARK);
    };
    for (let steps = 0; ; steps++) {
      if (steps % 16 === 0 && everybody()) return;
      if (!timeline.step(until)) break;
      this.count();
    }
    this.stranded = !everybody() && this.isStranded();
    if (!everybody() && !this.stranded)
      throw new Broken(
        `liveness: 25 s after everything was repaired, ${hosts
          .filter(({ raft }) => raft)
          .map((host) => `${host.id} is ${host.raft!.role} in term ${host.raft!.term}, applied ${host.applied}`)
          .join('; ')}`,
      );
  }

  /**
   * What etcd-io/raft cannot recover from by itself, and so neither can this core, because a configuration
   * comes into force only where its entry is applied (thesis 4.1 has it when the entry is in the log). A
   * leader that was removed applies that, steps down, and is no candidate any more; whoever has not yet
   * heard that the entry is committed still needs its vote, and does not get it while its log is longer.
   */
  private isStranded(): boolean {
    if (this.leader) return false;
    const removed = this.hosts.filter(({ id, raft }) => raft && this.retired.has(id));
    return this.latest.voters.some((id) => {
      const { raft, conf } = this.hosts[id - 1]!;
      const asked = [...conf.voters, ...conf.votersOutgoing];
      return raft && removed.some((other) => asked.includes(other.id) && !other.raft!.log.isUpToDate(raft.log.lastIndex(), raft.log.lastTerm()));
    });
  }
}
