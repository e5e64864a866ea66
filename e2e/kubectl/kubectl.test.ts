/**
 * The product held against the real kubectl: every scenario is typed twice, once at a real shell whose
 * kubectl talks to a world over HTTP, once at the laptop of another world of the same seed. What is
 * printed, and the exit code, must be the same.
 *
 * Needs a kubectl (ORRERY_KUBECTL, or one on the PATH); says so and runs nothing where there is none.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DIFFERENCES } from './differences.ts';
import { comparable } from './normalise.ts';
import { OurSide } from './ours.ts';
import { findKubectl, RealSide } from './real.ts';
import { fixture } from './scenarios/get.ts';
import { FAMILIES } from './scenarios/scenarios.ts';

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
    if (line !== undefined) expect(found?.steps, `differences.ts names a line that ${scenario} has not`).toContain(line);
  }
});

describe.runIf(kubectl !== undefined).each(families)('$name', ({ scenarios }) => {
  let real: RealSide;
  let ours: OurSide;
  beforeAll(async () => {
    [real, ours] = [await RealSide.start(kubectl!, 'three-nodes', SEED), await OurSide.start('three-nodes', SEED)];
  });
  afterAll(() => real?.stop());

  test.each(scenarios)('$name', async ({ name, steps, files = {}, unordered = false }) => {
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
      const [theirs, mine] = comparable(...(await Promise.all([real.run(step), ours.run(step)])), unordered);
      const show = (outcome: typeof theirs) => `$ ${step}\n${outcome.stdout}--- stderr\n${outcome.stderr}--- exit code ${outcome.exitCode}\n`;
      const difference = DIFFERENCES.find((each) => each.scenario === name && (each.line === undefined || each.line === step));
      if (!difference) {
        expected.push(show(theirs));
        found.push(show(mine));
      } else if (difference.line !== undefined && show(theirs) === show(mine)) healed.push(`${name}: ${step}`);
    }
    expect(found.join('\n')).toBe(expected.join('\n'));
    expect(healed, 'listed in differences.ts, but there is none any more').toEqual([]);
  });
});
