/** Faults: the ways a person breaks the world, and mends it. Each is an input of the session. */
import type { Fault } from '../hosts/protocol.ts';
import type { Cluster } from './cluster.ts';

/** Carries out a fault. Throws RangeError when it names a machine or process that does not exist. */
export function injectFault(cluster: Cluster, fault: Fault): void {
  switch (fault.kind) {
    case 'node-power': {
      const machine = cluster.machine(fault.node);
      if (fault.on) machine.powerOn();
      else machine.powerOff();
      return;
    }
    case 'partition':
      cluster.wires.partition(fault.groups);
      return;
    case 'heal':
      cluster.wires.partition([]);
      return;
    case 'latency':
      cluster.wires.slow(fault.from, fault.to, fault.micros);
      return;
    case 'kill': {
      const { machine, unit } = place(cluster, fault.process);
      machine.kill(unit, fault.hold ?? false);
      return;
    }
    case 'start': {
      const { machine, unit } = place(cluster, fault.process);
      machine.start(unit);
    }
  }
}

/** `kubelet@node-1`: which service, on which machine. */
function place(cluster: Cluster, process: string) {
  const at = process.lastIndexOf('@');
  const machine = cluster.machine(process.slice(at + 1));
  const unit = process.slice(0, at);
  if (!machine.services.includes(unit)) throw new RangeError(`${machine.name} has no service ${unit}; it has ${machine.services.join(', ')}`);
  return { machine, unit };
}
