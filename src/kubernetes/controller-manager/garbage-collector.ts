/**
 * Deletes what nobody owns any more (pkg/controller/garbagecollector). From the ownerReferences of every
 * object of every kind it keeps a graph; when an owner goes, its dependents follow.
 *
 * Three ways an owner can go: *background* (the owner first, dependents after), *foreground* (the owner
 * waits, with finalizer `foregroundDeletion`, for dependents that block it), *orphan* (with finalizer
 * `orphan`: dependents lose the reference and stay).
 *
 * Woken by: every change of every object that can be deleted, except Events.
 */
import type { DeepReadonly, Json } from '../api/json.ts';
import { type Key, type KubeObject, keyOf, type OwnerReference } from '../api/meta.ts';
import { type ResourceRow, SERVED, splitApiVersion } from '../api/resources.ts';
import { createResource, type DeleteOptions, type Informer, type Resource } from '../client/client.ts';
import { informerOn } from '../client/informer.ts';
import { isNotFound, messageOf } from '../client/retry.ts';
import { createWorkqueue } from '../client/workqueue.ts';
import { runnable } from './controller.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';
const WORKERS = 20;

type Any = DeepReadonly<KubeObject>;

/** Kinds that are watched: one row for each stored kind. */
const WATCHED: readonly ResourceRow[] = SERVED.filter(
  (row, i) =>
    row.prefix !== '' &&
    row.verbs.includes('list') &&
    row.verbs.includes('watch') &&
    row.verbs.includes('delete') &&
    row.kind !== 'Event' &&
    SERVED.findIndex((other) => other.prefix === row.prefix) === i,
);

/** An object of the graph; virtual while only known from a reference to it. */
interface GraphNode {
  readonly uid: string;
  readonly row: ResourceRow;
  readonly key: Key;
  object: Any | undefined;
  owners: readonly DeepReadonly<OwnerReference>[];
  readonly dependents: Set<GraphNode>;
}

const NOBODY: readonly DeepReadonly<OwnerReference>[] = [];

const areSame = (now: readonly DeepReadonly<OwnerReference>[], before: readonly DeepReadonly<OwnerReference>[]): boolean =>
  now.length === before.length && now.every((owner, i) => owner.uid === before[i]!.uid && owner.blockOwnerDeletion === before[i]!.blockOwnerDeletion);

export const garbageCollector = runnable('generic-garbage-collector', async (context) => {
  const { self, informer, client } = context;
  const graph = new Map<string, GraphNode>();
  /** Uids that a look at the API server found gone; bounded like upstream's absentOwnerCache. */
  const absent = new Set<string>();
  const toDelete = createWorkqueue(self, 'garbage_collector_attempt_to_delete');
  const toOrphan = createWorkqueue(self, 'garbage_collector_attempt_to_orphan');

  /** Kinds that are watched now: those of every cluster, and those that definitions bring. */
  let watched = WATCHED;
  const custom = new Map<string, { readonly row: ResourceRow; readonly resource: Resource<KubeObject>; stop(): void }>();
  const resourceOf = (row: ResourceRow) => custom.get(row.type)?.resource ?? (client.of(row.type as 'Pod') as unknown as Resource<KubeObject>);

  const nodeFor = (reference: DeepReadonly<OwnerReference>, namespace: string): GraphNode | undefined => {
    const known = graph.get(reference.uid);
    if (known) return known;
    const { group } = splitApiVersion(reference.apiVersion);
    const row = watched.find((candidate) => candidate.group === group && candidate.kind === reference.kind);
    if (!row) return undefined;
    const key = row.namespaced ? `${namespace}/${reference.name}` : reference.name;
    const node: GraphNode = { uid: reference.uid, row, key, object: undefined, owners: [], dependents: new Set() };
    graph.set(reference.uid, node);
    // Known only by hearsay: a look will tell whether it exists.
    toDelete.add(reference.uid);
    return node;
  };

  const link = (node: GraphNode, owners: readonly DeepReadonly<OwnerReference>[]) => {
    const namespace = node.object?.metadata.namespace ?? '';
    const now = new Set(owners.map((owner) => owner.uid));
    for (const owner of node.owners) if (!now.has(owner.uid)) graph.get(owner.uid)?.dependents.delete(node);
    for (const owner of owners) nodeFor(owner, namespace)?.dependents.add(node);
    node.owners = owners;
  };

  const changed = (row: ResourceRow, object: Any) => {
    const uid = object.metadata.uid ?? '';
    let node = graph.get(uid);
    if (!node) {
      node = { uid, row, key: keyOf(object), object, owners: [], dependents: new Set() };
      graph.set(uid, node);
    }
    const before = node.object;
    node.object = object;
    absent.delete(uid);
    const owners = object.metadata.ownerReferences ?? NOBODY;
    if (owners !== node.owners) {
      // Of most changes the owners are the same, read anew: the graph stands.
      if (areSame(owners, node.owners) && owners.every((owner) => graph.has(owner.uid))) node.owners = owners;
      else {
        const lost = node.owners.some((owner) => owner.blockOwnerDeletion && !owners.some((other) => other.uid === owner.uid && other.blockOwnerDeletion));
        const previous = node.owners;
        link(node, owners);
        if (lost) for (const owner of previous) wakeForeground(owner.uid);
      }
      if (owners.some((owner) => absent.has(owner.uid) || graph.get(owner.uid)?.object?.metadata.deletionTimestamp)) toDelete.add(uid);
    }
    if (object.metadata.deletionTimestamp && !(before?.metadata.deletionTimestamp && before.metadata.finalizers === object.metadata.finalizers)) {
      if (object.metadata.finalizers?.includes(ORPHAN)) toOrphan.add(uid);
      if (object.metadata.finalizers?.includes(FOREGROUND)) {
        for (const dependent of node.dependents) toDelete.add(dependent.uid);
        toDelete.add(uid);
      }
    }
  };

  const wakeForeground = (uid: string) => {
    if (graph.get(uid)?.object?.metadata.finalizers?.includes(FOREGROUND)) toDelete.add(uid);
  };

  const gone = (uid: string) => {
    const node = graph.get(uid);
    if (!node) return;
    graph.delete(uid);
    link(node, []);
    if (node.dependents.size > 0) remember(absent, uid);
    for (const dependent of node.dependents) toDelete.add(dependent.uid);
    for (const owner of node.object?.metadata.ownerReferences ?? []) wakeForeground(owner.uid);
  };

  for (const row of WATCHED) {
    // Every kind is watched alike; the type of one stands for all.
    informer(row.type as 'Pod').onChange(({ before, after }) => {
      if (after) changed(row, after as unknown as Any);
      else gone((before as unknown as Any).metadata.uid ?? '');
    });
  }
  for (const row of WATCHED) await informer(row.type as 'Pod').synced();
  // Upstream asks discovery every 30 s what there is to watch; a definition says it itself.
  followDefinitions(informer('CustomResourceDefinition' as 'Pod') as unknown as Informer<KubeObject>, (name, row) => {
    custom.get(name)?.stop();
    custom.delete(name);
    if (row) {
      const resource = createResource<KubeObject>(client.request, row.type, row);
      const objects = informerOn(self, resource, row.type);
      objects.onChange(({ before, after }) => {
        if (after) changed(row, after as Any);
        else gone((before as Any).metadata.uid ?? '');
      });
      custom.set(name, { row, resource, stop: () => objects.stop() });
    }
    watched = [...WATCHED, ...[...custom.values()].map((each) => each.row)];
  });

  /** Does the owner of that very uid exist? */
  const ownerOf = async (reference: DeepReadonly<OwnerReference>, namespace: string): Promise<Any | undefined> => {
    if (absent.has(reference.uid)) return undefined;
    const node = graph.get(reference.uid);
    if (node?.object) return node.object;
    const { group } = splitApiVersion(reference.apiVersion);
    const row = watched.find((candidate) => candidate.group === group && candidate.kind === reference.kind);
    // A kind that is not served cannot be judged: the dependent is left alone.
    if (!row) throw new Error(`unable to get REST mapping for ${reference.apiVersion}/${reference.kind}.`);
    try {
      const found = await resourceOf(row).get(row.namespaced ? `${namespace}/${reference.name}` : reference.name);
      if (found.metadata.uid === reference.uid) return found;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    remember(absent, reference.uid);
    return undefined;
  };

  const attemptToDelete = async (uid: string): Promise<void> => {
    const node = graph.get(uid);
    if (!node) return;
    if (!node.object) {
      // Heard of, never seen.
      try {
        const found = await resourceOf(node.row).get(node.key);
        if (found.metadata.uid === uid) return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      if (!node.object) {
        remember(absent, uid);
        gone(uid);
      }
      return;
    }
    const deleting = isDeletingDependents(node.object);
    if (node.object.metadata.deletionTimestamp && !deleting) return;
    let latest: Any;
    try {
      latest = await resourceOf(node.row).get(node.key);
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    if (latest.metadata.uid !== uid) return;
    if (isDeletingDependents(latest)) {
      const blocking = [...node.dependents].filter((dependent) => dependent.owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion));
      if (blocking.length === 0) await removeFinalizer(node.row, latest, FOREGROUND);
      else for (const dependent of blocking) if (!(dependent.object && isDeletingDependents(dependent.object))) toDelete.add(dependent.uid);
      return;
    }
    const references = latest.metadata.ownerReferences ?? [];
    if (references.length === 0) return;
    const owners = await Promise.all(references.map((reference) => ownerOf(reference, latest.metadata.namespace ?? '')));
    const verdict = judge(latest, references, owners, node.dependents.size > 0);
    self.trace.emit('gc.verdict', `${node.row.kind}/${node.key}`, { verdict: verdict.what });
    if (verdict.what === 'keep') {
      if (verdict.references.length < references.length)
        await resourceOf(node.row).patch(
          node.key,
          { metadata: { resourceVersion: latest.metadata.resourceVersion, ownerReferences: verdict.references as unknown as Json } },
          'merge',
        );
      return;
    }
    const options: DeleteOptions = { propagationPolicy: verdict.policy, preconditions: { uid } };
    try {
      await resourceOf(node.row).delete(node.key, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  const attemptToOrphan = async (uid: string): Promise<void> => {
    const node = graph.get(uid);
    if (!node?.object) return;
    for (const dependent of [...node.dependents]) {
      const object = dependent.object;
      if (!object) continue;
      const ownerReferences = (object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
      try {
        await resourceOf(dependent.row).patch(
          dependent.key,
          { metadata: { resourceVersion: object.metadata.resourceVersion, ownerReferences: ownerReferences as unknown as Json } },
          'merge',
        );
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const latest = await resourceOf(node.row).get(node.key);
    await removeFinalizer(node.row, latest, ORPHAN);
  };

  const removeFinalizer = async (row: ResourceRow, object: Any, finalizer: string): Promise<void> => {
    const finalizers = (object.metadata.finalizers ?? []).filter((other) => other !== finalizer);
    try {
      await resourceOf(row).patch(keyOf(object), { metadata: { resourceVersion: object.metadata.resourceVersion, finalizers } }, 'merge');
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  const work = async (queue: typeof toDelete, attempt: (uid: string) => Promise<void>): Promise<never> => {
    for (;;) {
      const uid = await queue.get();
      try {
        await attempt(uid);
        queue.forget(uid);
      } catch (error) {
        self.trace.chatter('gc.error', '', { uid, error: messageOf(error) });
        queue.addRateLimited(uid);
      }
      queue.done(uid);
    }
  };
  await Promise.all([
    ...Array.from({ length: WORKERS }, () => work(toDelete, attemptToDelete)),
    ...Array.from({ length: WORKERS }, () => work(toOrphan, attemptToOrphan)),
  ]);
});

interface DefinitionLike extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly plural: string; readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served?: boolean; readonly storage?: boolean }[];
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Tells which row each established definition is watched by, under the row's type; undefined when it goes. */
function followDefinitions(definitions: Informer<KubeObject>, tell: (type: string, row: ResourceRow | undefined) => void): void {
  const told = new Map<string, string>();
  definitions.onChange(({ before, after }) => {
    const { metadata, spec, status } = (after ?? before) as unknown as DefinitionLike;
    const name = metadata.name ?? '';
    const version = spec.versions.find((each) => each.storage && each.served) ?? spec.versions.find((each) => each.served);
    const established = status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') ?? false;
    const type = after && established && version ? `${name}/${version.name}` : undefined;
    const had = told.get(name);
    if (had === type) return;
    if (had !== undefined) tell(had, undefined);
    told.delete(name);
    if (type === undefined) return;
    told.set(name, type);
    const { plural, kind } = spec.names;
    tell(type, {
      ...WATCHED[0]!,
      type: type as ResourceRow['type'],
      group: spec.group,
      version: version!.name,
      kind,
      plural,
      namespaced: spec.scope === 'Namespaced',
    });
  });
}

type Policy = 'Foreground' | 'Background' | 'Orphan';
type Verdict = { readonly what: 'keep'; readonly references: readonly DeepReadonly<OwnerReference>[] } | { readonly what: 'delete'; readonly policy: Policy };

/**
 * What becomes of an object given what its references point at (`attemptToDeleteItem`): one owner that
 * exists and is not waiting for its dependents' end keeps it, and the other references are dropped.
 */
export function judge(object: Any, references: readonly DeepReadonly<OwnerReference>[], owners: readonly (Any | undefined)[], hasDependents: boolean): Verdict {
  const solid = references.filter((_, i) => owners[i] && !isDeletingDependents(owners[i]!));
  if (solid.length > 0) return { what: 'keep', references: solid };
  const waiting = owners.some((owner) => owner && isDeletingDependents(owner));
  if (waiting && hasDependents) return { what: 'delete', policy: 'Foreground' };
  const finalizers = object.metadata.finalizers ?? [];
  return { what: 'delete', policy: finalizers.includes(ORPHAN) ? 'Orphan' : finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background' };
}

const isDeletingDependents = (object: Any): boolean => !!object.metadata.deletionTimestamp && (object.metadata.finalizers ?? []).includes(FOREGROUND);

function remember(set: Set<string>, uid: string): void {
  set.add(uid);
  if (set.size <= 500) return;
  for (const oldest of set) {
    set.delete(oldest);
    break;
  }
}
