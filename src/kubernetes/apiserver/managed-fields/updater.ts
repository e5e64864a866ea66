/**
 * Who owns what after a write, and what an applied configuration makes of an object (structured-merge-diff
 * `merge/update.go`).
 *
 * An update takes what it changed from everybody else. An apply states everything its manager wants: what it no longer
 * states goes if nobody else owns it, and what it would change of others' is a conflict unless it is forced.
 */
import type { Json } from '../../api/json.ts';
import { compareElements, intersection, paths, setOf } from './fields-v1.ts';
import type { Head } from './ledger.ts';
import { difference, EMPTY, isEmpty, type Path, type PathSet, recursiveDifference, union } from './path-set.ts';
import type { Shape } from './shapes.ts';
import { type Comparison, compare, fieldSet, isSame, merge, removeItems, step, withNamedFields } from './typed.ts';

export interface Owner extends Head {
  readonly set: PathSet;
}
/** By identity: `ownerId`. */
export type Owners = ReadonlyMap<string, Owner>;

/** What makes two entries one owner: an applier's version does not (`BuildManagerIdentifier`). */
export const ownerId = ({ manager, operation, apiVersion, subresource }: Omit<Head, 'time'>): string =>
  JSON.stringify({
    ...(manager ? { manager } : {}),
    operation,
    ...(operation === 'Apply' ? {} : { apiVersion }),
    ...(subresource ? { subresource } : {}),
  });

export interface Conflict {
  readonly owner: Owner;
  readonly id: string;
  readonly path: Path;
}

/** Others own what an apply would change. */
export class Conflicts extends Error {
  constructor(readonly list: readonly Conflict[]) {
    super('conflicts');
  }
}

function settle(
  shape: Shape,
  before: Json,
  after: Json,
  owners: Owners,
  self: string,
  resets: PathSet,
  force: boolean,
): { owners: Map<string, Owner>; change: Comparison } {
  const change = without(compare(shape, before, after), resets);
  const taken = union(change.modified, change.added);
  const conflicts: Conflict[] = [];
  const out = new Map<string, Owner>();
  for (const [id, owner] of owners) {
    if (id === self) {
      if (!isEmpty(owner.set)) out.set(id, owner);
      continue;
    }
    const lost = intersection(owner.set, taken);
    if (!isEmpty(lost)) for (const path of paths(lost)) conflicts.push({ owner, id, path });
    const set = difference(difference(owner.set, lost), change.removed);
    if (!isEmpty(set)) out.set(id, set === owner.set ? owner : { ...owner, set });
  }
  if (!force && conflicts.length > 0) throw new Conflicts(conflicts.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : comparePaths(a.path, b.path))));
  return { owners: out, change };
}

function comparePaths(a: Path, b: Path): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareElements(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function without(change: Comparison, resets: PathSet): Comparison {
  if (isEmpty(resets)) return change;
  const { added, modified, removed } = change;
  return { added: recursiveDifference(added, resets), modified: recursiveDifference(modified, resets), removed: recursiveDifference(removed, resets) };
}

/** Somebody wrote `after` over `before`; their own entry is added to, or made. `resets` are fields this kind of write cannot set. */
export function update(shape: Shape, before: Json, after: Json, owners: Owners, writer: Head, resets: PathSet): { owners: Map<string, Owner>; took: boolean } {
  // What this operation took is held apart, to know whether it took anything (`managedFieldsUpdater`).
  const { owners: out, change } = settle(shape, before, after, owners, '', resets, true);
  const set = difference(recursiveDifference(difference(union(change.modified, change.added), change.removed), resets), STRIPPED);
  if (isEmpty(set)) return { owners: out, took: false };
  const id = ownerId(writer);
  out.set(id, { ...writer, set: union(out.get(id)?.set ?? EMPTY, set) });
  return { owners: out, took: true };
}

/** The object with `config` merged in; undefined object: nothing changes. Throws Conflicts unless forced. */
export function apply(
  shape: Shape,
  live: Json,
  config: Json,
  owners: Owners,
  writer: Head,
  resets: PathSet,
  force: boolean,
): { object: Json | undefined; owners: Map<string, Owner> } {
  const id = ownerId(writer);
  const last = owners.get(id);
  const set = recursiveDifference(fieldSet(shape, config), resets);
  const claimed = new Map(owners);
  claimed.set(id, { ...writer, time: last?.time ?? '', set });
  const merged = merge(shape, live, config) as Json;
  const pruned = last && !isEmpty(last.set) ? prune(shape, merged, claimed, last.set) : merged;
  const { owners: out, change } = settle(shape, live, pruned, claimed, id, resets, force);
  const mine = out.get(id);
  const stripped = mine ? difference(mine.set, STRIPPED) : EMPTY;
  if (isEmpty(stripped)) out.delete(id);
  else out.set(id, { ...mine!, set: stripped, time: isSame(change) && mine!.time !== '' ? mine!.time : writer.time });
  return { object: isSame(change) ? undefined : pruned, owners: out };
}

/** Takes out what the manager applied last time, not this time, and nobody else claims. */
function prune(shape: Shape, merged: Json, owners: Owners, last: PathSet): Json {
  const named = (set: PathSet): PathSet => withNamedFields(shape, set);
  const before = named(last);
  let pruned = removeItems(shape, merged, before);
  const all = named(fieldSet(shape, merged));
  let claimed = EMPTY;
  for (const { set } of owners.values()) claimed = union(claimed, set);
  // Back comes what others, or the new configuration, claim ...
  pruned = removeItems(shape, merged, difference(all, union(named(fieldSet(shape, pruned)), named(claimed))));
  // ... and what the manager never had.
  return removeItems(shape, merged, intersection(difference(all, named(fieldSet(shape, pruned))), before));
}

/** What no manager owns (`stripmeta.go`). */
export const STRIPPED = setOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map((name) => [
    'f:metadata',
    `f:${name}`,
  ]),
);

/** A set as the schema would have it: what lies inside something owned as a whole is that (`ReconcileFieldSetWithSchema`), and structures that are always there are not owned. */
export function reconciled(shape: Shape | undefined, set: PathSet, inline = false): PathSet {
  if (!shape || set.children.size === 0) return set;
  if ((shape.type === 'map' || shape.type === 'list') && shape.atomic) return { own: true, children: EMPTY.children };
  const children = new Map<string, PathSet>();
  let changed = inline && set.own;
  for (const [element, child] of set.children) {
    const structure = shape.type === 'map' && (shape.inline.includes(element.slice(2)) || shape.nulls.includes(element.slice(2)));
    const next = reconciled(step(shape, element).shape, child, structure);
    changed ||= next !== child;
    children.set(element, next);
  }
  return changed ? { own: set.own && !inline, children } : set;
}
