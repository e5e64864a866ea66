/**
 * A Deployment rolls pods from one template to the next. It makes a ReplicaSet for each template it ever
 * had, and moves replicas from the old ones to the new one, never more than `maxSurge` too many or
 * `maxUnavailable` too few. Its old sets are its history.
 *
 * Keeps true: the new set (template as in the spec) has `spec.replicas`, all others none.
 * Woken by: the Deployment, its ReplicaSets, and the last pod of an old set going away (Recreate).
 */
import { findCondition } from '../api/condition.ts';
import { computeHash } from '../api/hash.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { newControllerRef } from '../api/owner.ts';
import { selectorOf } from '../api/selector.ts';
import type { DeploymentStatus, PodTemplateSpec } from '../api/types.gen.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound, messageOf } from '../client/retry.ts';
import { claim } from './claim.ts';
import { type Context, reconciler } from './controller.ts';
import {
  beyondHistory,
  byAge,
  DESIRED_REPLICAS,
  type Dep,
  fenceposts,
  isRolling,
  MAX_REPLICAS,
  newSetSize,
  proportional,
  REVISION,
  REVISION_HISTORY,
  type Rs,
  revisionOf,
  type Scale,
  shrinkOld,
  sizeOf,
  wanted,
} from './deployment-rollout.ts';
import { checkDeadlineIn, condition, countedStatus, deploymentComplete, hasProgressDeadline, rolloutStatus, withCondition } from './deployment-status.ts';
import { equal } from './json-equal.ts';
import { isFinished } from './pods.ts';

const HASH_LABEL = 'pod-template-hash';

export const deploymentController = reconciler({
  name: 'deployment-controller',
  for: 'Deployment',
  owns: ['ReplicaSet'],
  reads: ['Pod'],
  wakes: {
    // Recreate waits for old pods to be gone.
    Pod: (pod, { informer }, before) => {
      if (before !== pod) return [];
      const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller && reference.kind === 'ReplicaSet');
      const rs = owner && informer('ReplicaSet').get(`${pod.metadata.namespace}/${owner.name}`);
      const parent = rs?.metadata.ownerReferences?.find((reference) => reference.controller && reference.kind === 'Deployment');
      const d = parent && informer('Deployment').get(`${pod.metadata.namespace}/${parent.name}`);
      return d && !isRolling(d) ? [keyOf(d)] : [];
    },
  },

  async reconcile(deployment, context) {
    const { informer, event, now } = context;
    let d = deployment;
    if (Object.keys(d.spec?.selector?.matchLabels ?? {}).length === 0 && !d.spec?.selector?.matchExpressions?.length) {
      event(d, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.');
      return undefined;
    }
    const candidates = informer('ReplicaSet').list(d.metadata.namespace);
    const sets = await claim(context, d, 'ReplicaSet', candidates, (rs) => selectorOf(d.spec?.selector).matches(rs.metadata.labels));
    if (d.metadata.deletionTimestamp) return writeStatus(d, countedStatus(d, sets, findNew(d, sets), now()), context);

    d = { ...d, status: pausedStatus(d, now()) };
    const scaled = sets.some(
      (rs) => sizeOf(rs) > 0 && rs.metadata.annotations?.[DESIRED_REPLICAS] !== undefined && Number(rs.metadata.annotations[DESIRED_REPLICAS]) !== wanted(d),
    );
    if (d.spec?.paused || scaled) return scaleOnly(deployment, d, sets, context);
    return isRolling(d) ? rollOver(deployment, d, sets, context) : recreate(deployment, d, sets, context);
  },
});

/** Paused, or resized while rolling: no progress between templates, only sizes. */
async function scaleOnly(original: Dep, d: Dep, sets: readonly Rs[], context: Context) {
  const found = await syncRevision(d, sets, findNew(d, sets), context);
  d = found.d;
  const old = sets.filter((rs) => rs.metadata.uid !== found.newSet?.metadata.uid);
  const after = await carryOut(d, proportional(d, found.newSet, old), found.newSet ? [...old, found.newSet] : old, context);
  if (d.spec?.paused) await cleanUp(d, old, context);
  const newSet = after.find((rs) => rs.metadata.uid === found.newSet?.metadata.uid);
  return writeStatus(original, countedStatus(d, after, newSet, context.now()), context);
}

async function rollOver(original: Dep, before: Dep, sets: readonly Rs[], context: Context) {
  const { d, newSet, created } = await newSetOf(before, sets, context);
  if (!newSet) return writeStatus(original, rolloutStatus(d, sets, undefined, context.now()), context);
  const old = sets.filter((rs) => rs.metadata.uid !== newSet.metadata.uid);
  const size = sizeOf(newSet) > wanted(d) ? wanted(d) : sizeOf(newSet) === wanted(d) ? wanted(d) : newSetSize(d, [...old, newSet], newSet);
  // One thing at a time: grow the new, or else shrink the old; the sets' status wakes us for the next step.
  const steps: readonly Scale[] = size !== sizeOf(newSet) ? [{ rs: newSet, replicas: size }] : created ? [] : shrinkOld(d, newSet, old);
  const after = await carryOut(d, steps, [...old, newSet], context);
  return finishStep(original, d, after, newSet, steps.length === 0 && !created, context);
}

async function recreate(original: Dep, d: Dep, sets: readonly Rs[], context: Context) {
  const existing = findNew(d, sets);
  const old = sets.filter((rs) => rs.metadata.uid !== existing?.metadata.uid);
  const down = old.filter((rs) => sizeOf(rs) > 0).map((rs) => ({ rs, replicas: 0 }));
  if (down.length > 0) {
    const after = await carryOut(d, down, sets, context);
    return finishStep(original, d, after, existing, false, context);
  }
  if (
    old.some((rs) =>
      context
        .informer('Pod')
        .by('owner', rs.metadata.uid ?? '')
        .some((pod) => !isFinished(pod)),
    )
  )
    return finishStep(original, d, sets, existing, false, context);
  const made = await newSetOf(d, sets, context);
  if (!made.newSet) return writeStatus(original, rolloutStatus(made.d, sets, undefined, context.now()), context);
  const steps = sizeOf(made.newSet) === wanted(d) ? [] : [{ rs: made.newSet, replicas: wanted(d) }];
  const after = await carryOut(made.d, steps, [...old, made.newSet], context);
  return finishStep(original, made.d, after, made.newSet, steps.length === 0 && !made.created, context);
}

/** History is cleaned when all is done; then the status is written. */
async function finishStep(original: Dep, d: Dep, sets: readonly Rs[], newSet: Rs | undefined, settled: boolean, context: Context) {
  const current = newSet && sets.find((rs) => rs.metadata.uid === newSet.metadata.uid);
  if (settled && deploymentComplete(d, d.status ?? {}))
    await cleanUp(
      d,
      sets.filter((rs) => rs !== current),
      context,
    );
  return writeStatus(original, rolloutStatus(d, sets, current, context.now()), context);
}

async function writeStatus(original: Dep, status: DeepReadonly<DeploymentStatus>, { client, informer, now }: Context) {
  if (!equal(original.status, status)) {
    // The annotations may just have been patched: the status goes on top of the latest version we know.
    const latest = informer('Deployment').get(keyOf(original));
    const base = latest?.metadata.uid === original.metadata.uid && latest ? latest : original;
    const { resourceVersion: _, ...metadata } = base.metadata;
    await client.of('Deployment').updateStatus({ ...base, metadata, status });
  }
  const again = checkDeadlineIn(original, status, now());
  return again === undefined ? undefined : { again };
}

/** Pausing and resuming show in Progressing, so that the deadline does not run while paused (`checkPausedConditions`). */
function pausedStatus(d: Dep, now: number): DeepReadonly<DeploymentStatus> {
  const status = d.status ?? {};
  const progressing = findCondition(status.conditions, 'Progressing');
  if (!hasProgressDeadline(d) || progressing?.reason === 'ProgressDeadlineExceeded') return status;
  const isPaused = progressing?.reason === 'DeploymentPaused';
  if (d.spec?.paused && !isPaused)
    return {
      ...status,
      conditions: withCondition(status.conditions ?? [], condition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', now)),
    };
  if (!d.spec?.paused && isPaused)
    return {
      ...status,
      conditions: withCondition(status.conditions ?? [], condition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', now)),
    };
  return status;
}

/** The oldest set whose template is the Deployment's, the hash label apart (`FindNewReplicaSet`). */
export function findNew(d: Dep, sets: readonly Rs[]): Rs | undefined {
  const goal = withoutHash(d.spec?.template);
  return [...sets].sort(byAge).find((rs) => equal(withoutHash(rs.spec?.template), goal));
}

function withoutHash(template: DeepReadonly<PodTemplateSpec> | undefined): unknown {
  const { [HASH_LABEL]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, creationTimestamp: undefined, labels } };
}

interface Found {
  readonly d: Dep;
  readonly newSet: Rs | undefined;
  readonly created: boolean;
}

/** The set for the present template, made if need be (`getNewReplicaSet`). */
async function newSetOf(d: Dep, sets: readonly Rs[], context: Context): Promise<Found> {
  const existing = findNew(d, sets);
  if (existing) {
    const synced = await syncRevision(d, sets, existing, context);
    return { ...synced, created: false };
  }
  const { client, event, now } = context;
  const template = d.spec?.template;
  const hash = computeHash(template, d.status?.collisionCount);
  const withHash = (labels: DeepReadonly<Record<string, string>> | undefined) => ({ ...labels, [HASH_LABEL]: hash });
  const revision = nextRevision(sets);
  const replicas = newSetSize(d, sets, undefined);
  const name = `${d.metadata.name}-${hash}`;
  const rs: Rs = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      ...(d.metadata.namespace ? { namespace: d.metadata.namespace } : {}),
      labels: withHash(template?.metadata?.labels),
      annotations: { ...inherited(d), [REVISION]: revision, [DESIRED_REPLICAS]: String(wanted(d)), [MAX_REPLICAS]: String(wanted(d) + fenceposts(d).surge) },
      ownerReferences: [newControllerRef(d)],
    },
    spec: {
      replicas,
      ...(d.spec?.minReadySeconds ? { minReadySeconds: d.spec.minReadySeconds } : {}),
      selector: { ...d.spec?.selector, matchLabels: withHash(d.spec?.selector?.matchLabels) },
      template: { ...template, metadata: { ...template?.metadata, labels: withHash(template?.metadata?.labels) } },
    },
  };
  const progress = (status: 'True' | 'False', reason: string, message: string): Dep =>
    hasProgressDeadline(d)
      ? { ...d, status: { ...d.status, conditions: withCondition(d.status?.conditions ?? [], condition('Progressing', status, reason, message, now())) } }
      : d;
  let newSet: Rs;
  try {
    newSet = await client.of('ReplicaSet').create(rs);
  } catch (error) {
    if (isAlreadyExists(error)) {
      // Ours already (the informer will tell), or another template with the same hash: count the collision and hash anew.
      const other = await client.of('ReplicaSet').get(keyOf(rs));
      const mine = other.metadata.ownerReferences?.some((reference) => reference.controller && reference.uid === d.metadata.uid);
      if (mine && equal(withoutHash(other.spec?.template), withoutHash(template))) return { d, newSet: other, created: true };
      const collisionCount = (d.status?.collisionCount ?? 0) + 1;
      await client.of('Deployment').updateStatus({ ...d, status: { ...d.status, collisionCount } });
      throw error;
    }
    if (isNamespaceTerminating(error)) return { d, newSet: undefined, created: false };
    const failed = progress('False', 'ReplicaSetCreateError', `Failed to create new replica set "${name}": ${messageOf(error)}`);
    event(d, 'Warning', 'ReplicaSetCreateError', `Failed to create new replica set "${name}": ${messageOf(error)}`);
    if (failed !== d) await client.of('Deployment').updateStatus(failed);
    throw error;
  }
  if (replicas > 0) event(d, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`);
  const noted = progress('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`);
  return { d: await annotateRevision(noted, revision, context), newSet, created: true };
}

/** An existing new set gets the newest revision number (a rollback gives an old set a new one), and the Deployment's annotations. */
async function syncRevision(d: Dep, sets: readonly Rs[], existing: Rs | undefined, context: Context): Promise<{ d: Dep; newSet: Rs | undefined }> {
  if (!existing) return { d, newSet: undefined };
  const others = sets.filter((rs) => rs !== existing);
  const revision = String(Math.max(revisionOf(existing), Number(nextRevision(others))));
  const known = existing.metadata.annotations ?? {};
  const history =
    known[REVISION] && known[REVISION] !== revision ? [...(known[REVISION_HISTORY]?.split(',') ?? []), known[REVISION]].join(',') : known[REVISION_HISTORY];
  const annotations = { ...known, ...inherited(d), [REVISION]: revision, ...(history ? { [REVISION_HISTORY]: history } : {}) };
  const minReadySeconds = d.spec?.minReadySeconds ?? 0;
  let newSet = existing;
  if (!equal(annotations, known) || (existing.spec?.minReadySeconds ?? 0) !== minReadySeconds)
    newSet = await context.client
      .of('ReplicaSet')
      .update({ ...existing, metadata: { ...existing.metadata, annotations }, ...(existing.spec ? { spec: { ...existing.spec, minReadySeconds } } : {}) });
  const noted =
    hasProgressDeadline(d) && !findCondition(d.status?.conditions, 'Progressing')
      ? {
          ...d,
          status: {
            ...d.status,
            conditions: withCondition(
              d.status?.conditions ?? [],
              condition('Progressing', 'True', 'FoundNewReplicaSet', `Found new replica set "${newSet.metadata.name}"`, context.now()),
            ),
          },
        }
      : d;
  return { d: await annotateRevision(noted, newSet.metadata.annotations?.[REVISION] ?? revision, context), newSet };
}

const nextRevision = (sets: readonly Rs[]): string => String(sets.reduce((most, rs) => Math.max(most, revisionOf(rs)), 0) + 1);

/**
 * The Deployment carries the revision of its new set. The annotation rides on a status update, which does not
 * count as a new generation (`getNewReplicaSet`).
 */
async function annotateRevision(d: Dep, revision: string, { client }: Context): Promise<Dep> {
  if (d.metadata.annotations?.[REVISION] === revision) return d;
  const annotations = { ...d.metadata.annotations, [REVISION]: revision };
  const updated = await client.of('Deployment').updateStatus({ ...d, metadata: { ...d.metadata, annotations } });
  return { ...d, metadata: updated.metadata, status: updated.status ?? {} };
}

/** Annotations that a Deployment hands down to its sets (`skipCopyAnnotation` names those it does not). */
function inherited(d: Dep): Record<string, string> {
  const skipped = new Set([
    'kubectl.kubernetes.io/last-applied-configuration',
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    'deprecated.deployment.rollback.to',
  ]);
  return Object.fromEntries(Object.entries(d.metadata.annotations ?? {}).filter(([key]) => !skipped.has(key)));
}

/** Gives sets their new sizes, and every set the annotations that tell what it was scaled for. Answers all sets as they are now. */
async function carryOut(d: Dep, steps: readonly Scale[], sets: readonly Rs[], { client, event }: Context): Promise<readonly Rs[]> {
  const desired = String(wanted(d));
  const most = String(wanted(d) + fenceposts(d).surge);
  return Promise.all(
    sets.map(async (rs) => {
      const replicas = steps.find((step) => step.rs === rs)?.replicas ?? sizeOf(rs);
      const annotations = rs.metadata.annotations ?? {};
      const stale = annotations[DESIRED_REPLICAS] !== desired || annotations[MAX_REPLICAS] !== most;
      if (replicas === sizeOf(rs) && !(stale && sizeOf(rs) > 0)) return rs;
      const metadata = { ...rs.metadata, annotations: { ...annotations, [DESIRED_REPLICAS]: desired, [MAX_REPLICAS]: most } };
      const updated = await client.of('ReplicaSet').update({ ...rs, metadata, ...(rs.spec ? { spec: { ...rs.spec, replicas } } : {}) });
      if (replicas !== sizeOf(rs))
        event(
          d,
          'Normal',
          'ScalingReplicaSet',
          `Scaled ${replicas > sizeOf(rs) ? 'up' : 'down'} replica set ${rs.metadata.name} from ${sizeOf(rs)} to ${replicas}`,
        );
      return updated;
    }),
  );
}

async function cleanUp(d: Dep, old: readonly Rs[], { client }: Context): Promise<void> {
  for (const rs of beyondHistory(d, old)) {
    try {
      await client.of('ReplicaSet').delete(keyOf(rs));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
