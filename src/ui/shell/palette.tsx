// biome-ignore-all lint/a11y/noNoninteractiveElementToInteractiveRole: the ARIA combobox pattern: the field keeps the focus and the keys, options are pointed at
// biome-ignore-all lint/a11y/useFocusableInteractive: the ARIA combobox pattern: the field keeps the focus and the keys, options are pointed at
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the ARIA combobox pattern: the field keeps the focus and the keys, options are pointed at
/** Everything by name: views, time, every object and what can be done to the selected one. */
import { useMemo, useState } from 'react';
import type { Fault } from '../../hosts/protocol.ts';
import { actionsFor } from '../actions.ts';
import { type App, useApp } from '../app-context.ts';
import { Glyph } from '../look/glyph.tsx';
import { allThings, summaryOf, thingOf } from '../objects.ts';
import { viewsOf } from '../views.ts';
import css from './dialog.module.css';
import { Dialog } from './dialog.tsx';

/** `#fault {…}`, as in `npm run shell`: any fault there is, told whole. */
const FAULT = '#fault';
const FAULTS: readonly string[] = [
  '{"kind":"node-power","node":"node-2","on":false}',
  '{"kind":"kill","process":"kubelet@node-1","hold":true}',
  '{"kind":"start","process":"kubelet@node-1"}',
  '{"kind":"partition","groups":[["node-1"],["node-2","node-3","control-plane","etcd-1","etcd-2","etcd-3"]]}',
  '{"kind":"heal"}',
  '{"kind":"latency","from":"node-1","to":"control-plane","micros":200000}',
  '{"kind":"crash-simulator"}',
];

interface Command {
  readonly id: string;
  readonly text: string;
  readonly hint: string;
  readonly status?: Parameters<typeof Glyph>[0]['status'];
  run(): void;
  /** Instead of being run at once, it is written into the field. */
  readonly fill?: string;
}
const SHOWN = 12;

function commandsOf(app: App): Command[] {
  const { ui, session, cluster } = app;
  const state = ui.store.getState();
  const plain: Command[] = [
    ...viewsOf(cluster.topology).map((view): Command => ({ id: view.id, text: view.label, hint: `view · ${view.keys}`, run: () => ui.set({ view: view.id }) })),
    { id: 'toggle', text: 'Play or pause', hint: 'time · Space', run: () => session.send({ type: 'toggle' }) },
    { id: 'step', text: 'Step to the next change', hint: 'time · .', run: () => session.send({ type: 'step', what: 'fact' }) },
    { id: 'fit', text: 'Fit everything', hint: 'map · 0', run: () => app.map?.fit() },
    { id: 'terminal', text: 'Terminal', hint: 'dock · `', run: () => ui.openDock('terminal') },
    { id: 'events', text: 'Events', hint: 'dock', run: () => ui.openDock('events') },
    { id: 'edit', text: 'Edit YAML', hint: 'dock', run: () => ui.openDock('yaml') },
    { id: 'lessons', text: 'Lessons', hint: 'panel', run: () => ui.set({ lessons: true }) },
    { id: 'failed', text: 'Show only what failed', hint: 'filter', run: () => ui.set({ filter: 'status:failed' }) },
    { id: 'clear', text: 'Clear the filter', hint: 'filter', run: () => ui.set({ filter: '', namespaces: [] }) },
    { id: 'theme', text: 'Light or dark', hint: 'look', run: () => ui.set({ theme: state.theme === 'dark' ? 'light' : 'dark' }) },
    { id: 'fault', text: 'Inject a fault', hint: '#fault {…}', fill: `${FAULT} `, run: () => {} },
    { id: 'help', text: 'Keys and help', hint: '?', run: () => ui.set({ dialog: 'help' }) },
  ];
  const selected = thingOf(cluster, state.selected);
  const name = selected && summaryOf(cluster, selected)?.title;
  const actions = selected
    ? actionsFor(app, selected).map(
        (action): Command => ({ id: `do-${action.id}`, text: `${action.label}: ${name}`, hint: 'selected', run: () => action.run(app) }),
      )
    : [];
  return [...actions, ...plain];
}

/** The fault that is written there, and those it could become. */
function faultsOf(app: App, written: string): Command[] {
  const text = written.slice(FAULT.length).trim();
  const samples = FAULTS.filter((fault) => fault !== text && fault.startsWith(text)).map(
    (fault): Command => ({ id: fault, text: fault, hint: 'write', fill: `${FAULT} ${fault}`, run: () => {} }),
  );
  if (text === '') return samples;
  const inject: Command = {
    id: 'inject',
    text: `Inject ${text}`,
    hint: 'fault',
    run: () => {
      try {
        app.world.fault(JSON.parse(text) as Fault);
      } catch (error) {
        app.ui.toast(`A fault is written as JSON. ${error instanceof Error ? error.message : String(error)}`, 'error');
      }
    },
  };
  // A beginning is more likely to be finished than to be meant.
  return samples.length > 0 ? [...samples, inject] : [inject];
}

export function Palette() {
  const app = useApp();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = useMemo(() => {
    if (text.startsWith(FAULT)) return faultsOf(app, text);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (candidate: string) => words.every((word) => candidate.toLowerCase().includes(word));
    const commands = commandsOf(app).filter((command) => fits(`${command.text} ${command.hint}`));
    if (words.length === 0) return commands.slice(0, SHOWN);
    const things: Command[] = [];
    for (const thing of allThings(app.cluster)) {
      if (commands.length + things.length >= SHOWN) break;
      const summary = summaryOf(app.cluster, thing);
      if (!summary || !fits(`${summary.kind} ${summary.title}`)) continue;
      things.push({
        id: thing.id,
        text: summary.title,
        hint: `${summary.kind} · ${summary.word}`,
        status: summary.status,
        run: () => {
          app.ui.inspect(thing.id, 'summary');
          app.map?.reveal(thing.id);
        },
      });
    }
    return [...commands, ...things].slice(0, SHOWN);
  }, [app, text]);
  const choose = (command: Command | undefined): void => {
    if (!command) return;
    if (command.fill !== undefined) {
      setText(command.fill);
      setAt(0);
      return;
    }
    app.ui.set({ dialog: undefined });
    command.run();
  };
  return (
    <Dialog label="Command palette">
      <input
        className={css['query']}
        role="combobox"
        aria-label="Command or object"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[at] ? `palette-${at}` : undefined}
        placeholder="Find a command, node, pod or service"
        value={text}
        spellCheck={false}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            setAt((before) => (before + (event.key === 'ArrowDown' ? 1 : -1) + found.length) % Math.max(1, found.length));
          } else if (event.key === 'Enter') {
            event.preventDefault();
            choose(found[at]);
          }
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="Found" className={css['list']}>
        {found.map((command, i) => (
          <li
            key={command.id}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === at}
            className={css['option']}
            onPointerMove={() => setAt(i)}
            onClick={() => choose(command)}
          >
            {command.status !== undefined && <Glyph status={command.status} />}
            <span>{command.text}</span>
            <small>{command.hint}</small>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className={css['nothing']}>Nothing is called that.</p>}
    </Dialog>
  );
}
