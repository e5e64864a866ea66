/** orrery/web, the lessons' web application; its program, and what it can be told, is `web-program.ts`. */
import { defineImage, type Image } from '../image.ts';
import { basePrograms } from './base.ts';
import { bring } from './bring.ts';

const MIB = 1024 * 1024;

export const webImages: readonly Image[] = ['v1', 'v2', 'v3'].map((version) =>
  defineImage({
    names: [`orrery/web:${version}`, ...(version === 'v1' ? ['orrery/web:latest'] : [])],
    sizeBytes: 18_000_000,
    programs: { ...basePrograms, '/web': bring((all) => all.web) },
    cmd: ['/web'],
    env: { VERSION: version },
    ports: [8080],
    idle: { memoryBytes: 12 * MIB, cpuMilli: 1 },
  }),
);
