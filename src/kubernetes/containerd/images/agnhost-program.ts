/**
 * agnhost, the Kubernetes e2e tests' image (`test/images/agnhost`): `netexec`, `serve-hostname`,
 * `liveness`, `pause`, `dns-suffix`, `etc-hosts`, and the two of `agnhost-webhook.ts`. With no argument it pauses.
 */
import { httpGet, serveHttp } from '../../../linux/http.ts';
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { seconds } from '../../../sim/clock.ts';
import { type Deferred, defer } from '../../../sim/mailbox.ts';
import { conversionWebhook, webhook } from './agnhost-webhook.ts';
import { slashTime } from './clock-text.ts';
import { pause } from './pause.ts';

const flag = (self: ProgramContext, name: string, or: string): string => {
  const at = self.argv.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  if (at < 0) return or;
  return self.argv[at]!.includes('=') ? self.argv[at]!.slice(self.argv[at]!.indexOf('=') + 1) : (self.argv[at + 1] ?? or);
};
const log = (self: ProgramContext, text: string): void => self.stderr(`${slashTime(self.process.clock.now())} ${text}\n`);
/** Go programs die of TERM, but as pid 1 only because the runtime installs a handler. */
const untilTerm = (self: ProgramContext): Deferred<number> => {
  const done = defer<number>(self.process.clock);
  self.onSignal((signal) => {
    if (signal === 'TERM' || signal === 'INT') done.resolve(signal === 'TERM' ? 143 : 130);
  });
  return done;
};

const netexec: Program = async (self) => {
  const port = Number(flag(self, 'http-port', '8080'));
  const udp = Number(flag(self, 'udp-port', '8081'));
  const { clock } = self.process;
  const done = untilTerm(self);
  const startedAt = clock.now();
  serveHttp(self.sockets, port, async (request) => {
    log(self, `GET ${request.path}`);
    switch (request.path) {
      case '/':
        return { status: 200, body: `NOW: ${slashTime(clock.now())}` };
      case '/hostname':
      case '/hostName':
        return { status: 200, body: self.hostname };
      case '/clientip':
        return { status: 200, body: `${request.remote.ip}:${request.remote.port}` };
      case '/echo':
        return { status: Number(request.query['code'] ?? 200), body: request.query['msg'] ?? '' };
      case '/header':
        return { status: 200, body: request.headers[(request.query['key'] ?? '').toLowerCase()] ?? '' };
      case '/healthz': {
        const delay = seconds(Number(flag(self, 'delay', '0')));
        return clock.now() - startedAt < delay ? { status: 412 } : { status: 200 };
      }
      case '/dial': {
        // Asks another netexec, as the network tests do.
        const host = request.query['host'] ?? '';
        const target = `http://${host}:${request.query['port'] ?? '8080'}/${request.query['request'] ?? 'hostname'}`;
        const responses: string[] = [];
        const errors: string[] = [];
        for (let i = 0; i < Number(request.query['tries'] ?? 1); i++) {
          try {
            responses.push((await httpGet(self.sockets, target, { timeout: seconds(5), clock })).body);
          } catch (error) {
            errors.push(error instanceof Error ? error.message : String(error));
          }
        }
        return { status: 200, body: JSON.stringify({ ...(responses.length > 0 && { responses }), ...(errors.length > 0 && { errors }) }) };
      }
      case '/exit':
        clock.after(seconds(Number(request.query['wait']?.replace(/s$/, '') ?? 0)), () => done.resolve(Number(request.query['code'] ?? 0)));
        return { status: 200 };
      default:
        return { status: 404, body: '404 page not found\n' };
    }
  });
  if (udp > 0) {
    self.sockets.listenUdp(udp, (text, from, reply) => {
      const command = text.trim();
      if (/^hostname$/i.test(command)) reply(self.hostname);
      else if (command === 'clientip') reply(`${from.ip}:${from.port}`);
      else if (command.startsWith('echo ')) reply(command.slice(5));
    });
  }
  log(self, `Started HTTP server on port ${port}`);
  log(self, `Started UDP server on port  ${udp}`);
  return done.promise;
};

const serveHostname: Program = async (self) => {
  const port = Number(flag(self, 'port', '9376'));
  serveHttp(self.sockets, port, () => ({ status: 200, body: self.hostname }));
  log(self, 'Serving on port ' + port + '.');
  return untilTerm(self).promise;
};

/** Healthy for ten seconds, then 500: the liveness probe of the documentation. */
const liveness: Program = async (self) => {
  const { clock } = self.process;
  const startedAt = clock.now();
  serveHttp(self.sockets, 8080, (request) => {
    if (request.path !== '/healthz') return { status: 200, body: String(startedAt) };
    const age = clock.now() - startedAt;
    return age > seconds(10) ? { status: 500, body: `error: ${age / 1_000_000}` } : { status: 200, body: 'ok' };
  });
  return untilTerm(self).promise;
};

export const agnhost: Program = async (self) => {
  const command = self.argv[1];
  const inner = { ...self, argv: self.argv.slice(1) };
  switch (command) {
    case 'netexec':
      return netexec(inner);
    case 'serve-hostname':
      return serveHostname(inner);
    case 'liveness':
      return liveness(inner);
    case 'webhook':
      return webhook(inner);
    case 'crd-conversion-webhook':
      return conversionWebhook(inner);
    case 'etc-hosts':
      self.stdout(self.files.read('/etc/hosts'));
      return 0;
    case 'dns-suffix':
      self.stdout(`${(/^search (.*)$/m.exec(self.files.read('/etc/resolv.conf'))?.[1] ?? '').split(' ').join(',')}\n`);
      return 0;
    case 'pause':
    case undefined:
      self.stdout('Paused\n');
      return pause(self);
    default:
      self.stderr(`Error: unknown command "${command}" for "app"\nRun 'app --help' for usage.\n`);
      return 1;
  }
};
