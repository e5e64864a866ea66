import { expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { badness } from '../containerd/memory.ts';
import { createTestNode } from './kubelet.test-support.ts';
import type { PodObject } from './pod-view.ts';
import { oomScoreAdj } from './qos.ts';

const MIB = 1024 * 1024;
const pod = (resources: object, more: object = {}): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', image: 'i', resources }], ...more },
});
const full = { cpu: '1', memory: '1Gi' };

// qos/policy_test.go's table, in proportion.
test.each([
  ['asks for nothing', pod({}), 1000],
  ['guaranteed', pod({ requests: full, limits: full }), -997],
  ['a quarter of the machine', pod({ requests: { memory: '1Gi' } }), 750],
  ['next to nothing', pod({ requests: { memory: '1' } }), 999],
  ['only processors', pod({ requests: { cpu: '1' } }), 999],
  ['all of it', pod({ requests: { memory: '4Gi' } }), 3],
  ['critical for the node', pod({}, { priority: 2_000_001_000 }), -997],
])('oom_score_adj of a pod that is %s', (_, subject, score) => {
  expect(oomScoreAdj(subject, subject.spec!.containers[0]!, 4 * 1024 * MIB)).toBe(score);
});

test('a score is what is held, and so many thousandths of all there is', () => {
  expect(badness({ memoryBytes: 100, oomScoreAdj: 500 }, 1_000)).toBe(600);
  expect(badness({ memoryBytes: 900, oomScoreAdj: -997 }, 1_000)).toBe(-97);
});

// Idle scores 4 MiB and all of the machine; burst what it holds and half of it.
test.each([
  ['who asked for nothing', 980, 'idle'],
  ['who holds most beyond what was asked for', 1_100, 'burst'],
])('between two looks of the kubelet the kernel ends %s, not who came last', async (_, mebibytes, victim) => {
  const lab = await createTestNode({ memory: 2_048 * MIB });
  await lab.run(seconds(5));
  const web = (resources: object) => ({ containers: [{ name: 'c', image: 'web:1', resources }] });
  lab.create('idle', web({}));
  lab.create('burst', web({ requests: { memory: '1Gi' } }));
  lab.create('sure', web({ requests: { cpu: '1', memory: '800Mi' }, limits: { cpu: '1', memory: '800Mi' } }));
  await lab.run(seconds(10));
  const leak = async (name: string, amount: number) => {
    const connected = lab.network.connect(lab.pod(name)!.status!.podIP!, 80);
    await lab.run(seconds(1));
    (await connected).send(`GET /leak?bytes=${amount * MIB} HTTP/1.1\r\nhost: ${name}\r\n\r\n`);
    await lab.run(seconds(1));
  };
  await leak('sure', 700);
  await leak('burst', mebibytes);
  await lab.run(seconds(2));
  for (const name of ['idle', 'burst', 'sure']) {
    const status = lab.pod(name)?.status?.containerStatuses?.[0];
    if (name === victim) expect(status).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } });
    else expect(status).toMatchObject({ restartCount: 0, lastState: {} });
  }
  expect(lab.events('node-1').filter((line) => line.startsWith('SystemOOM'))[0]).toMatch(
    /^SystemOOM: System OOM encountered, victim process: server, pid: \d+$/,
  );
});
