/** Whatever is sent, the API server answers for the sender's mistakes with a 4xx, never with a failure of its own. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ms } from '../../sim/clock.ts';
import type { Json } from '../api/json.ts';
import { SAMPLES, type Sample } from './samples.test-support.ts';
import { type TestServer, withApiServer } from './testing.test-support.ts';

type Container = Json[] | { [key: string]: Json };
interface Mutation {
  /** Which of the places in the object, modulo their number. */
  readonly place: number;
  /** Undefined deletes. */
  readonly value: Json | undefined;
}

const LONG = 'x'.repeat(70_000);
const values: fc.Arbitrary<Json | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: fc.constant(null) },
  {
    weight: 12,
    arbitrary: fc.constantFrom<Json>(
      '',
      [],
      {},
      0,
      -1,
      1.5,
      true,
      false,
      'a',
      'A b/c',
      '/',
      '-',
      '..',
      '1Gi',
      '-5%',
      '200%',
      'None',
      [null],
      [{}],
      [''],
      [[]],
      { '': '' },
      { a: null },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Json>(
      2 ** 31,
      -(2 ** 31),
      2 ** 53,
      1e308,
      99_999,
      LONG,
      '9'.repeat(400),
      '1e400',
      Array.from({ length: 200 }, (_, i) => `v${i}`),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Json>('__proto__', 'constructor', 'toString', { constructor: { x: 1 } }, JSON.parse('{"__proto__": {"x": 1}}') as Json),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json> },
);
const mutations = fc.array(fc.record({ place: fc.nat(10_000), value: values }), { minLength: 1, maxLength: 3 });

/** Every place of an object: what holds it, and under which key. */
function places(value: Json, found: [Container, string | number][] = []): [Container, string | number][] {
  if (typeof value !== 'object' || value === null) return found;
  const container = value as Container;
  for (const key of Object.keys(container)) {
    found.push([container, Array.isArray(container) ? Number(key) : key]);
    places((container as { [key: string]: Json })[key]!, found);
  }
  return found;
}

function mutate(sample: Sample, name: string, changes: readonly Mutation[]): Json {
  const copy = JSON.parse(JSON.stringify(sample.object)) as { [key: string]: Json };
  copy['metadata'] = { ...(copy['metadata'] as object), name };
  for (const change of changes) {
    const { place } = change;
    const value = change.value === undefined ? undefined : (JSON.parse(JSON.stringify(change.value)) as Json);
    const all = places(copy);
    if (all.length === 0) return copy;
    const [container, key] = all[place % all.length]!;
    if (value === undefined && !Array.isArray(container)) delete container[key];
    else if (value === undefined) (container as Json[]).splice(Number(key), 1);
    else (container as { [key: string]: Json })[key] = value;
  }
  return copy;
}

/** A server with what pods need. */
const withServer = (story: (server: TestServer) => Promise<void>) =>
  withApiServer(async (server) => {
    await server.post('/api/v1/namespaces/default/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
    await server.sleep(ms(100));
    await story(server);
  });

async function alive(server: TestServer): Promise<boolean> {
  const { status, body } = await server.get('/api/v1/namespaces/default');
  return status === 200 && body.metadata.name === 'default';
}

test('the samples themselves are accepted', async () => {
  await withServer(async (server) => {
    for (const { path, object } of SAMPLES) {
      const { status, body } = await server.post(path, object);
      expect(status === 201 ? '' : `${path}: ${body.message}`).toBe('');
    }
  });
});

test('a Pod whose volume has no name', async () => {
  await withServer(async (server) => {
    const spec = { containers: [{ name: 'c', image: 'x' }], volumes: [{ emptyDir: {} }] };
    const { status, body } = await server.post('/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec });
    expect([status, body.message]).toEqual([422, 'Pod "p" is invalid: spec.volumes[0].name: Required value']);
  });
});

test('every field of every sample deleted, null, of another type; no answer is a 500', async () => {
  const failures = new Set<string>();
  let answers = 0;
  await withServer(async (server) => {
    for (const sample of SAMPLES) {
      const count = places(sample.object as Json).length;
      for (let place = 0; place < count; place++) {
        for (const value of [undefined, null, 0]) {
          const { status, body } = await server.post(`${sample.path}?dryRun=All`, mutate(sample, 'one', [{ place, value }]));
          answers++;
          if (status >= 500) failures.add(`${sample.path} place ${place} ${JSON.stringify(value)}: ${body.message}`);
        }
      }
    }
  });
  expect([...failures]).toEqual([]);
  expect(answers).toBeGreaterThan(2500);
});

test('objects with broken fields: created, put, patched, dry-run; no answer is a 500', async () => {
  const failures = new Map<string, string>();
  let answers = 0;
  await withServer(async (server) => {
    const tell = (what: string, sent: Json, { status, body }: { status: number; body: { message?: string } }) => {
      answers++;
      if (status < 500) return;
      const text = JSON.stringify(sent).replaceAll(LONG, 'LONG');
      const message = `${what.replace(/[^/]+$/, '')} ${status} ${body.message}`;
      if (text.length < (failures.get(message)?.length ?? Number.POSITIVE_INFINITY)) failures.set(message, text);
    };
    for (const { path, object } of SAMPLES) await server.post(path, object);
    const runs = Number(process.env['FUZZ_RUNS'] ?? 1500);
    const cases = fc.sample(fc.tuple(fc.nat(SAMPLES.length - 1), mutations), { numRuns: runs, seed: Number(process.env['FUZZ_SEED'] ?? 1) });
    for (const [i, [index, changes]] of cases.entries()) {
      const sample = SAMPLES[index]!;
      const existing = (sample.object['metadata'] as { name: string }).name;
      const own = `fuzz-${i}`;
      const fresh = mutate(sample, own, changes);
      tell(`POST ${sample.path}`, fresh, await server.post(i % 2 === 0 ? sample.path : `${sample.path}?dryRun=All`, fresh));
      const url = `${sample.path}/${existing}`;
      const changed = mutate(sample, existing, changes);
      if (i % 3 === 0) tell(`PUT ${url}`, changed, await server.put(url, changed));
      else tell(`PATCH ${url}`, changed, await server.patch(url, changed, i % 3 === 1 ? 'merge' : 'strategic'));
      if (i % 100 === 0) expect(await alive(server)).toBe(true);
    }
    expect(await alive(server)).toBe(true);
    for (const { path } of SAMPLES) expect((await server.get(path)).status).toBe(200);
  });
  expect([...failures].map(([message, sent]) => `${message}\n  ${sent.slice(0, 600)}`)).toEqual([]);
  expect(answers).toBeGreaterThan(1000);
});
