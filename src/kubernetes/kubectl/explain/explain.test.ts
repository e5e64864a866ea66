import { describe, expect, test } from 'vitest';
import type { Json } from '../../api/json.ts';
import { byKind } from '../../api/resources.ts';
import { explainText } from './explain.ts';
import { wordWrap } from './word-wrap.ts';

const ref = (name: string): Json => ({ allOf: [{ $ref: `#/components/schemas/${name}` }], default: {} });
const DOCUMENT: Json = {
  components: {
    schemas: {
      'x.Deployment': {
        description: 'Deployment enables declarative updates for Pods and ReplicaSets, which is more than fits on a line.',
        type: 'object',
        properties: {
          spec: { description: 'What is wanted.', ...(ref('x.Spec') as object) },
          kind: { description: 'Kind.', type: 'string' },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
        },
        'x-kubernetes-group-version-kind': [{ group: 'apps', kind: 'Deployment', version: 'v1' }],
      },
      'x.Spec': {
        description: 'Spec is the specification.',
        type: 'object',
        required: ['paths'],
        properties: {
          paths: { description: 'Paths.', type: 'array', items: ref('x.Spec') },
          mode: { description: 'Mode.', type: 'string', enum: ['', 'A', 'B', 'C', 'D'] },
          size: ref('x.Quantity'),
        },
      },
      'x.Quantity': { description: 'A number.', oneOf: [{ type: 'string' }] },
    },
  },
};
const explain = (path: readonly string[], recursive = false): string => explainText(DOCUMENT, byKind('Deployment'), path, recursive);
const HEAD = ['GROUP:      apps', 'KIND:       Deployment', 'VERSION:    v1', ''];

describe('explain', () => {
  test('a kind', () => {
    expect(explain([]).split('\n')).toEqual([
      ...HEAD,
      'DESCRIPTION:',
      '    Deployment enables declarative updates for Pods and ReplicaSets, which is',
      '    more than fits on a line.',
      '    ',
      'FIELDS:',
      '  kind\t<string>',
      '    Kind.',
      '',
      '  labels\t<map[string]string>',
      '    <no description>',
      '',
      '  spec\t<Spec>',
      '    What is wanted.',
      '',
      '',
      '',
    ]);
  });

  test('a field, through a list', () => {
    expect(explain(['spec', 'paths', 'mode']).split('\n')).toEqual([
      ...HEAD,
      'FIELD: mode <string>',
      'ENUM:',
      '    ""',
      '    A',
      '    B',
      '    C',
      '    D',
      '',
      'DESCRIPTION:',
      '    Mode.',
      '    ',
      '',
      '',
    ]);
  });

  test('the tree stops where a type contains itself', () => {
    expect(explain(['spec'], true).split('\n')).toEqual([
      ...HEAD,
      'FIELD: spec <Spec>',
      '',
      '',
      'DESCRIPTION:',
      '    What is wanted.',
      '    Spec is the specification.',
      '    ',
      'FIELDS:',
      '  mode\t<string>',
      '  enum: "", A, B, C, ....',
      '  paths\t<[]Spec> -required-',
      '  size\t<Quantity>',
      '',
      '',
    ]);
  });

  test('a field that is not there', () => {
    expect(() => explain(['spec', 'nope'])).toThrow('field "nope" does not exist');
  });
});

test('wordWrap breaks before the word that does not fit and keeps long words whole', () => {
  expect(wordWrap('aa bb cc', 5)).toBe('aa bb\ncc');
  expect(wordWrap('a verylongword b', 6)).toBe('a\nverylongword\nb');
  expect(wordWrap('aaa  bbb\nccc', 80)).toBe('aaa  bbb\nccc');
});
