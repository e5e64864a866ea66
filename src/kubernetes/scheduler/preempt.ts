/**
 * Carrying a preemption out: tells the victims' owners why, deletes them, and takes back what lower pods were promised on
 * the node (`framework/preemption/preemption.go` prepareCandidate).
 */
import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import { type Key, keyOf } from '../api/meta.ts';
import { timestamp } from '../api/time.ts';
import type { Pod } from '../api/types.gen.ts';
import type { Client } from '../client/client.ts';
import { isNotFound } from '../client/retry.ts';
import type { Candidate } from './framework.ts';

type P = DeepReadonly<Pod>;

export interface Eviction {
  readonly self: Process;
  readonly client: Client;
  /** For whom. */
  readonly pod: P;
  readonly chosen: Candidate;
  /** Pods the same node was promised to. */
  readonly nominated: readonly P[];
  readonly schedulerName: string;
  /** A victim that still waits for a permit is simply not let go on; true if it did. */
  readonly stopWaiting: (key: Key) => boolean;
  /** The event of the last victim's end must find the pod ready to be woken. */
  readonly beforeLast: () => void;
  readonly preempted: (victim: P, note: string) => void;
}

/** Rejects with what the API server answered, other than that a victim is gone already. */
export async function evict({ self, client, pod, chosen, nominated, schedulerName, stopWaiting, beforeLast, preempted }: Eviction): Promise<void> {
  const pods = client.of('Pod');
  const unlessGone = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  for (const other of nominated)
    if ((other.spec?.priority ?? 0) < (pod.spec?.priority ?? 0) && keyOf(other) !== keyOf(pod))
      await unlessGone(pods.patch(keyOf(other), { status: { nominatedNodeName: null } }, 'strategic', 'status'));
  const victims = chosen.victims.map((victim) => victim.pod);
  for (const [i, victim] of victims.entries()) {
    if (i === victims.length - 1) beforeLast();
    if (!stopWaiting(keyOf(victim))) {
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${schedulerName}: preempting to accommodate a higher priority pod`,
        lastTransitionTime: timestamp(self.clock.now()),
      };
      await unlessGone(pods.patch(keyOf(victim), { status: { conditions: [condition] } }, 'strategic', 'status'));
      await unlessGone(pods.delete(keyOf(victim), {}));
    }
    preempted(victim, `Preempted by pod ${pod.metadata.uid} on node ${chosen.node}`);
  }
}
