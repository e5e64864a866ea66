/**
 * Membership changes (paper 6, thesis 4), as pure functions from one configuration to the next.
 *
 * One voter at a time needs no joint phase, because any two majorities still overlap (thesis 4.1). Larger
 * changes go through a joint configuration, in which both majorities must agree, and leave it by a second
 * entry (thesis 4.3). Rules and refusals are those of etcd-io/raft, confchange/confchange.go.
 */
import type { Voters } from './quorum.ts';
import type { ConfChange, ConfState, NodeId } from './types.ts';

export interface Configuration extends Voters {
  readonly learners: readonly NodeId[];
  /** Voters of the outgoing half that become learners when the joint phase ends. */
  readonly learnersNext: readonly NodeId[];
  /** The leader itself proposes to leave the joint configuration. */
  readonly autoLeave: boolean;
}

const sorted = (ids: Iterable<NodeId>): NodeId[] => [...ids].sort((a, b) => a - b);

export const configurationOf = (state: ConfState): Configuration => ({
  incoming: sorted(state.voters),
  outgoing: sorted(state.votersOutgoing),
  learners: sorted(state.learners),
  learnersNext: sorted(state.learnersNext),
  autoLeave: state.autoLeave,
});

export const confStateOf = (configuration: Configuration): ConfState => ({
  voters: [...configuration.incoming],
  votersOutgoing: [...configuration.outgoing],
  learners: [...configuration.learners],
  learnersNext: [...configuration.learnersNext],
  autoLeave: configuration.autoLeave,
});

/** Everybody who is sent the log. */
export const memberIds = (c: Configuration): NodeId[] => sorted(new Set([...c.incoming, ...c.outgoing, ...c.learners]));

/** A change that only says to leave the joint configuration; at proposal upstream looks no further than that it changes nobody. */
export const changesNobody = (change: ConfChange): boolean => change.changes.length === 0;

/** Throws Error when the change makes no sense in this configuration, or would leave no voter. */
export function changed(before: Configuration, change: ConfChange): Configuration {
  const asked = change.transition ?? 'auto';
  if (!change.v1 && asked === 'auto' && changesNobody(change)) return leaveJoint(before);
  const joint = !change.v1 && (asked !== 'auto' || change.changes.length > 1);
  if (before.outgoing.length > 0) throw new Error(joint ? 'config is already joint' : "can't apply simple config change in joint config");
  if (joint && before.incoming.length === 0) throw new Error("can't make a zero-voter config joint");
  const draft = new Draft(before, joint ? before.incoming : []);
  for (const { type, node } of change.changes) {
    // Node 0 stands for a change that was refused after it was proposed.
    if (node === 0) continue;
    if (type === 'addVoter') draft.addVoter(node);
    else if (type === 'addLearner') draft.addLearner(node);
    else if (type === 'remove') draft.remove(node);
  }
  if (draft.incoming.size === 0) throw new Error('removed all voters');
  if (!joint && draft.difference(before.incoming) > 1) throw new Error('more than one voter changed without entering joint config');
  return draft.finish(joint && asked !== 'explicit');
}

function leaveJoint(before: Configuration): Configuration {
  if (before.outgoing.length === 0) throw new Error("can't leave a non-joint config");
  return { incoming: before.incoming, outgoing: [], learners: sorted([...before.learners, ...before.learnersNext]), learnersNext: [], autoLeave: false };
}

class Draft {
  readonly incoming: Set<NodeId>;
  private readonly outgoing: ReadonlySet<NodeId>;
  private readonly learners: Set<NodeId>;
  private readonly learnersNext: Set<NodeId>;

  constructor(before: Configuration, outgoing: readonly NodeId[]) {
    this.incoming = new Set(before.incoming);
    this.outgoing = new Set(outgoing);
    this.learners = new Set(before.learners);
    this.learnersNext = new Set(before.learnersNext);
  }

  addVoter(id: NodeId): void {
    this.learners.delete(id);
    this.learnersNext.delete(id);
    this.incoming.add(id);
  }

  addLearner(id: NodeId): void {
    if (this.learners.has(id)) return;
    this.remove(id);
    // A voter of the outgoing half cannot be a learner too; it becomes one when the joint phase ends.
    (this.outgoing.has(id) ? this.learnersNext : this.learners).add(id);
  }

  remove(id: NodeId): void {
    this.incoming.delete(id);
    this.learners.delete(id);
    this.learnersNext.delete(id);
  }

  difference(before: readonly NodeId[]): number {
    let count = before.filter((id) => !this.incoming.has(id)).length;
    for (const id of this.incoming) if (!before.includes(id)) count++;
    return count;
  }

  finish(autoLeave: boolean): Configuration {
    return {
      incoming: sorted(this.incoming),
      outgoing: sorted(this.outgoing),
      learners: sorted(this.learners),
      learnersNext: sorted(this.learnersNext),
      autoLeave: this.outgoing.size > 0 && autoLeave,
    };
  }
}
