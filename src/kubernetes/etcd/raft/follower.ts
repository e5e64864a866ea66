/** What a follower does: it follows the leader's log, and passes on what only the leader may decide (paper 5.3, 7, 8). */
import { configurationOf } from './membership.ts';
import type { RaftCore } from './raft.ts';
import { switchTo } from './reconfigure.ts';
import type { Message, RaftError, Snapshot } from './types.ts';

export function stepFollower(raft: RaftCore, m: Message): RaftError | undefined {
  switch (m.type) {
    case 'MsgProp':
      if (raft.lead === 0 || raft.config.disableProposalForwarding) return 'raft proposal dropped';
      raft.send({ ...m, to: raft.lead });
      return undefined;
    case 'MsgApp':
      hearLeader(raft, m);
      handleAppend(raft, m);
      return undefined;
    case 'MsgHeartbeat':
      hearLeader(raft, m);
      raft.log.commitTo(m.commit ?? 0);
      raft.send(
        m.context
          ? { type: 'MsgHeartbeatResp', from: raft.id, to: m.from, term: raft.term, context: m.context }
          : { type: 'MsgHeartbeatResp', from: raft.id, to: m.from, term: raft.term },
      );
      return undefined;
    case 'MsgSnap':
      hearLeader(raft, m);
      handleSnapshot(raft, m);
      return undefined;
    case 'MsgTransferLeader':
      if (raft.lead !== 0) raft.send({ ...m, to: raft.lead, term: raft.term });
      return undefined;
    case 'MsgForgetLeader':
      // With lease reads the leader counts on us to remember it.
      if (raft.config.readOnly !== 'lease-based') raft.lead = 0;
      return undefined;
    case 'MsgReadIndex':
      if (raft.lead !== 0) raft.send({ ...m, to: raft.lead });
      return undefined;
    case 'MsgReadIndexResp':
      raft.readState(m.index ?? 0, m.context ?? '');
      return undefined;
    default:
      return undefined;
  }
}

function hearLeader(raft: RaftCore, m: Message): void {
  raft.electionElapsed = 0;
  raft.lead = m.from as number;
}

/** Paper figure 2, AppendEntries, receiver implementation. */
function handleAppend(raft: RaftCore, m: Message): void {
  const { log } = raft;
  const index = m.index ?? 0;
  const logTerm = m.logTerm ?? 0;
  const entries = m.entries ?? [];
  if (index < log.committed) {
    // An old message: what is committed here needs no checking.
    raft.send({ type: 'MsgAppResp', from: raft.id, to: m.from, term: raft.term, index: log.committed });
    return;
  }
  const { trace } = raft.config;
  const before = log.committed;
  const last = log.maybeAppend(index, logTerm, m.commit ?? 0, entries, trace && ((from) => trace({ at: 'truncate', node: raft.id, from })));
  if (last !== undefined) {
    if (trace && entries.length > 0) trace({ at: 'append', node: raft.id, index: last, term: raft.term, count: entries.length });
    if (trace && log.committed > before) trace({ at: 'commit', node: raft.id, index: log.committed });
    raft.send({ type: 'MsgAppResp', from: raft.id, to: m.from, term: raft.term, index: last });
    return;
  }
  // Paper 5.3: the refusal says where the logs may agree, so that a whole term is skipped at a time.
  const hint = log.findConflictByTerm(Math.min(index, log.lastIndex()), logTerm);
  trace?.({ at: 'reject', node: raft.id, index, logTerm, hint: hint.index, hintTerm: hint.term });
  raft.send({ type: 'MsgAppResp', from: raft.id, to: m.from, term: raft.term, index, reject: true, rejectHint: hint.index, logTerm: hint.term });
}

/** Paper 7, figure 13: InstallSnapshot. */
function handleSnapshot(raft: RaftCore, m: Message): void {
  const taken = m.snapshot !== undefined && restore(raft, m.snapshot);
  raft.send({ type: 'MsgAppResp', from: raft.id, to: m.from, term: raft.term, index: taken ? raft.log.lastIndex() : raft.log.committed });
}

/** False when the snapshot brings nothing new, or was not meant for us. */
function restore(raft: RaftCore, snapshot: Snapshot): boolean {
  const { log } = raft;
  if (snapshot.index <= log.committed) return false;
  const { voters, learners, votersOutgoing } = snapshot.conf;
  if (!voters.includes(raft.id) && !learners.includes(raft.id) && !votersOutgoing.includes(raft.id)) return false;
  if (log.matchTerm(snapshot.index, snapshot.term)) {
    // Figure 13, step 6: the log holds the snapshot's last entry, so only the commit index was behind.
    log.commitTo(snapshot.index);
    return false;
  }
  log.restore(snapshot);
  raft.peers = [];
  switchTo(raft, configurationOf(snapshot.conf));
  raft.progress(raft.id)?.maybeUpdate(log.lastIndex());
  return true;
}
