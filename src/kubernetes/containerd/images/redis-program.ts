/**
 * redis: a key-value store on port 6379 that speaks RESP and inline commands: PING, ECHO, SET, GET, DEL,
 * EXISTS, INCR, DECR, INCRBY, APPEND, KEYS, LPUSH, RPUSH, LPOP, RPOP, LLEN, LRANGE, EXPIRE, TTL, DBSIZE,
 * FLUSHALL, INFO. Here simplified: nothing is persisted; a restart forgets.
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

  private forget(key: string): boolean {
    this.expiry.delete(key);
    return this.values.delete(key);
  }
}

export const redisServer: Program = async (self) => {
  const { clock } = self.process;
  const say = (mark: string, text: string): void => self.stdout(`1:M ${redisTime(clock.now())} ${mark} ${text}\n`);
  const store = new RedisStore(clock.now);
  self.sockets.listen(6379, (connection) => {
    serve(connection, store).catch(() => {});
  });
  say('*', `oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo`);
  say('*', `Redis version=${VERSION}, bits=64, commit=00000000, modified=0, pid=1, just started`);
  say('*', 'Running mode=standalone, port=6379.');
  say('*', 'Server initialized');
  say('*', 'Ready to accept connections tcp');
  const done = defer<number>(clock);
  self.onSignal((signal) => {
    if (signal !== 'TERM' && signal !== 'INT') return;
    say('-', `Received SIG${signal} scheduling shutdown...`);
    say('#', 'User requested shutdown...');
    say('#', 'Redis is now ready to exit, bye bye...');
    done.resolve(0);
  });
  return done.promise;
};

async function serve(connection: Connection, store: RedisStore): Promise<void> {
  let text = '';
  for (;;) {
    const segment = await connection.receive();
    if (segment === undefined) return connection.close();
    text += segment;
    let out = '';
    for (let taken = takeCommand(text); taken; taken = takeCommand(text)) {
      text = taken.rest;
      if (taken.words.length === 0) continue;
      if (taken.words[0]!.toUpperCase() === 'QUIT') {
        connection.send(`${out}+OK\r\n`);
        return connection.close();
      }
      out += encodeReply(store.run(taken.words));
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
  let connection: Connection;
  try {
    connection = await self.sockets.connect(host, port);
  } catch (error) {
    self.stderr(`Could not connect to Redis at ${host}:${port}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
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
