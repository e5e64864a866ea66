/** busybox, alpine and other images that are a shell and its applets. */
import { defineImage, type Image } from '../image.ts';
import { basePrograms, debianFiles, passwd } from './base.ts';

const shell = (names: readonly string[], sizeBytes: number, files: Readonly<Record<string, string>>, cmd: readonly string[] = ['sh']): Image =>
  defineImage({ names, sizeBytes, programs: basePrograms, cmd, files, idle: { memoryBytes: 512 * 1024, cpuMilli: 0 } });

/** The one binary behind all applets; programs see by it that they are busybox'. */
const plain = {
  '/bin/busybox': '\x7fELF',
  '/etc/passwd': passwd('nobody:x:65534:65534:nobody:/home:/bin/false'),
  '/etc/group': 'root:x:0:\nnobody:x:65534:\n',
};
const alpine = (version: string) => ({
  ...plain,
  '/etc/alpine-release': `${version}\n`,
  '/etc/os-release': `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=${version}\nPRETTY_NAME="Alpine Linux v${version.split('.').slice(0, 2).join('.')}"\n`,
});
const curl = basePrograms['/bin/curl'] ?? basePrograms['/bin/wget'];

export const busyboxImages: readonly Image[] = [
  shell(['busybox:latest', 'busybox:1', 'busybox:1.37', 'busybox:1.37.0'], 2_156_519, plain),
  shell(['busybox:1.36', 'busybox:1.36.1'], 2_219_955, plain),
  shell(['busybox:1.35'], 2_265_000, plain),
  shell(['busybox:1.28', 'busybox:1.28.4'], 727_869, plain),
  shell(
    [
      'registry.k8s.io/busybox',
      'registry.k8s.io/busybox:1.27.2',
      'registry.k8s.io/e2e-test-images/busybox:1.29-4',
      'registry.k8s.io/e2e-test-images/busybox:1.36.1-1',
    ],
    731_990,
    plain,
  ),
  shell(['alpine:latest', 'alpine:3', 'alpine:3.22'], 3_806_092, alpine('3.22.0'), ['/bin/sh']),
  shell(['alpine:3.20', 'alpine:3.19'], 3_623_807, alpine('3.20.6'), ['/bin/sh']),
  shell(['debian:latest', 'debian:12', 'debian:bookworm', 'debian:bookworm-slim'], 48_490_000, debianFiles, ['bash']),
  shell(
    ['ubuntu:latest', 'ubuntu:24.04', 'ubuntu:22.04'],
    29_727_061,
    { ...debianFiles, '/etc/os-release': 'PRETTY_NAME="Ubuntu 24.04 LTS"\nNAME="Ubuntu"\nID=ubuntu\n' },
    ['/bin/bash'],
  ),
  shell(['nicolaka/netshoot:latest', 'nicolaka/netshoot:v0.13'], 208_000_000, alpine('3.21.0'), ['/bin/sh']),
  shell(['registry.k8s.io/e2e-test-images/jessie-dnsutils:1.3', 'registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7'], 112_030_336, debianFiles, [
    'sleep',
    'infinity',
  ]),
  defineImage({
    names: ['curlimages/curl:latest', 'curlimages/curl:8.14.1', 'curlimages/curl:8.11.0'],
    sizeBytes: 9_250_000,
    programs: { ...basePrograms, ...(curl && { '/usr/bin/curl': curl }) },
    entrypoint: ['/usr/bin/curl'],
    cmd: [],
    files: alpine('3.21.0'),
  }),
];
