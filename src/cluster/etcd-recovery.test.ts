/** Snapshots, lost and damaged data directories, restored clusters: what a person does when an etcd is in trouble, and what it answers. */
import { describe, expect, test } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { cluster, type Lab } from './testing.ts';

const CLUSTER = 'etcd-1=http://10.0.0.21:2380,etcd-2=http://10.0.0.22:2380,etcd-3=http://10.0.0.23:2380';
const ONE = 'etcdctl --endpoints=http://10.0.0.21:2379';
const fatal = (lab: Lab): readonly unknown[] => lab.world.facts(0, ({ type }) => type === 'etcd.fatal').map(({ data }) => data['message']);

describe('a snapshot', () => {
  test('is saved from one member, has a status, and becomes a new cluster with other ids', async () => {
    const lab = await cluster('etcd-3');
    await lab.ok('etcdctl put a 1; etcdctl put a 2; etcdctl put b 1; etcdctl del b; etcdctl lease grant 600 > /tmp/lease');
    await lab.ok(`etcdctl put l x --lease=$(cut -d' ' -f2 /tmp/lease)`);
    expect((await lab.run('etcdctl snapshot save snap.db')).stderr).toMatch(
      /^Error: snapshot must be requested to one selected node, not multiple \[http.*\]\n$/m,
    );
    const saved = await lab.run(`${ONE} snapshot save snap.db`);
    expect(saved.stdout).toBe('Snapshot saved at snap.db\n');
    expect(saved.stderr).toContain('"msg":"fetched snapshot"');
    expect(await lab.ok('etcdutl snapshot status snap.db')).toMatch(/^[0-9a-f]+, 6, \d+, [\d.]+ k?B\n$/);
    expect(await lab.ok('etcdutl snapshot status snap.db -w table')).toContain('| TOTAL KEYS |');
    expect((await lab.run('etcdctl snapshot status snap.db')).stderr).toBe('Deprecated: Use `etcdutl snapshot status` instead.\n\n');
    // What comes later is gone afterwards.
    await lab.ok('etcdctl put later 1');
    const before = await lab.ok('etcdctl member list');

    for (const n of [1, 2, 3]) {
      await lab.ok(`ssh etcd-${n} systemctl stop etcd`);
      await lab.ok(
        `etcdutl snapshot restore snap.db --name etcd-${n} --initial-cluster ${CLUSTER} --initial-cluster-token restored --initial-advertise-peer-urls http://10.0.0.2${n}:2380 --data-dir etcd-${n}.etcd`,
      );
      await lab.ok(
        `ssh etcd-${n} mv /var/lib/etcd /var/lib/etcd.old && scp -r etcd-${n}.etcd root@etcd-${n}:/var/lib/etcd && ssh etcd-${n} systemctl start etcd`,
      );
    }
    await lab.wait(seconds(5));
    const after = await lab.ok('etcdctl member list');
    expect(after.match(/started/g)).toHaveLength(3);
    for (const line of before.trim().split('\n')) expect(after).not.toContain(line.split(',')[0]!);
    expect(await lab.ok('etcdctl get a; etcdctl get a --rev=2; etcdctl get later; etcdctl get b')).toBe('a\n2\na\n1\n');
    expect(await lab.ok('etcdctl get "" --from-key --count-only -w fields | grep Count')).toBe('"Count" : 2\n');
    expect(await lab.ok("timeout 1 etcdctl watch '' --prefix --rev=1 || true")).toBe('PUT\na\n1\nPUT\na\n2\nPUT\nb\n1\nDELETE\nb\n\nPUT\nl\nx\n');
    expect(await lab.ok(`etcdctl lease timetolive --keys $(cut -d' ' -f2 /tmp/lease)`)).toContain('attached keys([l])');
    expect(await lab.ok('etcdctl put a 3 && etcdctl get a')).toBe('OK\na\n3\n');
    expect(lab.world.cluster.mirror.revision).toBe(7);
  });

  test('is refused when it was changed, and a directory that holds something', async () => {
    const lab = await cluster('etcd-1');
    await lab.ok('etcdctl put a 1; etcdctl snapshot save snap.db; sed 2s/a/b/ snap.db > bad.db');
    const restore = (rest: string) => lab.run(`etcdutl snapshot restore ${rest}`);
    expect((await restore('bad.db --data-dir x')).stderr).toMatch(/\nError: expected sha256 \[\d+ .*\], got \[\d+ .*\]\n$/);
    expect((await restore('nothing.db --data-dir y')).stderr).toMatch(/Error: open nothing\.db: no such file or directory\n$/);
    await lab.ok('mkdir -p full && touch full/something');
    expect((await restore('snap.db --data-dir full')).stderr).toBe('Error: data-dir "full" not empty or could not be read\n');
    expect((await restore('snap.db --data-dir z --name other')).stderr).toBe('Error: couldn\'t find local name "other" in the initial cluster configuration\n');
    const told = await lab.run('etcdctl snapshot restore snap.db --data-dir z');
    expect([told.exitCode, told.stderr.startsWith('Deprecated: Use `etcdutl snapshot restore` instead.\n\n')]).toEqual([0, true]);
  });

  test('restored under one member of a cluster that runs, it is not taken into that cluster', async () => {
    const lab = await cluster('etcd-3');
    await lab.ok(`etcdctl put a 1; ${ONE} snapshot save snap.db; etcdctl put a 2`);
    await lab.ok(`ssh etcd-1 'systemctl stop etcd; rm -rf /var/lib/etcd'`);
    await lab.ok(
      `etcdutl snapshot restore snap.db --name etcd-1 --initial-cluster ${CLUSTER} --initial-cluster-token t --initial-advertise-peer-urls http://10.0.0.21:2380 --data-dir d`,
    );
    await lab.ok('scp -r d etcd-1:/var/lib/etcd; ssh etcd-1 systemctl start etcd');
    await lab.wait(seconds(10));
    expect(await lab.ok('etcdctl --endpoints=http://10.0.0.22:2379,http://10.0.0.23:2379 get a')).toBe('a\n2\n');
    // It is alone in its cluster of three.
    expect((await lab.run(`${ONE} put a 3`)).stderr).toContain('Error: context deadline exceeded');
    expect(await lab.ok(`${ONE} get a --consistency=s`)).toBe('a\n1\n');
  });
});

describe('a member', () => {
  test('whose directory was lost is refused under its old name, and comes back as a new member', async () => {
    const lab = await cluster('etcd-3');
    await lab.wait(seconds(6));
    await lab.ok('etcdctl put a 1');
    const id = (await lab.ok('etcdctl member list'))
      .split('\n')
      .find((line) => line.includes('etcd-1'))!
      .split(',')[0]!;
    await lab.ok(`ssh etcd-1 'systemctl stop etcd; rm -rf /var/lib/etcd; systemctl start etcd'`);
    await lab.wait(seconds(3));
    expect(fatal(lab)[0]).toBe(`member ${id} has already been bootstrapped`);
    expect(await lab.ok('ssh etcd-1 journalctl -u etcd')).toContain('has already been bootstrapped');
    await lab.ok('ssh etcd-1 systemctl stop etcd');
    const rest = 'etcdctl --endpoints=http://10.0.0.22:2379,http://10.0.0.23:2379';
    await lab.ok(`${rest} member remove ${id} && ${rest} member add etcd-1 --peer-urls=http://10.0.0.21:2380`);
    await lab.wait(seconds(2));
  });

  test('that joined later and lost its directory has promised what it does not have: it panics', async () => {
    const lab = await cluster('etcd-3');
    await lab.wait(seconds(6));
    await lab.ok('etcdctl member add etcd-4 --peer-urls=http://10.0.0.24:2380');
    await lab.fault({ kind: 'add-etcd', machine: 'etcd-4' });
    await lab.wait(seconds(20));
    await lab.ok(`ssh etcd-4 'systemctl stop etcd; rm -rf /var/lib/etcd; systemctl start etcd'`);
    await lab.wait(seconds(3));
    expect(fatal(lab)[0]).toMatch(/^tocommit\(\d+\) is out of range \[lastIndex\(0\)\]\. Was the raft log corrupted, truncated, or lost\?$/);
    await lab.ok('etcdctl put k v');
  });

  test('whose log was changed does not start', async () => {
    const lab = await cluster('etcd-3');
    await lab.ok('etcdctl put a 1');
    await lab.ok(`ssh etcd-2 'systemctl stop etcd; echo rubbish >> /var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal; systemctl start etcd'`);
    await lab.wait(seconds(3));
    expect(fatal(lab)[0]).toBe('failed to read WAL, cannot be repaired: walpb: crc mismatch');
    expect((await lab.run('ssh etcd-2 systemctl is-active etcd')).stdout).toBe('inactive\n');
    await lab.ok('etcdctl put a 2');
  });
});

test('ssh says what it cannot do', async () => {
  const lab = await cluster('etcd-1');
  expect(await lab.run('ssh nowhere ls')).toMatchObject({ exitCode: 255, stderr: 'ssh: Could not resolve hostname nowhere: Name or service not known\n' });
  expect(await lab.run('ssh etcd-1 systemctl stop nothing')).toMatchObject({ exitCode: 5 });
  expect(await lab.ok("ssh root@10.0.0.21 \"hostname; ls /var/lib/etcd/member | tr '\\n' ' '\"")).toBe('etcd-1\nsnap wal ');
  await lab.fault({ kind: 'node-power', node: 'etcd-1', on: false });
  expect(await lab.run('ssh etcd-1 ls')).toMatchObject({ exitCode: 255, stderr: 'ssh: connect to host etcd-1 port 22: No route to host\n' });
});
