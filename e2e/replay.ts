/** Reads a session and where to stop from standard input, plays it as fast as it goes and prints the hash of the world there. */
import { text } from 'node:stream/consumers';
import { Headless } from '../src/hosts/node.ts';
import type { Session } from '../src/hosts/protocol.ts';

/** Without `events`: to the end of the instant. With: of several events at one instant the page may have fired only some. */
const { session, time, events } = JSON.parse(await text(process.stdin)) as { session: Session; time: number; events?: number };
const { world } = new Headless(session);
await world.run(time, events === undefined ? {} : { maxEvents: events });
if (events !== undefined && world.loop.events !== events) throw new Error(`${events} events were told, the replay stands at ${world.loop.events}`);
console.log(world.hash());
