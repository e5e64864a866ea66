/** What of an object never changes, kind by kind, in upstream's words; and what a kind refuses from the start. */
import { expect, test } from 'vitest';
import { deployment, type Loose, withApiServer } from '../testing.test-support.ts';

const story = async (run: Parameters<typeof withApiServer>[0]): Promise<void> => void (await withApiServer(run));
const CORE = '/api/v1/namespaces/default';
const APPS = '/apis/apps/v1/namespaces/default';
const STORAGE = '/apis/storage.k8s.io/v1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const template = (app: string, more: object = {}) => ({ metadata: { labels: { app } }, spec: { containers: [{ name: 'c', image: 'nginx' }], ...more } });
const workload = (more: object = {}) => ({ metadata: { name: 'x' }, spec: { selector: { matchLabels: { app: 'x' } }, template: template('x'), ...more } });
const claim = { metadata: { name: 'x' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
const volume = { metadata: { name: 'x' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/a' } } };
const IMMUTABLE = 'field is immutable';
const FROZEN = 'Forbidden: field is immutable when `immutable` is set';
const STATEFUL =
  "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/** Kind: collection, object, a merge patch of it, and the causes: field and the end of the message. */
type Change = readonly [what: string, url: string, object: object, patch: object, causes: readonly (readonly [string, string])[]];

const CHANGES: readonly Change[] = [
  ['ConfigMap data', `${CORE}/configmaps`, { metadata: { name: 'x' }, immutable: true, data: { a: '1' } }, { data: { a: '2' } }, [['data', FROZEN]]],
  ['ConfigMap immutable', `${CORE}/configmaps`, { metadata: { name: 'x' }, immutable: true }, { immutable: false }, [['immutable', FROZEN]]],
  ['Secret data', `${CORE}/secrets`, { metadata: { name: 'x' }, immutable: true, stringData: { a: '1' } }, { data: { a: 'Mg==' } }, [['data', FROZEN]]],
  ['Secret type', `${CORE}/secrets`, { metadata: { name: 'x' } }, { type: 'mine/own' }, [['type', IMMUTABLE]]],
  [
    'Service clusterIP',
    `${CORE}/services`,
    { metadata: { name: 'x' }, spec: { ports: [{ port: 80 }] } },
    { spec: { clusterIP: '10.96.9.9', clusterIPs: ['10.96.9.9'] } },
    [['spec.clusterIPs[0]', 'may not change once set']],
  ],
  [
    'PersistentVolumeClaim',
    `${CORE}/persistentvolumeclaims`,
    claim,
    { spec: { accessModes: ['ReadOnlyMany'] } },
    [['spec', 'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims']],
  ],
  [
    'PersistentVolume source',
    '/api/v1/persistentvolumes',
    volume,
    { spec: { hostPath: { path: '/b' } } },
    [['spec.persistentvolumesource', 'Forbidden: spec.persistentvolumesource is immutable after creation']],
  ],
  ['PersistentVolume mode', '/api/v1/persistentvolumes', volume, { spec: { volumeMode: 'Block' } }, [['spec.volumeMode', IMMUTABLE]]],
  [
    'ResourceQuota scopes',
    `${CORE}/resourcequotas`,
    { metadata: { name: 'x' }, spec: { scopes: ['Terminating'] } },
    { spec: { scopes: ['NotTerminating'] } },
    [['spec.scopes', IMMUTABLE]],
  ],
  [
    'Deployment selector',
    `${APPS}/deployments`,
    deployment('x'),
    { spec: { selector: { matchLabels: { app: 'y' } }, template: template('y') } },
    [['spec.selector', IMMUTABLE]],
  ],
  [
    'ReplicaSet selector',
    `${APPS}/replicasets`,
    workload(),
    { spec: { selector: { matchLabels: { app: 'y' } }, template: template('y') } },
    [['spec.selector', IMMUTABLE]],
  ],
  [
    'DaemonSet selector',
    `${APPS}/daemonsets`,
    workload(),
    { spec: { selector: { matchLabels: { app: 'y' } }, template: template('y') } },
    [['spec.selector', IMMUTABLE]],
  ],
  ['StatefulSet service', `${APPS}/statefulsets`, workload({ serviceName: 'a' }), { spec: { serviceName: 'b' } }, [['spec', STATEFUL]]],
  [
    'Job completions and template',
    '/apis/batch/v1/namespaces/default/jobs',
    { metadata: { name: 'x' }, spec: { completions: 1, template: template('x', { restartPolicy: 'Never' }) } },
    { spec: { completions: 2, template: { spec: { containers: [{ name: 'c', image: 'other' }] } } } },
    [
      ['spec.completions', IMMUTABLE],
      ['spec.template', IMMUTABLE],
    ],
  ],
  [
    'StorageClass parameters',
    `${STORAGE}/storageclasses`,
    { metadata: { name: 'x' }, provisioner: 'a/b' },
    { parameters: { a: 'b' } },
    [['parameters', 'Forbidden: updates to parameters are forbidden.']],
  ],
  [
    'StorageClass binding',
    `${STORAGE}/storageclasses`,
    { metadata: { name: 'x' }, provisioner: 'a/b' },
    { volumeBindingMode: 'WaitForFirstConsumer' },
    [['volumeBindingMode', IMMUTABLE]],
  ],
  [
    'VolumeAttachment',
    `${STORAGE}/volumeattachments`,
    { metadata: { name: 'x' }, spec: { attacher: 'a.b', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    { spec: { nodeName: 'm' } },
    [['spec', IMMUTABLE]],
  ],
  ['CSIDriver', `${STORAGE}/csidrivers`, { metadata: { name: 'x.y' }, spec: {} }, { spec: { attachRequired: false } }, [['spec.attachedRequired', IMMUTABLE]]],
  [
    'RoleBinding',
    `${RBAC}/namespaces/default/rolebindings`,
    { metadata: { name: 'x' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } },
    { roleRef: { name: 'edit' } },
    [['roleRef', 'cannot change roleRef']],
  ],
  [
    'PriorityClass',
    '/apis/scheduling.k8s.io/v1/priorityclasses',
    { metadata: { name: 'x' }, value: 1 },
    { value: 2 },
    [['value', 'Forbidden: may not be changed in an update.']],
  ],
  [
    'Node',
    '/api/v1/nodes',
    { metadata: { name: 'x' }, spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] } },
    { spec: { podCIDR: '10.2.0.0/24', podCIDRs: ['10.2.0.0/24'] } },
    [['spec.podCIDRs', 'Forbidden: node updates may not change podCIDR except from "" to valid']],
  ],
  ['RuntimeClass', '/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: 'x' }, handler: 'a' }, { handler: 'b' }, [['handler', IMMUTABLE]]],
  [
    'IngressClass',
    '/apis/networking.k8s.io/v1/ingressclasses',
    { metadata: { name: 'x' }, spec: { controller: 'a/b' } },
    { spec: { controller: 'c/d' } },
    [['spec.controller', IMMUTABLE]],
  ],
  [
    'EndpointSlice',
    '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
    { metadata: { name: 'x' }, addressType: 'IPv4', endpoints: [] },
    { addressType: 'FQDN' },
    [['addressType', IMMUTABLE]],
  ],
  ['ControllerRevision', `${APPS}/controllerrevisions`, { metadata: { name: 'x' }, data: { a: 1 }, revision: 1 }, { data: { a: 2 } }, [['data', IMMUTABLE]]],
];

test.each(CHANGES)('%s', (_, url, object, patch, causes) =>
  story(async (server) => {
    const made = await server.post(url, object);
    expect([made.status, made.body.message]).toEqual([201, undefined]);
    const { name } = made.body.metadata;
    const refused = await server.patch(`${url}/${name}`, patch, 'merge');
    expect([refused.status, refused.body.reason], JSON.stringify(refused.body)).toEqual([422, 'Invalid']);
    expect(refused.body.details).toMatchObject({ name, kind: made.body.kind });
    const told = refused.body.details.causes.map(({ field, message }: Loose) => [field, message]);
    expect(told).toEqual(causes.map(([field, end]) => [field, expect.stringMatching(new RegExp(`${end.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`))]));
    // And what is asked without a change of it is no change.
    expect((await server.patch(`${url}/${name}`, { metadata: { labels: { a: 'b' } } }, 'merge')).status).toBe(200);
  }),
);

/** Kind: collection, object, and its causes: field and whole message. */
const REFUSED: readonly (readonly [what: string, url: string, object: object, causes: readonly (readonly [string, string])[]])[] = [
  [
    'HorizontalPodAutoscaler',
    '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers',
    {
      metadata: { name: 'x' },
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' },
        minReplicas: 5,
        maxReplicas: 2,
        behavior: { scaleDown: { stabilizationWindowSeconds: 9999, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 0, periodSeconds: 60 }] } },
      },
    },
    [
      ['spec.maxReplicas', 'Invalid value: 2: must be greater than or equal to `minReplicas`'],
      ['spec.behavior.scaleDown.stabilizationWindowSeconds', 'Invalid value: 9999: must be less than or equal to 3600'],
      ['spec.behavior.scaleDown.policies[0].value', 'Invalid value: 0: must be greater than zero'],
    ],
  ],
  [
    'PodDisruptionBudget',
    '/apis/policy/v1/namespaces/default/poddisruptionbudgets',
    { metadata: { name: 'x' }, spec: { minAvailable: '120%', unhealthyPodEvictionPolicy: 'Never' } },
    [
      ['spec.minAvailable', 'Invalid value: "120%": must not be greater than 100%'],
      ['spec.unhealthyPodEvictionPolicy', 'Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"'],
    ],
  ],
  [
    'NetworkPolicy',
    '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
    { metadata: { name: 'x' }, spec: { podSelector: {}, ingress: [{ from: [{}], ports: [{ endPort: 5 }] }] } },
    [
      ['spec.ingress[0].ports[0].endPort', 'Invalid value: 5: may not be specified when `port` is not specified'],
      ['spec.ingress[0].from[0]', 'Required value: must specify a peer'],
    ],
  ],
  [
    'ResourceQuota',
    `${CORE}/resourcequotas`,
    { metadata: { name: 'x' }, spec: { hard: { pods: '1500m', things: '1' }, scopes: ['Sometimes'] } },
    [
      ['spec.hard[pods]', 'Invalid value: "1500m": must be an integer'],
      ['spec.hard[things]', 'Invalid value: "things": must be a standard resource for quota'],
      ['spec.scopes', 'Invalid value: ["Sometimes"]: unsupported scope'],
    ],
  ],
  [
    'FlowSchema',
    '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas',
    { metadata: { name: 'x' }, spec: { matchingPrecedence: 20000, priorityLevelConfiguration: { name: '' }, rules: [{ subjects: [] }] } },
    [
      ['spec.matchingPrecedence', 'Invalid value: 20000: must not be greater than 10000'],
      ['spec.priorityLevelConfiguration.name', 'Required value: must reference a priority level'],
      ['spec.rules[0].subjects', 'Required value: subjects must contain at least one value'],
      ['spec.rules[0]', 'Required value: at least one of resourceRules and nonResourceRules has to be non-empty'],
    ],
  ],
  [
    'PriorityLevelConfiguration',
    '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
    { metadata: { name: 'x' }, spec: { type: 'Limited' } },
    [['spec.limited', 'Required value: must not be empty when type is Limited']],
  ],
  [
    'CSINode',
    `${STORAGE}/csinodes`,
    { metadata: { name: 'x' }, spec: { drivers: [{ name: 'a.b', nodeID: '' }] } },
    [['spec.drivers[0].nodeID', 'Required value']],
  ],
  [
    'VolumeAttachment',
    `${STORAGE}/volumeattachments`,
    { metadata: { name: 'x' }, spec: { attacher: 'a.b', nodeName: 'n', source: {} } },
    [['spec.source', 'Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName']],
  ],
  [
    'Ingress',
    '/apis/networking.k8s.io/v1/namespaces/default/ingresses',
    {
      metadata: { name: 'x' },
      spec: { rules: [{ host: '10.0.0.1', http: { paths: [{ path: 'a', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] } }] },
    },
    [
      ['spec.rules[0].host', 'Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
      ['spec.rules[0].http.paths[0].path', 'Invalid value: "a": must be an absolute path'],
    ],
  ],
  [
    'CronJob',
    '/apis/batch/v1/namespaces/default/cronjobs',
    { metadata: { name: 'x' }, spec: { schedule: '* * *', jobTemplate: { spec: { template: template('x', { restartPolicy: 'Always' }) } } } },
    [
      ['spec.schedule', 'Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]'],
      ['spec.jobTemplate.spec.template.spec.restartPolicy', 'Required value: valid values: "OnFailure", "Never"'],
    ],
  ],
  [
    'Lease',
    '/apis/coordination.k8s.io/v1/namespaces/default/leases',
    { metadata: { name: 'x' }, spec: { leaseDurationSeconds: 0 } },
    [['spec.leaseDurationSeconds', 'Invalid value: 0: must be greater than 0']],
  ],
  [
    'LimitRange',
    `${CORE}/limitranges`,
    { metadata: { name: 'x' }, spec: { limits: [{ type: 'Container', min: { cpu: '2' }, max: { cpu: '1' } }] } },
    [
      ['spec.limits[0].min[cpu]', 'Invalid value: "2": min value 2 is greater than max value 1'],
      ['spec.limits[0].defaultRequest[cpu]', 'Invalid value: "1": min value 2 is greater than default request value 1'],
      ['spec.limits[0].default[cpu]', 'Invalid value: "2": min value 2 is greater than default value 1'],
    ],
  ],
];

test.each(REFUSED)('%s that is none', (_, url, object, causes) =>
  story(async (server) => {
    const { status, body } = await server.post(url, object);
    expect([status, body.reason], JSON.stringify(body)).toEqual([422, 'Invalid']);
    expect(body.details.causes.map(({ field, message }: Loose) => [field, message])).toEqual(causes);
  }),
);
