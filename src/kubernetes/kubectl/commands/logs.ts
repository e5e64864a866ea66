/** kubectl logs. */

import { Mailbox } from '../../../sim/mailbox.ts';
import { ApiError } from '../../api/request.ts';
import { instantOf } from '../../api/time.ts';
import type { Target } from '../builder.ts';
import { KubectlError, usageError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import type { Reader, Session } from '../session.ts';
import type { Command } from './command.ts';
import { containerOf, DEFAULT_CONTAINER, listPods, type PodObject, podsOf } from './pods.ts';
import { runningTimeout } from './streams.ts';

const USAGE = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

export const logs: Command = {
  summary: 'Print the logs for a container in a pod',
  usage: 'kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [options]',
  flags: {
    follow: bool('f'),
    container: text('c'),
    previous: bool('p'),
    tail: { type: 'int', default: '-1' },
    since: { type: 'duration', default: '0' },
    'since-time': text(),
    timestamps: bool(),
    'limit-bytes': { type: 'int', default: '0' },
    selector: text('l'),
    'all-containers': bool(),
    'all-pods': bool(),
    prefix: bool(),
    'ignore-errors': bool(),
    'insecure-skip-tls-verify-backend': bool(),
    'max-log-requests': { type: 'int', default: '5' },
    'pod-running-timeout': { type: 'duration', default: '20s' },
  },
  run: async (session, args) => {
    const { flags } = session;
    const selector = flags.text('selector');
    if (selector && args.length === 1) throw usageError('kubectl logs', 'only a selector (-l) or a POD name is allowed');
    if ((!selector && args.length === 0) || args.length > 2) throw usageError('kubectl logs', USAGE);
    const timeout = runningTimeout(session);
    if (flags.bool('all-containers') && flags.text('container'))
      throw new KubectlError('--all-containers=true should not be specified with container name ' + flags.text('container'));
    const time = flags.text('since-time');
    if (time !== '' && instantOf(time) === undefined)
      throw new KubectlError(`parsing time ${JSON.stringify(time)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(time)} as "2006"`);
    if (flags.duration('since') > 0 && flags.text('since-time')) throw new KubectlError('at most one of `sinceTime` or `sinceSeconds` may be specified');
    if (flags.number('limit-bytes') < 0) throw new KubectlError('--limit-bytes must be greater than 0');
    if (flags.duration('since') < 0) throw new KubectlError('--since must be greater than 0');
    if (flags.has('tail') && flags.number('tail') < -1) throw new KubectlError('--tail must be greater than or equal to -1');
    let container = flags.text('container');
    if (args[1] !== undefined) {
      if (container) throw new KubectlError('only one of -c or an inline [CONTAINER] arg is allowed');
      container = args[1];
    }
    let pods: readonly PodObject[];
    if (selector) {
      pods = await listPods(session, selector);
      if (pods.length === 0) {
        session.err(`No resources found in ${session.namespace} namespace.\n`);
        return;
      }
    } else {
      const found = await podsOf(session, args[0]!, { all: true, timeout, doing: 'get the logs from' }).catch((error: unknown) => {
        // `logs` alone words it so, since 1.31.
        if (error instanceof ApiError && error.reason === 'NotFound')
          throw new KubectlError(`error from server (NotFound): ${error.message} in namespace ${JSON.stringify(session.namespace)}`);
        throw error;
      });
      const many = flags.bool('all-pods') || found.shown.startsWith('pod/');
      pods = many ? found.pods : found.pods.slice(0, 1);
      if (!many && found.pods.length > 1 && !flags.bool('all-containers'))
        session.err(`Found ${found.pods.length} pods, using pod/${pods[0]!.metadata.name}\n`);
    }
    const sources = pods.flatMap((pod) => containersOf(session, pod, container).map((name) => ({ pod, name })));
    if (flags.bool('follow') && sources.length > flags.number('max-log-requests'))
      throw new KubectlError(
        `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${flags.number('max-log-requests')}, use --max-log-requests to increase the limit`,
      );
    if (flags.bool('follow') && sources.length > 1) return followAll(session, sources);
    for (const { pod, name } of sources) {
      try {
        await copy(session, pod, name, (piece) => session.out(piece));
      } catch (error) {
        if (!flags.bool('ignore-errors')) throw error;
        session.out(`error: ${(error as Error).message}\n`);
      }
    }
  },
};

function containersOf(session: Session, pod: PodObject, container: string): readonly string[] {
  if (session.flags.bool('all-containers'))
    return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? []), ...(pod.spec?.ephemeralContainers ?? [])].map((one) => one.name);
  if (container) {
    const known = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []), ...(pod.spec?.ephemeralContainers ?? [])].some(
      (one) => one.name === container,
    );
    if (!known) throw new KubectlError(`container ${container} is not valid for pod ${pod.metadata.name}`);
    return [container];
  }
  return [containerOf(session, pod, '', pod.metadata.annotations?.[DEFAULT_CONTAINER] !== undefined)];
}

function queryOf(session: Session, container: string): Record<string, string> {
  const { flags } = session;
  const query: Record<string, string> = { container };
  if (flags.bool('follow')) query['follow'] = 'true';
  if (flags.bool('previous')) query['previous'] = 'true';
  if (flags.bool('timestamps')) query['timestamps'] = 'true';
  if (flags.number('limit-bytes') > 0) query['limitBytes'] = flags.text('limit-bytes');
  // A selector means many pods: ten lines of each, unless told otherwise.
  const tail = flags.has('tail') ? flags.number('tail') : flags.text('selector') && !flags.bool('follow') ? 10 : flags.text('selector') ? 10 : -1;
  if (tail >= 0) query['tailLines'] = String(tail);
  if (flags.text('since-time')) {
    query['sinceTime'] = flags.text('since-time');
  } else if (flags.duration('since') > 0) query['sinceSeconds'] = String(Math.round(flags.duration('since') / 1_000_000));
  return query;
}

const open = (session: Session, pod: PodObject, container: string): Promise<Reader<string>> =>
  session.open<string>(`/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/log`, { query: queryOf(session, container) });

const prefixOf = (session: Session, pod: PodObject, container: string): string =>
  // Lines of all pods at once are told apart, asked for or not.
  session.flags.bool('prefix') || session.flags.bool('all-pods') ? `[pod/${pod.metadata.name}/${container}] ` : '';

async function copy(session: Session, pod: PodObject, container: string, write: (piece: string) => void): Promise<void> {
  const prefix = prefixOf(session, pod, container);
  const reader = await open(session, pod, container);
  let rest = '';
  for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) {
    if (prefix === '') {
      write(piece);
      continue;
    }
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    if (lines.length > 0) write(lines.map((line) => `${prefix}${line}\n`).join(''));
  }
  if (rest !== '') write(`${prefix}${rest}\n`);
}

/** Several followed logs at once; lines come as they come. */
async function followAll(session: Session, sources: readonly { readonly pod: PodObject; readonly name: string }[]): Promise<void> {
  const done = new Mailbox<Error | undefined>(session.self.process.clock);
  for (const { pod, name } of sources)
    copy(session, pod, name, (piece) => session.out(piece)).then(
      () => done.put(undefined),
      (error: Error) => done.put(error),
    );
  for (let left = sources.length; left > 0; left--) {
    const error = await done.take();
    if (error && !session.flags.bool('ignore-errors')) throw error;
    if (error) session.out(`error: ${error.message}\n`);
  }
}

/** The log of one container, followed to its end: what `run` and `debug` fall back to. */
export async function showLog(session: Session, { namespace, name }: Pick<Target, 'namespace' | 'name'>, container = ''): Promise<void> {
  const query: Record<string, string> = container === '' ? { follow: 'true' } : { container };
  const reader = await session.open<string>(`/api/v1/namespaces/${namespace}/pods/${name}/log`, { query });
  for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) session.out(piece);
}
