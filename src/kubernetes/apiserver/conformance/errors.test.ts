/**
 * Every way to be refused, and the Status that says so: code, reason, message and details as upstream's
 * apimachinery `pkg/api/errors` makes them. Bodies are texts, as from outside.
 */
import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../../sim/clock.ts';
import type { ApiRequest } from '../../api/request.ts';
import { deployment, type Loose, pod, type TestServer, withApiServer } from '../testing.test-support.ts';

const story = async (run: Parameters<typeof withApiServer>[0], options: Parameters<typeof withApiServer>[1] = {}): Promise<void> =>
  void (await withApiServer(run, options));
const CORE = '/api/v1/namespaces/default';
const CONFIG = `${CORE}/configmaps`;
const APPS = '/apis/apps/v1/namespaces/default';
const DEPLOYMENTS = `${APPS}/deployments`;
const cm = (name: string, more: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more });
const JSON_TYPE = { 'content-type': 'application/json' };
const MERGE = { 'content-type': 'application/merge-patch+json' };
const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const text = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body));

interface Case {
  readonly name: string;
  readonly method?: ApiRequest['method'];
  readonly url: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly more?: Partial<ApiRequest>;
  readonly status: Loose;
}

/** What every Status of failure has besides what the case says. */
const failure = (code: number, reason: string, message: string, details?: object) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  ...(reason ? { reason } : {}),
  ...(details ? { details } : {}),
  code,
});
const invalid = (kind: string, group: string, name: string, field: string, reason: string, message: string) =>
  failure(422, 'Invalid', `${kind}${group ? `.${group}` : ''} "${name}" is invalid: ${field}: ${message}`, {
    ...(name ? { name } : {}),
    ...(group ? { group } : {}),
    kind,
    causes: [{ reason, message, field }],
  });
const options = (kind: string, field: string, reason: string, message: string) => invalid(kind, 'meta.k8s.io', '', field, reason, message);
const NO_PATH = failure(404, 'NotFound', 'the server could not find the requested resource', {});
const NOT_ALLOWED = failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
const STALE = 'the object has been modified; please apply your changes to the latest version and try again';
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const BODIES: readonly Case[] = [
  {
    name: 'no JSON',
    url: CONFIG,
    body: '{"metadata": x}',
    status: failure(
      400,
      'BadRequest',
      `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: invalid character 'x' looking for beginning of value ({"metadata": x})`,
    ),
  },
  {
    name: 'another kind',
    url: CONFIG,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } },
    status: failure(
      400,
      'BadRequest',
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    ),
  },
  {
    name: 'a list',
    url: `${CORE}/pods`,
    body: { apiVersion: 'v1', kind: 'List', items: [] },
    status: failure(400, 'BadRequest', 'List in version "v1" cannot be handled as a Pod: converting (v1.List) to (core.Pod): unknown conversion'),
  },
  {
    name: 'a kind of another group',
    url: `${CORE}/services`,
    body: deployment('a'),
    status: failure(
      400,
      'BadRequest',
      'Deployment in version "v1" cannot be handled as a Service: converting (v1.Deployment) to (core.Service): unknown conversion',
    ),
  },
  {
    name: 'no kind at all',
    url: CONFIG,
    body: { apiVersion: 'v1', kind: 'Confmap', metadata: { name: 'a' } },
    status: failure(
      400,
      'BadRequest',
      'Confmap in version "v1" cannot be handled as a ConfigMap: no kind "Confmap" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ),
  },
  {
    name: 'a version that is not served',
    url: DEPLOYMENTS,
    body: { ...deployment('a'), apiVersion: 'apps/v1beta9' },
    status: failure(
      400,
      'BadRequest',
      'Deployment in version "v1beta9" cannot be handled as a Deployment: no kind "Deployment" is registered for version "apps/v1beta9" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ),
  },
  {
    name: 'another version of the group',
    url: '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers',
    body: { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'a' } },
    status: failure(400, 'BadRequest', 'the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)'),
  },
  {
    name: 'a value of another type',
    url: DEPLOYMENTS,
    body: { ...deployment('a'), spec: { replicas: 'two' } },
    status: failure(
      400,
      'BadRequest',
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ),
  },
  {
    name: 'unknown and doubled fields, strictly',
    url: `${CONFIG}?fieldValidation=Strict`,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","name":"b"},"dta":{},"data":{"x":"1","x":"2"}}',
    status: failure(
      400,
      'BadRequest',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "metadata.name", duplicate field "data.x", unknown field "dta"',
    ),
  },
  {
    name: 'no way to validate',
    url: `${CONFIG}?fieldValidation=Maybe`,
    body: cm('a'),
    status: options(
      'CreateOptions',
      'fieldValidation',
      'FieldValueNotSupported',
      'Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"',
    ),
  },
  {
    name: 'no dry run',
    url: `${CONFIG}?dryRun=Some`,
    body: cm('a'),
    status: options('CreateOptions', 'dryRun', 'FieldValueNotSupported', 'Unsupported value: ["Some"]: supported values: "All"'),
  },
  {
    name: 'another name than the path',
    method: 'PUT',
    url: `${CONFIG}/there`,
    body: cm('elsewhere'),
    status: failure(400, 'BadRequest', 'the name of the object (elsewhere) does not match the name on the URL (there)'),
  },
  {
    name: 'another namespace than the path',
    url: CONFIG,
    body: cm('a', { metadata: { name: 'a', namespace: 'kube-system' } }),
    status: failure(400, 'BadRequest', 'the namespace of the provided object does not match the namespace sent on the request'),
  },
  {
    name: 'no media type that is read',
    url: CONFIG,
    body: 'a',
    headers: { 'content-type': 'text/plain' },
    status: failure(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    ),
  },
  {
    name: 'no way to patch',
    method: 'PATCH',
    url: `${CONFIG}/there`,
    body: {},
    headers: JSON_TYPE,
    status: failure(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
    ),
  },
  {
    name: 'no form that is made',
    method: 'GET',
    url: `${CONFIG}/there`,
    headers: { accept: 'text/html' },
    status: failure(
      406,
      'NotAcceptable',
      'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    ),
  },
  {
    name: 'too much',
    url: CONFIG,
    body: cm('a', { data: { a: 'x'.repeat(3 * 1024 * 1024) } }),
    status: failure(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728'),
  },
  {
    name: 'more than etcd takes',
    url: `${CORE}/podtemplates`,
    body: { metadata: { name: 'a' }, template: { metadata: {}, spec: { containers: [{ name: 'c', image: 'x', args: ['x'.repeat(1_600_000)] }] } } },
    status: failure(500, '', 'etcdserver: request is too large'),
  },
  {
    name: 'a time that is none',
    url: `${CONFIG}?timeout=soon`,
    body: cm('a'),
    status: failure(400, 'BadRequest', 'invalid timeout specified in the request URL - time: invalid duration "soon"'),
  },
  {
    name: 'a time without a unit',
    method: 'GET',
    url: `${CONFIG}?timeout=5`,
    status: failure(400, 'BadRequest', 'invalid timeout specified in the request URL - time: missing unit in duration "5"'),
  },
  {
    name: 'a version from the start',
    url: CONFIG,
    body: cm('a', { metadata: { name: 'a', resourceVersion: '1' } }),
    status: failure(500, '', 'resourceVersion should not be set on objects to be created'),
  },
];

const PATCHES: readonly Case[] = [
  {
    name: 'a merge patch that is no JSON',
    method: 'PATCH',
    url: `${CONFIG}/there`,
    body: 'x',
    headers: MERGE,
    status: failure(400, 'BadRequest', "error decoding patch: invalid character 'x' looking for beginning of value"),
  },
  {
    name: 'a value of another type, merged',
    method: 'PATCH',
    url: `${DEPLOYMENTS}/web`,
    body: { spec: { replicas: 'two' } },
    headers: STRATEGIC,
    status: failure(422, 'Invalid', ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:two]]": unrecognized type: int32', {
      causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: "map[spec:map[replicas:two]]": unrecognized type: int32', field: 'patch' }],
    }),
  },
  {
    name: 'an unknown field, merged strictly',
    method: 'PATCH',
    url: `${DEPLOYMENTS}/web?fieldValidation=Strict`,
    body: { spec: { replcas: 2 } },
    headers: STRATEGIC,
    status: failure(422, 'Invalid', ' "" is invalid: patch: Invalid value: "map[spec:map[replcas:2]]": strict decoding error: unknown field "spec.replcas"', {
      causes: [
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: "map[spec:map[replcas:2]]": strict decoding error: unknown field "spec.replcas"',
          field: 'patch',
        },
      ],
    }),
  },
  {
    name: 'a test that fails',
    method: 'PATCH',
    url: `${CONFIG}/there`,
    body: [{ op: 'test', path: '/data/a', value: 'no' }],
    headers: JSON_PATCH,
    status: failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {}),
  },
  {
    name: 'what is not there, taken out',
    method: 'PATCH',
    url: `${CONFIG}/there`,
    body: [{ op: 'remove', path: '/data/nope' }],
    headers: JSON_PATCH,
    status: failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {}),
  },
  {
    name: 'no list of operations',
    method: 'PATCH',
    url: `${CONFIG}/there`,
    body: { op: 'remove' },
    headers: JSON_PATCH,
    status: failure(400, 'BadRequest', 'error decoding patch: json: cannot unmarshal object into Go value of type []interface {}'),
  },
  {
    name: 'more operations than a patch may have',
    method: 'PATCH',
    url: `${CONFIG}/there`,
    body: Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/a', value: '1' })),
    headers: JSON_PATCH,
    status: failure(413, 'RequestEntityTooLarge', 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001'),
  },
  {
    name: 'another kind, merged',
    method: 'PATCH',
    url: `${CONFIG}/there`,
    body: { kind: 'Secret' },
    headers: MERGE,
    status: expect.objectContaining({
      code: 422,
      reason: 'Invalid',
      message: expect.stringMatching(/^ "" is invalid: patch: Invalid value: ".*": converting \(v1\.Secret\) to \(core\.ConfigMap\): unknown conversion$/),
    }),
  },
  {
    name: 'force without apply',
    method: 'PATCH',
    url: `${CONFIG}/there?force=true`,
    body: {},
    headers: MERGE,
    status: options('PatchOptions', 'force', 'FieldValueForbidden', 'Forbidden: may not be specified for non-apply patch'),
  },
  {
    name: 'apply without a manager',
    method: 'PATCH',
    url: `${CONFIG}/there`,
    body: cm('there'),
    headers: { 'content-type': 'application/apply-patch+yaml' },
    status: options('PatchOptions', 'fieldManager', 'FieldValueRequired', 'Required value: is required for apply patch'),
  },
  {
    name: 'another name',
    method: 'PATCH',
    url: `${CONFIG}/there`,
    body: { metadata: { name: 'elsewhere' } },
    headers: MERGE,
    status: failure(400, 'BadRequest', 'the name of the object (elsewhere) does not match the name on the URL (there)'),
  },
  {
    name: 'what is not there',
    method: 'PATCH',
    url: `${CONFIG}/nowhere`,
    body: {},
    headers: MERGE,
    status: failure(404, 'NotFound', 'configmaps "nowhere" not found', { name: 'nowhere', kind: 'configmaps' }),
  },
];

const PATHS: readonly Case[] = [
  { name: 'no such path', method: 'GET', url: '/nowhere', status: NO_PATH },
  { name: 'no such resource', method: 'GET', url: '/api/v1/namespaces/default/things', status: NO_PATH },
  { name: 'no such group', method: 'GET', url: '/apis/example.com/v1/things', status: NO_PATH },
  { name: 'no such version', method: 'GET', url: '/apis/apps/v9/deployments', status: NO_PATH },
  { name: 'no such subresource', method: 'GET', url: `${CONFIG}/there/status`, status: NO_PATH },
  {
    name: 'no such object',
    method: 'GET',
    url: `${DEPLOYMENTS}/nope`,
    status: failure(404, 'NotFound', 'deployments.apps "nope" not found', { name: 'nope', group: 'apps', kind: 'deployments' }),
  },
  { name: 'PUT of a collection', method: 'PUT', url: CONFIG, body: cm('a'), status: NOT_ALLOWED },
  { name: 'POST of an object', url: `${CONFIG}/there`, body: cm('there'), status: NOT_ALLOWED },
  { name: 'DELETE of all namespaces', method: 'DELETE', url: '/api/v1/namespaces', status: NOT_ALLOWED },
  { name: 'POST across namespaces', url: '/apis/apps/v1/deployments', body: deployment('a'), status: NOT_ALLOWED },
  { name: 'OPTIONS', method: 'OPTIONS', url: CONFIG, status: NOT_ALLOWED },
  {
    name: 'GET of a review',
    method: 'GET',
    url: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    status: NOT_ALLOWED,
  },
];

const READS: readonly Case[] = [
  {
    name: 'a version that is no number',
    method: 'GET',
    url: `${CONFIG}?resourceVersion=x`,
    status: failure(500, '', 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'),
  },
  {
    name: 'a version of the future',
    method: 'GET',
    url: `${CONFIG}?resourceVersion=999999`,
    status: {
      ...failure(504, 'Timeout', 'Timeout: Too large resource version: 999999, current: 0', {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      }),
      message: expect.stringMatching(/^Timeout: Too large resource version: 999999, current: \d+$/),
    },
  },
  {
    name: 'a selector that cannot be read',
    method: 'GET',
    url: `${CONFIG}?labelSelector=a%3D%3D%3Db`,
    status: expect.objectContaining({ code: 400, reason: 'BadRequest', message: expect.stringMatching(/^unable to parse requirement: /) }),
  },
  {
    name: 'a field nobody selects by',
    method: 'GET',
    url: `${CORE}/pods?fieldSelector=spec.hostname%3Da`,
    status: failure(400, 'BadRequest', 'field label not supported: spec.hostname'),
  },
  {
    name: 'a field of a kind without any',
    method: 'GET',
    url: `${CONFIG}?fieldSelector=data.a%3Da`,
    status: failure(400, 'BadRequest', '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"'),
  },
  {
    name: 'no token of ours',
    method: 'GET',
    url: `${CONFIG}?limit=1&continue=%21`,
    status: failure(400, 'BadRequest', 'invalid continue token: continue key is not valid: illegal base64 data at input byte 0'),
  },
  {
    name: 'a token of another version',
    method: 'GET',
    url: `${CONFIG}?limit=1&continue=${Buffer.from('{"v":"x","rv":1,"start":"a"}').toString('base64url')}`,
    status: failure(400, 'BadRequest', 'invalid continue token: continue key is not valid: server does not recognize this encoded version'),
  },
  {
    name: 'a version and a token',
    method: 'GET',
    url: `${CONFIG}?limit=1&resourceVersion=5&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"a"}').toString('base64url')}`,
    status: failure(400, 'BadRequest', 'specifying resource version is not allowed when using continue'),
  },
  {
    name: 'a match without a version',
    method: 'GET',
    url: `${CONFIG}?resourceVersionMatch=Exact`,
    status: options(
      'ListOptions',
      'resourceVersionMatch',
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ),
  },
  {
    name: 'exactly any',
    method: 'GET',
    url: `${CONFIG}?resourceVersionMatch=Exact&resourceVersion=0`,
    status: options(
      'ListOptions',
      'resourceVersionMatch',
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ),
  },
  {
    name: 'no match there is',
    method: 'GET',
    url: `${CONFIG}?resourceVersionMatch=Newer&resourceVersion=1`,
    status: options(
      'ListOptions',
      'resourceVersionMatch',
      'FieldValueNotSupported',
      'Unsupported value: "Newer": supported values: "Exact", "NotOlderThan", ""',
    ),
  },
  {
    name: 'initial events of a list',
    method: 'GET',
    url: `${CONFIG}?sendInitialEvents=true`,
    status: options('ListOptions', 'sendInitialEvents', 'FieldValueForbidden', 'Forbidden: sendInitialEvents is forbidden for list'),
  },
  {
    name: 'a match of a watch',
    method: 'GET',
    url: `${CONFIG}?watch=true&resourceVersionMatch=NotOlderThan`,
    status: options(
      'ListOptions',
      'resourceVersionMatch',
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ),
  },
  {
    name: 'initial events without a match',
    method: 'GET',
    url: `${CONFIG}?watch=true&sendInitialEvents=true`,
    status: options(
      'ListOptions',
      'resourceVersionMatch',
      'FieldValueForbidden',
      'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ),
  },
  {
    name: 'a limit that is no number',
    method: 'GET',
    url: `${CONFIG}?limit=x`,
    status: failure(400, 'BadRequest', 'strconv.ParseInt: parsing "x": invalid syntax'),
  },
];

const METADATA: readonly Case[] = [
  {
    name: 'a name',
    url: CONFIG,
    body: cm('A b'),
    status: invalid('ConfigMap', '', 'A b', 'metadata.name', 'FieldValueInvalid', `Invalid value: "A b": ${SUBDOMAIN}`),
  },
  {
    name: 'no name',
    url: CONFIG,
    body: cm(''),
    status: invalid('ConfigMap', '', '', 'metadata.name', 'FieldValueRequired', 'Required value: name or generateName is required'),
  },
  {
    name: 'a label',
    url: CONFIG,
    body: cm('a', { metadata: { name: 'a', labels: { a: 'b c' } } }),
    status: invalid('ConfigMap', '', 'a', 'metadata.labels', 'FieldValueInvalid', `Invalid value: "b c": ${LABEL_VALUE}`),
  },
  {
    name: 'a finalizer',
    url: CONFIG,
    body: cm('a', { metadata: { name: 'a', finalizers: ['mine'] } }),
    status: invalid(
      'ConfigMap',
      '',
      'a',
      'metadata.finalizers[0]',
      'FieldValueInvalid',
      'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ),
  },
  {
    name: 'an owner without a uid',
    url: CONFIG,
    body: cm('a', { metadata: { name: 'a', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] } }),
    status: invalid('ConfigMap', '', 'a', 'metadata.ownerReferences[0].uid', 'FieldValueInvalid', 'Invalid value: "": must not be empty'),
  },
  {
    name: 'annotations beyond 256 KiB',
    url: CONFIG,
    body: cm('a', { metadata: { name: 'a', annotations: { a: 'x'.repeat(262_144) } } }),
    status: invalid('ConfigMap', '', 'a', 'metadata.annotations', 'FieldValueTooLong', 'Too long: may not be more than 262144 bytes'),
  },
  {
    name: 'a namespace that is not there',
    url: '/api/v1/namespaces/nowhere/configmaps',
    body: cm('a'),
    status: failure(404, 'NotFound', 'namespaces "nowhere" not found', { name: 'nowhere', kind: 'namespaces' }),
  },
];

async function ask(server: TestServer, { method = 'POST', url, body, headers, more }: Case): Promise<Loose> {
  const type = headers ?? (body === undefined ? {} : JSON_TYPE);
  const answer = await server.call(method, url, body === undefined ? undefined : text(body), { headers: type, ...more });
  expect(answer.body.code, JSON.stringify(answer.body)).toBe(answer.status);
  return answer.body;
}

describe.each([
  ['bodies', BODIES],
  ['patches', PATCHES],
  ['paths and methods', PATHS],
  ['reads', READS],
  ['metadata', METADATA],
])('%s', (_, cases) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', (_name, one) =>
    story(async (server) => {
      await server.post(CONFIG, cm('there', { data: { a: '1' } }));
      await server.post(DEPLOYMENTS, deployment('web'));
      expect(await ask(server, one)).toEqual(one.status);
    }),
  );
});

describe('conflicts', () => {
  test('what is there already, and names that are used up', () =>
    story(async (server) => {
      await server.post(CONFIG, cm('a'));
      expect(await ask(server, { name: '', url: CONFIG, body: cm('a'), status: 0 })).toEqual(
        failure(409, 'AlreadyExists', 'configmaps "a" already exists', { name: 'a', kind: 'configmaps' }),
      );
    }));

  test('what is based on an older version', () =>
    story(async (server) => {
      const { body: first } = await server.post(CONFIG, cm('a'));
      await server.patch(`${CONFIG}/a`, { data: { x: '1' } });
      const stale = failure(409, 'Conflict', `Operation cannot be fulfilled on configmaps "a": ${STALE}`, { name: 'a', kind: 'configmaps' });
      expect(await ask(server, { name: '', method: 'PUT', url: `${CONFIG}/a`, body: { ...first, data: { x: '2' } }, status: 0 })).toEqual(stale);
      const patch = { metadata: { resourceVersion: first.metadata.resourceVersion } };
      expect(await ask(server, { name: '', method: 'PATCH', url: `${CONFIG}/a`, body: patch, headers: MERGE, status: 0 })).toEqual(stale);
    }));

  test('another object of that name', () =>
    story(async (server) => {
      const { body: first } = await server.post(CONFIG, cm('a'));
      const { uid } = first.metadata;
      const invalid = 'StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg:';
      const message = `Operation cannot be fulfilled on configmaps "a": ${invalid} Precondition failed: UID in precondition: other, UID in object meta: ${uid}`;
      const expected = failure(409, 'Conflict', message, { name: 'a', kind: 'configmaps' });
      const other = { ...first, metadata: { name: 'a', uid: 'other' } };
      expect(await ask(server, { name: '', method: 'PUT', url: `${CONFIG}/a`, body: other, status: 0 })).toEqual(expected);
      const preconditions = { uid: 'other' };
      const deleted = (url: string, body: object) => ask(server, { name: '', method: 'DELETE', url, body, status: 0 });
      const told = (why: string) => failure(409, 'Conflict', `Operation cannot be fulfilled on ConfigMap "a": ${why}`, { name: 'a', kind: 'ConfigMap' });
      expect(await deleted(`${CONFIG}/a`, { preconditions })).toEqual(
        told(`the UID in the precondition (other) does not match the UID in record (${uid}). The object might have been deleted and then recreated`),
      );
      const { resourceVersion } = first.metadata;
      expect(await deleted(`${CONFIG}/a`, { preconditions: { resourceVersion: '1' } })).toEqual(
        told(
          `the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
        ),
      );
      await server.post(DEPLOYMENTS, deployment('web'));
      expect((await deleted(`${DEPLOYMENTS}/web`, { preconditions })).message).toMatch(/^Operation cannot be fulfilled on Deployment\.apps "web": the UID in/);
      const { body: namespace } = await server.post('/api/v1/namespaces', { metadata: { name: 'n' } });
      expect(await deleted('/api/v1/namespaces/n', { preconditions })).toEqual(
        failure(
          409,
          'Conflict',
          `Operation cannot be fulfilled on namespaces "n": Precondition failed: UID in precondition: other, UID in object meta: ${namespace.metadata.uid}`,
          { name: 'n', kind: 'namespaces' },
        ),
      );
    }));

  test('a write that admission refuses is refused for that, even where it is based on an older version', () =>
    story(async (server) => {
      const { body: first } = await server.post(`${CORE}/configmaps`, cm('a'));
      await server.patch(`${CONFIG}/a`, { data: { x: '1' } });
      const policy = {
        metadata: { name: 'hook' },
        webhooks: [
          {
            name: 'no.example.com',
            clientConfig: { service: { namespace: 'default', name: 'nobody' } },
            rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['configmaps'] }],
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      };
      expect((await server.post('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', policy)).status).toBe(201);
      const put = () => ask(server, { name: '', method: 'PUT', url: `${CONFIG}/a`, body: { ...first, data: { x: '2' } }, status: 0 });
      const why =
        'failed calling webhook "no.example.com": failed to call webhook: Post "https://nobody.default.svc:443/?timeout=10s": service "nobody" not found';
      expect(await put()).toEqual(failure(500, 'InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] }));
      await server.delete('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/hook');
      expect((await put()).reason).toBe('Conflict');
    }));

  test('a kind that wants to know the version', () =>
    story(async (server) => {
      const url = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
      const budget = { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } };
      await server.post(url, budget);
      expect(await ask(server, { name: '', method: 'PUT', url: `${url}/b`, body: budget, status: 0 })).toEqual(
        invalid('poddisruptionbudgets', 'policy', 'b', 'metadata.resourceVersion', 'FieldValueInvalid', 'Invalid value: 0x0: must be specified for an update'),
      );
    }));
});

describe('deletes', () => {
  const told = async (body: object) => {
    let found: Loose;
    await story(async (server) => {
      await server.post(CONFIG, cm('a'));
      found = await ask(server, { name: '', method: 'DELETE', url: `${CONFIG}/a`, body, status: 0 });
    });
    return found;
  };
  test('a policy there is not, two at once, a dry run there is not', async () => {
    expect(await told({ propagationPolicy: 'Never' })).toEqual(
      options(
        'DeleteOptions',
        'propagationPolicy',
        'FieldValueNotSupported',
        'Unsupported value: "Never": supported values: "Foreground", "Background", "Orphan", "nil"',
      ),
    );
    expect(await told({ propagationPolicy: 'Orphan', orphanDependents: true })).toEqual(
      options(
        'DeleteOptions',
        'propagationPolicy',
        'FieldValueInvalid',
        'Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
      ),
    );
    expect(await told({ dryRun: ['None'] })).toEqual(
      options('DeleteOptions', 'dryRun', 'FieldValueNotSupported', 'Unsupported value: ["None"]: supported values: "All"'),
    );
  });
});

describe('who', () => {
  const as = (commonName: string, organizations: string[] = []): Partial<ApiRequest> => ({ certificate: { commonName, organizations } });
  test('nobody knows', () =>
    story(async (server) => {
      expect(
        await ask(server, { name: '', method: 'GET', url: CONFIG, headers: { authorization: 'Bearer x' }, more: { certificate: undefined }, status: 0 }),
      ).toEqual(failure(401, 'Unauthorized', 'Unauthorized'));
    }));
  test.each([
    [`GET ${CORE}/secrets`, 'secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"', { kind: 'secrets' }],
    [
      `GET ${DEPLOYMENTS}/web`,
      'deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments" in API group "apps" in the namespace "default"',
      { name: 'web', group: 'apps', kind: 'deployments' },
    ],
    ['GET /api/v1/nodes', 'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope', { kind: 'nodes' }],
    [
      `GET ${CORE}/pods/a/log`,
      'pods "a" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "default"',
      { name: 'a', kind: 'pods' },
    ],
    [
      `GET ${CONFIG}?watch=true`,
      'configmaps is forbidden: User "jane" cannot watch resource "configmaps" in API group "" in the namespace "default"',
      { kind: 'configmaps' },
    ],
    [
      `DELETE ${CONFIG}`,
      'configmaps is forbidden: User "jane" cannot deletecollection resource "configmaps" in API group "" in the namespace "default"',
      { kind: 'configmaps' },
    ],
    ['GET /metrics', 'forbidden: User "jane" cannot get path "/metrics"', {}],
  ] as const)('%s', (line, message, details) =>
    story(async (server) => {
      const [method, url] = line.split(' ') as [ApiRequest['method'], string];
      expect(await ask(server, { name: '', method, url, more: as('jane'), status: 0 })).toEqual(failure(403, 'Forbidden', message, details));
    }),
  );
  test('speaking for another', () =>
    story(async (server) => {
      const headers = { 'impersonate-user': 'root' };
      expect(await ask(server, { name: '', method: 'GET', url: CONFIG, headers, more: as('jane'), status: 0 })).toEqual(
        failure(403, 'Forbidden', 'users "root" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope', {
          name: 'root',
          kind: 'users',
        }),
      );
    }));
});

describe('too early, too late, too often', () => {
  test('a page of a list that is history', () =>
    story(async (server) => {
      for (const name of ['a', 'b', 'c']) await server.post(CONFIG, cm(name));
      const { body: page } = await server.get(`${CONFIG}?limit=1`);
      await server.patch(`${CONFIG}/a`, { data: { x: '1' } });
      server.store.compact(server.store.revision);
      const late = await ask(server, { name: '', method: 'GET', url: `${CONFIG}?limit=1&continue=${page.metadata.continue}`, status: 0 });
      expect(late).toMatchObject({
        code: 410,
        reason: 'Expired',
        message: expect.stringMatching(/^The provided continue parameter is too old to display a consistent list result\./),
      });
      // The rest may still be had, as it is by now.
      const rest = await server.get(`${CONFIG}?limit=5&continue=${late.metadata.continue}`);
      expect(rest.body.items.map(({ metadata }: Loose) => metadata.name)).toEqual(['b', 'c']);
      const exact = await ask(server, { name: '', method: 'GET', url: `${CONFIG}?resourceVersion=2&resourceVersionMatch=Exact`, status: 0 });
      expect(exact).toEqual(failure(410, 'Expired', 'The resourceVersion for the provided list is too old.'));
    }));

  test('an eviction the budget does not allow', () =>
    story(async (server) => {
      await server.post(`${CORE}/serviceaccounts`, { metadata: { name: 'default' } });
      const { body: made } = await server.post(`${CORE}/pods`, pod('web', { nodeName: 'n' }));
      await server.put(`${CORE}/pods/web/status`, { ...made, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } });
      const { body: budget } = await server.post('/apis/policy/v1/namespaces/default/poddisruptionbudgets', {
        metadata: { name: 'b' },
        spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
      });
      const status = { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
      await server.put('/apis/policy/v1/namespaces/default/poddisruptionbudgets/b/status', { ...budget, status });
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web', namespace: 'default' } };
      expect(await ask(server, { name: '', url: `${CORE}/pods/web/eviction`, body: eviction, status: 0 })).toEqual(
        failure(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
          causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget b needs 1 healthy pods and has 1 currently' }],
        }),
      );
    }));

  test('a watch from before the window is told by an event', () =>
    story(async (server) => {
      for (let i = 0; i < 130; i++) {
        await server.put(`${CONFIG}/x`, cm('x', { data: { i: String(i) } }));
        if (i === 0) await server.post(CONFIG, cm('x'));
        await server.sleep(seconds(2));
      }
      const watch = await server.watch(`${CONFIG}?watch=true&resourceVersion=2`);
      await server.sleep(ms(1));
      expect(watch.response.status).toBe(200);
      expect(watch.events).toEqual([
        { type: 'ERROR', object: failure(410, 'Expired', expect.stringMatching(/^too old resource version: 2 \(\d+\)$/) as never) },
      ]);
      expect(watch.ended()).toBe(true);
    }));

  test('what takes longer than it may', () =>
    story(
      async (server) => {
        await server.get(CONFIG);
        const hook = {
          metadata: { name: 'slow' },
          webhooks: [
            {
              name: 'slow.example.com',
              clientConfig: { url: 'https://10.9.9.9:443/' },
              rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
              sideEffects: 'None',
              timeoutSeconds: 30,
              admissionReviewVersions: ['v1'],
            },
          ],
        };
        await server.post('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', hook);
        const began = server.self.clock.now();
        expect(await ask(server, { name: '', url: `${CONFIG}?timeout=2s`, body: cm('a'), status: 0 })).toEqual(
          failure(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout', {}),
        );
        expect(server.self.clock.now() - began).toBe(seconds(2));
      },
      { dialService: () => new Promise(() => {}) },
    ));

  test('more at once than there is room for', () =>
    story(async (server) => {
      const headers = { 'content-type': 'application/json' };
      const level = { metadata: { name: 'tiny' }, spec: { type: 'Limited', limited: { nominalConcurrencyShares: 0, limitResponse: { type: 'Reject' } } } };
      const schema = {
        metadata: { name: 'tiny' },
        spec: {
          matchingPrecedence: 3,
          priorityLevelConfiguration: { name: 'tiny' },
          rules: [
            {
              subjects: [{ kind: 'User', user: { name: 'jane' } }],
              resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
            },
          ],
        },
      };
      await server.post('/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations', level, { headers });
      await server.post('/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas', schema, { headers });
      await server.sleep(seconds(30));
      const answer = await server.get(CONFIG, { certificate: { commonName: 'jane', organizations: [] } });
      expect([answer.status, answer.headers['retry-after'], answer.body]).toEqual([429, '1', 'Too many requests, please try again later.\n']);
    }));
});

describe('what is left alone', () => {
  test('the spec of a namespace, and the label it has from its name', () =>
    story(async (server) => {
      const { body: made } = await server.post('/api/v1/namespaces', { metadata: { name: 'n' } });
      const wanted = { ...made, metadata: { ...made.metadata, labels: { 'kubernetes.io/metadata.name': 'other', own: 'yes' } }, spec: { finalizers: [] } };
      const { body } = await server.put('/api/v1/namespaces/n', wanted);
      expect([body.spec.finalizers, body.metadata.labels]).toEqual([['kubernetes'], { 'kubernetes.io/metadata.name': 'n', own: 'yes' }]);
    }));
});
