/**
 * How long a group is without a leader when its leader dies, and how often members stand for election
 * although it lives: the figures of paper 9.3 (figure 16), for a preset of time-outs.
 */
import { PRESETS, type Preset } from '../config.ts';
import type { ConfState, Message, NodeId } from '../types.ts';
import { Checks } from './checks.ts';
import { Host } from './host.ts';
import { Luck } from './luck.ts';
import { type Swarm, swarmOf } from './swarm.ts';
import { Timeline } from './timeline.ts';

export interface ElectionOptions {
  readonly preset: Preset;
  readonly members: number;
  /** One way, microseconds. */
  readonly latency: readonly [number, number];
  /** Messages lost, in a thousand. */
  readonly loss: number;
  readonly preVote: boolean;
}

/** A group that does nothing but have leaders; its members' ticks are not in step. */
class Electorate {
  readonly timeline = new Timeline();
  private readonly luck: Luck;
  private readonly checks = new Checks();
  private readonly hosts: Host[];
  /** Candidacies, pre-votes not counted, and the greatest term anybody stood in. */
  candidacies = 0;

  constructor(
    seed: number,
    private readonly options: ElectionOptions,
  ) {
    this.luck = new Luck(seed);
    const { heartbeat, election } = PRESETS[options.preset];
    const heartbeats = Math.floor(election / heartbeat) === election / heartbeat;
    // etcd ticks once a heartbeat; presets whose times do not divide need finer ticks.
    const tick = heartbeats ? heartbeat : 10;
    const swarm: Swarm = {
      ...swarmOf(1, {}),
      members: options.members,
      preVote: options.preVote,
      checkQuorum: true,
      asyncStorageWrites: false,
      readOnly: 'safe',
      tick: tick * 1_000,
      heartbeatTick: heartbeat / tick,
      electionTick: election / tick,
      fsync: [500, 1_500],
      parallelWrites: true,
      limits: { maxSizePerMsg: 1_048_576, maxInflightMsgs: 256, maxCommittedSizePerReady: 1_048_576, maxUncommittedEntriesSize: 0 },
    };
    const voters = Array.from({ length: options.members }, (_, i) => i + 1);
    const conf: ConfState = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const events = { send: (m: Message) => this.send(m), applied: () => {}, readable: () => {}, configured: () => {} };
    this.hosts = voters.map((id) => new Host(id, conf, swarm, this.timeline, this.luck, this.checks, events));
    for (const host of this.hosts) this.startAt(host, this.luck.below(swarm.tick));
  }

  private startAt(host: Host, delay: number): void {
    this.timeline.after(delay, () => host.start());
  }

  private send(m: Message): void {
    const { luck, options, hosts } = this;
    if (m.type === 'MsgVote' && m.to === (m.from === 1 ? 2 : 1)) this.candidacies++;
    if (luck.chance(options.loss)) return;
    this.timeline.after(luck.between(options.latency[0], options.latency[1]), () => hosts[(m.to as NodeId) - 1]!.receive((raft) => raft.step(m)));
  }

  get leader(): Host | undefined {
    return this.hosts.find(({ raft }) => raft?.role === 'Leader');
  }

  run(duration: number): void {
    const until = this.timeline.now + duration;
    while (this.timeline.step(until));
  }

  /** Microseconds until somebody else leads, and in how many terms somebody stood in vain. The dead comes back later. */
  crashLeader(): { time: number; splits: number } {
    while (!this.leader) this.run(10_000);
    this.run(this.luck.between(2_000_000, 3_000_000));
    const dead = this.leader!;
    const term = dead.raft!.term;
    dead.crash();
    const from = this.timeline.now;
    const until = from + 60_000_000;
    while (!this.leader && this.timeline.step(until));
    const time = this.timeline.now - from;
    const splits = (this.leader?.raft?.term ?? term + 1) - term - 1;
    this.startAt(dead, this.luck.between(100_000, 300_000));
    this.run(1_000_000);
    return { time, splits };
  }
}

/** Milliseconds without a leader for each of `crashes`, sorted, and the share of them with a split vote. */
export function electionTimes(seed: number, crashes: number, options: ElectionOptions): { times: number[]; splits: number } {
  const group = new Electorate(seed, options);
  const outcomes = Array.from({ length: crashes }, () => group.crashLeader());
  return { times: outcomes.map(({ time }) => time / 1_000).sort((a, b) => a - b), splits: outcomes.filter(({ splits }) => splits > 0).length / crashes };
}

/** Candidacies in an hour in which nothing goes wrong but that messages are lost. */
export function needlessCandidacies(seed: number, options: ElectionOptions): number {
  const group = new Electorate(seed, options);
  group.run(10_000_000);
  const before = group.candidacies;
  group.run(3_600_000_000);
  return group.candidacies - before;
}
