/** Metrics from the kubelet to `kubectl top`, on a whole cluster. */
import { expect, test } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { cluster, isReady } from './testing.ts';

const STRESS =
  '{"spec":{"containers":[{"name":"stress","image":"polinux/stress","command":["stress"],"args":["--vm","1","--vm-bytes","150M","--vm-hang","1","--cpu","1"],"resources":{"limits":{"cpu":"500m","memory":"200Mi"}}}]}}';

test('without metrics-server there is no Metrics API; with it kubectl top shows what is used', async () => {
  const lab = await cluster('single');
  const none = await lab.run('kubectl top nodes');
  expect([none.exitCode, none.stderr]).toEqual([1, 'error: Metrics API not available\n']);

  await lab.ok('kubectl apply -f components.yaml');
  expect((await lab.run('kubectl top pods')).exitCode).toBe(1);
  await lab.ok(`kubectl run stress --image=polinux/stress --overrides='${STRESS}'`);
  await lab.until(() => lab.pods('k8s-app=metrics-server', 'kube-system').some(isReady), 'metrics-server is ready', seconds(120));
  await lab.until(() => lab.pods('run=stress').every(isReady), 'stress runs', seconds(60));
  await lab.wait(seconds(60));
  expect(await lab.ok('kubectl get apiservice v1beta1.metrics.k8s.io --no-headers')).toMatch(/kube-system\/metrics-server +True/);
  expect(await lab.ok('kubectl top pods')).toMatch(/^NAME +CPU\(cores\) +MEMORY\(bytes\) *\nstress +50[01]m +150Mi *\n$/);
  const nodes = await lab.ok('kubectl top nodes');
  expect(nodes).toMatch(/^NAME +CPU\(cores\) +CPU\(%\) +MEMORY\(bytes\) +MEMORY\(%\) *\n/);
  expect(nodes).toMatch(/\nnode-1 +5\d\dm +1\d% +\d+Mi +\d+%/);
  expect(await lab.ok('kubectl top pods --containers --no-headers')).toMatch(/^stress +stress +50[01]m +150Mi/);
  expect(await lab.ok('kubectl top pods -A -l k8s-app=kube-dns --sum')).toMatch(/________ +________ *\n +\d+m +\d+Mi/);
  expect(JSON.parse(await lab.ok('kubectl get --raw /apis/metrics.k8s.io/v1beta1/namespaces/default/pods/stress'))).toMatchObject({
    kind: 'PodMetrics',
    metadata: { name: 'stress', namespace: 'default', labels: { run: 'stress' } },
    window: expect.stringMatching(/^1[45]\.?\d*s$/),
    containers: [{ name: 'stress', usage: { cpu: expect.stringMatching(/^(500|499)/) } }],
  });
  expect(await lab.ok('kubectl get podmetrics')).toMatch(/^NAME +CPU +MEMORY +WINDOW *\nstress +\S+ +\d+Ki +1[45]\.?\d*s/);
  expect(await lab.ok('kubectl get --raw /api/v1/nodes/node-1/proxy/metrics/resource')).toContain('container_memory_working_set_bytes{container="stress"');
  expect(JSON.parse(await lab.ok('kubectl get --raw /api/v1/nodes/node-1/proxy/stats/summary'))).toMatchObject({
    node: { nodeName: 'node-1', cpu: { usageNanoCores: expect.any(Number) } },
  });
  const missing = await lab.run('kubectl top pod nobody');
  expect(missing.stderr).toBe('Error from server (NotFound): pods "nobody" not found\n');
  await lab.ok('kubectl run young --image=nginx');
  await lab.until(() => lab.pods('run=young').every(isReady), 'it runs', seconds(60));
  expect((await lab.run('kubectl top pod -l run=young')).stderr).toBe('error: metrics not available yet\n');
  expect((await lab.run('kubectl top pod young')).stderr).toBe('Error from server (NotFound): podmetrics.metrics.k8s.io "default/young" not found\n');
}, 60_000);

test('a topology that has metrics-server from the beginning', async () => {
  const lab = await cluster('metrics');
  await lab.until(() => lab.pods('k8s-app=metrics-server', 'kube-system').some(isReady), 'metrics-server is ready', seconds(180));
  await lab.wait(seconds(35));
  expect((await lab.ok('kubectl top nodes --no-headers')).split('\n')).toHaveLength(5);
}, 60_000);

// tasks/configure-pod-container/assign-memory-resource: killed, restarted, killed again.
test('a container that wants more memory than its limit is OOMKilled, and kubectl says so', async () => {
  const lab = await cluster('single');
  const spec = STRESS.replace('"150M"', '"250M"').replace('"200Mi"', '"100Mi"');
  await lab.ok(`kubectl run memory-demo-2 --image=polinux/stress --overrides='${spec}'`);
  await lab.until(() => (lab.pods()[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1, 'a restart', seconds(120));
  await lab.until(() => lab.pods()[0]?.status?.containerStatuses?.[0]?.state?.waiting !== undefined, 'back-off', seconds(60));
  expect(lab.pods()[0]?.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  expect(await lab.ok('kubectl describe pod memory-demo-2')).toMatch(/Last State: +Terminated\n +Reason: +OOMKilled\n +Exit Code: +137/);
}, 60_000);
