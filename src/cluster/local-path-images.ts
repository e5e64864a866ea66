/** Images of kind's storage (`local-path-storage.ts`): on every node from the start. */
import { defineImage, type Image } from '../kubernetes/containerd/image.ts';
import { basePrograms } from '../kubernetes/containerd/images/base.ts';
import type { Program } from '../linux/program.ts';

export const LOCAL_PATH_IMAGE = 'docker.io/kindest/local-path-provisioner:v20250214-acbabc1a';
export const LOCAL_PATH_HELPER_IMAGE = 'docker.io/kindest/local-path-helper:v20241212-8ac705d0';

/** The provisioner's image and its helper's. `run` ends with an exit code. */
export const localPathImages = (run: Program): readonly Image[] => [
  defineImage({
    names: [LOCAL_PATH_IMAGE, 'rancher/local-path-provisioner:v0.0.31', 'rancher/local-path-provisioner:v0.0.32', 'rancher/local-path-provisioner:v0.0.30'],
    sizeBytes: 20_000_000,
    programs: { '/usr/bin/local-path-provisioner': run },
    cmd: ['local-path-provisioner'],
    idle: { memoryBytes: 12 * 1024 * 1024, cpuMilli: 1 },
  }),
  defineImage({ names: [LOCAL_PATH_HELPER_IMAGE], sizeBytes: 3_000_000, programs: basePrograms, cmd: ['/bin/sh'] }),
];
