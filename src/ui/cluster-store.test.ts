import { expect, test } from 'vitest';
import type { Frame, PodRecord } from '../hosts/protocol.ts';
import { createClusterStore } from './cluster-store.ts';
import { allThings } from './objects.ts';

const record = (index: number, over: Partial<PodRecord> = {}): PodRecord => ({
  index,
  uid: `u${index}`,
  namespace: 'default',
  name: `web-${index}`,
  owner: 'Deployment/web',
  labels: { app: 'web' },
  createdAt: 0,
  ...over,
});
const frame = (over: Partial<Frame>): Frame => ({
  type: 'frame',
  now: 0,
  events: 0,
  reset: false,
  nodes: [],
  removedNodes: [],
  pods: [],
  removedPods: [],
  podChanges: new Int32Array(),
  podDetails: [],
  services: [],
  removedServices: [],
  members: [],
  happenings: [],
  ...over,
});

test('a pod waits, is bound, and goes; its neighbours keep their rows', () => {
  const cluster = createClusterStore('three-nodes');
  cluster.applyFrame(frame({ reset: true, pods: [record(0), record(1)], podChanges: Int32Array.of(0, -1, 0, 1, 0, 0, 1, -1, 1, 1, 0, 0) }), 10);
  expect(cluster.pods.byNode.get(-1)).toEqual([0, 1]);
  cluster.applyFrame(frame({ podChanges: Int32Array.of(0, 2, 5, 0, 16, 1) }), 20);
  expect(cluster.pods.byNode.get(-1)).toEqual([1]);
  expect(cluster.pods.at(2, 5)).toBe(0);
  expect(cluster.pods.restarts[0]).toBe(1);
  cluster.applyFrame(frame({ removedPods: [0] }), 30);
  expect(cluster.pods.at(2, 5)).toBeUndefined();
  expect(cluster.pods.ghosts).toHaveLength(1);
  expect(cluster.pods.count).toBe(1);
  expect(allThings(cluster).map((thing) => thing.id)).toEqual(['u1']);
});

test('a replacement with the same name is another pod', () => {
  const cluster = createClusterStore('three-nodes');
  cluster.applyFrame(frame({ reset: true, pods: [record(0, { name: 'db-0' })], podChanges: Int32Array.of(0, 1, 0, 0, 0, 0) }), 0);
  cluster.applyFrame(frame({ pods: [record(1, { name: 'db-0' })], podChanges: Int32Array.of(1, 1, 1, 1, 0, 0), removedPods: [0] }), 10);
  expect(cluster.pods.byUid.get('u0')).toBeUndefined();
  expect(cluster.pods.byUid.get('u1')).toBe(1);
});

test('rows grow past the first allocation', () => {
  const cluster = createClusterStore('three-nodes');
  const many = Array.from({ length: 1000 }, (_, index) => record(index));
  cluster.applyFrame(
    frame({ reset: true, pods: many, podChanges: Int32Array.from(many.flatMap(({ index }) => [index, index % 7, Math.floor(index / 7), 0, 0, 0])) }),
    0,
  );
  expect(cluster.pods.count).toBe(1000);
  expect(cluster.pods.at(999 % 7, Math.floor(999 / 7))).toBe(999);
});

test('a filter leaves bright what it matches; no filter dims nothing', () => {
  const cluster = createClusterStore('three-nodes');
  cluster.applyFrame(
    frame({
      reset: true,
      pods: [record(0), record(1, { namespace: 'shop', labels: { app: 'api' } })],
      podChanges: Int32Array.of(0, 1, 0, 0, 0, 0, 1, 1, 1, 3, 0, 0),
    }),
    0,
  );
  expect(cluster.bright('', [])).toBeUndefined();
  expect(cluster.bright('app=web', [])?.count).toBe(1);
  expect(cluster.bright('', ['shop'])?.mask[1]).toBe(1);
  expect(cluster.bright('status:failed', ['default'])?.count).toBe(0);
});

test('a reset forgets what came before', () => {
  const cluster = createClusterStore('three-nodes');
  cluster.applyFrame(frame({ reset: true, pods: [record(0)] }), 0);
  cluster.applyFrame(frame({ reset: true, pods: [record(0, { uid: 'other' })] }), 10);
  expect(cluster.pods.count).toBe(1);
  expect(cluster.pods.byUid.has('u0')).toBe(false);
});
