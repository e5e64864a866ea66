import { expect, test } from 'vitest';
import { PRESETS } from './config.ts';
import { createRaft } from './raft.ts';
import { MemoryStorage } from './storage.ts';
import type { Config } from './types.ts';

const config: Config = { id: 1, electionTick: 10, heartbeatTick: 1, random: () => 0 };

test.each<[string, Partial<Config>]>([
  ['cannot use none as id', { id: 0 }],
  ['heartbeat tick must be greater than 0', { heartbeatTick: 0 }],
  ['election tick must be greater than heartbeat tick', { electionTick: 1 }],
  ['max inflight messages must be greater than 0', { maxInflightMsgs: 0 }],
  ['max inflight bytes must be >= max message size', { maxInflightBytes: 10, maxSizePerMsg: 20 }],
  ['CheckQuorum must be enabled when ReadOnlyOption is ReadOnlyLeaseBased', { readOnly: 'lease-based' }],
])('%s', (text, wrong) => {
  expect(() => createRaft({ ...config, ...wrong }, new MemoryStorage())).toThrow(text);
});

test('a commit index that the log does not reach is refused at the start', () => {
  const storage = new MemoryStorage();
  storage.hardState = { term: 1, vote: 0, commit: 5 };
  expect(() => createRaft(config, storage)).toThrow('raft: commit 5 is out of range [0, 0]');
});

test('messages that may not come from outside are refused', () => {
  const raft = createRaft(config, new MemoryStorage());
  expect(raft.step({ type: 'MsgHup', from: 2, to: 1, term: 0 })).toBe('raft: cannot step raft local message');
  expect(raft.step({ type: 'MsgAppResp', from: 2, to: 1, term: 1 })).toBe('raft: cannot step as peer not found');
});

test('every preset waits longer for a leader than a leader waits to be heard', () => {
  for (const { heartbeat, election } of Object.values(PRESETS)) expect(election).toBeGreaterThan(heartbeat);
});
