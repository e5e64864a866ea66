import { type Scenario, wait } from '../scenario.ts';
import { configMap, deployment, pod, service } from './manifests.ts';

/** `reading` begins with these objects; what follows in its world only looks at them. */
export const fixture: Scenario = {
  name: 'objects to look at',
  files: {
    'web.yaml': [
      deployment('web'),
      service('web', 'web'),
      configMap('settings', { color: 'blue', 'app.conf': 'a=1\nb=2\n' }),
      pod('solo', 'echo ready; sleep 100000'),
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: password\ntype: Opaque\nstringData:\n  user: admin\n  pass: hunter2\n',
    ].join('---\n'),
    'broken.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: broken\n  labels: {app: broken}\nspec:\n  containers:\n  - name: main\n    image: registry.example.com/nope:1\n',
  },
  steps: ['kubectl apply -f web.yaml', 'kubectl apply -f broken.yaml', wait(60)],
};

export const get: readonly Scenario[] = [
  { name: 'get nodes', steps: ['kubectl get nodes', 'kubectl get no -o wide', 'kubectl get nodes -o name', 'kubectl get node node-1 --no-headers'] },
  {
    name: 'get in an empty namespace',
    steps: [
      'kubectl get pods -n kube-public',
      'kubectl get pods,deployments -n kube-public',
      'kubectl get all -n kube-public',
      'kubectl get pods -o name -n kube-public',
      'kubectl get pods -o json -n kube-public',
      'kubectl get pods -o yaml -n kube-public',
      'kubectl get pods -l a=b',
      'kubectl get pvc -A',
    ],
  },
  {
    name: 'get what there is not',
    steps: [
      'kubectl get foos',
      'kubectl get foos/a',
      'kubectl get pod nope',
      'kubectl get pod nope nope2',
      'kubectl get pod/nope --ignore-not-found',
      'kubectl get',
      'kubectl get pods -n nowhere',
      'kubectl get pods/',
      'kubectl get pod/a svc',
      'kubectl get deployments.v1.apps nope',
      'kubectl get pods -o nonsense',
      'kubectl get pods --nonsense',
      'kubectl get pods -l "a in ("',
      'kubectl get pods --field-selector=spec.foo=1',
      'kubectl nonsense',
    ],
  },
  {
    name: 'get pods',
    unordered: true,
    steps: [
      'kubectl get pods',
      'kubectl get po -o wide',
      'kubectl get pod solo',
      'kubectl get pod/solo pod/broken',
      'kubectl get pods solo broken',
      'kubectl get pods --no-headers',
      'kubectl get pods -A',
      'kubectl get pods --show-labels',
      'kubectl get pods -L app,tier',
      'kubectl get pods -o name',
    ],
  },
  {
    name: 'get with selectors',
    unordered: true,
    steps: [
      'kubectl get pods -l app=web',
      "kubectl get pods -l 'app in (solo,broken)'",
      "kubectl get pods -l 'app notin (web),app'",
      "kubectl get pods -l '!app'",
      'kubectl get pods --field-selector=status.phase=Running',
      'kubectl get pods --field-selector=metadata.name=solo,status.phase!=Pending',
      'kubectl get all -l app=web',
    ],
  },
  {
    name: 'get several kinds',
    unordered: true,
    steps: [
      'kubectl get deploy,svc',
      'kubectl get deploy,rs,cm,secret',
      'kubectl get deploy/web svc/web cm/settings',
      'kubectl get all',
      'kubectl get ns',
      'kubectl get sa -A',
      'kubectl get endpoints,endpointslices',
      'kubectl get ds -n kube-system -o wide',
      'kubectl get leases -n kube-node-lease',
      'kubectl get componentstatuses',
    ],
  },
  {
    name: 'get cluster roles',
    steps: [
      'kubectl get clusterrole edit view cluster-admin',
      'kubectl get clusterrolebinding cluster-admin -o wide',
      'kubectl get priorityclasses',
      'kubectl get storageclass',
      'kubectl get crd',
    ],
  },
  {
    name: 'get as yaml and json',
    steps: [
      'kubectl get cm settings -o yaml',
      'kubectl get secret password -o json',
      'kubectl get svc web -o yaml',
      'kubectl get deploy web -o yaml',
      'kubectl get pod solo -o yaml',
      'kubectl get cm,secret -o yaml -l nothing=here',
      'kubectl get cm settings -o yaml --show-managed-fields=false',
      'kubectl get ns default -o json',
    ],
  },
  {
    name: 'get with templates',
    unordered: true,
    steps: [
      "kubectl get pods -o jsonpath='{.items[*].metadata.labels.app}'",
      'kubectl get pods -o jsonpath=\'{range .items[*]}{.metadata.labels.app}{"\\t"}{.status.phase}{"\\n"}{end}\'',
      "kubectl get pod solo -o jsonpath='{.spec.containers[0].image}'",
      "kubectl get pod solo -o jsonpath='{.spec.containers}'",
      'kubectl get pods -o jsonpath=\'{.items[?(@.metadata.name=="solo")].status.phase}\'',
      'kubectl get deploy -o custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[*].image,NONE:.a.b',
      'kubectl get pod solo -o go-template=\'{{.metadata.name}}{{"\\n"}}\'',
      "kubectl get pods -o go-template='{{len .items}}'",
      "kubectl get pods -o jsonpath='{.items[0'",
      'kubectl get pods -o custom-columns',
      'kubectl get pods -o custom-columns=NAME',
    ],
  },
  {
    name: 'get sorted',
    steps: [
      'kubectl get pods --sort-by=.metadata.labels.app -l app!=web',
      'kubectl get cm,svc --sort-by=.metadata.name -n default',
      'kubectl get nodes --sort-by=.metadata.creationTimestamp -o name',
      'kubectl get pods --sort-by=.nothing',
    ],
  },
  {
    name: 'get raw',
    steps: [
      'kubectl get --raw /healthz',
      'kubectl get --raw /version',
      'kubectl get --raw /readyz?verbose',
      'kubectl get --raw /nowhere',
      'kubectl get --raw /apis/apps',
    ],
  },
  {
    name: 'get from a file',
    steps: ['kubectl get -f web.yaml -l nothing', 'kubectl get -f web.yaml', 'kubectl get -f nowhere.yaml', 'kubectl get deploy web --subresource=scale'],
  },
  {
    name: 'watch',
    steps: [
      '(kubectl get pods -w -l app=watched > out & sleep 5; kubectl run watched --image=busybox:1.36 --labels=app=watched --restart=Never -- sleep 3 > /dev/null; sleep 20; kill %1) 2> /dev/null; uniq out',
      'kubectl get pod nope -w',
    ],
  },
];
