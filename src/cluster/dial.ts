/**
 * Connections of the control plane: API requests, their answers and their watches, carried over the
 * wires between machines.
 *
 * Here simplified: these connections are messages with latency, order and loss, not TCP segments through
 * the nodes' netfilter tables; pods' own traffic is. What a client sees of a failure is what Go's net/http
 * says: refused when nobody listens, no route when the machine is off, EOF when the server dies under the
 * request, a lost connection (http2 ping time-out) when the wire goes quiet.
 */

import { type ApiHandler, type ApiRequest, type ApiResponse, TransportError } from '../kubernetes/api/request.ts';
import { Pipe, type Stream } from '../kubernetes/api/stream.ts';
import type { Wires } from '../linux/wire.ts';
import { type Duration, seconds } from '../sim/clock.ts';
import { defer } from '../sim/mailbox.ts';
import { type Process, whenRunning } from '../sim/process.ts';

/** Somebody listening on a machine's port. */
export interface Listener {
  readonly process: Process;
  readonly handle: ApiHandler;
}

/** ARP gives up on a machine that does not answer after three probes of a second each. */
const NO_ROUTE_AFTER = seconds(3);
/** Go's http2 transport: a ping after 30 s of silence, given up after 15 s more. */
const CONNECTION_LOST_AFTER = seconds(45);

export interface Dial {
  readonly wires: Wires;
  /** The calling process: its death ends its requests and streams. */
  readonly self: Process;
  readonly from: string;
  readonly to: string;
  /** As it is written in error texts: `10.0.0.10:6443`. */
  readonly address: string;
  /** Who listens there at this instant. */
  readonly listener: () => Listener | undefined;
  /** How long a request that is not a watch may take; 30 s by default. */
  readonly timeout?: Duration;
}

/** A handler that reaches `listener` over the wires. Rejects with TransportError. */
export function dial(options: Dial): ApiHandler {
  const { wires, self, from, to, address, listener } = options;
  return (request) => {
    const reply = defer<ApiResponse>(self.clock);
    let settled = false;
    let cancelTimeout = () => {};
    const fail = (message: string): void => {
      if (settled) return;
      settled = true;
      cancelTimeout();
      reply.reject(new TransportError(message));
    };
    const streaming = request.query['watch'] !== undefined || request.query['follow'] !== undefined || request.upgrade !== undefined;
    if (!streaming) {
      cancelTimeout = self.clock.after(options.timeout ?? seconds(30), () =>
        fail(`net/http: request canceled (Client.Timeout exceeded while awaiting headers)`),
      );
    }

    const arrive = (): void => {
      const server = listener();
      if (!server?.process.alive) {
        wires.send(to, from, () => fail(`dial tcp ${address}: connect: connection refused`));
        return;
      }
      // A server that dies while it holds the request closes the connection: its kernel says so.
      let open = true;
      const died = (): void => {
        if (open) wires.send(to, from, () => fail('unexpected EOF'));
      };
      const stopWatching = server.process.onExit(died);
      whenRunning(server.process, () => {
        // The server's code is about to run: the loop must let it come to rest before it goes on.
        server.process.clock.wake();
        const upgrade = request.upgrade ? carry(request.upgrade, options, 'there') : undefined;
        const received: ApiRequest = upgrade ? { ...request, upgrade } : request;
        server.handle(received).then(
          (response) => {
            open = false;
            stopWatching();
            const stream = response.stream ? carry(response.stream, options, 'back', server.process) : undefined;
            const taken = (): void => {
              if (settled || !self.alive) {
                stream?.cancel();
                return;
              }
              settled = true;
              cancelTimeout();
              reply.resolve(stream ? { ...response, stream } : response);
            };
            wires.send(to, from, () => whenRunning(self, taken));
          },
          (error) => {
            open = false;
            stopWatching();
            wires.send(to, from, () => fail(error instanceof Error ? error.message : String(error)));
          },
        );
      });
    };
    if (!wires.send(from, to, arrive)) self.clock.after(NO_ROUTE_AFTER, () => fail(`dial tcp ${address}: connect: no route to host`));
    return reply.promise;
  };
}

/** Carries a stream over the wire, value by value, in order. `back` is server to client. */
function carry<T>(source: Stream<T>, { wires, self, from, to }: Dial, direction: 'there' | 'back', server?: Process): Stream<T> {
  const [near, far] = direction === 'back' ? [to, from] : [from, to];
  const pipe = new Pipe<T>();
  let lost = false;
  const lose = (): void => {
    if (lost || !pipe.open) return;
    lost = true;
    // The reader's process owns this timer: if it is dead by then, nobody is left to be told.
    self.clock.after(CONNECTION_LOST_AFTER, () => pipe.close(new TransportError('http2: client connection lost')));
  };
  const send = (deliver: () => void): void => {
    if (lost || !pipe.open) return;
    if (!wires.send(near, far, deliver)) lose();
  };
  const watching = [
    wires.onChange(() => {
      if (!wires.reachable(near, far)) lose();
    }),
    self.onExit(() => pipe.cancel()),
  ];
  if (server) watching.push(server.onExit(() => finish(new TransportError('unexpected EOF'))));
  const stopWatching = (): void => {
    for (const stop of watching.splice(0)) stop();
  };
  const finish = (error?: Error): void => {
    stopWatching();
    send(() => pipe.close(error));
  };
  pipe.onCancel(() => {
    stopWatching();
    // A server that cannot hear the reader leave notices by its own pings.
    if (!wires.send(far, near, () => source.cancel())) server?.clock.after(CONNECTION_LOST_AFTER, () => source.cancel());
  });
  source.read({
    value: (value) => send(direction === 'back' ? () => whenRunning(self, () => pipe.write(value)) : () => pipe.write(value)),
    end: finish,
  });
  return pipe;
}
