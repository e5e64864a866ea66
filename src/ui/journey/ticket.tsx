/** The ticket: what is asked by whom, the stamps it has collected up to the station looked at, and who sent it on its way. */
import { clockText } from '../../hosts/connect.ts';
import { type Journey, type JourneyStage, STAGES, type StageId } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { Icon } from '../look/icons.tsx';
import css from './journey.module.css';
import { codeText, microsText, nameText, outcomeOf, plainLabel } from './stage-words.ts';

export function Ticket({ journey, onBack }: { journey: Journey; onBack(): void }) {
  const { request } = journey;
  const root = journey.causes.at(-1);
  return (
    <header className={css['ticket']}>
      <div className={css['asked']}>
        <button type="button" className={css['back']} onClick={onBack}>
          <Icon name="left" /> Requests
        </button>
        <h2>
          <span>{request.verb}</span> {request.resource}
        </h2>
        <p>
          <code>{nameText(request.about) || request.path}</code>
          <span>
            by <b>{request.user || 'nobody known'}</b> · t={clockText(request.at)}
          </span>
          {root && (
            <span className={css['root']}>
              <Sentence text={root.sentence} />
            </span>
          )}
        </p>
        <p className={css['outcome']}>
          <Glyph status={outcomeOf(request.code)} size={16} />
          <strong>{codeText(request.code, request.reason)}</strong>
          <span>{request.took === undefined ? `waits at ${plainLabel(journey.stage)}` : `answered after ${microsText(request.took)}`}</span>
        </p>
      </div>
    </header>
  );
}

/** The stamps collected so far. Those yet to come keep their places, so that a step moves none. */
export function Stamps({ journey, at, onChoose }: { journey: Journey; at: StageId; onChoose(id: StageId): void }) {
  const stamped = journey.stages.filter(({ state, stamp }) => stamp !== '' && (state === 'passed' || state === 'stopped' || state === 'waiting'));
  const cursor = STAGES.indexOf(at);
  return (
    <ul className={css['stamps']} aria-label="Stamps">
      {stamped.map((stage) => (
        <li key={stage.id} data-later={STAGES.indexOf(stage.id) > cursor}>
          <button type="button" aria-pressed={stage.id === at} data-state={stage.state} onClick={() => onChoose(stage.id)}>
            <i aria-hidden="true">{signOf(stage)}</i>
            <span>{plainLabel(stage.id)}</span>
            <code>{stage.stamp}</code>
          </button>
        </li>
      ))}
    </ul>
  );
}

const signOf = ({ state, id, stamp }: JourneyStage): string =>
  state === 'stopped' ? '✕' : state === 'waiting' ? '…' : (id === 'mutate' || id === 'decode') && /^[0-9]/.test(stamp) ? '✎' : '✓';

/** Backwards, by `cause` alone: each step that belongs to another request opens its journey. */
export function Causes({ journey }: { journey: Journey }) {
  const { ui } = useApp();
  const { causes, siblings } = journey;
  const root = causes.at(-1);
  return (
    <section className={css['causes']} aria-labelledby="causes-title">
      <h3 id="causes-title">Caused by</h3>
      <ol>
        {causes.length === 0 && <li>Nobody the trace remembers.</li>}
        {causes.slice(0, 3).map((cause) => (
          <Cause key={cause.fact} cause={cause} />
        ))}
        {causes.length > 4 && (
          <li>
            <details>
              <summary>{causes.length - 4} steps between</summary>
              <ol>
                {causes.slice(3, -1).map((cause) => (
                  <Cause key={cause.fact} cause={cause} />
                ))}
              </ol>
            </details>
          </li>
        )}
        {causes.length > 3 && root && <Cause cause={root} />}
      </ol>
      {siblings.length > 0 && (
        <p>
          The same command also asked:{' '}
          {siblings.map((sibling) => (
            <button key={sibling.id} type="button" className={css['link']} onClick={() => ui.openJourney(sibling.id)}>
              {sibling.verb} {sibling.resource} <small>{codeText(sibling.code, sibling.reason)}</small>
            </button>
          ))}
        </p>
      )}
    </section>
  );
}

function Sentence({ text }: { text: string }) {
  return text.split('`').map((part, i) => (i % 2 === 1 ? <code key={part}>{part}</code> : part));
}

function Cause({ cause }: { cause: Journey['causes'][number] }) {
  const { ui } = useApp();
  const text = <Sentence text={cause.sentence} />;
  return (
    <li>
      {cause.request === undefined ? (
        text
      ) : (
        <button type="button" className={css['link']} onClick={() => ui.openJourney(cause.request)}>
          {text}
        </button>
      )}
    </li>
  );
}
