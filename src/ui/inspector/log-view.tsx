import { useState } from 'react';
import { useApp } from '../app-context.ts';
import { type Thing, urlOf } from '../objects.ts';
import css from './inspector.module.css';
import { useObserved } from './use-observed.ts';

/** The last lines a container wrote. Looking asks the API without disturbing the world. */
export function LogView({ thing, bare }: { thing: Thing & { kind: 'pod' }; bare?: boolean }) {
  const { cluster } = useApp();
  const containers = cluster.pods.details[thing.index]?.containers ?? [];
  const [chosen, setChosen] = useState<string>();
  const [previous, setPrevious] = useState(false);
  const container = chosen ?? containers.find((one) => one.kind === 'main')?.name;
  const url = urlOf(cluster, thing);
  const query = new URLSearchParams({ tailLines: '500', ...(container ? { container } : {}), ...(previous ? { previous: 'true' } : {}) });
  const { answer, error } = useObserved(url && `${url}/log?${query}`, '*/*');
  const refused = answer && answer.status >= 400;
  return (
    <>
      <div className={css['tools']} style={bare ? { margin: '0 0 8px' } : undefined}>
        <label>
          Container
          <select value={container ?? ''} onChange={(event) => setChosen(event.target.value)}>
            {containers.map((one) => (
              <option key={one.name}>{one.name}</option>
            ))}
          </select>
        </label>
        <label>
          <input type="checkbox" checked={previous} onChange={(event) => setPrevious(event.target.checked)} /> previous
        </label>
      </div>
      {error || refused ? (
        <p className={css['say']}>{error || messageOf(answer!.text)}</p>
      ) : answer ? (
        <pre className={css['code']}>{answer.text || 'It has written nothing.'}</pre>
      ) : (
        <p className={css['quiet']}>Reading…</p>
      )}
    </>
  );
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text;
  }
}
