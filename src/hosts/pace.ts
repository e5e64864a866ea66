/**
 * Keeps a world in step with real time: so many virtual seconds per real one, or as fast as it goes.
 *
 * The world never makes the host wait: it runs for a few real milliseconds, then the host draws, answers
 * and asks again. When the world cannot keep up, the promise of speed is dropped, not the frames.
 */
import type { World } from '../cluster/world.ts';
import { type Instant, seconds } from '../sim/clock.ts';

/** Virtual time without anything visible happening, after which `skipIdle` runs ahead. */
const IDLE_AFTER = seconds(1);

export class Pace {
  factor = 0;
  skipIdle = false;
  /** Virtual microseconds the world is behind what the factor asks for. */
  lag = 0;
  private anchorWall = 0;
  private anchorWorld: Instant = 0;
  /** How often the speed was set. */
  private sets = 0;
  private stirred = 0;
  private stirredAt: Instant = 0;

  constructor(
    private readonly world: World,
    private readonly wallClockMs: () => number,
  ) {}

  set(factor: number, skipIdle: boolean): void {
    this.factor = factor;
    this.skipIdle = skipIdle;
    this.sets++;
    this.anchor();
  }

  private anchor(): void {
    this.anchorWall = this.wallClockMs();
    this.anchorWorld = this.world.now;
    this.lag = 0;
  }

  get idle(): boolean {
    return this.world.now - this.stirredAt > IDLE_AFTER;
  }

  /** Runs the world for at most `budgetMs` of real time towards where it should be now. */
  async advance(budgetMs: number): Promise<void> {
    this.notice();
    if (this.factor === 0) {
      this.anchor();
      return;
    }
    const skipping = this.skipIdle && this.idle;
    if (this.factor === Number.POSITIVE_INFINITY || skipping) {
      const end = this.wallClockMs() + budgetMs;
      const before = this.sets;
      // In short runs, so that what stirs is seen soon after it happened.
      do {
        await this.world.run(this.world.now + seconds(1), { budgetMs: end - this.wallClockMs() });
        this.notice();
      } while (this.wallClockMs() < end && before === this.sets && !(skipping && !this.idle));
      this.anchor();
      return;
    }
    const target = this.anchorWorld + Math.floor((this.wallClockMs() - this.anchorWall) * 1_000 * this.factor);
    const { sets } = this;
    if (target > this.world.now) await this.world.run(target, { budgetMs });
    this.notice();
    if (sets !== this.sets) {
      // The speed was changed during the run, which went on to its end at the old one: the new one counts from here.
      this.anchor();
      return;
    }
    this.lag = Math.max(0, target - this.world.now);
    // More than a quarter of a real second behind: go on from here instead of racing after it.
    if (this.lag > 250_000 * this.factor) {
      const lag = this.lag;
      this.anchor();
      this.lag = lag;
    }
  }

  private notice(): void {
    if (this.world.projection.stirred === this.stirred) return;
    this.stirred = this.world.projection.stirred;
    this.stirredAt = this.world.now;
  }
}
