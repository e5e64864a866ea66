import { useApp } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { memberThing, nodeThing, podThing, serviceThing, summaryOf, type Thing, thingOf } from '../objects.ts';
import css from './inspector.module.css';

const MOST = 60;

/** Its neighbours, one hop away; each can be selected. */
export function Relations({ thing }: { thing: Thing }) {
  const { cluster } = useApp();
  const state = cluster.store.getState();
  const pods = (indices: readonly number[]): Thing[] => indices.map((index) => podThing(cluster, index)).filter((one) => one !== undefined);
  switch (thing.kind) {
    case 'pod': {
      const mine = cluster.pods.records[thing.index];
      if (!mine) return null;
      const node = state.nodes.get(cluster.pods.node[thing.index]!);
      const siblings: number[] = [];
      for (let index = 0; index < cluster.pods.length; index++) {
        const other = cluster.pods.records[index];
        if (other && index !== thing.index && other.owner === mine.owner && other.namespace === mine.namespace) siblings.push(index);
      }
      return (
        <>
          <Group title="Placed on" things={node ? [nodeThing(node)] : []} none="No node yet." />
          <Group
            title="Selected by"
            things={[...state.services.values()]
              .filter((service) => service.endpoints.some((endpoint) => endpoint.uid === thing.id))
              .map((service) => serviceThing(service.key))}
            none="No service selects it."
          />
          <Group title={`Also of ${mine.owner}`} things={pods(siblings)} none="It is the only one." />
        </>
      );
    }
    case 'node':
      return (
        <Group
          title="Runs"
          things={pods([...(cluster.pods.byNode.get(thing.index) ?? [])].sort((a, b) => cluster.pods.slot[a]! - cluster.pods.slot[b]!))}
          none="Nothing runs here yet."
        />
      );
    case 'service':
      return (
        <Group
          title="Sends to"
          things={(state.services.get(thing.key)?.endpoints ?? []).map((endpoint) => thingOf(cluster, endpoint.uid)).filter((one) => one !== undefined)}
          none="No endpoints."
        />
      );
    case 'member':
      return <Group title="Votes with" things={[...state.members.keys()].filter((name) => name !== thing.name).map(memberThing)} none="It is alone." />;
  }
}

function Group({ title, things, none }: { title: string; things: readonly Thing[]; none: string }) {
  const { cluster, ui } = useApp();
  return (
    <>
      <h3>
        {title}
        {things.length > 1 ? ` (${things.length})` : ''}
      </h3>
      {things.length === 0 && (
        <p className={css['quiet']} style={{ marginBottom: 18, fontSize: 13 }}>
          {none}
        </p>
      )}
      <ul className={css['rows']}>
        {things.slice(0, MOST).map((thing) => {
          const summary = summaryOf(cluster, thing);
          return (
            summary && (
              <li key={thing.id}>
                <button type="button" className={css['row']} onClick={() => ui.set({ selected: thing.id })}>
                  <Glyph status={summary.status} />
                  <code>{summary.title}</code>
                  <small>{summary.word}</small>
                </button>
              </li>
            )
          );
        })}
      </ul>
      {things.length > MOST && <p className={css['quiet']}>and {things.length - MOST} more</p>}
    </>
  );
}
