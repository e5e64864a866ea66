/**
 * Programs that use CPU and memory on purpose: `stress` (image polinux/stress, the documentation's pages on memory)
 * and the Go program of vish/stress (those on CPU).
 */
import type { Program } from '../../../linux/program.ts';
import { timestamp } from '../../api/time.ts';
import { MIB, type Service, service } from './service.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, K: 1024, M: MIB, G: 1024 * MIB };
const TIMES: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** `150M`, `10s`: a number and a letter. Undefined when it is neither. */
function scaled(text: string | undefined, units: Readonly<Record<string, number>>): number | undefined {
  const m = /^(\d+)([a-zA-Z]?)$/.exec(text ?? '');
  const unit = m && (units[m[2]!] ?? units[m[2]!.toUpperCase()]);
  return m && unit !== undefined && unit !== null ? Number(m[1]) * unit : undefined;
}

const USAGE = `\`stress' imposes certain types of compute stress on your system

Usage: stress [OPTION [ARG]] ...
`;

/** stress 1.0.4: workers that spin (`--cpu`), that hold memory (`--vm`), that sync and write. */
export const stress: Program = service((it) => {
  const { argv } = it.self;
  const flags = new Map<string, string>();
  const LETTERS: Readonly<Record<string, string>> = { '-c': '--cpu', '-m': '--vm', '-i': '--io', '-d': '--hdd', '-t': '--timeout', '-v': '--verbose' };
  for (let i = 1; i < argv.length; i++) {
    const [name = '', value] = argv[i]!.split('=');
    const long = LETTERS[name] ?? name;
    if (long === '--verbose' || long === '-q' || long === '--quiet' || long === '--vm-keep' || long === '-n' || long === '--dry-run') flags.set(long, '');
    else flags.set(long, value ?? argv[++i] ?? '');
  }
  const say = (text: string): void => {
    if (!flags.has('--quiet') && !flags.has('-q')) it.out(`stress: info: [1] ${text}`);
  };
  const fail = (text: string): void => {
    it.err(`stress: FAIL: [1] ${text}`);
    it.exit(1);
  };
  const known = ['--cpu', '--io', '--vm', '--hdd', '--vm-bytes', '--vm-hang', '--vm-stride', '--hdd-bytes', '--timeout', '--backoff'];
  const quiet = ['--verbose', '--quiet', '-q', '--vm-keep', '-n', '--dry-run'];
  for (const name of flags.keys()) if (!known.includes(name) && !quiet.includes(name)) return fail(`(244) unrecognized option: ${name}`);
  const count = (name: string): number => Number(flags.get(name) ?? 0);
  const [cpu, io, vm, hdd] = [count('--cpu'), count('--io'), count('--vm'), count('--hdd')];
  if ([cpu, io, vm, hdd].some(Number.isNaN)) return fail('(243) invalid argument: a number is expected');
  if (cpu + io + vm + hdd === 0) {
    it.out(USAGE);
    it.exit(0);
    return;
  }
  const bytes = scaled(flags.get('--vm-bytes') ?? '256M', UNITS);
  const timeout = scaled(flags.get('--timeout') ?? '0', TIMES);
  if (bytes === undefined || timeout === undefined)
    return fail(`(243) invalid argument: ${bytes === undefined ? flags.get('--vm-bytes') : flags.get('--timeout')}`);
  say(`dispatching hogs: ${cpu} cpu, ${io} io, ${vm} vm, ${hdd} hdd`);
  // Workers that spin use a core each. A vm worker that hangs only waits; one that does not, allocates and frees without end.
  const hanging = flags.has('--vm-hang');
  it.burn(1_000 * (cpu + (hanging ? 0 : vm)) + 200 * (io + hdd));
  if (vm > 0) touch(it, vm * bytes);
  if (timeout > 0)
    it.after(timeout, () => {
      say(`successful run completed in ${timeout}s`);
      it.exit(0);
    });
});

/** Memory is the process's page by page: a gigabyte takes a third of a second, and the limit kills on the way. */
function touch(it: Service, bytes: number): void {
  const piece = 32 * MIB;
  let left = bytes;
  const step = (): void => {
    const next = Math.min(piece, left);
    left -= next;
    if (left > 0) it.after(0.01, step);
    it.hold(next);
  };
  step();
}

/** github.com/vishh/stress: `-cpus N`, `-mem-total 1Gi`, `-mem-alloc-size 100Mi`, `-mem-alloc-sleep 1s`. */
export const vishStress: Program = service((it) => {
  const flags = new Map<string, string>();
  const { argv } = it.self;
  for (let i = 1; i < argv.length; i++) {
    const m = /^--?([^=]+)(?:=(.*))?$/.exec(argv[i]!);
    if (!m) break;
    const name = m[1]!;
    if (!['cpus', 'mem-total', 'mem-alloc-size', 'mem-alloc-sleep', 'logtostderr', 'v'].includes(name)) {
      it.err(`flag provided but not defined: -${name}`);
      it.exit(2);
      return;
    }
    flags.set(name, name === 'logtostderr' ? '' : (m[2] ?? argv[++i] ?? ''));
  }
  const say = (line: number, text: string): void => {
    const now = it.self.process.clock.now();
    const at = timestamp(now);
    it.err(`I${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 19)}.${String(now % 1_000_000).padStart(6, '0')}       1 main.go:${line}] ${text}`);
  };
  const total = binary(flags.get('mem-total') ?? '0');
  const size = binary(flags.get('mem-alloc-size') ?? '4Ki');
  const sleep = flags.get('mem-alloc-sleep') ?? '1ms';
  const pause = duration(sleep);
  const cpus = Number(flags.get('cpus') ?? 0);
  if (total === undefined || size === undefined || pause === undefined || Number.isNaN(cpus)) {
    say(24, 'quantities must match the regular expression');
    it.exit(255);
    return;
  }
  say(
    26,
    `Allocating "${flags.get('mem-total') ?? '0'}" memory, in "${flags.get('mem-alloc-size') ?? '4Ki'}" chunks, with a ${sleep} sleep between allocations`,
  );
  for (let i = 0; i < cpus; i++) say(39, 'Spawning a thread to consume CPU');
  it.burn(1_000 * cpus);
  let held = 0;
  // Many small chunks are taken together, a hundred times a second at most.
  const chunks = Math.max(1, Math.floor(0.01 / Math.max(pause, 0.000_001)));
  const step = (): void => {
    const next = Math.min(total - held, chunks * Math.max(1, size));
    held += next;
    if (held >= total) say(29, `Allocated "${flags.get('mem-total') ?? '0'}" memory`);
    else it.after(Math.max(pause * chunks, 0.000_001), step);
    if (next > 0) it.hold(next);
  };
  step();
});

const BINARY: Readonly<Record<string, number>> = { '': 1, k: 1000, M: 1_000_000, G: 1_000_000_000, Ki: 1024, Mi: MIB, Gi: 1024 * MIB };
function binary(text: string): number | undefined {
  const m = /^(\d+)(k|M|G|Ki|Mi|Gi)?$/.exec(text);
  return m ? Number(m[1]) * BINARY[m[2] ?? '']! : undefined;
}
function duration(text: string): number | undefined {
  const m = /^(\d+)(us|ms|s|m|h)$/.exec(text);
  const unit: Readonly<Record<string, number>> = { us: 0.000_001, ms: 0.001, s: 1, m: 60, h: 3600 };
  return m ? Number(m[1]) * unit[m[2]!]! : undefined;
}
