/** Users, roles, permissions: what etcdctl prints and what the members refuse. */
import { expect, test } from 'vitest';
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
      /permission denied|member not found/,
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
