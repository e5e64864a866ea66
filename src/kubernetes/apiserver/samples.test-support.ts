/** Valid objects of the main kinds, with as many fields as fit, for tests that take them apart. */
import type { Json } from '../api/json.ts';

export interface Sample {
  /** The collection it is posted to. */
  readonly path: string;
  readonly object: { readonly [key: string]: Json };
}

const container = (name: string, image: string): Json => ({
  name,
  image,
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c'],
  args: ['echo $(A)'],
  workingDir: '/',
  ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
  envFrom: [{ prefix: 'P_', configMapRef: { name: 'c', optional: true } }, { secretRef: { name: 's' } }],
  env: [
    { name: 'A', value: '1' },
    { name: 'B', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    { name: 'C', valueFrom: { configMapKeyRef: { name: 'c', key: 'k', optional: true } } },
    { name: 'D', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
    { name: 'E', valueFrom: { resourceFieldRef: { containerName: name, resource: 'limits.cpu', divisor: '1m' } } },
  ],
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '1Gi' } },
  volumeMounts: [{ name: 'empty', mountPath: '/empty', subPath: 'a', readOnly: true, mountPropagation: 'None' }],
  securityContext: {
    runAsUser: 1,
    runAsNonRoot: true,
    privileged: false,
    capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
});

const podSpec: Json = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  dnsConfig: { nameservers: ['10.0.0.1'], searches: ['a.b'], options: [{ name: 'ndots', value: '2' }] },
  serviceAccountName: 'default',
  automountServiceAccountToken: false,
  enableServiceLinks: true,
  shareProcessNamespace: false,
  hostname: 'h',
  subdomain: 's',
  nodeSelector: { a: 'b' },
  priority: 0,
  schedulerName: 'default-scheduler',
  imagePullSecrets: [{ name: 'pull' }],
  hostAliases: [{ ip: '1.2.3.4', hostnames: ['a'] }],
  readinessGates: [{ conditionType: 'example.com/ready' }],
  schedulingGates: [{ name: 'example.com/gate' }],
  securityContext: { runAsUser: 1000, fsGroup: 1, supplementalGroups: [1], sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] },
  tolerations: [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoExecute', tolerationSeconds: 5 }],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
      matchLabelKeys: ['hash'],
      minDomains: 1,
    },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }], matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] },
        ],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: 'k', operator: 'Gt', values: ['1'] }] } }],
    },
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'zone', labelSelector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] }, namespaces: ['x'] },
      ],
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { topologyKey: 'zone', labelSelector: { matchLabels: { a: 'b' } }, namespaceSelector: {} } },
      ],
    },
  },
  initContainers: [container('init', 'busybox')],
  containers: [
    {
      ...(container('c', 'nginx:1.27') as object),
      livenessProbe: {
        httpGet: { path: '/', port: 80, scheme: 'HTTP', httpHeaders: [{ name: 'X-A', value: 'b' }] },
        initialDelaySeconds: 1,
        periodSeconds: 1,
        failureThreshold: 3,
      },
      readinessProbe: { exec: { command: ['true'] }, successThreshold: 2, timeoutSeconds: 1 },
      startupProbe: { tcpSocket: { port: 'http' }, failureThreshold: 30 },
      lifecycle: { postStart: { exec: { command: ['true'] } }, preStop: { sleep: { seconds: 1 } } },
    },
    { name: 'grpc', image: 'x', livenessProbe: { grpc: { port: 80, service: 's' } } },
  ],
  volumes: [
    { name: 'empty', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { name: 'cm', configMap: { name: 'c', defaultMode: 420, items: [{ key: 'k', path: 'p', mode: 256 }], optional: true } },
    { name: 'secret', secret: { secretName: 's', items: [{ key: 'k', path: 'p' }] } },
    { name: 'host', hostPath: { path: '/x', type: 'Directory' } },
    { name: 'claim', persistentVolumeClaim: { claimName: 'pvc', readOnly: true } },
    { name: 'down', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    {
      name: 'projected',
      projected: {
        defaultMode: 420,
        sources: [
          { serviceAccountToken: { path: 'token', expirationSeconds: 3600, audience: 'a' } },
          { configMap: { name: 'c', items: [{ key: 'k', path: 'q' }] } },
          { secret: { name: 's' } },
          { downwardAPI: { items: [{ path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu' } }] } },
        ],
      },
    },
    {
      name: 'ephemeral',
      ephemeral: {
        volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      },
    },
    { name: 'nfs', nfs: { server: 'a', path: '/', readOnly: true } },
  ],
};
const plainPodSpec: Json = { containers: [{ name: 'c', image: 'nginx', ports: [{ containerPort: 80 }] }], volumes: [{ name: 'v', emptyDir: {} }] };
const selector: Json = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] };
const template = (spec: Json = plainPodSpec, more: object = {}): Json => ({
  metadata: { labels: { app: 'web' }, annotations: { a: 'b' } },
  spec: { ...(spec as object), ...more },
});
const meta = (name: string): Json => ({
  name,
  labels: { app: 'web', 'example.com/x': 'y' },
  annotations: { 'example.com/note': 'text' },
  finalizers: ['example.com/keep'],
});
const claimSpec: Json = {
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: '1Gi' } },
  storageClassName: 'standard',
  volumeMode: 'Filesystem',
  selector,
  volumeName: 'pv',
};

const sample = (apiVersion: string, kind: string, plural: string, body: { readonly [key: string]: Json }): Sample => ({
  path: `${apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`}/namespaces/default/${plural}`,
  object: { apiVersion, kind, metadata: meta(kind.toLowerCase()), ...body },
});

export const SAMPLES: readonly Sample[] = [
  sample('v1', 'Pod', 'pods', { spec: podSpec }),
  sample('v1', 'Service', 'services', {
    spec: {
      type: 'LoadBalancer',
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP', nodePort: 30080, appProtocol: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
      externalIPs: ['1.2.3.4'],
      externalTrafficPolicy: 'Local',
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      loadBalancerSourceRanges: ['10.0.0.0/8'],
      publishNotReadyAddresses: true,
    },
  }),
  sample('v1', 'ConfigMap', 'configmaps', { data: { a: '1' }, binaryData: { b: 'AAAA' }, immutable: false }),
  sample('v1', 'Secret', 'secrets', { type: 'Opaque', data: { a: 'AAAA' }, stringData: { b: 'c' }, immutable: false }),
  sample('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', { spec: claimSpec }),
  sample('v1', 'ServiceAccount', 'serviceaccounts', { secrets: [{ name: 's' }], imagePullSecrets: [{ name: 'p' }], automountServiceAccountToken: true }),
  sample('v1', 'ResourceQuota', 'resourcequotas', {
    spec: { hard: { pods: '10', 'requests.cpu': '1' }, scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['x'] }] } },
  }),
  sample('v1', 'LimitRange', 'limitranges', {
    spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '1m' }, default: { cpu: '1' }, defaultRequest: { cpu: '100m' } }] },
  }),
  sample('apps/v1', 'Deployment', 'deployments', {
    spec: {
      replicas: 2,
      selector,
      template: template(podSpec),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
      minReadySeconds: 1,
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 600,
      paused: false,
    },
  }),
  sample('apps/v1', 'StatefulSet', 'statefulsets', {
    spec: {
      replicas: 2,
      serviceName: 'web',
      selector,
      template: template(),
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1, maxUnavailable: 1 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Delete' },
      ordinals: { start: 1 },
      minReadySeconds: 1,
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
    },
  }),
  sample('apps/v1', 'DaemonSet', 'daemonsets', {
    spec: {
      selector,
      template: template(),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '10%' } },
      minReadySeconds: 1,
    },
  }),
  sample('apps/v1', 'ReplicaSet', 'replicasets', { spec: { replicas: 1, minReadySeconds: 1, selector, template: template() } }),
  sample('batch/v1', 'Job', 'jobs', {
    spec: {
      completions: 3,
      parallelism: 2,
      backoffLimit: 4,
      activeDeadlineSeconds: 100,
      ttlSecondsAfterFinished: 10,
      completionMode: 'Indexed',
      suspend: false,
      podReplacementPolicy: 'Failed',
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 1,
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onExitCodes: { containerName: 'c', operator: 'In', values: [42] } },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        ],
      },
      successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] },
      template: template(plainPodSpec, { restartPolicy: 'Never' }),
    },
  }),
  sample('batch/v1', 'CronJob', 'cronjobs', {
    spec: {
      schedule: '*/5 * * * *',
      timeZone: 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 10,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 1,
      suspend: true,
      jobTemplate: { metadata: { labels: { a: 'b' } }, spec: { template: template(plainPodSpec, { restartPolicy: 'OnFailure' }) } },
    },
  }),
  sample('networking.k8s.io/v1', 'Ingress', 'ingresses', {
    spec: {
      ingressClassName: 'nginx',
      defaultBackend: { service: { name: 'a', port: { number: 80 } } },
      tls: [{ hosts: ['a.example.com'], secretName: 's' }],
      rules: [
        {
          host: '*.example.com',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'a', port: { name: 'http' } } } },
              { path: '/x', pathType: 'Exact', backend: { resource: { apiGroup: 'example.com', kind: 'Bucket', name: 'b' } } },
            ],
          },
        },
      ],
    },
  }),
  sample('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', {
    spec: {
      podSelector: selector,
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [{ podSelector: selector, namespaceSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
          ports: [{ port: 80, endPort: 90, protocol: 'TCP' }],
        },
      ],
      egress: [{ to: [{ namespaceSelector: { matchLabels: { a: 'b' } } }], ports: [{ port: 'http' }] }],
    },
  }),
  sample('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'c', target: { type: 'AverageValue', averageValue: '100m' } } },
        { type: 'Pods', pods: { metric: { name: 'm', selector }, target: { type: 'AverageValue', averageValue: '1' } } },
        {
          type: 'Object',
          object: { describedObject: { kind: 'Service', name: 's', apiVersion: 'v1' }, metric: { name: 'm' }, target: { type: 'Value', value: '1' } },
        },
        { type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value', value: '1' } } },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 10, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 1, periodSeconds: 10 }] } },
    },
  }),
  sample('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', { spec: { selector, minAvailable: '50%', unhealthyPodEvictionPolicy: 'AlwaysAllow' } }),
  sample('rbac.authorization.k8s.io/v1', 'Role', 'roles', {
    rules: [{ apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get'], resourceNames: ['a'] }],
  }),
  sample('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'role' },
    subjects: [
      { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'u' },
      { kind: 'ServiceAccount', name: 'default', namespace: 'default' },
    ],
  }),
];
