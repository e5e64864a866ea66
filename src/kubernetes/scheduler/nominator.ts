/** Pods for which preemption cleared a node and which have not got there yet, by node (`backend/queue/nominator.go`). */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { Pod } from '../api/types.gen.ts';

type P = DeepReadonly<Pod>;

export class Nominator {
  private readonly nodeOf = new Map<string, string>();
  private readonly byNode = new Map<string, readonly P[]>();

  get nodes(): ReadonlyMap<string, readonly P[]> {
    return this.byNode;
  }

  /** @param node '' or undefined: none any more */
  set(pod: P, node: string | undefined): void {
    const key = keyOf(pod);
    const before = this.nodeOf.get(key);
    if (before !== undefined) {
      const left = (this.byNode.get(before) ?? []).filter((other) => keyOf(other) !== key);
      if (left.length > 0) this.byNode.set(before, left);
      else this.byNode.delete(before);
      this.nodeOf.delete(key);
    }
    if (!node) return;
    this.nodeOf.set(key, node);
    this.byNode.set(node, [...(this.byNode.get(node) ?? []), pod]);
  }

  nodeFor(pod: P): string | undefined {
    return this.nodeOf.get(keyOf(pod));
  }
}
