/** check: whether the cluster is fast enough for a load (etcd etcdctl/ctlv3/command/check.go). */
import { type Duration, seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import { EtcdError } from '../../etcd/api.ts';
import type { Ctl } from '../ctl.ts';
import { CtlError, Ended, ExitCode } from '../errors.ts';
import { bool, text } from '../flags.ts';
import type { Command } from './command.ts';
import { prefixEnd } from './range.ts';

interface Load {
  /** Writes a second. */
  readonly limit: number;
  readonly clients: number;
}
const LOADS: Readonly<Record<string, Load>> = {
  s: { limit: 150, clients: 50 },
  m: { limit: 1_000, clients: 200 },
  l: { limit: 8_000, clients: 500 },
  xl: { limit: 15_000, clients: 1_000 },
};
const LONG: Readonly<Record<string, string>> = { small: 's', medium: 'm', large: 'l', xLarge: 'xl' };
const LASTS = 60;

/** Throws CtlError. */
function loadOf(ctl: Ctl): Load {
  const given = ctl.flags.text('load');
  const load = LOADS[Object.hasOwn(LONG, given) ? LONG[given]! : given];
  if (!load) throw new CtlError(ExitCode.BadFeature, `unknown load option ${given}`);
  return load;
}

async function mustBeEmpty(ctl: Ctl, prefix: string): Promise<void> {
  const { kvs } = await ctl.ask(ctl.client.range({ key: prefix, rangeEnd: prefixEnd(prefix), limit: 1 }));
  if (kvs.length > 0) throw new CtlError(ExitCode.InvalidInput, `prefix ${JSON.stringify(prefix)} has keys. Delete with etcdctl del --prefix ${prefix} first`);
}

const FLAGS = (what: string, prefix: string) => ({
  'auto-compact': bool('Compact storage with last revision after test is finished.'),
  'auto-defrag': bool('Defragment storage after test is finished.'),
  load: text(`The ${what} check's workload model. Accepted workloads: s(small), m(medium), l(large), xl(xLarge)`, 's'),
  prefix: text(`The prefix for writing the ${what} check's keys.`, prefix),
});

/** Writes at a steady rate for a minute; how long each took, and how often what went wrong. */
async function press(
  ctl: Ctl,
  prefix: string,
  { limit, clients }: Load,
): Promise<{ readonly took: readonly Duration[]; readonly errors: ReadonlyMap<string, number> }> {
  const { process } = ctl.self;
  const { clock, rng } = process;
  const took: Duration[] = [];
  const errors = new Map<string, number>();
  const value = 'x'.repeat(1_024);
  const all = defer<void>(clock);
  const many = Array.from({ length: clients }, () => ctl.streams);
  let left = limit * LASTS;
  const send = (n: number): void => {
    const from = clock.now();
    const key = `${prefix}${rng.text(16, '0123456789abcdef')}`;
    many[n % clients]!.put({ key, value })
      .then(
        () => void took.push(clock.now() - from),
        (error: unknown) => {
          if (!(error instanceof EtcdError)) throw error;
          errors.set(error.message, (errors.get(error.message) ?? 0) + 1);
        },
      )
      .finally(() => {
        if (--left === 0) all.resolve();
      });
  };
  const total = limit * LASTS;
  const gap = Math.floor(seconds(1) / limit);
  const next = (n: number): void => {
    if (n >= total) return;
    process.clock.wake();
    send(n);
    clock.after(gap, () => next(n + 1));
  };
  next(0);
  await all.promise;
  return { took, errors };
}

const shown = (micros: number): string => `${Math.floor(micros / 1_000_000)}.${String(Math.floor(micros % 1_000_000)).padStart(6, '0')}s`;

/** The square root's whole part. */
function root(n: number): number {
  let low = 0;
  let high = 94_906_265;
  while (low < high) {
    const mid = Math.ceil((low + high) / 2);
    if (mid * mid <= n) low = mid;
    else high = mid - 1;
  }
  return low;
}

const perf: Command = {
  use: 'check perf [options]',
  short: 'Check the performance of the etcd cluster',
  flags: FLAGS('performance', '/etcdctl-check-perf/'),
  async run(ctl) {
    const load = loadOf(ctl);
    const prefix = ctl.flags.text('prefix');
    await mustBeEmpty(ctl, prefix);
    const { clock } = ctl.self.process;
    const from = clock.now();
    const { took, errors } = await press(ctl, prefix, load);
    const lasted = clock.now() - from;
    ctl.self.stdout(` ${LASTS} / ${LASTS} B${'o'.repeat(40)}m! 100.00% 1m0s\n`);
    const { header } = await ctl.ask(ctl.client.deleteRange({ key: prefix, rangeEnd: prefixEnd(prefix) }));
    if (ctl.flags.bool('auto-compact')) {
      await ctl.ask(ctl.client.compact({ revision: header.revision, physical: true }));
      ctl.self.stdout(`Compacting with revision ${header.revision}\nCompacted with revision ${header.revision}\n`);
    }
    if (ctl.flags.bool('auto-defrag'))
      for (const endpoint of ctl.endpoints) {
        await ctl.ask(ctl.at(endpoint, (server) => server.defragment()));
        ctl.self.stdout(`Defragmenting ${JSON.stringify(endpoint)}\nDefragmented ${JSON.stringify(endpoint)}\n`);
      }
    let good = true;
    const judge = (passes: boolean, pass: string, fail: string): void => {
      ctl.self.stdout(`${passes ? `PASS: ${pass}` : fail}\n`);
      good &&= passes;
    };
    if (errors.size > 0) {
      good = false;
      ctl.self.stdout('FAIL: too many errors\n');
      for (const [message, count] of errors) ctl.self.stdout(`FAIL: ERROR(${message}) -> ${count}\n`);
    }
    const rate = Math.floor((took.length * 1_000_000 - 1) / lasted) + 1;
    judge(rate * 10 > load.limit * 9, `Throughput is ${rate} writes/s`, `FAIL: Throughput too low: ${rate} writes/s`);
    const slowest = took.reduce((most, each) => Math.max(most, each), 0);
    judge(slowest <= 500_000, `Slowest request took ${shown(slowest)}`, `Slowest request took too long: ${shown(slowest)}`);
    const mean = Math.floor(took.reduce((sum, each) => sum + each, 0) / Math.max(1, took.length));
    const deviation = root(Math.floor(took.reduce((sum, each) => sum + (each - mean) * (each - mean), 0) / Math.max(1, took.length)));
    judge(deviation <= 100_000, `Stddev is ${shown(deviation)}`, `Stddev too high: ${shown(deviation)}`);
    ctl.self.stdout(good ? 'PASS\n' : 'FAIL\n');
    if (!good) throw new Ended(ExitCode.Error);
  },
};

const datascale: Command = {
  use: 'check datascale [options]',
  long: 'If no endpoint is provided, localhost will be used. If multiple endpoints are provided, first endpoint will be used.',
  short: 'Check the memory usage of holding data for different workloads on a given server endpoint.',
  flags: FLAGS('datascale', '/etcdctl-check-datascale/'),
  async run(ctl) {
    loadOf(ctl);
    await mustBeEmpty(ctl, ctl.flags.text('prefix'));
    // Here simplified: a process of this world has no memory to measure, and no /metrics; this is what etcdctl says then.
    ctl.self.stdout('FAIL: Could not read process_resident_memory_bytes before the put operations.\n');
    throw new Ended(ExitCode.Error);
  },
};

export const check: Command = { use: 'check <subcommand>', short: 'commands for checking properties of the etcd cluster', commands: { datascale, perf } };
