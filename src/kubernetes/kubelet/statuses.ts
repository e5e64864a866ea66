/**
 * Telling the API server what became of pods (`status/status_manager.go`): one patch in flight per pod,
 * only when something changed, again after ten seconds when nobody answered. The last act for a deleted
 * pod is to remove it.
 */
import { seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { TraceId } from '../../sim/trace.ts';
import type { DeepReadonly, Json } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { ApiError } from '../api/request.ts';
import type { PodStatus } from '../api/types.gen.ts';
import type { Client } from '../client/client.ts';
import type { PodObject } from './pod-view.ts';

type Status = DeepReadonly<PodStatus>;
interface Entry {
  /** What to say. */
  wanted: Status;
  /** What the API server has heard, as far as known. */
  sent: Status | undefined;
  sentTo: string | undefined;
  deletable: boolean;
  busy: boolean;
  dirty: boolean;
  cause: TraceId;
}

export class Statuses {
  private readonly entries = new Map<string, Entry>();
  constructor(
    private readonly self: Process,
    private readonly client: Client,
    /** The object in the API that stands for this pod: itself, or the mirror of a static one. Undefined: none (yet). */
    private readonly target: (uid: string) => PodObject | undefined,
  ) {}

  get(uid: string): Status | undefined {
    return this.entries.get(uid)?.wanted;
  }

  /** Equal statuses cost a comparison and nothing else. True when it is news. */
  set(uid: string, status: Status): boolean {
    const entry = this.entries.get(uid);
    if (entry && sameJson(entry.wanted, status)) return false;
    const cause = this.self.trace.current();
    if (entry) Object.assign(entry, { wanted: status, dirty: true, cause });
    else this.entries.set(uid, { wanted: status, sent: undefined, sentTo: undefined, deletable: false, busy: false, dirty: true, cause });
    this.kick(uid);
    return true;
  }

  /** Everything of the pod has stopped: once its last status is told, it may be removed from the API. */
  allowDeletion(uid: string): void {
    const entry = this.entries.get(uid);
    if (!entry) return;
    entry.deletable = true;
    this.kick(uid);
  }

  /** The mirror appeared or was replaced, or the pod was deleted: there may be something to tell now. */
  kick(uid: string): void {
    const entry = this.entries.get(uid);
    if (!entry || entry.busy) return;
    entry.busy = true;
    this.self.clock.after(0, () => {
      this.self.clock.wake();
      void this.run(uid, entry);
    });
  }

  forget(uid: string): void {
    this.entries.delete(uid);
  }

  private async run(uid: string, entry: Entry): Promise<void> {
    for (;;) {
      const target = this.target(uid);
      if (!target || this.entries.get(uid) !== entry) break;
      const base = entry.sentTo === target.metadata.uid ? entry.sent : target.status;
      const wanted = entry.wanted;
      entry.dirty = false;
      this.self.trace.because(entry.cause);
      try {
        const patch = statusPatch(base ?? {}, wanted);
        if (patch) {
          this.self.trace.emit('kubelet.status', `Pod/${keyOf(target)}`, { phase: wanted.phase });
          await this.client.of('Pod').patch(keyOf(target), { metadata: { uid: target.metadata.uid }, status: patch } as unknown as Json, 'strategic', 'status');
        }
        entry.sent = wanted;
        entry.sentTo = target.metadata.uid;
        if (entry.deletable && !entry.dirty && target.metadata.deletionTimestamp !== undefined) {
          await this.client.of('Pod').delete(keyOf(target), { gracePeriodSeconds: 0, preconditions: { uid: target.metadata.uid! } });
          break;
        }
      } catch (error) {
        if (error instanceof ApiError && error.code === 404) break;
        if (error instanceof ApiError && error.code === 409) entry.sent = undefined;
        entry.dirty = true;
        entry.sentTo = undefined;
        await this.self.clock.sleep(seconds(10));
      }
      if (!entry.dirty) break;
    }
    entry.busy = false;
  }
}

/** What changes `before` into `after`; undefined when nothing does. Lists go whole, except that addresses no longer had, and what conditions no longer say, are struck out. */
export function statusPatch(before: Status, after: Status): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  const old = before as Readonly<Record<string, unknown>>;
  const next = after as Readonly<Record<string, unknown>>;
  for (const field of Object.keys(next)) if (!sameJson(old[field], next[field])) patch[field] = next[field];
  for (const field of ['podIP', 'podIPs', 'reason', 'message', 'initContainerStatuses'])
    if (old[field] !== undefined && next[field] === undefined) patch[field] = null;
  // A strategic merge joins conditions by type: what one no longer says must be struck out.
  if (patch['conditions'] && before.conditions) {
    patch['conditions'] = (after.conditions ?? []).map((condition) => {
      const said = before.conditions!.find(({ type }) => type === condition.type);
      return {
        ...condition,
        ...(said?.reason !== undefined && condition.reason === undefined ? { reason: null } : {}),
        ...(said?.message !== undefined && condition.message === undefined ? { message: null } : {}),
      };
    });
  }
  // Conditions of a resize are not said to be False: they go.
  const over = (before.conditions ?? []).filter(({ type }) => type.startsWith('PodResize') && !after.conditions?.some((other) => other.type === type));
  if (over.length > 0)
    patch['conditions'] = [
      ...((patch['conditions'] as readonly object[] | undefined) ?? after.conditions ?? []),
      ...over.map(({ type }) => ({ type, $patch: 'delete' })),
    ];
  if (patch['podIPs'] && before.podIPs) {
    // A strategic merge joins these lists by ip.
    const gone = before.podIPs.filter((entry) => !after.podIPs?.some((other) => other.ip === entry.ip));
    if (gone.length > 0) patch['podIPs'] = [...(after.podIPs ?? []), ...gone.map((entry) => ({ ip: entry.ip, $patch: 'delete' }))];
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

/** Whether two JSON values say the same, whatever the order of their keys; undefined fields count as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => sameJson(value, b[i]));
  }
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key in left) if (!sameJson(left[key], right[key])) return false;
  for (const key in right) if (left[key] === undefined && right[key] !== undefined) return false;
  return true;
}
