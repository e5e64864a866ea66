/**
 * The probes of one pod (`prober/worker.go`): a ticker for each, thresholds, and what the pod worker
 * must know of the outcome. A success that changes nothing touches nothing else.
 */
import { type Cancel, type Duration, type Instant, ms, seconds } from '../../sim/clock.ts';
import type { KubeletNode } from './node.ts';
import { allContainers, type ContainerSpec, isSidecar, type PodObject } from './pod-view.ts';
import { type ProbeSpec, probeOnce } from './probe-actions.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';
type Result = 'success' | 'failure' | 'unknown';
const TITLE: Readonly<Record<ProbeKind, string>> = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' };
const FIELDS = [
  ['startup', 'startupProbe'],
  ['liveness', 'livenessProbe'],
  ['readiness', 'readinessProbe'],
] as const;

const JUST_STARTED = ms(100);

interface Running {
  readonly id: string;
  readonly startedAt: Instant;
  readonly ip: string;
}

export interface ProbeEvents {
  /** A verdict changed. */
  changed(): void;
  unhealthy(container: ContainerSpec, message: string): void;
}

/** All probes of one pod. Told by `observe` which containers run; asked for verdicts by status and actions. */
export class PodProbes {
  private readonly running = new Map<string, Running>();
  private readonly workers = new Map<string, ProbeWorker>();
  readonly about: string;

  constructor(
    readonly node: KubeletNode,
    pod: PodObject,
    readonly events: ProbeEvents,
    /** The kubelet has just started: probes of pods found running are spread over their first period. */
    spread: boolean,
  ) {
    this.about = `Pod/${pod.metadata.namespace}/${pod.metadata.name}`;
    for (const container of allContainers(pod)) {
      const isInit = pod.spec?.initContainers?.includes(container) ?? false;
      if (isInit && !isSidecar(container)) continue;
      for (const [kind, field] of FIELDS) {
        const probe = container[field];
        if (probe) this.workers.set(`${kind}/${container.name}`, new ProbeWorker(this, kind, container, probe, spread));
      }
    }
  }

  /** The containers that run now. */
  observe(now: ReadonlyMap<string, Running>): void {
    for (const name of [...this.running.keys()]) if (!now.has(name)) this.running.delete(name);
    for (const [name, running] of now) if (this.running.get(name)?.id !== running.id) this.running.set(name, running);
    for (const worker of this.workers.values()) worker.observe();
  }
  current(container: string): Running | undefined {
    return this.running.get(container);
  }

  /** Running, and past its startup probe if it has one. */
  started(container: string): boolean {
    if (!this.running.has(container)) return false;
    const worker = this.workers.get(`startup/${container}`);
    return !worker || worker.verdict() === 'success';
  }
  ready(container: string): boolean {
    if (!this.running.has(container)) return false;
    const worker = this.workers.get(`readiness/${container}`);
    return !worker || worker.verdict() === 'success';
  }
  verdict(kind: ProbeKind, container: string): Result {
    return this.workers.get(`${kind}/${container}`)?.verdict() ?? 'unknown';
  }
  /** Readiness of a stopping pod is still asked for; liveness and startup are not (`StopLivenessAndStartup`). */
  stopLiveness(): void {
    for (const worker of this.workers.values()) if (worker.kind !== 'readiness') worker.stop();
  }
  stop(): void {
    for (const worker of this.workers.values()) worker.stop();
  }
}

class ProbeWorker {
  private container: string | undefined;
  private result: Result;
  private last: Result | undefined;
  private runs = 0;
  /** A failed liveness or startup probe rests until the container is made anew. */
  private onHold = false;
  private probing = false;
  private stopped = false;
  private cancel: Cancel | undefined;
  private readonly period: Duration;
  private readonly initial: Result;

  constructor(
    private readonly pod: PodProbes,
    readonly kind: ProbeKind,
    private readonly spec: ContainerSpec,
    private readonly probe: ProbeSpec,
    spread: boolean,
  ) {
    this.period = seconds(probe.periodSeconds || 10);
    this.initial = kind === 'liveness' ? 'success' : kind === 'readiness' ? 'failure' : 'unknown';
    this.result = this.initial;
    const { self } = pod.node;
    this.arm(spread ? self.rng.between(0, this.period) : this.period);
  }

  verdict(): Result {
    return this.pod.current(this.spec.name)?.id === this.container ? this.result : this.initial;
  }

  /** Something about the pod's containers was looked at: an unready one is probed at once (`manualTriggerCh`). */
  observe(): void {
    const running = this.pod.current(this.spec.name);
    if (this.stopped || !running) return;
    if (running.id !== this.container) this.adopt(running.id);
    // Upstream learns of a start from the next relist, by when most programs listen: not in the breath that started it.
    if (this.kind === 'readiness' && this.result !== 'success' && this.pod.node.self.clock.now() - running.startedAt >= JUST_STARTED) this.tick();
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private arm(delay: Duration): void {
    this.cancel = this.pod.node.self.clock.after(delay, () => {
      this.arm(this.period);
      this.tick();
    });
  }

  private adopt(id: string): void {
    this.container = id;
    this.result = this.initial;
    this.last = undefined;
    this.runs = 0;
    this.onHold = false;
  }

  private tick(): void {
    const running = this.pod.current(this.spec.name);
    if (!running || this.probing || this.stopped) return;
    if (running.id !== this.container) this.adopt(running.id);
    if (this.onHold) return;
    const { clock } = this.pod.node.self;
    if (clock.now() - running.startedAt < seconds(this.probe.initialDelaySeconds ?? 0)) return;
    if (this.kind === 'startup' ? this.result === 'success' : !this.pod.started(this.spec.name)) return;
    this.probing = true;
    clock.wake();
    probeOnce(this.pod.node, this.probe, this.spec, running.id, running.ip).then((look) => {
      this.probing = false;
      if (!this.stopped && this.container === running.id) this.take(look.result, look.output);
    });
  }

  private take(result: 'success' | 'failure', output: string): void {
    const { self } = this.pod.node;
    const fact = { node: this.pod.node.nodeName, container: this.spec.name, probe: this.kind, result };
    if (this.last === result) this.runs++;
    else {
      this.last = result;
      this.runs = 1;
    }
    const threshold = result === 'success' ? (this.probe.successThreshold ?? 1) : (this.probe.failureThreshold ?? 3);
    const quiet = result === 'success' && this.result === 'success';
    if (quiet) self.trace.chatter('probe.run', this.pod.about, fact);
    else self.trace.emit('probe.run', this.pod.about, result === 'failure' ? { ...fact, output } : fact);
    if (result === 'failure') this.pod.events.unhealthy(this.spec, `${TITLE[this.kind]} probe failed: ${output}`);
    if (this.runs < threshold || this.result === result) return;
    this.result = result;
    if (result === 'failure' && this.kind !== 'readiness') {
      this.onHold = true;
      this.runs = 0;
    }
    this.pod.events.changed();
  }
}
