/**
 * nginx: serves files from /usr/share/nginx/html on port 80, or as /etc/nginx/conf.d/default.conf says
 * (`listen`, `root`, `location … { return … }` and `location … { root … }`). Stops on QUIT and TERM;
 * HUP reads the configuration again.
 */
import { type HttpRequest, type HttpResponse, reasonPhrase, serveHttp } from '../../../linux/http.ts';
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { SocketError } from '../../../linux/sockets.ts';
import { defer } from '../../../sim/mailbox.ts';
import { createLoad } from './busy.ts';
import { commonLogTime, slashTime } from './clock-text.ts';

interface Location {
  readonly path: string;
  readonly exact: boolean;
  readonly root?: string;
  readonly answer?: { readonly status: number; readonly text: string };
}
export interface NginxConfig {
  readonly ports: readonly number[];
  readonly root: string;
  readonly locations: readonly Location[];
}

/** The part of nginx' configuration language that is understood. Here simplified: one server, no upstreams, no regular expressions. */
export function parseConfig(text: string): NginxConfig {
  const plain = text.replace(/#[^\n]*/g, '');
  const ports = [...plain.matchAll(/\blisten\s+(?:[\d.]+:)?(\d+)[^;]*;/g)].map((m) => Number(m[1]));
  const locations = [...plain.matchAll(/\blocation\s+(=\s*)?(\/\S*)\s*\{([^}]*)\}/g)].map((m): Location => {
    const body = m[3] ?? '';
    const answer = /\breturn\s+(\d{3})(?:\s+(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^;\s]+)))?\s*;/.exec(body);
    const root = /\broot\s+([^;\s]+)\s*;/.exec(body)?.[1];
    return {
      path: m[2]!,
      exact: m[1] !== undefined,
      ...(root && { root }),
      ...(answer && { answer: { status: Number(answer[1]), text: (answer[2] ?? answer[3] ?? answer[4] ?? '').replaceAll('\\n', '\n') } }),
    };
  });
  const outside = plain.replace(/\blocation\s+[^{]*\{[^}]*\}/g, '');
  return { ports: ports.length > 0 ? [...new Set(ports)] : [80], root: /\broot\s+([^;\s]+)\s*;/.exec(outside)?.[1] ?? '/usr/share/nginx/html', locations };
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  htm: 'text/html',
  css: 'text/css',
  js: 'application/javascript',
  json: 'application/json',
  txt: 'text/plain',
};

const errorPage = (status: number, version: string): HttpResponse => {
  const title = `${status} ${reasonPhrase(status)}`;
  return {
    status,
    headers: { 'Content-Type': 'text/html' },
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx/${version}</center>\r\n</body>\r\n</html>\r\n`,
  };
};

function answer(self: ProgramContext, config: NginxConfig, request: HttpRequest, version: string): HttpResponse {
  const candidates = config.locations.filter((one) => (one.exact ? request.path === one.path : request.path.startsWith(one.path)));
  const location = candidates.sort((a, b) => Number(b.exact) - Number(a.exact) || b.path.length - a.path.length)[0];
  if (location?.answer) {
    const { status, text } = location.answer;
    if (status >= 300 && status < 400) return { ...errorPage(status, version), headers: { 'Content-Type': 'text/html', Location: text } };
    return { status, headers: { 'Content-Type': 'text/plain' }, body: text };
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return errorPage(405, version);
  let path = `${location?.root ?? config.root}${request.path}`;
  if (self.files.exists(path) && self.files.isDirectory(path)) {
    path = `${path.replace(/\/$/, '')}/index.html`;
    if (!self.files.exists(path)) return errorPage(403, version);
  }
  if (!self.files.exists(path)) {
    self.stderr(
      `${slashTime(self.process.clock.now())} [error] 29#29: *1 open() "${path}" failed (2: No such file or directory), client: ${request.remote.ip}, server: localhost, request: "${request.method} ${request.target} HTTP/1.1", host: "${request.headers['host'] ?? ''}"\n`,
    );
    return errorPage(404, version);
  }
  return { status: 200, headers: { 'Content-Type': TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream' }, body: self.files.read(path) };
}

/** The server itself. `-v` prints the version, `-t` tests the configuration. */
export const nginx =
  (version: string): Program =>
  async (self) => {
    const { clock } = self.process;
    const notice = (text: string): void => self.stderr(`${slashTime(clock.now())} [notice] 1#1: ${text}\n`);
    const load = () => parseConfig(self.files.exists('/etc/nginx/conf.d/default.conf') ? self.files.read('/etc/nginx/conf.d/default.conf') : '');
    if (self.argv.includes('-v')) {
      self.stderr(`nginx version: nginx/${version}\n`);
      return 0;
    }
    if (self.argv.includes('-t')) {
      self.stderr('nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n');
      return 0;
    }
    let config = load();
    notice('using the "epoll" event method');
    notice(`nginx/${version}`);
    notice('built by gcc 12.2.0 (Debian 12.2.0-14+deb12u1) ');
    notice('start worker processes');
    notice('start worker process 29');
    const work = createLoad(self, 1);
    const handle = (request: HttpRequest): HttpResponse => {
      work(1);
      const response = answer(self, config, request, version);
      return { ...response, headers: { Server: `nginx/${version}`, ...response.headers } };
    };
    const log = (request: HttpRequest, response: HttpResponse): void => {
      const agent = request.headers['user-agent'] ?? '-';
      self.stdout(
        `${request.remote.ip} - - [${commonLogTime(clock.now())}] "${request.method} ${request.target} HTTP/1.1" ${response.status} ${(response.body ?? '').length} "${request.headers['referer'] ?? '-'}" "${agent}" "${request.headers['x-forwarded-for'] ?? '-'}"\n`,
      );
    };
    for (const port of config.ports) {
      try {
        serveHttp(self.sockets, port, handle, log);
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
        self.stderr(
          `${slashTime(clock.now())} [emerg] 1#1: bind() to 0.0.0.0:${port} failed (98: Address already in use)\nnginx: [emerg] bind() to 0.0.0.0:${port} failed (98: Address already in use)\n`,
        );
        return 1;
      }
    }
    const done = defer<number>(clock);
    self.onSignal((signal) => {
      if (signal === 'HUP') {
        notice('signal 1 (SIGHUP) received from 0, reconfiguring');
        config = load();
        return;
      }
      if (signal === 'WINCH') return;
      notice(signal === 'QUIT' ? 'signal 3 (SIGQUIT) received, shutting down' : 'signal 15 (SIGTERM) received, exiting');
      clock.after(40_000, () => {
        notice('exit');
        done.resolve(0);
      });
    });
    return done.promise;
  };

export const nginxEntrypoint: Program = async (self) => {
  const say = (text: string): void => self.stdout(`/docker-entrypoint.sh: ${text}\n`);
  say('/docker-entrypoint.d/ is not empty, will attempt to perform configuration');
  say('Looking for shell scripts in /docker-entrypoint.d/');
  say('Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh');
  say('Configuration complete; ready for start up');
  // exec "$@": the server takes the entrypoint's place as pid 1.
  if (self.argv[1] === 'nginx') return nginx(self.env['NGINX_VERSION'] ?? '')({ ...self, argv: self.argv.slice(1) });
  return self.run(self.argv.slice(1));
};
