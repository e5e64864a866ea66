/**
 * redis: a key-value store on port 6379 that speaks RESP and inline commands: PING, ECHO, SET, GET, DEL,
 * EXISTS, INCR, DECR, INCRBY, APPEND, KEYS, LPUSH, RPUSH, LPOP, RPOP, LLEN, LRANGE, EXPIRE, TTL, DBSIZE,
 * FLUSHALL, INFO, CONFIG GET/SET, ROLE, SAVE, AUTH. It is a replica with `--replicaof host port`, and keeps its data in
 * dump.rdb when it is told to end, or with every change under `appendonly yes`. Here simplified: no eviction, no cluster,
 * no sentinel, and a form of its own for both file and replication.
 */
import type { Program, ProgramContext } from '../../../linux/program.ts';
import type { Connection } from '../../../linux/sockets.ts';
import { type Instant, seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import { redisTime } from './clock-text.ts';
import { VERSION } from './redis.ts';

export type Reply = { readonly ok: string } | { readonly error: string } | number | string | null | readonly Reply[];

/** One reply in RESP2. */
export function encodeReply(reply: Reply): string {
  if (reply === null) return '$-1\r\n';
  if (typeof reply === 'number') return `:${reply}\r\n`;
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`;
  if ('ok' in reply) return `+${reply.ok}\r\n`;
  if ('error' in reply) return `-${reply.error}\r\n`;
  return `*${reply.length}\r\n${reply.map(encodeReply).join('')}`;
}

/** Takes one command from the front of the text; undefined when more is needed. */
export function takeCommand(text: string): { readonly words: readonly string[]; readonly rest: string } | undefined {
  const eol = text.indexOf('\n');
  if (eol < 0) return undefined;
  const line = text.slice(0, eol).replace(/\r$/, '');
  let rest = text.slice(eol + 1);
  if (!line.startsWith('*')) return { words: line.split(/\s+/).filter(Boolean), rest };
  const words: string[] = [];
  for (let i = 0; i < Number(line.slice(1)); i++) {
    const m = /^\$(\d+)\r\n/.exec(rest);
    if (!m) return undefined;
    const end = m[0].length + Number(m[1]);
    if (rest.length < end + 2) return undefined;
    words.push(rest.slice(m[0].length, end));
    rest = rest.slice(end + 2);
  }
  return { words, rest };
}

export class RedisStore {
  private readonly values = new Map<string, string | string[]>();
  private readonly expiry = new Map<string, Instant>();
  constructor(private readonly now: () => Instant) {}

  run(words: readonly string[]): Reply {
    const [name = '', ...args] = words;
    const [key = '', value = ''] = args;
    const at = this.expiry.get(key);
    if (at !== undefined && at <= this.now()) this.forget(key);
    const wrong: Reply = { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' };
    const arity = (n: number): boolean => args.length >= n;
    const held = this.values.get(key);
    const text = typeof held === 'string' ? held : undefined;
    const list = Array.isArray(held) ? held : undefined;
    switch (name.toUpperCase()) {
      case 'PING':
        return args.length > 0 ? key : { ok: 'PONG' };
      case 'ECHO':
        return key;
      case 'COMMAND':
      case 'CONFIG':
      case 'CLIENT':
        return [];
      case 'SELECT':
        return { ok: 'OK' };
      case 'SET':
        if (!arity(2)) break;
        this.forget(key);
        this.values.set(key, value);
        if (args[2]?.toUpperCase() === 'EX') this.expiry.set(key, this.now() + seconds(Number(args[3])));
        return { ok: 'OK' };
      case 'GET':
        return list ? wrong : (text ?? null);
      case 'DEL':
        return args.filter((one) => this.forget(one)).length;
      case 'EXISTS':
        return args.filter((one) => this.values.has(one)).length;
      case 'INCR':
      case 'DECR':
      case 'INCRBY': {
        if (list) return wrong;
        const before = Number(text ?? '0');
        const by = name.toUpperCase() === 'INCR' ? 1 : name.toUpperCase() === 'DECR' ? -1 : Number(value);
        if (!Number.isInteger(before) || !Number.isInteger(by)) return { error: 'ERR value is not an integer or out of range' };
        this.values.set(key, String(before + by));
        return before + by;
      }
      case 'APPEND':
        if (list) return wrong;
        this.values.set(key, (text ?? '') + value);
        return ((text ?? '') + value).length;
      case 'LPUSH':
      case 'RPUSH': {
        if (text !== undefined) return wrong;
        const next = name.toUpperCase() === 'LPUSH' ? [...args.slice(1).reverse(), ...(list ?? [])] : [...(list ?? []), ...args.slice(1)];
        this.values.set(key, next);
        return next.length;
      }
      case 'LPOP':
      case 'RPOP': {
        if (text !== undefined) return wrong;
        const popped = name.toUpperCase() === 'LPOP' ? list?.shift() : list?.pop();
        if (list?.length === 0) this.forget(key);
        return popped ?? null;
      }
      case 'LLEN':
        return text !== undefined ? wrong : (list?.length ?? 0);
      case 'LRANGE': {
        const size = list?.length ?? 0;
        const bound = (n: number): number => (n < 0 ? size + n : n);
        return (list ?? []).slice(bound(Number(value)), bound(Number(args[2] ?? -1)) + 1);
      }
      case 'KEYS': {
        const pattern = new RegExp(
          `^${key
            .replace(/[.+^${}()|[\]\\]/g, '\\$&')
            .replaceAll('*', '.*')
            .replaceAll('?', '.')}$`,
        );
        return [...this.values.keys()].filter((one) => pattern.test(one));
      }
      case 'EXPIRE':
        if (held === undefined) return 0;
        this.expiry.set(key, this.now() + seconds(Number(value)));
        return 1;
      case 'TTL':
        if (held === undefined) return -2;
        return at === undefined ? -1 : Math.ceil((at - this.now()) / 1_000_000);
      case 'DBSIZE':
        return this.values.size;
      case 'FLUSHALL':
      case 'FLUSHDB':
        this.values.clear();
        return { ok: 'OK' };
      case 'INFO':
        return `# Server\r\nredis_version:${VERSION}\r\nredis_mode:standalone\r\n# Keyspace\r\ndb0:keys=${this.values.size},expires=${this.expiry.size}\r\n`;
      default:
        return { error: `ERR unknown command '${name}', with args beginning with: ${args.map((one) => `'${one}' `).join('')}` };
    }
    return { error: `ERR wrong number of arguments for '${name.toLowerCase()}' command` };
  }

  /** Bytes of the values. */
  size(): number {
    let bytes = 0;
    for (const value of this.values.values()) bytes += typeof value === 'string' ? value.length : value.reduce((sum, each) => sum + each.length, 0);
    return bytes;
  }
  /** Everything held, as one text; `load` takes it back. */
  dump(): string {
    return JSON.stringify([[...this.values], [...this.expiry]]);
  }
  load(text: string): void {
    const [values, expiry] = JSON.parse(text) as [[string, string | string[]][], [string, Instant][]];
    this.values.clear();
    this.expiry.clear();
    for (const [key, value] of values) this.values.set(key, value);
    for (const [key, at] of expiry) this.expiry.set(key, at);
  }

  private forget(key: string): boolean {
    this.expiry.delete(key);
    return this.values.delete(key);
  }
}

/** What changes data, and so goes to replicas. */
const WRITES = new Set(['SET', 'DEL', 'INCR', 'DECR', 'INCRBY', 'APPEND', 'LPUSH', 'RPUSH', 'LPOP', 'RPOP', 'EXPIRE', 'FLUSHALL', 'FLUSHDB']);
const DEFAULTS: Readonly<Record<string, string>> = {
  port: '6379',
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
  appendonly: 'no',
  dir: '/data',
  save: '3600 1 300 100 60 10000',
};
const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1000, kb: 1024, m: 1_000_000, mb: 1_048_576, g: 1_000_000_000, gb: 1_073_741_824 };

/** The file's lines, then `--name value` of the command line. Names in lower case. */
function settingsOf(self: ProgramContext): Map<string, string> | undefined {
  const settings = new Map(Object.entries(DEFAULTS));
  const args = self.argv.slice(1);
  const set = (name: string, value: string): void => {
    const size = name === 'maxmemory' ? /^(\d+)([a-z]*)$/i.exec(value) : null;
    settings.set(name, size ? String(Number(size[1]) * (UNITS[size[2]!.toLowerCase()] ?? 1)) : value);
  };
  if (args[0] !== undefined && !args[0].startsWith('-')) {
    const path = args.shift()!;
    if (!self.files.exists(path)) {
      self.stderr(`1:C # Fatal error, can't open config file '${path}': No such file or directory\n`);
      return undefined;
    }
    for (const line of self.files.read(path).split('\n')) {
      const m = /^\s*([\w-]+)\s+(.*?)\s*$/.exec(line);
      if (m) set(m[1]!.toLowerCase(), m[2]!.replace(/^"(.*)"$/, '$1'));
    }
  }
  for (let i = 0; i < args.length; i++) {
    if (!args[i]!.startsWith('--')) continue;
    const values: string[] = [];
    const name = args[i]!.slice(2).toLowerCase();
    while (args[i + 1] !== undefined && !args[i + 1]!.startsWith('--')) values.push(args[++i]!);
    set(name, values.join(' '));
  }
  return settings;
}

export const redisServer: Program = async (self) => {
  const { clock } = self.process;
  const settings = settingsOf(self);
  if (!settings) return 1;
  const say = (mark: string, text: string): void => self.stdout(`1:M ${redisTime(clock.now())} ${mark} ${text}\n`);
  const port = Number(settings.get('port'));
  const store = new RedisStore(clock.now);
  const dump = `${settings.get('dir')?.replace(/\/$/, '')}/dump.rdb`;
  if (self.files.exists(dump)) store.load(self.files.read(dump));
  const server: Server = { store, settings, replicas: new Set(), leader: undefined, save: () => self.files.write(dump, store.dump()) };
  self.sockets.listen(port, (connection) => {
    serve(connection, server).catch(() => {});
  });
  say('*', `oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo`);
  say('*', `Redis version=${VERSION}, bits=64, commit=00000000, modified=0, pid=1, just started`);
  say('*', `Running mode=standalone, port=${port}.`);
  say('*', 'Server initialized');
  say('*', 'Ready to accept connections tcp');
  const leader = (settings.get('replicaof') ?? settings.get('slaveof'))?.split(/\s+/);
  if (leader?.[0]) {
    server.leader = `${leader[0]}:${leader[1] ?? 6379}`;
    follow(self, server, leader[0], Number(leader[1] ?? 6379), say).catch(() => {});
  }
  const done = defer<number>(clock);
  self.onSignal((signal) => {
    if (signal !== 'TERM' && signal !== 'INT') return;
    say('-', `Received SIG${signal} scheduling shutdown...`);
    say('#', 'User requested shutdown...');
    if (settings.get('save') !== '') {
      say('*', 'Saving the final RDB snapshot before exiting.');
      server.save();
      say('*', 'DB saved on disk');
    }
    say('#', 'Redis is now ready to exit, bye bye...');
    done.resolve(0);
  });
  return done.promise;
};

interface Server {
  readonly store: RedisStore;
  readonly settings: Map<string, string>;
  readonly replicas: Set<Connection>;
  leader: string | undefined;
  save(): void;
}

/** A replica: takes the leader's data whole, then every command that changes it. Tries again each second. */
async function follow(self: ProgramContext, { store }: Server, host: string, port: number, say: (mark: string, text: string) => void): Promise<void> {
  for (;;) {
    try {
      say('*', `Connecting to MASTER ${host}:${port}`);
      const connection = await self.sockets.connect(host, port, { timeout: seconds(5) });
      say('*', 'MASTER <-> REPLICA sync started');
      connection.send(encodeReply(['SYNC']));
      let text = '';
      let whole = false;
      for (;;) {
        const segment = await connection.receive();
        if (segment === undefined) break;
        text += segment;
        for (let taken = takeCommand(text); taken; taken = takeCommand(text)) {
          text = taken.rest;
          if (taken.words[0] === 'DUMP') {
            store.load(taken.words[1] ?? '');
            if (!whole) say('*', 'MASTER <-> REPLICA sync: Finished with success');
            whole = true;
          } else store.run(taken.words);
        }
      }
      say('*', 'Connection with master lost.');
    } catch (error) {
      say('#', `Unable to connect to MASTER: ${error instanceof Error ? error.message : String(error)}`);
    }
    await self.process.clock.sleep(seconds(1));
  }
}

/** What the server itself answers, before its data is asked. */
function manage({ settings, leader, replicas, store, save }: Server, [name = '', ...args]: readonly string[]): Reply | undefined {
  const command = name.toUpperCase();
  if (command === 'CONFIG' && args[0]?.toUpperCase() === 'GET') {
    const wanted = args.slice(1).map((each) => each.toLowerCase());
    return [...settings].filter(([setting]) => wanted.some((each) => each === '*' || each === setting)).flat();
  }
  if (command === 'CONFIG' && args[0]?.toUpperCase() === 'SET') {
    settings.set(args[1]?.toLowerCase() ?? '', args[2] ?? '');
    return { ok: 'OK' };
  }
  if (command === 'ROLE') return leader === undefined ? ['master', 0, []] : ['slave', ...leader.split(':'), 'connected', 0];
  if (command === 'INFO' && args[0]?.toLowerCase() === 'replication')
    return leader === undefined
      ? `# Replication\r\nrole:master\r\nconnected_slaves:${replicas.size}\r\n`
      : `# Replication\r\nrole:slave\r\nmaster_host:${leader.split(':')[0]}\r\nmaster_port:${leader.split(':')[1]}\r\nmaster_link_status:up\r\n`;
  if (command === 'SAVE' || command === 'BGSAVE') {
    save();
    return { ok: command === 'SAVE' ? 'OK' : 'Background saving started' };
  }
  if (leader !== undefined && WRITES.has(command)) return { error: "READONLY You can't write against a read only replica." };
  if (
    Number(settings.get('maxmemory')) > 0 &&
    command === 'SET' &&
    store.size() > Number(settings.get('maxmemory')) &&
    settings.get('maxmemory-policy') === 'noeviction'
  )
    return { error: "OOM command not allowed when used memory > 'maxmemory'." };
  return undefined;
}

async function serve(connection: Connection, server: Server): Promise<void> {
  let text = '';
  let known = server.settings.get('requirepass') === undefined;
  for (;;) {
    let segment: string | undefined;
    try {
      segment = await connection.receive();
    } catch {
      segment = undefined;
    }
    if (segment === undefined) {
      server.replicas.delete(connection);
      return connection.close();
    }
    text += segment;
    let out = '';
    for (let taken = takeCommand(text); taken; taken = takeCommand(text)) {
      text = taken.rest;
      const { words } = taken;
      if (words.length === 0) continue;
      const name = words[0]!.toUpperCase();
      if (name === 'QUIT') {
        connection.send(`${out}+OK\r\n`);
        return connection.close();
      }
      if (name === 'AUTH') {
        known ||= words.at(-1) === server.settings.get('requirepass');
        out += encodeReply(known ? { ok: 'OK' } : { error: 'WRONGPASS invalid username-password pair or user is disabled.' });
      } else if (!known) out += encodeReply({ error: 'NOAUTH Authentication required.' });
      else if (name === 'SYNC') {
        server.replicas.add(connection);
        out += encodeReply(['DUMP', server.store.dump()]);
      } else {
        const managed = manage(server, words);
        const reply = managed ?? server.store.run(words);
        out += encodeReply(reply);
        const failed = typeof reply === 'object' && reply !== null && 'error' in reply;
        if (managed === undefined && !failed && WRITES.has(name)) {
          if (server.settings.get('appendonly') === 'yes') server.save();
          for (const replica of server.replicas) replica.send(encodeReply(words));
        }
      }
    }
    if (out !== '') connection.send(out);
  }
}

/** `redis-cli [-h host] [-p port] COMMAND…` */
export const redisCli: Program = async (self) => {
  const args = self.argv.slice(1);
  const option = (name: string): string | undefined => {
    const i = args.indexOf(name);
    return i < 0 ? undefined : args.splice(i, 2)[1];
  };
  const host = option('-h') ?? '127.0.0.1';
  const port = Number(option('-p') ?? 6379);
  const password = option('-a') ?? self.env['REDISCLI_AUTH'];
  for (const flag of ['--no-auth-warning', '--raw', '-it']) while (args.includes(flag)) args.splice(args.indexOf(flag), 1);
  let connection: Connection;
  try {
    connection = await self.sockets.connect(host, port);
  } catch (error) {
    self.stderr(`Could not connect to Redis at ${host}:${port}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  if (password !== undefined) {
    connection.send(encodeReply(['AUTH', password]));
    await connection.receive();
  }
  if (args.length > 0) {
    await ask(self, connection, args);
    return 0;
  }
  for (let line = await self.stdin.read(); line !== undefined; line = await self.stdin.read()) {
    for (const one of line.split('\n')) if (one.trim() !== '') await ask(self, connection, one.trim().split(/\s+/));
  }
  connection.close();
  return 0;
};
async function ask(self: ProgramContext, connection: Connection, words: readonly string[]): Promise<void> {
  connection.send(encodeReply(words));
  const answer = (await connection.receive()) ?? '';
  self.stdout(showReply(answer));
}
/** As redis-cli writes to a pipe: bare values, one a line. */
function showReply(text: string): string {
  return (
    text
      .split('\r\n')
      .filter((line, i, lines) => line !== '' && !/^[$*]-?\d+$/.test(line) && i < lines.length)
      .map((line) => `${line.replace(/^[+:]/, '').replace(/^-(?=[A-Z])/, '')}\n`)
      .join('') || '\n'
  );
}
