/**
 * What the world's registries hold. To add an image, make one with `defineImage` and hand containerd
 * `[...images, ...yours]`: images of a name given earlier win.
 */
import { findImage, type Image, type ImageFamily } from '../image.ts';
import { agnhostImages } from './agnhost.ts';
import { assumedImage } from './assumed.ts';
import { busyboxImages } from './busybox.ts';
import { interpreterImages } from './interpreters.ts';
import { nginxImages, nginxReleases } from './nginx.ts';
import { officialReleases } from './official.ts';
import { pauseImages } from './pause.ts';
import { privateImage } from './private.ts';
import { redisImages } from './redis.ts';
import { sampleImages } from './samples.ts';
import { statefulImages } from './stateful.ts';
import { stressImages } from './stress.ts';
import { webImages } from './web.ts';

export const images: readonly Image[] = [
  ...pauseImages,
  ...nginxImages,
  ...busyboxImages,
  ...interpreterImages,
  ...redisImages,
  ...agnhostImages,
  ...webImages,
  ...sampleImages,
  ...stressImages,
  ...statefulImages,
];

/** What they hold besides; the last takes every name it can. */
export const imageFamilies: readonly ImageFamily[] = [nginxReleases, officialReleases(images), privateImage, assumedImage];

const assumptions = new Map<string, boolean>();
/** Whether a server stands in for the program of this image. The same in every world. */
export function isAssumed(reference: string): boolean {
  let answer = assumptions.get(reference);
  if (answer === undefined) {
    try {
      answer = findImage(images, reference, imageFamilies)?.assumed === true;
    } catch {
      answer = false;
    }
    assumptions.set(reference, answer);
  }
  return answer;
}
