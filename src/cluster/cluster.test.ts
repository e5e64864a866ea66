/** Stories of a whole cluster, told as a person would live them. Every duration is virtual. */
import { describe, expect, test } from 'vitest';
import { minutes, ms, seconds } from '../sim/clock.ts';
import { quietHost } from '../sim/test-host.ts';
import { cluster, conditionOf, isReady, type Lab } from './testing.ts';
import { explain } from './why.ts';

const web = 'kubectl create deployment web --image=nginx --replicas=3 && kubectl rollout status deployment/web';
const allReady = (lab: Lab, count: number) => () => lab.pods('app=web').filter(isReady).length === count && lab.pods('app=web').length === count;
const nodeOf = (pod: { readonly spec?: { readonly nodeName?: string | undefined } | undefined }) => pod.spec?.nodeName;

test('boot: kubeadm’s order, every node Ready, DNS up, the control plane as static pods', async () => {
  const lab = await cluster();
  expect(lab.now).toBeLessThan(seconds(30));
  const out = await lab.ok('kubectl get nodes');
  expect(
    out
      .split('\n')
      .slice(1, 5)
      .map((line) => line.split(/\s+/).slice(0, 3).join(' ')),
  ).toEqual(['control-plane Ready control-plane', 'node-1 Ready <none>', 'node-2 Ready <none>', 'node-3 Ready <none>']);
  await lab.until(() => lab.pods('tier=control-plane', 'kube-system').filter(isReady).length === 3, 'mirror pods of the control plane');
  expect(lab.world.loop.lateTouches).toBe(0);
  const roots = lab.world.loop.trace.since(0, (fact) => fact.type === 'process.crash');
  expect(roots.map((fact) => `${fact.about}: ${fact.data.error}`)).toEqual([]);
});

test('a Deployment: pods are created, bound, pulled, started and Ready, and each step is an event in upstream’s words', async () => {
  const lab = await cluster();
  await lab.ok(web);
  await lab.until(allReady(lab, 3));
  expect(new Set(lab.pods('app=web').map(nodeOf)).size).toBe(3);
  const [pod] = lab.pods('app=web');
  const name = pod!.metadata.name!;
  const told = lab.events(`Pod/${name}`).map((event) => event.message);
  expect(told[0]).toBe(`Successfully assigned default/${name} to ${nodeOf(pod!)}`);
  expect(told[1]).toBe('Pulling image "nginx"');
  expect(told[2]).toMatch(/^Successfully pulled image "nginx" in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes\.$/);
  expect(told.slice(3)).toEqual(['Created container: nginx', 'Started container nginx']);
  expect(lab.events('Deployment/web').map((event) => event.message)).toEqual([expect.stringMatching(/^Scaled up replica set web-[a-z0-9]+ from 0 to 3$/)]);
  expect(await lab.ok('kubectl get events --field-selector reason=Scheduled')).toContain('Successfully assigned default/web-');
});

test('a pod deleted is replaced by another, never by itself', async () => {
  const lab = await cluster();
  await lab.ok(web);
  const before = lab.pods('app=web').map((pod) => pod.metadata.uid);
  await lab.ok(`kubectl delete pod ${lab.pods('app=web')[0]!.metadata.name}`);
  await lab.until(allReady(lab, 3));
  const after = lab.pods('app=web').map((pod) => pod.metadata.uid);
  expect(after.filter((uid) => before.includes(uid))).toHaveLength(2);
});

test('a node loses power: NotReady after 40 s, tainted, its pods evicted after 300 s and replaced elsewhere; back on, it is Ready again', async () => {
  const lab = await cluster();
  await lab.ok('kubectl create deployment web --image=nginx --replicas=6 && kubectl rollout status deployment/web');
  const lost = lab.pods('app=web').filter((pod) => nodeOf(pod) === 'node-2').length;
  expect(lost).toBeGreaterThan(0);
  await lab.fault({ kind: 'node-power', node: 'node-2', on: false });
  const noticed = await lab.until(() => conditionOf(lab.node('node-2'), 'Ready') === 'Unknown');
  // 40 s after its last lease renewal, which was up to 10 s before; looked at every 5 s.
  expect(noticed).toBeGreaterThanOrEqual(seconds(30));
  expect(noticed).toBeLessThanOrEqual(seconds(46));
  await lab.until(() =>
    (lab.node('node-2').spec?.taints ?? []).some((taint) => taint.key === 'node.kubernetes.io/unreachable' && taint.effect === 'NoExecute'),
  );
  const tainted = lab.now;
  expect(lab.pods('app=web').filter((pod) => pod.metadata.deletionTimestamp)).toEqual([]);
  await lab.until(
    () =>
      lab
        .pods('app=web')
        .filter((pod) => nodeOf(pod) === 'node-2')
        .every((pod) => pod.metadata.deletionTimestamp),
    'eviction',
  );
  expect(lab.now - tainted).toBeGreaterThan(seconds(295));
  expect(lab.now - tainted).toBeLessThan(seconds(320));
  await lab.until(() => lab.pods('app=web').filter((pod) => isReady(pod) && nodeOf(pod) !== 'node-2').length === 6, 'replacements elsewhere');
  expect(await lab.ok('kubectl get node node-2 --no-headers')).toMatch(/^node-2 +NotReady /);

  await lab.fault({ kind: 'node-power', node: 'node-2', on: true });
  await lab.until(() => isReady(lab.node('node-2')), 'node-2 is back');
  await lab.until(allReady(lab, 6), 'the dead pods are gone');
  expect(lab.node('node-2').spec?.taints ?? []).toEqual([]);
});

test('a killed kubelet comes back before anybody minds; a stopped one is noticed, and its containers run on', async () => {
  const lab = await cluster();
  await lab.ok(web);
  const uids = lab.pods('app=web').map((pod) => pod.metadata.uid);
  await lab.fault({ kind: 'kill', process: 'kubelet@node-1' });
  await lab.wait(minutes(2));
  expect(isReady(lab.node('node-1'))).toBe(true);
  expect(lab.pods('app=web').map((pod) => pod.metadata.uid)).toEqual(uids);

  await lab.fault({ kind: 'kill', process: 'kubelet@node-1', hold: true });
  await lab.until(() => conditionOf(lab.node('node-1'), 'Ready') === 'Unknown');
  expect(
    lab.world.cluster
      .node('node-1')!
      .runtime!.containers()
      .filter((each) => each.state === 'running' && each.config.name === 'nginx'),
  ).toHaveLength(1);
  await lab.fault({ kind: 'start', process: 'kubelet@node-1' });
  await lab.until(() => isReady(lab.node('node-1')) && allReady(lab, 3)());
  expect(lab.pods('app=web').map((pod) => pod.metadata.uid)).toEqual(uids);
});

test('cordon and drain move pods away, politely', async () => {
  const lab = await cluster();
  await lab.ok(web);
  await lab.ok('kubectl cordon node-1');
  expect(await lab.ok('kubectl get node node-1 --no-headers')).toContain('Ready,SchedulingDisabled');
  const refused = await lab.run('kubectl drain node-1');
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)');
  await lab.ok('kubectl drain node-1 --ignore-daemonsets');
  await lab.until(allReady(lab, 3));
  expect(lab.pods('app=web').map(nodeOf)).not.toContain('node-1');
  await lab.ok('kubectl uncordon node-1');
  expect(lab.node('node-1').spec?.unschedulable).toBeUndefined();
});

test('each part of the control plane is killed in turn and comes back; nothing acknowledged is lost', async () => {
  const lab = await cluster();
  await lab.ok(web);
  for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
    await lab.fault({ kind: 'kill', process: `${name}@control-plane` });
    await lab.wait(seconds(1));
    await lab.until(
      () => lab.world.cluster.nodes[0]!.runtime!.containers().some((each) => each.config.name === name && each.state === 'running'),
      `${name} runs again`,
    );
  }
  await lab.until(() => lab.pods('tier=control-plane', 'kube-system').filter(isReady).length === 3);
  for (const host of ['etcd-1', 'etcd-2', 'etcd-3']) {
    await lab.fault({ kind: 'kill', process: `etcd@${host}` });
    await lab.wait(seconds(20));
  }
  await lab.ok('kubectl scale deployment web --replicas=5');
  await lab.until(allReady(lab, 5));
  expect(new Set(lab.pods('tier=control-plane', 'kube-system').map((pod) => pod.status?.containerStatuses?.[0]?.restartCount))).toEqual(new Set([1]));
});

test('without a quorum of etcd nothing is written, and everything is there when it returns', async () => {
  const lab = await cluster();
  await lab.ok(web);
  for (const host of ['etcd-1', 'etcd-2']) await lab.fault({ kind: 'kill', process: `etcd@${host}`, hold: true });
  const refused = await lab.run('kubectl create configmap a --from-literal=x=y');
  expect(refused.exitCode).toBe(1);
  await lab.fault({ kind: 'start', process: 'etcd@etcd-1' });
  await lab.wait(seconds(30));
  await lab.ok('kubectl create configmap b --from-literal=x=y');
  await lab.until(allReady(lab, 3));
});

describe('what goes wrong in a pod', () => {
  test('an unknown image is ErrImagePull, then ImagePullBackOff', async () => {
    const lab = await cluster('single');
    await lab.ok('kubectl run broken --image=no-such-image');
    const reason = () => lab.pods()[0]?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
    const seen = new Set<string | undefined>();
    await lab.until(() => {
      seen.add(reason());
      return seen.has('ErrImagePull') && seen.has('ImagePullBackOff');
    });
    expect(lab.events('Pod/broken').map((event) => event.reason)).toContain('BackOff');
  });

  test('one that keeps failing is CrashLoopBackOff, ever more slowly', async () => {
    const lab = await cluster('single');
    await lab.ok("kubectl run crashing --image=busybox -- sh -c 'echo starting; sleep 1; exit 3'");
    const status = () => lab.pods()[0]?.status?.containerStatuses?.[0];
    await lab.until(() => status()?.state?.waiting?.reason === 'CrashLoopBackOff' && (status()?.restartCount ?? 0) >= 3);
    expect(status()?.lastState?.terminated?.exitCode).toBe(3);
    expect(await lab.ok('kubectl logs crashing --previous')).toBe('starting\n');
    const restarts = status()!.restartCount!;
    await lab.wait(minutes(20));
    // 40 s, 80 s, 160 s, then every five minutes.
    expect(status()!.restartCount! - restarts).toBeLessThanOrEqual(7);
  });

  test('one that asks for more than there is stays Pending, and says why', async () => {
    const lab = await cluster();
    await lab.ok(
      `kubectl run greedy --image=nginx --overrides='{"spec":{"containers":[{"name":"greedy","image":"nginx","resources":{"requests":{"cpu":"100"}}}]}}'`,
    );
    await lab.until(() => lab.events('Pod/greedy').some((event) => event.reason === 'FailedScheduling'));
    expect(lab.events('Pod/greedy').at(-1)!.message).toBe(
      '0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 Insufficient cpu. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.',
    );
  });
});

test('a pod reaches a Service by name, over HTTP, wherever its endpoints are', async () => {
  const lab = await cluster();
  await lab.ok(web);
  await lab.ok('kubectl expose deployment web --port=80');
  await lab.ok('kubectl run client --image=busybox -- sleep 3600 && kubectl wait --for=condition=Ready pod/client');
  expect(await lab.ok('kubectl exec client -- wget -qO- http://web')).toContain('<h1>Welcome to nginx!</h1>');
  expect(await lab.ok('kubectl exec client -- wget -qO- http://web.default.svc.cluster.local')).toContain('Welcome to nginx!');
  const unknown = await lab.run('kubectl exec client -- wget -qO- http://nobody');
  expect(unknown.exitCode).toBe(1);
  expect(unknown.stderr).toContain("wget: bad address 'nobody'");
});

describe('Why?', () => {
  test('a pod’s causes lead back to the command that was typed', async () => {
    const lab = await cluster();
    await lab.ok('kubectl create deployment web --image=nginx');
    await lab.until(allReady(lab, 1));
    const chain = explain(lab.world.loop.trace, `Pod/default/${lab.pods('app=web')[0]!.metadata.name}`);
    expect(chain.at(-1)!.sentence).toBe('Somebody typed `kubectl create deployment web --image=nginx` on the laptop.');
    expect(chain.length).toBeGreaterThan(3);
  });
  test('a replacement’s lead back to the fault', async () => {
    const lab = await cluster();
    await lab.ok(web);
    const old = new Set(lab.pods('app=web').map((pod) => pod.metadata.uid));
    await lab.fault({ kind: 'node-power', node: 'node-1', on: false });
    await lab.until(() => lab.pods('app=web').some((pod) => !old.has(pod.metadata.uid)));
    const replacement = lab.pods('app=web').find((pod) => !old.has(pod.metadata.uid))!;
    expect(explain(lab.world.loop.trace, `Pod/default/${replacement.metadata.name}`).length).toBeGreaterThan(2);
  });
});

describe('one world', () => {
  const script = [
    'kubectl create deployment web --image=nginx --replicas=4',
    'kubectl rollout status deployment/web',
    'kubectl delete pod -l app=web --wait=false',
    'kubectl get pods',
  ];
  const play = async (seed: number, host?: typeof quietHost, look = false) => {
    const lab = await cluster('three-nodes', seed, host);
    if (look) await lab.world.cluster.observable();
    for (const command of script) {
      await lab.run(command);
      if (look) {
        for (let i = 0; i < 10; i++) lab.world.observe({ method: 'GET', url: '/api/v1/pods', headers: {} });
        lab.world.observe({ method: 'GET', url: '/api/v1/pods?watch=true', headers: {} });
        lab.world.frame();
      }
    }
    await lab.fault({ kind: 'node-power', node: 'node-3', on: false });
    await lab.wait(minutes(7));
    return { hash: lab.world.hash(), late: lab.world.loop.lateTouches, session: lab.world.session, at: lab.now };
  };

  test('the same seed and inputs give the same world, however it is settled, and whether anybody looks or not', async () => {
    const first = await play(5);
    expect(first.late).toBe(0);
    expect((await play(5)).hash).toBe(first.hash);
    const quiet = await play(5, quietHost);
    expect(quiet.hash).toBe(first.hash);
    expect(quiet.late).toBe(0);
    expect((await play(5, undefined, true)).hash).toBe(first.hash);
    expect((await play(6)).hash).not.toBe(first.hash);
  });

  test('a session replayed gives the world that was recorded', async () => {
    const { Headless } = await import('../hosts/node.ts');
    const recorded = await play(7);
    const replay = new Headless(recorded.session);
    await replay.world.run(recorded.at - ms(1));
    await replay.world.run(recorded.at);
    expect(replay.world.hash()).toBe(recorded.hash);
  });
});
