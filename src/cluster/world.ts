/**
 * One world: a loop, a cluster on it, and the inputs that reach it. Hosts (worker, Node) own the pace;
 * everything that is the same wherever the world runs is here.
 */
import type { Fault, Frame, InputBody, Session, TextRequest } from '../hosts/protocol.ts';
import type { ApiRequest, ApiResponse, FramePipe } from '../kubernetes/api/request.ts';
import { Pipe, type Stream } from '../kubernetes/api/stream.ts';
import type { Instant } from '../sim/clock.ts';
import { type Host, Loop } from '../sim/loop.ts';
import type { Fact } from '../sim/trace.ts';
import { type Cluster, createCluster } from './cluster.ts';
import { checkFault } from './fault-shape.ts';
import { injectFault } from './faults.ts';
import { Projection } from './projection.ts';
import { parseRequest } from './request-text.ts';
import { Recorder } from './session.ts';

export interface Outputs {
  /** The answer to a `request` input, or to one that came over HTTP. */
  response(id: number, response: ApiResponse | Error): void;
  terminal(terminal: string, text: string): void;
  ran(id: number, result: { stdout: string; stderr: string; exitCode: number }): void;
  /** An input that cannot be carried out: it stays in the session, and its replay refuses it too. A host without this gets the error thrown. */
  refused?(input: InputBody, error: Error): void;
}

export class World {
  readonly loop: Loop;
  readonly cluster: Cluster;
  readonly projection: Projection;
  private readonly recorder: Recorder;
  private readonly replay: Session['inputs'];
  private replayed = 0;
  /** What callers of upgraded requests send, by the request's id. */
  private readonly upgrades = new Map<number, FramePipe>();
  /** Answers that still go on, by the request's id. */
  private readonly answers = new Map<number, Stream<unknown>>();

  constructor(
    session: Session,
    host: Host,
    private readonly outputs: Outputs,
    options: { readonly loadTexts?: () => Promise<unknown> } = {},
  ) {
    this.loop = new Loop({ seed: session.seed, host });
    this.cluster = createCluster(this.loop, session.topology, {
      ...(options.loadTexts ? { loadTexts: options.loadTexts } : {}),
      terminal: (terminal, text) => this.outputs.terminal(terminal, text),
    });
    this.projection = new Projection(this.cluster);
    this.recorder = new Recorder({ ...session, inputs: [] });
    this.replay = session.inputs;
  }

  get now(): Instant {
    return this.loop.now;
  }
  get session(): Session {
    const rest = this.replay.slice(this.replayed);
    const taken = this.recorder.session;
    return rest.length === 0 ? taken : { ...taken, inputs: [...taken.inputs, ...rest] };
  }
  /** Inputs of the session that are still to come. */
  get replaying(): boolean {
    return this.replayed < this.replay.length;
  }

  /** Runs to `until`, giving recorded inputs at exactly the events they were given at. */
  async run(
    until: Instant,
    { maxEvents = Number.POSITIVE_INFINITY, budgetMs = Number.POSITIVE_INFINITY }: { maxEvents?: number; budgetMs?: number } = {},
  ): Promise<void> {
    let left = maxEvents;
    for (let next = this.replay[this.replayed]; next && next.at <= until; next = this.replay[this.replayed]) {
      const before = this.loop.events;
      const events = next.event - before;
      await this.loop.run(next.at, { maxEvents: Math.min(left, events), budgetMs });
      left -= this.loop.events - before;
      if (this.loop.events < next.event && (left <= 0 || (this.loop.nextAt ?? Number.POSITIVE_INFINITY) <= next.at)) return;
      if (this.loop.events < next.event)
        throw new Error(
          `this session was recorded by another build: its input ${this.replayed} expects event ${next.event}, the world stands at ${this.loop.events}`,
        );
      this.replayed++;
      await this.take(next);
    }
    if (left > 0) await this.loop.run(until, { maxEvents: left, budgetMs });
  }

  /** Gives the world an input now, between two events, and writes it down. */
  async input(body: InputBody): Promise<void> {
    await this.take(body);
  }

  private take(body: InputBody): Promise<void> {
    return this.loop.input(() => {
      this.recorder.record(this.loop.now, this.loop.events, body);
      try {
        this.act(body);
      } catch (error) {
        if (!this.outputs.refused) throw error;
        this.outputs.refused(body, error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  private act(input: InputBody): void {
    switch (input.type) {
      case 'request':
        this.send(input.id, input.upgrade ? { ...parseRequest(input.request), upgrade: this.openUpgrade(input.id) } : parseRequest(input.request));
        return;
      case 'frame':
        if (input.frame) this.upgrades.get(input.id)?.write(input.frame);
        else this.hangUp(input.id);
        return;
      case 'hang-up':
        this.hangUp(input.id);
        return;
      case 'keys':
        this.cluster.laptop.keys(input.terminal, input.text);
        return;
      case 'resize':
        this.cluster.laptop.resize(input.terminal, input.columns, input.rows);
        return;
      case 'run':
        this.cluster.laptop.run(input.command, (result) => this.outputs.ran(input.id, result));
        return;
      case 'fault':
        this.fault(input.fault);
        return;
      default:
        throw new RangeError(`there is no input ${JSON.stringify((input satisfies never as InputBody).type)}`);
    }
  }

  /** A request from outside, as the laptop's administrator; the answer reaches `outputs.response`. */
  private send(id: number, request: ApiRequest): void {
    this.loop.trace.record('user', 'user.request', '', { method: request.method, path: request.path }, false);
    this.cluster.admin(request).then(
      (response) => this.outputs.response(id, response.stream ? { ...response, stream: this.outward(id, response.stream) } : response),
      (error) => this.outputs.response(id, error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** The answer as those outside hold it: they read, and leaving is an input, since it changes the world. */
  private outward(id: number, stream: Stream<unknown>): Stream<unknown> {
    this.answers.set(id, stream);
    let left = false;
    return {
      read: (reader) =>
        stream.read({
          value: (value) => {
            if (!left) reader.value(value);
          },
          end: (error) => {
            this.answers.delete(id);
            if (!left) reader.end(error);
          },
        }),
      cancel: () => {
        if (left || !this.answers.has(id)) return;
        left = true;
        void this.input({ type: 'hang-up', id });
      },
    };
  }

  /** Whoever asked is gone: nobody reads the answer any more, and nothing more is said. */
  private hangUp(id: number): void {
    this.answers.get(id)?.cancel();
    this.answers.delete(id);
    this.upgrades.get(id)?.close();
    this.upgrades.delete(id);
  }

  private openUpgrade(id: number): FramePipe {
    const pipe: FramePipe = new Pipe();
    this.upgrades.set(id, pipe);
    return pipe;
  }

  private fault(fault: Fault): void {
    checkFault(fault);
    this.loop.trace.record('user', 'fault', faultAbout(fault), { ...fault }, false);
    injectFault(this.cluster, fault);
  }

  /** Reads without disturbing: no time, no luck, no trace. */
  observe(request: TextRequest): ApiResponse {
    return this.cluster.observe(parseRequest(request));
  }

  /** Everything that changed since the frame before. */
  frame(): Frame {
    return this.projection.frame();
  }

  hash(): string {
    return this.loop.hash();
  }

  /** Facts of the story (no chatter) since an id. */
  facts(from: number, keep?: (fact: Fact) => boolean): Fact[] {
    return this.loop.trace.since(from, keep);
  }
}

const faultAbout = (fault: Fault): string => {
  switch (fault.kind) {
    case 'node-power':
      return `Node/${fault.node}`;
    case 'kill':
    case 'start':
      return fault.process;
    case 'pause':
      return fault.process;
    case 'latency':
    case 'cut':
    case 'mend':
    case 'loss':
    case 'duplicate':
    case 'reorder':
      return `${fault.from}>${fault.to}`;
    case 'raft-timeout':
      return `EtcdMember/${fault.member}`;
    case 'pause-loop':
    case 'step-loop':
      return `Controller/${fault.loop}`;
    case 'disk':
    case 'disk-full':
    case 'clock':
      return fault.machine;
    default:
      return '';
  }
};
