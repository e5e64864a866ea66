import { useEffect, useState } from 'react';
import { clockText } from '../../hosts/connect.ts';
import type { WhyStep } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { aboutOf, type Thing } from '../objects.ts';
import css from './inspector.module.css';

/** The chain of causes, from the root to what is there now, as sentences of the world itself. */
export function Why({ thing }: { thing: Thing }) {
  const { world, cluster, ui } = useApp();
  const about = aboutOf(cluster, thing);
  const [chain, setChain] = useState<readonly WhyStep[]>();
  const [error, setError] = useState('');
  useEffect(() => {
    if (about === undefined) return;
    let stopped = false;
    world.why(about).then(
      (steps) => !stopped && setChain(steps),
      (problem: unknown) => !stopped && setError(problem instanceof Error ? problem.message : String(problem)),
    );
    return () => {
      stopped = true;
    };
  }, [world, about]);
  if (about === undefined) return <p className={css['quiet']}>This machine was here before the cluster.</p>;
  if (error) return <p className={css['say']}>{error}</p>;
  if (!chain) return <p className={css['quiet']}>Following the causes…</p>;
  if (chain.length === 0) return <p className={css['quiet']}>The trace no longer reaches back that far.</p>;
  const ordered = [...chain].sort((a, b) => a.fact.id - b.fact.id);
  return (
    <ol className={css['chain']}>
      {ordered.map((step) => (
        <li key={step.fact.id}>
          <Sentence text={step.sentence} />
          <small>
            t={clockText(step.fact.at)} · {step.fact.by}
            {step.fact.cause !== 0 && (
              <>
                {' · '}
                <button type="button" className={css['journey']} onClick={() => ui.openJourney(step.fact.id)}>
                  journey<span className="visually-hidden"> of the request behind: {step.sentence}</span>
                </button>
              </>
            )}
          </small>
        </li>
      ))}
    </ol>
  );
}

/** A sentence of the world; what stands between backticks was typed by somebody. */
function Sentence({ text }: { text: string }) {
  return text.split('`').map((part, i) => (i % 2 === 1 ? <code key={part}>{part}</code> : part));
}
