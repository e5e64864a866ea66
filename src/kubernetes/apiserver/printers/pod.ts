/** Pods and nodes: printPod and printNode of pkg/printers/internalversion. */
import type { Instant } from '../../../sim/clock.ts';
import { isTrue } from '../../api/condition.ts';
import { humanDuration, instantOf } from '../../api/time.ts';
import type { Container, ContainerStatus, Node, Pod, PodTemplate } from '../../api/types.gen.ts';
import { age, columns, containerCells, formatLabels, type Printer, type TableRow } from './table.ts';

const restartable = (container: Container | undefined): boolean => container?.restartPolicy === 'Always';

interface PodSummary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

/** READY, STATUS and RESTARTS of a pod, as `kubectl get pods` shows them. */
export function podSummary(pod: Pod, now: Instant): PodSummary {
  const status = pod.status ?? {};
  const spec = pod.spec;
  const initContainers = new Map((spec?.initContainers ?? []).map((c) => [c.name, c]));
  let restarts = 0;
  let sidecarRestarts = 0;
  let total = spec?.containers.length ?? 0;
  let ready = 0;
  let lastRestart: Instant | undefined;
  let lastSidecarRestart: Instant | undefined;
  const later = (a: Instant | undefined, text: string | undefined): Instant | undefined => {
    const b = instantOf(text);
    return b === undefined ? a : a === undefined ? b : Math.max(a, b);
  };

  let reason = status.reason || status.phase || 'Unknown';
  // A pod with scheduling gates shows why it waits.
  for (const condition of status.conditions ?? []) if (condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated') reason = 'SchedulingGated';

  for (const container of spec?.initContainers ?? []) if (restartable(container)) total += 1;

  let initializing = false;
  const initStatuses = status.initContainerStatuses ?? [];
  for (let i = 0; i < initStatuses.length; i += 1) {
    const container = initStatuses[i] as ContainerStatus;
    const sidecar = restartable(initContainers.get(container.name));
    restarts += container.restartCount;
    lastRestart = later(lastRestart, container.lastState?.terminated?.finishedAt);
    if (sidecar) {
      sidecarRestarts += container.restartCount;
      lastSidecarRestart = later(lastSidecarRestart, container.lastState?.terminated?.finishedAt);
    }
    const { terminated, waiting } = container.state ?? {};
    if (terminated && terminated.exitCode === 0) continue;
    if (sidecar && container.started) {
      if (container.ready) ready += 1;
      continue;
    }
    if (terminated) {
      reason = terminated.reason
        ? `Init:${terminated.reason}`
        : terminated.signal
          ? `Init:Signal:${terminated.signal}`
          : `Init:ExitCode:${terminated.exitCode}`;
    } else if (waiting?.reason && waiting.reason !== 'PodInitializing') reason = `Init:${waiting.reason}`;
    else reason = `Init:${i}/${spec?.initContainers?.length ?? 0}`;
    initializing = true;
    break;
  }

  if (!initializing || isTrue(status.conditions, 'Initialized')) {
    restarts = sidecarRestarts;
    lastRestart = lastSidecarRestart;
    let running = false;
    const statuses = status.containerStatuses ?? [];
    for (let i = statuses.length - 1; i >= 0; i -= 1) {
      const container = statuses[i] as ContainerStatus;
      restarts += container.restartCount;
      lastRestart = later(lastRestart, container.lastState?.terminated?.finishedAt);
      const { waiting, terminated } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated?.reason) reason = terminated.reason;
      else if (terminated) reason = terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
      else if (container.ready && container.state?.running) {
        running = true;
        ready += 1;
      }
    }
    // One container has completed, another still runs: the pod is not completed.
    if (reason === 'Completed' && running) reason = isTrue(status.conditions, 'Ready') ? 'Running' : 'NotReady';
  }

  if (pod.metadata.deletionTimestamp && status.reason === 'NodeLost') reason = 'Unknown';
  else if (pod.metadata.deletionTimestamp && status.phase !== 'Succeeded' && status.phase !== 'Failed') reason = 'Terminating';

  const text = restarts !== 0 && lastRestart !== undefined ? `${restarts} (${humanDuration(Math.max(0, now - lastRestart))} ago)` : String(restarts);
  return { ready: `${ready}/${total}`, status: reason, restarts: text };
}

const SUCCEEDED: TableRow['conditions'] = [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }];
const FAILED: TableRow['conditions'] = [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }];

export const podPrinter: Printer<Pod> = {
  columns: columns('Name', 'Ready', 'Status', 'Restarts', 'Age', '+IP', '+Node', '+Nominated Node', '+Readiness Gates'),
  cells: (pod, now) => {
    const { ready, status, restarts } = podSummary(pod, now);
    const gates = pod.spec?.readinessGates ?? [];
    const passed = gates.filter((gate) => isTrue(pod.status?.conditions, gate.conditionType)).length;
    return [
      pod.metadata.name ?? '',
      ready,
      status,
      restarts,
      age(pod, now),
      pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>',
      pod.spec?.nodeName || '<none>',
      pod.status?.nominatedNodeName || '<none>',
      gates.length > 0 ? `${passed}/${gates.length}` : '<none>',
    ];
  },
  conditions: (pod) => (pod.status?.phase === 'Succeeded' ? SUCCEEDED : pod.status?.phase === 'Failed' ? FAILED : undefined),
};

export const podTemplatePrinter: Printer<PodTemplate> = {
  columns: columns('Name', 'Containers', 'Images', 'Pod Labels'),
  cells: (object) => [object.metadata.name ?? '', ...containerCells(object.template?.spec?.containers), formatLabels(object.template?.metadata?.labels)],
};

const ROLE_PREFIX = 'node-role.kubernetes.io/';

/** Roles from labels, sorted; `<none>`. */
export function nodeRoles(node: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return roles.size > 0 ? [...roles].sort().join(',') : '<none>';
}

/** `Ready`, `NotReady`, `Unknown`, with `,SchedulingDisabled` when cordoned. */
export function nodeStatus(node: Node): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const parts = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (node.spec?.unschedulable) parts.push('SchedulingDisabled');
  return parts.join(',');
}

const address = (node: Node, type: string): string => node.status?.addresses?.find((a) => a.type === type)?.address ?? '<none>';

export const nodePrinter: Printer<Node> = {
  columns: columns('Name', 'Status', 'Roles', 'Age', 'Version', '+Internal-IP', '+External-IP', '+OS-Image', '+Kernel-Version', '+Container-Runtime'),
  cells: (node, now) => {
    const info = node.status?.nodeInfo;
    return [
      node.metadata.name ?? '',
      nodeStatus(node),
      nodeRoles(node),
      age(node, now),
      info?.kubeletVersion ?? '',
      address(node, 'InternalIP'),
      address(node, 'ExternalIP'),
      info?.osImage || '<unknown>',
      info?.kernelVersion || '<unknown>',
      info?.containerRuntimeVersion || '<unknown>',
    ];
  },
};
