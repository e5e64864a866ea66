/**
 * `npm run fuzz -- [--seeds N] [--seed K] [--members 3..7] [--profile mixed|storm|succession|reshape] [--workers W]`:
 * random runs of the Raft core with everything that goes wrong (src/kubernetes/etcd/raft/fuzz). Seeds
 * 1..N, or K..K+N-1; a failing one is named with the command and the address that replay it. Every
 * hundredth seed is run twice and must give the same digest.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type FuzzOptions, type FuzzResult, type FuzzStats, PROFILES, type Profile, runFuzz } from '../src/kubernetes/etcd/raft/fuzz/fuzz.ts';

interface Share {
  readonly first: number;
  readonly step: number;
  readonly last: number;
  readonly options: FuzzOptions;
}
type Finding = FuzzResult & { readonly seed: number };

/** What one thread tells: its sums, and the seeds that failed. */
interface Report {
  readonly sums: FuzzStats;
  readonly failed: readonly Finding[];
  /** All digests folded into one, whatever the order of the threads. */
  readonly digest: number;
  /** Of each seed, as `runFuzz` told it; for few seeds only. */
  readonly digests: readonly string[];
}

function work({ first, step, last, options }: Share): Report {
  const sums: FuzzStats = { events: 0, faults: 0, crashes: 0, elections: 0, committed: 0, operations: 0, answered: 0, undecided: 0, stranded: 0, virtual: 0 };
  const failed: Finding[] = [];
  let digest = 0;
  const digests: string[] = [];
  for (let seed = first; seed <= last; seed += step) {
    const result = runFuzz(seed, options);
    if (digests.length < 10) digests.push(result.digest);
    digest ^= Math.imul(Number.parseInt(result.digest, 16) ^ seed, 0x9e3779b1);
    for (const key of Object.keys(sums) as (keyof FuzzStats)[]) sums[key] += result.stats[key];
    if (result.violations.length > 0) failed.push({ ...result, seed });
    else if (seed % 100 === 0) {
      const again = runFuzz(seed, options).digest;
      if (again !== result.digest) failed.push({ ...result, seed, violations: [`determinism: ${result.digest} the first time, ${again} the second`] });
    }
  }
  return { sums, failed, digest, digests };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      members: { type: 'string' },
      profile: { type: 'string', default: 'mixed' },
      workers: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const first = Number(values.seed ?? 1);
  const count = Number(values.seeds ?? (values.seed === undefined ? 100 : 1));
  const members = values.members === undefined ? undefined : Number(values.members);
  const workers = Math.min(count, Number(values.workers ?? availableParallelism()));
  const valid = [first, count, workers, members ?? 3].every((n) => Number.isSafeInteger(n) && n > 0);
  if (!valid || (members !== undefined && (members < 3 || members > 7)) || !PROFILES.some((name) => name === values.profile)) {
    console.error(`usage: npm run fuzz -- [--seeds N] [--seed K] [--members 3..7] [--profile ${PROFILES.join('|')}] [--workers W] [--json]`);
    return 2;
  }
  const options: FuzzOptions = { profile: values.profile as Profile, ...(members === undefined ? {} : { members }) };
  const began = process.hrtime.bigint();
  const shares = Array.from({ length: workers }, (_, i): Share => ({ first: first + i, step: workers, last: first + count - 1, options }));
  const reports = workers === 1 ? shares.map(work) : await Promise.all(shares.map(inWorker));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const failed = reports.flatMap((report) => report.failed).sort((a, b) => a.seed - b.seed);
  const sum = (key: keyof FuzzStats): number => reports.reduce((total, { sums }) => total + sums[key], 0);
  const digest = (reports.reduce((all, report) => all ^ report.digest, 0) >>> 0).toString(16).padStart(8, '0');
  for (const { seed, violations } of failed) {
    const query = `${values.profile === 'mixed' ? '' : `&profile=${values.profile}`}${members === undefined ? '' : `&members=${members}`}`;
    console.error(`seed ${seed}: ${violations.join('; ')}`);
    console.error(
      `  npm run fuzz -- --seed ${seed}${values.profile === 'mixed' ? '' : ` --profile ${values.profile}`}${members === undefined ? '' : ` --members ${members}`}`,
    );
    console.error(`  in the browser: ?fuzz=${seed}${query}`);
  }
  if (values.json)
    console.log(
      JSON.stringify({ seeds: count, failed: failed.map(({ seed }) => seed), digest, digests: reports.flatMap((report) => report.digests), seconds }),
    );
  else {
    console.log(`${count} seeds from ${first} (${values.profile}), ${failed.length} failed, digest ${digest}, ${seconds.toFixed(1)} s`);
    console.log(
      `${sum('events')} events, ${sum('faults')} faults, ${sum('crashes')} crashes, ${sum('elections')} elections, ${sum('committed')} entries, ` +
        `${sum('answered')} of ${sum('operations')} operations answered, ${sum('undecided')} histories undecided, ${sum('stranded')} stranded, ${(sum('virtual') / 1e6).toFixed(0)} virtual s`,
    );
  }
  return failed.length === 0 ? 0 : 1;
}

function inWorker(share: Share): Promise<Report> {
  return new Promise((resolve, reject) => {
    // This very file, bundled: it works when it is not the main thread.
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

if (isMainThread) process.exit(await main());
else parentPort!.postMessage(work(workerData as Share));
