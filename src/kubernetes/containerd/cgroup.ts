/**
 * A container's control group: how much memory and CPU it uses, and the limit at which the kernel kills it.
 *
 * Programs here hold no real memory, so they say what they hold: `cgroupOf(self).allocate(bytes)`. Going
 * over the limit kills the whole container (cgroup v2 with `memory.oom.group`, as kubelets since v1.28
 * set it): exit code 137, reason OOMKilled.
 */
import type { ProgramContext } from '../../linux/program.ts';
import { isMachineContext } from '../../linux/shell/machine.ts';

export interface Cgroup {
  /** Bytes held now. */
  readonly memoryBytes: number;
  /** Bytes; undefined means unlimited. */
  readonly memoryLimit: number | undefined;
  /** Thousandths of a core in use now. */
  readonly cpuMilli: number;
  readonly oomKilled: boolean;
  /** Takes more memory; over the limit the container dies and this throws. */
  allocate(bytes: number): void;
  free(bytes: number): void;
  /** Says how busy the program is from now on. */
  setCpu(milli: number): void;
}

export function createCgroup(idle: { readonly memoryBytes: number; readonly cpuMilli: number }, limit: number | undefined, kill: () => void): Cgroup {
  let memory = idle.memoryBytes;
  let cpu = idle.cpuMilli;
  let killed = false;
  return {
    get memoryBytes() {
      return memory;
    },
    memoryLimit: limit,
    get cpuMilli() {
      return cpu;
    },
    get oomKilled() {
      return killed;
    },
    allocate: (bytes) => {
      memory += bytes;
      if (limit === undefined || memory <= limit || killed) return;
      killed = true;
      kill();
      throw new Error('Killed');
    },
    free: (bytes) => {
      memory = Math.max(0, memory - bytes);
    },
    setCpu: (milli) => {
      cpu = milli;
    },
  };
}

const unlimited: Cgroup = createCgroup({ memoryBytes: 0, cpuMilli: 0 }, undefined, () => {});

/** The cgroup of a running program; outside containers (the laptop) one that limits nothing. */
export function cgroupOf(self: ProgramContext): Cgroup {
  if (!isMachineContext(self) || !('cgroup' in self.machine.options)) return unlimited;
  return self.machine.options.cgroup as Cgroup;
}
