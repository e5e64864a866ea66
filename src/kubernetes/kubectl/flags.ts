/** Flags as cobra and pflag read them, errors included. */
import { KubectlError } from './errors.ts';

export interface FlagSpec {
  readonly short?: string;
  /** `plain` is a text whose default is shown without quotes. */
  readonly type: 'bool' | 'string' | 'strings' | 'int' | 'duration' | 'plain';
  /** The value when it is given without one (`--dry-run`, `--cascade`); a bool has `true`. */
  readonly bare?: string;
  readonly default?: string;
  /** Taken, but not told of. */
  readonly hidden?: boolean;
}
export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

export class Flags {
  constructor(
    private readonly given: ReadonlyMap<string, readonly string[]>,
    private readonly specs: FlagSpecs,
    readonly args: readonly string[],
    /** Where `--` stood among the arguments; -1 when it did not. */
    readonly dashAt: number,
  ) {}

  has(name: string): boolean {
    return this.given.has(name);
  }
  text(name: string): string {
    return this.given.get(name)?.at(-1) ?? this.specs[name]?.default ?? '';
  }
  bool(name: string): boolean {
    return this.text(name) === 'true';
  }
  number(name: string): number {
    return Number(this.text(name) || '0');
  }
  /** Every value; those of `strings` flags are also split at commas where pflag does (StringSlice). */
  all(name: string): readonly string[] {
    const values = this.given.get(name);
    if (values) return values;
    const fallback = this.specs[name]?.default;
    return fallback === undefined || fallback === '' ? [] : [fallback];
  }
  list(name: string): readonly string[] {
    return this.all(name).flatMap((value) => value.split(','));
  }
  /** Microseconds. */
  duration(name: string): number {
    return parseDuration(this.text(name) || '0') ?? 0;
  }
}

const UNITS: Readonly<Record<string, number>> = { ns: 0.001, us: 1, µs: 1, ms: 1_000, s: 1_000_000, m: 60_000_000, h: 3_600_000_000 };

/** Go's time.ParseDuration, in whole microseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (/^[-+]?0$/.test(text)) return 0;
  const m = /^([-+]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(text);
  if (!m) return undefined;
  let total = 0;
  for (const part of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)) total += Number(part[1]) * UNITS[part[2]!]!;
  return Math.round(m[1] === '-' ? -total : total);
}

/** `command` is the path for the hint (`kubectl get`). Everything after `--` is an argument. */
export function parseFlags(argv: readonly string[], specs: FlagSpecs, command: string): Flags {
  const given = new Map<string, string[]>();
  const args: string[] = [];
  let dashAt = -1;
  const fail = (message: string): never => {
    throw new KubectlError(`${message}\nSee '${command} --help' for usage.`);
  };
  const set = (name: string, spec: FlagSpec, value: string, shown: string) => {
    if (spec.type === 'bool' && !/^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value))
      fail(`invalid argument ${JSON.stringify(value)} for ${JSON.stringify(shown)} flag: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
    if (spec.type === 'int' && !/^[-+]?\d+$/.test(value))
      fail(`invalid argument ${JSON.stringify(value)} for ${JSON.stringify(shown)} flag: strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    if (spec.type === 'duration' && parseDuration(value) === undefined)
      fail(
        `invalid argument ${JSON.stringify(value)} for ${JSON.stringify(shown)} flag: time: ${/\d$/.test(value) ? 'missing unit in' : 'invalid'} duration ${JSON.stringify(value)}`,
      );
    const normal = spec.type === 'bool' ? String(/^[1tT]/.test(value)) : value;
    if (spec.type === 'strings') given.set(name, [...(given.get(name) ?? []), normal]);
    else given.set(name, [normal]);
  };
  const shownOf = (name: string, spec: FlagSpec) => (spec.short ? `-${spec.short}, --${name}` : `--${name}`);
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--') {
      dashAt = args.length;
      args.push(...argv.slice(i + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
      const spec = Object.hasOwn(specs, name) ? specs[name]! : fail(`unknown flag: --${name}`);
      if (equals >= 0) set(name, spec, arg.slice(equals + 1), shownOf(name, spec));
      else if (spec.type === 'bool') set(name, spec, 'true', shownOf(name, spec));
      else if (spec.bare !== undefined) set(name, spec, spec.bare, shownOf(name, spec));
      else {
        const value = argv[++i];
        if (value === undefined) fail(`flag needs an argument: --${name}`);
        set(name, spec, value!, shownOf(name, spec));
      }
    } else if (arg.startsWith('-') && arg.length > 1) {
      for (let j = 1; j < arg.length; j++) {
        const letter = arg[j]!;
        const entry = Object.entries(specs).find(([, spec]) => spec.short === letter);
        if (!entry) fail(`unknown shorthand flag: '${letter}' in ${arg}`);
        const [name, spec] = entry!;
        const rest = arg.slice(j + 1);
        if (rest.startsWith('=')) {
          set(name, spec, rest.slice(1), shownOf(name, spec));
          break;
        }
        if (spec.type === 'bool') set(name, spec, 'true', shownOf(name, spec));
        else if (rest !== '') {
          set(name, spec, rest, shownOf(name, spec));
          break;
        } else if (spec.bare !== undefined) set(name, spec, spec.bare, shownOf(name, spec));
        else {
          const value = argv[++i];
          if (value === undefined) fail(`flag needs an argument: '${letter}' in ${arg}`);
          set(name, spec, value!, shownOf(name, spec));
          break;
        }
      }
    } else args.push(arg);
  }
  return new Flags(given, specs, args, dashAt);
}

const bool = (short?: string): FlagSpec => ({ type: 'bool', ...(short ? { short } : {}) });
const text = (short?: string, fallback?: string): FlagSpec => ({
  type: 'string',
  ...(short ? { short } : {}),
  ...(fallback === undefined ? {} : { default: fallback }),
});

/** Flags every command takes (`kubectl options`). */
export const GLOBAL_FLAGS: FlagSpecs = {
  as: text(),
  'as-group': { type: 'strings' },
  'as-uid': text(),
  'cache-dir': text(),
  'certificate-authority': text(),
  'client-certificate': text(),
  'client-key': text(),
  cluster: text(),
  context: text(),
  'disable-compression': bool(),
  help: { type: 'bool', short: 'h', hidden: true },
  'insecure-skip-tls-verify': bool(),
  kubeconfig: text(),
  'log-flush-frequency': { type: 'duration', default: '5s' },
  'match-server-version': bool(),
  namespace: text('n'),
  password: text(),
  profile: text(undefined, 'none'),
  'profile-output': text(undefined, 'profile.pprof'),
  'request-timeout': text(undefined, '0'),
  server: text('s'),
  'tls-server-name': text(),
  token: text(),
  user: text(),
  username: text(),
  v: { type: 'int', short: 'v', default: '0' },
  vmodule: { type: 'plain' },
  'warnings-as-errors': bool(),
};
export const FILE_FLAGS: FlagSpecs = { filename: { type: 'strings', short: 'f' }, kustomize: text('k'), recursive: bool('R') };
export const PRINT_FLAGS: FlagSpecs = {
  output: text('o'),
  'show-managed-fields': bool(),
  template: text(),
  'allow-missing-template-keys': { type: 'bool', default: 'true' },
};
export const DRY_RUN_FLAGS: FlagSpecs = { 'dry-run': { type: 'string', bare: 'unchanged', default: 'none' } };
export const SELECTOR_FLAGS: FlagSpecs = { selector: text('l'), 'field-selector': text(), all: bool(), 'all-namespaces': bool('A') };
export { bool, text };
