/** The network as one process sees it: `Sockets` over the packets of its namespace. */
import { type Duration, seconds } from '../sim/clock.ts';
import type { Process } from '../sim/process.ts';
import { address, formatAddress, parseAddress } from './address.ts';
import type { Files } from './files.ts';
import type { Netns } from './netns.ts';
import { datagram, type Packet, type Tuple } from './packet.ts';
import { resolveName } from './resolver.ts';
import type { UdpSocket } from './socket-table.ts';
import { type Connection, SocketError, type Sockets } from './sockets.ts';
import { type Stack, TcpSocket } from './tcp.ts';

/** What a socket needs of the kernel besides packets. */
export interface SocketHost extends Stack {
  draw(): number;
  newFlow(): number;
}

/** When the process ends its listeners vanish and its connections are reset. */
export function openSockets(netns: Netns, process: Process, files: Files, host: SocketHost): Sockets {
  const table = netns.sockets;
  process.onExit(() => table.processDied(process));

  const resolve = async (name: string): Promise<readonly string[]> => {
    try {
      return await resolveName(name, { files, rng: process.rng, askUdp });
    } catch (error) {
      throw error instanceof SocketError && error.code === 'ENOTFOUND' ? new SocketError('ENOTFOUND', `lookup ${name}: ${error.message}`) : error;
    }
  };

  const connect = async (name: string, port: number, options: { readonly timeout?: Duration } = {}): Promise<Connection> => {
    const ip = parseAddress(name) === undefined ? (await resolve(name))[0]! : name;
    return dial(ip, port, options.timeout);
  };

  const dial = (ip: string, port: number, timeout: Duration | undefined): Promise<Connection> =>
    new Promise((connected, failed) => {
      const refuse = (error: SocketError): void => {
        process.clock.wake();
        failed(new SocketError(error.code, `dial tcp ${ip}:${port}: ${error.message}`));
      };
      const tuple = netns.deleted ? undefined : sourceTuple(ip, port);
      if (!tuple) {
        refuse(new SocketError('ENETUNREACH', 'connect: network is unreachable'));
        return;
      }
      let settled = false;
      const cancelTimeout =
        timeout === undefined
          ? undefined
          : process.clock.after(timeout, () => {
              settled = true;
              socket.forget();
              refuse(new SocketError('ETIMEDOUT', 'i/o timeout'));
            });
      const socket = new TcpSocket(
        tuple,
        host,
        process,
        table,
        {
          established: (it) => {
            settled = true;
            cancelTimeout?.();
            process.clock.wake();
            connected(it);
          },
          gone: (it) => {
            if (settled || !process.alive) return;
            settled = true;
            cancelTimeout?.();
            if (it.error) refuse(it.error);
          },
        },
        host.newFlow(),
        'active',
      );
      table.add(socket, host.now());
      socket.open();
    });

  const sourceTuple = (ip: string, port: number): Tuple | undefined => {
    const destination = address(ip);
    const source = netns.sourceFor(destination);
    if (source === undefined) return undefined;
    const tuple = (sourcePort: number): Tuple => ({ protocol: 'tcp', source, sourcePort, destination, destinationPort: port });
    const free = table.ephemeralPort(host.draw, (candidate) => !table.listeners.has(candidate) && !table.connection(tuple(candidate), host.now()));
    return free === undefined ? undefined : tuple(free);
  };

  const askUdp = (ip: string, port: number, text: string, timeout: Duration): Promise<string> =>
    new Promise((answered, failed) => {
      const destination = address(ip);
      const source = netns.deleted ? undefined : netns.sourceFor(destination);
      const from = table.ephemeralPort(host.draw, (candidate) => !table.udp.has(candidate));
      if (source === undefined || from === undefined) {
        process.clock.wake();
        failed(new SocketError('ENETUNREACH', `dial udp ${ip}:${port}: connect: network is unreachable`));
        return;
      }
      let close = (): void => {};
      const cancel = process.clock.after(timeout, () => finish(() => failed(new SocketError('ETIMEDOUT', `read udp ${ip}:${port}: i/o timeout`))));
      const finish = (settle: () => void): void => {
        close();
        cancel();
        process.clock.wake();
        settle();
      };
      const socket: UdpSocket = {
        port: from,
        process,
        arrived: (p) => {
          if (p.source === destination && p.sourcePort === port) finish(() => answered(p.payload));
        },
        failed: (error) => finish(() => failed(new SocketError(error.code, `read udp ${ip}:${port}: ${error.message.replace('connect', 'read')}`))),
      };
      close = table.listenUdp(socket);
      host.send(datagram(source, from, destination, port, text, host.newFlow()));
    });

  return {
    listen: (port, onConnection) => table.listen({ port, process, onConnection }),
    connect,
    listenUdp: (port, onDatagram) =>
      table.listenUdp({
        port,
        process,
        arrived: (p: Packet) => {
          const reply = (text: string): void => host.send(datagram(p.destination, port, p.source, p.sourcePort, text, p.flow));
          onDatagram(p.payload, { ip: formatAddress(p.source), port: p.sourcePort }, reply);
        },
        failed: () => {},
      }),
    askUdp: (ip, port, text, timeout = seconds(5)) => askUdp(ip, port, text, timeout),
    resolve,
  };
}
