/** Lifecycle hooks and the stopping of one container (`lifecycle/handlers.go`, `killContainer`). */
import { type Duration, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { RELEASE } from '../api/release.ts';
import type { LifecycleHandler } from '../api/types.gen.ts';
import type { Note } from './container-start.ts';
import type { ContainerStatus } from './cri.ts';
import type { KubeletNode } from './node.ts';
import { type ContainerSpec, type PodObject, podText } from './pod-view.ts';
import { execWithin, httpProbe, portOf } from './probe-actions.ts';

/** Runs a hook; resolves with what went wrong, undefined if nothing did. The texts are those of the handler runner's `Run`. */
export async function runHook(
  node: KubeletNode,
  hook: DeepReadonly<LifecycleHandler>,
  pod: PodObject,
  container: ContainerSpec,
  id: string,
  podIP: string,
  timeout: Duration,
): Promise<string | undefined> {
  if (hook.sleep) {
    await node.self.clock.sleep(Math.min(timeout, seconds(hook.sleep.seconds)));
    return undefined;
  }
  if (hook.exec) {
    const command = hook.exec.command ?? [];
    const { result, output } = await execWithin(node, id, command, timeout);
    if (result === 0) return undefined;
    const error = result === 'timeout' ? `command '${command.join(' ')}' timed out` : `command '${command.join(' ')}' exited with ${result}: ${output}`;
    return `Exec lifecycle hook (${goList(command)}) for Container "${container.name}" in Pod "${podText(pod)}" failed - error: ${error}, message: ${JSON.stringify(output)}`;
  }
  if (hook.httpGet) {
    const { scheme = 'HTTP', host, path = '/', port, httpHeaders } = hook.httpGet;
    const failed = (error: string): string =>
      `HTTP lifecycle hook (${hook.httpGet!.path ?? ''}) for Container "${container.name}" in Pod "${podText(pod)}" failed - error: ${error}`;
    const number = portOf(container, port as unknown as number | string);
    if (number === undefined) return failed(`couldn't find port: "${String(port)}" in container: "${container.name}"`);
    const headers: Record<string, string> = { 'User-Agent': `kube-lifecycle/${RELEASE.major}.${RELEASE.minor}`, Accept: '*/*' };
    for (const { name, value } of httpHeaders ?? []) headers[name] = value;
    const target = path.startsWith('/') ? path : `/${path}`;
    const look = await httpProbe(node, scheme.toLowerCase(), host || podIP, number, target, headers, timeout);
    // Any answer will do, as upstream reads no status of hooks.
    return look.result === 'success' || look.output.startsWith('HTTP probe failed') ? undefined : failed(look.output);
  }
  return undefined;
}

/** `[sh -c exit 1]`: a list as Go's %v prints it. */
const goList = (items: readonly string[]): string => `[${items.join(' ')}]`;

/** Whatever is asked for, there is so much time for TERM before KILL. */
export const MINIMUM_GRACE = seconds(2);

export interface StopRequest {
  readonly pod: PodObject;
  readonly spec: ContainerSpec | undefined;
  readonly status: ContainerStatus;
  readonly grace: Duration;
  readonly podIP: string;
  readonly why: string;
  readonly note: Note;
}

/** preStop hook, then TERM, then KILL when the grace is over. With no grace there is no hook; two seconds for TERM there are always (minimumGracePeriodInSeconds). */
export async function stopContainer(node: KubeletNode, request: StopRequest): Promise<void> {
  const { spec, status, grace, note } = request;
  const { clock } = node.self;
  note('Normal', 'Killing', request.why);
  const began = clock.now();
  const hook = spec?.lifecycle?.preStop;
  let left = grace;
  if (hook && spec && grace > 0) {
    const problem = await runHook(node, hook, request.pod, spec, status.id, request.podIP, grace);
    left = grace - (clock.now() - began);
    // One that is not done when its time is over is left alone, and nothing is said.
    if (problem !== undefined && left > 0) note('Warning', 'FailedPreStopHook', 'PreStopHook failed');
  }
  await node.runtime.stopContainer(status.id, Math.max(MINIMUM_GRACE, left));
}
