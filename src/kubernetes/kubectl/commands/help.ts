/** The text of `kubectl` without arguments: commands by what they are for, as upstream groups them. */
import type { Command } from './command.ts';

const GROUPS: readonly (readonly [string, readonly string[]])[] = [
  ['Basic Commands (Beginner)', ['create', 'expose', 'run', 'set']],
  ['Basic Commands (Intermediate)', ['explain', 'get', 'edit', 'delete']],
  ['Deploy Commands', ['rollout', 'scale', 'autoscale']],
  ['Cluster Management Commands', ['certificate', 'cluster-info', 'top', 'cordon', 'uncordon', 'drain', 'taint']],
  ['Troubleshooting and Debugging Commands', ['describe', 'logs', 'attach', 'exec', 'port-forward', 'proxy', 'cp', 'auth', 'debug', 'events']],
  ['Advanced Commands', ['diff', 'apply', 'patch', 'replace', 'wait', 'kustomize']],
  ['Settings Commands', ['label', 'annotate', 'completion']],
  ['Subcommands provided by plugins', []],
  ['Other Commands', ['api-resources', 'api-versions', 'config', 'plugin', 'version']],
];

/** Only commands that are there. */
export function helpText(commands: Readonly<Record<string, Command>>): string {
  const known = GROUPS.map(([title, names]) => [title, names.filter((name) => commands[name])] as const).filter(
    ([title, names]) => names.length > 0 || title === 'Subcommands provided by plugins',
  );
  const width = Math.max(...known.flatMap(([, names]) => names.map((name) => name.length))) + 3;
  const lists = known.map(([title, names]) => `${title}:\n${names.map((name) => `  ${name.padEnd(width)}${commands[name]!.summary}\n`).join('')}\n`).join('');
  return `kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/\n\n${lists}Usage:\n  kubectl [flags] [options]\n\nUse "kubectl <command> --help" for more information about a given command.\nUse "kubectl options" for a list of global command-line options (applies to all commands).\n`;
}
