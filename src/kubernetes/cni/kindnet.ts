/**
 * The network daemon, after kindnetd: writes the node's CNI configuration once its Node has a podCIDR,
 * keeps a route to every other node's pods by that node's address, and masquerades what leaves the
 * cluster. Here simplified: kindnet proper plumbs pods with `ptp`; ours names the bridge plugin, so that
 * a node's pods share a switch one can look at.
 */
import { address, formatPrefix, prefix } from '../../linux/address.ts';
import type { Files } from '../../linux/files.ts';
import { parseRule } from '../../linux/iptables-rule.ts';
import type { Kernel } from '../../linux/kernel.ts';
import { defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import type { Node } from '../api/types.gen.ts';
import { createClient } from '../client/client.ts';
import { createInformers } from '../client/informer.ts';
import { CONFIG_DIRECTORY } from './bridge.ts';

export interface KindnetOptions {
  readonly nodeName: string;
  readonly handler: ApiHandler;
  readonly token?: () => string | undefined;
  readonly certificate?: ApiRequest['certificate'];
  readonly kernel: Kernel;
  /** The node's file system (hostPath /etc/cni/net.d). */
  readonly files: Files;
  /** The pod network (`POD_SUBNET`): traffic within it keeps its addresses. */
  readonly podSubnet: string;
}

const MASQ_CHAIN = 'KIND-MASQ-AGENT';

/** Runs until killed. */
export async function runKindnet(self: Process, options: KindnetOptions): Promise<void> {
  const client = createClient({
    handler: options.handler,
    userAgent: 'kindnetd/v20250512 (linux/amd64)',
    ...(options.token ? { token: options.token } : {}),
    ...(options.certificate ? { certificate: options.certificate } : {}),
  });
  const nodes = createInformers(self, client).of('Node');
  await nodes.synced();
  masquerade(options);
  let written = '';
  /** podCIDR and address of each other node, as last routed: heartbeats change Nodes without changing these. */
  const routed = new Map<string, { readonly cidr: string; readonly via: string }>();

  nodes.onChange(({ before, after }) => {
    const name = (after ?? before)!.metadata!.name!;
    const cidr = after?.spec?.podCIDR;
    if (name === options.nodeName) {
      if (!cidr || cidr === written) return;
      written = cidr;
      options.files.write(`${CONFIG_DIRECTORY}/10-kindnet.conflist`, conflist(cidr));
      self.trace.emit('net.link', `Node/${name}`, { what: 'cni configuration', subnet: cidr });
      return;
    }
    const via = internalIp(after);
    const old = routed.get(name);
    if (old && (old.cidr !== cidr || old.via !== via)) {
      options.kernel.root.routes.remove(prefix(old.cidr));
      routed.delete(name);
    }
    if (!cidr || !via || routed.has(name)) return;
    routed.set(name, { cidr, via });
    options.kernel.root.addRoute({ destination: prefix(cidr), via: address(via), device: 'eth0' });
    self.trace.emit('net.route', `Node/${options.nodeName}`, { destination: formatPrefix(prefix(cidr)), via, node: name });
  });
  await defer<never>(self.clock).promise;
}

const internalIp = (node: DeepReadonly<Node> | undefined): string | undefined => node?.status?.addresses?.find((a) => a.type === 'InternalIP')?.address;

/** kind's ip-masq-agent rules: whatever goes neither to a pod nor to this machine leaves under the machine's address. */
function masquerade({ kernel, podSubnet }: KindnetOptions): void {
  const { iptables } = kernel.root;
  iptables.setChain('nat', MASQ_CHAIN, [
    parseRule(`-d ${podSubnet} -m comment --comment "kind-masq-agent: local traffic is not subject to MASQUERADE" -j RETURN`),
    parseRule('-m comment --comment "kind-masq-agent: outbound traffic is subject to MASQUERADE (must be last in chain)" -j MASQUERADE'),
  ]);
  const jump = `-m addrtype ! --dst-type LOCAL -m comment --comment "kind-masq-agent: ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom KIND-MASQ-AGENT chain" -j ${MASQ_CHAIN}`;
  if (!iptables.tables.nat.chains.get('POSTROUTING')!.rules.some((rule) => rule.text === parseRule(jump).text)) iptables.append('nat', 'POSTROUTING', jump);
}

const conflist = (subnet: string): string =>
  `${JSON.stringify(
    {
      cniVersion: '0.3.1',
      name: 'kindnet',
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: true,
          ipMasq: false,
          ipam: { type: 'host-local', ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] },
          mtu: 1500,
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    },
    undefined,
    2,
  )}\n`;
