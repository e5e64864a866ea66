/**
 * What becomes of definitions once they are written: their names are accepted or refused, they are established, and
 * when they are deleted their objects go first (apiextensions-apiserver `pkg/controller/{status,establish,finalizer,apiapproval}`).
 * Runs in the API server itself, as upstream.
 */
import { seconds } from '../../../sim/clock.ts';
import { Mailbox } from '../../../sim/mailbox.ts';
import type { Process } from '../../../sim/process.ts';
import type { KubeObject } from '../../api/meta.ts';
import { equalJson } from '../registry/equal.ts';
import { approval, asDefinition, isProtected } from './definition.ts';
import { acceptNames } from './names.ts';
import type { Condition, Definition } from './schema.ts';

export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

export interface Hands {
  get(name: string): Definition | undefined;
  all(): readonly Definition[];
  timestamp(): string;
  /** Writes what `change` makes of the latest state; nothing when it gives the same. */
  update(name: string, change: (definition: Definition) => Definition): Promise<void>;
  /** Deletes the objects of a definition; how many are left, waiting for their finalizers. */
  deleteInstances(definition: Definition): Promise<number>;
}

const RETRY = seconds(5);

export class DefinitionController {
  private readonly queue: Mailbox<string>;

  constructor(
    private readonly self: Process,
    private readonly hands: Hands,
  ) {
    this.queue = new Mailbox<string>(self.clock);
    self.spawn(`${self.name}/definitions`, () => this.work());
  }

  /** A definition has changed: look at it, and at those of its group that wait for names. */
  changed(definition: Definition): void {
    this.queue.put(definition.metadata.name ?? '');
    for (const other of this.hands.all()) {
      if (other.spec.group !== definition.spec.group || other.metadata.name === definition.metadata.name) continue;
      if (conditionOf(other, 'NamesAccepted')?.status === 'False') this.queue.put(other.metadata.name ?? '');
    }
  }

  private async work(): Promise<void> {
    for (;;) {
      const name = await this.queue.take();
      try {
        await this.sync(name);
      } catch {
        // Somebody else wrote, or etcd does not answer: look again.
        this.later(name);
      }
    }
  }

  private later(name: string): void {
    this.self.clock.after(RETRY, () => this.queue.put(name));
  }

  private async sync(name: string): Promise<void> {
    const definition = this.hands.get(name);
    if (!definition) return;
    if (definition.metadata.deletionTimestamp) return this.finalize(name, definition);
    await this.hands.update(name, (now) => (now.metadata.deletionTimestamp ? now : this.named(now)));
    await this.hands.update(name, (now) => (now.metadata.deletionTimestamp ? now : this.established(now)));
  }

  private with(definition: Definition, ...conditions: readonly Condition[]): Definition {
    let all = definition.status?.conditions ?? [];
    for (const condition of conditions) {
      const before = all.find(({ type }) => type === condition.type);
      const same = before?.status === condition.status;
      const next = { ...condition, lastTransitionTime: same && before.lastTransitionTime ? before.lastTransitionTime : this.hands.timestamp() };
      if (before && equalJson(before, next)) continue;
      all = before ? all.map((each) => (each === before ? next : each)) : [...all, next];
    }
    return all === definition.status?.conditions ? definition : { ...definition, status: { ...definition.status, conditions: all } };
  }

  private named(definition: Definition): Definition {
    const others = this.hands.all().filter((each) => each.spec.group === definition.spec.group && each.metadata.name !== definition.metadata.name);
    const { names, accepted } = acceptNames(definition, others);
    const was = conditionOf(definition, 'Established');
    const established: Condition =
      was?.status === 'True'
        ? was
        : accepted.status === 'True'
          ? { type: 'Established', status: 'False', reason: 'Installing', message: 'the initial names have been accepted' }
          : (was ?? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' });
    const next = this.with(definition, accepted, established, ...approvalOf(definition));
    return equalJson(next.status?.acceptedNames, names) ? next : { ...next, status: { ...next.status, acceptedNames: names } };
  }

  private established(definition: Definition): Definition {
    if (conditionOf(definition, 'NamesAccepted')?.status !== 'True' || conditionOf(definition, 'Established')?.status === 'True') return definition;
    return this.with(definition, { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' });
  }

  private async finalize(name: string, definition: Definition): Promise<void> {
    if (!definition.metadata.finalizers?.includes(CLEANUP)) return;
    const say = (status: string, reason: string, message: string): Promise<void> =>
      this.hands.update(name, (now) => this.with(now, { type: 'Terminating', status, reason, message }));
    if (conditionOf(definition, 'Established')?.status === 'True') {
      await say('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
      const left = await this.hands.deleteInstances(definition);
      if (left > 0) {
        await say('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
        this.later(name);
        return;
      }
      await say('False', 'InstanceDeletionCompleted', 'removed all instances');
    } else await say('False', 'NeverEstablished', 'resource was never established');
    await this.hands.update(name, (now) => ({
      ...now,
      metadata: { ...now.metadata, finalizers: (now.metadata.finalizers ?? []).filter((each) => each !== CLEANUP) },
    }));
  }
}

export const conditionOf = (definition: Definition, type: string): Condition | undefined => definition.status?.conditions?.find((each) => each.type === type);

function approvalOf(definition: Definition): readonly Condition[] {
  if (!isProtected(definition.spec.group)) return [];
  const { state, reason } = approval(definition);
  const type = 'KubernetesAPIApprovalPolicyConformant';
  switch (state) {
    case 'approved':
      return [{ type, status: 'True', reason: 'ApprovedAnnotation', message: reason }];
    case 'bypassed':
      return [{ type, status: 'False', reason: 'UnapprovedAnnotation', message: reason }];
    case 'invalid':
      return [{ type, status: 'False', reason: 'InvalidAnnotation', message: reason }];
    default:
      return [{ type, status: 'False', reason: 'MissingAnnotation', message: reason }];
  }
}

export const isEstablished = (object: KubeObject): boolean => conditionOf(asDefinition(object), 'Established')?.status === 'True';
