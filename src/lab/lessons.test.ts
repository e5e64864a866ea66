/**
 * Every lesson, played: a step is not done before its solution and is after it, doing nothing never
 * passes, wrong turns earn their answer and do not pass, and seeds agree.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { type Lesson, parseLesson } from './lesson.ts';
import { Play } from './play.ts';

const folder = join(import.meta.dirname, '../../lessons');
const lessons = (readdirSync(folder, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => parseLesson(load(readFileSync(join(folder, name), 'utf8')), name));

/** Long enough for whatever a solution set going. */
const TIME_TO_SETTLE = seconds(120);
const IDLE = seconds(120);

/** Plays solution `which` (or the first, where a step has fewer) of every step; the states of its checks on the way. */
async function solve(lesson: Lesson, seed: number, which: number): Promise<string> {
  const play = await Play.begin(lesson, seed);
  for (const step of lesson.steps) {
    play.enter(step);
    expect(play.holds(step.done), `"${step.title}" is done before anything was done`).toBe(false);
    for (const action of step.solutions[Math.min(which, step.solutions.length - 1)]!) await play.act(action, true);
    await play.lab.until(
      () => play.holds(step.done),
      `"${step.title}": ${play
        .verdicts(step.done)
        .map(({ because }) => because)
        .join(' ')}`,
      TIME_TO_SETTLE,
    );
  }
  return play.lab.world.hash();
}

test('there are lessons, and each has an id of its own', () => {
  expect(lessons.length).toBeGreaterThan(0);
  expect(new Set(lessons.map(({ id }) => id)).size).toBe(lessons.length);
  for (const lesson of lessons)
    for (const need of lesson.needs ?? [])
      expect(
        lessons.map(({ id }) => id),
        `${lesson.id} needs ${need}`,
      ).toContain(need);
});

describe.each(lessons.map((lesson) => [lesson.id, lesson] as const))('%s', (_, lesson) => {
  const ways = Math.max(...lesson.steps.map((step) => step.solutions.length));

  test.each(Array.from({ length: ways }, (_each, i) => i))('way %i leads through every step, and twice to the same world', async (which) => {
    const hash = await solve(lesson, 1, which);
    if (which === 0) expect(await solve(lesson, 1, 0)).toBe(hash);
  });

  test('other seeds agree', async () => {
    await solve(lesson, 2, 0);
    await solve(lesson, 3, 0);
  });

  test('doing nothing passes nothing', async () => {
    const play = await Play.begin(lesson, 1);
    play.enter(lesson.steps[0]!);
    await play.lab.wait(IDLE);
    expect(play.holds(lesson.steps[0]!.done)).toBe(false);
  });

  test.each(lesson.steps.flatMap((step, i) => (step.mistakes ?? []).map((mistake) => [step.title, i, mistake] as const)))(
    'in "%s" a wrong turn is answered and does not pass',
    async (_title, index, mistake) => {
      const play = await Play.begin(lesson, 1);
      for (const step of lesson.steps.slice(0, index)) {
        play.enter(step);
        for (const action of step.solutions[0]!) await play.act(action, true);
        await play.lab.until(() => play.holds(step.done), step.title, TIME_TO_SETTLE);
      }
      const step = lesson.steps[index]!;
      play.enter(step);
      for (const action of mistake.try) await play.act(action, false);
      await play.lab.until(() => play.holds(mistake.when), `the wrong turn is noticed: ${mistake.say}`, TIME_TO_SETTLE);
      expect(play.holds(step.done)).toBe(false);
    },
  );

  test('no hint gives the command away', () => {
    for (const step of lesson.steps) {
      const commands = step.solutions.flat().flatMap((action) => ('run' in action ? [action.run] : []));
      for (const hint of step.hints) for (const command of commands) expect(hint).not.toContain(command);
    }
  });
});

test('the harness can fail: a lesson that cannot be solved is not', async () => {
  const impossible = parseLesson(
    {
      id: 'no',
      title: 'no',
      minutes: 1,
      cluster: 'single',
      intro: 'x',
      outro: 'x',
      steps: [{ title: 'Never', text: 'x', hints: ['x'], done: [{ object: 'ConfigMap/unicorn' }], solutions: [[{ run: 'true' }]] }],
    },
    'impossible',
  );
  await expect(solve(impossible, 1, 0)).rejects.toThrow('still not: "Never": There is no ConfigMap unicorn.');
});
