/** Programs of the Kubernetes documentation's images: hello-app, hpa-example (php-apache), echoserver and the pi of the Job page. */
import { serveHttp } from '../../../linux/http.ts';
import type { Program } from '../../../linux/program.ts';
import { ms } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import { commonLogTime, slashTime } from './clock-text.ts';
import { service } from './service.ts';

export const hello =
  (version: string): Program =>
  async (self) => {
    const port = Number(self.env['PORT'] ?? 8080);
    const say = (text: string): void => self.stderr(`${slashTime(self.process.clock.now())} ${text}\n`);
    say(`Server listening on port ${port}`);
    serveHttp(self.sockets, port, (request) => {
      say(`Serving request: ${request.path}`);
      return { status: 200, body: `Hello, world!\nVersion: ${version}\nHostname: ${self.hostname}\n` };
    });
    const done = defer<number>(self.process.clock);
    self.onSignal((signal) => {
      if (signal === 'TERM' || signal === 'INT') done.resolve(2);
    });
    return done.promise;
  };

/** Each request adds a million square roots: some 50 ms of a core. */
export const phpApache: Program = service((it) => {
  it.stopOn('TERM', 'WINCH');
  it.http(80, async (request) => {
    await it.work(50);
    const at = commonLogTime(it.self.process.clock.now());
    it.out(`${request.remote.ip} - - [${at}] "GET ${request.target} HTTP/1.1" 200 206 "-" "${request.headers['user-agent'] ?? '-'}"`);
    return { status: 200, headers: { Server: 'Apache/2.4.10 (Debian)' }, body: 'OK!' };
  });
});

export const echoserver: Program = async (self) => {
  serveHttp(self.sockets, 8080, (request) => ({
    status: 200,
    body: `\n\nHostname: ${self.hostname}\n\nPod Information:\n\t-no pod information available-\n\nRequest Information:\n\tclient_address=${request.remote.ip}\n\tmethod=${request.method}\n\treal path=${request.target}\n\tquery=${request.target.split('?')[1] ?? ''}\n\trequest_version=1.1\n\trequest_scheme=http\n\trequest_uri=http://${request.headers['host'] ?? ''}:8080${request.target}\n\nRequest Headers:\n${Object.entries(
      request.headers,
    )
      .map(([name, value]) => `\t${name}=${value}`)
      .join('\n')}\n\nRequest Body:\n${request.body === '' ? '\t-no body in request-' : request.body}\n\n`,
  }));
  const done = defer<number>(self.process.clock);
  self.onSignal((signal) => {
    if (signal !== 'HUP') done.resolve(0);
  });
  return done.promise;
};

/** π to `digits` digits, by Machin's formula in whole numbers. */
export function pi(digits: number): string {
  const one = 10n ** BigInt(digits + 10);
  const arctan = (x: bigint): bigint => {
    let term = one / x;
    let sum = term;
    for (let n = 3n, sign = -1n; term !== 0n; n += 2n, sign = -sign) {
      term /= x * x;
      sum += (sign * term) / n;
    }
    return sum;
  };
  const text = ((16n * arctan(5n) - 4n * arctan(239n)) / 10n ** 10n).toString();
  return `${text[0]}.${text.slice(1, digits)}`;
}
/** Understands one program only: `perl -Mbignum=bpi -wle 'print bpi(2000)'`. */
export const perl: Program = async (self) => {
  const m = /print bpi\((\d+)\)/.exec(self.argv.join(' '));
  if (!m) {
    self.stderr(`Can't open perl script "${self.argv[1] ?? ''}": No such file or directory\n`);
    return 2;
  }
  const digits = Math.min(5000, Number(m[1]));
  // Quadratic, about five seconds for 2000 digits.
  await self.process.clock.sleep(ms(Math.floor((digits * digits) / 800)));
  self.stdout(`${pi(digits)}\n`);
  return 0;
};
