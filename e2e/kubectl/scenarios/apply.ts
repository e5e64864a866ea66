import { type Scenario, wait } from '../scenario.ts';
import { configMap, deployment, service } from './manifests.ts';

const DEPLOYMENT = deployment('shop', 1);

export const apply: readonly Scenario[] = [
  {
    name: 'apply creates, changes and leaves alone',
    files: {
      'shop.yaml': DEPLOYMENT,
      'shop2.yaml': DEPLOYMENT.replace('replicas: 1', 'replicas: 2').replace('nginx:1.27', 'nginx:1.28'),
    },
    steps: [
      'kubectl apply -f shop.yaml',
      wait(10),
      'kubectl apply -f shop.yaml',
      'kubectl apply -f shop2.yaml',
      wait(10),
      "kubectl get deploy shop -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[0].image}'",
      'kubectl apply view-last-applied deploy/shop',
      'kubectl apply -f shop2.yaml -o name',
      'kubectl apply -f shop2.yaml -o yaml | head -20',
    ],
  },
  {
    name: 'apply removes what was taken out',
    files: { 'cm1.yaml': configMap('trim', { a: '1', b: '2' }), 'cm2.yaml': configMap('trim', { a: '1' }) },
    steps: [
      'kubectl apply -f cm1.yaml',
      'kubectl patch cm trim --type=merge -p \'{"data":{"c":"3"}}\'',
      'kubectl apply -f cm2.yaml',
      'kubectl get cm trim -o yaml',
    ],
  },
  {
    name: 'apply of several documents',
    files: { 'many.yaml': `${configMap('m1', { a: '1' })}---\n${configMap('m2', { a: '1' })}---\n# nothing\n---\n${service('m3', 'm')}` },
    steps: ['kubectl apply -f many.yaml', 'kubectl apply -f many.yaml', 'cat many.yaml | kubectl apply -f -', 'kubectl delete -f many.yaml'],
  },
  {
    name: 'apply of a folder',
    files: {
      'dir/b.yaml': configMap('dir-b', { a: '1' }),
      'dir/a.yml': configMap('dir-a', { a: '1' }),
      'dir/c.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"dir-c"}}',
      'dir/readme.txt': 'no',
    },
    steps: ['kubectl apply -f dir', 'kubectl apply -f dir/a.yml -f dir/b.yaml', 'kubectl delete -f dir/'],
  },
  {
    name: 'apply of a list',
    files: {
      'list.yaml':
        'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: l1}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: l2}\n',
    },
    steps: ['kubectl apply -f list.yaml', 'kubectl delete -f list.yaml'],
  },
  {
    name: 'apply with --dry-run',
    files: { 'dry.yaml': configMap('dry', { a: '1' }) },
    steps: [
      'kubectl apply -f dry.yaml --dry-run=server',
      'kubectl apply -f dry.yaml --dry-run=client',
      'kubectl apply -f dry.yaml --dry-run=client -o yaml',
      'kubectl apply -f dry.yaml --dry-run=server -o name',
      'kubectl get cm dry',
      'kubectl apply -f dry.yaml --dry-run=maybe',
    ],
  },
  {
    name: 'apply of unknown fields',
    files: {
      'field.yaml': `${DEPLOYMENT.replace('name: shop', 'name: bad')}`.replace('  replicas: 1', '  replica: 1\n  nonsense: {a: 1}'),
      'type.yaml': DEPLOYMENT.replace('replicas: 1', 'replicas: "one"'),
      'type2.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: typed\ndata:\n  number: 1\n',
      'twice.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twice\n  name: twice2\ndata:\n  a: b\n',
    },
    steps: [
      'kubectl apply -f field.yaml',
      'kubectl apply -f field.yaml --validate=warn --dry-run=server',
      'kubectl apply -f type.yaml',
      'kubectl apply -f type2.yaml',
      'kubectl apply -f twice.yaml',
      'kubectl create -f field.yaml',
    ],
  },
  {
    name: 'apply of what is not an object',
    files: {
      'kind.yaml': 'apiVersion: v1\nkind: Foo\nmetadata:\n  name: x\n',
      'group.yaml': 'apiVersion: foo.example.com/v1\nkind: Foo\nmetadata:\n  name: x\n',
      'nokind.yaml': 'metadata:\n  name: x\n',
      'noname.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n',
      'notyaml.yaml': 'a: b: c\n',
      'tab.yaml': 'a:\n\tb: c\n',
      'empty.yaml': '',
      'text.yaml': 'hello\n',
    },
    steps: [
      'kubectl apply -f kind.yaml',
      'kubectl apply -f group.yaml',
      'kubectl apply -f nokind.yaml',
      'kubectl apply -f noname.yaml',
      'kubectl apply -f notyaml.yaml',
      'kubectl apply -f tab.yaml',
      'kubectl apply -f empty.yaml',
      'kubectl apply -f text.yaml',
      'kubectl apply -f nowhere.yaml',
      'kubectl apply',
      'kubectl apply -f kind.yaml extra',
    ],
  },
  {
    name: 'apply of invalid values',
    files: {
      'name.yaml': configMap('Bad_Name', { a: '1' }),
      'labels.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ok\n  labels: {"bad key!": x, b: "not valid!"}\n',
      'selector.yaml': DEPLOYMENT.replaceAll('shop', 'mismatch').replace('matchLabels:\n      app: mismatch', 'matchLabels:\n      app: other'),
      'port.yaml': service('port', 'x').replace('port: 80', 'port: 99999'),
      'pod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: nothing\nspec:\n  containers: []\n',
      'pod2.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata:\n  name: wrong\nspec:\n  restartPolicy: Sometimes\n  containers:\n  - name: A_B\n    image: ""\n    imagePullPolicy: Often\n    resources: {requests: {cpu: 2}, limits: {cpu: 1}}\n',
      'quantity.yaml': DEPLOYMENT.replaceAll('shop', 'quantity').replace('cpu: 50m', 'cpu: lots'),
    },
    steps: ['name', 'labels', 'selector', 'port', 'pod', 'pod2', 'quantity'].map((file) => `kubectl apply -f ${file}.yaml`),
  },
  {
    name: 'apply of immutable fields',
    files: {
      'fixed.yaml': deployment('fixed', 0),
      'fixed2.yaml': deployment('fixed', 0).replace(/app: fixed/g, 'app: moved'),
      'svc.yaml': service('fixed', 'fixed'),
      'svc2.yaml': service('fixed', 'fixed').replace('spec:\n', 'spec:\n  clusterIP: 10.96.77.77\n'),
      'job.yaml':
        'apiVersion: batch/v1\nkind: Job\nmetadata: {name: fixed}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: c, image: busybox:1.36, command: ["true"]}]\n',
      'job2.yaml':
        'apiVersion: batch/v1\nkind: Job\nmetadata: {name: fixed}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: c, image: busybox:1.36, command: ["false"]}]\n',
      'fixedpod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: fixed}\nspec:\n  containers: [{name: c, image: nginx:1.27}]\n',
      'fixedpod2.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: fixed}\nspec:\n  hostname: x\n  containers: [{name: c, image: nginx:1.27}]\n',
    },
    steps: [
      'kubectl apply -f fixed.yaml -f svc.yaml -f job.yaml -f fixedpod.yaml',
      'kubectl apply -f fixed2.yaml',
      'kubectl apply -f svc2.yaml',
      'kubectl apply -f job2.yaml 2>&1 | cut -c1-90',
      'kubectl apply -f fixedpod2.yaml 2>&1 | cut -c1-300',
      'kubectl delete deploy/fixed svc/fixed job/fixed pod/fixed --grace-period=1',
    ],
  },
  {
    name: 'apply into a namespace there is not',
    files: {
      'elsewhere.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: elsewhere}\n',
      'ns.yaml': configMap('homeless', { a: '1' }),
      'ns2.yaml': configMap('homeless', { a: '1' }).replace('metadata:\n', 'metadata:\n  namespace: elsewhere\n'),
    },
    steps: [
      'kubectl apply -f ns.yaml -n elsewhere',
      'kubectl apply -f ns2.yaml',
      'kubectl apply -f ns2.yaml -n default',
      'kubectl apply -f elsewhere.yaml',
      wait(1),
      'kubectl apply -f ns2.yaml',
      'kubectl get cm homeless -n elsewhere -o name',
    ],
  },
  {
    name: 'apply --server-side',
    files: { 'ssa.yaml': configMap('ssa', { a: '1' }), 'ssa2.yaml': configMap('ssa', { a: '2' }) },
    steps: [
      'kubectl apply --server-side -f ssa.yaml',
      'kubectl apply --server-side -f ssa.yaml',
      'kubectl apply --server-side --field-manager=other -f ssa2.yaml',
      'kubectl apply --server-side --field-manager=other --force-conflicts -f ssa2.yaml',
      "kubectl get cm ssa -o jsonpath='{.data.a}'",
    ],
  },
  {
    name: 'apply over what create made',
    files: { 'over.yaml': configMap('over', { a: '1' }), 'over2.yaml': configMap('over', { a: '2' }) },
    steps: ['kubectl create -f over.yaml', 'kubectl apply -f over2.yaml', 'kubectl apply -f over2.yaml'],
  },
  {
    name: 'diff',
    files: { 'diff.yaml': configMap('diff', { a: '1' }), 'diff2.yaml': configMap('diff', { a: '2' }) },
    steps: ['kubectl apply -f diff.yaml', 'kubectl diff -f diff.yaml', 'kubectl diff -f diff2.yaml | grep -E "^[-+] "', wait(1)],
  },
];
