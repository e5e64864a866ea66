/** Network policies, told in words. */
import { formatLabelSelector } from '../../api/selector.ts';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../api/types.gen.ts';
import type { Describer } from './reader.ts';
import type { Sheet } from './sheet.ts';

export const describeNetworkPolicy: Describer<NetworkPolicy> = async (sheet, { metadata, spec }) => {
  const created = metadata.creationTimestamp;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.line(0, 'Created on:', created ? `${created.slice(0, 10)} ${created.slice(11, 19)} +0000 UTC` : '0001-01-01 00:00:00 +0000 UTC');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Spec:');
  const selector = spec?.podSelector;
  const everyPod = !Object.keys(selector?.matchLabels ?? {}).length && !selector?.matchExpressions?.length;
  sheet.line(1, `PodSelector:     ${everyPod ? '<none> (Allowing the specific traffic to all pods in this namespace)' : formatLabelSelector(selector)}`);
  const types = spec?.policyTypes ?? [];
  if (types.includes('Ingress')) {
    sheet.line(1, 'Allowing ingress traffic:');
    const rules = (spec?.ingress ?? []).map(({ ports, from }) => ({ ports, peers: from }));
    writeRules(sheet, rules, { peer: 'From', none: 'ingress', where: 'source' });
  } else sheet.line(1, 'Not affecting ingress traffic');
  if (types.includes('Egress')) {
    sheet.line(1, 'Allowing egress traffic:');
    const rules = (spec?.egress ?? []).map(({ ports, to }) => ({ ports, peers: to }));
    writeRules(sheet, rules, { peer: 'To', none: 'egress', where: 'destination' });
  } else sheet.line(1, 'Not affecting egress traffic');
  sheet.line(1, `Policy Types: ${types.join(', ') || '<none>'}`);
};

interface Rule {
  readonly ports: readonly NetworkPolicyPort[] | undefined;
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
}
interface Words {
  readonly peer: string;
  readonly none: string;
  readonly where: string;
}

function writeRules(sheet: Sheet, rules: readonly Rule[], { peer, none, where }: Words): void {
  if (rules.length === 0) sheet.line(2, `<none> (Selected pods are isolated for ${none} connectivity)`);
  rules.forEach(({ ports, peers }, i) => {
    if (!ports?.length) sheet.line(2, 'To Port: <any> (traffic allowed to all ports)');
    for (const { port, endPort, protocol = 'TCP' } of ports ?? []) {
      const first = port ?? '<nil>';
      sheet.line(2, endPort === undefined ? `To Port: ${first}/${protocol}` : `To Port Range: ${first}-${endPort}/${protocol}`);
    }
    if (!peers?.length) sheet.line(2, `${peer}: <any> (traffic not restricted by ${where})`);
    for (const one of peers ?? []) {
      sheet.line(2, `${peer}:`);
      writePeer(sheet, one);
    }
    if (i < rules.length - 1) sheet.line(2, '----------');
  });
}

function writePeer(sheet: Sheet, { namespaceSelector, podSelector, ipBlock }: NetworkPolicyPeer): void {
  if (namespaceSelector) sheet.line(3, `NamespaceSelector: ${formatLabelSelector(namespaceSelector)}`);
  if (podSelector) sheet.line(3, `PodSelector: ${formatLabelSelector(podSelector)}`);
  if (namespaceSelector || podSelector || !ipBlock) return;
  sheet.line(3, 'IPBlock:');
  sheet.line(4, `CIDR: ${ipBlock.cidr}`);
  sheet.line(4, `Except: ${(ipBlock.except ?? []).join(', ')}`);
}
