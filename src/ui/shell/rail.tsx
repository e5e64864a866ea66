import { useApp, useUi } from '../app-context.ts';
import { Icon, type IconName } from '../look/icons.tsx';
import css from './rail.module.css';

/** The views there are, and the lessons. Views yet to come are not shown as dead buttons. */
export function Rail() {
  const { ui } = useApp();
  const view = useUi((state) => state.view);
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
      {item('map', 'Map', '1', view === 'map', () => ui.set({ view: 'map' }))}
      {item('table', 'Table', 'Shift+T', view === 'table', () => ui.set({ view: 'table' }))}
      <span className={css['space']} />
      {item('lessons', 'Lessons', 'what to try', lessons, () => ui.set({ lessons: !lessons }), true)}
    </nav>
  );
}
