/** kubectl drain: cordons, then evicts what a node runs and waits until it is gone (kubectl pkg/drain). */
import type { DeepReadonly, Json } from '../../api/json.ts';
import { ApiError } from '../../api/request.ts';
import { parseSelector } from '../../api/selector.ts';
import { instantOf } from '../../api/time.ts';
import type { Pod } from '../../api/types.gen.ts';
import { AggregateFailure, isNotFound, KubectlError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import { dryRunOf, ResultPrinter } from '../printers/result.ts';
import { isObject, type Session } from '../session.ts';
import type { Command } from './command.ts';
import { mark, NODE_FLAGS, nodesOf, plain } from './cordon.ts';

type PodObject = DeepReadonly<Pod>;

// Upstream says "cannot delete" twice here; so do we.
const UNMANAGED_ERROR = 'cannot delete cannot delete Pods that declare no controller (use --force to override)';
const DAEMON_ERROR = 'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)';
const LOCAL_ERROR = 'cannot delete Pods with local storage (use --delete-emptydir-data to override)';
const MIRROR = 'kubernetes.io/config.mirror';

export const drain: Command = {
  summary: 'Drain node in preparation for maintenance',
  usage: 'kubectl drain NODE [options]',
  flags: {
    ...NODE_FLAGS,
    force: bool(),
    'ignore-daemonsets': bool(),
    'delete-emptydir-data': bool(),
    'disable-eviction': bool(),
    'grace-period': { type: 'int', default: '-1' },
    timeout: { type: 'duration', default: '0' },
    'pod-selector': text(),
    'skip-wait-for-delete-timeout': { type: 'int', default: '0' },
    'chunk-size': { type: 'int', default: '500' },
  },
  run: async (session, args) => {
    const dryRun = dryRunOf(session);
    if (session.flags.has('pod-selector')) {
      try {
        parseSelector(session.flags.text('pod-selector'));
      } catch {
        throw new KubectlError('--pod-selector=<pod_selector> must be a valid label selector');
      }
    }
    const nodes = await nodesOf(session, args);
    await mark(session, nodes, true, dryRun);
    const printer = new ResultPrinter(session, dryRun);
    const failures: unknown[] = [];
    const failed: string[] = [];
    for (const node of nodes) {
      try {
        await drainOne(session, node.name);
        printer.print(node.info, node.object, 'drained');
      } catch (error) {
        // Goes on with the other nodes, and ends with all errors (since 1.25).
        session.err(`error: unable to drain node ${JSON.stringify(node.name)} due to error: ${detail(error, session)}, continuing command...\n`);
        failures.push(error);
        failed.push(node.name);
      }
    }
    if (failed.length > 0) session.err(`There are pending nodes to be drained:\n${failed.map((name) => ` ${name}\n`).join('')}`);
    if (failures.length === 0) return;
    throw new AggregateFailure(failures.flatMap((one) => (one instanceof AggregateFailure ? one.errors : [one])));
  },
};

const detail = (error: unknown, session: Session): string => (error instanceof AggregateFailure ? error.message : plain(error, session));

interface Verdict {
  readonly pod: PodObject;
  readonly remove: boolean;
  readonly warning?: string;
  readonly error?: string;
}

/** The filters of drain/filters.go, in their order. */
async function judge(session: Session, pod: PodObject): Promise<Verdict> {
  const { flags } = session;
  const skip = flags.number('skip-wait-for-delete-timeout');
  if (isStale(session, pod, skip)) return { pod, remove: false };
  const finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
  const owner = pod.metadata.ownerReferences?.find((one) => one.controller);
  let warning: string | undefined;
  if (owner?.kind === 'DaemonSet' && !finished) {
    try {
      await session.request('GET', `/apis/apps/v1/namespaces/${pod.metadata.namespace}/daemonsets/${owner.name}`);
    } catch (error) {
      const message = plain(error, session);
      if (!isNotFound(error) || !flags.bool('force'))
        return { pod, remove: false, error: /^cannot delete/i.test(message) ? message : `cannot delete ${message}` };
      warning = message;
    }
    if (warning === undefined)
      return flags.bool('ignore-daemonsets') ? { pod, remove: false, warning: 'ignoring DaemonSet-managed Pods' } : { pod, remove: false, error: DAEMON_ERROR };
  }
  if (pod.metadata.annotations?.[MIRROR] !== undefined) return { pod, remove: false };
  if (!finished) {
    if (pod.spec?.volumes?.some((volume) => volume.emptyDir)) {
      if (!flags.bool('delete-emptydir-data')) return { pod, remove: false, error: LOCAL_ERROR };
      warning = 'deleting Pods with local storage';
    }
    // The last filter's word counts: a managed pod is removed without a warning.
    if (!owner)
      return flags.bool('force') ? { pod, remove: true, warning: 'deleting Pods that declare no controller' } : { pod, remove: false, error: UNMANAGED_ERROR };
    warning = undefined;
  }
  return { pod, remove: true, ...(warning ? { warning } : {}) };
}

function isStale(session: Session, pod: PodObject, seconds: number): boolean {
  const deleted = instantOf(pod.metadata.deletionTimestamp);
  return seconds > 0 && deleted !== undefined && session.self.process.clock.now() - deleted > seconds * 1_000_000;
}

const nameOf = (pod: PodObject): string => `${pod.metadata.namespace}/${pod.metadata.name}`;

/** `text: ns/a, ns/b` for each text, in the order they first came up. */
function grouped(entries: readonly (readonly [string, PodObject])[]): string[] {
  const groups = new Map<string, string[]>();
  for (const [message, pod] of entries) groups.set(message, [...(groups.get(message) ?? []), nameOf(pod)]);
  return [...groups].map(([message, pods]) => `${message}: ${pods.join(', ')}`);
}

async function podsToRemove(session: Session, node: string): Promise<{ readonly verdicts: readonly Verdict[]; readonly errors: readonly KubectlError[] }> {
  const selector = session.flags.text('pod-selector');
  const body = await session.request('GET', '/api/v1/pods', {
    query: { fieldSelector: `spec.nodeName=${node}`, ...(selector ? { labelSelector: selector } : {}) },
  });
  const pods = isObject(body) ? ((body['items'] as unknown as readonly PodObject[] | undefined) ?? []) : [];
  const verdicts: Verdict[] = [];
  for (const pod of pods) verdicts.push(await judge(session, pod));
  const errors = grouped(verdicts.filter(({ error }) => error !== undefined).map(({ error, pod }) => [error!, pod] as const));
  return { verdicts, errors: errors.map((message) => new KubectlError(message)) };
}

async function drainOne(session: Session, node: string): Promise<void> {
  const { verdicts, errors } = await podsToRemove(session, node);
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateFailure(errors);
  const warnings = grouped(verdicts.filter(({ warning }) => warning !== undefined).map(({ warning, pod }) => [warning!, pod] as const));
  if (warnings.length > 0) session.err(`Warning: ${warnings.join('; ')}\n`);
  const pods = verdicts.filter(({ remove }) => remove).map(({ pod }) => pod);
  const dryRun = dryRunOf(session);
  const evicting = !session.flags.bool('disable-eviction');
  if (dryRun === 'client') {
    for (const pod of pods) session.out(`${evicting ? 'evicting' : 'deleting'} pod ${nameOf(pod)} (dry run)\n`);
    return;
  }
  const failures = (evicting ? await evictAll(session, pods) : await deleteAll(session, pods)).filter((error) => error !== undefined);
  if (failures.length === 0) return;
  const failure = failures.length === 1 ? failures[0]! : new AggregateFailure(failures);
  const pending = (await podsToRemove(session, node)).verdicts.filter(({ remove }) => remove);
  if (pending.length > 0)
    session.err(
      `There are pending pods in node ${JSON.stringify(node)} when an error occurred: ${detail(failure, session)}\n${pending.map(({ pod }) => `pod/${pod.metadata.name}\n`).join('')}`,
    );
  throw failure;
}

/** When the whole drain gives up; infinite without --timeout. */
function deadline(session: Session): { readonly at: number; readonly message: string } {
  const timeout = session.flags.duration('timeout');
  if (timeout === 0) return { at: Number.POSITIVE_INFINITY, message: '' };
  return { at: session.self.process.clock.now() + timeout, message: `global timeout reached: ${goDuration(timeout)}` };
}

const goDuration = (micro: number): string => {
  const seconds = Math.floor(micro / 1_000_000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const fraction =
    micro % 1_000_000 === 0
      ? ''
      : `.${String(micro % 1_000_000)
          .padStart(6, '0')
          .replace(/0+$/, '')}`;
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}${fraction}s`;
};

/** All at once; each pod on its own tries until its budget lets it go, then waits for its end. */
const evictAll = (session: Session, pods: readonly PodObject[]): Promise<readonly (Error | undefined)[]> => {
  const limit = deadline(session);
  return Promise.all(pods.map((pod) => evictOne(session, pod, limit)));
};

async function evictOne(session: Session, pod: PodObject, limit: ReturnType<typeof deadline>): Promise<Error | undefined> {
  const { clock } = session.self.process;
  const name = JSON.stringify(pod.metadata.name);
  const dryRun = dryRunOf(session) === 'server';
  const grace = session.flags.number('grace-period');
  const body: Json = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod.metadata.name!, namespace: pod.metadata.namespace! },
    deleteOptions: { ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}), ...(dryRun ? { dryRun: ['All'] } : {}) },
  };
  for (;;) {
    session.out(`evicting pod ${nameOf(pod)}${dryRun ? ' (server dry run)' : ''}\n`);
    if (clock.now() >= limit.at) return new KubectlError(`error when evicting pods/${name} -n ${JSON.stringify(pod.metadata.namespace)}: ${limit.message}`);
    try {
      await session.request('POST', `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/eviction`, { body });
      break;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      const code = error instanceof ApiError ? error.status.code : 0;
      const where = `error when evicting pods/${name} -n ${JSON.stringify(pod.metadata.namespace)}`;
      const terminating = error instanceof ApiError && error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating');
      if (code !== 429 && !terminating) return new KubectlError(`${where}: ${plain(error, session)}`);
      session.err(`${where} (will retry after 5s): ${plain(error, session)}\n`);
      await clock.sleep(5_000_000);
    }
  }
  if (dryRun) return undefined;
  const failure = await waitGone(session, pod, limit, 'evicted');
  return failure === undefined
    ? undefined
    : new KubectlError(`error when waiting for pod ${name} in namespace ${JSON.stringify(pod.metadata.namespace)} to terminate: ${failure}`);
}

async function deleteAll(session: Session, pods: readonly PodObject[]): Promise<readonly (Error | undefined)[]> {
  const grace = session.flags.number('grace-period');
  const limit = deadline(session);
  const dryRun = dryRunOf(session) === 'server';
  for (const pod of pods) {
    try {
      await session.request('DELETE', `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`, {
        body: { ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}), ...(dryRun ? { dryRun: ['All'] } : {}) },
      });
    } catch (error) {
      if (!isNotFound(error)) return [error as Error];
    }
  }
  if (dryRun) return [];
  const failures = await Promise.all(pods.map((pod) => waitGone(session, pod, limit, 'deleted')));
  const first = failures.find((failure) => failure !== undefined);
  return first === undefined ? [] : [new KubectlError(first)];
}

/** Asks every second; returns why it gave up. */
async function waitGone(session: Session, pod: PodObject, limit: ReturnType<typeof deadline>, word: string): Promise<string | undefined> {
  const { clock } = session.self.process;
  for (;;) {
    try {
      const now = (await session.request('GET', `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`)) as unknown as PodObject;
      if (now.metadata.uid !== pod.metadata.uid) break;
      const seconds = session.flags.number('skip-wait-for-delete-timeout');
      if (isStale(session, now, seconds)) {
        session.out(`pod ${JSON.stringify(pod.metadata.name)} has DeletionTimestamp older than ${seconds} seconds, skipping\n`);
        return undefined;
      }
    } catch (error) {
      if (isNotFound(error)) break;
      return plain(error, session);
    }
    if (clock.now() >= limit.at) return limit.message;
    await clock.sleep(1_000_000);
  }
  session.out(`pod/${pod.metadata.name} ${word}\n`);
  return undefined;
}
