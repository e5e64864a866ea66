/**
 * Images that nobody uses are removed when the disk fills up (`images/image_gc_manager.go`): every five minutes the kubelet
 * looks, and above 85 % of the file system it removes until 80 % are in use, those first that were used longest ago. What
 * a container of any state runs, what runs every pod's sandbox, and what has been here for less than two minutes stays.
 */
import { type Instant, minutes } from '../../sim/clock.ts';
import type { ContainerRuntime } from './cri.ts';

const PERIOD = minutes(5);
const MINIMUM_AGE = minutes(2);
const HIGH_PERCENT = 85;
const LOW_PERCENT = 80;
const PINNED = /(^|\/)pause[:@]/;

export interface ImageGcSources {
  now(): Instant;
  readonly runtime: Pick<ContainerRuntime, 'images' | 'containers' | 'removeImage' | 'imageFsUsed'>;
  /** Bytes of the file system images are on. */
  readonly capacity: number;
  /** It could not be freed enough: FreeDiskSpaceFailed, and from the second time on ImageGCFailed. */
  failed(reason: 'FreeDiskSpaceFailed' | 'ImageGCFailed', message: string): void;
}

interface Seen {
  readonly detected: Instant;
  used: Instant;
}

export class ImageGc {
  private readonly seen = new Map<string, Seen>();
  private next = 0;
  private initialized = false;
  private busy = false;
  private failedBefore = false;

  constructor(private readonly sources: ImageGcSources) {}

  /** To be called now and then: looks when it is time to. */
  tick(): void {
    const now = this.sources.now();
    if (now < this.next || this.busy) return;
    this.next = now + PERIOD;
    const using = this.detect(now);
    const { capacity, runtime } = this.sources;
    const used = runtime.imageFsUsed();
    if (capacity <= 0 || Math.floor((used * 100) / capacity) < HIGH_PERCENT) {
      this.failedBefore = false;
      return;
    }
    this.busy = true;
    void this.free(used - Math.floor((capacity * LOW_PERCENT) / 100), using, now).finally(() => {
      this.busy = false;
    });
  }

  /** Notes what is here and what is in use, which it returns. */
  private detect(now: Instant): ReadonlySet<string> {
    const { runtime } = this.sources;
    const using = new Set<string>();
    for (const { imageId } of runtime.containers()) using.add(imageId.slice(imageId.indexOf('@') + 1));
    const here = new Set<string>();
    for (const { id } of runtime.images()) {
      here.add(id);
      const seen = this.seen.get(id);
      // What was here when it began to look counts as old.
      if (!seen) this.seen.set(id, { detected: this.initialized ? now : -MINIMUM_AGE, used: using.has(id) ? now : 0 });
      else if (using.has(id)) seen.used = now;
    }
    for (const id of [...this.seen.keys()]) if (!here.has(id)) this.seen.delete(id);
    this.initialized = true;
    return using;
  }

  private async free(wanted: number, using: ReadonlySet<string>, now: Instant): Promise<void> {
    const { runtime, failed } = this.sources;
    const candidates = runtime
      .images()
      .filter(({ id, names }) => !using.has(id) && !names.some((name) => PINNED.test(name)))
      .map((image) => ({ ...image, ...this.seen.get(image.id)! }))
      .sort((a, b) => a.used - b.used || a.detected - b.detected || (a.id < b.id ? -1 : 1));
    const before = runtime.imageFsUsed();
    for (const { id, detected } of candidates) {
      if (before - runtime.imageFsUsed() >= wanted) break;
      if (now - detected < MINIMUM_AGE) continue;
      await runtime.removeImage(id);
      this.seen.delete(id);
    }
    const freed = before - runtime.imageFsUsed();
    if (freed >= wanted) {
      this.failedBefore = false;
      return;
    }
    const message = `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`;
    failed('FreeDiskSpaceFailed', message);
    if (this.failedBefore) failed('ImageGCFailed', message);
    this.failedBefore = true;
  }
}
