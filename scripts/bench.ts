/**
 * `npm run bench [-- --json]`: what the world costs, as ratios to what the machine can do.
 *
 * The floors are the limit scripts of `../shared/limits`, run in the same command; without them the
 * figures stand alone. CPU is this process's own (user + system), medians of several runs.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Headless } from '../src/hosts/node.ts';
import { seconds } from '../src/sim/clock.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '3' } } });
const limits = join(import.meta.dirname, '..', '..', 'shared', 'limits');

interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: string;
  readonly ratio?: number;
  readonly budget?: number;
}
const results: Result[] = [];
const report = (result: Result): void => {
  results.push(result);
  if (values.json) console.log(JSON.stringify(result));
  else
    console.log(
      `${result.name.padEnd(48)} ${result.value.toFixed(1).padStart(10)} ${result.unit}${result.ratio === undefined ? '' : `   ${result.ratio.toFixed(1)}x ${result.limit} (budget ${result.budget}x)`}`,
    );
};

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

/** CPU milliseconds of the bare skeleton with the same nodes and pods, in a process of its own as ours is. */
function roofline(nodes: number, pods: number): number | undefined {
  if (!existsSync(join(limits, 'roofline.mjs'))) return undefined;
  const runs = Array.from(
    { length: 5 },
    () =>
      JSON.parse(
        execFileSync(process.execPath, [join(limits, 'roofline.mjs'), String(nodes), String(pods)], { encoding: 'utf8' })
          .trim()
          .split('\n')
          .at(-1)!,
      ) as { create_cpu_ms: number },
  );
  return median(runs.map((run) => run.create_cpu_ms));
}

const boots: number[] = [];
const hours: number[] = [];
let virtualBoot = 0;
let events = 0;
for (let i = 0; i < Number(values.runs); i++) {
  const before = cpuMs();
  const headless = Headless.start('three-nodes', i + 1);
  await headless.untilReady();
  await headless.run('kubectl create deployment web --image=nginx --replicas=30 && kubectl rollout status deployment/web');
  boots.push(cpuMs() - before);
  virtualBoot = headless.world.now;
  await headless.world.run(headless.world.now + seconds(60));
  const idleFrom = cpuMs();
  const eventsFrom = headless.world.loop.events;
  await headless.world.run(headless.world.now + seconds(3600));
  hours.push(cpuMs() - idleFrom);
  events = headless.world.loop.events - eventsFrom;
}
const floor = roofline(3, 30);
const boot = median(boots);
report({
  name: 'boot of three-nodes and 30 pods, all Ready: CPU',
  value: boot,
  unit: 'ms',
  ...(floor ? { limit: 'roofline.mjs 3 30', ratio: boot / floor, budget: 40 } : {}),
});
report({ name: 'the same, virtual time', value: virtualBoot / 1_000_000, unit: 's' });
report({ name: 'one virtual hour of it, idle: CPU', value: median(hours), unit: 'ms', budget: 2000 });
report({ name: 'events in that hour', value: events, unit: 'events' });
