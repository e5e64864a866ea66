/** One seed of the Raft fuzz, run in the browser as `npm run fuzz -- --seed N` runs it in Node: the same digest, or the same violation. */
import { type FuzzOptions, type FuzzResult, runFuzz } from '../kubernetes/etcd/raft/fuzz/fuzz.ts';

export interface FuzzRequest {
  readonly seed: number;
  readonly options: FuzzOptions;
}
export type FuzzAnswer = FuzzResult;

declare const self: { onmessage: ((event: { readonly data: FuzzRequest }) => void) | null; postMessage(answer: FuzzAnswer): void };
self.onmessage = ({ data }) => self.postMessage(runFuzz(data.seed, data.options));
