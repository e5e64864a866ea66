import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NodeRecord, ServiceRecord } from '../../hosts/protocol.ts';
import { type Box, expectedNodes, MapLayout, slotGrid, touches } from './layout.ts';

const node = (index: number, group = 'nodes'): NodeRecord => ({
  index,
  uid: `uid-${index}`,
  name: `node-${index}`,
  group,
  roles: [],
  ip: '',
  podCidr: '',
  slots: group === 'etcd' ? 0 : 110,
  cpu: { allocatable: 1, requested: 0, used: 0 },
  memory: { allocatable: 1, requested: 0, used: 0 },
  ready: 'True',
  readyReason: '',
  cordoned: false,
  pressures: [],
  taints: [],
  powered: true,
  kubelet: 'running',
});
const service = (key: string): ServiceRecord => ({ key, type: 'ClusterIP', clusterIP: '', ports: '', selector: {}, endpoints: [] });

type Step = { readonly add: 'node'; readonly group: string } | { readonly add: 'service' } | { readonly remove: number };
const steps = fc.array(
  fc.oneof(
    fc.record({ add: fc.constant('node' as const), group: fc.constantFrom('zone-a', 'zone-b', 'etcd') }),
    fc.record({ add: fc.constant('service' as const) }),
    fc.record({ remove: fc.nat(40) }),
  ),
  { maxLength: 60 },
);

/** Plays a history and tells every box after each step. */
function* play(history: readonly Step[]): Generator<Map<string, Box>> {
  const layout = new MapLayout(4);
  const nodes: number[] = [];
  const services: string[] = [];
  let made = 0;
  for (const step of history) {
    if ('remove' in step) {
      const [gone] = nodes.splice(step.remove % Math.max(1, nodes.length), 1);
      if (gone !== undefined) layout.removeNode(gone);
    } else if (step.add === 'node') {
      layout.addNodes([node(made, step.group)]);
      nodes.push(made++);
    } else {
      services.push(`default/s${services.length}`);
      layout.addServices([service(services.at(-1)!)]);
    }
    const boxes = new Map<string, Box>();
    for (const index of nodes) {
      boxes.set(`node ${index}`, layout.nodeBox(index)!);
      if (layout.nodes.get(index)!.box.h > 200) for (const slot of [0, 57, 109]) boxes.set(`slot ${index}/${slot}`, layout.podBox(index, slot)!);
    }
    for (const key of services) boxes.set(key, layout.serviceBox(key)!);
    yield boxes;
  }
}

describe('the map stands still', () => {
  test('S1: adding or deleting anything moves nothing else', () => {
    fc.assert(
      fc.property(steps, (history) => {
        let before = new Map<string, Box>();
        for (const boxes of play(history)) {
          for (const [id, box] of boxes) if (before.has(id)) expect(box).toEqual(before.get(id));
          before = boxes;
        }
      }),
    );
  });

  test('S2: the same history gives the same picture, however it was cut into frames', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('zone-a', 'zone-b', 'etcd'), { maxLength: 40 }), fc.nat(), (groups, cut) => {
        const records = groups.map((group, index) => node(index, group));
        const once = new MapLayout(4);
        once.addNodes(records);
        const twice = new MapLayout(4);
        const at = cut % (records.length + 1);
        twice.addNodes(records.slice(0, at));
        twice.addNodes([...records.slice(at)].reverse());
        for (const record of records) expect(twice.nodeBox(record.index)).toEqual(once.nodeBox(record.index));
      }),
    );
  });

  test('no two things stand on each other', () => {
    fc.assert(
      fc.property(steps, (history) => {
        let last = new Map<string, Box>();
        for (const boxes of play(history)) last = boxes;
        const tops = [...last].filter(([id]) => !id.startsWith('slot')).map(([, box]) => box);
        for (const [i, a] of tops.entries()) for (const b of tops.slice(i + 1)) expect(touches(a, b)).toBe(false);
      }),
    );
  });

  test('a place given up stays empty', () => {
    const layout = new MapLayout(4);
    layout.addNodes([node(0), node(1)]);
    const freed = layout.nodeBox(0);
    layout.removeNode(0);
    layout.addNodes([node(2)]);
    expect(layout.nodeBox(2)).not.toEqual(freed);
    expect(layout.locate(freed!.x + 5, freed!.y + 5)).toBeUndefined();
  });
});

describe('what is under a point', () => {
  test.each([0, 10, 11, 63, 109])('slot %i is found at its own centre', (slot) => {
    const layout = new MapLayout(4);
    layout.addNodes(Array.from({ length: 9 }, (_, index) => node(index, index < 6 ? 'zone-a' : 'zone-b')));
    for (const index of [0, 5, 8]) {
      const box = layout.podBox(index, slot)!;
      expect(layout.locate(box.x + box.w / 2, box.y + box.h / 2)).toEqual({ node: index, slot });
    }
  });

  test('a waiting pod is found on its shelf', () => {
    const layout = new MapLayout(4);
    for (const slot of [0, 5, 6, 40]) {
      const box = layout.podBox(-1, slot)!;
      expect(layout.locate(box.x + box.w / 2, box.y + box.h / 2)).toEqual({ node: -1, slot });
    }
  });

  test('nodes in view are those whose tile touches it', () => {
    const layout = new MapLayout(4);
    const records = Array.from({ length: 50 }, (_, index) => node(index, index % 3 === 0 ? 'zone-b' : 'zone-a'));
    layout.addNodes(records);
    fc.assert(
      fc.property(fc.integer({ min: -500, max: 3000 }), fc.integer({ min: -500, max: 3000 }), fc.integer({ min: 1, max: 2000 }), (x, y, w) => {
        const view = { x, y, w, h: w };
        const seen = new Set(layout.nodesIn(view));
        for (const record of records) if (touches(layout.nodeBox(record.index)!, view)) expect(seen.has(record.index)).toBe(true);
      }),
    );
  });
});

test.each([
  [110, 11, 10],
  [250, 17, 15],
  [0, 11, 10],
])('a grid for %i slots is %i × %i', (slots, columns, rows) => {
  expect(slotGrid(slots)).toMatchObject({ columns, rows });
});

test.each([
  ['three-nodes', 4],
  ['fleet-250', 250],
  ['five-thousand', 5000],
])('topology %s promises %i nodes', (name, count) => {
  expect(expectedNodes(name)).toBe(count);
});
