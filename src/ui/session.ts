/**
 * The life of a session as the person sees it: booting → running ⇄ paused, and the two ways it can end. Speed and
 * pausing go to the world from here and nowhere else.
 *
 * A cluster takes most of a virtual minute to come up. Until it has, time runs faster and says so; a person who
 * touches the speed before then has decided it.
 */
import { assign, setup } from 'xstate';
import type { Crash, World } from '../hosts/connect.ts';
import type { Session } from '../hosts/protocol.ts';

export interface SessionContext {
  readonly world: World;
  readonly session: Session;
  /** Virtual seconds per real second when running. */
  readonly factor: number;
  /** The factor while the cluster comes up; nothing once it is up, or once the person chose a speed. */
  readonly hurry: number | undefined;
  readonly skipIdle: boolean;
  readonly crash: Crash | undefined;
  readonly lost: string;
}
export type SessionEvent =
  | { readonly type: 'ready' }
  /** Every node and the cluster's own pods are Ready. */
  | { readonly type: 'up' }
  | { readonly type: 'play' }
  | { readonly type: 'pause' }
  | { readonly type: 'toggle' }
  | { readonly type: 'step'; readonly what: 'event' | 'fact' }
  | { readonly type: 'speed'; readonly factor: number }
  | { readonly type: 'skip idle'; readonly on: boolean }
  | { readonly type: 'crashed'; readonly crash: Crash }
  | { readonly type: 'lost'; readonly message: string }
  | { readonly type: 'restart' };

/** The boot's speed: fast enough to be up in two real seconds, slow enough that the order of things can be seen. */
export const BOOT_FACTOR = 30;
/** Virtual seconds per real second, as things stand. */
export const speedOf = ({ hurry, factor }: SessionContext): number => hurry ?? factor;

export const SLOWEST = -2;
export const FASTEST = 3;

export const sessionMachine = setup({
  types: { context: {} as SessionContext, events: {} as SessionEvent, input: {} as { world: World; session: Session } },
  actions: {
    boot: ({ context }) => context.world.boot(context.session, speedOf(context)),
    run: ({ context }) => context.world.setSpeed(speedOf(context), context.skipIdle),
    hold: ({ context }) => context.world.setSpeed(0, context.skipIdle),
    step: ({ context, event }) => {
      if (event.type === 'step') context.world.step(event.what);
    },
    setFactor: assign({ factor: ({ context, event }) => (event.type === 'speed' ? event.factor : context.factor), hurry: undefined }),
    hurry: assign({ hurry: BOOT_FACTOR }),
    calm: assign({ hurry: undefined }),
    setSkip: assign({ skipIdle: ({ context, event }) => (event.type === 'skip idle' ? event.on : context.skipIdle) }),
    keepCrash: assign({ crash: ({ event }) => (event.type === 'crashed' ? event.crash : undefined) }),
    keepLoss: assign({ lost: ({ event }) => (event.type === 'lost' ? event.message : '') }),
  },
}).createMachine({
  id: 'session',
  context: ({ input }) => ({ world: input.world, session: input.session, factor: 1, hurry: BOOT_FACTOR, skipIdle: false, crash: undefined, lost: '' }),
  initial: 'booting',
  on: {
    crashed: { target: '.crashed', actions: 'keepCrash' },
    lost: { target: '.lost', actions: 'keepLoss' },
  },
  states: {
    booting: {
      entry: 'boot',
      on: { ready: 'running', speed: { actions: ['setFactor', 'run'] }, 'skip idle': { actions: 'setSkip' } },
    },
    running: {
      entry: 'run',
      on: {
        pause: 'paused',
        toggle: 'paused',
        step: { target: 'paused', actions: 'step' },
        speed: { actions: ['setFactor', 'run'] },
        'skip idle': { actions: ['setSkip', 'run'] },
        up: { guard: ({ context }) => context.hurry !== undefined, actions: ['calm', 'run'] },
      },
    },
    paused: {
      entry: 'hold',
      on: {
        play: 'running',
        toggle: 'running',
        step: { actions: 'step' },
        speed: { actions: 'setFactor' },
        'skip idle': { actions: 'setSkip' },
        up: { actions: 'calm' },
      },
    },
    crashed: { on: { restart: { target: 'booting', actions: 'hurry' } } },
    lost: {},
  },
});

/** `1/100×`, `1×`, `30×`. */
export function speedText(factor: number): string {
  if (factor >= 1) return `${Math.round(factor * 10) / 10}×`;
  return `1/${Math.round(1 / factor)}×`;
}
