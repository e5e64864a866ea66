/** kubectl exec: a command in a container (kubectl pkg/cmd/exec). */
import { KubectlError } from '../errors.ts';
import { bool, FILE_FLAGS } from '../flags.ts';
import type { Session } from '../session.ts';
import type { Command } from './command.ts';
import { containerOf, type PodObject, podsOf } from './pods.ts';
import { CONTAINER, type Remote, RUNNING_TIMEOUT, rawTerminal, runningTimeout, stream } from './streams.ts';

export const exec: Command = {
  summary: 'Execute a command in a container',
  usage: 'kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]',
  flags: { stdin: bool('i'), tty: bool('t'), container: CONTAINER, quiet: bool('q'), ...RUNNING_TIMEOUT, ...FILE_FLAGS },
  run: async (session, args) => {
    const { flags, self } = session;
    const [name, ...rest] = args;
    if (name === undefined || flags.dashAt === 0) throw new KubectlError('pod, type/name or --filename must be specified');
    const command = flags.dashAt >= 0 ? args.slice(flags.dashAt) : rest;
    if (flags.dashAt < 0 && rest.length > 0)
      throw new KubectlError(`exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples`);
    const timeout = runningTimeout(session);
    if (command.length === 0) throw new KubectlError('you must specify at least one command for the container');
    const { pods } = await podsOf(session, name, { timeout });
    const stdin = flags.bool('stdin') ? self.stdin : undefined;
    await execIn(session, pods[0]!, flags.text('container'), command, {
      stdin,
      terminal: () => rawTerminal(session, stdin !== undefined, flags.bool('tty'), flags.bool('quiet')),
      out: session.out,
      err: session.err,
      quiet: flags.bool('quiet'),
    });
  },
};

export interface ExecStreams extends Pick<Remote, 'stdin' | 'out' | 'err'> {
  readonly quiet: boolean;
  readonly terminal?: () => Remote['terminal'];
}

/** Runs a command in a pod that must be running still. */
export async function execIn(session: Session, pod: PodObject, container: string, command: readonly string[], streams: ExecStreams): Promise<void> {
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') throw new KubectlError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  const name = containerOf({ ...session, err: streams.err }, pod, container, streams.quiet);
  await stream(session, {
    pod,
    subresource: 'exec',
    container: name,
    command,
    stdin: streams.stdin,
    terminal: streams.terminal?.(),
    out: streams.out,
    err: streams.err,
  });
}
