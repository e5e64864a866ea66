/**
 * Ten thousand random patches of the four kinds, each held against a slow and simple implementation of the same rule,
 * written from the rule (RFC 6902, RFC 7386, strategicpatch, structured-merge-diff) and not from ours.
 */
import { expect, test } from 'vitest';
import { createRng, type Rng } from '../../../sim/rng.ts';
import type { Json } from '../../api/json.ts';
import { applyJsonPatch } from '../../api/json-patch.ts';
import type { KubeObject } from '../../api/meta.ts';
import { applyMergePatch, applyStrategicMergePatch, PatchError } from '../../api/patch.ts';
import { ApiError } from '../../api/request.ts';
import { byKind } from '../../api/resources.ts';
import { ownedByApply, ownedByUpdate } from '../managed-fields/field-manager.ts';

const EACH = 2_500;
type Map_ = { [key: string]: Json };
const isMap = (value: unknown): value is Map_ => typeof value === 'object' && value !== null && !Array.isArray(value);
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const pick = <T>(rng: Rng, from: readonly T[]): T => from[rng.between(0, from.length)]!;
const chance = (rng: Rng, percent: number): boolean => rng.between(0, 100) < percent;

function randomJson(rng: Rng, depth: number): Json {
  const kind = rng.between(0, depth > 0 ? 6 : 4);
  if (kind === 0) return rng.between(0, 3);
  if (kind === 1) return pick(rng, ['x', 'y', '']);
  if (kind === 2) return chance(rng, 50);
  if (kind === 3) return null;
  if (kind === 4) return Array.from({ length: rng.between(0, 4) }, () => randomJson(rng, depth - 1));
  return Object.fromEntries(Array.from({ length: rng.between(0, 4) }, () => [pick(rng, ['a', 'b', 'c', 'a/b', 'm~n']), randomJson(rng, depth - 1)]));
}

// --- JSON patch: on a document that is rebuilt along the path, step by step ---------------------------------------

class Refused extends Error {}

function rebuilt(document: Json, keys: readonly string[], change: (holder: Json, key: string) => Json): Json {
  const [first, ...rest] = keys;
  if (first === undefined) throw new Refused();
  if (rest.length === 0) return change(document, first);
  const inner = at(document, [first]);
  if (Array.isArray(document)) return document.map((item, i) => (i === Number(first) ? rebuilt(inner, rest, change) : item));
  return { ...(document as Map_), [first]: rebuilt(inner, rest, change) };
}
function at(document: Json, keys: readonly string[]): Json {
  let value: Json = document;
  for (const key of keys) {
    if (Array.isArray(value) && /^(0|[1-9]\d*)$/.test(key) && Number(key) < value.length) value = value[Number(key)]!;
    else if (isMap(value) && Object.hasOwn(value, key)) value = value[key]!;
    else throw new Refused();
  }
  return value;
}
const keysOf = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

function added(document: Json, path: string, value: Json): Json {
  const keys = keysOf(path);
  if (keys.length === 0) return value;
  return rebuilt(document, keys, (holder, key) => {
    if (Array.isArray(holder)) {
      const index = key === '-' ? holder.length : /^(0|[1-9]\d*)$/.test(key) ? Number(key) : Number.NaN;
      if (!(index <= holder.length)) throw new Refused();
      return [...holder.slice(0, index), value, ...holder.slice(index)];
    }
    if (!isMap(holder)) throw new Refused();
    return { ...holder, [key]: value };
  });
}
function removed(document: Json, path: string): Json {
  const keys = keysOf(path);
  at(document, keys);
  return rebuilt(document, keys, (holder, key) => {
    if (Array.isArray(holder)) return holder.filter((_, i) => i !== Number(key));
    return Object.fromEntries(Object.entries(holder as Map_).filter(([name]) => name !== key));
  });
}
interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: Json;
}
function slowJsonPatch(document: Json, operations: readonly Operation[]): Json {
  const sorted = (value: Json): string =>
    JSON.stringify(value, (_, inner: unknown) => (isMap(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner));
  let out = document;
  for (const { op, path, from = '', value = null } of operations) {
    if (op === 'add') out = added(out, path, value);
    else if (op === 'remove') out = removed(out, path);
    else if (op === 'replace') out = added(removed(out, path), path, value);
    else if (op === 'copy') out = added(out, path, at(out, keysOf(from)));
    else if (op === 'move') {
      const moved = at(out, keysOf(from));
      out = from === path ? out : added(removed(out, from), path, moved);
    } else if (sorted(at(out, keysOf(path))) !== sorted(value)) throw new Refused();
  }
  return out;
}

function randomPath(rng: Rng, document: Json): string {
  let path = '';
  let value = document;
  for (;;) {
    const keys = Array.isArray(value) ? value.map((_, i) => String(i)) : isMap(value) ? Object.keys(value) : [];
    if (path !== '' && (keys.length === 0 || chance(rng, 40))) return path;
    const wild = chance(rng, 12) || keys.length === 0;
    const key = wild ? pick(rng, ['a', 'zz', '-', '0', '3']) : pick(rng, keys);
    path += `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (wild) return path;
    value = Array.isArray(value) ? value[Number(key)]! : (value as Map_)[key]!;
  }
}

test('JSON patches', () => {
  const rng = createRng(1);
  let fitting = 0;
  for (let i = 0; i < EACH; i++) {
    const document: Json = { a: randomJson(rng, 3), b: randomJson(rng, 2), c: [randomJson(rng, 1), 1] };
    const operations: Operation[] = Array.from({ length: rng.between(1, 4) }, () => {
      const op = pick(rng, ['add', 'add', 'remove', 'replace', 'move', 'copy', 'test']);
      const path = randomPath(rng, document);
      if (op === 'remove') return { op, path };
      if (op === 'move' || op === 'copy') return { op, from: randomPath(rng, document), path };
      return { op, path, value: op === 'test' && chance(rng, 60) ? valueAt(document, path) : randomJson(rng, 1) };
    });
    // What moves into itself no two libraries treat alike, and no client sends.
    if (operations.some(({ op, from, path }) => op === 'move' && path.startsWith(`${from}/`))) continue;
    const slow = outcome(() => slowJsonPatch(copy(document), operations));
    expect(
      outcome(() => applyJsonPatch(document, operations as unknown as Json)),
      JSON.stringify({ document, operations }),
    ).toEqual(slow);
    if (slow !== 'refused') fitting++;
  }
  expect(fitting).toBeGreaterThan(EACH / 3);
});
function valueAt(document: Json, path: string): Json {
  try {
    return at(document, keysOf(path));
  } catch {
    return null;
  }
}
function outcome(act: () => Json): Json {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Refused || error instanceof PatchError)) throw error;
    return 'refused';
  }
}

// --- merge patch: as edits of a flat list of leaves ------------------------------------------------------------------

test('merge patches', () => {
  const rng = createRng(2);
  for (let i = 0; i < EACH; i++) {
    const target = randomJson(rng, 3);
    const patch = randomJson(rng, 3);
    expect(applyMergePatch(target, patch), JSON.stringify({ target, patch })).toEqual(slowMerge(target, patch));
  }
});
/** RFC 7386, section 2, on entries instead of members. */
function slowMerge(target: Json, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const entries = new Map(isMap(target) ? Object.entries(target) : []);
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) entries.delete(key);
    else entries.set(key, slowMerge(entries.get(key) ?? null, patch[key]!));
  }
  return Object.fromEntries(entries);
}

// --- strategic merge patch: pods --------------------------------------------------------------------------------------

/** Path without indexes → merge key; `''` for a set. What is not here is replaced. */
const KEYS: Readonly<Record<string, string>> = {
  'metadata.finalizers': '',
  'spec.containers': 'name',
  'spec.containers.env': 'name',
  'spec.containers.ports': 'containerPort',
  'spec.containers.volumeMounts': 'mountPath',
  'spec.imagePullSecrets': 'name',
  'spec.hostAliases': 'ip',
};

function slowStrategic(original: Map_, patch: Map_, path: string): Map_ {
  if (patch['$patch'] === 'replace') return Object.fromEntries(Object.entries(patch).filter(([key]) => key !== '$patch'));
  if (patch['$patch'] === 'delete') return {};
  const retained = patch['$retainKeys'] as string[] | undefined;
  const out: Map_ = Object.fromEntries(Object.entries(original).filter(([key]) => !retained || retained.includes(key)));
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$') && !key.startsWith('$deleteFromPrimitiveList/')) continue;
    const here = `${path}${path ? '.' : ''}${key}`;
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const name = key.slice(25);
      if (out[name]) out[name] = (out[name] as Json[]).filter((item) => !(value as Json[]).includes(item));
    } else if (value === null) delete out[key];
    else if (isMap(value)) out[key] = slowStrategic(isMap(out[key]) ? (out[key] as Map_) : {}, value, here);
    else if (Array.isArray(value)) out[key] = slowList((out[key] as Json[] | undefined) ?? [], value, here);
    else out[key] = value;
  }
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith('$setElementOrder/')) continue;
    const name = key.slice(17);
    const here = `${path}${path ? '.' : ''}${name}`;
    if (out[name]) out[name] = inOrder(out[name] as Json[], order as Json[], (original[name] as Json[] | undefined) ?? [], KEYS[here] ?? '');
  }
  return out;
}
function slowList(original: Json[], patch: Json[], path: string): Json[] {
  const key = KEYS[path];
  const marked = (item: Json): unknown => (isMap(item) ? item['$patch'] : undefined);
  const plain = patch.filter((item) => marked(item) === undefined);
  if (patch.some((item) => marked(item) === 'replace')) return plain;
  if (key === undefined) return patch;
  if (key === '')
    return inOrder(
      [...original, ...patch].filter((item, i, all) => all.indexOf(item) === i),
      patch,
      original,
      '',
    );
  const gone = patch.filter((item) => marked(item) === 'delete').map((item) => (item as Map_)[key]);
  const left = original.filter((item) => !gone.includes((item as Map_)[key]!));
  const merged = left.map((item) => {
    const changes = plain.filter((change) => (change as Map_)[key] === (item as Map_)[key]);
    return changes.reduce((now, change) => slowStrategic(now as Map_, change as Map_, path), item);
  });
  for (const change of plain) {
    const id = (change as Map_)[key];
    const there = merged.findIndex((item) => (item as Map_)[key] === id);
    if (there < 0) merged.push(slowStrategic({}, change as Map_, path));
    else if (!left.some((item) => (item as Map_)[key] === id)) merged[there] = slowStrategic(merged[there] as Map_, change as Map_, path);
  }
  return inOrder(merged, plain, left, key);
}
/** Those that `order` names in its order; before each of them the others that stood before it in `live`. */
function inOrder(list: Json[], order: Json[], live: Json[], key: string): Json[] {
  const id = (item: Json): Json => (key === '' ? item : (item as Map_)[key]!);
  const ids = order.map(id);
  const place = (item: Json): number => live.findIndex((other) => id(other) === id(item));
  const named = list.filter((item) => ids.includes(id(item))).sort((a, b) => ids.indexOf(id(a)) - ids.indexOf(id(b)));
  const others = list.filter((item) => !ids.includes(id(item)));
  const out: Json[] = [];
  for (const item of named) {
    while (others.length > 0 && place(item) >= 0 && place(others[0]!) >= 0 && place(others[0]!) < place(item)) out.push(others.shift()!);
    out.push(item);
  }
  return [...out, ...others];
}

const NAMES = ['a', 'b', 'c', 'd'];
function some<T>(rng: Rng, from: readonly T[]): T[] {
  const left = [...from];
  const out: T[] = [];
  for (let n = rng.between(0, from.length); n > 0; n--) out.push(...left.splice(rng.between(0, left.length), 1));
  return out;
}
const text = (rng: Rng): string => pick(rng, ['1', '2', '3']);
const container = (rng: Rng, name: string): Map_ => ({
  name,
  image: text(rng),
  ...(chance(rng, 60) ? { env: some(rng, NAMES).map((n): Json => ({ name: n, value: text(rng) })) } : {}),
  ...(chance(rng, 40) ? { args: some(rng, NAMES) } : {}),
  ...(chance(rng, 40) ? { ports: some(rng, [80, 81, 82]).map((n): Json => ({ containerPort: n, protocol: 'TCP' })) } : {}),
  ...(chance(rng, 30) ? { volumeMounts: some(rng, ['/a', '/b']).map((n): Json => ({ mountPath: n, name: 'v' })) } : {}),
});
const podOf = (rng: Rng): Map_ => ({
  metadata: { name: 'p', labels: Object.fromEntries(some(rng, NAMES).map((n) => [n, text(rng)])), finalizers: some(rng, ['x/1', 'x/2', 'x/3']) },
  spec: {
    containers: some(rng, NAMES).map((n) => container(rng, n)),
    imagePullSecrets: some(rng, NAMES).map((n): Json => ({ name: n })),
    hostAliases: some(rng, NAMES).map((n): Json => ({ ip: n, hostnames: some(rng, NAMES) })),
    tolerations: some(rng, NAMES).map((n): Json => ({ key: n })),
    securityContext: { runAsUser: 1, fsGroup: 2 },
  },
});
function patchOf(rng: Rng): Map_ {
  const order = (names: readonly string[], key: string): Json[] => names.map((n) => ({ [key]: n }));
  const items = some(rng, NAMES).map((name): Json => {
    if (chance(rng, 20)) return { name, $patch: 'delete' };
    const whole = container(rng, name);
    for (const key of Object.keys(whole)) if (key !== 'name' && chance(rng, 40)) delete whole[key];
    if (chance(rng, 10)) whole['image'] = null;
    return whole;
  });
  if (chance(rng, 6)) items.push({ $patch: 'replace' });
  const kept = items.filter((item) => (item as Map_)['$patch'] === undefined).map((item) => (item as Map_)['name'] as string);
  const ordered = [
    ...some(
      rng,
      NAMES.filter((n) => !kept.includes(n)),
    ),
    ...kept,
  ];
  return {
    metadata: {
      ...(chance(rng, 50) ? { labels: Object.fromEntries(some(rng, NAMES).map((n) => [n, chance(rng, 30) ? null : text(rng)])) } : {}),
      ...(chance(rng, 40) ? { finalizers: some(rng, ['x/3', 'x/4', 'x/1']) } : {}),
      ...(chance(rng, 30) ? { '$deleteFromPrimitiveList/finalizers': some(rng, ['x/1', 'x/2']) } : {}),
    },
    spec: {
      ...(chance(rng, 80) ? { containers: items } : {}),
      ...(chance(rng, 40) ? { '$setElementOrder/containers': order(ordered, 'name') } : {}),
      ...(chance(rng, 40) ? { imagePullSecrets: some(rng, NAMES).map((n): Json => ({ name: n })) } : {}),
      ...(chance(rng, 40) ? { hostAliases: some(rng, NAMES).map((n): Json => ({ ip: n, hostnames: ['z'] })) } : {}),
      ...(chance(rng, 30) ? { tolerations: some(rng, NAMES).map((n): Json => ({ key: n })) } : {}),
      ...(chance(rng, 40)
        ? {
            securityContext: pick<Json>(rng, [
              { $retainKeys: ['fsGroup'], fsGroup: 3 },
              { $patch: 'replace', runAsUser: 9 },
              { $patch: 'delete' },
              { runAsUser: null },
              null,
            ]),
          }
        : {}),
    },
  };
}

test('strategic merge patches', () => {
  const rng = createRng(3);
  for (let i = 0; i < EACH; i++) {
    const pod = podOf(rng);
    const patch = patchOf(rng);
    expect(applyStrategicMergePatch('Pod', pod, patch), JSON.stringify({ pod, patch })).toEqual(slowStrategic(copy(pod), copy(patch), ''));
  }
});

// --- server-side apply: keys that have values and owners --------------------------------------------------------------

test('server-side applies, with updates between them', () => {
  const rng = createRng(4);
  const row = byKind('ConfigMap');
  const writer = (manager: string) => ({ manager, apiVersion: 'v1', subresource: '' });
  const TIME = '2026-01-05T08:00:00Z';
  let [applies, conflicts] = [0, 0];
  while (applies < EACH) {
    let live: KubeObject | undefined;
    const values = new Map<string, string>();
    /** Key → those who own it. */
    const owners = new Map<string, Set<string>>();
    const ownersOf = (key: string): Set<string> => {
      if (!owners.has(key)) owners.set(key, new Set());
      return owners.get(key)!;
    };
    for (let step = 0; step < 12; step++) {
      const manager = pick(rng, ['one', 'two', 'three']);
      const data: Record<string, string> = { k: text(rng), ...Object.fromEntries(some(rng, NAMES).map((n) => [n, text(rng)])) };
      // An empty map that is owned is an edge of its own.
      if (chance(rng, 50) && Object.keys(data).length > 1) delete data['k'];
      if (live && chance(rng, 25)) {
        const id = `${manager}/Update`;
        live = ownedByUpdate(row, live, { ...live, data } as KubeObject, writer(manager), TIME);
        for (const key of new Set([...values.keys(), ...Object.keys(data)])) {
          if (data[key] === undefined) owners.delete(key);
          else if (data[key] !== values.get(key)) owners.set(key, new Set([id]));
        }
        values.clear();
        for (const [key, value] of Object.entries(data)) values.set(key, value);
        continue;
      }
      applies++;
      const id = `${manager}/Apply`;
      const force = chance(rng, 50);
      const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data };
      const against = Object.keys(data).filter((key) => values.has(key) && values.get(key) !== data[key] && [...ownersOf(key)].some((owner) => owner !== id));
      let told: KubeObject | ApiError;
      try {
        told = ownedByApply(row, live, config as unknown as Json, writer(manager), { force, time: TIME });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        told = error;
      }
      if (against.length > 0 && !force) {
        conflicts++;
        expect(told).toBeInstanceOf(ApiError);
        const fields = [...new Set((told as ApiError).status.details?.causes?.map(({ field }) => field))].sort();
        expect(fields).toEqual(against.map((key) => `.data.${key}`).sort());
        continue;
      }
      expect(told, JSON.stringify({ live, config })).not.toBeInstanceOf(ApiError);
      for (const key of against) ownersOf(key).clear();
      for (const [key, set] of [...owners]) {
        if (!set.delete(id) || data[key] !== undefined || set.size > 0) continue;
        owners.delete(key);
        values.delete(key);
      }
      for (const [key, value] of Object.entries(data)) {
        values.set(key, value);
        ownersOf(key).add(id);
      }
      live = told as KubeObject;
      expect((live as { data?: object }).data ?? {}, JSON.stringify(config)).toEqual(Object.fromEntries(values));
    }
  }
  expect(conflicts).toBeGreaterThan(100);
});
