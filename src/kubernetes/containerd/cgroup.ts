/**
 * A container's control group: how much memory and CPU it uses, and the limits the kernel holds it to.
 *
 * Programs here hold no real memory and burn no real processor, so they say what they do: `allocate(bytes)`,
 * `work(process, cost)`, `setCpu(milli)`. Going over the memory limit kills the whole container (cgroup v2 with
 * `memory.oom.group`, as kubelets since v1.28 set it): exit code 137, reason OOMKilled. CPU is shared and limited
 * as `cpu.ts` tells.
 */
import type { ProgramContext } from '../../linux/program.ts';
import { isMachineContext } from '../../linux/shell/machine.ts';
import { type Clock, type Duration, type Instant, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import { CpuGroup, type CpuLimits, Processors } from './cpu.ts';
import { MachineMemory, type MemoryHolder } from './memory.ts';

export interface Cgroup {
  /** Bytes held now. */
  readonly memoryBytes: number;
  /** The most it ever held: memory.peak. */
  readonly memoryPeak: number;
  /** Bytes; undefined means unlimited. */
  readonly memoryLimit: number | undefined;
  /** Thousandths of a core in use now. */
  readonly cpuMilli: number;
  readonly oomKilled: boolean;
  /** Takes more memory; over the limit the container dies and this throws. */
  allocate(bytes: number): void;
  free(bytes: number): void;
  /** What the program uses all the time from now on, in thousandths of a core. */
  setCpu(milli: number): void;
  /** One thread of the program works until it has used so much of a core: longer than `cost` when limits or neighbours hold it back. */
  work(process: Process, cost: Duration): Promise<void>;
  /** Work nobody waits for; returns how long the program must pause because of it, 0 unless it is over its limit. */
  charge(cost: Duration): Duration;
  stats(): CgroupStats;
  /** In-place resize. Less memory than is held kills, as `memory.max` does. */
  setLimits(limits: CgroupLimits): void;
  /** Begins to count, on the clock of the container's process. */
  start(clock: Clock): void;
  /** The container is gone. */
  close(): void;
}

export interface CgroupLimits {
  /** Bytes. */
  readonly memory?: number | undefined;
  readonly cpu?: CpuLimits;
  /** As it stays when undefined; 0 to begin with. */
  readonly oomScoreAdj?: number | undefined;
}

export interface CgroupStats {
  /** Nanoseconds of a core since the container began: cpu.stat's usage. */
  readonly cpuNanos: number;
  /** The rate over the last ten seconds or so, as cAdvisor's housekeeping finds it. */
  readonly cpuNanoCores: number;
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly memoryBytes: number;
  readonly memoryPeak: number;
}

/** How far apart cAdvisor's samples are. */
const SAMPLE = seconds(10);

interface Sample {
  readonly at: Instant;
  readonly nanos: number;
}

export function createCgroup(
  idle: { readonly memoryBytes: number; readonly cpuMilli: number },
  limits: CgroupLimits,
  /** `ofMachine`: not over its own limit, but the machine has no memory left. */
  kill: (ofMachine: boolean) => void,
  processors: Processors = new Processors(Number.MAX_SAFE_INTEGER),
  machine: MachineMemory = new MachineMemory(),
): Cgroup {
  const cpu = new CpuGroup(processors, idle.cpuMilli, limits.cpu ?? {});
  let limit = limits.memory;
  let memory = idle.memoryBytes;
  let peak = memory;
  let killed = false;
  let joined = false;
  let clock: Clock | undefined;
  let older: Sample = { at: 0, nanos: 0 };
  let newer: Sample = older;
  const outOfMemory = (): boolean => {
    if (limit === undefined || memory <= limit || killed) return false;
    killed = true;
    kill(false);
    return true;
  };
  let oomScoreAdj = limits.oomScoreAdj ?? 0;
  const holder: MemoryHolder = {
    get memoryBytes() {
      return memory;
    },
    get oomScoreAdj() {
      return oomScoreAdj;
    },
    kill: () => {
      joined = false;
      killed = true;
      kill(true);
    },
  };
  return {
    get memoryBytes() {
      return memory;
    },
    get memoryPeak() {
      return peak;
    },
    get memoryLimit() {
      return limit;
    },
    get cpuMilli() {
      return cpu.milli;
    },
    get oomKilled() {
      return killed;
    },
    allocate: (bytes) => {
      memory += bytes;
      if (memory > peak) peak = memory;
      if (joined) machine.changed(bytes);
      if (killed || outOfMemory()) throw new Error('Killed');
    },
    free: (bytes) => {
      const less = Math.min(memory, bytes);
      memory -= less;
      if (joined) machine.changed(-less);
    },
    setCpu: (milli) => cpu.setBackground(milli),
    work: (process, cost) => cpu.work(process, cost),
    charge: (cost) => cpu.charge(cost),
    stats: () => {
      const { nanos, periods, throttledPeriods } = cpu.usage();
      const at = clock?.now() ?? 0;
      if (at - newer.at >= SAMPLE) {
        older = newer;
        newer = { at, nanos };
      }
      const since = at - newer.at >= SAMPLE / 2 ? newer : older;
      // Nobody looked for long: what it uses now. Else nanoseconds in so many microseconds, which are thousandths of a core.
      const rate = at - since.at > 6 * SAMPLE || at === since.at ? cpu.milli * 1_000_000 : Math.floor(((nanos - since.nanos) / (at - since.at)) * 1_000_000);
      return { cpuNanos: nanos, cpuNanoCores: rate, periods, throttledPeriods, memoryBytes: memory, memoryPeak: peak };
    },
    setLimits: (next) => {
      limit = next.memory;
      cpu.setLimits(next.cpu ?? {});
      oomScoreAdj = next.oomScoreAdj ?? oomScoreAdj;
      outOfMemory();
    },
    start: (own) => {
      clock = own;
      older = { at: own.now(), nanos: 0 };
      newer = older;
      cpu.start(own);
      joined = true;
      machine.join(holder);
    },
    close: () => {
      cpu.close();
      machine.leave(holder);
      joined = false;
    },
  };
}

const unlimited: Cgroup = createCgroup({ memoryBytes: 0, cpuMilli: 0 }, {}, () => {});

/** The cgroup of a running program; outside containers (the laptop) one that limits nothing. */
export function cgroupOf(self: ProgramContext): Cgroup {
  if (!isMachineContext(self) || !('cgroup' in self.machine.options)) return unlimited;
  return self.machine.options.cgroup as Cgroup;
}
