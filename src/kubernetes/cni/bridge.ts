/**
 * The bridge plugin: gives a sandbox one end of a cable whose other end is a port of the node's bridge
 * cni0, an address from the node's subnet, and the bridge as its way out (containernetworking/plugins
 * `plugins/main/bridge`). Which subnet that is stands in the configuration the network daemon writes.
 */
import { address, prefix } from '../../linux/address.ts';
import { enslave } from '../../linux/bridge.ts';
import type { Files } from '../../linux/files.ts';
import type { Kernel } from '../../linux/kernel.ts';
import { connectVeth } from '../../linux/veth.ts';
import { hash32 } from '../../sim/rng.ts';
import type { NetworkPlugin } from '../kubelet/cni.ts';
import { HostLocal } from './ipam.ts';

export const CONFIG_DIRECTORY = '/etc/cni/net.d';

export interface BridgePluginOptions {
  readonly kernel: Kernel;
  /** The node's own file system. */
  readonly files: Files;
}

interface NetworkConfig {
  readonly name: string;
  readonly bridge: string;
  readonly subnet: string;
}

/** `ready` as soon as a configuration list lies in /etc/cni/net.d. Rejections carry the plugin's message. */
export function createBridgePlugin({ kernel, files }: BridgePluginOptions): NetworkPlugin {
  // The kubelet asks whether the network is ready several times a second: a text is parsed when it is new.
  let last: { readonly text: string; readonly config: NetworkConfig | undefined } | undefined;
  const parsed = (text: string): NetworkConfig | undefined => {
    if (last?.text !== text) last = { text, config: parseConfig(text) };
    return last.config;
  };
  return {
    get ready() {
      return readConfig(files, parsed) !== undefined;
    },

    add: async (name, _pod) => {
      const config = readConfig(files, parsed);
      if (!config) throw new Error('cni plugin not initialized');
      const netns = kernel.netns(name);
      if (!netns) throw new Error(`failed to open netns "/var/run/netns/${name}": failed to Statfs "/var/run/netns/${name}": no such file or directory`);
      const ipam = new HostLocal(files, config.name, config.subnet);
      const bridge = kernel.root.ensureBridge(config.bridge);
      kernel.root.addAddress(bridge, `${ipam.gateway}/${ipam.length}`);
      const ip = ipam.reserve(name);
      let hostEnd = vethName(name, 0);
      for (let salt = 1; kernel.root.devices.has(hostEnd); salt++) hostEnd = vethName(name, salt);
      const { a, b } = connectVeth(kernel.root, hostEnd, netns, 'eth0');
      enslave(a, bridge);
      netns.addAddress(b, `${ip}/${ipam.length}`);
      netns.addRoute({ destination: prefix('0.0.0.0/0'), via: address(ipam.gateway), device: 'eth0' });
      return { ip, interface: 'eth0' };
    },

    del: async (name, _pod) => {
      const config = readConfig(files, parsed);
      if (config) new HostLocal(files, config.name, config.subnet).release(name);
      kernel.netns(name)?.removeDevice('eth0');
    },
  };
}

/** `veth` and eight hex digits. */
const vethName = (netns: string, salt: number): string => `veth${hash32(`${netns}/eth0`, salt).toString(16).padStart(8, '0')}`;

/** The first valid list in the directory, by name, as libcni chooses it. */
function readConfig(files: Files, parse: (text: string) => NetworkConfig | undefined): NetworkConfig | undefined {
  if (!files.isDirectory(CONFIG_DIRECTORY)) return undefined;
  for (const file of files.list(CONFIG_DIRECTORY)) {
    const path = `${CONFIG_DIRECTORY}/${file}`;
    if (!file.endsWith('.conflist') || files.isDirectory(path)) continue;
    const config = parse(files.read(path));
    if (config) return config;
  }
  return undefined;
}

/** Undefined for a list that cannot be read or has no bridge in it: it is passed over, as libcni does. */
function parseConfig(text: string): NetworkConfig | undefined {
  try {
    const list = JSON.parse(text) as { name: string; plugins: { type: string; bridge?: string; ipam?: { ranges?: { subnet: string }[][] } }[] };
    const plugin = list.plugins.find((p) => p.type === 'bridge');
    const subnet = plugin?.ipam?.ranges?.[0]?.[0]?.subnet;
    return plugin && subnet ? { name: list.name, bridge: plugin.bridge ?? 'cni0', subnet } : undefined;
  } catch {
    return undefined;
  }
}
