/**
 * orrery/web: a web application that can be told to misbehave, for lessons about probes, limits, rollouts
 * and autoscaling. Port 8080.
 *
 * | path                                | does                                                          |
 * |-------------------------------------|---------------------------------------------------------------|
 * | `/`                                 | `Hello from <pod>, version <VERSION>`; costs 5 ms of CPU        |
 * | `/healthz` `/readyz` `/startupz`    | 200, or 500/503 when told so                                    |
 * | `/fail?what=live|ready|all`         | makes `/healthz`, `/readyz` or both fail; `&seconds=30` ends it |
 * | `/recover`                          | undoes fail, leak (frees the memory), hang and burn             |
 * | `/leak?mib=64`                      | takes memory at once; `&every=1` again every so many seconds    |
 * | `/hang`                             | accepts and never answers again                                 |
 * | `/slow?ms=500`                      | answers late; `/delay?ms=500` makes every later answer late     |
 * | `/burn?millicores=500&seconds=60`   | uses CPU                                                        |
 * | `/exit?code=1`                      | ends the process                                                |
 * | `/env` `/headers` `/hostname`       | tells what it sees                                              |
 *
 * Environment: `PORT`, `VERSION` (`v1`; images `orrery/web:v1`, `:v2`, `:v3` set it), `MESSAGE`,
 * `START_DELAY` (seconds before it listens), `READY_DELAY` (seconds until `/readyz`), `FAIL_AFTER`
 * (seconds until `/healthz` fails), `EXIT_AFTER` (seconds) and `EXIT_CODE` (1), `LEAK_MIB_PER_SECOND`,
 * `STOP_DELAY` (seconds between TERM and the end), `IGNORE_TERM=true`, `FAIL=ready|live|all`.
 */
import { type HttpRequest, type HttpResponse, serveHttp } from '../../../linux/http.ts';
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { ms, seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import { cgroupOf } from '../cgroup.ts';
import { createLoad } from './busy.ts';
import { slashTime } from './clock-text.ts';

const MIB = 1024 * 1024;

export const web: Program = async (self) => {
  const { clock } = self.process;
  const cgroup = cgroupOf(self);
  const number = (name: string, or: number): number => {
    const value = Number(self.env[name] ?? or);
    return Number.isFinite(value) ? value : or;
  };
  const log = (text: string): void => self.stdout(`${slashTime(clock.now())} ${text}\n`);
  const port = number('PORT', 8080);
  const version = self.env['VERSION'] ?? 'v1';
  const failing = new Set<string>();
  const done = defer<number>(clock);
  let hanging = false;
  let delay = 0;
  let leaked = 0;
  let leakRound = 0;
  const work = createLoad(self, 1);

  const fail = (what: string): void => {
    for (const one of what === 'all' ? ['live', 'ready'] : [what]) failing.add(one);
  };
  const leak = (bytes: number): void => {
    leaked += bytes;
    log(`holding ${Math.floor(leaked / MIB)} MiB more than needed`);
    cgroup.allocate(bytes);
  };
  const leakEvery = (bytes: number, every: number): void => {
    const round = ++leakRound;
    const step = (): void => {
      if (round !== leakRound) return;
      clock.after(seconds(every), step);
      try {
        leak(bytes);
      } catch {
        // Killed by the kernel: nothing after this happens.
      }
    };
    clock.after(seconds(every), step);
  };
  const later = (duration: number, action: () => void): void => {
    clock.after(seconds(duration), action);
  };

  self.onSignal((signal) => {
    if (signal !== 'TERM' && signal !== 'INT') return;
    if (self.env['IGNORE_TERM'] === 'true') return log(`SIG${signal} ignored`);
    log(`SIG${signal}: shutting down`);
    later(number('STOP_DELAY', 0), () => done.resolve(0));
  });

  const handle = (request: HttpRequest): HttpResponse | Promise<HttpResponse> => {
    if (hanging) return new Promise(() => {});
    switch (request.path) {
      case '/healthz':
        return failing.has('live') ? { status: 500, body: 'unhealthy\n' } : { status: 200, body: 'ok\n' };
      case '/readyz':
        return failing.has('ready') ? { status: 503, body: 'not ready\n' } : { status: 200, body: 'ok\n' };
      case '/startupz':
      case '/livez':
        return failing.has('live') ? { status: 500, body: 'unhealthy\n' } : { status: 200, body: 'ok\n' };
    }
    log(`${request.method} ${request.target} from ${request.remote.ip}`);
    const pause = work(5);
    if (pause > 0) return clock.sleep(pause).then(() => answer(request));
    return answer(request);
  };

  const answer = (request: HttpRequest): HttpResponse | Promise<HttpResponse> => {
    const { query } = request;
    switch (request.path) {
      case '/fail':
        fail(query['what'] ?? 'all');
        if (query['seconds']) later(Number(query['seconds']), () => failing.clear());
        return { status: 200, body: `failing: ${[...failing].join(', ')}\n` };
      case '/recover':
        failing.clear();
        hanging = false;
        delay = 0;
        leakRound++;
        cgroup.free(leaked);
        leaked = 0;
        cgroup.setCpu(1);
        return { status: 200, body: 'recovered\n' };
      case '/leak': {
        const bytes = Number(query['mib'] ?? 64) * MIB;
        if (query['every']) leakEvery(bytes, Number(query['every']));
        leak(bytes);
        return { status: 200, body: `leaked ${bytes / MIB} MiB\n` };
      }
      case '/hang':
        hanging = true;
        return { status: 200, body: 'from now on: silence\n' };
      case '/slow':
        return clock.sleep(ms(Number(query['ms'] ?? 500))).then(() => ({ status: 200, body: 'at last\n' }));
      case '/delay':
        delay = Number(query['ms'] ?? 0);
        return { status: 200, body: `every answer takes ${delay} ms\n` };
      case '/burn': {
        cgroup.setCpu(Number(query['millicores'] ?? 500));
        later(Number(query['seconds'] ?? 60), () => cgroup.setCpu(1));
        return { status: 200, body: `burning ${query['millicores'] ?? 500}m\n` };
      }
      case '/exit':
        clock.after(ms(5), () => done.resolve(Number(query['code'] ?? 1)));
        return { status: 200, body: 'goodbye\n' };
      case '/env':
        return {
          status: 200,
          body: `${Object.entries(self.env)
            .map(([name, value]) => `${name}=${value}`)
            .sort()
            .join('\n')}\n`,
        };
      case '/headers':
        return {
          status: 200,
          body: `${Object.entries(request.headers)
            .map(([name, value]) => `${name}: ${value}`)
            .join('\n')}\n`,
        };
      case '/hostname':
        return { status: 200, body: `${self.hostname}\n` };
      case '/': {
        const response = { status: 200, body: `${self.env['MESSAGE'] ?? `Hello from ${self.hostname}, version ${version}`}\n` };
        return delay > 0 ? clock.sleep(ms(delay)).then(() => response) : response;
      }
      default:
        return { status: 404, body: 'not found\n' };
    }
  };

  const begin = (): void => {
    serveHttp(self.sockets, port, handle);
    log(`orrery/web ${version} listening on port ${port}`);
  };
  await startUp(self, number('START_DELAY', 0), begin);
  if (self.env['FAIL']) fail(self.env['FAIL']);
  if (number('READY_DELAY', 0) > 0) {
    failing.add('ready');
    later(number('READY_DELAY', 0), () => failing.delete('ready'));
  }
  if (self.env['FAIL_AFTER'] !== undefined) later(number('FAIL_AFTER', 0), () => failing.add('live'));
  if (self.env['EXIT_AFTER'] !== undefined) {
    later(number('EXIT_AFTER', 0), () => {
      log('fatal: told to exit');
      done.resolve(number('EXIT_CODE', 1));
    });
  }
  const perSecond = number('LEAK_MIB_PER_SECOND', 0);
  if (perSecond > 0) leakEvery(perSecond * MIB, 1);
  return done.promise;
};

async function startUp(self: ProgramContext, delay: number, begin: () => void): Promise<void> {
  if (delay > 0) {
    self.stdout(`${slashTime(self.process.clock.now())} warming up for ${delay} s\n`);
    await self.process.clock.sleep(seconds(delay));
  }
  begin();
}
