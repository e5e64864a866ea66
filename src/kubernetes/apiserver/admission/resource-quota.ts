/**
 * ResourceQuota: nothing is made that a namespace has no quota left for (apiserver
 * `pkg/admission/plugin/resourcequota`, evaluators under pkg/quota/v1). Last of all plugins, so that nothing is
 * paid for that somebody else refuses. What is granted is written into the quota's status before the object
 * itself is: two requests cannot spend the same unit. What is given back, the controller counts.
 *
 * One request after the other in a namespace, as upstream's evaluator works through its queue.
 *
 * Here simplified: no AdmissionConfiguration with `limitedResources`.
 */
import { type Deferred, defer } from '../../../sim/mailbox.ts';
import type { KubeObject } from '../../api/meta.ts';
import { addLists, type ResourceList } from '../../api/pod-resources.ts';
import { formatQuantity, parseQuantity } from '../../api/quantity.ts';
import { exceeding, isInScope, mask, matchingNames, missingDemands, negatives, sameLists, subtract, usageOf, withoutZeros } from '../../api/quota.ts';
import { ApiError } from '../../api/request.ts';
import { byKind } from '../../api/resources.ts';
import type { Pod, ResourceQuota } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import { type Attributes, nameOf, type Plugin, type World } from './admission.ts';

const ROW = byKind('ResourceQuota');
/** Attempts after a conflict (quotaEvaluator.checkQuotas). */
const RETRIES = 3;

export const resourceQuota: Plugin = {
  name: 'ResourceQuota',
  async validate(attributes, world) {
    const turn = await queueOf(world).enter(attributes.namespace);
    try {
      await check(attributes, world);
    } finally {
      turn.leave();
    }
  },
};

// --- one after the other ---------------------------------------------------------------------------------

class Queue {
  private readonly waiting = new Map<string, Deferred<void>[]>();
  /** What this server wrote last, by key: the cache may not have it yet. */
  readonly newest = new Map<string, KubeObject>();
  constructor(private readonly world: World) {}

  async enter(namespace: string): Promise<{ leave(): void }> {
    const line = this.waiting.get(namespace);
    if (line) {
      const turn = defer<void>(this.world.clock);
      line.push(turn);
      await turn.promise;
    } else this.waiting.set(namespace, []);
    return { leave: () => this.leave(namespace) };
  }

  private leave(namespace: string): void {
    const next = this.waiting.get(namespace)?.shift();
    if (next) next.resolve();
    else this.waiting.delete(namespace);
  }
}

const queues = new WeakMap<World, Queue>();
function queueOf(world: World): Queue {
  let queue = queues.get(world);
  if (!queue) {
    queue = new Queue(world);
    queues.set(world, queue);
  }
  return queue;
}

const version = (object: KubeObject): number => Number(object.metadata.resourceVersion ?? 0);

function quotasOf(world: World, namespace: string): ResourceQuota[] {
  const { newest } = queueOf(world);
  return [...world.under(`${ROW.prefix}/${namespace}/`)].map(({ key, object }) => {
    const own = newest.get(key);
    if (own && own.metadata.uid === object.metadata.uid && version(own) > version(object)) return own as ResourceQuota;
    newest.delete(key);
    return object as ResourceQuota;
  });
}

// --- the decision ----------------------------------------------------------------------------------------

async function check(attributes: Attributes, world: World): Promise<void> {
  const { namespace, dryRun, call } = attributes;
  let quotas = quotasOf(world, namespace);
  for (let retry = 0; ; retry++) {
    const changed = charge(attributes, quotas, world.clock.now());
    if (dryRun) return;
    let conflict: ApiError | undefined;
    for (const quota of changed) {
      try {
        const written = await world.writeStatus(ROW, quota as KubeObject, call.quiet);
        queueOf(world).newest.set(`${ROW.prefix}/${namespace}/${quota.metadata.name}`, written);
      } catch (error) {
        if (!(error instanceof ApiError) || (error.code !== 409 && error.code !== 404)) throw error;
        conflict = error;
      }
    }
    if (!conflict) return;
    if (retry >= RETRIES) throw conflict;
    const fresh = await Promise.all(quotas.map(({ metadata }) => world.live(`${ROW.prefix}/${namespace}/${metadata.name}`)));
    quotas = fresh.flatMap((stored) => (stored ? [stored.object as ResourceQuota] : []));
  }
}

/** The quotas as they would be after the request; only those that change. Throws Forbidden. */
export function charge(attributes: Attributes, quotas: readonly ResourceQuota[], now: number): ResourceQuota[] {
  const { row, object, old, operation } = attributes;
  const refuse = (why: string) => forbidden(row.group, row.plural, nameOf(attributes), why);
  const item = object as KubeObject;
  const concerned = quotas.filter((quota) => {
    const hard = quota.status?.hard ?? {};
    const names = matchingNames(row, Object.keys(hard));
    if (names.length === 0 || !isInScope(quota, row, item)) return false;
    const missing = row.plural === 'pods' && row.group === '' ? missingDemands(item as Pod, names) : undefined;
    if (missing) throw refuse(`failed quota: ${quota.metadata.name}: ${missing}`);
    if (names.some((name) => quota.status?.used?.[name] === undefined))
      throw refuse(`status unknown for quota: ${quota.metadata.name}, resources: ${[...names].sort().join(',')}`);
    return true;
  });
  if (concerned.length === 0) return [];
  const usage = usageOf(row, item, now);
  const below = negatives(usage);
  if (below.length > 0) throw refuse(`quota usage is negative for resource(s): ${below.sort().join(',')}`);
  const delta = withoutZeros(operation === 'UPDATE' && old ? subtract(usage, usageOf(row, old, now)) : usage);
  if (Object.keys(delta).length === 0) return [];
  return concerned.flatMap((quota) => {
    const { hard = {}, used = {} } = quota.status ?? {};
    const requested = mask(delta, Object.keys(hard));
    const after = addLists(used, requested);
    const over = exceeding(mask(after, Object.keys(requested)), hard);
    if (over.length > 0) {
      throw refuse(
        `exceeded quota: ${quota.metadata.name}, requested: ${pretty(mask(requested, over))}, used: ${pretty(mask(used, over))}, limited: ${pretty(mask(hard, over))}`,
      );
    }
    if (sameLists(after, used)) return [];
    return [{ ...quota, status: { ...quota.status, used: after as Record<string, string> } }];
  });
}

/** `cpu=1,memory=1Gi`, sorted. */
const pretty = (list: ResourceList): string =>
  Object.keys(list)
    .sort()
    .map((name) => `${name}=${formatQuantity(parseQuantity(list[name]!))}`)
    .join(',');
