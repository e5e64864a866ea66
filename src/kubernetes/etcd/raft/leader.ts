/** What a leader does: copies its log to the followers, counts what is stored, confirms reads, hands over (paper 5.3, 5.4.2; thesis 3.10, 6.4). */
import { changesNobody } from './membership.ts';
import type { FollowerProgress } from './progress.ts';
import { committedIndex, voteResult } from './quorum.ts';
import type { RaftCore } from './raft.ts';
import { payloadSize } from './size.ts';
import type { Entry, Message, NodeId, RaftError } from './types.ts';

export function stepLeader(raft: RaftCore, m: Message): RaftError | undefined {
  const from = m.from as NodeId;
  // Hot: every append is answered by every follower.
  if (m.type === 'MsgAppResp') {
    const progress = raft.progress(from);
    if (!progress) return undefined;
    progress.recentActive = true;
    if (m.reject) handleRefusal(raft, m, progress);
    else handleAcknowledgement(raft, m, progress);
    return undefined;
  }
  switch (m.type) {
    case 'MsgBeat':
      broadcastHeartbeat(raft);
      return undefined;
    case 'MsgCheckQuorum':
      checkQuorum(raft);
      return undefined;
    case 'MsgForgetLeader':
      return undefined;
    case 'MsgProp':
      return handleProposal(raft, m);
    case 'MsgReadIndex':
      handleRead(raft, m);
      return undefined;
  }
  const progress = raft.progress(from);
  if (!progress) return undefined;
  switch (m.type) {
    case 'MsgHeartbeatResp':
      handleHeartbeatAnswer(raft, m, progress);
      break;
    case 'MsgSnapStatus':
      if (progress.state !== 'Snapshot') break;
      if (m.reject) progress.pendingSnapshot = 0;
      progress.becomeProbe();
      // Wait for the follower's own word, or a heartbeat's time, before sending more.
      progress.flowPaused = true;
      break;
    case 'MsgUnreachable':
      // Appends streamed ahead are probably lost.
      if (progress.state === 'Replicate') progress.becomeProbe();
      break;
    case 'MsgTransferLeader':
      handleTransfer(raft, from, progress);
      break;
  }
  return undefined;
}

// ---- replication (paper 5.3) ----

function handleProposal(raft: RaftCore, m: Message): RaftError | undefined {
  // A removed leader may not extend the log, and neither may one that is handing over (thesis 3.10).
  if (!raft.progress(raft.id) || raft.leadTransferee !== 0) return 'raft proposal dropped';
  const { entries = [] } = m;
  const checked = entries.some(({ confChange }) => confChange)
    ? entries.map((entry, i) => (entry.confChange ? checkedChange(raft, entry, i) : entry))
    : entries;
  if (!raft.appendEntries(checked)) return 'raft proposal dropped';
  broadcastAppend(raft);
  return undefined;
}

/** Thesis 4.1: one membership change at a time. A change that comes too early, or fits not the present phase, is replaced by an empty entry. */
function checkedChange(raft: RaftCore, entry: Entry, offset: number): Entry {
  const joint = raft.configuration.outgoing.length > 0;
  const leave = changesNobody(entry.confChange!);
  const refused = raft.pendingConfIndex > raft.log.applied || joint !== leave;
  if (refused && !raft.config.disableConfChangeValidation) {
    raft.trace('reject', entry.index, 'conf');
    return { term: 0, index: 0, type: 'normal', data: '' };
  }
  raft.pendingConfIndex = raft.log.lastIndex() + offset + 1;
  return entry;
}

export function broadcastAppend(raft: RaftCore): void {
  for (const { id } of raft.peers) if (id !== raft.id) maybeSendAppend(raft, id, true);
}

/** Sends what the follower lacks, or an empty append that carries the commit index; false if it must wait or there is nothing to say. */
export function maybeSendAppend(raft: RaftCore, to: NodeId, evenIfEmpty: boolean): boolean {
  const progress = raft.progress(to)!;
  if (progress.paused) return false;
  const { log } = raft;
  const index = progress.next - 1;
  const logTerm = log.term(index);
  if (logTerm === undefined) return maybeSendSnapshot(raft, to, progress);
  const full = progress.state === 'Replicate' && progress.inflights.full();
  const entries = full ? [] : log.entriesFrom(progress.next, raft.config.maxSizePerMsg);
  if (entries === undefined) return maybeSendSnapshot(raft, to, progress);
  if (entries.length === 0 && !evenIfEmpty) return false;
  raft.send({ type: 'MsgApp', from: raft.id, to, term: raft.term, logTerm, index, entries, commit: log.committed });
  progress.sentEntries(entries.length, entries.length > 0 ? payloadSize(entries) : 0);
  progress.sentCommit = log.committed;
  return true;
}

/** Paper 7: the entries the follower needs are compacted, so it is sent the state they led to. */
function maybeSendSnapshot(raft: RaftCore, to: NodeId, progress: FollowerProgress): boolean {
  if (!progress.recentActive) return false;
  const snapshot = raft.log.snapshot();
  if (snapshot.index === 0) return false;
  progress.becomeSnapshot(snapshot.index);
  raft.send({ type: 'MsgSnap', from: raft.id, to, term: raft.term, snapshot });
  return true;
}

function handleAcknowledgement(raft: RaftCore, m: Message, progress: FollowerProgress): void {
  const from = m.from as NodeId;
  const index = m.index ?? 0;
  const news = progress.maybeUpdate(index);
  if (!news && !(progress.match === index && progress.state === 'Probe')) return;
  if (progress.state === 'Probe') progress.becomeReplicate();
  else if (progress.state === 'Replicate') progress.inflights.freeTo(index);
  else if (progress.match + 1 >= raft.log.firstIndex()) {
    // The follower caught up with what the log still holds, by the snapshot or without it.
    progress.becomeProbe();
    progress.becomeReplicate();
  }
  if (maybeCommit(raft)) {
    releaseEarlyReads(raft);
    // Followers learn of the commit at once, not with the next heartbeat.
    broadcastAppend(raft);
  } else if (from !== raft.id && progress.canBumpCommit(raft.log.committed)) maybeSendAppend(raft, from, true);
  if (from === raft.id) return;
  while (maybeSendAppend(raft, from, false));
  if (from === raft.leadTransferee && progress.match === raft.log.lastIndex()) sendTimeoutNow(raft, from);
}

/** Paper 5.3: after a refusal the leader goes back, here by a whole term at a time, until the logs agree. */
function handleRefusal(raft: RaftCore, m: Message, progress: FollowerProgress): void {
  let hint = m.rejectHint ?? 0;
  if ((m.logTerm ?? 0) > 0) hint = raft.log.findConflictByTerm(hint, m.logTerm!).index;
  if (!progress.maybeDecrease(m.index ?? 0, hint)) return;
  if (progress.state === 'Replicate') progress.becomeProbe();
  maybeSendAppend(raft, m.from as NodeId, true);
}

/** Paper 5.4.2, figure 8: only entries of the leader's own term are committed by counting; earlier ones with them. */
export function maybeCommit(raft: RaftCore): boolean {
  const index = committedIndex(raft.configuration, raft.matchOf);
  if (index <= raft.log.committed || raft.log.term(index) !== raft.term) return false;
  raft.log.commitTo(index);
  if (raft.config.trace) raft.config.trace({ at: 'commit', node: raft.id, index });
  return true;
}

// ---- heartbeats (paper 5.2) and the quorum check (thesis 6.2) ----

function broadcastHeartbeat(raft: RaftCore): void {
  const { committed } = raft.log;
  const { context } = raft.reads;
  for (const { id, progress } of raft.peers) {
    if (id === raft.id) continue;
    // Never beyond what the follower is known to hold: a heartbeat does not check the log.
    const commit = Math.min(progress.match, committed);
    raft.send(
      context
        ? { type: 'MsgHeartbeat', from: raft.id, to: id, term: raft.term, commit, context }
        : { type: 'MsgHeartbeat', from: raft.id, to: id, term: raft.term, commit },
    );
    progress.sentCommit = commit;
  }
}

function handleHeartbeatAnswer(raft: RaftCore, m: Message, progress: FollowerProgress): void {
  progress.recentActive = true;
  progress.flowPaused = false;
  if (progress.match < raft.log.lastIndex() || progress.state === 'Probe') maybeSendAppend(raft, m.from as NodeId, true);
  if (!m.context || raft.config.readOnly === 'lease-based') return;
  for (const read of raft.reads.acknowledge(m.from as NodeId, m.context, raft.configuration)) answerRead(raft, read.request, read.index);
}

/** Thesis 6.2: a leader that has not heard from a majority for an election timeout steps down, so that clients look elsewhere. */
function checkQuorum(raft: RaftCore): void {
  const active = (id: NodeId) => id === raft.id || (raft.progress(id)?.recentActive ?? false);
  if (voteResult(raft.configuration, active) !== 'won') raft.becomeFollower(raft.term, 0);
  for (const { id, progress } of raft.peers) if (id !== raft.id) progress.recentActive = false;
}

// ---- reads (thesis 6.4) ----

function handleRead(raft: RaftCore, m: Message): void {
  const { incoming, outgoing } = raft.configuration;
  if (incoming.length === 1 && outgoing.length === 0) answerRead(raft, m, raft.log.committed);
  else if (raft.log.term(raft.log.committed) !== raft.term) raft.earlyReads.push(m);
  else confirmRead(raft, m);
}

function confirmRead(raft: RaftCore, m: Message): void {
  if (raft.config.readOnly === 'lease-based') {
    answerRead(raft, m, raft.log.committed);
    return;
  }
  raft.reads.add(raft.log.committed, m, raft.id);
  broadcastHeartbeat(raft);
}

function releaseEarlyReads(raft: RaftCore): void {
  if (raft.earlyReads.length === 0 || raft.log.term(raft.log.committed) !== raft.term) return;
  const waiting = raft.earlyReads;
  raft.earlyReads = [];
  for (const m of waiting) confirmRead(raft, m);
}

function answerRead(raft: RaftCore, request: Message, index: number): void {
  if (request.from === 0 || request.from === raft.id) raft.readState(index, request.context ?? '');
  else raft.send({ type: 'MsgReadIndexResp', from: raft.id, to: request.from, term: raft.term, index, context: request.context ?? '' });
}

// ---- handing over (thesis 3.10) ----

function handleTransfer(raft: RaftCore, to: NodeId, progress: FollowerProgress): void {
  if (progress.learner || to === raft.leadTransferee) return;
  abortTransfer(raft);
  if (to === raft.id) return;
  // It should be done within one election timeout.
  raft.electionElapsed = 0;
  raft.leadTransferee = to;
  if (progress.match === raft.log.lastIndex()) sendTimeoutNow(raft, to);
  else {
    progress.flowPaused = false;
    maybeSendAppend(raft, to, true);
  }
}

function sendTimeoutNow(raft: RaftCore, to: NodeId): void {
  raft.send({ type: 'MsgTimeoutNow', from: raft.id, to, term: raft.term });
}

export function abortTransfer(raft: RaftCore): void {
  raft.leadTransferee = 0;
}
