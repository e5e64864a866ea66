/**
 * `npm run shell -- --topology three-nodes --seed 1`
 *
 * Reads lines from standard input, runs each in the laptop's shell at full speed of virtual time and
 * prints one JSON line per command. `#wait 30s`, `#fault {...}` and `#hash` speak to the world instead.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Headless } from '../src/hosts/node.ts';
import type { Fault } from '../src/hosts/protocol.ts';
import { parseDuration } from '../src/sim/duration.ts';

const { values } = parseArgs({ options: { topology: { type: 'string', default: 'three-nodes' }, seed: { type: 'string', default: '1' } } });
const headless = Headless.start(values.topology, Number(values.seed));
await headless.untilReady();
const { world } = headless;

for await (const raw of createInterface({ input: process.stdin })) {
  const line = raw.trim();
  if (line === '') continue;
  if (line.startsWith('#')) {
    try {
      await direct(line);
    } catch (error) {
      console.log(JSON.stringify({ command: line, error: (error as Error).message }));
    }
    continue;
  }
  const outcome = await headless.run(raw);
  console.log(JSON.stringify({ command: raw, ...outcome, at: world.now / 1_000_000 }));
}

async function direct(line: string): Promise<void> {
  if (line === '#hash') console.log(JSON.stringify({ hash: world.hash() }));
  else if (line.startsWith('#wait ')) await world.run(world.now + parseDuration(line.slice(6).trim()));
  else if (line.startsWith('#fault ')) await world.input({ type: 'fault', fault: JSON.parse(line.slice(7)) as Fault });
  else throw new Error(`unknown directive; there are #wait, #fault and #hash`);
}
