import { expect, test } from 'vitest';
import type { World } from '../cluster/world.ts';
import { ms, seconds } from '../sim/clock.ts';
import { Pace } from './pace.ts';

/** A world that goes wherever it is sent, and a wall clock that is set by hand. */
function made() {
  const wall = { ms: 0 };
  const world = {
    now: 0,
    projection: { stirred: 0 },
    during: () => {},
    async run(until: number): Promise<void> {
      world.during();
      world.now = until;
    },
  };
  return { wall, world, pace: new Pace(world as unknown as World, () => wall.ms) };
}

test('so many virtual seconds per real one, from where the speed was set', async () => {
  const { wall, world, pace } = made();
  pace.set(10, false);
  wall.ms = 100;
  await pace.advance(8);
  expect(world.now).toBe(seconds(1));
  pace.set(0.01, false);
  wall.ms = 200;
  await pace.advance(8);
  expect(world.now).toBe(seconds(1) + ms(1));
  pace.set(0, false);
  wall.ms = 300;
  await pace.advance(8);
  expect(world.now).toBe(seconds(1) + ms(1));
});

test('a speed that is set during a run counts from the end of that run', async () => {
  const { wall, world, pace } = made();
  pace.set(1_000, false);
  wall.ms = 8;
  // The run goes on to its end at the old speed: eight seconds, for which the new one would need a quarter of an hour.
  world.during = () => {
    pace.set(0.01, false);
    world.during = () => {};
  };
  await pace.advance(8);
  expect(world.now).toBe(seconds(8));
  wall.ms = 108;
  await pace.advance(8);
  expect(world.now).toBe(seconds(8) + ms(1));
});
