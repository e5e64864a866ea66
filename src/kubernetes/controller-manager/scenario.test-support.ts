/** A controller manager on the fake API server, with something that plays scheduler and kubelets. */
import { ms, seconds } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import { testHost } from '../../sim/test-host.ts';
import type { KubeObject } from '../api/meta.ts';
import { timestamp } from '../api/time.ts';
import type { Pod } from '../api/types.gen.ts';
import { createFakeApiServer, type FakeApiServer } from '../client/fake-apiserver.test-support.ts';
import { runControllerManager } from './run.ts';

export interface Scenario {
  readonly loop: Loop;
  readonly api: FakeApiServer;
  /** Advances by so many seconds. */
  wait(s: number): Promise<void>;
  pods(): Pod[];
  /** `Reason: message` of Events, in order of creation. */
  events(reason?: string): string[];
  /** Nodes whose kubelets are silent. */
  readonly silent: Set<string>;
  /** Pods that never become ready. */
  broken: (pod: Pod) => boolean;
}

export async function scenario(options: { nodes?: number; seed?: number } = {}): Promise<Scenario> {
  const loop = new Loop({ seed: options.seed ?? 1, host: testHost });
  let api!: FakeApiServer;
  const silent = new Set<string>();
  const s: Scenario = {
    loop,
    get api() {
      return api;
    },
    wait: (n) => loop.run(loop.now + seconds(n)),
    pods: () => api.all('pods') as unknown as Pod[],
    events: (reason) =>
      api
        .all('events')
        .map((event) => event as unknown as { reason: string; message: string })
        .filter((event) => !reason || event.reason === reason)
        .map((event) => `${event.reason}: ${event.message}`),
    silent,
    broken: () => false,
  };
  let ips = 0;
  loop.spawn('apiserver', async (self) => {
    api = createFakeApiServer(self);
    for (const name of ['default', 'kube-system', 'kube-node-lease']) api.put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const nodes = Array.from({ length: options.nodes ?? 3 }, (_, i) => `node-${i + 1}`);
    for (const name of nodes) {
      api.put('nodes', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'kubernetes.io/hostname': name } },
        spec: {},
        status: {
          conditions: [
            { type: 'Ready', status: 'True', lastHeartbeatTime: timestamp(0), lastTransitionTime: timestamp(0), reason: 'KubeletReady', message: '' },
          ],
        },
      });
      api.put('leases', {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace: 'kube-node-lease' },
        spec: { holderIdentity: name, renewTime: '0' },
      });
    }
    let n = 0;
    for (;;) {
      await self.clock.sleep(ms(500));
      n++;
      for (const name of nodes) {
        if (silent.has(name)) continue;
        if (n % 20 === 0)
          api.edit('leases', `kube-node-lease/${name}`, (lease) => ({ ...lease, spec: { holderIdentity: name, renewTime: String(self.clock.now()) } }));
      }
      let at = 0;
      for (const pod of api.all('pods') as unknown as Pod[]) {
        const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
        const affine = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0];
        if (!pod.spec?.nodeName) {
          const up = nodes.filter((name) => !silent.has(name));
          const nodeName = affine ?? up[at++ % up.length];
          api.edit('pods', key, (object) => ({ ...object, spec: { ...(object.spec as object), nodeName } }));
        } else if (silent.has(pod.spec.nodeName)) continue;
        else if (pod.metadata.deletionTimestamp) api.remove('pods', key);
        else if (pod.status?.phase !== 'Running') {
          const ready = { type: 'Ready', status: s.broken(pod) ? 'False' : 'True', lastTransitionTime: timestamp(self.clock.now()) };
          api.edit('pods', key, (object) => ({ ...object, status: { phase: 'Running', podIP: `10.244.0.${++ips}`, conditions: [ready] } }));
        }
      }
    }
  });
  await loop.run(ms(1));
  loop.spawn('kube-controller-manager', (self) =>
    runControllerManager(self, { handler: api.handler, clusterCidr: '10.244.0.0/16', leaderElect: true, identity: 'control-plane_1', rootCa: 'PEM' }),
  );
  await s.wait(2);
  return s;
}

export const deployment = (name: string, replicas: number, image = 'nginx:1', more: object = {}): KubeObject & { spec: unknown } => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image }] } },
    ...more,
  },
});
