/**
 * Deleting a namespace deletes what is in it: pods first and alone (KEP-5080, OrderedNamespaceDeletion), then
 * everything else, kind by kind; only when nothing remains does the namespace lose its finalizer
 * `kubernetes`, and with it itself. Conditions say what it waits for (pkg/controller/namespace).
 *
 * Woken by: namespaces that are terminating; again by time, since finalizers and grace periods take some.
 */
import { type Duration, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { ApiError, type Status } from '../api/request.ts';
import { collectionPath, type ResourceRow, SERVED } from '../api/resources.ts';
import { instantOf, timestamp } from '../api/time.ts';
import type { Kind, Namespace, NamespaceCondition, Pod } from '../api/types.gen.ts';
import { isNotFound, messageOf } from '../client/retry.ts';
import { type Context, reconciler } from './controller.ts';
import { equal } from './json-equal.ts';

/** Other API servers may not yet know that the namespace is closing: what they still let in would be missed. */
const DELETION_GRACE = seconds(5);
/** How long a thing with a finalizer may take. */
const FINALIZER_ESTIMATE = 15;

export const namespaceController = reconciler({
  name: 'namespace-controller',
  for: 'Namespace',
  workers: 10,

  async reconcile(namespace, context) {
    const deletedAt = instantOf(namespace.metadata.deletionTimestamp);
    if (deletedAt === undefined || !namespace.spec?.finalizers?.includes('kubernetes')) return undefined;
    const early = deletedAt + DELETION_GRACE - context.now();
    if (early > 0) return { again: early };
    const name = namespace.metadata.name ?? '';

    const remains = await deleteContent(name, context);
    const conditions = conditionsOf(namespace, remains, context.now());
    let latest = namespace;
    if (!equal(conditions, namespace.status?.conditions ?? [])) {
      const { resourceVersion: _, ...metadata } = namespace.metadata;
      latest = await context.client.of('Namespace').updateStatus({ ...namespace, metadata, status: { ...namespace.status, conditions } });
    }
    if (remains.errors.length > 0) throw new Error(remains.errors.join(', '));
    if (remains.estimate > 0) return { again: seconds(Math.floor(remains.estimate / 2) + 1) as Duration };
    await finalize(latest, context);
    return undefined;
  },
});

interface Remains {
  /** Resource to how many are left. */
  readonly counts: ReadonlyMap<string, number>;
  readonly finalizers: ReadonlyMap<string, number>;
  readonly errors: readonly string[];
  /** Seconds until it is worth looking again; 0: nothing is left. */
  readonly estimate: number;
}

const CONTENT: readonly ResourceRow[] = SERVED.filter(
  (row, i) => row.namespaced && row.prefix !== '' && row.verbs.includes('deletecollection') && SERVED.findIndex((other) => other.prefix === row.prefix) === i,
);

async function deleteContent(namespace: string, context: Context): Promise<Remains> {
  const counts = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const errors: string[] = [];
  let estimate = 0;
  const clear = async (row: ResourceRow): Promise<void> => {
    try {
      const left = await clearKind(row, namespace, context);
      if (left.length === 0) return;
      // As upstream prints it, with the dot even where there is no group: "pods. has 2 resource instances".
      counts.set(`${row.plural}.${row.group}`, left.length);
      for (const { metadata } of left) for (const finalizer of metadata.finalizers ?? []) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
      estimate = Math.max(
        estimate,
        row.kind === 'Pod' ? Math.max(1, ...left.map((pod) => (pod as DeepReadonly<Pod>).spec?.terminationGracePeriodSeconds ?? 0)) : FINALIZER_ESTIMATE,
      );
    } catch (error) {
      errors.push(messageOf(error));
    }
  };
  const custom = await customContent(context);
  const pods = CONTENT.find((row) => row.kind === 'Pod' && row.group === '');
  if (pods) await clear(pods);
  if (estimate === 0 && errors.length === 0) for (const row of [...CONTENT, ...custom]) if (row !== pods) await clear(row);
  return { counts, finalizers, errors, estimate };
}

interface DefinitionLike {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly plural: string; readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean; readonly storage: boolean }[];
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** The kinds that definitions bring. Here simplified: upstream reads them from discovery, which takes the server longer to make. */
async function customContent({ client }: Context): Promise<readonly ResourceRow[]> {
  // The type of a definition contains itself; of it only this is looked at.
  const definitions = (client.of('CustomResourceDefinition') as unknown as { list(): Promise<{ readonly items: readonly DefinitionLike[] }> }).list();
  return (await definitions).items.flatMap(({ spec, status }) => {
    const version = spec.versions.find(({ storage, served }) => storage && served) ?? spec.versions.find(({ served }) => served);
    const established = status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') ?? false;
    if (spec.scope !== 'Namespaced' || !version || !established) return [];
    const { plural, kind } = spec.names;
    return [{ ...CONTENT[0]!, type: kind as Kind, group: spec.group, version: version.name, kind, plural }];
  });
}

/** Deletes all of a kind in a namespace; answers what is still there. */
async function clearKind(row: ResourceRow, namespace: string, { client }: Context): Promise<readonly DeepReadonly<Namespace>[]> {
  const path = collectionPath(row, namespace);
  const ask = async (method: 'GET' | 'DELETE') => {
    const answer = await client.request({
      method,
      path,
      query: {},
      headers: method === 'DELETE' ? { 'content-type': 'application/json' } : {},
      ...(method === 'DELETE' ? { body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' } } : {}),
    });
    if (answer.status === 404 || answer.status === 405) return [];
    if (answer.status >= 400) throw new ApiError(answer.body as unknown as Status);
    return (answer.body as unknown as { items?: readonly DeepReadonly<Namespace>[] }).items ?? [];
  };
  if ((await ask('GET')).length === 0) return [];
  await ask('DELETE');
  return ask('GET');
}

/** Namespace conditions tell what deletion waits for (namespacedDeletion, status_condition_utils.go). */
export function conditionsOf(namespace: DeepReadonly<Namespace>, remains: Remains, now: number): readonly DeepReadonly<NamespaceCondition>[] {
  const list = (map: ReadonlyMap<string, number>, text: (key: string, n: number) => string) =>
    [...map]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, n]) => text(key, n))
      .join(', ');
  const say = (type: string, failed: boolean, [good, goodMessage]: readonly [string, string], [bad, badMessage]: readonly [string, string]) => {
    const known = namespace.status?.conditions?.find((condition) => condition.type === type);
    const [status, reason, message] = failed ? ['True', bad, badMessage] : ['False', good, goodMessage];
    const same = known?.status === status && known?.reason === reason && known?.message === message;
    return same && known ? known : { type, status, reason, message, lastTransitionTime: timestamp(now) };
  };
  return [
    say('NamespaceDeletionDiscoveryFailure', false, ['ResourcesDiscovered', 'All resources successfully discovered'], ['DiscoveryFailed', '']),
    say(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
      ['GroupVersionParsingFailed', ''],
    ),
    say(
      'NamespaceDeletionContentFailure',
      remains.errors.length > 0,
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
      ['ContentDeletionFailed', `Failed to delete all resource types, ${remains.errors.length} remaining: ${remains.errors.join(', ')}`],
    ),
    say(
      'NamespaceContentRemaining',
      remains.counts.size > 0,
      ['ContentRemoved', 'All content successfully removed'],
      ['SomeResourcesRemain', `Some resources are remaining: ${list(remains.counts, (key, n) => `${key} has ${n} resource instances`)}`],
    ),
    say(
      'NamespaceFinalizersRemaining',
      remains.finalizers.size > 0,
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
      [
        'SomeFinalizersRemain',
        `Some content in the namespace has finalizers remaining: ${list(remains.finalizers, (key, n) => `${key} in ${n} resource instances`)}`,
      ],
    ),
  ];
}

async function finalize(namespace: DeepReadonly<Namespace>, { client }: Context): Promise<void> {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== 'kubernetes');
  const { resourceVersion: _, ...metadata } = namespace.metadata;
  const answer = await client.request({
    method: 'PUT',
    path: `/api/v1/namespaces/${namespace.metadata.name}/finalize`,
    query: {},
    headers: { 'content-type': 'application/json' },
    body: { ...namespace, metadata, spec: { ...namespace.spec, finalizers } } as never,
    typed: true,
  });
  if (answer.status < 400) return;
  const error = new ApiError(answer.body as unknown as Status);
  if (!isNotFound(error)) throw error;
}
