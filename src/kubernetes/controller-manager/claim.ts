/**
 * Who belongs to whom (ControllerRefManager): a controller adopts what nobody owns and its selector
 * matches, and releases what it owns but no longer matches.
 */
import type { DeepReadonly } from '../api/json.ts';
import { type KubeObject, keyOf } from '../api/meta.ts';
import { controllerOf, newControllerRef } from '../api/owner.ts';
import type { Kinds } from '../api/types.gen.ts';
import { isNotFound } from '../client/retry.ts';
import type { Context } from './controller.ts';

/**
 * Those of `candidates` that belong to `owner`, after adopting and releasing. Rejects when a patch fails. What is
 * adopted gets `finalizer`, if there is one, and what is released loses it.
 *
 * Here simplified: a merge patch of all ownerReferences guarded by the resourceVersion, where upstream
 * sends a strategic merge patch guarded by the uid.
 */
export async function claim<K extends 'Pod' | 'ReplicaSet' | 'ControllerRevision'>(
  { client }: Context,
  owner: DeepReadonly<KubeObject>,
  kind: K,
  candidates: readonly DeepReadonly<Kinds[K]>[],
  matches: (object: DeepReadonly<Kinds[K]>) => boolean,
  finalizer?: string,
): Promise<readonly DeepReadonly<Kinds[K]>[]> {
  const mine: DeepReadonly<Kinds[K]>[] = [];
  for (const object of candidates) {
    const { metadata } = object as DeepReadonly<KubeObject>;
    const reference = controllerOf({ metadata });
    if (reference && reference.uid !== owner.metadata.uid) continue;
    const fits = matches(object);
    if (reference && fits) mine.push(object);
    else if (reference ? owner.metadata.deletionTimestamp : !fits || owner.metadata.deletionTimestamp || metadata.deletionTimestamp) continue;
    else {
      const others = (metadata.ownerReferences ?? []).filter((other) => other.uid !== owner.metadata.uid);
      const ownerReferences = reference ? others : [...others, newControllerRef(owner)];
      const kept = (metadata.finalizers ?? []).filter((name) => name !== finalizer);
      const finalizers = finalizer === undefined ? {} : { finalizers: reference ? kept : [...kept, finalizer] };
      try {
        const patched = await client
          .of(kind)
          .patch(
            keyOf({ metadata }),
            { metadata: { resourceVersion: metadata.resourceVersion, ownerReferences: ownerReferences.map((r) => ({ ...r })), ...finalizers } },
            'merge',
          );
        if (!reference) mine.push(patched);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }
  return mine;
}
