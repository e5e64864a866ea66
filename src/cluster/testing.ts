/**
 * The scenario driver: a whole world, driven as a person drives it, for tests and lessons.
 *
 *     const lab = await cluster('three-nodes');
 *     await lab.run('kubectl create deployment web --image=nginx --replicas=6');
 *     await lab.until(() => lab.pods('app=web').every(isReady));
 */
import { Headless, type Outcome } from '../hosts/node.ts';
import type { Fault } from '../hosts/protocol.ts';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import { parseSelector } from '../kubernetes/api/selector.ts';
import type { Event, Node, Pod } from '../kubernetes/api/types.gen.ts';
import { type Duration, seconds } from '../sim/clock.ts';
import type { Host } from '../sim/loop.ts';

const STEP = seconds(1);
const PATIENCE = seconds(900);
/** Nothing visible happened for this long. */
const QUIET = seconds(15);

export class Lab {
  constructor(readonly headless: Headless) {}

  get world() {
    return this.headless.world;
  }
  get now(): number {
    return this.world.now;
  }

  /** A line in the laptop's shell. */
  run(command: string): Promise<Outcome> {
    return this.headless.run(command);
  }
  /** The same, and it must succeed: its standard output. */
  async ok(command: string): Promise<string> {
    const outcome = await this.run(command);
    if (outcome.exitCode !== 0) throw new Error(`${command}: exit code ${outcome.exitCode}\n${outcome.stdout}${outcome.stderr}`);
    return outcome.stdout;
  }
  async fault(fault: Fault): Promise<void> {
    await this.world.input({ type: 'fault', fault });
  }
  async wait(duration: Duration): Promise<void> {
    await this.world.run(this.world.now + duration);
  }
  /** Runs until it holds; throws with `what` when it does not within `limit` of virtual time. Returns how long it took. */
  async until(holds: () => boolean, what = 'the expected', limit: Duration = PATIENCE): Promise<Duration> {
    const from = this.world.now;
    while (!holds()) {
      if (this.world.now - from >= limit)
        throw new Error(
          `after ${limit / seconds(1)} virtual seconds still not: ${what}\n${await this.headless.run('kubectl get pods -A -o wide; kubectl get nodes; kubectl get events').then((o) => o.stdout)}`,
        );
      await this.world.run(this.world.now + STEP);
    }
    return this.world.now - from;
  }
  /** Runs until nothing a person could see has changed for a while. */
  async quiet(): Promise<void> {
    let stirred = -1;
    while (this.world.projection.stirred !== stirred) {
      stirred = this.world.projection.stirred;
      await this.wait(QUIET);
    }
  }

  objects(plural: string): readonly DeepReadonly<KubeObject>[] {
    return this.world.cluster.mirror.list(plural);
  }
  pods(selector = '', namespace = 'default'): readonly DeepReadonly<Pod>[] {
    const wanted = parseSelector(selector);
    return (this.objects('pods') as readonly DeepReadonly<Pod>[]).filter((pod) => pod.metadata.namespace === namespace && wanted.matches(pod.metadata.labels));
  }
  node(name: string): DeepReadonly<Node> {
    const node = (this.objects('nodes') as readonly DeepReadonly<Node>[]).find((each) => each.metadata.name === name);
    if (!node) throw new Error(`there is no node ${name}`);
    return node;
  }
  events(about: string): readonly DeepReadonly<Event>[] {
    return (this.objects('events') as readonly DeepReadonly<Event>[]).filter(({ involvedObject: object }) => `${object?.kind}/${object?.name}` === about);
  }
}

export const conditionOf = (object: DeepReadonly<Node> | DeepReadonly<Pod>, type: string): string | undefined =>
  object.status?.conditions?.find((condition) => condition.type === type)?.status;
export const isReady = (object: DeepReadonly<Node> | DeepReadonly<Pod>): boolean => conditionOf(object, 'Ready') === 'True';

/** A cluster that is up. */
export async function cluster(topology = 'three-nodes', seed = 1, host?: Host): Promise<Lab> {
  const headless = Headless.start(topology, seed, host);
  await headless.untilReady();
  return new Lab(headless);
}
