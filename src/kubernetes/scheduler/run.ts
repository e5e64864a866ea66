/**
 * kube-scheduler: gives each new pod a node.
 *
 * One pod at a time is decided on (the scheduling cycle, synchronous and pure: `schedule.ts`), assumed to
 * be there, and then bound while the next is already being decided (the binding cycle). Every verdict and
 * score is a fact of the trace (`attempts.ts`). Upstream: `pkg/scheduler/schedule_one.go`, `eventhandlers.go`.
 */

import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import { timestamp } from '../api/time.ts';
import type { Kind, Node, Pod, PodCondition } from '../api/types.gen.ts';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/client.ts';
import { createRecorder, type Recorder } from '../client/events.ts';
import { createInformers, type Informers } from '../client/informer.ts';
import { runLeaderElected } from '../client/leader-election.ts';
import { isNotFound, messageOf } from '../client/retry.ts';
import { AttemptLog, postFilterFact, scoreFact } from './attempts.ts';
import { nodeEvents, podEvents } from './cluster-events.ts';
import type { ClusterEvent, Effects, Plugin, PostFilterResult } from './framework.ts';
import { InformedObjects } from './informed-objects.ts';
import { Nominator } from './nominator.ts';
import { evict } from './preempt.ts';
import { DEFAULT_SCHEDULER_NAME, defaultProfile, type Profile } from './profile.ts';
import { type QueuedPod, SchedulingQueue } from './queue.ts';
import { type Decision, postFilter, type ScheduleOptions, schedule, wholeMessage } from './schedule.ts';
import { Snapshot } from './snapshot.ts';
import { WaitingPods } from './waiting-pods.ts';

/** What a KubeSchedulerConfiguration says (`config.ts`). */
export interface SchedulerConfig {
  readonly profiles: readonly Profile[];
  /** 0: by the size of the cluster. */
  readonly percentageOfNodesToScore: number;
  readonly podInitialBackoffSeconds: number;
  readonly podMaxBackoffSeconds: number;
  readonly leaderElection: { readonly leaderElect: boolean; readonly resourceName: string; readonly resourceNamespace: string };
}

export const DEFAULT_CONFIG: SchedulerConfig = {
  profiles: [defaultProfile],
  percentageOfNodesToScore: 0,
  podInitialBackoffSeconds: 1,
  podMaxBackoffSeconds: 10,
  leaderElection: { leaderElect: true, resourceName: 'kube-scheduler', resourceNamespace: 'kube-system' },
};

export interface SchedulerOptions {
  readonly handler: ApiHandler;
  readonly certificate?: ApiRequest['certificate'];
  /** Of a service account, where the scheduler runs as a pod of its own. */
  readonly token?: () => string | undefined;
  readonly leaderElect: boolean;
  /** Who holds the lease: `control-plane_<uid>`. */
  readonly identity: string;
  readonly config?: SchedulerConfig;
  /** Where pods that Permit plugins hold back can be seen, allowed and rejected. */
  readonly waitingPods?: WaitingPods;
}

/** Runs until it is killed or loses its lease. */
export async function runScheduler(self: Process, options: SchedulerOptions): Promise<void> {
  const { config = DEFAULT_CONFIG } = options;
  const client = createClient({
    handler: options.handler,
    userAgent: 'kube-scheduler',
    ...(options.certificate ? { certificate: options.certificate } : {}),
    ...(options.token ? { token: options.token } : {}),
  });
  const main = (process: Process) => new Scheduler(process, client, config, options.waitingPods ?? new WaitingPods()).run();
  const { resourceName: name, resourceNamespace: namespace } = config.leaderElection;
  if (options.leaderElect) await runLeaderElected(self, client, { name, namespace, identity: options.identity }, main);
  else await main(self);
}

type P = DeepReadonly<Pod>;
const isOver = (pod: P): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
const about = (pod: P): string => `Pod/${keyOf(pod)}`;
/** An event's note has at most this many characters (`truncateMessage`). */
const NOTE = 1024;
const truncated = (text: string): string => (text.length <= NOTE ? text : `${text.slice(0, NOTE - 4)} ...`);

class Scheduler {
  private readonly informers: Informers;
  private readonly objects: InformedObjects;
  private readonly snapshot: Snapshot;
  private readonly queue: SchedulingQueue;
  private readonly recorders = new Map<string, Recorder>();
  private readonly nominator = new Nominator();
  private readonly log = new AttemptLog();
  private readonly profiles: ReadonlyMap<string, Profile>;
  /** Chosen by us, not yet seen bound. */
  private readonly assumed = new Map<string, string>();
  private next = 0;

  constructor(
    private readonly self: Process,
    private readonly client: Client,
    private readonly config: SchedulerConfig,
    private readonly waiting: WaitingPods,
  ) {
    this.profiles = new Map(config.profiles.map((profile) => [profile.schedulerName, profile]));
    this.informers = createInformers(self, client);
    this.objects = new InformedObjects(this.informers, (event) => this.queue.wake(event));
    this.snapshot = new Snapshot(this.objects);
    this.queue = new SchedulingQueue(self, (pod) => this.profileFor(pod), config.profiles[0]!.queueSort, {
      initialBackoff: config.podInitialBackoffSeconds * 1_000_000,
      maxBackoff: config.podMaxBackoffSeconds * 1_000_000,
      objects: this.objects,
    });
  }

  async run(): Promise<void> {
    const nodes = this.informers.of('Node');
    const pods = this.informers.of('Pod');
    nodes.onChange((change) => this.seeNode(change));
    pods.onChange((change) => this.see(change));
    await nodes.synced();
    await pods.synced();
    for (;;) await this.scheduleOne(await this.queue.next());
  }

  private profileFor(pod: P): Profile | undefined {
    return this.profiles.get(pod.spec?.schedulerName ?? DEFAULT_SCHEDULER_NAME);
  }
  private recorderFor(pod: P): Recorder {
    const component = pod.spec?.schedulerName ?? DEFAULT_SCHEDULER_NAME;
    let recorder = this.recorders.get(component);
    if (!recorder) {
      recorder = createRecorder(this.self, this.client, { component });
      this.recorders.set(component, recorder);
    }
    return recorder;
  }

  private seeNode({ before, after }: { readonly before?: DeepReadonly<Node>; readonly after?: DeepReadonly<Node> }): void {
    if (after) this.snapshot.setNode(after);
    else this.snapshot.removeNode(before!.metadata.name!);
    // Heartbeats change a node's status every few seconds; only what a plugin reads is an event.
    this.tell(nodeEvents(before, after));
  }

  private tell(events: readonly ClusterEvent[]): void {
    for (const event of events) this.queue.wake(event);
  }

  private see({ before, after }: { readonly before?: P; readonly after?: P }): void {
    const pod = (after ?? before)!;
    const key = keyOf(pod);
    const wasPlaced = before?.spec?.nodeName !== undefined && !isOver(before);
    const isPlaced = after?.spec?.nodeName !== undefined && !isOver(after);
    if (isPlaced) {
      this.assumed.delete(key);
      this.snapshot.addPod(after);
      if (wasPlaced) {
        this.tell(podEvents(before, after));
        return;
      }
      this.queue.remove(key);
      this.nominator.set(after, undefined);
      this.tell(podEvents(undefined, after));
      return;
    }
    if (wasPlaced) {
      this.snapshot.removePod(before, before.spec!.nodeName!);
      this.tell(podEvents(before, undefined));
      return;
    }
    if (!after || isOver(after)) {
      this.queue.remove(key);
      const nominated = this.nominator.nodeFor(pod) !== undefined;
      this.nominator.set(pod, undefined);
      const held = this.waiting.reject(key, '', 'pod was deleted');
      if (this.forget(pod) || nominated || held) this.tell(podEvents(before ?? pod, undefined));
      return;
    }
    if (!this.profileFor(after) || this.assumed.has(key)) return;
    if (after.metadata.deletionTimestamp) {
      this.queue.remove(key);
      return;
    }
    if (!before || before.metadata.uid !== after.metadata.uid) this.self.trace.emit('sched.enqueue', about(after));
    this.nominator.set(after, after.status?.nominatedNodeName);
    if (before) this.queue.update(before, after);
    else this.queue.add(after);
  }

  private async scheduleOne(entry: QueuedPod): Promise<void> {
    const { pod } = entry;
    const profile = this.profileFor(pod);
    if (!profile) return;
    const { trace, clock } = this.self;
    trace.emit('sched.start', about(pod), { attempt: entry.attempts, scheduler: profile.schedulerName });
    await this.learn(profile.plugins, ({ needs }) => needs?.(pod, this.snapshot));
    const options: ScheduleOptions = {
      start: this.next,
      pick: (n) => this.self.rng.between(0, n),
      nominated: this.nominator.nodes,
      percentageOfNodesToScore: this.config.percentageOfNodesToScore,
    };
    const decision = schedule(profile, pod, this.snapshot, options);
    this.next = (this.next + decision.evaluated) % Math.max(1, decision.total);
    this.record(entry, decision);
    if (decision.node === undefined) {
      await this.learn(profile.postFilter, ({ postFilterNeeds }) => postFilterNeeds?.(pod));
      const remedy = postFilter(profile, pod, this.snapshot, decision, options);
      await clock.sleep(duration(decision));
      await this.unschedulable(entry, decision, remedy);
      return;
    }
    // Deciding takes the scheduler a little while too.
    const node = decision.node;
    this.assume(pod, node);
    const refused = this.reserveAndPermit(profile, entry, decision, node);
    await clock.sleep(duration(decision));
    if (refused === false) return;
    const cause = trace.current();
    // The binding cycle runs beside the next scheduling cycle.
    this.bind(profile, entry, decision, node, refused, cause).catch((error) => {
      throw error;
    });
  }

  private async learn(plugins: readonly Plugin[], kindsOf: (plugin: Plugin) => readonly Kind[] | undefined): Promise<void> {
    const kinds: Kind[] = [];
    for (const plugin of plugins) {
      const needed = kindsOf(plugin);
      if (!needed || needed.length === 0) continue;
      kinds.push(...this.objects.missing(needed));
    }
    if (kinds.length > 0) await this.objects.learn(kinds);
  }

  private record({ pod, attempts }: QueuedPod, decision: Decision): void {
    const { trace } = this.self;
    trace.emit('sched.filter', about(pod), this.log.filterFact(attempts, decision));
    if (decision.scores.length > 0) trace.emit('sched.score', about(pod), { ...scoreFact(attempts, decision) });
    if (decision.node !== undefined) trace.emit('sched.select', about(pod), { attempt: attempts, node: decision.node });
  }

  private assume(pod: P, node: string): void {
    this.assumed.set(keyOf(pod), node);
    this.nominator.set(pod, undefined);
    this.snapshot.addPod({ ...pod, spec: { ...pod.spec!, nodeName: node } });
  }
  /** True if it was assumed to be somewhere. */
  private forget(pod: P): boolean {
    const node = this.assumed.get(keyOf(pod));
    if (node === undefined) return false;
    this.assumed.delete(keyOf(pod));
    this.snapshot.removePod(pod, node);
    return true;
  }

  /** What Permit plugins want waited for; false when a plugin said no. */
  private reserveAndPermit(profile: Profile, entry: QueuedPod, { state }: Decision, node: string): readonly (readonly [string, number])[] | false {
    const { pod } = entry;
    const info = this.snapshot.get(node)!;
    for (const plugin of profile.reserve) {
      const rejection = plugin.reserve!(state, pod, info);
      if (!rejection) continue;
      this.giveBack(profile, entry, state, node, rejection.reasons.join(', '), [rejection.plugin]);
      return false;
    }
    const waits: (readonly [string, number])[] = [];
    for (const plugin of profile.permit) {
      const verdict = plugin.permit!(state, pod, info);
      if (!verdict) continue;
      if ('wait' in verdict) {
        waits.push([plugin.name, verdict.wait]);
        continue;
      }
      this.giveBack(profile, entry, state, node, verdict.reasons.join(', '), [verdict.plugin]);
      return false;
    }
    return waits;
  }

  /** Undoes a choice: the pod is tried again, and others may have what it had. Empty `rejectedBy`: it was an error. */
  private giveBack(profile: Profile, entry: QueuedPod, state: Decision['state'], node: string, message: string, rejectedBy: readonly string[]): void {
    const { pod } = entry;
    for (const plugin of [...profile.reserve].reverse()) plugin.unreserve?.(state, pod, node);
    this.forget(pod);
    this.self.trace.emit('sched.unbind', about(pod), { attempt: entry.attempts, node, message });
    this.putBack(entry, rejectedBy);
    this.tell(podEvents({ ...pod, spec: { ...pod.spec!, nodeName: node } }, undefined));
    this.recorderFor(pod).event(pod, 'Warning', 'FailedScheduling', truncated(message));
    void this.report(pod, message, rejectedBy.length > 0 ? 'Unschedulable' : 'SchedulerError', undefined).catch((error: unknown) => this.complain(pod, error));
  }

  /** Into the queue as it is now; not at all if it is gone or got a node from somebody else meanwhile. */
  private putBack(entry: QueuedPod, rejectedBy: Iterable<string>): void {
    const now = this.informers.of('Pod').get(entry.key);
    if (!now || now.metadata.uid !== entry.pod.metadata.uid || now.spec?.nodeName || now.metadata.deletionTimestamp) {
      this.queue.done(entry.key);
      return;
    }
    entry.pod = now;
    this.queue.unschedulableAgain(entry, rejectedBy);
  }

  private async bind(
    profile: Profile,
    entry: QueuedPod,
    decision: Decision,
    node: string,
    waits: readonly (readonly [string, number])[],
    cause: number,
  ): Promise<void> {
    const { pod } = entry;
    const { trace } = this.self;
    if (waits.length > 0) {
      trace.emit('sched.permit', about(pod), { attempt: entry.attempts, node, plugins: waits.map(([plugin]) => plugin) });
      const permission = await this.waiting.wait(this.self, entry.key, waits);
      trace.because(cause);
      if (!permission.allowed) {
        if (this.assumed.has(entry.key))
          this.giveBack(
            profile,
            entry,
            decision.state,
            node,
            `pod ${JSON.stringify(pod.metadata.name)} rejected while waiting on permit: ${permission.message}`,
            [permission.plugin],
          );
        return;
      }
    }
    // From here on a failure is an error, not a lack of room.
    this.queue.done(entry.key);
    const effects: Effects = { self: this.self, client: this.client };
    let step = '';
    try {
      for (const plugin of profile.preBind) {
        step = `running PreBind plugin ${JSON.stringify(plugin.name)}: `;
        await plugin.preBind!(decision.state, pod, node, effects);
        trace.because(cause);
      }
      trace.emit('sched.bind', about(pod), { attempt: entry.attempts, node });
      for (const plugin of profile.bind) {
        step = `binding rejected: running Bind plugin ${JSON.stringify(plugin.name)}: `;
        if (await plugin.bind!(decision.state, pod, node, effects)) break;
      }
    } catch (error) {
      if (isNotFound(error)) {
        // Deleted meanwhile: nobody is left to be told.
        this.forget(pod);
        this.tell(podEvents({ ...pod, spec: { ...pod.spec!, nodeName: node } }, undefined));
        return;
      }
      this.giveBack(profile, entry, decision.state, node, `${step}${messageOf(error)}`, []);
      return;
    }
    this.recorderFor(pod).event(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${node}`);
    for (const plugin of profile.postBind) plugin.postBind!(decision.state, pod, node);
  }

  private async unschedulable(entry: QueuedPod, decision: Decision, remedy: PostFilterResult): Promise<void> {
    const { pod } = entry;
    const { trace } = this.self;
    const message = wholeMessage(decision, remedy);
    const rejectedBy = new Set(decision.rejections.values().map(({ plugin }) => plugin));
    if (decision.rest) rejectedBy.add(decision.rest.plugin);
    trace.emit('sched.unschedulable', about(pod), { attempt: entry.attempts, message, plugins: [...rejectedBy] });
    if (remedy.chosen || remedy.message) trace.emit('sched.postfilter', about(pod), { ...postFilterFact(entry.attempts, remedy) });
    const cause = trace.current();
    if (remedy.nominate !== undefined) this.nominator.set(pod, remedy.nominate);
    if (remedy.chosen) this.queue.setPreempting(entry.key, true);
    this.putBack(entry, rejectedBy);
    this.recorderFor(pod).event(pod, 'Warning', 'FailedScheduling', truncated(message));
    try {
      await this.report(pod, message, 'Unschedulable', remedy.nominate);
    } catch (error) {
      this.complain(pod, error);
    }
    if (!remedy.chosen) return;
    trace.because(cause);
    // Beside the next attempts, as v1.33 does (SchedulerAsyncPreemption).
    evict({
      self: this.self,
      client: this.client,
      pod,
      chosen: remedy.chosen,
      nominated: this.nominator.nodes.get(remedy.chosen.node) ?? [],
      schedulerName: pod.spec?.schedulerName ?? DEFAULT_SCHEDULER_NAME,
      stopWaiting: (key) => this.waiting.reject(key, 'DefaultPreemption', 'preempted'),
      beforeLast: () => this.queue.setPreempting(entry.key, false),
      preempted: (victim, note) => this.recorderFor(pod).event(victim, 'Normal', 'Preempted', note),
    }).catch((error: unknown) => {
      this.queue.setPreempting(entry.key, false);
      this.queue.activateNow(entry.key);
      this.complain(pod, error);
    });
  }

  /** Writes the PodScheduled condition, and the node that was cleared for the pod, if they are news. */
  private async report(pod: P, message: string, reason: 'Unschedulable' | 'SchedulerError', nominate: string | undefined): Promise<void> {
    const known = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
    const nomination =
      nominate === undefined || nominate === (pod.status?.nominatedNodeName ?? '') ? {} : { nominatedNodeName: nominate === '' ? null : nominate };
    if (known?.status === 'False' && known.message === message && known.reason === reason && !('nominatedNodeName' in nomination)) return;
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      lastTransitionTime: known?.status === 'False' && known.lastTransitionTime ? known.lastTransitionTime : timestamp(this.self.clock.now()),
    };
    await this.client.of('Pod').patch(keyOf(pod), { status: { conditions: [{ ...condition }], ...nomination } }, 'strategic', 'status');
  }

  /** The pod may be gone meanwhile; anything else is tried again with the next attempt. */
  private complain(pod: P, error: unknown): void {
    if (!isNotFound(error)) this.self.trace.emit('sched.error', about(pod), { message: messageOf(error) });
  }
}

/** What an attempt takes: at 5,000 nodes, of which 500 are looked at, about what upstream's threshold of 810 pods a second allows. */
const duration = ({ evaluated }: Decision): number => 200 + 2 * evaluated;
