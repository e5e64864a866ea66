/** Reads a session and where to stop from standard input, plays it as fast as it goes and prints the hash of the world there. */
import { text } from 'node:stream/consumers';
import { Headless } from '../src/hosts/node.ts';
import type { Session } from '../src/hosts/protocol.ts';

const { session, time, events } = JSON.parse(await text(process.stdin)) as { session: Session; time: number; events: number };
const { world } = new Headless(session);
// Up to the event first: of several at one instant the page may have fired only some. Then on to the instant itself.
await world.run(time, { maxEvents: events });
if (world.loop.events !== events) throw new Error(`${events} events were told, the replay stands at ${world.loop.events}`);
console.log(world.hash());
