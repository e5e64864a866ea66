/** pause: sleeps until it is told to go. Every sandbox has one; as a container it is the smallest there is. */
import type { Program } from '../../../linux/program.ts';
import { defer } from '../../../sim/mailbox.ts';
import { defineImage, type Image } from '../image.ts';

export const pause: Program = async (self) => {
  const done = defer<number>(self.process.clock);
  self.onSignal((signal) => {
    if (signal === 'TERM' || signal === 'INT') {
      self.stderr('Shutting down, got signal: Terminated\n');
      done.resolve(0);
    }
  });
  return done.promise;
};
export const pauseImages: readonly Image[] = [
  defineImage({
    names: ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.9', 'registry.k8s.io/pause:3.8'],
    sizeBytes: 320_368,
    programs: { '/pause': pause },
    entrypoint: ['/pause'],
    user: 65535,
    idle: { memoryBytes: 512 * 1024, cpuMilli: 0 },
  }),
];
