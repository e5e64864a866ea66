/** Users, roles, permissions: what etcdctl prints and what the members refuse. */
import { expect, test } from 'vitest';
import type { Member } from '../kubernetes/etcd/member.ts';
import { cluster } from './testing.ts';

test('users and roles are made, counted and taken away', async () => {
  const lab = await cluster('etcd-3');
  const error = async (command: string): Promise<string> => (await lab.run(command)).stderr.split('\n').find((line) => line.startsWith('Error')) ?? '';
  expect(await lab.ok('etcdctl auth status')).toBe('Authentication Status: false\nAuthRevision: 1\n');
  expect(await error('etcdctl auth enable')).toBe('Error: etcdserver: root user does not exist');
  expect(await lab.ok('etcdctl user add root:secret')).toBe('User root created\n');
  expect(await error('etcdctl user add root:secret')).toBe('Error: etcdserver: user name already exists');
  expect(await error('etcdctl user add :x')).toBe('Error: empty user name is not allowed');
  expect(await lab.ok('printf "pw\\npw\\n" | etcdctl user add ann --interactive=false')).toBe('User ann created\n');
  expect(await lab.ok('etcdctl user list')).toBe('ann\nroot\n');
  expect(await lab.ok('etcdctl role add reader')).toBe('Role reader created\n');
  expect(await error('etcdctl role add reader')).toBe('Error: etcdserver: role name already exists');
  expect(await lab.ok('etcdctl role grant-permission reader read a/ --prefix')).toBe('Role reader updated\n');
  expect(await lab.ok('etcdctl role grant-permission reader readwrite b')).toBe('Role reader updated\n');
  expect(await error('etcdctl role grant-permission reader some b')).toBe('Error: invalid permission type: some');
  expect(await lab.ok('etcdctl role get reader')).toBe('Role reader\nKV Read:\n\t[a/, a0) (prefix a/)\n\tb\nKV Write:\n\tb\n');
  expect(await error('etcdctl role get none')).toBe('Error: etcdserver: role name not found');
  expect(await lab.ok('etcdctl user grant-role ann reader')).toBe('Role reader is granted to user ann\n');
  expect(await error('etcdctl user grant-role bob reader')).toBe('Error: etcdserver: user name not found');
  expect(await lab.ok('etcdctl user get ann')).toBe('User: ann\nRoles: reader\n');
  expect(await lab.ok('etcdctl user get ann --detail')).toContain('User: ann\n\nRole reader\nKV Read:\n');
  // What is printed as JSON: the header, and what there is.
  expect(JSON.parse(await lab.ok('etcdctl user get ann -w json'))).toMatchObject({ roles: ['reader'] });
  await lab.ok('etcdctl put a/1 x; etcdctl put c x');
  // root is given its role on the way.
  expect(await lab.ok('etcdctl auth enable')).toBe('Authentication Enabled\n');

  expect(await error('etcdctl get a/1')).toBe('Error: etcdserver: user name is empty');
  const wrong = await lab.run('etcdctl --user ann:no get a/1');
  expect([wrong.exitCode, wrong.stderr.includes('Error: etcdserver: authentication failed, invalid user ID or password')]).toEqual([2, true]);
  const ann = 'etcdctl --user ann:pw';
  expect(await lab.ok(`${ann} get a/ --prefix`)).toBe('a/1\nx\n');
  expect(await lab.ok('etcdctl --user ann --password pw get a/1')).toBe('a/1\nx\n');
  expect(await lab.ok(`${ann} put b y`)).toBe('OK\n');
  for (const refused of ['put a/1 y', 'get c', 'get a --prefix', 'del b c', 'user list', 'auth disable', 'member remove 1', 'snapshot save x'])
    expect((await lab.run(`${ann} ${refused.startsWith('snapshot') ? '--endpoints http://10.0.0.21:2379 ' : ''}${refused}`)).stderr, refused).toMatch(
      /permission denied/,
    );
  expect((await lab.run(`${ann} txn <<< $'mod("c") = "0"\\n\\nput b z\\n\\n\\n'`)).stderr).toContain('permission denied');
  expect(await lab.ok(`${ann} user get ann`)).toBe('User: ann\nRoles: reader\n');
  expect((await lab.run(`timeout 2 ${ann} watch c`)).stderr).toContain('etcdserver: permission denied');
  const root = 'etcdctl --user root:secret';
  expect(await lab.ok(`${root} get c`)).toBe('c\nx\n');
  expect(await error(`${root} user delete root`)).toBe('Error: etcdserver: invalid auth management');
  expect(await lab.ok(`${root} role revoke-permission reader a/ --prefix`)).toBe('Permission of range [a/, a0) is revoked from role reader\n');
  expect((await lab.run(`${ann} get a/1`)).stderr).toContain('permission denied');
  expect(await lab.ok(`${root} user revoke-role ann reader`)).toBe('Role reader is revoked from user ann\n');
  expect(await lab.ok(`echo new | ${root} user passwd ann --interactive=false`)).toBe('Password updated\n');
  expect((await lab.run(`${ann} get b`)).exitCode).toBe(2);
  expect(await lab.ok(`${root} role get root`).catch(() => 'none')).toContain('[, <open ended>');
  // All of it survives a restart, and a snapshot of the store.
  for (const { name } of lab.world.cluster.etcd) await lab.fault({ kind: 'kill', process: `etcd@${name}` });
  await lab.wait(10_000_000);
  expect(await error('etcdctl get b')).toBe('Error: etcdserver: user name is empty');
  expect(await lab.ok(`${root} auth disable`)).toBe('Authentication Disabled\n');
  expect(await lab.ok('etcdctl --user ann:whatever get b')).toBe('b\ny\n');
});

test('what a user may do is looked at when it is done, not when it is asked', async () => {
  const lab = await cluster('etcd-3');
  await lab.ok(
    'etcdctl user add root:r; etcdctl user add ann:a; etcdctl role add w; etcdctl role grant-permission w readwrite a; etcdctl user grant-role ann w',
  );
  await lab.ok('etcdctl auth enable');
  const leader = lab.world.cluster.etcd.find(({ member }) => member?.status().role === 'Leader')!;
  const server = leader.member!.server;
  const as = (user: string, password: string) => server.as(user, password);
  const refused = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'done',
      (error: Error) => error.message,
    );
  // Without a quorum nobody is told that he may not: it is never decided.
  for (const { name } of lab.world.cluster.etcd.filter((host) => host !== leader)) await lab.fault({ kind: 'pause', process: `etcd@${name}`, on: true });
  const denied = lab.run(`etcdctl --endpoints=${leader.clientURL} --user ann:a put b 1`);
  expect((await denied).stderr).not.toContain('permission denied');
  for (const { name } of lab.world.cluster.etcd.filter((host) => host !== leader)) await lab.fault({ kind: 'pause', process: `etcd@${name}`, on: false });
  await lab.wait(10_000_000);
  expect((await lab.run('etcdctl --user ann:a put b 1')).stderr).toContain('permission denied');
  // The right is taken away in an entry just before: the write that comes after it is refused, though it was asked for when it was still allowed.
  const now = lab.world.cluster.etcd.find(({ member }) => member?.status().role === 'Leader')!.member as Member;
  const revoked = refused(now.propose({ type: 'auth', operation: { what: 'role-revoke', role: 'w', key: 'a', rangeEnd: '' } }));
  const written = refused(now.server.as('ann', 'a').put({ key: 'a', value: 'late' }));
  await lab.wait(2_000_000);
  expect([await revoked, await written]).toEqual(['done', 'etcdserver: revision of auth store is old']);
  expect(await lab.ok('etcdctl --user root:r get a')).toBe('');
  // Through etcdctl it is asked again, and refused for what it is.
  expect((await lab.run('etcdctl --user ann:a put a late')).stderr).toContain('Error: etcdserver: permission denied');
  expect(() => as('ann', 'wrong')).toThrow('authentication failed');
});

test('a lease that keeps what a user may not write can neither be revoked by that user nor be given more', async () => {
  const lab = await cluster('etcd-1');
  await lab.ok(
    'etcdctl user add root:r; etcdctl user add ann:a; etcdctl role add w; etcdctl role grant-permission w readwrite a; etcdctl user grant-role ann w',
  );
  await lab.ok('etcdctl auth enable');
  const lease = /^lease (\S+) granted/.exec(await lab.ok('etcdctl --user root:r lease grant 600'))![1]!;
  await lab.ok(`etcdctl --user ann:a put a mine --lease=${lease}`);
  await lab.ok(`etcdctl --user root:r put b not --lease=${lease}`);
  expect((await lab.run(`etcdctl --user ann:a put a more --lease=${lease}`)).stderr).toContain('permission denied');
  expect((await lab.run(`etcdctl --user ann:a lease revoke ${lease}`)).stderr).toContain('permission denied');
  expect((await lab.run(`etcdctl lease revoke ${lease}`)).stderr).toContain('user name is empty');
  // The members themselves revoke what has run out, whoever may write it.
  await lab.wait(700_000_000);
  expect(await lab.ok('etcdctl --user root:r get "" --prefix')).toBe('');
});
