/**
 * The product held against the real kubectl: every scenario is typed twice, once at a real shell whose
 * kubectl talks to a world over HTTP, once at the laptop of another world of the same seed. What is
 * printed, and the exit code, must be the same.
 *
 * Needs a kubectl of our release (on the PATH; ORRERY_KUBECTL names any other); says so and runs nothing
 * where there is none. ORRERY_SCENARIO=rollout plays only those with `rollout` in their names.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/kubernetes/kubectl/commands/commands.ts';
import { DIFFERENCES } from './differences.ts';
import { comparable } from './normalise.ts';
import { OurSide } from './ours.ts';
import { findKubectl, RealSide } from './real.ts';
import type { Family, Scenario } from './scenario.ts';
import { fixture } from './scenarios/get.ts';
import { FAMILIES } from './scenarios/scenarios.ts';

const TOPOLOGY = 'three-nodes';
const SEED = 1;
const kubectl = findKubectl();
const only = process.env['ORRERY_SCENARIO'];
const families = FAMILIES.map((family) => ({
  ...family,
  scenarios: family.scenarios.filter(({ name }) => !only || name.includes(only) || name === fixture.name),
})).filter(({ scenarios }) => scenarios.length > 0);
const count = families.reduce((sum, { scenarios }) => sum + scenarios.length, 0);

test('a kubectl to compare with', () => {
  console.log(kubectl ? `comparing ${count} scenarios with ${kubectl}` : `no kubectl found: ${count} scenarios not run`);
  const names = FAMILIES.flatMap(({ scenarios }) => scenarios.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  for (const { scenario, line } of DIFFERENCES) {
    const found = FAMILIES.flatMap(({ scenarios }) => scenarios).find(({ name }) => name === scenario);
    expect(found, `differences.ts names a scenario there is not: ${scenario}`).toBeDefined();
    expect(found?.steps, `differences.ts names a line that ${scenario} has not`).toContain(line);
  }
});

test('every command is in a scenario', () => {
  const lines = FAMILIES.flatMap(({ scenarios }) => scenarios.flatMap(({ steps }) => steps.filter((step) => typeof step === 'string'))).join('\n');
  const paths = Object.entries(COMMANDS).flatMap(([name, { subcommands, run }]) => [
    ...(run ? [name] : []),
    ...Object.keys(subcommands ?? {}).map((sub) => `${name} ${sub}`),
  ]);
  expect(paths.filter((path) => !new RegExp(`\\bkubectl (-[^ ]+ )*${path}(?![\\w-])`).test(lines))).toEqual([]);
  expect(FAMILIES.reduce((sum, { scenarios }) => sum + scenarios.length, 0)).toBeGreaterThanOrEqual(150);
});

interface Told {
  readonly expected: string;
  readonly found: string;
  readonly healed: readonly string[];
}

/** Plays a family's scenarios one after the other, in two worlds of the same kind and seed. */
async function play(family: Family): Promise<ReadonlyMap<string, Told>> {
  const [real, ours] = [await RealSide.start(kubectl!, TOPOLOGY, SEED), await OurSide.start(TOPOLOGY, SEED)];
  const told = new Map<string, Told>();
  try {
    for (const scenario of family.scenarios) told.set(scenario.name, await compare(scenario, real, ours));
  } finally {
    real.stop();
  }
  return told;
}

const differs = ({ expected, found, healed }: Told): boolean => expected !== found || healed.length > 0;

/**
 * Time passes for the real kubectl as the machine lets it: on a busy one a pod is further along when it looks than when
 * ours does. What differs is therefore played once more, its whole family in new worlds, and counts when it differs again.
 */
async function playAgain(family: Family): Promise<ReadonlyMap<string, Told>> {
  const first = await play(family);
  const again = [...first].filter(([, told]) => differs(told)).map(([name]) => name);
  if (again.length === 0) return first;
  console.log(`played again: ${again.join(', ')}`);
  const second = await play(family);
  return new Map([...first].map(([name, told]) => [name, differs(told) ? second.get(name)! : told]));
}

async function compare({ name, steps, files = {}, unordered = false }: Scenario, real: RealSide, ours: OurSide): Promise<Told> {
  for (const [file, text] of Object.entries(files)) {
    real.file(file, text);
    ours.file(file, text);
  }
  const expected: string[] = [];
  const found: string[] = [];
  const healed: string[] = [];
  for (const step of steps) {
    if (typeof step !== 'string') {
      await Promise.all([real.wait(step.wait), ours.wait(step.wait)]);
      continue;
    }
    const outcomes = comparable(...(await Promise.all([real.run(step), ours.run(step)])), unordered);
    const [theirs, mine] = outcomes.map((outcome) => `$ ${step}\n${outcome.stdout}--- stderr\n${outcome.stderr}--- exit code ${outcome.exitCode}\n`);
    if (!DIFFERENCES.some((each) => each.scenario === name && each.line === step)) {
      expected.push(theirs!);
      found.push(mine!);
    } else if (theirs === mine) healed.push(step);
  }
  return { expected: expected.join('\n'), found: found.join('\n'), healed };
}

describe.runIf(kubectl !== undefined)('printed by both', () => {
  // All families at once: while one waits for its kubectl, another's world runs.
  const played = new Map<string, Promise<ReadonlyMap<string, Told>>>();
  beforeAll(async () => {
    for (const family of families) played.set(family.name, playAgain(family));
    await Promise.allSettled(played.values());
    // Every family may take this long on a slow machine; all together take a fraction of it on two cores.
  }, 60_000 * families.length);

  describe.each(families)('$name', (family) => {
    test.each(family.scenarios)('$name', async ({ name }) => {
      const { expected, found, healed } = (await played.get(family.name))!.get(name)!;
      expect(found).toBe(expected);
      expect(healed, 'listed in differences.ts, but there is none any more').toEqual([]);
    });
  });
});
