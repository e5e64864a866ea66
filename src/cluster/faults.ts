/** Faults: the ways a person breaks the world, and mends it. Each is an input of the session. */
import type { Fault } from '../hosts/protocol.ts';
import type { ContainerRuntime } from '../kubernetes/kubelet/cri.ts';
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
      for (const name of fault.groups.flat()) cluster.machine(name);
      cluster.wires.partition(fault.groups);
      return;
    case 'heal':
      cluster.wires.mend();
      return;
    case 'cut':
    case 'mend':
      for (const name of [fault.from, fault.to]) cluster.machine(name);
      cluster.wires.cut(fault.from, fault.to, fault.kind === 'cut');
      return;
    case 'loss':
    case 'duplicate':
    case 'reorder':
      for (const name of [fault.from, fault.to]) cluster.etcdHost(name);
      cluster.wires.setWeather(
        fault.from,
        fault.to,
        fault.kind === 'loss' ? { loss: fault.percent } : fault.kind === 'duplicate' ? { duplicate: fault.percent } : { reorder: fault.micros },
      );
      return;
    case 'raft-drop':
      cluster.raftWire.drop(fault.id);
      return;
    case 'raft-delay':
      cluster.raftWire.delay(fault.id, fault.micros);
      return;
    case 'raft-timeout':
      cluster.etcdHost(fault.member).campaign();
      return;
    case 'pause':
      pause(cluster, fault.process, fault.on);
      return;
    case 'disk':
      cluster.etcdHost(fault.machine).slowDisk(fault.micros);
      return;
    case 'disk-full':
      cluster.etcdHost(fault.machine).fillDisk(fault.on);
      return;
    case 'etcd-timing':
      cluster.setEtcdTiming(fault.preset);
      return;
    case 'clock':
      cluster.machine(fault.machine).setClockRate(fault.permille);
      return;
    case 'latency':
      for (const name of [fault.from, fault.to]) cluster.machine(name);
      cluster.wires.slow(fault.from, fault.to, fault.micros);
      return;
    case 'crash-simulator':
      // Thrown where no process of the world owns it, as a fault of the simulator's own would be.
      cluster.loop.post(0, () => {
        throw new Error('the simulator was told to crash, by the fault crash-simulator');
      });
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
      return;
    }
    case 'pause-loop':
      cluster.loops.hold(fault.loop, fault.on);
      return;
    case 'step-loop':
      cluster.loops.step(fault.loop, fault.key);
      return;
    case 'add-etcd':
      cluster.addEtcdMachine(fault.machine);
  }
}

/** A container by its name, `kube-apiserver@control-plane`, as by `kill -9` on the node: the kubelet starts it again. */
function killContainer(cluster: Cluster, machine: Machine, name: string): void {
  const { runtime, id } = runningContainer(cluster, machine, name);
  void runtime.stopContainer(id, 0);
}

function runningContainer(cluster: Cluster, machine: Machine, name: string): { readonly runtime: ContainerRuntime; readonly id: string } {
  const runtime = cluster.node(machine.name)?.runtime;
  const container = runtime?.containers().find((each) => each.config.name === name && each.state === 'running');
  if (!runtime || !container)
    throw new RangeError(`${machine.name} has neither a service nor a running container called ${name}; its services are ${machine.services.join(', ')}`);
  return { runtime, id: container.id };
}

/** A service or a container, as by `kill -STOP` and `kill -CONT`. */
function pause(cluster: Cluster, name: string, on: boolean): void {
  const { machine, unit } = place(cluster, name);
  // Here simplified: containers are children of containerd's process and would stand still with it.
  if (unit === 'containerd') throw new RangeError('containerd cannot be paused: the containers would stand still with it');
  if (!machine.services.includes(unit)) {
    const { runtime, id } = runningContainer(cluster, machine, unit);
    runtime.freeze(id, on);
    return;
  }
  const process = machine.process(unit);
  if (!process) throw new RangeError(`${name} does not run`);
  if (on) process.pause();
  else process.resume();
}

/** `kubelet@node-1`: which service or container, on which machine. */
function place(cluster: Cluster, process: string): { readonly machine: Machine; readonly unit: string } {
  const at = process.lastIndexOf('@');
  return { machine: cluster.machine(process.slice(at + 1)), unit: process.slice(0, at) };
}
