/** kubectl attach: the streams of what runs in a container already (kubectl pkg/cmd/attach). */
import { KubectlError } from '../errors.ts';
import { bool } from '../flags.ts';
import type { Session } from '../session.ts';
import type { Command } from './command.ts';
import { containerOf, type PodObject, podsOf } from './pods.ts';
import { CONTAINER, RUNNING_TIMEOUT, rawTerminal, runningTimeout, stream } from './streams.ts';

export const attach: Command = {
  summary: 'Attach to a running container',
  usage: 'kubectl attach (POD | TYPE/NAME) -c CONTAINER [options]',
  flags: { stdin: bool('i'), tty: bool('t'), container: CONTAINER, quiet: bool('q'), ...RUNNING_TIMEOUT },
  run: async (session, args) => {
    const { flags } = session;
    const timeout = runningTimeout(session);
    if (args.length === 0) throw new KubectlError('at least 1 argument is required for attach');
    if (args.length > 2) throw new KubectlError(`expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${args.length}: [${args.join(' ')}]`);
    const { pods } = await podsOf(session, args.join('/'), { timeout });
    const pod = pods[0]!;
    const phase = pod.status?.phase;
    if (phase === 'Succeeded' || phase === 'Failed') throw new KubectlError(`cannot attach a container in a completed pod; current phase is ${phase}`);
    await attachTo(session, pod, { container: flags.text('container'), stdin: flags.bool('stdin'), tty: flags.bool('tty'), quiet: flags.bool('quiet') });
  },
};

export interface AttachOptions {
  /** Empty for the pod's default one. */
  readonly container: string;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly quiet: boolean;
}

/** Joins a container's streams with the person's until it ends. */
export async function attachTo(session: Session, pod: PodObject, { container: asked, stdin, tty, quiet }: AttachOptions): Promise<void> {
  const name = containerOf(session, pod, asked, quiet);
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const container = [...containers, ...initContainers, ...ephemeralContainers].find((one) => one.name === name);
  if (!container) throw new KubectlError(`cannot attach to the container: container ${name} not found in pod ${pod.metadata.name}`);
  if (tty && !container.tty && !quiet) session.err(`error: Unable to use a TTY - container ${name} did not allocate one\n`);
  // What was started with a terminal has one, asked for or not.
  const terminal = rawTerminal(session, stdin, container.tty === true, quiet);
  if (!quiet) session.err("If you don't see a command prompt, try pressing enter.\n");
  await stream(session, {
    pod,
    subresource: 'attach',
    container: name,
    stdin: stdin ? session.self.stdin : undefined,
    terminal,
    out: session.out,
    err: session.err,
  });
  if (quiet || !stdin || !terminal || pod.spec?.restartPolicy !== 'Always') return;
  const again = `'kubectl attach ${pod.metadata.name} -c ${name} -i -t'`;
  session.out(
    ephemeralContainers.some((one) => one.name === name)
      ? `Session ended, the ephemeral container will not be restarted but may be reattached using ${again} if it is still running\n`
      : `Session ended, resume using ${again} command when the pod is running\n`,
  );
}
