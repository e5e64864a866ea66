import { expect, test } from 'vitest';
import type { Breakpoint, ConsensusPicture } from '../hosts/protocol.ts';
import { ms, seconds } from '../sim/clock.ts';
import { watchBreakpoints } from './breakpoints.ts';
import { ConsensusLens, objectOf } from './consensus.ts';
import { cluster, type Lab } from './testing.ts';

const memberOf = (picture: ConsensusPicture, name: string) => picture.members.find((member) => member.name === name)!;
const leaderOf = (picture: ConsensusPicture) => picture.members.find(({ role, state }) => role === 'Leader' && state === 'running')!;

async function group(topology: string): Promise<{ lab: Lab; look: () => ConsensusPicture }> {
  const lab = await cluster(topology);
  const lens = new ConsensusLens(lab.world.cluster);
  let last = lens.picture()!;
  return {
    lab,
    look: () => {
      last = lens.picture() ?? last;
      return last;
    },
  };
}

test('a picture tells roles, terms, logs and what the leader knows; the next tells only what is new', async () => {
  const { lab, look } = await group('etcd-3');
  const first = look();
  const leader = leaderOf(first);
  expect(leader.progress.map(({ match }) => match)).toEqual([leader.last, leader.last]);
  expect(first.logs.map(({ member }) => member)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
  expect(first.logs[0]?.terms).toHaveLength(leader.last);
  expect(first.entries).toHaveLength(leader.last);
  expect(first.window).toEqual({ first: 1, last: 40, newest: leader.last });
  expect(await lab.ok('etcdctl put color blue')).toBe('OK\n');
  await lab.wait(seconds(1));
  const next = look();
  expect(next.entries).toEqual([{ term: leader.term, index: leader.last + 1, verb: 'put', about: 'color' }]);
  expect(new ConsensusLens(lab.world.cluster).entry('etcd-1', leader.last + 1)).toMatchObject({ value: 'blue', about: 'color', also: [] });
  expect(new ConsensusLens(lab.world.cluster).entry('etcd-1', 999)).toBeUndefined();
  const sent = next.sent.filter(({ from, kind }) => from === leader.name && kind === 'MsgHeartbeat');
  expect(sent.map(({ to }) => to)).toHaveLength(2);
  expect(sent.every(({ count }) => count >= 9)).toBe(true);
});

test('nothing new is no picture', async () => {
  const { lab } = await group('etcd-1');
  const lens = new ConsensusLens(lab.world.cluster);
  expect(lens.picture()).toBeDefined();
  expect(lens.picture()).toBeUndefined();
});

test('looking changes nothing: the same seed has the same history with and without an onlooker', async () => {
  const told = async (watch: boolean): Promise<string> => {
    const lab = await cluster('etcd-3', 4);
    const lens = watch ? new ConsensusLens(lab.world.cluster) : undefined;
    if (watch) watchBreakpoints(lab.world.cluster, [{ kind: 'term-above', term: 99 }], () => undefined);
    for (let i = 0; i < 20; i++) {
      await lab.wait(ms(333));
      lens?.picture();
    }
    return lab.world.hash();
  };
  expect(await told(true)).toBe(await told(false));
});

test('a member that was stopped keeps what was last seen of it', async () => {
  const { lab, look } = await group('etcd-3');
  const { name, last, term } = leaderOf(look());
  await lab.fault({ kind: 'kill', process: `etcd@${name}`, hold: true });
  expect(memberOf(look(), name)).toMatchObject({ state: 'stopped', last, term });
  await lab.wait(seconds(4));
  expect(leaderOf(look()).term).toBeGreaterThan(term);
  await lab.fault({ kind: 'node-power', node: name, on: false });
  expect(memberOf(look(), name).state).toBe('off');
});

test('faults are seen: cuts, a slow disk, a fast clock, a paused process, a learner', async () => {
  const { lab, look } = await group('etcd-3');
  await lab.fault({ kind: 'cut', from: 'etcd-1', to: 'etcd-2' });
  await lab.fault({ kind: 'loss', from: 'etcd-3', to: 'etcd-1', percent: 30 });
  await lab.fault({ kind: 'disk', machine: 'etcd-3', micros: 50_000 });
  await lab.fault({ kind: 'clock', machine: 'etcd-2', permille: 2_000 });
  await lab.fault({ kind: 'pause', process: 'etcd@etcd-1', on: true });
  const picture = look();
  expect(picture.cut).toEqual([['etcd-1', 'etcd-2']]);
  expect(picture.weather).toEqual([{ from: 'etcd-3', to: 'etcd-1', loss: 30, duplicate: 0, reorder: 0 }]);
  expect(memberOf(picture, 'etcd-3').disk).toBe(50_000);
  expect(memberOf(picture, 'etcd-2').clock).toBe(2_000);
  expect(memberOf(picture, 'etcd-1').state).toBe('paused');
  await lab.fault({ kind: 'pause', process: 'etcd@etcd-1', on: false });
  await lab.fault({ kind: 'heal' });
  await lab.wait(seconds(6));
  await lab.fault({ kind: 'add-etcd', machine: 'etcd-4' });
  await lab.wait(seconds(1));
  expect(['joining', 'stopped']).toContain(memberOf(look(), 'etcd-4').state);
  await lab.ok('etcdctl member add etcd-4 --learner --peer-urls=http://10.0.0.24:2380');
  await lab.until(() => memberOf(look(), 'etcd-4').state === 'running', 'the learner runs');
  await lab.until(() => memberOf(look(), 'etcd-4').learner, 'it knows it is one');
});

test.each<[Breakpoint, RegExp]>([
  [{ kind: 'two-leaders' }, /^Two leaders: etcd-\d of term \d+ and etcd-\d of term \d+\.$/],
  [{ kind: 'term-above', term: 2 }, /^Term 3 is above 2: etcd-\d has reached it\.$/],
  [{ kind: 'fact', fact: 'raft.role' }, /^raft\.role EtcdMember\/etcd-\d$/],
])('the clock stops when %o comes true', async (breakpoint, sentence) => {
  const { lab, look } = await group('etcd-5');
  const leader = leaderOf(look());
  const said: string[] = [];
  watchBreakpoints(lab.world.cluster, [breakpoint], (_, text) => said.push(text));
  for (const { name } of look().members)
    if (name !== leader.name)
      for (const [from, to] of [
        [leader.name, name],
        [name, leader.name],
      ] as const)
        await lab.fault({ kind: 'cut', from, to });
  const from = lab.now;
  await lab.wait(seconds(20));
  expect(said[0]).toMatch(sentence);
  expect(lab.now).toBeLessThan(from + seconds(20));
  if (breakpoint.kind === 'two-leaders') expect(look().members.filter(({ role }) => role === 'Leader')).toHaveLength(2);
});

test('the clock stops at the commit of the next entry', async () => {
  const { lab, look } = await group('etcd-3');
  const { commit } = leaderOf(look());
  const said: string[] = [];
  watchBreakpoints(lab.world.cluster, [{ kind: 'commit-advances' }], (_, text) => said.push(text));
  await lab.world.input({ type: 'run', id: 1_000, command: 'etcdctl put a b' });
  await lab.wait(seconds(5));
  expect(said[0]).toMatch(new RegExp(`^Entry ${commit + 1} is committed on etcd-\\d\\.$`));
  expect(look().members.filter((member) => member.commit === commit + 1)).toHaveLength(1);
});

test.each([
  ['/registry/pods/default/web-1', { kind: 'Pod', namespace: 'default', name: 'web-1' }],
  ['/registry/minions/node-1', { kind: 'Node', namespace: '', name: 'node-1' }],
  ['/registry/services/specs/default/api', { kind: 'Service', namespace: 'default', name: 'api' }],
  ['color', undefined],
])('%s is %o', (key, object) => {
  expect(objectOf(key)).toEqual(object);
});

test('a message on its way is seen, and dropped while the world stands', async () => {
  const { lab } = await group('etcd-3');
  const lens = new ConsensusLens(lab.world.cluster);
  let picture = lens.picture()!;
  while (picture.messages.length < 2) {
    await lab.world.run(lab.now + seconds(1), { maxEvents: 1 });
    picture = lens.picture() ?? picture;
  }
  const [first, second] = picture.messages;
  expect(first!.arrivesAt).toBeGreaterThanOrEqual(picture.now);
  await lab.fault({ kind: 'raft-drop', id: first!.id });
  expect(lens.picture()?.messages.map(({ id }) => id)).not.toContain(first!.id);
  await lab.fault({ kind: 'raft-delay', id: second!.id, micros: 1_000_000 });
  expect(lens.picture()?.messages.find(({ id }) => id === second!.id)?.arrivesAt).toBe(second!.arrivesAt + 1_000_000);
});
