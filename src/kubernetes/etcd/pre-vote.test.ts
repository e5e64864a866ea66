/** What PreVote is for (Raft thesis 9.6): a member that is back after hearing nobody must not depose a leader that everybody else follows. */
import { expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { TestCluster } from './testing.test-support.ts';

test.each([true, false])('a member hears nobody for ten seconds; preVote %s', async (preVote) => {
  const cluster = new TestCluster(1, 3, { preVote });
  await cluster.loop.run(seconds(4));
  const leader = cluster.leader()!;
  const deaf = cluster.members.find((each) => each !== leader)!;
  const { term } = leader.etcd!.status();
  for (const { name } of cluster.members) if (name !== deaf.name) cluster.cutWays.add(`${name}>${deaf.name}`);
  await cluster.loop.run(seconds(14));
  // Those who hear their leader ignore the candidate (thesis 6.4.1): it stays alone with its terms.
  expect(leader.etcd!.status()).toMatchObject({ role: 'Leader', term });
  if (preVote) expect(deaf.etcd!.status()).toMatchObject({ role: 'PreCandidate', term });
  else expect(deaf.etcd!.status().term).toBeGreaterThan(term + 3);
  cluster.heal();
  await cluster.loop.run(seconds(18));
  const after = cluster.leader()!.etcd!.status().term;
  if (preVote) expect(after).toBe(term);
  else expect(after).toBeGreaterThan(term + 3);
  expect(new Set(cluster.members.map(({ etcd }) => etcd!.status().lead)).size).toBe(1);
});
