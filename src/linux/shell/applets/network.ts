/** Programs that ask the network: wget, curl, nc, nslookup, ping. */
import { type Duration, ms, seconds } from '../../../sim/clock.ts';
import { decodeAnswer, encodeQuestion, type RecordType } from '../../dns.ts';
import { FileError } from '../../files.ts';
import { HttpError, type HttpReply, httpGet, parseUrl, reasonPhrase } from '../../http.ts';
import { httpPieces } from '../../http-stream.ts';
import type { Program, ProgramContext } from '../../program.ts';
import { candidates, parseResolvConf } from '../../resolver.ts';
import { SocketError } from '../../sockets.ts';
import { readAll } from '../text-pipe.ts';
import { AppletError, applet, isBusybox, parseFlags, pathOf, splitOnce } from './applet.ts';

const millis = (duration: Duration): number => Math.floor(duration / 1000);

interface CurlResult {
  readonly code: number;
  readonly message: string;
}
/** curl's exit codes and sentences (8.x), from what the socket said. */
function curlFailure(error: unknown, host: string, port: number, took: Duration, limit: Duration | undefined): CurlResult {
  if (error instanceof HttpError) {
    if (error.code === 'TIMEOUT') return { code: 28, message: `Operation timed out after ${millis(took)} milliseconds with 0 bytes received` };
    if (error.code === 'CLOSED') return { code: 52, message: 'Empty reply from server' };
    return { code: 1, message: 'Received HTTP/0.9 when not allowed' };
  }
  if (!(error instanceof SocketError)) throw error;
  switch (error.code) {
    case 'ENOTFOUND':
      return { code: 6, message: `Could not resolve host: ${host}` };
    case 'ETIMEDOUT':
      if (limit !== undefined && took >= limit - 1000)
        return { code: 28, message: `Failed to connect to ${host} port ${port} after ${millis(took)} ms: Timeout was reached` };
      return { code: 28, message: `Failed to connect to ${host} port ${port} after ${millis(took)} ms: Couldn't connect to server` };
    case 'ECONNRESET':
      return { code: 56, message: 'Recv failure: Connection reset by peer' };
    default:
      return { code: 7, message: `Failed to connect to ${host} port ${port} after ${millis(took)} ms: Could not connect to server` };
  }
}

const curl = applet(async (self) => {
  const flags = parseFlags(self, 'sSLkvifo:OX:H:d:m:w:A:u:I4gT:F:GN', {
    silent: 's', 'show-error': 'S', location: 'L', insecure: 'k', verbose: 'v', include: 'i', fail: 'f', output: 'o:', request: 'X:', header: 'H:', data: 'd:', 'data-raw': 'd:', 'max-time': 'm:',
    'connect-timeout': 'c:', 'write-out': 'w:', 'user-agent': 'A:', head: 'I', 'no-progress-meter': 's', retry: 'r:', cacert: 'C:', cert: 'E:', key: 'K:', compressed: 'g', http1: 'g', 'no-buffer': 'N',
  }); // biome-ignore format: a table
  if (flags.operands.length === 0) {
    self.stderr("curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n");
    return 2;
  }
  const { clock } = self.process;
  const limit = flags.has('m') ? seconds(Number(flags.value('m'))) : flags.has('c') ? seconds(Number(flags.value('c'))) : undefined;
  let code = 0;
  for (const given of flags.operands) {
    let url = given;
    for (let hops = 0; ; hops++) {
      const parsed = parseUrl(url);
      if (!parsed) {
        if (!flags.has('s') || flags.has('S')) self.stderr('curl: (3) URL using bad/illegal format or missing URL\n');
        code = 3;
        break;
      }
      const began = clock.now();
      const headers: Record<string, string> = { 'User-Agent': flags.value('A') ?? 'curl/8.12.1', Accept: '*/*' };
      for (const header of flags.values('H')) {
        const [name, value] = splitOnce(header, ':');
        headers[name.trim()] = (value ?? '').trim();
      }
      const body = flags.has('d') ? flags.values('d').join('&') : undefined;
      if (body !== undefined && headers['Content-Type'] === undefined) headers['Content-Type'] = 'application/x-www-form-urlencoded';
      const method = flags.value('X') ?? (flags.has('I') ? 'HEAD' : body !== undefined ? 'POST' : 'GET');
      const target = flags.value('o') ?? (flags.has('O') ? parsed.target.split('?')[0]!.split('/').at(-1) || 'index.html' : undefined);
      // What goes to the screen as it is goes there as it comes.
      const asItComes = (target === undefined || target === '-') && !['i', 'I', 'v', 'f', 'L'].some((flag) => flags.has(flag));
      let reply: HttpReply;
      try {
        reply = await httpGet(self.sockets, url, {
          method,
          headers,
          ...(body === undefined ? {} : { body }),
          clock,
          ...(limit === undefined ? {} : { timeout: limit }),
          ...(asItComes
            ? {
                exchange: (connection, request, timeout) =>
                  httpPieces(connection, request, { clock, timeout, headOnly: method === 'HEAD', pieces: (text) => self.stdout(text) }),
              }
            : {}),
        });
      } catch (error) {
        const failure = curlFailure(error, parsed.host, parsed.port, clock.now() - began, limit);
        if (!flags.has('s') || flags.has('S')) self.stderr(`curl: (${failure.code}) ${failure.message}\n`);
        if (flags.has('w')) self.stdout(writeOut(flags.value('w')!, undefined, clock.now() - began));
        code = failure.code;
        break;
      }
      const location = reply.headers['location'];
      if (flags.has('L') && reply.status >= 300 && reply.status < 400 && location !== undefined && hops < 50) {
        url = location.startsWith('/') ? `${parsed.scheme}://${parsed.host}:${parsed.port}${location}` : location;
        continue;
      }
      if (flags.has('v')) {
        self.stderr(
          `*   Trying ${parsed.host}:${parsed.port}...\n* Connected to ${parsed.host} port ${parsed.port}\n> ${method} ${parsed.target} HTTP/1.1\n> Host: ${parsed.host}${parsed.port === 80 ? '' : `:${parsed.port}`}\n`,
        );
        for (const [name, value] of Object.entries(headers)) self.stderr(`> ${name}: ${value}\n`);
        self.stderr(`>\n< HTTP/1.1 ${reply.status} ${reasonPhrase(reply.status)}\n`);
        for (const [name, value] of Object.entries(reply.headers)) self.stderr(`< ${name}: ${value}\n`);
        self.stderr('<\n');
      }
      if (flags.has('f') && reply.status >= 400) {
        if (!flags.has('s') || flags.has('S')) self.stderr(`curl: (22) The requested URL returned error: ${reply.status}\n`);
        code = 22;
        break;
      }
      let text = reply.body;
      if (flags.has('i') || flags.has('I'))
        text = `HTTP/1.1 ${reply.status} ${reasonPhrase(reply.status)}\n${Object.entries(reply.headers)
          .map(([name, value]) => `${name}: ${value}\n`)
          .join('')}\n${flags.has('I') ? '' : text}`;
      if (asItComes) text = '';
      if (target === undefined || target === '-') self.stdout(text);
      else if (target !== '/dev/null') self.files.write(pathOf(self, target), text);
      if (flags.has('w')) self.stdout(writeOut(flags.value('w')!, reply, clock.now() - began));
      break;
    }
  }
  return code;
});

const writeOut = (format: string, reply: HttpReply | undefined, took: Duration): string =>
  format
    .replace(/%\{(\w+)\}/g, (match, name: string) => {
      if (name === 'http_code' || name === 'response_code') return String(reply?.status ?? 0).padStart(3, '0');
      if (name === 'time_total') return (took / 1_000_000).toFixed(6);
      if (name === 'size_download') return String(reply?.body.length ?? 0);
      return match;
    })
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t');

const wget = applet(async (self) => {
  const busybox = isBusybox(self);
  const flags = parseFlags(self, 'qO:T:Sct:P:', {
    quiet: 'q',
    'output-document': 'O:',
    timeout: 'T:',
    spider: 's',
    tries: 't:',
    header: 'H:',
    'post-data': 'd:',
    'server-response': 'S',
    'no-check-certificate': 'k',
  });
  const given = flags.operands[0];
  if (given === undefined) throw new AppletError('missing URL');
  const { clock } = self.process;
  let url = given;
  for (let hops = 0; ; hops++) {
    const parsed = parseUrl(url);
    if (!parsed) throw new AppletError(`bad address '${url}'`);
    const headers: Record<string, string> = { 'User-Agent': 'Wget' };
    for (const header of flags.values('H')) {
      const [name, value] = splitOnce(header, ':');
      headers[name.trim()] = (value ?? '').trim();
    }
    const body = flags.value('d');
    let address = parsed.host;
    let reply: HttpReply;
    try {
      address = (await self.sockets.resolve(parsed.host))[0] ?? parsed.host;
      if (!flags.has('q'))
        self.stderr(busybox ? `Connecting to ${parsed.host}:${parsed.port} (${address}:${parsed.port})\n` : `Connecting to ${parsed.host}:${parsed.port}... `);
      reply = await httpGet(self.sockets, url, {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        ...(body === undefined ? {} : { body }),
        clock,
        ...(flags.has('T') ? { timeout: seconds(Number(flags.value('T'))) } : {}),
      });
      if (!flags.has('q') && !busybox) self.stderr(`connected.\nHTTP request sent, awaiting response... ${reply.status} ${reasonPhrase(reply.status)}\n`);
    } catch (error) {
      if (error instanceof HttpError) throw new AppletError(error.code === 'TIMEOUT' ? 'download timed out' : 'error getting response: Invalid argument');
      if (!(error instanceof SocketError)) throw error;
      if (error.code === 'ENOTFOUND')
        throw new AppletError(busybox ? `bad address '${parsed.host}'` : `unable to resolve host address ‘${parsed.host}’`, busybox ? 1 : 4);
      if (error.code === 'ETIMEDOUT' && flags.has('T')) throw new AppletError('download timed out');
      const why = {
        ECONNREFUSED: 'Connection refused',
        ETIMEDOUT: 'Operation timed out',
        EHOSTUNREACH: 'Host is unreachable',
        ENETUNREACH: 'Network is unreachable',
        ECONNRESET: 'Connection reset by peer',
        EADDRINUSE: 'Address in use',
      }[error.code];
      if (error.code === 'ECONNRESET') throw new AppletError(`error getting response: ${why}`);
      throw new AppletError(busybox ? `can't connect to remote host (${address}): ${why}` : `failed: ${why}.`, busybox ? 1 : 4);
    }
    const location = reply.headers['location'];
    if (reply.status >= 300 && reply.status < 400 && location !== undefined && hops < 20) {
      url = location.startsWith('/') ? `${parsed.scheme}://${parsed.host}:${parsed.port}${location}` : location;
      continue;
    }
    if (flags.has('S'))
      self.stderr(
        `  HTTP/1.1 ${reply.status} ${reasonPhrase(reply.status)}\n${Object.entries(reply.headers)
          .map(([name, value]) => `  ${name}: ${value}\n`)
          .join('')}`,
      );
    if (reply.status >= 400) throw new AppletError(`server returned error: HTTP/1.1 ${reply.status} ${reasonPhrase(reply.status)}`, busybox ? 1 : 8);
    if (flags.has('s')) {
      if (!flags.has('q')) self.stderr('remote file exists\n');
      return 0;
    }
    const target = flags.value('O') ?? (parsed.target.split('?')[0]!.split('/').at(-1) || 'index.html');
    if (target === '-') {
      if (!flags.has('q') && busybox) self.stderr('writing to stdout\n');
      self.stdout(reply.body);
      if (!flags.has('q') && busybox)
        self.stderr(`-                    100% |${'*'.repeat(32)}|${String(reply.body.length).padStart(6)}  0:00:00 ETA\nwritten to stdout\n`);
    } else {
      if (!flags.has('q') && busybox) self.stderr(`saving to '${target}'\n`);
      if (target !== '/dev/null') {
        try {
          self.files.write(pathOf(self, target), reply.body);
        } catch (error) {
          if (error instanceof FileError) throw new AppletError(`can't open '${target}': ${error.message}`);
          throw error;
        }
      }
      if (!flags.has('q') && busybox) self.stderr(`'${target}' saved\n`);
    }
    return 0;
  }
});

/** `nc -z host port`, `nc -l -p port`, and `nc host port` between standard input and output. */
const nc = applet(async (self) => {
  const flags = parseFlags(self, 'zvnlp:w:uk46e:q:N');
  const [host, portText] = flags.operands;
  const timeout = flags.has('w') ? { timeout: seconds(Number(flags.value('w'))) } : {};
  if (flags.has('l')) {
    const port = Number(flags.value('p') ?? portText ?? host);
    await new Promise<void>((resolve) => {
      const close = self.sockets.listen(port, (connection) => {
        (async () => {
          for (let text = await connection.receive(); text !== undefined; text = await connection.receive()) self.stdout(text);
          if (flags.has('k')) return;
          close();
          self.process.clock.wake();
          resolve();
        })();
        readAll(self.stdin).then((text) => {
          if (text !== '') connection.send(text);
        });
      });
    });
    return 0;
  }
  const port = Number(portText);
  if (host === undefined || !(port > 0)) throw new AppletError('missing host or port');
  try {
    const connection = await self.sockets.connect(host, port, timeout);
    if (flags.has('v'))
      self.stderr(isBusybox(self) ? `${host} (${connection.remote.ip}:${port}) open\n` : `Connection to ${host} ${port} port [tcp/*] succeeded!\n`);
    if (flags.has('z')) {
      connection.close();
      return 0;
    }
    (async () => {
      for (let text = await self.stdin.read(); text !== undefined; text = await self.stdin.read()) connection.send(text);
    })();
    for (let text = await connection.receive(); text !== undefined; text = await connection.receive()) self.stdout(text);
    return 0;
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    if (error.code === 'ENOTFOUND')
      self.stderr(isBusybox(self) ? `nc: bad address '${host}'\n` : `nc: getaddrinfo for host "${host}" port ${port}: Name or service not known\n`);
    else if (flags.has('v') || !flags.has('z')) {
      const why = {
        ECONNREFUSED: 'Connection refused',
        ETIMEDOUT: isBusybox(self) ? 'Operation timed out' : 'Connection timed out',
        EHOSTUNREACH: 'No route to host',
        ENETUNREACH: 'Network is unreachable',
        ECONNRESET: 'Connection reset by peer',
        EADDRINUSE: 'Address in use',
      }[error.code];
      self.stderr(isBusybox(self) ? `nc: ${host} (${host}:${port}): ${why}\n` : `nc: connect to ${host} port ${port} (tcp) failed: ${why}\n`);
    }
    return 1;
  }
});

/** Here simplified: asks as programs do (hosts, search list), where the real one asks a name server directly. */
/**
 * Asks the name server itself, so that the names and aliases of the answer are seen; an address is asked for its name.
 * `-type=srv` and others print records as they come.
 */
const nslookup = applet(async (self) => {
  const type = (self.argv.map((arg) => /^-(?:type|querytype|q|t)=(\w+)$/.exec(arg)?.[1]).find(Boolean) ?? '').toUpperCase();
  const [name, server] = self.argv.slice(1).filter((arg) => !arg.startsWith('-'));
  if (name === undefined) throw new AppletError('missing host');
  const conf = parseResolvConf(self.files.exists('/etc/resolv.conf') ? self.files.read('/etc/resolv.conf') : '');
  try {
    const resolver = server === undefined ? nameserver(self) : (await self.sockets.resolve(server))[0]!;
    self.stdout(`Server:\t\t${resolver}\nAddress:\t${resolver}:53\n\n`);
    const reverse = /^\d+(\.\d+){3}$/.test(name);
    const wanted = (reverse ? 'PTR' : type || 'A') as RecordType;
    const bare = (text: string): string => text.replace(/\.$/, '');
    for (const candidate of reverse ? [`${name.split('.').reverse().join('.')}.in-addr.arpa.`] : candidates(name.toLowerCase(), conf)) {
      const id = self.process.rng.between(0, 65_536);
      const answer = decodeAnswer(await self.sockets.askUdp(resolver, 53, encodeQuestion({ id, name: candidate, type: wanted }), conf.timeout));
      if (!answer || answer.answers.length === 0) continue;
      for (const { name: owner, type: kind, data } of answer.answers) {
        if (kind === 'A') self.stdout(`Name:\t${bare(owner)}\nAddress: ${data}\n`);
        else if (kind === 'CNAME') self.stdout(`${bare(owner)}\tcanonical name = ${bare(data)}\n`);
        else if (kind === 'PTR') self.stdout(`${bare(owner)}\tname = ${bare(data)}\n`);
        else self.stdout(`${bare(owner)}\t${kind === 'SRV' ? 'service' : kind.toLowerCase()} = ${bare(data)}\n`);
      }
      self.stdout('\n');
      return 0;
    }
    self.stdout(`** server can't find ${reverse ? `${name.split('.').reverse().join('.')}.in-addr.arpa` : name}: NXDOMAIN\n\n`);
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    if (error.code === 'ENOTFOUND') throw new AppletError(`bad address '${server}'`);
    self.stdout(';; connection timed out; no servers could be reached\n\n');
  }
  return 1;
});
function nameserver(self: ProgramContext): string {
  if (!self.files.exists('/etc/resolv.conf')) return '127.0.0.1';
  return /^nameserver\s+(\S+)/m.exec(self.files.read('/etc/resolv.conf'))?.[1] ?? '127.0.0.1';
}

/** How a host measures an echo; the sockets of programs have no ICMP, so whoever composes the machine may give one. */
export type Ping = (ip: string, timeout: Duration) => Promise<Duration | undefined>;

/** Without a `Ping` a refused TCP connection counts as an answer: it came from the other machine. */
export const pingApplet = (echo?: (self: ProgramContext) => Ping): Program =>
  applet(async (self) => {
    const flags = parseFlags(self, 'c:i:W:w:qn4s:');
    const host = flags.operands[0];
    if (host === undefined) throw new AppletError('usage error: Destination address required');
    const { clock } = self.process;
    let ip: string;
    try {
      ip = (await self.sockets.resolve(host))[0]!;
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      throw new AppletError(isBusybox(self) ? `bad address '${host}'` : `${host}: Name or service not known`, isBusybox(self) ? 1 : 2);
    }
    const measure: Ping =
      echo?.(self) ??
      (async (address, timeout) => {
        const began = clock.now();
        try {
          (await self.sockets.connect(address, 7, { timeout })).close();
        } catch (error) {
          if (!(error instanceof SocketError)) throw error;
          if (error.code !== 'ECONNREFUSED') return undefined;
        }
        return clock.now() - began;
      });
    const count = flags.has('c') ? Number(flags.value('c')) : Number.POSITIVE_INFINITY;
    const interval = seconds(Number(flags.value('i') ?? 1));
    const timeout = seconds(Number(flags.value('W') ?? 10));
    const busybox = isBusybox(self);
    self.stdout(busybox ? `PING ${host} (${ip}): 56 data bytes\n` : `PING ${host} (${ip}) 56(84) bytes of data.\n`);
    const times: number[] = [];
    let sent = 0;
    const began = clock.now();
    const summary = () => {
      const loss = sent === 0 ? 0 : Math.round(((sent - times.length) * 100) / sent);
      self.stdout(`\n--- ${host} ping statistics ---\n`);
      self.stdout(
        busybox
          ? `${sent} packets transmitted, ${times.length} packets received, ${loss}% packet loss\n`
          : `${sent} packets transmitted, ${times.length} received, ${loss}% packet loss, time ${millis(clock.now() - began)}ms\n`,
      );
      if (times.length === 0) return;
      const [min, max, average] = [Math.min(...times), Math.max(...times), times.reduce((a, b) => a + b, 0) / times.length].map((n) => n / 1000);
      self.stdout(
        busybox
          ? `round-trip min/avg/max = ${min!.toFixed(3)}/${average!.toFixed(3)}/${max!.toFixed(3)} ms\n`
          : `rtt min/avg/max/mdev = ${min!.toFixed(3)}/${average!.toFixed(3)}/${max!.toFixed(3)}/0.000 ms\n`,
      );
    };
    let stop = false;
    self.onSignal(() => {
      stop = true;
      summary();
    });
    for (let i = 0; i < count && !stop; i++) {
      sent++;
      const took = await measure(ip, timeout);
      if (took !== undefined) {
        times.push(took);
        if (!flags.has('q'))
          self.stdout(`64 bytes from ${ip}: ${busybox ? 'seq' : 'icmp_seq'}=${busybox ? i : i + 1} ttl=64 time=${(took / 1000).toFixed(3)} ms\n`);
      }
      if (i + 1 < count) await clock.sleep(Math.max(ms(1), interval));
    }
    if (!stop) summary();
    return times.length > 0 ? 0 : 1;
  });

export const networkApplets: Readonly<Record<string, Program>> = { curl, wget, nc, nslookup, ping: pingApplet() };
