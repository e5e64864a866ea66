/**
 * kube-scheduler: gives each new pod a node.
 *
 * One pod at a time is decided on (the scheduling cycle, synchronous and pure: `schedule.ts`), assumed to
 * be there, and then bound while the next is already being decided (the binding cycle). Every verdict and
 * score is a fact of the trace. Upstream: `pkg/scheduler/schedule_one.go`.
 */

import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import { timestamp } from '../api/time.ts';
import type { Pod, PodCondition } from '../api/types.gen.ts';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/client.ts';
import { createRecorder, type Recorder } from '../client/events.ts';
import { createInformers } from '../client/informer.ts';
import { runLeaderElected } from '../client/leader-election.ts';
import { isNotFound, messageOf } from '../client/retry.ts';
import { defaultPlugins } from './plugins/index.ts';
import { preempt } from './preemption.ts';
import { type QueuedPod, SchedulingQueue } from './queue.ts';
import { type Decision, schedule } from './schedule.ts';
import { Snapshot } from './snapshot.ts';

const SCHEDULER_NAME = 'default-scheduler';

export interface SchedulerOptions {
  readonly handler: ApiHandler;
  readonly certificate?: ApiRequest['certificate'];
  readonly leaderElect: boolean;
  /** Who holds the lease: `control-plane_<uid>`. */
  readonly identity: string;
}

/** Runs until it is killed or loses its lease. */
export async function runScheduler(self: Process, options: SchedulerOptions): Promise<void> {
  const client = createClient({ handler: options.handler, userAgent: 'kube-scheduler', certificate: options.certificate });
  const main = (process: Process) => new Scheduler(process, client).run();
  if (options.leaderElect) await runLeaderElected(self, client, { name: 'kube-scheduler', identity: options.identity }, main);
  else await main(self);
}

const isOurs = (pod: DeepReadonly<Pod>): boolean => (pod.spec?.schedulerName ?? SCHEDULER_NAME) === SCHEDULER_NAME;
const isOver = (pod: DeepReadonly<Pod>): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
const about = (pod: DeepReadonly<Pod>): string => `Pod/${keyOf(pod)}`;

class Scheduler {
  private readonly snapshot = new Snapshot();
  private readonly queue: SchedulingQueue;
  private readonly recorder: Recorder;
  /** Bound by us, not yet seen bound. */
  private readonly assumed = new Map<string, string>();
  private next = 0;

  constructor(
    private readonly self: Process,
    private readonly client: Client,
  ) {
    this.queue = new SchedulingQueue(self, defaultPlugins);
    this.recorder = createRecorder(self, client, { component: SCHEDULER_NAME });
  }

  async run(): Promise<void> {
    const informers = createInformers(this.self, this.client);
    const nodes = informers.of('Node');
    const pods = informers.of('Pod');
    nodes.onChange(({ before, after }) => {
      if (after) this.snapshot.setNode(after);
      else this.snapshot.removeNode(before!.metadata.name!);
      // Heartbeats change a node's status every few seconds; only what a filter reads is worth a retry.
      if (
        before &&
        after &&
        before.spec === after.spec &&
        sameForScheduling(before.status?.allocatable, after.status?.allocatable) &&
        sameForScheduling(before.metadata.labels, after.metadata.labels)
      )
        return;
      this.queue.wake({ kind: 'Node', what: after ? (before ? 'update' : 'add') : 'delete', ...(before ? { before } : {}), ...(after ? { after } : {}) });
    });
    pods.onChange((change) => this.see(change));
    await nodes.synced();
    await pods.synced();
    // Pods may have been seen before their nodes.
    for (const pod of pods.list()) if (pod.spec?.nodeName && !isOver(pod)) this.snapshot.nodes.get(pod.spec.nodeName)?.add(pod);
    for (;;) await this.scheduleOne(await this.queue.next());
  }

  private see({ before, after }: { readonly before?: DeepReadonly<Pod>; readonly after?: DeepReadonly<Pod> }): void {
    const pod = (after ?? before)!;
    const key = keyOf(pod);
    const wasPlaced = before?.spec?.nodeName !== undefined && !isOver(before);
    const isPlaced = after?.spec?.nodeName !== undefined && !isOver(after);
    if (isPlaced) {
      this.assumed.delete(key);
      this.snapshot.nodes.get(after.spec!.nodeName!)?.add(after);
      if (!wasPlaced) this.queue.remove(key);
      if (!wasPlaced || before?.metadata.labels !== after.metadata.labels) this.queue.wake({ kind: 'Pod', what: wasPlaced ? 'update' : 'add', after });
      return;
    }
    if (wasPlaced) {
      this.snapshot.nodes.get(before.spec!.nodeName!)?.remove(before);
      this.queue.wake({ kind: 'Pod', what: 'delete', before });
      return;
    }
    if (!after || isOver(after) || after.metadata.deletionTimestamp) {
      this.queue.remove(key);
      this.forget(pod);
      return;
    }
    if (!isOurs(after) || this.assumed.has(key)) return;
    if (before) this.queue.update(before, after);
    else {
      this.self.trace.emit('sched.enqueue', about(after));
      this.queue.add(after);
    }
  }

  private async scheduleOne(entry: QueuedPod): Promise<void> {
    const { pod } = entry;
    const { trace } = this.self;
    trace.emit('sched.start', about(pod), { attempt: entry.attempts });
    const decision = schedule(defaultPlugins, pod, this.snapshot, this.next, (n) => this.self.rng.between(0, n));
    this.next = (this.next + decision.evaluated) % Math.max(1, this.snapshot.nodes.size);
    this.record(pod, decision);
    // Deciding takes the scheduler a little while too.
    await this.self.clock.sleep(200 + 20 * decision.evaluated);
    if (decision.node === undefined) {
      await this.unschedulable(entry, decision);
      return;
    }
    this.assume(pod, decision.node);
    this.queue.done();
    const cause = trace.current();
    // The binding cycle runs beside the next scheduling cycle.
    this.bind(entry, decision.node, cause).catch((error) => {
      throw error;
    });
  }

  private record(pod: DeepReadonly<Pod>, decision: Decision): void {
    const { trace } = this.self;
    const filters = [...decision.rejections].map(([node, { plugin, reasons }]) => ({ node, plugin, reasons }));
    const scores = [...decision.scores].map(([node, list]) => ({ node, total: list.reduce((sum, s) => sum + s.normalized * s.weight, 0), list }));
    trace.emit('sched.filter', about(pod), { feasible: decision.feasible, rejected: filters });
    if (scores.length > 0) trace.emit('sched.score', about(pod), { scores });
    if (decision.node !== undefined) trace.emit('sched.select', about(pod), { node: decision.node });
  }

  private assume(pod: DeepReadonly<Pod>, node: string): void {
    this.assumed.set(keyOf(pod), node);
    this.snapshot.nodes.get(node)?.add({ ...pod, spec: { ...pod.spec!, nodeName: node } });
  }
  private forget(pod: DeepReadonly<Pod>): void {
    const node = this.assumed.get(keyOf(pod));
    if (node === undefined) return;
    this.assumed.delete(keyOf(pod));
    this.snapshot.nodes.get(node)?.remove(pod);
  }

  private async bind(entry: QueuedPod, node: string, cause: number): Promise<void> {
    const { pod } = entry;
    try {
      this.self.trace.because(cause);
      this.self.trace.emit('sched.bind', about(pod), { node });
      await this.client.of('Pod').createSubresource(keyOf(pod), 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      });
      this.recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${node}`);
    } catch (error) {
      this.forget(pod);
      if (isNotFound(error)) return;
      this.recorder.event(pod, 'Warning', 'FailedScheduling', `binding rejected: ${messageOf(error)}`);
      this.queue.failed(entry);
    }
  }

  private async unschedulable(entry: QueuedPod, decision: Decision): Promise<void> {
    const { pod } = entry;
    const { found, message: preemption } = preempt(defaultPlugins, pod, this.snapshot, decision.rejections);
    const message = found || preemption === '' ? decision.message : `${decision.message} preemption: ${preemption}`;
    const rejectedBy = [...new Set([...decision.rejections.values()].map((rejection) => rejection.plugin))];
    this.self.trace.emit('sched.unschedulable', about(pod), { message, plugins: rejectedBy });
    this.queue.unschedulableAgain(entry, rejectedBy);
    this.recorder.event(pod, 'Warning', 'FailedScheduling', message);
    try {
      if (found) {
        this.self.trace.emit('sched.postfilter', about(pod), { node: found.node, victims: found.victims.map(keyOf) });
        for (const victim of found.victims) {
          await this.client.of('Pod').delete(keyOf(victim), {});
          this.recorder.event(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${found.node}`);
        }
      }
      await this.report(pod, message, found?.node);
    } catch (error) {
      // The pod may be gone meanwhile; anything else is tried again with the next attempt.
      if (!isNotFound(error)) this.self.trace.emit('sched.unschedulable', about(pod), { message: messageOf(error), plugins: [] });
    }
  }

  /** Writes the PodScheduled condition, and the node that was cleared for the pod, if they are news. */
  private async report(pod: DeepReadonly<Pod>, message: string, nominated: string | undefined): Promise<void> {
    const known = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
    if (known?.status === 'False' && known.message === message && (nominated === undefined || pod.status?.nominatedNodeName === nominated)) return;
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: known?.status === 'False' && known.lastTransitionTime ? known.lastTransitionTime : timestamp(this.self.clock.now()),
    };
    await this.client
      .of('Pod')
      .patch(keyOf(pod), { status: { conditions: [{ ...condition }], ...(nominated ? { nominatedNodeName: nominated } : {}) } }, 'strategic', 'status');
  }
}

const sameForScheduling = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
