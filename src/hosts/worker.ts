/**
 * The world in a Web Worker: messages in, frames out. The only clock here that is real paces the loop.
 */
import { World } from '../cluster/world.ts';
import type { ApiResponse } from '../kubernetes/api/request.ts';
import type { Stream } from '../kubernetes/api/stream.ts';
import type { Host } from '../sim/loop.ts';
import type { Fact } from '../sim/trace.ts';
import { Pace } from './pace.ts';
import type { FromWorld, Session, TextRequest, ToWorld } from './protocol.ts';

const post = (message: FromWorld, transfer: Transferable[] = []): void =>
  (self as unknown as { postMessage(m: FromWorld, t: Transferable[]): void }).postMessage(message, transfer);

/** A macrotask: setTimeout is clamped to 4 ms after a few turns, a message channel is not. */
const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();
const nextTask = (): Promise<void> =>
  new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(0);
  });
const host: Host = { wallClockMs: () => performance.now(), nextTask, exactBarrier: false };

/** Real milliseconds of world per turn: half a frame, so that messages are answered between. */
const TURN_MS = 8;
const FRAME_MS = 16;
const CLOCK_MS = 50;
const FACTS_PER_BATCH = 500;

let world: World | undefined;
let pace: Pace | undefined;
/** What the page asked for, for a report when no world came of it. */
let begun: Session = { build: '', seed: 0, topology: '', inputs: [] };
let boots = 0;
const streams = new Map<number, Stream<unknown>>();
let traced: ReadonlySet<string> = new Set();
let facts: Fact[] = [];
let skipped = 0;
/** Steps asked for; the turn carries them out, so that the world is never run twice at once. */
const steps: ('event' | 'fact')[] = [];

const text = (body: unknown): string => (typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body));

function answer(id: number, response: ApiResponse | Error): void {
  if (response instanceof Error) {
    post({ type: 'response', id, status: 0, headers: {}, text: response.message });
    return;
  }
  post({ type: 'response', id, status: response.status, headers: response.headers, text: text(response.body) });
  if (!response.stream) return;
  streams.set(id, response.stream);
  response.stream.read({
    value: (value) => post({ type: 'chunk', id, text: text(value) }),
    end: (error) => {
      streams.delete(id);
      post(error ? { type: 'end', id, error: error.message } : { type: 'end', id });
    },
  });
}

function crash(error: unknown): void {
  const at = world;
  const problem = error instanceof Error ? error : new Error(String(error));
  pace?.set(0, false);
  const reached = at ? { at: at.now, events: at.loop.events, session: at.session } : { at: 0, events: 0, session: begun };
  post({ type: 'crashed', message: problem.message, stack: problem.stack ?? '', ...reached });
  world = undefined;
}

async function live(booted: World, keeping: Pace, boot: number): Promise<void> {
  let framed = 0;
  let told = 0;
  let toldState = '';
  try {
    while (boot === boots && world === booted) {
      const wanted = steps.shift();
      if (wanted) await step(booted, keeping, wanted);
      else await keeping.advance(TURN_MS);
      const wall = performance.now();
      if (wall - framed >= FRAME_MS) {
        framed = wall;
        const frame = booted.frame();
        if (
          frame.reset ||
          frame.nodes.length +
            frame.pods.length +
            frame.removedPods.length +
            frame.removedNodes.length +
            frame.podChanges.length +
            frame.services.length +
            frame.removedServices.length +
            frame.members.length +
            frame.happenings.length >
            0
        ) {
          post(frame, [frame.podChanges.buffer as ArrayBuffer]);
        }
        if (facts.length > 0) {
          post({ type: 'trace', facts, skipped });
          facts = [];
          skipped = 0;
        }
      }
      const state = `${keeping.factor} ${keeping.idle} ${keeping.factor === 0 ? booted.loop.events : ''}`;
      if (wall - told >= CLOCK_MS && (keeping.factor !== 0 || state !== toldState)) {
        told = wall;
        toldState = state;
        post({ type: 'clock', now: booted.now, events: booted.loop.events, factor: keeping.factor, lag: keeping.lag, idle: keeping.idle });
      }
      // With nothing to do until the next frame the thread is given back for longer.
      if (keeping.lag === 0 && keeping.factor !== Number.POSITIVE_INFINITY && !(keeping.skipIdle && keeping.idle && keeping.factor !== 0))
        await new Promise<void>((resolve) => setTimeout(resolve, 4));
      else await nextTask();
    }
  } catch (error) {
    if (world === booted) crash(error);
  }
}

/** One event, or on to the next thing a person could see (for at most two real seconds). */
async function step(stepped: World, keeping: Pace, what: 'event' | 'fact'): Promise<void> {
  keeping.set(0, keeping.skipIdle);
  const stirred = stepped.projection.stirred;
  const end = performance.now() + 2_000;
  do await stepped.run(Number.MAX_SAFE_INTEGER, { maxEvents: what === 'event' ? 1 : 16 });
  while (what === 'fact' && stepped.projection.stirred === stirred && performance.now() < end);
}

/** A read that fails is answered so; it changes nothing and need not stop the world. */
function observe(observed: World, request: TextRequest): ApiResponse | Error {
  try {
    return observed.observe(request);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const loadTexts = (): Promise<unknown> => import('../kubernetes/api/texts.gen.json').then((module) => module.default);

async function receive(message: ToWorld): Promise<void> {
  if (message.type === 'boot') {
    boots++;
    begun = message.session;
    world = undefined;
    for (const stream of streams.values()) stream.cancel();
    streams.clear();
    world = new World(
      message.session,
      host,
      {
        response: answer,
        terminal: (terminal, shown) => post({ type: 'terminal', terminal, text: shown }),
        ran: (id, result) => post({ type: 'ran', id, ...result }),
        refused: (input, error) => {
          if (input.type === 'request') answer(input.id, error);
          else if (input.type === 'run') post({ type: 'ran', id: input.id, stdout: '', stderr: `${error.message}\n`, exitCode: 1 });
          else post({ type: 'refused', message: error.message });
        },
      },
      { loadTexts },
    );
    world.loop.trace.listen((fact) => {
      if (!traced.has(fact.type) && !traced.has('*')) return;
      if (facts.length >= FACTS_PER_BATCH) skipped++;
      else facts.push(fact);
    });
    pace = new Pace(world, () => performance.now());
    pace.set(message.factor, false);
    void live(world, pace, boots);
    return;
  }
  if (!world || !pace) return;
  switch (message.type) {
    case 'speed':
      pace.set(message.factor, message.skipIdle);
      return;
    case 'step':
      steps.push(message.what);
      return;
    case 'input':
      return world.input(message.input);
    case 'observe':
      answer(message.id, observe(world, message.request));
      return;
    case 'stop-observing':
      streams.get(message.id)?.cancel();
      streams.delete(message.id);
      return;
    case 'why':
      post({ type: 'why', id: message.id, chain: world.why(message.about) });
      return;
    case 'trace':
      traced = new Set(message.types);
      return;
    case 'hash':
      post({ type: 'hash', id: message.id, hash: world.hash() });
      return;
    case 'session':
      post({ type: 'session', id: message.id, session: world.session });
  }
}

self.onmessage = (event: MessageEvent<ToWorld>) => {
  receive(event.data).catch(crash);
};
