/**
 * The views there are, each in one line: its key, its place in the rail, and where its component is. All but the map are
 * fetched when first shown (or when the browser is idle), so that the first picture waits for none of them.
 */
import type { ComponentType } from 'react';
import type { IconName } from './look/icons.tsx';
import { isEtcdOnly } from './map/layout.ts';

export interface ViewEntry {
  readonly id: string;
  readonly label: string;
  /** As the page's keys see it; `T` is Shift+T. */
  readonly key: string;
  /** As the key is told to a person. */
  readonly keys: string;
  readonly icon: IconName;
  /** The component; the map stands there from the beginning. */
  readonly load?: () => Promise<ComponentType>;
  /** It has a table twin of its own, which Shift+T shows (`twin` in the page's state). */
  readonly twin?: true;
}

export const VIEWS = [
  { id: 'map', label: 'Map', key: '1', keys: '1', icon: 'map' },
  {
    id: 'journey',
    label: 'Journey',
    key: '3',
    keys: '3',
    icon: 'journey',
    load: async () => (await import('./journey/journey-view.tsx')).JourneyView,
    twin: true,
  },
  {
    id: 'scheduler',
    label: 'Scheduler',
    key: '4',
    keys: '4',
    icon: 'scheduler',
    load: async () => (await import('./scheduler/scheduler-view.tsx')).SchedulerView,
  },
  {
    id: 'loops',
    label: 'Loops',
    key: '5',
    keys: '5',
    icon: 'loops',
    load: async () => (await import('./loops/loops-view.tsx')).LoopsView,
    twin: true,
  },
  {
    id: 'consensus',
    label: 'Consensus',
    key: '6',
    keys: '6',
    icon: 'consensus',
    load: async () => (await import('./consensus/consensus-view.tsx')).ConsensusView,
    twin: true,
  },
  { id: 'table', label: 'Table', key: 'T', keys: 'Shift+T', icon: 'table', load: async () => (await import('./table/table-twin.tsx')).TableTwin },
] as const satisfies readonly ViewEntry[];

export type View = (typeof VIEWS)[number]['id'];
/** Views that say nothing of a world of etcd alone. */
const OF_KUBERNETES: readonly string[] = ['owners', 'journey', 'scheduler', 'loops', 'packet', 'traffic'];
/** Those that a world has something to show in; and the one it opens with. */
export const viewsOf = (topology: string): readonly (typeof VIEWS)[number][] => VIEWS.filter(({ id }) => !isEtcdOnly(topology) || !OF_KUBERNETES.includes(id));
export const homeOf = (topology: string | null): View => (topology !== null && isEtcdOnly(topology) ? 'consensus' : 'map');
export const viewOf = (id: string | null): ViewEntry & { readonly id: View } => VIEWS.find((view) => view.id === id) ?? VIEWS[0];

interface Shown {
  readonly view: View;
  readonly twin: boolean;
}
/** What Shift+T, or the rail's Table, makes of what is shown: the map's twin is a view, others have theirs in themselves. */
export function twinOf({ view, twin }: Shown): Partial<Shown> {
  if ((viewOf(view) as ViewEntry).twin) return { twin: !twin };
  return { view: view === 'table' ? 'map' : 'table' };
}
/** Whether a table is shown instead of a drawing. */
export const isTable = ({ view, twin }: Shown): boolean => view === 'table' || (twin && (viewOf(view) as ViewEntry).twin === true);
