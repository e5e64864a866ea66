/**
 * How the API server reaches webhooks and aggregated APIs: from its own machine, through that machine's
 * kube-proxy rules. What goes wrong is said as Go's net/http says it.
 *
 * Here simplified: TLS is not modelled; the request is plain HTTP whatever the port.
 */
import type { DialService } from '../kubernetes/apiserver/webhook-client.ts';
import { formatRequest, HttpError, withTimeout } from '../linux/http.ts';
import type { ProgramContext } from '../linux/program.ts';
import { SocketError } from '../linux/sockets.ts';

const WORDS: Readonly<Partial<Record<SocketError['code'], string>>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};
const DEADLINE = 'context deadline exceeded';

export const dialServices =
  ({ sockets, process: { clock } }: Pick<ProgramContext, 'sockets' | 'process'>): DialService =>
  async ({ method, ip, port, host, path, headers, body, timeout }) => {
    const began = clock.now();
    const left = (): number => timeout - (clock.now() - began);
    try {
      const connection = await sockets.connect(ip, port, { timeout });
      const request = formatRequest(method, path, { Host: host, Connection: 'close', ...headers }, body);
      return await withTimeout(clock, Math.max(0, left()), connection, request);
    } catch (error) {
      if (left() <= 0) throw new Error(DEADLINE);
      if (error instanceof SocketError) {
        throw new Error(
          error.code === 'ECONNRESET'
            ? `read tcp ${ip}:${port}: read: connection reset by peer`
            : `dial tcp ${ip}:${port}: ${WORDS[error.code] ?? error.message}`,
        );
      }
      if (error instanceof HttpError)
        throw new Error(
          error.code === 'TIMEOUT' ? DEADLINE : error.code === 'CLOSED' ? 'EOF' : `net/http: HTTP/1.x transport connection broken: ${error.message}`,
        );
      throw error;
    }
  };
