/** NodePorts: two pods cannot have one host port on one node. */
import { type Plugin, reject } from '../framework.ts';
import { type HostPort, hostPortsOf } from '../snapshot.ts';

const ANY = '0.0.0.0';
const conflict = (a: HostPort, b: HostPort): boolean => a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY || b.ip === ANY);

export const nodePorts: Plugin = {
  name: 'NodePorts',
  preFilter: (_state, pod) => (hostPortsOf(pod).length === 0 ? { skip: true } : undefined),
  filter: (_state, pod, info) => {
    const taken = info.hostPorts();
    return hostPortsOf(pod).some((wanted) => taken.some((port) => conflict(wanted, port)))
      ? reject('NodePorts', "node(s) didn't have free ports for the requested pod ports")
      : undefined;
  },
  hint: (_pod, { kind, what }) => (kind === 'Node' ? what !== 'delete' : what === 'delete'),
};
