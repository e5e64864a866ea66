/** The world headless in Node: exact barrier, real time only where a pace is asked for. */

import { newSession } from '../cluster/session.ts';
import { World } from '../cluster/world.ts';
import type { ApiResponse, Frame } from '../kubernetes/api/request.ts';
import { seconds } from '../sim/clock.ts';
import type { Host } from '../sim/loop.ts';
import { Pace } from './pace.ts';
import type { Session, TextRequest } from './protocol.ts';

export const nodeHost: Host = {
  wallClockMs: () => performance.now(),
  nextTask: () => new Promise((resolve) => setImmediate(resolve)),
  exactBarrier: true,
  // Node takes what is queued here only once no microtask is left.
  drained: (callback) => process.nextTick(callback),
};

const loadTexts = (): Promise<unknown> => import('../kubernetes/api/texts.gen.json', { with: { type: 'json' } }).then((module) => module.default);

/** How long a cluster may take to come up, and how a world that does not is reported. */
const BOOT_LIMIT = seconds(600);

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A world in this process, driven as fast as it goes. */
export class Headless {
  readonly world: World;
  private readonly answers = new Map<number, (answer: never) => void>();
  private nextId: number;

  constructor(session: Session, host: Host = nodeHost) {
    // Whoever is answered in a session that is played again keeps his number.
    this.nextId = 1 + session.inputs.reduce((most, input) => ('id' in input ? Math.max(most, input.id) : most), 0);
    this.world = new World(
      session,
      host,
      {
        response: (id, response) => {
          // Played again: nobody asked, so nobody reads.
          if (!this.answers.has(id) && 'stream' in response) response.stream?.read({ value: () => {}, end: () => {} });
          this.settle(id, response);
        },
        ran: (id, result) => this.settle(id, result),
        terminal: () => {},
      },
      { loadTexts },
    );
  }

  static start(topology: string, seed: number, host: Host = nodeHost): Headless {
    return new Headless(newSession(seed, topology), host);
  }

  private settle(id: number, answer: unknown): void {
    this.answers.get(id)?.(answer as never);
    this.answers.delete(id);
  }

  /** Runs until every node of the topology is Ready and the add-ons are up. */
  async untilReady(): Promise<void> {
    while (!this.world.cluster.ready()) {
      if (this.world.now > BOOT_LIMIT) throw new Error(`the cluster is not up after ${BOOT_LIMIT / seconds(1)} virtual seconds`);
      await this.world.run(this.world.now + seconds(1));
    }
  }

  /** An API request from outside, recorded as an input. Somebody must keep the world running meanwhile. */
  request(request: TextRequest): Promise<ApiResponse> {
    return this.ask(this.nextId++, request, false);
  }

  /** The same for an exec or attach: `send` gives what its caller says, and nothing once the caller is gone. */
  upgrade(request: TextRequest): { readonly response: Promise<ApiResponse>; send(frame?: Frame): void } {
    const id = this.nextId++;
    return {
      response: this.ask(id, request, true),
      send: (frame) => void this.world.input({ type: 'frame', id, ...(frame ? { frame } : {}) }),
    };
  }

  private ask(id: number, request: TextRequest, upgrade: boolean): Promise<ApiResponse> {
    return new Promise((resolve, reject) => {
      this.answers.set(id, (answer: ApiResponse | Error) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      this.world.input({ type: 'request', id, request, ...(upgrade ? { upgrade } : {}) }).catch(reject);
    });
  }

  /** Runs a line in the laptop's shell to its end; cut off with exit code 124 after `limit` of virtual time. */
  async run(command: string, limit = seconds(3600)): Promise<Outcome> {
    const id = this.nextId++;
    let outcome: Outcome | undefined;
    this.answers.set(id, (answer: Outcome) => {
      outcome = answer;
      this.world.loop.stop();
    });
    await this.world.input({ type: 'run', id, command });
    const end = this.world.now + limit;
    while (!outcome && this.world.now < end) await this.world.run(end);
    return outcome ?? { stdout: '', stderr: `${command}: still running after ${limit / seconds(1)} virtual seconds\n`, exitCode: 124 };
  }
}

/** Keeps a world going at a pace until told to stop; errors end it. */
export async function keepPace(world: World, factor: number, stopped: () => boolean): Promise<void> {
  const pace = new Pace(world, () => performance.now());
  pace.set(factor, false);
  while (!stopped()) {
    await pace.advance(10);
    await new Promise<void>((resolve) => (factor === Number.POSITIVE_INFINITY ? setImmediate(resolve) : setTimeout(resolve, 2)));
  }
}
