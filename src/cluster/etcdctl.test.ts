/**
 * Golden transcripts of the real etcd, replayed through etcdctl in worlds of etcd alone. Ids, addresses,
 * versions, sizes, terms of three-member runs, hashes and durations are put aside; everything else must match.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { cluster, type Lab } from './testing.ts';

const FOLDER = join(import.meta.dirname, 'fixtures', 'etcd');

interface Step {
  readonly cmd?: readonly string[];
  readonly stdin?: string | { readonly fill: string; readonly bytes: number };
  readonly exit?: number | 'stopped';
  readonly stdout?: string;
  readonly stderr?: string;
  readonly endpointsOf?: readonly string[];
  readonly background?: string;
  readonly stop?: string;
  readonly action?: string;
}
interface Transcript {
  readonly id: string;
  readonly members: number;
  readonly formats: Readonly<Record<string, { readonly facts: Facts; readonly steps: readonly Step[] }>>;
}
interface Facts {
  readonly leader?: { readonly member: string };
  readonly before?: { readonly member: string };
  readonly after?: { readonly member: string };
}

/**
 * What cannot match, and why. The transcripts are of etcd 3.4.23; the world runs 3.5.21, as kubeadm 1.33 does.
 * Each rewrites what 3.4 printed into what 3.5 prints.
 */
const DIFFERENCES: readonly { readonly reason: string; readonly apply: (expected: string, command: string) => string }[] = [
  {
    reason: 'since 3.5 the operations of a transaction are named as in the protocol (response_put), no longer as in Go (ResponsePut)',
    apply: (text) =>
      text.replace(/"Response(Put|Range|DeleteRange|Txn)"/g, (_, name: string) => `"response${name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}"`),
  },
  {
    reason: 'a Go panic prints the stack of a program that ours is not',
    apply: (text) => text.replace(/^(panic: .*)\n[\s\S]*/, '$1\n'),
  },
  {
    reason: '3.5 has --count-only',
    apply: (text) =>
      text.replace('      --from-key[=false]\t\tGet keys', '      --count-only[=false]\t\tGet only the count\n      --from-key[=false]\t\tGet keys'),
  },
];

/** What a run decides for itself, numbered in the order it is met. */
function settled(text: string): string {
  const seen = new Map<string, string>();
  const numbered = (kind: string) => (whole: string) => {
    if (!seen.has(kind + whole)) seen.set(kind + whole, `<${kind}${[...seen.keys()].filter((each) => each.startsWith(kind)).length + 1}>`);
    return seen.get(kind + whole)!;
  };
  return text
    .split('\n')
    .map((line) => {
      const log = line.startsWith('{"level":"warn"') ? (JSON.parse(line) as { msg: string; error: string }) : undefined;
      return log ? `<clientlog warn> ${log.msg}: ${log.error}` : line;
    })
    .join('\n')
    .replace(/https?:\/\/[\d.]+:\d+/g, numbered('EP'))
    .replace(/\b\d\.\d\.\d+\b/g, '<VER>')
    .replace(/\b[\d.]+ [kM]?B\b/g, '<SIZE>')
    .replace(/"(dbSize|dbSizeInUse|raftIndex|raftAppliedIndex|hash|compact_revision)":-?\d+/g, '"$1":<N>')
    .replace(/"(?:raft_term|raftTerm)":\d+/g, '<TERM>')
    .replace(/(took = |"took":")[\d.]+(µs|ms|s)/g, '$1<DUR>')
    .replace(/remaining\(\d+s\)/g, 'remaining(<S>)')
    .replace(/"ttl":\d+/g, '"ttl":<S>')
    .replace(/, \d+, \d+, \d+, $/gm, ', <TERM>, <N>, <N>, ')
    .replace(/(<EP\d+>, )\d+$/gm, '$1<HASH>')
    .replace(
      /(lease |Lease" : |ID" : |_id":|ID":|id":|leader":|transferred from |to |, |^)([0-9a-f]{12,20})\b/gm,
      (_, before: string, id: string) => before + numbered('ID')(id),
    );
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Plays one transcript and compares step by step. */
async function play({ id, members }: Transcript, form: string, { facts, steps }: { readonly facts: Facts; readonly steps: readonly Step[] }): Promise<void> {
  const lab = await cluster(`etcd-${members}`);
  const names = rolesOf(lab, facts.leader?.member ?? facts.before?.member, members);
  const values: Record<string, string> = {};
  if (facts.after) values['to'] = await memberId(lab, names.get(facts.after.member)!);
  let killed = '';
  const jobs = new Map<string, string>();
  for (const [i, step] of steps.entries()) {
    const shown = `${id} ${form} step ${i + 1}: ${step.cmd?.join(' ') ?? step.stop ?? step.action}`;
    if (step.action) {
      if (step.action.startsWith('SIGKILL')) {
        killed = lab.world.cluster.etcd.find(({ member }) => member?.status().role === 'Leader')!.name;
        await lab.fault({ kind: 'kill', process: `etcd@${killed}`, hold: true });
        names.set(facts.before!.member, killed);
      } else await lab.fault({ kind: 'start', process: `etcd@${killed}` });
      await lab.wait(seconds(10));
      continue;
    }
    if (step.stop) {
      const own = step.exit !== 'stopped';
      const pid = jobs.get(step.stop)!;
      await lab.wait(seconds(1));
      const { stdout: code } = await lab.run(own ? `wait ${pid}; echo $?` : `kill ${pid}; wait ${pid}`);
      const stdout = await lab.ok(`cat /tmp/${step.stop}.out`);
      const stderr = await lab.ok(`cat /tmp/${step.stop}.err`);
      if (own) expect(Number(code), shown).toBe(step.exit);
      compare(shown, step, { stdout, stderr });
      continue;
    }
    const [program, ...args] = step.cmd!.map((word) => word.replace(/\{(\w+)\}/g, (_, name: string) => values[name]!));
    // The form is not among the recorded words: it was given to every command of a run, and `fields` to a few.
    const shape = /^"ClusterID" : /.test(step.stdout ?? '') ? 'fields' : form;
    const env = [`ETCDCTL_WRITE_OUT=${shape}`];
    if (step.endpointsOf) env.push(`ETCDCTL_ENDPOINTS=${step.endpointsOf.map((name) => `http://${ipOf(lab, names.get(name)!)}:2379`).join()}`);
    let input = '';
    if (step.stdin !== undefined) {
      const { stdin } = step;
      lab.world.cluster.laptop.machine.files.write('/tmp/stdin', typeof stdin === 'string' ? stdin : stdin.fill.repeat(stdin.bytes));
      input = ' < /tmp/stdin';
    }
    const line = `${env.join(' ')} ${[program!, ...args].map(quote).join(' ')}${input}`;
    if (step.background) {
      jobs.set(step.background, (await lab.ok(`${line} > /tmp/${step.background}.out 2> /tmp/${step.background}.err & echo $!`)).trim());
      await lab.wait(seconds(1));
      continue;
    }
    const { stdout, stderr, exitCode } = await lab.run(line);
    compare(shown, step, { stdout, stderr });
    expect(exitCode, shown).toBe(step.exit);
    const granted =
      /^lease ([0-9a-f]+) granted/.exec(stdout)?.[1] ?? (/"ID":(\d+),"TTL"/.exec(stdout) ? BigInt(/"ID":(\d+)/.exec(stdout)![1]!).toString(16) : undefined);
    if (granted !== undefined) values['l1'] ??= granted;
  }
}

function compare(shown: string, step: Step, { stdout, stderr }: { readonly stdout: string; readonly stderr: string }): void {
  const expected = (text: string): string => settled(DIFFERENCES.reduce((told, { apply }) => apply(told, shown), text));
  // Members answer in the order they happen to: their lines are compared as a set.
  const many = /endpoint (health|status)|member list/.test(shown);
  const order = (text: string): string => (many ? anonymous(text).split('\n').sort().join('\n') : text);
  // The longest answers were recorded with their end cut off.
  const cut = step.stdout?.indexOf('…<') ?? -1;
  if (cut >= 0) {
    const start = expected(step.stdout!.slice(0, cut));
    expect(settled(stdout).slice(0, start.length), shown).toBe(start);
    return;
  }
  expect({ stdout: order(settled(stdout)), stderr: order(settled(stderr)) }, shown).toEqual({
    stdout: order(expected(step.stdout ?? '')),
    stderr: order(expected(step.stderr ?? '')),
  });
}

/** Which member leads, and in which order they are listed, differs from run to run. */
const anonymous = (text: string): string =>
  text
    .replace(/<(EP|ID)\d+>/g, '<$1>')
    .replace(/\bm\d\b|etcd-\d/g, '<NAME>')
    .replace(/, (true|false), false, /g, ', <LEADER>, false, ');

const ipOf = (lab: Lab, name: string): string => lab.world.cluster.etcd.find((host) => host.name === name)!.ip;

async function memberId(lab: Lab, name: string): Promise<string> {
  const line = (await lab.ok('etcdctl member list')).split('\n').find((each) => each.includes(`, ${name}, `))!;
  return line.slice(0, line.indexOf(','));
}

/** The transcript's names for our members, its leader being ours. */
function rolesOf(lab: Lab, leader: string | undefined, members: number): Map<string, string> {
  const hosts = lab.world.cluster.etcd;
  const lead = hosts.find(({ member }) => member?.status().role === 'Leader')!.name;
  const rest = hosts.map(({ name }) => name).filter((name) => name !== lead);
  return new Map(Array.from({ length: members }, (_, i) => `m${i + 1}`).map((name) => [name, name === leader || leader === undefined ? lead : rest.shift()!]));
}

describe('etcdctl answers as the real one', () => {
  for (const file of readdirSync(FOLDER).sort()) {
    const transcript = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Transcript;
    for (const [form, run] of Object.entries(transcript.formats)) test(`${transcript.id}, ${form}`, () => play(transcript, form, run));
  }
});

describe('membership', () => {
  const started = async (lab: Lab): Promise<readonly string[]> =>
    (await lab.ok('etcdctl member list'))
      .trim()
      .split('\n')
      .map((line) => line.split(', '))
      .map(([, state, name, , , learner]) => `${name || '-'} ${state}${learner === 'true' ? ' learner' : ''}`)
      .sort();
  const idOf = (lab: Lab, name: string): Promise<string> => memberId(lab, name);

  test('a fourth member is added, started and catches up; a learner is promoted; a member is removed for good', async () => {
    const lab = await cluster('etcd-3');
    await lab.wait(seconds(5));
    await lab.ok('etcdctl put a 1');
    expect((await lab.run('etcdctl member add again --peer-urls=http://10.0.0.22:2380')).stderr).toContain('Error: etcdserver: Peer URLs already exists');
    const told = await lab.ok('etcdctl member add etcd-4 --peer-urls=http://10.0.0.24:2380');
    expect(told).toMatch(/^Member +[0-9a-f]+ added to cluster +[0-9a-f]+\n\nETCD_NAME="etcd-4"\nETCD_INITIAL_CLUSTER="/);
    expect(told).toContain('etcd-4=http://10.0.0.24:2380');
    expect(told).toContain('ETCD_INITIAL_ADVERTISE_PEER_URLS="http://10.0.0.24:2380"\nETCD_INITIAL_CLUSTER_STATE="existing"\n');
    expect(await started(lab)).toEqual(['- unstarted', 'etcd-1 started', 'etcd-2 started', 'etcd-3 started']);
    // One voter that does not run is enough for the strict check.
    expect((await lab.run('etcdctl member add again --peer-urls=http://10.0.0.26:2380')).stderr).toContain('Error: etcdserver: unhealthy cluster');
    await lab.fault({ kind: 'add-etcd', machine: 'etcd-4' });
    await lab.wait(seconds(20));
    expect(await started(lab)).toEqual(['etcd-1 started', 'etcd-2 started', 'etcd-3 started', 'etcd-4 started']);
    expect(await lab.ok('etcdctl --endpoints=http://10.0.0.24:2379 get a')).toBe('a\n1\n');

    await lab.ok('etcdctl member add etcd-5 --learner --peer-urls=http://10.0.0.25:2380');
    expect((await lab.run('etcdctl member add etcd-6 --learner --peer-urls=http://10.0.0.26:2380')).stderr).toContain('too many learner members in cluster');
    await lab.fault({ kind: 'add-etcd', machine: 'etcd-5' });
    await lab.wait(seconds(20));
    expect(await started(lab)).toContain('etcd-5 started learner');
    const learner = 'etcdctl --endpoints=http://10.0.0.25:2379';
    expect((await lab.run(`${learner} get a`)).stderr).toContain('etcdserver: rpc not supported for learner');
    expect(await lab.ok(`${learner} get a --consistency=s`)).toBe('a\n1\n');
    expect((await lab.run(`etcdctl member promote ${await idOf(lab, 'etcd-1')}`)).stderr).toContain('can only promote a learner member');
    expect(await lab.ok(`etcdctl member promote ${await idOf(lab, 'etcd-5')}`)).toMatch(/^Member +[0-9a-f]+ promoted in cluster/);
    expect(await lab.ok(`${learner} get a`)).toBe('a\n1\n');

    await lab.wait(seconds(10));
    const gone = await idOf(lab, 'etcd-1');
    expect(await lab.ok(`etcdctl member remove ${gone}`)).toMatch(/^Member +[0-9a-f]+ removed from cluster/);
    expect((await lab.run(`etcdctl member remove ${gone}`)).stderr).toContain('Error: etcdserver: member not found');
    await lab.wait(seconds(20));
    expect(lab.world.cluster.machine('etcd-1').isRunning('etcd')).toBe(false);
    expect(await started(lab)).toEqual(['etcd-2 started', 'etcd-3 started', 'etcd-4 started', 'etcd-5 started']);
    await lab.ok('etcdctl --endpoints=http://10.0.0.25:2379 put b 2');
  });

  test('a removed leader steps down and another one is elected', async () => {
    const lab = await cluster('etcd-3');
    await lab.wait(seconds(6));
    const leader = lab.world.cluster.etcd.find(({ member }) => member?.status().role === 'Leader')!;
    await lab.ok(`etcdctl member remove ${await idOf(lab, leader.name)}`);
    await lab.wait(seconds(10));
    expect(leader.machine.isRunning('etcd')).toBe(false);
    const rest = lab.world.cluster.etcd.filter((host) => host !== leader);
    expect(rest.filter(({ member }) => member?.status().role === 'Leader')).toHaveLength(1);
    await lab.ok(`etcdctl --endpoints=${rest.map((host) => host.clientURL).join()} put k v`);
  });

  test('strict reconfiguration: with a voter down another one cannot be added, the dead one can be removed', async () => {
    const lab = await cluster('etcd-3');
    await lab.wait(seconds(6));
    const dead = lab.world.cluster.etcd.find(({ member }) => member?.status().role !== 'Leader')!;
    const id = await idOf(lab, dead.name);
    await lab.fault({ kind: 'kill', process: `etcd@${dead.name}`, hold: true });
    await lab.wait(seconds(3));
    const left = `ETCDCTL_ENDPOINTS=${lab.world.cluster.etcd
      .filter((host) => host !== dead)
      .map((host) => host.clientURL)
      .join()} etcdctl`;
    expect((await lab.run(`${left} member add x --peer-urls=http://10.0.0.24:2380`)).stderr).toContain('Error: etcdserver: unhealthy cluster');
    await lab.ok(`${left} member remove ${id}`);
  });
});

test('without a quorum writes time out as the real client says, and stale reads still answer', async () => {
  const lab = await cluster('etcd-3');
  await lab.ok('etcdctl put k old');
  for (const name of ['etcd-2', 'etcd-3']) await lab.fault({ kind: 'kill', process: `etcd@${name}`, hold: true });
  await lab.wait(seconds(3));
  const alone = 'etcdctl --endpoints=http://10.0.0.21:2379';
  const { stderr, exitCode } = await lab.run(`${alone} put k new`);
  expect(stderr).toContain('Error: context deadline exceeded');
  expect(exitCode).toBe(1);
  expect(await lab.ok(`${alone} get k --consistency=s`)).toBe('k\nold\n');
  expect(await lab.ok(`${alone} endpoint status`)).toContain('etcdserver: no leader');
  expect((await lab.run(`${alone} endpoint health`)).stderr).toMatch(
    /is unhealthy: failed to commit proposal: context deadline exceeded\nError: unhealthy cluster\n$/,
  );
});

test('a full backend raises NOSPACE, and is mended by compaction, defragmentation and disarming', async () => {
  const lab = await cluster('etcd-1');
  const member = lab.world.cluster.etcd[0]!.member!;
  // Two gibibytes in pieces of 1.4 MB would take long: the quota is checked against the file's size, whoever grew it.
  member.store.backend.grow(2 * 1024 * 1024 * 1024);
  const full = await lab.run('etcdctl put k v');
  expect(full.stderr).toContain('Error: etcdserver: mvcc: database space exceeded');
  await lab.wait(seconds(1));
  expect(await lab.ok('etcdctl alarm list')).toMatch(/^memberID:\d+ alarm:NOSPACE \n$/);
  expect((await lab.run('etcdctl lease grant 60')).stderr).toContain('database space exceeded');
  await lab.ok('etcdctl get k');
  await lab.ok('etcdctl del k');
  member.store.backend.shrink(2 * 1024 * 1024 * 1024);
  expect((await lab.run('etcdctl put k v')).stderr).toContain('database space exceeded');
  await lab.ok('etcdctl defrag');
  expect((await lab.run('etcdctl put k v')).stderr).toContain('database space exceeded');
  await lab.ok('etcdctl alarm disarm');
  expect(await lab.ok('etcdctl put k v')).toBe('OK\n');
});

test('a lock is held by one at a time and handed on', async () => {
  const lab = await cluster('etcd-3');
  await lab.ok('etcdctl lock door > /tmp/first & echo $! > /tmp/pid');
  await lab.wait(seconds(1));
  expect(await lab.ok('cat /tmp/first')).toMatch(/^door\/[0-9a-f]+\n$/);
  await lab.ok('etcdctl lock door echo mine > /tmp/second &');
  await lab.wait(seconds(2));
  expect(await lab.ok('cat /tmp/second')).toBe('');
  await lab.ok('kill $(cat /tmp/pid)');
  await lab.wait(seconds(2));
  expect(await lab.ok('cat /tmp/second')).toBe('mine\n');
});
