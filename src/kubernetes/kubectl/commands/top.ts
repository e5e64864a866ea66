/** kubectl top: what the metrics API says; clusters without metrics-server have none (kubectl pkg/cmd/top, pkg/metricsutil). */
import { minutes } from '../../../sim/clock.ts';
import { milliValue, wholeValue } from '../../api/quantity.ts';
import { instantOf } from '../../api/time.ts';
import { listObjects } from '../builder.ts';
import { partOf } from '../change.ts';
import { KubectlError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import { alignTabs, TABLE_TABS } from '../printers/tabwriter.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import type { Command } from './command.ts';

const SORTS = ['', 'cpu', 'memory'];

interface Usage {
  readonly cpu: number;
  readonly memory: number;
}

/** Throws when no server of this cluster serves metrics. */
async function requireMetrics(session: Session): Promise<void> {
  if (!SORTS.includes(session.flags.text('sort-by'))) throw new KubectlError('--sort-by accepts only cpu or memory');
  // Asked of the server each time: what was true when discovery was last kept may not be.
  await session.discovery.refresh();
  if (!(await session.discovery.groupVersions()).includes('metrics.k8s.io/v1beta1')) throw new KubectlError('Metrics API not available');
}

const usageOf = (object: JsonObject): Usage => {
  const usage = isObject(object['usage']) ? object['usage'] : {};
  return { cpu: milliValue(String(usage['cpu'] ?? '0')), memory: wholeValue(String(usage['memory'] ?? '0')) };
};
const cores = (cpu: number): string => `${cpu}m`;
const bytes = (memory: number): string => `${Math.floor(memory / 1_048_576)}Mi`;

const items = (body: unknown): readonly ObjectLike[] =>
  isObject(body) && Array.isArray(body['items']) ? (body['items'] as unknown as readonly ObjectLike[]) : [body as ObjectLike];

function sorted<T extends { readonly name: string; readonly usage: Usage }>(session: Session, rows: readonly T[]): readonly T[] {
  const by = session.flags.text('sort-by');
  return [...rows].sort((a, b) => (by === 'cpu' ? b.usage.cpu - a.usage.cpu : by === 'memory' ? b.usage.memory - a.usage.memory : a.name < b.name ? -1 : 1));
}

const print = (session: Session, headers: readonly string[], rows: readonly (readonly string[])[]): void =>
  session.out(alignTabs([...(session.flags.bool('no-headers') ? [] : [headers]), ...rows].map((row) => `${row.join('\t')}\n`).join(''), TABLE_TABS));

/** How old a pod is before its missing metrics are worth an error of their own. */
const METRICS_DELAY = minutes(2);

/** Why there are none: throws when there are pods (verifyEmptyMetrics). */
async function explainNothing(session: Session, name: string | undefined, query: Readonly<Record<string, string>>): Promise<void> {
  const root = session.flags.bool('all-namespaces') ? '/api/v1/pods' : `/api/v1/namespaces/${session.namespace}/pods${name ? `/${name}` : ''}`;
  const pods = items(await session.request('GET', root, { query }));
  if (pods.length === 0) return;
  const now = session.self.process.clock.now();
  for (const { metadata } of pods) {
    const age = now - (instantOf(String(metadata['creationTimestamp'] ?? '')) ?? now);
    if (age > METRICS_DELAY) throw new KubectlError(`Metrics not available for pod ${metadata.namespace}/${metadata.name}, age: ${goAge(age)}`);
  }
  throw new KubectlError('metrics not available yet');
}

/** Go's Duration, down to the microsecond: `2m15.123456s`. */
function goAge(age: number): string {
  const whole = Math.floor(age / 1_000_000);
  const [h, m] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = `${whole % 60}.${String(age % 1_000_000).padStart(6, '0')}`.replace(/\.?0+$/, '');
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${rest === '' ? '0' : rest}s`;
}

const node: Command = {
  summary: 'Display resource (CPU/memory) usage of nodes',
  usage: 'kubectl top node [NAME | -l label] [options]',
  aliases: ['nodes', 'no'],
  flags: { selector: text('l'), 'sort-by': text(), 'no-headers': bool(), 'show-capacity': bool(), 'use-protocol-buffers': { type: 'bool', default: 'true' } },
  run: async (session, args) => {
    await requireMetrics(session);
    const selector = session.flags.text('selector');
    const body = await session.request('GET', `/apis/metrics.k8s.io/v1beta1/nodes${args[0] ? `/${args[0]}` : ''}`, {
      query: selector ? { labelSelector: selector } : {},
    });
    const metrics = items(body);
    if (metrics.length === 0) throw new KubectlError('metrics not available yet');
    const nodes = (await listObjects(session, await session.discovery.resolve('nodes'), { everything: true, selector })).items;
    const rows = metrics.map((one) => ({ name: one.metadata.name ?? '', usage: usageOf(one) }));
    const field = session.flags.bool('show-capacity') ? 'capacity' : 'allocatable';
    const share = (used: number, of: number): string => (of > 0 ? `${Math.floor((used * 100) / of)}%` : '<unknown>');
    print(
      session,
      ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'],
      sorted(session, rows).map(({ name, usage }) => {
        const object = nodes.find((one) => one.metadata.name === name);
        const of = (resource: string): string => String((object && partOf(object, ['status', field, resource])) ?? '0');
        return [name, cores(usage.cpu), share(usage.cpu, milliValue(of('cpu'))), bytes(usage.memory), share(usage.memory, wholeValue(of('memory')))];
      }),
    );
  },
};

const pod: Command = {
  summary: 'Display resource (CPU/memory) usage of pods',
  usage: 'kubectl top pod [NAME | -l label] [options]',
  aliases: ['pods', 'po'],
  flags: {
    selector: text('l'),
    'field-selector': text(),
    'all-namespaces': bool('A'),
    containers: bool(),
    'sort-by': text(),
    'no-headers': bool(),
    sum: bool(),
    'use-protocol-buffers': { type: 'bool', default: 'true' },
  },
  run: async (session, args) => {
    await requireMetrics(session);
    const { flags } = session;
    const everywhere = flags.bool('all-namespaces');
    const query: Record<string, string> = {};
    if (flags.text('selector')) query['labelSelector'] = flags.text('selector');
    if (flags.text('field-selector')) query['fieldSelector'] = flags.text('field-selector');
    const metrics = items(
      await session.request('GET', `/apis/metrics.k8s.io/v1beta1${everywhere ? '' : `/namespaces/${session.namespace}`}/pods${args[0] ? `/${args[0]}` : ''}`, {
        query,
      }),
    );
    if (metrics.length === 0) {
      await explainNothing(session, args[0], query);
      session.err(everywhere ? 'No resources found\n' : `No resources found in ${session.namespace} namespace.\n`);
      return;
    }
    const rows = metrics.flatMap((one) => {
      const containers = (Array.isArray(one['containers']) ? one['containers'] : []) as readonly JsonObject[];
      const base = { namespace: one.metadata.namespace ?? '', name: one.metadata.name ?? '' };
      if (flags.bool('containers')) return containers.map((container) => ({ ...base, container: String(container['name']), usage: usageOf(container) }));
      const usage = containers.map(usageOf).reduce((sum, next) => ({ cpu: sum.cpu + next.cpu, memory: sum.memory + next.memory }), { cpu: 0, memory: 0 });
      return [{ ...base, container: '', usage }];
    });
    const lead = (namespace: string, name: string, container: string): string[] => [
      ...(everywhere ? [namespace] : []),
      name,
      ...(flags.bool('containers') ? [container] : []),
    ];
    const lines = sorted(session, rows).map(({ namespace, name, container, usage }) => [
      ...lead(namespace, name, container),
      cores(usage.cpu),
      bytes(usage.memory),
    ]);
    if (flags.bool('sum')) {
      const total = rows.reduce((sum, { usage }) => ({ cpu: sum.cpu + usage.cpu, memory: sum.memory + usage.memory }), { cpu: 0, memory: 0 });
      const blank = lead('', '', '').slice(1);
      lines.push([...blank, '', '________', '________'], [...blank, '', cores(total.cpu), bytes(total.memory)]);
    }
    print(session, [...lead('NAMESPACE', flags.bool('containers') ? 'POD' : 'NAME', 'NAME'), 'CPU(cores)', 'MEMORY(bytes)'], lines);
  },
};

export const top: Command = { summary: 'Display resource (CPU/memory) usage', usage: 'kubectl top [flags] [options]', subcommands: { node, pod } };
