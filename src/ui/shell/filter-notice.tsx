import { useApp, useCluster, useUi } from '../app-context.ts';
import css from './notices.module.css';

/** How many a filter matches; with none, everything stays in place, dim, and the way out is one click. */
export function FilterNotice() {
  const { cluster, ui } = useApp();
  const filter = useUi((state) => state.filter);
  const namespaces = useUi((state) => state.namespaces);
  useCluster((state) => state.version);
  const bright = cluster.bright(filter, namespaces);
  if (!bright) return null;
  const all = cluster.bright(filter, []);
  const elsewhere = (all?.count ?? 0) - bright.count;
  return (
    <div className={css['filter']} role="status">
      <span>
        {bright.count.toLocaleString('en')} of {cluster.pods.count.toLocaleString('en')} match {filter && <code>{filter}</code>}
      </span>
      {bright.count === 0 && namespaces.length > 0 && elsewhere > 0 && (
        <button type="button" onClick={() => ui.set({ namespaces: [] })}>
          Search all namespaces ({elsewhere} there)
        </button>
      )}
      <button type="button" onClick={() => ui.set({ filter: '', namespaces: [] })}>
        Clear
      </button>
    </div>
  );
}
