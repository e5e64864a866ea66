// biome-ignore-all lint/a11y/useSemanticElements: an ARIA treegrid that scrolls through rows out of the DOM cannot be an HTML table; rows hold the focus and the keys
// biome-ignore-all lint/a11y/useFocusableInteractive: an ARIA treegrid that scrolls through rows out of the DOM cannot be an HTML table; rows hold the focus and the keys
// biome-ignore-all lint/a11y/useKeyWithClickEvents: an ARIA treegrid that scrolls through rows out of the DOM cannot be an HTML table; rows hold the focus and the keys
// biome-ignore-all lint/correctness/useExhaustiveDependencies: the version stands for what the pod columns hold
/**
 * The Table twin: the same things as the map, as a tree of nodes and their pods that a keyboard and a screen reader can
 * walk. Only the rows in sight are in the DOM, so 150,000 pods are no heavier than thirty.
 */
import { useMemo, useRef, useState } from 'react';
import { useApp, useCluster, useUi } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { Icon } from '../look/icons.tsx';
import { allThings, summaryOf, type Thing } from '../objects.ts';
import css from './table-twin.module.css';

const ROW = 36;
const SPARE = 8;

interface Row {
  readonly id: string;
  readonly level: 1 | 2;
  readonly thing: Thing | undefined;
  /** Heading of a group that is no object. */
  readonly title?: string;
  readonly children: number;
}

export function TableTwin() {
  const app = useApp();
  const { cluster, ui } = app;
  const version = useCluster((state) => state.version);
  const filter = useUi((state) => state.filter);
  const namespaces = useUi((state) => state.namespaces);
  const selected = useUi((state) => state.selected);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [scroll, setScroll] = useState({ top: 0, height: 800 });
  const [active, setActive] = useState(0);
  const box = useRef<HTMLDivElement>(null);

  const rows = useMemo((): Row[] => {
    const bright = cluster.bright(filter, namespaces);
    const all = allThings(cluster);
    const made: Row[] = [];
    const shown = (thing: Thing): boolean => thing.kind !== 'pod' || !bright || bright.mask[thing.index] === 1;
    const group = (id: string, thing: Thing | undefined, children: readonly Thing[], title?: string): void => {
      const inside = children.filter(shown);
      if (!thing && inside.length === 0) return;
      made.push({ id, level: 1, thing, children: inside.length, ...(title === undefined ? {} : { title }) });
      if (!folded.has(id)) for (const child of inside) made.push({ id: child.id, level: 2, thing: child, children: 0 });
    };
    const podsOn = new Map<number, Thing[]>();
    for (const thing of all)
      if (thing.kind === 'pod') podsOn.set(cluster.pods.node[thing.index]!, [...(podsOn.get(cluster.pods.node[thing.index]!) ?? []), thing]);
    group('waiting', undefined, podsOn.get(-1) ?? [], 'Unscheduled');
    for (const thing of all) if (thing.kind === 'node') group(thing.id, thing, podsOn.get(thing.index) ?? []);
    const rest = (title: string, kind: Thing['kind']) =>
      group(
        title,
        undefined,
        all.filter((thing) => thing.kind === kind),
        title,
      );
    rest('Services', 'service');
    rest('etcd members', 'member');
    return made;
  }, [cluster, version, filter, namespaces, folded]);

  const first = Math.max(0, Math.floor(scroll.top / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((scroll.top + scroll.height) / ROW) + SPARE);
  const current = Math.min(active, rows.length - 1);

  const toggle = (row: Row, fold: boolean): void => {
    const next = new Set(folded);
    if (fold) next.add(row.id);
    else next.delete(row.id);
    setFolded(next);
  };
  const go = (to: number): void => {
    const at = Math.max(0, Math.min(rows.length - 1, to));
    setActive(at);
    const element = box.current;
    if (!element) return;
    if (at * ROW < element.scrollTop) element.scrollTop = at * ROW;
    else if ((at + 2) * ROW > element.scrollTop + element.clientHeight) element.scrollTop = (at + 2) * ROW - element.clientHeight;
    requestAnimationFrame(() => element.querySelector<HTMLElement>(`[data-row="${at}"]`)?.focus());
  };
  const openMenu = (row: Row, element: Element): void => {
    if (!row.thing) return;
    const rect = element.getBoundingClientRect();
    ui.set({ selected: row.thing.id, menu: { id: row.thing.id, x: Math.min(rect.right - 210, innerWidth - 230), y: rect.bottom } });
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const row = rows[current];
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(scroll.height / ROW) - 2);
    const to = { ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + page, PageUp: current - page, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      go(to);
    } else if (event.key === 'ArrowRight' && row.level === 1) {
      event.preventDefault();
      if (folded.has(row.id)) toggle(row, false);
      else if (row.children > 0) go(current + 1);
    } else if (event.key === 'ArrowLeft') {
      event.preventDefault();
      if (row.level === 1) toggle(row, true);
      else go(rows.findLastIndex((one, i) => i < current && one.level === 1));
    } else if (event.key === 'Enter' && (event.target as Element).getAttribute('role') === 'row') {
      event.preventDefault();
      if (row.thing) ui.inspect(row.thing.id, 'summary');
      else toggle(row, !folded.has(row.id));
    } else if ((event.key === 'F10' && event.shiftKey) || event.key === 'ContextMenu' || event.key === 'Delete') {
      event.preventDefault();
      const element = box.current?.querySelector(`[data-row="${current}"]`);
      if (element) openMenu(row, element);
    }
  };

  return (
    <div className={css['twin']} data-region="table" data-testid="table">
      <div
        ref={(element) => {
          box.current = element;
          if (element && Math.abs(element.clientHeight - scroll.height) > 1) setScroll({ top: element.scrollTop, height: element.clientHeight });
        }}
        className={css['scroll']}
        role="treegrid"
        aria-label="Nodes and their pods, services and etcd members"
        aria-rowcount={rows.length + 1}
        onScroll={(event) => setScroll({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
        onKeyDown={onKeyDown}
      >
        <div role="row" aria-rowindex={1} className={css['head']}>
          <span role="columnheader">Name</span>
          <span role="columnheader" className={css['wide']}>
            Kind
          </span>
          <span role="columnheader">Status</span>
          <span role="columnheader" className={css['wide']}>
            Namespace
          </span>
          <span role="columnheader" className={css['wide']}>
            Restarts
          </span>
          <span role="columnheader" className={css['wide']}>
            IP
          </span>
          <span role="columnheader">
            <span className="visually-hidden">Actions</span>
          </span>
        </div>
        <div role="rowgroup" className={css['rows']} style={{ height: rows.length * ROW }}>
          {rows.slice(first, last).map((row, i) => {
            const at = first + i;
            const { thing } = row;
            const summary = thing && summaryOf(cluster, thing);
            const record = thing?.kind === 'pod' ? cluster.pods.records[thing.index] : undefined;
            const detail = thing?.kind === 'pod' ? cluster.pods.details[thing.index] : undefined;
            const node = thing?.kind === 'node' ? cluster.store.getState().nodes.get(thing.index) : undefined;
            const service = thing?.kind === 'service' ? cluster.store.getState().services.get(thing.key) : undefined;
            const open = !folded.has(row.id);
            return (
              <div
                key={row.id}
                role="row"
                aria-rowindex={at + 2}
                aria-level={row.level}
                aria-expanded={row.level === 1 && row.children > 0 ? open : undefined}
                aria-selected={thing !== undefined && thing.id === selected}
                data-row={at}
                data-id={thing?.id}
                tabIndex={at === current ? 0 : -1}
                className={css['row']}
                data-level={row.level}
                style={{ top: at * ROW }}
                onFocus={() => setActive(at)}
                onClick={() => (thing ? ui.select(thing.id) : toggle(row, open))}
                // The second press opens; it is not for marking a word.
                onMouseDown={(event) => event.detail > 1 && event.preventDefault()}
                onDoubleClick={() => thing && ui.inspect(thing.id, 'summary')}
                onContextMenu={(event) => {
                  if (!thing) return;
                  event.preventDefault();
                  ui.set({ selected: thing.id, menu: { id: thing.id, x: event.clientX, y: event.clientY } });
                }}
              >
                <span role="gridcell" className={css['name']}>
                  {row.level === 1 && (
                    <span
                      className={css['fold']}
                      data-empty={row.children === 0}
                      aria-hidden="true"
                      onClick={(event) => {
                        event.stopPropagation();
                        toggle(row, open);
                      }}
                    >
                      <Icon name={open ? 'down' : 'right'} size={12} />
                    </span>
                  )}
                  {summary && <Glyph status={summary.status} size={16} surface="var(--paper)" />}
                  <span className={css['text']}>{summary?.title ?? row.title}</span>
                  {row.level === 1 && <small>{row.children}</small>}
                </span>
                <span role="gridcell" className={css['wide']}>
                  {summary?.kind}
                </span>
                <span role="gridcell">
                  {summary?.word}
                  {summary && <span className="visually-hidden">, {summary.place}</span>}
                </span>
                <span role="gridcell" className={css['wide']}>
                  {record?.namespace ?? (service ? service.key.split('/')[0] : '')}
                </span>
                <span role="gridcell" className={css['wide']}>
                  {thing?.kind === 'pod' ? cluster.pods.restarts[thing.index] : ''}
                </span>
                <span role="gridcell" className={css['wide']}>
                  <code>{detail?.ip ?? node?.ip ?? service?.clusterIP ?? ''}</code>
                </span>
                <span role="gridcell">
                  {thing && (
                    <button
                      type="button"
                      tabIndex={at === current ? 0 : -1}
                      aria-label={`Actions on ${summary?.title}`}
                      className={css['more']}
                      onClick={(event) => {
                        event.stopPropagation();
                        openMenu(row, event.currentTarget);
                      }}
                    >
                      <Icon name="more" />
                    </button>
                  )}
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
