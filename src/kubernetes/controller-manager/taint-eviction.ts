/**
 * Evicts pods from nodes with NoExecute taints that they do not tolerate, or no longer: a toleration with
 * `tolerationSeconds` is a stay of execution (pkg/controller/tainteviction).
 *
 * Woken by: nodes whose taints change, pods that are bound or change their tolerations.
 */
import { type Cancel, type Duration, type Instant, seconds } from '../../sim/clock.ts';
import { type Key, keyOf } from '../api/meta.ts';
import { timestamp } from '../api/time.ts';
import { isConflict, isNotFound } from '../client/retry.ts';
import { type Context, runnable } from './controller.ts';
import type { ReadonlyPod } from './pods.ts';
import { type ReadonlyTaint, type ReadonlyToleration, tolerates } from './taints.ts';

const RETRIES = 5;

export const taintEvictionController = runnable('taint-eviction-controller', async (context) => {
  const { self, informer, event, now } = context;
  const { clock } = self;
  const pods = informer('Pod');
  const nodes = informer('Node');
  pods.addIndex('node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  const scheduled = new Map<Key, { uid: string; since: Instant; at: Instant; cancel: Cancel }>();

  const cancel = (key: Key) => {
    const entry = scheduled.get(key);
    if (!entry) return;
    entry.cancel();
    scheduled.delete(key);
    const pod = pods.get(key);
    if (pod && pod.metadata.uid === entry.uid) event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
  };

  const judge = (pod: ReadonlyPod, taints: readonly ReadonlyTaint[]) => {
    const key = keyOf(pod);
    const stay = taints.length === 0 ? 'forever' : stayOf(pod.spec?.tolerations ?? [], taints);
    if (stay === 'forever') {
      cancel(key);
      return;
    }
    const entry = scheduled.get(key);
    const known = entry?.uid === pod.metadata.uid ? entry : undefined;
    // The stay counts from when the pod first became unwelcome; another taint can only shorten it.
    const since = known?.since ?? now();
    const at = Math.max(now(), since + stay);
    if (known && known.at <= at) return;
    entry?.cancel();
    const uid = pod.metadata.uid ?? '';
    scheduled.set(key, {
      uid,
      since,
      at,
      cancel: clock.after(at - now(), () => {
        scheduled.delete(key);
        clock.wake();
        void evict(key, uid, context);
      }),
    });
  };

  nodes.onChange(({ before, after }) => {
    const was = noExecute(before?.spec?.taints);
    const is = noExecute(after?.spec?.taints);
    if (was.length === 0 && is.length === 0) return;
    const name = (after ?? before)!.metadata.name ?? '';
    for (const pod of pods.by('node', name)) judge(pod, is);
  });
  pods.onChange(({ before, after }) => {
    if (!after) {
      const entry = scheduled.get(keyOf(before!));
      entry?.cancel();
      scheduled.delete(keyOf(before!));
      return;
    }
    if (!after.spec?.nodeName || after.metadata.deletionTimestamp) return;
    if (before?.spec?.nodeName === after.spec.nodeName && before.spec.tolerations === after.spec.tolerations) return;
    const node = nodes.get(after.spec.nodeName);
    const taints = noExecute(node?.spec?.taints);
    if (taints.length > 0) judge(after, taints);
  });
});

const noExecute = (taints: readonly ReadonlyTaint[] | undefined): readonly ReadonlyTaint[] => (taints ?? []).filter((taint) => taint.effect === 'NoExecute');

/** How long a pod may stay under these taints: not at all if one is not tolerated, else the shortest of the tolerations' seconds. */
export function stayOf(tolerations: readonly ReadonlyToleration[], taints: readonly ReadonlyTaint[]): Duration | 'forever' {
  const used: ReadonlyToleration[] = [];
  for (const taint of taints) {
    const toleration = tolerations.find((candidate) => tolerates(candidate, taint));
    if (!toleration) return 0;
    used.push(toleration);
  }
  let shortest: Duration | 'forever' = 'forever';
  for (const { tolerationSeconds } of used) {
    if (tolerationSeconds === undefined || tolerationSeconds === null) continue;
    const stay = seconds(Math.max(0, tolerationSeconds));
    if (shortest === 'forever' || stay < shortest) shortest = stay;
  }
  return shortest;
}

async function evict(key: Key, uid: string, { client, informer, event, self, now }: Context): Promise<void> {
  const pod = informer('Pod').get(key);
  if (!pod || pod.metadata.uid !== uid) return;
  event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
  for (let attempt = 0; attempt < RETRIES; attempt++) {
    try {
      const latest = attempt === 0 ? pod : await client.of('Pod').get(key);
      if (latest.metadata.uid !== uid) return;
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
        lastTransitionTime: timestamp(now()),
      };
      const conditions = latest.status?.conditions ?? [];
      if (!conditions.some(({ type, status }) => type === condition.type && status === 'True'))
        await client
          .of('Pod')
          .updateStatus({ ...latest, status: { ...latest.status, conditions: [...conditions.filter(({ type }) => type !== condition.type), condition] } });
      await client.of('Pod').delete(key);
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) await self.clock.sleep(10_000);
    }
  }
}
