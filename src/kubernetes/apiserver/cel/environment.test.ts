import { expect, test } from 'vitest';
import { CelCompileError, CelEvaluationError, celAuthorizer, compile, lazyVariables } from './environment.ts';
import { INT, listOf, STRING } from './types.ts';

const object = {
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web', 'a.b/c': 'x' } },
  spec: {
    replicas: 3,
    ratio: 0.5,
    items: [
      { name: 'a', value: 1 },
      { name: 'b', value: 2 },
    ],
    paused: false,
    empty: null,
  },
};
const run = (expression: string): unknown => compile(expression, { variables: ['object', 'oldObject', 'params'] }).evaluate({ object, oldObject: null });

test.each<[string, unknown]>([
  ['object.spec.replicas <= 5', true],
  ['object.spec.replicas + 1', 4],
  ['object.spec.ratio * 2.0', 1],
  ['object.metadata.namespace', 'shop'],
  ['object.metadata.labels["a.b/c"]', 'x'],
  ['"app" in object.metadata.labels', true],
  ['has(object.spec.replicas) && !has(object.spec.none)', true],
  ['has(object.spec.items[0].name)', true],
  ['object.spec.items.all(i, i.value > 0)', true],
  ['object.spec.items.exists(i, i.missing == 1 || i.name == "b")', true],
  ['object.spec.items.exists_one(i, i.name == "b")', true],
  ['object.spec.items.map(i, i.name)', ['a', 'b']],
  ['object.spec.items.filter(i, i.value > 1).size()', 1],
  ['object.spec.items.map(i, i.value > 1, i.name)', ['b']],
  ['object.metadata.labels.all(k, k.size() > 0)', true],
  ['object.spec.items.all(i, e, e.value == i + 1)', true],
  ['object.spec.items.transformList(i, e, e.value * i)', [0, 2]],
  ['object.metadata.labels.transformMap(k, v, v + k)["app"]', 'webapp'],
  ['object.?spec.?none.orValue("d")', 'd'],
  ['object.?spec.replicas.orValue(7)', 3],
  ['object.spec.?replicas.optMap(r, r * 2).orValue(0)', 6],
  ['object.spec[?"none"].hasValue()', false],
  ['oldObject == null', true],
  ['object.spec.empty == null', true],
  ['dyn(1) == 1.0 && [1, 2] == [1, 2] && {"a": 1} == {"a": 1}', true],
  ['false && object.no.such', false],
  ['object.no.such || true', true],
  ['quantity("1Gi").isGreaterThan(quantity("500Mi"))', true],
  ['isQuantity("1.5x")', false],
  ['quantity("2").add(quantity("500m")).compareTo(quantity("2500m"))', 0],
  ['quantity("50k").asInteger()', 50_000],
  ['ip("10.0.0.1").family()', 4],
  ['isIP("10.0.0.256") || isIP("010.0.0.1")', false],
  ['cidr("10.0.0.0/8").containsIP("10.1.2.3")', true],
  ['cidr("10.0.0.0/8").containsCIDR(cidr("10.1.0.0/16"))', true],
  ['string(cidr("10.1.2.3/8").masked())', '10.0.0.0/8'],
  ['ip.isCanonical("::1") && !ip.isCanonical("0:0::1")', true],
  ['url("https://example.com:80/a?b=c").getHostname()', 'example.com'],
  ['url("https://example.com:80/a?b=c").getQuery()["b"]', ['c']],
  ['isURL("../x")', false],
  ['"abc 123".find("[0-9]+")', '123'],
  ['"a1b2".findAll("[0-9]")', ['1', '2']],
  ['[1, 2, 3].isSorted() && [1, 2, 3].sum() == 6 && [2, 1].min() == 1 && ["a", "b"].max() == "b"', true],
  ['[1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2', true],
  ['"hello".charAt(1) + "x".replace("x", "y") + "AbC".lowerAscii() + "a-b".split("-")[1]', 'eyabcb'],
  ['["a", "b"].join(",") + "hello".substring(1, 3) + " t ".trim() + "q".upperAscii()', 'a,beltQ'],
  ['"%s has %d of %.2f".format([dyn("x"), 3, 1.5])', 'x has 3 of 1.50'],
  ['sets.contains([1, 2, 3], [2, 3]) && sets.equivalent([1, 1], [1]) && !sets.intersects([1], [2])', true],
  ['duration("1h30m").getMinutes() == 90', true],
  ['timestamp("2024-02-29T12:00:00Z").getDayOfYear()', 59],
  ['timestamp("2024-01-01T00:00:00Z") - timestamp("2023-12-31T23:00:00Z") == duration("1h")', true],
  ['string(timestamp("2024-01-01T00:00:00+01:00") + duration("1.5s"))', '2023-12-31T23:00:01.5Z'],
  ['"foo".matches("^[a-z]+$")', true],
  ['"ABC".matches("(?i)abc") && "x1".matches("\\\\A\\\\w\\\\d\\\\z")', true],
  ['type(1) == int && type("") == string', true],
  ['int("42") + int(3.7)', 45],
  ['math.greatest(1, 5, 3)', 5],
  ['base64.decode("aGk=") == b"hi" && base64.encode(b"hi") == "aGk="', true],
  ['semver("1.2.3").isLessThan(semver("1.10.0-rc.1"))', true],
  ['format.dns1123Label().validate("web").hasValue()', false],
  ['format.named("uuid").value().validate("x").value()', ['does not match the UUID format']],
  ['1 in [1, 2] ? "yes" : "no"', 'yes'],
  ['Object{spec: Object.spec{replicas: object.spec.replicas}}', { spec: { replicas: 3 } }],
  ['[JSONPatch{op: "add", path: "/a~b", value: {"x": "}"}}]', [{ op: 'add', path: '/a~b', value: { x: '}' } }]],
])('%s', (expression, expected) => {
  expect(run(expression)).toEqual(expected);
});

test.each<[string, string]>([
  ['object.spec.none', 'no such key: none'],
  ['object.spec.items[5]', 'index out of bounds: 5'],
  ['object.spec.replicas + "x"', 'no such overload'],
  ['1 / (object.spec.replicas - 3)', 'division by zero'],
  ['object.metadata.labels["none"]', 'no such key: none'],
  ['object.spec.items.all(i, i.none)', 'no such key: none'],
  ['9223372036854775807 + object.spec.replicas', 'integer overflow'],
  ['quantity("x" + object.metadata.name)', "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
  [
    'object.spec.items.map(a, object.spec.items.map(b, [1,2,3,4,5,6,7,8,9,10].map(c, [1,2,3,4,5,6,7,8,9,10].map(d, [1,2,3,4,5,6,7,8,9,10].map(e, [1,2,3,4,5,6,7,8,9,10].map(f, [1,2,3,4,5,6,7,8,9,10].map(g, [1,2,3,4,5,6,7,8,9,10].map(h, 1))))))))',
    'operation cancelled: actual cost limit exceeded',
  ],
])('%s fails: %s', (expression, expected) => {
  expect(() => run(expression)).toThrow(new CelEvaluationError(expected));
});

test.each<[string, string]>([
  ['foo.bar', "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo.bar\n | ^"],
  ['object.x == foo(1)', "ERROR: <input>:1:16: undeclared reference to 'foo' (in container '')\n | object.x == foo(1)\n | ...............^"],
  ['1 + "a" == object.x', "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + \"a\" == object.x\n | ..^"],
  ['self.n.size() > 0', "ERROR: <input>:1:12: found no matching overload for 'size' applied to 'int.()'\n | self.n.size() > 0\n | ...........^"],
  ['self.m == 1', "ERROR: <input>:1:5: undefined field 'm'\n | self.m == 1\n | ....^"],
  [
    'self.names.all(x, x > 1)',
    "ERROR: <input>:1:21: found no matching overload for '_>_' applied to '(string, int)'\n | self.names.all(x, x > 1)\n | ....................^",
  ],
  ['"x".matches("[")', 'ERROR: <input>:1:13: invalid matches argument\n | "x".matches("[")\n | ............^'],
  ['duration("1x") == duration("1s")', 'ERROR: <input>:1:10: invalid duration argument\n | duration("1x") == duration("1s")\n | .........^'],
  ['[1, "a"] == []', "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, \"a\"] == []\n | ....^"],
])('%s is refused', (expression, expected) => {
  const self = { kind: 'object', name: 'self', fields: { n: { name: 'n', type: INT }, names: { name: 'names', type: listOf(STRING) } } } as const;
  expect(() => compile(expression, { variables: ['object'], typed: { self } })).toThrow(new CelCompileError(`compilation failed: ${expected}`));
});

test('the type of the result is held', () => {
  expect(() => compile('1 + 1', { variables: [], returns: 'bool' })).toThrow('must evaluate to bool');
  expect(() => compile('1 +', { variables: [] })).toThrow(/^compilation failed: ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>'/);
});

test('variables are computed when they are asked for, once', () => {
  let computed = 0;
  const variables = lazyVariables({
    a: () => ++computed,
    b: () => {
      throw new CelEvaluationError('never asked');
    },
  });
  expect(compile('variables.a + variables.a', { variables: ['variables'] }).evaluate({ variables })).toBe(2);
  expect(computed).toBe(1);
});

test('the authorizer is asked what the expression says', () => {
  const asked: unknown[] = [];
  const authorizer = celAuthorizer((question) => {
    asked.push(question);
    return { allowed: question.verb === 'get', reason: 'because' };
  });
  const program = compile("authorizer.group('apps').resource('deployments').namespace('x').check('get').allowed()", {
    variables: ['authorizer'],
    returns: 'bool',
  });
  expect(program.evaluate({ authorizer })).toBe(true);
  expect(asked).toEqual([{ verb: 'get', group: 'apps', resource: 'deployments', subresource: '', namespace: 'x', name: '' }]);
});
