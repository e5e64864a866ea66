/**
 * What a fault must look like. Faults are typed by people (`#fault {…}` in the command palette and in `npm run shell`), so their
 * shape is looked at before anything is done: a fault that names nothing must not become half of one.
 */
import type { Fault } from '../hosts/protocol.ts';

/** What a field holds; `text?` may be left out. */
type Holds = 'text' | 'text?' | 'yes or no' | 'yes or no?' | 'microseconds' | 'percent' | 'permille' | 'number' | 'groups of machines';

/** Every kind of fault and its fields. */
const SHAPES: { readonly [K in Fault['kind']]: Readonly<Record<string, Holds>> } = {
  'node-power': { node: 'text', on: 'yes or no' },
  partition: { groups: 'groups of machines' },
  heal: {},
  latency: { from: 'text', to: 'text', micros: 'microseconds' },
  cut: { from: 'text', to: 'text' },
  mend: { from: 'text', to: 'text' },
  loss: { from: 'text', to: 'text', percent: 'percent' },
  duplicate: { from: 'text', to: 'text', percent: 'percent' },
  reorder: { from: 'text', to: 'text', micros: 'microseconds' },
  'raft-drop': { id: 'number' },
  'raft-delay': { id: 'number', micros: 'microseconds' },
  'raft-timeout': { member: 'text' },
  pause: { process: 'text', on: 'yes or no' },
  disk: { machine: 'text', micros: 'microseconds' },
  'disk-full': { machine: 'text', on: 'yes or no' },
  'etcd-timing': { preset: 'text' },
  clock: { machine: 'text', permille: 'permille' },
  kill: { process: 'text', hold: 'yes or no?' },
  start: { process: 'text' },
  'pause-loop': { loop: 'text', on: 'yes or no' },
  'step-loop': { loop: 'text', key: 'text?' },
  'add-etcd': { machine: 'text' },
  'crash-simulator': {},
};

const isNames = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === 'string');
const FITS: Readonly<Record<Holds, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  'text?': (value) => value === undefined || typeof value === 'string',
  'yes or no': (value) => typeof value === 'boolean',
  'yes or no?': (value) => value === undefined || typeof value === 'boolean',
  microseconds: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  percent: (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 100,
  permille: (value) => Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= 1_000_000,
  number: (value) => Number.isSafeInteger(value),
  'groups of machines': (value) => Array.isArray(value) && value.every(isNames),
};
const SAID: Readonly<Record<Holds, string>> = {
  text: 'a text',
  'text?': 'a text',
  'yes or no': 'true or false',
  'yes or no?': 'true or false',
  microseconds: 'a whole number of microseconds, not below 0',
  percent: 'a whole number from 0 to 100',
  permille: 'a whole number of thousandths, from 1 to 1000000',
  number: 'a whole number',
  'groups of machines': 'a list of lists of machine names',
};

/** Throws RangeError, saying what is wrong, unless the value is a fault. Whether what it names exists is seen when it is carried out. */
export function checkFault(value: unknown): asserts value is Fault {
  const fault = value as Readonly<Record<string, unknown>> | null;
  const kind = typeof fault === 'object' && fault !== null ? fault['kind'] : undefined;
  if (typeof kind !== 'string' || !Object.hasOwn(SHAPES, kind))
    throw new RangeError(`there is no fault ${JSON.stringify(kind ?? value)}; there are ${Object.keys(SHAPES).join(', ')}`);
  const shape = SHAPES[kind as Fault['kind']];
  for (const [field, holds] of Object.entries(shape))
    if (!FITS[holds](fault![field])) throw new RangeError(`the fault ${kind} needs "${field}", ${SAID[holds]}`);
}
