/** Our kubectl, at the laptop's shell, in a world of the same kind and seed. */
import { newSession } from '../../src/cluster/session.ts';
import { Headless } from '../../src/hosts/node.ts';
import { seconds } from '../../src/sim/clock.ts';
import type { Outcome } from './scenario.ts';

/** Longer than anything a scenario waits for. */
const PATIENCE = seconds(600);

export class OurSide {
  private constructor(private readonly headless: Headless) {}

  static async start(topology: string, seed: number): Promise<OurSide> {
    const headless = new Headless(newSession(seed, topology));
    await headless.untilReady();
    await headless.world.run(headless.world.now + seconds(30));
    return new OurSide(headless);
  }

  file(name: string, text: string): void {
    this.headless.world.cluster.laptop.machine.files.write(`/home/you/${name}`, text);
  }

  async wait(virtual: number): Promise<void> {
    await this.headless.world.run(this.headless.world.now + seconds(virtual));
  }

  /** In a shell of its own, as the real one's lines are. */
  run(line: string): Promise<Outcome> {
    return this.headless.run(`(${line}\n)`, PATIENCE);
  }
}
