/** Images that use CPU and memory on purpose, for the documentation's pages on requests and limits; their programs are `stress-programs.ts`. */
import { defineImage, type Image } from '../image.ts';
import { basePrograms } from './base.ts';
import { bring } from './bring.ts';

const stress = bring((all) => all.stress);

export const stressImages: readonly Image[] = [
  defineImage({
    names: ['polinux/stress:latest', 'polinux/stress:1.0.4'],
    sizeBytes: 4_041_495,
    programs: { ...basePrograms, '/usr/local/bin/stress': stress },
    cmd: ['/usr/local/bin/stress', '--verbose', '--vm', '1', '--vm-bytes', '128M'],
    idle: { memoryBytes: 700 * 1024, cpuMilli: 0 },
  }),
  defineImage({
    names: ['vish/stress:latest'],
    sizeBytes: 1_558_791,
    programs: { '/stress': bring((all) => all.vishStress) },
    entrypoint: ['/stress', '-logtostderr'],
    idle: { memoryBytes: 1_200 * 1024, cpuMilli: 0 },
  }),
];
