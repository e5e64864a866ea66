/** Definitions of real projects: accepted as they are, their samples too; what breaks their rules is refused in the words people know. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { parseYaml } from '../../api/yaml.ts';
import { type Loose, withApiServer } from '../testing.test-support.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const fixture = (name: string): Loose => parseYaml(readFileSync(new URL(`./fixtures/${name}.yaml`, import.meta.url), 'utf8'));

const route = (spec: Loose): Loose => ({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name: 'r' }, spec });
const rule = (change: Loose): Loose => route({ parentRefs: [{ name: 'gw' }], rules: [change] });
const promRule = (groups: Loose): Loose => ({ apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'r' }, spec: { groups } });
const gatewayClass = (spec: Loose): Loose => ({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass', metadata: { name: 'c' }, spec });
const monitor = (spec: Loose): Loose => ({ apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor', metadata: { name: 'm' }, spec });
const web = { matchLabels: { app: 'web' } };
const backend = { name: 'web', port: 80 };

test.each<[string, string, string, Loose, string | undefined]>([
  ['a class', 'gatewayclasses', '', gatewayClass({ controllerName: 'example.net/gateway-controller' }), undefined],
  ['a class without a controller', 'gatewayclasses', '', gatewayClass({}), 'spec.controllerName: Required value'],
  [
    'a class of a wrong controller',
    'gatewayclasses',
    '',
    gatewayClass({ controllerName: 'nginx' }),
    'spec.controllerName: Invalid value: "nginx": spec.controllerName in body should match \'^[a-z0-9]',
  ],
  ['a route', 'httproutes', 'default', rule({ matches: [{ path: { type: 'Exact', value: '/a' } }], backendRefs: [backend] }), undefined],
  ['a route that says nothing', 'httproutes', 'default', route({ parentRefs: [{ name: 'gw' }] }), undefined],
  ['a redirect', 'httproutes', 'default', rule({ filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } }] }), undefined],
  [
    'a backend without a port',
    'httproutes',
    'default',
    rule({ backendRefs: [{ name: 'web' }] }),
    'spec.rules[0].backendRefs[0]: Invalid value: "object": Must have port for Service reference',
  ],
  [
    'a relative path',
    'httproutes',
    'default',
    rule({ matches: [{ path: { value: 'a' } }] }),
    `spec.rules[0].matches[0].path: Invalid value: "object": value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']`,
  ],
  ['a path of wrong characters', 'httproutes', 'default', rule({ matches: [{ path: { value: '/a b' } }] }), 'must only contain valid characters'],
  [
    'a redirect with backends',
    'httproutes',
    'default',
    rule({ backendRefs: [backend], filters: [{ type: 'RequestRedirect', requestRedirect: {} }] }),
    'spec.rules[0]: Invalid value: "object": RequestRedirect filter must not be used together with backendRefs',
  ],
  [
    'a filter of another type',
    'httproutes',
    'default',
    rule({ filters: [{ type: 'RequestRedirect', requestHeaderModifier: {} }] }),
    'filter.requestHeaderModifier must be nil if the filter.type is not RequestHeaderModifier',
  ],
  [
    'a filter twice',
    'httproutes',
    'default',
    rule({
      filters: [
        { type: 'RequestRedirect', requestRedirect: {} },
        { type: 'RequestRedirect', requestRedirect: {} },
      ],
    }),
    'spec.rules[0].filters: Invalid value: "array": RequestRedirect filter cannot be repeated',
  ],
  [
    'one parent twice',
    'httproutes',
    'default',
    route({ parentRefs: [{ name: 'gw' }, { name: 'gw' }] }),
    'spec.parentRefs: Invalid value: "array": sectionName must be unique when parentRefs includes 2 or more references to the same parent',
  ],
  [
    'an odd status code',
    'httproutes',
    'default',
    rule({ filters: [{ type: 'RequestRedirect', requestRedirect: { statusCode: 200 } }] }),
    'spec.rules[0].filters[0].requestRedirect.statusCode: Unsupported value: 200: supported values: "301", "302"',
  ],
  [
    'timeouts the wrong way round',
    'httproutes',
    'default',
    rule({ timeouts: { request: '1s', backendRequest: '2s' } }),
    'spec.rules[0].timeouts: Invalid value: "object": backendRequest timeout cannot be longer than request timeout',
  ],
  [
    'a host name of wrong characters',
    'httproutes',
    'default',
    route({ hostnames: ['A_b'] }),
    'spec.hostnames[0]: Invalid value: "A_b": spec.hostnames[0] in body should match',
  ],
  [
    'a rule',
    'prometheusrules',
    'default',
    promRule([
      {
        name: 'g',
        interval: '30s',
        partial_response_strategy: 'WARN',
        rules: [
          { alert: 'Down', expr: 'up == 0', for: '5m', labels: { severity: 'page' } },
          { record: 'one', expr: 1 },
        ],
      },
    ]),
    undefined,
  ],
  [
    'a rule without an expression',
    'prometheusrules',
    'default',
    promRule([{ name: 'g', rules: [{ alert: 'Down' }] }]),
    'spec.groups[0].rules[0].expr: Required value',
  ],
  [
    'an expression that is none',
    'prometheusrules',
    'default',
    promRule([{ name: 'g', rules: [{ record: 'x', expr: true }] }]),
    'spec.groups[0].rules[0].expr: Invalid value: "boolean": spec.groups[0].rules[0].expr in body must be of type integer,string: "boolean"',
  ],
  [
    'a duration that is none',
    'prometheusrules',
    'default',
    promRule([{ name: 'g', interval: 'soon' }]),
    'spec.groups[0].interval: Invalid value: "soon": spec.groups[0].interval in body should match \'^(0|',
  ],
  ['two groups of one name', 'prometheusrules', 'default', promRule([{ name: 'g' }, { name: 'g' }]), 'spec.groups[1]: Duplicate value: {"name":"g"}'],
  [
    'labels that are no text',
    'prometheusrules',
    'default',
    promRule([{ name: 'g', labels: { a: 1 } }]),
    'spec.groups[0].labels.a: Invalid value: "integer": spec.groups[0].labels.a in body must be of type string: "integer"',
  ],
  [
    'a monitor',
    'servicemonitors',
    'default',
    monitor({ selector: web, endpoints: [{ port: 'http', interval: '30s', params: { a: ['b'] }, targetPort: 80, metricRelabelings: [{ regex: '.*' }] }] }),
    undefined,
  ],
  ['a monitor of nothing', 'servicemonitors', 'default', monitor({ endpoints: [] }), 'spec.selector: Required value'],
  [
    'a monitor with an odd scheme',
    'servicemonitors',
    'default',
    monitor({ selector: web, endpoints: [{ scheme: 'ftp' }] }),
    'spec.endpoints[0].scheme: Unsupported value: "ftp": supported values: "http", "https"',
  ],
  [
    'a monitor whose parameters are no lists',
    'servicemonitors',
    'default',
    monitor({ selector: web, endpoints: [{ params: { a: 'b' } }] }),
    'spec.endpoints[0].params.a in body must be of type array: "string"',
  ],
  [
    'a monitor with a secret without a key',
    'servicemonitors',
    'default',
    monitor({ selector: web, endpoints: [{ bearerTokenSecret: { name: 's' } }] }),
    'spec.endpoints[0].bearerTokenSecret.key: Required value',
  ],
])('%s', async (_, file, namespace, object, expected) => {
  await withApiServer(async (server) => {
    const definition = fixture(file);
    const made = await server.post(CRDS, definition);
    expect(made.body.message ?? made.status).toBe(201);
    await server.sleep(seconds(0.1));
    const path = `/apis/${object.apiVersion}${namespace ? `/namespaces/${namespace}` : ''}/${file}`;
    const { status, body } = await server.post(`${path}?fieldValidation=Strict`, object);
    if (expected === undefined) expect(body.message ?? status).toBe(201);
    else {
      expect(status).toBe(422);
      expect(body.message).toContain(expected);
    }
  });
});

test('defaults of defaults, and what a class says of itself', async () => {
  await withApiServer(async (server) => {
    await server.post(CRDS, fixture('gatewayclasses'));
    await server.post(CRDS, fixture('httproutes'));
    await server.sleep(seconds(0.1));
    const { body: made } = await server.post('/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes', route({ parentRefs: [{ name: 'gw' }] }));
    expect(made.spec).toEqual({
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw' }],
      rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }],
    });
    await server.post('/apis/gateway.networking.k8s.io/v1/gatewayclasses', gatewayClass({ controllerName: 'a.b/c' }));
    const table = await server.get('/apis/gateway.networking.k8s.io/v1/gatewayclasses', {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(table.body.rows[0].cells).toEqual(['c', 'a.b/c', 'Unknown', '0s', null]);
    const { body } = await server.get(`${CRDS}/gatewayclasses.gateway.networking.k8s.io`);
    expect(body.status.conditions.map((each: Loose) => [each.type, each.status, each.reason])).toEqual([
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
      ['KubernetesAPIApprovalPolicyConformant', 'True', 'ApprovedAnnotation'],
    ]);
    const changed = await server.patch('/apis/gateway.networking.k8s.io/v1/gatewayclasses/c', { spec: { controllerName: 'a.b/d' } }, 'merge');
    expect(changed.body.message).toContain('spec.controllerName: Invalid value: "string": Value is immutable');
  });
});
