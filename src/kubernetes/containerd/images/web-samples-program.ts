/** Small web programs that tutorials and examples run: each says where it runs, or what it was asked. */
import { type HttpRequest, type HttpResponse, httpGet } from '../../../linux/http.ts';
import type { Program } from '../../../linux/program.ts';
import { seconds } from '../../../sim/clock.ts';
import { timestamp } from '../../api/time.ts';
import { type Service, service } from './service.ts';

/** Whole answers of one body. */
const serves = (
  port: number | ((it: Service) => number),
  body: (request: HttpRequest, it: Service) => string | HttpResponse,
  started?: (it: Service) => void,
): Program =>
  service((it) => {
    started?.(it);
    it.http(typeof port === 'number' ? port : port(it), (request) => {
      const answer = body(request, it);
      return typeof answer === 'string' ? { status: 200, headers: { 'Content-Type': 'text/plain' }, body: answer } : answer;
    });
  });

/** Kubernetes Basics: google-samples/kubernetes-bootcamp:v1 and jocatalin/kubernetes-bootcamp:v2. */
export const bootcamp = (version: string): Program =>
  serves(
    8080,
    (_, { self }) => `Hello Kubernetes bootcamp! | Running on: ${self.hostname} | v=${version}\n`,
    (it) => it.out(`Kubernetes Bootcamp App Started At: ${timestamp(it.self.process.clock.now())} | Running On:  ${it.self.hostname} \n`),
  );
export const nodeHello: Program = serves(8080, () => 'Hello Kubernetes!');
/** Connecting a Frontend to a Backend: hello-go-gke and the nginx before it. */
export const helloGo: Program = serves(80, () => ({ status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"message":"Hello"}\n' }));
export const helloFrontend: Program = service(async (it) => {
  const { self } = it;
  const { clock } = self.process;
  it.stopOn('QUIT', 'TERM');
  // As nginx does with an upstream it cannot resolve at its start.
  try {
    await self.sockets.resolve('hello');
  } catch {
    it.err(`nginx: [emerg] host not found in upstream "hello" in /etc/nginx/conf.d/frontend.conf:4`);
    return it.exit(1);
  }
  it.http(80, async () => {
    try {
      return await httpGet(self.sockets, 'http://hello/', { clock, timeout: seconds(60) });
    } catch {
      return { status: 502, headers: { 'Content-Type': 'text/html' }, body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n' };
    }
  });
});
/** echo-server of cilium's tests (kicbase/echo-server): the request as it came, below who was asked. */
export const echoServer: Program = serves(
  (it) => Number(it.self.env['PORT'] ?? 8080),
  (request, { self }) =>
    `Request served by ${self.hostname}\n\nHTTP/1.1 ${request.method} ${request.target}\n\n${Object.entries(request.headers)
      .map(([name, value]) => `${name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())}: ${value}\n`)
      .join('')}${request.body}`,
  (it) => it.out(`Echo server listening on port ${it.self.env['PORT'] ?? 8080}.`),
);
/** paulbouwer/hello-kubernetes. */
export const helloKubernetes: Program = serves(
  (it) => Number(it.self.env['PORT'] ?? 8080),
  (_, { self }) => ({
    status: 200,
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: `<!DOCTYPE html>\n<html>\n<head><title>Hello Kubernetes!</title></head>\n<body>\n<h1>${self.env['MESSAGE'] ?? 'Hello world!'}</h1>\n<table>\n<tr><th>pod:</th><td>${self.env['KUBERNETES_POD_NAME'] ?? self.hostname}</td></tr>\n<tr><th>node:</th><td>${self.env['KUBERNETES_NODE_NAME'] ?? '-'}</td></tr>\n</table>\n</body>\n</html>\n`,
  }),
);
/** hashicorp/http-echo: `-text=…` on port 5678, or `-listen=:port`. */
export const httpEcho: Program = service((it) => {
  const flag = (name: string): string | undefined => {
    const { argv } = it.self;
    const at = argv.findIndex((arg) => new RegExp(`^--?${name}(=|$)`).test(arg));
    return at < 0 ? undefined : argv[at]!.includes('=') ? argv[at]!.slice(argv[at]!.indexOf('=') + 1) : argv[at + 1];
  };
  const text = flag('text') ?? it.self.env['ECHO_TEXT'];
  if (text === undefined) {
    it.err('Missing -text option!');
    return it.exit(127);
  }
  const port = Number(/:(\d+)$/.exec(flag('listen') ?? '')?.[1] ?? 5678);
  it.out(`${timestamp(it.self.process.clock.now())} [INFO] server is listening on :${port}`);
  it.http(port, () => ({ status: 200, headers: { 'X-App-Name': 'http-echo' }, body: `${text}\n` }));
});
/** serve_hostname: the pod's name, and nothing else. */
export const serveHostname: Program = serves(9376, (_, { self }) => self.hostname);
/** traefik/whoami. */
export const whoami: Program = serves(
  (it) => Number(it.self.env['WHOAMI_PORT_NUMBER'] ?? 80),
  (request, { self }) =>
    `Hostname: ${self.hostname}\nIP: 127.0.0.1\nIP: ${request.local.ip}\nRemoteAddr: ${request.remote.ip}:${request.remote.port}\n${request.method} ${request.target} HTTP/1.1\n${Object.entries(
      request.headers,
    )
      .map(([name, value]) => `${name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())}: ${value}\n`)
      .join('')}`,
);
