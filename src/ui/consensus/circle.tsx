// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: wires are a drawing; the members beside them speak
// biome-ignore-all lint/a11y/useSemanticElements: a member is a mark of a drawing, and a button in it
// biome-ignore-all lint/a11y/noSvgWithoutTitle: named by aria-label, or hidden beside its word
/** Members on a circle, the wires between them, and what is on its way on them. */
import { memo, type RefObject, useEffect, useRef, useState } from 'react';
import type { ConsensusMember, RaftFlight, WireWeather } from '../../hosts/protocol.ts';
import css from './consensus.module.css';
import { FlightTag } from './flight-tag.tsx';
import { arc, memberRadius, namesBeside, onTheWay, type Point, placesOf, type Stage, sidesOf } from './geometry.ts';
import { roleWord, span, untilElection, weatherWords } from './sentences.ts';

/** At most so many messages are drawn as tags (design 4.4, M3). */
const MOST_TAGS = 60;
/** Pixels of free wire; a shorter one is drawn dark while busy, and no more. */
const ROOM_FOR_A_RATE = 70;

export interface CircleProps {
  readonly members: readonly ConsensusMember[];
  readonly cut: readonly (readonly [string, string])[];
  readonly weather: readonly WireWeather[];
  /** None when they are too quick to be seen: then the wires are counted. */
  readonly flights: readonly RaftFlight[];
  readonly now: number;
  readonly rates: ReadonlyMap<string, number>;
  readonly flow: boolean;
  readonly reduced: boolean;
  readonly selected: string | undefined;
  readonly selectedFlight: number | undefined;
  /** Members of side A of a wall being built. */
  readonly side: ReadonlySet<string> | undefined;
  onMember(name: string): void;
  onMemberMenu(name: string, at: { readonly x: number; readonly y: number }): void;
  onMemberKey(name: string, key: string): boolean;
  onFlight(id: number): void;
  onFlightMenu(id: number, at: { readonly x: number; readonly y: number }): void;
  onFlightKey(id: number, key: string): boolean;
  onFlightDrop(id: number): void;
  /** Microseconds. */
  onFlightDelay(id: number, by: number): void;
}

export function Circle(props: CircleProps) {
  const { members, flights, now } = props;
  const box = useRef<HTMLDivElement>(null);
  const stage = useSize(box);
  const places = placesOf(stage, members.length);
  const radius = memberRadius(stage, members.length);
  const placeOf = new Map(members.map((member, i) => [member.name, places[i]!]));
  const focused = members.some(({ name }) => name === props.selected) ? props.selected : members[0]?.name;
  const move = (name: string, by: number): void => {
    const at = members.findIndex((member) => member.name === name);
    const next = members[(at + by + members.length) % members.length];
    if (!next) return;
    if (!props.side) props.onMember(next.name);
    box.current?.querySelector<SVGElement>(`[data-member="${next.name}"]`)?.focus();
  };
  return (
    <div ref={box} className={css['circle']}>
      <svg width={stage.width} height={stage.height} className={css['svg']} role="group" aria-label="Members of the Raft group">
        <defs>
          <pattern id="raft-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="6" height="6" className={css['hatchPaper']} />
            <path d="M0 0V6" className={css['hatch']} />
          </pattern>
        </defs>
        <Wires
          places={places}
          radius={radius}
          members={members}
          cut={props.cut}
          weather={props.weather}
          rates={props.rates}
          flow={props.flow && namesBeside(stage)}
        />
        {members.map((member) => (
          <MemberMark
            key={member.name}
            member={member}
            at={placeOf.get(member.name)!}
            radius={radius}
            beside={namesBeside(stage) ? (placeOf.get(member.name)!.x < stage.width / 2 - 4 ? 'left' : 'right') : undefined}
            reduced={props.reduced}
            selected={member.name === props.selected}
            focusable={member.name === focused}
            side={props.side?.has(member.name)}
            onChoose={() => props.onMember(member.name)}
            onMenu={(x, y) => props.onMemberMenu(member.name, { x, y })}
            onMove={(by) => move(member.name, by)}
            onKey={(key) => props.onMemberKey(member.name, key)}
          />
        ))}
        {!props.reduced &&
          flights.slice(0, MOST_TAGS).map((flight) => {
            const from = placeOf.get(flight.from);
            const to = placeOf.get(flight.to);
            if (!from || !to) return null;
            const point = onTheWay(from, to, (now - flight.sentAt) / Math.max(1, flight.arrivesAt - flight.sentAt), radius + 20);
            return (
              <FlightTag
                key={flight.id}
                flight={flight}
                from={from}
                to={to}
                at={point}
                now={now}
                selected={flight.id === props.selectedFlight}
                onChoose={() => props.onFlight(flight.id)}
                onMenu={(at) => props.onFlightMenu(flight.id, at)}
                onKey={(key) => props.onFlightKey(flight.id, key)}
                onDrop={() => props.onFlightDrop(flight.id)}
                onDelay={(by) => props.onFlightDelay(flight.id, by)}
              />
            );
          })}
      </svg>
      {flights.length > MOST_TAGS && <p className={css['more']}>{flights.length - MOST_TAGS} more messages are on their way.</p>}
    </div>
  );
}

function useSize(box: RefObject<HTMLElement | null>): Stage {
  const [size, setSize] = useState<Stage>({ width: 560, height: 380 });
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = (): void => setSize({ width: Math.max(240, element.clientWidth), height: Math.max(200, element.clientHeight) });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return size;
}

interface WiresProps {
  readonly places: readonly Point[];
  readonly radius: number;
  readonly members: readonly ConsensusMember[];
  readonly cut: CircleProps['cut'];
  readonly weather: CircleProps['weather'];
  readonly rates: CircleProps['rates'];
  readonly flow: boolean;
}

const Wires = memo(
  function Wires({ places, radius, members, cut, weather, rates, flow }: WiresProps) {
    const broken = new Set(cut.map(([a, b]) => `${a}>${b}`));
    const side = sidesOf(
      members.map(({ name }) => name),
      cut,
    );
    return (
      <g aria-hidden="true">
        {members.flatMap((a, i) =>
          members.slice(i + 1).map((b, k) => {
            const from = places[i]!;
            const to = places[i + 1 + k]!;
            const there = broken.has(`${a.name}>${b.name}`);
            const back = broken.has(`${b.name}>${a.name}`);
            const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
            const angle = (Math.atan2(to.y - from.y, to.x - from.x) * 180) / Math.PI;
            const rate = (rates.get(`${a.name}>${b.name}`) ?? 0) + (rates.get(`${b.name}>${a.name}`) ?? 0);
            const wall = there && back;
            const foul = weather.filter((one) => (one.from === a.name && one.to === b.name) || (one.from === b.name && one.to === a.name)).map(weatherWords);
            return (
              <g key={`${a.name} ${b.name}`} data-cut={wall ? 'both' : there || back ? 'one' : undefined}>
                <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} className={css['wire']} data-busy={flow && rate > 0} />
                {(there || back) && (
                  <g transform={`translate(${middle.x.toFixed(1)} ${middle.y.toFixed(1)}) rotate(${angle.toFixed(1)})`} className={css['wall']}>
                    {wall ? (
                      <path d={`M-4 -20V20M4 -20V20`} data-sides={side.get(a.name) !== side.get(b.name)} />
                    ) : (
                      // One direction only: half a wall, and an arrow for the way that is open.
                      <path d={there ? 'M0 0V20M-8 -8H8M-3 -13L-8 -8L-3 -3' : 'M0 0V-20M-8 8H8M3 3L8 8L3 13'} />
                    )}
                  </g>
                )}
                {foul.length > 0 && !wall && (
                  <text x={middle.x} y={middle.y + 24} className={css['foul']}>
                    {[...new Set(foul)].join('; ')}
                  </text>
                )}
                {flow && rate > 0 && !wall && Math.hypot(to.x - from.x, to.y - from.y) > 2 * radius + ROOM_FOR_A_RATE && (
                  <g transform={`translate(${middle.x.toFixed(1)} ${middle.y.toFixed(1)})`}>
                    <rect x="-25" y="-10" width="50" height="20" rx="10" className={css['rateBox']} />
                    <text y="4" className={css['rate']}>
                      {rate}/s
                    </text>
                  </g>
                )}
              </g>
            );
          }),
        )}
      </g>
    );
  },
  (a, b) =>
    a.places.every((point, i) => point.x === b.places[i]?.x && point.y === b.places[i]?.y) &&
    a.cut === b.cut &&
    a.weather === b.weather &&
    a.rates === b.rates &&
    a.flow === b.flow &&
    a.members.length === b.members.length,
);

interface MemberProps {
  readonly member: ConsensusMember;
  readonly at: Point;
  readonly radius: number;
  readonly beside: 'left' | 'right' | undefined;
  readonly reduced: boolean;
  readonly selected: boolean;
  readonly focusable: boolean;
  readonly side: boolean | undefined;
  onChoose(): void;
  onMenu(x: number, y: number): void;
  onMove(by: number): void;
  onKey(key: string): boolean;
}

function MemberMark({ member, at, radius, beside, reduced, selected, focusable, side, onChoose, onMenu, onMove, onKey }: MemberProps) {
  const { name, state, role, term, votes, voters } = member;
  const running = state === 'running';
  const shape = !running ? state : member.learner ? 'learner' : role;
  const standing = running && (role === 'Candidate' || role === 'PreCandidate');
  const share = member.timeout === 0 ? 0 : member.elapsed / member.timeout;
  const granted = votes.filter((vote) => vote.granted).length;
  const timer = running && role !== 'Leader' && !member.learner;
  const label = [
    `${name}: ${roleWord(member)}, term ${term}`,
    standing ? `${granted} of ${voters.length} votes` : '',
    timer ? `election in ${span(untilElection(member))}` : '',
    `committed ${member.commit}, last ${member.last}`,
    member.disk === undefined ? '' : `disk slowed to ${span(member.disk)}`,
    member.clock === undefined ? '' : `clock at ${member.clock / 1000}×`,
    side === true ? 'on side A' : '',
  ];
  const place = (line: number) => ({
    x: beside === undefined ? 0 : (radius + 18) * (beside === 'left' ? -1 : 1),
    y: (beside === undefined ? radius + 25 : -2) + line * 16,
    'data-beside': beside,
  });
  const badges = [member.disk === undefined ? '' : `disk ${span(member.disk)}`, member.clock === undefined ? '' : `clock ${member.clock / 1000}×`].filter(
    Boolean,
  );
  return (
    <g
      role="button"
      tabIndex={focusable ? 0 : -1}
      className={css['member']}
      data-member={name}
      data-shape={shape}
      data-state={state}
      data-role={role}
      data-term={term}
      aria-label={label.filter(Boolean).join(', ')}
      aria-pressed={side ?? selected}
      transform={`translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`}
      onClick={onChoose}
      onContextMenu={(event) => {
        event.preventDefault();
        onMenu(event.clientX, event.clientY);
      }}
      onKeyDown={(event) => {
        const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (by !== undefined) onMove(by);
        else if (event.key === ' ') onChoose();
        else if (event.key === 'Enter' && side !== undefined) onChoose();
        else if (event.key === 'Enter' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
          const rect = event.currentTarget.getBoundingClientRect();
          onMenu(rect.right, rect.top);
        } else if (event.ctrlKey || event.metaKey || event.altKey || !onKey(event.key)) return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      {(selected || side === true) && <circle r={radius + 13} className={css['chosen']} />}
      {timer && <circle r={radius + 7} className={css['track']} />}
      {timer && !reduced && <path d={arc(radius + 7, share)} className={css['timer']} />}
      <circle r={radius} className={css['body']} />
      {role === 'Leader' && running && (
        <path d="M-11 6L-13 -6L-6 -1L0 -10L6 -1L13 -6L11 6Z" className={css['crown']} transform={`translate(0 ${-radius - 12})`} />
      )}
      <text y={standing ? 2 : 7} className={css['term']}>
        {term}
      </text>
      {state === 'paused' && <path d="M-4 0V9M4 0V9" className={css['pausedMark']} transform={`translate(0 ${radius * 0.5})`} />}
      {standing && <Seats voters={voters} votes={votes} y={radius * 0.48} width={radius * 1.5} />}
      {side === true && (
        <text x={radius + 20} y={-radius + 6} className={css['sideMark']}>
          A
        </text>
      )}
      <text {...place(0)} className={css['name']}>
        {name}
      </text>
      <text {...place(1)} className={css['role']}>
        {reduced && timer
          ? `${roleWord(member)} · ${span(untilElection(member))} left`
          : badges.length > 0
            ? `${roleWord(member)} · ${badges.join(' · ')}`
            : roleWord(member)}
      </text>
    </g>
  );
}

/** One seat a voter: a disc with a tick has voted for it, a cross against it, an empty ring has not answered. */
function Seats({ voters, votes, y, width }: { voters: readonly string[]; votes: ConsensusMember['votes']; y: number; width: number }) {
  const pitch = Math.min(13, width / Math.max(1, voters.length));
  const r = Math.min(5, pitch / 2 - 0.6);
  return (
    <g transform={`translate(${(-((voters.length - 1) * pitch) / 2).toFixed(1)} ${y.toFixed(1)})`} className={css['seats']}>
      {voters.map((voter, i) => {
        const vote = votes.find(({ member }) => member === voter);
        return (
          <g key={voter} transform={`translate(${(i * pitch).toFixed(1)} 0)`} data-vote={vote ? (vote.granted ? 'yes' : 'no') : 'none'}>
            <circle r={r} />
            {vote && (
              <path
                d={
                  vote.granted
                    ? `M${-r * 0.45} 0L${-r * 0.1} ${r * 0.4}L${r * 0.5} ${-r * 0.4}`
                    : `M${-r * 0.5} ${-r * 0.5}L${r * 0.5} ${r * 0.5}M${r * 0.5} ${-r * 0.5}L${-r * 0.5} ${r * 0.5}`
                }
              />
            )}
          </g>
        );
      })}
    </g>
  );
}
