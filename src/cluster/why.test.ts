/** Whose fault it is: every chain of causes belongs to one object's story and ends at what a person did. */
import { describe, expect, test } from 'vitest';
import type { Fact } from '../sim/trace.ts';
import { cluster, isReady, type Lab } from './testing.ts';
import { explain } from './why.ts';

/** A fact told of one pod whose chain of causes passes through another, or does not end at a command, as `type: …`. */
function strays(lab: Lab, from: number): string[] {
  const { trace } = lab.world.loop;
  const told = new Set<string>();
  for (const fact of trace.since(from, (each) => each.about.startsWith('Pod/default/'))) {
    const chain = trace.chain(fact.id);
    // `Pod/default/web-5d8f-`: a request to create, before the server has given it a name.
    const other = chain.find(({ about }) => about.startsWith('Pod/') && !about.endsWith('-') && about !== fact.about && !fact.about.endsWith('-'));
    if (other) told.add(`${fact.by} ${fact.type} of ${fact.about}: ${other.by} ${other.type} of ${other.about}`);
    const root = chain.at(-1) as Fact;
    if (root.type !== 'user.command') told.add(`${fact.by} ${fact.type} of ${fact.about}: begins with ${root.type} of ${root.by}`);
  }
  return [...told];
}
const ready = (lab: Lab, selector: string, count: number) => () =>
  lab.pods(selector).length === count && lab.pods(selector).every((pod) => isReady(pod) && !pod.metadata.deletionTimestamp);

describe('every pod of ten', () => {
  test.each([1, 5])('has a story of its own, back to the command (seed %i)', async (seed) => {
    const lab = await cluster('three-nodes', seed);
    const from = lab.world.loop.trace.newest + 1;
    const command = 'kubectl create deployment web --image=nginx --replicas=10';
    await lab.ok(command);
    await lab.until(ready(lab, 'app=web', 10));
    expect(strays(lab, from)).toEqual([]);
    for (const pod of lab.pods('app=web')) {
      const chain = explain(lab.world.loop.trace, `Pod/default/${pod.metadata.name}`);
      expect(chain.at(-1)!.sentence).toBe(`Somebody typed \`${command}\` on the laptop.`);
      expect(
        chain.flatMap(({ fact }) => (fact.about.startsWith('Pod/') ? [fact.about] : [])).filter((about) => about !== `Pod/default/${pod.metadata.name}`),
      ).toEqual([]);
      const types = chain.map(({ fact }) => fact.type);
      for (const type of ['cri.start', 'sched.bind', 'reconcile.start']) expect(types).toContain(type);
    }
  });
});

test('each request of a command is the command’s own doing', async () => {
  const lab = await cluster();
  await lab.ok('kubectl create deployment web --image=nginx --replicas=4');
  await lab.until(ready(lab, 'app=web', 4));
  const { trace } = lab.world.loop;
  const from = trace.newest + 1;
  await lab.ok('kubectl delete pods -l app=web');
  const deletes = trace.since(from, (fact) => fact.type === 'api.request' && fact.data['method'] === 'DELETE' && fact.data['user'] === 'kubernetes-admin');
  expect(deletes).toHaveLength(4);
  expect(deletes.map(({ cause }) => trace.find(cause)?.data['command'])).toEqual(Array(4).fill('kubectl delete pods -l app=web'));
});

test('a silent node takes its pods out of service, each for itself', async () => {
  const lab = await cluster();
  await lab.ok('kubectl create deployment web --image=nginx --replicas=9');
  await lab.until(ready(lab, 'app=web', 9));
  const there = lab.pods('app=web').filter((pod) => pod.spec?.nodeName === 'node-2');
  expect(there.length).toBeGreaterThan(1);
  await lab.fault({ kind: 'node-power', node: 'node-2', on: false });
  const { trace } = lab.world.loop;
  const from = trace.newest + 1;
  await lab.until(() => lab.pods('app=web').filter((pod) => !isReady(pod)).length === there.length);
  const strangers = strays(lab, from).filter((told) => !told.includes(': begins with '));
  expect(strangers).toEqual([]);
  const chain = explain(lab.world.loop.trace, `Pod/default/${there[0]!.metadata.name}`);
  expect(chain.at(-1)!.sentence).toBe('The node lifecycle controller had not heard from Node node-2 for 40 seconds.');
});
