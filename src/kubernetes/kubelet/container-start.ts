/**
 * Starting one container (`kuberuntime_container.go` startContainer): image, configuration, create,
 * start, postStart hook. What goes wrong becomes the waiting reason of the container.
 */
import { type Instant, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { ConfigMap, Secret } from '../api/types.gen.ts';
import type { Credentials } from './credentials.ts';
import { type ContainerConfig, RuntimeError, type SandboxStatus } from './cri.ts';
import { ConfigError, environmentOf, expand } from './environment.ts';
import { runHook, stopContainer } from './lifecycle.ts';
import type { KubeletNode } from './node.ts';
import { ANNOTATION, type ContainerSpec, containerHash, LABEL, type PodObject } from './pod-view.ts';
import { runtimeResources } from './resize.ts';
import { type PodVolumes, podDirectory } from './volumes.ts';

export type Note = (type: 'Normal' | 'Warning', reason: string, message: string) => void;
export type StartResult =
  | { readonly ok: true; readonly id: string }
  | { readonly ok: false; readonly reason: string; readonly message: string; readonly retryAt?: Instant };

export interface StartRequest {
  readonly pod: PodObject;
  readonly container: ContainerSpec;
  readonly sandbox: SandboxStatus;
  readonly volumes: PodVolumes;
  /** Restarts so far. */
  readonly restartCount: number;
  readonly note: Note;
  /** What the registry is told of who asks. */
  readonly credentials: Credentials | undefined;
  /** Races what takes long against the pod being stopped; rejects then. */
  readonly unlessStopped: <T>(promise: Promise<T>) => Promise<T>;
}

/** Rejects only when the pod is stopped meanwhile. */
export async function startContainer(node: KubeletNode, request: StartRequest): Promise<StartResult> {
  const { pod, container, sandbox, note, unlessStopped } = request;
  const fail = (reason: string, message: string): StartResult => {
    note('Warning', 'Failed', `Error: ${message}`);
    return { ok: false, reason, message };
  };
  const image = await unlessStopped(node.images.ensure(pod, container, note, request.credentials));
  if (!image.ok) {
    note('Warning', 'Failed', `Error: ${image.reason}`);
    return image;
  }

  let env: Record<string, string>;
  try {
    env = await unlessStopped(gatherEnvironment(node, pod, container, sandbox));
    refuseRoot(pod, container);
  } catch (error) {
    if (error instanceof ConfigError) return fail('CreateContainerConfigError', error.message);
    throw error;
  }

  const messagePath = `${podDirectory(pod.metadata.uid ?? '')}/containers/${container.name}/${node.self.rng.text(8, '0123456789abcdef')}`;
  node.files.write(messagePath, '');
  let id: string;
  try {
    id = await node.runtime.createContainer(sandbox.id, {
      name: container.name,
      attempt: request.restartCount,
      image: container.image ?? '',
      ...(container.command && { command: container.command.map((part) => expand(part, env)) }),
      ...(container.args && { args: container.args.map((part) => expand(part, env)) }),
      ...(container.workingDir && { workingDir: container.workingDir }),
      env,
      mounts: [
        ...request.volumes.mountsOf(container),
        { containerPath: container.terminationMessagePath ?? '/dev/termination-log', readOnly: false, hostPath: messagePath },
      ],
      labels: {
        [LABEL.container]: container.name,
        [LABEL.pod]: pod.metadata.name ?? '',
        [LABEL.namespace]: pod.metadata.namespace ?? '',
        [LABEL.uid]: pod.metadata.uid ?? '',
      },
      annotations: {
        [ANNOTATION.hash]: containerHash(container),
        [ANNOTATION.restartCount]: String(request.restartCount),
        [ANNOTATION.messagePath]: messagePath,
        [ANNOTATION.grace]: String(pod.spec?.terminationGracePeriodSeconds ?? 30),
        ...(container.ports?.length && { [ANNOTATION.ports]: JSON.stringify(container.ports) }),
      },
      ...runtimeResources(pod, container, node.memoryCapacity),
      ...runsAs(pod, container),
      ...(container.stdin && { stdin: true }),
      ...(container.stdin && container.stdinOnce && { stdinOnce: true }),
      ...(container.tty && { tty: true }),
    });
  } catch (error) {
    return fail(error instanceof RuntimeError ? error.reason : 'CreateContainerError', error instanceof Error ? error.message : String(error));
  }
  note('Normal', 'Created', `Created container: ${container.name}`);
  try {
    await node.runtime.startContainer(id);
  } catch (error) {
    return fail('RunContainerError', error instanceof Error ? error.message : String(error));
  }
  note('Normal', 'Started', `Started container ${container.name}`);

  const hook = container.lifecycle?.postStart;
  if (hook) {
    const problem = await unlessStopped(runHook(node, hook, pod, container, id, sandbox.ips[0] ?? '', seconds(3600)));
    if (problem !== undefined) {
      note('Warning', 'FailedPostStartHook', 'PostStartHook failed');
      const status = node.runtime.containers().find((one) => one.id === id);
      const grace = seconds(pod.spec?.terminationGracePeriodSeconds ?? 30);
      if (status) await stopContainer(node, { pod, spec: container, status, grace, podIP: sandbox.ips[0] ?? '', why: 'FailedPostStartHook', note });
      return { ok: false, reason: 'PostStartHookError', message: problem };
    }
  }
  return { ok: true, id };
}

/** Fetches what the environment refers to, then computes it. Rejects with ConfigError. */
async function gatherEnvironment(node: KubeletNode, pod: PodObject, container: ContainerSpec, sandbox: SandboxStatus): Promise<Record<string, string>> {
  const namespace = pod.metadata.namespace ?? '';
  const maps = new Set<string>();
  const secrets = new Set<string>();
  for (const source of container.envFrom ?? []) {
    if (source.configMapRef?.name) maps.add(source.configMapRef.name);
    if (source.secretRef?.name) secrets.add(source.secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef?.name) maps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef?.name) secrets.add(valueFrom.secretKeyRef.name);
  }
  const held = new Map<string, unknown>();
  for (const name of maps) held.set(`c/${name}`, await node.objects.get('ConfigMap', namespace, name, pod.metadata.uid ?? ''));
  for (const name of secrets) held.set(`s/${name}`, await node.objects.get('Secret', namespace, name, pod.metadata.uid ?? ''));
  const services = node.services();
  // Static pods start before there is an API server to list Services (kubelet_pods.go getServiceEnvVarMap).
  if (!services && pod.metadata.annotations?.['kubernetes.io/config.source'] !== 'file')
    throw new ConfigError('services have not yet been read at least once, cannot construct envvars');
  return environmentOf(pod, container, {
    configMap: (name) => held.get(`c/${name}`) as DeepReadonly<ConfigMap> | undefined,
    secret: (name) => held.get(`s/${name}`) as DeepReadonly<Secret> | undefined,
    services: services ?? [],
    nodeName: node.nodeName,
    hostIP: node.hostIP,
    podIPs: pod.spec?.hostNetwork ? [node.hostIP] : sandbox.ips,
    allocatable: node.allocatable,
  });
}

/** runAsUser and runAsGroup, the container's before the pod's, and the groups of the pod (`security_context.go`). Nothing when none is asked for. */
function runsAs(pod: PodObject, container: ContainerSpec): Pick<ContainerConfig, 'user'> {
  const [own, shared] = [container.securityContext, pod.spec?.securityContext];
  const uid = own?.runAsUser ?? shared?.runAsUser;
  const gid = own?.runAsGroup ?? shared?.runAsGroup;
  const groups = [...(shared?.fsGroup === undefined ? [] : [shared.fsGroup]), ...(shared?.supplementalGroups ?? [])];
  if (uid === undefined && gid === undefined && groups.length === 0) return {};
  return { user: { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }), groups } };
}

/** runAsNonRoot with an explicit uid 0 (`security_context.go` verifyRunAsNonRoot). Here simplified: the image's own user is not looked at. */
function refuseRoot(pod: PodObject, container: ContainerSpec): void {
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot;
  const user = container.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser;
  if (nonRoot && user === 0) {
    throw new ConfigError(
      `container's runAsUser breaks non-root policy (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`,
    );
  }
}
