// biome-ignore-all lint/a11y/useSemanticElements: a button inside a drawing is a group that says it is one
/** A message on its way, as a tag on its wire: chosen by a click, dropped or delayed by dragging, by keys, or from its menu. */
import { useRef, useState } from 'react';
import type { RaftFlight } from '../../hosts/protocol.ts';
import css from './consensus.module.css';
import { outcomeOf, STILL } from './drag.ts';
import type { Point } from './geometry.ts';
import { span, tagOf, wordsOf } from './sentences.ts';

interface TagProps {
  readonly flight: RaftFlight;
  readonly from: Point;
  readonly to: Point;
  /** Where it is, and the way it goes in degrees. */
  readonly at: Point & { readonly angle: number };
  readonly now: number;
  readonly selected: boolean;
  onChoose(): void;
  onMenu(at: Point): void;
  onKey(key: string): boolean;
  onDrop(): void;
  /** Microseconds. */
  onDelay(by: number): void;
}

export function FlightTag({ flight, from, to, at, now, selected, onChoose, onMenu, onKey, onDrop, onDelay }: TagProps) {
  const taken = useRef<{ readonly start: Point; readonly at: Point }>(undefined);
  const dragged = useRef(false);
  const [moved, setMoved] = useState<Point>();
  const held = moved && taken.current;
  const outcome = held ? outcomeOf(from, to, moved, flight) : undefined;
  const place = held ? { x: held.at.x + moved.x, y: held.at.y + moved.y } : at;
  const letGo = (): void => {
    taken.current = undefined;
    setMoved(undefined);
  };
  return (
    <>
      {held && <line x1={at.x} y1={at.y} x2={place.x} y2={place.y} className={css['leash']} />}
      <g
        role="button"
        tabIndex={0}
        className={css['tag']}
        data-kind={flight.kind}
        data-flight={flight.id}
        data-held={held ? outcome?.kind : undefined}
        aria-label={`${wordsOf(flight)}, from ${flight.from} to ${flight.to}, term ${flight.term}, arrives in ${span(Math.max(0, flight.arrivesAt - now))}`}
        aria-pressed={selected}
        aria-keyshortcuts="Delete d"
        transform={`translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})`}
        onPointerDown={(event) => {
          dragged.current = false;
          if (event.button !== 0) return;
          taken.current = { start: { x: event.clientX, y: event.clientY }, at: { x: at.x, y: at.y } };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          if (!taken.current) return;
          const by = { x: event.clientX - taken.current.start.x, y: event.clientY - taken.current.start.y };
          if (!moved && Math.hypot(by.x, by.y) <= STILL) return;
          dragged.current = true;
          setMoved(by);
        }}
        onPointerUp={() => {
          if (outcome?.kind === 'drop') onDrop();
          else if (outcome?.kind === 'delay') onDelay(outcome.by);
          letGo();
        }}
        onPointerCancel={letGo}
        onClick={() => {
          // What ends a drag is no click.
          if (!dragged.current) onChoose();
        }}
        onContextMenu={(event) => {
          event.preventDefault();
          onMenu({ x: event.clientX, y: event.clientY });
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && held) letGo();
          else if (event.key === 'F10' && event.shiftKey) {
            const rect = event.currentTarget.getBoundingClientRect();
            onMenu({ x: rect.right, y: rect.bottom });
          } else if (event.key === 'Enter' || event.key === ' ') onChoose();
          else if (event.ctrlKey || event.metaKey || event.altKey || !onKey(event.key)) return;
          event.preventDefault();
          event.stopPropagation();
        }}
      >
        <title>{`${wordsOf(flight)}: ${flight.from} → ${flight.to}, term ${flight.term}`}</title>
        <path d="M13 -5L20 0L13 5Z" className={css['tip']} transform={`rotate(${at.angle.toFixed(1)})`} />
        <rect x="-14" y="-11" width="28" height="22" rx="5" className={css['tagBox']} />
        <text y="4.5" className={css['tagText']}>
          {tagOf(flight)}
        </text>
        {outcome?.kind === 'drop' && <path d="M-14 -11L14 11M14 -11L-14 11" className={css['lost']} />}
        {outcome && outcome.kind !== 'nothing' && (
          <text y="-20" className={css['verdict']}>
            {outcome.kind === 'drop' ? 'let go: lost' : `let go: ${span(outcome.by)} later`}
          </text>
        )}
      </g>
    </>
  );
}
