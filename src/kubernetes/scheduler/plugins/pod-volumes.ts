/** The claims a pod uses, as every volume plugin asks for them (upstream `podHasPVCs`, component-helpers/storage/ephemeral). */
import type { DeepReadonly } from '../../api/json.ts';
import type { Kind, Pod } from '../../api/types.gen.ts';

type P = DeepReadonly<Pod>;

export interface PodClaim {
  readonly name: string;
  readonly key: string;
  /** Made for this pod alone, and to be owned by it. */
  readonly ephemeral: boolean;
}

export const claimsOf = (pod: P): readonly PodClaim[] =>
  (pod.spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claim = persistentVolumeClaim?.claimName ?? (ephemeral ? `${pod.metadata.name}-${name}` : undefined);
    return claim === undefined ? [] : [{ name: claim, key: `${pod.metadata.namespace}/${claim}`, ephemeral: persistentVolumeClaim === undefined }];
  });

export const usesClaims = (pod: P): boolean => (pod.spec?.volumes ?? []).some((volume) => volume.persistentVolumeClaim || volume.ephemeral);

const STORAGE: readonly Kind[] = ['PersistentVolumeClaim', 'PersistentVolume', 'StorageClass'];

/** What a plugin must know to judge a pod's claims; nothing for a pod without. */
export const storageFor = (pod: P): readonly Kind[] => (usesClaims(pod) ? STORAGE : []);
