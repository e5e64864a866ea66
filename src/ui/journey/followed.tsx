// biome-ignore-all lint/a11y/useSemanticElements: a tree of rows that open and fold is no list
// biome-ignore-all lint/a11y/useFocusableInteractive: the row that is pointed at holds the focus
// biome-ignore-all lint/a11y/useKeyWithClickEvents: keys are the tree's
/** What followed: who saw the change, what they did, and the requests they made, each of which can be opened as a journey of its own. */
import { useMemo, useRef, useState } from 'react';
import type { Journey, JourneyNode } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { Icon } from '../look/icons.tsx';
import css from './journey.module.css';
import { codeText, microsText, nameText, outcomeOf } from './stage-words.ts';

/** Who acts, and what they asked for: open from the beginning. */
const OPEN_LEVELS = 4;

export interface FollowedRow {
  readonly node: JourneyNode;
  readonly level: number;
}
export function rowsOf(nodes: readonly JourneyNode[], open: (node: JourneyNode, level: number) => boolean, level = 1): FollowedRow[] {
  return nodes.flatMap((node) => [{ node, level }, ...(open(node, level) ? rowsOf(node.children, open, level + 1) : [])]);
}

const WORDS: Readonly<Record<string, string>> = {
  'queue.add': 'informer → queue',
  'queue.get': '',
  'queue.done': '',
  'reconcile.start': 'reconcile',
  'reconcile.end': '',
  'sched.enqueue': 'informer → queue',
  'sched.start': '',
  'sched.filter': 'filter',
  'sched.score': 'score',
  'sched.select': '',
  'sched.bind': 'bind',
  'sched.unschedulable': 'unschedulable',
  'kubelet.sync': 'sync',
  'kubelet.status': 'status',
  'cri.sandbox': 'sandbox',
  'cri.pull': 'pull',
  'cri.start': 'start',
  'cri.exit': 'exit',
  'proxy.sync': 'rules',
  'queue.requeue': 'again later',
  'probe.run': 'probe',
};
/** `informer → queue → reconcile` */
export function doneText(node: JourneyNode): string {
  const words: string[] = [];
  for (const { type } of node.steps) {
    const word = WORDS[type] ?? type;
    if (word !== '' && !words.includes(word)) words.push(word);
  }
  return words.join(' → ');
}

export function Followed({ journey }: { journey: Journey }) {
  const { ui } = useApp();
  /** Rows that are not as they begin: opened ones that were folded and the other way round. */
  const [turned, setTurned] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState<number>();
  const tree = useRef<HTMLDivElement>(null);
  const isOpen = (node: JourneyNode, level: number): boolean => level < OPEN_LEVELS !== turned.has(node.id);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is turned decides what is open
  const rows = useMemo(() => rowsOf(journey.followed, isOpen), [journey, turned]);
  const { requests, untold } = journey.counts;
  const current = Math.max(
    0,
    rows.findIndex(({ node }) => node.id === active),
  );
  const turn = (id: number): void =>
    setTurned((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  const focus = (to: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (!row) return;
    setActive(row.node.id);
    tree.current?.querySelector<HTMLElement>(`#followed-${row.node.id}`)?.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const row = rows[current];
    if (!row) return;
    const foldable = row.node.children.length > 0;
    const open = foldable && isOpen(row.node, row.level);
    switch (event.key) {
      case 'ArrowDown':
        focus(current + 1);
        break;
      case 'ArrowUp':
        focus(current - 1);
        break;
      case 'Home':
        focus(0);
        break;
      case 'End':
        focus(rows.length - 1);
        break;
      case 'ArrowRight':
        if (foldable && !open) turn(row.node.id);
        else focus(current + 1);
        break;
      case 'ArrowLeft': {
        if (open) turn(row.node.id);
        // The nearest row above that is less deep is its parent.
        else if (row.level > 1) focus(rows.findLastIndex((other, i) => i < current && other.level < row.level));
        break;
      }
      case 'Enter':
        if (row.node.request) ui.openJourney(row.node.id);
        else if (foldable) turn(row.node.id);
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  return (
    <section className={css['followed']} aria-labelledby="followed-title">
      <header>
        <h3 id="followed-title">What followed</h3>
        <small>
          {requests === 0 ? 'no request' : `${requests} ${requests === 1 ? 'request' : 'requests'}`}
          {untold > 0 && `, and ${untold.toLocaleString('en')} more that are not told here`}
        </small>
      </header>
      {rows.length === 0 ? (
        <p className={css['quiet']}>Nobody acted on it.</p>
      ) : (
        <div ref={tree} role="tree" aria-labelledby="followed-title" onKeyDown={onKeyDown}>
          {rows.map(({ node, level }, i) => {
            const open = isOpen(node, level);
            const foldable = node.children.length > 0;
            return (
              <div
                key={node.id}
                id={`followed-${node.id}`}
                role="treeitem"
                aria-level={level}
                aria-expanded={foldable ? open : undefined}
                aria-selected={i === current}
                tabIndex={i === current ? 0 : -1}
                className={css['row']}
                data-kind={node.kind}
                style={{ '--level': level - 1 } as React.CSSProperties}
                onFocus={() => setActive(node.id)}
                onClick={() => (node.request ? ui.openJourney(node.id) : foldable && turn(node.id))}
              >
                <span
                  className={css['fold']}
                  aria-hidden="true"
                  onClick={(event) => {
                    event.stopPropagation();
                    if (foldable) turn(node.id);
                  }}
                >
                  {foldable && <Icon name={open ? 'down' : 'right'} size={14} />}
                </span>
                {node.request ? <Glyph status={outcomeOf(node.request.code)} size={14} /> : <Gear />}
                <strong>{node.request ? `${node.title} ${node.request.resource}` : node.title}</strong>
                <code>{nameText(node.about)}</code>
                <span className={css['done']} title={node.steps.map(({ text }) => text).join('; ')}>
                  {node.request ? codeText(node.request.code, node.request.reason) : doneText(node)}
                </span>
                <small>+{microsText(node.at - journey.request.at)}</small>
              </div>
            );
          })}
        </div>
      )}
    </section>
  );
}

/** A controller is a gear. */
function Gear() {
  return (
    <svg className={css['gear']} width="14" height="14" viewBox="-8 -8 16 16" aria-hidden="true">
      <circle r="2.2" />
      <path d="M0-7v2.2M0 4.8V7M-7 0h2.2M4.8 0H7M-5-5l1.6 1.6M3.4 3.4L5 5M-5 5l1.6-1.6M3.4-3.4L5-5" />
      <circle r="4.9" />
    </svg>
  );
}
