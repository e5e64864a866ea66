import { describe, expect, it } from 'vitest';
import { minutes, ms, seconds } from '../sim/clock.ts';
import { Loop } from '../sim/loop.ts';
import type { Main } from '../sim/process.ts';
import { testHost } from '../sim/test-host.ts';
import { address, prefix } from './address.ts';
import { enslave } from './bridge.ts';
import { createFiles } from './files.ts';
import { conntrackList, describeHops, ipAddr, ipRoute, ssListening } from './inspect.ts';
import { createKernel, type Kernel } from './kernel.ts';
import { Lan } from './lan.ts';
import { connectVeth } from './veth.ts';
import { Wires } from './wire.ts';

/** Two machines, each with a bridge and two pods; routes between them as kindnet sets them. */
function world() {
  const loop = new Loop({ seed: 7, host: testHost });
  const wires = new Wires(loop);
  const lan = new Lan(wires);
  const machine = (hostname: string, n: number): Kernel => {
    const kernel = createKernel({ hostname, address: `10.0.0.${10 + n}/24`, loop, lan, rng: loop.rng.fork(hostname) });
    const bridge = kernel.root.ensureBridge('cni0');
    kernel.root.addAddress(bridge, `10.244.${n}.1/24`);
    for (const pod of [1, 2]) {
      const netns = kernel.createNetns(`pod${pod}`);
      const { a, b } = connectVeth(kernel.root, `veth${pod}`, netns, 'eth0');
      enslave(a, bridge);
      netns.addAddress(b, `10.244.${n}.${pod + 1}/24`);
      netns.addRoute({ destination: prefix('0.0.0.0/0'), via: address(`10.244.${n}.1`), device: 'eth0' });
    }
    const other = n === 1 ? 2 : 1;
    kernel.root.addRoute({ destination: prefix(`10.244.${other}.0/24`), via: address(`10.0.0.${10 + other}`), device: 'eth0' });
    return kernel;
  };
  const one = machine('node-1', 1);
  const two = machine('node-2', 2);
  const sockets = (
    kernel: Kernel,
    netns: string,
    main: (s: ReturnType<Kernel['sockets']>, ...rest: Parameters<Main>) => Promise<void>,
    files = createFiles(),
  ) => loop.spawn(`${netns}@${kernel.hostname}`, (self) => main(kernel.sockets(netns, self, files), self));
  return { loop, wires, one, two, sockets };
}

/** Says back what it hears, once, with a name. */
const echo = (w: ReturnType<typeof world>, kernel: Kernel, netns: string, port: number, name = 'echo') =>
  w.sockets(kernel, netns, async (s, self) => {
    s.listen(port, (connection) => {
      self.spawn('serve', async () => {
        for (let text = await connection.receive(); text !== undefined; text = await connection.receive())
          connection.send(`${name}: ${text} from ${connection.remote.ip}`);
        connection.close();
      });
    });
    await self.clock.sleep(minutes(60));
  });

const dialOnce = async (s: ReturnType<Kernel['sockets']>, host: string, port: number): Promise<string> => {
  try {
    const connection = await s.connect(host, port);
    connection.send('hello');
    const answer = await connection.receive();
    connection.close();
    return answer ?? 'closed';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('TCP', () => {
  it.each([
    ['within a pod', 'pod1', '127.0.0.1', 'echo: hello from 127.0.0.1'],
    ['to itself by its address', 'pod1', '10.244.1.2', 'echo: hello from 10.244.1.2'],
    ['between pods of a machine', 'pod2', '10.244.1.2', 'echo: hello from 10.244.1.3'],
    ['from the machine', 'root', '10.244.1.2', 'echo: hello from 10.244.1.1'],
  ])('%s', async (_name, netns, host, expected) => {
    const w = world();
    echo(w, w.one, 'pod1', 80);
    let got = '';
    w.sockets(w.one, netns, async (s) => {
      got = await dialOnce(s, host, 80);
    });
    await w.loop.run(seconds(2));
    expect(got).toBe(expected);
    expect(w.loop.lateTouches).toBe(0);
  });

  it('crosses machines, and both ends forget in the end', async () => {
    const w = world();
    echo(w, w.two, 'pod2', 80);
    let got = '';
    w.sockets(w.one, 'pod1', async (s) => {
      got = await dialOnce(s, '10.244.2.3', 80);
    });
    await w.loop.run(minutes(3));
    expect(got).toBe('echo: hello from 10.244.1.2');
    expect(w.one.netns('pod1')!.sockets.list(w.loop.now)).toEqual([]);
    expect(w.two.netns('pod2')!.sockets.list(w.loop.now)).toEqual([]);
    expect(w.loop.pending).toBe(1);
  });

  it.each([
    ['nobody listens', '10.244.2.2', 'dial tcp 10.244.2.2:80: connect: connection refused', 1],
    ['nobody has the address', '10.244.2.77', 'dial tcp 10.244.2.77:80: connect: no route to host', 4],
    ['no machine has it', '10.0.0.99', 'dial tcp 10.0.0.99:80: connect: no route to host', 4],
  ])('fails when %s', async (_name, host, message, within) => {
    const w = world();
    let got = '';
    w.sockets(w.one, 'pod1', async (s) => {
      got = await dialOnce(s, host, 80);
    });
    await w.loop.run(seconds(within));
    expect(got).toBe(message);
  });

  it('times out across a partition, after 127 s of retries', async () => {
    const w = world();
    echo(w, w.two, 'pod1', 80);
    w.wires.partition([['node-1'], ['node-2']]);
    let got = '';
    let at = 0;
    w.sockets(w.one, 'pod1', async (s, self) => {
      got = await dialOnce(s, '10.244.2.2', 80);
      at = self.clock.now();
    });
    await w.loop.run(minutes(3));
    expect(got).toBe('dial tcp 10.244.2.2:80: connect: connection timed out');
    expect(at).toBe(seconds(127));
  });

  it('a SYN lost to a short partition is sent again', async () => {
    const w = world();
    echo(w, w.two, 'pod1', 80);
    w.wires.partition([['node-1'], ['node-2']]);
    w.loop.after(seconds(2), () => w.wires.partition([]));
    let got = '';
    let at = 0;
    w.sockets(w.one, 'pod1', async (s, self) => {
      got = await dialOnce(s, '10.244.2.2', 80);
      at = self.clock.now();
    });
    await w.loop.run(seconds(10));
    expect(got).toBe('echo: hello from 10.244.1.2');
    expect(at).toBeGreaterThan(seconds(3));
    expect(at).toBeLessThan(seconds(3) + ms(10));
  });

  it('obeys its own timeout', async () => {
    const w = world();
    w.wires.setPower('node-2', false);
    let got = '';
    w.sockets(w.one, 'pod1', async (s) => {
      got = await s.connect('10.244.2.2', 80, { timeout: seconds(1) }).then(
        () => 'connected',
        (error: Error) => error.message,
      );
    });
    await w.loop.run(seconds(2));
    expect(got).toBe('dial tcp 10.244.2.2:80: i/o timeout');
  });

  it('data lost on the way arrives after the partition heals', async () => {
    const w = world();
    echo(w, w.two, 'pod1', 80);
    let got: string | undefined;
    w.sockets(w.one, 'pod1', async (s) => {
      const c = await s.connect('10.244.2.2', 80);
      w.wires.partition([['node-1'], ['node-2']]);
      w.loop.after(seconds(5), () => w.wires.partition([]));
      c.send('a');
      got = await c.receive();
    });
    await w.loop.run(seconds(20));
    expect(got).toBe('echo: a from 10.244.1.2');
  });

  it('a process that dies resets its connections and frees its port', async () => {
    const w = world();
    const server = echo(w, w.two, 'pod1', 80);
    let got = '';
    let again = '';
    w.sockets(w.one, 'pod1', async (s) => {
      const c = await s.connect('10.244.2.2', 80);
      w.loop.after(seconds(1), () => server.kill());
      got = await c.receive().then(String, (error: Error) => error.message);
      again = await dialOnce(s, '10.244.2.2', 80);
    });
    await w.loop.run(seconds(3));
    expect(got).toBe('read: connection reset by peer');
    expect(again).toBe('dial tcp 10.244.2.2:80: connect: connection refused');
    expect(w.two.netns('pod1')!.sockets.listeners.size).toBe(0);
  });

  it('one port, one listener', async () => {
    const w = world();
    let message = '';
    w.sockets(w.one, 'root', async (s) => {
      const close = s.listen(80, () => {});
      try {
        s.listen(80, () => {});
      } catch (error) {
        message = (error as Error).message;
      }
      close();
      s.listen(80, () => {});
    });
    await w.loop.run(seconds(1));
    expect(message).toBe('listen tcp :80: bind: address already in use');
  });
});

describe('address translation', () => {
  const service = (kernel: Kernel, backend: string): void => {
    kernel.root.iptables.append('nat', 'PREROUTING', '-j SVC');
    kernel.root.iptables.append('nat', 'OUTPUT', '-j SVC');
    kernel.root.iptables.append('nat', 'SVC', '! -s 10.244.0.0/16 -d 10.96.0.7 -j MARK --or-mark 0x4000');
    kernel.root.iptables.append('nat', 'SVC', `-s ${backend} -d 10.96.0.7 -j MARK --or-mark 0x4000`);
    kernel.root.iptables.append('nat', 'SVC', `-d 10.96.0.7 -p tcp --dport 80 -j DNAT --to-destination ${backend}:8080`);
    kernel.root.iptables.append('nat', 'POSTROUTING', '-m mark --mark 0x4000/0x4000 -j MASQUERADE');
  };

  it.each([
    ['a pod to another machine keeps its address', 'pod1', '10.244.2.2', '10.244.1.2'],
    ['a pod to its neighbour on the bridge', 'pod1', '10.244.1.3', '10.244.1.2'],
    ['a pod to itself is masqueraded as the bridge', 'pod1', '10.244.1.2', '10.244.1.1'],
    ['the machine to a pod of its own', 'root', '10.244.1.2', '10.244.1.1'],
    ['the machine to a pod elsewhere', 'root', '10.244.2.2', '10.0.0.11'],
  ])('%s', async (_name, from, backend, seen) => {
    const w = world();
    service(w.one, backend);
    for (const [kernel, netns, ip] of [
      [w.one, 'pod1', '10.244.1.2'],
      [w.one, 'pod2', '10.244.1.3'],
      [w.two, 'pod1', '10.244.2.2'],
    ] as const) {
      if (ip === backend) echo(w, kernel, netns, 8080);
    }
    let got = '';
    let remote = '';
    w.sockets(w.one, from, async (s) => {
      const c = await s.connect('10.96.0.7', 80);
      remote = c.remote.ip;
      c.send('hi');
      got = (await c.receive()) ?? '';
      c.close();
    });
    await w.loop.run(seconds(1));
    expect(got).toBe(`echo: hi from ${seen}`);
    expect(remote).toBe('10.96.0.7');
    expect(conntrackList(w.one.root, w.loop.now)).toContain(`dst=10.96.0.7`);
    expect(conntrackList(w.one.root, w.loop.now)).toContain(`src=${backend} dst=${seen}`);
  });

  it('two clients with one port between them get different answers back', async () => {
    const w = world();
    service(w.one, '10.244.2.2');
    w.one.root.iptables.append('nat', 'POSTROUTING', '-d 10.244.2.2 -j MASQUERADE');
    echo(w, w.two, 'pod1', 8080);
    const got: string[] = [];
    for (const pod of ['pod1', 'pod2']) w.sockets(w.one, pod, async (s) => void got.push(await dialOnce(s, '10.96.0.7', 80)));
    await w.loop.run(seconds(1));
    expect(got).toEqual(['echo: hello from 10.0.0.11', 'echo: hello from 10.0.0.11']);
  });

  it('REJECT is heard as a refusal, DROP as silence', async () => {
    const w = world();
    w.one.root.iptables.append('filter', 'FORWARD', '-d 10.96.0.8 -j REJECT');
    w.one.root.iptables.append('filter', 'FORWARD', '-d 10.244.2.2 -j DROP');
    const got: string[] = [];
    w.sockets(w.one, 'pod1', async (s) => {
      got.push(await dialOnce(s, '10.96.0.8', 80));
      got.push(await s.askUdp('10.96.0.8', 53, 'x', seconds(1)).then(String, (e: Error) => e.message));
      got.push(await dialOnce(s, '10.244.2.2', 80));
    });
    await w.loop.run(minutes(3));
    expect(got).toEqual([
      'dial tcp 10.96.0.8:80: connect: connection refused',
      'read udp 10.96.0.8:53: read: connection refused',
      'dial tcp 10.244.2.2:80: connect: connection timed out',
    ]);
    expect(w.loop.trace.latest((f) => f.type === 'net.drop' && f.data['reason'] === 'rejected by rule')).toBeDefined();
  });

  it('shows a packet hop by hop, and can foretell it', async () => {
    const w = world();
    service(w.one, '10.244.2.2');
    echo(w, w.two, 'pod1', 8080);
    const followed: string[] = [];
    w.one.followFlows((p) => p.destinationPort === 80);
    w.loop.trace.listen((fact) => fact.type === 'net.pkt' && followed.push(String(fact.data['packet'])));
    w.sockets(w.one, 'pod1', async (s) => void (await dialOnce(s, '10.96.0.7', 80)));
    await w.loop.run(seconds(1));
    expect(followed[0]).toMatch(/^TCP 10\.244\.1\.2:\d+ > 10\.96\.0\.7:80 \[SYN\]$/);
    const first = w.one.recent()[0]!;
    const steps = first.journey.hops.map((h) => h.step);
    expect(steps).toEqual(['send', 'transmit', 'bridge', 'receive', 'dnat', 'route', 'transmit']);
    expect(describeHops(first.journey.hops)).toContain('nat: -A SVC -d 10.96.0.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.2.2:8080');
    const before = w.one.root.conntrack.size;
    expect(w.one.predict(w.one.netns('pod2')!, first.packet).outcome.kind).toBe('wire');
    expect(w.one.root.conntrack.size).toBe(before);
  });
});

describe('names', () => {
  const files = createFiles({
    '/etc/resolv.conf': 'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.244.2.2\noptions ndots:5\n',
    '/etc/hosts': '127.0.0.1\tlocalhost\n10.244.1.9\tdb.local db # a comment\n',
  });
  const ask = async (name: string, up = true) => {
    const w = world();
    const asked: string[] = [];
    w.sockets(w.two, 'pod1', async (s, self) => {
      if (up) {
        s.listenUdp(53, (text, _from, reply) => {
          const [, id, , question] = text.split(' ');
          asked.push(question!);
          reply(question === 'web.default.svc.cluster.local.' ? `ANSWER ${id} NOERROR\n${question} 5 IN A 10.96.0.7` : `ANSWER ${id} NXDOMAIN`);
        });
      } else w.wires.setPower('node-2', false);
      await self.clock.sleep(minutes(5));
    });
    let got = '';
    let took = 0;
    w.sockets(
      w.one,
      'pod1',
      async (s, self) => {
        const from = self.clock.now();
        got = await s.resolve(name).then(String, (e: Error) => e.message);
        took = self.clock.now() - from;
      },
      files,
    );
    await w.loop.run(minutes(1));
    return { got, asked, took };
  };

  it.each([
    ['10.1.2.3', '10.1.2.3', 0],
    ['db', '10.244.1.9', 0],
    ['web', '10.96.0.7', 1],
    ['web.default', '10.96.0.7', 2],
    ['web.default.svc.cluster.local', '10.96.0.7', 4],
    ['web.default.svc.cluster.local.', '10.96.0.7', 1],
    ['nowhere', 'lookup nowhere: Name or service not known', 4],
  ])('%s', async (name, expected, questions) => {
    const { got, asked } = await ask(name);
    expect(got).toBe(expected);
    expect(asked.length).toBe(questions);
  });

  it('a silent server costs two times five seconds', async () => {
    const { got, took } = await ask('web', false);
    expect(got).toBe('lookup web: Temporary failure in name resolution');
    expect(took).toBe(seconds(10));
  });
});

describe('the machine', () => {
  it('reset silences everything', async () => {
    const w = world();
    echo(w, w.two, 'pod1', 80);
    let got = '';
    w.sockets(w.one, 'pod1', async (s) => {
      got = await dialOnce(s, '10.244.2.2', 80);
    });
    await w.loop.run(10);
    w.two.reset();
    await w.loop.run(seconds(10));
    expect(w.two.netnsNames).toEqual(['root']);
    expect(got).not.toContain('echo');
  });

  it('deleting a namespace takes its cable along', async () => {
    const w = world();
    w.one.deleteNetns('pod1');
    expect([...w.one.root.devices.keys()]).toEqual(['lo', 'eth0', 'cni0', 'veth2']);
    let got = '';
    w.sockets(w.one, 'pod2', async (s) => {
      got = await dialOnce(s, '10.244.1.2', 80);
    });
    await w.loop.run(seconds(5));
    expect(got).toContain('no route to host');
  });

  it('tells an administrator about itself', async () => {
    const w = world();
    echo(w, w.one, 'root', 10256);
    await w.loop.run(1);
    expect(ipRoute(w.one.root)).toBe(`default via 10.0.0.1 dev eth0
10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.11
10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1
10.244.2.0/24 via 10.0.0.12 dev eth0
`);
    expect(ipAddr(w.one.root)).toContain('inet 10.0.0.11/24 brd 10.0.0.255 scope global eth0');
    expect(ssListening(w.one.root)).toContain('*:10256');
  });

  it('the same seed gives the same world', async () => {
    const run = async () => {
      const w = world();
      echo(w, w.two, 'pod1', 80);
      w.sockets(w.one, 'pod1', async (s) => void (await dialOnce(s, '10.244.2.2', 80)));
      await w.loop.run(seconds(1));
      return w.loop.hash();
    };
    expect(await run()).toBe(await run());
  });
});
