import type { Scenario } from '../scenario.ts';

const FILES: Readonly<Record<string, string>> = {
  c2: 'apiVersion: v1\nkind: Config\nclusters:\n- cluster: {server: "https://1.2.3.4:6443", certificate-authority: ca.crt}\n  name: one\n- cluster: {server: "https://5.6.7.8:6443"}\n  name: two\ncontexts:\n- context: {cluster: one, user: ann}\n  name: first\n- context: {cluster: two, user: bob, namespace: shop}\n  name: second.ctx\ncurrent-context: first\npreferences: {}\nusers:\n- name: ann\n  user: {token: secret-token}\n- name: bob\n  user: {username: bob, password: guess}\n',
  'ca.crt': 'CERT\n',
  config:
    'apiVersion: v1\nkind: Config\nclusters:\n- cluster: {server: "https://1.2.3.4:6443", certificate-authority: ca.crt}\n  name: one\n- cluster: {server: "https://5.6.7.8:6443"}\n  name: two\ncontexts:\n- context: {cluster: one, user: ann}\n  name: first\n- context: {cluster: two, user: bob, namespace: shop}\n  name: second.ctx\ncurrent-context: first\npreferences: {}\nusers:\n- name: ann\n  user: {token: secret-token}\n- name: bob\n  user: {username: bob, password: guess}\n',
};

/** Kubeconfigs, viewed and changed; the scenarios build on each other. */
export const config: readonly Scenario[] = [
  {
    name: 'config: views',
    files: FILES,
    steps: [
      'export KUBECONFIG=config; kubectl config view; kubectl config view --minify --context=second.ctx; kubectl config view --flatten; kubectl config view --raw -o json',
      "kubectl config view --kubeconfig=config -o jsonpath='{.clusters[*].name}'",
      'kubectl config view --kubeconfig=config --flatten --raw --minify',
      'kubectl config view --kubeconfig=config --minify --context=nope',
      "kubectl config view --kubeconfig=config -o go-template='{{range .users}}{{.name}} {{end}}'",
    ],
  },
  {
    name: 'config: clusters',
    steps: [
      'kubectl config set-cluster three --server=https://x:1/ --kubeconfig=c2; kubectl config set-cluster three --insecure-skip-tls-verify --kubeconfig=c2; kubectl config set-cluster one --certificate-authority=ca.crt --embed-certs --kubeconfig=c2;  kubectl config set-cluster four --certificate-authority=ca.crt --tls-server-name=foo --proxy-url=http://p --kubeconfig=c2; cat c2',
      'kubectl config set-cluster --kubeconfig=c2 > /dev/null',
      'kubectl config set-cluster a --certificate-authority=nope --kubeconfig=c2',
      'kubectl config set-cluster a --certificate-authority=ca.crt --insecure-skip-tls-verify --kubeconfig=c2',
      'kubectl config set-cluster a --embed-certs --kubeconfig=c2',
    ],
  },
  {
    name: 'config: users and contexts',
    steps: [
      'kubectl config set-credentials ann --username=x --password=y --kubeconfig=c2; kubectl config set-credentials new --client-certificate=ca.crt --client-key=ca.crt --kubeconfig=c2; kubectl config set-credentials emb --client-certificate=ca.crt --embed-certs=true --kubeconfig=c2;  kubectl config set-credentials ex --exec-command=aws --exec-api-version=client.authentication.k8s.io/v1 --exec-arg=a --exec-arg=b --exec-env=K=V --kubeconfig=c2; kubectl config set-credentials ap --auth-provider=oidc --auth-provider-arg=a=b --kubeconfig=c2; cat c2',
      'kubectl config set-credentials x --token=a --username=b --kubeconfig=c2',
      'kubectl config set-credentials --kubeconfig=c2 > /dev/null',
      'kubectl config set-credentials x --client-key=nope --kubeconfig=c2',
      'kubectl config set-credentials x --embed-certs --kubeconfig=c2',
      'kubectl config set-context --kubeconfig=c2',
    ],
  },
  {
    name: 'config: deleting and renaming',
    steps: [
      'kubectl config set-context a --current --kubeconfig=c2',
      "kubectl config set-context third --kubeconfig=c2; kubectl config set-context third --namespace=q --kubeconfig=c2;  kubectl config set-context --current --namespace=zz --kubeconfig=c2; cat c2 | sed -n '/contexts/,/current/p'",
      'kubectl config delete-cluster nope --kubeconfig=c2',
      'kubectl config delete-cluster three --kubeconfig=c2',
      'kubectl config delete-user nope --kubeconfig=c2',
      'kubectl config delete-user new --kubeconfig=c2',
      'kubectl config delete-user --kubeconfig=c2',
      'kubectl config delete-context --kubeconfig=c2 > /dev/null',
      'kubectl config delete-cluster --kubeconfig=c2 > /dev/null',
      'kubectl config delete-context third --kubeconfig=c2',
      'kubectl config rename-context first second.ctx --kubeconfig=c2',
    ],
  },
  {
    name: 'config: single values',
    steps: [
      'kubectl config rename-context nope x --kubeconfig=c2',
      'kubectl config rename-context x --kubeconfig=c2 > /dev/null',
      'kubectl config set contexts.second.ctx.namespace blue --kubeconfig=c2; kubectl config set clusters.two.server https://n --kubeconfig=c2; kubectl config set users.fresh.token abc --kubeconfig=c2; kubectl config set current-context nope --kubeconfig=c2; kubectl config set clusters.two.insecure-skip-tls-verify true --kubeconfig=c2; kubectl config set clusters.n.certificate-authority-data Y2VydA== --kubeconfig=c2;  kubectl config set clusters.r.certificate-authority-data cert --set-raw-bytes --kubeconfig=c2; cat c2',
      'kubectl config set foo.bar x --kubeconfig=c2',
      'kubectl config set clusters.two.nope x --kubeconfig=c2',
      'kubectl config set clusters.two.insecure-skip-tls-verify maybe --kubeconfig=c2',
      'kubectl config set clusters.two --kubeconfig=c2 > /dev/null',
      'kubectl config set clusters x --kubeconfig=c2',
      'kubectl config set clusters.two x --kubeconfig=c2',
      'kubectl config set contexts.second.ctx.namespace "" --kubeconfig=c2',
      'kubectl config unset contexts.second.ctx.namespace --kubeconfig=c2; kubectl config unset users.fresh --kubeconfig=c2; kubectl config unset clusters.nope --kubeconfig=c2; kubectl config unset clusters.two.nope --kubeconfig=c2;  kubectl config unset foo --kubeconfig=c2; kubectl config unset users --kubeconfig=c2; cat c2',
    ],
  },
  {
    name: 'config: other files',
    steps: [
      'kubectl config use-context --kubeconfig=c2 > /dev/null',
      'kubectl config use-context second.ctx --kubeconfig=c2',
      'kubectl config use-context nope --kubeconfig=c2',
      'kubectl config get-contexts nope --kubeconfig=c2',
      'kubectl config get-contexts -o yaml --kubeconfig=c2',
      'kubectl config get-contexts -o name --kubeconfig=c2',
      'kubectl config current-context --kubeconfig=nofile',
      'kubectl config get-contexts --kubeconfig=nofile',
      'kubectl config get-clusters --kubeconfig=nofile',
      'kubectl config set-context a --cluster=b --kubeconfig=newdir/file && cat newdir/file',
      'kubectl config nonsense',
      'KUBECONFIG=config:c2 kubectl config view',
      'KUBECONFIG=nofile:c2 kubectl config get-contexts',
      'kubectl config view --kubeconfig=ca.crt',
    ],
  },
];
