import type { Scenario } from '../scenario.ts';

const KUBECONFIG = `apiVersion: v1
kind: Config
clusters:
- cluster:
    server: https://1.2.3.4:6443
  name: one
- cluster:
    server: https://5.6.7.8:6443
  name: two
contexts:
- context:
    cluster: one
    user: ann
  name: first
- context:
    cluster: two
    user: bob
    namespace: shop
  name: second
current-context: first
preferences: {}
users:
- name: ann
  user:
    token: secret-token
- name: bob
  user:
    username: bob
    password: guess
`;

export const information: readonly Scenario[] = [
  {
    name: 'explain',
    steps: [
      'kubectl explain pod',
      'kubectl explain pods.spec.containers.resources',
      'kubectl explain deployment.spec.strategy --recursive',
      'kubectl explain deployment.spec.replicas',
      'kubectl explain svc.spec.type',
      'kubectl explain cronjob --api-version=batch/v1',
    ],
  },
  {
    name: 'explain what there is not',
    steps: ['kubectl explain foo', 'kubectl explain pod.foo', 'kubectl explain', 'kubectl explain pod.spec.nodeName.x', 'kubectl explain pods deployments'],
  },
  {
    name: 'api-resources',
    steps: [
      'kubectl api-resources --api-group=apps',
      'kubectl api-resources --namespaced=false --no-headers --api-group=""',
      'kubectl api-resources --api-group=apps -o name',
      'kubectl api-resources --api-group=batch -o wide',
      'kubectl api-resources --verbs=create,watch --api-group=policy',
      'kubectl api-resources --sort-by=name --api-group=rbac.authorization.k8s.io',
      'kubectl api-resources --api-group=nope',
      'kubectl api-resources --categories=all',
    ],
  },
  { name: 'api-versions', steps: ['kubectl api-versions'] },
  {
    name: 'version',
    steps: [
      "kubectl version | grep -v -E '^(Client|Kustomize)'",
      "kubectl version -o json | grep -E 'serverVersion|major|minor' | tail -3",
      'kubectl version -o nonsense',
    ],
  },
  { name: 'cluster-info', steps: ['kubectl cluster-info'] },
  {
    name: 'config view',
    files: { config: KUBECONFIG },
    steps: [
      'kubectl config view --kubeconfig=config',
      'kubectl config view --kubeconfig=config --minify',
      "kubectl config view --kubeconfig=config --raw -o jsonpath='{.users[0].user.token}'",
      'kubectl config get-contexts --kubeconfig=config',
      'kubectl config get-contexts --kubeconfig=config -o name',
      'kubectl config get-contexts first --kubeconfig=config --no-headers',
      'kubectl config current-context --kubeconfig=config',
      'kubectl config get-clusters --kubeconfig=config | sort',
      'kubectl config get-users --kubeconfig=config',
      'kubectl config view --kubeconfig=nowhere',
    ],
  },
  {
    name: 'config changes',
    files: { config2: KUBECONFIG },
    steps: [
      'kubectl config use-context second --kubeconfig=config2',
      'kubectl config current-context --kubeconfig=config2',
      'kubectl config set-context --current --namespace=other --kubeconfig=config2',
      'kubectl config rename-context second zwei --kubeconfig=config2',
      'kubectl config use-context nope --kubeconfig=config2',
      'kubectl config set-context third --cluster=one --user=bob --kubeconfig=config2',
      'kubectl config delete-context first --kubeconfig=config2',
      'kubectl config unset current-context --kubeconfig=config2',
      'kubectl config current-context --kubeconfig=config2',
      'cat config2',
    ],
  },
  {
    name: 'auth',
    steps: [
      'kubectl auth whoami',
      'kubectl auth can-i create pods',
      'kubectl auth can-i get pods --as=nobody',
      'kubectl get pods --as=nobody',
      'kubectl auth can-i --list --as=system:serviceaccount:default:default',
      'kubectl auth can-i delete nodes --as=jane -A',
      "kubectl auth can-i '*' '*'",
      'kubectl auth can-i get foos',
      'kubectl auth whoami -o yaml --as=jane --as-group=devs',
      'kubectl auth can-i',
      'kubectl auth can-i get /healthz --as=nobody',
      'kubectl get pods --as=system:serviceaccount:default:default',
      'kubectl auth can-i list secrets --as=system:serviceaccount:default:default -q',
    ],
  },
];
