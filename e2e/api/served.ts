/**
 * A world served over HTTP on a port of its own, for clients that know nothing of it.
 *
 * Virtual time passes by itself: as fast as it goes while the API server owes an answer, otherwise PACE times as
 * fast as real time, so that a client's own time-outs and ours stay within reach of each other.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newSession } from '../../src/cluster/session.ts';
import { serve } from '../../src/hosts/http.ts';
import { ms, seconds } from '../../src/sim/clock.ts';
import { Counting } from '../counting.ts';

/** Virtual seconds per real second while nobody waits for an answer. */
const PACE = 10;

export class Served {
  private stopped = false;
  private readonly pumping: Promise<void>;
  private target = 0;
  private arrived: (() => void)[] = [];

  private constructor(
    private readonly headless: Counting,
    private readonly server: Server,
    readonly url: string,
  ) {
    this.pumping = this.pump();
  }

  /** A cluster that is up, with its add-ons, after `settle` more virtual seconds. */
  static async start(topology: string, settle = 20): Promise<Served> {
    const headless = new Counting(newSession(1, topology));
    await headless.untilReady();
    await headless.world.run(headless.world.now + seconds(settle));
    const server = await serve(headless, 0);
    return new Served(headless, server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  private async pump(): Promise<void> {
    const { world } = this.headless;
    let paced = performance.now();
    while (!this.stopped) {
      const now = performance.now();
      if (this.headless.owed > 0 || world.now < this.target) await world.run(world.now + ms(this.headless.owed > 0 ? 2 : 200));
      else await world.run(world.now + Math.floor((now - paced) * 1_000 * PACE), { budgetMs: 20 });
      paced = now;
      if (world.now >= this.target) for (const arrive of this.arrived.splice(0)) arrive();
      await new Promise<void>((resolve) => (this.headless.owed > 0 || world.now < this.target ? setImmediate(resolve) : setTimeout(resolve, 1)));
    }
  }

  /** Lets so many virtual seconds pass as fast as they go. */
  wait(virtual: number): Promise<void> {
    this.target = Math.max(this.target, this.headless.world.now + seconds(virtual));
    return new Promise((resolve) => this.arrived.push(resolve));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.pumping;
    this.server.close();
    this.server.closeAllConnections();
  }
}
