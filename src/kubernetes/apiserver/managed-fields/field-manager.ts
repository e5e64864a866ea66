/**
 * Field ownership for requests from outside (apimachinery `pkg/util/managedfields`): reading and writing
 * `managedFields` in upstream's form, updates, and server-side apply with its conflicts.
 *
 * Loaded with the border. What components write themselves is recorded by `record.ts` without any of this.
 */
import type { Json } from '../../api/json.ts';
import type { KubeObject, ObjectMeta } from '../../api/meta.ts';
import type { ApiError } from '../../api/request.ts';
import { apiVersionOf, type ResourceRow } from '../../api/resources.ts';
import { SCHEMA } from '../../api/schema.ts';
import { LAST_APPLIED } from '../../api/three-way.ts';
import { badRequest, failure } from '../errors.ts';
import { hasStatus } from '../registry/strategy.ts';
import { equalSets, fromFieldsV1, has, pathText, setOf, toFieldsV1 } from './fields-v1.ts';
import { type Entry, entriesOf, entry, entryAt, type Ledger, ledgerOf, ledgerWith, withLedger } from './ledger.ts';
import { difference, EMPTY, isEmpty, type PathSet, recursiveDifference, union } from './path-set.ts';
import type { Writer } from './record.ts';
import { type SchemaProps, type Shape, shapeOf, shapeOfCustom } from './shapes.ts';
import { compare, fieldSet, inflated, ShapeError, validateShape } from './typed.ts';
import { apply, type Conflict, Conflicts, type Owner, type Owners, ownerId, reconciled, STRIPPED, update } from './updater.ts';

type ManagedFields = NonNullable<ObjectMeta['managedFields']>;
type ManagedFieldsEntry = ManagedFields[number];

/** Upstream's DefaultMaxUpdateManagers. */
const MOST_UPDATERS = 10;

/** A row of a custom resource carries its version's OpenAPI v3 schema. */
export type OwnedRow = ResourceRow & { readonly custom?: { readonly schema?: SchemaProps | undefined } };

/** The shape of a resource's objects, as they are stored. */
export function shapeOfRow(row: OwnedRow): Shape {
  if (row.custom) return shapeOfCustom(row.custom.schema ?? NO_SCHEMA);
  return SCHEMA[row.type] ? shapeOf(row.type) : shapeOfCustom(NO_SCHEMA);
}
const NO_SCHEMA: SchemaProps = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const STATUS = setOf(['f:status']);
const SPEC = setOf(['f:spec']);
const STATUS_RESETS: Readonly<Record<string, PathSet>> = {
  deployments: setOf(['f:spec'], ['f:metadata', 'f:labels']),
  pods: setOf(['f:spec'], ['f:metadata', 'f:deletionTimestamp'], ['f:metadata', 'f:ownerReferences']),
};

/** The fields a write of this kind cannot set, and so cannot own (`GetResetFields` of the strategies). */
export function resetsOf(row: ResourceRow, subresource: string): PathSet {
  if (subresource === 'status') return STATUS_RESETS[row.plural] ?? SPEC;
  return hasStatus(row) ? STATUS : EMPTY;
}

const asJson = (object: KubeObject): Json => withLedger(object, undefined) as unknown as Json;

/** A kind's object as Go makes a new one. */
function emptyOf(row: OwnedRow, shape: Shape): Json {
  return inflated(shape, { apiVersion: apiVersionOf(row), kind: row.kind });
}

const NEVER_OWNED = setOf(['f:metadata', 'f:deletionTimestamp'], ['f:metadata', 'f:deletionGracePeriodSeconds']);

/** What somebody who made all of this object owns of it. */
function everything(row: OwnedRow, shape: Shape, object: KubeObject): PathSet {
  const { added, modified } = compare(shape, emptyOf(row, shape), inflated(shape, asJson(object)));
  return recursiveDifference(difference(difference(union(added, modified), STRIPPED), NEVER_OWNED), resetsOf(row, ''));
}

/** An entry's set written out. */
function setOfEntry(row: OwnedRow, shape: Shape, object: KubeObject, { owned }: Entry): PathSet {
  const listed = reconciled(shape, owned.listed);
  return owned.all ? difference(everything(row, shape, object), listed) : difference(listed, STRIPPED);
}

/** The owners of a stored object. */
function ownersOf(row: OwnedRow, shape: Shape, object: KubeObject): Map<string, Owner> {
  const owners = new Map<string, Owner>();
  for (const one of entriesOf(ledgerOf(object))) {
    const { manager, operation, apiVersion, subresource, time } = one;
    const set = setOfEntry(row, shape, object, one);
    if (!isEmpty(set)) owners.set(ownerId(one), { manager, operation, apiVersion, subresource, time, set });
  }
  return owners;
}

/** The owners as a ledger; entries of the live object that own what they owned keep their form and place. */
function ledgerFrom(row: OwnedRow, shape: Shape, live: KubeObject | undefined, owners: Owners): Ledger {
  const left = new Map(owners);
  const entries: Entry[] = [];
  const before = live ? ledgerOf(live) : undefined;
  for (const one of entriesOf(before)) {
    const owner = left.get(ownerId(one));
    if (!owner) continue;
    left.delete(ownerId(one));
    const same = one.apiVersion === owner.apiVersion && equalSets(owner.set, setOfEntry(row, shape, live!, one));
    entries.push(same ? entryAt(one, owner.time) : entry(owner, { all: false, listed: owner.set }));
  }
  for (const owner of left.values()) entries.push(entry(owner, { all: false, listed: owner.set }));
  const ledger = ledgerWith(entries);
  return before && before.length === ledger.length && before.every((line, i) => line === ledger[i]) ? before : ledger;
}

// --- as people see it ----------------------------------------------------------------------------------

const views = new WeakMap<KubeObject, KubeObject>();

/** The object with `managedFields` in upstream's form, each set worked out when it is looked at. */
export function withManagedFields(row: OwnedRow, object: KubeObject): KubeObject {
  const ledger = ledgerOf(object);
  if (ledger === undefined || typeof ledger[0] !== 'string') return object;
  let view = views.get(object);
  if (!view) {
    const shape = shapeOfRow(row);
    const entries = [...entriesOf(ledger)].sort(byOrder).map((one) => entryShown(one, () => toFieldsV1(setOfEntry(row, shape, object, one))));
    view = { ...object, metadata: { ...object.metadata, managedFields: entries } };
    views.set(object, view);
  }
  return view;
}

function entryShown({ manager, operation, apiVersion, subresource, time }: Entry, fields: () => object): ManagedFieldsEntry {
  let known: object | undefined;
  return {
    manager,
    operation,
    apiVersion,
    ...(time ? { time } : {}),
    fieldsType: 'FieldsV1',
    get fieldsV1() {
      known ??= fields();
      return known;
    },
    ...(subresource ? { subresource } : {}),
  };
}

/** `sortEncodedManagedFields`. */
function byOrder(a: Entry, b: Entry): number {
  for (const key of ['operation', 'time', 'manager', 'apiVersion', 'subresource'] as const) if (a[key] !== b[key]) return a[key] < b[key] ? -1 : 1;
  return 0;
}

/** Reads `managedFields` as a request has them; undefined when they make no sense (`DecodeManagedFields`). */
function decoded(shape: Shape, fields: readonly ManagedFieldsEntry[]): Map<string, Owner> | undefined {
  const owners = new Map<string, Owner>();
  try {
    for (const { manager = '', operation, apiVersion = '', subresource = '', time = '', fieldsType, fieldsV1 } of fields) {
      if ((operation !== 'Apply' && operation !== 'Update') || apiVersion === '' || fieldsType !== 'FieldsV1') return undefined;
      const owner = { manager, operation, apiVersion, subresource, time, set: reconciled(shape, fromFieldsV1(fieldsV1 ?? {})) } as const;
      owners.set(ownerId(owner), owner);
    }
  } catch {
    return undefined;
  }
  return owners;
}

const isEmptyEntry = (one: ManagedFieldsEntry): boolean => Object.values(one).every((value) => value === undefined || value === '' || value === null);

/** Whom a write begins with: those the request names, if it does so properly; nobody when it says so; else those of the live object. */
function startingWith(row: OwnedRow, shape: Shape, live: KubeObject | undefined, next: KubeObject, subresource: string): Map<string, Owner> {
  const current = (): Map<string, Owner> => (live ? ownersOf(row, shape, live) : new Map());
  const given = next.metadata.managedFields as readonly (ManagedFieldsEntry | string)[] | undefined | null;
  if (subresource !== '' || !Array.isArray(given) || typeof given[0] === 'string') return current();
  if (given.length === 0 || (given.length === 1 && isEmptyEntry(given[0] as ManagedFieldsEntry))) return new Map();
  return decoded(shape, given as ManagedFieldsEntry[]) ?? current();
}

// --- writing -------------------------------------------------------------------------------------------

/** The object a create, a PUT or a patch wants, with the ledger it is to have. `live` is undefined for a create. */
export function ownedByUpdate(row: OwnedRow, live: KubeObject | undefined, next: KubeObject, writer: Writer, time: string): KubeObject {
  const shape = shapeOfRow(row);
  const owners = startingWith(row, shape, live, next, writer.subresource);
  // What nobody tracks yet is tracked from the first apply on (`skipNonAppliedManager`).
  if (live && owners.size === 0) return withLedger(next, undefined);
  const before = live ? inflated(shape, asJson(live)) : emptyOf(row, shape);
  const head = { manager: writer.manager || 'unknown', operation: 'Update' as const, apiVersion: writer.apiVersion, subresource: writer.subresource, time };
  const { owners: after } = update(shape, before, inflated(shape, asJson(next)), owners, head, resetsOf(row, writer.subresource));
  return withLedger(next, ledgerFrom(row, shape, live, capped(after)));
}

/** No more than ten updaters: the oldest become `ancient-changes` (`capManagersManager`). */
function capped(owners: Map<string, Owner>): Map<string, Owner> {
  const updaters = [...owners].filter(([, { operation }]) => operation === 'Update');
  if (updaters.length <= MOST_UPDATERS) return owners;
  updaters.sort(([aId, a], [bId, b]) => (a.time !== b.time ? (a.time < b.time ? -1 : 1) : aId < bId ? -1 : 1));
  const firsts = new Map<string, string>();
  let count = updaters.length;
  for (const [id, owner] of updaters) {
    if (count <= MOST_UPDATERS) break;
    const head = { manager: 'ancient-changes', operation: 'Update' as const, apiVersion: owner.apiVersion, subresource: '', time: owner.time };
    const bucket = ownerId(head);
    const first = firsts.get(owner.apiVersion);
    if (first === undefined) {
      firsts.set(owner.apiVersion, id);
      continue;
    }
    const held = owners.get(bucket) ?? owners.get(first)!;
    if (!owners.has(bucket)) owners.delete(first);
    owners.delete(id);
    owners.set(bucket, { ...head, set: union(owner.set, held.set) });
    count--;
  }
  return owners;
}

export interface Applied {
  readonly force: boolean;
  readonly time: string;
}

/**
 * Server-side apply: the object that `config` makes of `live` (undefined: of nothing), with its ledger. Throws 400 for a
 * configuration that cannot be one, 409 with every conflict, 500 (as upstream) for one that does not fit the schema.
 */
export function ownedByApply(row: OwnedRow, live: KubeObject | undefined, config: Json, writer: Writer, { force, time }: Applied): KubeObject {
  const apiVersion = apiVersionOf(row);
  const given = checkedConfig(config, apiVersion, row.kind);
  const shape = shapeOfRow(row);
  typedPatch(shape, given);
  const before = live ? inflated(shape, asJson(live)) : emptyOf(row, shape);
  let owners: Owners = live ? ownersOf(row, shape, live) : new Map();
  if (live && owners.size === 0) {
    const first = { manager: 'before-first-apply', operation: 'Update' as const, apiVersion, subresource: writer.subresource, time };
    owners = update(shape, emptyOf(row, shape), before, new Map(), first, resetsOf(row, writer.subresource)).owners;
  }
  const head = { ...writer, manager: writer.manager || 'unknown', operation: 'Apply' as const, time };
  const run = (forced: boolean) => apply(shape, before, given as unknown as Json, owners, head, resetsOf(row, writer.subresource), forced);
  let done: ReturnType<typeof apply>;
  try {
    done = run(force);
  } catch (error) {
    if (!(error instanceof Conflicts)) throw error;
    const left = writer.manager === 'kubectl' && live ? stillInConflict(shape, before, live, apiVersion, error.list) : error.list;
    if (left.length > 0) throw conflictError(left);
    done = run(true);
  }
  let object = (done.object ?? (live ? asJson(live) : before)) as unknown as KubeObject;
  if (done.object !== undefined && live) object = deflated(asJson(live), done.object) as unknown as KubeObject;
  if (writer.manager === 'kubectl' && object.metadata?.annotations?.[LAST_APPLIED]) {
    const annotations = { ...object.metadata.annotations, [LAST_APPLIED]: lastAppliedOf(given) };
    object = { ...object, metadata: { ...object.metadata, annotations } };
  }
  return withLedger(object, ledgerFrom(row, shape, live, done.owners));
}

const REPLICAS = ['f:spec', 'f:replicas'];
const REPLICAS_SET = setOf(REPLICAS);

/**
 * An apply to the scale of `live` made `next` of it: the applier owns the replicas. Throws 409 when others do and they change.
 * (apimachinery `managedfields/scalehandler.go`.) Here simplified: an applied Scale is taken to say its replicas.
 */
export function ownedByScaleApply(row: OwnedRow, live: KubeObject, next: KubeObject, writer: Writer, { force, time }: Applied): KubeObject {
  const shape = shapeOfRow(row);
  const replicas = (object: KubeObject) => (object as { readonly spec?: { readonly replicas?: number } }).spec?.replicas;
  const head = { ...writer, operation: 'Apply' as const, time };
  const self = ownerId(head);
  const owners = ownersOf(row, shape, live);
  if (replicas(live) !== replicas(next)) {
    const others = [...owners].filter(([id, { set }]) => id !== self && has(set, REPLICAS));
    if (others.length > 0 && !force)
      throw conflictError(others.map(([id, owner]) => ({ id, owner: { ...owner, apiVersion: 'autoscaling/v1' }, path: REPLICAS })));
    for (const [id, owner] of others) owners.set(id, { ...owner, set: difference(owner.set, REPLICAS_SET) });
  }
  owners.set(self, { ...head, set: union(owners.get(self)?.set ?? EMPTY, REPLICAS_SET) });
  return withLedger(next, ledgerFrom(row, shape, live, owners));
}

/** Structures that `inflated` put in and that are still empty go again. */
function deflated(live: Json, object: Json): Json {
  if (typeof live !== 'object' || typeof object !== 'object' || live === null || object === null || Array.isArray(live) || Array.isArray(object)) return object;
  const [was, is] = [live as Readonly<Record<string, Json>>, object as Readonly<Record<string, Json>>];
  const out: Record<string, Json> = {};
  let changed = false;
  for (const [name, value] of Object.entries(is)) {
    const before = was[name];
    if (before === undefined && typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0) {
      changed = true;
      continue;
    }
    out[name] = before === undefined ? value : deflated(before, value);
    changed ||= out[name] !== value;
  }
  return changed ? out : object;
}

function checkedConfig(config: Json, apiVersion: string, kind: string): KubeObject {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw badRequest('error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type map[string]interface {}');
  const given = config as unknown as KubeObject;
  if (given.apiVersion !== apiVersion || given.kind !== kind) throw badRequest(`invalid object type: ${gvkText(given)}`);
  if (given.metadata?.managedFields !== undefined && given.metadata.managedFields !== null) throw badRequest('metadata.managedFields must be nil');
  return given;
}

/** As Go prints a GroupVersionKind. */
const gvkText = ({ apiVersion = '', kind = '' }: Partial<KubeObject>): string => `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;

function typedPatch(shape: Shape, given: KubeObject): void {
  try {
    validateShape(shape, given as unknown as Json);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const { namespace = '', name = '' } = given.metadata ?? {};
    throw failure(500, '', `failed to create typed patch object (${namespace}/${name}; ${gvkText(given)}): ${error.message}`);
  }
}

/**
 * What remains of the conflicts when kubectl takes over what it applied itself, on the client's side, before: what its
 * annotation says and the live object still has (`lastAppliedManager`).
 */
function stillInConflict(shape: Shape, before: Json, live: KubeObject, apiVersion: string, conflicts: readonly Conflict[]): readonly Conflict[] {
  const text = live.metadata.annotations?.[LAST_APPLIED];
  if (!text) return conflicts;
  let last: Json;
  try {
    last = JSON.parse(text) as Json;
    validateShape(shape, last);
  } catch {
    return conflicts;
  }
  if ((last as { apiVersion?: string }).apiVersion !== apiVersion) return conflicts;
  const { added, modified, removed } = compare(shape, last, before);
  const allowed = difference(difference(difference(fieldSet(shape, last), modified), added), removed);
  return conflicts.filter(({ path }) => !has(allowed, path));
}

/** What the annotation of client-side apply says after kubectl applied on the server (`lastAppliedUpdater`). */
function lastAppliedOf(given: KubeObject): string {
  const { annotations } = given.metadata ?? {};
  let bare = given;
  if (annotations?.[LAST_APPLIED] !== undefined) {
    const { [LAST_APPLIED]: _, ...rest } = annotations;
    bare = { ...given, metadata: { ...given.metadata, annotations: rest } };
  }
  return `${sortedJson(bare)}\n`;
}
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function conflictError(conflicts: readonly Conflict[]): ApiError {
  const causes = conflicts.map(({ owner, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${ownerText(owner)}`, field: pathText(path) }));
  return failure(409, 'Conflict', conflictText(conflicts), { causes });
}

function conflictText(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first) return `Apply failed with 1 conflict: conflict with ${ownerText(first.owner)}: ${pathText(first.path)}`;
  const lines: string[] = [];
  let last = '';
  for (const { id, owner, path } of conflicts) {
    if (id !== last) lines.push(`conflicts with ${ownerText(owner)}:`);
    last = id;
    lines.push(`- ${pathText(path)}`);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

const ownerText = ({ manager, operation, apiVersion, subresource }: Owner): string =>
  `${JSON.stringify(manager)}${subresource ? ` with subresource ${JSON.stringify(subresource)}` : ''}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
