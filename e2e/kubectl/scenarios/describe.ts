import type { Scenario } from '../scenario.ts';

export const describe: readonly Scenario[] = [
  { name: 'describe a pod', steps: ['kubectl describe pod solo'] },
  {
    name: 'describe a pod without its image',
    unordered: true,
    steps: ["kubectl describe pod broken | sed -E -e 's/x[0-9]+ over/xN over/'"],
  },
  { name: 'describe a deployment and its replica set', unordered: true, steps: ['kubectl describe deploy web', 'kubectl describe rs -l app=web'] },
  {
    name: 'describe a service',
    unordered: true,
    steps: [
      'kubectl describe svc web',
      'kubectl describe svc kubernetes',
      'kubectl describe endpoints web',
      'kubectl describe endpointslice -l kubernetes.io/service-name=web',
    ],
  },
  {
    name: 'describe configuration',
    unordered: true,
    steps: ['kubectl describe cm settings', 'kubectl describe secret password', 'kubectl describe sa default', 'kubectl describe ns default'],
  },
  { name: 'describe a node', unordered: true, steps: ['kubectl describe node control-plane'] },
  {
    name: 'describe roles',
    steps: ['kubectl describe clusterrole view', 'kubectl describe clusterrolebinding cluster-admin', 'kubectl describe role -n kube-system nope'],
  },
  {
    name: 'describe what there is not',
    steps: ['kubectl describe pod nope', 'kubectl describe foo x', 'kubectl describe', 'kubectl describe pods -l a=b', 'kubectl describe pods -n kube-public'],
  },
  {
    name: 'describe by prefix',
    steps: ['kubectl describe pod sol | head -3', 'kubectl describe cm/settings cm/kube-root-ca.crt | grep -E "^(Name|Namespace):"'],
  },
  {
    name: 'describe system workloads',
    unordered: true,
    steps: ['kubectl describe ds kube-proxy -n kube-system', 'kubectl describe deploy coredns -n kube-system'],
  },
];
