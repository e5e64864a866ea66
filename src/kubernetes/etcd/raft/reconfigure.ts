/**
 * A configuration comes into force: when its entry is applied, or with a snapshot (thesis 4; etcd-io/raft,
 * raft.go switchToConfig and confchange.go initProgress). Which one it is, membership.ts decides.
 */
import { abortTransfer, broadcastAppend, maybeCommit, maybeSendAppend } from './leader.ts';
import { type Configuration, confStateOf, memberIds } from './membership.ts';
import { FollowerProgress, Inflights } from './progress.ts';
import { isVoter } from './quorum.ts';
import type { Peer, RaftCore } from './raft.ts';
import type { ConfState } from './types.ts';

/** Takes a configuration in force: thesis 4.1 asks for the entry to be appended, etcd for it to be applied. */
export function switchTo(raft: RaftCore, next: Configuration): ConfState {
  raft.configuration = next;
  raft.peers = peersOf(raft);
  raft.isLearner = next.learners.includes(raft.id);
  const state = confStateOf(next);
  if (raft.config.trace) raft.config.trace({ at: 'conf', node: raft.id, ...state });
  if (raft.role !== 'Leader') return state;
  if (raft.isLearner || raft.progress(raft.id) === undefined) {
    // Thesis 4.2.2: a leader that is no longer a voter steps down.
    if (raft.config.stepDownOnRemoval) raft.becomeFollower(raft.term, 0);
    return state;
  }
  if (next.incoming.length === 0) return state;
  // A smaller quorum may commit more; whoever is new is told of the log at once.
  if (maybeCommit(raft)) broadcastAppend(raft);
  else for (const { id } of raft.peers) if (id !== raft.id) maybeSendAppend(raft, id, false);
  if (raft.leadTransferee !== 0 && !isVoter(next, raft.leadTransferee)) abortTransfer(raft);
  return state;
}

/** Everybody in the configuration; who was in it before keeps its progress. */
export function peersOf(raft: RaftCore): Peer[] {
  const { learners } = raft.configuration;
  const { maxInflightMsgs = 256, maxInflightBytes = 0 } = raft.config;
  return memberIds(raft.configuration).map((id): Peer => {
    const learner = learners.includes(id);
    const known = raft.peers.find((peer) => peer.id === id);
    if (known) {
      known.progress.learner = learner;
      return known;
    }
    const progress = new FollowerProgress(Math.max(raft.log.lastIndex(), 1), new Inflights(maxInflightMsgs, maxInflightBytes), learner);
    // So that checkQuorum does not count a newcomer as dead before it could speak.
    progress.recentActive = true;
    return { id, progress };
  });
}
