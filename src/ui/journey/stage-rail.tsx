/** The rail: fifteen stations in three lands, the ticket above the one that is looked at, and what each stretch took. */
import { useEffect, useRef } from 'react';
import { type Journey, type JourneyStage, STAGES, type StageId } from '../../hosts/protocol.ts';
import css from './journey.module.css';
import { microsText, plainLabel, STAGE_WORDS, STATE_WORDS } from './stage-words.ts';
import { Stamps } from './ticket.tsx';

const LANDS = [
  { land: 'Client', from: 1, to: 2 },
  { land: 'API server', from: 2, to: 11 },
  { land: 'etcd', from: 11, to: 14 },
  { land: 'Everybody else', from: 14, to: 16 },
] as const;

export function StageRail({ journey, at, onChoose }: { journey: Journey; at: StageId; onChoose(id: StageId): void }) {
  const rail = useRef<HTMLDivElement>(null);
  const index = STAGES.indexOf(at);
  const end = STAGES.indexOf(journey.stage);
  useEffect(() => {
    const button = rail.current?.querySelector<HTMLElement>(`#stage-${at}`);
    const box = rail.current?.parentElement;
    if (!button || !box) return;
    const left = button.offsetLeft - 24;
    const right = button.offsetLeft + button.offsetWidth + 24;
    if (left < box.scrollLeft) box.scrollLeft = left;
    else if (right > box.scrollLeft + box.clientWidth) box.scrollLeft = right - box.clientWidth;
  }, [at]);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? end : step === undefined ? undefined : index + step;
    if (to === undefined) return;
    event.preventDefault();
    const id = STAGES[Math.max(0, Math.min(STAGES.length - 1, to))]!;
    onChoose(id);
    rail.current?.querySelector<HTMLElement>(`#stage-${id}`)?.focus({ preventScroll: true });
  };
  return (
    <div className={css['railBox']}>
      <div
        ref={rail}
        className={css['rail']}
        role="tablist"
        aria-label="Stations of the request"
        onKeyDown={onKeyDown}
        style={{ '--at': index, '--end': end } as React.CSSProperties}
      >
        {LANDS.map(({ land, from, to }) => (
          <span key={land} className={css['land']} aria-hidden="true" style={{ gridColumn: `${from} / ${to}` }}>
            {land}
          </span>
        ))}
        <span className={css['track']} aria-hidden="true" />
        <span className={css['gone']} aria-hidden="true" data-state={journey.stages[end]!.state} />
        <span
          id="ticket"
          className={css['ticketMark']}
          aria-hidden="true"
          onTransitionStart={(event) => event.currentTarget.setAttribute('data-moving', 'true')}
          onTransitionEnd={(event) => event.currentTarget.removeAttribute('data-moving')}
          onTransitionCancel={(event) => event.currentTarget.removeAttribute('data-moving')}
        >
          <svg width="30" height="20" viewBox="0 0 30 20" aria-hidden="true">
            <path d="M1 1h28v5.2a3.8 3.8 0 0 0 0 7.6V19H1v-5.2a3.8 3.8 0 0 0 0-7.6Z" />
            <path d="M10 6h10M10 10h10M10 14h6" />
          </svg>
        </span>
        {journey.stages.map((stage, i) => (
          <button
            key={stage.id}
            id={`stage-${stage.id}`}
            type="button"
            role="tab"
            className={css['station']}
            style={{ gridColumn: i + 1 }}
            aria-selected={stage.id === at}
            aria-controls="stage-panel"
            tabIndex={stage.id === at ? 0 : -1}
            data-state={stage.state}
            onClick={() => onChoose(stage.id)}
          >
            <Mark state={stage.state} />
            <span className={css['name']}>{STAGE_WORDS[stage.id].label}</span>
            <span className={css['took']}>
              {stage.took !== undefined && stage.took > 0 ? `+${microsText(stage.took)}` : stage.state === 'stopped' ? stage.stamp.split(' ')[0] : '\u00a0'}
            </span>
            <span className="visually-hidden">, {STATE_WORDS[stage.state]}</span>
          </button>
        ))}
      </div>
      <Stamps journey={journey} at={at} onChoose={onChoose} />
    </div>
  );
}

/** Shape first: a tick, a cross, a half disc, a dash, an empty ring. */
function Mark({ state }: { state: JourneyStage['state'] }) {
  return (
    <svg className={css['mark']} width="22" height="22" viewBox="-11 -11 22 22" aria-hidden="true" data-state={state}>
      {state === 'stopped' ? <rect x="-9" y="-9" width="18" height="18" rx="3" /> : state === 'none' ? <circle r="4.5" /> : <circle r="9" />}
      {state === 'passed' && <path d="M-4 .4l2.7 2.8L4.2-3" />}
      {state === 'stopped' && <path d="M-4-4l8 8M4-4l-8 8" />}
      {state === 'waiting' && <path className={css['half']} d="M0-9A9 9 0 0 1 0 9Z" />}
    </svg>
  );
}

/** Where the time went, to scale, in virtual microseconds. Stations that took none have no part of it. */
export function LatencyStrip({ journey, at, onChoose }: { journey: Journey; at: StageId; onChoose(id: StageId): void }) {
  const parts = journey.stages.filter((stage) => (stage.took ?? 0) > 0);
  const total = parts.reduce((sum, stage) => sum + stage.took!, 0);
  if (total === 0) return null;
  return (
    <figure className={css['latency']}>
      <figcaption>
        {microsText(total)} from the first station to the last{journey.request.took !== undefined && `, answered after ${microsText(journey.request.took)}`}
      </figcaption>
      <div>
        {parts.map((stage) => (
          <button
            key={stage.id}
            type="button"
            style={{ flexGrow: stage.took }}
            aria-label={`${plainLabel(stage.id)}: ${stage.took} µs`}
            title={`${plainLabel(stage.id)}: ${stage.took} µs`}
            aria-pressed={stage.id === at}
            data-wide={stage.took! / total > 0.09}
            onClick={() => onChoose(stage.id)}
          >
            <span>
              <b>{stage.took!.toLocaleString('en')} µs</b> {plainLabel(stage.id)}
            </span>
          </button>
        ))}
      </div>
    </figure>
  );
}
