/**
 * Random histories of appliers and updaters against a slow model that knows nothing of shapes, trees or merging: an object is
 * a bag of paths with values, and a path has owners.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRng, type Rng } from '../../../sim/rng.ts';
import type { Json } from '../../api/json.ts';
import { equalSets, fromFieldsV1, intersection, paths, pathText, toFieldsV1 } from './fields-v1.ts';
import { EMPTY, type PathSet, union } from './path-set.ts';
import { shapeOfCustom } from './shapes.ts';
import { fieldSet } from './typed.ts';
import { apply, Conflicts, type Owner, ownerId, update } from './updater.ts';

const text = { type: 'string' };
const shape = shapeOfCustom({
  type: 'object',
  properties: {
    n: { type: 'integer' },
    labels: { type: 'object', additionalProperties: text },
    whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: text },
    args: { type: 'array', items: text },
    tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    items: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: text, x: text, y: text } },
    },
  },
});

interface Thing {
  n?: number;
  labels?: Record<string, string>;
  whole?: Record<string, string>;
  args?: string[];
  tags?: string[];
  items?: { name: string; x?: string; y?: string }[];
}
type Flat = Map<string, string>;

function flat(thing: Thing): Flat {
  const out: Flat = new Map();
  if (thing.n !== undefined) out.set('.n', String(thing.n));
  for (const [key, value] of Object.entries(thing.labels ?? {})) out.set(`.labels.${key}`, value);
  if (thing.whole) out.set('.whole', JSON.stringify(Object.entries(thing.whole).sort()));
  if (thing.args) out.set('.args', JSON.stringify(thing.args));
  for (const tag of thing.tags ?? []) out.set(`.tags[="${tag}"]`, tag);
  for (const item of thing.items ?? []) {
    const at = `.items[name="${item.name}"]`;
    out.set(at, '');
    for (const [key, value] of Object.entries(item)) out.set(`${at}.${key}`, value as string);
  }
  return out;
}
/** Maps and lists themselves the model does not count. */
const CONTAINERS = new Set(['.labels', '.tags', '.items', '.whole.', '.apiVersion', '.kind']);
const texts = (set: PathSet): Set<string> =>
  new Set(
    paths(set)
      .map(pathText)
      .filter((path) => !CONTAINERS.has(path)),
  );

class Model {
  object: Flat = new Map();
  owners = new Map<string, Set<string>>();

  write(manager: string, next: Flat, claims: Set<string> | undefined): void {
    const taken = [...next].filter(([path, value]) => this.object.get(path) !== value).map(([path]) => path);
    for (const [other, owned] of this.owners) {
      if (other !== manager) for (const path of taken) owned.delete(path);
      for (const path of [...owned]) if (!next.has(path) && this.object.has(path)) owned.delete(path);
    }
    const mine = claims ?? new Set([...(this.owners.get(manager) ?? []), ...taken]);
    this.owners.set(manager, mine);
    for (const [other, owned] of [...this.owners]) if (owned.size === 0) this.owners.delete(other);
    this.object = next;
  }

  /** Conflicting paths, by owner; nothing is done if there are any and it is not forced. */
  apply(manager: string, config: Flat, force: boolean): string[] {
    const next: Flat = new Map([...this.object, ...config]);
    const others = [...this.owners].filter(([other]) => other !== manager);
    for (const path of this.owners.get(manager) ?? []) {
      if (config.has(path) || others.some(([, owned]) => owned.has(path))) continue;
      for (const known of [...next.keys()]) if (known === path || (path.endsWith(']') && known.startsWith(`${path}.`))) next.delete(known);
    }
    const conflicts = others.flatMap(([, owned]) => [...owned].filter((path) => next.has(path) && next.get(path) !== this.object.get(path)));
    if (conflicts.length > 0 && !force) return conflicts.sort();
    this.write(manager, next, new Set([...config.keys()]));
    return [];
  }
}

const pick = <T>(rng: Rng, list: readonly T[]): T => list[rng.between(0, list.length)]!;
const chance = (rng: Rng): boolean => rng.between(0, 2) === 0;
const VALUES = ['1', '2', '3'];

function thing(rng: Rng): Thing {
  const map = (keys: string[]) => Object.fromEntries(keys.filter(() => chance(rng)).map((key) => [key, pick(rng, VALUES)]));
  const labels = map(['a', 'b', 'c']);
  const tags = ['p', 'q', 'r'].filter(() => chance(rng));
  const items = ['i', 'j', 'k'].filter(() => chance(rng)).map((name) => ({ name, ...map(['x', 'y']) }));
  return {
    ...(chance(rng) ? { n: rng.between(0, 3) } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(chance(rng) ? { whole: { a: pick(rng, VALUES) } } : {}),
    ...(chance(rng) ? { args: [pick(rng, VALUES)] } : {}),
    ...(tags.length > 0 ? { tags } : {}),
    ...(items.length > 0 ? { items } : {}),
  };
}

const writer = (manager: string, operation: 'Apply' | 'Update') => ({ manager, operation, apiVersion: 'v1', subresource: '', time: 't' });

function history(seed: number, steps: number): void {
  const rng = createRng(seed);
  const model = new Model();
  let object: Json = {};
  let owners = new Map<string, Owner>();
  for (let step = 0; step < steps; step++) {
    const manager = pick(rng, ['a', 'b', 'c']);
    const wanted = thing(rng);
    if (chance(rng)) {
      const id = ownerId(writer(`u${manager}`, 'Update'));
      model.write(id, flat(wanted), undefined);
      owners = update(shape, object, wanted as Json, owners, writer(`u${manager}`, 'Update'), EMPTY).owners;
      object = wanted as Json;
    } else {
      const force = chance(rng);
      const id = ownerId(writer(manager, 'Apply'));
      const conflicts = model.apply(id, flat(wanted), force);
      try {
        const done = apply(shape, object, wanted as Json, owners, writer(manager, 'Apply'), EMPTY, force);
        expect(conflicts).toEqual([]);
        object = done.object ?? object;
        owners = done.owners;
        const again = apply(shape, object, wanted as Json, owners, writer(manager, 'Apply'), EMPTY, false);
        expect(again.object).toBeUndefined();
        expect(again.owners.size).toBe(owners.size);
      } catch (error) {
        if (!(error instanceof Conflicts)) throw error;
        expect(
          error.list
            .map(({ path }) => pathText(path))
            .filter((path) => !CONTAINERS.has(path))
            .sort(),
        ).toEqual(conflicts);
      }
    }
    expect([...flat((object ?? {}) as Thing)].sort()).toEqual([...model.object].sort());
    const found = new Map([...owners].map(([id, { set }]) => [id, texts(set)] as const).filter(([, set]) => set.size > 0));
    expect([...found].map(([id, set]) => [id, [...set].sort()]).sort()).toEqual([...model.owners].map(([id, set]) => [id, [...set].sort()]).sort());
  }
}

describe('histories', () => {
  it.each(Array.from({ length: 150 }, (_, seed) => seed + 1))('seed %i', (seed) => history(seed, 25));
});

describe('properties', () => {
  const things = fc.integer({ min: 1, max: 1_000_000 }).map((seed) => thing(createRng(seed)));

  it('an applied configuration is there, and owned', () => {
    fc.assert(
      fc.property(things, things, (live, config) => {
        const { object, owners } = apply(shape, live as Json, config as Json, new Map(), writer('me', 'Apply'), EMPTY, false);
        const after = flat((object ?? live) as Thing);
        for (const [path, value] of flat(config)) expect(after.get(path)).toBe(value);
        const owned = [...owners.values()].reduce((all, { set }) => union(all, set), EMPTY);
        const set = fieldSet(shape, config as Json);
        expect(equalSets(intersection(owned, set), set)).toBe(true);
      }),
    );
  });

  it('sets survive the wire', () => {
    fc.assert(
      fc.property(things, (value) => {
        const set = fieldSet(shape, value as Json);
        expect(equalSets(fromFieldsV1(JSON.parse(JSON.stringify(toFieldsV1(set)))), set)).toBe(true);
      }),
    );
  });
});
