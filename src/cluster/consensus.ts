/**
 * What the Consensus view draws, read from the members as they are: no cost, no effect, no virtual time.
 *
 * A lens belongs to one onlooker and remembers what that onlooker has been told, so that a picture says only
 * what is new of the logs. Entries are named by term and index: Raft's log matching property (paper 5.3) says
 * that no two members hold different ones under the same name.
 */
import {
  CONSENSUS_COLUMNS,
  CONSENSUS_MESSAGES,
  type ConsensusMember,
  type ConsensusPicture,
  type EntryDetail,
  type EntrySummary,
  type RaftTraffic,
  type WireWeather,
} from '../hosts/protocol.ts';
import { RESOURCES } from '../kubernetes/api/resources.ts';
import type { RequestOp } from '../kubernetes/etcd/api.ts';
import { commandOf } from '../kubernetes/etcd/command.ts';
import { type Member, TICK } from '../kubernetes/etcd/member.ts';
import type { MemberRecord } from '../kubernetes/etcd/membership.ts';
import type { Entry, NodeId } from '../kubernetes/etcd/raft/types.ts';
import type { Fact } from '../sim/trace.ts';
import type { Cluster } from './cluster.ts';
import type { EtcdHost } from './etcd-host.ts';

/** The window moves on by so many columns at once: a cell stays in its place while entries are added. */
const STRIDE = 10;
/** Summaries remembered as told; more than every window of seven members holds. */
const TOLD = 2_000;

export class ConsensusLens {
  /** The last entry to show; undefined: the newest. */
  end: number | undefined;
  /** What a member was when it was seen last: its log is on its disk still. */
  private readonly seen = new Map<string, ConsensusMember>();
  private readonly told = new Set<string>();
  private readonly logs = new Map<string, string>();
  private readonly traffic = new Map<string, { -readonly [K in keyof RaftTraffic]: RaftTraffic[K] }>();
  private last = '';
  private readonly stop: () => void;

  constructor(private readonly cluster: Cluster) {
    this.stop = cluster.loop.trace.listen((fact) => this.count(fact));
  }

  close(): void {
    this.stop();
  }

  private count({ type, about, data }: Fact): void {
    if (type !== 'raft.send') return;
    const from = about.slice(about.indexOf('/') + 1);
    const { to, type: kind } = data as { readonly to: string; readonly type: string };
    const key = `${from}>${to} ${kind}`;
    const link = this.traffic.get(key);
    if (link) link.count++;
    else this.traffic.set(key, { from, to, kind, count: 1 });
  }

  /** What is to be seen now; nothing when it is what was told last. */
  picture(): ConsensusPicture | undefined {
    const { cluster } = this;
    const members = cluster.etcd.map((host) => {
      const record = memberRecord(cluster, host, this.seen.get(host.name));
      this.seen.set(host.name, record);
      return record;
    });
    const newest = members.reduce((most, { last }) => Math.max(most, last), 0);
    const last = this.end === undefined ? Math.max(CONSENSUS_COLUMNS, Math.ceil((newest + 1) / STRIDE) * STRIDE) : Math.max(CONSENSUS_COLUMNS, this.end);
    const window = { first: last - CONSENSUS_COLUMNS + 1, last, newest };
    const messages = cluster
      .raftInFlight()
      .map(({ type, reject, ...flight }) => ({ ...flight, kind: type, reject: reject ?? false }))
      .sort((a, b) => a.arrivesAt - b.arrivesAt || a.id - b.id)
      .slice(0, CONSENSUS_MESSAGES);
    const cut = this.cuts();
    const weather = this.weather();
    const sent = [...this.traffic.values()].map((link) => ({ ...link }));
    // Messages travel with the clock: while some do, every moment is another picture.
    const state = JSON.stringify([
      members,
      cut,
      weather,
      window,
      sent.length > 0 && this.total(),
      messages.length > 0 && [cluster.loop.now, ...messages.map(({ id, arrivesAt }) => `${id} ${arrivesAt}`)],
    ]);
    if (state === this.last) return undefined;
    this.last = state;
    const { logs, entries } = this.logsOf(window);
    return { type: 'consensus', now: cluster.loop.now, members, messages, cut, weather, sent, window, logs, entries };
  }

  private total(): number {
    let total = 0;
    for (const { count } of this.traffic.values()) total += count;
    return total;
  }

  private cuts(): [string, string][] {
    const { etcd, wires } = this.cluster;
    const on = etcd.filter(({ name }) => wires.powered(name));
    return on.flatMap((from) => on.filter((to) => to !== from && !wires.reachable(from.name, to.name)).map((to): [string, string] => [from.name, to.name]));
  }

  private weather(): WireWeather[] {
    const { etcd, wires } = this.cluster;
    return etcd.flatMap(({ name: from }) =>
      etcd.flatMap(({ name: to }) => {
        const { loss, duplicate, reorder } = wires.weather(from, to);
        return loss + duplicate + reorder > 0 ? [{ from, to, loss, duplicate, reorder }] : [];
      }),
    );
  }

  private logsOf(window: { readonly first: number; readonly last: number }): Pick<ConsensusPicture, 'logs' | 'entries'> {
    const logs: ConsensusPicture['logs'][number][] = [];
    const entries: EntrySummary[] = [];
    if (this.told.size > TOLD) this.told.clear();
    for (const { name, member } of this.cluster.etcd) {
      if (!member) continue;
      const kept = member.entries(window.first, window.last);
      const newest = kept.at(-1);
      // Equal last entries mean equal logs, so this tells one log from another.
      const key = `${window.first} ${kept[0]?.index} ${newest?.index}/${newest?.term}`;
      for (const entry of kept) {
        const id = `${entry.term}/${entry.index}`;
        if (this.told.has(id)) continue;
        this.told.add(id);
        entries.push(summaryOf(entry, member.members() as readonly MemberRecord[]));
      }
      if (this.logs.get(name) === key) continue;
      this.logs.set(name, key);
      logs.push({ member: name, first: kept[0]?.index ?? window.first, terms: kept.map(({ term }) => term) });
    }
    return { logs, entries };
  }

  /** An entry with all it says; nothing when the member does not keep it. */
  entry(name: string, index: number): EntryDetail | undefined {
    const member = this.cluster.etcd.find((host) => host.name === name)?.member;
    const entry = member?.entries(index, index)[0];
    return entry && { ...summaryOf(entry, member?.members() as readonly MemberRecord[]), ...contentOf(entry) };
  }
}

function memberRecord(cluster: Cluster, host: EtcdHost, before: ConsensusMember | undefined): ConsensusMember {
  const { name, machine } = host;
  const member = machine.isRunning('etcd') ? (host.member as Member | undefined) : undefined;
  const off = !cluster.wires.powered(name);
  if (!member) {
    const known = cluster.etcd.some((each) => (each.member?.members() as readonly MemberRecord[] | undefined)?.some((m) => m.peerURLs.includes(host.peerURL)));
    const state = off ? 'off' : machine.isRunning('etcd') && !known ? 'joining' : 'stopped';
    return { ...NOBODY, ...before, name, peerURL: host.peerURL, state, role: 'Follower', votes: [], progress: [] };
  }
  const status = member.raftStatus();
  const records = member.members() as readonly MemberRecord[];
  const nameOf = (id: NodeId): string => (id === 0 ? '' : memberName(cluster, records, id));
  const standing = status.role === 'Candidate' || status.role === 'PreCandidate';
  const voters = status.conf.voters;
  return {
    name,
    id: BigInt(member.memberId).toString(16),
    peerURL: host.peerURL,
    state: machine.process('etcd')?.paused ? 'paused' : 'running',
    role: status.role,
    learner: status.conf.learners.includes(status.id),
    term: status.term,
    vote: nameOf(status.vote),
    lead: nameOf(status.lead),
    commit: status.commit,
    applied: status.applied,
    first: status.firstIndex,
    last: status.lastIndex,
    elapsed: status.electionElapsed,
    timeout: status.randomizedElectionTimeout,
    tickMicros: member.tickDuration,
    heartbeat: member.heartbeat,
    election: member.tickDuration * member.electionTicks,
    voters: voters.map(nameOf),
    votes: standing ? [...member.raft.votes].map(([id, granted]) => ({ member: nameOf(id), granted })) : [],
    progress: Object.entries(status.progress ?? {})
      .filter(([id]) => Number(id) !== status.id)
      .map(([id, { state, match, next, paused }]) => ({ member: nameOf(Number(id)), state, match, next, paused })),
    ...(host.diskFaults.sync > 0 ? { disk: host.diskFaults.sync } : {}),
    ...(machine.permille === 1000 ? {} : { clock: machine.permille }),
  };
}

const NOBODY = {
  id: '',
  learner: false,
  term: 0,
  vote: '',
  lead: '',
  commit: 0,
  applied: 0,
  first: 1,
  last: 0,
  elapsed: 0,
  timeout: 0,
  tickMicros: TICK,
  heartbeat: TICK,
  election: TICK * 10,
  voters: [],
} as const;

/** A member that has not started yet has no name; its machine has. */
function memberName(cluster: Cluster, records: readonly MemberRecord[], id: NodeId): string {
  const record = records.find(({ raftId }) => raftId === id);
  if (!record) return `member ${id}`;
  return record.name || (cluster.etcd.find(({ peerURL }) => record.peerURLs.includes(peerURL))?.name ?? record.peerURLs[0] ?? '');
}

/** `/registry/pods/default/web-1` → Pod, default, web-1 (apiserver's storage keys, `storageKey`). */
export function objectOf(key: string): EntrySummary['object'] {
  const row = RESOURCES.filter(({ prefix }) => key.startsWith(`${prefix}/`)).sort((a, b) => b.prefix.length - a.prefix.length)[0];
  if (!row) return undefined;
  const [first = '', second] = key.slice(row.prefix.length + 1).split('/');
  return row.namespaced ? { kind: row.kind, namespace: first, name: second ?? '' } : { kind: row.kind, namespace: '', name: first };
}

const about = (verb: string, key: string): Pick<EntrySummary, 'verb' | 'about' | 'object'> => {
  const object = objectOf(key);
  return { verb, about: key, ...(object ? { object } : {}) };
};

function operationOf(entry: Entry, records: readonly MemberRecord[] = []): Pick<EntrySummary, 'verb' | 'about' | 'object'> {
  if (entry.type !== 'normal') {
    const [change] = entry.confChange?.changes ?? [];
    const name = records.find(({ raftId }) => raftId === change?.node)?.name;
    const action = { addVoter: 'add', addLearner: 'add learner', remove: 'remove', update: 'update' }[change?.type ?? 'update'];
    return { verb: 'member', about: change ? `${action} ${name || `member ${change.node}`}` : 'leave the joint configuration' };
  }
  if (entry.data === '') return { verb: 'empty', about: 'the first entry of a new leader' };
  const { operation } = commandOf(entry);
  switch (operation.type) {
    case 'put':
      return about('put', operation.request.key);
    case 'delete':
      return about('delete', operation.request.key);
    case 'txn': {
      const { compare, success } = operation.request;
      const [first] = success;
      if (first && 'requestDeleteRange' in first) return about('delete', first.requestDeleteRange.key);
      if (first && 'requestPut' in first) {
        const { key } = first.requestPut;
        const fresh = compare.some((c) => c.key === key && (c.target === 'mod' || c.target === 'create') && Number(c.operand) === 0);
        return about(compare.length === 0 ? 'put' : fresh ? 'create' : 'update', key);
      }
      return { verb: 'txn', about: compare[0]?.key ?? '' };
    }
    case 'compact':
      return { verb: 'compact', about: `revision ${operation.revision}` };
    case 'grant':
      return { verb: 'lease', about: `grant ${operation.lease.toString(16)} for ${operation.ttl} s` };
    case 'revoke':
      return { verb: 'lease', about: `revoke ${operation.lease.toString(16)}` };
    case 'publish':
      return { verb: 'member', about: `${operation.name} tells its name and addresses` };
    case 'cluster-version':
      return { verb: 'other', about: `cluster version ${operation.version}` };
    default:
      return { verb: 'other', about: operation.type };
  }
}

const summaryOf = (entry: Entry, records?: readonly MemberRecord[]): EntrySummary => ({
  term: entry.term,
  index: entry.index,
  ...operationOf(entry, records),
});

const keyOf = (op: RequestOp): string => ('requestPut' in op ? op.requestPut.key : 'requestDeleteRange' in op ? op.requestDeleteRange.key : '');

function contentOf(entry: Entry): Pick<EntryDetail, 'value' | 'also' | 'cause' | 'size'> {
  const size = (entry.data ?? '').length;
  if (entry.type !== 'normal' || entry.data === '') return { value: '', also: [], cause: 0, size };
  const { operation, cause } = commandOf(entry);
  if (operation.type === 'put') return { value: operation.request.value, also: [], cause, size };
  if (operation.type !== 'txn') return { value: '', also: [], cause, size };
  const [first, ...rest] = operation.request.success;
  return { value: first && 'requestPut' in first ? first.requestPut.value : '', also: rest.map(keyOf).filter((key) => key !== ''), cause, size };
}
