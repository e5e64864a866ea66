import { expect, test } from 'vitest';
import { minutes, seconds } from '../../sim/clock.ts';
import { createTestNode, type TestNode } from './kubelet.test-support.ts';

const statusOf = (node: TestNode) => node.pod('p')?.status?.containerStatuses?.[0];
const remove = (node: TestNode, grace: number): void =>
  node.api.edit('pods', 'default/p', (pod) => ({
    ...pod,
    metadata: { ...pod.metadata, deletionTimestamp: '2026-01-05T08:00:30Z', deletionGracePeriodSeconds: grace },
  }));

// kuberuntime_container.go killContainer: minimumGracePeriodInSeconds.
test.each([0, 1, 2, 5])('a program that does not hear TERM has %i seconds, and never less than two', async (grace) => {
  const node = await createTestNode();
  node.create('p', { terminationGracePeriodSeconds: grace, containers: [{ name: 'c', image: 'tool', args: ['sleep', '3600'] }] });
  await node.run(seconds(10));
  remove(node, grace);
  const began = node.loop.now;
  const seen = await node.watch(() => node.runtime.containers().filter(({ state }) => state === 'running').length, seconds(10));
  const ended = seen.find(([, running]) => running === 0)![0] - Math.round(began / 100_000) / 10;
  expect(ended).toBeGreaterThanOrEqual(Math.max(2, grace) - 0.1);
  expect(ended).toBeLessThan(Math.max(2, grace) + 0.4);
});

// lifecycle/handlers.go Run and handlers_test.go.
test.each([
  [
    { exec: { command: ['exit', '3'] } },
    'Exec lifecycle hook ([exit 3]) for Container "c" in Pod "p_default(uid-p)" failed - error: command \'exit 3\' exited with 3: exiting 3\n, message: "exiting 3\\n"',
  ],
  [
    { httpGet: { path: '/x', port: 81 } },
    /^HTTP lifecycle hook \(\/x\) for Container "c" in Pod "p_default\(uid-p\)" failed - error: Get "http:\/\/10\.\d+\.\d+\.\d+:81\/x": dial tcp 10\.\d+\.\d+\.\d+:81: connect: connection refused$/,
  ],
])('a postStart hook that fails: %j', async (postStart, message) => {
  const node = await createTestNode();
  node.create('p', { terminationGracePeriodSeconds: 2, containers: [{ name: 'c', image: 'web:1', lifecycle: { postStart } }] });
  const seen = await node.watch(() => statusOf(node)?.state?.waiting, seconds(8));
  const waiting = seen.map(([, state]) => state).find((state) => state?.reason === 'PostStartHookError');
  if (typeof message === 'string') expect(waiting?.message).toBe(message);
  else expect(waiting?.message).toMatch(message);
  expect(node.events('p')).toEqual(expect.arrayContaining(['FailedPostStartHook: PostStartHook failed', 'Killing: FailedPostStartHook']));
});

test('a preStop hook asks the container before it is told to end; one that fails is told of', async () => {
  const node = await createTestNode();
  const preStop = (path: string, port: number) => ({ lifecycle: { preStop: { httpGet: { path, port } } } });
  node.create('p', {
    containers: [
      { name: 'c', image: 'web:1', ...preStop('sick', 80) },
      { name: 'd', image: 'tool', args: ['sleep', '3600'], ...preStop('/', 99) },
    ],
  });
  await node.run(seconds(10));
  remove(node, 3);
  await node.run(seconds(10));
  expect(node.events('p').filter((line) => line.includes('PreStop'))).toEqual(['FailedPreStopHook: PreStopHook failed']);
});

test('a program that is not there never started', async () => {
  const node = await createTestNode();
  node.create('p', { restartPolicy: 'Never', containers: [{ name: 'c', image: 'tool', command: ['nothing'] }] });
  await node.run(seconds(5));
  expect(statusOf(node)?.state?.terminated).toMatchObject({ reason: 'StartError', exitCode: 128, startedAt: '1970-01-01T00:00:00Z' });
});

// client-go flowcontrol.Backoff: forgotten after twice its longest wait without a failure.
test('who ran for ten minutes before failing starts over with the shortest wait', async () => {
  const node = await createTestNode();
  node.create('p', { restartPolicy: 'OnFailure', containers: [{ name: 'c', image: 'web:1' }] });
  await node.run(seconds(5));
  const crash = async () => {
    const id = node.runtime.containers().find(({ state }) => state === 'running')!.id;
    void node.runtime.exec(id, ['exit', '0'], { stdout: () => {}, stderr: () => {} });
    void node.runtime.stopContainer(id, 0);
    await node.run(seconds(3));
  };
  const waits = () => node.events('p').filter((line) => line.startsWith('BackOff'));
  await crash();
  expect(statusOf(node)?.restartCount).toBe(1);
  await crash();
  expect(statusOf(node)?.state?.waiting?.message).toMatch(/^back-off 10s restarting failed container=c/);
  await node.run(seconds(15));
  await crash();
  expect(statusOf(node)?.state?.waiting?.message).toMatch(/^back-off 20s restarting/);
  await node.run(minutes(11));
  const before = waits().length;
  await crash();
  expect(statusOf(node)).toMatchObject({ state: { running: {} }, restartCount: 4 });
  expect(waits()).toHaveLength(before);
  await crash();
  expect(statusOf(node)?.state?.waiting?.message).toMatch(/^back-off 10s restarting/);
});
