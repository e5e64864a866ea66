/** NodePorts: two pods cannot have one host port on one node (`nodeports/node_ports.go`). */
import type { DeepReadonly } from '../../api/json.ts';
import type { Pod } from '../../api/types.gen.ts';
import { type Plugin, reject } from '../framework.ts';
import { type HostPort, hostPortsOf } from '../snapshot.ts';

const ANY = '0.0.0.0';
const REJECTION = reject('NodePorts', "node(s) didn't have free ports for the requested pod ports");
const conflict = (a: HostPort, b: HostPort): boolean => a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY || b.ip === ANY);
const clash = (wanted: readonly HostPort[], taken: readonly HostPort[]): boolean => wanted.some((port) => taken.some((other) => conflict(port, other)));

export const nodePorts: Plugin = {
  name: 'NodePorts',
  preFilter: (state, pod) => {
    const wanted = hostPortsOf(pod);
    if (wanted.length === 0) return { skip: true };
    state.set('NodePorts', wanted);
    return undefined;
  },
  filter: (state, _pod, info) => (clash(state.get('NodePorts') as readonly HostPort[], info.hostPorts()) ? REJECTION : undefined),
  events: [
    {
      resource: 'Pod',
      actions: ['Delete'],
      hint: (pod, { before }) => {
        const gone = before as DeepReadonly<Pod>;
        return gone.spec?.nodeName !== undefined && clash(hostPortsOf(pod), hostPortsOf(gone));
      },
    },
    { resource: 'Node', actions: ['Add'] },
  ],
};
