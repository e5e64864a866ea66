import { describe, expect, test } from 'vitest';
import { dump, loadDocuments, parseYaml, YamlError } from './yaml.ts';

describe('reads as kubectl does', () => {
  test.each([
    ['0644', 420],
    ['0o644', 420],
    ['0400', 256],
    ['0x1f', 31],
    ['0b11', 3],
    ['08', 8],
    ['1_000', 1000],
    ['+5', 5],
    ['-5', -5],
    ['yes', true],
    ['on', true],
    ['Off', false],
    ['n', false],
    ['22:22', '22:22'],
    ['2024-01-01', '2024-01-01'],
    ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
    ['~', null],
    ['null', null],
    ['1e3', 1000],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['1.2.3', '1.2.3'],
    ['100m', '100m'],
    ['"1"', '1'],
    ["'yes'", 'yes'],
    ['!!str 5', '5'],
    ['[1, two]', [1, 'two']],
  ])('%s', (text, value) => {
    expect(parseYaml(`v: ${text}`)).toEqual({ v: value });
  });

  test('merge keys, aliases and keys that are no texts', () => {
    expect(parseYaml('b: &b {x: 1}\nc: {<<: *b, z: 2}\n')).toEqual({ b: { x: 1 }, c: { x: 1, z: 2 } });
    expect(parseYaml('1: a\ntrue: b\n')).toEqual({ '1': 'a', true: 'b' });
  });

  test('documents with the line each begins on', () => {
    const text = '# head\n\nkind: A\n---\n# only a comment\n---\n\nkind: B\n--- # C\nkind: C\n';
    expect(loadDocuments(text).map(({ value, line }) => [(value as { kind: string }).kind, line])).toEqual([
      ['A', 3],
      ['B', 8],
      ['C', 10],
    ]);
    expect(loadDocuments('')).toEqual([]);
    expect(loadDocuments('--- \n---\n')).toEqual([]);
  });

  test.each([
    ['a: b: c', 'yaml: mapping values are not allowed in this context', 1],
    ['kind: A\n---\na:\n  b: 1\n c: 2\n', 'yaml: line 3: did not find expected key', 5],
    ['a:\n\tb: 1\n', 'yaml: line 2: found character that cannot start any token', 2],
  ])('%j is refused', (text, message, line) => {
    let error: unknown;
    try {
      loadDocuments(text);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(YamlError);
    expect((error as YamlError).message).toBe(message);
    expect((error as YamlError).line).toBe(line);
  });
});

describe('writes as kubectl does', () => {
  test('a pod', () => {
    const pod = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'web', creationTimestamp: '2026-01-05T08:00:00Z', labels: { app: 'web', 'n-10': '1', 'n-9': 'yes' }, annotations: {} },
      spec: { containers: [{ name: 'c', args: ['-c', 'echo: hi', ''], ports: [] }], volumes: [[1, [2]]], x: undefined, y: null },
    };
    expect(dump(pod)).toBe(`apiVersion: v1
kind: Pod
metadata:
  annotations: {}
  creationTimestamp: "2026-01-05T08:00:00Z"
  labels:
    app: web
    n-9: "yes"
    n-10: "1"
  name: web
spec:
  containers:
  - args:
    - -c
    - 'echo: hi'
    - ""
    name: c
    ports: []
  volumes:
  - - 1
    - - 2
  "y": null
`);
  });

  test('long texts fold after column 80', () => {
    const message = '0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 Insufficient cpu.';
    expect(dump({ status: { conditions: [{ message }] } })).toBe(`status:
  conditions:
  - message: '0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane:
      }, 3 Insufficient cpu.'
`);
  });

  test('texts of several lines', () => {
    expect(dump({ a: 'x\ny\n', b: 'x\ny', c: 'x\n\n', d: 'x \ny', e: '\tx\ny', f: '  x\ny\n' })).toBe(
      'a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: "x \\ny"\ne: "\\tx\\ny"\nf: |2\n    x\n  y\n',
    );
  });

  test.each([
    [null],
    [true],
    [1.5],
    ['1e3'],
    ['0x1'],
    ['a #b'],
    ['- a'],
    ['*x'],
    ["it's"],
    [' x'],
    ['\u00e9'],
    [{ 'a b': ['c: d', { e: {} }] }],
    ['x\n'],
    ['a\n  b\n\nc'],
    ['%'],
    ['true'],
  ])('reads back %j', (value) => {
    expect(parseYaml(dump({ v: value }))).toEqual({ v: value });
  });
});
