/**
 * Ranges of cluster IPs (pkg/controller/servicecidrs): every ServiceCIDR is held by a finalizer and called ready; one that
 * is going stays while addresses would be left without a range, and ten seconds longer, so that no allocator still
 * counts on it.
 *
 * Woken by: the object; IPAddresses that go, and other ranges, for those that wait.
 */
import { type Duration, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { instantOf, timestamp } from '../api/time.ts';
import type { ServiceCIDR } from '../api/types.gen.ts';
import { isNotFound } from '../client/retry.ts';
import { type Context, reconciler } from './controller.ts';

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by';
const ALLOCATOR = 'ipallocator.k8s.io';
const GRACE: Duration = seconds(10);

type Range = DeepReadonly<ServiceCIDR>;

const numberOf = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const spanOf = (cidr: string): readonly [number, number] => {
  const [address = '', bits = '32'] = cidr.split('/');
  const base = numberOf(address);
  return [base, base + 2 ** (32 - Number(bits)) - 1];
};
/** Here simplified: of IPv6 only equal ranges are known. */
const within = (inner: string, outer: string): boolean => {
  if (inner.includes(':') || outer.includes(':')) return inner === outer;
  const [[a, b], [c, d]] = [spanOf(inner), spanOf(outer)];
  return a >= c && b <= d;
};
const holds = (range: Range, ip: string): boolean => (range.spec?.cidrs ?? []).some((cidr) => !cidr.includes(':') && within(`${ip}/32`, cidr));

/** Whether nothing would be left without a range. */
function mayGo(range: Range, { informer }: Context): boolean {
  const others = informer('ServiceCIDR')
    .list()
    .filter(({ metadata }) => metadata.name !== range.metadata.name);
  const cidrs = range.spec?.cidrs ?? [];
  if (cidrs.every((cidr) => others.some((other) => (other.spec?.cidrs ?? []).some((outer) => within(cidr, outer))))) return true;
  return !informer('IPAddress')
    .list()
    .some(({ metadata: { name = '', labels } }) => labels?.[MANAGED_BY] === ALLOCATOR && holds(range, name) && !others.some((other) => holds(other, name)));
}

async function ready(range: Range, { client, now }: Context, status: 'True' | 'False', reason: string, message: string): Promise<void> {
  const before = range.status?.conditions?.find(({ type }) => type === 'Ready');
  if (before?.status === status && before.reason === reason && before.message === message) return;
  const conditions = [
    ...(range.status?.conditions ?? []).filter(({ type }) => type !== 'Ready'),
    { type: 'Ready', status, reason, message, lastTransitionTime: timestamp(now()) },
  ];
  await client.of('ServiceCIDR').updateStatus({ ...range, status: { ...range.status, conditions } });
}

export const serviceCidrController = reconciler({
  name: 'service-cidr-controller',
  for: 'ServiceCIDR',
  wakes: {
    IPAddress: ({ metadata }, { informer }) => (informer('IPAddress').get(metadata.name ?? '') ? [] : waiting(informer('ServiceCIDR').list())),
    ServiceCIDR: (_, { informer }) => waiting(informer('ServiceCIDR').list()),
  },

  async reconcile(range, context) {
    const { client, now } = context;
    const { finalizers = [], deletionTimestamp } = range.metadata;
    const has = finalizers.includes(FINALIZER);
    if (deletionTimestamp) {
      if (!mayGo(range, context)) {
        const why = 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';
        await ready(range, context, 'False', 'Terminating', why);
        return undefined;
      }
      const left = (instantOf(deletionTimestamp) ?? 0) + GRACE - now();
      if (left > 0) return { again: left };
      if (!has) return undefined;
      const metadata = { ...range.metadata, finalizers: finalizers.filter((name) => name !== FINALIZER) };
      await client
        .of('ServiceCIDR')
        .update({ ...range, metadata })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      return undefined;
    }
    const held = has ? range : await client.of('ServiceCIDR').update({ ...range, metadata: { ...range.metadata, finalizers: [...finalizers, FINALIZER] } });
    await ready(held, context, 'True', '', 'Kubernetes Service CIDR is ready');
    return undefined;
  },
});

const waiting = (all: readonly Range[]): readonly string[] => all.flatMap(({ metadata }) => (metadata.deletionTimestamp ? [metadata.name ?? ''] : []));
