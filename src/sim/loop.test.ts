import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inSeconds, ms, seconds } from './clock.ts';
import { Loop } from './loop.ts';
import { defer, Mailbox } from './mailbox.ts';
import { forever, whenRunning } from './process.ts';
import { createRng } from './rng.ts';
import { drainedHost, quietHost, testHost } from './test-host.ts';
import { Timers } from './timers.ts';

test('timers fire in order of instant, then of being set, whatever is cancelled between', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ at: fc.nat(20), cancel: fc.boolean() }), { maxLength: 200 }), (plan) => {
      const timers = new Timers();
      const made = plan.map(({ at }, seq) => {
        const timer = { at, seq, fire: () => {}, cause: 0, owner: undefined };
        timers.push(timer);
        return timer;
      });
      plan.forEach(({ cancel }, i) => {
        if (cancel) timers.cancel(made[i]!);
      });
      const expected = made.filter((_, i) => !plan[i]!.cancel).sort((a, b) => a.at - b.at || a.seq - b.seq);
      const popped = [];
      for (let timer = timers.pop(); timer; timer = timers.pop()) popped.push(timer);
      expect(popped).toEqual(expected);
    }),
  );
});

test('a sleeper wakes at its instant, and the clock jumps there', async () => {
  const loop = new Loop({ seed: 1, host: testHost });
  const log: [number, string][] = [];
  loop.spawn('a', async (self) => {
    await self.clock.sleep(seconds(2));
    log.push([self.clock.now(), 'a']);
    await self.clock.sleep(seconds(1));
    log.push([self.clock.now(), 'a']);
  });
  loop.spawn('b', async (self) => {
    await self.clock.sleep(ms(2500));
    log.push([self.clock.now(), 'b']);
  });
  await loop.run(seconds(10));
  expect(log).toEqual([
    [seconds(2), 'a'],
    [ms(2500), 'b'],
    [seconds(3), 'a'],
  ]);
  expect(loop.now).toBe(seconds(10));
});

test('a crash is silence: timers, sleeps and children of a killed process never come back', async () => {
  const loop = new Loop({ seed: 1, host: testHost });
  const log: string[] = [];
  const parent = loop.spawn('parent', async (self) => {
    self.spawn('child', async (child) => {
      for (;;) {
        await child.clock.sleep(seconds(1));
        log.push(`child at ${child.clock.now() / seconds(1)}`);
      }
    });
    try {
      await self.clock.sleep(seconds(100));
    } finally {
      log.push('clean-up must not run');
    }
  });
  const exits: string[] = [];
  parent.onExit((exit) => exits.push(exit.how));
  await loop.run(ms(2500));
  await loop.input(() => parent.kill());
  await loop.run(seconds(200));
  expect(log).toEqual(['child at 1', 'child at 2']);
  expect(exits).toEqual(['killed']);
});

test('an uncaught error crashes its own process only, and is a fact', async () => {
  const loop = new Loop({ seed: 1, host: testHost });
  let reached = false;
  loop.spawn('bad', async () => {
    throw new Error('boom');
  });
  loop.spawn('good', async (self) => {
    await self.clock.sleep(seconds(1));
    reached = true;
  });
  await loop.run(seconds(2));
  expect(reached).toBe(true);
  expect(loop.trace.since(0, (f) => f.type === 'process.crash').map((f) => f.data.error)).toEqual(['boom']);
});

test('causes lead from an effect back to its root across processes and queues', async () => {
  const loop = new Loop({ seed: 1, host: testHost });
  loop.spawn('user', async (user) => {
    const box = new Mailbox<{ cause: number }>(user.clock);
    user.spawn('worker', async (worker) => {
      for (;;) {
        const item = await box.take();
        worker.trace.because(item.cause);
        await worker.clock.sleep(seconds(5));
        worker.trace.emit('work.done', 'job');
      }
    });
    await user.clock.sleep(seconds(1));
    user.trace.emit('user.asks', 'first');
    box.put({ cause: user.trace.current() });
    user.trace.because(0);
    user.trace.emit('user.asks', 'second');
    box.put({ cause: user.trace.current() });
    await forever();
  });
  await loop.run(seconds(60));
  const done = loop.trace.since(0, (f) => f.type === 'work.done');
  expect(done.map((fact) => loop.trace.chain(fact.id).at(-1)!.about)).toEqual(['first', 'second']);
});

/** A little world with everything in it: processes that talk, sleep by luck, die and are replaced. */
async function story(seed: number, host: typeof testHost, pieces: readonly number[] = []): Promise<{ hash: string; late: number }> {
  const loop = new Loop({ seed, host, sliceMs: 0 });
  const box = new Mailbox<number>({ wake: () => loop.wake() });
  for (let i = 0; i < 10; i++) {
    loop.spawn(`talker-${i}`, async (self) => {
      for (;;) {
        await self.clock.sleep(ms(self.rng.between(1, 500)));
        const answered = defer<void>(self.clock);
        self.clock.after(ms(self.rng.between(1, 5)), () => answered.resolve());
        await answered.promise;
        box.put(self.rng.between(0, 100));
      }
    });
  }
  loop.spawn('listener', async (self) => {
    for (;;) {
      const n = await box.take();
      self.trace.emit('heard', String(n));
      loop.mixInt(n);
      if (n === 7) await self.clock.sleep(seconds(1));
    }
  });
  for (const piece of pieces) await loop.run(piece);
  await loop.run(seconds(30));
  return { hash: loop.hash(), late: loop.lateTouches };
}

test('one seed, one world: however it is settled, sliced or paused; another seed, another world', async () => {
  const exact = await story(42, testHost);
  const quiet = await story(42, quietHost);
  const drained = await story(42, drainedHost);
  const paused = await story(42, quietHost, [123, 5_000_001, 5_000_002, 17_777_777]);
  expect(quiet).toEqual(exact);
  expect(drained).toEqual(exact);
  expect(paused).toEqual(exact);
  expect(exact.late).toBe(0);
  expect((await story(43, testHost)).hash).not.toBe(exact.hash);
});

test('work outside holds the clock until it lets go', async () => {
  const loop = new Loop({ seed: 1, host: testHost });
  const seen: number[] = [];
  loop.spawn('p', async (self) => {
    const letGo = loop.hold();
    setTimeout(() => {
      seen.push(self.clock.now());
      letGo();
    }, 5);
    self.clock.after(seconds(1), () => seen.push(self.clock.now()));
    await forever();
  });
  await loop.run(seconds(2));
  expect(seen).toEqual([0, seconds(1)]);
});

test('several things outside end in the order they began, however long each takes', async () => {
  const loop = new Loop({ seed: 1, host: quietHost });
  const log: string[] = [];
  const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  for (const [name, ms] of [
    ['slow', 20],
    ['quick', 1],
  ] as const) {
    loop.spawn(name, async (self) => {
      await self.outside(later(ms));
      log.push(`${name} at ${self.clock.now()}`);
    });
  }
  await loop.run(seconds(1));
  expect(log).toEqual(['slow at 0', 'quick at 0']);
});

test('luck is even, and a newcomer does not shift it', () => {
  const rng = createRng(7).fork('kubelet@node-1');
  const before = [rng.between(0, 1000), rng.between(0, 1000)];
  const root = createRng(7);
  root.fork('newcomer').between(0, 10);
  const again = root.fork('kubelet@node-1');
  expect([again.between(0, 1000), again.between(0, 1000)]).toEqual(before);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[rng.between(0, 10)]!++;
  for (const count of counts) expect(count).toBeGreaterThan(9_500);
});

describe('a paused process', () => {
  test('stands still with its children; what came due fires in order when it goes on, and what was cancelled does not', async () => {
    const loop = new Loop({ seed: 1, host: testHost });
    const told: string[] = [];
    let cancel = (): void => {};
    const parent = loop.spawn('parent', async (self) => {
      self.clock.after(seconds(2), () => told.push(`two at ${inSeconds(self.clock.now())}`));
      cancel = self.clock.after(seconds(3), () => told.push('cancelled'));
      self.spawn('child', async (child) => {
        await child.clock.sleep(seconds(1));
        told.push(`one at ${inSeconds(child.clock.now())}`);
        await child.clock.sleep(seconds(1));
        told.push(`two more at ${inSeconds(child.clock.now())}`);
        await forever();
      });
      self.clock.after(seconds(9), () => told.push(`nine at ${inSeconds(self.clock.now())}`));
      await forever();
    });
    await loop.run(ms(500));
    await loop.input(() => parent.pause());
    await loop.run(seconds(5));
    expect([told, parent.alive, parent.paused]).toEqual([[], true, true]);
    await loop.input(() => {
      whenRunning(parent, () => told.push('message'));
      cancel();
    });
    await loop.run(seconds(6));
    await loop.input(() => parent.resume());
    await loop.run(seconds(20));
    expect(told).toEqual(['two at 6', 'message', 'one at 6', 'two more at 7', 'nine at 9']);
    expect(loop.pending).toBe(0);
    expect(loop.lateTouches).toBe(0);
  });

  test('can be killed', async () => {
    const loop = new Loop({ seed: 1, host: testHost });
    const told: string[] = [];
    const process = loop.spawn('one', async (self) => {
      await self.clock.sleep(seconds(1));
      told.push('late');
    });
    await loop.run(ms(1));
    await loop.input(() => process.pause());
    await loop.run(seconds(2));
    await loop.input(() => process.kill());
    await loop.run(seconds(3));
    expect([told, process.alive, loop.pending]).toEqual([[], false, 0]);
  });
});

test('a clock that runs too fast is early by the world’s, and on time by its own', async () => {
  const loop = new Loop({ seed: 1, host: testHost });
  const told: (readonly [own: number, world: number])[] = [];
  const process = loop.spawn('one', async (self) => {
    for (;;) {
      await self.clock.sleep(seconds(3));
      told.push([self.clock.now(), loop.now]);
    }
  });
  await loop.run(seconds(3));
  await loop.input(() => process.setClockRate(1500));
  await loop.run(seconds(8));
  await loop.input(() => process.setClockRate(500));
  await loop.run(seconds(17));
  expect(told.map((each) => each.map(inSeconds))).toEqual([
    [3, 3],
    // Set before the change.
    [7.5, 6],
    [10.5, 8],
    // Set before it became slow, and after.
    [11.5, 10],
    [14.5, 16],
  ]);
});

test('inputs act in the order they are given, though somebody outside holds the clock and a run ends between them', async () => {
  const loop = new Loop({ seed: 1, host: quietHost });
  const later = () => new Promise<void>((resolve) => setImmediate(resolve));
  const log: string[] = [];
  const done: Promise<void>[] = [];
  /** Each holds the clock for a while of real time, as what is imported when first needed does. */
  const give = (name: string) =>
    done.push(
      loop.input(() => {
        log.push(name);
        void loop.outside(later().then(later));
      }),
    );
  loop.spawn('busy', async (self) => {
    for (;;) await self.clock.sleep(ms(1));
  });
  const running = loop.run(seconds(1), { maxEvents: 3 });
  for (const name of 'abc') give(name);
  await later();
  for (const name of 'def') {
    give(name);
    await later();
  }
  await running;
  for (const name of 'ghi') {
    give(name);
    await later();
  }
  const again = loop.run(seconds(1));
  give('j');
  await Promise.all([...done, again]);
  expect(log.join('')).toBe('abcdefghij');
  expect(loop.now).toBe(seconds(1));
});
