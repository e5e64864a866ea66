/** The page's beginning: a worker, a client on it, a store that follows it, and the session that boots it. */
import { createRoot } from 'react-dom/client';
import { connect, type WorldPort } from '../hosts/connect.ts';
import type { Session } from '../hosts/protocol.ts';
import './look/tokens.css';
import './look/base.css';
import { type App, AppProvider } from './app-context.ts';
import { createClusterStore } from './cluster-store.ts';
import { exposeLab } from './lab-hook.ts';
import { createSession } from './session.ts';
import { Announcer } from './shell/announcer.ts';
import { Shell } from './shell/shell.tsx';
import { createUiStore } from './ui-store.ts';

/** The terminal everybody begins at: the learner's own machine, with kubectl. */
const LAPTOP = 'laptop';

async function openPort(query: URLSearchParams): Promise<WorldPort> {
  if (import.meta.env.DEV && query.has('fake')) return (await import('./fake-world.ts')).fakeWorld(query.get('fake') ?? '');
  return new Worker(new URL('../hosts/worker.ts', import.meta.url), { type: 'module', name: 'world' }) as unknown as WorldPort;
}

async function start(): Promise<void> {
  const root = document.getElementById('root')!;
  if (typeof Worker === 'undefined') {
    root.textContent = 'Orrery runs a cluster in a Web Worker, and this browser has none.';
    return;
  }
  const query = new URLSearchParams(location.search);
  if (query.has('fuzz')) {
    (await import('./fuzz/fuzz-page.tsx')).showFuzz(root, query);
    return;
  }
  const session: Session = {
    build: import.meta.env['VITE_BUILD'] ?? 'dev',
    seed: Number(query.get('seed') ?? 1) >>> 0,
    topology: query.get('topology') ?? 'three-nodes',
    inputs: [],
  };
  const world = connect(await openPort(query));
  const cluster = createClusterStore(session.topology);
  const ui = createUiStore();
  const announcer = new Announcer();
  const control = createSession({ world, session });
  cluster.follow(world);
  world.onFrame((frame) => {
    if (frame.reset) control.send({ type: 'ready' });
    if (control.getSnapshot().context.hurry !== undefined && cluster.isUp()) {
      performance.mark('cluster-up');
      control.send({ type: 'up' });
    }
  });
  world.onRefusal((message) => ui.toast(message, 'error'));
  world.onCrash((crash) => control.send({ type: 'crashed', crash }));
  world.onLost((message) => control.send({ type: 'lost', message }));
  const app: App = { world, cluster, ui, session: control, terminal: LAPTOP, map: undefined, say: (sentence) => announcer.say(sentence) };
  announcer.follow(app);
  exposeLab(app);
  control.start();
  createRoot(root).render(
    <AppProvider value={app}>
      <Shell />
    </AppProvider>,
  );
}

void start();
