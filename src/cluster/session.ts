/**
 * A session is a seed and the inputs a person gave, each stamped with the point at which the world took
 * it. Replaying it gives the same world, bit for bit; nothing else may change a world from outside.
 */
import type { Input, InputBody, Session } from '../hosts/protocol.ts';

/** Names the program that recorded a session: links made by another build may replay differently. */
export const BUILD = 'orrery-1';

export const newSession = (seed: number, topology: string): Session => ({ build: BUILD, seed, topology, inputs: [] });

/** Writes down inputs as the loop takes them. */
export class Recorder {
  private readonly inputs: Input[] = [];
  constructor(private readonly start: Session) {}

  record(at: number, event: number, body: InputBody): void {
    this.inputs.push({ at, event, ...body });
  }

  get session(): Session {
    return { ...this.start, inputs: [...this.inputs] };
  }
}
