import { expect, test } from 'vitest';
import { ms, seconds } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import type { Process } from '../../sim/process.ts';
import { testHost } from '../../sim/test-host.ts';
import { createCgroup } from './cgroup.ts';
import { type CpuLimits, Processors, shareOut } from './cpu.ts';

// kernel Documentation/scheduler/sched-design-CFS.rst: in proportion to weight, what one leaves goes to the others.
test.each<[string, number, readonly (readonly [number, number])[], readonly number[]]>([
  [
    'enough for all',
    4000,
    [
      [1000, 2],
      [500, 1024],
    ],
    [1000, 500],
  ],
  [
    'by weight',
    3000,
    [
      [3000, 1024],
      [3000, 512],
    ],
    [2000, 1000],
  ],
  [
    'what one leaves goes to the others',
    4000,
    [
      [500, 1024],
      [4000, 512],
      [4000, 512],
    ],
    [500, 1750, 1750],
  ],
  ['nobody', 4000, [], []],
  [
    'a small claim of little weight',
    1000,
    [
      [10, 2],
      [1000, 1022],
    ],
    [1, 998],
  ],
])('processors are shared out: %s', (_, capacity, claims, expected) => {
  expect(
    shareOut(
      capacity,
      claims.map(([milli, weight]) => ({ milli, weight })),
    ),
  ).toEqual(expected);
});

interface Bench {
  readonly self: Process;
  group(limits?: CpuLimits, idle?: number): ReturnType<typeof createCgroup>;
}
async function bench(story: (bench: Bench) => Promise<void>, milli = 4000): Promise<Loop> {
  const loop = new Loop({ seed: 1, host: testHost });
  const processors = new Processors(milli);
  let failure: unknown;
  let done = false;
  loop.spawn('machine', async (self) => {
    try {
      await story({
        self,
        group: (limits = {}, idle = 0) => {
          const group = createCgroup({ memoryBytes: 0, cpuMilli: idle }, { cpu: limits }, () => {}, processors);
          group.start(self.clock);
          return group;
        },
      });
      done = true;
    } catch (error) {
      failure = error;
    }
  });
  await loop.run(seconds(1000));
  if (failure) throw failure;
  expect(done).toBe(true);
  expect(loop.lateTouches).toBe(0);
  return loop;
}

test('work alone takes as long as it costs, and is counted', () =>
  bench(async ({ self, group }) => {
    const cgroup = group();
    await cgroup.work(self, ms(50));
    expect(self.clock.now()).toBe(ms(50));
    expect(cgroup.stats()).toMatchObject({ cpuNanos: 50_000_000, periods: 0, throttledPeriods: 0 });
  }));

test('two pieces of work have a core each, five share four', () =>
  bench(async ({ self, group }) => {
    const cgroup = group();
    await Promise.all([cgroup.work(self, ms(100)), cgroup.work(self, ms(100))]);
    expect(self.clock.now()).toBe(ms(100));
    await Promise.all([1, 2, 3, 4, 5].map(() => cgroup.work(self, ms(100))));
    expect(self.clock.now()).toBe(ms(225));
  }));

// kernel sched-bwc.rst: a quota of 50 ms in every 100 ms is half a core; work runs at full speed until the quota is used up.
test('a limit of 500m: a burst of 50 ms runs through, 200 ms of work take 350 ms and are throttled', () =>
  bench(async ({ self, group }) => {
    const cgroup = group({ limit: 500 });
    await cgroup.work(self, ms(50));
    expect(self.clock.now()).toBe(ms(50));
    await self.clock.sleep(ms(50));
    const from = self.clock.now();
    await cgroup.work(self, ms(200));
    expect(self.clock.now() - from).toBe(ms(350));
    expect(cgroup.stats().throttledPeriods).toBe(3);
    expect(cgroup.stats().cpuNanos).toBe(250_000_000);
  }));

test('what a program uses all the time is cut at the limit, and at what the node has, by weight', () =>
  bench(async ({ self, group }) => {
    const limited = group({ limit: 1000 }, 2000);
    await self.clock.sleep(seconds(20));
    expect(limited.stats()).toMatchObject({ cpuNanos: 20_000_000_000, cpuNanoCores: 1_000_000_000 });
    limited.setCpu(0);
    const much = group({ request: 1000 }, 4000);
    const little = group({ request: 500 }, 4000);
    expect([much.cpuMilli, little.cpuMilli]).toEqual([2666, 1333]);
    much.close();
    expect(little.cpuMilli).toBe(4000);
  }));

test('an unlimited hog slows a request down on a full node', () =>
  bench(async ({ self, group }) => {
    group({ request: 1000 }, 1000);
    const server = group({ request: 1000 });
    await server.work(self, ms(50));
    expect(self.clock.now()).toBe(ms(100));
  }, 1000));

test('a limit is raised while work waits', () =>
  bench(async ({ self, group }) => {
    const cgroup = group({ limit: 100 });
    self.clock.after(ms(100), () => cgroup.setLimits({ cpu: { limit: 2000 } }));
    await cgroup.work(self, ms(60));
    // 10 ms in the first period, the rest at full speed.
    expect(self.clock.now()).toBe(ms(150));
  }));

test('charged work says when it is over the limit', () =>
  bench(async ({ self, group }) => {
    const cgroup = group({ limit: 100 });
    expect([cgroup.charge(ms(5)), cgroup.charge(ms(5)), cgroup.charge(ms(5))]).toEqual([0, 0, ms(50)]);
    expect(group().charge(seconds(5))).toBe(0);
    void self;
  }));
