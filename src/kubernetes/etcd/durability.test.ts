/**
 * Nothing is promised before it is on disk: the rule that everything acknowledged rests on (Raft thesis 3.8, 10.2.1). A member
 * that spoke first would be caught by nothing else here, since a crash between its word and its disk is rare.
 */
import { describe, expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { forever } from '../../sim/process.ts';
import type { Message } from './raft/types.ts';
import { TestCluster, type TestMember } from './testing.test-support.ts';

/** Wires much faster than the disks (0.5 to 1.5 ms a write): a word given too early arrives while the disk still works. */
const FAST = 10;

/** From now on, of a batch that was being written at a crash nothing has reached the disk: the worst a disk may do. */
function losesUnsynced({ disk }: TestMember): void {
  const recover = disk.recover.bind(disk);
  disk.recover = (rng) => {
    disk.write({ entries: [] });
    recover(rng);
  };
}

describe('every member dies at the instant a client is told that its write is done', () => {
  // Whichever member stays away afterwards, the other two are a majority and must know of the write.
  test.each([0, 1, 2])('without member %i they come back with what was acknowledged', async (away) => {
    let told = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const cluster = new TestCluster(seed);
      cluster.latency = FAST;
      for (const member of cluster.members) losesUnsynced(member);
      await cluster.loop.run(seconds(4));
      expect(cluster.leader()).toBeDefined();
      const acknowledged: string[] = [];
      cluster.loop.spawn('client', async () => {
        // At the leader, as the answer leaves: no way back on which the disks could catch up.
        const put = async (key: string) => {
          await cluster.leader()!.etcd!.server.put({ key, value: 'here' });
          acknowledged.push(key);
        };
        for (let i = 0; i < 3; i++) await put(`/k/${i}`);
        for (const member of cluster.members) cluster.kill(member);
        await forever();
      });
      await cluster.loop.run(seconds(5));
      expect(acknowledged).toHaveLength(3);
      const back = cluster.members.filter((_, i) => i !== away);
      for (const member of back) cluster.start(member);
      await cluster.loop.run(seconds(20));
      for (const { etcd, name } of back) for (const key of acknowledged) expect(etcd!.store.get(key)?.value, `${key} at ${name}, seed ${seed}`).toBe('here');
      told += acknowledged.length;
    }
    expect(told).toBe(90);
  });
});

test('every vote and every acknowledgement that leaves a member is on its disk by then, through elections and crashes', async () => {
  const counted = { acknowledgements: 0, votes: 0, candidacies: 0 };
  const early: string[] = [];
  for (let seed = 1; seed <= 8; seed++) {
    const cluster: TestCluster = new TestCluster(seed, 3, {
      send: (url, sent) => {
        const message = sent as Message;
        const from = cluster.members.find(({ id }) => id === message.from);
        if (from) {
          const { storage } = from.disk;
          const { term, vote } = storage.initialState().hardState;
          const says = `${message.type} of term ${message.term} from ${from.name}, seed ${seed}`;
          if (message.type === 'MsgAppResp' && !message.reject) {
            counted.acknowledgements++;
            if ((message.index ?? 0) > storage.lastIndex()) early.push(`${says}: entry ${message.index}, on disk are ${storage.lastIndex()}`);
            if (message.term > term) early.push(`${says}: on disk is term ${term}`);
          } else if (message.type === 'MsgVoteResp' && !message.reject) {
            counted.votes++;
            if (term !== message.term || vote !== message.to) early.push(`${says} for ${message.to}: on disk is a vote for ${vote} in term ${term}`);
          } else if (message.type === 'MsgVote') {
            counted.candidacies++;
            if (term !== message.term || vote !== message.from) early.push(`${says}: on disk is a vote for ${vote} in term ${term}`);
          }
        }
        const to = cluster.members.find(({ name }) => url.includes(`//${name}:`))!;
        cluster.loop.after(FAST, () => to.etcd?.step(message));
      },
    });
    cluster.loop.spawn('client', async (self) => {
      for (let i = 0; ; i++) {
        await self.clock.sleep(4_000 + self.rng.between(0, 4_000));
        // Three at once, and not waited for: several writes are under way when somebody dies.
        for (const key of ['a', 'b', 'c'])
          cluster
            .leader()
            ?.etcd?.server.put({ key: `/k/${key}${i % 50}`, value: String(i) })
            .catch(() => {});
      }
    });
    for (let second = 3; second <= 9; second += 3) {
      await cluster.loop.run(seconds(second));
      const leader = cluster.leader();
      if (!leader) continue;
      cluster.kill(leader);
      await cluster.loop.run(seconds(second) + seconds(2));
      cluster.start(leader);
    }
    await cluster.loop.run(seconds(13));
    expect(cluster.loop.broken).toBeUndefined();
  }
  expect(early.slice(0, 5)).toEqual([]);
  // It has looked at many, of each kind.
  expect(counted.acknowledgements).toBeGreaterThan(10_000);
  expect(counted.votes).toBeGreaterThan(20);
  expect(counted.candidacies).toBeGreaterThan(20);
});
