// biome-ignore-all lint/a11y/useFocusableInteractive: one cell of the grid has the focus at a time, and rows and headers never
// biome-ignore-all lint/a11y/useSemanticElements: a grid of cells, walked by arrows, is no table of text
/**
 * The logs, one row a member, one column an index. Dashed: in the log and no more. Solid: committed. With a dot: applied.
 * Always the same number of cells, whatever is in them: a column stays where it is until the window moves on.
 */
import { memo, useEffect, useRef } from 'react';
import type { ConsensusMember, ConsensusPicture, EntrySummary, FollowerProgress } from '../../hosts/protocol.ts';
import { IconButton } from '../shell/icon-button.tsx';
import css from './consensus.module.css';
import type { Log, Struck } from './raft-store.ts';
import { roleWord } from './sentences.ts';

export interface Cell {
  readonly member: string;
  readonly index: number;
}
export type CellState = 'empty' | 'uncommitted' | 'committed' | 'applied' | 'snapshot' | 'folded';

/** What a cell of a member's row is. */
export function cellState(
  member: Pick<ConsensusMember, 'first' | 'last' | 'commit' | 'applied'>,
  log: Log | undefined,
  index: number,
): { readonly state: CellState; readonly term?: number } {
  const term = log?.terms[index - log.first];
  if (index < member.first) return { state: index === member.first - 1 ? 'snapshot' : 'folded' };
  if (term === undefined) return { state: 'empty' };
  return { state: index <= member.applied ? 'applied' : index <= member.commit ? 'committed' : 'uncommitted', term };
}
const SAYS: Readonly<Record<CellState, string>> = {
  empty: 'nothing',
  uncommitted: 'not committed',
  committed: 'committed',
  applied: 'committed and applied',
  snapshot: 'the last entry of the snapshot',
  folded: 'in the snapshot',
};

interface GridProps {
  readonly members: readonly ConsensusMember[];
  readonly logs: ReadonlyMap<string, Log>;
  readonly entries: ReadonlyMap<string, EntrySummary>;
  readonly window: ConsensusPicture['window'];
  readonly struck: readonly Struck[];
  readonly chosen: Cell | undefined;
  /** The window stays where it was put, though the log goes on. */
  readonly held: boolean;
  onChoose(cell: Cell): void;
  onShow(end: number | undefined): void;
}

const NOBODY: readonly Struck[] = [];

export function LogGrid({ members, logs, entries, window, struck, chosen, held, onChoose, onShow }: GridProps) {
  const box = useRef<HTMLDivElement>(null);
  const columns = Array.from({ length: window.last - window.first + 1 }, (_, i) => window.first + i);
  // The leader that counts: the one of the newest term.
  const leader = members.filter(({ state, role }) => state === 'running' && role === 'Leader').sort((a, b) => b.term - a.term)[0];
  const page = columns.length / 2;
  // Narrow screens see the newest entries first.
  useEffect(() => {
    const element = box.current;
    if (element && !held) element.scrollLeft = ((window.newest - window.first - 6) / columns.length) * element.scrollWidth;
  }, [held, window.first, window.newest, columns.length]);
  const focus =
    chosen && members.some(({ name }) => name === chosen.member) ? chosen : { member: members[0]?.name ?? '', index: Math.min(window.newest, window.last) };
  const move = (cell: Cell, key: string): boolean => {
    const row = members.findIndex(({ name }) => name === cell.member);
    const to = {
      ArrowLeft: [row, cell.index - 1],
      ArrowRight: [row, cell.index + 1],
      ArrowUp: [row - 1, cell.index],
      ArrowDown: [row + 1, cell.index],
      Home: [row, window.first],
      End: [row, Math.min(window.newest, window.last)],
    }[key];
    if (key === 'PageUp' || key === 'PageDown') {
      onShow(key === 'PageUp' ? window.last - page : window.last + page > window.newest ? undefined : window.last + page);
      return true;
    }
    if (!to) return false;
    const [nextRow = 0, index = 0] = to;
    const next = members[Math.min(members.length - 1, Math.max(0, nextRow))];
    if (!next || index < 1) return true;
    if (index < window.first) onShow(window.last - page);
    else if (index > window.last) onShow(window.last + page > window.newest ? undefined : window.last + page);
    onChoose({ member: next.name, index });
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-cell="${next.name}/${index}"]`)?.focus());
    return true;
  };
  return (
    <section className={css['logs']} aria-label="Logs" style={{ '--columns': columns.length } as React.CSSProperties}>
      <div ref={box} className={css['scroller']}>
        <div
          role="grid"
          aria-label="Log entries: one row a member, one column an index"
          className={css['grid']}
          aria-rowcount={members.length + 1}
          aria-colcount={window.newest + 1}
        >
          <div role="row" className={css['indices']}>
            <span role="columnheader" className={css['corner']}>
              index
            </span>
            {columns.map((index) => (
              <span role="columnheader" key={index}>
                {index % 5 === 0 ? index : <span className="visually-hidden">{index}</span>}
              </span>
            ))}
          </div>
          {members.map((member) => {
            const own = struck.filter((one) => one.member === member.name);
            return (
              <Row
                key={member.name}
                member={member}
                log={logs.get(member.name)}
                first={window.first}
                count={columns.length}
                struck={own.length === 0 ? NOBODY : own}
                entries={entries}
                progress={leader && leader !== member ? leader.progress.find((one) => one.member === member.name) : undefined}
                chosen={chosen?.member === member.name ? chosen.index : undefined}
                focus={focus.member === member.name ? focus.index : undefined}
                onChoose={(index) => onChoose({ member: member.name, index })}
                onKey={(index, key) => move({ member: member.name, index }, key)}
              />
            );
          })}
        </div>
      </div>
      <div className={css['foot']}>
        <span className={css['key']}>
          <i className={css['cell']} data-state="uncommitted">
            3
          </i>{' '}
          in the log
        </span>
        <span className={css['key']}>
          <i className={css['cell']} data-state="committed">
            3
          </i>{' '}
          committed
        </span>
        <span className={css['key']}>
          <i className={css['cell']} data-state="applied">
            3
          </i>{' '}
          applied
        </span>
        <span className={css['key']}>
          <i className={css['cell']} data-state="struck">
            2
          </i>{' '}
          taken back
        </span>
        <span className={css['key']}>
          <i className={css['cell']} data-state="snapshot" /> snapshot
        </span>
        <span className={css['key']}>
          <b>▲</b> commit index
        </span>
        <span className={css['key']}>
          <b>●</b> the leader knows it is there
        </span>
        <span className={css['key']}>
          <b>↑</b> sent next
        </span>
        <span className={css['space']} />
        <span className={css['range']}>
          {window.first}–{Math.min(window.last, Math.max(window.newest, window.first))} of {window.newest}
        </span>
        <IconButton icon="left" label="Older entries" shortcut="Page Up" disabled={window.first <= 1} onClick={() => onShow(window.last - page)} />
        <IconButton
          icon="right"
          label="Newer entries"
          shortcut="Page Down"
          disabled={window.last >= window.newest && !held}
          onClick={() => onShow(window.last + page > window.newest ? undefined : window.last + page)}
        />
      </div>
    </section>
  );
}

interface RowProps {
  readonly member: ConsensusMember;
  readonly log: Log | undefined;
  readonly first: number;
  readonly count: number;
  readonly struck: readonly Struck[];
  readonly entries: ReadonlyMap<string, EntrySummary>;
  readonly progress: FollowerProgress | undefined;
  readonly chosen: number | undefined;
  readonly focus: number | undefined;
  onChoose(index: number): void;
  onKey(index: number, key: string): boolean;
}

/** What of a member its row shows; the rest (its timer, every tick) draws no row anew. */
const shown = ({ state, role, learner, first, last, commit, applied, term }: ConsensusMember): string =>
  [state, role, learner, first, last, commit, applied, term].join();
const same = (a: RowProps, b: RowProps): boolean =>
  shown(a.member) === shown(b.member) &&
  a.log === b.log &&
  a.first === b.first &&
  a.count === b.count &&
  a.struck === b.struck &&
  a.entries === b.entries &&
  a.chosen === b.chosen &&
  a.focus === b.focus &&
  a.progress?.match === b.progress?.match &&
  a.progress?.next === b.progress?.next &&
  a.progress?.state === b.progress?.state;

const Row = memo(function Row({ member, log, first, count, struck, entries, progress, chosen, focus, onChoose, onKey }: RowProps) {
  const leads = member.state === 'running' && member.role === 'Leader';
  return (
    <div role="row" className={css['row']} data-row={member.name} data-stopped={member.state !== 'running'}>
      <span role="rowheader" className={css['rowName']}>
        <b>{member.name}</b>
        <small>
          {roleWord(member)} · {member.commit}/{member.last}
        </small>
        <span className="visually-hidden">
          , committed up to {member.commit}, applied up to {member.applied}, log up to {member.last}
          {progress ? `, as the leader knows: has ${progress.match}, next is ${progress.next}, ${progress.state.toLowerCase()}` : ''}
          {leads ? ', leader' : ''}
        </span>
      </span>
      {Array.from({ length: count }, (_, i) => first + i).map((index) => {
        const { state, term } = cellState(member, log, index);
        const gone = struck.find((one) => one.index === index);
        const entry = term === undefined ? undefined : entries.get(`${term}/${index}`);
        const label = gone
          ? `index ${index}: an entry of term ${gone.term} was taken back${term === undefined ? '' : `; now term ${term}, ${SAYS[state]}`}`
          : `index ${index}: ${term === undefined ? '' : `term ${term}, `}${SAYS[state]}${entry ? `, ${entry.verb} ${entry.about}` : ''}`;
        return (
          <span
            role="gridcell"
            key={index}
            className={css['cell']}
            data-cell={`${member.name}/${index}`}
            data-state={gone ? 'struck' : state}
            data-even={term === undefined ? undefined : term % 2 === 0}
            data-commit={index === member.commit || undefined}
            data-match={(progress && index === progress.match) || undefined}
            data-next={(progress && index === progress.next) || undefined}
            aria-selected={index === chosen}
            aria-label={label}
            title={label}
            tabIndex={index === focus ? 0 : -1}
            onClick={() => onChoose(index)}
            onKeyDown={(event) => {
              if (event.ctrlKey || event.metaKey || event.altKey) return;
              if (event.key === 'Enter' || event.key === ' ') onChoose(index);
              else if (!onKey(index, event.key)) return;
              event.preventDefault();
              event.stopPropagation();
            }}
          >
            {gone ? gone.term : (term ?? '')}
          </span>
        );
      })}
    </div>
  );
}, same);
