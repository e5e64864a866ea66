/**
 * What the runtime knows of one pod: the kubelet's only memory of what runs. Containers carry labels and
 * annotations that say whose they are, so a kubelet that starts anew finds them all
 * (`kuberuntime/labels.go`).
 */
import { hash32 } from '../../sim/rng.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { Container, Pod } from '../api/types.gen.ts';
import type { ContainerRuntime, ContainerStatus, SandboxStatus } from './cri.ts';

export type PodObject = DeepReadonly<Pod>;
export type ContainerSpec = DeepReadonly<Container>;

export const LABEL = {
  pod: 'io.kubernetes.pod.name',
  namespace: 'io.kubernetes.pod.namespace',
  uid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const;
export const ANNOTATION = {
  restartCount: 'io.kubernetes.container.restartCount',
  hash: 'io.kubernetes.container.hash',
  messagePath: 'io.kubernetes.container.terminationMessagePath',
  grace: 'io.kubernetes.pod.terminationGracePeriod',
  ports: 'io.kubernetes.container.ports',
} as const;

export interface PodView {
  /** Newest first. */
  readonly sandboxes: readonly SandboxStatus[];
  /** By container name, newest first. */
  readonly containers: ReadonlyMap<string, readonly ContainerStatus[]>;
}

/** The pod's part of what the runtime holds. */
export function viewOf(runtime: ContainerRuntime, uid: string): PodView {
  const sandboxes = runtime.sandboxes().filter((sandbox) => sandbox.config.uid === uid);
  if (sandboxes.length > 1) sandboxes.sort((a, b) => b.createdAt - a.createdAt);
  const containers = new Map<string, ContainerStatus[]>();
  for (const container of runtime.containers()) {
    if (container.config.labels[LABEL.uid] !== uid) continue;
    const name = container.config.labels[LABEL.container] ?? container.config.name;
    const list = containers.get(name);
    if (list) list.push(container);
    else containers.set(name, [container]);
  }
  for (const list of containers.values()) if (list.length > 1) list.sort((a, b) => b.createdAt - a.createdAt || b.config.attempt - a.config.attempt);
  return { sandboxes, containers };
}

export const readySandbox = (view: PodView): SandboxStatus | undefined => (view.sandboxes[0]?.state === 'ready' ? view.sandboxes[0] : undefined);
export const newest = (view: PodView, name: string): ContainerStatus | undefined => view.containers.get(name)?.[0];
export const isSidecar = (container: ContainerSpec): boolean => container.restartPolicy === 'Always';
export const restartCount = (status: ContainerStatus): number => Number(status.config.annotations[ANNOTATION.restartCount] ?? status.config.attempt);

/** Changes when a container must be made anew: its name or image (`pickFieldsToHash`). */
export const containerHash = (container: ContainerSpec): string => hash32(JSON.stringify([container.name, container.image])).toString(16);

/** `web_default(1b4e…)`: how kubelets write pods in messages (`format.Pod`). */
export const podText = (pod: PodObject): string => `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;

export const allContainers = (pod: PodObject): readonly ContainerSpec[] => [
  ...(pod.spec?.initContainers ?? []),
  ...(pod.spec?.containers ?? []),
  ...ephemeralContainers(pod),
];
/** They differ from others in that they never restart and nothing waits for them (KEP-277). */
export const ephemeralContainers = (pod: PodObject): readonly ContainerSpec[] => (pod.spec?.ephemeralContainers as readonly ContainerSpec[] | undefined) ?? [];
