/**
 * What the world's registries hold. To add an image, make one with `defineImage` and hand containerd
 * `[...images, ...yours]`: images of a name given earlier win.
 */
import type { Image } from '../image.ts';
import { agnhostImages } from './agnhost.ts';
import { busyboxImages } from './busybox.ts';
import { nginxImages } from './nginx.ts';
import { pauseImages } from './pause.ts';
import { redisImages } from './redis.ts';
import { sampleImages } from './samples.ts';
import { webImages } from './web.ts';

export const images: readonly Image[] = [...pauseImages, ...nginxImages, ...busyboxImages, ...redisImages, ...agnhostImages, ...webImages, ...sampleImages];
