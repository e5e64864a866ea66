/** From what a person names (a pod, `deploy/web`, a selector) to pods and containers: polymorphichelpers. */
import type { DeepReadonly } from '../../api/json.ts';
import { selectorOf } from '../../api/selector.ts';
import type { Pod } from '../../api/types.gen.ts';
import { getObject, select } from '../builder.ts';
import { shownName } from '../discovery.ts';
import { KubectlError } from '../errors.ts';
import { isObject, type ObjectLike, type Session } from '../session.ts';

export type PodObject = DeepReadonly<Pod>;

export async function listPods(session: Session, labelSelector: string, extra: Record<string, string> = {}): Promise<readonly PodObject[]> {
  const body = await session.request('GET', `/api/v1/namespaces/${session.namespace}/pods`, {
    query: { ...(labelSelector ? { labelSelector } : {}), ...extra },
  });
  return isObject(body) ? ((body['items'] as unknown as readonly PodObject[] | undefined) ?? []) : [];
}

export interface PodChoice {
  /** Every pod behind it, not the first alone. */
  readonly all?: boolean;
  /** How long to wait for one, in microseconds; a minute by default. */
  readonly timeout?: number;
  /** As errors name it: `attach to`. */
  readonly doing?: string;
}

/** The pod named `web-1` or `pod/web-1`, or the first one behind `deploy/web`, `svc/web`, …, waited for. */
export async function podsOf(
  session: Session,
  name: string,
  { all = false, timeout = 60_000_000, doing = 'attach to' }: PodChoice = {},
): Promise<{ readonly pods: readonly PodObject[]; readonly shown: string; readonly object: ObjectLike }> {
  const selection = await select(session, name.includes('/') ? [name] : ['pods', name]);
  const target = selection.targets[0]!;
  const object = await getObject(session, target);
  if (target.info.kind === 'Pod' && target.info.group === '') return { pods: [object as unknown as PodObject], shown: `pod/${target.name}`, object };
  const refuse = (why: string): KubectlError => new KubectlError(`cannot ${doing} ${goTypeOf(target.info)}: ${why}`);
  const selector = selectorTextOf(object, target.info.kind);
  if (selector === undefined && target.info.kind === 'Service') throw refuse(`invalid service '${target.name}': Service is defined without a selector`);
  if (selector === undefined) throw refuse(`selector for ${goTypeOf(target.info)} not implemented`);
  const { clock } = session.self.process;
  const until = clock.now() + timeout;
  let pods = [...(await listPods(session, selector))];
  while (pods.length === 0 && clock.now() < until) {
    await clock.sleep(Math.min(1_000_000, until - clock.now()));
    pods = [...(await listPods(session, selector))];
  }
  if (pods.length === 0) throw new KubectlError('timed out waiting for the condition');
  pods.sort(byActivity);
  return { pods: all ? pods : [pods[0]!], shown: shownName(target.info, target.name), object };
}

/** `*v1.Deployment`: Go's name of a type. */
const goTypeOf = ({ version, kind }: { readonly version: string; readonly kind: string }): string => `*${version}.${kind}`;

export function selectorTextOf(object: ObjectLike, kind: string): string | undefined {
  const spec = object['spec'];
  const selector = isObject(spec) ? spec['selector'] : undefined;
  if (!isObject(selector)) return undefined;
  if (kind === 'Service' || kind === 'ReplicationController') {
    const labels = selector as Readonly<Record<string, string>>;
    return Object.keys(labels)
      .sort()
      .map((key) => `${key}=${labels[key]}`)
      .join(',');
  }
  return selectorOf(selector as Parameters<typeof selectorOf>[0]).toString();
}

/** podutils.ByLogging, roughly: running and ready pods first, then the older. */
function byActivity(a: PodObject, b: PodObject): number {
  const rank = (pod: PodObject) =>
    (pod.spec?.nodeName ? 0 : 8) +
    ({ Running: 0, Unknown: 1, Pending: 2 }[pod.status?.phase ?? ''] ?? 3) +
    (pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ? 0 : 4);
  return rank(a) - rank(b) || ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1);
}

export const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** The container meant: by name, by annotation, else the first; says on stderr when there was a choice. */
export function containerOf(session: Session, pod: PodObject, name: string, quiet = false): string {
  // Whether there is a container of that name is the server's to say.
  if (name) return name;
  const containers = pod.spec?.containers ?? [];
  const every = [...containers, ...(pod.spec?.initContainers ?? []), ...(pod.spec?.ephemeralContainers ?? [])];
  const annotated = pod.metadata.annotations?.[DEFAULT_CONTAINER];
  if (annotated && every.some((container) => container.name === annotated)) return annotated;
  const first = containers[0]?.name ?? '';
  if (every.length > 1 && !quiet) {
    const marked = (list: readonly { readonly name: string }[] = [], mark: string) => list.map((container) => `${container.name} (${mark})`);
    const names = [
      ...containers.map((container) => container.name),
      ...marked(pod.spec?.ephemeralContainers, 'ephem'),
      ...marked(pod.spec?.initContainers, 'init'),
    ];
    session.err(`Defaulted container ${JSON.stringify(first)} out of: ${names.join(', ')}\n`);
  }
  return first;
}
