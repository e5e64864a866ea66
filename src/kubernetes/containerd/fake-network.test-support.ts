/**
 * A flat network in memory for tests of containers: every namespace reaches every address in 100 µs, no
 * routes, no rules, names only from /etc/hosts. Not the product's network.
 */
import type { Files } from '../../linux/files.ts';
import { type Connection, SocketError, type Sockets } from '../../linux/sockets.ts';
import { us } from '../../sim/clock.ts';
import { defer, Mailbox } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { NetworkPlugin } from '../kubelet/cni.ts';
import type { NodeNetwork } from './containerd.ts';

const DELAY = us(100);

export interface FakeNetwork extends NodeNetwork {
  readonly cni: NetworkPlugin & { ready: boolean; fail: string | undefined };
  /** From the node. */
  connect(ip: string, port: number): Promise<Connection>;
  readonly namespaces: ReadonlySet<string>;
}

export function createFakeNetwork(self: Process, hostIP = '10.0.0.11'): FakeNetwork {
  const listeners = new Map<string, (connection: Connection) => void>();
  const addresses = new Map<string, string>();
  const namespaces = new Set<string>();
  let last = 1;
  let lastPort = 32_768;

  const pair = (from: string, to: string, port: number): [Connection, Connection] => {
    const local = { ip: from, port: lastPort++ };
    const remote = { ip: to, port };
    const boxes = [new Mailbox<string | undefined>(self.clock), new Mailbox<string | undefined>(self.clock)] as const;
    let closed = false;
    const end = (me: 0 | 1): Connection => ({
      local: me === 0 ? local : remote,
      remote: me === 0 ? remote : local,
      send: (text) => {
        if (!closed) self.clock.after(DELAY, () => boxes[me === 0 ? 1 : 0].put(text));
      },
      receive: () => boxes[me].take(),
      close: () => {
        if (closed) return;
        closed = true;
        self.clock.after(DELAY, () => {
          for (const box of boxes) for (let i = 0; i < 4; i++) box.put(undefined);
        });
      },
    });
    return [end(0), end(1)];
  };
  const dial = (from: string, ip: string, port: number): Promise<Connection> => {
    const done = defer<Connection>(self.clock);
    self.clock.after(DELAY * 2, () => {
      const listener = listeners.get(`${ip}:${port}`);
      if (!listener) return done.reject(new SocketError('ECONNREFUSED', 'Connection refused'));
      const [client, server] = pair(from, ip, port);
      done.resolve(client);
      listener(server);
    });
    return done.promise;
  };
  const socketsOf = (ip: () => string, files?: Files): Sockets => {
    const resolve = async (name: string): Promise<readonly string[]> => {
      if (/^[\d.]+$/.test(name)) return [name];
      if (name === 'localhost') return [ip()];
      for (const line of files?.exists('/etc/hosts') ? files.read('/etc/hosts').split('\n') : []) {
        const [address, ...names] = line.split(/\s+/);
        if (address && names.includes(name)) return [address];
      }
      throw new SocketError('ENOTFOUND', `bad address '${name}'`);
    };
    return {
      listen: (port, onConnection) => {
        const key = `${ip()}:${port}`;
        if (listeners.has(key)) throw new SocketError('EADDRINUSE', 'Address already in use');
        listeners.set(key, onConnection);
        return () => listeners.delete(key);
      },
      connect: async (host, port) => dial(ip(), (await resolve(host))[0]!.replace('127.0.0.1', ip()), port),
      listenUdp: () => () => {},
      askUdp: () => Promise.reject(new SocketError('ETIMEDOUT', 'timed out')),
      resolve,
    };
  };
  const cni: FakeNetwork['cni'] = {
    ready: true,
    fail: undefined,
    add: async (netns) => {
      await self.clock.sleep(us(5000));
      if (cni.fail !== undefined) throw new Error(cni.fail);
      const ip = `10.244.1.${++last}`;
      addresses.set(netns, ip);
      return { ip, interface: 'eth0' };
    },
    del: async (netns) => {
      addresses.delete(netns);
    },
  };
  return {
    createNetns: (name) => namespaces.add(name),
    deleteNetns: (name) => namespaces.delete(name),
    sockets: (netns, { files }) => socketsOf(() => addresses.get(netns) ?? '', files),
    hostSockets: socketsOf(() => hostIP),
    cni,
    connect: (ip, port) => dial(hostIP, ip, port),
    namespaces,
  };
}
