/** memcached: its text protocol on port 11211 (get, gets, set, add, replace, delete, incr, decr, touch, flush_all, stats, version, quit). */
import type { Program } from '../../../linux/program.ts';
import type { Connection } from '../../../linux/sockets.ts';
import { type Instant, seconds } from '../../../sim/clock.ts';
import { MIB, service } from './service.ts';

interface Item {
  readonly flags: string;
  readonly value: string;
  readonly until: Instant | undefined;
}

export const memcached = (version: string): Program =>
  service((it) => {
    const { clock } = it.self.process;
    const { argv } = it.self;
    if (argv.includes('-V')) {
      it.out(`memcached ${version}`);
      return it.exit(0);
    }
    const flag = (name: string): string | undefined =>
      argv[argv.indexOf(name) + 1 || argv.length] ?? argv.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
    const limit = Number(flag('-m') ?? flag('--memory-limit') ?? 64) * MIB;
    const items = new Map<string, Item>();
    const counts = { cmd_get: 0, cmd_set: 0, get_hits: 0, get_misses: 0, bytes: 0 };
    const held = (key: string): Item | undefined => {
      const item = items.get(key);
      if (item?.until === undefined || item.until > clock.now()) return item;
      drop(key);
      return undefined;
    };
    const drop = (key: string): boolean => {
      const item = items.get(key);
      if (!item) return false;
      counts.bytes -= item.value.length;
      it.release(item.value.length);
      return items.delete(key);
    };
    const keep = (key: string, item: Item): void => {
      drop(key);
      // The item that has not been written for longest makes room.
      while (counts.bytes + item.value.length > limit && items.size > 0) drop(items.keys().next().value as string);
      counts.bytes += item.value.length;
      it.hold(item.value.length);
      items.set(key, item);
    };
    const until = (expiry: string): Instant | undefined => (Number(expiry) > 0 ? clock.now() + seconds(Number(expiry)) : undefined);
    const command = ([name = '', ...args]: readonly string[], block: string): string => {
      const [key = ''] = args;
      switch (name) {
        case 'get':
        case 'gets':
          return `${args
            .map((each) => {
              counts.cmd_get++;
              const item = held(each);
              counts[item ? 'get_hits' : 'get_misses']++;
              return item ? `VALUE ${each} ${item.flags} ${item.value.length}\r\n${item.value}\r\n` : '';
            })
            .join('')}END`;
        case 'set':
        case 'add':
        case 'replace': {
          counts.cmd_set++;
          const there = held(key) !== undefined;
          if ((name === 'add' && there) || (name === 'replace' && !there)) return 'NOT_STORED';
          keep(key, { flags: args[1] ?? '0', value: block, until: until(args[2] ?? '0') });
          return 'STORED';
        }
        case 'delete':
          return held(key) && drop(key) ? 'DELETED' : 'NOT_FOUND';
        case 'touch': {
          const item = held(key);
          if (!item) return 'NOT_FOUND';
          items.set(key, { ...item, until: until(args[1] ?? '0') });
          return 'TOUCHED';
        }
        case 'incr':
        case 'decr': {
          const item = held(key);
          if (!item) return 'NOT_FOUND';
          if (!/^\d+$/.test(item.value)) return 'CLIENT_ERROR cannot increment or decrement non-numeric value';
          const value = String(Math.max(0, Number(item.value) + (name === 'incr' ? 1 : -1) * Number(args[1] ?? 1)));
          keep(key, { ...item, value });
          return value;
        }
        case 'flush_all':
          for (const each of [...items.keys()]) drop(each);
          return 'OK';
        case 'version':
          return `VERSION ${version}`;
        case 'stats':
          return `${Object.entries({ pid: 1, version, ...counts, curr_items: items.size, limit_maxbytes: limit })
            .map(([stat, value]) => `STAT ${stat} ${value}\r\n`)
            .join('')}END`;
        default:
          return 'ERROR';
      }
    };
    const serve = async (connection: Connection): Promise<void> => {
      let text = '';
      for (;;) {
        const segment = await connection.receive();
        if (segment === undefined) return connection.close();
        text += segment;
        for (;;) {
          const m = /^([^\n]*?)\r?\n/.exec(text);
          if (!m) break;
          const words = m[1]!.trim().split(/\s+/);
          let rest = text.slice(m[0].length);
          let block = '';
          if (/^(set|add|replace)$/.test(words[0]!)) {
            const size = Number(words[4] ?? 0);
            const ending = /^\r?\n/.exec(rest.slice(size));
            if (!ending) break;
            block = rest.slice(0, size);
            rest = rest.slice(size + ending[0].length);
          }
          text = rest;
          if (words[0] === 'quit') return connection.close();
          const answer = command(words, block);
          if (words.at(-1) !== 'noreply') connection.send(`${answer}\r\n`);
        }
      }
    };
    it.self.sockets.listen(Number(flag('-p') ?? flag('--port') ?? 11211), (connection) => {
      serve(connection).catch(() => {});
    });
  });
