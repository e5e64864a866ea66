/**
 * Which controllers run where: what pausing one, stepping one and looking at them begin with. A manager is written in
 * when its program starts and struck out when it ends; nothing else is done here until somebody asks.
 */
import { insideOf } from '../kubernetes/client/inside.ts';
import type { Workqueue } from '../kubernetes/client/workqueue.ts';
import type { RunningController } from '../kubernetes/controller-manager/controller.ts';
import type { Process } from '../sim/process.ts';

/** A running copy of a program that acts only as leader. */
export interface ManagerCopy {
  /** `kube-controller-manager`, also the name of its Lease. */
  readonly component: string;
  readonly node: string;
  /** Who it is to the Lease. */
  readonly identity: string;
  readonly process: Process;
  /** What it runs; nothing before it leads. */
  controllers: readonly RunningController[];
}

export class LoopBook {
  /** In the order in which they started. */
  readonly copies: ManagerCopy[] = [];

  open(component: string, node: string, identity: string, process: Process): ManagerCopy {
    const copy: ManagerCopy = { component, node, identity, process, controllers: [] };
    this.copies.push(copy);
    process.onExit(() => this.copies.splice(this.copies.indexOf(copy), 1));
    return copy;
  }

  /** Every controller that runs, with its copy. */
  get running(): readonly { readonly copy: ManagerCopy; readonly controller: RunningController }[] {
    return this.copies.flatMap((copy) => copy.controllers.map((controller) => ({ copy, controller })));
  }

  /**
   * Pauses one controller, or lets it go on: its queue hands out no key, while what is under way ends and what wakes it is
   * still noted. One without a queue stands still as a whole. Throws RangeError.
   */
  hold(name: string, on: boolean): void {
    const { process } = this.controller(name);
    const { queues } = insideOf(process);
    for (const queue of queues) queue.hold(on);
    if (on && queues.length === 0) process.pause();
    // It may have come by a queue meanwhile.
    else if (!on && process.paused) process.resume();
  }

  /** Lets a paused controller work on one key: this one, or the next in line. Throws RangeError when there is none. */
  step(name: string, key?: string): void {
    const { process } = this.controller(name);
    const { queues } = insideOf(process);
    if (!queues.some((queue) => queue.look().held)) throw new RangeError(`${name} is not paused`);
    if (!queues.some((queue: Workqueue) => queue.step(key))) throw new RangeError(`${key ?? 'nothing'} is in the queue of ${name}`);
  }

  private controller(name: string): RunningController {
    const found = this.running.find(({ controller }) => controller.name === name);
    if (!found) throw new RangeError(`no controller "${name}" runs; there are ${this.running.map(({ controller }) => controller.name).join(', ')}`);
    return found.controller;
  }
}
