/**
 * getaddrinfo: /etc/hosts first, then the nameservers of /etc/resolv.conf with its search list
 * (resolver(3), resolv.conf(5); the rules of glibc's `res_search`).
 *
 * Here simplified: only A records are asked for, where a real one asks for AAAA alongside.
 */
import { type Duration, seconds } from '../sim/clock.ts';
import type { Rng } from '../sim/rng.ts';
import { parseAddress } from './address.ts';
import { type DnsAnswer, decodeAnswer, encodeQuestion } from './dns.ts';
import type { Files } from './files.ts';
import { SocketError } from './sockets.ts';

export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly timeout: Duration;
  readonly attempts: number;
}

/** Missing or unreadable: the defaults of resolv.conf(5), which ask nobody here. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let search: readonly string[] = [];
  let ndots = 1;
  let timeout = 5;
  let attempts = 2;
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'nameserver' && rest[0] && nameservers.length < 3) nameservers.push(rest[0]);
    else if (word === 'search') search = rest;
    else if (word === 'domain' && rest[0]) search = [rest[0]];
    else if (word === 'options') {
      for (const option of rest) {
        const [name, value] = option.split(':');
        if (name === 'ndots') ndots = Math.min(15, Number(value));
        if (name === 'timeout') timeout = Math.min(30, Number(value));
        if (name === 'attempts') attempts = Math.min(5, Number(value));
      }
    }
  }
  return { nameservers, search, ndots, timeout: seconds(timeout), attempts };
}

/** The addresses a hosts file gives a name. */
export function lookupHosts(text: string, name: string): string[] {
  const found: string[] = [];
  const wanted = name.toLowerCase().replace(/\.$/, '');
  for (const line of text.split('\n')) {
    const [ip, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (ip && parseAddress(ip) !== undefined && names.some((n) => n.toLowerCase() === wanted) && !found.includes(ip)) found.push(ip);
  }
  return found;
}

/** The names asked for, in order: a name with fewer dots than ndots goes through the search list first. */
export function candidates(name: string, conf: Pick<ResolvConf, 'search' | 'ndots'>): string[] {
  if (name.endsWith('.')) return [name];
  const dots = name.split('.').length - 1;
  const searched = conf.search.map((domain) => `${name}.${domain.replace(/\.$/, '')}.`);
  return dots >= conf.ndots ? [`${name}.`, ...searched] : [...searched, `${name}.`];
}

export interface ResolverIo {
  readonly files: Files;
  readonly rng: Rng;
  askUdp(ip: string, port: number, text: string, timeout: Duration): Promise<string>;
}

const readIf = (files: Files, path: string): string => (files.exists(path) && !files.isDirectory(path) ? files.read(path) : '');

/**
 * The IPv4 addresses of a name. Rejects with SocketError ENOTFOUND: `Name or service not known` when the
 * servers said so, `Temporary failure in name resolution` when none answered.
 */
export async function resolveName(name: string, io: ResolverIo): Promise<readonly string[]> {
  if (parseAddress(name) !== undefined) return [name];
  const local = lookupHosts(readIf(io.files, '/etc/hosts'), name);
  if (local.length > 0) return local;
  const conf = parseResolvConf(readIf(io.files, '/etc/resolv.conf'));
  let temporary = conf.nameservers.length === 0;
  for (const candidate of candidates(name.toLowerCase(), conf)) {
    const answer = await ask(candidate, conf, io);
    if (answer === undefined) {
      // Nobody answers: the search ends here, as in glibc, rather than wait for every domain in turn.
      temporary = true;
      break;
    }
    if (answer.code === 'SERVFAIL') temporary = true;
    const addresses = answer.answers.filter((record) => record.type === 'A').map((record) => record.data);
    if (addresses.length > 0) return addresses;
  }
  throw new SocketError('ENOTFOUND', temporary ? 'Temporary failure in name resolution' : 'Name or service not known');
}

/** Each server in turn, `attempts` times over; undefined when none answered. */
async function ask(name: string, conf: ResolvConf, io: ResolverIo): Promise<DnsAnswer | undefined> {
  let failed: DnsAnswer | undefined;
  for (let attempt = 0; attempt < conf.attempts; attempt++) {
    for (const server of conf.nameservers) {
      const id = io.rng.between(0, 65_536);
      try {
        const answer = decodeAnswer(await io.askUdp(server, 53, encodeQuestion({ id, name, type: 'A' }), conf.timeout));
        if (answer?.id !== id) continue;
        if (answer.code === 'NOERROR' || answer.code === 'NXDOMAIN') return answer;
        failed = answer;
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
      }
    }
    if (failed) return failed;
  }
  return undefined;
}
