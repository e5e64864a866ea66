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
  private credentials: { readonly user: string; readonly password: string } | undefined;
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
  private dial(url: string): EtcdEndpoint {
    const endpoint = this.dialer.dial(url);
    const as = this.credentials;
    if (!as) return endpoint;
    return {
      name: endpoint.name,
      call: (invoke) =>
        endpoint.call(async (server) => {
          try {
            return await invoke(server.as(as.user, as.password));
          } catch (error) {
            // Where nobody is asked, nobody need say.
            if (!(error instanceof EtcdError) || error.message !== 'etcdserver: authentication is not enabled') throw error;
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

  clientOf(endpoints: readonly string[]): EtcdClusterClient {
    return createEtcdClient(
      this.self.process,
      endpoints.map((each) => this.dial(each)),
      (endpoint, error, attempt) => this.warn(endpoint, error, attempt),
    );
  }

  /** A call to one member and no other. */
  at<T>(endpoint: string, invoke: (server: EtcdServer) => Promise<T>): Promise<T> {
    return this.within(this.clientOf([endpoint]).call(invoke, true));
  }

  /** Rejects when the answer takes longer than `--command-timeout`. */
  within<T>(work: Promise<T>): Promise<T> {
    const { clock } = this.self.process;
    const answer = defer<T>(clock);
    const cancel = clock.after(this.flags.duration('command-timeout'), () => answer.reject(new EtcdError('context deadline exceeded', 'DeadlineExceeded')));
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
