/**
 * Stories: commands and, under each, everything that then happens, word for word. They are read by people
 * before they are accepted; `UPDATE_STORIES=1` rewrites what happens, never the commands.
 *
 *   > cluster 3                 members 1..n; options: prevote, checkquorum, async, lease, unvalidated,
 *                               unforwarded, stays (a removed leader goes on), inflight=n, batch=bytes, page=bytes,
 *                               calm (a heartbeat every nine ticks, not each), backlog=bytes, from=n (everybody begins with a snapshot of 1/n; n+m: each with its own), learners=a+b;
 *                               stepwise: nobody's disk or messages move but by `ready`, `deliver` and `stabilize`,
 *                               as in etcd-io/raft's interaction tests, whose scenarios those stories follow
 *   > ready 1 2                 each carries out one Ready
 *   > stabilize | stabilize 1 2 rounds of: everybody's Ready, then everybody's messages, until nothing moves
 *   > elect 1                   member 1 stands for election
 *   > settle                    all messages arrive, in order
 *   > propose 1 x               a client asks member 1
 *   > tick 2 10                 ten ticks of member 2's clock; `tick all 5`
 *   > cut 1 | heal              member 1 is cut off; all wires work again
 *   > crash 2 | restart 2
 *   > compact 1                 member 1 keeps a snapshot and forgets its log
 *   > show                      every member: role, term, commit, log
 *   > progress 1                what leader 1 knows of the others
 *   > read 2 r1                 a linearizable read at member 2, named r1
 *   > transfer 1 2 | forget 2 | unreachable 1 2 | snapshot-failed 1 2 | snapshot-sent 1 2
 *   > change 1 auto +4 ~5 -2    add voter 4, make 5 a learner, remove 2; v1, auto, implicit or explicit;
 *                               nothing to change: leave the joint configuration
 *   > join 4                    (stepwise: one that knows nobody) a new member that knows nobody but who was there first
 *   > deliver 2 | lose 2        the messages to member 2 arrive, or do not; `deliver 2 MsgApp`: of that kind only
 *   > snapshot 1 3              member 1 sends its state to 3, unasked
 *   > beat 1                    member 1's heartbeat is due
 *   > disk 1 | machine 1        with async: its append thread, its apply thread does one thing
 *   > timeout 2 12              the next election timeout it has drawn
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Network } from './network.test-support.ts';
import { emptyConf } from './storage.ts';
import type { ConfChange, ConfState, Entry, Message, TraceEvent } from './types.ts';

const folder = new URL('./stories/', import.meta.url);

for (const file of readdirSync(folder).sort()) {
  test(file, () => {
    const url = new URL(file, folder);
    const before = readFileSync(url, 'utf8');
    const after = play(before);
    if (process.env['UPDATE_STORIES']) writeFileSync(url, after);
    else expect(after).toBe(before);
  });
}

/** Keeps comments and commands, and writes under each command what it leads to. */
function play(text: string): string {
  const out: string[] = [];
  const teller = new Teller();
  for (const line of text.split('\n')) {
    if (line.startsWith('> ')) out.push(line, ...teller.run(line.slice(2)).map((said) => `  ${said}`));
    else if (!line.startsWith('  ')) out.push(line);
  }
  return out.join('\n');
}

const list = (entries: readonly Entry[]): string =>
  entries.map((e) => `${e.term}/${e.index}${e.confChange ? ' conf' : e.data ? ` "${e.data}"` : ''}`).join(', ');

function describeMessage(m: Message): string {
  const head = `${m.from} → ${m.to} ${m.type}${m.term ? ` term ${m.term}` : ''}`;
  const last = m.type === 'MsgVote' || m.type === 'MsgPreVote' ? ` last ${m.logTerm}/${m.index}` : '';
  const prev = m.type === 'MsgApp' ? ` after ${m.logTerm}/${m.index} commit ${m.commit} [${list(m.entries ?? [])}]` : '';
  const ack = m.type === 'MsgAppResp' ? (m.reject ? ` refused at ${m.index}, try ${m.logTerm}/${m.rejectHint}` : ` up to ${m.index ?? 0}`) : '';
  const vote = m.type === 'MsgVoteResp' || m.type === 'MsgPreVoteResp' ? (m.reject ? ' no' : ' yes') : '';
  const snap = m.snapshot ? ` of ${m.snapshot.term}/${m.snapshot.index}` : '';
  const beat = m.type === 'MsgHeartbeat' ? ` commit ${m.commit}` : '';
  const context = m.context ? ` (${m.context})` : '';
  return head + last + prev + ack + vote + snap + beat + context;
}

/** `auto +4 ~5 -2` */
function changeOf(words: readonly string[]): ConfChange {
  const types = { '+': 'addVoter', '~': 'addLearner', '-': 'remove' } as const;
  const changes = words.filter((word) => word[0]! in types).map((word) => ({ type: types[word[0] as keyof typeof types], node: Number(word.slice(1)) }));
  if (words.includes('v1')) return { v1: true, changes };
  const transition = (['auto', 'implicit', 'explicit'] as const).find((name) => words.includes(name));
  return transition ? { transition, changes } : { changes };
}

function describeConf({ voters, votersOutgoing, learners, learnersNext, autoLeave }: ConfState): string {
  const half = (ids: readonly number[]): string => `(${ids.join(' ')})`;
  return `voters ${half(voters)}${votersOutgoing.length > 0 ? ` and ${half(votersOutgoing)}` : ''}${learners.length > 0 ? ` learners ${half(learners)}` : ''}${learnersNext.length > 0 ? ` learners next ${half(learnersNext)}` : ''}${autoLeave ? ', to be left by itself' : ''}`;
}

/** Ticks between heartbeats, of stories that move step by step: as etcd-io/raft's own have it. */
const HEARTBEAT = 1;

class Teller {
  private stepwise = false;
  private net: Network | undefined;
  private said: string[] = [];

  run(command: string): string[] {
    this.said = [];
    const [verb, ...args] = command.split(' ');
    if (verb === 'cluster') {
      this.start(Number(args[0]), args.slice(1));
      return this.said;
    }
    const net = this.net!;
    const id = Number(args[0]);
    switch (verb) {
      case 'elect':
        net.raft(id).campaign();
        this.act(id);
        break;
      case 'settle':
        net.settle();
        break;
      case 'propose': {
        const error = net.raft(id).propose(args.slice(1).join(' '));
        if (error) this.said.push(error);
        this.act(id);
        break;
      }
      case 'tick':
        for (let i = 0; i < Number(args[1]); i++)
          for (const each of args[0] === 'all' ? net.nodes.keys() : [id]) {
            if (this.stepwise) net.node(each).raft?.tick();
            else net.tick(each);
          }
        break;
      case 'cut':
        net.isolate(id);
        break;
      case 'heal':
        net.cut.clear();
        break;
      case 'crash':
        net.crash(id);
        break;
      case 'restart':
        net.start(id);
        break;
      case 'compact':
        net.compact(id);
        break;
      case 'read':
        net.raft(id).readIndex(args[1]!);
        this.act(id);
        break;
      case 'forget':
        net.raft(id).forgetLeader();
        this.act(id);
        break;
      case 'unreachable':
        net.raft(id).reportUnreachable(Number(args[1]));
        this.act(id);
        break;
      case 'snapshot-failed':
      case 'snapshot-sent':
        net.raft(id).reportSnapshot(Number(args[1]), verb === 'snapshot-sent');
        this.act(id);
        break;
      case 'timeout':
        net.raft(id).setRandomizedElectionTimeout(Number(args[1]));
        break;
      case 'join':
        net.add(id, this.stepwise ? emptyConf : { ...net.node(1).storage.initialState().conf });
        break;
      case 'ready':
        for (const each of args) this.oneReady(Number(each));
        break;
      case 'stabilize':
        this.stabilize(args.length > 0 ? args.map(Number) : [...net.nodes.keys()]);
        break;
      case 'beat':
        for (let i = 0; i < HEARTBEAT; i++) net.raft(id).tick();
        break;
      case 'snapshot': {
        const m: Message = { type: 'MsgSnap', from: id, to: Number(args[1]), term: net.raft(id).term, snapshot: net.snapshotOf(net.node(id)) };
        this.said.push(describeMessage(m));
        net.wire.push(m);
        break;
      }
      case 'change': {
        const error = net.raft(id).proposeConfChange(changeOf(args.slice(1)));
        if (error) this.said.push(error);
        this.act(id);
        break;
      }
      case 'deliver':
      case 'lose': {
        const kind = args.find((word) => word.startsWith('Msg'));
        for (const to of args.filter((word) => word !== kind).map(Number)) {
          const mine = net.wire.filter((m) => m.to === to && (kind === undefined || m.type === kind));
          net.wire = net.wire.filter((m) => !mine.includes(m));
          for (const m of mine) {
            if (verb === 'lose') this.said.push(`lost: ${describeMessage(m)}`);
            else if (this.stepwise) this.take(to, m);
            else net.deliver(m);
          }
        }
        break;
      }
      case 'disk':
      case 'machine':
        if (!net.thread(net.node(id), verb === 'disk' ? 'append' : 'apply')) this.said.push('nothing to do');
        this.act(id);
        break;
      case 'progress':
        for (const [peer, p] of Object.entries(net.raft(id).status().progress ?? {}))
          this.said.push(
            `${peer}: ${p.state} match ${p.match} next ${p.next}${p.learner ? ' learner' : ''}${p.paused ? ' paused' : ''}${p.pendingSnapshot ? ` snapshot ${p.pendingSnapshot}` : ''}${p.inflight ? ` in flight ${p.inflight}` : ''}${p.full ? ' (full)' : ''}`,
          );
        break;
      case 'transfer':
        net.raft(id).transferLeader(Number(args[1]));
        this.act(id);
        break;
      case 'show':
        for (const node of net.nodes.values()) {
          const { raft } = node;
          if (!raft) this.said.push(`${node.id}: down`);
          else
            this.said.push(
              `${node.id}: ${raft.role} term ${raft.term} lead ${raft.lead} commit ${raft.log.committed} log ${raft.log.firstIndex() > 1 ? `(from ${raft.log.firstIndex()}) ` : ''}[${list(raft.log.entriesFrom(raft.log.firstIndex())!)}] state [${node.applied.join(' ')}]`,
            );
        }
        break;
      default:
        throw new Error(`no such command: ${verb}`);
    }
    return this.said;
  }

  /** Carries out what a command led to, unless the story does that itself. */
  private act(id: number): void {
    if (!this.stepwise) this.net!.drain(id);
  }

  private oneReady(id: number): boolean {
    const node = this.net!.node(id);
    if (!node.raft?.hasReady()) return false;
    this.net!.carryOut(node, node.raft.ready());
    return true;
  }

  private take(id: number, m: Message): void {
    const error = this.net!.node(id).raft?.step(m);
    if (error) this.said.push(`${id}: ${error}`);
  }

  /** etcd-io/raft rafttest/interaction_env_handler_stabilize.go. */
  private stabilize(ids: readonly number[]): void {
    const net = this.net!;
    for (let rounds = 0; rounds < 1_000; rounds++) {
      let moved = false;
      for (const id of ids) moved = this.oneReady(id) || moved;
      for (const id of ids) {
        const mine = net.wire.filter((m) => m.to === id);
        net.wire = net.wire.filter((m) => m.to !== id);
        for (const m of mine) this.take(id, m);
        moved ||= mine.length > 0;
      }
      for (const which of ['append', 'apply'] as const) for (const id of ids) while (net.thread(net.node(id), which)) moved = true;
      if (!moved) return;
    }
    throw new Error('the story does not come to rest');
  }

  private start(size: number, options: readonly string[]): void {
    const ids = Array.from({ length: size }, (_, i) => i + 1);
    this.stepwise = options.includes('stepwise');
    const learners = (
      options
        .find((each) => each.startsWith('learners='))
        ?.slice('learners='.length)
        .split('+') ?? []
    ).map(Number);
    const bytes = (name: string): number | undefined => {
      const option = options.find((each) => each.startsWith(`${name}=`));
      return option === undefined ? undefined : Number(option.split('=')[1]);
    };
    const limits = {
      maxInflightMsgs: bytes('inflight'),
      maxSizePerMsg: bytes('batch'),
      maxCommittedSizePerReady: bytes('page'),
      maxUncommittedEntriesSize: bytes('backlog'),
    };
    this.net = new Network(ids, {
      learners,
      fresh: this.stepwise,
      from:
        options
          .find((each) => each.startsWith('from='))
          ?.slice('from='.length)
          .split('+')
          .map(Number) ?? [],
      preVote: options.includes('prevote'),
      checkQuorum: options.includes('checkquorum') || options.includes('lease'),
      asyncStorageWrites: options.includes('async'),
      readOnly: options.includes('lease') ? 'lease-based' : 'safe',
      disableConfChangeValidation: options.includes('unvalidated'),
      disableProposalForwarding: options.includes('unforwarded'),
      ...(options.includes('stays') ? { stepDownOnRemoval: false } : {}),
      ...(this.stepwise ? { heartbeatTick: options.includes('calm') ? 9 : HEARTBEAT } : {}),
      ...Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
      tell: (event) => this.tell(event),
    });
    this.net.onSend = (m) => {
      const arrives = this.net!.reachable(m.from as number, m.to as number) && this.net!.nodes.get(m.to as number)?.raft;
      // Heartbeats into nowhere would drown the story.
      if (arrives || m.type !== 'MsgHeartbeat') this.said.push(describeMessage(m) + (arrives ? '' : '  ✗ lost'));
    };
    this.net.onApply = (node, entry) => {
      if (entry.data) this.said.push(`${node.id} applies "${entry.data}"`);
    };
    this.net.onReady = (node, ready) => {
      if (ready.snapshot) this.said.push(`${node.id} takes the snapshot of ${ready.snapshot.term}/${ready.snapshot.index}`);
      for (const { index, context } of ready.readStates) this.said.push(`${node.id} may answer read ${context} once it has applied ${index}`);
    };
  }

  private tell(event: TraceEvent): void {
    const { at, node } = event;
    if (at === 'role') this.said.push(`${node} becomes ${event['role']} in term ${event['term']}`);
    else if (at === 'vote') this.said.push(`${node} votes for ${event['value']} in term ${event['term']}`);
    else if (at === 'commit') this.said.push(`${node} commits up to ${event['index']}`);
    else if (at === 'truncate') this.said.push(`${node} drops its entries from ${event['from']} on: another leader's log differs`);
    else if (at === 'timer') this.said.push(`${node} has heard nothing for ${event['value']} ticks`);
    else if (at === 'conf') this.said.push(`${node} goes by ${describeConf(event as unknown as ConfState)}`);
    else if (at === 'reject' && event['why'] === 'conf') this.said.push(`${node} puts an empty entry in place of a membership change that does not fit now`);
    else if (at === 'reject' && event['index'] !== undefined) this.said.push(`${node} refuses: it has no entry ${event['logTerm']}/${event['index']}`);
    else if (at === 'reject' && event['why'] === 'log') this.said.push(`${node} refuses its vote: its own log is newer`);
    else if (at === 'reject' && event['why'] === 'voted') this.said.push(`${node} refuses its vote: it has voted, or follows a leader`);
  }
}

/** Everything this Raft is to do, and the stories that show it. */
const FEATURES: Readonly<Record<string, readonly string[]>> = {
  'elections with randomized timeouts': ['1-election', '3-leader-crash', '62-forgetting-step-by-step'],
  'an empty entry begins a term': ['1-election', '14-read-before-first-commit'],
  'logs compared, by index and by whole terms': ['5-conflicting-logs', '36-compare-logs-by-term', '55-figure-7'],
  PreVote: ['08-prevote', '09-without-prevote', '54-prevote-and-quorum', '60-prevote-step-by-step'],
  CheckQuorum: ['10-check-quorum', '12-stale-leader-is-told', '53-quorum-checked-step-by-step'],
  'a leader is not disturbed while it is heard': ['11-lease-of-votes', '54-prevote-and-quorum'],
  'ReadIndex, safe': ['13-read-index', '14-read-before-first-commit', '15-read-cut-off'],
  'ReadIndex, by lease': ['16-lease-read'],
  'leadership transfer': ['7-transfer', '18-transfer-to-one-behind', '19-transfer-fails', '47-leader-replaced-by-newcomer'],
  'forgetting a leader': ['17-forget-leader', '49-forget-and-prevote', '50-no-forgetting-with-leases', '62-forgetting-step-by-step'],
  'learners and their promotion': ['20-learner', '42-learner-must-vote'],
  'one change at a time (v1)': ['21-add-and-remove-one', '61-one-added-v1', '44-removed-leader-stays'],
  'joint consensus (v2)': ['25-two-majorities', '45-one-added-auto', '59-two-added-two-removed'],
  'a joint configuration left by itself (auto)': ['22-joint-left-by-itself', '59-two-added-two-removed'],
  'a joint configuration that was asked for (implicit)': ['24-joint-implicit', '58-one-added-implicit'],
  'a joint configuration left on demand (explicit)': ['23-joint-left-on-demand', '46-one-added-explicit', '47-leader-replaced-by-newcomer'],
  'a change that does not fit is refused, unless told not to look': ['21-add-and-remove-one', '46-one-added-explicit', '43-unchecked-change'],
  'step-down on removal': ['26-leader-removes-itself', '48-leader-replaced-steps-down'],
  snapshots: ['6-snapshot', '57-snapshot-is-acknowledged', '41-older-snapshot-will-do'],
  'a snapshot that fails is reported and tried again': ['33-snapshot-fails'],
  'catching up a slow follower': ['6-snapshot', '40-slow-follower-after-compaction'],
  'progress: probe, replicate, snapshot': ['28-probe', '38-heartbeat-ends-probing', '55-figure-7'],
  'flow control': ['29-inflight', '30-batches', '56-window-full'],
  'limits of what is applied and of what is not committed': ['31-pages', '32-backlog'],
  'proposals passed on': ['27-forwarding', '48-leader-replaced-steps-down'],
  'commits told at once, and by heartbeats no further than is known': ['2-replication', '39-commit-known-late'],
  'a partition': ['4-partition'],
  'async storage writes': ['34-async-writes', '35-async-overwritten', '51-slow-disks-aba', '52-commit-before-own-disk', '63-async-pipeline'],
  'a group of one': ['37-one-member'],
};

/** The interaction tests of etcd-io/raft (testdata/*.txt), and the story that plays the same scenario. */
const SCENARIOS: Readonly<Record<string, string>> = {
  async_storage_writes: '63-async-pipeline',
  async_storage_writes_append_aba_race: '51-slow-disks-aba',
  campaign: '1-election',
  campaign_learner_must_vote: '42-learner-must-vote',
  checkquorum: '53-quorum-checked-step-by-step',
  confchange_disable_validation: '43-unchecked-change',
  confchange_v1_add_single: '61-one-added-v1',
  confchange_v1_remove_leader: '44-removed-leader-stays',
  confchange_v1_remove_leader_stepdown: '26-leader-removes-itself',
  confchange_v2_add_double_auto: '59-two-added-two-removed',
  confchange_v2_add_double_implicit: '58-one-added-implicit',
  confchange_v2_add_single_auto: '45-one-added-auto',
  confchange_v2_add_single_explicit: '46-one-added-explicit',
  confchange_v2_replace_leader: '47-leader-replaced-by-newcomer',
  confchange_v2_replace_leader_stepdown: '48-leader-replaced-steps-down',
  forget_leader: '62-forgetting-step-by-step',
  forget_leader_prevote_checkquorum: '49-forget-and-prevote',
  forget_leader_read_only_lease_based: '50-no-forgetting-with-leases',
  heartbeat_resp_recovers_from_probing: '38-heartbeat-ends-probing',
  lagging_commit: '39-commit-known-late',
  prevote: '60-prevote-step-by-step',
  prevote_checkquorum: '54-prevote-and-quorum',
  probe_and_replicate: '55-figure-7',
  replicate_pause: '56-window-full',
  single_node: '37-one-member',
  slow_follower_after_compaction: '40-slow-follower-after-compaction',
  snapshot_succeed_via_app_resp: '57-snapshot-is-acknowledged',
  snapshot_succeed_via_app_resp_behind: '41-older-snapshot-will-do',
};

describe('the stories together', () => {
  const told = new Map(readdirSync(folder).map((file) => [file.replace('.txt', ''), readFileSync(new URL(file, folder), 'utf8')]));
  test.each(Object.entries(FEATURES))('%s is told', (_, stories) => {
    expect(stories.length).toBeGreaterThan(0);
    for (const story of stories) expect([...told.keys()]).toContain(story);
  });
  test('every story tells of a feature', () => {
    const shown = new Set(Object.values(FEATURES).flat());
    expect([...told.keys()].filter((story) => !shown.has(story))).toEqual([]);
  });
  test.each(Object.entries(SCENARIOS))('%s is played', (_, story) => {
    expect(told.get(story)).toContain('\n> elect ');
  });
});
