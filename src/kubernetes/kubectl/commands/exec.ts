/** kubectl exec and attach: an upgraded connection with a channel for each stream. */
import { ApiError, type Frame, type FramePipe, type Status } from '../../api/request.ts';
import { Pipe, type Stream } from '../../api/stream.ts';
import { ExitWith, KubectlError } from '../errors.ts';
import { bool, FILE_FLAGS, text } from '../flags.ts';
import { isObject, readStream, type Session } from '../session.ts';
import type { Command } from './command.ts';
import { containerOf, type PodObject, podsOf } from './pods.ts';

const STREAM_FLAGS = {
  stdin: bool('i'),
  tty: bool('t'),
  container: text('c'),
  quiet: bool('q'),
  'pod-running-timeout': { type: 'duration', default: '1m0s' },
} as const;

/** What a terminal may let a program do; the shell's terminals can. */
interface RawTerminal {
  readonly columns: number;
  readonly rows: number;
  setRaw?(raw: boolean): void;
}

export const exec: Command = {
  summary: 'Execute a command in a container',
  usage: 'kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...] [options]',
  flags: { ...STREAM_FLAGS, ...FILE_FLAGS },
  run: async (session, args) => {
    const { flags } = session;
    const [name, ...rest] = args;
    if (name === undefined || flags.dashAt === 0) throw new KubectlError('pod, type/name or --filename must be specified');
    const command = flags.dashAt >= 0 ? args.slice(flags.dashAt) : rest;
    if (flags.dashAt < 0 && rest.length > 0)
      throw new KubectlError(`exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples`);
    if (command.length === 0) throw new KubectlError('you must specify at least one command for the container');
    const { pods } = await podsOf(session, name);
    await run(session, pods[0]!, 'exec', command);
  },
};

export const attach: Command = {
  summary: 'Attach to a running container',
  usage: 'kubectl attach (POD | TYPE/NAME) -c CONTAINER [options]',
  flags: STREAM_FLAGS,
  run: async (session, args) => {
    if (args[0] === undefined) throw new KubectlError('at least 1 argument is required for attach');
    const { pods } = await podsOf(session, args[0]);
    await run(session, pods[0]!, 'attach', []);
  },
};

/** Connects the person's streams with the container's, until the remote side ends. Throws ExitWith for a command's own failure. */
export async function run(session: Session, pod: PodObject, subresource: 'exec' | 'attach', command: readonly string[]): Promise<void> {
  const { self, flags } = session;
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
    throw new KubectlError(`cannot ${subresource === 'exec' ? 'exec into' : 'attach'} a container in a completed pod; current phase is ${pod.status.phase}`);
  const container = containerOf(session, pod, flags.text('container'), flags.bool('quiet'));
  const stdin = flags.bool('stdin');
  const terminal = self.terminal as RawTerminal | undefined;
  let tty = flags.bool('tty');
  if (tty && (!stdin || !terminal)) {
    tty = false;
    session.err('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  }
  const input: FramePipe = new Pipe<Frame>();
  const query: Record<string, string | readonly string[]> = { container, stdout: 'true' };
  if (command.length > 0) query['command'] = command;
  if (stdin) query['stdin'] = 'true';
  if (tty) query['tty'] = 'true';
  else query['stderr'] = 'true';
  if (subresource === 'attach' && !flags.bool('quiet')) session.err("If you don't see a command prompt, try pressing enter.\n");
  const response = await session.send('GET', `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/${subresource}`, {
    query,
    upgrade: input,
  });
  if (response.status >= 400 || !response.stream) {
    const body = response.body;
    if (isObject(body) && body['kind'] === 'Status') {
      const status = body as unknown as Status;
      if (status.code === 500) throw new KubectlError(`Internal error occurred: ${(status.message ?? '').replace(/^Internal error occurred: /, '')}`);
      throw new ApiError(status);
    }
    throw new KubectlError(`unable to upgrade connection: ${typeof body === 'string' ? body : `HTTP ${response.status}`}`);
  }
  const output = readStream(response.stream as Stream<Frame>, self);
  self.process.onExit(() => input.close());
  if (tty && terminal) {
    terminal.setRaw?.(true);
    input.write({ channel: 4, data: JSON.stringify({ Width: terminal.columns, Height: terminal.rows }) });
    self.onSignal((signal) => {
      if (signal === 'WINCH') input.write({ channel: 4, data: JSON.stringify({ Width: terminal.columns, Height: terminal.rows }) });
    });
  }
  if (stdin) {
    (async () => {
      for (let piece = await self.stdin.read(); piece !== undefined; piece = await self.stdin.read()) {
        self.process.clock.wake();
        input.write({ channel: 0, data: piece });
      }
      input.write({ channel: 255, data: '0' });
    })();
  }
  try {
    for (let frame = await output.next(); frame !== undefined; frame = await output.next()) {
      if (frame.channel === 1) session.out(frame.data);
      else if (frame.channel === 2) session.err(frame.data);
      else if (frame.channel === 3) {
        const status = JSON.parse(frame.data) as Status;
        if (status.status === 'Success') return;
        const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
        if (status.reason === 'NonZeroExitCode' && code !== undefined) {
          session.err(`command terminated with exit code ${code}\n`);
          throw new ExitWith(Number(code));
        }
        throw new KubectlError(
          status.reason === 'InternalError' || !status.reason
            ? `Internal error occurred: ${(status.message ?? '').replace(/^Internal error occurred: /, '')}`
            : (status.message ?? ''),
        );
      }
    }
  } finally {
    if (tty) terminal?.setRaw?.(false);
    input.close();
  }
}
