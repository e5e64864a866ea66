/** Keys of the whole page. Single letters act only when no text is being typed, and never in the terminal or the editor. */
import { useEffect } from 'react';
import { useApp } from '../app-context.ts';

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
    group: 'Time',
    keys: [
      { keys: 'Space', does: 'play / pause' },
      { keys: '.   Shift+.', does: 'to the next change / to the next event' },
    ],
  },
  {
    group: 'Page',
    keys: [
      { keys: '1', does: 'Map' },
      { keys: 'Shift+T', does: 'Table twin' },
      { keys: '/', does: 'filter' },
      { keys: 'Ctrl+K  ⌘K', does: 'command palette' },
      { keys: '`', does: 'terminal' },
      { keys: 'F6', does: 'next region' },
      { keys: '?', does: 'this list' },
    ],
  },
];

const REGIONS = ['lessons', 'map', 'table', 'inspector', 'dock', 'time', 'top'];

function nextRegion(back: boolean): void {
  const present = REGIONS.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter((element) => element !== null);
  const current = present.findIndex((element) => element.contains(document.activeElement));
  const next = present[(current + (back ? -1 : 1) + present.length) % present.length];
  if (!next) return;
  const inner = next.tabIndex >= 0 ? next : (next.querySelector<HTMLElement>('[tabindex="0"], button:not(:disabled), input, select') ?? next);
  inner.focus();
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
        case '1':
          act(() => ui.set({ view: 'map' }));
          return;
        case 'T':
          act(() => ui.set({ view: state.view === 'map' ? 'table' : 'map' }));
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
