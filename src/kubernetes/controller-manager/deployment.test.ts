import { describe, expect, it } from 'vitest';
import type { Deployment, ReplicaSet } from '../api/types.gen.ts';
import { fenceposts, newSetSize, proportional, type Rs, shrinkOld } from './deployment-rollout.ts';
import { deployment, type Scenario, scenario } from './scenario.test-support.ts';

const stored = (s: Scenario, name = 'web') => s.api.get('deployments', `default/${name}`) as unknown as Deployment;
const setImage = (s: Scenario, image: string) =>
  s.api.edit('deployments', 'default/web', (d) => {
    const spec = d.spec as NonNullable<Deployment['spec']>;
    return { ...d, spec: { ...spec, template: { ...spec.template, spec: { containers: [{ name: 'c', image }] } } } };
  });
const scale = (s: Scenario, replicas: number) => s.api.edit('deployments', 'default/web', (d) => ({ ...d, spec: { ...(d.spec as object), replicas } }));
const conditions = (s: Scenario) => Object.fromEntries((stored(s).status?.conditions ?? []).map((c) => [c.type, `${c.status} ${c.reason}: ${c.message}`]));

describe('a deployment', () => {
  it('makes a replica set and its pods, and says so', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 3));
    await s.wait(10);
    const [rs] = s.api.all('replicasets') as unknown as ReplicaSet[];
    expect(rs!.metadata.name).toMatch(/^web-[bcdf-hj-np-tv-z2-9]{1,10}$/);
    expect(rs!.metadata.annotations).toEqual({
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    });
    expect(s.pods()).toHaveLength(3);
    expect(stored(s).metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
    expect(stored(s).status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, observedGeneration: 1 });
    expect(conditions(s)).toEqual({
      Available: 'True MinimumReplicasAvailable: Deployment has minimum availability.',
      Progressing: `True NewReplicaSetAvailable: ReplicaSet "${rs!.metadata.name}" has successfully progressed.`,
    });
    expect(s.events('ScalingReplicaSet')).toEqual([`ScalingReplicaSet: Scaled up replica set ${rs!.metadata.name} from 0 to 3`]);
    expect(s.events('SuccessfulCreate')).toHaveLength(3);
    expect(s.loop.lateTouches).toBe(0);
  });

  it('rolls to a new template within surge and unavailability, and keeps the old set', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 4));
    await s.wait(10);
    setImage(s, 'nginx:2');
    let most = 0;
    let least = 99;
    for (let i = 0; i < 40; i++) {
      await s.wait(0.25);
      const live = s.pods().filter((p) => !p.metadata.deletionTimestamp);
      most = Math.max(most, live.length);
      least = Math.min(least, live.filter((p) => p.status?.phase === 'Running').length);
    }
    expect(most).toBe(5);
    expect(least).toBe(3);
    expect(s.pods().every((p) => p.spec?.containers[0]?.image === 'nginx:2')).toBe(true);
    const sets = s.api.all('replicasets') as unknown as ReplicaSet[];
    expect(sets.map((rs) => [rs.spec?.replicas, rs.metadata.annotations?.['deployment.kubernetes.io/revision']])).toEqual([
      [0, '1'],
      [4, '2'],
    ]);
    // Back again: the old set gets the next revision and remembers its first.
    setImage(s, 'nginx:1');
    await s.wait(10);
    const back = s.api.all('replicasets') as unknown as ReplicaSet[];
    expect(back.map((rs) => rs.spec?.replicas)).toEqual([4, 0]);
    expect(back[0]!.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '3', 'deployment.kubernetes.io/revision-history': '1' });
    expect(stored(s).metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
  });

  it('Recreate: all old pods are gone before the first new one', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 3, 'nginx:1', { strategy: { type: 'Recreate' } }));
    await s.wait(10);
    setImage(s, 'nginx:2');
    for (let i = 0; i < 60; i++) {
      await s.wait(0.1);
      expect(new Set(s.pods().map((p) => p.spec?.containers[0]?.image)).size).toBeLessThanOrEqual(1);
    }
    await s.wait(10);
    expect(s.pods().map((p) => p.spec?.containers[0]?.image)).toEqual(['nginx:2', 'nginx:2', 'nginx:2']);
  });

  it('paused, it does not roll; resumed, it does', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 2));
    await s.wait(10);
    s.api.edit('deployments', 'default/web', (d) => ({ ...d, spec: { ...(d.spec as object), paused: true } }));
    setImage(s, 'nginx:2');
    await s.wait(5);
    expect(s.api.all('replicasets')).toHaveLength(1);
    expect(conditions(s)['Progressing']).toBe('Unknown DeploymentPaused: Deployment is paused');
    s.api.edit('deployments', 'default/web', (d) => ({ ...d, spec: { ...(d.spec as object), paused: false } }));
    await s.wait(10);
    expect(s.pods().every((p) => p.spec?.containers[0]?.image === 'nginx:2')).toBe(true);
  });

  it('a rollout that gets nowhere exceeds its deadline', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 2, 'nginx:1', { progressDeadlineSeconds: 30 }));
    await s.wait(10);
    s.broken = (pod) => pod.spec?.containers[0]?.image === 'broken';
    setImage(s, 'broken');
    await s.wait(60);
    expect(conditions(s)['Progressing']).toMatch(/^False ProgressDeadlineExceeded: ReplicaSet "web-.*" has timed out progressing\.$/);
    expect(conditions(s)['Available']).toMatch(/^True/);
    const working = s.pods().filter((p) => p.status?.conditions?.[0]?.status === 'True');
    expect(working).toHaveLength(2);
  });

  it('keeps only as much history as asked', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 1, 'nginx:1', { revisionHistoryLimit: 1 }));
    for (const image of ['nginx:2', 'nginx:3', 'nginx:4']) {
      await s.wait(10);
      setImage(s, image);
    }
    await s.wait(10);
    expect((s.api.all('replicasets') as unknown as ReplicaSet[]).map((rs) => rs.spec?.template?.spec?.containers[0]?.image)).toEqual(['nginx:3', 'nginx:4']);
  });

  it('scaling makes exactly the pods wanted, however often it is changed', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 3));
    await s.wait(5);
    for (const n of [20, 1, 7, 0, 5]) {
      scale(s, n);
      await s.wait(0.05);
    }
    await s.wait(15);
    expect(s.pods()).toHaveLength(5);
  });

  it('is one world for one seed', async () => {
    const run = async () => {
      const s = await scenario({ seed: 7 });
      s.api.put('deployments', deployment('web', 5));
      await s.wait(20);
      return s.loop.hash();
    };
    expect(await run()).toBe(await run());
  });
});

const rs = (name: string, replicas: number, available: number, annotations: Record<string, string> = {}): Rs => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name, uid: name, creationTimestamp: `2026-01-05T08:00:0${name.slice(-1)}Z`, annotations },
  spec: { replicas, selector: {} },
  status: { replicas, availableReplicas: available },
});
const dep = (replicas: number, maxSurge: number | string, maxUnavailable: number | string) =>
  ({
    ...deployment('d', replicas, 'i', { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } }),
    status: { replicas },
  }) as unknown as Deployment;

describe('rollout arithmetic', () => {
  it.each([
    [10, '25%', '25%', 3, 2],
    [1, '25%', '25%', 1, 0],
    [4, 0, 0, 0, 1],
    [3, 2, '50%', 2, 1],
  ])('%i replicas, surge %s, unavailable %s', (n, surge, unavailable, s, u) => {
    expect(fenceposts(dep(n, surge, unavailable))).toEqual({ surge: s, unavailable: u });
  });

  it.each([
    // replicas, surge, sizes of old and new, expected
    [10, 2, 10, 0, 2],
    [10, 2, 5, 5, 7],
    [10, 0, 10, 0, 0],
    [10, 5, 0, 8, 10],
  ])('grows the new set: %i wanted, surge %i, old %i, new %i → %i', (n, surge, old, now, expected) => {
    const fresh = rs('rs-2', now, now);
    expect(newSetSize(dep(n, surge, 1), [rs('rs-1', old, old), fresh], fresh)).toBe(expected);
  });

  it.each([
    // replicas, maxUnavailable, old (size, available), new (size, available), expected old size
    [10, 2, [10, 10], [0, 0], 8],
    [10, 2, [8, 8], [4, 0], 8],
    [10, 2, [10, 5], [0, 0], 8],
    [10, 0, [10, 10], [2, 2], 8],
    [10, 0, [10, 10], [2, 0], 10],
  ] as [number, number, [number, number], [number, number], number][])(
    'shrinks the old: %i wanted, %i unavailable, old %j, new %j → %i',
    (n, u, old, now, expected) => {
      const before = rs('rs-1', ...old);
      const steps = shrinkOld(dep(n, 1, u), rs('rs-2', ...now), [before]);
      expect(steps.find((step) => step.rs === before)?.replicas ?? old[0]).toBe(expected);
    },
  );

  it('spreads a change of size in proportion, leftovers to the largest', () => {
    const annotations = { 'deployment.kubernetes.io/max-replicas': '12' };
    const [a, b] = [rs('rs-1', 8, 8, annotations), rs('rs-2', 4, 4, annotations)];
    const steps = proportional(dep(20, 2, 2), b, [a]);
    expect(steps.map((step) => [step.rs.metadata.name, step.replicas])).toEqual([
      ['rs-1', 15],
      ['rs-2', 7],
    ]);
  });
});
