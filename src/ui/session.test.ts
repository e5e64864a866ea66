import { expect, test } from 'vitest';
import type { Crash, World } from '../hosts/connect.ts';
import type { Session } from '../hosts/protocol.ts';
import { BOOT_FACTOR, createSession, type SessionEvent, type SessionState, speedOf, speedText } from './session.ts';

const session: Session = { build: 'test', seed: 1, topology: 'three-nodes', inputs: [] };
const crash: Crash = { type: 'crashed', message: 'boom', stack: '', at: 0, events: 1, session };

/** What the world was told, in order. */
function start(...events: SessionEvent[]) {
  const told: string[] = [];
  const world = {
    boot: (_, factor) => told.push(`boot ${factor}`),
    setSpeed: (factor, skipIdle) => told.push(`speed ${factor}${skipIdle ? ' skipping' : ''}`),
    step: (what) => told.push(`step ${what}`),
  } as Pick<World, 'boot' | 'setSpeed' | 'step'> as World;
  const control = createSession({ world, session });
  control.start();
  for (const event of events) control.send(event);
  return { control, told, now: control.getSnapshot() };
}

const running: SessionEvent[] = [{ type: 'ready' }, { type: 'up' }];
const paused: SessionEvent[] = [...running, { type: 'pause' }];

test.each<[string, SessionEvent[], SessionState, string[]]>([
  ['boots when started', [], 'booting', []],
  ['runs once ready', [{ type: 'ready' }], 'running', [`speed ${BOOT_FACTOR}`]],
  ['slows down when up', running, 'running', [`speed ${BOOT_FACTOR}`, 'speed 1']],
  ['is up only once', [...running, { type: 'up' }], 'running', [`speed ${BOOT_FACTOR}`, 'speed 1']],
  ['takes a chosen speed over its hurry', [{ type: 'speed', factor: 5 }, ...running], 'running', ['speed 5', 'speed 5']],
  ['pauses', paused, 'paused', [`speed ${BOOT_FACTOR}`, 'speed 1', 'speed 0']],
  [
    'plays on at a speed chosen meanwhile',
    [...paused, { type: 'speed', factor: 2 }, { type: 'toggle' }],
    'running',
    [`speed ${BOOT_FACTOR}`, 'speed 1', 'speed 0', 'speed 2'],
  ],
  ['a step pauses', [...running, { type: 'step', what: 'fact' }], 'paused', [`speed ${BOOT_FACTOR}`, 'speed 1', 'step fact', 'speed 0']],
  [
    'a step when paused is no more than that',
    [...paused, { type: 'step', what: 'event' }],
    'paused',
    [`speed ${BOOT_FACTOR}`, 'speed 1', 'speed 0', 'step event'],
  ],
  ['skips idle time', [...running, { type: 'skip idle', on: true }], 'running', [`speed ${BOOT_FACTOR}`, 'speed 1', 'speed 1 skipping']],
  ['keeps the wish to skip for later', [{ type: 'skip idle', on: true }, { type: 'ready' }], 'running', [`speed ${BOOT_FACTOR} skipping`]],
  ['crashes from anywhere', [{ type: 'crashed', crash }, { type: 'play' }], 'crashed', []],
  [
    'boots anew after a crash, in a hurry again',
    [...running, { type: 'crashed', crash }, { type: 'restart' }],
    'booting',
    [`speed ${BOOT_FACTOR}`, 'speed 1', `boot ${BOOT_FACTOR}`],
  ],
  ['what is lost stays lost', [{ type: 'lost', message: 'gone' }, { type: 'restart' }, { type: 'ready' }], 'lost', []],
])('%s', (_, events, value, expected) => {
  const { told, now } = start(...events);
  expect(now.value).toBe(value);
  expect(told).toEqual([`boot ${BOOT_FACTOR}`, ...expected]);
});

test('keeps what a crash and a loss said', () => {
  expect(start({ type: 'crashed', crash }).now.context.crash).toBe(crash);
  expect(start({ type: 'lost', message: 'gone' }).now.context.lost).toBe('gone');
});

test('tells who listens of every change and of nothing else', () => {
  const { control } = start(...running);
  const seen: SessionState[] = [];
  const stop = control.subscribe(() => seen.push(control.getSnapshot().value));
  const before = control.getSnapshot();
  control.send({ type: 'play' });
  expect(control.getSnapshot()).toBe(before);
  expect(before.can({ type: 'play' })).toBe(false);
  expect(before.can({ type: 'pause' })).toBe(true);
  control.send({ type: 'pause' });
  stop();
  control.send({ type: 'play' });
  expect(seen).toEqual(['paused']);
});

test('speeds', () => {
  expect(speedOf(start().now.context)).toBe(BOOT_FACTOR);
  expect([0.01, 0.5, 1, 2.5, 30].map(speedText)).toEqual(['1/100×', '1/2×', '1×', '2.5×', '30×']);
});
