// biome-ignore-all lint/a11y/noSvgWithoutTitle: named by aria-label, or hidden beside its word
// biome-ignore-all lint/a11y/useSemanticElements: a listbox whose options carry more than text cannot be a select
// biome-ignore-all lint/a11y/useFocusableInteractive: the list holds the focus, options are pointed at
// biome-ignore-all lint/a11y/useKeyWithClickEvents: keys are the list's
/** One loop as a conveyor: what wakes it, the keys in line, the one under way, what became of the last, what is put off, and the drift. */
import { memo } from 'react';
import type { LoopEnd, LoopPipe, LoopRecord } from '../../hosts/protocol.ts';
import { useCluster } from '../app-context.ts';
import { span } from '../consensus/sentences.ts';
import { Glyph } from '../look/glyph.tsx';
import css from './loops.module.css';
import { counted, driftText, driftWords, dueIn, isAsleep, isStuck, longName, rowWords, STATE_WORDS, shortName } from './words.ts';

/** Tickets a belt has room for; the rest is a number. */
const ROOM = 3;

export const domId = (id: string): string => `loop-${id.replaceAll(/[^\w-]/g, '_')}`;

export const Conveyor = memo(function Conveyor({
  record,
  chosen,
  onChoose,
}: {
  readonly record: LoopRecord;
  readonly chosen: boolean;
  onChoose(id: string): void;
}) {
  const { id, kind, state, waiting, waitingCount, working, workingCount, ends, counts, lately, drift, steps, role } = record;
  const tickets = waiting.slice(0, waitingCount > ROOM ? ROOM - 1 : ROOM);
  const more = waitingCount - tickets.length;
  const [first] = working;
  return (
    <div
      id={domId(id)}
      role="option"
      aria-selected={chosen}
      aria-label={rowWords(record)}
      className={css['row']}
      data-loop={id}
      data-state={state}
      onClick={() => onChoose(id)}
    >
      <span className={css['who']}>
        <b>{id}</b>
        <small>{state === 'running' ? role === 'controller' ? kind || 'many kinds' : 'pods' : <i data-state={state}>{STATE_WORDS[state]}</i>}</small>
      </span>
      <Pipes pipes={record.pipes} />
      <span className={css['belt']} data-held={state === 'paused'}>
        {tickets.map(({ about, adds, after }) => (
          <span key={about} className={css['ticket']} data-ticket={about} data-after={after} title={longName(about)}>
            <span>{shortName(about)}</span>
            {adds > 1 && <em>{tickets.length > 1 ? `×${adds}` : `×${adds} merged`}</em>}
          </span>
        ))}
        {more > 0 && <span className={css['more']}>+{more}</span>}
      </span>
      <span className={css['station']} data-on={working.length > 0} data-held={state === 'paused'}>
        {state === 'paused' ? <PauseMark /> : <Gear />}
        {first ? (
          <span title={longName(first.about)} data-working={first.about}>
            {shortName(first.about)}
            {workingCount > 1 && <em>+{workingCount - 1}</em>}
          </span>
        ) : (
          <span className={css['nothing']}>{steps || role !== 'controller' ? '' : isAsleep(record) ? 'asleep' : 'by the clock'}</span>
        )}
      </span>
      <span className={css['done']} title={`${counted(counts.ended, 'reconcile')}, ${counts.failed} failed; ${lately} in the last 10 s`}>
        <Ends ends={ends} />
        <small>
          {counts.ended.toLocaleString('en')}
          {counts.failed > 0 && <> · ✕ {counts.failed.toLocaleString('en')}</>}
        </small>
      </span>
      <Shelf record={record} />
      <span className={css['drift']} data-off={drift.objects > 0} title={driftWords(drift)} data-testid={`drift-${id}`}>
        {drift.objects > 0 && <Glyph status={isStuck(record) ? 2 : 1} size={13} />}
        {driftText(drift) || '0'}
      </span>
    </div>
  );
});

/** A thin pipe; broken where a watch has ended. Its number: what was told through it since the view was opened. */
function Pipes({ pipes }: { readonly pipes: readonly LoopPipe[] }) {
  if (pipes.length === 0) return <span className={css['pipes']} />;
  const broken = pipes.filter(({ watching }) => !watching);
  const events = pipes.reduce((sum, pipe) => sum + pipe.events, 0);
  const title = pipes.map(({ kind, objects, watching }) => `${kind}: ${watching ? counted(objects, 'object') : 'the watch has ended'}`).join('\n');
  return (
    <span className={css['pipes']} title={title} data-broken={broken.length > 0}>
      <svg width="34" height="10" viewBox="0 0 34 10" aria-hidden="true">
        {broken.length > 0 ? <path d="M0 2.5H13M0 7.5H11M21 2.5H34M23 7.5H34M15 0L19 10" /> : <path d="M0 2.5H34M0 7.5H34" />}
      </svg>
      <small>{events > 0 ? events.toLocaleString('en') : ''}</small>
    </span>
  );
}

/** What became of a look: it wrote, it only looked, or it failed. Shape first. */
export function Mark({ outcome, writes, label }: Pick<LoopEnd, 'outcome' | 'writes'> & { readonly label?: boolean }) {
  const words = outcome === 'retry' ? 'failed' : writes > 0 ? 'wrote' : 'looked only';
  return (
    <svg width="10" height="10" viewBox="-5 -5 10 10" {...(label ? { role: 'img', 'aria-label': words } : { 'aria-hidden': true })}>
      <MarkShape outcome={outcome} writes={writes} />
    </svg>
  );
}
function MarkShape({ outcome, writes }: Pick<LoopEnd, 'outcome' | 'writes'>) {
  if (outcome === 'retry') return <path className={css['failed']} d="M-3 -3L3 3M3 -3L-3 3" />;
  return writes > 0 ? <circle className={css['wrote']} r="3.2" /> : <circle className={css['looked']} r="2.6" />;
}

function Ends({ ends }: { readonly ends: LoopRecord['ends'] }) {
  return (
    <svg width="108" height="10" viewBox="0 0 108 10" aria-hidden="true">
      {ends.map(({ fact, outcome, writes }, i) => (
        <g key={fact} transform={`translate(${5 + i * 9} 5)`}>
          <MarkShape outcome={outcome} writes={writes} />
        </g>
      ))}
    </svg>
  );
}

/** What is put off, and when the next is due; a shelf of its own, as in the factory. */
function Shelf({ record }: { readonly record: LoopRecord }) {
  const { delayed, delayedCount } = record;
  const failing = delayed.find(({ requeues }) => requeues > 0);
  if (delayedCount === 0) return <span className={css['shelf']} />;
  return (
    <span className={css['shelf']} data-failing={failing !== undefined} title={delayed.map(({ about }) => longName(about)).join('\n')}>
      <span>
        {failing && <Glyph status={2} size={12} />}
        {failing ? `try ${failing.requeues + 1}` : delayedCount === 1 ? shortName(delayed[0]!.about) : counted(delayedCount, 'key')}
      </span>
      <small>
        <Due record={failing ? { delayed: [failing] } : record} />
      </small>
    </span>
  );
}
export function Due({ record }: { readonly record: Pick<LoopRecord, 'delayed'> }) {
  const text = useCluster(({ clock }) => {
    const due = dueIn(record, clock.now);
    return due === undefined ? 'until something changes' : `in ${dueText(due)}`;
  });
  return <>{text}</>;
}
/** In the steps a person can read: no faster than they matter. */
export const dueText = (micros: number): string =>
  micros < 60_000_000 ? span(micros) : `${Math.floor(micros / 60_000_000)} min ${Math.floor(micros / 1_000_000) % 60} s`;

const TEETH = Array.from({ length: 8 }, (_, i) => i * 45);
function Gear() {
  return (
    <svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true" className={css['gear']}>
      {TEETH.map((angle) => (
        <path key={angle} d="M0 -5.5V-8" transform={`rotate(${angle})`} />
      ))}
      <circle r="5.2" />
      <circle r="1.8" />
    </svg>
  );
}
function PauseMark() {
  return (
    <svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true" className={css['gear']}>
      <path d="M-2.6 -5V5M2.6 -5V5" strokeWidth="3" />
    </svg>
  );
}
