/**
 * Stories: commands and, under each, everything that then happens, word for word. They are read by people
 * before they are accepted; `UPDATE_STORIES=1` rewrites what happens, never the commands.
 *
 *   > cluster 3                 members 1..n; options: prevote, checkquorum, async, lease, unvalidated,
 *                               unforwarded, inflight=n, batch=bytes, page=bytes, backlog=bytes
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
 *   > join 4                    a new member that knows nobody but who was there first
 *   > deliver 2 | lose 2        the messages to member 2 arrive, or do not
 *   > disk 1 | machine 1        with async: its append thread, its apply thread does one thing
 *   > timeout 2 12              the next election timeout it has drawn
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Network } from './network.test-support.ts';
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

class Teller {
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
        net.drain(id);
        break;
      case 'settle':
        net.settle();
        break;
      case 'propose': {
        const error = net.raft(id).propose(args.slice(1).join(' '));
        if (error) this.said.push(error);
        net.drain(id);
        break;
      }
      case 'tick':
        for (let i = 0; i < Number(args[1]); i++) for (const each of args[0] === 'all' ? net.nodes.keys() : [id]) net.tick(each);
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
        net.drain(id);
        break;
      case 'forget':
        net.raft(id).forgetLeader();
        net.drain(id);
        break;
      case 'unreachable':
        net.raft(id).reportUnreachable(Number(args[1]));
        net.drain(id);
        break;
      case 'snapshot-failed':
      case 'snapshot-sent':
        net.raft(id).reportSnapshot(Number(args[1]), verb === 'snapshot-sent');
        net.drain(id);
        break;
      case 'timeout':
        net.raft(id).setRandomizedElectionTimeout(Number(args[1]));
        break;
      case 'join':
        net.add(id, { ...net.node(1).storage.initialState().conf });
        break;
      case 'change': {
        const error = net.raft(id).proposeConfChange(changeOf(args.slice(1)));
        if (error) this.said.push(error);
        net.drain(id);
        break;
      }
      case 'deliver':
      case 'lose': {
        const mine = net.wire.filter((m) => m.to === id);
        net.wire = net.wire.filter((m) => m.to !== id);
        for (const m of mine) {
          if (verb === 'deliver') net.deliver(m);
          else this.said.push(`lost: ${describeMessage(m)}`);
        }
        break;
      }
      case 'disk':
      case 'machine':
        if (!net.thread(net.node(id), verb === 'disk' ? 'append' : 'apply')) this.said.push('nothing to do');
        net.drain(id);
        break;
      case 'progress':
        for (const [peer, p] of Object.entries(net.raft(id).status().progress ?? {}))
          this.said.push(
            `${peer}: ${p.state} match ${p.match} next ${p.next}${p.learner ? ' learner' : ''}${p.paused ? ' paused' : ''}${p.pendingSnapshot ? ` snapshot ${p.pendingSnapshot}` : ''}${p.inflight ? ` in flight ${p.inflight}` : ''}${p.full ? ' (full)' : ''}`,
          );
        break;
      case 'transfer':
        net.raft(id).transferLeader(Number(args[1]));
        net.drain(id);
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

  private start(size: number, options: readonly string[]): void {
    const ids = Array.from({ length: size }, (_, i) => i + 1);
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
      preVote: options.includes('prevote'),
      checkQuorum: options.includes('checkquorum') || options.includes('lease'),
      asyncStorageWrites: options.includes('async'),
      readOnly: options.includes('lease') ? 'lease-based' : 'safe',
      disableConfChangeValidation: options.includes('unvalidated'),
      disableProposalForwarding: options.includes('unforwarded'),
      ...Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
      tell: (event) => this.tell(event),
    });
    this.net.onSend = (m) => {
      const arrives = this.net!.reachable(m.from as number, m.to as number) && this.net!.node(m.to as number).raft;
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
