/** The story of the members in sentences: of one moment (what a picture means), and of what happens (what a fact says). */
import type { ConsensusMember, ConsensusPicture, RaftFlight, WireWeather } from '../../hosts/protocol.ts';
import type { Fact } from '../../sim/trace.ts';

export const majority = (voters: number): number => Math.floor(voters / 2) + 1;

/** Voting members that a member can speak with in both directions, itself among them. */
export function reachable(picture: Pick<ConsensusPicture, 'members' | 'cut'>, from: ConsensusMember): readonly string[] {
  const cut = new Set(picture.cut.map(([a, b]) => `${a}>${b}`));
  return from.voters.filter((name) => {
    const other = picture.members.find((member) => member.name === name);
    return other?.state === 'running' && (name === from.name || !(cut.has(`${from.name}>${name}`) || cut.has(`${name}>${from.name}`)));
  });
}

export type Mood = 'calm' | 'busy' | 'bad';
/** The state of the group in one sentence. */
export function headline(picture: Pick<ConsensusPicture, 'members' | 'cut'>): { readonly mood: Mood; readonly sentence: string } {
  const running = picture.members.filter(({ state }) => state === 'running');
  const leaders = running.filter(({ role }) => role === 'Leader').sort((a, b) => b.term - a.term);
  const [leader, stale] = leaders;
  if (leader && stale)
    return {
      mood: 'bad',
      sentence: `Two leaders: ${leader.name} of term ${leader.term}; ${stale.name} of term ${stale.term} is stale, and nothing it takes can be committed.`,
    };
  if (leader) {
    const heard = reachable(picture, leader).length;
    const needed = majority(leader.voters.length);
    if (heard < needed)
      return {
        mood: 'bad',
        sentence: `${leader.name} holds itself for leader of term ${leader.term}, but reaches ${heard} of ${leader.voters.length}: nothing can be committed.`,
      };
    return { mood: 'calm', sentence: `${leader.name} leads term ${leader.term}. ${heard} of ${leader.voters.length} members hear it; ${needed} are needed.` };
  }
  const standing = running.filter(({ role }) => role === 'Candidate');
  if (standing.length > 1 && standing.every(({ term }) => term === standing[0]!.term))
    return {
      mood: 'busy',
      sentence: `The vote of term ${standing[0]!.term} is split: ${standing.map(({ name, votes }) => `${name} has ${votes.filter(({ granted }) => granted).length}`).join(', ')}; ${majority(standing[0]!.voters.length)} are needed.`,
    };
  if (standing[0]) return { mood: 'busy', sentence: `${standing[0].name} stands for election in term ${standing[0].term}.` };
  const asking = running.find(({ role }) => role === 'PreCandidate');
  const best = running.reduce((most, member) => Math.max(most, reachable(picture, member).length), 0);
  const voters = running[0]?.voters.length ?? picture.members.length;
  if (best < majority(voters))
    return { mood: 'bad', sentence: `No leader: at most ${best} of ${voters} members can speak with each other; ${majority(voters)} are needed to elect one.` };
  if (asking) return { mood: 'busy', sentence: `${asking.name} asks the others whether they would vote for it in term ${asking.term + 1}.` };
  return { mood: 'busy', sentence: 'No leader yet: the members wait for an election timer to run out.' };
}

const ROLE = { Leader: 'became leader', Candidate: 'became candidate', PreCandidate: 'asks for votes before standing', Follower: 'became follower' } as const;
const nameOf = (fact: Fact): string => fact.about.slice(fact.about.lastIndexOf('/') + 1) || fact.by.slice(fact.by.indexOf('@') + 1);
const text = (fact: Fact, key: string): string => String(fact.data[key] ?? '');

/** Facts the story is told from. */
export const TOLD = ['raft.role', 'raft.vote', 'raft.truncate', 'raft.snapshot', 'etcd.member', 'etcd.removed', 'etcd.fatal', 'fault'];
/** Those worth a screen reader's time. */
export const SPOKEN = new Set(['raft.role', 'raft.truncate', 'etcd.member', 'etcd.removed', 'etcd.fatal']);

export function sentenceOf(fact: Fact): string | undefined {
  switch (fact.type) {
    case 'raft.role': {
      const role = text(fact, 'role') as keyof typeof ROLE;
      if (role === 'Follower' && text(fact, 'was') === 'Leader') return `${nameOf(fact)} steps down: term ${text(fact, 'term')}.`;
      if (role === 'PreCandidate')
        return `${nameOf(fact)} heard of no leader: it asks whether the others would vote for it in term ${Number(fact.data['term']) + 1}.`;
      return `${nameOf(fact)} ${ROLE[role] ?? role} of term ${text(fact, 'term')}.`;
    }
    case 'raft.vote':
      return text(fact, 'for') === nameOf(fact)
        ? `${nameOf(fact)} votes for itself in term ${text(fact, 'term')}.`
        : `${nameOf(fact)} votes for ${text(fact, 'for') || 'nobody'} in term ${text(fact, 'term')}.`;
    case 'raft.truncate':
      return `${nameOf(fact)} takes back its entries from ${text(fact, 'from')} on: they were never committed, and the leader has others.`;
    case 'raft.snapshot':
      return `${nameOf(fact)} sends ${text(fact, 'to')} a snapshot up to ${text(fact, 'index')}: the entries it lacks are gone.`;
    case 'etcd.member':
      return `Members: ${text(fact, 'action')} ${nameOf(fact)}.`;
    case 'etcd.removed':
      return `${nameOf(fact)} was removed from the cluster and ends.`;
    case 'etcd.fatal':
      return `${nameOf(fact)} ends: ${text(fact, 'message')}.`;
    case 'fault': {
      const { kind, ...rest } = fact.data;
      const about = Object.values(rest).map((value) =>
        Array.isArray(value) ? value.map((group) => (Array.isArray(group) ? group.join(' ') : String(group))).join(' | ') : String(value),
      );
      return `You: ${String(kind)} ${about.join(' ')}`.trim();
    }
    default:
      return undefined;
  }
}

/** A term with two candidates and no leader is over when one of them asks again: said once. */
export class SplitVotes {
  private readonly votes = new Map<number, Map<string, number>>();
  private readonly settled = new Set<number>();

  /** What the fact says about a vote that was split, if it does. */
  take(fact: Fact): string | undefined {
    const term = Number(fact.data['term']);
    if (fact.type === 'raft.vote') {
      const tally = this.votes.get(term) ?? new Map<string, number>();
      const candidate = text(fact, 'for');
      tally.set(candidate, (tally.get(candidate) ?? 0) + 1);
      this.votes.set(term, tally);
      if (this.votes.size > 32) this.votes.delete(this.votes.keys().next().value!);
      return undefined;
    }
    if (fact.type !== 'raft.role') return undefined;
    if (fact.data['role'] === 'Leader') this.settled.add(term);
    if (fact.data['was'] !== 'Candidate' || fact.data['role'] === 'Leader') return undefined;
    for (const [past, tally] of this.votes) {
      if (past > term || this.settled.has(past) || tally.size < 2) continue;
      this.settled.add(past);
      return `Split vote in term ${past}: ${[...tally].map(([name, count]) => `${name} had ${count}`).join(', ')}. Nobody won; the timers are drawn anew.`;
    }
    return undefined;
  }
}

const SHORT: Readonly<Record<string, string>> = {
  MsgVote: 'V',
  MsgVoteResp: 'v',
  MsgPreVote: 'P',
  MsgPreVoteResp: 'p',
  MsgApp: 'A',
  MsgAppResp: 'a',
  MsgSnap: 'S',
  MsgHeartbeat: 'H',
  MsgHeartbeatResp: 'h',
  MsgTimeoutNow: 'T',
  MsgProp: 'W',
  MsgReadIndex: 'R',
  MsgReadIndexResp: 'r',
};
/** Two letters at most, for a tag: V, v✓, A, a✓, S, H. */
export function tagOf({ kind, reject }: { readonly kind: string; readonly reject: boolean }): string {
  const letter = SHORT[kind] ?? '·';
  return /VoteResp|AppResp/.test(kind) ? `${letter}${reject ? '✕' : '✓'}` : letter;
}
const WORDS: Readonly<Record<string, string>> = {
  MsgVote: 'asks for a vote',
  MsgPreVote: 'asks whether a vote would be given',
  MsgApp: 'entries',
  MsgSnap: 'snapshot',
  MsgHeartbeat: 'heartbeat',
  MsgHeartbeatResp: 'heartbeat heard',
  MsgTimeoutNow: 'stand for election now',
  MsgProp: 'a write for the leader',
  MsgReadIndex: 'may I read?',
  MsgReadIndexResp: 'read up to here',
};
export function wordsOf({ kind, reject, entries }: { readonly kind: string; readonly reject: boolean; readonly entries: number }): string {
  if (kind === 'MsgApp') return entries === 0 ? 'nothing new (append)' : `${entries} ${entries === 1 ? 'entry' : 'entries'} (append)`;
  if (kind === 'MsgAppResp') return reject ? 'entries refused' : 'entries on disk';
  if (kind === 'MsgVoteResp') return reject ? 'vote refused' : 'vote given';
  if (kind === 'MsgPreVoteResp') return reject ? 'would not vote for you' : 'would vote for you';
  return WORDS[kind] ?? kind;
}

/** What a message says beside its term, as its kind means it (paper, figure 2). */
export function messageFacts({ kind, index, logTerm, commit, entries, reject }: RaftFlight): readonly (readonly [name: string, value: string])[] {
  const at = `${index ?? 0} of term ${logTerm ?? 0}`;
  switch (kind) {
    case 'MsgApp':
      return [
        ['Entries', entries === 0 ? 'none' : entries === 1 ? `${(index ?? 0) + 1}` : `${(index ?? 0) + 1} to ${(index ?? 0) + entries}`],
        ['They follow', at],
        ['Committed', `up to ${commit ?? 0}`],
      ];
    case 'MsgAppResp':
      return [reject ? ['Refused', `its log has no entry ${index ?? 0} of that term`] : ['On disk', `up to ${index ?? 0}`]];
    case 'MsgVote':
    case 'MsgPreVote':
      return [['Its last entry', at]];
    case 'MsgHeartbeat':
      return [['Committed', `up to ${commit ?? 0}`]];
    default:
      return [];
  }
}

export const LEGEND: readonly (readonly [tag: string, means: string])[] = [
  ['P p', 'pre-vote asked, answered'],
  ['V v', 'vote asked, answered'],
  ['A a', 'append, answered'],
  ['H h', 'heartbeat, answered'],
  ['S', 'snapshot'],
  ['W', 'write sent on to the leader'],
];

/** `350 µs`, `142 ms`, `2.4 s`. */
export function span(micros: number): string {
  if (micros < 1_000) return `${micros} µs`;
  if (micros < 1_000_000) return `${Math.round(micros / 1_000)} ms`;
  return `${Math.round(micros / 100_000) / 10} s`;
}

/** What a member is, in words. */
export function roleWord({ state, role, learner }: Pick<ConsensusMember, 'state' | 'role' | 'learner'>): string {
  if (state === 'off') return 'no power';
  if (state !== 'running') return state;
  if (learner) return 'learner';
  return { Leader: 'leader', Follower: 'follower', Candidate: 'candidate', PreCandidate: 'pre-candidate' }[role];
}
export const untilElection = ({ elapsed, timeout, tickMicros }: ConsensusMember): number => Math.max(0, timeout - elapsed) * tickMicros;

/** `1 s to 1.9 s`: an election timeout is a whole number of ticks, from the shortest to just below twice as long. */
export const drawnFrom = ({ election, tickMicros }: Pick<ConsensusMember, 'election' | 'tickMicros'>): string =>
  `${span(election)} to ${span(2 * election - tickMicros)}`;

/** `loses 30 %, doubles 10 %, late by up to 50 ms`; empty in fair weather. */
export function weatherWords({ loss, duplicate, reorder }: Pick<WireWeather, 'loss' | 'duplicate' | 'reorder'>): string {
  return [loss > 0 ? `loses ${loss} %` : '', duplicate > 0 ? `doubles ${duplicate} %` : '', reorder > 0 ? `late by up to ${span(reorder)}` : '']
    .filter(Boolean)
    .join(', ');
}
