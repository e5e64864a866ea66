/** Lifecycle hooks and the stopping of one container (`lifecycle/handlers.go`, `killContainer`). */
import { type Duration, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { LifecycleHandler } from '../api/types.gen.ts';
import type { Note } from './container-start.ts';
import type { ContainerStatus } from './cri.ts';
import type { KubeletNode } from './node.ts';
import type { ContainerSpec, PodObject } from './pod-view.ts';
import { execWithin, httpProbe, portOf } from './probe-actions.ts';

/** Runs a hook; resolves with what went wrong, undefined if nothing did. */
export async function runHook(
  node: KubeletNode,
  hook: DeepReadonly<LifecycleHandler>,
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
    return result === 'timeout'
      ? `command '${command.join(' ')}' timed out`
      : `Exec lifecycle hook (${JSON.stringify(command)}) for Container "${container.name}" failed - error: command '${command.join(' ')}' exited with ${result}: ${output}`;
  }
  if (hook.httpGet) {
    const { scheme = 'HTTP', host, path = '/', port } = hook.httpGet;
    const number = portOf(container, port as unknown as number | string) ?? 80;
    const look = await httpProbe(node, scheme.toLowerCase(), host || podIP, number, path, { 'User-Agent': 'kube-lifecycle/1.33' }, timeout);
    // Any answer will do, as upstream reads no status of hooks.
    return look.result === 'success' || look.output.startsWith('HTTP probe failed') ? undefined : look.output;
  }
  return undefined;
}

export interface StopRequest {
  readonly pod: PodObject;
  readonly spec: ContainerSpec | undefined;
  readonly status: ContainerStatus;
  readonly grace: Duration;
  readonly podIP: string;
  readonly why: string;
  readonly note: Note;
}

/** preStop hook, then TERM, then KILL when the grace is over. At least two seconds are left for TERM after a hook (minimumGracePeriodInSeconds). */
export async function stopContainer(node: KubeletNode, request: StopRequest): Promise<void> {
  const { spec, status, grace, note } = request;
  const { clock } = node.self;
  note('Normal', 'Killing', request.why);
  const began = clock.now();
  const hook = spec?.lifecycle?.preStop;
  let left = grace;
  if (hook && spec && grace > 0) {
    const problem = await runHook(node, hook, spec, status.id, request.podIP, grace);
    if (problem !== undefined) note('Warning', 'FailedPreStopHook', 'PreStopHook failed');
    left = Math.max(seconds(2), grace - (clock.now() - began));
  }
  await node.runtime.stopContainer(status.id, left);
}
