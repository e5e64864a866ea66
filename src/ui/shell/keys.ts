/** Keys of the whole page. Single letters act only when no text is being typed, and never in the terminal or the editor. */
import { useEffect } from 'react';
import { useApp } from '../app-context.ts';
import { twinOf, VIEWS, viewsOf } from '../views.ts';

export interface KeyHelp {
  readonly keys: string;
  readonly does: string;
}
export const KEYS: readonly { readonly group: string; readonly keys: readonly KeyHelp[] }[] = [
  {
    group: 'Map',
    keys: [
      { keys: '← ↑ → ↓', does: 'move to the nearest object' },
      { keys: 'Enter / Esc', does: 'go in / go up' },
      { keys: '0   Shift+0', does: 'fit everything / 100 %' },
      { keys: '−  =', does: 'zoom out / in' },
      { keys: 'Shift+F10', does: 'menu of the selected object' },
      { keys: 'W', does: 'Why? The causes of the selected object' },
    ],
  },
  {
    group: 'Journey',
    keys: [
      { keys: '← →   Home End', does: 'to the station before / after, first / last' },
      { keys: '↑ ↓   Enter', does: 'through the requests, or what followed; open' },
    ],
  },
  {
    group: 'Loops',
    keys: [
      { keys: '↑ ↓   Enter', does: 'through the loops; into what is told closely' },
      { keys: 'P   R', does: 'pause or resume the loop / step one reconcile' },
    ],
  },
  {
    group: 'Consensus',
    keys: [
      { keys: '← →   Enter', does: 'through the members; menu' },
      { keys: 'S  P  T  I  W', does: 'stop, pause, time out, isolate, write' },
      { keys: 'M   H', does: 'step a message / mend the network' },
      { keys: 'Del   D', does: 'drop / delay the message' },
    ],
  },
  {
    group: 'Time',
    keys: [
      { keys: 'Space', does: 'play / pause' },
      { keys: '.   Shift+.', does: 'to the next change / to the next event' },
    ],
  },
  {
    group: 'Page',
    keys: [
      ...VIEWS.map(({ id, keys, label }) => ({ keys, does: id === 'table' ? 'Table twin' : label })),
      { keys: '/', does: 'filter' },
      { keys: 'Ctrl+K  ⌘K', does: 'command palette' },
      { keys: '`', does: 'terminal' },
      { keys: 'F6', does: 'next region' },
      { keys: '?', does: 'this list' },
    ],
  },
];

const REGIONS = ['alert', 'lessons', 'map', 'table', 'requests', 'journey', 'loops', 'consensus', 'inspector', 'dock', 'time', 'top'];

function nextRegion(back: boolean): void {
  const present = REGIONS.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter((element) => element !== null);
  const current = present.findIndex((element) => element.contains(document.activeElement));
  const from = back && current < 0 ? 0 : current;
  // What is there may be hidden or have nothing to stand on: then it is the one after.
  for (let steps = 1; steps <= present.length; steps++) {
    const region = present[(((from + (back ? -steps : steps)) % present.length) + present.length) % present.length]!;
    const inside = region.querySelectorAll<HTMLElement>('[tabindex="0"], button:not(:disabled), input, select');
    for (const candidate of region.tabIndex >= 0 ? [region] : inside) {
      if (!candidate.checkVisibility({ visibilityProperty: true })) continue;
      candidate.focus();
      if (region.contains(document.activeElement)) return;
    }
  }
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
    (target instanceof HTMLInputElement && !/^(range|checkbox|radio)$/.test(target.type)));

export function useKeys(): void {
  const app = useApp();
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { ui } = app;
      const state = ui.store.getState();
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        ui.set({ dialog: state.dialog === 'palette' ? undefined : 'palette' });
        return;
      }
      if (event.key === 'F6') {
        event.preventDefault();
        nextRegion(event.shiftKey);
        return;
      }
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || state.dialog || state.menu || typing(event.target)) return;
      const onControl = event.target instanceof HTMLElement && event.target.closest('button, a, [role="tab"], [role="treegrid"], input, summary') !== null;
      const act = (does: () => void): void => {
        event.preventDefault();
        does();
      };
      const view = viewsOf(app.cluster.topology).find(({ id, key }) => id !== 'table' && key === event.key);
      if (view) {
        act(() => ui.set({ view: view.id }));
        return;
      }
      switch (event.key) {
        case ' ':
          if (!onControl) act(() => app.session.send({ type: 'toggle' }));
          return;
        case '.':
          act(() => app.session.send({ type: 'step', what: 'fact' }));
          return;
        case '>':
          act(() => app.session.send({ type: 'step', what: 'event' }));
          return;
        case 'T':
          act(() => ui.set(twinOf(state)));
          return;
        case '0':
          act(() => app.map?.fit());
          return;
        case ')':
          act(() => app.map?.zoom(0));
          return;
        case '-':
          act(() => app.map?.zoom(-1));
          return;
        case '=':
        case '+':
          act(() => app.map?.zoom(1));
          return;
        case '/':
          act(() => document.getElementById('filter')?.focus());
          return;
        case '`':
          act(() => (state.dock.open && state.dock.tab === 'terminal' ? ui.set({ dock: { open: false, tab: 'terminal' } }) : ui.openDock('terminal')));
          return;
        case '?':
          act(() => ui.set({ dialog: 'help' }));
          return;
        case 'w':
        case 'W':
          if (state.selected) act(() => ui.inspect(state.selected!, 'why'));
          return;
        case 'Escape':
          if (state.selected) act(() => ui.set({ inspector: { ...state.inspector, open: false } }));
          return;
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [app]);
}
