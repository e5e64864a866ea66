/** The fast scheduler decides as the slow one does, on a thousand clusters, while they change under it. */
import { expect, test } from 'vitest';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { Kind, Kinds, Pod } from '../api/types.gen.ts';
import type { Objects } from './framework.ts';
import { defaultProfile } from './profile.ts';
import { Luck, type RandomCluster, randomCluster, randomNode, randomPod } from './random-cluster.test-support.ts';
import { type Answer, decide, type World } from './reference.test-support.ts';
import { postFilter, schedule, wholeMessage } from './schedule.ts';
import { Snapshot } from './snapshot.ts';

const objectsOf = (cluster: RandomCluster): Objects => {
  const lists: Partial<Record<Kind, readonly object[]>> = {
    Namespace: cluster.namespaces,
    Service: cluster.services,
    ReplicaSet: cluster.replicaSets,
    PodDisruptionBudget: cluster.budgets,
  };
  type Any = { readonly metadata: { readonly namespace?: string; readonly name?: string } };
  const of = (kind: Kind) => (lists[kind] ?? []) as readonly Any[];
  return {
    list: <K extends Kind>(kind: K, namespace?: string) =>
      of(kind).filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace) as unknown as readonly DeepReadonly<Kinds[K]>[],
    get: <K extends Kind>(kind: K, key: string) => of(kind).find((each) => keyOf(each) === key) as unknown as DeepReadonly<Kinds[K]> | undefined,
  };
};

/** The fast one's answer in the slow one's words. */
function fast(snapshot: Snapshot, pod: DeepReadonly<Pod>): Answer {
  const decision = schedule(defaultProfile, pod, snapshot);
  const remedy = postFilter(defaultProfile, pod, snapshot, decision);
  const names = decision.feasible.map(({ name }) => name);
  return {
    node: decision.node,
    message: wholeMessage(decision, remedy),
    verdicts: Object.fromEntries(
      [...decision.rejections].map(([node, { plugin, reasons, unresolvable }]) => [node, { plugin, reasons: [...reasons].sort(), hopeless: unresolvable }]),
    ),
    scores: Object.fromEntries(
      decision.scores.map(({ plugin, raw, normalized }) => [plugin, Object.fromEntries(names.map((node, i) => [node, [raw[i]!, normalized[i]!] as const]))]),
    ),
    totals: Object.fromEntries(decision.totals.map((total, i) => [names[i]!, total])),
    preemption: remedy.chosen && { node: remedy.chosen.node, victims: remedy.chosen.victims.map((victim) => victim.pod.metadata.name!).sort() },
  };
}

function play(seed: number): { decisions: number; placed: number; preempted: number } {
  const luck = new Luck(seed);
  const cluster = randomCluster(luck);
  const snapshot = new Snapshot(objectsOf(cluster));
  for (const node of cluster.nodes) snapshot.setNode(node);
  for (const pod of cluster.pods) snapshot.addPod(pod);
  const nodes = new Map(cluster.nodes.map((node) => [node.metadata.name!, node]));
  const pods = new Map<string, DeepReadonly<Pod>>(cluster.pods.map((pod) => [keyOf(pod), pod]));
  const tally = { decisions: 0, placed: 0, preempted: 0 };
  for (let round = 0; round < 5; round++) {
    const pod = randomPod(luck, `new-${round}`, [...nodes.keys()], true);
    const world: World = { ...cluster, nodes: snapshot.list().map(({ node }) => node), pods: snapshot.allPods() };
    const expected = decide(world, pod);
    for (const [node, verdict] of Object.entries(expected.verdicts))
      (expected.verdicts as Record<string, typeof verdict>)[node] = { ...verdict, reasons: [...verdict.reasons].sort() };
    expect({ seed, round, ...fast(snapshot, pod) }).toEqual({ seed, round, ...expected });
    tally.decisions++;
    if (expected.preemption) tally.preempted++;
    if (expected.node !== undefined) {
      tally.placed++;
      const there = { ...pod, spec: { ...pod.spec!, nodeName: expected.node } };
      pods.set(keyOf(there), there);
      snapshot.addPod(there);
    }
    // Something changes before the next: what is kept up event by event must keep up.
    const leaving = [...pods.values()];
    if (leaving.length > 0 && luck.chance(40)) {
      const gone = luck.of(leaving);
      pods.delete(keyOf(gone));
      snapshot.removePod(gone, gone.spec!.nodeName!);
    }
    if (leaving.length > 0 && luck.chance(30)) {
      const changed = luck.of([...pods.values()]);
      if (changed) {
        const relabelled = { ...changed, metadata: { ...changed.metadata, labels: { app: luck.of(['web', 'db', 'cache']) } } };
        pods.set(keyOf(relabelled), relabelled);
        snapshot.addPod(relabelled);
      }
    }
    if (luck.chance(40)) {
      const node = randomNode(luck, luck.of([...nodes.keys()]));
      nodes.set(node.metadata.name!, node);
      snapshot.setNode(node);
    }
  }
  return tally;
}

test('one thousand clusters', () => {
  const sum = { decisions: 0, placed: 0, preempted: 0 };
  for (let seed = 1; seed <= 1000; seed++) {
    const tally = play(seed);
    sum.decisions += tally.decisions;
    sum.placed += tally.placed;
    sum.preempted += tally.preempted;
  }
  // The drawing is worth something: both outcomes, and preemption, happen often.
  expect(sum.decisions).toBe(5000);
  expect(sum.placed).toBeGreaterThan(1500);
  expect(sum.decisions - sum.placed).toBeGreaterThan(500);
  expect(sum.preempted).toBeGreaterThan(100);
}, 60_000);
