/**
 * The world in a Web Worker: messages in, frames out. The only clock here that is real paces the loop.
 */
import { World } from '../cluster/world.ts';
import type { ApiResponse } from '../kubernetes/api/request.ts';
import type { Stream } from '../kubernetes/api/stream.ts';
import type { Host } from '../sim/loop.ts';
import type { Fact } from '../sim/trace.ts';
import type { LoopsDesk } from './loops-desk.ts';
import { Pace } from './pace.ts';
import type { FromWorld, Session, StepKind, TextRequest, ToWorld } from './protocol.ts';
import type { RaftDesk } from './raft-desk.ts';

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
const steps: StepKind[] = [];
/** A step on its way to the next thing a person could see: from what state of the picture, and until when it looks (real time). */
let seeking: { readonly from: number; readonly until: number; readonly what: StepKind } | undefined;
/** Answers the Consensus view; brought in when it asks first. */
let raft: RaftDesk | undefined;
/** Answers the Loops view, likewise. */
let loops: LoopsDesk | undefined;
/** In an idle cluster nothing may be found: after so many real milliseconds the world stands where it has come to. */
const SEEK_MS = 2_000;

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
  // The clock stands where the world does, not where it was last told of.
  if (at) post({ type: 'clock', now: at.now, events: at.loop.events, factor: 0, lag: 0, idle: false });
  post({ type: 'crashed', message: problem.message, stack: problem.stack ?? '', ...reached });
  world = undefined;
}

async function live(booted: World, keeping: Pace, boot: number): Promise<void> {
  let framed = 0;
  let told = 0;
  let toldState = '';
  try {
    while (boot === boots && world === booted) {
      const wanted = seeking ? undefined : steps.shift();
      if (wanted) {
        keeping.set(0, keeping.skipIdle);
        if (wanted === 'event') await booted.run(Number.MAX_SAFE_INTEGER, { maxEvents: 1 });
        else
          seeking = {
            from: reached(booted, wanted),
            until: performance.now() + SEEK_MS,
            what: wanted,
          };
      }
      if (seeking) await seek(booted, seeking);
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
        raft?.frame();
        loops?.frame();
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
      if (!seeking && keeping.lag === 0 && keeping.factor !== Number.POSITIVE_INFINITY && !(keeping.skipIdle && keeping.idle && keeping.factor !== 0))
        await new Promise<void>((resolve) => setTimeout(resolve, 4));
      else await nextTask();
    }
  } catch (error) {
    if (world === booted) crash(error);
  }
}

/** What rises when that for which a step is on its way has come. */
const reached = ({ projection }: World, what: StepKind): number =>
  what === 'message' ? (raft?.arrivals ?? 0) : what === 'reconcile' ? (loops?.ends ?? 0) : projection.stirred;

/** A turn of a step to the next thing a person could see: the clock and the picture are told between turns, as ever. */
async function seek(sought: World, { from, until, what }: NonNullable<typeof seeking>): Promise<void> {
  const end = Math.min(until, performance.now() + TURN_MS);
  do await sought.run(Number.MAX_SAFE_INTEGER, { maxEvents: what === 'fact' ? 16 : 1 });
  while (reached(sought, what) === from && performance.now() < end);
  if (reached(sought, what) !== from || performance.now() >= until) seeking = undefined;
}

/** A read that fails is answered so; it changes nothing and need not stop the world. */
function observe(observed: World, request: TextRequest): ApiResponse | Error {
  try {
    return observed.observe(request);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const HEAVY: readonly string[] = ['before', 'after', 'steps', 'record'];
/** Without whole objects: a list of facts shows none of them, and each would be copied. */
function light(fact: Fact): Fact {
  const { data: all } = fact;
  if (!HEAVY.some((field) => field in all)) return fact;
  const data: Record<string, unknown> = {};
  // Never read: some are made when they are.
  for (const field of Object.keys(all)) if (!HEAVY.includes(field)) data[field] = all[field];
  return { ...fact, data };
}

const loadTexts = (): Promise<unknown> => import('../kubernetes/api/texts.gen.json').then((module) => module.default);

async function receive(message: ToWorld): Promise<void> {
  if (message.type === 'boot') {
    boots++;
    seeking = undefined;
    steps.length = 0;
    raft?.close();
    raft = undefined;
    loops?.close();
    loops = undefined;
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
      else facts.push(light(fact));
    });
    pace = new Pace(world, () => performance.now());
    pace.set(message.factor, false);
    void live(world, pace, boots);
    return;
  }
  if (!world || !pace) return;
  switch (message.type) {
    case 'speed':
      // Whoever plays has no more need of the step.
      if (message.factor !== 0) seeking = undefined;
      pace.set(message.factor, message.skipIdle);
      // The page slows down once the cluster is up: what people ask of it first may come now.
      if (world.cluster.ready()) void world.cluster.observable();
      return;
    case 'step':
      steps.push(message.what);
      return;
    case 'input':
      return world.input(message.input);
    case 'observe': {
      const observed = world;
      await observed.cluster.observable();
      if (world === observed) answer(message.id, observe(observed, message.request));
      return;
    }
    case 'stop-observing':
      // After the answer it is about.
      await world.cluster.observable();
      streams.get(message.id)?.cancel();
      streams.delete(message.id);
      return;
    case 'why': {
      const { trace } = world.loop;
      const { explain } = await import('../cluster/why.ts');
      post({ type: 'why', id: message.id, chain: explain(trace, message.about).map((step) => ({ ...step, fact: light(step.fact) })) });
      return;
    }
    case 'journeys':
    case 'journey': {
      // Told when asked, by what only those who ask need.
      const { trace } = world.loop;
      const { journeyOf, recentRequests } = await import('../cluster/journey.ts');
      if (message.type === 'journey') post({ type: 'journey', id: message.id, journey: journeyOf(trace, message.fact) });
      else post({ type: 'journeys', id: message.id, ...recentRequests(trace, message.query) });
      return;
    }
    case 'scheduled':
    case 'scheduling': {
      const { cluster, loop } = world;
      const { scheduledPods, schedulingOf } = await import('../cluster/scheduling.ts');
      if (message.type === 'scheduled') post({ type: 'scheduled', id: message.id, ...scheduledPods(loop.trace, message.query) });
      else post({ type: 'scheduling', id: message.id, scheduling: schedulingOf(loop.trace, cluster.mirror, message.pod) });
      return;
    }
    case 'trace':
      traced = new Set(message.types);
      return;
    case 'consensus':
    case 'entry':
    case 'break-on': {
      const { RaftDesk } = await import('./raft-desk.ts');
      // Another world may have begun meanwhile: it will be asked anew.
      if (!world || !pace) return;
      raft ??= new RaftDesk(world, pace, post);
      raft.receive(message);
      return;
    }
    case 'loops': {
      const { LoopsDesk } = await import('./loops-desk.ts');
      if (!world) return;
      loops ??= new LoopsDesk(world, post);
      loops.receive(message);
      return;
    }
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
