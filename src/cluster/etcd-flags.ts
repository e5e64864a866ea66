/** The environment file of the etcd service, `/etc/default/etcd`: what a person may tell a member, read when it starts. */
import type { AutoCompaction } from '../kubernetes/etcd/auto-compaction.ts';
import type { EtcdOptions } from '../kubernetes/etcd/member-types.ts';
import { hours } from '../sim/clock.ts';
import { parseDuration } from '../sim/duration.ts';

export { startAutoCompaction } from '../kubernetes/etcd/auto-compaction.ts';

export interface EtcdFlags {
  readonly options: Partial<EtcdOptions>;
  readonly autoCompaction?: AutoCompaction;
}

/** `NAME=value` a line. Throws RangeError with what etcd says of a value it does not take; names it does not know it passes over. */
export function readFlags(text: string): EtcdFlags {
  const env = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0 && !line.startsWith('#'))
      env.set(
        line.slice(0, at).trim(),
        line
          .slice(at + 1)
          .trim()
          .replace(/^(["'])(.*)\1$/, '$2'),
      );
  }
  const flag = (name: string): string => `--${name.slice('ETCD_'.length).toLowerCase().replaceAll('_', '-')}`;
  const number = (name: string): number | undefined => {
    const value = env.get(name);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(value))
      throw new RangeError(`error setting flag ${flag(name)} from environment variable ${name}: invalid value ${JSON.stringify(value)}`);
    return Number(value);
  };
  const truth = (name: string): boolean | undefined => {
    const value = env.get(name);
    if (value !== undefined && value !== 'true' && value !== 'false')
      throw new RangeError(`invalid boolean value ${JSON.stringify(value)} for ${name}: parse error`);
    return value === undefined ? undefined : value === 'true';
  };
  const heartbeat = number('ETCD_HEARTBEAT_INTERVAL') ?? 100;
  const election = number('ETCD_ELECTION_TIMEOUT') ?? 1_000;
  // etcd server/embed/config.go, Validate.
  if (heartbeat === 0) throw new RangeError('--heartbeat-interval must be >0 (set to 0ms)');
  if (5 * heartbeat > election) throw new RangeError(`--election-timeout[${election}ms] should be at least as 5 times as --heartbeat-interval[${heartbeat}ms]`);
  if (election > 50_000) throw new RangeError(`--election-timeout[${election}ms] is too long, and should be set less than 50000ms`);
  const quotaBytes = number('ETCD_QUOTA_BACKEND_BYTES');
  const snapshotCount = number('ETCD_SNAPSHOT_COUNT');
  const preVote = truth('ETCD_PRE_VOTE');
  const leaseCheckpoint = truth('ETCD_EXPERIMENTAL_ENABLE_LEASE_CHECKPOINT');
  const autoCompaction = compactionOf(env.get('ETCD_AUTO_COMPACTION_MODE') ?? 'periodic', env.get('ETCD_AUTO_COMPACTION_RETENTION') ?? '0');
  return {
    options: {
      ...(heartbeat === 100 && election === 1_000 ? {} : { timing: { heartbeat, election } }),
      ...(quotaBytes ? { quotaBytes } : {}),
      ...(snapshotCount ? { snapshotCount, snapshotCatchUp: Math.min(5_000, snapshotCount) } : {}),
      ...(preVote === undefined ? {} : { preVote }),
      ...(leaseCheckpoint === undefined ? {} : { leaseCheckpoint }),
    },
    ...(autoCompaction ? { autoCompaction } : {}),
  };
}

/** A bare number is hours in the periodic mode, and revisions in the other. */
function compactionOf(mode: string, retention: string): AutoCompaction | undefined {
  if (mode !== 'periodic' && mode !== 'revision') throw new RangeError(`unknown auto-compaction-mode ${JSON.stringify(mode)}`);
  const whole = /^\d+$/.test(retention) ? Number(retention) : undefined;
  if (whole === 0) return undefined;
  if (mode === 'revision') {
    if (whole === undefined) throw new RangeError(`error parsing CompactionRetention: strconv.ParseInt: parsing ${JSON.stringify(retention)}: invalid syntax`);
    return { mode, retention: whole };
  }
  try {
    return { mode, retention: whole === undefined ? parseDuration(retention) : hours(whole) };
  } catch {
    throw new RangeError(`error parsing CompactionRetention: time: invalid duration ${JSON.stringify(retention)}`);
  }
}
