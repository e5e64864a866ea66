/**
 * Clients who each do one thing after the other, and remember when they asked and when they were answered.
 * One that waited too long goes on under a new name: what it asked for may still happen.
 */
import type { Host } from './host.ts';
import { linearizable, type Operation } from './linearizability.ts';
import type { Luck } from './luck.ts';
import { type Command, encode } from './state.ts';
import type { Swarm } from './swarm.ts';
import type { Timeline } from './timeline.ts';

interface Asked {
  readonly key: number;
  readonly command: Command | undefined;
  readonly call: number;
  end: number;
  /** What a read saw, or whether a compare-and-set went through. */
  value: number;
  done: boolean | undefined;
  /** Index in the log: where a write stands, or up to where a read had seen. */
  place: number;
  refused: boolean;
}

interface Client {
  name: number;
  number: number;
  waiting: Asked | undefined;
}

export class Clients {
  private readonly all: Asked[] = [];
  private readonly byRequest = new Map<string, { client: Client; asked: Asked }>();
  private names = 0;
  private values = 0;
  /** The last values clients saw, to compare with. */
  private readonly seen: number[];
  private active = true;

  constructor(
    private readonly swarm: Swarm,
    private readonly timeline: Timeline,
    private readonly luck: Luck,
    private readonly hosts: () => readonly Host[],
  ) {
    this.seen = new Array<number>(swarm.keys).fill(0);
    for (let i = 0; i < swarm.clients; i++) this.later({ name: ++this.names, number: 0, waiting: undefined });
  }

  get operations(): number {
    return this.all.length;
  }

  get answered(): number {
    return this.all.filter(({ end }) => end !== Number.POSITIVE_INFINITY).length;
  }

  stop(): void {
    this.active = false;
  }

  private later(client: Client): void {
    this.timeline.after(this.luck.between(this.swarm.tick >> 1, this.swarm.tick * 12), () => this.ask(client));
  }

  private ask(client: Client): void {
    if (!this.active) return;
    const { luck, timeline } = this;
    const alive = this.hosts().filter(({ raft }) => raft);
    if (alive.length === 0) {
      this.later(client);
      return;
    }
    // Often the leader, as far as one can know; sometimes just anybody, who may be mistaken.
    const leaders = luck.chance(600) ? alive.filter(({ raft }) => raft!.role === 'Leader') : [];
    const host = luck.pick(leaders.length > 0 ? leaders : alive);
    const key = luck.below(this.swarm.keys);
    const kind = luck.weighted([40, 15, 45]);
    const number = ++client.number;
    const common = { client: client.name, number, key, value: ++this.values };
    const command: Command | undefined =
      kind === 0 ? { ...common, kind: 'put' } : kind === 1 ? { ...common, kind: 'cas', expected: this.seen[key]! } : undefined;
    const asked: Asked = { key, command, call: timeline.now, end: Number.POSITIVE_INFINITY, value: 0, done: undefined, place: 0, refused: false };
    this.all.push(asked);
    client.waiting = asked;
    const request = `${client.name} ${number}`;
    this.byRequest.set(request, { client, asked });
    host.receive((raft) => {
      if (!command) raft.readIndex(`${host.id} ${request}`);
      else if (raft.propose(encode(command))) {
        asked.refused = true;
        this.finish(client, asked);
      }
    });
    timeline.after(this.swarm.tick * 60, () => {
      if (client.waiting !== asked) return;
      client.waiting = undefined;
      client.name = ++this.names;
      client.number = 0;
      this.later(client);
    });
  }

  private finish(client: Client, asked: Asked): void {
    if (client.waiting !== asked) return;
    client.waiting = undefined;
    this.later(client);
  }

  /** A member applied a command: the answer is the same whichever member gives it, so the first counts. */
  applied(command: Command, done: boolean, index: number): void {
    const request = this.byRequest.get(`${command.client} ${command.number}`);
    if (!request || request.asked.end !== Number.POSITIVE_INFINITY || request.client.waiting !== request.asked) return;
    const { asked } = request;
    asked.end = this.timeline.now;
    asked.done = done;
    asked.place = index;
    if (done) this.seen[command.key] = command.value;
    this.finish(request.client, asked);
  }

  /** A member may answer a read from its state. */
  readable(host: Host, context: string): void {
    const [, client, number] = context.split(' ');
    const request = this.byRequest.get(`${client} ${number}`);
    if (!request || request.client.waiting !== request.asked) return;
    const { asked } = request;
    asked.end = this.timeline.now;
    asked.value = this.seen[asked.key] = host.registers.read(asked.key);
    asked.place = host.applied;
    this.finish(request.client, asked);
  }

  /** What the histories look like to a judge who knows only them, and to one who sees the log; undefined when all is well. */
  judge(): { violation: string | undefined; undecided: number } {
    const violation = this.outOfPlace();
    if (violation) return { violation, undecided: 0 };
    // With leases, clocks that run at different speeds break what is promised (thesis 6.4.1): such reads are judged only when asked.
    const { judgeReads } = this.swarm;
    let undecided = 0;
    for (let key = 0; key < this.swarm.keys; key++) {
      const history: Operation[] = [];
      for (const { command, call, end, value, done, refused, key: its } of this.all) {
        if (its !== key || refused) continue;
        if (!command) {
          if (judgeReads && end !== Number.POSITIVE_INFINITY) history.push({ kind: 'get', value, call, end });
        } else if (command.kind === 'put') history.push({ kind: 'put', value: command.value, call, end });
        else history.push({ kind: 'cas', expected: command.expected, value: command.value, done, call, end });
      }
      const verdict = linearizable(history);
      if (verdict === 'no') return { violation: `linearizability: the history of key ${key} has no order that explains it`, undecided };
      if (verdict === 'undecided') undecided++;
    }
    return { violation: undefined, undecided };
  }

  /** Whoever asked after another was answered stands behind it in the log, or has read at least as far. */
  private outOfPlace(): string | undefined {
    const { judgeReads } = this.swarm;
    const answered = this.all.filter(({ end, refused, command }) => end !== Number.POSITIVE_INFINITY && !refused && (command || judgeReads));
    const byEnd = [...answered].sort((a, b) => a.end - b.end);
    answered.sort((a, b) => a.call - b.call);
    let i = 0;
    let floor = 0;
    for (const asked of answered) {
      for (; i < byEnd.length && byEnd[i]!.end < asked.call; i++) floor = Math.max(floor, byEnd[i]!.place);
      if (asked.place < floor)
        return `linearizability: an operation asked at ${asked.call} us saw the log only up to ${asked.place}, but ${floor} had been answered before`;
    }
    return undefined;
  }
}
