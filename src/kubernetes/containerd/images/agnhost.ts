/** agnhost, the Kubernetes e2e tests' image; its program is `agnhost-program.ts`. */
import { defineImage, type Image } from '../image.ts';
import { basePrograms } from './base.ts';
import { bring } from './bring.ts';

export const agnhostImages: readonly Image[] = [
  defineImage({
    names: ['2.40', '2.39', '2.43', '2.45', '2.47', '2.52', '2.53', '2.55'].map((tag) => `registry.k8s.io/e2e-test-images/agnhost:${tag}`),
    sizeBytes: 51_155_161,
    programs: { ...basePrograms, '/agnhost': bring((all) => all.agnhost) },
    entrypoint: ['/agnhost'],
    cmd: ['pause'],
    ports: [8080],
  }),
];
