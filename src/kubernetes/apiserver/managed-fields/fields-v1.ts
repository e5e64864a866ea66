/**
 * What people see of sets of field paths: `fieldsV1`, paths in messages, and the order of both; and the operations only the
 * field manager needs (structured-merge-diff `fieldpath/serialize.go`, `path.go`, `element.go`).
 */
import type { Json } from '../../api/json.ts';
import { isEmpty, keyElement, LEAF, node, type Path, type PathElement, type PathSet, SetBuilder } from './path-set.ts';

export function setOf(...paths: readonly Path[]): PathSet {
  const builder = new SetBuilder();
  for (const path of paths) builder.add(path);
  return builder.build();
}

export function intersection(a: PathSet, b: PathSet): PathSet {
  if (a === b) return a;
  const children = new Map<PathElement, PathSet>();
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (!other) continue;
    const both = intersection(child, other);
    if (!isEmpty(both)) children.set(element, both);
  }
  return node(a.own && b.own, children);
}

export function has(set: PathSet, path: Path): boolean {
  let at: PathSet | undefined = set;
  for (const element of path) {
    at = at.children.get(element);
    if (!at) return false;
  }
  return at.own;
}

export function equalSets(a: PathSet, b: PathSet): boolean {
  if (a === b) return true;
  if (a.own !== b.own || a.children.size !== b.children.size) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (!other || !equalSets(child, other)) return false;
  }
  return true;
}

const KINDS = 'fkvi';
/** The order of `PathElement.Compare`: fields, keyed items, values, positions; then by what they say. */
export function compareElements(a: PathElement, b: PathElement): number {
  const kind = KINDS.indexOf(a[0]!) - KINDS.indexOf(b[0]!);
  if (kind !== 0) return kind;
  if (a === b) return 0;
  if (a[0] !== 'f') {
    const [left, right] = [JSON.parse(a.slice(2)) as Json, JSON.parse(b.slice(2)) as Json];
    if (a[0] !== 'k') return compareValues(left, right);
    const [l, r] = [Object.entries(left as object), Object.entries(right as object)] as [string, Json][][];
    for (let i = 0; i < Math.min(l!.length, r!.length); i++) {
      const [ln, lv] = l![i]!;
      const [rn, rv] = r![i]!;
      const order = ln < rn ? -1 : ln > rn ? 1 : compareValues(lv, rv);
      if (order !== 0) return order;
    }
    return l!.length - r!.length;
  }
  return a < b ? -1 : 1;
}
const compareValues = (a: Json, b: Json): number => {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
};

const sorted = (set: PathSet): [PathElement, PathSet][] => [...set.children].sort(([a], [b]) => compareElements(a, b));

/** All members, a node's own children before what lies deeper (`Set.Iterate`). */
export function paths(set: PathSet): Path[] {
  const out: Path[] = [];
  const walk = (at: PathSet, prefix: Path): void => {
    const children = sorted(at);
    for (const [element, child] of children) if (child.own) out.push([...prefix, element]);
    for (const [element, child] of children) if (child.children.size > 0) walk(child, [...prefix, element]);
  };
  walk(set, []);
  return out;
}

/** `.spec.containers[name="c"].image`, as messages have it. */
export const pathText = (path: Path): string => path.map(elementText).join('');

export function elementText(element: PathElement): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'k':
      return `[${Object.entries(JSON.parse(rest) as Record<string, Json>)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}]`;
    case 'v':
      return `[=${rest}]`;
    case 'i':
      return `[${rest}]`;
    default:
      return `.${rest}`;
  }
}

export interface FieldsV1 {
  readonly [element: string]: FieldsV1;
}

export function toFieldsV1(set: PathSet): FieldsV1 {
  const out: Record<string, FieldsV1> = {};
  for (const [element, child] of sorted(set)) {
    const below = toFieldsV1(child);
    out[element] = child.own && child.children.size > 0 ? { '.': {}, ...below } : below;
  }
  return out;
}

/** Throws when it is no set: what is there must be objects all the way, each name an element. */
export function fromFieldsV1(fields: unknown): PathSet {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw new Error('expected a map');
  const children = new Map<PathElement, PathSet>();
  let own = false;
  for (const [element, below] of Object.entries(fields)) {
    if (element === '.') {
      own = true;
      continue;
    }
    if (element[1] !== ':' || !KINDS.includes(element[0]!)) throw new Error(`missing key or unknown type in path element ${JSON.stringify(element)}`);
    const child = fromFieldsV1(below);
    children.set(canonical(element), isEmpty(child) ? LEAF : child);
  }
  return node(own, children);
}

/** Keys of an item in order and without spaces, whoever wrote them. */
function canonical(element: PathElement): PathElement {
  if (element[0] === 'f') return element;
  const value = JSON.parse(element.slice(2)) as Json;
  if (element[0] !== 'k') return `${element.slice(0, 2)}${JSON.stringify(value)}`;
  return keyElement(Object.entries(value as Record<string, Json>).sort(([a], [b]) => (a < b ? -1 : 1)));
}
