// biome-ignore-all lint/a11y/useSemanticElements: a group of buttons is no set of fields, and a region inside a section needs no second section
/**
 * Consensus: how is it stored safely? The members of the Raft group, what they say to each other, and their logs; every digit
 * is read from the members themselves. What is done here is a fault or a command of the session.
 */
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { clockText } from '../../hosts/connect.ts';
import { useApp, useCluster, useSession, useUi } from '../app-context.ts';
import { reducedMotion } from '../look/palette.ts';
import { mapProbe } from '../map/map.tsx';
import { speedOf } from '../session.ts';
import { memberActions, messageActions, type RaftAction, writeKey } from './actions.ts';
import { useBreakpoints } from './breakpoints.ts';
import { Circle } from './circle.tsx';
import css from './consensus.module.css';
import { EntryDetails, MemberDetails, MessageDetails } from './details.tsx';
import { lineText, useLedger } from './ledger.ts';
import { type Cell, LogGrid } from './log-grid.tsx';
import { Menu, type MenuAt } from './menu.tsx';
import { RaftStore } from './raft-store.ts';
import { headline, LEGEND, span } from './sentences.ts';
import { MembersTable, Messages } from './table.tsx';
import { type Tool, ToolPanel } from './tools.tsx';

type Chosen =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'message'; readonly id: number }
  | { readonly kind: 'entry'; readonly cell: Cell };

/** A hop shorter than this on the wall's clock is not drawn as something that moves (design 4.4, M4). */
const SEEN_MS = 300;
/** Slow enough to see a message fly over an ordinary wire. */
const SLOW = 0.0005;
const NONE: readonly never[] = [];
const NOBODY: ReadonlySet<string> = new Set();

const doAction = (actions: readonly RaftAction[], key: string): RaftAction | undefined => actions.find((action) => action.key === key);

export function ConsensusView() {
  const app = useApp();
  const [store] = useState(() => new RaftStore(app.world));
  useEffect(() => store.open(), [store]);
  const view = useSyncExternalStore(store.subscribe, store.get);
  const twin = useUi((ui) => ui.twin);
  useUi((ui) => ui.reduced);
  const reduced = reducedMotion();
  const session = useSession();
  const paused = session.value === 'paused';
  const factor = useCluster((state) => state.clock.factor) || speedOf(session.context);
  const lines = useLedger();
  const breakpoints = useBreakpoints();
  const [chosen, setChosen] = useState<Chosen>();
  const [menu, setMenu] = useState<MenuAt>();
  const [tool, setTool] = useState<Tool>();
  const [side, setSide] = useState<ReadonlySet<string>>(NOBODY);
  const [held, setHeld] = useState(false);
  const [tab, setTab] = useState<'story' | 'messages'>('story');
  const latency = useRef(250);

  const { picture, members } = view;
  const flights = picture?.messages ?? NONE;
  for (const flight of flights) latency.current = flight.arrivesAt - flight.sentAt;
  const quick = !paused && latency.current / 1_000 / factor < SEEN_MS;
  const seen = quick ? NONE : flights;
  const flight = chosen?.kind === 'message' ? flights.find(({ id }) => id === chosen.id) : undefined;
  const member = chosen?.kind === 'member' ? members.find(({ name }) => name === chosen.name) : undefined;
  useEffect(() => {
    mapProbe.moving = () =>
      reducedMotion() ? [] : [...document.querySelectorAll<SVGElement>('[data-flight]')].map((tag) => `message/${tag.dataset['flight']}`);
    return () => {
      delete mapProbe.moving;
    };
  }, []);

  const chooseMember = useCallback(
    (name: string): void => {
      setChosen({ kind: 'member', name });
      // The page's selection too, so that the other views show the same thing; no panel opens for it.
      app.ui.set({ selected: `Member/${name}` });
    },
    [app],
  );
  const onMember = (name: string): void => {
    if (tool !== 'wall') {
      chooseMember(name);
      return;
    }
    const next = new Set(side);
    if (!next.delete(name)) next.add(name);
    setSide(next);
  };
  const drop = (id: number, key: string): boolean => {
    const target = flights.find((one) => one.id === id);
    const action = target && doAction(messageActions(target), key === 'Backspace' ? 'Delete' : key);
    action?.run(app);
    return action !== undefined;
  };
  const stepMessage = useCallback((): void => {
    app.session.send({ type: 'step', what: 'message' });
    setTab('messages');
  }, [app]);
  const mend = useCallback((): void => app.world.fault({ kind: 'heal' }), [app]);
  const closeMenu = useCallback(() => setMenu(undefined), []);
  const show = (end: number | undefined): void => {
    setHeld(end !== undefined);
    store.show(end);
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
      if (event.key === 'm') stepMessage();
      else if (event.key === 'h') mend();
      else if (event.key === 'Delete' && flight) drop(flight.id, 'Delete');
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });

  if (!picture || members.length === 0) return <p className={css['waiting']}>The members start…</p>;
  const { mood, sentence } = headline(picture);
  const { weather } = picture;
  const button = (id: Tool, label: string) => (
    <button
      type="button"
      className={css['button']}
      aria-expanded={tool === id}
      onClick={() => {
        setTool(tool === id ? undefined : id);
        if (id === 'wall') setSide(NOBODY);
      }}
    >
      {label}
    </button>
  );
  const entryTerm =
    chosen?.kind === 'entry' ? view.logs.get(chosen.cell.member)?.terms[chosen.cell.index - (view.logs.get(chosen.cell.member)?.first ?? 0)] : undefined;
  return (
    <div className={css['view']} data-region="consensus" data-testid="consensus">
      <header className={css['bar']}>
        <p className={css['headline']} data-mood={mood} data-testid="headline">
          <MoodMark mood={mood} />
          {sentence}
        </p>
        <div className={css['tools']} role="toolbar" aria-label="What can be done">
          <button type="button" className={css['button']} title="Until the next message arrives (m)" onClick={stepMessage}>
            Step a message
          </button>
          <button type="button" className={css['button']} onClick={() => writeKey(app)}>
            Write a key
          </button>
          {button('wall', 'Wall')}
          <button type="button" className={css['button']} title="All walls and cuts (h)" disabled={picture.cut.length === 0} onClick={mend}>
            Mend
          </button>
          {button('add', 'Add a member')}
          {button('wires', 'Wires')}
          {button('times', 'Timers')}
          {button('ctl', 'etcdctl')}
          {button('break', breakpoints.length > 0 ? `Breakpoints ${breakpoints.length}` : 'Breakpoints')}
        </div>
      </header>
      <div className={css['top']}>
        {tool && (
          <ToolPanel
            tool={tool}
            members={members}
            side={side}
            onSide={setSide}
            onClose={() => {
              setTool(undefined);
              setSide(NOBODY);
            }}
          />
        )}
        {twin ? (
          <MembersTable members={members} cut={picture.cut} weather={weather} chosen={member?.name} onChoose={chooseMember} />
        ) : (
          <div className={css['stage']}>
            <Circle
              members={members}
              cut={picture.cut}
              weather={weather}
              flights={seen}
              now={picture.now}
              rates={view.rates}
              flow={quick}
              reduced={reduced}
              selected={member?.name}
              selectedFlight={flight?.id}
              side={tool === 'wall' ? side : undefined}
              onMember={onMember}
              onMemberMenu={(name, at) => {
                const found = members.find((one) => one.name === name);
                if (!found) return;
                chooseMember(name);
                setMenu({ title: name, actions: memberActions(found, members), ...at });
              }}
              onMemberKey={(name, key) => {
                const found = members.find((one) => one.name === name);
                const action = found && doAction(memberActions(found, members), key);
                action?.run(app);
                return action !== undefined;
              }}
              onFlight={(id) => setChosen({ kind: 'message', id })}
              onFlightMenu={(id, at) => {
                const found = flights.find((one) => one.id === id);
                if (found) setMenu({ title: 'Message', actions: messageActions(found), ...at });
              }}
              onFlightKey={drop}
              onFlightDrop={(id) => app.world.fault({ kind: 'raft-drop', id })}
              onFlightDelay={(id, micros) => app.world.fault({ kind: 'raft-delay', id, micros })}
            />
            <p className={css['legend']}>
              {quick ? (
                <>
                  A message takes {span(latency.current)}: too quick to draw at this speed, so wires are counted.{' '}
                  <button type="button" className={css['link']} onClick={() => app.session.send({ type: 'speed', factor: SLOW })}>
                    Slow down to 1/2000×
                  </button>
                </>
              ) : (
                LEGEND.map(([tag, means]) => (
                  <span key={tag}>
                    <b>{tag}</b> {means}
                  </span>
                ))
              )}
            </p>
          </div>
        )}
        <aside className={css['side']} aria-label="Closely">
          {member && <MemberDetails member={member} members={members} />}
          {flight && <MessageDetails flight={flight} now={picture.now} />}
          {chosen?.kind === 'message' && !flight && <p className={css['quiet']}>That message is no longer on its way.</p>}
          {chosen?.kind === 'entry' && <EntryDetails cell={chosen.cell} term={entryTerm} />}
          <div className={css['story']}>
            <div className={css['switch']} role="group" aria-label="Shown below">
              <button type="button" aria-pressed={tab === 'story'} onClick={() => setTab('story')}>
                What happened
              </button>
              <button type="button" aria-pressed={tab === 'messages'} onClick={() => setTab('messages')}>
                Messages on their way
              </button>
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must take the focus to be scrolled by keys */}
            <div className={css['scroll']} tabIndex={0} role="region" aria-label={tab === 'story' ? 'What happened, newest first' : 'Messages on their way'}>
              {tab === 'messages' ? (
                quick ? (
                  <p className={css['quiet']}>Too quick to read at this speed. Pause, or step a message.</p>
                ) : (
                  <Messages flights={flights} now={picture.now} chosen={flight?.id} onChoose={(id) => setChosen({ kind: 'message', id })} onKey={drop} />
                )
              ) : lines.length === 0 ? (
                <p className={css['quiet']}>Nothing yet. Stop the leader: choose it, then Stop.</p>
              ) : (
                <ol className={css['lines']}>
                  {lines.map((line) => (
                    <li key={line.id} data-type={line.type}>
                      <time>{clockText(line.at)}</time>
                      {lineText(line)}
                    </li>
                  ))}
                </ol>
              )}
            </div>
          </div>
        </aside>
      </div>
      <LogGrid
        members={members}
        logs={view.logs}
        entries={view.entries}
        window={picture.window}
        struck={view.struck}
        chosen={chosen?.kind === 'entry' ? chosen.cell : undefined}
        held={held}
        onChoose={(cell) => setChosen({ kind: 'entry', cell })}
        onShow={show}
      />
      {menu && <Menu menu={menu} onClose={closeMenu} />}
    </div>
  );
}

/** Shape first: a disc, a half disc, a triangle. */
function MoodMark({ mood }: { readonly mood: 'calm' | 'busy' | 'bad' }) {
  return (
    <svg width="14" height="14" viewBox="-8 -8 16 16" aria-hidden="true" className={css['mood']} data-mood={mood}>
      {mood === 'bad' ? <path d="M0 -7L7.5 6.5L-7.5 6.5Z" /> : <circle r="6" className={mood === 'busy' ? css['hollow'] : undefined} />}
      {mood === 'busy' && <path d="M0 -6A6 6 0 0 1 0 6Z" />}
    </svg>
  );
}
