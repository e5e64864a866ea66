/**
 * What goes wrong in a run, drawn from its seed. Every seed has its own mix, with many faults left out, so
 * that rare combinations meet undisturbed (swarm testing: Groce et al., ISSTA 2012; TigerBeetle's VOPR).
 */
import { Luck } from './luck.ts';

/**
 * `mixed` and `storm` are for everything. `succession` has nothing but leaders that fall soon after they
 * rise, entry by entry: the setting of the paper's figure 8. `reshape` has memberships that change while the
 * group is cut in two, with as many newcomers as there may be.
 */
export const PROFILES = ['mixed', 'storm', 'succession', 'reshape'] as const;
export type Profile = (typeof PROFILES)[number];

export const FAULTS = [
  'crash',
  'crashAll',
  'pause',
  'slowDisk',
  'isolate',
  'isolateLeader',
  'split',
  'oneWay',
  'heal',
  'skew',
  'transfer',
  'campaign',
  'forget',
  'membership',
  'compact',
  'unreachable',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface FuzzOptions {
  /** First voters; 3 to 7. Drawn from the seed when absent. */
  readonly members?: number;
  readonly profile?: Profile;
  /** Leaders answer reads on their lease, and are judged by it: with clocks that run apart, stale reads will be found (thesis 6.4.1). */
  readonly trustLeases?: boolean;
}

/** Times in microseconds, chances in a thousand. */
export interface Swarm {
  readonly members: number;
  /** Members that may join later. */
  readonly spares: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly asyncStorageWrites: boolean;
  readonly readOnly: 'safe' | 'lease-based';
  readonly judgeReads: boolean;
  readonly tick: number;
  readonly heartbeatTick: number;
  readonly electionTick: number;
  readonly loss: number;
  readonly duplication: number;
  /** Every message takes this long at least, and up to the second. */
  readonly latency: readonly [number, number];
  /** Messages that take up to ten times as long, and so overtake or are overtaken. */
  readonly stragglers: number;
  readonly fsync: readonly [number, number];
  /** Whether appends leave while the leader's own write is under way (thesis 10.2.1). */
  readonly parallelWrites: boolean;
  readonly limits: { maxSizePerMsg: number; maxInflightMsgs: number; maxCommittedSizePerReady: number; maxUncommittedEntriesSize: number };
  readonly weights: readonly number[];
  readonly faultEvery: number;
  /** New leaders that are cut off or crash within a few messages: where unfinished terms pile up (paper figures 7 and 8). */
  readonly ambush: number;
  readonly faultsFor: number;
  readonly clients: number;
  readonly keys: number;
}

const ms = 1_000;

export function swarmOf(seed: number, options: FuzzOptions): Swarm {
  const swarm = drawn(seed, options);
  const only = (weights: Partial<Record<Fault, number>>): number[] => FAULTS.map((fault) => weights[fault] ?? 0);
  if (options.profile === 'reshape') {
    return {
      ...swarm,
      members: options.members ?? 3,
      spares: 4,
      checkQuorum: true,
      loss: 0,
      weights: only({ membership: 5, split: 4, isolateLeader: 1, crash: 1, heal: 4 }),
      faultEvery: swarm.tick * 12,
      ambush: 0,
    };
  }
  if (options.profile !== 'succession') return swarm;
  return {
    ...swarm,
    members: options.members ?? 5,
    preVote: false,
    checkQuorum: false,
    readOnly: 'safe',
    judgeReads: true,
    loss: 0,
    latency: [1_000, 10_000],
    fsync: [200, 1_000],
    limits: { ...swarm.limits, maxSizePerMsg: 0, maxInflightMsgs: 1 },
    weights: only({ crash: 1, isolateLeader: 1, heal: 1 }),
    ambush: 950,
    tick: 10 * ms,
    faultEvery: 400 * ms,
    faultsFor: 1_500 * 10 * ms,
  };
}

function drawn(seed: number, { members, profile = 'mixed', trustLeases = false }: FuzzOptions): Swarm {
  const luck = new Luck(seed * 2 + 1);
  const storm = profile === 'storm';
  const tick = luck.pick([10, 20, 50]) * ms;
  const leaseReads = luck.chance(100) || trustLeases;
  const checkQuorum = leaseReads || luck.chance(600);
  const preVote = luck.chance(500);
  const weights = FAULTS.map((fault) => {
    if (fault === 'heal') return 6;
    // With neither, a learner whose term is ahead of the leader's can tell nobody (etcd-io/raft, raft.go Step); etcd always checks the quorum.
    if (fault === 'membership' && !preVote && !checkQuorum) return 0;
    // Storms leave little out, and crash everything now and then.
    if (luck.chance(storm ? 100 : 400)) return 0;
    return fault === 'crashAll' ? 1 : luck.between(1, storm ? 8 : 5);
  });
  return {
    members: members ?? luck.pick([3, 3, 3, 4, 5, 5, 7]),
    spares: 2,
    preVote,
    checkQuorum,
    asyncStorageWrites: luck.chance(400),
    readOnly: leaseReads ? 'lease-based' : 'safe',
    judgeReads: !leaseReads || trustLeases,
    tick,
    heartbeatTick: luck.between(1, 3),
    electionTick: 10,
    loss: luck.pick(storm ? [0, 50, 150, 300] : [0, 0, 10, 50, 100]),
    duplication: luck.pick([0, 0, 20, 100]),
    latency: luck.pick([
      [500, 1_500],
      [1_000, 10_000],
      [5_000, 30_000],
    ] as const),
    stragglers: luck.pick([0, 20, 100]),
    fsync: luck.pick([
      [200, 1_000],
      [1_000, 8_000],
      [2_000, 40_000],
    ] as const),
    parallelWrites: luck.chance(500),
    limits: {
      maxSizePerMsg: luck.pick([0, 64, 4_096, 1_048_576]),
      maxInflightMsgs: luck.pick([1, 4, 256]),
      maxCommittedSizePerReady: luck.pick([1, 100, 1_048_576]),
      maxUncommittedEntriesSize: luck.pick([0, 0, 200]),
    },
    weights,
    faultEvery: tick * (storm ? 12 : 20),
    ambush: luck.pick(storm ? [0, 300, 900] : [0, 0, 0, 500]),
    faultsFor: tick * 1_000,
    clients: 5,
    keys: 3,
  };
}
