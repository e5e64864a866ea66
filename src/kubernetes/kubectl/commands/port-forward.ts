/**
 * kubectl port-forward: ports of the laptop that lead into a pod (kubectl pkg/cmd/portforward, client-go
 * tools/portforward). Here simplified: a socket of the world listens on every address of its machine, and
 * there is no IPv6; both addresses of `localhost` are told of all the same.
 */
import { type Connection, SocketError } from '../../../linux/sockets.ts';
import { defer } from '../../../sim/mailbox.ts';
import type { Frame, FramePipe } from '../../api/request.ts';
import { Pipe, type Stream } from '../../api/stream.ts';
import { getObject, select } from '../builder.ts';
import { KubectlError, usageError } from '../errors.ts';
import { klog } from '../klog.ts';
import type { ObjectLike, Session } from '../session.ts';
import type { Command } from './command.ts';
import { type PodObject, podsOf } from './pods.ts';
import { RUNNING_TIMEOUT, runningTimeout, upgradedStream } from './streams.ts';

interface ForwardedPort {
  readonly local: number;
  readonly remote: number;
}
interface Address {
  readonly ip: string;
  readonly family: 'tcp4' | 'tcp6';
}

export const portForward: Command = {
  summary: 'Forward one or more local ports to a pod',
  usage: 'kubectl port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]',
  flags: { ...RUNNING_TIMEOUT, address: { type: 'strings', default: 'localhost' } },
  run: async (session, args) => {
    if (args.length < 2) throw usageError('kubectl port-forward', 'TYPE/NAME and list of ports are required for port-forward');
    const timeout = runningTimeout(session);
    const [name = '', ...given] = args;
    const found = await podsOf(session, name, { timeout });
    const pod = found.pods[0]!;
    const service = found.object.kind === 'Service' ? (found.object as unknown as ServiceLike) : undefined;
    const wanted = service ? servicePorts(given, service, pod) : podPorts(given, pod);
    const current = await running(session, pod);
    const addresses = addressesOf(session.flags.list('address'));
    const ports = wanted.map(portOf);
    await forward(session, current, addresses, ports);
  },
};

/** The pod as it is now; a forward needs it Running. */
async function running(session: Session, pod: PodObject): Promise<PodObject> {
  const target = (await select(session, ['pods', pod.metadata.name ?? ''])).targets[0]!;
  const current = (await getObject(session, target)) as unknown as PodObject;
  const phase = current.status?.phase;
  if (phase !== 'Running') throw new KubectlError(`unable to forward port because pod is not running. Current status=${phase ?? ''}`);
  return current;
}

// --- Which ports ---------------------------------------------------------------------------------------
interface ServiceLike extends ObjectLike {
  readonly spec?: never;
}
interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly targetPort?: number | string;
}
const portsOf = (service: ServiceLike): readonly ServicePort[] =>
  (service['spec'] as unknown as { readonly ports?: readonly ServicePort[] } | undefined)?.ports ?? [];

function split(text: string): readonly [string, string] {
  const parts = text.split(':');
  return parts.length === 2 ? [parts[0]!, parts[1]!] : [parts[0]!, parts[0]!];
}
const isNumber = (text: string): boolean => /^[-+]?\d+$/.test(text);
const together = (local: string, remote: string): string => (local === remote ? remote : `${local}:${remote}`);

function namedPort(pod: PodObject, name: string): number {
  for (const container of [...(pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'), ...(pod.spec?.containers ?? [])])
    for (const port of container.ports ?? []) if (port.name === name) return port.containerPort;
  throw new KubectlError(`Pod '${pod.metadata.name}' does not have a named port '${name}'`);
}

function refuseUdp(texts: readonly string[], ports: readonly { readonly number: number; readonly protocol: string }[], named: (name: string) => number): void {
  const tcp = new Set(ports.filter(({ protocol }) => protocol === 'TCP').map(({ number }) => number));
  const udp = new Set(ports.filter(({ protocol }) => protocol === 'UDP').map(({ number }) => number));
  for (const text of texts) {
    const [, remote] = split(text);
    const number = isNumber(remote) ? Number(remote) : named(remote);
    if (udp.has(number) && !tcp.has(number)) throw new KubectlError(`UDP protocol is not supported for ${remote}`);
  }
}

function podPorts(texts: readonly string[], pod: PodObject): readonly string[] {
  const all = (pod.spec?.containers ?? []).flatMap(({ ports = [] }) => ports.map((port) => ({ number: port.containerPort, protocol: port.protocol ?? 'TCP' })));
  refuseUdp(texts, all, (name) => namedPort(pod, name));
  return texts.map((text) => {
    const [local, remote] = split(text);
    if (remote === '') throw new KubectlError('remote port cannot be empty');
    const number = isNumber(remote) ? remote : String(namedPort(pod, remote));
    return local === remote ? number : `${local}:${number}`;
  });
}

function servicePorts(texts: readonly string[], service: ServiceLike, pod: PodObject): readonly string[] {
  const name = service.metadata.name ?? '';
  const ports = portsOf(service);
  const byName = (wanted: string): number => {
    const port = ports.find((one) => one.name === wanted);
    if (!port) throw new KubectlError(`Service '${name}' does not have a named port '${wanted}'`);
    return port.port;
  };
  refuseUdp(
    texts,
    ports.map(({ port, protocol = 'TCP' }) => ({ number: port, protocol })),
    byName,
  );
  const headless = (service['spec'] as unknown as { readonly clusterIP?: string } | undefined)?.clusterIP === 'None';
  return texts.map((text) => {
    const [asked, remote] = split(text);
    const number = isNumber(remote) ? Number(remote) : byName(remote);
    const local = !isNumber(remote) && asked === remote ? String(number) : asked;
    const port = ports.find((one) => one.port === number);
    if (!port) throw new KubectlError(`Service ${name} does not have a service port ${number}`);
    const { targetPort = port.port } = port;
    const inside = headless ? port.port : typeof targetPort === 'string' ? namedPort(pod, targetPort) : targetPort || port.port;
    return together(local, String(inside));
  });
}

/** Go's strconv.ParseUint of sixteen bits. */
function number16(text: string, which: 'local' | 'remote'): number {
  const wrong = (why: string) => new KubectlError(`error parsing ${which} port '${text}': strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^\d+$/.test(text)) throw wrong('invalid syntax');
  if (Number(text) > 65_535) throw wrong('value out of range');
  return Number(text);
}
function portOf(text: string): ForwardedPort {
  const parts = text.split(':');
  if (parts.length > 2) throw new KubectlError(`invalid port format '${text}'`);
  const local = number16(parts.length === 2 ? parts[0] || '0' : parts[0]!, 'local');
  const remote = number16(parts.at(-1)!, 'remote');
  if (remote === 0) throw new KubectlError('remote port must be > 0');
  return { local, remote };
}

function addressesOf(given: readonly string[]): readonly Address[] {
  const found = new Map<string, Address>();
  for (const text of given) {
    if (text === 'localhost') {
      found.set('127.0.0.1', { ip: '127.0.0.1', family: 'tcp4' });
      found.set('::1', { ip: '::1', family: 'tcp6' });
    } else if (/^\d+(\.\d+){3}$/.test(text) && text.split('.').every((part) => Number(part) < 256)) found.set(text, { ip: text, family: 'tcp4' });
    else if (/^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/.test(text)) found.set(text, { ip: text, family: 'tcp6' });
    else throw new KubectlError(`${text} is not a valid IP`);
  }
  return [...found.values()].sort((a, b) => (a.ip < b.ip ? -1 : 1));
}

// --- Forwarding ----------------------------------------------------------------------------------------
/** Listens and carries until it is interrupted (and ends well) or the connection to the pod is lost. */
async function forward(session: Session, pod: PodObject, addresses: readonly Address[], ports: readonly ForwardedPort[]): Promise<void> {
  const { self } = session;
  const input: FramePipe = new Pipe<Frame>();
  const response = await session.send('GET', `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/portforward`, { upgrade: input });
  let stream: Stream<Frame>;
  try {
    stream = upgradedStream(response);
  } catch (error) {
    throw new KubectlError(`error upgrading connection: ${error instanceof Error ? error.message : String(error)}`);
  }
  const over = defer<'interrupted' | 'lost'>(self.process.clock);
  const carriers = new Map<number, Carrier>();
  const closers: (() => void)[] = [() => input.close()];
  let requests = 0;
  stream.read({
    value: ({ stream: id = 0, channel, data }) => {
      const carrier = carriers.get(id);
      if (!carrier) return;
      if (channel === 1) carrier.connection.send(data);
      else if (channel === 255) {
        carriers.delete(id);
        carrier.connection.close();
      } else if (channel === 3) {
        const text = `an error occurred forwarding ${carrier.port.local} -> ${carrier.port.remote}: ${data}`;
        session.err(klog(self, `portforward.go:424] "Unhandled Error" err=${JSON.stringify(text)}`));
        carrier.connection.close();
        over.resolve('lost');
      }
    },
    end: () => over.resolve('lost'),
  });
  self.process.onExit(() => {
    for (const close of closers) close();
  });
  self.onSignal((signal) => {
    if (signal === 'INT') over.resolve('interrupted');
    else if (signal === 'TERM' || signal === 'HUP') self.process.kill();
  });
  const opened: ForwardedPort[] = [];
  for (const wanted of ports) {
    const chosen = { ...wanted };
    const accept = (connection: Connection): void => {
      session.out(`Handling connection for ${chosen.local}\n`);
      const id = requests++;
      carriers.set(id, { connection, port: chosen });
      input.write({ stream: id, channel: 4, data: String(chosen.remote) });
      void carryUp(self.process.clock, connection, (frame) => input.write({ ...frame, stream: id }));
    };
    try {
      const { port, close } = listen(session, chosen.local, accept);
      chosen.local = port;
      closers.push(close);
      opened.push(chosen);
      for (const { ip } of addresses) session.out(`Forwarding from ${ip.includes(':') ? `[${ip}]` : ip}:${port} -> ${chosen.remote}\n`);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      const why = addresses.map(
        ({ ip, family }) =>
          `unable to create listener: Error listen ${family} ${ip.includes(':') ? `[${ip}]` : ip}:${wanted.local}: bind: address already in use`,
      );
      session.err(`Unable to listen on port ${wanted.local}: Listeners failed to create with the following errors: [${why.join(' ')}]\n`);
    }
  }
  try {
    if (opened.length === 0)
      throw new KubectlError(`unable to listen on any of the requested ports: [${ports.map(({ local, remote }) => `{${local} ${remote}}`).join(' ')}]`);
    if ((await over.promise) === 'lost') throw new KubectlError('lost connection to pod');
  } finally {
    for (const close of closers) close();
    for (const { connection } of carriers.values()) connection.close();
  }
}

interface Carrier {
  readonly connection: Connection;
  readonly port: ForwardedPort;
}

/** What the local side says, on its way to the pod. */
async function carryUp(clock: { wake(): void }, connection: Connection, send: (frame: Frame) => void): Promise<void> {
  try {
    for (let data = await connection.receive(); data !== undefined; data = await connection.receive()) {
      clock.wake();
      send({ channel: 0, data });
    }
    send({ channel: 255, data: '0' });
  } catch {
    // Reset: nobody is left to be told.
    send({ channel: 255, data: '4' });
  }
}

/** Port 0 is whichever is free, as the kernel chooses one. Throws SocketError. */
function listen(session: Session, port: number, accept: (connection: Connection) => void): { readonly port: number; close(): void } {
  const { sockets, process } = session.self;
  if (port !== 0) return { port, close: sockets.listen(port, accept) };
  for (let tries = 0; ; tries++) {
    const chosen = process.rng.between(32_768, 60_999);
    try {
      return { port: chosen, close: sockets.listen(chosen, accept) };
    } catch (error) {
      if (tries > 100) throw error;
    }
  }
}
