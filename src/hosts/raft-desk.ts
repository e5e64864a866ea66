/**
 * What the Consensus view asks of the worker: pictures while it is open, entries, breakpoints. A file of its own,
 * so that a page that never opens the view never loads it.
 */
import { watchBreakpoints } from '../cluster/breakpoints.ts';
import { ConsensusLens } from '../cluster/consensus.ts';
import type { World } from '../cluster/world.ts';
import type { Pace } from './pace.ts';
import type { FromWorld, ToWorld } from './protocol.ts';

export class RaftDesk {
  private lens: ConsensusLens | undefined;
  private unbreak = (): void => {};
  private underWay: ReadonlySet<number> = new Set();
  private arrived = 0;

  constructor(
    private readonly world: World,
    private readonly pace: Pick<Pace, 'set' | 'skipIdle'>,
    private readonly post: (message: FromWorld) => void,
  ) {}

  /** Rises when a message of Raft that was under way at the look before is so no more. */
  get arrivals(): number {
    const now = new Set(this.world.cluster.raftInFlight().map(({ id }) => id));
    for (const id of this.underWay) {
      if (now.has(id)) continue;
      this.arrived++;
      break;
    }
    this.underWay = now;
    return this.arrived;
  }

  receive(message: Extract<ToWorld, { type: 'consensus' | 'entry' | 'break-on' }>): void {
    const { cluster } = this.world;
    switch (message.type) {
      case 'consensus':
        if (!message.open) {
          this.lens?.close();
          this.lens = undefined;
          return;
        }
        this.lens ??= new ConsensusLens(cluster);
        this.lens.end = message.end;
        return;
      case 'entry': {
        const entry = (this.lens ?? new ConsensusLens(cluster)).entry(message.member, message.index);
        this.post(entry ? { type: 'entry', id: message.id, entry } : { type: 'entry', id: message.id });
        return;
      }
      case 'break-on':
        this.unbreak();
        this.unbreak = watchBreakpoints(cluster, message.breakpoints, (breakpoint, sentence) => {
          // The loop has been stopped; nothing starts it again until the person does.
          this.pace.set(0, this.pace.skipIdle);
          this.post({ type: 'broke', breakpoint, sentence });
        });
    }
  }

  /** Once a frame. */
  frame(): void {
    const picture = this.lens?.picture();
    if (picture) this.post(picture);
  }

  close(): void {
    this.lens?.close();
    this.unbreak();
  }
}
