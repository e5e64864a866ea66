/**
 * Sets of field paths, and the form they have on the wire (`fieldsV1`).
 *
 * A path is a row of elements: `f:name` for a field or map key, `k:{"name":"x"}` for an item of a list keyed by some of its
 * fields, `v:value` for an item of a list that is a set, `i:n` for a position. A set is a tree of elements; a node that
 * is `own` is itself a member, apart from what lies below it. Sets are never changed once made; `grow` makes them.
 * (structured-merge-diff `fieldpath/set.go`, `serialize.go`.)
 */
import type { Json } from '../../api/json.ts';

/** One element in its `fieldsV1` spelling. */
export type PathElement = string;
export type Path = readonly PathElement[];

export interface PathSet {
  readonly own: boolean;
  readonly children: ReadonlyMap<PathElement, PathSet>;
}

const NO_CHILDREN: ReadonlyMap<PathElement, PathSet> = new Map();
export const EMPTY: PathSet = { own: false, children: NO_CHILDREN };
/** A member with nothing below it. */
export const LEAF: PathSet = { own: true, children: NO_CHILDREN };

export const isEmpty = (set: PathSet): boolean => !set.own && set.children.size === 0;

/** Elements are looked up by the hundred for every write: a text that is there already need not be put together and hashed. */
const fieldElements = new Map<string, PathElement>();
const MOST_ELEMENTS = 4_096;

export function fieldElement(name: string): PathElement {
  let element = fieldElements.get(name);
  if (element === undefined) {
    if (fieldElements.size >= MOST_ELEMENTS) fieldElements.clear();
    element = `f:${name}`;
    fieldElements.set(name, element);
  }
  return element;
}

/** An item of a keyed list; `keys` are sorted by name. */
export function keyElement(keys: readonly (readonly [string, Json])[]): PathElement {
  let text = '';
  for (const [name, value] of keys) text += `${text === '' ? '' : ','}"${name}":${JSON.stringify(value)}`;
  return `k:{${text}}`;
}
export const valueElement = (value: Json): PathElement => `v:${JSON.stringify(value)}`;

/** A set being built. Paths are added from the root down. */
export class SetBuilder {
  own = false;
  /** Made with the first child: most nodes are leaves. */
  private children: Map<PathElement, SetBuilder> | undefined;

  child(element: PathElement): SetBuilder {
    this.children ??= new Map();
    let child = this.children.get(element);
    if (!child) {
      child = new SetBuilder();
      this.children.set(element, child);
    }
    return child;
  }

  add(path: Path): void {
    let at: SetBuilder = this;
    for (const element of path) at = at.child(element);
    at.own = true;
  }

  /** Branches that lead to no member are dropped. */
  build(): PathSet {
    if (!this.children) return this.own ? LEAF : EMPTY;
    const children = new Map<PathElement, PathSet>();
    for (const [element, child] of this.children) {
      const built = child.build();
      if (!isEmpty(built)) children.set(element, built);
    }
    return node(this.own, children);
  }
}

/** A set of these parts; the empty set and the lone member are always the same two. */
export function node(own: boolean, children: ReadonlyMap<PathElement, PathSet>): PathSet {
  if (children.size > 0) return { own, children };
  return own ? LEAF : EMPTY;
}

export function union(a: PathSet, b: PathSet): PathSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const mine = children.get(element);
    children.set(element, mine ? union(mine, child) : child);
  }
  return node(a.own || b.own, children);
}

/** The members of `a` that are none of `b`. */
export function difference(a: PathSet, b: PathSet): PathSet {
  if (isEmpty(b)) return a;
  return subtract(a, b, false);
}

/** The members of `a` that are none of `b` and do not lie below one (`Set.RecursiveDifference`). */
export function recursiveDifference(a: PathSet, b: PathSet): PathSet {
  if (isEmpty(b)) return a;
  return subtract(a, b, true);
}

function subtract(a: PathSet, b: PathSet, deep: boolean): PathSet {
  if (deep && b.own) return EMPTY;
  let children: Map<PathElement, PathSet> | undefined;
  for (const [element, child] of b.children) {
    const mine = a.children.get(element);
    if (!mine) continue;
    const rest = subtract(mine, child, deep);
    if (rest === mine) continue;
    children ??= new Map(a.children);
    if (isEmpty(rest)) children.delete(element);
    else children.set(element, rest);
  }
  const own = a.own && !b.own;
  return children || own !== a.own ? node(own, children ?? a.children) : a;
}
