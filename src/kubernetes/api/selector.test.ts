import { describe, expect, test } from 'vitest';
import { fieldValue, matchesFields, parseFieldSelector, unsupportedField } from './field-selector.ts';
import { formatLabelSelector, matchesSet, parseSelector, selectorOf } from './selector.ts';

describe('label selectors as text', () => {
  const labels = { app: 'web', tier: 'front', n: '5', empty: '' };
  test.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app=db', false],
    ['app!=db', true],
    ['missing!=x', true],
    ['app in (web,db)', true],
    ['app in (db)', false],
    ['app notin (db)', true],
    ['missing notin (db)', true],
    ['app', true],
    ['missing', false],
    ['!missing', true],
    ['!app', false],
    ['n>4', true],
    ['n>5', false],
    ['n<6', true],
    ['app>4', false],
    ['empty=', true],
    ['app=web,tier in (front,back),!old', true],
    [' app = web , tier ', true],
    ['in=web', false],
    ['empty in ()', true],
  ])('%j matches: %s', (text, matches) => {
    expect(parseSelector(text).matches(labels)).toBe(matches);
  });

  test.each([
    ['app=web,', "found '', expected: identifier after ','"],
    ['app in', "unable to parse requirement: found '' expected: '('"],
    ['app in web', "unable to parse requirement: found 'web' expected: '('"],
    ['app in (web', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['app web', "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"],
    ['=web', "found '=', expected: !, identifier, or 'end of string'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['n>x', "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"],
    [
      'a_=1',
      "unable to parse requirement: <nil>: Invalid value: \"a_\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
    [
      'a=-',
      "unable to parse requirement: values[0][a]: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  ])('%j is refused', (text, message) => {
    expect(() => parseSelector(text)).toThrow(message);
  });

  test('written back, sorted by key', () => {
    expect(parseSelector('tier notin (b,a),app=web,!old,x').toString()).toBe('app=web,!old,tier notin (a,b),x');
  });
});

describe('label selectors as objects', () => {
  test('none selects nothing, empty everything', () => {
    expect(selectorOf(undefined).matches({})).toBe(false);
    expect(selectorOf({}).matches({})).toBe(true);
    expect(selectorOf({}).empty).toBe(true);
  });
  test('pairs and expressions must all hold', () => {
    const selector = selectorOf({
      matchLabels: { a: '1' },
      matchExpressions: [
        { key: 'b', operator: 'In', values: ['x', 'y'] },
        { key: 'c', operator: 'DoesNotExist' },
      ],
    });
    expect(selector.matches({ a: '1', b: 'y' })).toBe(true);
    expect(selector.matches({ a: '1', b: 'y', c: '' })).toBe(false);
    expect(selector.toString()).toBe('a=1,b in (x,y),!c');
  });
  test('an unknown operator is refused', () => {
    expect(() => selectorOf({ matchExpressions: [{ key: 'a', operator: 'Like' }] })).toThrow('"Like" is not a valid label selector operator');
  });
  test('plain sets and printing', () => {
    expect(matchesSet({ a: '1' }, { a: '1', b: '2' })).toBe(true);
    expect(matchesSet({}, { a: '1' })).toBe(false);
    expect(formatLabelSelector({})).toBe('<none>');
    expect(formatLabelSelector({ matchLabels: { app: 'web' } })).toBe('app=web');
  });
});

describe('field selectors', () => {
  const pod = { metadata: { name: 'web', namespace: 'default' }, spec: { nodeName: 'node-1' }, status: { phase: 'Running' } };
  test.each([
    ['spec.nodeName=node-1', true],
    ['spec.nodeName=node-1,status.phase!=Succeeded,status.phase!=Failed', true],
    ['metadata.name==web', true],
    ['status.nominatedNodeName=', true],
    ['spec.hostNetwork=false', true],
    ['status.phase=Pending', false],
  ])('%s: %s', (text, matches) => {
    expect(matchesFields('Pod', parseFieldSelector(text), pod)).toBe(matches);
  });
  test('what cannot be understood or selected by', () => {
    expect(() => parseFieldSelector('nonsense')).toThrow("invalid selector: 'nonsense'; can't understand 'nonsense'");
    expect(unsupportedField('Pod', 'spec.foo')).toBe('field label not supported: spec.foo');
    expect(unsupportedField('Deployment', 'spec.replicas')).toBe('"spec.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"');
    expect(unsupportedField('Pod', 'metadata.name')).toBeUndefined();
    expect(parseFieldSelector('a=b\\,c')).toEqual([{ field: 'a', operator: '=', value: 'b,c' }]);
    expect(fieldValue('Node', {}, 'spec.unschedulable')).toBe('false');
  });
});
