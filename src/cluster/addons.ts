/**
 * What kubeadm and the person who ran it put into a new cluster: static pods of the control plane, then
 * kube-proxy and CoreDNS (kubeadm `phases/addons`), then the pod network (kindnet), each with its RBAC.
 */
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  Container,
  DaemonSet,
  Deployment,
  Pod,
  Service,
  ServiceAccount,
  Volume,
} from '../kubernetes/api/types.gen.ts';
import { KUBEADM_COREFILE } from '../kubernetes/coredns/corefile.ts';
import { DNS_IP, IMAGES, POD_CIDR, SERVICE_CIDR } from './plan.ts';

const MANIFESTS = '/etc/kubernetes/manifests';

type HttpProbe = NonNullable<Container['livenessProbe']>;
const healthz = (host: string, port: number, path: string, extra: Partial<HttpProbe>): HttpProbe => ({
  httpGet: { host, path, port, scheme: 'HTTPS' },
  timeoutSeconds: 15,
  ...extra,
});

/** One static pod as kubeadm writes it (`app/util/staticpod`): host network, node-critical, probes on the component's own port. */
function staticPod(
  name: string,
  image: string,
  command: readonly string[],
  cpu: string,
  probes: { readonly host: string; readonly port: number; readonly live: string; readonly ready?: string; readonly start: string },
): Pod {
  const container: Container = {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: [name, ...command],
    resources: { requests: { cpu } },
    livenessProbe: healthz(probes.host, probes.port, probes.live, { initialDelaySeconds: 10, periodSeconds: 10, failureThreshold: 8 }),
    ...(probes.ready ? { readinessProbe: healthz(probes.host, probes.port, probes.ready, { periodSeconds: 1, failureThreshold: 3 }) } : {}),
    startupProbe: healthz(probes.host, probes.port, probes.start, { initialDelaySeconds: 10, periodSeconds: 10, failureThreshold: 24 }),
    volumeMounts: [{ name: 'kubeconfig', mountPath: '/etc/kubernetes', readOnly: true }],
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system', labels: { component: name, tier: 'control-plane' } },
    spec: {
      containers: [container],
      hostNetwork: true,
      priority: 2_000_001_000,
      priorityClassName: 'system-node-critical',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      volumes: [{ name: 'kubeconfig', hostPath: { path: '/etc/kubernetes', type: 'DirectoryOrCreate' } }],
    },
  };
}

/** Files of /etc/kubernetes/manifests on the control-plane node, in the order kubeadm writes them. */
export function staticPods(ip: string, etcdServers: readonly string[]): readonly { readonly path: string; readonly pod: Pod }[] {
  const flags = (values: Readonly<Record<string, string>>): string[] => Object.entries(values).map(([name, value]) => `--${name}=${value}`);
  return [
    {
      path: `${MANIFESTS}/kube-apiserver.yaml`,
      pod: staticPod(
        'kube-apiserver',
        IMAGES.apiserver,
        flags({
          'advertise-address': ip,
          'allow-privileged': 'true',
          'authorization-mode': 'Node,RBAC',
          'client-ca-file': '/etc/kubernetes/pki/ca.crt',
          'enable-admission-plugins': 'NodeRestriction',
          'enable-bootstrap-token-auth': 'true',
          'etcd-servers': etcdServers.join(','),
          'secure-port': '6443',
          'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
          'service-account-key-file': '/etc/kubernetes/pki/sa.pub',
          'service-account-signing-key-file': '/etc/kubernetes/pki/sa.key',
          'service-cluster-ip-range': SERVICE_CIDR,
          'tls-cert-file': '/etc/kubernetes/pki/apiserver.crt',
          'tls-private-key-file': '/etc/kubernetes/pki/apiserver.key',
        }),
        '250m',
        { host: ip, port: 6443, live: '/livez', ready: '/readyz', start: '/livez' },
      ),
    },
    {
      path: `${MANIFESTS}/kube-controller-manager.yaml`,
      pod: staticPod(
        'kube-controller-manager',
        IMAGES.controllerManager,
        flags({
          'allocate-node-cidrs': 'true',
          'bind-address': '127.0.0.1',
          'cluster-cidr': POD_CIDR,
          'cluster-signing-cert-file': '/etc/kubernetes/pki/ca.crt',
          'cluster-signing-key-file': '/etc/kubernetes/pki/ca.key',
          controllers: '*,bootstrapsigner,tokencleaner',
          'leader-elect': 'true',
          // v1.33's default is 50s; this cluster's operators keep the value everybody has learned.
          'node-monitor-grace-period': '40s',
          'root-ca-file': '/etc/kubernetes/pki/ca.crt',
          'service-account-private-key-file': '/etc/kubernetes/pki/sa.key',
          'service-cluster-ip-range': SERVICE_CIDR,
          'use-service-account-credentials': 'true',
        }),
        '200m',
        { host: '127.0.0.1', port: 10257, live: '/healthz', start: '/healthz' },
      ),
    },
    {
      path: `${MANIFESTS}/kube-scheduler.yaml`,
      pod: staticPod('kube-scheduler', IMAGES.scheduler, flags({ 'bind-address': '127.0.0.1', 'leader-elect': 'true' }), '100m', {
        host: '127.0.0.1',
        port: 10259,
        live: '/livez',
        ready: '/readyz',
        start: '/livez',
      }),
    },
  ];
}

const serviceAccount = (name: string): ServiceAccount => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'kube-system' } });
const binding = (name: string, role: string, account: string): ClusterRoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }],
});
const role = (name: string, rules: ClusterRole['rules']): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name },
  ...(rules ? { rules } : {}),
});
const config = (name: string, data: Readonly<Record<string, string>>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'kube-system' },
  data: { ...data },
});

function daemonSet(
  name: string,
  labels: Record<string, string>,
  container: Container,
  account: string,
  volumes: Volume[],
  extra: Partial<NonNullable<DaemonSet['spec']>['template']['spec']> = {},
): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'kube-system', labels },
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'RollingUpdate' },
      template: {
        metadata: { labels },
        spec: { ...extra, containers: [container], hostNetwork: true, serviceAccountName: account, tolerations: [{ operator: 'Exists' }], volumes },
      },
    },
  };
}

/** kube-proxy: kubeadm `phases/addons/proxy`. */
export function kubeProxy(server: string): readonly DeepReadonly<KubeObject>[] {
  const labels = { 'k8s-app': 'kube-proxy' };
  const container: Container = {
    name: 'kube-proxy',
    image: IMAGES.kubeProxy,
    command: ['/usr/local/bin/kube-proxy', '--config=/var/lib/kube-proxy/config.conf', '--hostname-override=$(NODE_NAME)'],
    env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    securityContext: { privileged: true },
    volumeMounts: [{ name: 'kube-proxy', mountPath: '/var/lib/kube-proxy' }],
  };
  const files = {
    'config.conf': `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nclusterCIDR: ${POD_CIDR}\nmode: iptables\n`,
    'kubeconfig.conf': `apiVersion: v1\nkind: Config\nclusters:\n- name: default\n  cluster:\n    server: ${server}\n`,
  };
  return [
    serviceAccount('kube-proxy'),
    binding('kubeadm:node-proxier', 'system:node-proxier', 'kube-proxy'),
    config('kube-proxy', files),
    daemonSet('kube-proxy', labels, container, 'kube-proxy', [{ name: 'kube-proxy', configMap: { name: 'kube-proxy' } }], {
      priorityClassName: 'system-node-critical',
      nodeSelector: { 'kubernetes.io/os': 'linux' },
    }),
  ];
}

/** CoreDNS: kubeadm `phases/addons/dns`. */
export function coreDns(): readonly DeepReadonly<KubeObject>[] {
  const labels = { 'k8s-app': 'kube-dns' };
  const deployment: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'coredns', namespace: 'kube-system', labels },
    spec: {
      replicas: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          priorityClassName: 'system-cluster-critical',
          serviceAccountName: 'coredns',
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                {
                  weight: 100,
                  podAffinityTerm: {
                    labelSelector: { matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns'] }] },
                    topologyKey: 'kubernetes.io/hostname',
                  },
                },
              ],
            },
          },
          tolerations: [
            { key: 'CriticalAddonsOnly', operator: 'Exists' },
            { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
          ],
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          containers: [
            {
              name: 'coredns',
              image: IMAGES.coredns,
              imagePullPolicy: 'IfNotPresent',
              resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
              args: ['-conf', '/etc/coredns/Corefile'],
              volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
              ports: [
                { containerPort: 53, name: 'dns', protocol: 'UDP' },
                { containerPort: 53, name: 'dns-tcp', protocol: 'TCP' },
                { containerPort: 9153, name: 'metrics', protocol: 'TCP' },
              ],
              livenessProbe: {
                httpGet: { path: '/health', port: 8080, scheme: 'HTTP' },
                initialDelaySeconds: 60,
                timeoutSeconds: 5,
                successThreshold: 1,
                failureThreshold: 5,
              },
              readinessProbe: { httpGet: { path: '/ready', port: 8181, scheme: 'HTTP' } },
              securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } },
            },
          ],
          dnsPolicy: 'Default',
          volumes: [{ name: 'config-volume', configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] } }],
        },
      },
    },
  };
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: { ...labels, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
    },
    spec: {
      selector: labels,
      clusterIP: DNS_IP,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
      ],
    },
  };
  return [
    serviceAccount('coredns'),
    role('system:coredns', [
      { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    ]),
    binding('system:coredns', 'system:coredns', 'coredns'),
    config('coredns', { Corefile: KUBEADM_COREFILE }),
    deployment,
    service,
  ];
}

/** kindnet: the pod network kind ships; one daemon a node that writes the CNI configuration and the routes. */
export function kindnet(): readonly DeepReadonly<KubeObject>[] {
  const labels = { 'k8s-app': 'kindnet', app: 'kindnet', tier: 'node' };
  const container: Container = {
    name: 'kindnet-cni',
    image: IMAGES.kindnet,
    env: [
      { name: 'HOST_IP', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'POD_SUBNET', value: POD_CIDR },
    ],
    resources: { requests: { cpu: '100m', memory: '50Mi' }, limits: { cpu: '100m', memory: '50Mi' } },
    securityContext: { privileged: false, capabilities: { add: ['NET_RAW', 'NET_ADMIN'] } },
    volumeMounts: [{ name: 'cni-cfg', mountPath: '/etc/cni/net.d' }],
  };
  return [
    role('kindnet', [
      { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch', 'patch'] },
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
    ]),
    binding('kindnet', 'kindnet', 'kindnet'),
    serviceAccount('kindnet'),
    daemonSet('kindnet', labels, container, 'kindnet', [{ name: 'cni-cfg', hostPath: { path: '/etc/cni/net.d' } }]),
  ];
}
