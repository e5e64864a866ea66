/**
 * Notices when a node falls silent. Kubelets renew a Lease every ten seconds and post their status every
 * five minutes; a node heard from by neither for forty seconds is declared Unknown, tainted so that nothing
 * new comes (NoSchedule) and, at most one node in ten seconds per zone, so that pods leave (NoExecute). Its
 * pods are no longer ready, whatever they themselves would say.
 *
 * Woken by: nodes and their Leases. Every five seconds it looks for nodes not heard from; they are kept in
 * the order they were last heard, so a look costs only what it finds.
 */
import { type Instant, ms, seconds } from '../../sim/clock.ts';
import { isTrue } from '../api/condition.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { timestamp } from '../api/time.ts';
import { isConflict, isNotFound, retryOnConflict } from '../client/retry.ts';
import { type Context, type Runnable, reconciler, runnable } from './controller.ts';
import {
  evictionTaint,
  type ReadonlyNode,
  readiness,
  silentConditions,
  withNoExecute,
  withNoSchedule,
  type ZoneState,
  zoneOf,
  zoneState,
} from './node-health.ts';

/** `--node-monitor-period`, `--node-monitor-grace-period` (50 s by default since 1.32; kubeadm clusters of this lab keep the long-standing 40 s), `--node-startup-grace-period` */
const MONITOR_PERIOD = seconds(5);
const GRACE_PERIOD = seconds(40);
const STARTUP_GRACE_PERIOD = seconds(60);
/** `--node-eviction-rate` 0.1 a second; `--secondary-node-eviction-rate` 0.01 for large zones in trouble (`--large-cluster-size-threshold`). */
const EVICTION_INTERVAL = seconds(10);
const SECONDARY_INTERVAL = seconds(100);
const LARGE_ZONE = 50;
/** nodelifecycle.NodeEvictionPeriod */
const EVICTION_TICK = ms(100);

export const nodeLifecycleController: Runnable = runnable('node-controller', async (context) => {
  const { self, informer, event, now } = context;
  const nodes = informer('Node');
  const leases = informer('Lease', { namespace: 'kube-node-lease' });
  informer('Pod').addIndex('node', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []));
  await nodes.synced();
  await leases.synced();
  await informer('Pod').synced();

  /** When a node was last heard from, by our own clock; longest ago first. */
  const heard = new Map<string, Instant>();
  /** Nodes declared silent, or never heard: out of the order above until they speak. */
  const declared = new Set<string>();
  const evictions = createEvictions(context);

  const hear = (name: string) => {
    if (!nodes.get(name)) return;
    heard.delete(name);
    heard.set(name, now());
    declared.delete(name);
  };

  nodes.onChange(({ before, after }) => {
    if (!after) {
      const name = before!.metadata.name ?? '';
      heard.delete(name);
      declared.delete(name);
      evictions.forget(name);
      event(before!, 'Normal', 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`);
      return;
    }
    const name = after.metadata.name ?? '';
    if (!before) {
      event(after, 'Normal', 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
      hear(name);
    } else if (heartbeatOf(before) !== heartbeatOf(after)) hear(name);
    const was = before ? readiness(before) : undefined;
    const is = readiness(after);
    if (was === 'True' && is !== 'True') {
      event(after, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
      background(self, () => markPodsNotReady(name, context));
    }
    if (was !== is || !before) evictions.consider(after);
  });
  leases.onChange(({ before, after }) => {
    if (after && after.spec?.renewTime !== before?.spec?.renewTime) hear(after.metadata.name ?? '');
  });

  for (;;) {
    await self.clock.sleep(MONITOR_PERIOD);
    for (const [name, at] of heard) {
      if (now() - at <= GRACE_PERIOD) break;
      const node = nodes.get(name);
      if (!node) continue;
      if (!readiness(node) && now() - at <= STARTUP_GRACE_PERIOD) continue;
      heard.delete(name);
      declared.add(name);
      // Silence has no cause that could be told: this is where what follows begins.
      self.trace.because(0);
      self.trace.emit('node.lost', `Node/${name}`, { silent: now() - at });
      background(self, async () => {
        try {
          await declareSilent(name, () => declared.has(name), context);
        } catch {
          // Not written: back in the order as long silent, for the next look.
          if (declared.delete(name) && nodes.get(name)) putFirst(heard, name, at);
        }
      });
    }
  }
});

/** NoSchedule taints follow conditions at once, node by node. */
export const nodeTaintController: Runnable = reconciler({
  name: 'node-lifecycle-controller',
  for: 'Node',
  async reconcile(node, { client, now }) {
    const taints = withNoSchedule(node, now());
    if (taints !== (node.spec?.taints ?? taints) || (taints.length > 0 && !node.spec?.taints))
      await client.of('Node').update({ ...node, spec: { ...node.spec, taints } });
  },
});

/** The kubelet's own last word; our writes of Unknown leave it as it is. */
const heartbeatOf = (node: ReadonlyNode): string | undefined => node.status?.conditions?.find((condition) => condition.type === 'Ready')?.lastHeartbeatTime;

async function declareSilent(name: string, still: () => boolean, { client, informer, now, self }: Context): Promise<void> {
  await retryOnConflict(self, async () => {
    const cached = informer('Node').get(name);
    if (!cached || !still()) return;
    const node = await client.of('Node').get(name);
    if (!still()) return;
    await client.of('Node').updateStatus({ ...node, status: { ...node.status, conditions: silentConditions(node, now()) } });
  });
}

/** The kubelet that would say so is not heard: its pods are taken out of service here (`MarkPodsNotReady`). */
async function markPodsNotReady(node: string, { client, informer, event, now, self }: Context): Promise<void> {
  const cause = self.trace.current();
  for (const { metadata } of informer('Pod').by('node', node)) {
    const key = keyOf({ metadata });
    // The node's silence, not the answer about the pod before.
    self.trace.because(cause);
    for (let attempt = 0; attempt < 3; attempt++) {
      const pod =
        attempt === 0
          ? informer('Pod').get(key)
          : await client
              .of('Pod')
              .get(key)
              .catch(() => undefined);
      if (!pod || pod.spec?.nodeName !== node || !isTrue(pod.status?.conditions, 'Ready')) break;
      const at = timestamp(now());
      const conditions = (pod.status?.conditions ?? []).map((condition) =>
        condition.type === 'Ready' ? { ...condition, status: 'False', lastTransitionTime: at } : condition,
      );
      try {
        await client.of('Pod').updateStatus({ ...pod, status: { ...pod.status, conditions } });
        event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
        break;
      } catch (error) {
        if (isNotFound(error)) break;
        if (!isConflict(error)) break;
      }
    }
  }
}

interface Evictions {
  /** A node's readiness changed: taint it when its turn comes, or free it at once. */
  consider(node: ReadonlyNode): void;
  forget(name: string): void;
}

/** NoExecute taints, slowly: when many nodes vanish at once the fault is rather here than there. */
function createEvictions(context: Context): Evictions {
  const { self, informer, client, now } = context;
  const { clock } = self;
  const waiting = new Map<string, Set<string>>();
  const nextTurn = new Map<string, Instant>();
  const timers = new Set<string>();

  const write = (name: string, key: (node: ReadonlyNode) => string | undefined) =>
    background(self, () =>
      retryOnConflict(self, async () => {
        if (!informer('Node').get(name)) return;
        const node: DeepReadonly<ReadonlyNode> = await client.of('Node').get(name);
        const taints = withNoExecute(node, key(node), now());
        if (taints !== (node.spec?.taints ?? taints) || (taints.length > 0 && !node.spec?.taints))
          await client.of('Node').update({ ...node, spec: { ...node.spec, taints } });
      }),
    );

  /** How long between two nodes of a zone; undefined: none at all now. */
  const interval = (zone: string): number | undefined => {
    const all = informer('Node').list();
    const inZone = all.filter((node) => zoneOf(node) === zone);
    const states = new Map<string, ZoneState>();
    for (const node of all) if (!states.has(zoneOf(node))) states.set(zoneOf(node), zoneState(all.filter((other) => zoneOf(other) === zoneOf(node))));
    // Nobody anywhere is heard: it is we who are cut off.
    if ([...states.values()].every((state) => state === 'FullDisruption')) return undefined;
    if (states.get(zone) !== 'PartialDisruption') return EVICTION_INTERVAL;
    return inZone.length > LARGE_ZONE ? SECONDARY_INTERVAL : undefined;
  };

  const turn = (zone: string) => {
    timers.delete(zone);
    const line = waiting.get(zone);
    const first = line?.values().next().value;
    if (!line || first === undefined) return;
    const between = interval(zone);
    if (between === undefined) {
      arm(zone, MONITOR_PERIOD);
      return;
    }
    const due = nextTurn.get(zone) ?? 0;
    if (now() < due) {
      arm(zone, due - now());
      return;
    }
    line.delete(first);
    const node = informer('Node').get(first);
    if (node && evictionTaint(node)) {
      nextTurn.set(zone, now() + between);
      write(first, evictionTaint);
    }
    if (line.size > 0) arm(zone, EVICTION_TICK);
  };
  const arm = (zone: string, delay: number) => {
    if (timers.has(zone)) return;
    timers.add(zone);
    clock.after(delay, () => turn(zone));
  };
  const hasTaint = (node: ReadonlyNode) => withNoExecute(node, undefined, 0) !== (node.spec?.taints ?? []) && (node.spec?.taints ?? []).length > 0;

  return {
    consider: (node) => {
      const name = node.metadata.name ?? '';
      const zone = zoneOf(node);
      if (!evictionTaint(node)) {
        waiting.get(zone)?.delete(name);
        if (hasTaint(node)) write(name, evictionTaint);
        return;
      }
      // Already leaving for the other reason: only the taint's name changes.
      if (hasTaint(node)) {
        write(name, evictionTaint);
        return;
      }
      const line = waiting.get(zone) ?? new Set<string>();
      waiting.set(zone, line);
      line.add(name);
      arm(zone, EVICTION_TICK);
    },
    forget: (name) => {
      for (const line of waiting.values()) line.delete(name);
    },
  };
}

/** Runs aside, in an event of its own; what fails will be noticed again. */
function background(self: Context['self'], act: () => Promise<unknown>): void {
  self.clock.after(0, () => {
    self.clock.wake();
    act().catch(() => {});
  });
}

function putFirst<V>(map: Map<string, V>, key: string, value: V): void {
  const rest = [...map];
  map.clear();
  map.set(key, value);
  for (const [k, v] of rest) map.set(k, v);
}
