/**
 * A machine: power, a disk that outlives it, services kept up by systemd, and the ports they listen on.
 * What a node is made of (kernel, containerd, kubelet) is put together in `node.ts`.
 */
import { createFiles, type Files } from '../linux/files.ts';
import type { Wires } from '../linux/wire.ts';
import { type Duration, ms, seconds } from '../sim/clock.ts';
import type { Loop } from '../sim/loop.ts';
import { forever, type Main, type Process } from '../sim/process.ts';
import type { Listener } from './dial.ts';

export interface ServiceUnit {
  readonly name: string;
  readonly main: Main;
  /** systemd's RestartSec: how long after a crash it is started again. */
  readonly restartAfter: Duration;
}

export class Machine {
  /** The disk: survives power cuts. */
  readonly files: Files = createFiles();
  /** Who listens on which TCP port of the machine itself. */
  readonly ports = new Map<number, Listener>();
  private readonly units = new Map<string, ServiceUnit>();
  private readonly running = new Map<string, Process>();
  /** Services an operator (or a fault) has stopped: systemd leaves them alone. */
  private readonly stopped = new Set<string>();
  private init: Process | undefined;
  /** How fast its clock runs: thousandths of a second in one. */
  private clockRate = 1000;
  private readonly powerListeners: ((on: boolean) => void)[] = [];
  private readonly serviceListeners: (() => void)[] = [];

  constructor(
    readonly loop: Loop,
    readonly wires: Wires,
    readonly name: string,
    readonly ip: string,
  ) {}

  get on(): boolean {
    return this.init !== undefined;
  }

  /** The root of everything that runs on it. Throws when it is off. */
  get root(): Process {
    if (!this.init) throw new Error(`${this.name} is off`);
    return this.init;
  }

  onPower(listener: (on: boolean) => void): void {
    this.powerListeners.push(listener);
  }

  /** Called when a service has started or stopped. */
  onService(listener: () => void): void {
    this.serviceListeners.push(listener);
  }
  private serviceChanged(): void {
    for (const listener of this.serviceListeners) listener();
  }

  powerOn(): void {
    if (this.init) return;
    this.init = this.loop.spawn(`systemd@${this.name}`, forever);
    if (this.clockRate !== 1000) this.init.setClockRate(this.clockRate);
    this.wires.setPower(this.name, true);
    for (const listener of this.powerListeners) listener(true);
    // Firmware, kernel and systemd take their time; a machine that is there at the world's beginning is up already.
    const bootTime = this.loop.now === 0 ? 0 : seconds(12) + ms(this.init.rng.between(0, 3_000));
    this.init.clock.after(bootTime, () => {
      for (const unit of this.units.values()) this.startUnit(unit);
    });
  }

  /** The plug is pulled: every process goes silent at once. */
  powerOff(): void {
    if (!this.init) return;
    this.wires.setPower(this.name, false);
    const init = this.init;
    this.init = undefined;
    this.running.clear();
    this.ports.clear();
    // The kernel goes before the processes: a machine without power says no goodbyes.
    for (const listener of this.powerListeners) listener(false);
    init.kill();
  }

  /** Installs a service and, if the machine is up, starts it. */
  enable(unit: ServiceUnit): void {
    this.units.set(unit.name, unit);
    if (this.init) this.startUnit(unit);
  }

  start(name: string): void {
    this.stopped.delete(name);
    const unit = this.units.get(name);
    if (unit && this.init && !this.running.has(name)) this.startUnit(unit);
  }

  /** Kills a service; with `hold` it stays down until started. */
  kill(name: string, hold: boolean): void {
    if (hold) this.stopped.add(name);
    this.running.get(name)?.kill();
  }

  /** Makes the clock of everything on it run at so many thousandths; power cuts do not change it. */
  setClockRate(permille: number): void {
    this.clockRate = permille;
    this.init?.setClockRate(permille);
  }

  /** Thousandths of a second that pass for it in one. */
  get permille(): number {
    return this.clockRate;
  }

  isRunning(name: string): boolean {
    return this.running.has(name);
  }

  process(name: string): Process | undefined {
    return this.running.get(name);
  }

  get services(): readonly string[] {
    return [...this.units.keys()];
  }

  /** Listens on a port until the process ends; a port taken is taken over, as after SO_REUSEADDR. */
  listen(port: number, process: Process, handle: Listener['handle']): void {
    const listener = { process, handle };
    this.ports.set(port, listener);
    process.onExit(() => {
      if (this.ports.get(port) === listener) this.ports.delete(port);
    });
  }

  private startUnit(unit: ServiceUnit): void {
    const init = this.init;
    if (!init || this.stopped.has(unit.name) || this.running.has(unit.name)) return;
    const process = init.spawn(`${unit.name}@${this.name}`, unit.main);
    this.running.set(unit.name, process);
    this.serviceChanged();
    process.onExit((exit) => {
      if (this.running.get(unit.name) === process) this.running.delete(unit.name);
      this.serviceChanged();
      if (this.init !== init) return;
      init.trace.emit('process.exit', `${unit.name}@${this.name}`, { how: exit.how });
      init.clock.after(unit.restartAfter, () => this.startUnit(unit));
    });
  }
}
