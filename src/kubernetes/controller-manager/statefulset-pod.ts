/**
 * The pods of a StatefulSet: their names and ordinals, the identity and the storage each has, and who owns the claims
 * (pkg/controller/statefulset/stateful_set_utils.go). Pure.
 */
import type { DeepReadonly } from '../api/json.ts';
import { type KubeObject, keyOf, type OwnerReference } from '../api/meta.ts';
import { newControllerRef } from '../api/owner.ts';
import type { PersistentVolumeClaim, PodTemplateSpec, StatefulSet, Volume } from '../api/types.gen.ts';
import { podFromTemplate, type ReadonlyPod } from './pods.ts';

export type Sts = DeepReadonly<StatefulSet>;
export type Claim = DeepReadonly<PersistentVolumeClaim>;

/** The name of a pod's ControllerRevision. */
export const REVISION_LABEL = 'controller-revision-hash';
const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';

/** The set and the ordinal a name tells of; -1 where it tells of none. */
export function parentAndOrdinal(name: string): { readonly parent: string; readonly ordinal: number } {
  const m = /^(.*)-([0-9]+)$/.exec(name);
  const ordinal = m ? Number(m[2]) : -1;
  return m ? { parent: m[1]!, ordinal: ordinal <= 0x7fffffff ? ordinal : -1 } : { parent: '', ordinal: -1 };
}
export const ordinalOf = (pod: ReadonlyPod): number => parentAndOrdinal(pod.metadata.name ?? '').ordinal;
export const isMemberOf = (set: Sts, pod: ReadonlyPod): boolean => parentAndOrdinal(pod.metadata.name ?? '').parent === set.metadata.name;

export const wantedReplicas = (set: Sts): number => set.spec?.replicas ?? 1;
export const startOf = (set: Sts): number => set.spec?.ordinals?.start ?? 0;
export const inRange = (set: Sts, ordinal: number): boolean => ordinal >= startOf(set) && ordinal < startOf(set) + wantedReplicas(set);
export const revisionOf = (pod: ReadonlyPod): string => pod.metadata.labels?.[REVISION_LABEL] ?? '';

const claimName = (set: Sts, template: Claim, ordinal: number): string => `${template.metadata.name}-${set.metadata.name}-${ordinal}`;

/** The claims of one pod, made of the set's templates; with the selector's labels, so that they are found. */
export const claimsOf = (set: Sts, ordinal: number): readonly Claim[] =>
  (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    ...template,
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...template.metadata,
      name: claimName(set, template, ordinal),
      ...(set.metadata.namespace ? { namespace: set.metadata.namespace } : {}),
      labels: { ...template.metadata.labels, ...set.spec?.selector?.matchLabels },
    },
  }));

/** Volumes of the claims first, then those of the template whose names no claim has taken. */
function withStorage(set: Sts, ordinal: number, volumes: readonly DeepReadonly<Volume>[]): readonly DeepReadonly<Volume>[] {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  const own = templates.map((template) => ({ name: template.metadata.name ?? '', persistentVolumeClaim: { claimName: claimName(set, template, ordinal) } }));
  return [...own, ...volumes.filter(({ name }) => !own.some((volume) => volume.name === name))];
}

/** A new pod of a template, at an ordinal. */
export function podAt(set: Sts, template: DeepReadonly<PodTemplateSpec>, revision: string, ordinal: number): ReadonlyPod {
  const { generateName: _, ...made } = podFromTemplate(template, set).metadata;
  const name = `${set.metadata.name}-${ordinal}`;
  const spec = template.spec ?? { containers: [] };
  const volumes = withStorage(set, ordinal, spec.volumes ?? []);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...made, name, labels: { ...made.labels, [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: String(ordinal), [REVISION_LABEL]: revision } },
    spec: {
      ...spec,
      hostname: name,
      ...(set.spec?.serviceName ? { subdomain: set.spec.serviceName } : {}),
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  };
}

/** Whether a pod is labelled as its ordinal says (`identityMatches`). */
export const identityMatches = (pod: ReadonlyPod): boolean =>
  pod.metadata.labels?.[POD_NAME_LABEL] === pod.metadata.name && pod.metadata.labels?.[POD_INDEX_LABEL] === String(ordinalOf(pod));

export const withIdentity = (pod: ReadonlyPod): ReadonlyPod => ({
  ...pod,
  metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [POD_NAME_LABEL]: pod.metadata.name ?? '', [POD_INDEX_LABEL]: String(ordinalOf(pod)) } },
});

/** Whether a pod mounts the claims of its ordinal (`storageMatches`). */
export const storageMatches = (set: Sts, pod: ReadonlyPod): boolean =>
  (set.spec?.volumeClaimTemplates ?? []).every((template) =>
    (pod.spec?.volumes ?? []).some(
      ({ name, persistentVolumeClaim }) => name === template.metadata.name && persistentVolumeClaim?.claimName === claimName(set, template, ordinalOf(pod)),
    ),
  );

interface Owner extends DeepReadonly<KubeObject> {
  readonly metadata: DeepReadonly<KubeObject>['metadata'];
}

const policyOf = (set: Sts) => ({ whenDeleted: 'Retain', whenScaled: 'Retain', ...set.spec?.persistentVolumeClaimRetentionPolicy });
const names = (reference: DeepReadonly<OwnerReference>, owner: Owner): boolean =>
  reference.apiVersion === owner.apiVersion && reference.kind === owner.kind && reference.name === owner.metadata.name;
const ownedBy = (claim: Claim, owner: Owner): boolean => (claim.metadata.ownerReferences ?? []).some((reference) => reference.uid === owner.metadata.uid);
/** Owned by an earlier object of the same name. */
export const staleOwner = (claim: Claim, owner: Owner): boolean =>
  (claim.metadata.ownerReferences ?? []).some((reference) => names(reference, owner) && reference.uid !== owner.metadata.uid);

/** Somebody else is the claim's controller: then the policy is ignored. */
export function conflictingController(claim: Claim, set: Sts, pod: ReadonlyPod): boolean {
  const { whenDeleted, whenScaled } = policyOf(set);
  if (whenDeleted === 'Retain' && whenScaled === 'Retain') return false;
  return (claim.metadata.ownerReferences ?? []).some((reference) => {
    const owner = [set as Owner, pod as Owner].find((each) => names(reference, each));
    return owner ? reference.uid !== owner.metadata.uid : reference.controller === true;
  });
}

/** Who should own a claim by the retention policy (KEP-1847): the set if it goes with the set, the pod once scaling has condemned it. */
function ownersWanted(set: Sts, pod: ReadonlyPod): readonly Owner[] {
  const { whenDeleted, whenScaled } = policyOf(set);
  const condemned = !inRange(set, ordinalOf(pod));
  if (whenScaled === 'Delete' && condemned) return [pod as Owner];
  return whenDeleted === 'Delete' ? [set as Owner] : [];
}

/** Whether a claim's owners are as the policy wants them (`isClaimOwnerUpToDate`). */
export function ownersMatch(claim: Claim, set: Sts, pod: ReadonlyPod): boolean {
  if (staleOwner(claim, set) || staleOwner(claim, pod)) return true;
  if (conflictingController(claim, set, pod)) return !ownedBy(claim, set) && !ownedBy(claim, pod);
  const ours = (claim.metadata.ownerReferences ?? []).filter(({ uid }) => uid === set.metadata.uid || uid === pod.metadata.uid);
  if (ours.some(({ controller }) => !controller)) return false;
  const wanted = ownersWanted(set, pod);
  return [set as Owner, pod as Owner].every((owner) => ownedBy(claim, owner) === wanted.includes(owner));
}

/** The claim with the owners the policy wants (`updateClaimOwnerRefForSetAndPod`). */
export function withOwners(claim: Claim, set: Sts, pod: ReadonlyPod): Claim {
  const others = (claim.metadata.ownerReferences ?? []).filter((reference) => !names(reference, set) && !names(reference, pod));
  const own = conflictingController(claim, set, pod) ? [] : ownersWanted(set, pod).map((owner) => newControllerRef(owner));
  return { ...claim, metadata: { ...claim.metadata, ownerReferences: [...others, ...own] } };
}

/** A claim that an earlier pod of this name still owns: it is on its way out, and a new pod must not take it (`PodClaimIsStale`). */
export const claimIsStale = (set: Sts, pod: ReadonlyPod, known: (key: string) => Claim | undefined): boolean =>
  policyOf(set).whenScaled === 'Delete' &&
  claimsOf(set, ordinalOf(pod)).some((wanted) => {
    const claim = known(keyOf(wanted));
    return claim !== undefined && staleOwner(claim, pod);
  });
