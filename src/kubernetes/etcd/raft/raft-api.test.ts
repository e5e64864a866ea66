/**
 * The types of `createRaft` are an agreement with those who replay scenarios on it: `raft-api.d.ts` states
 * it, and this file does not compile when ours differ in either direction.
 */
import { expect, test } from 'vitest';
import { createRaft } from './raft.ts';
import type * as agreed from './raft-api.d.ts';
import type * as ours from './types.ts';

/** True only when both types are the same to the compiler, optional and read-only members included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <_ extends true>(): void => {};

/** Our entries carry one thing more, which the host may keep beside the data and raft never reads. */
type Noted<T> = Omit<T, 'note'>;

test('createRaft is what raft-api.d.ts says', () => {
  const asAgreed: typeof agreed.createRaft = createRaft;
  const asOurs: typeof createRaft = asAgreed;
  expect(asOurs).toBe(createRaft);
  same<Same<agreed.NodeId, ours.NodeId>>();
  same<Same<agreed.Endpoint, ours.Endpoint>>();
  same<Same<agreed.Role, ours.Role>>();
  same<Same<agreed.MessageType, ours.MessageType>>();
  same<Same<agreed.ConfChange, ours.ConfChange>>();
  same<Same<keyof agreed.Entry, Exclude<keyof ours.Entry, 'note'>>>();
  same<Same<Pick<agreed.Entry, keyof agreed.Entry>, Pick<Noted<ours.Entry>, keyof agreed.Entry>>>();
  same<Same<agreed.ConfState, ours.ConfState>>();
  same<Same<agreed.Snapshot, ours.Snapshot>>();
  same<Same<agreed.HardState, ours.HardState>>();
  same<Same<agreed.SoftState, ours.SoftState>>();
  same<Same<keyof agreed.Message, keyof ours.Message>>();
  same<Same<Omit<agreed.Message, 'entries' | 'responses'>, Omit<ours.Message, 'entries' | 'responses'>>>();
  same<Same<keyof agreed.Storage, keyof ours.Storage>>();
  same<Same<agreed.Config, ours.Config>>();
  same<Same<agreed.TraceEvent, ours.TraceEvent>>();
  same<Same<keyof agreed.Ready, keyof ours.Ready>>();
  same<Same<agreed.Progress, ours.Progress>>();
  same<Same<agreed.Status, ours.Status>>();
  same<Same<agreed.RaftError, ours.RaftError>>();
  same<Same<keyof agreed.Raft, keyof ours.Raft>>();
  same<Same<Parameters<agreed.Raft['step']>[0]['type'], Parameters<ours.Raft['step']>[0]['type']>>();
});
