/**
 * The loop: takes the next timer, fires it, lets whoever woke up act at that instant, and goes on.
 *
 * Code inside is ordinary async/await. `async` means "virtual time may pass here". A promise of the
 * world resolves only while a timer fires, so after firing one the loop waits until the woken
 * coroutines have come to rest. It knows they have when nothing touched the clock for QUIET_TURNS
 * microtask turns; a host in Node uses the exact barrier (one macrotask) instead and gives the same
 * world. A chain of more than QUIET_TURNS awaits that never touches the clock would outrun the quick
 * rule: `lateTouches` counts those, and tests assert it is 0.
 *
 * Outside work that takes real time (a dynamic import, a library that yields to macrotasks) holds the
 * clock with `hold()`: no event fires until it lets go, so the world cannot tell how long it took.
 */
import type { Cancel, Duration, Instant } from './clock.ts';
import type { Exit, Main, Process } from './process.ts';
import { createRng, type Rng } from './rng.ts';
import { type Timer, type TimerOwner, Timers } from './timers.ts';
import { Trace, type Tracer } from './trace.ts';

const QUIET_TURNS = 16;
const DONE = Promise.resolve();
const NOTHING = (): void => {};
const NO_DATA = {};

/** What a host lends to the loop: the only door between virtual and real time. */
export interface Host {
  /** Real milliseconds, monotonic; used only to end a slice. */
  wallClockMs(): number;
  /** Resolves in a later macrotask, after every pending microtask. */
  nextTask(): Promise<void>;
  /** True: settle exactly after every wake (for Node). False: by quiet microtask turns. */
  readonly exactBarrier: boolean;
  /** Where the host knows when no microtask is pending without ending the macrotask: called back then. A fraction of what `nextTask` costs; used only from microtasks. */
  readonly drained?: (callback: () => void) => void;
}

export interface LoopOptions {
  readonly seed: number;
  readonly host: Host;
  /** Real milliseconds between breaths; 8 by default, half a frame. */
  readonly sliceMs?: number;
}

export class Loop {
  readonly trace: Trace;
  readonly rng: Rng;
  /** Events fired so far. */
  events = 0;
  /** Times something moved the clock after the world was declared settled. Must stay 0. */
  lateTouches = 0;
  /** An error that no process owns: the world itself is broken and must stop. */
  broken: Error | undefined;

  private time: Instant = 0;
  private seq = 0;
  private touched = 0;
  private woken = false;
  private readonly timers = new Timers();
  private readonly host: Host;
  private readonly sliceMs: number;
  private sliceEnd = 0;
  private holders = 0;
  private outsideTail: Promise<void> = Promise.resolve();
  private released: (() => void) | undefined;
  private digestA = 0x811c9dc5;
  private digestB = 0x9e3779b9;
  private stopping = false;
  private running = false;
  private readonly inputs: (() => Promise<void>)[] = [];
  /** While inputs are taken outside a run. */
  private draining: Promise<void> | undefined;
  private settled: (more: Promise<void> | undefined) => void = NOTHING;
  private quietTurns = 0;
  private seenTouched = 0;

  constructor(options: LoopOptions) {
    this.host = options.host;
    this.sliceMs = options.sliceMs ?? 8;
    this.trace = new Trace(() => this.time);
    this.rng = createRng(options.seed);
  }

  get now(): Instant {
    return this.time;
  }

  /** The instant of the next event, if any is due. */
  get nextAt(): Instant | undefined {
    return this.timers.peek()?.at;
  }

  get pending(): number {
    return this.timers.size;
  }

  /** Mixes a text into the world's digest: every fired event is mixed in already, stores add their writes. */
  mix(text: string): void {
    for (let i = 0; i < text.length; i++) this.mixInt(text.charCodeAt(i));
  }

  mixInt(n: number): void {
    this.digestA = Math.imul(this.digestA ^ n, 16777619);
    this.digestB = (Math.imul(this.digestB, 0x85ebca6b) ^ n ^ (this.digestB >>> 13)) | 0;
  }

  /** Sixteen hex digits that tell this world's history from every other's. */
  hash(): string {
    const hex = (n: number) => (n >>> 0).toString(16).padStart(8, '0');
    return hex(this.digestA) + hex(this.digestB);
  }

  spawn(name: string, main: Main): Process {
    return new LoopProcess(this, name, undefined).start(main);
  }

  /** Sets a timer that belongs to nobody: it fires whoever dies. Wires and hosts use it. */
  after(duration: Duration, callback: () => void): Cancel {
    const timer = this.set(duration, callback, undefined);
    return () => this.cancel(timer);
  }

  /** The same for what is never cancelled, as a message on a wire: most timers are, and so carry no closure to cancel them with. */
  post(duration: Duration, callback: () => void): void {
    this.set(duration, callback, undefined);
  }

  /** Sets a timer; one with an owner fires only while the owner lives. Hot: every event of the world begins here (one object, 0.1 µs). */
  set(duration: Duration, callback: () => void, owner: TimerOwner | undefined): Timer {
    if (!Number.isInteger(duration) || duration < 0) throw new RangeError(`a duration is a whole number of microseconds, not ${duration}`);
    this.touched++;
    const timer: Timer = { at: this.time + duration, seq: ++this.seq, fire: callback, cause: this.trace.current, owner };
    this.timers.push(timer);
    return timer;
  }

  /** Sets a timer that came due while its owner was paused once more, for this instant; one that was cancelled meanwhile is only counted off. */
  again(timer: Timer): void {
    this.touched++;
    timer.at = this.time;
    timer.seq = ++this.seq;
    this.timers.push(timer);
  }

  cancel(timer: Timer): void {
    this.touched++;
    this.timers.cancel(timer);
  }

  /** Tells the loop that a promise of the world is about to resolve. Sleepers do this by themselves; whoever keeps resolvers of its own (a queue, a socket) must call it before resolving. */
  wake(): void {
    this.woken = true;
    this.touched++;
  }

  /** Says that somebody is still at work at this instant, though no promise hangs on it. */
  touch(): void {
    this.touched++;
  }

  /** Stops the clock until the returned function is called, for work that takes real time. */
  hold(): () => void {
    this.holders++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.woken = true;
      if (--this.holders === 0) {
        this.released?.();
        this.released = undefined;
      }
    };
  }

  /** Holds the clock until `work` is done. What is told first waits first: real time must not decide who goes on before whom. */
  outside<T>(work: Promise<T>): Promise<T> {
    const letGo = this.hold();
    const turn = this.outsideTail.then(() => work);
    this.outsideTail = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn.finally(letGo);
  }

  /** Makes `run` return at the next event boundary. */
  stop(): void {
    this.stopping = true;
  }

  /**
   * Runs events in order up to and including `until`, giving the thread back between slices. The clock
   * stands at `until` afterwards, unless stopped, out of events to spend, or out of real milliseconds
   * (`budgetMs`, for a host that draws between runs). One run at a time.
   */
  async run(until: Instant, options: { maxEvents?: number; budgetMs?: number } = {}): Promise<void> {
    if (this.running) throw new Error('the loop is already running');
    this.running = true;
    this.stopping = false;
    // An input given before this run may still be settling, if somebody outside holds the clock.
    await this.draining;
    try {
      let left = options.maxEvents ?? Number.POSITIVE_INFINITY;
      const started = this.host.wallClockMs();
      const deadline = started + (options.budgetMs ?? Number.POSITIVE_INFINITY);
      this.sliceEnd = started + this.sliceMs;
      await this.settle();
      while (!this.stopping) {
        if (this.broken) break;
        if (this.inputs.length > 0) {
          await this.inputs.shift()!();
          continue;
        }
        const next = this.timers.peek();
        if (!next || next.at > until) {
          if (until > this.time && Number.isFinite(until)) this.time = until;
          break;
        }
        if (left <= 0) break;
        this.timers.pop();
        this.fire(next);
        left--;
        if (this.woken || this.holders > 0) await this.settle();
        if ((this.events & 63) === 0) {
          const wall = this.host.wallClockMs();
          if (wall > deadline) break;
          if (wall > this.sliceEnd) await this.breathe();
        }
      }
    } finally {
      this.trace.current = 0;
      this.running = false;
      // What is left waits in its order; what comes meanwhile waits behind it.
      this.drain();
      await this.draining;
    }
    if (this.broken) throw this.broken;
  }

  /**
   * Does something from outside (an input, a fault) between two events, at the instant the world has reached, and lets
   * it settle. Inputs act in the order they were given, one after the other, whether or not `run` is under way: at once
   * when nothing else is.
   */
  input(action: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.inputs.push(async () => {
        try {
          await this.take(action);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
      if (!this.running) this.drain();
    });
  }

  /** Takes what waits, unless somebody is at it already. */
  private drain(): void {
    if (this.draining || this.inputs.length === 0) return;
    const one = async (): Promise<void> => {
      while (this.inputs.length > 0) await this.inputs.shift()!();
      this.draining = undefined;
    };
    // Set before the first input acts: it may give another.
    this.draining = DONE;
    const done = one();
    if (this.draining) this.draining = done;
  }

  private async take(action: () => void): Promise<void> {
    this.trace.current = 0;
    this.woken = true;
    action();
    await this.settle();
    this.trace.current = 0;
  }

  private fire(timer: Timer): void {
    this.time = timer.at;
    this.events++;
    this.mixInt(timer.at | 0);
    this.mixInt(timer.seq);
    this.trace.current = timer.cause;
    const { owner } = timer;
    if (owner !== undefined) {
      if (owner.held !== undefined) {
        // Still cancellable: it is as if it had not come due.
        owner.held.push(timer);
        return;
      }
      if (!owner.alive) {
        // A crash is silence: the event is counted, but nobody is left to act on it.
        timer.fire = undefined;
        return;
      }
    }
    const fire = timer.fire!;
    timer.fire = undefined;
    try {
      fire();
    } catch (error) {
      this.broken = error instanceof Error ? error : new Error(String(error));
    }
  }

  private settle(): Promise<void> {
    if (this.holders > 0) return this.exactly();
    if (!this.host.exactBarrier) return this.quietly();
    return this.host.drained ? this.drainedOnce() : this.exactly();
  }

  /** Hot: every wake in Node. One promise, and one turn of the host's own queue that runs when the microtasks are done. */
  private drainedOnce(): Promise<void> {
    this.woken = false;
    return new Promise((resolve) => {
      this.settled = resolve;
      DONE.then(this.askDrained);
    });
  }

  private readonly askDrained = (): void => this.host.drained!(this.whenDrained);
  private readonly whenDrained = (): void => this.settled(this.woken || this.holders > 0 ? this.settle() : undefined);

  private async exactly(): Promise<void> {
    do {
      if (this.holders > 0) {
        // Somebody outside is at work in real time: its own macrotasks must get their turns.
        await new Promise<void>((resolve) => {
          this.released = resolve;
        });
      }
      this.woken = false;
      if (!this.host.exactBarrier) await this.quietly();
      else if (this.host.drained) await this.drainedOnce();
      else await this.host.nextTask();
    } while (this.woken || this.holders > 0);
  }

  /** Resolves when nothing has touched the clock for QUIET_TURNS microtask turns. */
  private quietly(): Promise<void> {
    this.woken = false;
    this.quietTurns = 0;
    this.seenTouched = this.touched;
    return new Promise((resolve) => {
      this.settled = resolve;
      DONE.then(this.turn);
    });
  }

  /** Hot: a hundred thousand wakes an idle hour, sixteen turns each. A `then` makes half the garbage of an `await` (100 bytes a turn). */
  private readonly turn = (): void => {
    if (this.touched !== this.seenTouched) {
      this.seenTouched = this.touched;
      this.quietTurns = 0;
      // Whoever woke up meanwhile has touched the clock with it, and gets its turns from here.
      this.woken = false;
    } else if (++this.quietTurns === QUIET_TURNS) {
      this.settled(this.woken || this.holders > 0 ? this.settle() : undefined);
      return;
    }
    DONE.then(this.turn);
  };

  private async breathe(): Promise<void> {
    const seen = this.touched;
    await this.host.nextTask();
    if (this.touched !== seen) this.lateTouches++;
    this.sliceEnd = this.host.wallClockMs() + this.sliceMs;
  }
}

class LoopProcess implements Process {
  readonly rng: Rng;
  readonly trace: Tracer;
  /** Timers that came due while it was paused; undefined while it runs. */
  held: Timer[] | undefined;
  /** Of its clock: so many thousandths of a second pass for it in one. */
  private permille = 1000;
  private goingOn = false;
  /** What its clock said when its rate was last changed, and when that was. */
  private clockBase = 0;
  private clockSince = 0;
  readonly clock = {
    now: () => this.now(),
    sleep: (duration: Duration) =>
      new Promise<void>((resolve) => {
        if (!this.living) return;
        this.loop.set(
          this.permille === 1000 ? duration : this.stretched(duration),
          () => {
            this.loop.wake();
            resolve();
          },
          this,
        );
      }),
    after: (duration: Duration, callback: () => void) => this.after(duration, callback),
    wake: () => this.loop.wake(),
  };
  private living = true;
  private readonly children = new Set<LoopProcess>();
  private readonly exitListeners = new Set<(exit: Exit) => void>();

  constructor(
    private readonly loop: Loop,
    readonly name: string,
    private readonly parent: LoopProcess | undefined,
  ) {
    this.rng = loop.rng.fork(name);
    this.trace = {
      emit: (type, about, data = {}) => {
        loop.touch();
        return loop.trace.record(name, type, about, data, false);
      },
      chatter: (type, about, data = NO_DATA) => loop.trace.record(name, type, about, data, true),
      get heard() {
        return loop.trace.heard;
      },
      current: () => loop.trace.current,
      because: (id) => {
        loop.trace.current = id;
      },
    };
  }

  get alive(): boolean {
    return this.living;
  }

  start(main: Main): this {
    // An uncaught error is a crash of this process alone, as on a machine; its supervisor decides what then.
    // Main runs at this instant but from a clean stack: its first line never runs inside the spawner's.
    this.after(0, () => {
      this.loop.wake();
      main(this).then(
        () => this.end({ how: 'ended' }),
        (error) => this.end({ how: 'crashed', error: error instanceof Error ? error : new Error(String(error)) }),
      );
    });
    return this;
  }

  spawn(name: string, main: Main): Process {
    const child = new LoopProcess(this.loop, name, this);
    if (this.held) child.held = [];
    child.permille = this.permille;
    child.clockBase = this.clockBase;
    child.clockSince = this.clockSince;
    if (!this.living) {
      child.living = false;
      return child;
    }
    this.children.add(child);
    return child.start(main);
  }

  outside<T>(work: Promise<T>): Promise<T> {
    return this.loop.outside(work);
  }

  kill(): void {
    this.end({ how: 'killed' });
  }

  get paused(): boolean {
    return this.held !== undefined;
  }

  pause(): void {
    if (!this.living) return;
    this.held ??= [];
    this.goingOn = false;
    for (const child of this.children) child.pause();
  }

  resume(): void {
    if (!this.held || this.goingOn) return;
    this.goingOn = true;
    // After all else that happens at this instant, so that nothing overtakes what waited.
    this.loop.post(0, () => {
      if (this.goingOn) this.goOn();
    });
    for (const child of this.children) child.resume();
  }

  /** What came due meanwhile is due now, in the order in which it came due, for the reasons it had. */
  private goOn(): void {
    const { held } = this;
    this.held = undefined;
    this.goingOn = false;
    for (const timer of held ?? []) this.loop.again(timer);
  }

  setClockRate(permille: number): void {
    if (!Number.isInteger(permille) || permille <= 0) throw new RangeError(`a clock's rate is a whole number of thousandths above 0, not ${permille}`);
    this.clockBase = this.now();
    this.clockSince = this.loop.now;
    this.permille = permille;
    for (const child of this.children) child.setClockRate(permille);
  }

  private now(): number {
    if (this.permille === 1000 && this.clockBase === this.clockSince) return this.loop.now;
    return this.clockBase + Math.floor(((this.loop.now - this.clockSince) * this.permille) / 1000);
  }

  /** How long a duration of its own clock takes in the world. */
  private stretched(duration: Duration): Duration {
    return Math.ceil((duration * 1000) / this.permille);
  }

  onExit(listener: (exit: Exit) => void): () => void {
    this.exitListeners.add(listener);
    return () => this.exitListeners.delete(listener);
  }

  private after(duration: Duration, callback: () => void): Cancel {
    if (!this.living) return NOTHING;
    const timer = this.loop.set(this.permille === 1000 ? duration : this.stretched(duration), callback, this);
    return () => this.loop.cancel(timer);
  }

  private end(exit: Exit): void {
    if (!this.living) return;
    this.living = false;
    if (this.held) this.goOn();
    this.parent?.children.delete(this);
    for (const child of [...this.children]) child.end({ how: 'killed' });
    if (exit.how === 'crashed') this.trace.emit('process.crash', this.name, { error: exit.error.message, stack: exit.error.stack ?? '' });
    for (const listener of [...this.exitListeners]) listener(exit);
  }
}
