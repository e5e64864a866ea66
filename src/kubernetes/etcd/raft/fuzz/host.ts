/**
 * A member of a run: the core with its disk, its clock and its state machine, as a real host would drive
 * it, in both of the ways there are (ready.ts). A crash keeps the disk and nothing else.
 */
import { RaftCore } from '../raft.ts';
import type { ConfState, Entry, Message, NodeId, Ready, Snapshot, Storage } from '../types.ts';
import { Broken, type Checks } from './checks.ts';
import { Disk } from './disk.ts';
import type { Luck } from './luck.ts';
import { decode, Registers } from './state.ts';
import type { Swarm } from './swarm.ts';
import type { Timeline } from './timeline.ts';

export interface HostEvents {
  send(m: Message): void;
  /** `done` is what the state machine answered. */
  applied(host: Host, entry: Entry, done: boolean): void;
  readable(host: Host, context: string): void;
  configured(conf: ConfState, index: number): void;
}

const promises = ({ type }: Message): boolean => type === 'MsgAppResp' || type === 'MsgVoteResp' || type === 'MsgPreVoteResp';

export class Host {
  readonly disk: Disk;
  raft: RaftCore | undefined;
  registers: Registers;
  applied = 0;
  conf: ConfState;
  /** Ticks come so many thousandths as fast as they should. */
  rate = 1_000;
  pausedUntil = 0;
  private life = 0;
  private busy = false;
  private readonly applyQueue: Message[] = [];
  /** Reads that wait for their index to be applied. */
  private reads: { index: number; context: string }[] = [];

  constructor(
    readonly id: NodeId,
    conf: ConfState,
    private readonly swarm: Swarm,
    private readonly timeline: Timeline,
    private readonly luck: Luck,
    private readonly checks: Checks,
    private readonly events: HostEvents,
  ) {
    this.conf = conf;
    this.disk = new Disk(conf, timeline, luck, swarm.fsync);
    this.registers = new Registers(swarm.keys + 1);
  }

  start(): void {
    const { durable } = this.disk;
    const { swarm, luck } = this;
    const snapshot = durable.snapshot();
    // A snapshot holds only what is committed, whether or not the commit index reached the disk.
    const { hardState } = durable;
    if (hardState.commit < snapshot.index) durable.hardState = { ...hardState, commit: snapshot.index };
    this.load(snapshot);
    this.reads = [];
    this.applyQueue.length = 0;
    this.busy = false;
    const storage: Storage = {
      initialState: () => durable.initialState(),
      firstIndex: () => durable.firstIndex(),
      lastIndex: () => durable.lastIndex(),
      term: (index) => durable.term(index),
      entries: (lo, hi, maxBytes) => durable.entries(lo, hi, maxBytes),
      // A fresh one: an older may not even name its receiver.
      snapshot: () => this.snapshot(),
    };
    this.checks.restarted(this.id, durable.hardState);
    this.raft = new RaftCore(
      {
        id: this.id,
        electionTick: swarm.electionTick,
        heartbeatTick: swarm.heartbeatTick,
        preVote: swarm.preVote,
        checkQuorum: swarm.checkQuorum,
        asyncStorageWrites: swarm.asyncStorageWrites,
        readOnly: swarm.readOnly,
        stepDownOnRemoval: true,
        applied: snapshot.index,
        random: (n) => luck.below(n),
        ...swarm.limits,
      },
      storage,
    );
    this.tickLater(++this.life);
  }

  private load(snapshot: Snapshot): void {
    this.applied = snapshot.index;
    this.conf = snapshot.conf;
    this.registers.load(snapshot.data);
  }

  crash(): void {
    if (!this.raft) return;
    this.life++;
    this.raft = undefined;
    this.disk.crash();
  }

  private tickLater(life: number): void {
    this.timeline.after(Math.floor((this.swarm.tick * 1_000) / this.rate), () => {
      if (life !== this.life) return;
      this.awake(life, () => {
        this.raft!.tick();
        this.settle();
        this.tickLater(life);
      });
    });
  }

  /** Does something now, or when a paused process goes on; never after it died. */
  private awake(life: number, run: () => void): void {
    if (life !== this.life) return;
    if (this.timeline.now >= this.pausedUntil) run();
    else this.timeline.after(this.pausedUntil - this.timeline.now, () => this.awake(life, run));
  }

  /** A message or a request from outside. */
  receive(run: (raft: RaftCore) => void): void {
    if (!this.raft) return;
    this.awake(this.life, () => {
      run(this.raft!);
      this.settle();
    });
  }

  // ---- Ready ----

  private settle(): void {
    const raft = this.raft!;
    this.checks.member(raft);
    for (let rounds = 0; !this.busy && raft.hasReady(); rounds++) {
      if (rounds > 10_000) throw new Broken(`livelock: member ${this.id} has always something more to say`);
      const ready = raft.ready();
      this.checks.writes(raft, ready.entries);
      for (const read of ready.readStates) this.reads.push(read);
      if (this.swarm.asyncStorageWrites) this.dispatch(ready);
      else this.carryOut(raft, ready);
      this.checks.member(raft);
    }
    this.answerReads();
  }

  /** One Ready after the other. */
  private carryOut(raft: RaftCore, ready: Ready): void {
    const { hardState, snapshot, entries } = ready;
    const finish = (): void => {
      if (snapshot) this.load(snapshot);
      for (const entry of ready.committedEntries) this.apply(entry);
      raft.advance();
    };
    if (!ready.mustSync && !snapshot) {
      if (hardState) this.disk.note(hardState);
      for (const m of ready.messages) this.leave(m);
      finish();
      return;
    }
    const later = this.swarm.parallelWrites ? ready.messages.filter(promises) : ready.messages;
    if (this.swarm.parallelWrites) for (const m of ready.messages) if (!promises(m)) this.leave(m);
    this.busy = true;
    const { life } = this;
    this.disk.write({ entries, hardState, snapshot }, () =>
      this.awake(life, () => {
        this.busy = false;
        for (const m of later) this.leave(m);
        finish();
        this.settle();
      }),
    );
  }

  /** Two threads, and the member goes on. */
  private dispatch(ready: Ready): void {
    const { life } = this;
    for (const m of ready.messages) {
      if (m.to === 'append') {
        const hardState = m.commit === undefined ? undefined : { term: m.term, vote: m.vote ?? 0, commit: m.commit };
        this.disk.write({ entries: m.entries ?? [], hardState, snapshot: m.snapshot }, () =>
          this.awake(life, () => {
            if (m.snapshot) this.load(m.snapshot);
            for (const response of m.responses!) this.respond(response);
            this.settle();
          }),
        );
      } else if (m.to === 'apply') {
        this.applyQueue.push(m);
        if (this.applyQueue.length === 1) this.applyLater(life);
      } else this.leave(m);
    }
  }

  private applyLater(life: number): void {
    this.timeline.after(this.luck.between(50, 2_000), () =>
      this.awake(life, () => {
        const m = this.applyQueue.shift()!;
        for (const entry of m.entries!) this.apply(entry);
        for (const response of m.responses!) this.respond(response);
        if (this.applyQueue.length > 0) this.applyLater(life);
        this.settle();
      }),
    );
  }

  private respond(m: Message): void {
    if (m.to !== this.id) this.leave(m);
    else {
      if (m.type === 'MsgVoteResp' && !m.reject) this.checks.vote(this.id, this.id, m.term, this.disk.durable.hardState);
      this.raft!.step(m);
    }
  }

  private leave(m: Message): void {
    this.checks.leaves(m, this.disk.durable);
    this.events.send(m);
  }

  private apply(entry: Entry): void {
    // The other thread may have installed a snapshot meanwhile that has these entries in it.
    if (this.swarm.asyncStorageWrites && entry.index <= this.applied) return;
    this.checks.applies(this.id, entry, this.applied);
    this.applied = entry.index;
    if (entry.confChange) {
      if (this.raft!.log.unstableSnapshot) return;
      this.conf = this.raft!.applyConfChange(entry.confChange);
      this.events.configured(this.conf, entry.index);
      this.events.applied(this, entry, true);
    } else this.events.applied(this, entry, entry.data ? this.registers.apply(decode(entry.data)) : true);
  }

  private answerReads(): void {
    if (this.reads.length === 0) return;
    const waiting = this.reads;
    this.reads = waiting.filter(({ index }) => index > this.applied);
    for (const { index, context } of waiting) if (index <= this.applied) this.events.readable(this, context);
  }

  // ---- snapshots ----

  snapshot(): Snapshot {
    return { index: this.applied, term: this.raft?.log.term(this.applied) ?? 0, conf: this.conf, data: this.registers.save() };
  }

  /** Keeps the present state on disk and forgets the log before it, but for `keep` entries. */
  compact(keep: number): void {
    const { durable } = this.disk;
    if (
      !this.raft ||
      this.raft.log.unstableSnapshot ||
      this.applied <= durable.snapshot().index ||
      this.applied > durable.lastIndex() ||
      this.applied < durable.firstIndex()
    )
      return;
    durable.createSnapshot(this.applied, this.conf, this.registers.save());
    durable.compact(Math.max(this.applied - keep, durable.firstIndex() - 1));
  }
}
