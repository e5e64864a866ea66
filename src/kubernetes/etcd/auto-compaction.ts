/**
 * `--auto-compaction-mode` and `--auto-compaction-retention` (etcd server/etcdserver/api/v3compactor): the leader compacts by
 * itself, either what is older than a time or all but so many revisions.
 */
import { type Duration, hours, minutes } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { Member } from './member.ts';

export type AutoCompaction = { readonly mode: 'periodic'; readonly retention: Duration } | { readonly mode: 'revision'; readonly retention: number };

/** How often the number of revisions is looked at. */
const EVERY = minutes(5);
/** A period is cut into so many pieces. */
const PIECES = 10;

/** Goes on until `self` ends. */
export function startAutoCompaction(self: Process, member: Member, how: AutoCompaction): void {
  if (how.mode === 'revision') {
    let done = 0;
    const look = (): void => {
      self.clock.after(EVERY, look);
      const revision = member.store.revision - how.retention;
      if (member.raft.role !== 'Leader' || revision <= 0 || revision === done) return;
      compact(member, revision, () => {
        done = revision;
      });
    };
    self.clock.after(EVERY, look);
    return;
  }
  // What the store stood at, piece by piece; the oldest is a whole period old. From an hour on it is compacted every hour.
  const { retention } = how;
  const piece = Math.floor(Math.min(retention, hours(1)) / PIECES);
  const kept = Math.floor(retention / piece) + 1;
  const period = Math.min(retention, hours(1));
  const stood: number[] = [];
  let last = self.clock.now();
  const look = (): void => {
    self.clock.after(piece, look);
    stood.push(member.store.revision);
    if (stood.length > kept) stood.shift();
    const now = self.clock.now();
    if (stood.length < kept || now - last < period || member.raft.role !== 'Leader') return;
    compact(member, stood[0]!, () => {
      last = now;
    });
  };
  self.clock.after(piece, look);
}

function compact(member: Member, revision: number, done: () => void): void {
  // Somebody may have compacted further already.
  member.propose({ type: 'compact', revision }).then(done, done);
}
