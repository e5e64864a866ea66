import { describe, expect, it } from 'vitest';
import { address, formatAddress } from './address.ts';
import { type Hook, Iptables, type TableName } from './iptables.ts';
import { IptablesError, parseRule, type Subject } from './iptables-rule.ts';
import { segment } from './packet.ts';

const subject = (change: Partial<Subject> & { source?: string; destination?: string; port?: number } = {}): Subject => {
  const { source = '10.244.1.5', destination = '10.96.0.1', port = 443, ...rest } = change;
  return {
    packet: segment({ protocol: 'tcp', source: address(source), sourcePort: 40_000, destination: address(destination), destinationPort: port }, 2, 0, 0, '', 1),
    in: 'cni0',
    out: '',
    mark: 0,
    states: ['NEW'],
    netns: { isLocal: (a) => formatAddress(a) === '10.0.0.11' },
    draw: () => 0x60000000,
    ...rest,
  };
};

describe('the text of a rule', () => {
  it.each([
    [
      '-m comment --comment "default/kubernetes:https cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y',
      '-d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y',
    ],
    ['-m mark ! --mark 0x4000/0x4000 -j RETURN', '-m mark ! --mark 0x4000/0x4000 -j RETURN'],
    ['-j MARK --or-mark 0x4000', '-j MARK --set-xmark 0x4000/0x4000'],
    ['-j MARK --xor-mark 0x4000', '-j MARK --set-xmark 0x4000/0x0'],
    ['-m statistic --mode random --probability 0.3333333333 -j A', '-m statistic --mode random --probability 0.33333333349 -j A'],
    ['-p tcp --dport 80 ! -s 10.0.0.0/8 -j DROP', '! -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j DROP'],
    ['-j REJECT', '-j REJECT --reject-with icmp-port-unreachable'],
    ['-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
    ['-m comment --comment kindnet -j RETURN', '-m comment --comment kindnet -j RETURN'],
    ['-p tcp -m tcp -j DNAT --to-destination 10.244.1.5:8080', '-p tcp -m tcp -j DNAT --to-destination 10.244.1.5:8080'],
    ['-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS', '-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS'],
  ])('%s', (given, saved) => {
    expect(parseRule(given).text).toBe(saved);
    expect(parseRule(saved).text).toBe(saved);
  });

  it('does not guess', () => {
    expect(() => parseRule('-m geoip -j DROP')).toThrow(IptablesError);
    expect(() => parseRule('--dport 80 -j DROP')).toThrow(IptablesError);
  });
});

describe('the walk', () => {
  const tables: [string, Partial<Record<TableName, string[]>>, TableName, Hook, Parameters<typeof subject>[0], unknown][] = [
    ['no rule: the policy', {}, 'filter', 'FORWARD', {}, { kind: 'ACCEPT' }],
    ['first match decides', { filter: ['FORWARD -p tcp --dport 443 -j DROP', 'FORWARD -j ACCEPT'] }, 'filter', 'FORWARD', {}, { kind: 'DROP' }],
    [
      'RETURN goes back to the caller',
      { filter: ['A -j RETURN', 'A -j DROP', 'FORWARD -j A', 'FORWARD -j REJECT'] },
      'filter',
      'FORWARD',
      {},
      { kind: 'REJECT', with: 'icmp-port-unreachable' },
    ],
    ['the end of a chain too', { filter: ['A -p udp -j DROP', 'FORWARD -j A'] }, 'filter', 'FORWARD', {}, { kind: 'ACCEPT' }],
    [
      'marks last',
      { nat: ['POSTROUTING -j M', 'POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE', 'M -j MARK --or-mark 0x4000'] },
      'nat',
      'POSTROUTING',
      {},
      { kind: 'MASQUERADE', randomFully: false },
    ],
    [
      'luck above the threshold',
      { nat: ['PREROUTING -m statistic --mode random --probability 0.5 -j DNAT --to-destination 1.1.1.1', 'PREROUTING -j DNAT --to-destination 2.2.2.2:80'] },
      'nat',
      'PREROUTING',
      {},
      { kind: 'DNAT', to: address('2.2.2.2'), port: 80 },
    ],
    [
      'luck below it',
      { nat: ['PREROUTING -m statistic --mode random --probability 0.9 -j DNAT --to-destination 1.1.1.1', 'PREROUTING -j DROP'] },
      'nat',
      'PREROUTING',
      {},
      { kind: 'DNAT', to: address('1.1.1.1'), port: undefined },
    ],
    ['devices', { filter: ['FORWARD -i eth+ -j DROP', 'FORWARD ! -i cni0 -j DROP'] }, 'filter', 'FORWARD', {}, { kind: 'ACCEPT' }],
    ['local addresses', { nat: ['PREROUTING -m addrtype --dst-type LOCAL -j DROP'] }, 'nat', 'PREROUTING', { destination: '10.0.0.11' }, { kind: 'DROP' }],
    [
      'state',
      { filter: ['FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT', 'FORWARD -j DROP'] },
      'filter',
      'FORWARD',
      { states: ['ESTABLISHED', 'DNAT'] },
      { kind: 'ACCEPT' },
    ],
  ];
  it.each(tables)('%s', (_name, rules, table, hook, packet, verdict) => {
    const iptables = new Iptables();
    for (const [name, lines] of Object.entries(rules)) {
      for (const line of lines) {
        const [, chain, rest] = /^(\S+) (.*)$/.exec(line)!;
        iptables.append(name as TableName, chain!, rest!);
      }
    }
    expect(iptables.walk(table, hook, subject(packet)).verdict).toEqual(verdict);
  });

  it('returns the rules that matched, in order', () => {
    const iptables = new Iptables();
    iptables.append('nat', 'PREROUTING', '-j KUBE-SERVICES');
    iptables.append('nat', 'KUBE-SERVICES', '-d 10.96.0.9 -j X');
    iptables.append('nat', 'KUBE-SERVICES', '-d 10.96.0.1 -p tcp --dport 443 -j SVC');
    iptables.append('nat', 'SVC', '-j DNAT --to-destination 10.0.0.10:6443');
    expect(iptables.walk('nat', 'PREROUTING', subject()).matched.map((m) => `${m.chain} ${m.rule.text}`)).toEqual([
      'PREROUTING -j KUBE-SERVICES',
      'KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j SVC',
      'SVC -j DNAT --to-destination 10.0.0.10:6443',
    ]);
  });

  it('the index by destination gives the same verdicts as the plain list', () => {
    const iptables = new Iptables();
    iptables.append('filter', 'FORWARD', '-j BIG');
    for (let i = 0; i < 200; i++) {
      if (i === 50) iptables.append('filter', 'BIG', '-s 10.244.9.9 -j REJECT');
      iptables.append('filter', 'BIG', `-d 10.96.1.${i} -p tcp --dport 80 -j DROP`);
    }
    const verdict = (destination: string, source = '10.244.1.5') => iptables.walk('filter', 'FORWARD', subject({ destination, source, port: 80 })).verdict.kind;
    expect([
      verdict('10.96.1.7'),
      verdict('10.96.1.199'),
      verdict('10.97.0.1'),
      verdict('10.96.1.7', '10.244.9.9'),
      verdict('10.96.1.150', '10.244.9.9'),
    ]).toEqual(['DROP', 'DROP', 'ACCEPT', 'DROP', 'REJECT']);
  });
});

describe('iptables-save and -restore', () => {
  it('are inverse', () => {
    const text = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-FORWARD - [0:0]
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
COMMIT
`;
    const iptables = new Iptables();
    iptables.restore(text);
    expect(iptables.save('filter')).toBe(text);
  });

  it('--noflush leaves what is not named', () => {
    const iptables = new Iptables();
    iptables.append('nat', 'A', '-j RETURN');
    iptables.append('nat', 'B', '-j RETURN');
    iptables.restore('*nat\n:B - [0:0]\n-A B -j ACCEPT\nCOMMIT\n', { noflush: true });
    expect(iptables.save('nat')).toContain('-A A -j RETURN\n-A B -j ACCEPT\n');
  });
});
