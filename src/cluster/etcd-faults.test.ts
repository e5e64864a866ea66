/** Faults of etcd, one story each: what breaks, what is answered meanwhile, and that nothing acknowledged is lost. */
import { describe, expect, test } from 'vitest';
import type { Fault } from '../hosts/protocol.ts';
import { ms, seconds } from '../sim/clock.ts';
import type { EtcdHost } from './etcd-host.ts';
import { cluster, type Lab } from './testing.ts';

/** The one that leads in the highest term. */
function leaderOf(lab: Lab): EtcdHost {
  const leaders = lab.world.cluster.etcd.filter(({ member, machine }) => machine.isRunning('etcd') && member?.status().role === 'Leader');
  return leaders.sort((a, b) => b.member!.status().term - a.member!.status().term)[0]!;
}
const others = (lab: Lab, host: EtcdHost): EtcdHost[] => lab.world.cluster.etcd.filter((each) => each !== host);
const ctl = (...hosts: readonly EtcdHost[]): string => `etcdctl --endpoints=${hosts.map(({ clientURL }) => clientURL).join()}`;
const term = (host: EtcdHost): number => host.member!.status().term;

/** Every member holds the same, as their own hashes say. */
async function agree(lab: Lab): Promise<void> {
  const lines = (await lab.ok('etcdctl endpoint hashkv')).trim().split('\n');
  expect(new Set(lines.map((line) => line.split(', ')[1])).size, lines.join('\n')).toBe(1);
}

test('an isolated leader takes a write that nobody else hears of, and forgets it when it is back', async () => {
  const lab = await cluster('etcd-3');
  await lab.ok('etcdctl put k old');
  const old = leaderOf(lab);
  const rest = others(lab, old);
  await lab.fault({ kind: 'partition', groups: [[old.name, 'laptop'], rest.map(({ name }) => name)] });
  const lost = await lab.run(`${ctl(old)} put k lost`);
  expect(lost.stderr).toContain('Error: context deadline exceeded');
  expect(await lab.ok(`${ctl(old)} get k --consistency=s`)).toBe('k\nold\n');
  await lab.fault({ kind: 'partition', groups: [[old.name], [...rest.map(({ name }) => name), 'laptop']] });
  await lab.wait(seconds(3));
  const now = leaderOf(lab);
  expect(now).not.toBe(old);
  await lab.ok(`${ctl(...rest)} put k new`);
  await lab.fault({ kind: 'heal' });
  await lab.wait(seconds(3));
  expect(await lab.ok(`${ctl(old)} get k`)).toBe('k\nnew\n');
  expect(old.member!.status().role).toBe('Follower');
  await agree(lab);
});

test('a member that hears nothing but is heard does not depose the leader, thanks to PreVote', async () => {
  const lab = await cluster('etcd-3');
  const leader = leaderOf(lab);
  const [deaf, other] = others(lab, leader) as [EtcdHost, EtcdHost];
  const before = term(leader);
  for (const from of [leader, other]) await lab.fault({ kind: 'cut', from: from.name, to: deaf.name });
  await lab.wait(seconds(10));
  expect(leaderOf(lab)).toBe(leader);
  expect(deaf.member!.status()).toMatchObject({ role: 'PreCandidate', term: before });
  await lab.ok(`${ctl(leader)} put k v`);
  for (const from of [leader, other]) await lab.fault({ kind: 'mend', from: from.name, to: deaf.name });
  await lab.wait(seconds(3));
  expect([leaderOf(lab), term(leader)]).toEqual([leader, before]);
  expect(await lab.ok(`${ctl(deaf)} get k`)).toBe('k\nv\n');
});

test('a leader that is heard but hears nobody steps down, and the others elect one', async () => {
  const lab = await cluster('etcd-3');
  const old = leaderOf(lab);
  for (const { name } of others(lab, old)) await lab.fault({ kind: 'cut', from: name, to: old.name });
  await lab.wait(seconds(6));
  expect(leaderOf(lab)).not.toBe(old);
  expect(old.member!.status().role).not.toBe('Leader');
  await lab.fault({ kind: 'heal' });
  await lab.wait(seconds(2));
  await lab.ok('etcdctl put k v');
  await agree(lab);
});

test('a paused leader is replaced; awake again it takes what waited at its sockets and follows', async () => {
  const lab = await cluster('etcd-3');
  const old = leaderOf(lab);
  const before = term(old);
  await lab.fault({ kind: 'pause', process: `etcd@${old.name}`, on: true });
  const { stderr } = await lab.run(`${ctl(old)} put k paused`);
  expect(stderr).toContain('context deadline exceeded');
  expect(leaderOf(lab) === old && term(leaderOf(lab)) === before).toBe(false);
  await lab.ok(`${ctl(...others(lab, old))} put k while`);
  // It stands still in every respect.
  expect(old.member!.status()).toMatchObject({ role: 'Leader', term: before });
  await lab.fault({ kind: 'pause', process: `etcd@${old.name}`, on: false });
  await lab.wait(seconds(3));
  expect(old.member!.status()).toMatchObject({ role: 'Follower', term: term(leaderOf(lab)) });
  // The request that waited was only heard now: it may have been done, after the other one.
  expect(await lab.ok(`${ctl(old)} get k`)).toMatch(/^k\n(while|paused)\n$/);
  await agree(lab);
});

test('a leader whose disk takes three seconds for a sync loses its place, and gives it back nothing it promised', async () => {
  const lab = await cluster('etcd-3');
  const old = leaderOf(lab);
  await lab.ok('etcdctl put k 1');
  await lab.fault({ kind: 'disk', machine: old.name, micros: seconds(3) });
  await lab.run(`${ctl(old)} put k 2`);
  await lab.wait(seconds(10));
  expect(leaderOf(lab)).not.toBe(old);
  await lab.ok(`${ctl(leaderOf(lab))} put k 3`);
  await lab.fault({ kind: 'disk', machine: old.name, micros: 0 });
  await lab.wait(seconds(10));
  expect(await lab.ok(`${ctl(old)} get k`)).toBe('k\n3\n');
  await agree(lab);
});

test('a follower with a slow disk holds nobody up', async () => {
  const lab = await cluster('etcd-3');
  const leader = leaderOf(lab);
  const [slow] = others(lab, leader) as [EtcdHost];
  await lab.fault({ kind: 'disk', machine: slow.name, micros: ms(200) });
  const from = lab.now;
  await lab.ok(`${ctl(leader)} put k v`);
  expect(lab.now - from).toBeLessThan(seconds(1));
  expect(leaderOf(lab)).toBe(leader);
});

test('a member whose disk is full ends with the sentence of the real one, again and again, until there is room', async () => {
  const lab = await cluster('etcd-3');
  const leader = leaderOf(lab);
  const [full] = others(lab, leader) as [EtcdHost];
  await lab.fault({ kind: 'disk-full', machine: full.name, on: true });
  await lab.wait(seconds(2));
  // Nothing has been written yet.
  expect(full.machine.isRunning('etcd')).toBe(true);
  await lab.ok(`${ctl(leader)} put k v`);
  await lab.wait(seconds(1));
  expect(full.machine.isRunning('etcd')).toBe(false);
  const said = lab.world.facts(0, ({ type }) => type === 'etcd.fatal').map(({ data }) => data['message']);
  expect(said[0]).toMatch(/^failed to save Raft hard state and entries: .*: no space left on device$/);
  expect((await lab.run(`${ctl(full)} put k w`)).exitCode).toBe(1);
  await lab.fault({ kind: 'disk-full', machine: full.name, on: false });
  await lab.wait(seconds(12));
  expect(await lab.ok(`${ctl(full)} get k`)).toBe('k\nv\n');
});

test.each([300, 3000])('clocks at %i permille of their speed cost time, not safety', async (permille) => {
  const lab = await cluster('etcd-3');
  const leader = leaderOf(lab);
  const [other] = others(lab, leader) as [EtcdHost];
  await lab.fault({ kind: 'clock', machine: leader.name, permille });
  await lab.fault({ kind: 'clock', machine: other.name, permille: 1300 - Math.floor(permille / 3) });
  for (let i = 0; i < 5; i++) {
    await lab.ok(`etcdctl put k ${i}`);
    await lab.wait(seconds(3));
  }
  expect(await lab.ok('etcdctl get k')).toBe('k\n4\n');
  const elected = lab.world.facts(0, ({ type, data }) => type === 'raft.role' && data['role'] === 'Leader').map(({ data }) => data['term']);
  expect(new Set(elected).size).toBe(elected.length);
  await lab.fault({ kind: 'clock', machine: leader.name, permille: 1000 });
  await lab.fault({ kind: 'clock', machine: other.name, permille: 1000 });
  await lab.wait(seconds(3));
  await agree(lab);
});

test('messages that get lost, come twice and overtake each other slow the members down and divide them in nothing', async () => {
  const lab = await cluster('etcd-3');
  const faults: Fault[] = [];
  for (const { name: from } of lab.world.cluster.etcd)
    for (const { name: to } of lab.world.cluster.etcd)
      if (from !== to)
        faults.push({ kind: 'loss', from, to, percent: 20 }, { kind: 'duplicate', from, to, percent: 30 }, { kind: 'reorder', from, to, micros: ms(30) });
  for (const fault of faults) await lab.fault(fault);
  // A proposal that got lost on its way to the leader is the client's to repeat.
  for (let i = 0; i < 20; i++) await lab.ok(`until etcdctl --command-timeout=30s put k${i} ${i} 2>/dev/null; do sleep 1; done`);
  for (const fault of faults) await lab.fault({ ...fault, ...('percent' in fault ? { percent: 0 } : { micros: 0 }) } as Fault);
  await lab.wait(seconds(5));
  expect((await lab.ok('etcdctl get k --prefix --keys-only')).split('\n').filter(Boolean)).toHaveLength(20);
  await agree(lab);
});

test('power fails everywhere at the instant a write is acknowledged: it is there afterwards', async () => {
  const lab = await cluster('etcd-3');
  await lab.ok('etcdctl put k v');
  for (const { name } of lab.world.cluster.etcd) await lab.fault({ kind: 'node-power', node: name, on: false });
  for (const { name } of lab.world.cluster.etcd) await lab.fault({ kind: 'node-power', node: name, on: true });
  await lab.wait(seconds(25));
  expect(await lab.ok('etcdctl get k')).toBe('k\nv\n');
});

describe('single messages', () => {
  async function inFlight(lab: Lab, type: string) {
    const { world } = lab;
    for (let i = 0; i < 5_000; i++) {
      const found = world.cluster.raftInFlight().find((each) => each.type === type);
      if (found) return found;
      await world.run(world.now + 50);
    }
    throw new Error(`no ${type} was ever under way`);
  }

  test('are seen under way, can be taken off and held back', async () => {
    const lab = await cluster('etcd-3');
    const beat = await inFlight(lab, 'MsgHeartbeat');
    expect(beat).toMatchObject({ from: leaderOf(lab).name, term: term(leaderOf(lab)), entries: 0 });
    expect(beat.arrivesAt).toBeGreaterThan(beat.sentAt);
    await lab.fault({ kind: 'raft-drop', id: beat.id });
    expect(lab.world.cluster.raftInFlight().some(({ id }) => id === beat.id)).toBe(false);
    await expect(lab.fault({ kind: 'raft-drop', id: beat.id })).rejects.toThrow(RangeError);
    const late = await inFlight(lab, 'MsgHeartbeat');
    await lab.fault({ kind: 'raft-delay', id: late.id, micros: ms(250) });
    await lab.wait(ms(200));
    expect(lab.world.cluster.raftInFlight().find(({ id }) => id === late.id)?.arrivesAt).toBe(late.arrivesAt + ms(250));
    await lab.wait(ms(60));
    expect(lab.world.cluster.raftInFlight().some(({ id }) => id === late.id)).toBe(false);
    await lab.ok('etcdctl put k v');
  });

  test('a timer made to run out asks for votes it does not get while the others hear their leader', async () => {
    const lab = await cluster('etcd-3');
    const leader = leaderOf(lab);
    const before = term(leader);
    const [other] = others(lab, leader) as [EtcdHost];
    await lab.fault({ kind: 'raft-timeout', member: other.name });
    expect((await inFlight(lab, 'MsgPreVote')).from).toBe(other.name);
    await lab.wait(seconds(3));
    expect([leaderOf(lab), term(leader)]).toEqual([leader, before]);
    expect(other.member!.status().role).toBe('Follower');
  });
});

test.each<[Fault, string]>([
  [{ kind: 'loss', from: 'etcd-1', to: 'laptop', percent: 10 }, 'there is no etcd on "laptop"; there is on etcd-1, etcd-2, etcd-3'],
  [{ kind: 'cut', from: 'etcd-1', to: 'nowhere' }, 'there is no machine "nowhere"'],
  [{ kind: 'disk', machine: 'laptop', micros: 1 }, 'there is no etcd on "laptop"'],
  [{ kind: 'pause', process: 'nothing@etcd-1', on: true }, 'etcd-1 has neither a service nor a running container called nothing'],
  [{ kind: 'clock', machine: 'etcd-1', permille: 0 }, 'the fault clock needs "permille", a whole number of thousandths, from 1 to 1000000'],
  [{ kind: 'loss', from: 'etcd-1', to: 'etcd-2', percent: 101 }, 'the fault loss needs "percent", a whole number from 0 to 100'],
  [{ kind: 'raft-delay', id: 0, micros: 5 }, "no message 0 is under way between etcd's members"],
])('%j is refused', async (fault, message) => {
  const lab = await cluster('etcd-3');
  await expect(lab.fault(fault)).rejects.toThrow(message);
});
