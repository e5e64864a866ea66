import { describe, expect, test } from 'vitest';
import { compileJsonPath, parseJsonPath, relaxedPath } from './jsonpath.ts';

const pod = (name: string, more: object = {}): object => ({
  metadata: { name },
  spec: {
    nodeName: `on-${name}`,
    containers: [
      { name: 'c', image: `i-${name}` },
      { name: 'd', image: 'side' },
    ],
  },
  ...more,
});
const LIST = {
  kind: 'List',
  items: [
    pod('a', { status: { restarts: 3, ready: true, share: 1.5 }, none: null }),
    pod('b', { status: { restarts: 1, ready: false } }),
    pod('c', { metadata: { name: 'c', annotations: { 'example.com/x': '<&>' }, deletionTimestamp: 't' } }),
  ],
};

// Every expectation was printed by kubectl 1.33.
describe('templates', () => {
  test.each([
    ['{.items[*].metadata.name}', 'a b c'],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.status.restarts}{"\\n"}{end}', 'a\t3\nb\t1\nc\t\n'],
    ['{range .items[*]}{range .spec.containers[*]}{.name}{" "}{end}{"\\n"}{end}done', 'c d \nc d \nc d \ndone'],
    ['{range .nope[*]}{.a}{end}tail', 'tail'],
    ['{.items[0].spec.containers}', '[{"image":"i-a","name":"c"},{"image":"side","name":"d"}]'],
    ['{.items[-1].metadata.name}', 'c'],
    ['{.items[0:2].metadata.name}', 'a b'],
    ['{.items[::2].metadata.name}', 'a c'],
    ['{.items[1:1].metadata.name}', ''],
    ['{.items[?(@.metadata.name=="b")].spec.nodeName}', 'on-b'],
    ['{.items[?(@.metadata.name!="b")].metadata.name}', 'a c'],
    ['{.items[?(@.status.restarts>2)].metadata.name}', 'a'],
    ['{.items[?(@.metadata.deletionTimestamp)].metadata.name}', 'c'],
    ["{.items[*]['metadata.name','spec.nodeName']}", 'a b c on-a on-b on-c'],
    ['{.items[2].metadata.annotations.example\\.com/x}', '<&>'],
    ['{.items[2].metadata.annotations}', '{"example.com/x":"\\u003c\\u0026\\u003e"}'],
    ['{.items[0]..image}', 'i-a side'],
    ['{.items[0].status.share} {.items[0].status.ready}', '1.5 true'],
    ['{.items[0].none}', 'null'],
    ['x{.items[0].nope}y', 'xy'],
    ['.items', '.items'],
    ['{"a\\"b"}{\'it\\\'s\'}', 'a"bit\'s'],
    ['{$.items[0].metadata.name}', 'a'],
  ])('%s', (template, expected) => {
    expect(parseJsonPath(template).print(LIST)).toBe(expected);
  });
});

describe('errors', () => {
  test.each([
    ['{.items', 'error parsing jsonpath {.items, unclosed action\n'],
    ['{.items[0', 'error parsing jsonpath {.items[0, unterminated array\n'],
    ['{.items[x]}', 'error parsing jsonpath {.items[x]}, invalid array index x\n'],
    ['{#}', "error parsing jsonpath {#}, unrecognized character in action: U+0023 '#'\n"],
    ['{.a[?(@.b==1}', 'error parsing jsonpath {.a[?(@.b==1}, unterminated filter\n'],
  ])('%s is no template', (template, message) => {
    expect(() => parseJsonPath(template)).toThrow(message);
  });

  test.each([
    ['{.items[9].a}', 'array index out of bounds: index 9, length 3'],
    ['{.items[2:1]}', 'starting index 2 is greater than ending index 1'],
    ['{.kind[0]}', 'string is not array or slice'],
    ['{end}', 'not in range, nothing to end'],
    ['{foo}', 'unrecognized identifier foo'],
    ['{.items[?(@.status.restarts=="x")]}', 'incompatible types for comparison'],
  ])('%s fails', (template, message) => {
    expect(() => parseJsonPath(template).print(LIST)).toThrow(
      `error executing jsonpath ${JSON.stringify(template)}: Error executing template: ${message}. Printing`,
    );
    expect(() => compileJsonPath(template).find(LIST)).toThrow(new Error(message));
  });

  test('a missing key, when missing keys are errors', () => {
    expect(() => compileJsonPath('{.nope}', false).find(LIST)).toThrow(new Error('nope is not found'));
  });
});

test('find gives the values themselves', () => {
  expect(compileJsonPath('{.items[*].status.restarts}').find(LIST)).toEqual([3, 1]);
  expect(compileJsonPath('{.nope}').find(LIST)).toEqual([]);
});

test.each([
  ['metadata.name', '{.metadata.name}'],
  ['.metadata.name', '{.metadata.name}'],
  ['{metadata.name}', '{.metadata.name}'],
  ['{.metadata.name}', '{.metadata.name}'],
  ['', ''],
])('relaxed: %s', (given, expected) => {
  expect(relaxedPath(given)).toBe(expected);
});

test('what is no path at all', () => {
  expect(() => relaxedPath('{.a}{.b}')).toThrow("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'");
});
