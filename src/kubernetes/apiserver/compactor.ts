/**
 * Every five minutes an API server compacts etcd to where it stood five minutes before (upstream apiserver
 * `pkg/storage/etcd3/compact.go`): without it etcd would keep every version of every object for ever.
 *
 * Of several API servers only one does: they meet at a key outside of /registry, whose version is the number of the round.
 */
import { type Duration, minutes } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import { type EtcdClient, EtcdError } from '../etcd/api.ts';

const KEY = 'compact_rev_key';
/** `--etcd-compaction-interval`. */
const INTERVAL: Duration = minutes(5);

/** Goes on until `self` ends. */
export function startCompactor(self: Process, etcd: EtcdClient): void {
  let round = 0;
  /** Where the store stood a round ago; 0: not known, so nothing is compacted. */
  let then = 0;
  const turn = async (): Promise<void> => {
    const { header, succeeded, responses } = await etcd.txn({
      compare: [{ key: KEY, target: 'version', result: '=', operand: round }],
      success: [{ requestPut: { key: KEY, value: String(then) } }],
      failure: [{ requestRange: { key: KEY } }],
    });
    const before = then;
    then = header.revision;
    if (succeeded) {
      round++;
      if (before > 0) await etcd.compact({ revision: before });
      return;
    }
    // Somebody else was there first: next time, perhaps.
    const [answer] = responses;
    if (answer && 'responseRange' in answer) round = answer.responseRange.kvs[0]?.version ?? 0;
  };
  const tick = (): void => {
    self.trace.because(0);
    self.clock.after(INTERVAL, tick);
    turn().catch((error) => {
      // An etcd that does not answer is asked again next time; the revision may also have been compacted by somebody.
      if (!(error instanceof EtcdError)) throw error;
    });
  };
  self.clock.after(INTERVAL, tick);
}
