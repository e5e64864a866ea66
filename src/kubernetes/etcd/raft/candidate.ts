/** Elections, seen by who stands for one and by who is asked (paper 5.2, 5.4.1). */
import { stepFollower } from './follower.ts';
import { broadcastAppend } from './leader.ts';
import { voteResult, voterIds } from './quorum.ts';
import type { RaftCore } from './raft.ts';
import type { Message, RaftError } from './types.ts';

/** Context of a vote request that a leader ordered itself; it passes the lease of thesis 4.2.3. */
export const CAMPAIGN_TRANSFER = 'CampaignTransfer';

export type Campaign = 'pre-election' | 'election' | 'transfer';

/** Asks every voter, itself included: its own vote counts when it is on disk. */
export function campaign(raft: RaftCore, kind: Campaign): void {
  const pre = kind === 'pre-election';
  if (pre) raft.becomePreCandidate();
  else raft.becomeCandidate();
  // Thesis 9.6: a pre-vote asks about the term to come.
  const term = pre ? raft.term + 1 : raft.term;
  const index = raft.log.lastIndex();
  const logTerm = raft.log.lastTerm();
  for (const id of voterIds(raft.configuration)) {
    if (id === raft.id) raft.send({ type: pre ? 'MsgPreVoteResp' : 'MsgVoteResp', from: id, to: id, term });
    else {
      const request: Message = { type: pre ? 'MsgPreVote' : 'MsgVote', from: raft.id, to: id, term, index, logTerm };
      if (kind === 'transfer') request.context = CAMPAIGN_TRANSFER;
      raft.send(request);
    }
  }
}

export function stepCandidate(raft: RaftCore, m: Message): RaftError | undefined {
  switch (m.type) {
    case 'MsgProp':
      return 'raft proposal dropped';
    case 'MsgApp':
    case 'MsgHeartbeat':
    case 'MsgSnap':
      // Paper 5.2: another has won this term.
      raft.becomeFollower(m.term, m.from as number);
      return stepFollower(raft, m);
    case 'MsgVoteResp':
    case 'MsgPreVoteResp': {
      const pre = raft.role === 'PreCandidate';
      if ((m.type === 'MsgPreVoteResp') !== pre) return undefined;
      const from = m.from as number;
      if (!raft.votes.has(from)) raft.votes.set(from, !m.reject);
      const result = voteResult(raft.configuration, (id) => raft.votes.get(id));
      if (result === 'won' && pre) campaign(raft, 'election');
      else if (result === 'won') {
        raft.becomeLeader();
        broadcastAppend(raft);
      } else if (result === 'lost') raft.becomeFollower(raft.term, 0);
      return undefined;
    }
    default:
      return undefined;
  }
}

/** Paper 5.2 and 5.4.1: one vote per term, first come first served, and only for a log at least as up-to-date as ours. */
export function answerVote(raft: RaftCore, m: Message): void {
  const from = m.from as number;
  const pre = m.type === 'MsgPreVote';
  const free = raft.vote === from || (raft.vote === 0 && raft.lead === 0) || (pre && m.term > raft.term);
  const type = pre ? 'MsgPreVoteResp' : 'MsgVoteResp';
  if (free && raft.log.isUpToDate(m.index ?? 0, m.logTerm ?? 0)) {
    // A pre-vote is granted for the term asked about, which need not be ours.
    raft.send({ type, from: raft.id, to: from, term: m.term });
    if (pre) return;
    raft.electionElapsed = 0;
    raft.vote = from;
    raft.trace('vote', from);
  } else {
    raft.trace('reject', from, free ? 'log' : 'voted');
    raft.send({ type, from: raft.id, to: from, term: raft.term, reject: true });
  }
}
