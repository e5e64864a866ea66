/** Flow schemas and priority levels every API server makes sure of (apiserver `pkg/apis/flowcontrol/bootstrap/default.go`, v1.33). */
import type { KubeObject } from '../../api/meta.ts';
import { timestamp } from '../../api/time.ts';

const API = 'flowcontrol.apiserver.k8s.io/v1';
const metadata = (name: string) => ({ name, generation: 1, annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } });

/** name shares lendable% queues handSize length; without queues: Reject. */
const LEVELS: readonly (readonly [string, number, number, (readonly [number, number, number])?])[] = [
  ['catch-all', 5, 0],
  ['global-default', 20, 50, [128, 6, 50]],
  ['leader-election', 10, 0, [16, 4, 50]],
  ['node-high', 40, 25, [64, 6, 50]],
  ['system', 30, 33, [64, 6, 50]],
  ['workload-high', 40, 50, [128, 6, 50]],
  ['workload-low', 100, 90, [128, 6, 50]],
];

const user = (name: string) => ({ kind: 'User', user: { name } });
const group = (name: string) => ({ kind: 'Group', group: { name } });
const account = (name: string) => ({ kind: 'ServiceAccount', serviceAccount: { name, namespace: 'kube-system' } });
const resources = (verbs: readonly string[], apiGroup: string, names: readonly string[], clusterScope = false) => ({
  verbs,
  apiGroups: [apiGroup],
  resources: names,
  ...(clusterScope ? { clusterScope } : {}),
  namespaces: ['*'],
});
const ALL = { resourceRules: [resources(['*'], '*', ['*'], true)], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] };
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')];
const LEASES = ['get', 'create', 'update'];

type Distinguisher = 'ByUser' | 'ByNamespace' | undefined;
const SCHEMAS: readonly (readonly [string, string, number, Distinguisher, readonly object[], object])[] = [
  ['exempt', 'exempt', 1, undefined, [group('system:masters')], ALL],
  ['probes', 'exempt', 2, undefined, EVERYBODY, { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] }],
  [
    'system-leader-election',
    'leader-election',
    100,
    'ByUser',
    [user('system:kube-controller-manager'), user('system:kube-scheduler'), account('*')],
    { resourceRules: [resources(LEASES, 'coordination.k8s.io', ['leases'])] },
  ],
  [
    'endpoint-controller',
    'workload-high',
    150,
    'ByUser',
    [user('system:kube-controller-manager'), account('endpoint-controller'), account('endpointslicemirroring-controller')],
    { resourceRules: [resources(LEASES, '', ['endpoints'])] },
  ],
  ['workload-leader-election', 'leader-election', 200, 'ByUser', [account('*')], { resourceRules: [resources(LEASES, 'coordination.k8s.io', ['leases'])] }],
  [
    'system-node-high',
    'node-high',
    400,
    'ByUser',
    [group('system:nodes')],
    { resourceRules: [resources(['*'], '', ['nodes', 'nodes/status'], true), resources(['*'], 'coordination.k8s.io', ['leases'])] },
  ],
  ['system-nodes', 'system', 500, 'ByUser', [group('system:nodes')], ALL],
  ['kube-controller-manager', 'workload-high', 800, 'ByNamespace', [user('system:kube-controller-manager')], ALL],
  ['kube-scheduler', 'workload-high', 800, 'ByNamespace', [user('system:kube-scheduler')], ALL],
  ['kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', [account('*')], ALL],
  ['service-accounts', 'workload-low', 9_000, 'ByUser', [group('system:serviceaccounts')], ALL],
  ['global-default', 'global-default', 9_900, 'ByUser', EVERYBODY, ALL],
  ['catch-all', 'catch-all', 10_000, 'ByUser', EVERYBODY, ALL],
];

/**
 * As they are stored. Here simplified: the status that upstream's controller writes a moment later is there from
 * the beginning.
 */
export const flowObjects = (): readonly KubeObject[] =>
  [
    {
      apiVersion: API,
      kind: 'PriorityLevelConfiguration',
      metadata: metadata('exempt'),
      spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
      status: {},
    },
    ...LEVELS.map(([name, nominalConcurrencyShares, lendablePercent, queues]) => ({
      apiVersion: API,
      kind: 'PriorityLevelConfiguration',
      metadata: metadata(name),
      spec: {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares,
          limitResponse: queues ? { type: 'Queue', queuing: { queues: queues[0], handSize: queues[1], queueLengthLimit: queues[2] } } : { type: 'Reject' },
          lendablePercent,
        },
      },
      status: {},
    })),
    ...SCHEMAS.map(([name, level, matchingPrecedence, distinguisher, subjects, rules]) => ({
      apiVersion: API,
      kind: 'FlowSchema',
      metadata: metadata(name),
      spec: {
        priorityLevelConfiguration: { name: level },
        matchingPrecedence,
        ...(distinguisher ? { distinguisherMethod: { type: distinguisher } } : {}),
        rules: [{ subjects, ...rules }],
      },
      status: {
        conditions: [
          {
            type: 'Dangling',
            status: 'False',
            lastTransitionTime: timestamp(0),
            reason: 'Found',
            message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} and it exists`,
          },
        ],
      },
    })),
  ] as unknown as readonly KubeObject[];
