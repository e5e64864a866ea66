// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
/** The attempts of a pod in a strip, and the stations one of them passed. */
import { clockText } from '../../hosts/connect.ts';
import type { SchedulingAttempt } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import css from './scheduler.module.css';
import { eventWords, stepsOf } from './words.ts';

const END_STATUS = { bound: 0, unschedulable: 2, failed: 3, 'under way': 1 } as const;

export function Attempts({
  attempts,
  chosen,
  restsUntil,
  onChoose,
}: {
  readonly attempts: readonly SchedulingAttempt[];
  readonly chosen: number;
  readonly restsUntil: number | undefined;
  onChoose(attempt: number): void;
}) {
  return (
    <ol className={css['strip']} aria-label="Attempts" tabIndex={0}>
      {attempts.map((attempt) => (
        <li key={attempt.fact}>
          <button type="button" aria-pressed={attempt.attempt === chosen} onClick={() => onChoose(attempt.attempt)}>
            <span>
              <Glyph status={END_STATUS[attempt.end]} size={12} /> <b>{attempt.attempt}</b>
              <time>{clockText(attempt.at)}</time>
            </span>
            <small>
              {eventWords(attempt.trigger.event)}
              {attempt.trigger.plugin ? ` (${attempt.trigger.plugin})` : ''}
            </small>
            <small>
              {attempt.end === 'bound' ? attempt.node : attempt.filter ? `${attempt.filter.feasible} of ${attempt.filter.total} nodes` : attempt.end}
            </small>
          </button>
        </li>
      ))}
      {restsUntil !== undefined && (
        <li className={css['rest']}>
          rests until
          <br />
          {clockText(restsUntil)}
        </li>
      )}
    </ol>
  );
}

const MARKS = { done: '✓', stopped: '✕', skipped: '–', ahead: '' } as const;
const SAID = { done: 'passed', stopped: 'stopped here', skipped: 'left out', ahead: 'not reached' } as const;

export function Pipeline({ attempt }: { readonly attempt: SchedulingAttempt }) {
  const { ui } = useApp();
  return (
    <div className={css['pipeline']}>
      <ol aria-label="Stations" tabIndex={0}>
        {stepsOf(attempt).map(({ name, state, says }) => (
          <li key={name} data-state={state}>
            <i aria-hidden="true">{MARKS[state]}</i>
            <b>{name}</b>
            <span className="visually-hidden">{SAID[state]}</span>
            <small>{says}</small>
          </li>
        ))}
      </ol>
      {attempt.end === 'bound' && (
        <button type="button" className={css['link']} onClick={() => ui.openJourney(attempt.fact)}>
          journey of its binding
        </button>
      )}
    </div>
  );
}
