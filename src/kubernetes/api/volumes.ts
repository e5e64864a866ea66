/**
 * Claims and volumes, as the binder, the scheduler and provisioners judge them alike (component-helpers/storage/volume,
 * component-helpers/scheduling/corev1/nodeaffinity). Pure.
 */
import type { DeepReadonly } from './json.ts';
import { meets } from './node-affinity.ts';
import { compareQuantities } from './quantity.ts';
import { selectorOf } from './selector.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from './types.gen.ts';

export type Volume = DeepReadonly<PersistentVolume>;
export type Claim = DeepReadonly<PersistentVolumeClaim>;
export type Class = DeepReadonly<StorageClass>;

/** On a claim: the binding is complete. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
/** On a claim or a volume: the binder chose the other side, not a person. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
/** On a volume: who made it. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
/** On a claim: who is to make its volume; the older name is still written. */
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
export const BETA_STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';
/** On a claim: where the scheduler wants its volume. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
/** A class of volumes made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';
const LEGACY_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** The class a claim or volume names: the annotation is older than the field and wins; '' for none. */
export const classOf = ({ metadata, spec }: Claim | Volume): string => metadata.annotations?.[LEGACY_CLASS] ?? spec?.storageClassName ?? '';
/** Whether a claim says anything about its class: only one that does not gets the default. */
export const namesClass = ({ metadata, spec }: Claim): boolean => metadata.annotations?.[LEGACY_CLASS] !== undefined || spec?.storageClassName !== undefined;

export const claimKey = (volume: Volume): string => `${volume.spec?.claimRef?.namespace}/${volume.spec?.claimRef?.name}`;
export const requestOf = ({ spec }: Claim): string => (spec?.resources?.requests?.['storage'] as string | undefined) ?? '0';
export const capacityOf = ({ spec }: Volume): string => (spec?.capacity?.['storage'] as string | undefined) ?? '0';

/** Whether a volume is bound to this claim, or kept for one of its name. */
export function isBoundTo(volume: Volume, claim: Claim): boolean {
  const reference = volume.spec?.claimRef;
  if (!reference || reference.name !== claim.metadata.name || reference.namespace !== claim.metadata.namespace) return false;
  return !reference.uid || reference.uid === claim.metadata.uid;
}

/** Bound, and the binder has finished. */
export const isFullyBound = ({ metadata, spec }: Claim): boolean => Boolean(spec?.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined;

/** Whether the volume waits for a pod to be scheduled: WaitForFirstConsumer. */
export const isDelayed = (storage: Class | undefined): boolean => storage?.volumeBindingMode === 'WaitForFirstConsumer';

/** Whether a node may reach a volume, by the volume's node affinity. */
export const fitsVolume = (volume: Volume, labels: DeepReadonly<Record<string, string>> | undefined): boolean =>
  volume.spec?.nodeAffinity?.required?.nodeSelectorTerms.some(
    ({ matchExpressions = [], matchFields = [] }) =>
      matchExpressions.length > 0 && matchFields.length === 0 && matchExpressions.every((requirement) => meets(requirement, labels?.[requirement.key])),
  ) ?? true;

/** Whether a volume has every access mode a claim asks for. */
export const hasModes = (volume: Volume, claim: Claim): boolean =>
  (claim.spec?.accessModes ?? []).every((mode) => (volume.spec?.accessModes ?? []).includes(mode));

const modeOf = (mode: string | undefined): string => mode ?? 'Filesystem';
const sameMode = (volume: Volume, claim: Claim): boolean => modeOf(volume.spec?.volumeMode) === modeOf(claim.spec?.volumeMode);

export interface Search {
  /** The scheduler's: only volumes this node reaches. */
  readonly nodeLabels?: DeepReadonly<Record<string, string>> | undefined;
  /** Volumes already promised to others. */
  readonly taken?: ReadonlySet<string>;
  /** The class waits for a pod: the binder looks only for volumes that are kept for the claim. */
  readonly delayed?: boolean;
}

/** The smallest volume that satisfies a claim, or the one that is kept for it (`FindMatchingVolume`). */
export function findMatch(claim: Claim, volumes: readonly Volume[], { nodeLabels, taken, delayed = false }: Search = {}): Volume | undefined {
  const selector = claim.spec?.selector && selectorOf(claim.spec.selector);
  const wanted = requestOf(claim);
  let best: Volume | undefined;
  for (const volume of volumes) {
    if (taken?.has(volume.metadata.name ?? '')) continue;
    const bound = isBoundTo(volume, claim);
    if (volume.spec?.claimRef && !bound) continue;
    if (compareQuantities(capacityOf(volume), wanted) < 0 || !sameMode(volume, claim) || volume.metadata.deletionTimestamp) continue;
    const reachable = !nodeLabels || fitsVolume(volume, nodeLabels);
    if (bound) return reachable ? volume : undefined;
    if (!nodeLabels && delayed) continue;
    if (volume.status?.phase !== 'Available' || !reachable || classOf(volume) !== classOf(claim)) continue;
    if (selector && !selector.matches(volume.metadata.labels)) continue;
    if (nodeLabels && !hasModes(volume, claim)) continue;
    if (!best || compareQuantities(capacityOf(best), capacityOf(volume)) > 0) best = volume;
  }
  return best;
}

/**
 * The same among volumes of few access modes first, as the binder's index has it: a claim for ReadWriteOnce does not
 * take a ReadWriteMany volume while there is another (`findByClaim`).
 */
export function findBestMatch(claim: Claim, volumes: readonly Volume[], delayed: boolean): Volume | undefined {
  const byModes = new Map<string, Volume[]>();
  for (const volume of volumes) {
    if (!hasModes(volume, claim)) continue;
    const modes = [...(volume.spec?.accessModes ?? [])].sort().join();
    const list = byModes.get(modes);
    if (list) list.push(volume);
    else byModes.set(modes, [volume]);
  }
  const groups = [...byModes].sort(([a], [b]) => a.split(',').length - b.split(',').length || (a < b ? -1 : 1));
  for (const [, group] of groups) {
    const found = findMatch(claim, group, { delayed });
    if (found) return found;
  }
  return undefined;
}

/** Why a claim may not have the volume it asks for by name; undefined when it may (`checkVolumeSatisfyClaim`). */
export function mismatch(volume: Volume, claim: Claim): string | undefined {
  if (volume.metadata.deletionTimestamp) return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name ?? '')}`;
  if (compareQuantities(capacityOf(volume), requestOf(claim)) < 0) return 'requested PV is too small';
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if (!sameMode(volume, claim)) return 'incompatible volumeMode';
  if (!hasModes(volume, claim)) return 'incompatible accessMode';
  return undefined;
}

/** The volume with the claim written into it; the same object when it is there already (`GetBindVolumeToClaim`). */
export function boundToClaim(volume: Volume, claim: Claim): Volume {
  const reference = volume.spec?.claimRef;
  const own = volume.metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined || isBoundTo(volume, claim);
  if (own && reference?.name === claim.metadata.name && reference?.namespace === claim.metadata.namespace && reference?.uid === claim.metadata.uid)
    return volume;
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(own ? {} : { annotations: { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' } }) },
    spec: {
      ...volume.spec,
      claimRef: {
        kind: 'PersistentVolumeClaim',
        apiVersion: 'v1',
        ...(namespace ? { namespace } : {}),
        ...(name ? { name } : {}),
        ...(uid ? { uid } : {}),
        ...(resourceVersion ? { resourceVersion } : {}),
      },
    },
  };
}
