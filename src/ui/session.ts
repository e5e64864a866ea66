/**
 * The life of a session as the person sees it: booting → running ⇄ paused, and the two ways it can end. Speed and
 * pausing go to the world from here and nowhere else.
 *
 * A cluster takes most of a virtual minute to come up. Until it has, time runs faster and says so; a person who
 * touches the speed before then has decided it.
 */
import type { Crash, World } from '../hosts/connect.ts';
import type { Session, StepKind } from '../hosts/protocol.ts';

export type SessionState = 'booting' | 'running' | 'paused' | 'crashed' | 'lost';
export interface SessionContext {
  readonly session: Session;
  /** Virtual seconds per real second when running. */
  readonly factor: number;
  /** The factor while the cluster comes up; nothing once it is up, or once the person chose a speed. */
  readonly hurry: number | undefined;
  readonly skipIdle: boolean;
  readonly crash: Crash | undefined;
  readonly lost: string;
}
export interface SessionSnapshot {
  readonly value: SessionState;
  readonly context: SessionContext;
  /** Whether the state has an answer to the event. */
  can(event: SessionEvent): boolean;
}
export type SessionEvent =
  | { readonly type: 'ready' }
  /** Every node and the cluster's own pods are Ready. */
  | { readonly type: 'up' }
  | { readonly type: 'play' }
  | { readonly type: 'pause' }
  | { readonly type: 'toggle' }
  | { readonly type: 'step'; readonly what: StepKind }
  | { readonly type: 'speed'; readonly factor: number }
  | { readonly type: 'skip idle'; readonly on: boolean }
  | { readonly type: 'crashed'; readonly crash: Crash }
  | { readonly type: 'lost'; readonly message: string }
  | { readonly type: 'restart' };

/** The boot's speed: fast enough to be up in two real seconds, slow enough that the order of things can be seen. */
export const BOOT_FACTOR = 30;
/** Virtual seconds per real second, as things stand. */
export const speedOf = ({ hurry, factor }: SessionContext): number => hurry ?? factor;

/** A message between machines takes 0.25 ms: at 1/2000× it can be seen to fly. */
export const SLOWEST = -4;
export const FASTEST = 3;

/** What an event does: where it leads, what is known after it, and what the world is told before the new state's own order. */
interface Move {
  readonly to?: SessionState;
  readonly know?: Partial<SessionContext>;
  readonly tell?: (world: World, context: SessionContext) => void;
}
type Moves = { readonly [T in SessionEvent['type']]?: (event: Extract<SessionEvent, { readonly type: T }>, context: SessionContext) => Move | undefined };

const run: NonNullable<Move['tell']> = (world, context) => world.setSpeed(speedOf(context), context.skipIdle);

/** What the world is told whenever a state is entered. */
const ENTRY: { readonly [S in SessionState]?: NonNullable<Move['tell']> } = {
  booting: (world, context) => world.boot(context.session, speedOf(context)),
  running: run,
  paused: (world, context) => world.setSpeed(0, context.skipIdle),
};

const restart = (): Move => ({ to: 'booting', know: { hurry: BOOT_FACTOR } });
const ANYWHERE: Moves = {
  crashed: ({ crash }) => ({ to: 'crashed', know: { crash } }),
  lost: ({ message }) => ({ to: 'lost', know: { lost: message } }),
};
const MOVES: { readonly [S in SessionState]: Moves } = {
  booting: {
    restart,
    ready: () => ({ to: 'running' }),
    speed: ({ factor }) => ({ know: { factor, hurry: undefined }, tell: run }),
    'skip idle': ({ on }) => ({ know: { skipIdle: on } }),
  },
  running: {
    restart,
    pause: () => ({ to: 'paused' }),
    toggle: () => ({ to: 'paused' }),
    step: ({ what }) => ({ to: 'paused', tell: (world) => world.step(what) }),
    speed: ({ factor }) => ({ know: { factor, hurry: undefined }, tell: run }),
    'skip idle': ({ on }) => ({ know: { skipIdle: on }, tell: run }),
    up: (_, { hurry }) => (hurry === undefined ? undefined : { know: { hurry: undefined }, tell: run }),
  },
  paused: {
    restart,
    play: () => ({ to: 'running' }),
    toggle: () => ({ to: 'running' }),
    step: ({ what }) => ({ tell: (world) => world.step(what) }),
    speed: ({ factor }) => ({ know: { factor, hurry: undefined } }),
    'skip idle': ({ on }) => ({ know: { skipIdle: on } }),
    up: () => ({ know: { hurry: undefined } }),
  },
  crashed: { restart },
  lost: {},
};

export interface SessionControl {
  /** Boots the world. Nothing is told to it before. */
  start(): void;
  /** What does not fit the state is ignored. */
  send(event: SessionEvent): void;
  getSnapshot(): SessionSnapshot;
  /** Returns the function that ends it. */
  subscribe(changed: () => void): () => void;
}

export function createSession({ world, session }: { readonly world: World; readonly session: Session }): SessionControl {
  const listeners = new Set<() => void>();
  const moveOf = (value: SessionState, context: SessionContext, event: SessionEvent): Move | undefined => {
    // The table's own type says that a rule is found under its event's name.
    const rule = (MOVES[value][event.type] ?? ANYWHERE[event.type]) as ((event: SessionEvent, context: SessionContext) => Move | undefined) | undefined;
    return rule?.(event, context);
  };
  const snapshot = (value: SessionState, context: SessionContext): SessionSnapshot => ({
    value,
    context,
    can: (event) => moveOf(value, context, event) !== undefined,
  });
  let now = snapshot('booting', { session, factor: 1, hurry: BOOT_FACTOR, skipIdle: false, crash: undefined, lost: '' });
  const enter = (): void => ENTRY[now.value]?.(world, now.context);
  return {
    start: enter,
    send(event) {
      const move = moveOf(now.value, now.context, event);
      if (!move) return;
      now = snapshot(move.to ?? now.value, { ...now.context, ...move.know });
      move.tell?.(world, now.context);
      if (move.to) enter();
      for (const changed of listeners) changed();
    },
    getSnapshot: () => now,
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
}

/** `1/100×`, `1×`, `30×`. */
export function speedText(factor: number): string {
  if (factor >= 1) return `${Math.round(factor * 10) / 10}×`;
  return `1/${Math.round(1 / factor)}×`;
}
