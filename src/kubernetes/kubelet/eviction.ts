/**
 * The eviction manager (pkg/kubelet/eviction): a node that runs short of memory says so in its conditions, takes no more
 * pods that promised nothing, and ends pods one at a time, the greediest first, before the kernel has to.
 *
 * Every 10 s it looks. Below the hard threshold (`memory.available<100Mi`) one pod goes, with a second of grace; the
 * condition stays for 5 minutes after the shortage was last seen. Volumes that outgrew their sizeLimit end their pod too.
 *
 * Here simplified: soft thresholds and those of disks and process ids are not there, since disks here are as large as
 * they need to be; of local storage, emptyDir volumes are measured and the writable layers of containers are not.
 */
import { type Duration, type Instant, minutes } from '../../sim/clock.ts';
import { podLimits, podRequests } from '../api/pod-resources.ts';
import { canonicalQuantity, compareQuantities, fromWhole, wholeValue } from '../api/quantity.ts';
import type { Refusal } from './admit.ts';
import type { PodObject } from './pod-view.ts';
import { qosClass } from './qos.ts';
import { isStatic } from './static-pods.ts';
import { RESERVED_MEMORY, SYSTEM } from './system-use.ts';

/** `--eviction-pressure-transition-period`. */
const TRANSITION: Duration = minutes(5);
/** Seconds an evicted pod has to go (immediateEvictionGracePeriodSeconds). */
const GRACE = 1;
const SYSTEM_CRITICAL = 2_000_000_000;

export interface Use {
  readonly name: string;
  readonly memoryBytes: number;
}
export interface Eviction {
  readonly pod: PodObject;
  readonly message: string;
  /** Said of disruptions that are not the pod's own doing. */
  readonly disruption: boolean;
}

/** Static pods, and those of the highest priority, stay whatever happens (`IsCriticalPod`). */
export const isCritical = (pod: PodObject): boolean => isStatic(pod) || (pod.spec?.priority ?? 0) >= SYSTEM_CRITICAL;

/**
 * The pods in the order in which they would be evicted for memory: those that use more than they asked for, the less
 * important, those that are furthest above what they asked for (`rankMemoryPressure`). Pure.
 */
export function rankForMemory(pods: readonly PodObject[], used: (pod: PodObject) => number): readonly PodObject[] {
  const ranked = pods.map((pod) => {
    const over = used(pod) - wholeValue(podRequests(pod.spec)['memory']);
    return { pod, exceeds: over > 0 ? 1 : 0, priority: pod.spec?.priority ?? 0, over };
  });
  ranked.sort((a, b) => b.exceeds - a.exceeds || a.priority - b.priority || b.over - a.over);
  return ranked.map(({ pod }) => pod);
}

/** `evictionMessage`: what was short, and which containers had more than they asked for. Amounts as quantities. */
export function memoryMessage(pod: PodObject, uses: readonly Use[], available: number): string {
  let message = `The node was low on resource: memory. Threshold quantity: ${fromWhole(RESERVED_MEMORY, 'BinarySI')}, available: ${kibibytes(available)}. `;
  for (const { name, memoryBytes } of uses) {
    const request = pod.spec?.containers.find((container) => container.name === name)?.resources?.requests?.['memory'];
    if (memoryBytes > wholeValue(request))
      message += `Container ${name} was using ${kibibytes(memoryBytes)}, request is ${request === undefined ? '0' : canonicalQuantity(request)}, has larger consumption of memory. `;
  }
  return message;
}
/** Memory is counted in pages: a whole number of Ki, as those who read such messages know them. */
const kibibytes = (bytes: number): string => fromWhole(Math.floor(bytes / 1024) * 1024, 'BinarySI');

/** Why a pod has outgrown its volumes (`localStorageEviction`); undefined when it has not. `size`: bytes in an emptyDir. */
export function storageMessage(pod: PodObject, size: (volume: string) => number): string | undefined {
  let total = 0;
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    if (!emptyDir) continue;
    const limit = emptyDir.sizeLimit;
    const bytes = size(name);
    if (emptyDir.medium !== 'Memory') total += bytes;
    if (limit !== undefined && wholeValue(limit) > 0 && bytes > wholeValue(limit))
      return `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(canonicalQuantity(limit))}. `;
  }
  const limit = podLimits(pod.spec)['ephemeral-storage'];
  if (limit !== undefined && compareQuantities(fromWhole(total), limit) > 0)
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${canonicalQuantity(limit)}. `;
  return undefined;
}
const limitsStorage = (pod: PodObject): boolean =>
  (pod.spec?.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) ||
  (pod.spec?.containers ?? []).some(({ resources }) => resources?.limits?.['ephemeral-storage'] !== undefined);

export interface EvictionSources {
  now(): Instant;
  /** Bytes. */
  readonly memoryCapacity: number;
  /** Bytes all containers hold. */
  memoryUsed(): number;
  /** The pods that have something to run here and are not on their way out. */
  pods(): readonly PodObject[];
  uses(pod: PodObject): readonly Use[];
  /** Bytes in a pod's emptyDir. */
  volumeSize(pod: PodObject, volume: string): number;
  /** Tells of the shortage: EvictionThresholdMet. */
  shortOf(resource: 'memory'): void;
  evict(eviction: Eviction, graceSeconds: number): void;
}

export class EvictionManager {
  private seenAt: Instant | undefined;
  constructor(private readonly sources: EvictionSources) {}

  /** Whether the node says that it is short of memory: for as long as it is, and five minutes longer. */
  get memoryPressure(): boolean {
    return this.seenAt !== undefined && this.sources.now() - this.seenAt < TRANSITION;
  }

  /** One look (`synchronize`): at most one pod goes for memory. True when one went. */
  look(): boolean {
    const { sources } = this;
    const available = sources.memoryCapacity - SYSTEM.memoryBytes - sources.memoryUsed();
    const short = available < RESERVED_MEMORY;
    if (short) this.seenAt = sources.now();
    const pods = sources.pods();
    const outgrown = pods
      .filter((pod) => limitsStorage(pod) && !isCritical(pod))
      .flatMap((pod) => {
        const message = storageMessage(pod, (volume) => sources.volumeSize(pod, volume));
        return message === undefined ? [] : [{ pod, message, disruption: false }];
      });
    for (const eviction of outgrown) sources.evict(eviction, GRACE);
    if (outgrown.length > 0) return true;
    if (!short) return false;
    sources.shortOf('memory');
    const uses = new Map(pods.map((pod) => [pod, sources.uses(pod)]));
    const used = (pod: PodObject): number => uses.get(pod)!.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    const victim = rankForMemory(pods, used).find((pod) => !isCritical(pod));
    if (!victim) return false;
    sources.evict({ pod: victim, message: memoryMessage(victim, uses.get(victim)!, available), disruption: true }, GRACE);
    return true;
  }

  /** Under pressure of memory no pod is taken that asked for nothing, unless it says that it bears that (`Admit`). */
  refusal(pod: PodObject): Refusal | undefined {
    if (!this.memoryPressure || isCritical(pod) || qosClass(pod) !== 'BestEffort' || toleratesPressure(pod)) return undefined;
    return { reason: 'Evicted', message: 'The node had condition: [MemoryPressure]. ', ofNode: false };
  }
}

const toleratesPressure = (pod: PodObject): boolean =>
  (pod.spec?.tolerations ?? []).some(
    ({ key, effect, operator }) => (!effect || effect === 'NoSchedule') && operator === 'Exists' && (!key || key === 'node.kubernetes.io/memory-pressure'),
  );
