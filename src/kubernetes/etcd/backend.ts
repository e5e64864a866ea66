/**
 * How large the backend file is: pages taken by what the store keeps, and pages freed by a compaction
 * that only a defragmentation gives back (etcd server/storage/backend, bbolt).
 *
 * Here simplified: bbolt's trees are not modelled. A value that does not fit a page takes pages of its
 * own; smaller ones share pages, which are taken to be three quarters full.
 */
const PAGE = 4096;
/** Meta pages, the free list, and the buckets of an empty store. */
const EMPTY_PAGES = 5;
/** Of one revision, beside its key and value: revision, versions, lease, field tags and the page's element header. */
const OVERHEAD = 64;

export class Backend {
  private small = 0;
  private large = 0;
  private most = 0;

  grow(bytes: number): void {
    this.count(bytes, 1);
    const { inUse } = this;
    if (inUse > this.most) this.most = inUse;
  }
  shrink(bytes: number): void {
    this.count(bytes, -1);
  }
  clear(): void {
    this.small = this.large = this.most = 0;
  }

  /** Bytes of the file that hold something. */
  get inUse(): number {
    return (EMPTY_PAGES + this.large + Math.ceil(this.small / (PAGE * 0.75))) * PAGE;
  }
  /** Bytes of the file: it never shrinks by itself. */
  get size(): number {
    return Math.max(this.most, this.inUse);
  }
  /** Writes the file anew without the free pages. */
  defragment(): void {
    this.most = this.inUse;
  }

  private count(bytes: number, sign: 1 | -1): void {
    const all = bytes + OVERHEAD;
    if (all > PAGE) this.large += sign * Math.ceil(all / PAGE);
    else this.small += sign * all;
  }
}
