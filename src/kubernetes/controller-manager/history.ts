/**
 * The history of StatefulSets and DaemonSets: a ControllerRevision for every template a workload ever had, named by
 * its content, numbered by when it was last wanted (pkg/controller/history/controller_history.go).
 */
import { canonicalJson, fnv32a, safeEncode } from '../api/hash.ts';
import type { DeepReadonly } from '../api/json.ts';
import { type KubeObject, keyOf, type ObjectMeta } from '../api/meta.ts';
import { newControllerRef } from '../api/owner.ts';
import type { PodTemplateSpec } from '../api/types.gen.ts';
import { isAlreadyExists, isNotFound } from '../client/retry.ts';
import { claim } from './claim.ts';
import type { Context } from './controller.ts';
import { equal } from './json-equal.ts';

/** A ControllerRevision; its `data` is any JSON, the deeply read-only type of which is endless. */
export interface Revision {
  readonly metadata: DeepReadonly<ObjectMeta>;
  readonly data?: unknown;
  readonly revision: number;
}

export interface Workload extends DeepReadonly<KubeObject> {
  readonly spec?: { readonly template?: DeepReadonly<PodTemplateSpec> } | undefined;
}

/** Added to what a workload's template says: the hash of a revision's content. */
const HASH_LABEL = 'controller.kubernetes.io/hash';
/** Names of objects end here less the hash (`ControllerRevisionName`). */
const LONGEST_PREFIX = 223;

/** Oldest first; of equal numbers the one made first, then by name (`byRevision`). */
export const byRevision = (a: Revision, b: Revision): number => {
  if (a.revision !== b.revision) return a.revision - b.revision;
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (x !== y) return x < y ? -1 : 1;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
};

/** The patch that brings a template back: what a revision stores (`getPatch`). */
export const patchOf = (template: DeepReadonly<PodTemplateSpec> | undefined): unknown => ({ spec: { template: { ...template, $patch: 'replace' } } });

/** The template a revision stores. */
export function templateOf(revision: Revision): DeepReadonly<PodTemplateSpec> {
  const { $patch: _, ...template } = (revision.data as { spec: { template: Record<string, unknown> } }).spec.template;
  return template as unknown as DeepReadonly<PodTemplateSpec>;
}

export const nextNumber = (sorted: readonly Revision[]): number => (sorted.at(-1)?.revision ?? 0) + 1;

/** `web-5d4b…`: the hash is of the data and, after collisions, of their number. */
const nameOf = (owner: string, hash: string): string => `${owner.slice(0, LONGEST_PREFIX)}-${hash}`;
const hashOf = (data: unknown, collisions: number): string => safeEncode(String(fnv32a(canonicalJson(data) + (collisions > 0 ? `/${collisions}` : ''))));

/** Those that are the workload's, adopting what nobody owns and the selector matches; oldest first. */
export async function revisionsOf(
  context: Context,
  owner: Workload,
  matches: (labels: DeepReadonly<Record<string, string>> | undefined) => boolean,
): Promise<readonly Revision[]> {
  const all = context.informer('ControllerRevision').list(owner.metadata.namespace);
  const mine = await claim(context, owner, 'ControllerRevision', all as never, ({ metadata }) => matches(metadata.labels));
  return [...(mine as unknown as readonly Revision[])].sort(byRevision);
}

/**
 * Makes the revision of the present template. A name that is taken by other content counts as a collision, and the
 * hash is drawn anew. Answers also the number of collisions so far.
 */
export async function createRevision(
  { client }: Context,
  owner: Workload,
  revision: number,
  collisionsBefore: number,
): Promise<{ readonly revision: Revision; readonly collisions: number }> {
  const data = patchOf(owner.spec?.template);
  for (let collisions = collisionsBefore; ; collisions++) {
    const hash = hashOf(data, collisions);
    const made = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: nameOf(owner.metadata.name ?? '', hash),
        ...(owner.metadata.namespace ? { namespace: owner.metadata.namespace } : {}),
        labels: { ...owner.spec?.template?.metadata?.labels, [HASH_LABEL]: hash },
        ...(owner.metadata.annotations ? { annotations: owner.metadata.annotations } : {}),
        ownerReferences: [newControllerRef(owner)],
      },
      data,
      revision,
    };
    try {
      return { revision: (await client.of('ControllerRevision').create(made as never)) as unknown as Revision, collisions };
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const there = (await client.of('ControllerRevision').get(keyOf(made as never))) as unknown as Revision;
      if (equal(there.data, data)) return { revision: there, collisions };
    }
  }
}

/** Gives a revision that is wanted again the newest number (`UpdateControllerRevision`). */
export async function renumber({ client }: Context, old: Revision, revision: number): Promise<Revision> {
  if (old.revision === revision) return old;
  return (await client.of('ControllerRevision').update({ ...old, revision } as never)) as unknown as Revision;
}

/** Removes the oldest of those nobody needs, so many that `limit` are left (`truncateHistory`). */
export async function truncate({ client }: Context, unused: readonly Revision[], limit: number): Promise<void> {
  for (const old of unused.slice(0, Math.max(0, unused.length - limit))) {
    try {
      await client.of('ControllerRevision').delete(keyOf(old));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
