/** The few long-lived things every panel needs: the world, what is known of it, what is selected, and the session. */
import { createContext, useContext, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import type { World } from '../hosts/connect.ts';
import type { Cluster, ClusterView } from './cluster-store.ts';
import type { SessionControl, SessionSnapshot } from './session.ts';
import type { Ui, UiControl } from './ui-store.ts';

/** What only the mounted map can do. */
export interface MapControl {
  fit(): void;
  zoom(direction: 1 | -1 | 0): void;
  /** Pans just as far as needed; called for explicit wishes of the person only. */
  reveal(id: string): void;
  focus(): void;
}

export interface App {
  readonly world: World;
  readonly cluster: Cluster;
  readonly ui: UiControl;
  readonly session: SessionControl;
  /** The terminal on the laptop. */
  readonly terminal: string;
  map: MapControl | undefined;
  /** Says one sentence to a screen reader, at most one in two seconds. */
  say(sentence: string): void;
}

const Context = createContext<App | undefined>(undefined);
export const AppProvider = Context.Provider;
export function useApp(): App {
  const app = useContext(Context);
  if (!app) throw new Error('outside the app');
  return app;
}
export const useCluster = <T>(selector: (view: ClusterView) => T): T => useStore(useApp().cluster.store, selector);
export const useUi = <T>(selector: (ui: Ui) => T): T => useStore(useApp().ui.store, selector);
export function useSession(): SessionSnapshot {
  const { session } = useApp();
  return useSyncExternalStore(session.subscribe, session.getSnapshot);
}
