/** What is the page's own: selection, filter, which panel is open. Filter and view live in the address, so a reload or a link keeps them. */
import { createStore } from 'zustand/vanilla';
import { homeOf, type View, viewOf } from './views.ts';

export type DockTab = 'terminal' | 'yaml' | 'events' | 'logs' | 'trace';
export type InspectorTab = 'summary' | 'yaml' | 'events' | 'logs' | 'relations' | 'why';
export type Theme = 'system' | 'light' | 'dark';
export interface Toast {
  readonly id: number;
  readonly tone: 'info' | 'error';
  /** `409 Conflict`; absent when no code was given. */
  readonly code?: string;
  readonly text: string;
  /** The refused request, so that its journey can be found. */
  readonly asked?: Asked;
}
/** A request as it was sent, and the code it was answered with. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly code: number;
}

export interface Ui {
  readonly view: View;
  /** The view's own table is shown instead of its drawing. */
  readonly twin: boolean;
  /** A fact of the request whose journey is shown. */
  readonly request: number | undefined;
  /** The pod (`namespace/name`) whose scheduling is shown. */
  readonly scheduling: string | undefined;
  /** Id of the selected thing. */
  readonly selected: string | undefined;
  readonly inspector: { readonly open: boolean; readonly tab: InspectorTab };
  readonly dock: { readonly open: boolean; readonly tab: DockTab };
  readonly filter: string;
  /** None chosen means all. */
  readonly namespaces: readonly string[];
  readonly theme: Theme;
  readonly reduced: boolean;
  readonly dialog: 'palette' | 'help' | undefined;
  readonly menu: { readonly id: string; readonly x: number; readonly y: number } | undefined;
  readonly lessons: boolean;
  readonly legend: boolean;
  readonly toasts: readonly Toast[];
}

let lastToast = 0;

const KEY = 'orrery.look';
function remembered(): { theme: Theme; reduced: boolean } {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as { theme?: Theme; reduced?: boolean };
    return { theme: kept.theme ?? 'system', reduced: kept.reduced ?? false };
  } catch {
    return { theme: 'system', reduced: false };
  }
}

export function createUiStore() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const narrow = matchMedia('(max-width: 640px)').matches;
  const home = homeOf(new URLSearchParams(location.search).get('topology'));
  const store = createStore<Ui>(() => ({
    view: viewOf(hash.get('view') ?? (narrow && home === 'map' ? 'table' : home)).id,
    twin: hash.has('twin'),
    request: Number(hash.get('req')) || undefined,
    scheduling: hash.get('pod') ?? undefined,
    selected: undefined,
    inspector: { open: false, tab: 'summary' },
    dock: { open: false, tab: 'terminal' },
    filter: hash.get('filter') ?? '',
    namespaces: hash.get('ns')?.split(',').filter(Boolean) ?? [],
    ...remembered(),
    dialog: undefined,
    menu: undefined,
    lessons: false,
    legend: false,
    toasts: [],
  }));
  const applyLook = ({ theme, reduced }: Ui): void => {
    const root = document.documentElement;
    if (theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = theme;
    if (reduced) root.dataset['motion'] = 'reduced';
    else delete root.dataset['motion'];
  };
  applyLook(store.getState());
  store.subscribe((now, before) => {
    if (now.theme !== before.theme || now.reduced !== before.reduced) {
      applyLook(now);
      try {
        localStorage.setItem(KEY, JSON.stringify({ theme: now.theme, reduced: now.reduced }));
      } catch {
        // A page without storage forgets, and works.
      }
    }
    if (
      now.view !== before.view ||
      now.twin !== before.twin ||
      now.request !== before.request ||
      now.filter !== before.filter ||
      now.scheduling !== before.scheduling ||
      now.namespaces !== before.namespaces
    ) {
      const params = new URLSearchParams(location.hash.slice(1));
      const put = (key: string, value: string) => (value === '' ? params.delete(key) : params.set(key, value));
      put('view', now.view === home ? '' : now.view);
      put('twin', now.twin ? '1' : '');
      put('req', now.view === 'journey' && now.request !== undefined ? String(now.request) : '');
      put('pod', now.view === 'scheduler' ? (now.scheduling ?? '') : '');
      put('filter', now.filter);
      put('ns', now.namespaces.join(','));
      history.replaceState(null, '', `${location.pathname}${location.search}${params.size > 0 ? `#${params}` : ''}`);
    }
  });
  const set = store.setState;
  return {
    store,
    set,
    select: (id: string | undefined): void =>
      set((ui) => ({ selected: id, inspector: { ...ui.inspector, open: id !== undefined && (ui.inspector.open || ui.selected === undefined) } })),
    inspect: (id: string, tab: InspectorTab): void => set({ selected: id, inspector: { open: true, tab } }),
    openDock: (tab: DockTab): void => set({ dock: { open: true, tab } }),
    /** The journey of the request that a fact belongs to or follows from. */
    openJourney: (fact: number | undefined): void => set({ view: 'journey', request: fact }),
    /** Why a pod is where it is, or nowhere. */
    openScheduling: (pod: string): void => set({ view: 'scheduler', scheduling: pod }),
    toast(text: string, tone: Toast['tone'] = 'info', code?: string, asked?: Asked): void {
      const id = ++lastToast;
      set((ui) => ({ toasts: [...ui.toasts.slice(-3), { id, tone, text, ...(code === undefined ? {} : { code }), ...(asked ? { asked } : {}) }] }));
      // Errors stay until dismissed: they may carry what the learner has to read.
      if (tone === 'info') setTimeout(() => this.dismiss(id), 5_000);
    },
    dismiss: (id: number): void => set((ui) => ({ toasts: ui.toasts.filter((toast) => toast.id !== id) })),
  };
}
export type UiControl = ReturnType<typeof createUiStore>;
