/** The objects in etcd, read and written by hand from the laptop: what is there is what the API server keeps; rubbish hurts nobody. */
import { expect, test } from 'vitest';
import { minutes, seconds } from '../sim/clock.ts';
import { cluster } from './testing.ts';

test('objects are read under /registry, and history is bounded by compaction every five minutes', async () => {
  const lab = await cluster('single');
  await lab.ok('kubectl create deployment web --image=nginx --replicas=2');
  await lab.until(() => lab.pods('app=web').filter((pod) => pod.status?.phase === 'Running').length === 2);
  const name = lab.pods('app=web')[0]!.metadata.name!;
  const keys = (await lab.ok('etcdctl get /registry/pods/default/ --prefix --keys-only')).split('\n').filter(Boolean);
  expect(keys).toContain(`/registry/pods/default/${name}`);
  const [key, text] = (await lab.ok(`etcdctl get /registry/pods/default/${name}`)).split('\n');
  expect(key).toBe(`/registry/pods/default/${name}`);
  const stored = JSON.parse(text!) as { kind: string; metadata: { name: string; uid: string; resourceVersion?: string } };
  expect(stored).toMatchObject({ kind: 'Pod', metadata: { name, uid: await lab.ok(`kubectl get pod ${name} -o jsonpath={.metadata.uid}`) } });
  // The key's own revision is the object's resourceVersion.
  expect(stored.metadata.resourceVersion).toBeUndefined();
  expect(/"ModRevision" : (\d+)/.exec(await lab.ok(`etcdctl get ${key} -w fields`))?.[1]).toBe(
    await lab.ok(`kubectl get pod ${name} -o jsonpath={.metadata.resourceVersion}`),
  );

  // An hour with a quarter of the writes of a busy cluster must not grow the stores for ever.
  await lab.wait(minutes(11));
  const compactions = await lab.ok('etcdctl get compact_rev_key -w fields');
  expect(Number(/"Version" : (\d+)/.exec(compactions)?.[1])).toBeGreaterThanOrEqual(2);
  for (const { member } of lab.world.cluster.etcd) expect(member!.store.compacted).toBeGreaterThan(100);
  expect((await lab.run(`etcdctl get ${key} --rev=5`)).stderr).toContain('required revision has been compacted');
  expect((await lab.run('kubectl get pods --watch --resource-version=5 2>&1 || true')).stdout).not.toBe('');

  // Rubbish of every kind, where every consumer looks.
  const rubbish = ['nonsense', '42', 'null', '[]', '"text"', '{}', '{"metadata":null}', '{"metadata":{}}', '{"kind":"Pod","metadata":{"name":"x"}}'];
  for (const where of [
    'pods/default',
    'minions',
    'services/specs/default',
    'deployments/default',
    'events/default',
    'endpointslices/default',
    'namespaces',
    'apiregistration.k8s.io/apiservices',
    'clusterroles',
    'leases/kube-node-lease',
  ])
    for (const [i, value] of rubbish.entries()) await lab.ok(`etcdctl put /registry/${where}/rubbish-${i} '${value}' > /tmp/out`);
  lab.world.frame();
  await lab.wait(seconds(30));
  lab.world.frame();
  expect(lab.world.loop.broken).toBeUndefined();
  expect(lab.world.facts(0, ({ type }) => type === 'process.crash').map(({ about, data }) => [about, data['error'], data['stack']])).toEqual([]);
  await lab.world.cluster.observable();
  expect(lab.world.observe({ method: 'GET', url: '/api/v1/pods', headers: {} }).status).toBe(200);
  await lab.ok('kubectl get pods');
  await lab.ok('kubectl get nodes');
  await lab.ok('kubectl scale deployment web --replicas=3');
  await lab.until(() => lab.pods('app=web').filter((pod) => pod.status?.phase === 'Running').length === 3, 'a third pod', seconds(120));
  await lab.ok('etcdctl del /registry/pods/default/rubbish --prefix');
  lab.world.frame();
  // A node's agent that stands still is missed.
  await lab.fault({ kind: 'pause', process: 'kubelet@node-1', on: true });
  await lab.until(
    () => lab.node('node-1').status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'Unknown') ?? false,
    'NotReady',
    seconds(60),
  );
  await lab.fault({ kind: 'pause', process: 'kubelet@node-1', on: false });
  await lab.until(
    () => lab.node('node-1').status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    'Ready',
    seconds(60),
  );
  await lab.fault({ kind: 'pause', process: 'kube-apiserver@control-plane', on: true });
  expect((await lab.run('kubectl get pods --request-timeout=5s')).exitCode).toBe(1);
  await lab.fault({ kind: 'pause', process: 'kube-apiserver@control-plane', on: false });
  await lab.ok('kubectl get pods');
}, 120_000);
