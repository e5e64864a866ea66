import { describe, expect, test } from 'vitest';
import type { Json } from '../../api/json.ts';
import type { Kind } from '../../api/types.gen.ts';
import { decode, decodeError } from './decode.ts';

const deployment = (spec: Json): Json => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec });
const podSpec = (container: Json): Json => ({ template: { spec: { containers: [container] } } });

describe('decoding', () => {
  test('what fits comes back as it is', () => {
    const object = deployment({
      replicas: 1,
      selector: { matchLabels: { a: 'b' } },
      template: { spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'X', value: 'y' }] }] } },
    });
    expect(decode('Deployment', object)).toEqual({ object, unknown: [] });
    expect(decode('Deployment', object).object).toBe(object);
  });

  test('unknown fields are told by path and dropped', () => {
    const { object, unknown } = decode('Deployment', deployment({ replica: 1, ...(podSpec({ name: 'c', imagePullPolcy: 'Always' }) as object) }));
    expect(unknown).toEqual(['unknown field "spec.replica"', 'unknown field "spec.template.spec.containers[0].imagePullPolcy"']);
    expect(object).toEqual(deployment(podSpec({ name: 'c' })));
  });

  test('null, empty lists and empty maps vanish; pointers to empty texts and empty structures do not', () => {
    expect(
      decode('PersistentVolumeClaim', {
        metadata: { name: 'c', labels: {}, annotations: null, creationTimestamp: null, finalizers: [] },
        spec: { storageClassName: '', volumeName: '', accessModes: [], selector: {} },
      }).object,
    ).toEqual({ metadata: { name: 'c' }, spec: { storageClassName: '', selector: {} } });
    expect(decode('Pod', { spec: { containers: [{ name: 'c', env: [{ name: 'A', value: '' }] }], volumes: [{ name: 'v', emptyDir: {} }] } }).object).toEqual({
      spec: { containers: [{ name: 'c', env: [{ name: 'A' }] }], volumes: [{ name: 'v', emptyDir: {} }] },
    });
  });

  test('quantities may be numbers and become canonical', () => {
    expect(decode('Pod', { spec: { containers: [{ name: 'c', resources: { limits: { cpu: 1, memory: '1024Mi' } } }] } }).object).toEqual({
      spec: { containers: [{ name: 'c', resources: { limits: { cpu: '1', memory: '1Gi' } } }] },
    });
  });

  test.each<[Kind, Json, string]>([
    ['Deployment', deployment({ replicas: 'three' }), 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'],
    ['Deployment', deployment({ replicas: 1.5 }), 'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [
      'Deployment',
      deployment(podSpec({ env: [{ name: 'A', value: 5 }] })),
      'json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
    ],
    [
      'Deployment',
      deployment(podSpec({ ports: { containerPort: 80 } })),
      'json: cannot unmarshal object into Go struct field Container.spec.template.spec.containers.ports of type []v1.ContainerPort',
    ],
    [
      'Deployment',
      deployment(podSpec({ imagePullPolicy: 1 })),
      'json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.imagePullPolicy of type v1.PullPolicy',
    ],
    ['ConfigMap', { data: { a: true } }, 'json: cannot unmarshal bool into Go struct field ConfigMap.data of type string'],
    ['Pod', { metadata: { labels: 'x' } }, 'json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string'],
    [
      'Pod',
      { spec: { containers: [{ resources: { limits: { cpu: 'lots' } } }] } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    ['Pod', { spec: 'x' }, 'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec'],
    ['Pod', [], 'json: cannot unmarshal array into Go value of type v1.Pod'],
    ['Pod', { metadata: { creationTimestamp: 'now' } }, 'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"'],
    ['Secret', { data: { a: 'not base64!' } }, 'illegal base64 data at input byte 3'],
    ['Secret', { data: { a: 'YWJ' } }, 'illegal base64 data at input byte 0'],
  ])('%s %j', (kind, body, error) => {
    expect(decode(kind, body).error).toBe(error);
  });

  test('int-or-string is either, base64 may be broken over lines', () => {
    expect(
      decode('Service', {
        spec: {
          ports: [
            { port: 80, targetPort: 'http' },
            { port: 81, targetPort: 8081 },
          ],
        },
      }).error,
    ).toBeUndefined();
    expect(decode('Secret', { data: { a: 'YWJj\nZGVm', b: 'YQ==', c: '' } }).error).toBeUndefined();
  });

  test('the message of the 400', () => {
    const decoded = decode('Deployment', deployment({ replica: 1, foo: 2 }));
    expect(decodeError(decoded, 'Deployment', 'v1', true)).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica", unknown field "spec.foo"',
    );
    expect(decodeError(decoded, 'Deployment', 'v1', false)).toBeUndefined();
    expect(decodeError(decode('Deployment', deployment({ replicas: '3' })), 'Deployment', 'v1', false)).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    );
  });
});
