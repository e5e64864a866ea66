/**
 * One pod's worker (`pod_workers.go` and Kubelet.SyncPod): looks at what the pod should be and what the
 * runtime says, does the next thing, reports. It keeps nothing that a restarted kubelet could not find
 * again in the runtime and the API.
 *
 * A worker syncs once at a time and again whenever it was poked meanwhile: the pod changed, a container
 * started or died, a probe changed its mind, a back-off is over. With nothing to do it costs nothing.
 */
import { type Cancel, type Duration, type Instant, seconds } from '../../sim/clock.ts';
import { type Deferred, defer } from '../../sim/mailbox.ts';
import type { TraceId } from '../../sim/trace.ts';
import { instantOf, timestamp } from '../api/time.ts';
import { computeActions } from './actions.ts';
import { goDuration } from './backoff.ts';
import { startContainer } from './container-start.ts';
import type { Credentials } from './credentials.ts';
import { MINIMUM_GRACE, stopContainer } from './lifecycle.ts';
import type { KubeletNode } from './node.ts';
import { PodResizer } from './pod-resizer.ts';
import {
  allContainers,
  type ContainerSpec,
  containerHash,
  isSidecar,
  newest,
  type PodObject,
  type PodView,
  podText,
  readySandbox,
  restartCount,
  viewOf,
} from './pod-view.ts';
import { PodProbes } from './probes.ts';
import { qosClass } from './qos.ts';
import { runtimeHandlerOf, sandboxConfig } from './sandbox-config.ts';
import { type Failure, mergeConditions, podStatus, type Status } from './status.ts';
import { sameJson } from './statuses.ts';
import { terminationMessage } from './termination-message.ts';
import { MountError, PodVolumes } from './volumes.ts';

/** The pod is to be stopped: whatever its sync was waiting for does not matter any more. */
class Stopped extends Error {}

const WORKER_BACKOFF = seconds(10);

export class PodWorker {
  readonly uid: string;
  private readonly resizer: PodResizer;
  private credentials: Credentials | undefined;
  private dirty = false;
  private running = false;
  private stopping = false;
  /** Nothing of the pod runs any more, and nothing will. */
  finished = false;
  private graceLimit: number | undefined;
  private failed: Failure | undefined;
  private stopSignal: Deferred<never>;
  private timer: { readonly at: Instant; readonly cancel: Cancel } | undefined;
  private cause: TraceId = 0;
  private readonly waiting = new Map<string, { readonly reason: string; readonly message: string }>();
  private readonly volumes: PodVolumes;
  private readonly probes: PodProbes;
  private mounted = false;
  private mountFailures = 0;
  private mountStart: Instant | undefined;
  private volumesStale = true;

  constructor(
    private readonly node: KubeletNode,
    pod: PodObject,
    private readonly onFinished: (worker: PodWorker) => void,
    /** The kubelet has just started. */
    spreadProbes: boolean,
  ) {
    this.resizer = new PodResizer(node, pod);
    this.uid = pod.metadata.uid ?? '';
    this.volumes = new PodVolumes(node, this.uid);
    this.stopSignal = defer(node.self.clock);
    this.stopSignal.promise.catch(() => {});
    this.probes = new PodProbes(
      node,
      pod,
      { changed: () => this.poke(), unhealthy: (container, message) => this.note(container, 'Warning', 'Unhealthy', message) },
      spreadProbes,
    );
    if (pod.metadata.deletionTimestamp !== undefined) this.stopping = true;
  }

  /** The pod as it runs here: with the resources it was granted. */
  private get pod(): PodObject {
    return this.resizer.pod;
  }
  get spec(): PodObject {
    return this.pod;
  }
  get isStopping(): boolean {
    return this.stopping;
  }

  /** The pod as it is now wanted. */
  update(pod: PodObject): void {
    const before = this.resizer.wanted;
    this.resizer.update(pod);
    if (!sameJson(pod.metadata.annotations, before.metadata.annotations) || !sameJson(pod.metadata.labels, before.metadata.labels)) this.volumesStale = true;
    if (pod.metadata.deletionTimestamp !== undefined) this.stop(pod.metadata.deletionGracePeriodSeconds);
    else this.poke();
  }

  /** Stops the pod for good. `grace` in seconds; a second call may shorten it. `failed`: why the kubelet itself ends it. */
  stop(grace: number | undefined, failed?: Failure): void {
    const shorter = grace !== undefined && (this.graceLimit === undefined || grace < this.graceLimit);
    if (shorter) this.graceLimit = grace;
    if (failed) this.failed = failed;
    if (this.stopping && !shorter) {
      this.poke();
      return;
    }
    if (this.stopping && this.running) {
      // Already being stopped with more patience than is granted now.
      const view = viewOf(this.node.runtime, this.uid);
      for (const list of view.containers.values())
        for (const status of list)
          if (status.state === 'running') void this.node.runtime.stopContainer(status.id, Math.max(MINIMUM_GRACE, seconds(grace ?? 0)));
    }
    this.stopping = true;
    this.probes.stopLiveness();
    this.stopSignal.reject(new Stopped());
    this.poke();
  }

  /** This node does not take the pod: it has failed before anything of it began (`rejectPod` in kubelet.go). */
  refuse({ reason, message }: { readonly reason: string; readonly message: string }): void {
    const { node } = this;
    this.note(undefined, 'Warning', reason, message);
    const known = node.current(this.uid)?.status;
    node.statuses.set(this.uid, {
      ...(known?.conditions && { conditions: known.conditions }),
      phase: 'Failed',
      reason,
      message: `Pod was rejected: ${message}`,
      qosClass: qosClass(this.pod),
      startTime: known?.startTime ?? timestamp(node.self.clock.now()),
    });
    this.finished = true;
    node.statuses.allowDeletion(this.uid);
    this.onFinished(this);
  }

  /** Referenced objects changed: the next sync writes its files anew. */
  refreshVolumes(): void {
    this.volumesStale = true;
    this.poke();
  }

  poke(): void {
    if (this.finished) return;
    const { self } = this.node;
    this.cause = self.trace.current();
    this.dirty = true;
    if (this.running) return;
    this.running = true;
    self.clock.after(0, () => {
      self.clock.wake();
      void this.run();
    });
  }

  private async run(): Promise<void> {
    while (this.dirty && !this.finished) {
      this.dirty = false;
      this.clearTimer();
      this.node.self.trace.because(this.cause);
      try {
        if (this.stopping) await this.syncStopping();
        else await this.sync();
      } catch (error) {
        if (error instanceof Stopped) this.dirty = true;
        else {
          const message = error instanceof Error ? error.message : String(error);
          this.node.self.trace.emit('kubelet.sync', this.about(), { node: this.node.nodeName, error: message });
          this.note(undefined, 'Warning', 'FailedSync', `Error syncing pod: ${message}`);
          this.retryAfter(this.jittered(WORKER_BACKOFF));
        }
      }
    }
    this.running = false;
  }

  // --- A pod that should run ------------------------------------------------------------------------
  private async sync(): Promise<void> {
    const { node } = this;
    const { self, runtime } = node;
    let view = viewOf(runtime, this.uid);
    const again = this.resizer.grant(view);
    if (again !== undefined) this.retryAfter(this.jittered(again));
    const status = this.report(view);
    if (status.phase === 'Succeeded' || status.phase === 'Failed') return this.becomeDone();
    if (this.deadlinePassed(status)) return;
    if (this.pod.metadata.annotations?.['kubernetes.io/config.source'] === 'file') node.ensureMirror(this.pod);
    const runtimeState = runtime.status();
    if (!this.pod.spec?.hostNetwork && !runtimeState.networkReady) {
      const why = `container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${runtimeState.networkMessage}`;
      this.note(undefined, 'Warning', 'NetworkNotReady', `network is not ready: ${why}`);
      return this.retryAfter(this.jittered(seconds(2)));
    }
    if (this.volumesStale || !this.mounted) {
      if (!(await this.mount())) return;
    }
    view = viewOf(runtime, this.uid);
    const actions = computeActions(this.pod, view, {
      liveness: (container) => this.probes.verdict('liveness', container),
      startup: (container) => this.probes.verdict('startup', container),
      started: (container) => this.probes.started(container),
      resizeRestarts: (spec, container) => this.resizer.restarts(spec, container),
    });
    if (actions.killPod) {
      await this.killContainers(view, undefined);
      for (const sandbox of view.sandboxes) await runtime.stopPodSandbox(sandbox.id);
      if (actions.createSandbox === undefined) {
        this.report(viewOf(runtime, this.uid));
        return;
      }
    }
    for (const { container, spec, why } of actions.kill) {
      self.trace.emit('kubelet.sync', this.about(), { node: node.nodeName, kill: spec.name, why });
      await this.stopOne(view, spec, container.id, why, this.probeGrace(spec));
    }
    let sandbox = readySandbox(view);
    if (actions.createSandbox !== undefined) {
      const id = await this.createSandbox(actions.createSandbox);
      if (id === undefined) return;
      sandbox = runtime.sandboxes().find((one) => one.id === id);
      if (!sandbox) return this.retryAfter(this.jittered(WORKER_BACKOFF));
      for (const old of view.sandboxes.slice(1)) await runtime.removePodSandbox(old.id);
    }
    // That it is done is seen when containers are next looked at.
    if (await this.resizer.actuate(viewOf(runtime, this.uid), sandbox?.id)) self.clock.after(seconds(1), () => this.poke());
    const { pod } = this;
    if (pod.spec?.imagePullSecrets?.length && actions.start.length > 0) {
      // Few pods have such secrets: what reads them comes with the first.
      const { pullCredentials } = await self.outside(import('./pull-secrets.ts'));
      const read = pullCredentials(node, pod, (type, reason, message) => this.note(undefined, type, reason, message));
      this.credentials = await Promise.race([read, this.stopSignal.promise]);
    }
    for (const { spec } of actions.start) {
      if (!sandbox) break;
      await this.start(spec, sandbox, view);
    }
    this.report(viewOf(runtime, this.uid));
  }

  private async start(spec: ContainerSpec, sandbox: NonNullable<ReturnType<typeof readySandbox>>, view: PodView): Promise<void> {
    const { node } = this;
    const now = node.self.clock.now();
    const latest = newest(view, spec.name);
    const key = `${this.uid}_${spec.name}_${containerHash(spec)}`;
    // Exits counted are those seen before this sync killed anything: a liveness kill restarts at once the first time.
    const current = newest(viewOf(node.runtime, this.uid), spec.name);
    if (current?.state === 'exited') {
      const ended = current.finishedAt ?? now;
      const until = node.crashes.until(key, ended, now);
      if (until !== undefined) {
        this.note(spec, 'Warning', 'BackOff', `Back-off restarting failed container ${spec.name} in pod ${podText(this.pod)}`);
        this.waiting.set(spec.name, {
          reason: 'CrashLoopBackOff',
          message: `back-off ${goDuration(node.crashes.get(key))} restarting failed container=${spec.name} pod=${podText(this.pod)}`,
        });
        this.retryAfter(Math.min(until - now, this.jittered(WORKER_BACKOFF)));
        return;
      }
      node.crashes.next(key, ended, now);
    }
    const before = node.statuses.get(this.uid) ?? this.pod.status;
    const known = [...(before?.containerStatuses ?? []), ...(before?.initContainerStatuses ?? [])].find((one) => one.name === spec.name);
    const restarts = current ? restartCount(current) + 1 : latest ? restartCount(latest) + 1 : (known?.restartCount ?? 0);
    const result = await startContainer(node, {
      pod: this.pod,
      container: spec,
      sandbox,
      volumes: this.volumes,
      restartCount: restarts,
      note: (type, reason, message) => this.note(spec, type, reason, message),
      credentials: this.credentials,
      unlessStopped: (promise) => Promise.race([promise, this.stopSignal.promise]),
    });
    if (result.ok) {
      this.resizer.started(result.id, spec);
      this.waiting.delete(spec.name);
      await this.removeDead(spec.name);
    } else {
      this.waiting.set(spec.name, { reason: result.reason, message: result.message });
      this.retryAfter(this.jittered(WORKER_BACKOFF));
    }
  }

  /** Keeps the last dead container of each name, for `logs --previous` (maxPerPodContainer 1). */
  private async removeDead(name: string): Promise<void> {
    const list = viewOf(this.node.runtime, this.uid).containers.get(name) ?? [];
    for (const old of list.filter((status) => status.state === 'exited').slice(1)) await this.node.runtime.removeContainer(old.id);
  }

  private async createSandbox(attempt: number): Promise<string | undefined> {
    const { node } = this;
    const host = node.files.exists('/etc/resolv.conf') ? node.files.read('/etc/resolv.conf') : '';
    const defaults = { clusterDns: node.clusterDns, clusterDomain: node.clusterDomain, host, nodeName: node.nodeName };
    try {
      const config = sandboxConfig(this.pod, attempt, defaults, this.pod.spec?.runtimeClassName ? await runtimeHandlerOf(node.client, this.pod) : undefined);
      return await node.runtime.runPodSandbox(config);
    } catch (error) {
      this.note(undefined, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${error instanceof Error ? error.message : String(error)}`);
      this.retryAfter(this.jittered(WORKER_BACKOFF));
      return undefined;
    }
  }

  /** False: not yet; asked for again with growing patience, half a second to two minutes (`goroutinemap/exponentialbackoff`). */
  private async mount(): Promise<boolean> {
    const { clock } = this.node.self;
    const since = this.mountStart ?? clock.now();
    this.mountStart = since;
    try {
      this.volumesStale = false;
      const refresh = await Promise.race([this.volumes.mount(this.pod), this.stopSignal.promise]);
      this.mounted = true;
      this.mountFailures = 0;
      this.mountStart = undefined;
      if (refresh !== undefined) {
        clock.after(refresh + seconds(1), () => {
          if (!this.finished && !this.stopping) this.refreshVolumes();
        });
      }
      return true;
    } catch (error) {
      if (!(error instanceof MountError)) throw error;
      this.note(undefined, 'Warning', 'FailedMount', error.message);
      this.volumesStale = true;
      const delay = Math.min(seconds(122), 500_000 * 2 ** Math.min(this.mountFailures++, 10));
      if (clock.now() - since > seconds(123)) {
        this.mountStart = clock.now();
        const names = (this.pod.spec?.volumes ?? []).map((volume) => volume.name).join(' ');
        this.note(
          undefined,
          'Warning',
          'FailedMount',
          `Unable to attach or mount volumes: unmounted volumes=[${names}], unattached volumes=[], failed to process volumes=[]: context deadline exceeded`,
        );
      }
      // A pod that runs already keeps the files it has.
      if (this.mounted) {
        this.volumesStale = false;
        clock.after(delay, () => this.refreshVolumes());
        return true;
      }
      this.retryAfter(delay);
      return false;
    }
  }

  private deadlinePassed(status: Status): boolean {
    const deadline = this.pod.spec?.activeDeadlineSeconds;
    if (deadline === undefined) return false;
    const left = (instantOf(status.startTime) ?? 0) + seconds(deadline) - this.node.self.clock.now();
    if (left > 0) {
      this.retryAfter(left);
      return false;
    }
    this.note(undefined, 'Normal', 'DeadlineExceeded', 'Pod was active on the node longer than the specified deadline');
    this.stop(undefined, { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' });
    return true;
  }

  private probeGrace(spec: ContainerSpec): Duration {
    const failed = (kind: 'startup' | 'liveness'): boolean => this.probes.verdict(kind, spec.name) === 'failure';
    const own = failed('startup')
      ? spec.startupProbe?.terminationGracePeriodSeconds
      : failed('liveness')
        ? spec.livenessProbe?.terminationGracePeriodSeconds
        : undefined;
    return seconds(own ?? this.pod.spec?.terminationGracePeriodSeconds ?? 30);
  }

  // --- A pod that should stop -----------------------------------------------------------------------
  /** Its work is over (Succeeded, Failed): the sandbox goes, the dead containers stay for their logs. */
  private becomeDone(): void {
    this.stopping = true;
    this.dirty = true;
  }

  private async syncStopping(): Promise<void> {
    const { runtime } = this.node;
    let view = viewOf(runtime, this.uid);
    this.report(view);
    const grace = this.graceLimit ?? this.pod.metadata.deletionGracePeriodSeconds ?? this.pod.spec?.terminationGracePeriodSeconds ?? 30;
    await this.killContainers(view, seconds(grace));
    view = viewOf(runtime, this.uid);
    for (const sandbox of view.sandboxes) await runtime.stopPodSandbox(sandbox.id);
    this.probes.stop();
    this.report(viewOf(runtime, this.uid), true);
    this.finished = true;
    this.clearTimer();
    this.node.objects.release(this.uid);
    this.node.statuses.allowDeletion(this.uid);
    this.onFinished(this);
  }

  /** All at once, except that sidecars wait for the others and go in reverse order (KEP-753). */
  private async killContainers(view: PodView, grace: Duration | undefined): Promise<void> {
    const sidecars = (this.pod.spec?.initContainers ?? []).filter(isSidecar).reverse();
    const patience = grace ?? seconds(this.pod.spec?.terminationGracePeriodSeconds ?? 30);
    const began = this.node.self.clock.now();
    const names = new Set(sidecars.map((container) => container.name));
    const others: Promise<void>[] = [];
    for (const [name, list] of view.containers) {
      if (names.has(name)) continue;
      const spec = allContainers(this.pod).find((container) => container.name === name);
      for (const status of list) if (status.state === 'running') others.push(this.stopOne(view, spec, status.id, `Stopping container ${name}`, patience));
    }
    await Promise.all(others);
    for (const spec of sidecars) {
      const status = newest(view, spec.name);
      const left = Math.max(0, patience - (this.node.self.clock.now() - began));
      if (status?.state === 'running') await this.stopOne(view, spec, status.id, `Stopping container ${spec.name}`, left);
    }
  }

  private async stopOne(view: PodView, spec: ContainerSpec | undefined, id: string, why: string, grace: Duration): Promise<void> {
    const status = [...view.containers.values()].flat().find((one) => one.id === id);
    if (!status) return;
    const podIP = this.pod.spec?.hostNetwork ? this.node.hostIP : (view.sandboxes[0]?.ips[0] ?? '');
    await stopContainer(this.node, {
      pod: this.pod,
      spec,
      status,
      grace,
      podIP,
      why,
      note: (type, reason, message) => this.note(spec, type, reason, message),
    });
  }

  /** Removes what the runtime still keeps of the pod, and its files. */
  async cleanUp(): Promise<void> {
    for (const sandbox of viewOf(this.node.runtime, this.uid).sandboxes) {
      await this.node.runtime.stopPodSandbox(sandbox.id);
      await this.node.runtime.removePodSandbox(sandbox.id);
    }
    this.volumes.tearDown();
    this.node.crashes.forget(`${this.uid}_`);
    this.node.images.forget(this.uid);
  }

  // --- Reporting ------------------------------------------------------------------------------------
  private report(view: PodView, terminal = false): Status {
    const { node } = this;
    const running = new Map<string, { id: string; startedAt: Instant; ip: string }>();
    const ip = this.pod.spec?.hostNetwork ? node.hostIP : (view.sandboxes[0]?.ips[0] ?? '');
    for (const [name, list] of view.containers) {
      const status = list[0];
      if (status?.state === 'running') running.set(name, { id: status.id, startedAt: status.startedAt ?? 0, ip });
    }
    this.probes.observe(running);
    const current = node.current(this.uid) ?? this.pod;
    const old = node.statuses.get(this.uid) ?? current.status ?? {};
    const foreign = current.status?.conditions;
    const status = podStatus({
      pod: current.metadata.uid === this.uid ? { ...this.pod, status: current.status ?? {} } : this.pod,
      old: foreign ? { ...old, conditions: mergeConditions(old.conditions, foreign) } : old,
      view,
      waiting: this.waiting,
      started: (container) => this.probes.started(container),
      ready: (container) => this.probes.ready(container),
      hostIP: node.hostIP,
      now: node.self.clock.now(),
      terminating: this.stopping,
      terminal,
      ...(this.failed && { failed: this.failed }),
      terminationMessage: (container) => terminationMessage(node, this.pod, container),
      actuated: (container) => this.resizer.actuatedOf(container),
      resize: this.resizer.state,
    });
    if (node.statuses.set(this.uid, status)) node.self.trace.emit('kubelet.sync', this.about(), { node: node.nodeName, phase: status.phase });
    return status;
  }

  private note(container: ContainerSpec | undefined, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const list = !container
      ? ''
      : this.pod.spec?.initContainers?.includes(container)
        ? 'initContainers'
        : this.pod.spec?.containers?.includes(container)
          ? 'containers'
          : 'ephemeralContainers';
    this.node.recorder.event(this.pod, type, reason, message, container ? { fieldPath: `spec.${list}{${container.name}}` } : {});
  }
  private about(): string {
    return `Pod/${this.pod.metadata.namespace}/${this.pod.metadata.name}`;
  }

  // --- Waking up ------------------------------------------------------------------------------------
  private jittered(base: Duration): Duration {
    return base + this.node.self.rng.between(0, Math.floor(base / 2));
  }
  private retryAfter(delay: Duration): void {
    const at = this.node.self.clock.now() + delay;
    if (this.timer && this.timer.at <= at) return;
    this.timer?.cancel();
    this.timer = { at, cancel: this.node.self.clock.after(delay, () => this.poke()) };
  }
  private clearTimer(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}
