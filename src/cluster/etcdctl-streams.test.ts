/** What etcdctl does for as long as it runs: watches a person talks with, mirrors, bytes. */
import { expect, test } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { cluster } from './testing.ts';

test('an interactive watch takes commands as they come, and says how far it is when asked', async () => {
  const lab = await cluster('etcd-3');
  await lab.ok('etcdctl put a 1');
  const typed = ['watch a', 'progress', '', 'watch --prefix b', 'progress', 'other'].map(
    (line) => `${line === '' ? 'etcdctl put a 2 > /dev/null' : `echo ${line}`}; sleep 1`,
  );
  await lab.ok(`( ${typed.join('; ')} ) | etcdctl watch -i > /tmp/out 2> /tmp/err; echo $? > /tmp/code`);
  // Both watches answer the second time.
  expect(await lab.ok('cat /tmp/out')).toBe('progress notify: 2\nPUT\na\n2\nprogress notify: 3\nprogress notify: 3\n');
  expect(await lab.ok('cat /tmp/err')).toBe('Invalid command other (only support watch)\nError: error reading watch request line: EOF\n');
  expect(await lab.ok('cat /tmp/code')).toBe('3\n');
});

test('a watch that asked for it is told how far the store is while nothing changes', async () => {
  const lab = await cluster('etcd-1');
  await lab.ok('timeout 1500 etcdctl watch a --progress-notify > /tmp/out; true');
  // Every ten minutes (--experimental-watch-progress-notify-interval).
  expect(await lab.ok('cat /tmp/out')).toBe('progress notify: 1\nprogress notify: 1\n');
});

test('make-mirror copies what is there and then every change, until the past it needs is gone', async () => {
  const lab = await cluster('etcd-1');
  await lab.ok('etcdctl put app/a 1; etcdctl put app/b 2; etcdctl put other 3');
  const mirror = 'etcdctl make-mirror --prefix app/ --dest-prefix copy/ http://10.0.0.21:2379';
  await lab.ok(`${mirror} > /tmp/out 2> /tmp/err & sleep 1`);
  expect(await lab.ok('etcdctl get copy/ --prefix')).toBe('copy/a\n1\ncopy/b\n2\n');
  await lab.ok("printf '\\nput app/c 3\\ndel app/a\\n\\n\\n' | etcdctl txn; sleep 1");
  expect(await lab.ok('etcdctl get copy/ --prefix')).toBe('copy/b\n2\ncopy/c\n3\n');
  // One transaction there is one here.
  const revisions = (await lab.ok('etcdctl get copy/c -w fields')).match(/"ModRevision" : (\d+)/)?.[1];
  expect((await lab.ok(`etcdctl get copy/a --rev=${Number(revisions) - 1}`)).length).toBeGreaterThan(0);
  expect(await lab.ok(`etcdctl get copy/a --rev=${revisions}`)).toBe('');
  // How many it has copied, every half minute.
  await lab.wait(seconds(31));
  expect(await lab.ok('cat /tmp/out')).toBe('4\n');
  const late = await lab.run('etcdctl compaction 5; etcdctl make-mirror --rev 2 --prefix app/ --dest-prefix copy/ http://10.0.0.21:2379');
  expect(late.stderr).toContain('Error: etcdserver: mvcc: required revision has been compacted');
  expect(late.exitCode).toBe(1);
});

test('an address where nobody listens is waited for, until the command has no more time', async () => {
  const lab = await cluster('etcd-1');
  const from = lab.now;
  const { stderr, exitCode } = await lab.run('etcdctl --endpoints=10.0.0.21:9999 get a');
  expect(lab.now - from).toBeGreaterThanOrEqual(seconds(5));
  expect(stderr.match(/"level":"warn"/g)).toHaveLength(1);
  expect(stderr).toContain(
    'rpc error: code = DeadlineExceeded desc = latest balancer error: last connection error: connection error: desc = \\"transport: Error while dialing: dial tcp 10.0.0.21:9999: connect: connection refused\\"',
  );
  expect(stderr).toContain('Error: context deadline exceeded');
  expect(exitCode).toBe(1);
  // With one that answers there is nothing to say.
  expect(await lab.run('etcdctl --endpoints=10.0.0.21:9999,10.0.0.21:2379 put a 1')).toMatchObject({ stdout: 'OK\n', stderr: '' });
  expect(await lab.run('etcdctl --endpoints= get a')).toMatchObject({ stderr: 'Error: etcdclient: no available endpoints\n', exitCode: 2 });
});
