/**
 * VolumeBinding: a pod goes only where its volumes are, or where they can come to be. Claims of a class that waits for
 * its first consumer are bound, or given to their provisioner, once a node is chosen; the pod is bound when they are
 * (`volumebinding/volume_binding.go`, `binder.go`).
 */
import { minutes, seconds } from '../../../sim/clock.ts';
import type { DeepReadonly } from '../../api/json.ts';
import { keyOf } from '../../api/meta.ts';
import { compareQuantities } from '../../api/quantity.ts';
import { selectorOf } from '../../api/selector.ts';
import type { Node, Pod } from '../../api/types.gen.ts';
import {
  boundToClaim,
  type Claim,
  type Class,
  classOf,
  findMatch,
  fitsVolume,
  isDelayed,
  isFullyBound,
  NO_PROVISIONER,
  requestOf,
  SELECTED_NODE,
  type Volume,
} from '../../api/volumes.ts';
import { type CycleState, type Effects, type Objects, type Plugin, type Rejection, reject } from '../framework.ts';
import { claimsOf, storageFor, usesClaims } from './pod-volumes.ts';

type P = DeepReadonly<Pod>;
const NAME = 'VolumeBinding';
const NODE_CONFLICT = 'node(s) had volume node affinity conflict';
const BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind";
const NO_SPACE = 'node(s) did not have enough free storage';
const NO_VOLUME = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';
/** `bindTimeoutSeconds`, and how often is looked. */
const BIND_TIMEOUT = minutes(10);
const POLL = seconds(1);

/** What is decided for one node: which volumes for which claims, and which claims are to get new ones. */
interface Bindings {
  readonly static: readonly { readonly volume: Volume; readonly claim: Claim }[];
  readonly dynamic: readonly Claim[];
}

class Attempt {
  readonly byNode = new Map<string, Bindings>();
  readonly volumes = new Map<string, readonly Volume[]>();
  /** Set when a node was reserved: what is still to be written. */
  reserved: Bindings | undefined;
  constructor(
    readonly bound: readonly Claim[],
    readonly unbound: readonly Claim[],
  ) {}
  clone(): Attempt {
    const copy = new Attempt(this.bound, this.unbound);
    for (const [node, bindings] of this.byNode) copy.byNode.set(node, bindings);
    return copy;
  }
}

const attemptOf = (state: CycleState): Attempt => (state.get(NAME) as Attempt | undefined) ?? new Attempt([], []);

/** Volumes and claims as this scheduler has decided, until the watch says what became of it (`AssumeCache`). */
class Assumed {
  private readonly volumes = new Map<string, Volume>();
  private readonly claims = new Map<string, Claim>();
  constructor(private readonly objects: Objects) {}

  volume(volume: Volume): Volume {
    return newer(this.volumes, volume.metadata.name ?? '', volume);
  }
  claim(key: string): Claim | undefined {
    const claim = this.objects.get('PersistentVolumeClaim', key);
    return claim && newer(this.claims, key, claim);
  }
  assume({ static: bindings, dynamic }: Bindings): void {
    for (const { volume } of bindings) this.volumes.set(volume.metadata.name ?? '', volume);
    for (const claim of dynamic) this.claims.set(keyOf(claim), claim);
  }
  forget({ static: bindings, dynamic }: Bindings): void {
    for (const { volume } of bindings) if (this.volumes.get(volume.metadata.name ?? '') === volume) this.volumes.delete(volume.metadata.name ?? '');
    for (const claim of dynamic) if (this.claims.get(keyOf(claim)) === claim) this.claims.delete(keyOf(claim));
  }
}

/** What was assumed, unless the watch has gone past it. */
function newer<T extends Volume | Claim>(assumed: Map<string, T>, key: string, seen: T): T {
  const mine = assumed.get(key);
  if (!mine) return seen;
  if (Number(seen.metadata.resourceVersion) <= Number(mine.metadata.resourceVersion)) return mine;
  assumed.delete(key);
  return seen;
}

/** One for each scheduler, which is known by its view of the cluster. */
const books = new WeakMap<Objects, Assumed>();
function assumedIn(objects: Objects): Assumed {
  let book = books.get(objects);
  if (!book) {
    book = new Assumed(objects);
    books.set(objects, book);
  }
  return book;
}

/** Why no node will do for a pod's claims as they are; undefined when they may do. */
function problem(pod: P, objects: Objects): string | undefined {
  for (const { name, key, ephemeral } of claimsOf(pod)) {
    const claim = assumedIn(objects).claim(key);
    if (!claim) {
      if (ephemeral) return `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`;
      return `persistentvolumeclaim "${name}" not found`;
    }
    if (claim.status?.phase === 'Lost') return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`;
    if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`;
    if (ephemeral && !claim.metadata.ownerReferences?.some(({ controller, uid }) => controller && uid === pod.metadata.uid))
      return `PVC ${key} was not created for pod ${keyOf(pod)} (pod is not owner)`;
  }
  return undefined;
}

const storageOf = (objects: Objects, claim: Claim): Class | undefined => (classOf(claim) ? objects.get('StorageClass', classOf(claim)) : undefined);

/** Bound claims reach the node, the others find a volume there or can be given one (`FindPodVolumes`). Reasons when not. */
function find(attempt: Attempt, node: DeepReadonly<Node>, objects: Objects): Bindings | readonly string[] {
  const reasons: string[] = [];
  const labels = node.metadata.labels;
  const assumed = assumedIn(objects);
  for (const claim of attempt.bound) {
    const volume = objects.get('PersistentVolume', claim.spec?.volumeName ?? '');
    if (!volume) return [NO_VOLUME];
    if (!fitsVolume(assumed.volume(volume), labels)) {
      reasons.push(NODE_CONFLICT);
      break;
    }
  }
  const taken = new Set<string>();
  const bindings: { volume: Volume; claim: Claim }[] = [];
  const provision: Claim[] = [];
  for (const claim of attempt.unbound) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (selected !== undefined && selected !== node.metadata.name) return [...reasons, BIND_CONFLICT];
    const volume = selected === undefined ? findMatch(claim, volumesOf(attempt, classOf(claim), objects), { nodeLabels: labels ?? {}, taken }) : undefined;
    if (volume) {
      taken.add(volume.metadata.name ?? '');
      bindings.push({ volume, claim });
    } else provision.push(claim);
  }
  for (const claim of provision) {
    const storage = storageOf(objects, claim);
    if (!storage || storage.provisioner === '' || storage.provisioner === NO_PROVISIONER || !inTopology(storage, labels)) return [...reasons, BIND_CONFLICT];
    if (!hasCapacity(storage, claim, labels, objects)) return [...reasons, NO_SPACE];
  }
  return reasons.length > 0 ? reasons : { static: bindings, dynamic: provision };
}

function volumesOf(attempt: Attempt, name: string, objects: Objects): readonly Volume[] {
  let volumes = attempt.volumes.get(name);
  if (!volumes) {
    const assumed = assumedIn(objects);
    volumes = objects
      .list('PersistentVolume')
      .filter((volume) => classOf(volume) === name)
      .map((volume) => assumed.volume(volume));
    attempt.volumes.set(name, volumes);
  }
  return volumes;
}

/** `allowedTopologies`: one of the terms, all of its labels (`MatchTopologySelectorTerms`). */
const inTopology = ({ allowedTopologies = [] }: Class, labels: DeepReadonly<Record<string, string>> | undefined): boolean =>
  allowedTopologies.length === 0 ||
  allowedTopologies.some(
    ({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.length > 0 && matchLabelExpressions.every(({ key, values }) => values.includes(labels?.[key] ?? '')),
  );

/** Drivers that say how much room they have are believed (`hasEnoughCapacity`). */
function hasCapacity(storage: Class, claim: Claim, labels: DeepReadonly<Record<string, string>> | undefined, objects: Objects): boolean {
  if (objects.get('CSIDriver', storage.provisioner)?.spec?.storageCapacity !== true) return true;
  return objects
    .list('CSIStorageCapacity')
    .some(
      (room) =>
        room.storageClassName === storage.metadata.name &&
        compareQuantities(String(room.maximumVolumeSize ?? room.capacity ?? '0'), requestOf(claim)) >= 0 &&
        room.nodeTopology !== undefined &&
        selectorOf(room.nodeTopology).matches(labels),
    );
}

/** The claim or volume a change is about, if this pod uses it. */
const concerns = (pod: P, key: string): boolean => claimsOf(pod).some((claim) => claim.key === key);

export const volumeBinding = (): Plugin => ({
  name: NAME,
  needs: (pod) => (usesClaims(pod) ? [...storageFor(pod), 'CSIDriver', 'CSIStorageCapacity'] : []),

  preFilter(state, pod) {
    if (!usesClaims(pod)) {
      state.set(NAME, new Attempt([], []));
      return { skip: true };
    }
    const why = problem(pod, state.objects);
    if (why) return { reject: reject(NAME, why, true) };
    const claims = claimsOf(pod).map(({ key }) => assumedIn(state.objects).claim(key)!);
    const unbound = claims.filter((claim) => !isFullyBound(claim));
    const delayed = (claim: Claim): boolean => isDelayed(storageOf(state.objects, claim)) && !claim.spec?.volumeName;
    if (!unbound.every(delayed)) return { reject: reject(NAME, 'pod has unbound immediate PersistentVolumeClaims', true) };
    // Small requests first, so that they leave the large volumes to large ones.
    const bySize = [...unbound].sort((a, b) => compareQuantities(requestOf(a), requestOf(b)));
    state.set(NAME, new Attempt(claims.filter(isFullyBound), bySize));
    return undefined;
  },

  filter(state, _pod, { node, name }): Rejection | undefined {
    const attempt = attemptOf(state);
    const found = find(attempt, node, state.objects);
    if ('static' in found) {
      attempt.byNode.set(name, found);
      return undefined;
    }
    return reject(NAME, found, true);
  },

  reserve(state, _pod, { name }) {
    const attempt = attemptOf(state);
    const found = attempt.byNode.get(name);
    if (!found || attempt.unbound.length === 0) return undefined;
    attempt.reserved = {
      static: found.static.map(({ volume, claim }) => ({ volume: boundToClaim(volume, claim), claim })),
      dynamic: found.dynamic.map((claim) => ({
        ...claim,
        metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, [SELECTED_NODE]: name } },
      })),
    };
    assumedIn(state.objects).assume(attempt.reserved);
    return undefined;
  },

  unreserve(state) {
    const attempt = state.get(NAME) as Attempt | undefined;
    if (attempt?.reserved) assumedIn(state.objects).forget(attempt.reserved);
  },

  async preBind(state, pod, nodeName, effects) {
    const { reserved } = attemptOf(state);
    if (!reserved) return;
    try {
      await bindVolumes(reserved, pod, nodeName, state.objects, effects);
    } catch (error) {
      throw new Error(`binding volumes: ${error instanceof Error ? error.message : String(error)}`);
    }
  },

  events: [
    { resource: 'StorageClass', actions: ['Add', 'Update'] },
    {
      resource: 'PersistentVolumeClaim',
      actions: ['Add', 'Update'],
      hint: (pod, { after }) => after === undefined || concerns(pod, keyOf(after)),
    },
    { resource: 'PersistentVolume', actions: ['Add', 'Update'] },
    { resource: 'Node', actions: ['Add', 'UpdateNodeLabel'] },
    { resource: 'CSINode', actions: ['Add', 'Update'] },
    { resource: 'CSIDriver', actions: ['Update'] },
    { resource: 'CSIStorageCapacity', actions: ['Add', 'Update'] },
  ],
});

/** Tells the binder and the provisioners what was decided, and waits until every claim is bound (`BindPodVolumes`). */
async function bindVolumes(reserved: Bindings, pod: P, nodeName: string, objects: Objects, { self, client }: Effects): Promise<void> {
  for (const { volume } of reserved.static) await client.of('PersistentVolume').update(volume);
  const asked: Claim[] = [];
  for (const claim of reserved.dynamic) asked.push(await client.of('PersistentVolumeClaim').update(claim));
  const started = self.clock.now();
  for (;;) {
    await self.clock.sleep(POLL);
    if (areBound(reserved, asked, pod, nodeName, objects)) return;
    if (self.clock.now() - started >= BIND_TIMEOUT) throw new Error('context deadline exceeded');
  }
}

/** Throws when it will not come to pass: the pod has to be scheduled anew (`checkBindings`). */
function areBound(reserved: Bindings, asked: readonly Claim[], _pod: P, nodeName: string, objects: Objects): boolean {
  for (const { volume, claim } of reserved.static) {
    const now = objects.get('PersistentVolume', volume.metadata.name ?? '');
    if (!now) throw new Error(`failed to check binding: could not find v1.PersistentVolume "${volume.metadata.name}"`);
    if (now.spec?.claimRef?.uid !== claim.metadata.uid && Number(now.metadata.resourceVersion) > Number(volume.metadata.resourceVersion))
      throw new Error(`ClaimRef got reset for pv "${volume.metadata.name}"`);
    const current = objects.get('PersistentVolumeClaim', keyOf(claim));
    if (!current) throw new Error(`failed to check binding: could not find v1.PersistentVolumeClaim "${keyOf(claim)}"`);
    if (!isFullyBound(current)) return false;
  }
  for (const claim of asked) {
    const current = objects.get('PersistentVolumeClaim', keyOf(claim));
    if (!current) throw new Error(`failed to check provisioning pvc: could not find v1.PersistentVolumeClaim "${keyOf(claim)}"`);
    if (Number(current.metadata.resourceVersion) < Number(claim.metadata.resourceVersion)) return false;
    if (current.metadata.annotations?.[SELECTED_NODE] !== nodeName) throw new Error(`provisioning failed for PVC "${claim.metadata.name}"`);
    if (!isFullyBound(current)) return false;
  }
  return true;
}
