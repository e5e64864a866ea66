// biome-ignore-all lint/a11y/useSemanticElements: a listbox whose options carry more than text cannot be a select
/**
 * Loops: what are the controllers doing? A conveyor for every controller, the scheduler and every kubelet, read from
 * their queues as they are. What is done here is a fault of the session: pausing one loop, letting it work on one key.
 */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { LoopGroup, LoopRecord } from '../../hosts/protocol.ts';
import { useApp, useCluster, useSession, useUi } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { reducedMotion } from '../look/palette.ts';
import { mapProbe } from '../map/map.tsx';
import { speedOf } from '../session.ts';
import { canStep, stepLoop, toggleLoop } from './actions.ts';
import { Conveyor, domId, Mark } from './conveyor.tsx';
import { LeasePanel, LeaseTag } from './leases.tsx';
import { LoopCard } from './loop-card.tsx';
import { LoopStore } from './loop-store.ts';
import { LoopTable } from './loop-table.tsx';
import css from './loops.module.css';
import { driftWords, GROUP_WORDS, headline } from './words.ts';

/** Slow enough to see a key pass: a reconcile of ten milliseconds then takes one second. */
const SLOW = 0.01;
/** Faster than this a usual reconcile is over in less than a blink. */
const QUICK = 1 / 30;

export function LoopsView() {
  const app = useApp();
  const [store] = useState(() => new LoopStore(app.world));
  useEffect(() => store.open(), [store]);
  const { records, leases, closely } = useSyncExternalStore(store.subscribe, store.get);
  const twin = useUi((ui) => ui.twin);
  const session = useSession();
  const clockFactor = useCluster((state) => state.clock.factor);
  const still = session.value === 'paused' && clockFactor === 0;
  const quick = !still && (clockFactor || speedOf(session.context)) > QUICK;
  const [chosen, setChosen] = useState<string>();
  const [lease, setLease] = useState<string>();
  const [words, setWords] = useState('');
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => store.stand(still), [store, still]);
  useEffect(() => {
    mapProbe.moving = () =>
      reducedMotion()
        ? []
        : [...document.querySelectorAll<HTMLElement>('[data-ticket]')]
            .filter((ticket) => ticket.getAnimations().some(({ playState }) => playState === 'running'))
            .map((ticket) => `key/${ticket.dataset['ticket']}`);
    return () => {
      delete mapProbe.moving;
    };
  }, []);

  const choose = useCallback(
    (id: string): void => {
      setChosen(id);
      store.show(id);
    },
    [store],
  );
  const record = records.find(({ id }) => id === chosen);
  useSpoken(records);

  const shown = useMemo(() => {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    return wanted.length === 0 ? records : records.filter(({ id, kind }) => wanted.every((word) => `${id} ${kind}`.toLowerCase().includes(word)));
  }, [records, words]);
  const groups = useMemo(() => {
    const byGroup = new Map<LoopGroup, LoopRecord[]>();
    for (const one of shown) byGroup.set(one.group, [...(byGroup.get(one.group) ?? []), one]);
    return [...byGroup];
  }, [shown]);

  const go = (to: number): void => {
    const next = shown[Math.max(0, Math.min(shown.length - 1, to))];
    if (!next) return;
    choose(next.id);
    document.getElementById(domId(next.id))?.scrollIntoView({ block: 'nearest' });
  };
  const onListKey = (event: React.KeyboardEvent): void => {
    const at = shown.findIndex(({ id }) => id === chosen);
    const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, Home: 0, End: shown.length - 1, PageDown: at + 8, PageUp: at - 8 }[event.key];
    if (to !== undefined) go(to);
    else if (event.key === 'Enter' && record) document.querySelector<HTMLElement>(`.${css['card']} button:not(:disabled)`)?.focus();
    else return;
    event.preventDefault();
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (
        event.defaultPrevented ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        target.closest?.('input, textarea, select, [contenteditable], .xterm, [role=dialog]')
      )
        return;
      const pressed = event.key.toLowerCase();
      if (pressed === 'r' && record && canStep(record)) stepLoop(app, store, record, still);
      else if (pressed === 'p' && record) toggleLoop(app, record);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });

  if (records.length === 0) return <p className={css['waitingFor']}>The controllers start…</p>;
  const { mood, sentence } = headline(records, leases);
  const opened = leases.find(({ component }) => component === lease);
  return (
    <div className={css['view']} data-region="loops" data-testid="loops" data-chosen={record !== undefined}>
      <header className={css['bar']}>
        <p className={css['headline']} data-mood={mood} data-testid="loops-headline">
          <Glyph status={mood === 'calm' ? 0 : mood === 'busy' ? 1 : 2} size={15} />
          <span>{sentence}</span>
        </p>
        <div className={css['tools']} role="toolbar" aria-label="Leases">
          {leases.map((one) => (
            <LeaseTag
              key={one.component}
              lease={one}
              open={lease === one.component}
              onOpen={() => setLease(lease === one.component ? undefined : one.component)}
            />
          ))}
        </div>
      </header>
      {opened && <LeasePanel key={opened.component} lease={opened} onClose={() => setLease(undefined)} />}
      <div className={css['top']}>
        <section className={css['stage']} aria-label="Conveyors">
          <div className={css['find']}>
            <input
              type="search"
              aria-label="Find a loop"
              placeholder="Find a loop"
              value={words}
              spellCheck={false}
              onChange={(event) => setWords(event.target.value)}
            />
            <p className={css['legend']}>
              <span>
                <Mark outcome="ok" writes={1} /> wrote
              </span>
              <span>
                <Mark outcome="ok" writes={0} /> looked only
              </span>
              <span>
                <Mark outcome="retry" writes={0} /> failed, comes back
              </span>
              {quick && (
                <span>
                  Too quick to draw every key.{' '}
                  <button type="button" className={css['link']} onClick={() => app.session.send({ type: 'speed', factor: SLOW })}>
                    Slow down to 1/100×
                  </button>
                </span>
              )}
            </p>
          </div>
          {shown.length === 0 ? (
            <p className={css['none']}>
              None of {records.length} loops is called so.{' '}
              <button type="button" className={css['link']} onClick={() => setWords('')}>
                Show all
              </button>
            </p>
          ) : twin ? (
            <LoopTable records={shown} chosen={chosen} onChoose={choose} />
          ) : (
            <div className={css['scroller']}>
              <div className={css['heads']} aria-hidden="true">
                <span>Loop</span>
                <span>Watches</span>
                <span>In line</span>
                <span>Under way</span>
                <span>Done</span>
                <span>Put off</span>
                <span>Drift</span>
              </div>
              <div
                ref={list}
                className={css['list']}
                role="listbox"
                aria-label="Loops"
                tabIndex={0}
                aria-activedescendant={record ? domId(record.id) : undefined}
                onKeyDown={onListKey}
              >
                {groups.map(([group, members]) => (
                  <div key={group} role="group" aria-label={GROUP_WORDS[group]}>
                    <div className={css['group']} aria-hidden="true">
                      {GROUP_WORDS[group]}
                    </div>
                    {members.map((one) => (
                      <Conveyor key={one.id} record={one} chosen={one.id === chosen} onChoose={choose} />
                    ))}
                  </div>
                ))}
              </div>
            </div>
          )}
        </section>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys */}
        <aside className={css['side']} aria-label="Closely" tabIndex={0}>
          {record ? (
            <LoopCard
              key={record.id}
              record={record}
              closely={closely?.id === record.id ? closely : undefined}
              store={store}
              still={still}
              onBack={() => {
                setChosen(undefined);
                store.show(undefined);
              }}
            />
          ) : (
            <HowToRead onTry={() => choose('replicaset-controller')} />
          )}
        </aside>
      </div>
    </div>
  );
}

/** Nothing is chosen: what a loop is, and one thing to try. */
function HowToRead({ onTry }: { onTry(): void }) {
  return (
    <div className={css['how']}>
      <h2>Every controller is a loop</h2>
      <ol>
        <li>
          <b>Watches</b> tell it what changed: a local copy of each kind is kept.
        </li>
        <li>
          A change puts the object’s key <b>in line</b>. Asked for five times, it waits once: <em>×5 merged</em>.
        </li>
        <li>
          A worker takes a key and <b>reconciles</b>: it compares what is asked for with what is there, and writes the difference.
        </li>
        <li>
          What fails is <b>put off</b>, twice as long each time.
        </li>
        <li>
          <b>Drift</b> is what is left to do: pods missing (−) or too many (+).
        </li>
      </ol>
      <p>Choose a loop to see its keys, why they wait, and what it wrote. Pause one, and watch the drift stay.</p>
      <button type="button" className={css['button']} onClick={onTry}>
        Look at the ReplicaSet controller
      </button>
    </div>
  );
}

/** Says when the drift of a paused loop changes; what works repairs itself too quickly to be told. */
function useSpoken(records: readonly LoopRecord[]): void {
  const app = useApp();
  const told = useRef(new Map<string, string>());
  useEffect(() => {
    for (const { id, state, drift } of records) {
      const words = driftWords(drift);
      const before = told.current.get(id);
      if (state === 'paused' && before !== undefined && before !== words) app.say(`${id}: ${words}.`);
      if (state === 'paused' || before !== undefined) told.current.set(id, words);
      if (state === 'running') told.current.delete(id);
    }
  }, [app, records]);
}
