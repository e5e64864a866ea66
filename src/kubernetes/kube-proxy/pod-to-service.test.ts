/** The whole way: a pod asks for a Service by name, over veth, bridge, iptables and the wire. Nothing is faked but the API server. */
import { describe, expect, it } from 'vitest';
import { createFiles, type Files } from '../../linux/files.ts';
import { httpGet, serveHttp } from '../../linux/http.ts';
import { conntrackList, describeHops, iptablesSave } from '../../linux/inspect.ts';
import { createKernel, type Kernel } from '../../linux/kernel.ts';
import { Lan } from '../../linux/lan.ts';
import type { Sockets } from '../../linux/sockets.ts';
import { Wires } from '../../linux/wire.ts';
import { minutes, seconds } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import type { Process } from '../../sim/process.ts';
import { testHost } from '../../sim/test-host.ts';
import { createFakeApiServer, type FakeApiServer } from '../client/fake-apiserver.test-support.ts';
import { createBridgePlugin } from '../cni/bridge.ts';
import { runKindnet } from '../cni/kindnet.ts';
import { runCoreDns } from '../coredns/run.ts';
import { runKubeProxy } from './run.ts';

interface Machine {
  readonly kernel: Kernel;
  readonly files: Files;
  readonly proxy: Process;
  /** Starts a program in a pod of its own; resolves with its address once the network is ready. */
  pod(name: string, main: (sockets: Sockets, self: Process) => Promise<void>): string;
}

const RESOLV_CONF = 'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n';

async function cluster() {
  const loop = new Loop({ seed: 11, host: testHost });
  const wires = new Wires(loop);
  const lan = new Lan(wires);
  let api!: FakeApiServer;
  loop.spawn('kube-apiserver', async (self) => {
    api = createFakeApiServer(self);
    for (const name of ['default', 'kube-system']) api.put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const n of [1, 2]) {
      api.put('nodes', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: `node-${n}` },
        spec: { podCIDR: `10.244.${n}.0/24` },
        status: { addresses: [{ type: 'InternalIP', address: `10.0.0.${10 + n}` }] },
      });
    }
    await self.clock.sleep(minutes(600));
  });
  await loop.run(1);
  const handler = api.handler;
  const machine = (n: number): Machine => {
    const nodeName = `node-${n}`;
    const kernel = createKernel({ hostname: nodeName, address: `10.0.0.${10 + n}/24`, loop, lan, rng: loop.rng.fork(nodeName) });
    const files = createFiles();
    loop.spawn(`kindnet@${nodeName}`, (self) => runKindnet(self, { nodeName, handler, kernel, files, podSubnet: '10.244.0.0/16' }));
    const proxy = loop.spawn(`kube-proxy@${nodeName}`, (self) =>
      runKubeProxy(self, { nodeName, handler, kernel, clusterCidr: '10.244.0.0/16', sockets: kernel.sockets('root', self, files) }),
    );
    const plugin = createBridgePlugin({ kernel, files });
    let next = 1;
    return {
      kernel,
      files,
      proxy,
      pod: (name, main) => {
        kernel.createNetns(name);
        loop.spawn(`${name}@${nodeName}`, async (self) => {
          while (!plugin.ready) await self.clock.sleep(seconds(1));
          await plugin.add(name, { name, namespace: 'default', uid: name });
          await main(kernel.sockets(name, self, createFiles({ '/etc/resolv.conf': RESOLV_CONF, '/etc/hosts': '127.0.0.1 localhost\n' })), self);
          await self.clock.sleep(minutes(600));
        });
        return `10.244.${n}.${++next}`;
      },
    };
  };
  const one = machine(1);
  const two = machine(2);
  const dnsIp = two.pod('coredns', (sockets, self) => runCoreDns(self, { handler, sockets, files: createFiles() }));
  const publish = (
    namespace: string,
    name: string,
    clusterIP: string,
    port: { name: string; port: number; targetPort: number; protocol: string; nodePort?: number },
    endpoints: [ip: string, node: string][],
  ) => {
    const { targetPort, nodePort: _, ...rest } = port;
    api.put('services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name },
      spec: { type: port.nodePort ? 'NodePort' : 'ClusterIP', clusterIP, ports: [port] },
    });
    api.put('endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { namespace, name: `${name}-x`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ ...rest, port: targetPort }],
      endpoints: endpoints.map(([ip, nodeName]) => ({ addresses: [ip], nodeName, conditions: { ready: true, serving: true, terminating: false } })),
    });
  };
  publish('kube-system', 'kube-dns', '10.96.0.10', { name: 'dns', port: 53, targetPort: 53, protocol: 'UDP' }, [[dnsIp, 'node-2']]);
  const web = (at: Machine, name: string): string =>
    at.pod(name, async (sockets) => {
      serveHttp(sockets, 8080, (request) => ({ status: 200, body: `${name} sees ${request.remote.ip}` }));
    });
  return { loop, wires, api, one, two, publish, web };
}

/** Asks every second; keeps the answers. */
const asker = (at: Machine, url: string, times = 1, wait = 5): string[] => {
  const got: string[] = [];
  at.pod(`client-${url.replace(/\W/g, '')}`, async (sockets, self) => {
    await self.clock.sleep(seconds(wait));
    for (let i = 0; i < times; i++) {
      got.push(
        await httpGet(sockets, url, { clock: self.clock, timeout: seconds(3) }).then(
          (r) => r.body,
          (e: Error) => e.message,
        ),
      );
      await self.clock.sleep(seconds(1));
    }
  });
  return got;
};

describe('a pod reaches a Service by name', () => {
  it('on another machine, with its own address, and the rule that did it is on record', async () => {
    const w = await cluster();
    w.one.kernel.recording = true;
    const ip = w.web(w.two, 'web-1');
    w.publish('default', 'web', '10.96.0.7', { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }, [[ip, 'node-2']]);
    const got = asker(w.one, 'http://web/');
    await w.loop.run(seconds(10));
    expect(got).toEqual(['web-1 sees 10.244.1.2']);
    const save = iptablesSave(w.one.kernel.root);
    expect(save).toContain('-A KUBE-SERVICES -d 10.96.0.7/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-');
    const syn = w.one.kernel.recent().find((r) => r.packet.destinationPort === 80)!;
    for (const line of describeHops(syn.journey.hops)
      .split('\n')
      .filter((l) => l.startsWith('    nat: ')))
      expect(save).toContain(line.slice('    nat: '.length));
    expect(syn.journey.hops.filter((h) => h.step === 'dnat').length).toBe(1);
    expect(conntrackList(w.one.kernel.root, w.loop.now)).toMatch(
      new RegExp(`dst=10\\.96\\.0\\.7 sport=\\d+ dport=80 src=${ip.replaceAll('.', '\\.')} dst=10\\.244\\.1\\.2 sport=8080`),
    );
    expect(w.loop.trace.latest((f) => f.type === 'proxy.sync')).toBeDefined();
    expect(w.loop.lateTouches).toBe(0);
  });

  it('spreads over endpoints, itself included', async () => {
    const w = await cluster();
    const a = w.web(w.one, 'web-1');
    const b = w.web(w.two, 'web-2');
    w.publish('default', 'web', '10.96.0.7', { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }, [
      [a, 'node-1'],
      [b, 'node-2'],
    ]);
    const got = asker(w.one, 'http://web.default.svc.cluster.local/', 20);
    await w.loop.run(seconds(40));
    expect(got.length).toBe(20);
    expect(got.filter((g) => g.startsWith('web-1')).length).toBeGreaterThan(4);
    expect(got.filter((g) => g.startsWith('web-2')).length).toBeGreaterThan(4);
  });

  it('is refused at once when nothing stands behind it, and served as soon as something does', async () => {
    const w = await cluster();
    const ip = w.web(w.two, 'web-1');
    w.publish('default', 'web', '10.96.0.7', { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }, []);
    const got = asker(w.one, 'http://web/', 6);
    w.loop.after(seconds(8), () => w.publish('default', 'web', '10.96.0.7', { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }, [[ip, 'node-2']]));
    await w.loop.run(seconds(20));
    expect(got[0]).toBe('dial tcp 10.96.0.7:80: connect: connection refused');
    expect(got.at(-1)).toBe('web-1 sees 10.244.1.2');
  });

  it('by NodePort, on a machine where it does not run, masqueraded', async () => {
    const w = await cluster();
    const ip = w.web(w.two, 'web-1');
    w.publish('default', 'web', '10.96.0.7', { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP', nodePort: 30080 }, [[ip, 'node-2']]);
    const got = asker(w.two, 'http://10.0.0.11:30080/');
    await w.loop.run(seconds(10));
    expect(got).toEqual(['web-1 sees 10.0.0.11']);
  });

  it('from the machine itself', async () => {
    const w = await cluster();
    const ip = w.web(w.two, 'web-1');
    w.publish('default', 'web', '10.96.0.7', { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }, [[ip, 'node-2']]);
    const got: string[] = [];
    w.loop.spawn('shell@node-1', async (self) => {
      const sockets = w.one.kernel.sockets('root', self, w.one.files);
      await self.clock.sleep(seconds(5));
      got.push((await httpGet(sockets, 'http://10.96.0.7/')).body, (await httpGet(sockets, 'http://127.0.0.1:10256/healthz')).body.slice(0, 14));
    });
    await w.loop.run(seconds(10));
    expect(got).toEqual(['web-1 sees 10.0.0.11', '{"lastUpdated"']);
  });

  it('times out across a partition and recovers', async () => {
    const w = await cluster();
    const ip = w.web(w.two, 'web-1');
    w.publish('default', 'web', '10.96.0.7', { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }, [[ip, 'node-2']]);
    const got = asker(w.one, 'http://10.96.0.7/', 4);
    w.loop.after(seconds(4), () => w.wires.partition([['node-1'], ['node-2']]));
    w.loop.after(seconds(9), () => w.wires.partition([]));
    await w.loop.run(seconds(30));
    expect(got[0]).toContain('i/o timeout');
    expect(got.at(-1)).toBe('web-1 sees 10.244.1.2');
  });

  it('rules outlive a dead kube-proxy; the next one removes what is stale', async () => {
    const w = await cluster();
    const ip = w.web(w.two, 'web-1');
    w.publish('default', 'web', '10.96.0.7', { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }, [[ip, 'node-2']]);
    await w.loop.run(seconds(5));
    w.one.proxy.kill();
    w.api.remove('services', 'default/web');
    await w.loop.run(seconds(10));
    expect(iptablesSave(w.one.kernel.root)).toContain('default/web:http');
    expect(iptablesSave(w.two.kernel.root)).not.toContain('default/web:http');
    w.loop.spawn('kube-proxy@node-1', (self) =>
      runKubeProxy(self, { nodeName: 'node-1', handler: w.api.handler, kernel: w.one.kernel, clusterCidr: '10.244.0.0/16' }),
    );
    await w.loop.run(seconds(15));
    expect(iptablesSave(w.one.kernel.root)).not.toContain('default/web:http');
    expect(iptablesSave(w.one.kernel.root)).toContain('kube-system/kube-dns:dns');
  });
});
