import { expect, test } from 'vitest';
import { parseYaml } from './yaml.ts';
import { dumpKnown } from './yaml-known.ts';
import { knownYaml } from './yaml-memory.ts';

const values: readonly unknown[] = [
  {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'kube-apiserver', namespace: 'kube-system', annotations: undefined, labels: { tier: 'control-plane', component: 'kube-apiserver' } },
    spec: {
      hostNetwork: true,
      containers: [
        {
          name: 'kube-apiserver',
          command: ['kube-apiserver', '--etcd-servers=https://10.0.0.21:2379'],
          livenessProbe: { httpGet: { port: 6443, path: '/livez' } },
        },
      ],
    },
  },
  { b: 1, a10: 'x', a9: 'yes', A: null, absent: undefined, list: [], map: {}, '1': true },
  {
    texts: ['', '0644', 'no', '1e3', ' padded ', 'two\nlines\n', '- dash', 'a: b', '#', `${'long words '.repeat(20)}end`],
    nested: [[1, [2.5]], [{ z: -1, y: undefined }]],
  },
];

test('what is remembered is what a parser would read, to the order of the keys', () => {
  for (const value of values) {
    const text = dumpKnown(value);
    expect(JSON.stringify(knownYaml(text))).toBe(JSON.stringify(parseYaml(text)));
  }
});

test('other texts are not known, and old ones are forgotten', () => {
  expect(knownYaml('a: 1\n# by hand\n')).toBeUndefined();
  const first = dumpKnown({ number: -1 });
  for (let number = 0; number < 100; number++) dumpKnown({ number });
  expect(knownYaml(first)).toBeUndefined();
  expect(knownYaml('number: 99\n')).toEqual({ number: 99 });
});
