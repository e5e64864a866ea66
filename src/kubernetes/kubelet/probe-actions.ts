/**
 * One look at a container: HTTP, TCP, exec or gRPC (`pkg/probe/*`, `prober.go`). Also runs the httpGet
 * and exec hooks of its lifecycle.
 */

import { exchange, formatRequest, type HttpError } from '../../linux/http.ts';
import type { Connection, SocketError } from '../../linux/sockets.ts';
import { type Duration, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { RELEASE } from '../api/release.ts';
import type { Probe } from '../api/types.gen.ts';
import { goDuration } from './backoff.ts';
import type { KubeletNode } from './node.ts';
import type { ContainerSpec } from './pod-view.ts';

export interface Look {
  readonly result: 'success' | 'failure';
  readonly output: string;
}
export type ProbeSpec = DeepReadonly<Probe>;

/** Carries out a probe; never rejects. */
export async function probeOnce(node: KubeletNode, probe: ProbeSpec, container: ContainerSpec, id: string, podIP: string): Promise<Look> {
  const timeout = seconds(probe.timeoutSeconds || 1);
  if (probe.exec) return execProbe(node, id, probe.exec.command ?? [], timeout);
  if (probe.httpGet) {
    const { scheme = 'HTTP', host, path = '/', port, httpHeaders } = probe.httpGet;
    const number = portOf(container, port as unknown as number | string);
    if (number === undefined) return { result: 'failure', output: `could not find port ${String(port)}` };
    const headers: Record<string, string> = { 'User-Agent': `kube-probe/${RELEASE.major}.${RELEASE.minor}`, Accept: '*/*' };
    for (const header of httpHeaders ?? []) headers[header.name] = header.value;
    return httpProbe(node, scheme.toLowerCase(), host || podIP, number, path.startsWith('/') ? path : `/${path}`, headers, timeout);
  }
  if (probe.tcpSocket) {
    const number = portOf(container, probe.tcpSocket.port as unknown as number | string);
    if (number === undefined) return { result: 'failure', output: `could not find port ${String(probe.tcpSocket.port)}` };
    const host = probe.tcpSocket.host || podIP;
    try {
      (await node.connect(host, number, timeout)).close();
      return { result: 'success', output: '' };
    } catch (error) {
      return { result: 'failure', output: dialText(error as SocketError, host, number) };
    }
  }
  if (probe.grpc) {
    // Here simplified: a port that accepts is SERVING; the health protocol itself is not spoken.
    try {
      (await node.connect(podIP, probe.grpc.port, timeout)).close();
      return { result: 'success', output: '' };
    } catch {
      return {
        result: 'failure',
        output: `timeout: failed to connect service "${podIP}:${probe.grpc.port}" within ${goDuration(timeout)}: context deadline exceeded`,
      };
    }
  }
  return { result: 'success', output: '' };
}

/** A port by number or by its name in the container. */
export function portOf(container: ContainerSpec, port: number | string | undefined): number | undefined {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((one) => one.name === port);
  if (named) return named.containerPort;
  return port !== undefined && /^\d+$/.test(port) ? Number(port) : undefined;
}

/** Success is 200 to 399, as in `pkg/probe/http`. */
export async function httpProbe(
  node: KubeletNode,
  scheme: string,
  host: string,
  port: number,
  target: string,
  headers: Readonly<Record<string, string>>,
  timeout: Duration,
): Promise<Look> {
  const { clock } = node.self;
  const url = `${scheme}://${host}:${port}${target}`;
  const late = `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
  const began = clock.now();
  let connection: Connection;
  try {
    connection = await node.connect(host, port, timeout);
  } catch (error) {
    const socket = error as SocketError;
    return { result: 'failure', output: socket.code === 'ETIMEDOUT' ? late : `Get "${url}": ${dialText(socket, host, port)}` };
  }
  return new Promise((resolve) => {
    let over = false;
    const cancel = clock.after(Math.max(0, timeout - (clock.now() - began)), () => {
      if (over) return;
      over = true;
      connection.close();
      clock.wake();
      resolve({ result: 'failure', output: late });
    });
    exchange(
      connection,
      formatRequest('GET', target, { Host: `${host}:${port}`, Connection: 'close', ...headers }),
      (reply) => {
        if (over || !node.self.alive) return;
        over = true;
        cancel();
        const ok = reply.status >= 200 && reply.status < 400;
        resolve(ok ? SUCCESS : { result: 'failure', output: `HTTP probe failed with statuscode: ${reply.status}` });
      },
      (error: HttpError | SocketError) => {
        if (over || !node.self.alive) return;
        over = true;
        cancel();
        const what =
          error.code === 'ECONNRESET'
            ? `read tcp ${connection.local.ip}:${connection.local.port}->${host}:${port}: read: connection reset by peer`
            : error.message;
        resolve({ result: 'failure', output: `Get "${url}": ${what}` });
      },
    );
  });
}
const SUCCESS: Look = { result: 'success', output: '' };

const dialText = (error: SocketError, host: string, port: number): string => {
  const what = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
  };
  return `dial tcp ${host}:${port}: ${(what as Record<string, string>)[error.code] ?? error.message}`;
};

async function execProbe(node: KubeletNode, id: string, command: readonly string[], timeout: Duration): Promise<Look> {
  const { result, output } = await execWithin(node, id, command, timeout);
  if (result === 'timeout') return { result: 'failure', output: `command timed out: "${command.join(' ')}" timed out after ${goDuration(timeout)}` };
  return { result: result === 0 ? 'success' : 'failure', output };
}

/** Runs a command in a container for at most `timeout`; an error of the runtime counts as exit code 126. */
export function execWithin(
  node: KubeletNode,
  id: string,
  command: readonly string[],
  timeout: Duration,
): Promise<{ readonly result: number | 'timeout'; readonly output: string }> {
  const { clock } = node.self;
  let output = '';
  const take = (text: string): void => {
    // Probe output is cut at 10 KiB (prober.go maxProbeMessageLength).
    if (output.length < 10_240) output += text;
  };
  return new Promise((resolve) => {
    let over = false;
    const finish = (result: number | 'timeout', text: string): void => {
      if (over) return;
      over = true;
      resolve({ result, output: text });
    };
    const cancel = clock.after(timeout, () => {
      clock.wake();
      finish('timeout', output);
    });
    node.runtime.exec(id, command, { stdout: take, stderr: take }).then(
      (code) => {
        cancel();
        finish(code, output);
      },
      (error: Error) => {
        cancel();
        finish(126, error.message);
      },
    );
  });
}
