import { describe, expect, it } from 'vitest';
import { createFiles } from '../../linux/files.ts';
import { ipAddr, ipRoute } from '../../linux/inspect.ts';
import { createKernel } from '../../linux/kernel.ts';
import { Lan } from '../../linux/lan.ts';
import { Wires } from '../../linux/wire.ts';
import { Loop } from '../../sim/loop.ts';
import { testHost } from '../../sim/test-host.ts';
import { createBridgePlugin } from './bridge.ts';

const pod = { name: 'web', namespace: 'default', uid: 'u' };
const conflist = (subnet: string) =>
  JSON.stringify({ name: 'kindnet', plugins: [{ type: 'bridge', bridge: 'cni0', ipam: { type: 'host-local', ranges: [[{ subnet }]] } }] });

function node(subnet = '10.244.1.0/24') {
  const loop = new Loop({ seed: 1, host: testHost });
  const kernel = createKernel({ hostname: 'node-1', address: '10.0.0.11/24', loop, lan: new Lan(new Wires(loop)), rng: loop.rng.fork('k') });
  const files = createFiles();
  const plugin = createBridgePlugin({ kernel, files });
  const configure = () => files.write('/etc/cni/net.d/10-kindnet.conflist', conflist(subnet));
  return { kernel, files, plugin, configure };
}

describe('the bridge plugin', () => {
  it('is ready when a configuration lies there, and says so when none does', async () => {
    const { plugin, configure, kernel } = node();
    expect(plugin.ready).toBe(false);
    kernel.createNetns('a');
    await expect(plugin.add('a', pod)).rejects.toThrow('cni plugin not initialized');
    configure();
    expect(plugin.ready).toBe(true);
  });

  it('plumbs a pod in', async () => {
    const { plugin, configure, kernel } = node();
    configure();
    const netns = kernel.createNetns('a');
    expect(await plugin.add('a', pod)).toEqual({ ip: '10.244.1.2', interface: 'eth0' });
    expect(ipRoute(netns)).toBe('default via 10.244.1.1 dev eth0\n10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.2\n');
    expect(ipAddr(kernel.root)).toMatch(/veth[0-9a-f]{8}@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master cni0 state UP/);
    expect(ipAddr(kernel.root)).toContain('inet 10.244.1.1/24 brd 10.244.1.255 scope global cni0');
  });

  it('gives addresses in turn, and a released one only after all others', async () => {
    const { plugin, configure, kernel } = node('10.244.1.0/29');
    configure();
    const add = async (name: string) => {
      if (!kernel.netns(name)) kernel.createNetns(name);
      return (await plugin.add(name, pod)).ip;
    };
    expect([await add('a'), await add('b')]).toEqual(['10.244.1.2', '10.244.1.3']);
    await plugin.del('a', pod);
    expect(kernel.netns('a')!.devices.has('eth0')).toBe(false);
    expect([await add('c'), await add('d'), await add('e'), await add('f')]).toEqual(['10.244.1.4', '10.244.1.5', '10.244.1.6', '10.244.1.2']);
    kernel.createNetns('g');
    await expect(plugin.add('g', pod)).rejects.toThrow('no IP addresses available in range set: 10.244.1.2-10.244.1.6');
  });

  it('remembers across restarts, and lets go of what a dead machine left behind', async () => {
    const { plugin, configure, kernel, files } = node();
    configure();
    kernel.createNetns('a');
    await plugin.add('a', pod);
    kernel.reset();
    const again = createBridgePlugin({ kernel, files });
    kernel.createNetns('b');
    expect((await again.add('b', pod)).ip).toBe('10.244.1.3');
    await again.del('a', pod);
    await again.del('a', pod);
    expect(files.list('/var/lib/cni/networks/kindnet')).toEqual(['10.244.1.3', 'last_reserved_ip.0']);
  });
});
