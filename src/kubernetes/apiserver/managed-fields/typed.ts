/**
 * Values seen through their shape: what is set, what differs, how two merge, what remains without some fields
 * (structured-merge-diff `typed/`). Nothing is edited; what stays the same keeps its identity, and shared parts of two
 * values cost nothing.
 */
import type { Json } from '../../api/json.ts';
import { equalJson } from '../registry/equal.ts';
import { elementText } from './fields-v1.ts';
import { fieldElement, isEmpty, keyElement, type PathElement, type PathSet, SetBuilder, valueElement } from './path-set.ts';
import { ATOMIC_LIST, DEDUCED_MAP, type ListShape, type MapShape, type ScalarShape, type Shape } from './shapes.ts';

export type Fields = { readonly [name: string]: Json | undefined };
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
type Value = Json | undefined;

/** The value does not fit its shape; the message begins with the path. */
export class ShapeError extends Error {}

const SCALAR = { type: 'scalar', of: 'untyped' } as const;

/** The shape a value of unknown shape has. */
function settled(shape: Shape, value: Value, other?: Value): MapShape | ListShape | ScalarShape {
  if (shape.type !== 'deduced') return shape;
  const sample = value === null || value === undefined ? other : value;
  return isFields(sample) ? DEDUCED_MAP : Array.isArray(sample) ? ATOMIC_LIST : SCALAR;
}

/** The element of a list's item; undefined, with a reason, where it has none. */
function itemElement(shape: ListShape, item: Json): { readonly element: PathElement } | { readonly why: string } {
  if (shape.keys.length === 0) {
    if (isFields(item)) return { why: "associative list without keys has an element that's a map type" };
    if (Array.isArray(item)) return { why: 'not supported: associative list with lists as elements' };
    if (item === null) return { why: "associative list without keys has an element that's an explicit null" };
    return { element: valueElement(item) };
  }
  if (item === null) return { why: 'associative list with keys may not have a null element' };
  if (!isFields(item)) return { why: 'associative list with keys may not have non-map elements' };
  const pairs: [string, Json][] = [];
  for (const key of shape.keys) {
    const value = item[key] ?? shape.defaults[key];
    if (value === undefined)
      return { why: `associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)` };
    pairs.push([key, value]);
  }
  return { element: keyElement(pairs) };
}

/** Items by element, in order; several where a live list has duplicates. Items without an element are left out. */
function items(shape: ListShape, list: readonly Json[]): Map<PathElement, Json[]> {
  const out = new Map<PathElement, Json[]>();
  for (const item of list) {
    const found = itemElement(shape, item);
    if (!('element' in found)) continue;
    const same = out.get(found.element);
    if (same) same.push(item);
    else out.set(found.element, [item]);
  }
  return out;
}

// --- validation ----------------------------------------------------------------------------------------

/** Throws ShapeError for unknown fields, wrong types, items without keys and duplicates (`typed/validate.go`). */
export function validateShape(shape: Shape, value: Json): void {
  const errors: string[] = [];
  check(shape, value, '', errors);
  if (errors.length === 1) throw new ShapeError(errors[0]!);
  if (errors.length > 1) throw new ShapeError(`errors:\n${errors.map((error) => `  ${error}`).join('\n')}`);
}

function check(shape: Shape, value: Json, path: string, errors: string[]): void {
  const at = settled(shape, value);
  const fail = (text: string): void => void errors.push(path === '' ? text : `${path}: ${text}`);
  if (value === null) return;
  if (at.type === 'scalar') {
    const wrong = scalarError(at, value);
    if (wrong !== undefined) fail(wrong);
    return;
  }
  if (at.type === 'map') {
    if (!isFields(value)) {
      fail(`expected map, got ${goText(value)}`);
      return;
    }
    for (const [name, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      const field = at.field(name);
      if (field) check(field, inner, `${path}.${name}`, errors);
      else errors.push(`${path}.${name}: field not declared in schema`);
    }
    return;
  }
  if (!Array.isArray(value)) {
    fail(`expected list, got ${goText(value)}`);
    return;
  }
  if (at.atomic) return;
  const seen = new Set<PathElement>();
  value.forEach((item, i) => {
    const found = itemElement(at, item);
    if (!('element' in found)) return fail(`element ${i}: ${found.why}`);
    if (seen.has(found.element)) fail(`duplicate entries for key ${elementText(found.element)}`);
    seen.add(found.element);
    check(at.element, item, `${path}${elementText(found.element)}`, errors);
  });
}

function scalarError({ of }: ScalarShape, value: Json): string | undefined {
  switch (of) {
    case 'numeric':
      return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`;
    case 'string':
      return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${JSON.stringify(value)}}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${goText(value)}`;
    default:
      return typeof value === 'object' ? `expected any scalar, got ${goText(value)}` : undefined;
  }
}
const goType = (value: Json): string =>
  typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';

/** As Go prints a value of structured-merge-diff with `%v`. Here simplified: maps and lists as JSON. */
const goText = (value: Json): string => `&{${typeof value === 'string' ? value : JSON.stringify(value)}}`;

// --- the fields of a value -----------------------------------------------------------------------------

/** What an applied configuration sets (`typed/tofieldset.go`). */
export function fieldSet(shape: Shape, value: Json): PathSet {
  const into = new SetBuilder();
  collect(shape, value, into);
  return into.build();
}

function collect(shape: Shape, value: Json, into: SetBuilder): void {
  const at = settled(shape, value);
  if (at.type === 'scalar' || at.atomic) {
    into.own = true;
    return;
  }
  if (at.type === 'map') {
    if (!isFields(value)) return;
    for (const [name, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      const child = into.child(fieldElement(name));
      const field = at.field(name);
      if (field) collect(field, inner, child);
      if (inner === null || !at.named(name) || (isFields(inner) && isBare(inner))) child.own = true;
    }
    return;
  }
  if (!Array.isArray(value)) return;
  for (const [element, same] of items(at, value)) {
    const child = into.child(element);
    for (const item of same) collect(at.element, item, child);
    child.own = true;
  }
}

function isBare(value: Fields): boolean {
  for (const name in value) if (value[name] !== undefined) return false;
  return true;
}

// --- comparison ----------------------------------------------------------------------------------------

export interface Comparison {
  readonly added: PathSet;
  readonly modified: PathSet;
  readonly removed: PathSet;
}
export const isSame = ({ added, modified, removed }: Comparison): boolean => isEmpty(added) && isEmpty(modified) && isEmpty(removed);

interface Into {
  readonly added: SetBuilder;
  readonly modified: SetBuilder;
  readonly removed: SetBuilder;
}
const lower = (into: Into, element: PathElement): Into => ({
  added: into.added.child(element),
  modified: into.modified.child(element),
  removed: into.removed.child(element),
});

/** What became of `before` (`typed/compare.go`). */
export function compare(shape: Shape, before: Json, after: Json): Comparison {
  const into: Into = { added: new SetBuilder(), modified: new SetBuilder(), removed: new SetBuilder() };
  differ(shape, before, after, into);
  return { added: into.added.build(), modified: into.modified.build(), removed: into.removed.build() };
}

function leaf(before: Value, after: Value, into: Into): void {
  if (before === undefined) into.added.own = true;
  else if (after === undefined) into.removed.own = true;
  else if (!equalJson(before, after)) into.modified.own = true;
}

function differ(shape: Shape, before: Value, after: Value, into: Into): void {
  if (before === after) return;
  const at = settled(shape, before, after);
  if (shape.type === 'deduced' && before !== undefined && before !== null && after !== undefined && after !== null) {
    const other = settled(shape, after);
    if (other.type !== at.type) {
      // Of another type altogether: all of the one goes, all of the other comes.
      into.modified.own = true;
      if (at.type === 'map') differ(DEDUCED_MAP, before, {}, into);
      if (other.type === 'map') differ(DEDUCED_MAP, {}, after, into);
      return;
    }
  }
  if (at.type === 'scalar' || at.atomic) {
    leaf(before, after, into);
    return;
  }
  if (at.type === 'map') {
    const left = isFields(before) ? before : undefined;
    const right = isFields(after) ? after : undefined;
    if ((!left || isBare(left)) && (!right || isBare(right))) {
      leaf(before, after, into);
      return;
    }
    for (const name in left) {
      const value = left[name];
      if (value !== undefined && value !== right?.[name]) differ(at.field(name) ?? SCALAR, value, right?.[name], lower(into, fieldElement(name)));
    }
    for (const name in right) {
      const value = right[name];
      if (value !== undefined && left?.[name] === undefined) differ(at.field(name) ?? SCALAR, undefined, value, lower(into, fieldElement(name)));
    }
  } else {
    const left = Array.isArray(before) ? before : [];
    const right = Array.isArray(after) ? after : [];
    if (left.length === 0 && right.length === 0) {
      leaf(before, after, into);
      return;
    }
    const [old, now] = [items(at, left), items(at, right)];
    for (const [element, was] of old) {
      const is = now.get(element);
      if (was.length === 1 && (is === undefined || is.length === 1)) differ(at.element, was[0], is?.[0], lower(into, element));
      else if (!is) into.removed.child(element).own = true;
      else if (!equalJson(was, is)) into.modified.child(element).own = true;
    }
    for (const [element, is] of now)
      if (!old.has(element)) {
        if (is.length === 1) differ(at.element, undefined, is[0], lower(into, element));
        else into.added.child(element).own = true;
      }
  }
  if (before === undefined) into.added.own = true;
  else if (after === undefined) into.removed.own = true;
}

// --- merging -------------------------------------------------------------------------------------------

/** `live` with everything `config` says; items of associative lists stand where `config` has them (`typed/merge.go`). */
export function merge(shape: Shape, live: Value, config: Value): Value {
  if (config === undefined) return live;
  if (live === undefined || live === config) return config;
  const at = settled(shape, config, live);
  if (at.type === 'scalar' || at.atomic) return config;
  if (at.type === 'map') {
    if (!isFields(config) || !isFields(live) || isBare(config)) return isFields(config) && isFields(live) && !isBare(live) ? live : config;
    let out: Record<string, Value> | undefined;
    for (const [name, value] of Object.entries(config)) {
      if (value === undefined) continue;
      const merged = merge(at.field(name) ?? SCALAR, live[name], value);
      if (merged !== live[name]) {
        out ??= { ...live };
        out[name] = merged;
      }
    }
    return (out as Json | undefined) ?? live;
  }
  if (!Array.isArray(config) || !Array.isArray(live)) return Array.isArray(live) && config === null ? live : config;
  if (config.length === 0) return live.length === 0 ? config : live;
  return mergeItems(at, live, config);
}

/** An item of the live list, which may have several of one element. */
type Item = readonly [element: PathElement, item: Json];

/**
 * The order of a merged list (`visitListItems`): that of the configuration for what it has; what only the live list has
 * keeps its place before the next item both have.
 */
function mergeItems(shape: ListShape, live: readonly Json[], config: readonly Json[]): readonly Json[] {
  const named = (list: readonly Json[]): Item[] =>
    list.flatMap((item) => {
      const found = itemElement(shape, item);
      return 'element' in found ? [[found.element, item] as const] : [];
    });
  const [left, right] = [named(live), named(config)];
  const mine = items(shape, live);
  const wanted = items(shape, config);
  const shared = right.map(([element]) => element).filter((element) => mine.has(element));
  let next = 0;
  const out: Json[] = [];
  const merged = new Set<PathElement>();
  const take = (element: PathElement): void => {
    merged.add(element);
    const same = mine.get(element);
    out.push(merge(shape.element, same?.length === 1 ? same[0] : undefined, wanted.get(element)![0]) as Json);
  };
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    if (l < left.length && r < right.length) {
      const element = left[l]![0];
      if (element === right[r]![0]) {
        take(element);
        l++;
        r++;
        next++;
        continue;
      }
      if (wanted.has(element) && shared[next] !== undefined && shared[next] !== element) {
        l++;
        continue;
      }
    }
    if (l < left.length) {
      const [element, item] = left[l]!;
      if (!wanted.has(element)) {
        out.push(item);
        l++;
        continue;
      }
      if (merged.has(element)) l++;
    }
    if (r < right.length) {
      const element = right[r]![0];
      take(element);
      r++;
      if (shared[next] === element) next++;
    }
  }
  return out.length === live.length && out.every((item, i) => item === live[i]) ? live : out;
}

// --- taking away ---------------------------------------------------------------------------------------

/** `value` without the fields and items of `set` (`typed/remove.go`). Emptied maps and lists go as upstream's do: to null. */
export function removeItems(shape: Shape, value: Json, set: PathSet): Json {
  if (isEmpty(set)) return value;
  const at = settled(shape, value);
  if (at.type === 'scalar') return value;
  if (at.type === 'list') {
    if (!Array.isArray(value) || value.length === 0 || at.atomic) return null;
    const out: Json[] = [];
    for (const item of value) {
      const found = itemElement(at, item);
      const below = 'element' in found ? set.children.get(found.element) : undefined;
      if (below?.own) continue;
      out.push(below && below.children.size > 0 ? removeItems(at.element, item, below) : item);
    }
    return out.length > 0 ? out : null;
  }
  if (!isFields(value) || isBare(value) || at.atomic) return null;
  const out: Record<string, Json> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const below = set.children.get(fieldElement(name));
    if (below?.own) continue;
    out[name] = below && below.children.size > 0 ? removeItems(at.field(name) ?? SCALAR, inner, below) : inner;
  }
  return isBare(out) ? null : out;
}

/** The set with every field of a structure a member that leads to one (`EnsureNamedFieldsAreMembers`). */
export function withNamedFields(shape: Shape, set: PathSet): PathSet {
  const children = new Map<PathElement, PathSet>();
  for (const [element, child] of set.children) {
    const { shape: below, named } = step(shape, element);
    const inner = below ? withNamedFields(below, child) : child;
    children.set(element, { own: child.own || (named && child.children.size > 0), children: inner.children });
  }
  return { own: set.own, children };
}

/** The shape below an element. */
export function step(shape: Shape, element: PathElement): { readonly shape: Shape | undefined; readonly named: boolean } {
  if (shape.type === 'deduced') return { shape: element[0] === 'f' ? shape : undefined, named: false };
  if (shape.type === 'map' && element[0] === 'f') {
    const name = element.slice(2);
    return { shape: shape.field(name), named: shape.named(name) && shape.field(name) !== undefined };
  }
  if (shape.type === 'list' && element[0] !== 'f') return { shape: shape.element, named: false };
  return { shape: undefined, named: false };
}

// --- Go structures -------------------------------------------------------------------------------------

/** The value as Go's encoder would give it: structures that are no pointers are there, if only empty. */
export function inflated(shape: Shape, value: Json): Json {
  const at = settled(shape, value);
  if (at.type === 'scalar' || at.atomic) return value;
  if (at.type === 'list') {
    if (!Array.isArray(value)) return value;
    let changed = false;
    const out = value.map((item) => {
      const next = inflated(at.element, item);
      changed ||= next !== item;
      return next;
    });
    return changed ? out : value;
  }
  if (!isFields(value)) return value;
  let out: Record<string, Json | undefined> | undefined;
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const field = at.field(name);
    const next = field ? inflated(field, inner) : inner;
    if (next !== inner) {
      out ??= { ...value };
      out[name] = next;
    }
  }
  for (const name of at.inline)
    if (value[name] === undefined) {
      out ??= { ...value };
      out[name] = inflated(at.field(name)!, {});
    }
  for (const name of at.nulls)
    if (value[name] === undefined) {
      out ??= { ...value };
      out[name] = null;
    }
  return (out as Json | undefined) ?? value;
}
