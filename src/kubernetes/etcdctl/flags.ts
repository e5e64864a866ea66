/** Flags as etcdctl declares and reads them (cobra with one letter each at most), and the page that describes them. */
import { parseDuration } from '../../sim/duration.ts';

export interface Flag {
  readonly type: 'bool' | 'string' | 'int' | 'duration' | 'strings';
  readonly default: string;
  readonly help: string;
  readonly short?: string;
}
export type FlagTable = Readonly<Record<string, Flag>>;

export const bool = (help: string, short?: string): Flag => ({ type: 'bool', default: 'false', help, ...(short ? { short } : {}) });
export const text = (help: string, fallback = '', short?: string): Flag => ({ type: 'string', default: fallback, help, ...(short ? { short } : {}) });
export const int = (help: string, fallback = 0): Flag => ({ type: 'int', default: String(fallback), help });

export const GLOBAL: FlagTable = {
  cacert: text('verify certificates of TLS-enabled secure servers using this CA bundle'),
  cert: text('identify secure client using this TLS certificate file'),
  'command-timeout': { type: 'duration', default: '5s', help: 'timeout for short running command (excluding dial timeout)' },
  debug: bool('enable client-side debug logging'),
  'dial-timeout': { type: 'duration', default: '2s', help: 'dial timeout for client connections' },
  'discovery-srv': text('domain name to query for SRV records describing cluster endpoints', '', 'd'),
  'discovery-srv-name': text('service name to query when using DNS discovery'),
  endpoints: { type: 'strings', default: '127.0.0.1:2379', help: 'gRPC endpoints' },
  hex: bool('print byte strings as hex encoded strings'),
  'insecure-discovery': { ...bool('accept insecure SRV records describing cluster endpoints'), default: 'true' },
  'insecure-skip-tls-verify': bool('skip server certificate verification (CAUTION: this option should be enabled only for testing purposes)'),
  'insecure-transport': { ...bool('disable transport security for client connections'), default: 'true' },
  'keepalive-time': { type: 'duration', default: '2s', help: 'keepalive time for client connections' },
  'keepalive-timeout': { type: 'duration', default: '6s', help: 'keepalive timeout for client connections' },
  key: text('identify secure client using this TLS key file'),
  password: text("password for authentication (if this option is used, --user option shouldn't include password)"),
  user: text('username[:password] for authentication (prompt if password is not supplied)'),
  'write-out': text('set the output format (fields, json, protobuf, simple, table)', 'simple', 'w'),
};

/** What is wrong with a flag: the usage is printed with it. */
export class FlagError extends Error {}

export class Flags {
  constructor(
    private readonly table: FlagTable,
    private readonly given: ReadonlyMap<string, string>,
    readonly args: readonly string[],
    /** Where `--` stood among the arguments; -1 when it did not. */
    readonly dash: number,
  ) {}

  has(name: string): boolean {
    return this.given.has(name);
  }
  text(name: string): string {
    return this.given.get(name) ?? this.table[name]?.default ?? '';
  }
  bool(name: string): boolean {
    return this.text(name) === 'true';
  }
  int(name: string): number {
    return Number(this.text(name) || '0');
  }
  list(name: string): readonly string[] {
    return this.text(name).split(',').filter(Boolean);
  }
  /** Microseconds. */
  duration(name: string): number {
    return parseDuration(this.text(name));
  }
}

const TRUTH = /^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/;

function checked(name: string, flag: Flag, value: string): string {
  const shown = flag.short ? `-${flag.short}, --${name}` : `--${name}`;
  const bad = (why: string) => new FlagError(`invalid argument ${JSON.stringify(value)} for ${JSON.stringify(shown)} flag: ${why}`);
  switch (flag.type) {
    case 'bool':
      if (!TRUTH.test(value)) throw bad(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
      return String(/^[1tT]/.test(value));
    case 'int':
      if (!/^[-+]?\d+$/.test(value)) throw bad(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
      return value;
    case 'duration':
      try {
        parseDuration(value);
      } catch {
        throw bad(`time: invalid duration ${JSON.stringify(value)}`);
      }
      return value;
    default:
      return value;
  }
}

/** Throws FlagError. Flags and arguments may be mixed; after `--` everything is an argument. `ETCDCTL_…` variables stand in for global flags. */
export function parseFlags(argv: readonly string[], table: FlagTable, env: Readonly<Record<string, string>>): Flags {
  const given = new Map<string, string>();
  for (const [name, flag] of Object.entries(GLOBAL)) {
    const value = env[`ETCDCTL_${name.toUpperCase().replaceAll('-', '_')}`];
    if (value) given.set(name, checked(name, flag, value));
  }
  const args: string[] = [];
  let dash = -1;
  const put = (name: string, flag: Flag, value: string): void => {
    given.set(name, checked(name, flag, value));
  };
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--') {
      dash = args.length;
      args.push(...argv.slice(i + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
      const flag = Object.hasOwn(table, name) ? table[name]! : undefined;
      if (!flag) throw new FlagError(`unknown flag: --${name}`);
      if (equals >= 0) put(name, flag, arg.slice(equals + 1));
      else if (flag.type === 'bool') put(name, flag, 'true');
      else if (i + 1 < argv.length) put(name, flag, argv[++i]!);
      else throw new FlagError(`flag needs an argument: --${name}`);
    } else if (arg.startsWith('-') && arg.length > 1) {
      const letter = arg[1]!;
      const found = Object.entries(table).find(([, flag]) => flag.short === letter);
      if (!found) throw new FlagError(`unknown shorthand flag: '${letter}' in ${arg}`);
      const [name, flag] = found;
      const rest = arg.slice(2).replace(/^=/, '');
      if (flag.type === 'bool') put(name, flag, rest || 'true');
      else if (rest) put(name, flag, rest);
      else if (i + 1 < argv.length) put(name, flag, argv[++i]!);
      else throw new FlagError(`flag needs an argument: '${letter}' in ${arg}`);
    } else args.push(arg);
  }
  return new Flags(table, given, args, dash);
}

/** The options of a usage page, their descriptions at one column of tabs. */
export function describeFlags(table: FlagTable): string {
  const rows = Object.keys(table)
    .sort()
    .map((name) => {
      const { type, default: fallback, short } = table[name]!;
      const shown = type === 'string' ? JSON.stringify(fallback) : type === 'strings' ? `[${fallback}]` : fallback;
      return { left: `  ${short ? `-${short},` : '   '} --${name}${type === 'bool' ? `[=${shown}]` : `=${shown}`}`, help: table[name]!.help };
    });
  const column = Math.floor(Math.max(...rows.map(({ left }) => left.length)) / 8) + 1;
  return rows.map(({ left, help }) => `${left}${'\t'.repeat(Math.max(1, column - Math.floor(left.length / 8)))}${help}\n`).join('');
}
