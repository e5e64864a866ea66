/**
 * What the registries of the world hold, beside the images every machine comes with: the table is brought in when a
 * machine first pulls from it, since a cluster boots without.
 */
import type { Registry } from '../kubernetes/containerd/image.ts';

let table: typeof import('../kubernetes/containerd/images/images.ts') | undefined;

/** Real time passes: inside a world, wait for it with `Process.outside`. */
export async function bringRegistries(): Promise<Registry> {
  table ??= await import('../kubernetes/containerd/images/images.ts');
  return { images: table.images, families: table.imageFamilies };
}

/** Whether a server stands in for an image's program; false as long as nobody has pulled anything. For those who look. */
export const isAssumed = (reference: string): boolean => table?.isAssumed(reference) ?? false;
