/**
 * What to do next for a pod: the pure plan of a sync (`computePodActions` of kuberuntime_manager.go).
 * Level-triggered: it looks at what is and says what is missing.
 */
import type { ContainerStatus } from './cri.ts';
import {
  ANNOTATION,
  type ContainerSpec,
  containerHash,
  ephemeralContainers,
  isSidecar,
  newest,
  type PodObject,
  type PodView,
  readySandbox,
} from './pod-view.ts';
import { willRestart } from './status.ts';

export interface Actions {
  /** Stop everything: the pod is done, or its sandbox is gone and must be made anew. */
  readonly killPod: boolean;
  /** The attempt number of the sandbox to create. */
  readonly createSandbox?: number;
  readonly kill: readonly { readonly container: ContainerStatus; readonly spec: ContainerSpec; readonly why: string }[];
  /** In this order; init containers one at a time. */
  readonly start: readonly { readonly spec: ContainerSpec; readonly init: boolean }[];
}

export interface ProbeVerdicts {
  /** `failure` once the threshold is crossed; until the container is made anew. */
  liveness(container: string): 'success' | 'failure' | 'unknown';
  startup(container: string): 'success' | 'failure' | 'unknown';
  started(container: string): boolean;
  /** Its resources changed in a way that wants it made anew (resizePolicy RestartContainer). */
  resizeRestarts?(container: ContainerSpec, status: ContainerStatus): boolean;
}

/** What to do next; ephemeral containers come first of what is started, and are started once. */
export function computeActions(pod: PodObject, view: PodView, probes: ProbeVerdicts): Actions {
  const actions = podActions(pod, view, probes);
  if (actions.killPod || !readySandbox(view)) return actions;
  const fresh = ephemeralContainers(pod).filter((container) => newest(view, container.name) === undefined);
  return fresh.length === 0 ? actions : { ...actions, start: [...fresh.map((spec) => ({ spec, init: false })), ...actions.start] };
}

function podActions(pod: PodObject, view: PodView, probes: ProbeVerdicts): Actions {
  const spec = pod.spec;
  const regular = spec?.containers ?? [];
  const inits = spec?.initContainers ?? [];
  const sandbox = readySandbox(view);
  if (!sandbox) {
    const attempt = view.sandboxes[0] ? view.sandboxes[0].config.attempt + 1 : 0;
    const toStart = regular.filter((container) => willRestart(pod, container, gone(newest(view, container.name))));
    // A pod whose work is done gets no second sandbox.
    if (toStart.length === 0 || (attempt !== 0 && spec?.restartPolicy === 'Never' && regular.some((container) => newest(view, container.name)))) {
      return { killPod: true, kill: [], start: [] };
    }
    const first = inits.length > 0 ? [{ spec: inits[0]!, init: true }] : toStart.map((container) => ({ spec: container, init: false }));
    return { killPod: view.sandboxes.length > 0, createSandbox: attempt, kill: [], start: first };
  }
  const kill: { container: ContainerStatus; spec: ContainerSpec; why: string }[] = [];
  const start: { spec: ContainerSpec; init: boolean }[] = [];
  const unhealthy = (container: ContainerSpec, status: ContainerStatus): string | undefined => {
    if (status.config.annotations[ANNOTATION.hash] !== undefined && status.config.annotations[ANNOTATION.hash] !== containerHash(container)) {
      return `Container ${container.name} definition changed`;
    }
    if (probes.liveness(container.name) === 'failure') return `Container ${container.name} failed liveness probe`;
    if (probes.startup(container.name) === 'failure') return `Container ${container.name} failed startup probe`;
    return undefined;
  };
  const outgrown = (container: ContainerSpec, status: ContainerStatus): string | undefined =>
    probes.resizeRestarts?.(container, status) ? `Container ${container.name} resize requires restart` : undefined;

  const initialised = regular.some((container) => inSandbox(newest(view, container.name), sandbox.id));
  for (const container of inits) {
    const status = inSandbox(newest(view, container.name), sandbox.id);
    const sidecar = isSidecar(container);
    if (initialised && !sidecar) continue;
    if (!status || status.state === 'created') {
      start.push({ spec: container, init: true });
      if (!initialised) return { killPod: false, kill, start };
    } else if (status.state === 'running') {
      if (!sidecar) return { killPod: false, kill, start };
      const sick = unhealthy(container, status);
      const why = sick !== undefined ? `${sick}, will be restarted` : outgrown(container, status);
      if (why) {
        kill.push({ container: status, spec: container, why });
        start.push({ spec: container, init: true });
      }
      if (!initialised && (why || !probes.started(container.name))) return { killPod: false, kill, start };
    } else if (sidecar) {
      start.push({ spec: container, init: true });
      if (!initialised) return { killPod: false, kill, start };
    } else if (status.exitCode !== 0) {
      if (spec?.restartPolicy === 'Never') return { killPod: true, kill: [], start: [] };
      start.push({ spec: container, init: true });
      return { killPod: false, kill, start };
    }
  }

  let kept = 0;
  const sidecarStarts = start.length;
  for (const container of regular) {
    const status = newest(view, container.name);
    if (status?.state === 'running') {
      const why = unhealthy(container, status);
      if (!why) {
        const larger = outgrown(container, status);
        if (larger) {
          kill.push({ container: status, spec: container, why: larger });
          start.push({ spec: container, init: false });
        } else kept++;
        continue;
      }
      const again = spec?.restartPolicy !== 'Never';
      kill.push({ container: status, spec: container, why: again ? `${why}, will be restarted` : why });
      if (again) start.push({ spec: container, init: false });
    } else if (willRestart(pod, container, status)) start.push({ spec: container, init: false });
  }
  // When the last regular container is done, sidecars are not kept for their own sake.
  if (kept === 0 && kill.length === 0 && start.length === sidecarStarts) return { killPod: true, kill: [], start: [] };
  return { killPod: false, kill, start };
}

const inSandbox = (status: ContainerStatus | undefined, sandbox: string): ContainerStatus | undefined => (status?.sandbox === sandbox ? status : undefined);
/** A container of a sandbox that is gone does not run, whatever was last said of it. */
const gone = (status: ContainerStatus | undefined): ContainerStatus | undefined => (status?.state === 'running' ? undefined : status);
