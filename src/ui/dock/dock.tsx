// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
// biome-ignore-all lint/a11y/useSemanticElements: a region inside a section needs no second section
// biome-ignore-all lint/suspicious/noArrayIndexKey: a list of facts has no identity but its order
/** Terminal, editor and the three streams, in a drawer over the foot of the stage. The terminal stays alive while another tab is in front. */
import { lazy, Suspense, useState } from 'react';
import { clockText } from '../../hosts/connect.ts';
import { useApp, useCluster, useUi } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { isEtcdOnly } from '../map/layout.ts';
import { thingOf } from '../objects.ts';
import { IconButton } from '../shell/icon-button.tsx';
import { later } from '../shell/later.tsx';
import { Tabs } from '../shell/tabs.tsx';
import type { DockTab } from '../ui-store.ts';
import css from './dock.module.css';

const LogView = later(async () => (await import('../inspector/log-view.tsx')).LogView);
const TraceList = later(async () => (await import('./trace-list.tsx')).TraceList);
const TerminalPane = lazy(() => import('../terminal/terminal.tsx'));
const EditorTab = lazy(() => import('./editor-tab.tsx'));

const TABS: readonly { readonly id: DockTab; readonly label: string }[] = [
  { id: 'terminal', label: 'Terminal' },
  { id: 'yaml', label: 'YAML' },
  { id: 'events', label: 'Events' },
  { id: 'logs', label: 'Logs' },
  { id: 'trace', label: 'Trace' },
];

export function Dock() {
  const app = useApp();
  const { open, tab } = useUi((state) => state.dock);
  const [seen, setSeen] = useState<ReadonlySet<DockTab>>(new Set());
  if (open && !seen.has(tab)) setSeen(new Set([...seen, tab]));
  const shown = (id: DockTab): boolean => open && tab === id;
  return (
    <section className={css['dock']} data-open={open} data-region="dock" aria-label="Dock">
      <div className={css['strip']}>
        <Tabs
          label="Dock"
          tabs={isEtcdOnly(app.cluster.topology) ? TABS.filter(({ id }) => id === 'terminal' || id === 'trace') : TABS}
          current={open ? tab : undefined}
          onChoose={(id) => app.ui.openDock(id)}
          panel="dock-panel"
        />
        <IconButton
          icon={open ? 'down' : 'up'}
          label={open ? 'Fold the dock' : 'Unfold the dock'}
          size={14}
          expanded={open}
          onClick={() => app.ui.set({ dock: { open: !open, tab } })}
        />
      </div>
      <div id="dock-panel" role="tabpanel" aria-labelledby={`dock-panel-${tab}`} className={css['panel']} hidden={!open}>
        <Suspense fallback={<p className={css['quiet']}>Opening…</p>}>
          {seen.has('terminal') && (
            <div className={css['fill']} hidden={!shown('terminal')}>
              <TerminalPane world={app.world} name={app.terminal} visible={shown('terminal')} />
            </div>
          )}
          {seen.has('yaml') && (
            <div className={css['fill']} hidden={!shown('yaml')}>
              <EditorTab visible={shown('yaml')} />
            </div>
          )}
          {shown('events') && <AllEvents />}
          {shown('logs') && <Logs />}
          {shown('trace') && <TraceList />}
        </Suspense>
      </div>
    </section>
  );
}

function AllEvents() {
  const happenings = useCluster((state) => state.happenings);
  if (happenings.length === 0) return <p className={css['quiet']}>No Events yet.</p>;
  return (
    <div className={css['scroll']} tabIndex={0} role="region" aria-label="Events, newest first">
      <table className={css['table']}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Type</th>
            <th scope="col">Reason</th>
            <th scope="col">Object</th>
            <th scope="col">Message</th>
          </tr>
        </thead>
        <tbody>
          {happenings
            .slice(-200)
            .reverse()
            .map((one, i) => (
              <tr key={`${one.at}/${one.about}/${happenings.length - i}`}>
                <td>{clockText(one.at)}</td>
                <td>
                  <span>
                    {one.type === 'Warning' && <Glyph status={2} size={12} />} {one.type}
                  </span>
                </td>
                <td>
                  {one.reason}
                  {one.count > 1 ? ` ×${one.count}` : ''}
                </td>
                <td>
                  <code>{one.about}</code>
                </td>
                <td>{one.message}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

function Logs() {
  const { cluster } = useApp();
  const selected = useUi((state) => state.selected);
  useCluster((state) => state.population);
  const thing = thingOf(cluster, selected);
  if (thing?.kind !== 'pod') return <p className={css['quiet']}>Select a pod to read its logs.</p>;
  return (
    <div
      className={css['scroll']}
      tabIndex={0}
      role="region"
      aria-label={`Logs of ${cluster.pods.records[thing.index]?.name}`}
      style={{ padding: '8px 16px' }}
      key={thing.id}
    >
      <LogView thing={thing} bare />
    </div>
  );
}
