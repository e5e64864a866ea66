// biome-ignore-all lint/a11y/useSemanticElements: a panel of buttons is no set of fields
/** How long members wait: the sets of times etcd's members can be restarted with, and a vote that must split. */
import { useEffect, useState } from 'react';
import type { ConsensusMember, Fault } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import css from './consensus.module.css';
import { drawnFrom, span } from './sentences.ts';

export interface Times {
  /** As the fault `etcd-timing` calls it (kubernetes/etcd/raft/config.ts). */
  readonly preset: string;
  readonly label: string;
  /** Milliseconds. */
  readonly heartbeat: number;
  readonly election: number;
}

export const TIMES: readonly Times[] = [
  { preset: 'etcd', label: 'etcd', heartbeat: 100, election: 1_000 },
  { preset: 'paper', label: 'Paper', heartbeat: 50, election: 150 },
  { preset: 'teaching', label: 'Teaching', heartbeat: 100, election: 150 },
  { preset: 'classroom', label: 'Classroom', heartbeat: 300, election: 1_500 },
];

/** etcd server/embed/config.go, Validate; undefined: it takes them. */
export const refusalOf = ({ heartbeat, election }: Pick<Times, 'heartbeat' | 'election'>): string | undefined =>
  5 * heartbeat > election ? `--election-timeout[${election}ms] should be at least as 5 times as --heartbeat-interval[${heartbeat}ms]` : undefined;

/** The times all members have; undefined when they differ from every set, or among each other. */
export function timesOf(members: readonly Pick<ConsensusMember, 'heartbeat' | 'election'>[]): Times | undefined {
  return TIMES.find(({ heartbeat, election }) => members.every((one) => one.heartbeat === heartbeat * 1_000 && one.election === election * 1_000));
}

/** Everybody who may stand for election stands at the same instant. */
export const timeOutAll = (members: readonly ConsensusMember[]): readonly Fault[] =>
  members
    .filter(({ state, role, learner }) => state === 'running' && role !== 'Leader' && !learner)
    .map(({ name }) => ({ kind: 'raft-timeout', member: name }));

export function Timers({ members }: { readonly members: readonly ConsensusMember[] }) {
  const app = useApp();
  const now = timesOf(members);
  // The members take a moment to restart: what was chosen is shown until they have it.
  const [wanted, setWanted] = useState<Times>();
  useEffect(() => {
    if (now) setWanted(undefined);
  }, [now]);
  const shown = wanted ?? now;
  const refusal = shown && refusalOf(shown);
  const all = timeOutAll(members);
  return (
    <>
      <span className={css['hint']}>Restart all members with the times of</span>
      <span className={css['times']} role="radiogroup" aria-label="Election times">
        {TIMES.map((times) => (
          <label key={times.preset} className={css['check']}>
            <input
              type="radio"
              name="raft-times"
              checked={shown === times}
              onChange={() => {
                setWanted(times);
                app.world.fault({ kind: 'etcd-timing', preset: times.preset });
              }}
            />
            {times.label}
            <small>
              {times.heartbeat}/{times.election} ms
            </small>
          </label>
        ))}
      </span>
      <button
        type="button"
        className={css['strong']}
        disabled={all.length === 0}
        title="Without a leader, this splits the vote"
        onClick={() => {
          for (const fault of all) app.world.fault(fault);
        }}
      >
        All time out now
      </button>
      <span className={css['effect']} data-testid="times">
        {members[0] ? `A heartbeat every ${span(members[0].heartbeat)}; each waits ${drawnFrom(members[0])} without one, drawn anew each time.` : ''}
        {refusal && (
          <span className={css['warning']} role="note">
            <svg width="14" height="13" viewBox="-8 -7 16 14" aria-hidden="true">
              <path d="M0 -6.5L7.5 6.5L-7.5 6.5Z" />
            </svg>
            etcd itself would not start with these: <code>{refusal}</code>. One late heartbeat is enough to start an election.
          </span>
        )}
      </span>
    </>
  );
}
