/** The controllers of claims and volumes, brought in with the first of either (`late.ts`). */
export { ephemeralVolumeController } from './ephemeral-volume.ts';
export { volumeClaimController } from './volume-claims.ts';
export { volumeExpandController } from './volume-expand.ts';
export { volumeReclaimController } from './volume-reclaim.ts';
