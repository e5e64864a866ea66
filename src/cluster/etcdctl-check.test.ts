/** etcdctl's own checks of a cluster, and the pages of etcdutl. */
import { expect, test } from 'vitest';
import { ms } from '../sim/clock.ts';
import { cluster } from './testing.ts';

test('a healthy cluster passes the small load; one whose disks are slow does not', async () => {
  const lab = await cluster('etcd-3');
  const good = await lab.run('etcdctl check perf --auto-compact --auto-defrag');
  expect(good.stdout).toMatch(/100\.00% 1m0s\nCompacting with revision \d+\n/);
  expect(good.stdout).toMatch(/PASS: Throughput is 15\d writes\/s\nPASS: Slowest request took 0\.0\d+s\nPASS: Stddev is 0\.00\d+s\nPASS\n$/);
  expect(good.exitCode).toBe(0);
  expect(await lab.ok('etcdctl get "" --prefix --keys-only')).toBe('');
  for (const { name } of lab.world.cluster.etcd) await lab.fault({ kind: 'disk', machine: name, micros: ms(400) });
  const bad = await lab.run('etcdctl check perf');
  expect([bad.exitCode, bad.stdout.split('\n').at(-2)]).toEqual([1, 'FAIL']);
  expect(bad.stdout).toContain('Slowest request took too long');
  expect((await lab.run('etcdctl check perf --load=huge')).stderr).toBe('Error: unknown load option huge\n');
  await lab.ok('etcdctl put /etcdctl-check-perf/x 1');
  expect((await lab.run('etcdctl check perf')).stderr).toBe(
    'Error: prefix "/etcdctl-check-perf/" has keys. Delete with etcdctl del --prefix /etcdctl-check-perf/ first\n',
  );
});

test('etcdutl has pages of its own', async () => {
  const lab = await cluster('etcd-1');
  expect(await lab.ok('etcdutl version')).toBe('etcdutl version: 3.5.21\nAPI version: 3.5\n');
  expect(await lab.ok('etcdutl')).toContain('An administrative command line tool for etcd3.');
  expect(await lab.ok('etcdutl snapshot restore --help')).toContain('etcdutl snapshot restore <filename> --data-dir {output dir} [options]');
  expect((await lab.run('etcdutl nothing')).stderr).toContain('unknown command "nothing" for "etcdutl"');
  expect((await lab.run('etcdctl endpoint health -w protobuf')).stderr).toContain('Error: protobuf not supported as output format');
});
