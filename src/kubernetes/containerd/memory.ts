/**
 * A machine's memory, shared by the control groups of its containers, and what the kernel does when there is none left:
 * it kills whoever has the highest score (mm/oom_kill.c `oom_badness`): what it holds, and its oom_score_adj in thousandths
 * of all there is. Since kubelets set `memory.oom.group`, the whole container goes.
 *
 * Here simplified: what the machine keeps for itself is always the same, and is never the victim (its scores are -999).
 */

/** A control group as the kernel's OOM killer sees it. */
export interface MemoryHolder {
  readonly memoryBytes: number;
  readonly oomScoreAdj: number;
  /** No more of it; what it held is free. */
  kill(): void;
}

/** `oom_badness`: who is at -1000 is never killed. */
export const badness = ({ memoryBytes, oomScoreAdj }: Pick<MemoryHolder, 'memoryBytes' | 'oomScoreAdj'>, total: number): number =>
  oomScoreAdj === -1000 ? Number.MIN_SAFE_INTEGER : memoryBytes + Math.floor((oomScoreAdj * total) / 1000);

export class MachineMemory {
  private readonly holders = new Set<MemoryHolder>();
  private held = 0;

  constructor(
    /** Bytes. */
    private readonly total: number = Number.MAX_SAFE_INTEGER,
    private readonly reserved = 0,
  ) {}

  join(holder: MemoryHolder): void {
    this.holders.add(holder);
    this.changed(holder.memoryBytes);
  }
  leave(holder: MemoryHolder): void {
    if (this.holders.delete(holder)) this.held -= holder.memoryBytes;
  }
  /** One of those that joined holds so much more (or less) than before. */
  changed(bytes: number): void {
    this.held += bytes;
    while (bytes > 0 && this.held > this.total - this.reserved) {
      let victim: MemoryHolder | undefined;
      for (const holder of this.holders) if (!victim || badness(holder, this.total) > badness(victim, this.total)) victim = holder;
      if (!victim || victim.oomScoreAdj === -1000) return;
      this.leave(victim);
      victim.kill();
    }
  }
}
