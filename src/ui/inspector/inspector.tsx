// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
/** One thing, looked at closely. It lies over the map, so opening it moves nothing. */
import { lazy, Suspense } from 'react';
import { actionsFor } from '../actions.ts';
import { useApp, useCluster, useUi } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { summaryOf, thingOf } from '../objects.ts';
import { IconButton } from '../shell/icon-button.tsx';
import { Tabs } from '../shell/tabs.tsx';
import type { InspectorTab } from '../ui-store.ts';
import { EventList } from './event-list.tsx';
import css from './inspector.module.css';
import { LogView } from './log-view.tsx';
import { Relations } from './relations.tsx';
import { SummaryTab } from './summary-tab.tsx';
import { Why } from './why.tsx';

const YamlView = lazy(() => import('./yaml-view.tsx'));

const TABS: readonly { readonly id: InspectorTab; readonly label: string }[] = [
  { id: 'summary', label: 'Summary' },
  { id: 'yaml', label: 'YAML' },
  { id: 'events', label: 'Events' },
  { id: 'logs', label: 'Logs' },
  { id: 'relations', label: 'Relations' },
  { id: 'why', label: 'Why?' },
];

export function Inspector() {
  const app = useApp();
  const { cluster, ui } = app;
  const selected = useUi((state) => state.selected);
  const { open, tab } = useUi((state) => state.inspector);
  useCluster((state) => state.version);
  if (!open || selected === undefined) return null;
  const thing = thingOf(cluster, selected);
  const summary = thing && summaryOf(cluster, thing);
  const close = (): void => ui.set((state) => ({ inspector: { ...state.inspector, open: false } }));
  if (!thing || !summary) {
    return (
      <aside className={css['inspector']} aria-label="Inspector" data-region="inspector">
        <header className={css['head']}>
          <div className={css['title']}>
            <h2>Gone</h2>
            <p>This object no longer exists. A replacement, if there is one, is another object.</p>
          </div>
          <IconButton icon="close" label="Close the inspector" shortcut="Esc" onClick={() => ui.select(undefined)} />
        </header>
      </aside>
    );
  }
  const tabs = TABS.filter(({ id }) =>
    thing.kind === 'object' ? id === 'yaml' : id === 'logs' ? thing.kind === 'pod' : id === 'summary' || id === 'relations' ? true : thing.kind !== 'member',
  );
  const shown = tabs.some(({ id }) => id === tab) ? tab : tabs[0]!.id;
  return (
    <aside
      className={css['inspector']}
      aria-label="Inspector"
      data-region="inspector"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return;
        event.preventDefault();
        close();
        app.map?.focus();
      }}
    >
      <header className={css['head']}>
        {thing.kind !== 'object' && <Glyph status={summary.status} size={22} />}
        <div className={css['title']}>
          <h2>{summary.title}</h2>
          <p>
            {summary.kind} · {summary.word}
          </p>
        </div>
        <IconButton
          icon="more"
          label={`Actions on ${summary.title}`}
          shortcut="Shift+F10"
          disabled={actionsFor(app, thing).length === 0}
          onClick={(event) => {
            const rect = event.currentTarget.getBoundingClientRect();
            ui.set({ menu: { id: thing.id, x: rect.right - 210, y: rect.bottom + 4 } });
          }}
        />
        <IconButton icon="close" label="Close the inspector" shortcut="Esc" onClick={close} />
      </header>
      <Tabs label="Inspector" tabs={tabs} current={shown} onChoose={(id) => ui.set({ inspector: { open: true, tab: id } })} panel="inspector-panel" />
      <div id="inspector-panel" role="tabpanel" aria-labelledby={`inspector-panel-${shown}`} className={css['body']} tabIndex={0} key={`${thing.id}/${shown}`}>
        <Suspense fallback={<p className={css['quiet']}>Opening…</p>}>
          {shown === 'summary' && <SummaryTab thing={thing} />}
          {shown === 'yaml' && <YamlView thing={thing} />}
          {shown === 'events' && <EventList thing={thing} />}
          {shown === 'logs' && thing.kind === 'pod' && <LogView thing={thing} />}
          {shown === 'relations' && <Relations thing={thing} />}
          {shown === 'why' && <Why thing={thing} />}
        </Suspense>
      </div>
    </aside>
  );
}
