import { useApp, useCluster } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { summaryOf, type Thing } from '../objects.ts';
import css from './map.module.css';

/** Name and state of what the pointer is on. A convenience for the pointer: keys and the table reach the same words. */
export function HoverCard({ thing, x, y, width, height }: { thing: Thing; x: number; y: number; width: number; height: number }) {
  const app = useApp();
  useCluster((state) => state.version);
  const summary = summaryOf(app.cluster, thing);
  if (!summary) return null;
  const record = thing.kind === 'pod' ? app.cluster.pods.records[thing.index] : undefined;
  const style = { left: Math.min(x + 14, width - 290), top: y > height - 130 ? y - 84 : y + 16 };
  return (
    <div className={css['card']} style={style} aria-hidden="true">
      <div className={css['cardTitle']}>{summary.title}</div>
      <div className={css['cardLine']}>
        <Glyph status={summary.status} surface="var(--paper)" /> {summary.word} · {summary.place}
      </div>
      {record && (
        <div className={css['cardLine']}>
          {record.namespace} · {record.owner}
        </div>
      )}
      {thing.kind === 'pod' && app.cluster.pods.details[thing.index]?.containers.some(({ assumed }) => assumed) && (
        <div className={css['cardLine']}>its image is assumed</div>
      )}
    </div>
  );
}
