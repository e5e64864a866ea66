import { describe, expect, it } from 'vitest';
import { parseRule } from '../../linux/iptables-rule.ts';
import type { EndpointSlice, Service } from '../api/types.gen.ts';
import { chainName, endpointChainName, serviceRules } from './iptables.ts';
import { base32, sha256 } from './sha256.ts';

const hex = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');

describe('chain names are those of a real cluster', () => {
  it('sha256', () => {
    expect(hex(sha256(''))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(sha256('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(hex(sha256('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'))).toBe('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1');
    expect(base32(new Uint8Array([0x66, 0x6f, 0x6f, 0x62, 0x61, 0x72]), 8)).toBe('MZXW6YTB');
  });
  it.each([
    ['default/kubernetes:https', 'tcp', 'KUBE-SVC-NPX46M4PTMTKRN6Y'],
    ['kube-system/kube-dns:dns', 'udp', 'KUBE-SVC-TCOU7JCQXEZGVUNU'],
    ['kube-system/kube-dns:dns-tcp', 'tcp', 'KUBE-SVC-ERIFXISQEP7F7OF4'],
    ['kube-system/kube-dns:metrics', 'tcp', 'KUBE-SVC-JD5MR3NA4I4DYORP'],
    ['ns1/svc1:p80', 'tcp', 'KUBE-SVC-XPGD46QRK7WJZT7O'],
  ])('%s %s', (name, protocol, chain) => expect(chainName('SVC', name, protocol)).toBe(chain));
  it('of an endpoint, as in the upstream test', () => expect(endpointChainName('ns1/svc1:p80', 'tcp', '10.180.0.1:80')).toBe('KUBE-SEP-SXIVWICOYRO3J4NJ'));
});

const service = (spec: Service['spec'], status?: Service['status']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec,
  ...(status ? { status } : {}),
});
const slice = (...endpoints: [ip: string, node?: string, conditions?: object][]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-abc', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: endpoints.map(([ip, nodeName = 'node-1', conditions = { ready: true, serving: true, terminating: false }]) => ({
    addresses: [ip],
    nodeName,
    conditions,
  })),
});
const options = { nodeName: 'node-1', nodeIp: '10.0.0.11', clusterCidr: '10.244.0.0/16' };
const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }];

/** As iptables-save would print them, hashes shortened to the kind of chain. */
function dump(s: Service, slices: EndpointSlice[]): string[] {
  const rules = serviceRules(s, slices, options);
  const line = (chain: string) => (text: string) => `-A ${chain} ${parseRule(text).text}`.replace(/KUBE-(SVC|SVL|EXT|FW)-[A-Z2-7]{16}/g, 'KUBE-$1');
  return [
    ...rules.filter.services.map(line('filter KUBE-SERVICES')),
    ...rules.filter.external.map(line('filter KUBE-EXTERNAL-SERVICES')),
    ...rules.filter.firewall.map(line('filter KUBE-PROXY-FIREWALL')),
    ...rules.nat.nodePorts.map(line('KUBE-NODEPORTS')),
    ...rules.nat.services.map(line('KUBE-SERVICES')),
    ...[...rules.chains].flatMap(([chain, texts]) => texts.map(line(chain))),
  ];
}

describe('rules', () => {
  const one = endpointChainName('default/web:http', 'tcp', '10.244.1.2:8080');
  const two = endpointChainName('default/web:http', 'tcp', '10.244.2.3:8080');

  it('ClusterIP with two endpoints', () => {
    expect(dump(service({ clusterIP: '10.96.0.7', ports }), [slice(['10.244.2.3', 'node-2'], ['10.244.1.2'])])).toEqual([
      '-A KUBE-SERVICES -d 10.96.0.7/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC',
      '-A KUBE-SVC ! -s 10.244.0.0/16 -d 10.96.0.7/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ',
      `-A KUBE-SVC -m comment --comment "default/web:http -> 10.244.1.2:8080" -m statistic --mode random --probability 0.50000000000 -j ${one}`,
      `-A KUBE-SVC -m comment --comment "default/web:http -> 10.244.2.3:8080" -j ${two}`,
      `-A ${one} -s 10.244.1.2/32 -m comment --comment "default/web:http" -j KUBE-MARK-MASQ`,
      `-A ${one} -p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination 10.244.1.2:8080`,
      `-A ${two} -s 10.244.2.3/32 -m comment --comment "default/web:http" -j KUBE-MARK-MASQ`,
      `-A ${two} -p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination 10.244.2.3:8080`,
    ]);
  });

  it('no endpoint, or none ready', () => {
    const reject = [
      '-A filter KUBE-SERVICES -d 10.96.0.7/32 -p tcp -m comment --comment "default/web:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
    ];
    expect(dump(service({ clusterIP: '10.96.0.7', ports }), [])).toEqual(reject);
    expect(dump(service({ clusterIP: '10.96.0.7', ports }), [slice(['10.244.1.2', 'node-1', { ready: false }])])).toEqual(reject);
  });

  it('falls back to endpoints that terminate but serve', () => {
    const rules = serviceRules(
      service({ clusterIP: '10.96.0.7', ports }),
      [slice(['10.244.1.2', 'node-1', { ready: false, serving: true, terminating: true }])],
      options,
    );
    expect(rules.endpoints).toBe(1);
  });

  it('NodePort', () => {
    const lines = dump(service({ type: 'NodePort', clusterIP: '10.96.0.7', ports: [{ ...ports[0]!, nodePort: 30080 }] }), [slice(['10.244.1.2'])]);
    expect(lines).toContain('-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-EXT');
    expect(lines).toContain(
      '-A KUBE-EXT -m comment --comment "masquerade traffic for default/web:http external destinations" -j KUBE-MARK-MASQ'
        .replace('KUBE-EXT ', `${chainName('EXT', 'default/web:http', 'tcp')} `)
        .replace(/KUBE-EXT-\S+/, 'KUBE-EXT'),
    );
    expect(lines).toContain('-A KUBE-EXT -j KUBE-SVC');
  });

  it('externalTrafficPolicy Local without a local endpoint', () => {
    const lines = dump(
      service(
        { type: 'LoadBalancer', externalTrafficPolicy: 'Local', clusterIP: '10.96.0.7', ports: [{ ...ports[0]!, nodePort: 30080 }] },
        { loadBalancer: { ingress: [{ ip: '203.0.113.5', ipMode: 'VIP' }] } },
      ),
      [slice(['10.244.2.3', 'node-2'])],
    );
    expect(lines).toContain(
      '-A filter KUBE-EXTERNAL-SERVICES -d 203.0.113.5/32 -p tcp -m comment --comment "default/web:http has no local endpoints" -m tcp --dport 80 -j DROP',
    );
    expect(lines).toContain('-A KUBE-SERVICES -d 203.0.113.5/32 -p tcp -m comment --comment "default/web:http loadbalancer IP" -m tcp --dport 80 -j KUBE-EXT');
    expect(lines).toContain('-A KUBE-EXT -s 10.244.0.0/16 -m comment --comment "pod traffic for default/web:http external destinations" -j KUBE-SVC');
    expect(lines.filter((l) => l.includes('-j KUBE-SVL'))).toEqual([]);
  });

  it('internalTrafficPolicy Local', () => {
    expect(dump(service({ clusterIP: '10.96.0.7', internalTrafficPolicy: 'Local', ports }), [slice(['10.244.2.3', 'node-2'])])[0]).toContain(
      '"default/web:http has no local endpoints" -m tcp --dport 80 -j DROP',
    );
    expect(dump(service({ clusterIP: '10.96.0.7', internalTrafficPolicy: 'Local', ports }), [slice(['10.244.2.3', 'node-2'], ['10.244.1.2'])])[0]).toContain(
      '-j KUBE-SVL',
    );
  });

  it('headless and ExternalName are nobody’s business', () => {
    expect(dump(service({ clusterIP: 'None', ports }), [slice(['10.244.1.2'])])).toEqual([]);
    expect(dump(service({ type: 'ExternalName', externalName: 'example.com' }), [])).toEqual([]);
  });
});
