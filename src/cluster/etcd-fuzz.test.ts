/**
 * Whole etcd under fire: three members in a world, clients on the laptop, faults drawn from the seed, and afterwards the books.
 *
 * Every answer carries the revision it was given at, so the history that all members end with decides each of them: a write
 * must be there under its revision, a read must be what the history says of its revision, and neither may be older than what
 * anybody had been told when it was asked for. That is linearizability, and needs no search.
 */
import { expect, test } from 'vitest';
import type { Fault } from '../hosts/protocol.ts';
import { type EtcdClient, EtcdError, type EtcdEvent, type KeyValue } from '../kubernetes/etcd/api.ts';
import { type Duration, type Instant, ms, seconds } from '../sim/clock.ts';
import { forever, type Process } from '../sim/process.ts';
import { createRng, type Rng } from '../sim/rng.ts';
import { etcdClient } from './etcd-host.ts';
import { cluster, type Lab } from './testing.ts';

const SEEDS = 40;
const UNDER_FIRE = seconds(25);
const KEYS = ['a', 'b', 'c', 'd'];
const ALL = { key: '\0', rangeEnd: '\0' };

interface Told {
  /** The highest revision anybody had been told of when it was asked. */
  readonly after: number;
  readonly revision: number;
  readonly what: 'put' | 'get' | 'cas' | 'delete';
  readonly key: string;
  readonly value?: string;
  readonly found?: KeyValue | undefined;
  /** The revision a compare-and-set was made on. */
  readonly seen?: number;
  readonly done?: boolean;
}

class Books {
  readonly told: Told[] = [];
  /** The highest revision anybody was told of. */
  known = 1;
  readonly watches: { readonly from: number; readonly events: EtcdEvent[] }[] = [];
  /** Key of a lease: until when it may not go. */
  readonly leased = new Map<string, Instant>();
  readonly early: string[] = [];
  calls = 0;
  failures = 0;

  note(entry: Told): void {
    this.told.push(entry);
    this.known = Math.max(this.known, entry.revision);
  }
}

async function step(self: Process, client: EtcdClient, books: Books, name: string, n: number, slowest: number): Promise<void> {
  const { rng, clock } = self;
  const key = rng.pick(KEYS);
  const value = `${name}.${n}`;
  const after = books.known;
  const note = (revision: number, rest: Omit<Told, 'after' | 'revision' | 'key'>): void => books.note({ after, revision, key, ...rest });
  books.calls++;
  switch (rng.between(0, 8)) {
    case 0:
    case 1:
    case 2: {
      const { header } = await client.put({ key, value });
      note(header.revision, { what: 'put', value });
      return;
    }
    case 3:
    case 4: {
      const { header, kvs } = await client.range({ key });
      note(header.revision, { what: 'get', found: kvs[0] });
      return;
    }
    case 5: {
      const { kvs } = await client.range({ key, serializable: true });
      const seen = kvs[0]?.modRevision ?? 0;
      const { header, succeeded } = await client.txn({
        compare: [{ key, target: 'mod', result: '=', operand: seen }],
        success: [{ requestPut: { key, value } }],
        failure: [],
      });
      note(header.revision, { what: 'cas', value, seen, done: succeeded });
      return;
    }
    case 6: {
      const { header, deleted } = await client.deleteRange({ key });
      if (deleted > 0) note(header.revision, { what: 'delete' });
      return;
    }
    default: {
      const ttl = rng.between(2, 6);
      // Counted by the leader's clock, which may run too fast, from when it hears of the lease at the earliest.
      const granted = clock.now();
      const { id } = await client.leaseGrant({ ttl });
      const own = `lease/${value}`;
      await client.put({ key: own, value, lease: id });
      books.leased.set(own, granted + Math.floor((seconds(ttl) * 1000) / slowest));
      if (rng.between(0, 2) === 0) return;
      await clock.sleep(seconds(1));
      const asked = clock.now();
      await client.leaseKeepAlive({ id });
      books.leased.set(own, asked + Math.floor((seconds(ttl) * 1000) / slowest));
    }
  }
}

function drawFault(
  rng: Rng,
  lab: Lab,
  names: readonly string[],
  skew: boolean,
): { readonly fault: Fault; readonly undo?: Fault; readonly lasts: Duration } | undefined {
  const [from, to] = [rng.pick(names), rng.pick(names)];
  const machine = from;
  const lasts = ms(rng.between(200, 6_000));
  switch (rng.between(0, skew ? 13 : 12)) {
    case 0:
      return { fault: { kind: 'kill', process: `etcd@${machine}` }, lasts: 0 };
    case 1:
      return { fault: { kind: 'node-power', node: machine, on: false }, undo: { kind: 'node-power', node: machine, on: true }, lasts };
    case 2:
      return lab.world.cluster.machine(machine).isRunning('etcd')
        ? { fault: { kind: 'pause', process: `etcd@${machine}`, on: true }, undo: { kind: 'pause', process: `etcd@${machine}`, on: false }, lasts }
        : undefined;
    case 3:
      return { fault: { kind: 'disk', machine, micros: ms(rng.between(10, 1_500)) }, undo: { kind: 'disk', machine, micros: 0 }, lasts };
    case 4:
      return { fault: { kind: 'disk-full', machine, on: true }, undo: { kind: 'disk-full', machine, on: false }, lasts };
    case 5:
      return { fault: { kind: 'loss', from, to, percent: rng.between(1, 60) }, undo: { kind: 'loss', from, to, percent: 0 }, lasts };
    case 6:
      return { fault: { kind: 'duplicate', from, to, percent: rng.between(1, 60) }, undo: { kind: 'duplicate', from, to, percent: 0 }, lasts };
    case 7:
      return { fault: { kind: 'reorder', from, to, micros: ms(rng.between(1, 300)) }, undo: { kind: 'reorder', from, to, micros: 0 }, lasts };
    case 8:
      return from === to ? undefined : { fault: { kind: 'cut', from, to }, undo: { kind: 'mend', from, to }, lasts };
    case 9:
      return { fault: { kind: 'partition', groups: [[machine, ...(rng.between(0, 2) === 0 ? ['laptop'] : [])]] }, undo: { kind: 'heal' }, lasts };
    case 10:
      return lab.world.cluster.etcdHost(machine).member ? { fault: { kind: 'raft-timeout', member: machine }, lasts: 0 } : undefined;
    case 11: {
      const flying = lab.world.cluster.raftInFlight();
      return flying.length > 0 ? { fault: { kind: 'raft-drop', id: rng.pick(flying).id }, lasts: 0 } : undefined;
    }
    default:
      return { fault: { kind: 'clock', machine, permille: rng.between(300, 3_000) }, undo: { kind: 'clock', machine, permille: 1_000 }, lasts };
  }
}

/** Plays a seed; returns what is wrong, and how much happened. */
async function play(seed: number): Promise<{ readonly wrong: readonly string[]; readonly books: Books; readonly faults: number }> {
  const lab = await cluster('etcd-3', seed);
  const { world } = lab;
  const { etcd, wires, laptop, mirror } = world.cluster;
  const rng = createRng(seed).fork('fuzz');
  const skew = rng.between(0, 3) === 0;
  // With snapshots so often, whoever was away for a moment needs one.
  const flags = `${rng.between(0, 2) === 0 ? 'ETCD_SNAPSHOT_COUNT=15\n' : ''}${rng.between(0, 4) === 0 ? 'ETCD_PRE_VOTE=false\n' : ''}`;
  if (flags !== '') {
    for (const { machine } of etcd) {
      machine.files.write('/etc/default/etcd', flags);
      await lab.fault({ kind: 'kill', process: `etcd@${machine.name}` });
    }
    await lab.wait(seconds(8));
  }
  const books = new Books();
  mirror.observe((events) => {
    for (const { type, kv } of events) {
      const until = books.leased.get(kv.key);
      if (type === 'DELETE' && until !== undefined && world.now < until) books.early.push(`${kv.key} went at ${world.now}, not before ${until} was promised`);
    }
  });
  let firing = true;
  for (let i = 0; i < 4; i++) {
    laptop.machine.root.spawn(`fuzz-${i}`, async (self) => {
      const client = etcdClient(self, 'laptop', etcd, wires);
      const watched = { from: 2, events: [] as EtcdEvent[] };
      books.watches.push(watched);
      client.watch({ ...ALL, startRevision: watched.from }, ({ events }) => watched.events.push(...events));
      for (let n = 0; firing; n++) {
        try {
          await step(self, client, books, String(i), n, skew ? 3_000 : 1_000);
        } catch (error) {
          if (!(error instanceof EtcdError)) throw error;
          books.failures++;
        }
        await self.clock.sleep(ms(self.rng.between(1, 60)));
      }
      await forever();
    });
  }
  const names = etcd.map(({ name }) => name);
  const undos: { readonly at: Instant; readonly fault: Fault }[] = [];
  let faults = 0;
  const end = lab.now + UNDER_FIRE;
  while (lab.now < end) {
    await lab.wait(ms(rng.between(100, 1_500)));
    for (const due of undos.filter(({ at }) => at <= lab.now)) {
      undos.splice(undos.indexOf(due), 1);
      await lab.fault(due.fault).catch(() => {});
    }
    const drawn = drawFault(rng, lab, names, skew);
    if (!drawn) continue;
    faults++;
    await lab.fault(drawn.fault);
    if (drawn.undo) undos.push({ at: lab.now + drawn.lasts, fault: drawn.undo });
  }
  // Whoever was paused may have been killed since.
  for (const { fault } of undos) await lab.fault(fault).catch(() => {});
  await lab.fault({ kind: 'heal' });
  firing = false;
  await lab.wait(seconds(45));
  const wrong: string[] = [...books.early];
  await lab.ok('etcdctl put end end').catch((error: Error) => wrong.push(`it does not recover: ${error.message}`));
  await lab.wait(seconds(2));
  return { wrong: [...wrong, ...audit(lab, books)], books, faults };
}

function audit(lab: Lab, books: Books): string[] {
  const wrong: string[] = [];
  const stores = lab.world.cluster.etcd.map(({ name, member }) => ({ name, store: member?.store }));
  const first = stores[0]!.store;
  if (!first) return ['etcd-1 does not run at the end'];
  for (const { name, store } of stores)
    if (store?.revision !== first.revision || store.hash(0) !== first.hash(0)) wrong.push(`${name} ends at ${store?.revision}, etcd-1 at ${first.revision}`);
  const history = first.changesFrom(1, '\0', '\0');
  const at = new Map(history.map((event) => [`${event.kv.key}@${event.kv.modRevision}`, event]));
  const stateOf = (key: string, revision: number): KeyValue | undefined => first.getAt(key, revision);
  for (const told of books.told) {
    const { what, key, value, revision, after } = told;
    const shown = JSON.stringify(told);
    const event = at.get(`${key}@${revision}`);
    if (revision < after || (what !== 'get' && told.done !== false && revision === after)) wrong.push(`older than what was known: ${shown}`);
    if ((what === 'put' || (what === 'cas' && told.done)) && event?.kv.value !== value) wrong.push(`an acknowledged write is lost: ${shown}`);
    if (what === 'delete' && event?.type !== 'DELETE') wrong.push(`an acknowledged deletion is lost: ${shown}`);
    if (what === 'get' && stateOf(key, revision)?.modRevision !== told.found?.modRevision) wrong.push(`not what was there: ${shown}`);
    if (what === 'cas' && told.done && (stateOf(key, revision - 1)?.modRevision ?? 0) !== told.seen) wrong.push(`it compared wrongly: ${shown}`);
  }
  const name = ({ type, kv }: EtcdEvent): string => `${type} ${kv.key}@${kv.modRevision}`;
  const whole = history.map(name).join('\n');
  books.watches.forEach(({ events }, i) => {
    const seen = events.map(name);
    if (seen.join('\n') === whole) return;
    const off = history.findIndex((event, n) => name(event) !== seen[n]);
    wrong.push(
      `watch ${i} has seen ${seen.length} changes, there were ${history.length}; after ${seen[off - 1]} it saw ${seen[off]}, not ${off < 0 ? 'the end' : name(history[off]!)}`,
    );
  });
  const leaders = new Map<unknown, unknown>();
  for (const { data } of lab.world.facts(0, ({ type, data: told }) => type === 'raft.role' && told['role'] === 'Leader')) {
    const before = leaders.get(data['term']);
    if (before !== undefined && before !== data['member']) wrong.push(`two leaders of term ${data['term']}`);
    leaders.set(data['term'], data['member']);
  }
  if (lab.world.loop.broken) wrong.push(lab.world.loop.broken.message);
  return wrong;
}

test(`${SEEDS} seeds: nothing acknowledged is lost, nothing read is stale, every watch sees everything once, no lease ends early`, async () => {
  const sum = { calls: 0, failures: 0, faults: 0, told: 0, changes: 0, leases: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { wrong, books, faults } = await play(seed);
    expect(wrong.slice(0, 5), `seed ${seed}`).toEqual([]);
    sum.calls += books.calls;
    sum.failures += books.failures;
    sum.faults += faults;
    sum.told += books.told.length;
    sum.leases += books.leased.size;
    sum.changes += books.watches[0]!.events.length;
  }
  // It has looked at many, of each kind.
  expect(sum.told).toBeGreaterThan(SEEDS * 100);
  expect(sum.faults).toBeGreaterThan(SEEDS * 10);
  expect(sum.leases).toBeGreaterThan(SEEDS);
  expect(sum.changes).toBeGreaterThan(SEEDS * 100);
}, 120_000);
