/** The page: top bar, rail, stage (map or table, with panels laid over it), time bar. Panels overlay the stage, so opening one moves nothing. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { useApp, useSession, useUi } from '../app-context.ts';
import { Dock } from '../dock/dock.tsx';
import { ClusterMap } from '../map/map.tsx';
import { TimeBar } from '../time/time-bar.tsx';
import { VIEWS, type View } from '../views.ts';
import { announcer } from './announcer.ts';
import { CrashBanner } from './crash-banner.tsx';
import { FilterNotice } from './filter-notice.tsx';
import { useKeys } from './keys.ts';
import { fetchEarly, fetchParts, later } from './later.tsx';
import { Rail } from './rail.tsx';
import css from './shell.module.css';
import { Toasts } from './toasts.tsx';
import { TopBar } from './top-bar.tsx';

const VIEW_PARTS: ReadonlyMap<View, (props: object) => React.ReactNode> = new Map(
  VIEWS.flatMap((view) => ('load' in view ? [[view.id, later(view.load)] as const] : [])),
);
const Inspector = later(async () => (await import('../inspector/inspector.tsx')).Inspector);
const ContextMenu = later(async () => (await import('./context-menu.tsx')).ContextMenu);
const Palette = later(async () => (await import('./palette.tsx')).Palette, true);
const Help = later(async () => (await import('./help.tsx')).Help);
const LessonPanel = lazy(() => import('../lessons/lesson-panel.tsx'));

export function Shell() {
  const app = useApp();
  const view = useUi((ui) => ui.view);
  const dialog = useUi((ui) => ui.dialog);
  const menu = useUi((ui) => ui.menu);
  const dockOpen = useUi((ui) => ui.dock.open);
  const inspectorOpen = useUi((ui) => ui.inspector.open && ui.selected !== undefined);
  const lessons = useUi((ui) => ui.lessons);
  const session = useSession();
  useKeys();
  const up = session.context.hurry === undefined;
  useEffect(fetchEarly, []);
  useEffect(() => {
    if (up) fetchParts();
  }, [up]);
  const style = {
    '--dock-now': dockOpen ? 'var(--dock)' : 'var(--strip)',
    '--inspector-now': inspectorOpen ? 'var(--inspector)' : '0px',
    '--lessons-now': lessons ? 'var(--lessons)' : '0px',
  } as React.CSSProperties;
  return (
    <div className={css['shell']} style={style}>
      <a className={css['skip']} href="#stage">
        Skip to the cluster
      </a>
      <TopBar />
      <Rail />
      <main id="stage" className={css['stage']} aria-label="Cluster" tabIndex={-1}>
        <Viewed key={view} view={view} />
        {(view === 'map' || view === 'table') && <FilterNotice />}
        {session.value === 'crashed' || session.value === 'lost' ? <CrashBanner /> : null}
        {lessons && (
          <aside className={css['lessons']} aria-label="Lesson">
            <Suspense fallback={<p className={css['loading']}>Opening…</p>}>
              <LessonPanel app={app} onClose={() => app.ui.set({ lessons: false })} />
            </Suspense>
          </aside>
        )}
        {inspectorOpen && <Inspector />}
        <Dock />
        <Toasts />
        {menu && <ContextMenu key={menu.id} menu={menu} />}
      </main>
      <TimeBar />
      {dialog === 'palette' && <Palette />}
      {dialog === 'help' && <Help />}
      <LiveRegion />
    </div>
  );
}

function Viewed({ view }: { view: View }) {
  const Part = VIEW_PARTS.get(view);
  return Part ? <Part /> : <ClusterMap />;
}

function LiveRegion() {
  const [sentence, setSentence] = useState('');
  useEffect(() => announcer()?.onSentence(setSentence), []);
  return (
    <div className="visually-hidden" role="status" aria-live="polite" data-testid="live">
      {sentence}
    </div>
  );
}
