/**
 * Ready, the only way out of a member: what is to be written, sent and applied.
 *
 * Messages that promise something (acknowledgements, votes) wait until what they promise is on disk
 * (paper figure 2: "updated on stable storage before responding"; thesis 3.8). There are two ways to wait:
 *
 * - The host carries out one Ready after the other and calls `advance`: those messages are in `messages`,
 *   which leave after the write, and the member's own acknowledgements are stepped by `advance`.
 * - `asyncStorageWrites`: the Ready carries MsgStorageAppend and MsgStorageApply to two local threads, each
 *   with the `responses` to deliver when it is done; meanwhile the member goes on.
 *
 * Both are those of etcd-io/raft, rawnode.go.
 */
import type { RaftCore } from './raft.ts';
import { entriesSize, payloadSize } from './size.ts';
import type { Entry, HardState, Message, Ready, Snapshot, SoftState } from './types.ts';

type ReadState = Ready['readStates'][number];

const NO_MESSAGES: Message[] = [];
const NO_READS: ReadState[] = [];
const NOTHING_TO_WRITE = { index: 0, term: 0 };

/** What `advance` will confirm: the answers the two threads would give. One object for good, filled anew by every Ready. */
interface Outstanding {
  /** A Ready is out that `advance` was not called for. */
  out: boolean;
  own: readonly Message[];
  term: number;
  index: number;
  logTerm: number;
  snapshot: Snapshot | undefined;
  applied: readonly Entry[];
}
const NO_ENTRIES: readonly Entry[] = [];

export class Outbox {
  private messages = NO_MESSAGES;
  private afterAppend = NO_MESSAGES;
  private readStates = NO_READS;
  private lastSoft: SoftState;
  private lastHard: HardState;
  private readonly outstanding: Outstanding = { out: false, own: NO_MESSAGES, term: 0, index: 0, logTerm: 0, snapshot: undefined, applied: NO_ENTRIES };

  constructor(private readonly raft: RaftCore) {
    this.lastSoft = { lead: raft.lead, role: raft.role };
    this.lastHard = { term: raft.term, vote: raft.vote, commit: raft.log.committed };
  }

  /** Queues a message; acknowledgements and votes wait for the disk. */
  send(m: Message): void {
    if (m.type === 'MsgAppResp' || m.type === 'MsgVoteResp' || m.type === 'MsgPreVoteResp') {
      if (this.afterAppend === NO_MESSAGES) this.afterAppend = [m];
      else this.afterAppend.push(m);
    } else if (this.messages === NO_MESSAGES) this.messages = [m];
    else this.messages.push(m);
  }

  readState(state: ReadState): void {
    if (this.readStates === NO_READS) this.readStates = [state];
    else this.readStates.push(state);
  }

  hasReady(): boolean {
    const { log } = this.raft;
    return (
      this.messages !== NO_MESSAGES ||
      this.afterAppend !== NO_MESSAGES ||
      log.hasNextUnstable() ||
      log.hasNextCommitted() ||
      this.readStates !== NO_READS ||
      this.hardChanged() ||
      this.softChanged()
    );
  }

  private hardChanged(): boolean {
    const { lastHard: last, raft } = this;
    return last.commit !== raft.log.committed || last.term !== raft.term || last.vote !== raft.vote;
  }

  private softChanged(): boolean {
    return this.lastSoft.lead !== this.raft.lead || this.lastSoft.role !== this.raft.role;
  }

  /** What has come up since the last call. */
  ready(): Ready {
    const { raft } = this;
    const { log } = raft;
    if (this.outstanding.out) throw new Error('raft: two accepted Ready structs without call to Advance');
    const entries = log.nextUnstable();
    const committedEntries = log.nextCommitted();
    const ready: Ready = {
      entries,
      committedEntries,
      messages: this.messages,
      readStates: this.readStates,
      // Only a new commit index may be lost in a crash: it can be learned again.
      mustSync: entries.length > 0 || this.lastHard.term !== raft.term || this.lastHard.vote !== raft.vote,
    };
    const snapshot = log.nextSnapshot();
    if (snapshot) ready.snapshot = snapshot;
    if (this.softChanged()) ready.softState = this.lastSoft = { lead: raft.lead, role: raft.role };
    if (this.hardChanged()) ready.hardState = this.lastHard = { term: raft.term, vote: raft.vote, commit: log.committed };
    if (raft.config.asyncStorageWrites) this.addressThreads(ready);
    else this.addPromises(ready);
    this.messages = NO_MESSAGES;
    this.afterAppend = NO_MESSAGES;
    this.readStates = NO_READS;
    log.acceptUnstable();
    if (committedEntries.length > 0) log.acceptApplying(committedEntries[committedEntries.length - 1]!.index, this.sizeOf(committedEntries));
    return ready;
  }

  // ---- the host waits itself ----

  private addPromises(ready: Ready): void {
    const { raft, afterAppend, outstanding } = this;
    let own = NO_MESSAGES;
    // The array is the Ready's from now on; the shared empty one is nobody's. Hot: mostly there is one promise, and its array is passed on.
    if (afterAppend.length === 1 && afterAppend[0]!.to === raft.id) own = afterAppend;
    else if (ready.messages === NO_MESSAGES && afterAppend.length === 1) ready.messages = afterAppend;
    else {
      let messages = ready.messages;
      for (const m of afterAppend) {
        if (m.to === raft.id) {
          if (own === NO_MESSAGES) own = [m];
          else own.push(m);
        } else if (messages === NO_MESSAGES) messages = [m];
        else messages.push(m);
      }
      ready.messages = messages;
    }
    const last = this.lastToWrite();
    outstanding.out = true;
    outstanding.own = own;
    outstanding.term = raft.term;
    outstanding.index = last.index;
    outstanding.logTerm = last.term;
    outstanding.snapshot = ready.snapshot;
    outstanding.applied = ready.committedEntries;
  }

  /** The host has persisted, sent and applied the last Ready. */
  advance(): void {
    const { raft, outstanding: done } = this;
    if (raft.config.asyncStorageWrites) throw new Error('raft: Advance must not be called when using AsyncStorageWrites');
    if (!done.out) return;
    done.out = false;
    for (const m of done.own) raft.handle(m);
    if (done.index > 0 || done.snapshot) this.appended(done.term, done.index, done.logTerm, done.snapshot);
    if (done.applied.length > 0) this.applied(done.applied);
  }

  /** Index 0 when nothing waits for the disk. */
  private lastToWrite(): { index: number; term: number } {
    const { unstable } = this.raft.log;
    return unstable.length > 0 ? unstable[unstable.length - 1]! : NOTHING_TO_WRITE;
  }

  // ---- two threads wait ----

  private addressThreads(ready: Ready): void {
    const { id } = this.raft;
    const { entries, hardState, snapshot, committedEntries } = ready;
    const local: Message[] = [];
    if (entries.length > 0 || hardState || snapshot || this.afterAppend !== NO_MESSAGES) {
      const append: Message = { type: 'MsgStorageAppend', from: id, to: 'append', term: 0, entries, responses: this.appendResponses(snapshot) };
      if (hardState) Object.assign(append, hardState);
      if (snapshot) append.snapshot = snapshot;
      local.push(append);
    }
    if (committedEntries.length > 0) {
      // Committed is committed whatever the term, so these two carry none.
      const response: Message = { type: 'MsgStorageApplyResp', from: 'apply', to: id, term: 0, entries: committedEntries };
      local.push({ type: 'MsgStorageApply', from: id, to: 'apply', term: 0, entries: committedEntries, responses: [response] });
    }
    if (local.length > 0) ready.messages = ready.messages.concat(local);
  }

  /**
   * What to deliver once this write, and all before it, is on disk.
   *
   * The last response tells of the log's present end even if this write did not carry it, and of the
   * present term: an answer of an earlier term is not believed, because a later leader's entries may be on
   * their way to overwrite what it speaks of (the ABA problem of rawnode.go, newStorageAppendRespMsg).
   */
  private appendResponses(snapshot: Snapshot | undefined): Message[] {
    const { id, term } = this.raft;
    const responses = this.afterAppend.slice();
    const last = this.lastToWrite();
    if (last.index === 0 && !snapshot) return responses;
    const response: Message = { type: 'MsgStorageAppendResp', from: 'append', to: id, term };
    if (last.index > 0) {
      response.index = last.index;
      response.logTerm = last.term;
    }
    if (snapshot) response.snapshot = snapshot;
    responses.push(response);
    return responses;
  }

  // ---- the answers ----

  /** The disk holds everything up to `index`, if the term has not changed since; and the snapshot in any case, because it holds only what is committed. */
  appended(term: number, index: number, logTerm: number, snapshot: Snapshot | undefined): void {
    const { raft } = this;
    if (index > 0 && term === raft.term) raft.log.stableTo(index, logTerm);
    if (!snapshot) return;
    raft.log.stableSnapshotTo(snapshot.index);
    raft.appliedTo(snapshot.index, 0);
  }

  /** Measured only where there is a limit. */
  private sizeOf(entries: readonly Entry[]): number {
    return this.raft.log.maxApplyingSize === Number.POSITIVE_INFINITY ? 0 : entriesSize(entries);
  }

  /** The state machine has taken these entries. */
  applied(entries: readonly Entry[]): void {
    const { raft } = this;
    raft.appliedTo(entries[entries.length - 1]!.index, this.sizeOf(entries));
    if (raft.uncommittedSize > 0) raft.uncommittedSize = Math.max(0, raft.uncommittedSize - payloadSize(entries));
  }
}
