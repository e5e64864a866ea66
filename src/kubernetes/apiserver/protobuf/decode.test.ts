import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Json } from '../../api/json.ts';
import { fromProtobuf } from './decode.ts';
import { bytes, envelope, field, nested, number } from './encode.test-support.ts';
import recorded from './fixtures/kubectl-1.33.json';

const NOTHING = { apiVersion: '', kind: '' };

// What kubectl 1.33 sent over the wire, beside the JSON that kubectl 1.31, which sends JSON, gave for the same command.
describe('recorded from kubectl', () => {
  test.each(recorded.map(({ command, protobuf, json }) => [command, protobuf, json] as const))('%s', (_, protobuf, json) => {
    expect(fromProtobuf(bytes(protobuf), NOTHING)).toEqual({ value: json });
  });
});

/** The body of a message of `kind`. */
const read = (apiVersion: string, kind: string, message: string): Json => {
  const got = fromProtobuf(envelope(apiVersion, kind, message), NOTHING);
  if (!('value' in got)) throw new Error(JSON.stringify(got));
  const { apiVersion: _, kind: __, ...rest } = got.value as { apiVersion: string; kind: string };
  return rest;
};
const meta = (message: string): Json => read('v1', 'ConfigMap', nested(1, message));
const podSpec = (message: string): Json => (read('v1', 'Pod', nested(2, message)) as { spec: Json }).spec;
const time = (seconds: number, nanos: number) => number(1, seconds) + number(2, nanos);

describe('special cases', () => {
  const table: [string, Json, Json][] = [
    ['zero of a plain value is absence', meta(field(1, 'a') + field(2, '') + number(7, 0)), { metadata: { name: 'a' } }],
    ['zero of a pointer is a value', meta(number(10, 0)), { metadata: { deletionGracePeriodSeconds: 0 } }],
    ['false of a pointer is a value', read('v1', 'ConfigMap', number(4, 0)), { immutable: false }],
    ['what JSON always writes is written', read('apps/v1', 'ReplicaSet', nested(3, number(1, 0) + number(2, 0))), { status: { replicas: 0 } }],
    [
      'zero in an embedded message too',
      podSpec(nested(1, field(1, '') + nested(2, nested(1, field(1, '/') + field(2, ''))))),
      {
        volumes: [{ name: '', hostPath: { path: '/', type: '' } }],
      },
    ],
    ['negative 32 bits', podSpec(number(25, -5)), { priority: -5 }],
    ['negative 64 bits', podSpec(number(4, -1)), { terminationGracePeriodSeconds: -1 }],
    ['64 bits', podSpec(number(4, 2 ** 52 + 1)), { terminationGracePeriodSeconds: 2 ** 52 + 1 }],
    ['true', podSpec(number(11, 1)), { hostNetwork: true }],
    ['repeated numbers', podSpec(nested(14, number(4, 1) + number(4, 0))), { securityContext: { supplementalGroups: [1, 0] } }],
    ['packed numbers', podSpec(nested(14, field(4, '\x01\x00\x80\x01'))), { securityContext: { supplementalGroups: [1, 0, 128] } }],
    ['time', meta(nested(8, time(1_767_600_042, 5))), { metadata: { creationTimestamp: '2026-01-05T08:00:42Z' } }],
    ['time before 1970', meta(nested(8, time(-1, 0))), { metadata: { creationTimestamp: '1969-12-31T23:59:59Z' } }],
    ['the zero time is absence', meta(nested(8, '')), { metadata: {} }],
    [
      'time with microseconds',
      read('coordination.k8s.io/v1', 'Lease', nested(2, nested(4, time(1_767_600_042, 7_000)))),
      {
        spec: { renewTime: '2026-01-05T08:00:42.000007Z' },
      },
    ],
    ['quantity', read('v1', 'ResourceQuota', nested(2, nested(1, field(1, 'cpu') + nested(2, field(1, '500m'))))), { spec: { hard: { cpu: '500m' } } }],
    [
      'quantity where the schema says string',
      read('autoscaling/v2', 'HorizontalPodAutoscaler', nested(2, nested(5, nested(1, nested(4, field(1, '100m')))))),
      {
        spec: { behavior: { scaleUp: { tolerance: '100m' } } },
      },
    ],
    [
      'a number or a text: number',
      read('policy/v1', 'PodDisruptionBudget', nested(2, nested(1, number(1, 0) + number(2, 0) + field(3, '')))),
      {
        spec: { minAvailable: 0 },
      },
    ],
    [
      'a number or a text: text',
      read('policy/v1', 'PodDisruptionBudget', nested(2, nested(3, number(1, 1) + number(2, 0) + field(3, '50%')))),
      {
        spec: { maxUnavailable: '50%' },
      },
    ],
    ['map', meta(nested(11, field(1, 'a') + field(2, 'b')) + nested(11, field(1, 'c'))), { metadata: { labels: { a: 'b', c: '' } } }],
    ['map of bytes', read('v1', 'Secret', nested(2, field(1, 'k') + field(2, '\xff\x00'))), { data: { k: '/wA=' } }],
    [
      'map of lists',
      read('authorization.k8s.io/v1', 'SubjectAccessReview', nested(2, nested(5, field(1, 'scopes') + nested(2, field(1, 'a') + field(1, 'b'))))),
      { spec: { extra: { scopes: ['a', 'b'] } } },
    ],
    ['raw JSON', read('apps/v1', 'ControllerRevision', nested(2, field(1, '{"spec":{}}')) + number(3, 4)), { data: { spec: {} }, revision: 4 }],
    [
      'managed fields',
      meta(nested(17, field(1, 'm') + nested(7, field(1, '{"f:data":{}}')))),
      { metadata: { managedFields: [{ manager: 'm', fieldsV1: { 'f:data': {} } }] } },
    ],
    [
      'an embedded reference',
      podSpec(nested(2, field(1, 'c') + nested(19, nested(2, nested(1, field(1, 'cm')) + number(2, 0))))),
      { containers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'cm', optional: false } }] }] },
    ],
    [
      'an embedded probe',
      podSpec(nested(2, field(1, 'c') + nested(10, nested(1, nested(2, field(1, '/') + nested(2, number(1, 0) + number(2, 80)))) + number(2, 3)))),
      { containers: [{ name: 'c', livenessProbe: { httpGet: { path: '/', port: 80 }, initialDelaySeconds: 3 } }] },
    ],
    [
      'an embedded container',
      podSpec(nested(34, nested(1, field(1, 'debugger') + field(2, 'busybox')) + field(2, 'c'))),
      { ephemeralContainers: [{ name: 'debugger', image: 'busybox', targetContainerName: 'c' }] },
    ],
    ['text of many bytes', read('v1', 'ConfigMap', nested(2, field(1, 'k') + field(2, Buffer.from('grüße✓𝕏').toString('latin1')))), { data: { k: 'grüße✓𝕏' } }],
    ['what is no UTF-8', read('v1', 'ConfigMap', nested(2, field(1, 'k') + field(2, 'a\xffb\xc3'))), { data: { k: 'a\ufffdb\ufffd' } }],
    [
      'fields nobody knows',
      meta(field(99, 'x') + number(98, 1) + '\x91\x06' + '12345678' + '\x95\x06' + '1234' + '\x9b\x06' + number(1, 1) + '\x9c\x06' + field(1, 'a')),
      { metadata: { name: 'a' } },
    ],
  ];
  test.each(table)('%s', (_, got, wanted) => expect(got).toEqual(wanted));

  it('keeps a key named __proto__ a key', () => {
    const { data } = read('v1', 'ConfigMap', nested(2, field(1, '__proto__') + field(2, 'x'))) as { data: object };
    expect(Object.keys(data)).toEqual(['__proto__']);
    expect(({} as { x?: string }).x).toBeUndefined();
  });

  it('takes the kind that is expected when the body names none', () => {
    expect(fromProtobuf(envelope('', '', nested(1, field(1, 'a'))), { apiVersion: 'v1', kind: 'Secret' })).toEqual({
      value: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } },
    });
  });

  it('reads the options of a delete in every group', () => {
    expect(fromProtobuf(envelope('apps/v1', 'DeleteOptions', number(1, 0) + field(4, 'Foreground') + field(5, 'All')), NOTHING)).toEqual({
      value: { apiVersion: 'apps/v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Foreground', dryRun: ['All'] },
    });
  });
});

test.each([
  ['', { error: 'empty data' }],
  ['{"kind":"Pod"}', { error: 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]' }],
  ['k8s\0', { error: 'empty body' }],
  ['k8s\0\x0a\x7f', { error: 'unexpected EOF' }],
  ['k8s\0\x00\x00', { error: 'proto: illegal tag 0 (wire type 0)' }],
  ['k8s\0\x0c', { error: 'proto: wiretype end group for non-group' }],
  [`k8s\0${'\xff'.repeat(11)}`, { error: 'proto: integer overflow' }],
  [envelope('v1', 'Nothing', ''), { unknown: { apiVersion: 'v1', kind: 'Nothing' } }],
  [envelope('v1', 'ConfigMap', number(1, 3)), { error: 'proto: wrong wireType = 0 for field Metadata', gvk: { apiVersion: 'v1', kind: 'ConfigMap' } }],
  [
    envelope('apps/v1', 'ControllerRevision', nested(2, field(1, '{'))),
    { error: 'invalid JSON in a raw field', gvk: { apiVersion: 'apps/v1', kind: 'ControllerRevision' } },
  ],
])('%j is refused', (body, wanted) => {
  expect(fromProtobuf(body, NOTHING)).toEqual(wanted);
});

test('no bytes make it throw', () => {
  const latin1 = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('latin1'));
  const kinds = fc.constantFrom(...recorded.map(({ json }) => json));
  fc.assert(
    fc.property(kinds, latin1, ({ apiVersion, kind }, noise) => {
      fromProtobuf(noise, NOTHING);
      fromProtobuf(`k8s\0${noise}`, NOTHING);
      fromProtobuf(envelope(apiVersion, kind, noise), NOTHING);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...recorded), fc.nat(), fc.nat(255), ({ protobuf }, at, byte) => {
      const body = bytes(protobuf);
      const i = at % body.length;
      fromProtobuf(body.slice(0, i) + String.fromCharCode(byte) + body.slice(i + 1), NOTHING);
      fromProtobuf(body.slice(0, i), NOTHING);
    }),
    { numRuns: 2_000 },
  );
});
