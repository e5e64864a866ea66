/** What a person may tell a member in its environment file, and the sets of times for lessons. */
import { describe, expect, test } from 'vitest';
import { minutes, ms, seconds } from '../sim/clock.ts';
import { readFlags } from './etcd-flags.ts';
import { cluster, type Lab } from './testing.ts';

test.each<[string, string]>([
  ['ETCD_ELECTION_TIMEOUT=150', '--election-timeout[150ms] should be at least as 5 times as --heartbeat-interval[100ms]'],
  ['ETCD_ELECTION_TIMEOUT=60000', '--election-timeout[60000ms] is too long, and should be set less than 50000ms'],
  ['ETCD_HEARTBEAT_INTERVAL=0', '--heartbeat-interval must be >0 (set to 0ms)'],
  ['ETCD_AUTO_COMPACTION_MODE=x', 'unknown auto-compaction-mode "x"'],
  ['ETCD_PRE_VOTE=perhaps', 'invalid boolean value "perhaps" for ETCD_PRE_VOTE: parse error'],
  ['ETCD_QUOTA_BACKEND_BYTES=big', 'error setting flag --quota-backend-bytes from environment variable ETCD_QUOTA_BACKEND_BYTES: invalid value "big"'],
])('%s is refused', (text, message) => {
  expect(() => readFlags(text)).toThrow(message);
});

test('values are read as a shell would', () => {
  expect(readFlags('# times\nETCD_HEARTBEAT_INTERVAL="50"\nETCD_ELECTION_TIMEOUT=500\nETCD_PRE_VOTE=false\nETCD_AUTO_COMPACTION_RETENTION=2\n')).toEqual({
    options: { timing: { heartbeat: 50, election: 500 }, preVote: false },
    autoCompaction: { mode: 'periodic', retention: minutes(120) },
  });
});

async function configure(lab: Lab, lines: string): Promise<void> {
  for (const { name } of lab.world.cluster.etcd)
    await lab.ok(`ssh ${name} "mkdir -p /etc/default; echo '${lines}' | tr ' ' '\\n' > /etc/default/etcd; systemctl restart etcd"`);
  await lab.wait(seconds(5));
}

describe('auto-compaction', () => {
  test.each<[string, number, number]>([
    ['ETCD_AUTO_COMPACTION_MODE=revision ETCD_AUTO_COMPACTION_RETENTION=10', 6, 91],
    ['ETCD_AUTO_COMPACTION_RETENTION=10m', 22, 101],
  ])('%s', async (lines, after, revision) => {
    const lab = await cluster('etcd-3');
    await configure(lab, lines);
    await lab.ok('i=0; while [ $i -lt 100 ]; do etcdctl put k $i > /dev/null; i=$((i+1)); done');
    await lab.wait(minutes(after));
    for (const { member } of lab.world.cluster.etcd) expect(member!.store.compacted).toBe(revision);
    expect(await lab.ok('etcdctl get k')).toBe('k\n99\n');
  });
});

test('a member refuses times that do not fit, and says so in its log', async () => {
  const lab = await cluster('etcd-1');
  await configure(lab, 'ETCD_ELECTION_TIMEOUT=150');
  expect((await lab.run('etcdctl get k')).exitCode).toBe(1);
  expect(await lab.ok('ssh etcd-1 journalctl -u etcd')).toContain('--election-timeout[150ms] should be at least as 5 times as --heartbeat-interval[100ms]');
});

test('a small quota is full soon', async () => {
  const lab = await cluster('etcd-1');
  await configure(lab, 'ETCD_QUOTA_BACKEND_BYTES=60000');
  await lab.ok('seq 1 7000 > /tmp/big; etcdctl put k < /tmp/big');
  expect((await lab.run('etcdctl put l < /tmp/big')).stderr).toContain('database space exceeded');
});

/** How long the others take to find a new leader when theirs dies. */
describe('a new leader gives a lease', () => {
  test.each<[string, string, number, number]>([
    ['its full time again', '', 890, 900],
    // Written down after five minutes, two minutes before the leader is lost.
    ['what was written down of it', 'ETCD_EXPERIMENTAL_ENABLE_LEASE_CHECKPOINT=true', 590, 600],
  ])('%s', async (_, lines, least, most) => {
    const lab = await cluster('etcd-3');
    if (lines !== '') await configure(lab, lines);
    const lease = /^lease (\S+) granted/.exec(await lab.ok('etcdctl lease grant 900'))![1]!;
    const left = async (): Promise<number> => Number(/remaining\((\d+)s\)/.exec(await lab.ok(`etcdctl lease timetolive ${lease}`))![1]);
    await lab.wait(minutes(7));
    expect(await left()).toBeLessThan(481);
    await election(lab);
    expect(await left()).toBeGreaterThan(least - 5);
    expect(await left()).toBeLessThanOrEqual(most);
    if (lines === '') return;
    // Renewed, it has all of its time again, and that outlives a leader too.
    await lab.ok(`etcdctl lease keep-alive --once ${lease}`);
    await election(lab);
    expect(await left()).toBeGreaterThan(890);
  });
});

async function election(lab: Lab): Promise<number> {
  const hosts = lab.world.cluster.etcd;
  const old = hosts.find(({ member }) => member?.status().role === 'Leader')!;
  await lab.fault({ kind: 'kill', process: `etcd@${old.name}`, hold: true });
  const from = lab.now;
  while (!hosts.some((host) => host !== old && host.member?.status().role === 'Leader')) await lab.wait(ms(5));
  const took = lab.now - from;
  await lab.fault({ kind: 'start', process: `etcd@${old.name}` });
  await lab.wait(seconds(3));
  return took / ms(1);
}

test.each<['etcd' | 'teaching' | 'classroom', number, number]>([
  ['etcd', 900, 2_500],
  ['teaching', 50, 700],
  ['classroom', 1_200, 4_000],
])('elections with the times of %s take between %i and %i ms', async (preset, least, most) => {
  const lab = await cluster('etcd-3');
  await lab.fault({ kind: 'etcd-timing', preset });
  await lab.wait(seconds(10));
  const took: number[] = [];
  for (let i = 0; i < 8; i++) took.push(await election(lab));
  const median = took.sort((a, b) => a - b)[4]!;
  expect(median).toBeGreaterThan(least);
  expect(median).toBeLessThan(most);
  await lab.ok('etcdctl put k v');
});
