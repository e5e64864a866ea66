/** Components, addresses and their ranges, what is on its way out; and sets of objects that are applied and pruned together. */
import type { Scenario } from '../scenario.ts';
import { wait } from '../scenario.ts';

const configMap = (name: string, value: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: "${value}"}\n`;
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: set-three}\n';
const RANGE = 'apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: more}\nspec: {cidrs: [192.168.77.0/28]}\n';
const ALPHA = 'export KUBECTL_APPLYSET=true';

export const addressesAndSets: readonly Scenario[] = [
  {
    name: 'components are asked how they are',
    steps: [
      'kubectl get cs',
      'kubectl get componentstatuses scheduler -o yaml',
      'kubectl get cs nobody',
      'kubectl delete cs scheduler',
      'kubectl explain cs.conditions',
    ],
  },
  {
    name: 'every cluster IP is an object',
    steps: [
      'kubectl create service clusterip ip-web --tcp=80 --clusterip=10.96.44.55',
      'kubectl get ipaddresses 10.96.44.55',
      'kubectl get ip -o name',
      'kubectl describe ip 10.96.44.55',
      'kubectl get ip 10.96.44.55 -o jsonpath={.spec.parentRef}',
      'kubectl create service clusterip ip-other --tcp=80 --clusterip=10.96.44.55',
      'kubectl create service clusterip ip-other --tcp=80 --clusterip=1.2.3.4',
      'kubectl patch ip 10.96.44.55 --type=merge -p \'{"spec":{"parentRef":{"name":"x"}}}\'',
      'kubectl delete service ip-web',
      'kubectl get ip 10.96.44.55',
    ],
  },
  {
    name: 'a second range of cluster IPs',
    files: { 'range.yaml': RANGE },
    steps: [
      'kubectl get servicecidr',
      'kubectl apply -f range.yaml',
      wait(5),
      'kubectl describe servicecidr more',
      'kubectl create service clusterip ranged --tcp=80 --clusterip=192.168.77.5',
      'kubectl patch servicecidr more --type=merge -p \'{"spec":{"cidrs":["10.1.0.0/16"]}}\'',
      'kubectl delete servicecidr more --wait=false',
      wait(5),
      'kubectl get servicecidr more -o jsonpath={.status.conditions[0].message}',
      'kubectl delete service ranged',
      wait(20),
      'kubectl get servicecidr',
    ],
  },
  {
    name: 'Endpoints are on their way out',
    steps: ['kubectl get endpoints kubernetes', 'kubectl get ep kubernetes -o name', 'kubectl describe endpoints kubernetes'],
  },
  {
    name: 'an ApplySet needs asking for',
    files: { 'one.yaml': configMap('set-one', '1') },
    steps: [
      'kubectl apply -f one.yaml --applyset=mine --prune',
      ALPHA,
      'kubectl apply -f one.yaml --applyset=mine',
      'kubectl apply -f one.yaml --applyset=mine --prune',
      'kubectl apply -f one.yaml --applyset=nosuch/x --prune -n default',
      'kubectl apply -f one.yaml --applyset=secrets/ --prune -n default',
      'kubectl apply -f one.yaml --applyset=deployments.apps/x --prune -n default',
      'kubectl apply -f one.yaml --applyset=deployments.apps/x --prune',
      'kubectl apply -f one.yaml --applyset=mine --prune --all -n default',
      'kubectl apply -f one.yaml --applyset=mine --prune -l a=b -n default',
      'kubectl apply -f one.yaml --applyset=mine --prune --prune-allowlist=core/v1/Pod -n default',
    ],
  },
  {
    name: 'an ApplySet remembers what it spans and prunes no more',
    files: { 'two.yaml': `${configMap('set-one', '1')}---\n${configMap('set-two', '1')}`, 'next.yaml': `${configMap('set-one', '2')}---\n${SECRET}` },
    steps: [
      ALPHA,
      'kubectl create configmap set-bystander --from-literal=a=b',
      'kubectl apply -f two.yaml --applyset=band --prune -n default',
      'kubectl get secret band -o yaml',
      'kubectl get configmap set-one -o jsonpath={.metadata.labels}',
      'kubectl apply -f next.yaml --applyset=band --prune -n default --dry-run=server',
      'kubectl apply -f next.yaml --applyset=band --prune -n default',
      'kubectl get secret band -o jsonpath={.metadata.annotations}',
      'kubectl get configmap,secret -o name',
      'kubectl apply -f two.yaml --applyset=band --prune -n default --server-side --force-conflicts',
      'kubectl get configmap,secret -o name',
      'kubectl apply -f two.yaml --applyset=configmaps/other-band --prune -n default --dry-run=client',
      'kubectl create secret generic set-plain',
      'kubectl apply -f two.yaml --applyset=set-plain --prune -n default',
    ],
  },
];
