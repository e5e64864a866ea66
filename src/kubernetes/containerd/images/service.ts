/**
 * The short way to write an image's program: what it serves, what that costs, what it holds, when it ends.
 *
 *     export const greeter = service((it) => {
 *       it.hold(20 * MIB);
 *       it.http(8080, async () => {
 *         await it.work(5);
 *         return { status: 200, body: `hello from ${it.self.hostname}\n` };
 *       });
 *     });
 *
 * It runs until TERM (or what `stopOn` says), with exit code 0, or until `exit`. CPU and memory are those of the
 * container's control group (`cgroup.ts`): limits throttle and kill.
 */
import { type HttpHandler, serveHttp } from '../../../linux/http.ts';
import type { Program, ProgramContext, Signal } from '../../../linux/program.ts';
import { type Cancel, ms, seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import { cgroupOf } from '../cgroup.ts';

export const MIB = 1024 * 1024;

export interface Service {
  readonly self: ProgramContext;
  /** Answers requests on a port; a handler that awaits `work` answers when its CPU time is used. */
  http(port: number, handler: HttpHandler): void;
  /** One thread computes for so many milliseconds of a core; later than that when it is throttled or the node is busy. */
  work(milliseconds: number): Promise<void>;
  /** What it uses all the time, in thousandths of a core. */
  burn(milli: number): void;
  /** Takes memory; beyond the limit the container is OOMKilled and nothing after this runs. */
  hold(bytes: number): void;
  release(bytes: number): void;
  every(interval: number, action: () => void): Cancel;
  after(delay: number, action: () => void): Cancel;
  out(line: string): void;
  err(line: string): void;
  /** Signals that end it with 0, instead of TERM and INT. */
  stopOn(...signals: readonly Signal[]): void;
  exit(code: number): void;
}

/** `body` sets the service up; what it throws ends it with exit code 1, as a crash does. */
export const service =
  (body: (it: Service) => void | Promise<void>): Program =>
  async (self) => {
    const { clock } = self.process;
    const cgroup = cgroupOf(self);
    const done = defer<number>(clock);
    let endings: readonly Signal[] = ['TERM', 'INT'];
    self.onSignal((signal) => {
      if (endings.includes(signal)) done.resolve(0);
    });
    /** Nothing happens after the kernel has killed the container. */
    const guarded = (action: () => void) => (): void => {
      try {
        action();
      } catch (error) {
        if (!cgroup.oomKilled) throw error;
      }
    };
    await body({
      self,
      http: (port, handler) => void serveHttp(self.sockets, port, handler),
      work: (milliseconds) => cgroup.work(self.process, ms(milliseconds)),
      burn: (milli) => cgroup.setCpu(milli),
      hold: (bytes) => cgroup.allocate(bytes),
      release: (bytes) => cgroup.free(bytes),
      every: (interval, action) => {
        let cancel: Cancel;
        const again = (): void => {
          cancel = clock.after(seconds(interval), again);
          guarded(action)();
        };
        cancel = clock.after(seconds(interval), again);
        return () => cancel();
      },
      after: (delay, action) => clock.after(seconds(delay), guarded(action)),
      out: (line) => self.stdout(`${line}\n`),
      err: (line) => self.stderr(`${line}\n`),
      stopOn: (...signals) => {
        endings = signals;
      },
      exit: (code) => done.resolve(code),
    });
    return done.promise;
  };
