/** Faults that are none are refused, and the world goes on; the one that breaks the simulator itself breaks it, in every replay at the same event. */
import { expect, test } from 'vitest';
import { Headless } from '../hosts/node.ts';
import type { Fault } from '../hosts/protocol.ts';
import { seconds } from '../sim/clock.ts';
import { checkFault } from './fault-shape.ts';

test.each<[unknown, string]>([
  [undefined, `there is no fault undefined; there are node-power, `],
  [null, `there is no fault null; there are node-power, `],
  ['kill', `there is no fault "kill"; there are node-power, `],
  [{ kind: 'earthquake' }, `there is no fault "earthquake"; there are node-power, `],
  [{ kind: 'toString' }, `there is no fault "toString"; there are node-power, `],
  [{ kind: 'kill' }, 'the fault kill needs "process", a text'],
  [{ kind: 'kill', process: 'kubelet@node-1', hold: 1 }, 'the fault kill needs "hold", true or false'],
  [{ kind: 'node-power', node: 'node-1', on: 'off' }, 'the fault node-power needs "on", true or false'],
  [{ kind: 'latency', from: 'node-1', to: 'node-2', micros: 0.5 }, 'the fault latency needs "micros", a whole number of microseconds, not below 0'],
  [{ kind: 'partition', groups: ['node-1'] }, 'the fault partition needs "groups", a list of lists of machine names'],
])('%j is no fault', (value, message) => {
  expect(() => checkFault(value)).toThrow(message);
});

test.each<Fault>([
  { kind: 'kill', process: 'kubelet@nowhere' },
  { kind: 'kill', process: 'nothing@node-1' },
  { kind: 'start', process: 'nothing@node-1' },
  { kind: 'node-power', node: 'nowhere', on: false },
  { kind: 'latency', from: 'node-1', to: 'nowhere', micros: 1 },
  { kind: 'partition', groups: [['node-1', 'nowhere']] },
])('%j is refused by name', async (fault) => {
  const headless = Headless.start('single', 1);
  await headless.world.run(seconds(1));
  await expect(headless.world.input({ type: 'fault', fault })).rejects.toThrow(RangeError);
  const before = headless.world.loop.events;
  await headless.world.run(seconds(2));
  expect(headless.world.loop.events).toBeGreaterThan(before);
});

test('the simulator can be crashed on purpose; what is recorded crashes again at the same event', async () => {
  const headless = Headless.start('single', 1);
  await headless.world.run(seconds(5));
  await headless.world.input({ type: 'fault', fault: { kind: 'crash-simulator' } });
  const crash = await headless.world.run(seconds(10)).catch((error: Error) => error.message);
  expect(crash).toBe('the simulator was told to crash, by the fault crash-simulator');
  expect(headless.world.now).toBe(seconds(5));
  const again = new Headless(headless.world.session);
  expect(await again.world.run(seconds(10)).catch((error: Error) => error.message)).toBe(crash);
  expect(again.world.loop.events).toBe(headless.world.loop.events);
  expect(again.world.hash()).toBe(headless.world.hash());
});
