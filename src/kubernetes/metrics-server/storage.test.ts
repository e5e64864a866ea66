/** As metrics-server's pkg/storage tests tell: two points make a figure, a restart or a gap makes none. */
import { expect, test } from 'vitest';
import { goDuration } from './api.ts';
import { type Point, parseResourceMetrics, Storage } from './storage.ts';

const point = (at: number, cpuSeconds: number, started = 0): Point => ({
  at: at * 1000,
  cpuNanos: cpuSeconds * 1e9,
  memoryBytes: 1024,
  started: started * 1000,
});
const pod = (...containers: readonly (readonly [string, Point])[]) => ({ nodes: new Map(), pods: new Map([['default/web', new Map(containers)]]) });

test.each<[string, readonly ReturnType<typeof pod>[], Record<string, number> | undefined]>([
  ['one point of an old container', [pod(['c', point(100, 5)])], undefined],
  ['two points', [pod(['c', point(100, 5)]), pod(['c', point(115, 8)])], { c: 200_000_000 }],
  ['a container of twelve seconds', [pod(['c', point(112, 6, 100)])], { c: 500_000_000 }],
  ['a container of five seconds', [pod(['c', point(105, 2, 100)])], undefined],
  ['restarted between the two', [pod(['c', point(100, 5)]), pod(['c', point(117, 1, 101)])], undefined],
  ['the same point twice keeps the one before', [pod(['c', point(100, 5)]), pod(['c', point(115, 8)]), pod(['c', point(115, 8)])], { c: 200_000_000 }],
  ['one container of two is new', [pod(['a', point(100, 5)]), pod(['a', point(115, 8)], ['b', point(115, 1, 110)])], undefined],
])('%s', (_, batches, expected) => {
  const storage = new Storage(15_000);
  for (const batch of batches) storage.store(batch);
  const found = storage.pod('default/web');
  expect(found && Object.fromEntries([...found.containers].map(([name, { cpuNanoCores }]) => [name, cpuNanoCores]))).toEqual(expected);
});

test('the text of a kubelet is read', () => {
  const text = `# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time
container_cpu_usage_seconds_total{container="c",namespace="default",pod="web"} 4.710169 1767600100000
container_memory_working_set_bytes{container="c",namespace="default",pod="web"} 1.6990208e+07 1767600100000
container_start_time_seconds{container="c",namespace="default",pod="web"} 1.767600000123e+09
container_cpu_usage_seconds_total{container="half",namespace="default",pod="other"} 1 1767600100000
node_cpu_usage_seconds_total 357.35491 1767600100001
node_memory_working_set_bytes 1.616273408e+09 1767600100001
`;
  const { nodes, pods } = parseResourceMetrics('node-1', text);
  expect([...nodes]).toEqual([['node-1', { at: 1_767_600_100_001, cpuNanos: 357_354_910_000, memoryBytes: 1_616_273_408, started: 0 }]]);
  expect([...pods.keys()]).toEqual(['default/web']);
  expect(pods.get('default/web')?.get('c')).toEqual({ at: 1_767_600_100_000, cpuNanos: 4_710_169_000, memoryBytes: 16_990_208, started: 1_767_600_000_123 });
});

test.each([
  [15_042, '15.042s'],
  [60_000, '1m0s'],
  [15_000, '15s'],
])('%i ms is %s', (millis, text) => expect(goDuration(millis)).toBe(text));
