/** `kubectl describe node`. */
import { addQuantities, canonicalQuantity, compareQuantities, milliValue, wholeValue } from '../../api/quantity.ts';
import { ApiError } from '../../api/request.ts';
import type { Container, Event, Node, Pod, Taint } from '../../api/types.gen.ts';
import { aboutObject, findEvents, writeEvents } from './events.ts';
import { type Context, type Describer, getOf, listOf } from './reader.ts';
import { longTime, type Sheet, since, sortedKeys } from './sheet.ts';

type Resources = Readonly<Record<string, string>>;

export const describeNode: Describer<Node> = async (sheet, node, context) => {
  const { metadata, spec, status } = node;
  const name = metadata.name ?? '';
  sheet.line(0, 'Name:', name);
  sheet.line(0, 'Roles:', rolesOf(metadata.labels ?? {}).join(',') || '<none>');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'CreationTimestamp:', longTime(metadata.creationTimestamp));
  writeTaints(sheet, spec?.taints);
  sheet.line(0, 'Unschedulable:', String(spec?.unschedulable ?? false));
  await writeLease(sheet, context, name);
  if (status?.conditions?.length) {
    sheet.line(0, 'Conditions:');
    sheet.line(1, 'Type', 'Status', 'LastHeartbeatTime', 'LastTransitionTime', 'Reason', 'Message');
    sheet.line(1, '----', '------', '-----------------', '------------------', '------', '-------');
    for (const c of status.conditions) {
      sheet.line(
        1,
        `${c.type} `,
        `${c.status} `,
        `${longTime(c.lastHeartbeatTime)} `,
        `${longTime(c.lastTransitionTime)} `,
        `${c.reason ?? ''} `,
        c.message ?? '',
      );
    }
  }
  sheet.line(0, 'Addresses:');
  for (const { type, address } of status?.addresses ?? []) sheet.line(1, `${type}:`, address);
  for (const [title, list] of [
    ['Capacity', status?.capacity],
    ['Allocatable', status?.allocatable],
  ] as const) {
    const names = sortedKeys(list);
    if (names.length > 0) sheet.line(0, `${title}:`);
    for (const resource of names) sheet.line(1, `${resource}:`, canonicalQuantity(list?.[resource] ?? '0'));
  }
  const info = status?.nodeInfo;
  sheet.line(0, 'System Info:');
  sheet.line(1, 'Machine ID:', info?.machineID ?? '');
  sheet.line(1, 'System UUID:', info?.systemUUID ?? '');
  sheet.line(1, 'Boot ID:', info?.bootID ?? '');
  sheet.line(1, 'Kernel Version:', info?.kernelVersion ?? '');
  sheet.line(1, 'OS Image:', info?.osImage ?? '');
  sheet.line(1, 'Operating System:', info?.operatingSystem ?? '');
  sheet.line(1, 'Architecture:', info?.architecture ?? '');
  sheet.line(1, 'Container Runtime Version:', info?.containerRuntimeVersion ?? '');
  sheet.line(1, 'Kubelet Version:', info?.kubeletVersion ?? '');
  sheet.line(1, 'Kube-Proxy Version:', info?.kubeProxyVersion ?? '');
  if (spec?.podCIDR) sheet.line(0, 'PodCIDR:', spec.podCIDR);
  if (spec?.podCIDRs?.length) sheet.line(0, 'PodCIDRs:', spec.podCIDRs.join(','));
  if (spec?.providerID) sheet.line(0, 'ProviderID:', spec.providerID);
  const pods = await podsOn(context, name);
  if (pods) writePods(sheet, node, pods, context);
  else sheet.line(0, 'Pods:', 'not authorized');
  if (context.showEvents) writeEvents(sheet, await nodeEvents(context, node), context.now);
};

/** Controllers name a node by its uid in events, the kubelet by its name. */
async function nodeEvents(context: Context, node: Node): Promise<readonly Event[]> {
  const about = aboutObject(node);
  return [...(await findEvents(context, about)), ...(await findEvents(context, { ...about, uid: node.metadata.name }))];
}

function rolesOf(labels: Resources): string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(labels)) {
    const role = key.startsWith('node-role.kubernetes.io/') ? key.slice('node-role.kubernetes.io/'.length) : key === 'kubernetes.io/role' ? value : '';
    if (role) roles.add(role);
  }
  return [...roles].sort();
}

function writeTaints(sheet: Sheet, taints: readonly Taint[] = []): void {
  const order = (taint: Taint): string => `${taint.effect},${taint.key}`;
  const sorted = [...taints].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  sheet.list('Taints', sorted.map(taintText));
}

/** `key=value:Effect` (Taint.ToString). */
function taintText({ key, value, effect }: Taint): string {
  if (!effect) return value ? `${key}=${value}:` : key;
  return value ? `${key}=${value}:${effect}` : `${key}:${effect}`;
}

async function writeLease(sheet: Sheet, { read }: Context, name: string): Promise<void> {
  let failure = `leases.coordination.k8s.io "${name}" not found`;
  const lease = await getOf(read, 'Lease', 'kube-node-lease', name).catch((error: unknown) => {
    failure = error instanceof Error ? error.message : String(error);
    return undefined;
  });
  if (!lease) {
    sheet.line(0, 'Lease:', `Failed to get lease: ${failure}`);
    return;
  }
  const { holderIdentity, acquireTime, renewTime } = lease.spec ?? {};
  sheet.line(0, 'Lease:');
  sheet.line(1, 'HolderIdentity:', holderIdentity ?? '<unset>');
  sheet.line(1, 'AcquireTime:', acquireTime ? longTime(acquireTime) : '<unset>');
  sheet.line(1, 'RenewTime:', renewTime ? longTime(renewTime) : '<unset>');
}

/** Undefined when one may see the node but not the pods. */
async function podsOn({ read }: Context, name: string): Promise<readonly Pod[] | undefined> {
  try {
    return await listOf(read, 'Pod', '', { fieldSelector: `spec.nodeName=${name},status.phase!=Succeeded,status.phase!=Failed` });
  } catch (error) {
    if (error instanceof ApiError && error.code === 403) return undefined;
    throw error;
  }
}

function writePods(sheet: Sheet, { status }: Node, pods: readonly Pod[], { now }: Context): void {
  const own = status?.allocatable ?? {};
  const allocatable: Resources = Object.keys(own).length > 0 ? own : (status?.capacity ?? {});
  sheet.line(0, 'Non-terminated Pods:', `(${pods.length} in total)`);
  sheet.line(1, 'Namespace', 'Name', '', 'CPU Requests', 'CPU Limits', 'Memory Requests', 'Memory Limits', 'Age');
  sheet.line(1, '---------', '----', '', '------------', '----------', '---------------', '-------------', '---');
  let requests: Resources = {};
  let limits: Resources = {};
  for (const pod of pods) {
    const ask = podResources(pod, 'requests');
    const limit = podResources(pod, 'limits');
    const cells = (['cpu', 'memory'] as const).flatMap((name) => [share(name, ask, allocatable, OVERFLOW), share(name, limit, allocatable, OVERFLOW)]);
    sheet.line(1, pod.metadata.namespace ?? '', pod.metadata.name ?? '', '', ...cells, since(pod.metadata.creationTimestamp, now));
    requests = added(requests, ask);
    limits = added(limits, limit);
  }
  sheet.line(0, 'Allocated resources:');
  sheet.line(1, '(Total limits may be over 100 percent, i.e., overcommitted.)');
  sheet.line(1, 'Resource', 'Requests', 'Limits');
  sheet.line(1, '--------', '--------', '------');
  const names = sortedKeys(allocatable);
  const huge = names.filter((name) => name.startsWith('hugepages-'));
  for (const name of ['cpu', 'memory', 'ephemeral-storage', ...huge]) sheet.line(1, name, share(name, requests, allocatable), share(name, limits, allocatable));
  for (const name of names) {
    if (huge.includes(name) || ['cpu', 'memory', 'ephemeral-storage', 'pods'].includes(name)) continue;
    sheet.line(1, name, canonicalQuantity(requests[name] ?? '0'), canonicalQuantity(limits[name] ?? '0'));
  }
}

/** A division by zero as Go's int64, which upstream prints in the rows of pods while a node has not said what it has. */
const OVERFLOW = '-9223372036854775808';

/** `250m (6%)` of what may be allocated. */
function share(name: string, used: Resources, allocatable: Resources, ofNothing = '0'): string {
  const amount = name === 'cpu' ? milliValue : wholeValue;
  const all = amount(allocatable[name]);
  const percent = all === 0 ? ofNothing : Math.trunc((amount(used[name]) / all) * 100);
  return `${canonicalQuantity(used[name] ?? '0')} (${percent}%)`;
}

function added(a: Resources, b: Resources = {}): Resources {
  const sum: Record<string, string> = { ...a };
  for (const [name, quantity] of Object.entries(b)) sum[name] = sum[name] === undefined ? canonicalQuantity(quantity) : addQuantities(sum[name], quantity);
  return sum;
}

function larger(a: Resources, b: Resources): Resources {
  const most: Record<string, string> = { ...a };
  for (const [name, quantity] of Object.entries(b)) if (most[name] === undefined || compareQuantities(quantity, most[name]) > 0) most[name] = quantity;
  return most;
}

/**
 * What a pod asks for or may use: its containers and sidecars together, or more if an init container needs more, and
 * the overhead of its runtime class. Here simplified: what an in-place resize has allocated meanwhile is not looked at.
 */
function podResources({ spec }: Pod, side: 'requests' | 'limits'): Resources {
  const of = ({ resources }: Container): Resources => resources?.[side] ?? {};
  let sum: Resources = {};
  for (const container of spec?.containers ?? []) sum = added(sum, of(container));
  let sidecars: Resources = {};
  let starting: Resources = {};
  for (const container of spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      sum = added(sum, of(container));
      sidecars = added(sidecars, of(container));
      starting = larger(starting, sidecars);
    } else starting = larger(starting, added(sidecars, of(container)));
  }
  sum = larger(sum, starting);
  const overhead = spec?.overhead ?? {};
  if (side === 'requests') return added(sum, overhead);
  return added(sum, Object.fromEntries(Object.entries(overhead).filter(([name]) => sum[name] !== undefined && sum[name] !== '0')));
}
