/**
 * How the API server reaches webhooks and aggregated APIs: from its own machine, through that machine's
 * kube-proxy rules. What goes wrong is said as Go's net/http says it.
 *
 * Here simplified: TLS is not modelled; the request is plain HTTP whatever the port.
 */
import { Pipe } from '../kubernetes/api/stream.ts';
import type { DialService, ServiceReply } from '../kubernetes/apiserver/webhook-client.ts';
import { formatRequest, HttpError, withTimeout } from '../linux/http.ts';
import { httpStream } from '../linux/http-stream.ts';
import type { ProgramContext } from '../linux/program.ts';
import { type Connection, SocketError } from '../linux/sockets.ts';
import type { Clock, Duration } from '../sim/clock.ts';

const WORDS: Readonly<Partial<Record<SocketError['code'], string>>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};
const DEADLINE = 'context deadline exceeded';

export const dialServices =
  ({ sockets, process: { clock } }: Pick<ProgramContext, 'sockets' | 'process'>): DialService =>
  async ({ method, ip, port, host, path, headers, body, timeout, streams }) => {
    const began = clock.now();
    const left = (): number => timeout - (clock.now() - began);
    try {
      const connection = await sockets.connect(ip, port, { timeout });
      const request = formatRequest(method, path, { Host: host, Connection: 'close', ...headers }, body);
      if (streams) return await streamed(clock, connection, request, Math.max(0, left()), method === 'HEAD');
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

/** A reply with a length when it is whole, any other from its head on. Rejects with HttpError or SocketError. */
function streamed(clock: Clock, connection: Connection, request: string, timeout: Duration, headOnly: boolean): Promise<ServiceReply> {
  return new Promise((resolve, reject) => {
    const pipe = new Pipe<string>();
    let whole: { status: number; headers: Readonly<Record<string, string>>; body: string } | undefined;
    let told = false;
    const tell = (act: () => void): boolean => {
      if (told) return false;
      told = true;
      cancel();
      act();
      return true;
    };
    const hangUp = httpStream(
      connection,
      request,
      {
        head: (status, headers) => {
          if (headOnly || status === 204 || status === 304 || headers['content-length'] !== undefined) {
            whole = { status, headers, body: '' };
            return false;
          }
          return tell(() => resolve({ status, headers, body: '', stream: pipe }));
        },
        data: (text) => {
          if (whole) whole.body += text;
          else pipe.write(text);
        },
        end: (error) => {
          const found = whole;
          if (found && !error) return tell(() => resolve(found));
          pipe.close(error);
          return tell(() => reject(error));
        },
      },
      headOnly,
    );
    pipe.onCancel(hangUp);
    const cancel = clock.after(timeout, () => {
      hangUp();
      clock.wake();
      tell(() => reject(new HttpError('TIMEOUT', 'timed out')));
    });
  });
}
