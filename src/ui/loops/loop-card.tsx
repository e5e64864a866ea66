// biome-ignore-all lint/a11y/useSemanticElements: a group of buttons is no set of fields
/** The chosen loop, closely: what is asked for and what is there, why each key waits, and what its last reconciles wrote. */
import { useEffect, useState } from 'react';
import { clockText } from '../../hosts/connect.ts';
import type { LoopClosely, LoopReconcile, LoopRecord } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { span } from '../consensus/sentences.ts';
import { Icon } from '../look/icons.tsx';
import { canStep, keyOf, stepLoop, toggleLoop } from './actions.ts';
import { Due, Mark } from './conveyor.tsx';
import type { LoopStore } from './loop-store.ts';
import css from './loops.module.css';
import { counted, driftWords, isAsleep, longName, STATE_WORDS, shortName, signed } from './words.ts';

/** More in a row than a person reads; the last are told. */
const SERIES = 12;

interface Props {
  readonly record: LoopRecord;
  readonly closely: LoopClosely | undefined;
  readonly store: LoopStore;
  readonly still: boolean;
}
interface CardProps extends Props {
  /** On a narrow page, where the conveyors give way to this. */
  onBack(): void;
}

export function LoopCard({ record, closely, store, still, onBack }: CardProps) {
  const app = useApp();
  const { id, role, kind, state, where, counts, lately, pipes } = record;
  const paused = state === 'paused';
  return (
    <div className={css['card']} data-testid="loop-card">
      <button type="button" className={css['back']} onClick={onBack}>
        <Icon name="left" /> All loops
      </button>
      <h2>
        {id} <small>{isAsleep(record) ? 'asleep' : STATE_WORDS[state]}</small>
      </h2>
      <div className={css['actions']} role="group" aria-label={`Actions on ${id}`}>
        <button type="button" className={css['button']} title="Key p" disabled={state === 'stopped'} onClick={() => toggleLoop(app, record)}>
          {paused ? 'Resume the loop' : 'Pause the loop'}
        </button>
        {record.steps && (
          <button
            type="button"
            className={css['button']}
            title={paused && record.waitingCount === 0 ? 'Its queue is empty' : 'Key r'}
            disabled={!canStep(record)}
            onClick={() => stepLoop(app, store, record, still)}
          >
            Step one reconcile
          </button>
        )}
      </div>
      <dl className={css['facts']}>
        <Fact name="Runs in" value={where || 'no process at this moment'} />
        {kind && role === 'controller' && <Fact name="Looks after" value={kind} />}
        {pipes.length > 0 && <Fact name="Is told of" value={toldOf(pipes)} />}
        <Fact
          name="Has done"
          value={`${counted(counts.ended, 'reconcile')}${counts.failed > 0 ? `, ${counts.failed.toLocaleString('en')} failed` : ''}, ${counted(counts.writes, 'write')}`}
        />
        <Fact name="Lately" value={`${counted(lately, 'reconcile')} in 10 s`} />
      </dl>
      <Drifts record={record} closely={closely} />
      <Queue record={record} closely={closely} store={store} still={still} />
      <Reconciles key={id} id={id} fresh={closely?.reconciles} />
    </div>
  );
}

/** More kinds than a person reads are counted. */
const KINDS = 5;
function toldOf(pipes: LoopRecord['pipes']): string {
  const told = pipes.slice(0, KINDS).map(({ kind, objects, watching }) => `${kind} ${watching ? objects.toLocaleString('en') : '(watch ended)'}`);
  return `${told.join(', ')}${pipes.length > KINDS ? ' and more' : ''}`;
}

const Fact = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

function Drifts({ record, closely }: Pick<Props, 'record' | 'closely'>) {
  const rows = closely?.drifts ?? [];
  return (
    <section aria-label="Asked for and there">
      <h3>
        Asked for and there <small>{driftWords(record.drift)}</small>
      </h3>
      {rows.length > 0 ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus to be scrolled by keys
        <div className={css['fold']} tabIndex={0} role="group" aria-label="Objects">
          <table className={css['small']}>
            <thead>
              <tr>
                <th scope="col">Object</th>
                <th scope="col">Asked</th>
                <th scope="col">There</th>
                <th scope="col">Drift</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ about, what, desired, observed }) => (
                <tr key={`${about} ${what}`} data-off={desired !== observed}>
                  <th scope="row" title={longName(about)}>
                    <div>
                      <code>{shortName(about)}</code>
                      <span>{what}</span>
                    </div>
                  </th>
                  <td>{desired}</td>
                  <td>{observed}</td>
                  <td>{signed(observed - desired)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {(closely?.level ?? 0) > 0 && <p className={css['quiet']}>And {counted(closely!.level, 'more', 'more')} that are as asked for.</p>}
        </div>
      ) : (
        <div className={css['fold']}>
          <p className={css['quiet']}>Nothing of its kind is asked for.</p>
        </div>
      )}
    </section>
  );
}

function Queue({ record, closely, store, still }: Props) {
  const app = useApp();
  const { waiting, waitingCount, working, delayed, state, steps, role } = record;
  if (!steps && role === 'controller')
    return (
      <section aria-label="Its queue">
        <h3>Its queue</h3>
        <div className={css['line']}>
          <p className={css['quiet']}>
            {isAsleep(record)
              ? `It sleeps until there is a ${record.kind || 'thing to do'}.`
              : 'It keeps none: it looks at everything, by the clock or when something changes.'}
          </p>
        </div>
      </section>
    );

  const why = (fact: number): string => closely?.causes.find((cause) => cause.fact === fact)?.sentence ?? '';
  return (
    <section aria-label="Its queue">
      <h3>
        {role === 'kubelet' ? 'At work' : 'Its queue'}{' '}
        <small>{role === 'kubelet' ? `on ${counted(record.workingCount, 'pod')}` : `${counted(waitingCount, 'key')} waiting`}</small>
      </h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus to be scrolled by keys */}
      <div className={css['line']} tabIndex={0} role="group" aria-label="Keys">
        {waiting.length + working.length + delayed.length === 0 && (
          <p className={css['quiet']}>{role === 'kubelet' ? 'Its pods are as asked for.' : 'Empty: nothing has changed that it must look at.'}</p>
        )}
        <ul className={css['keys']}>
          {working.map(({ about, fact, since, requests }) => (
            <li key={`u ${about} ${fact}`} data-kind="working">
              <b>{shortName(about)}</b>
              <span>
                under way since {clockText(since)}
                {role === 'controller' && `, ${counted(requests, 'request')}`}
              </span>
            </li>
          ))}
          {waiting.map(({ about, adds, fact, after }) => (
            <li key={`w ${about}`} data-kind="waiting">
              <b>{shortName(about)}</b>
              {adds > 1 && <em>×{adds} merged</em>}
              {state === 'paused' && !after && keyOf(record, about) !== undefined && (
                <button type="button" className={css['link']} onClick={() => stepLoop(app, store, record, still, keyOf(record, about))}>
                  Work on it
                </button>
              )}
              <span>
                {after ? 'Waits for the one under way to end. ' : ''}
                {why(fact)}{' '}
                {fact > 0 && (
                  <button
                    type="button"
                    className={css['link']}
                    aria-label={`The journey that asked for ${shortName(about)}`}
                    onClick={() => app.ui.openJourney(fact)}
                  >
                    Journey
                  </button>
                )}
              </span>
            </li>
          ))}
          {waitingCount > waiting.length && <li className={css['quiet']}>and {waitingCount - waiting.length} more</li>}
          {delayed.map((item) => {
            const series = closely?.backoffs.find(({ about }) => about === item.about)?.delays ?? [];
            return (
              <li key={`d ${item.about}`} data-kind="delayed">
                <b>{shortName(item.about)}</b>
                {item.requeues > 0 && <em>try {item.requeues + 1}</em>}
                <span>
                  {item.requeues > 0 ? 'put off, tried again ' : role === 'scheduler' ? 'put off ' : 'looked at again '}
                  <Due record={{ delayed: [item] }} />
                  {series.length > 0 && (
                    <span className={css['series']} data-testid="backoff">
                      Delays: {series.length > SERIES ? '… ' : ''}
                      {series.slice(-SERIES).map(exact).join(' → ')}
                    </span>
                  )}
                </span>
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}
/** Delays as the queue says them, to the microsecond where it matters. */
export const exact = (micros: number): string => (micros < 1_000_000 ? `${micros / 1_000} ms` : `${micros / 1_000_000} s`);

/** Newest first. While somebody is in the list nothing moves: what is new waits. */
function Reconciles({ id, fresh }: { readonly id: string; readonly fresh: readonly LoopReconcile[] | undefined }) {
  const app = useApp();
  const [held, setHeld] = useState(false);
  const [shown, setShown] = useState<readonly LoopReconcile[]>(fresh ?? []);
  useEffect(() => {
    if (fresh && !held) setShown(fresh);
  }, [fresh, held]);
  const newest = shown[0]?.fact ?? 0;
  const waiting = held && fresh ? fresh.filter(({ fact }) => fact > newest).length : 0;
  return (
    <section
      aria-label="What it did"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setHeld(false)}
    >
      <h3>
        What it did <small>newest first</small>
        {waiting > 0 && (
          <button type="button" className={css['link']} onClick={() => fresh && setShown(fresh)}>
            {waiting} newer
          </button>
        )}
      </h3>
      {shown.length === 0 && <p className={css['quiet']}>Nothing that is remembered.</p>}
      <ol className={css['reconciles']}>
        {shown.map((one) => (
          <li key={one.fact} data-reconcile={one.fact} data-outcome={one.outcome}>
            <details>
              <summary>
                <Mark outcome={one.outcome} writes={one.writes} label />
                <b>{shortName(one.about)}</b>
                <span>
                  {counted(one.writes, 'write')}
                  {one.took > 0 ? `, ${span(one.took)}` : ''}
                </span>
                <time>{clockText(one.at)}</time>
              </summary>
              <div>
                <p>{longName(one.about)}</p>
                {one.cause && <p>Why: {one.cause}</p>}
                {one.error && <p className={css['error']}>{one.error}</p>}
                {one.requests.length === 0 ? (
                  <p>It read its own copies, and found nothing to write.</p>
                ) : (
                  <ul>
                    {one.requests.map((request) => (
                      <li key={request.fact}>
                        <button type="button" className={css['link']} onClick={() => app.ui.openJourney(request.fact)}>
                          {request.verb} {request.resource} {shortName(request.about)}
                        </button>{' '}
                        {request.code ?? 'not answered yet'}
                      </li>
                    ))}
                  </ul>
                )}
                <p>
                  <button type="button" className={css['link']} onClick={() => app.ui.openJourney(one.fact)}>
                    The journey that led to it
                  </button>
                </p>
              </div>
            </details>
          </li>
        ))}
      </ol>
      <span className="visually-hidden">of {id}</span>
    </section>
  );
}
