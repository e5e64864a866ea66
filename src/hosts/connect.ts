/**
 * The page's side of the wire: a typed client on the port behind which the world runs.
 *
 * Everything the page can do to the world is an `InputBody` and goes through one door (`send`), so a session can be
 * recorded there. Everything it can ask is a promise keyed by an id. Nothing here knows what a Pod is.
 */
import type { Instant } from '../sim/clock.ts';
import type { Fact } from '../sim/trace.ts';
import type {
  Breakpoint,
  ConsensusPicture,
  EntryDetail,
  Fault,
  Frame,
  FromWorld,
  InputBody,
  Journey,
  JourneyQuery,
  JourneyRequest,
  LoopsPicture,
  ScheduledPod,
  Scheduling,
  SchedulingQuery,
  Session,
  StepKind,
  TextRequest,
  ToWorld,
  WhyStep,
} from './protocol.ts';

export interface TextResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}
export type Clock = Extract<FromWorld, { type: 'clock' }>;
export type Crash = Extract<FromWorld, { type: 'crashed' }>;
export interface FactBatch {
  readonly facts: readonly Fact[];
  readonly skipped: number;
}
/** The end of a stream; `error` when it broke off. */
export interface StreamHandlers {
  readonly onResponse?: (response: TextResponse) => void;
  /** One JSON text each: a watch event. */
  readonly onChunk: (text: string) => void;
  readonly onEnd?: (error?: string) => void;
}
export interface Terminal {
  readonly name: string;
  /** Keys as a terminal sends them. */
  write(keys: string): void;
  resize(columns: number, rows: number): void;
  onText(listener: (text: string) => void): Stop;
}
export type Stop = () => void;

/** What `connect` needs of a Worker; a test passes a script instead. */
export interface WorldPort {
  postMessage(message: ToWorld): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<FromWorld>) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  terminate(): void;
}

export interface World {
  /** Begins (or begins again) with a session; every earlier promise is rejected. `factor`: virtual seconds per real second. */
  boot(session: Session, factor: number): void;
  setSpeed(factor: number, skipIdle: boolean): void;
  step(what: StepKind): void;
  /** Changes the world: recorded in the session. Faults and keys have no answer. */
  input(body: Exclude<InputBody, { readonly id: number }>): void;
  /** An API request by the user; takes virtual time, so the promise is pending while the world is paused. Any HTTP status resolves; no answer at all (connection refused, a lost world) rejects. */
  request(request: TextRequest): Promise<TextResponse>;
  fault(fault: Fault): void;
  /** A command on the laptop, as if typed. */
  run(command: string): Promise<Ran>;
  /** A read that does not disturb: GET only. */
  observe(request: TextRequest): Promise<TextResponse>;
  /** A watch, or a followed log, that does not disturb. */
  watch(request: TextRequest, handlers: StreamHandlers): Stop;
  why(about: string): Promise<readonly WhyStep[]>;
  journeys(query: JourneyQuery): Promise<{ readonly requests: readonly JourneyRequest[]; readonly more: boolean }>;
  scheduled(query: SchedulingQuery): Promise<{ readonly pods: readonly ScheduledPod[]; readonly more: boolean }>;
  /** Undefined when the scheduler has had nothing to do with the pod, or long ago. */
  scheduling(pod: string): Promise<Scheduling | undefined>;
  /** Undefined when the trace no longer reaches back that far. */
  journey(fact: number): Promise<Journey | undefined>;
  hash(): Promise<string>;
  /** Seed and inputs so far; of a world that stopped, all it ever took. */
  session(): Promise<Session>;
  /** Pictures of the members and their logs while the view is open. `show` chooses the last entry of the log to show; nothing: the newest. */
  consensus(listener: (picture: ConsensusPicture) => void): { show(end: number | undefined): void; readonly stop: Stop };
  /** An entry of a member's log, decoded; nothing when it is not kept there. */
  entry(member: string, index: number): Promise<EntryDetail | undefined>;
  /** Pictures of the controllers while the view is open. `show`: which loop is told closely, and which one a step to the next reconcile means. */
  loops(listener: (picture: LoopsPicture) => void): { show(chosen: string | undefined, step?: string): void; readonly stop: Stop };
  /** All breakpoints there are from now on. */
  breakOn(breakpoints: readonly Breakpoint[]): void;
  /** A breakpoint came true, and the world stands. */
  onBreak(listener: (breakpoint: Breakpoint, sentence: string) => void): Stop;
  terminal(name: string): Terminal;
  onFrame(listener: (frame: Frame) => void): Stop;
  onClock(listener: (clock: Clock) => void): Stop;
  /** Facts of these types; an empty list means all of them. */
  onTrace(types: readonly string[], listener: (batch: FactBatch) => void): Stop;
  /** An input without an answer could not be carried out. */
  onRefusal(listener: (message: string) => void): Stop;
  onCrash(listener: (crash: Crash) => void): Stop;
  /** The worker itself could not start or died. */
  onLost(listener: (message: string) => void): Stop;
  close(): void;
}

interface Waiting {
  resolve(message: FromWorld): void;
  reject(error: Error): void;
}

/** The world ended (restart, crash) before it could answer. */
export class WorldLost extends Error {
  override name = 'WorldLost';
}

class Listeners<T> {
  private readonly all = new Set<(value: T) => void>();
  get size(): number {
    return this.all.size;
  }
  add(listener: (value: T) => void): Stop {
    this.all.add(listener);
    return () => this.all.delete(listener);
  }
  tell(value: T): void {
    for (const listener of [...this.all]) listener(value);
  }
}

export function connect(port: WorldPort): World {
  let lastId = 0;
  const waiting = new Map<number, Waiting>();
  const streams = new Map<number, StreamHandlers>();
  const terminals = new Map<string, Listeners<string>>();
  const frames = new Listeners<Frame>();
  const clocks = new Listeners<Clock>();
  const refusals = new Listeners<string>();
  const crashes = new Listeners<Crash>();
  const losses = new Listeners<string>();
  const pictures = new Listeners<ConsensusPicture>();
  const conveyors = new Listeners<LoopsPicture>();
  let shownLoop: { readonly chosen?: string; readonly step?: string } = {};
  const tellLoops = (): void => send({ type: 'loops', open: conveyors.size > 0, ...shownLoop });
  const breaks = new Listeners<Extract<FromWorld, { type: 'broke' }>>();
  let shownEnd: number | undefined;
  let breakpoints: readonly Breakpoint[] = [];
  const tellConsensus = (): void => send({ type: 'consensus', open: pictures.size > 0, ...(shownEnd === undefined ? {} : { end: shownEnd }) });
  const traces = new Set<{ readonly types: readonly string[]; readonly listener: (batch: FactBatch) => void }>();

  /** The world that stopped, until another is begun: it answers nothing any more. */
  let stopped: Crash | undefined;

  const send = (message: ToWorld): void => port.postMessage(message);
  const ask = <T extends FromWorld['type']>(message: (id: number) => ToWorld): Promise<Extract<FromWorld, { type: T }>> =>
    new Promise((resolve, reject) => {
      if (stopped) {
        reject(new WorldLost('the world stopped'));
        return;
      }
      const id = ++lastId;
      waiting.set(id, { resolve: resolve as (message: FromWorld) => void, reject });
      send(message(id));
    });
  const giveUp = (why: string): void => {
    for (const one of waiting.values()) one.reject(new WorldLost(why));
    waiting.clear();
    for (const stream of streams.values()) stream.onEnd?.(why);
    streams.clear();
  };
  const settle = (id: number, message: FromWorld): void => {
    waiting.get(id)?.resolve(message);
    waiting.delete(id);
  };
  const tellTraceTypes = (): void => {
    const wanted = [...traces];
    // No listener wants nothing; a listener with no types wants all, which the world knows as `*`.
    send({ type: 'trace', types: wanted.some((one) => one.types.length === 0) ? ['*'] : [...new Set(wanted.flatMap((one) => one.types))].sort() });
  };

  const receive = (message: FromWorld): void => {
    switch (message.type) {
      case 'clock':
        clocks.tell(message);
        return;
      case 'frame':
        frames.tell(message);
        return;
      case 'terminal':
        terminals.get(message.terminal)?.tell(message.text);
        return;
      case 'trace':
        for (const one of traces) {
          const facts = one.types.length === 0 ? message.facts : message.facts.filter((fact) => one.types.includes(fact.type));
          if (facts.length > 0 || message.skipped > 0) one.listener({ facts, skipped: message.skipped });
        }
        return;
      case 'response': {
        const stream = streams.get(message.id);
        if (stream) {
          stream.onResponse?.(message);
          return;
        }
        // Status 0: there was no HTTP answer at all (connection refused, reset).
        if (message.status === 0) {
          waiting.get(message.id)?.reject(new Error(message.text));
          waiting.delete(message.id);
          return;
        }
        settle(message.id, message);
        return;
      }
      case 'chunk':
        streams.get(message.id)?.onChunk(message.text);
        return;
      case 'end': {
        const stream = streams.get(message.id);
        streams.delete(message.id);
        stream?.onEnd?.(message.error);
        // A plain read that failed before any response.
        if (message.error !== undefined) waiting.get(message.id)?.reject(new Error(message.error));
        waiting.delete(message.id);
        return;
      }
      case 'ran':
      case 'why':
      case 'journeys':
      case 'journey':
      case 'scheduled':
      case 'scheduling':
      case 'hash':
      case 'session':
        settle(message.id, message);
        return;
      case 'entry':
        settle(message.id, message);
        return;
      case 'consensus':
        pictures.tell(message);
        return;
      case 'loops':
        conveyors.tell(message);
        return;
      case 'broke':
        breaks.tell(message);
        return;
      case 'refused':
        refusals.tell(message.message);
        return;
      case 'crashed':
        stopped = message;
        crashes.tell(message);
        giveUp('the world stopped');
        return;
    }
  };
  port.addEventListener('message', (event) => receive(event.data));
  port.addEventListener('error', (event) => {
    losses.tell(event.message || 'the worker could not be started');
    giveUp('the worker is gone');
  });

  return {
    boot(session, factor) {
      stopped = undefined;
      giveUp('a new session began');
      for (const input of session.inputs) if ('id' in input) lastId = Math.max(lastId, input.id);
      send({ type: 'boot', session, factor });
      if (traces.size > 0) tellTraceTypes();
      if (pictures.size > 0) tellConsensus();
      if (conveyors.size > 0) tellLoops();
      if (breakpoints.length > 0) send({ type: 'break-on', breakpoints });
    },
    setSpeed: (factor, skipIdle) => send({ type: 'speed', factor, skipIdle }),
    step: (what) => send({ type: 'step', what }),
    input: (input) => send({ type: 'input', input }),
    request: (request) => ask<'response'>((id) => ({ type: 'input', input: { type: 'request', id, request } })),
    fault: (fault) => send({ type: 'input', input: { type: 'fault', fault } }),
    run: (command) => ask<'ran'>((id) => ({ type: 'input', input: { type: 'run', id, command } })),
    observe: (request) => ask<'response'>((id) => ({ type: 'observe', id, request })),
    watch(request, handlers) {
      if (stopped) {
        queueMicrotask(() => handlers.onEnd?.('the world stopped'));
        return () => undefined;
      }
      const id = ++lastId;
      streams.set(id, handlers);
      send({ type: 'observe', id, request });
      return () => {
        if (streams.delete(id)) send({ type: 'stop-observing', id });
      };
    },
    why: async (about) => (await ask<'why'>((id) => ({ type: 'why', id, about }))).chain,
    scheduled: (query) => ask<'scheduled'>((id) => ({ type: 'scheduled', id, query })),
    scheduling: async (pod) => (await ask<'scheduling'>((id) => ({ type: 'scheduling', id, pod }))).scheduling,
    journeys: (query) => ask<'journeys'>((id) => ({ type: 'journeys', id, query })),
    journey: async (fact) => (await ask<'journey'>((id) => ({ type: 'journey', id, fact }))).journey,
    hash: async () => (await ask<'hash'>((id) => ({ type: 'hash', id }))).hash,
    session: async () => stopped?.session ?? (await ask<'session'>((id) => ({ type: 'session', id }))).session,
    consensus(listener) {
      const stop = pictures.add(listener);
      shownEnd = undefined;
      tellConsensus();
      return {
        show(end) {
          shownEnd = end;
          tellConsensus();
        },
        stop() {
          stop();
          tellConsensus();
        },
      };
    },
    entry: async (member, index) => (await ask<'entry'>((id) => ({ type: 'entry', id, member, index }))).entry,
    loops(listener) {
      const stop = conveyors.add(listener);
      shownLoop = {};
      tellLoops();
      return {
        show(chosen, step) {
          shownLoop = { ...(chosen === undefined ? {} : { chosen }), ...(step === undefined ? {} : { step }) };
          tellLoops();
        },
        stop() {
          stop();
          tellLoops();
        },
      };
    },
    breakOn(wanted) {
      breakpoints = wanted;
      send({ type: 'break-on', breakpoints });
    },
    onBreak: (listener) => breaks.add(({ breakpoint, sentence }) => listener(breakpoint, sentence)),
    terminal(name) {
      let texts = terminals.get(name);
      if (!texts) {
        texts = new Listeners<string>();
        terminals.set(name, texts);
      }
      const listeners = texts;
      return {
        name,
        write: (text) => send({ type: 'input', input: { type: 'keys', terminal: name, text } }),
        resize: (columns, rows) => send({ type: 'input', input: { type: 'resize', terminal: name, columns, rows } }),
        onText: (listener) => listeners.add(listener),
      };
    },
    onFrame: (listener) => frames.add(listener),
    onClock: (listener) => clocks.add(listener),
    onTrace(types, listener) {
      const one = { types, listener };
      traces.add(one);
      tellTraceTypes();
      return () => {
        if (traces.delete(one)) tellTraceTypes();
      };
    },
    onRefusal: (listener) => refusals.add(listener),
    onCrash: (listener) => crashes.add(listener),
    onLost: (listener) => losses.add(listener),
    close() {
      giveUp('closed');
      port.terminate();
    },
  };
}

/** `00:01:23.456`; hours grow beyond two digits when they must. */
export function clockText(now: Instant): string {
  const ms = Math.floor(now / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(ms / 3_600_000))}:${two(Math.floor(ms / 60_000) % 60)}:${two(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, '0')}`;
}
