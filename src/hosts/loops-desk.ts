/**
 * What the Loops view asks of the worker: pictures while it is open, and how far a step to the next reconcile goes. A
 * file of its own, so that a page that never opens the view never loads it.
 */
import { LoopsLens } from '../cluster/loops.ts';
import type { World } from '../cluster/world.ts';
import type { FromWorld, ToWorld } from './protocol.ts';

/** Frames between two pictures: queues change faster than anybody reads. */
const EVERY = 3;
const REST = 20;

export class LoopsDesk {
  private lens: LoopsLens | undefined;
  private step: string | undefined;
  private frames = 0;
  /** Real milliseconds before which drift is not counted again. */
  private restUntil = 0;

  constructor(
    private readonly world: World,
    private readonly post: (message: FromWorld) => void,
  ) {}

  /** Rises when the loop that a step means has ended a reconcile. */
  get ends(): number {
    return this.lens?.log.ends(this.step) ?? 0;
  }

  receive({ open, chosen, step }: Extract<ToWorld, { type: 'loops' }>): void {
    if (!open) {
      this.close();
      return;
    }
    this.lens ??= new LoopsLens(this.world.cluster);
    // Asked about another loop: the answer does not wait.
    if (this.lens.chosen !== chosen) this.frames = 0;
    this.lens.chosen = chosen;
    this.step = step;
  }

  /** Once a frame. */
  frame(): void {
    if (this.frames++ % EVERY !== 0) return;
    const began = performance.now();
    const count = began >= this.restUntil;
    const picture = this.lens?.picture(count);
    // Never more than a twentieth of the worker's time.
    if (count) this.restUntil = performance.now() + REST * (performance.now() - began);
    if (picture) this.post(picture);
  }

  close(): void {
    this.lens?.close();
    this.lens = undefined;
  }
}
