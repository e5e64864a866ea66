/** Ranges of cluster IPs: held, called ready, and let go only when nothing is left without a range. */
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/meta.ts';
import { type Scenario, scenario } from './scenario.test-support.ts';

const range = (name: string, cidrs: readonly string[], metadata: object = {}): KubeObject =>
  ({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name, ...metadata }, spec: { cidrs } }) as unknown as KubeObject;
const address = (name: string, managed = true): KubeObject =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name, labels: managed ? { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } : {} },
    spec: { parentRef: { resource: 'services', name: 's' } },
  }) as unknown as KubeObject;
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
const going = { deletionTimestamp: '2026-01-05T08:00:00Z', finalizers: [FINALIZER, 'x.io/mine'] };
const found = (s: Scenario, name: string) =>
  s.api.get('servicecidrs', name) as unknown as {
    metadata: { finalizers?: string[] };
    status?: { conditions: { status: string; reason: string; message: string }[] };
  };

describe('a range', () => {
  it('is held and called ready', async () => {
    const s = await scenario();
    s.api.put('servicecidrs', range('more', ['192.168.0.0/24']));
    await s.wait(3);
    expect(found(s, 'more').metadata.finalizers).toEqual([FINALIZER]);
    expect(found(s, 'more').status?.conditions).toMatchObject([{ type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' }]);
  });

  it('stays while an address would be left without one, and ten seconds after its deletion', async () => {
    const s = await scenario();
    s.api.put('ipaddresses', address('192.168.0.7'));
    s.api.put('servicecidrs', range('more', ['192.168.0.0/24'], going));
    await s.wait(15);
    expect(found(s, 'more').status?.conditions).toMatchObject([
      {
        status: 'False',
        reason: 'Terminating',
        message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
      },
    ]);
    s.api.remove('ipaddresses', '192.168.0.7');
    await s.wait(15);
    expect(found(s, 'more').metadata.finalizers).toEqual(['x.io/mine']);
  });

  it.each([
    ['another holds the whole of it', [range('wide', ['192.168.0.0/16'])], [address('192.168.0.7')]],
    ['another holds the address', [range('half', ['192.168.0.0/25'])], [address('192.168.0.7')]],
    ['the address is somebody else’s', [], [address('192.168.0.7', false)]],
    ['the address lies elsewhere', [], [address('10.96.0.7')]],
  ])('goes when %s', async (_, ranges, addresses) => {
    const s = await scenario();
    for (const each of ranges) s.api.put('servicecidrs', each);
    for (const each of addresses) s.api.put('ipaddresses', each);
    s.api.put('servicecidrs', range('more', ['192.168.0.0/24'], going));
    await s.wait(15);
    expect(found(s, 'more').metadata.finalizers).toEqual(['x.io/mine']);
  });
});
