/** redis; its programs are in `redis-program.ts`. */
import { defineImage, type Image } from '../image.ts';
import { basePrograms, debianFiles } from './base.ts';
import { bring } from './bring.ts';

export const VERSION = '7.4.4';
const programs = { ...basePrograms, '/usr/local/bin/redis-server': bring((all) => all.redisServer), '/usr/local/bin/redis-cli': bring((all) => all.redisCli) };
export const redisImages: readonly Image[] = [
  defineImage({
    names: [
      'redis:latest',
      'redis:7',
      'redis:7.4',
      'redis:7.2',
      'redis:7-alpine',
      'redis:alpine',
      'redis:6',
      'redis:6.0.5',
      'redis:6-alpine',
      'redis:5.0.4',
      'redis:3.2-alpine',
      'redis:3.2.3',
      'registry.k8s.io/redis:e2e',
      'bitnami/redis:latest',
    ],
    sizeBytes: 45_880_000,
    programs,
    cmd: ['redis-server'],
    env: { REDIS_VERSION: VERSION },
    workingDir: '/data',
    files: { ...debianFiles, '/data/.keep': '' },
    ports: [6379],
    idle: { memoryBytes: 9 * 1024 * 1024, cpuMilli: 2 },
  }),
];
