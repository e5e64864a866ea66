// biome-ignore-all lint/suspicious/noArrayIndexKey: a list of facts has no identity but its order
import { clockText } from '../../hosts/connect.ts';
import { useApp, useCluster } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { aboutOf, type Thing } from '../objects.ts';
import css from './inspector.module.css';

/** The Events recorded about one object, newest first. */
export function EventList({ thing }: { thing: Thing }) {
  const { cluster } = useApp();
  const about = aboutOf(cluster, thing);
  const all = useCluster((state) => state.happenings);
  const mine = all.filter((one) => one.about === about).reverse();
  if (mine.length === 0) return <p className={css['quiet']}>No Event tells of it yet.</p>;
  return (
    <ul className={css['events']}>
      {mine.slice(0, 100).map((one, i) => (
        <li key={`${one.at}/${i}`} className={css['event']}>
          {one.type === 'Warning' ? <Glyph status={2} size={14} /> : <span className={css['dot']} />}
          <div>
            <header>
              <strong>
                {one.reason}
                {one.count > 1 ? ` ×${one.count}` : ''}
              </strong>
              <time>{clockText(one.at)}</time>
            </header>
          </div>
          <p>{one.message}</p>
        </li>
      ))}
    </ul>
  );
}
