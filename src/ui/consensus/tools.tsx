// biome-ignore-all lint/a11y/useSemanticElements: a panel of buttons is no set of fields
/** The tools that need a choice: a wall, a new member, slower wires, breakpoints. Each lies over the stage while open, and moves nothing. */
import { useEffect, useRef, useState } from 'react';
import type { Breakpoint, ConsensusMember, Fault } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { addMember, buildWall, inTerminal, slowWires } from './actions.ts';
import { setBreakpoints, useBreakpoints } from './breakpoints.ts';
import css from './consensus.module.css';
import { span } from './sentences.ts';
import { Timers } from './timers.tsx';

export type Tool = 'wall' | 'add' | 'wires' | 'times' | 'ctl' | 'break';

interface Props {
  readonly tool: Tool;
  readonly members: readonly ConsensusMember[];
  readonly side: ReadonlySet<string>;
  onSide(side: ReadonlySet<string>): void;
  onClose(): void;
}

export function ToolPanel({ tool, members, side, onSide, onClose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const cameFrom = useRef(document.activeElement);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another tool is another first control
  useEffect(() => box.current?.querySelector<HTMLElement>('input:checked, button, input')?.focus(), [tool]);
  const close = (): void => {
    onClose();
    if (cameFrom.current instanceof HTMLElement) cameFrom.current.focus();
  };
  return (
    <div
      ref={box}
      className={css['tool']}
      role="group"
      aria-label={TITLES[tool]}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        close();
      }}
    >
      {tool === 'wall' && <Wall members={members} side={side} onSide={onSide} onDone={close} />}
      {tool === 'add' && <Add members={members} onDone={onClose} />}
      {tool === 'wires' && <WireSpeed members={members} />}
      {tool === 'times' && <Timers members={members} />}
      {tool === 'ctl' && <Commands />}
      {tool === 'break' && <Breaks members={members} />}
      <button type="button" className={css['plain']} onClick={close}>
        Close
      </button>
    </div>
  );
}
const TITLES: Readonly<Record<Tool, string>> = { wall: 'Wall', add: 'Add a member', wires: 'Wires', times: 'Timers', ctl: 'etcdctl', break: 'Breakpoints' };

function Wall({
  members,
  side,
  onSide,
  onDone,
}: {
  readonly members: readonly ConsensusMember[];
  readonly side: ReadonlySet<string>;
  onSide(side: ReadonlySet<string>): void;
  onDone(): void;
}) {
  const app = useApp();
  const built = side.size > 0 && side.size < members.length;
  return (
    <>
      <span className={css['hint']}>Side A, here or on the circle:</span>
      {members.map(({ name }) => (
        <label key={name} className={css['check']}>
          <input
            type="checkbox"
            checked={side.has(name)}
            onChange={() => {
              const next = new Set(side);
              if (!next.delete(name)) next.add(name);
              onSide(next);
            }}
          />
          {name}
        </label>
      ))}
      <button
        type="button"
        className={css['strong']}
        disabled={!built}
        onClick={() => {
          buildWall(app, [...side], members);
          onDone();
        }}
      >
        Build the wall
      </button>
    </>
  );
}

function Add({ members, onDone }: { readonly members: readonly ConsensusMember[]; onDone(): void }) {
  const app = useApp();
  const add = (learner: boolean) => (): void => {
    addMember(app, members, learner);
    onDone();
  };
  return (
    <>
      <span className={css['hint']}>A machine of its own, and “etcdctl member add” in the terminal:</span>
      <button type="button" className={css['strong']} onClick={add(true)}>
        Add a learner
      </button>
      <button type="button" className={css['strong']} onClick={add(false)}>
        Add a voting member
      </button>
    </>
  );
}

const COMMANDS = [
  'etcdctl endpoint status --cluster -w table',
  'etcdctl member list -w table',
  'etcdctl get "" --prefix --keys-only --limit=10',
  'etcdctl put color blue',
  'etcdctl get color -w json',
];
function Commands() {
  const app = useApp();
  return (
    <>
      <span className={css['hint']}>Typed for you in the terminal:</span>
      {COMMANDS.map((command) => (
        <button key={command} type="button" className={css['chip']} onClick={() => inTerminal(app, command)}>
          {command}
        </button>
      ))}
    </>
  );
}

const SPEEDS = [0, 20_000, 100_000];
function WireSpeed({ members }: { readonly members: readonly ConsensusMember[] }) {
  const app = useApp();
  const names = members.map(({ name }) => name);
  const [from, setFrom] = useState(names[0] ?? '');
  const [to, setTo] = useState(names[1] ?? '');
  const choose = (label: string, value: string, set: (name: string) => void) => (
    <select className={css['select']} aria-label={label} value={value} onChange={(event) => set(event.target.value)}>
      {names.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
  const one = (label: string, ...faults: readonly Fault[]) => (
    <button
      key={label}
      type="button"
      className={css['strong']}
      disabled={from === to}
      onClick={() => {
        for (const fault of faults) app.world.fault(fault);
      }}
    >
      {label}
    </button>
  );
  return (
    <>
      <span className={css['hint']}>All wires take, one way:</span>
      {SPEEDS.map((micros) => (
        <button key={micros} type="button" className={css['strong']} onClick={() => slowWires(app, members, micros)}>
          {micros === 0 ? '0.25 ms, as built' : `${span(micros)} more`}
        </button>
      ))}
      <span className={css['together']}>
        <span className={css['hint']}>One way from</span>
        {choose('From', from, setFrom)}
        <span className={css['hint']}>to</span>
        {choose('To', to, setTo)}
        {one('Cut', { kind: 'cut', from, to })}
        {one('Lose 30 %', { kind: 'loss', from, to, percent: 30 })}
        {one('Double 30 %', { kind: 'duplicate', from, to, percent: 30 })}
        {one('Reorder', { kind: 'reorder', from, to, micros: 50_000 })}
        {one(
          'Mend it',
          { kind: 'mend', from, to },
          { kind: 'loss', from, to, percent: 0 },
          { kind: 'duplicate', from, to, percent: 0 },
          { kind: 'reorder', from, to, micros: 0 },
        )}
      </span>
    </>
  );
}

function Breaks({ members }: { readonly members: readonly ConsensusMember[] }) {
  const app = useApp();
  const set = useBreakpoints();
  const newest = members.reduce((most, { term }) => Math.max(most, term), 0);
  const kept = set.find((one) => one.kind === 'term-above');
  const [term, setTerm] = useState<number>();
  const wanted = kept?.kind === 'term-above' ? kept.term : (term ?? newest);
  const toggle = (breakpoint: Breakpoint): void =>
    setBreakpoints(app, set.some(({ kind }) => kind === breakpoint.kind) ? set.filter(({ kind }) => kind !== breakpoint.kind) : [...set, breakpoint]);
  const has = (kind: Breakpoint['kind']): boolean => set.some((one) => one.kind === kind);
  return (
    <>
      <span className={css['hint']}>Stop the clock when</span>
      <label className={css['check']}>
        <input type="checkbox" checked={has('two-leaders')} onChange={() => toggle({ kind: 'two-leaders' })} /> two leaders
      </label>
      <label className={css['check']}>
        <input type="checkbox" checked={has('term-above')} onChange={() => toggle({ kind: 'term-above', term: wanted })} /> term &gt;
      </label>
      <input
        type="number"
        min={0}
        className={css['number']}
        aria-label="Term"
        value={wanted}
        onChange={(event) => {
          const value = Math.max(0, Math.floor(Number(event.target.value) || 0));
          setTerm(value);
          if (has('term-above')) setBreakpoints(app, [...set.filter(({ kind }) => kind !== 'term-above'), { kind: 'term-above', term: value }]);
        }}
      />
      <label className={css['check']}>
        <input type="checkbox" checked={has('commit-advances')} onChange={() => toggle({ kind: 'commit-advances' })} /> commit advances
      </label>
    </>
  );
}
