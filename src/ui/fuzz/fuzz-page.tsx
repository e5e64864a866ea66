/** `?fuzz=7[&profile=storm][&members=5]`: one random run of the Raft core, replayed here, and what it came to. */
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { FuzzAnswer, FuzzRequest } from '../../hosts/fuzz.worker.ts';
import css from './fuzz-page.module.css';

const ROWS: readonly (readonly [keyof FuzzAnswer['stats'], string])[] = [
  ['events', 'Events'],
  ['faults', 'Faults'],
  ['crashes', 'Crashes'],
  ['elections', 'Elections'],
  ['committed', 'Committed entries'],
  ['operations', 'Operations asked'],
  ['answered', 'Operations answered'],
];

function requestOf(query: URLSearchParams): FuzzRequest {
  const members = Number(query.get('members'));
  const profile = query.get('profile');
  return {
    seed: Number(query.get('fuzz')) >>> 0,
    options: {
      ...(members >= 3 && members <= 7 ? { members } : {}),
      ...(profile === 'storm' || profile === 'succession' || profile === 'reshape' ? { profile } : {}),
    },
  };
}

function FuzzPage({ request }: { readonly request: FuzzRequest }) {
  const [answer, setAnswer] = useState<FuzzAnswer>();
  useEffect(() => {
    const worker = new Worker(new URL('../../hosts/fuzz.worker.ts', import.meta.url), { type: 'module', name: 'fuzz' });
    worker.onmessage = ({ data }: MessageEvent<FuzzAnswer>) => setAnswer(data);
    worker.postMessage(request);
    return () => worker.terminate();
  }, [request]);
  const broken = answer?.violations ?? [];
  return (
    <main className={css['page']}>
      <h1>Raft, random run {request.seed}</h1>
      <p>
        {request.options.members === undefined ? 'Members as the seed draws them' : `${request.options.members} members`}, profile{' '}
        {request.options.profile ?? 'mixed'}. The same seed gives the same run everywhere.
      </p>
      <p role="status" className={css['verdict']}>
        {answer === undefined ? 'Running…' : broken.length === 0 ? '✓ Every promise was kept.' : `✕ ${broken.length} broken`}
      </p>
      {broken.map((sentence) => (
        <pre key={sentence}>{sentence}</pre>
      ))}
      {answer && (
        <table>
          <tbody>
            <tr>
              <th scope="row">Digest</th>
              <td data-testid="digest">{answer.digest}</td>
            </tr>
            {ROWS.map(([key, label]) => (
              <tr key={key}>
                <th scope="row">{label}</th>
                <td>{answer.stats[key].toLocaleString('en')}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">Virtual time</th>
              <td>{(answer.stats.virtual / 1e6).toFixed(0)} s</td>
            </tr>
          </tbody>
        </table>
      )}
      <p>
        <a href={`?fuzz=${request.seed + 1}`}>Next seed</a> · <a href="./">To the cluster</a>
      </p>
    </main>
  );
}

export function showFuzz(root: HTMLElement, query: URLSearchParams): void {
  document.title = `Orrery: Raft run ${query.get('fuzz')}`;
  createRoot(root).render(<FuzzPage request={requestOf(query)} />);
}
