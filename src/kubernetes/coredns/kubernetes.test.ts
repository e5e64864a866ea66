import { describe, expect, it } from 'vitest';
import type { RecordType } from '../../linux/dns.ts';
import type { EndpointSlice, Service } from '../api/types.gen.ts';
import { CorefileError, KUBEADM_COREFILE, parseCorefile } from './corefile.ts';
import { type ClusterView, lookup, reverseLookup } from './kubernetes.ts';

const service = (name: string, spec: Service['spec']): Service => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec });
const services = new Map<string, Service>([
  ['default/web', service('web', { clusterIP: '10.96.0.7', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] })],
  ['default/db', service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] })],
  ['default/empty', service('empty', { clusterIP: 'None', ports: [{ port: 80 }] })],
  ['default/far', service('far', { type: 'ExternalName', externalName: 'example.com' })],
]);
const slices: EndpointSlice[] = [
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'db-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'db' } },
    addressType: 'IPv4',
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['10.244.1.2'], hostname: 'db-0', conditions: { ready: true } },
      { addresses: ['10.244.2.2'], conditions: { ready: true } },
      { addresses: ['10.244.3.2'], hostname: 'db-2', conditions: { ready: false } },
    ],
  },
];
const view: ClusterView = {
  service: (namespace, name) => services.get(`${namespace}/${name}`),
  slices: (_namespace, name) => slices.filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === name),
  namespaceExists: (name) => name === 'default',
  serviceWithIp: (ip) => [...services.values()].find((s) => s.spec?.clusterIP === ip),
  slicesWithIp: (ip) => slices.filter((s) => s.endpoints.some((e) => e.addresses.includes(ip))),
};
const zone = { zone: 'cluster.local.', ttl: 30, pods: 'insecure' as const };

describe('names of the cluster', () => {
  it.each<[string, RecordType, string, string[]]>([
    ['web.default.svc.cluster.local.', 'A', 'NOERROR', ['10.96.0.7']],
    ['web.default.svc.cluster.local.', 'AAAA', 'NOERROR', []],
    ['web.other.svc.cluster.local.', 'A', 'NXDOMAIN', []],
    ['nope.default.svc.cluster.local.', 'A', 'NXDOMAIN', []],
    ['default.svc.cluster.local.', 'A', 'NOERROR', []],
    ['db.default.svc.cluster.local.', 'A', 'NOERROR', ['10.244.1.2', '10.244.2.2']],
    ['db-0.db.default.svc.cluster.local.', 'A', 'NOERROR', ['10.244.1.2']],
    ['10-244-2-2.db.default.svc.cluster.local.', 'A', 'NOERROR', ['10.244.2.2']],
    ['db-2.db.default.svc.cluster.local.', 'A', 'NXDOMAIN', []],
    ['empty.default.svc.cluster.local.', 'A', 'NXDOMAIN', []],
    ['_http._tcp.web.default.svc.cluster.local.', 'SRV', 'NOERROR', ['0 100 80 web.default.svc.cluster.local.']],
    ['_nope._tcp.web.default.svc.cluster.local.', 'SRV', 'NXDOMAIN', []],
    [
      '_sql._tcp.db.default.svc.cluster.local.',
      'SRV',
      'NOERROR',
      ['0 50 5432 db-0.db.default.svc.cluster.local.', '0 50 5432 10-244-2-2.db.default.svc.cluster.local.'],
    ],
    ['far.default.svc.cluster.local.', 'A', 'NOERROR', ['example.com.']],
    ['10-244-1-2.default.pod.cluster.local.', 'A', 'NOERROR', ['10.244.1.2']],
    ['web.default.cluster.local.', 'A', 'NXDOMAIN', []],
  ])('%s %s', (name, type, code, data) => {
    const reply = lookup(name, type, zone, view);
    expect([reply.code, reply.answers.map((r) => r.data)]).toEqual([code, data]);
  });

  it('and addresses back to names', () => {
    const back = (ip: string) => reverseLookup(`${ip.split('.').reverse().join('.')}.in-addr.arpa.`, 'PTR', zone, view)?.answers.map((r) => r.data);
    expect(back('10.96.0.7')).toEqual(['web.default.svc.cluster.local.']);
    expect(back('10.244.1.2')).toEqual(['db-0.db.default.svc.cluster.local.']);
    expect(back('10.9.9.9')).toBeUndefined();
  });
});

describe('the Corefile', () => {
  it('of kubeadm', () => {
    const [block] = parseCorefile(KUBEADM_COREFILE);
    expect(block).toMatchObject({ zones: ['.'], port: 53 });
    expect(block!.plugins.map((p) => p.name)).toEqual([
      'errors',
      'health',
      'ready',
      'kubernetes',
      'prometheus',
      'forward',
      'cache',
      'loop',
      'reload',
      'loadbalance',
    ]);
    expect(block!.plugins[3]).toEqual({
      name: 'kubernetes',
      args: ['cluster.local', 'in-addr.arpa', 'ip6.arpa'],
      options: [
        ['pods', 'insecure'],
        ['fallthrough', 'in-addr.arpa', 'ip6.arpa'],
        ['ttl', '30'],
      ],
    });
  });
  it('that is wrong is refused', () => {
    expect(() => parseCorefile('.:53 {\n  kubernets cluster.local\n}\n')).toThrow(
      new CorefileError("Corefile:2 - Error during parsing: Unknown directive 'kubernets'"),
    );
    expect(() => parseCorefile('.:53 {\n  ready\n')).toThrow(CorefileError);
  });
});
