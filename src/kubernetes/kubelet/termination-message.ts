/** What a container says of its own end (`kuberuntime_container.go` getTerminationMessage). */
import type { ContainerStatus } from './cri.ts';
import type { KubeletNode } from './node.ts';
import { ANNOTATION, allContainers, type PodObject } from './pod-view.ts';

/** What it wrote to its termination log; with FallbackToLogsOnError the end of its output (80 lines, 2 KiB). */
export function terminationMessage({ files, runtime }: KubeletNode, pod: PodObject, container: ContainerStatus): string | undefined {
  const path = container.config.annotations[ANNOTATION.messagePath];
  const written = path !== undefined && files.exists(path) ? files.read(path).slice(0, 4096) : '';
  if (written !== '') return written;
  const spec = allContainers(pod).find((one) => one.name === container.config.name);
  if (spec?.terminationMessagePolicy !== 'FallbackToLogsOnError' || container.exitCode === 0) return undefined;
  const lines = runtime.logs(container.id).slice(-80);
  return (
    lines
      .map((line) => `${line.text}\n`)
      .join('')
      .slice(-2048) || undefined
  );
}
