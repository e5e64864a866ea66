// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys
// biome-ignore-all lint/a11y/useSemanticElements: a region inside a section needs no second section
import { useEffect, useState } from 'react';
import { clockText, type FactBatch } from '../../hosts/connect.ts';
import { useApp } from '../app-context.ts';
import css from './dock.module.css';

const KEPT = 300;

/** What the world says about itself while this is open: the latest facts, newest first, with their causes. */
export function TraceList() {
  const { world } = useApp();
  const [facts, setFacts] = useState<FactBatch['facts']>([]);
  const [skipped, setSkipped] = useState(0);
  const [word, setWord] = useState('');
  useEffect(
    () =>
      world.onTrace([], (batch) => {
        setFacts((before) => [...before, ...batch.facts].slice(-KEPT));
        setSkipped((before) => before + batch.skipped);
      }),
    [world],
  );
  const shown = facts.filter((fact) => word === '' || fact.type.includes(word) || fact.about.includes(word) || fact.by.includes(word)).reverse();
  return (
    <div className={css['scroll']} tabIndex={0} role="region" aria-label="Trace, newest first">
      <div className={css['tools']}>
        <input
          type="search"
          aria-label="Filter the trace"
          placeholder="sched. or Pod/default/web"
          value={word}
          onChange={(event) => setWord(event.target.value)}
        />
        <span>
          {facts.length} latest{skipped > 0 ? `, ${skipped.toLocaleString('en')} skipped` : ''}
        </span>
      </div>
      {shown.length === 0 ? (
        <p className={css['quiet']}>{facts.length === 0 ? 'Nothing has happened since this was opened.' : 'No fact matches.'}</p>
      ) : (
        <table className={css['table']}>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Fact</th>
              <th scope="col">By</th>
              <th scope="col">About</th>
              <th scope="col">Data</th>
              <th scope="col">Cause</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((fact) => (
              <tr key={fact.id}>
                <td>{clockText(fact.at)}</td>
                <td>
                  <code>{fact.type}</code>
                </td>
                <td>{fact.by}</td>
                <td>
                  <code>{fact.about}</code>
                </td>
                <td>
                  <code>{brief(fact.data)}</code>
                </td>
                <td>
                  #{fact.id} ← {fact.cause === 0 ? 'root' : `#${fact.cause}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function brief(data: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(data)
    .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ');
  return text.length > 140 ? `${text.slice(0, 139)}…` : text;
}
