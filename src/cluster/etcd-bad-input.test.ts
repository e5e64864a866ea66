/**
 * What people do to an etcd that they should not, and what it answers. Here: even members, a member that comes back with an old
 * state, a log torn by a power failure. Lost quorum, a removed leader and a full backend: etcdctl.test.ts. Full disks:
 * etcd-faults.test.ts. Changed logs, and restores into a cluster that runs: etcd-recovery.test.ts. Compacted revisions: the
 * transcripts in fixtures/etcd.
 */
import { expect, test } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { cluster, type Lab } from './testing.ts';

const at = (lab: Lab, names: readonly string[]): string =>
  `etcdctl --endpoints=${lab.world.cluster.etcd
    .filter(({ name }) => names.includes(name))
    .map(({ clientURL }) => clientURL)
    .join()}`;
const leaderOf = (lab: Lab): string => lab.world.cluster.etcd.find(({ member }) => member?.status().role === 'Leader')!.name;
/** All members' histories, as `endpoint hashkv` tells them. */
async function hashes(lab: Lab): Promise<Set<string>> {
  const lines = (await lab.ok('etcdctl endpoint hashkv --cluster')).trim().split('\n');
  expect(lines).toHaveLength(lab.world.cluster.etcd.length);
  return new Set(lines.map((line) => line.split(', ')[1]!));
}

test('four members stand one loss, not two; cut in the middle neither half writes, and nothing is lost', async () => {
  const lab = await cluster('etcd-4');
  await lab.ok('etcdctl put k 1');
  const leader = leaderOf(lab);
  const others = lab.world.cluster.etcd.map(({ name }) => name).filter((name) => name !== leader);
  await lab.fault({ kind: 'kill', process: `etcd@${others[0]}`, hold: true });
  expect(await lab.ok(`${at(lab, [leader])} put k 2`)).toBe('OK\n');
  await lab.fault({ kind: 'start', process: `etcd@${others[0]}` });
  await lab.wait(seconds(5));
  // Two and two: three of four are needed.
  const halves = [
    [leader, others[0]!],
    [others[1]!, others[2]!],
  ] as const;
  for (const from of halves[0])
    for (const to of halves[1]) {
      await lab.fault({ kind: 'cut', from, to });
      await lab.fault({ kind: 'cut', from: to, to: from });
    }
  await lab.wait(seconds(5));
  for (const half of halves) {
    const { stderr, exitCode } = await lab.run(`${at(lab, half)} put k lost`);
    expect(stderr).toContain('Error: context deadline exceeded');
    expect(exitCode).toBe(1);
    expect(await lab.ok(`${at(lab, half)} get k --consistency=s`)).toBe('k\n2\n');
  }
  await lab.fault({ kind: 'heal' });
  await lab.wait(seconds(10));
  expect(await lab.ok('etcdctl put k 3')).toBe('OK\n');
  await lab.wait(seconds(1));
  expect((await hashes(lab)).size).toBe(1);
});

test('a member that was away while the others folded their logs gets their state, and has the same history', async () => {
  const lab = await cluster('etcd-3');
  for (const { name } of lab.world.cluster.etcd)
    await lab.ok(`ssh ${name} "mkdir -p /etc/default; echo ETCD_SNAPSHOT_COUNT=50 > /etc/default/etcd; systemctl restart etcd"`);
  await lab.wait(seconds(5));
  const away = lab.world.cluster.etcd.map(({ name }) => name).find((name) => name !== leaderOf(lab))!;
  await lab.ok('etcdctl put before 1');
  await lab.fault({ kind: 'kill', process: `etcd@${away}`, hold: true });
  const rest = at(
    lab,
    lab.world.cluster.etcd.map(({ name }) => name).filter((name) => name !== away),
  );
  await lab.ok(`i=0; while [ $i -lt 300 ]; do ${rest} put k$((i % 7)) $i > /dev/null; i=$((i+1)); done; ${rest} del before`);
  await lab.ok(`${rest} compaction 200`);
  const seen = lab.now;
  await lab.fault({ kind: 'start', process: `etcd@${away}` });
  await lab.wait(seconds(5));
  expect(lab.world.facts(0, ({ type, at: when }) => type === 'raft.snapshot' && when >= seen).length).toBeGreaterThan(0);
  expect(await lab.ok(`${at(lab, [away])} get "" --prefix --consistency=s --keys-only`)).not.toContain('before');
  expect((await lab.run(`${at(lab, [away])} get k1 --rev=100 --consistency=s`)).stderr).toContain('required revision has been compacted');
  expect((await hashes(lab)).size).toBe(1);
});

test('power fails in the middle of a write: the torn end of the log is passed over, and what was acknowledged is there', async () => {
  const lab = await cluster('etcd-3');
  await lab.ok('i=0; while [ $i -lt 20 ]; do etcdctl put safe$i $i > /dev/null; i=$((i+1)); done');
  for (let round = 0; round < 4; round++) {
    // A write under way on slow disks: whether it is there afterwards nobody was told.
    for (const { name } of lab.world.cluster.etcd) await lab.fault({ kind: 'disk', machine: name, micros: 50_000 });
    await lab.ok(`etcdctl put torn ${round} > /dev/null 2>&1 & sleep 0.0${2 + round}`);
    for (const { name } of lab.world.cluster.etcd) await lab.fault({ kind: 'node-power', node: name, on: false });
    await lab.wait(seconds(1));
    for (const { name } of lab.world.cluster.etcd) await lab.fault({ kind: 'node-power', node: name, on: true });
    for (const { name } of lab.world.cluster.etcd) await lab.fault({ kind: 'disk', machine: name, micros: 0 });
    await lab.wait(seconds(10));
    expect((await lab.ok('etcdctl get safe --prefix --keys-only')).match(/safe/g)).toHaveLength(20);
    expect(await lab.ok('etcdctl put after 1')).toBe('OK\n');
    await lab.wait(seconds(1));
    expect((await hashes(lab)).size).toBe(1);
  }
});
