/** What every command of etcdctl works with: its flags, a client of the members it was told of, a printer, and a deadline. */
import type { ProgramContext } from '../../linux/program.ts';
import { defer } from '../../sim/mailbox.ts';
import { timestamp } from '../api/time.ts';
import { type EtcdEndpoint, EtcdError, type EtcdServer } from '../etcd/api.ts';
import { createEtcdClient, type EtcdClusterClient } from '../etcd/client.ts';
import { CtlError, ExitCode } from './errors.ts';
import type { Flags } from './flags.ts';
import { type Printer, printerOf } from './printers/printer.ts';

export interface Dialer {
  /** What is found at an endpoint: `http://10.0.0.21:2379`. */
  dial(endpoint: string): EtcdEndpoint;
}

export class Ctl {
  readonly endpoints: readonly string[];
  private made: EtcdClusterClient | undefined;
  /** Why there is nobody to ask, while there is nobody. */
  private unready: { readonly endpoint: string; readonly error: EtcdError } | undefined;
  private credentials: { readonly user: string; readonly password: string } | undefined;
  private refusedToken = false;
  private printing: Printer | undefined;

  constructor(
    readonly self: ProgramContext,
    readonly flags: Flags,
    private readonly dialer: Dialer,
  ) {
    this.endpoints = flags.list('endpoints');
  }

  /** Reads `--user name:password`, or the password from `--password` or standard input. To be called before any member is. Throws CtlError. */
  async login(readLine: () => Promise<string>): Promise<void> {
    const given = this.flags.text('user');
    if (given === '') return;
    const password = this.flags.text('password');
    const colon = given.indexOf(':');
    if (password !== '') this.credentials = { user: given, password };
    else if (colon >= 0) this.credentials = { user: given.slice(0, colon), password: given.slice(colon + 1) };
    else {
      this.self.stderr('Password: ');
      this.credentials = { user: given, password: await readLine() };
      this.self.stderr('\n');
    }
  }

  /** What is found at an endpoint, as whoever `--user` says. */
  private dial(url: string, as = this.credentials): EtcdEndpoint {
    const endpoint = this.dialer.dial(url);
    if (!as) return endpoint;
    return {
      name: endpoint.name,
      call: (invoke) =>
        endpoint.call(async (server) => {
          try {
            try {
              return await invoke(server.as(as.user, as.password));
            } catch (error) {
              // Users have changed while it was on its way: clientv3 gets a new token and asks again.
              if (!(error instanceof EtcdError) || error.message !== 'etcdserver: revision of auth store is old') throw error;
              return await invoke(server.as(as.user, as.password));
            }
          } catch (error) {
            // Where nobody is asked, nobody need say; clientv3 asks once for a token, and logs that it got none.
            if (!(error instanceof EtcdError) || error.message !== 'etcdserver: authentication is not enabled') throw error;
            if (!this.refusedToken) this.warn(endpoint.name, error, 0);
            this.refusedToken = true;
          }
          return invoke(server);
        }),
      watch: (request, onResponse, onClosed) => endpoint.watch({ ...request, as }, onResponse, onClosed),
    };
  }

  get printer(): Printer {
    this.printing ??= printerOf(this.flags.text('write-out'), this.flags.bool('hex'), (line) => this.self.stdout(line));
    return this.printing;
  }

  /** A client of all endpoints together. */
  get client(): EtcdClusterClient {
    this.made ??= this.clientOf(this.endpoints);
    return this.made;
  }

  /** One whose failed attempts are not logged: calls on streams are not. */
  get streams(): EtcdClusterClient {
    return createEtcdClient(
      this.self.process,
      this.endpoints.map((each) => this.dial(each)),
    );
  }

  /** `as`: somebody else than `--user` says, for another cluster. Throws CtlError without an endpoint. */
  clientOf(endpoints: readonly string[], as = this.credentials): EtcdClusterClient {
    if (endpoints.length === 0) throw new CtlError(ExitCode.BadConnection, 'etcdclient: no available endpoints');
    return createEtcdClient(
      this.self.process,
      endpoints.map((each) => this.dial(each, as)),
      (endpoint, error, attempt) => {
        this.unready = undefined;
        this.warn(endpoint, error, attempt);
      },
      {
        unready: (endpoint, error) => {
          this.unready = { endpoint, error };
        },
      },
    );
  }

  /** A call to one member and no other. */
  at<T>(endpoint: string, invoke: (server: EtcdServer) => Promise<T>): Promise<T> {
    return this.within(this.clientOf([endpoint]).call(invoke, true));
  }

  /** Rejects when the answer takes longer than `--command-timeout`; `logged`: as a call's last attempt is, and what goes over a stream is not. */
  within<T>(work: Promise<T>, logged = true): Promise<T> {
    const { clock } = this.self.process;
    const answer = defer<T>(clock);
    this.unready = undefined;
    const cancel = clock.after(this.flags.duration('command-timeout'), () => {
      const { unready } = this;
      // The interceptor logs the attempt that was under way, or the one that waited for a connection until now.
      const why = unready ? `latest balancer error: last connection error: ${unready.error.message}` : 'context deadline exceeded';
      if (logged) this.warn(unready?.endpoint ?? this.endpoints[0] ?? '', new EtcdError(why, 'DeadlineExceeded'), 0);
      answer.reject(new EtcdError('context deadline exceeded', 'DeadlineExceeded'));
    });
    work.then(answer.resolve, answer.reject);
    return answer.promise.finally(cancel);
  }

  /** The same, ending the program with what the member said. */
  async ask<T>(work: Promise<T>, say: (message: string) => string = (message) => message): Promise<T> {
    try {
      return await this.within(work);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      // A wrong password is found when the connection is made.
      if (error.message.includes('authentication failed')) throw new CtlError(ExitCode.BadConnection, error.message);
      throw new CtlError(ExitCode.Error, say(error.message));
    }
  }

  /** clientv3's retry interceptor logs every attempt that failed, through zap. */
  private warn(endpoint: string, error: EtcdError, attempt: number): void {
    const now = this.self.process.clock.now();
    const line = {
      level: 'warn',
      ts: `${timestamp(now).slice(0, -1)}.${String(now % 1_000_000).padStart(6, '0')}Z`,
      logger: 'etcd-client',
      caller: 'v3@v3.5.21/retry_interceptor.go:63',
      msg: 'retrying of unary invoker failed',
      target: `etcd-endpoints://0xc0000a6000/${endpoint.replace(/^[a-z]+:\/\//, '')}`,
      attempt,
      error: `rpc error: code = ${error.code} desc = ${error.message}`,
    };
    this.self.stderr(`${JSON.stringify(line)}\n`);
  }
}
