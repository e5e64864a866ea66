/**
 * A pod's status, computed from what the runtime says and what the last status was. Pure: no clock but
 * the `now` it is given. After `kubelet_pods.go` (convertStatusToAPIStatus, getPhase) and
 * `status/generate.go`.
 */
import type { Instant } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { timestamp } from '../api/time.ts';
import type { ContainerState, ContainerStatus, PodCondition, PodStatus, ResourceRequirements } from '../api/types.gen.ts';
import type { ContainerStatus as RuntimeStatus } from './cri.ts';
import { type ContainerSpec, ephemeralContainers, isSidecar, newest, type PodObject, type PodView, readySandbox, restartCount } from './pod-view.ts';
import { qosClass } from './qos.ts';

export interface StatusInput {
  readonly pod: PodObject;
  /** The last status made, or the API's when this kubelet has made none. */
  readonly old: DeepReadonly<PodStatus>;
  readonly view: PodView;
  /** Why a container could not be started last time. */
  readonly waiting: ReadonlyMap<string, { readonly reason: string; readonly message: string }>;
  /** Whether its startup probe, if any, has passed. */
  readonly started: (container: string) => boolean;
  /** Whether its readiness probe, if any, says yes. */
  readonly ready: (container: string) => boolean;
  readonly hostIP: string;
  readonly now: Instant;
  /** Where an in-place resize stands. */
  readonly resize?: ResizeState;
  /** What a running container was last set to; undefined is what the pod says. */
  readonly actuated?: (container: RuntimeStatus) => DeepReadonly<ResourceRequirements> | undefined;
  /** The pod is being stopped for good (deleted, evicted, past its deadline): nothing starts any more. */
  readonly terminating: boolean;
  /** All its containers have stopped and none will start: the phase is final. */
  readonly terminal: boolean;
  /** What a decision to fail the pod says (`DeadlineExceeded`), once nothing of it runs any more; with `disruption`, that it was none of the pod's doing. */
  readonly failed?: Failure;
  /** The message a container left in its termination log. */
  readonly terminationMessage: (container: RuntimeStatus) => string | undefined;
}

export interface ResizeState {
  /** Not granted (yet), as of `at`. */
  readonly pending?: { readonly reason: string; readonly message: string; readonly at: Instant } | undefined;
  /** Granted, and not done yet; with `error` the last attempt failed. */
  readonly inProgress?: { readonly error?: string } | undefined;
}
export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly disruption?: boolean;
}
export type Status = DeepReadonly<PodStatus>;
type Statuses = readonly DeepReadonly<ContainerStatus>[];

/** The status to report. */
export function podStatus(input: StatusInput): Status {
  const { pod, old, view } = input;
  const spec = pod.spec;
  const hasInit = (spec?.initContainers?.length ?? 0) > 0;
  const containers = (spec?.containers ?? []).map((container) => containerStatus(input, container, false, hasInit));
  const inits = (spec?.initContainers ?? []).map((container) => containerStatus(input, container, true, hasInit));
  const ephemeral = ephemeralContainers(pod).map((container) => ephemeralStatus(input, container));
  // Terminal only when everything has stopped (`mergePodStatus` in status_manager.go).
  const failed = input.terminal ? input.failed : undefined;
  const phase = failed ? 'Failed' : old.phase === 'Failed' || old.phase === 'Succeeded' ? old.phase : phaseOf(pod, inits, containers, input.terminal);
  const sandbox = readySandbox(view);
  const ips = spec?.hostNetwork ? (sandbox ? [input.hostIP] : []) : (sandbox?.ips ?? []);
  const shown = ips.length > 0 ? ips : (old.podIPs ?? []).map((entry) => entry.ip ?? '');
  return {
    phase,
    ...(old.message !== undefined && { message: old.message }),
    ...(old.reason !== undefined && { reason: old.reason }),
    ...(failed && { reason: failed.reason, message: failed.message }),
    ...(old.nominatedNodeName !== undefined && { nominatedNodeName: old.nominatedNodeName }),
    conditions: conditionsOf(input, phase, inits, containers, sandbox !== undefined),
    hostIP: input.hostIP,
    hostIPs: [{ ip: input.hostIP }],
    ...(shown.length > 0 && { podIP: shown[0]!, podIPs: shown.map((ip) => ({ ip })) }),
    qosClass: old.qosClass ?? qosClass(pod),
    startTime: old.startTime ?? timestamp(input.now),
    ...(hasInit && { initContainerStatuses: inits }),
    containerStatuses: containers,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
  };
}

function containerStatus(input: StatusInput, container: ContainerSpec, isInit: boolean, hasInit: boolean): DeepReadonly<ContainerStatus> {
  const { pod, old, view } = input;
  const before = (isInit ? old.initContainerStatuses : old.containerStatuses)?.find((status) => status.name === container.name);
  const list = view.containers.get(container.name) ?? [];
  const latest = list[0];
  const mounts = volumeMounts(container);
  const waitingReason = hasInit ? 'PodInitializing' : 'ContainerCreating';
  let state: DeepReadonly<ContainerState>;
  let lastState: DeepReadonly<ContainerState> = {};
  let count = before?.restartCount ?? 0;
  let identity: { image: string; imageID: string; containerID?: string };
  if (latest) {
    state = stateOf(latest, input);
    count = restartCount(latest);
    const previous = list.find((other) => other !== latest && other.state === 'exited');
    lastState = previous ? stateOf(previous, input) : (before?.lastState ?? {});
    if (!previous && before?.state?.terminated && before.containerID !== `containerd://${latest.id}`) lastState = before.state;
    identity = { image: latest.image ?? latest.config.image, imageID: latest.imageId, containerID: `containerd://${latest.id}` };
  } else if (before?.state?.terminated) {
    // Removed from the runtime after it ended: the API's word is all that is left of it.
    return before;
  } else if (before?.state?.running) {
    // It ran, and now nobody knows it: the machine lost it (KEP-2000 keeps these texts).
    const terminated = { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated' };
    const again = !input.terminating && pod.spec?.restartPolicy !== 'Never';
    state = again ? { waiting: { reason: waitingReason } } : { terminated };
    lastState = again
      ? { terminated: { ...terminated, message: 'The container could not be located when the pod was deleted.  The container used to be Running' } }
      : {};
    count = again ? count + 1 : count;
    identity = { image: before.image, imageID: before.imageID };
  } else {
    state = { waiting: { reason: waitingReason } };
    lastState = before?.lastState ?? {};
    identity = { image: container.image ?? '', imageID: '' };
  }
  const reason = input.waiting.get(container.name);
  if (reason && !state.running && !input.terminating && (latest?.state !== 'exited' || willRestart(pod, container, latest, isInit))) {
    if (state.terminated) lastState = state;
    state = { waiting: { reason: reason.reason, ...(reason.message !== '' && { message: reason.message }) } };
  }
  const running = state.running !== undefined;
  const regularInit = isInit && !isSidecar(container);
  const started = regularInit ? false : running && input.started(container.name);
  const ready = regularInit ? state.terminated?.exitCode === 0 : started && input.ready(container.name);
  // Of whatever the runtime knows: what it has, while it runs, and else what it will have (convertContainerStatusResources).
  const granted = container.resources ?? {};
  const resources = latest?.state === 'running' ? (input.actuated?.(latest) ?? granted) : granted;
  return {
    name: container.name,
    state,
    lastState,
    ready,
    restartCount: count,
    ...identity,
    started,
    ...(latest && { resources, ...(granted.requests && { allocatedResources: granted.requests }) }),
    ...(mounts && { volumeMounts: mounts }),
  };
}

/** Nobody probes it, and nobody asks whether it is ready. */
function ephemeralStatus(input: StatusInput, container: ContainerSpec): DeepReadonly<ContainerStatus> {
  const before = input.old.ephemeralContainerStatuses?.find((status) => status.name === container.name);
  const { started: _, ...status } = containerStatus({ ...input, old: { containerStatuses: before ? [before] : [] } }, container, false, false);
  return { ...status, ready: false };
}

const volumeMounts = (container: ContainerSpec) =>
  container.volumeMounts?.length
    ? container.volumeMounts.map((mount) => ({
        name: mount.name,
        mountPath: mount.mountPath,
        ...(mount.readOnly && { readOnly: true, recursiveReadOnly: 'Disabled' }),
      }))
    : undefined;

function stateOf(status: RuntimeStatus, input: StatusInput): DeepReadonly<ContainerState> {
  if (status.state === 'running') return { running: { startedAt: timestamp(status.startedAt ?? status.createdAt) } };
  if (status.state === 'created') return { waiting: { reason: 'ContainerCreating' } };
  const message = status.message ?? input.terminationMessage(status);
  return {
    terminated: {
      exitCode: status.exitCode ?? 0,
      reason: status.reason ?? '',
      ...(message && { message }),
      // Of one that never ran containerd says zero (StartError).
      startedAt: status.startedAt === undefined ? '1970-01-01T00:00:00Z' : timestamp(status.startedAt),
      finishedAt: timestamp(status.finishedAt ?? status.createdAt),
      containerID: `containerd://${status.id}`,
    },
  };
}

/** Whether a container that is not running should be started (`ShouldContainerBeRestarted`). */
export function willRestart(pod: PodObject, container: ContainerSpec, status: RuntimeStatus | undefined, isInit = false): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  if (!status || status.state === 'created') return true;
  if (status.state === 'running') return false;
  if (isInit && isSidecar(container)) return true;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  if (isInit) return policy !== 'Never' && status.exitCode !== 0;
  return policy === 'Always' || (policy === 'OnFailure' && status.exitCode !== 0);
}

/** `getPhase` of kubelet_pods.go. */
export function phaseOf(pod: PodObject, inits: Statuses, containers: Statuses, terminal: boolean): string {
  const policy = pod.spec?.restartPolicy ?? 'Always';
  let pending = 0;
  let failedInit = 0;
  (pod.spec?.initContainers ?? []).forEach((container, i) => {
    const status = inits[i];
    const last = status?.state?.terminated ?? status?.lastState?.terminated;
    if (isSidecar(container)) {
      if (!status?.started && !status?.state?.terminated) pending++;
    } else if (status?.state?.running) pending++;
    else if (status?.state?.terminated) {
      if (status.state.terminated.exitCode !== 0) failedInit++;
    } else if (last) {
      if (last.exitCode !== 0) failedInit++;
      else pending++;
    } else pending++;
  });
  let waiting = 0;
  let running = 0;
  let stopped = 0;
  let succeeded = 0;
  for (const status of containers) {
    if (status.state?.running) running++;
    else if (status.state?.terminated) {
      stopped++;
      if (status.state.terminated.exitCode === 0) succeeded++;
    } else if (status.lastState?.terminated) stopped++;
    else waiting++;
  }
  if (failedInit > 0 && policy === 'Never') return 'Failed';
  const anyStarted = running > 0 || stopped > 0;
  if ((pending > 0 || failedInit > 0) && !anyStarted) return terminal ? 'Failed' : 'Pending';
  if (waiting > 0) return terminal ? 'Failed' : 'Pending';
  if (running > 0) return 'Running';
  if (stopped > 0) {
    if (terminal) return stopped === succeeded ? 'Succeeded' : 'Failed';
    // Sidecars are stopped after the rest; until then the pod is not over.
    const sidecarRuns = (pod.spec?.initContainers ?? []).some((container, i) => isSidecar(container) && inits[i]?.state?.running);
    if (policy === 'Always' || sidecarRuns) return 'Running';
    if (stopped === succeeded) return 'Succeeded';
    return policy === 'Never' ? 'Failed' : 'Running';
  }
  return 'Pending';
}

interface Verdict {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
  readonly lastProbeTime?: string;
}
export const OWN: readonly string[] = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'PodResizePending',
  'PodResizeInProgress',
];

/** Conditions of a resize are there while they hold, and not at all else (`GetPodResizeConditions`). */
function resizeVerdicts({ resize, now }: StatusInput): readonly Verdict[] {
  const pending = resize?.pending;
  const verdicts: Verdict[] = [];
  if (pending)
    verdicts.push({ type: 'PodResizePending', status: 'True', reason: pending.reason, message: pending.message, lastProbeTime: timestamp(pending.at) });
  if (resize?.inProgress) {
    const { error } = resize.inProgress;
    verdicts.push({
      type: 'PodResizeInProgress',
      status: 'True',
      ...(error !== undefined && { reason: 'Error', message: error, lastProbeTime: timestamp(now) }),
    });
  }
  return verdicts;
}

function conditionsOf(input: StatusInput, phase: string, inits: Statuses, containers: Statuses, hasSandbox: boolean): readonly DeepReadonly<PodCondition>[] {
  const { pod, old } = input;
  const ready = containersReady(pod, inits, containers, phase);
  const verdicts: Verdict[] = [
    ...resizeVerdicts(input),
    { type: 'PodReadyToStartContainers', status: hasSandbox ? 'True' : 'False' },
    { type: 'Initialized', ...initialized(pod, inits, containers, phase) },
    { type: 'Ready', ...(ready.status === 'True' ? readinessGates(pod) : ready) },
    { type: 'ContainersReady', ...ready },
    { type: 'PodScheduled', status: 'True' },
  ];
  if (input.terminal && input.failed?.disruption)
    verdicts.push({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: input.failed.message });
  const made = verdicts.map((verdict): DeepReadonly<PodCondition> => {
    const before = old.conditions?.find((condition) => condition.type === verdict.type);
    if (
      before &&
      before.status === verdict.status &&
      before.reason === verdict.reason &&
      before.message === verdict.message &&
      (verdict.lastProbeTime ?? before.lastProbeTime) === before.lastProbeTime
    )
      return before;
    const since = before && before.status === verdict.status ? before.lastTransitionTime : timestamp(input.now);
    return { ...verdict, lastTransitionTime: since ?? timestamp(input.now) };
  });
  // Conditions of others (readiness gates, DisruptionTarget) are left as the API has them.
  return [...(old.conditions ?? []).filter((condition) => !OWN.includes(condition.type) && !made.some(({ type }) => type === condition.type)), ...made];
}

const listText = (names: readonly string[]): string => `[${names.join(' ')}]`;

function containersReady(pod: PodObject, inits: Statuses, containers: Statuses, phase: string): Omit<Verdict, 'type'> {
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  const unready: string[] = [];
  (pod.spec?.initContainers ?? []).forEach((container, i) => {
    if (isSidecar(container) && !inits[i]?.ready) unready.push(container.name);
  });
  for (const status of containers) if (!status.ready) unready.push(status.name);
  if (unready.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: ${listText(unready)}` };
}

function initialized(pod: PodObject, inits: Statuses, containers: Statuses, phase: string): Omit<Verdict, 'type'> {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  const anyStarted = containers.some((status) => status.state?.running || status.state?.terminated || status.lastState?.terminated);
  if (anyStarted) return { status: 'True' };
  const incomplete: string[] = [];
  (pod.spec?.initContainers ?? []).forEach((container, i) => {
    if (isSidecar(container) ? !inits[i]?.started : !inits[i]?.ready) incomplete.push(container.name);
  });
  if (incomplete.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: ${listText(incomplete)}` };
}

function readinessGates(pod: PodObject): Omit<Verdict, 'type'> {
  const messages: string[] = [];
  for (const gate of pod.spec?.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find((one) => one.type === gate.conditionType);
    if (!condition) messages.push(`corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`);
    else if (condition.status !== 'True') messages.push(`the status of pod readiness gate "${gate.conditionType}" is not "True", but ${condition.status}`);
  }
  return messages.length === 0 ? { status: 'True' } : { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

/** Whether every container the runtime knows of has stopped. */
export const allStopped = (view: PodView): boolean => [...view.containers.values()].every((list) => list.every((status) => status.state !== 'running'));
export const hasStarted = (view: PodView, name: string): boolean => newest(view, name) !== undefined;

type Conditions = Status['conditions'];
/** Our own conditions as we made them, everybody else's as the API has them. */
export const mergeConditions = (mine: Conditions, api: NonNullable<Conditions>): NonNullable<Conditions> => {
  const own = (mine ?? []).filter((condition) => OWN.includes(condition.type));
  const scheduled = own.some((condition) => condition.type === 'PodScheduled') ? [] : api.filter((condition) => condition.type === 'PodScheduled');
  return [...api.filter((condition) => !OWN.includes(condition.type)), ...own, ...scheduled];
};
