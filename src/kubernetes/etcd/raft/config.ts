/** What a member may be told, and the sets of times people run it with. */
import type { Config } from './types.ts';

/**
 * Heartbeat and election time-outs, in milliseconds; a member draws its own election timeout anew from
 * [election, 2 x election) each time (paper 5.2).
 *
 * - etcd: the defaults of --heartbeat-interval and --election-timeout.
 * - paper: figure 16's range, 150 to 300 ms.
 * - teaching: the same with etcd's heartbeat. Elections take a moment, but one lost heartbeat is enough to
 *   start one: etcd itself refuses it ("should be at least 5 times as long as heartbeat").
 * - classroom: slow enough to watch.
 */
export const PRESETS = {
  etcd: { heartbeat: 100, election: 1_000 },
  paper: { heartbeat: 50, election: 150 },
  teaching: { heartbeat: 100, election: 150 },
  classroom: { heartbeat: 300, election: 1_500 },
} as const;

export type Preset = keyof typeof PRESETS;

/** Throws Error with the text of etcd-io/raft (raft.go, Config.validate) for a configuration that cannot work. */
export function validate(config: Config): void {
  const { maxInflightMsgs = 1, maxInflightBytes = 0, maxSizePerMsg = 0 } = config;
  if (config.id === 0) throw new Error('cannot use none as id');
  if (config.heartbeatTick <= 0) throw new Error('heartbeat tick must be greater than 0');
  if (config.electionTick <= config.heartbeatTick) throw new Error('election tick must be greater than heartbeat tick');
  if (maxInflightMsgs <= 0) throw new Error('max inflight messages must be greater than 0');
  if (maxInflightBytes > 0 && maxInflightBytes < maxSizePerMsg) throw new Error('max inflight bytes must be >= max message size');
  if (config.readOnly === 'lease-based' && !config.checkQuorum) throw new Error('CheckQuorum must be enabled when ReadOnlyOption is ReadOnlyLeaseBased');
}
