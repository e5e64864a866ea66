/** Faults: the ways a person breaks the world, and mends it. Each is an input of the session. */
import type { Fault } from '../hosts/protocol.ts';
import type { Cluster } from './cluster.ts';
import type { Machine } from './machine.ts';

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
      if (machine.services.includes(unit)) machine.kill(unit, fault.hold ?? false);
      else killContainer(cluster, machine, unit);
      return;
    }
    case 'start': {
      const { machine, unit } = place(cluster, fault.process);
      if (!machine.services.includes(unit)) throw new RangeError(`${machine.name} has no service ${unit}; it has ${machine.services.join(', ')}`);
      machine.start(unit);
    }
  }
}

/** A container by its name, `kube-apiserver@control-plane`, as by `kill -9` on the node: the kubelet starts it again. */
function killContainer(cluster: Cluster, machine: Machine, name: string): void {
  const runtime = cluster.node(machine.name)?.runtime;
  const container = runtime?.containers().find((each) => each.config.name === name && each.state === 'running');
  if (!runtime || !container)
    throw new RangeError(`${machine.name} has neither a service nor a running container called ${name}; its services are ${machine.services.join(', ')}`);
  void runtime.stopContainer(container.id, 0);
}

/** `kubelet@node-1`: which service or container, on which machine. */
function place(cluster: Cluster, process: string): { readonly machine: Machine; readonly unit: string } {
  const at = process.lastIndexOf('@');
  return { machine: cluster.machine(process.slice(at + 1)), unit: process.slice(0, at) };
}
