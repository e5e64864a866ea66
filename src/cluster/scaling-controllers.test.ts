/**
 * HorizontalPodAutoscaler and PodDisruptionBudget, each controller with its own account on a real API server; metrics come
 * through the aggregation layer from a server made of a table. Outcomes as kubernetes.io and pkg/controller tell.
 */
import { expect, test } from 'vitest';
import { timestamp } from '../kubernetes/api/time.ts';
import { type Loose, type TestServer, withApiServer } from '../kubernetes/apiserver/testing.test-support.ts';
import type { DialService } from '../kubernetes/apiserver/webhook-client.ts';
import { runControllerManager } from '../kubernetes/controller-manager/run.ts';
import { minutes, ms, seconds } from '../sim/clock.ts';

/** What the metrics servers say, by path. */
type Metrics = Map<string, Loose>;

const PODS = '/api/v1/namespaces/default/pods';
const HPA = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';
const PDB = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';

interface Bench {
  readonly server: TestServer;
  readonly metrics: Metrics;
  /** Each pod's milli-cores and bytes, through metrics.k8s.io. */
  use(milli: (index: number) => number | undefined): Promise<void>;
  register(group: string, version: string): Promise<void>;
  events(kind: string): Promise<readonly string[]>;
  /** Pods that are Running and not Ready. */
  readonly sick: Set<string>;
  pods(): Promise<readonly Loose[]>;
  until(holds: () => Promise<boolean>, limit?: number): Promise<void>;
}

async function bench(story: (bench: Bench) => Promise<void>): Promise<void> {
  const metrics: Metrics = new Map();
  const sick = new Set<string>();
  const dialService: DialService = async ({ path }) => {
    const found = metrics.get(path.split('?')[0]!);
    const body = typeof found === 'function' ? found(path) : found;
    return { status: body ? 200 : 404, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) };
  };
  await withApiServer(
    async (server) => {
      const { self } = server;
      self.spawn('kube-controller-manager', (manager) =>
        runControllerManager(manager, {
          handler: server.api.handle,
          certificate: { commonName: 'system:kube-controller-manager', organizations: [] },
          clusterCidr: '10.244.0.0/16',
          leaderElect: false,
          identity: 'test',
        }),
      );
      // A kubelet of sorts: whatever is there runs, and is ready as long as nobody makes it sick.
      self.spawn('kubelet', async (kubelet) => {
        for (;;) {
          await kubelet.clock.sleep(seconds(1));
          for (const pod of (await server.get(PODS)).body.items as readonly Loose[]) {
            if (pod.metadata.deletionTimestamp) {
              await server.delete(`${PODS}/${pod.metadata.name}?gracePeriodSeconds=0`);
              continue;
            }
            const ready = sick.has(pod.metadata.name) ? 'False' : 'True';
            if (pod.status?.conditions?.find(({ type }: Loose) => type === 'Ready')?.status === ready) continue;
            const long = timestamp(kubelet.clock.now() - minutes(30));
            await server.patch(`${PODS}/${pod.metadata.name}/status`, {
              status: { phase: 'Running', startTime: long, conditions: [{ type: 'Ready', status: ready, lastTransitionTime: long }] },
            });
          }
        }
      });
      const pods = async () => (await server.get(PODS)).body.items as readonly Loose[];
      await story({
        server,
        metrics,
        sick,
        pods,
        use: async (milli) => {
          metrics.set('/apis/metrics.k8s.io/v1beta1/namespaces/default/pods', () => current);
          const list = await pods();
          const items = list.flatMap(({ metadata }, index) => {
            const value = milli(index);
            const at = timestamp(self.clock.now());
            return value === undefined
              ? []
              : [
                  {
                    metadata: { name: metadata.name, namespace: 'default' },
                    timestamp: at,
                    window: '15s',
                    containers: [{ name: 'c', usage: { cpu: `${value}m`, memory: `${value}Mi` } }],
                  },
                ];
          });
          const current = { kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', metadata: {}, items };
        },
        register: async (group, version) => {
          if ((await server.get('/api/v1/namespaces/default/services/metrics')).status === 404) {
            await server.post('/api/v1/namespaces/default/services', {
              apiVersion: 'v1',
              kind: 'Service',
              metadata: { name: 'metrics' },
              spec: { ports: [{ name: 'https', port: 443 }] },
            });
            await server.post('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
              apiVersion: 'discovery.k8s.io/v1',
              kind: 'EndpointSlice',
              metadata: { name: 'metrics-1', labels: { 'kubernetes.io/service-name': 'metrics' } },
              addressType: 'IPv4',
              ports: [{ name: 'https', port: 8443 }],
              endpoints: [{ addresses: ['10.244.1.2'], conditions: { ready: true } }],
            });
          }
          metrics.set(`/apis/${group}/${version}`, {
            kind: 'APIResourceList',
            apiVersion: 'v1',
            groupVersion: `${group}/${version}`,
            resources: [{ name: 'pods', singularName: '', namespaced: true, kind: 'Metrics', verbs: ['get', 'list'] }],
          });
          await server.post('/apis/apiregistration.k8s.io/v1/apiservices', {
            apiVersion: 'apiregistration.k8s.io/v1',
            kind: 'APIService',
            metadata: { name: `${version}.${group}` },
            spec: {
              group,
              version,
              groupPriorityMinimum: 100,
              versionPriority: 100,
              insecureSkipTLSVerify: true,
              service: { namespace: 'default', name: 'metrics' },
            },
          });
          await self.clock.sleep(seconds(1));
        },
        events: async (kind) =>
          ((await server.get('/api/v1/namespaces/default/events')).body.items as readonly Loose[])
            .filter(({ involvedObject }) => involvedObject.kind === kind)
            .map(({ type, reason, message, source }) => `${source.component} ${type} ${reason}: ${message}`),
        until: async (holds, limit = seconds(120)) => {
          const from = self.clock.now();
          while (!(await holds())) {
            if (self.clock.now() - from > limit) throw new Error('what was waited for did not come');
            await self.clock.sleep(ms(500));
          }
        },
      });
    },
    { dialService },
  );
}

const deployment = (name: string, replicas: number): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'c', image: 'nginx:1', resources: { requests: { cpu: '1', memory: '1Gi' } } }] },
    },
  },
});
const autoscaler = (spec: Loose, name = 'web', target = 'web'): object => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target }, minReplicas: 1, maxReplicas: 10, ...spec },
});
const cpu = (averageUtilization: number) => ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } });
const running = async ({ until, pods }: Bench, count: number): Promise<void> =>
  until(async () => {
    const list = await pods();
    return list.length === count && list.every(({ status }) => status?.phase === 'Running');
  });
const statusOf = async ({ server }: Bench, name = 'web'): Promise<Loose> => (await server.get(`${HPA}/${name}`)).body.status;
const conditionOf = (status: Loose, type: string): string => {
  const { status: value, reason, message } = status.conditions.find((each: Loose) => each.type === type);
  return `${value} ${reason}: ${message}`;
};
const scaleOf = async ({ server }: Bench, name = 'web'): Promise<number> => (await server.get(`${DEPLOYMENTS}/${name}`)).body.spec.replicas;

test('a Resource metric: the first look after 15 s, the scale, the status, the event', () =>
  bench(async (b) => {
    const { server, use, register } = b;
    await register('metrics.k8s.io', 'v1beta1');
    await server.post(DEPLOYMENTS, deployment('web', 2));
    await running(b, 2);
    await use(() => 900);
    await server.post(HPA, autoscaler({ metrics: [cpu(50)] }));
    await server.sleep(seconds(14));
    expect((await server.get(`${HPA}/web`)).body.status).not.toMatchObject({ currentReplicas: 2 });
    await server.sleep(seconds(2));
    expect(await scaleOf(b)).toBe(4);
    const status = await statusOf(b);
    expect(status).toMatchObject({
      currentReplicas: 2,
      desiredReplicas: 4,
      lastScaleTime: expect.any(String),
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 90, averageValue: '900m' } } }],
    });
    expect(conditionOf(status, 'AbleToScale')).toBe('True SucceededRescale: the HPA controller was able to update the target scale to 4');
    expect(conditionOf(status, 'ScalingActive')).toBe(
      'True ValidMetricFound: the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
    );
    expect(conditionOf(status, 'ScalingLimited')).toBe('False DesiredWithinRange: the desired count is within the acceptable range');
    expect(await b.events('HorizontalPodAutoscaler')).toEqual([
      'horizontal-pod-autoscaler Normal SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
    ]);
    // autoscaling/v1 shows the same: what it has no field for is in annotations (pkg/apis/autoscaling/v1/conversion.go).
    const v1 = (await server.get('/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/web')).body;
    expect(v1.spec).toMatchObject({ targetCPUUtilizationPercentage: 50, maxReplicas: 10 });
    expect(v1.status).toEqual({ currentReplicas: 2, desiredReplicas: 4, lastScaleTime: status.lastScaleTime, currentCPUUtilizationPercentage: 90 });
    expect(JSON.parse(v1.metadata.annotations['autoscaling.alpha.kubernetes.io/current-metrics'])).toEqual([
      { type: 'Resource', resource: { name: 'cpu', currentAverageUtilization: 90, currentAverageValue: '900m' } },
    ]);
    expect(JSON.parse(v1.metadata.annotations['autoscaling.alpha.kubernetes.io/conditions'])).toHaveLength(3);
  }));

test('what goes wrong is said: no target, no scale, no metrics, no request, two for the same pods', () =>
  bench(async (b) => {
    const { server, use, register } = b;
    await register('metrics.k8s.io', 'v1beta1');
    await use(() => undefined);
    await server.post(HPA, autoscaler({ metrics: [cpu(50)] }));
    await server.sleep(seconds(16));
    expect(conditionOf(await statusOf(b), 'AbleToScale')).toBe(
      'False FailedGetScale: the HPA controller was unable to get the target\'s current scale: deployments/scale.apps "web" not found',
    );
    await server.post(DEPLOYMENTS, deployment('web', 1));
    await running(b, 1);
    await server.sleep(seconds(15));
    expect(conditionOf(await statusOf(b), 'ScalingActive')).toBe(
      'False FailedGetResourceMetric: the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API',
    );
    expect(conditionOf(await statusOf(b), 'AbleToScale')).toBe("True SucceededGetScale: the HPA controller was able to get the target's current scale");
    await use(() => 100);
    await server.post(
      HPA,
      autoscaler(
        {
          metrics: [
            { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'log', target: { type: 'Utilization', averageUtilization: 50 } } },
          ],
        },
        'second',
      ),
    );
    await server.sleep(seconds(31));
    expect(conditionOf(await statusOf(b, 'second'), 'ScalingActive')).toMatch(
      /^False AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: \[\{(web|second) default\} \{(web|second) default\}\]$/,
    );
    await server.delete(`${HPA}/web`);
    await server.sleep(seconds(16));
    expect(conditionOf(await statusOf(b, 'second'), 'ScalingActive')).toBe(
      `False FailedGetContainerResourceMetric: the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: failed to get container metrics: container log not present in metrics for pod default/${(await b.pods())[0].metadata.name}`,
    );
    await server.post(HPA, {
      ...autoscaler({ metrics: [cpu(50)] }, 'third'),
      spec: { ...(autoscaler({}) as Loose).spec, scaleTargetRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' } },
    });
    await server.sleep(seconds(16));
    expect(conditionOf(await statusOf(b, 'third'), 'AbleToScale')).toContain('False FailedGetScale: ');
  }));

test('scaling is disabled at nothing; bounds are kept without metrics', () =>
  bench(async (b) => {
    const { server } = b;
    await server.post(DEPLOYMENTS, deployment('web', 0));
    await server.post(HPA, autoscaler({ metrics: [cpu(50)], minReplicas: 3, maxReplicas: 5 }));
    await server.sleep(seconds(17));
    expect(conditionOf(await statusOf(b), 'ScalingActive')).toBe('False ScalingDisabled: scaling is disabled since the replica count of the target is zero');
    const scale = async (replicas: number) =>
      server.patch(`${DEPLOYMENTS}/web/scale`, { spec: { replicas } }, 'merge').then(({ status }) => expect(status).toBe(200));
    await scale(1);
    await server.sleep(seconds(15));
    expect(await scaleOf(b)).toBe(3);
    await scale(8);
    await server.sleep(seconds(15));
    expect(await scaleOf(b)).toBe(5);
    expect(await b.events('HorizontalPodAutoscaler')).toEqual([
      'horizontal-pod-autoscaler Normal SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas',
      'horizontal-pod-autoscaler Normal SuccessfulRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas',
    ]);
  }));

test('Pods, Object and External metrics through the custom and external APIs; the highest wins', () =>
  bench(async (b) => {
    const { server, register, metrics } = b;
    await register('custom.metrics.k8s.io', 'v1beta2');
    await register('external.metrics.k8s.io', 'v1beta1');
    await server.post(DEPLOYMENTS, deployment('web', 2));
    await running(b, 2);
    const at = timestamp(server.self.clock.now());
    const asked: string[] = [];
    const value = (name: string, amount: string): object => ({ describedObject: { kind: 'Pod', name }, metric: { name: 'm' }, timestamp: at, value: amount });
    const note = (body: Loose) => (path: string) => {
      asked.push(path);
      return body;
    };
    const names = (await b.pods()).map(({ metadata }) => metadata.name as string);
    metrics.set('/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/packets-per-second', note({ items: names.map((name) => value(name, '1500')) }));
    metrics.set(
      '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/ingresses.networking.k8s.io/main-route/requests-per-second',
      note({ items: [value('main-route', '8k')] }),
    );
    metrics.set(
      '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue_messages_ready',
      note({
        items: [
          { metricName: 'q', timestamp: at, value: '100' },
          { metricName: 'q', timestamp: at, value: '50' },
        ],
      }),
    );
    await server.post(
      HPA,
      autoscaler({
        metrics: [
          { type: 'Pods', pods: { metric: { name: 'packets-per-second' }, target: { type: 'AverageValue', averageValue: '1k' } } },
          {
            type: 'Object',
            object: {
              metric: { name: 'requests-per-second' },
              describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main-route' },
              target: { type: 'Value', value: '4k' },
            },
          },
          {
            type: 'External',
            external: {
              metric: { name: 'queue_messages_ready', selector: { matchLabels: { queue: 'worker_tasks' } } },
              target: { type: 'AverageValue', averageValue: '30' },
            },
          },
        ],
      }),
    );
    await server.sleep(seconds(16));
    const status = await statusOf(b);
    expect(status.currentMetrics).toEqual([
      { type: 'Pods', pods: { metric: { name: 'packets-per-second' }, current: { averageValue: '1500' } } },
      {
        type: 'Object',
        object: {
          metric: { name: 'requests-per-second' },
          describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main-route' },
          current: { value: '8k' },
        },
      },
      {
        type: 'External',
        external: { metric: { name: 'queue_messages_ready', selector: { matchLabels: { queue: 'worker_tasks' } } }, current: { averageValue: '75' } },
      },
    ]);
    // 3 by packets, 4 by requests, 5 by the queue; no more than 4 at once from 2.
    expect(await scaleOf(b)).toBe(4);
    expect(conditionOf(status, 'ScalingLimited')).toBe('True ScaleUpLimit: the desired replica count is increasing faster than the maximum scale rate');
    expect(await b.events('HorizontalPodAutoscaler')).toContain(
      'horizontal-pod-autoscaler Normal SuccessfulRescale: New size: 4; reason: external metric queue_messages_ready(&LabelSelector{MatchLabels:map[string]string{queue: worker_tasks,},MatchExpressions:[]LabelSelectorRequirement{},}) above target',
    );
    expect(asked.some((path) => path.includes('labelSelector=app%3Dweb'))).toBe(true);
    expect(asked.some((path) => path.includes('labelSelector=queue%3Dworker_tasks'))).toBe(true);
    expect((await server.get(`${HPA}/web`, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })).body.rows[0].cells[2]).toBe(
      '1500/1k, 8k/4k + 1 more...',
    );
    // One gone: the others still say more than there is, so the missing one only warns.
    metrics.delete('/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/packets-per-second');
    await server.sleep(seconds(15));
    expect(
      (await b.events('HorizontalPodAutoscaler')).some((text) =>
        text.includes('Warning FailedGetPodsMetric: unable to get metric packets-per-second: unable to fetch metrics from custom metrics API: '),
      ),
    ).toBe(true);
    expect(conditionOf(await statusOf(b), 'ScalingActive')).toMatch(/^True ValidMetricFound: the HPA was able to successfully calculate a replica count from /);
  }));

test('behavior: four pods a minute up, nothing down', () =>
  bench(async (b) => {
    const { server, use, register } = b;
    await register('metrics.k8s.io', 'v1beta1');
    await server.post(DEPLOYMENTS, deployment('web', 2));
    await running(b, 2);
    await use(() => 1000);
    await server.post(
      HPA,
      autoscaler({
        metrics: [cpu(10)],
        maxReplicas: 20,
        behavior: { scaleUp: { policies: [{ type: 'Pods', value: 4, periodSeconds: 60 }] }, scaleDown: { selectPolicy: 'Disabled' } },
      }),
    );
    await server.sleep(seconds(16));
    expect(await scaleOf(b)).toBe(6);
    await running(b, 6);
    await use(() => 1000);
    await server.sleep(seconds(30));
    expect(await scaleOf(b)).toBe(6);
    await server.sleep(seconds(45));
    expect(await scaleOf(b)).toBe(10);
    await running(b, 10);
    await use(() => 1);
    await server.sleep(minutes(8));
    expect(await scaleOf(b)).toBe(10);
    expect(conditionOf(await statusOf(b), 'ScalingLimited')).toBe(
      'True ScaleDownLimit: the desired replica count is decreasing faster than the maximum scale rate',
    );
  }));

// tasks/extend-kubernetes/custom-resources/custom-resource-definitions: whatever has a scale subresource.
test('a kind that a definition brings is scaled by its scale subresource, and its pods are counted by it', () =>
  bench(async (b) => {
    const { server, register, metrics } = b;
    await register('external.metrics.k8s.io', 'v1beta1');
    const at = timestamp(server.self.clock.now());
    metrics.set('/apis/external.metrics.k8s.io/v1beta1/namespaces/default/jobs', { items: [{ metricName: 'jobs', timestamp: at, value: '9' }] });
    const schema = {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { replicas: { type: 'integer' } } },
        status: { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } },
      },
    };
    await server.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'workers.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'workers', singular: 'worker', kind: 'Worker' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: schema },
            subresources: {
              status: {},
              scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' },
            },
          },
        ],
      },
    });
    await server.sleep(seconds(2));
    const workers = '/apis/example.com/v1/namespaces/default/workers';
    const made = await server.post(workers, { apiVersion: 'example.com/v1', kind: 'Worker', metadata: { name: 'w' }, spec: { replicas: 2 } });
    await server.patch(`${workers}/w/status`, { status: { replicas: 2, selector: 'app=w' } }, 'merge');
    for (const name of ['w-0', 'w-1'])
      await server.post(PODS, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name,
          labels: { app: 'w' },
          ownerReferences: [{ apiVersion: 'example.com/v1', kind: 'Worker', name: 'w', uid: made.body.metadata.uid, controller: true }],
        },
        spec: { containers: [{ name: 'c', image: 'nginx' }] },
      });
    await running(b, 2);
    await server.post(PDB, budget({ maxUnavailable: '50%' }, 'w'));
    await server.post(HPA, {
      ...autoscaler({}, 'w'),
      spec: {
        scaleTargetRef: { apiVersion: 'example.com/v1', kind: 'Worker', name: 'w' },
        maxReplicas: 5,
        metrics: [{ type: 'External', external: { metric: { name: 'jobs' }, target: { type: 'AverageValue', averageValue: '3' } } }],
      },
    });
    await server.sleep(seconds(1));
    expect(await numbers(b, 'w')).toEqual([2, 2, 1, 1, 'SufficientPods']);
    await server.sleep(seconds(16));
    expect((await server.get(`${workers}/w`)).body.spec.replicas).toBe(3);
    expect(conditionOf(await statusOf(b, 'w'), 'ScalingActive')).toBe(
      'True ValidMetricFound: the HPA was able to successfully calculate a replica count from external metric jobs(nil)',
    );
  }));

// --- PodDisruptionBudget ---------------------------------------------------------------------------

const budget = (spec: Loose, app = 'web'): object => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: app },
  spec: { selector: { matchLabels: { app } }, ...spec },
});
const numbers = async ({ server }: Bench, name = 'web'): Promise<Loose> => {
  const { expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed, conditions } = (await server.get(`${PDB}/${name}`)).body.status;
  return [expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed, conditions?.[0]?.reason];
};

// kubernetes.io/docs/tasks/run-application/configure-pdb: percentages are rounded up.
test.each<[Loose, readonly (number | string)[]]>([
  [{ minAvailable: 2 }, [3, 3, 2, 1, 'SufficientPods']],
  [{ minAvailable: '50%' }, [3, 3, 2, 1, 'SufficientPods']],
  [{ minAvailable: '100%' }, [3, 3, 3, 0, 'InsufficientPods']],
  [{ minAvailable: 5 }, [3, 3, 5, 0, 'InsufficientPods']],
  [{ maxUnavailable: 1 }, [3, 3, 2, 1, 'SufficientPods']],
  [{ maxUnavailable: '30%' }, [3, 3, 2, 1, 'SufficientPods']],
  [{ maxUnavailable: 0 }, [3, 3, 3, 0, 'InsufficientPods']],
  [{ maxUnavailable: 4 }, [3, 3, 0, 3, 'SufficientPods']],
])('a budget of %j over three pods', (spec, expected) =>
  bench(async (b) => {
    await b.server.post(DEPLOYMENTS, deployment('web', 3));
    await running(b, 3);
    await b.server.post(PDB, budget(spec));
    await b.server.sleep(seconds(1));
    expect(await numbers(b)).toEqual(expected);
  }),
);

test('eviction spends the budget; the next gets 429 with the cause; the status recovers', () =>
  bench(async (b) => {
    const { server } = b;
    await server.post(DEPLOYMENTS, deployment('web', 3));
    await running(b, 3);
    await server.post(PDB, budget({ minAvailable: 2 }));
    await server.sleep(seconds(1));
    const evict = (name: string) =>
      server.post(`${PODS}/${name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } });
    const [first, second] = await b.pods();
    expect((await evict(first.metadata.name)).body).toMatchObject({ kind: 'Status', status: 'Success', code: 201 });
    const refused = await evict(second.metadata.name);
    expect([refused.status, refused.body]).toEqual([
      429,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: "Cannot evict pod as it would violate the pod's disruption budget.",
        reason: 'TooManyRequests',
        details: { causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web needs 2 healthy pods and has 2 currently' }] },
        code: 429,
      },
    ]);
    await server.sleep(seconds(1));
    expect((await server.get(`${PDB}/web`)).body.status.disruptedPods).toBeUndefined();
    await running(b, 3);
    await server.sleep(seconds(1));
    expect(await numbers(b)).toEqual([3, 3, 2, 1, 'SufficientPods']);
  }));

test('pods that are not ready: not healthy, and evictable when the budget has enough without them or always by policy', () =>
  bench(async (b) => {
    const { server, sick } = b;
    await server.post(DEPLOYMENTS, deployment('web', 3));
    await running(b, 3);
    await server.post(PDB, budget({ minAvailable: 3 }));
    const [first] = await b.pods();
    sick.add(first.metadata.name);
    await server.sleep(seconds(3));
    expect(await numbers(b)).toEqual([3, 2, 3, 0, 'InsufficientPods']);
    const evict = () =>
      server.post(`${PODS}/${first.metadata.name}/eviction`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: first.metadata.name, namespace: 'default' },
      });
    expect((await evict()).status).toBe(429);
    await server.patch(`${PDB}/web`, { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } }, 'merge');
    await server.sleep(seconds(1));
    expect((await evict()).status).toBe(201);
  }));

test('what cannot be counted says so: a Job has no scale; pods of nobody have none either; no pods at all', () =>
  bench(async (b) => {
    const { server } = b;
    await server.post(PDB, budget({ maxUnavailable: 1 }, 'job'));
    await server.post(PDB, budget({ maxUnavailable: 1 }, 'alone'));
    await server.sleep(seconds(1));
    expect(await b.events('PodDisruptionBudget')).toEqual([
      'controllermanager Normal NoPods: No matching pods found',
      'controllermanager Normal NoPods: No matching pods found',
    ]);
    await server.post('/apis/batch/v1/namespaces/default/jobs', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'job' },
      spec: { template: { metadata: { labels: { app: 'job' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'nginx' }] } } },
    });
    await server.post(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'alone', labels: { app: 'alone' } },
      spec: { containers: [{ name: 'c', image: 'nginx' }] },
    });
    await server.sleep(seconds(5));
    const events = await b.events('PodDisruptionBudget');
    expect(events).toContain(
      'controllermanager Warning CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: jobs.batch does not implement the scale subresource',
    );
    expect(events.find((text) => text.includes('UnmanagedPods'))).toBe(
      'controllermanager Warning UnmanagedPods: Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: alone,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.',
    );
    const { conditions, disruptionsAllowed } = (await server.get(`${PDB}/job`)).body.status;
    expect(disruptionsAllowed).toBe(0);
    expect(conditions).toMatchObject([
      { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'jobs.batch does not implement the scale subresource' },
    ]);
  }));

test('two budgets for a pod: the eviction API refuses, the controller warns', () =>
  bench(async (b) => {
    const { server } = b;
    await server.post(DEPLOYMENTS, deployment('web', 1));
    await running(b, 1);
    await server.post(PDB, budget({ maxUnavailable: 1 }));
    await server.post(PDB, { ...budget({ maxUnavailable: 1 }), metadata: { name: 'other' } });
    await server.sleep(seconds(1));
    const [pod] = await b.pods();
    const refused = await server.post(`${PODS}/${pod.metadata.name}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod.metadata.name, namespace: 'default' },
    });
    expect([refused.status, refused.body.message]).toEqual([
      500,
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    ]);
    await server.patch(`${PODS}/${pod.metadata.name}`, { metadata: { labels: { touched: 'yes' } } }, 'merge');
    await server.sleep(seconds(1));
    expect(
      (await b.events('Pod')).some((text) =>
        /^controllermanager Warning MultiplePodDisruptionBudgets: Pod "default"\/"web-\S+" matches multiple PodDisruptionBudgets\. {2}Chose "(web|other)" arbitrarily\.$/.test(
          text,
        ),
      ),
    ).toBe(true);
  }));
