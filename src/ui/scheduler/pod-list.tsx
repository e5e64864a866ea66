// biome-ignore-all lint/a11y/useSemanticElements: a listbox whose options carry more than text cannot be a select
// biome-ignore-all lint/a11y/useFocusableInteractive: the list holds the focus, options are pointed at
// biome-ignore-all lint/a11y/useKeyWithClickEvents: keys are the list's
/** The pods the scheduler has had to do with, newest first. While somebody is in the list its order stands still. */
import { useEffect, useRef, useState } from 'react';
import { clockText } from '../../hosts/connect.ts';
import type { ScheduledPod, SchedulingQuery } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { useAsked } from '../use-asked.ts';
import css from './scheduler.module.css';
import { STATE_STATUS, STATE_WORDS, saysOf } from './words.ts';

const LIMIT = 300;

export function PodList({ chosen, onChoose }: { readonly chosen: string | undefined; onChoose(pod: string): void }) {
  const { world } = useApp();
  const [words, setWords] = useState('');
  const [pending, setPending] = useState(false);
  const query: SchedulingQuery = { limit: LIMIT, ...(words ? { words } : {}), ...(pending ? { pending } : {}) };
  const key = JSON.stringify(query);
  const { answer, asked } = useAsked(
    () => world.scheduled(query),
    key,
    () => false,
  );
  const [shown, setShown] = useState<{ readonly key: string; readonly pods: readonly ScheduledPod[]; readonly more: boolean }>();
  const [held, setHeld] = useState(false);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!answer || asked !== key) return;
    setShown((before) => {
      if (!before || !held || before.key !== key) return { key, ...answer };
      const news = new Map(answer.pods.map((pod) => [pod.key, pod]));
      return { ...before, pods: before.pods.map((pod) => news.get(pod.key) ?? pod) };
    });
  }, [answer, asked, held, key]);
  const pods = shown?.pods ?? [];
  const known = new Set(pods.map((pod) => pod.key));
  const waiting = held && answer && asked === key ? answer.pods.filter((pod) => !known.has(pod.key)).length : 0;
  const at = pods.findIndex((pod) => pod.key === chosen);
  const go = (to: number): void => {
    const index = Math.max(0, Math.min(pods.length - 1, to));
    const pod = pods[index];
    if (!pod) return;
    onChoose(pod.key);
    list.current?.children[index]?.scrollIntoView({ block: 'nearest' });
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, Home: 0, End: pods.length - 1, PageDown: at + 10, PageUp: at - 10 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  return (
    <section className={css['pods']} aria-label="Pods" data-region="pods" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
      <header className={css['filters']}>
        <input
          type="search"
          aria-label="Words about a pod"
          placeholder="web node-2 insufficient"
          value={words}
          spellCheck={false}
          onChange={(event) => setWords(event.target.value)}
        />
        <label>
          <input type="checkbox" checked={pending} onChange={(event) => setPending(event.target.checked)} /> Without a node only
        </label>
        <p role="status">
          {waiting > 0 && answer ? (
            <button type="button" onClick={() => setShown({ key, ...answer })}>
              {waiting} newer
            </button>
          ) : (
            `${pods.length}${shown?.more ? ' latest' : ''} ${pods.length === 1 ? 'pod' : 'pods'}`
          )}
        </p>
      </header>
      {pods.length > 0 ? (
        <div
          ref={list}
          className={css['list']}
          role="listbox"
          aria-label="Pods, newest first"
          tabIndex={0}
          aria-activedescendant={at >= 0 ? `scheduled-${at}` : undefined}
          onKeyDown={onKeyDown}
          onFocus={() => setHeld(true)}
          onBlur={() => setHeld(false)}
        >
          {pods.map((pod, i) => (
            <div key={pod.key} id={`scheduled-${i}`} role="option" aria-selected={pod.key === chosen} className={css['pod']} onClick={() => onChoose(pod.key)}>
              <Glyph status={STATE_STATUS[pod.state]} size={14} />
              <span>
                <strong>{pod.key.split('/')[1]}</strong>
                <small>{saysOf(pod)}</small>
                <small>
                  {pod.key.split('/')[0]} · {clockText(pod.at)}
                </small>
              </span>
              {pod.attempts > 1 && <em>{pod.attempts}×</em>}
              <span className="visually-hidden">
                {STATE_WORDS[pod.state]}, {pod.attempts} attempts
              </span>
            </div>
          ))}
        </div>
      ) : (
        <p className={css['quiet']}>{!shown ? 'Reading…' : words || pending ? 'No pod matches.' : 'The scheduler has had nothing to do yet.'}</p>
      )}
    </section>
  );
}
