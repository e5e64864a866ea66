import { Fragment } from 'react';
import { useApp, useUi } from '../app-context.ts';
import { Icon, type IconName } from '../look/icons.tsx';
import { isTable, twinOf, viewsOf } from '../views.ts';
import css from './rail.module.css';

/** The views there are, and the lessons. Views yet to come are not shown as dead buttons. */
export function Rail() {
  const { ui, cluster } = useApp();
  const view = useUi((state) => state.view);
  const table = useUi(isTable);
  const lessons = useUi((state) => state.lessons);
  const item = (icon: IconName, label: string, hint: string, current: boolean, onClick: () => void, toggle = false) => (
    <button
      type="button"
      className={css['item']}
      title={`${label} (${hint})`}
      onClick={onClick}
      {...(toggle ? { 'aria-pressed': current } : { 'aria-current': current ? 'page' : undefined })}
    >
      <Icon name={icon} size={18} />
      <span>{label}</span>
    </button>
  );
  return (
    <nav className={css['rail']} aria-label="Views">
      {viewsOf(cluster.topology).map(({ id, icon, label, keys }) =>
        id === 'table' && view !== 'map' && view !== 'table' ? (
          <Fragment key={id}>{item(icon, label, keys, table, () => ui.set(twinOf(ui.store.getState())), true)}</Fragment>
        ) : (
          <Fragment key={id}>{item(icon, label, keys, view === id, () => ui.set({ view: id }))}</Fragment>
        ),
      )}
      <span className={css['space']} />
      {item('lessons', 'Lessons', 'what to try', lessons, () => ui.set({ lessons: !lessons }), true)}
    </nav>
  );
}
