/**
 * Pods that a Permit plugin holds back after their node was chosen (`framework/runtime/waiting_pods_map.go`): each waits for
 * every plugin that said so, until one rejects it or its time is over. In-tree plugins never do; others may.
 */
import type { Cancel, Duration } from '../../sim/clock.ts';
import { type Deferred, defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { Key } from '../api/meta.ts';

export type Permission = { readonly allowed: true } | { readonly allowed: false; readonly plugin: string; readonly message: string };

interface Waiting {
  readonly pending: Map<string, Cancel>;
  readonly settled: Deferred<Permission>;
}

export class WaitingPods {
  private readonly waiting = new Map<Key, Waiting>();

  /** Keys of the pods that wait, in the order they came. */
  get keys(): readonly Key[] {
    return [...this.waiting.keys()];
  }

  /** @param waits plugins with how long each is waited for */
  wait(self: Pick<Process, 'clock'>, key: Key, waits: readonly (readonly [string, Duration])[]): Promise<Permission> {
    const entry: Waiting = { pending: new Map(), settled: defer<Permission>(self.clock) };
    this.waiting.set(key, entry);
    for (const [plugin, wait] of waits)
      entry.pending.set(
        plugin,
        self.clock.after(wait, () => this.reject(key, plugin, `rejected due to timeout after waiting ${wait / 1_000_000}s at plugin ${plugin}`)),
      );
    return entry.settled.promise;
  }

  /** One plugin no longer minds; the last one lets the pod go on. */
  allow(key: Key, plugin: string): void {
    const entry = this.waiting.get(key);
    if (!entry) return;
    entry.pending.get(plugin)?.();
    entry.pending.delete(plugin);
    if (entry.pending.size > 0) return;
    this.waiting.delete(key);
    entry.settled.resolve({ allowed: true });
  }

  reject(key: Key, plugin: string, message: string): boolean {
    const entry = this.waiting.get(key);
    if (!entry) return false;
    for (const cancel of entry.pending.values()) cancel();
    this.waiting.delete(key);
    entry.settled.resolve({ allowed: false, plugin, message });
    return true;
  }
}
