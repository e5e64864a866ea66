/** Who owns which field: server-side apply, conflicts, and what client-side apply leaves behind. */
import { type Scenario, wait } from '../scenario.ts';

const map = (name: string, data: Readonly<Record<string, string>>, more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data:\n${Object.entries(data)
    .map(([key, value]) => `  ${key}: "${value}"\n`)
    .join('')}`;
const web = (replicas: string, image = 'nginx:1.27'): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: owned\n  labels: {app: owned}\nspec:\n${replicas}  selector:\n    matchLabels: {app: owned}\n  template:\n    metadata:\n      labels: {app: owned}\n    spec:\n      containers:\n      - name: nginx\n        image: ${image}\n        ports:\n        - containerPort: 80\n`;

export const serverSide: readonly Scenario[] = [
  {
    name: 'server-side: two appliers',
    files: {
      'one.yaml': map('duo', { a: '1', shared: 's' }),
      'two.yaml': map('duo', { b: '2', shared: 's' }),
      'one2.yaml': map('duo', { a: '1' }),
      'two2.yaml': map('duo', { b: '2', a: '3' }),
    },
    steps: [
      'kubectl apply --server-side --field-manager=one -f one.yaml',
      'kubectl apply --server-side --field-manager=two -f two.yaml',
      'kubectl get cm duo -o yaml --show-managed-fields',
      'kubectl apply --server-side --field-manager=one -f one2.yaml',
      "kubectl get cm duo -o jsonpath='{.data}'",
      'kubectl apply --server-side --field-manager=two -f two2.yaml',
      'kubectl apply --server-side --field-manager=two -f two2.yaml --dry-run=server --force-conflicts',
      'kubectl apply --server-side --field-manager=two -f two2.yaml --force-conflicts',
      'kubectl get cm duo -o yaml --show-managed-fields',
      'kubectl get cm duo -o yaml',
    ],
  },
  {
    name: 'server-side: from client-side apply',
    // Entries of one second stand by name, of two by time: which it is, chance decides.
    unordered: true,
    files: { 'csa.yaml': map('moved', { a: '1', b: '1' }), 'ssa.yaml': map('moved', { a: '2' }) },
    steps: [
      'kubectl apply -f csa.yaml',
      'kubectl get cm moved -o yaml --show-managed-fields',
      'kubectl apply --server-side -f ssa.yaml',
      'kubectl get cm moved -o yaml --show-managed-fields',
      'kubectl apply view-last-applied cm/moved',
      'kubectl apply -f csa.yaml',
      'kubectl get cm moved -o yaml --show-managed-fields',
    ],
  },
  {
    name: 'server-side: a deployment and its replicas',
    files: { 'web.yaml': web('  replicas: 2\n'), 'free.yaml': web(''), 'image.yaml': web('', 'nginx:1.28') },
    steps: [
      'kubectl apply --server-side -f web.yaml',
      wait(60),
      'kubectl scale deployment owned --replicas=3',
      wait(30),
      'kubectl apply --server-side -f web.yaml',
      'kubectl apply --server-side -f free.yaml',
      "kubectl get deployment owned -o jsonpath='{.spec.replicas}'",
      'kubectl set image deployment/owned nginx=nginx:1.26',
      'kubectl apply --server-side -f image.yaml',
      'kubectl apply --server-side -f image.yaml --force-conflicts',
      wait(60),
      'kubectl get deployment owned -o yaml --show-managed-fields',
      'kubectl get rs -l app=owned -o name',
    ],
  },
  {
    name: 'server-side: mistakes',
    files: {
      'twice.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: twice}\nspec:\n  ports:\n  - {port: 80, name: a}\n  - {port: 80, name: b}\n',
      'unknown.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: unknown}\nextra: 1\n',
      'managed.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: managed\n  managedFields: []\n',
      'last.yaml': map('last', { a: '1' }),
      'last2.yaml': map('last', { a: '2' }),
    },
    steps: [
      'kubectl apply --server-side -f twice.yaml',
      'kubectl apply --server-side -f unknown.yaml',
      'kubectl apply --server-side -f managed.yaml',
      'kubectl apply --force-conflicts -f last.yaml',
      'kubectl apply --server-side --dry-run=client -f last.yaml',
      'kubectl create -f last.yaml',
      wait(3),
      'kubectl apply view-last-applied cm last',
      'kubectl apply set-last-applied -f last.yaml',
      'kubectl apply set-last-applied -f last.yaml --create-annotation',
      'kubectl apply set-last-applied -f last.yaml',
      'kubectl apply set-last-applied -f last2.yaml -o name',
      'kubectl apply view-last-applied cm last -o json',
      'kubectl get cm last -o yaml --show-managed-fields',
    ],
  },
];
