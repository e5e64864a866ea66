/**
 * The record of a component's own write: a comparison of what was and what is, by what changed and nothing else.
 *
 * It knows no schema, so that a cluster boots without one: the lists whose items have an owner each are told by the name of
 * the field. Where it looks deeper than the schema does (a selector is owned as a whole), `field-manager.ts` cuts off
 * what is too much; a test compares the names here with the schema's facts.
 */
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import { equalJson } from '../registry/equal.ts';
import { type Entry, entriesOf, entry, entryAt, type Head, ledgerOf, ledgerWith, type Owned, withLedger } from './ledger.ts';
import {
  difference,
  EMPTY,
  fieldElement,
  isEmpty,
  keyElement,
  type PathElement,
  type PathSet,
  recursiveDifference,
  SetBuilder,
  union,
  valueElement,
} from './path-set.ts';

/** By field name: the keys that tell items apart, sorted; none for a list that is a set of plain values. */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  finalizers: [],
  podCIDRs: [],
  succeeded: [],
  failed: [],
  ownerReferences: ['uid'],
  conditions: ['type'],
  addresses: ['type'],
  podIPs: ['ip'],
  hostAliases: ['ip'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};
for (const name of [
  'containers',
  'initContainers',
  'ephemeralContainers',
  'env',
  'volumes',
  'imagePullSecrets',
  'secrets',
  'schedulingGates',
  'resourceClaims',
  'resourceClaimStatuses',
  'claims',
  'drivers',
  'webhooks',
  'matchConditions',
  'variables',
])
  (LISTS as Record<string, readonly string[]>)[name] = ['name'];
const CONTAINER_PORTS = ['containerPort', 'protocol'];
const SERVICE_PORTS = ['port', 'protocol'];

/** The keys of the list in field `name`; undefined for a list owned as a whole. */
export function listKeys(name: string, items: readonly unknown[]): readonly string[] | undefined {
  if (name !== 'ports') return LISTS[name];
  const first = items[0];
  return typeof first === 'object' && first !== null && 'containerPort' in first ? CONTAINER_PORTS : SERVICE_PORTS;
}

/** What no manager owns: the server's own metadata (`stripSet` of upstream's stripmeta.go, and what deletion sets). */
const SYSTEM = new Set([
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'generation',
  'resourceVersion',
  'managedFields',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]);

export interface Writer {
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string;
}

/** A component made `object` of what it sent (`wanted`, defaults filled in): it owns that, and not what the server added. */
export function recordCreate(wanted: KubeObject, object: KubeObject, writer: Writer, time: string, hasStatus: boolean): KubeObject {
  const { changed } = changes(wanted, object, hasStatus);
  return withLedger(object, ledgerWith([entry({ ...writer, operation: 'Update', time }, { all: true, listed: changed })]));
}

/** A component changed `old` to `object`: what changed is its own now and nobody else's. */
export function recordUpdate(old: KubeObject, object: KubeObject, writer: Writer, time: string): KubeObject {
  const before = ledgerOf(old);
  const { changed, removed } = changes(old, object, false);
  if (isEmpty(changed) && isEmpty(removed)) return withLedger(object, before);
  const next: Entry[] = [];
  let mine: Entry | undefined;
  let same = true;
  // Who made the object whole never owned the status, so a change of it is no exception to that.
  const apart = writer.subresource === 'status' && onlyStatus(changed) && onlyStatus(removed);
  for (const one of entriesOf(before)) {
    let then = one;
    if (!mine && isSame(one, writer)) {
      mine = one;
      then = isEmpty(changed) ? owns(one, lose(one.owned, changed, removed)) : owns(one, take(one.owned, changed, removed), time);
    } else if (!(apart && one.owned.all)) then = owns(one, lose(one.owned, changed, removed));
    if (then !== one) same = false;
    next.push(then);
  }
  if (!mine && !isEmpty(changed)) {
    next.push(entry({ ...writer, operation: 'Update', time }, { all: false, listed: changed }));
    same = false;
  }
  // Who writes the same fields again within a second leaves the ledger as it is.
  return withLedger(object, same ? before : ledgerWith(next));
}

/** The server itself changed `old` to `object` (a binding, an eviction): what is new is nobody's. */
export function recordNobody(old: KubeObject, object: KubeObject): KubeObject {
  const before = ledgerOf(old);
  const entries = entriesOf(before);
  if (!entries.some(({ owned }) => owned.all)) return withLedger(object, before);
  const { changed, removed } = changes(old, object, false);
  if (isEmpty(changed) && isEmpty(removed)) return withLedger(object, before);
  return withLedger(object, ledgerWith(entries.map((one) => (one.owned.all ? owns(one, lose(one.owned, changed, removed)) : one))));
}

/** The manager a request speaks for (`managerOrUserAgent`): what it says, or its program's name. */
export function managerOf(fieldManager: string | undefined, userAgent: string | undefined): string {
  if (fieldManager) return fieldManager;
  const agent = userAgent ?? '';
  let manager = managers.get(agent);
  if (manager === undefined) {
    const slash = agent.indexOf('/');
    // Printable characters only, at most 128 (prefixFromUserAgent).
    manager = (slash < 0 ? agent : agent.slice(0, slash)).replace(/[^\x20-\x7e]/g, '').slice(0, 128);
    if (managers.size >= MOST_MANAGERS) managers.clear();
    managers.set(agent, manager);
  }
  return manager;
}
/** The same few programs write again and again. */
const managers = new Map<string, string>();
const MOST_MANAGERS = 256;

const onlyStatus = (set: PathSet): boolean => set.children.size === 0 || (set.children.size === 1 && set.children.has('f:status'));

const isSame = (one: Head, writer: Writer): boolean =>
  one.operation === 'Update' && one.manager === writer.manager && one.subresource === writer.subresource && one.apiVersion === writer.apiVersion;

function owns(one: Entry, owned: Owned, time = one.time): Entry {
  if (owned === one.owned) return entryAt(one, time);
  return entry({ ...one, time }, owned);
}

function take(owned: Owned, changed: PathSet, removed: PathSet): Owned {
  const { all, listed } = owned;
  const kept = recursiveDifference(listed, removed);
  const next = all ? difference(kept, changed) : includes(kept, changed) ? kept : union(kept, changed);
  return next === listed ? owned : { all, listed: next };
}

function lose(owned: Owned, changed: PathSet, removed: PathSet): Owned {
  const { all, listed } = owned;
  const kept = recursiveDifference(listed, removed);
  const next = !all ? difference(kept, changed) : includes(kept, changed) ? kept : union(kept, changed);
  return next === listed ? owned : { all, listed: next };
}

function includes(a: PathSet, b: PathSet): boolean {
  if (b.own && !a.own) return false;
  for (const [element, child] of b.children) {
    const mine = a.children.get(element);
    if (!mine || !includes(mine, child)) return false;
  }
  return true;
}

/** Added or changed, and removed, fields. Removed ones stand for all that was below them. */
interface Changes {
  readonly changed: PathSet;
  readonly removed: PathSet;
}
const NOTHING: Changes = { changed: EMPTY, removed: EMPTY };

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where the comparison stands, and what it has found; sets are begun with the first find. */
class Finds {
  readonly at: PathElement[] = [];
  private changed: SetBuilder | undefined;
  private removed: SetBuilder | undefined;

  change(element: PathElement): void {
    this.changed ??= new SetBuilder();
    this.note(this.changed, element);
  }
  remove(element: PathElement): void {
    this.removed ??= new SetBuilder();
    this.note(this.removed, element);
  }
  private note(into: SetBuilder, element: PathElement): void {
    this.at.push(element);
    into.add(this.at);
    this.at.pop();
  }
  result(): Changes {
    return this.changed || this.removed ? { changed: this.changed?.build() ?? EMPTY, removed: this.removed?.build() ?? EMPTY } : NOTHING;
  }
}

function changes(old: KubeObject, object: KubeObject, withoutStatus: boolean): Changes {
  if (old === object) return NOTHING;
  const finds = new Finds();
  const before = old as unknown as Fields;
  const after = object as unknown as Fields;
  for (const name in after) if (before[name] !== after[name] && !(withoutStatus && name === 'status')) top(name, before, after, finds);
  for (const name in before) if (before[name] !== undefined && !(name in after) && !(withoutStatus && name === 'status')) top(name, before, after, finds);
  return finds.result();
}

function top(name: string, before: Fields, after: Fields, finds: Finds): void {
  if (name === 'kind' || name === 'apiVersion') return;
  const element = fieldElement(name);
  if (name !== 'metadata') compare(name, before[name], after[name], finds, element);
  else {
    finds.at.push(element);
    compareFields(before[name] as Fields, after[name] as Fields, finds, SYSTEM);
    finds.at.pop();
  }
}

function compareFields(before: Fields, after: Fields, finds: Finds, skip?: ReadonlySet<string>): void {
  for (const name in after) if (before[name] !== after[name] && !skip?.has(name)) compare(name, before[name], after[name], finds, fieldElement(name));
  for (const name in before) if (before[name] !== undefined && !(name in after) && !skip?.has(name)) finds.remove(fieldElement(name));
}

/** `name` is of the field the value is in; `''` for the items of a list. */
function compare(name: string, before: unknown, after: unknown, finds: Finds, element: PathElement): void {
  if (before === after) return;
  if (after === undefined) finds.remove(element);
  else if (before === undefined) added(name, after, finds, element);
  else if (isFields(before) && isFields(after)) {
    finds.at.push(element);
    compareFields(before, after, finds);
    finds.at.pop();
  } else if (!(Array.isArray(before) && Array.isArray(after) && compareLists(name, before, after, finds, element)) && !equalJson(before, after))
    finds.change(element);
}

/** False for lists that are owned as a whole. */
function compareLists(name: string, before: readonly unknown[], after: readonly unknown[], finds: Finds, element: PathElement): boolean {
  const keys = listKeys(name, after.length > 0 ? after : before);
  if (!keys) return false;
  finds.at.push(element);
  const known = inPlace(keys, before, after, finds) || byElement(name, before, after, finds);
  finds.at.pop();
  return known;
}

/** The usual case: the same items in the same order. */
function inPlace(keys: readonly string[], before: readonly unknown[], after: readonly unknown[], finds: Finds): boolean {
  if (keys.length === 0 || before.length !== after.length) return false;
  const first = keys[0]!;
  for (let i = 0; i < after.length; i++) {
    const old = before[i];
    const now = after[i];
    if (!isFields(old) || !isFields(now)) return false;
    if (old !== now) for (const key of keys) if (old[key] !== now[key]) return false;
    for (const key of keys) if (now[key] === undefined) return false;
    // Several keys: two items may share the first; then the long way tells. The lists are short.
    for (let j = 0; j < i; j++) if ((after[j] as Fields)[first] === now[first]) return false;
  }
  for (let i = 0; i < after.length; i++) {
    const now = after[i] as Fields;
    if (before[i] !== now) compare('', before[i], now, finds, keyElement(keys.map((key) => [key, now[key] as Json])));
  }
  return true;
}

function byElement(name: string, before: readonly unknown[], after: readonly unknown[], finds: Finds): boolean {
  const [old, now] = [itemsOf(name, before), itemsOf(name, after)];
  if (!old || !now) return false;
  for (const [item, value] of now) compare('', old.get(item), value, finds, item);
  for (const item of old.keys()) if (!now.has(item)) finds.remove(item);
  return true;
}

function added(name: string, value: unknown, finds: Finds, element: PathElement): void {
  finds.change(element);
  finds.at.push(element);
  if (isFields(value)) {
    for (const field in value) if (value[field] !== undefined) added(field, value[field], finds, fieldElement(field));
  } else if (Array.isArray(value)) {
    const items = itemsOf(name, value);
    if (items) for (const [item, one] of items) added('', one, finds, item);
  }
  finds.at.pop();
}

/** Items by their path element; undefined for a list that is owned as a whole. */
function itemsOf(name: string, list: readonly unknown[]): Map<PathElement, unknown> | undefined {
  const keys = listKeys(name, list);
  if (!keys) return undefined;
  const items = new Map<PathElement, unknown>();
  for (const item of list) {
    if (keys.length === 0) {
      if (typeof item === 'object') return undefined;
      items.set(valueElement(item as Json), item);
      continue;
    }
    if (!isFields(item)) return undefined;
    const pairs: [string, Json][] = [];
    for (const key of keys) {
      const value = item[key] ?? (key === 'protocol' ? 'TCP' : undefined);
      if (value === undefined) return undefined;
      pairs.push([key, value as Json]);
    }
    const element = keyElement(pairs);
    if (items.has(element)) return undefined;
    items.set(element, item);
  }
  return items;
}
