import { expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import { testHost } from '../../sim/test-host.ts';
import { throttled } from './throttle.ts';

test.each([
  ['burst, then one every 50 ms', { qps: 20, burst: 30 }, 60, 1.5],
  ['no limit', { qps: -1, burst: 0 }, 60, 0],
  ['defaults of client-go', { qps: 0, burst: 0 }, 20, 2],
])('%s', async (_, limits, count, last) => {
  const loop = new Loop({ seed: 1, host: testHost });
  const times: number[] = [];
  loop.spawn('client', async (self) => {
    const handler = throttled(async () => ({ status: 200, headers: {}, body: times.push(self.clock.now()) }), self, limits);
    await Promise.all(Array.from({ length: count }, () => handler({ method: 'GET', path: '/', query: {}, headers: {} })));
  });
  await loop.run(seconds(60));
  expect(times.length).toBe(count);
  expect(times.at(-1)).toBe(seconds(last));
  expect([...times].sort((a, b) => a - b)).toEqual(times);
});
