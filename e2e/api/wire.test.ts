/**
 * The 544 requests that the real kubectl sent for 214 commands (`fixtures/wire.json`, recorded), sent again in their
 * order to one cluster: each is answered as kubectl needs it, in status, content type and shape.
 *
 * What chance named in the recording (pods, uids, versions, continue tokens) is exchanged for what chance named here.
 * Where the answer may differ, `EXCEPTIONS` says why.
 */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { byPlural, parsePath } from '../../src/kubernetes/api/resources.ts';
import wire from './fixtures/wire.json';
import { Served } from './served.ts';
import { toProtobuf } from './to-protobuf.ts';

interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly bodyFormat?: string;
  readonly watch?: boolean;
  readonly upgrade?: string;
  readonly offered?: string;
  readonly chosen?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}
// biome-ignore lint/suspicious/noExplicitAny: an answer's shape is what the test asserts.
type Loose = any;

/** A certificate request that is one: the recorded server took anything. */
const CSR =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIWU1IOENBUUF3SFRFTU1Bb0dBMVVFQ2d3RFpHVjJNUTB3Q3dZRFZRUUREQVJxWVc1bE1Ga3dFd1lIS29aSQp6ajBDQVFZSUtvWkl6ajBEQVFjRFFnQUVvMG9mb2dTTmIvV0g5UmUxUVBKS1ZCMGdnM0Y1TFNEZDRSYXMwaGdMCkZyZ0hUMjJmUWdORjdVcjMxdTVHS0UzQjl3c2piaGFrWHdSMWRBZ1J5bmRTTnFBQU1Bb0dDQ3FHU000OUJBTUMKQTBrQU1FWUNJUUM2UjRHZzRuYk5kbmF6WERWTGcrWEcyR0dKaXhOcVFkTFhMUUZLN3ZTb0d3SWhBTlQ3R2IySApPa1J1VS92dC9uSXUvbzNwUGZ6ODNNaktFSGFiYzA0bXI5SjIKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==';

let served: Served;

function send(recorded: Partial<Recorded> & { method: string; url: string }, body?: string, untilFirstLine = false): Promise<Answer> {
  const binary = recorded.bodyFormat === 'protobuf';
  const bytes = body === undefined ? undefined : Buffer.from(body, binary ? 'latin1' : 'utf8');
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${served.url}${recorded.url}`, {
      method: recorded.method,
      headers: {
        ...(recorded.accept ? { accept: recorded.accept } : {}),
        ...(recorded.contentType ? { 'content-type': recorded.contentType } : {}),
        ...(bytes ? { 'content-length': bytes.length } : {}),
        ...recorded.headers,
        ...(recorded.upgrade
          ? {
              connection: 'Upgrade',
              upgrade: recorded.upgrade,
              'sec-websocket-version': '13',
              'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
              'sec-websocket-protocol': recorded.offered ?? '',
            }
          : {}),
      },
    });
    outgoing.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: '' });
    });
    outgoing.on('response', (response) => {
      const done = (text: string): void => resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      let text = '';
      response.setEncoding(String(response.headers['content-type']).includes('protobuf') ? 'latin1' : 'utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (!untilFirstLine || !text.includes('\n')) return;
        done(text);
        outgoing.destroy();
      });
      response.on('end', () => done(text));
      response.on('error', () => done(text));
      if (untilFirstLine)
        setTimeout(() => {
          done(text);
          outgoing.destroy();
        }, 150);
    });
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

const json = async (url: string): Promise<Loose> => JSON.parse((await send({ method: 'GET', url })).text);

const template = (labels: object, image: string, command?: string[]) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image, ...(command ? { command } : {}) }] },
});
const lastApplied = (object: object) => ({ 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(object)}\n` });

/** What the recording found in its cluster. */
async function prepare(): Promise<void> {
  const post = async (url: string, object: { metadata: object }): Promise<void> => {
    const whole = { ...object, metadata: { ...object.metadata, annotations: lastApplied(object) } };
    const { status, text } = await send({ method: 'POST', url, contentType: 'application/json' }, JSON.stringify(whole));
    if (status !== 201) throw new Error(`${url}: ${text}`);
  };
  const core = '/api/v1/namespaces/default';
  const apps = '/apis/apps/v1/namespaces/default';
  await post(`${core}/configmaps`, { metadata: { name: 'cm1' }, data: { a: '1' } } as never);
  await post(`${core}/services`, { metadata: { name: 's1' }, spec: { selector: { app: 'app' }, ports: [{ port: 80 }] } } as never);
  await post(`${core}/services`, { metadata: { name: 'spf' }, spec: { selector: { app: 'app' }, ports: [{ port: 80 }] } } as never);
  await post(`${core}/pods`, {
    metadata: { name: 'p1', labels: { x: '1' } },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'busybox', command: ['sleep', '100000'] }] },
  } as never);
  const workload = (name: string, labels: object, more: object = {}) =>
    ({ metadata: { name }, spec: { selector: { matchLabels: labels }, template: template(labels, 'nginx:1.27'), ...more } }) as never;
  await post(`${apps}/deployments`, workload('app', { app: 'app' }, { replicas: 2 }));
  await post(`${apps}/statefulsets`, workload('st', { a: 'st' }, { replicas: 1, serviceName: 'st' }));
  await post(`${apps}/daemonsets`, workload('ds', { a: 'ds' }));
  const usages = ['client auth'];
  await post('/apis/certificates.k8s.io/v1/certificatesigningrequests', {
    metadata: { name: 'csr2' },
    spec: { request: CSR, signerName: 'kubernetes.io/kube-apiserver-client', usages },
  } as never);
  await served.wait(40);
}

// --- what chance named ----------------------------------------------------------------------------------

/** Names of controllers' making: `app-7f2f925d39-8a1c4`, `ds-8dfbe`, `j1-x1y2z`, `gen-…`. */
const CHANCE = /\b(kz-app|app|d2|ds|j1|j2|node-debugger-node-1)-(?:[0-9a-f]{10}-[0-9a-f]{5}|[0-9a-z]{5})\b/g;
const named = new Map<string, string>();
/** Names that the command being played has met: they mean the same pod until it ends. */
const met = new Set<string>();
const versions = new Map<string, string>();
let continueToken = '';

/** Ours for a name of the recording: another pod of the same owner, the same one each time while it lives. */
async function rename(text: string): Promise<string> {
  const found = [...new Set(text.match(CHANCE) ?? [])];
  if (found.length === 0) return text;
  const pods: string[] = (await json('/api/v1/namespaces/default/pods')).items.map(({ metadata }: Loose) => metadata.name);
  let out = text;
  for (const name of found) {
    const known = named.get(name);
    const owner = name.replace(/-(?:[0-9a-f]{10}-)?[0-9a-z]{5}$/, '');
    const taken = new Set(named.values());
    const candidates = pods.filter((pod) => new RegExp(`^${owner}-(?:[0-9a-z]{5,10}-)?[0-9a-z]{5}$`).test(pod));
    const stays = known !== undefined && (met.has(name) || candidates.includes(known));
    const ours = stays ? known : (candidates.find((pod) => !taken.has(pod)) ?? candidates[0] ?? known ?? name);
    met.add(name);
    named.set(name, ours);
    out = out.replaceAll(name, ours);
  }
  return out;
}

/** A pod that the recording's controllers had made and ours have not, or not yet: of a StatefulSet, of a job that ended. */
async function supply(url: string, status: number): Promise<void> {
  const name = /\/pods\/((?:st|j1|j2)-[0-9a-z]+)\b/.exec(url)?.[1];
  if (!name || status >= 300 || (await send({ method: 'GET', url: `/api/v1/namespaces/default/pods/${name}` })).status === 200) return;
  const pod = { metadata: { name }, spec: template({}, 'nginx:1.27').spec };
  await send({ method: 'POST', url: '/api/v1/namespaces/default/pods', contentType: 'application/json' }, JSON.stringify(pod));
}

async function translate(recorded: Recorded): Promise<{ url: string; body?: string }> {
  let url = await rename(recorded.url);
  const collection = url.split('?')[0]!;
  if (recorded.watch) url = url.replace(/resourceVersion=[1-9]\d*/, `resourceVersion=${versions.get(collection) ?? '0'}`);
  url = url.replace(/continue=[^&]+/, () => `continue=${encodeURIComponent(continueToken)}`);
  if (recorded.body === undefined) return { url };
  let body = (await rename(recorded.body)).replaceAll('aGVsbG8=', CSR);
  const owner = /"ownerReferences":\[\{"kind":"CronJob","name":"(\w+)","uid":"([^"]+)"/.exec(body);
  if (owner) body = body.replace(owner[2]!, (await json(`/apis/batch/v1/namespaces/default/cronjobs/${owner[1]}`)).metadata.uid);
  // The recorded server's images were but names.
  body = body.replace(/nginx:[129](?=[\\"])/g, 'nginx:1.27');
  // The recorded pods ran for ever whatever they were to run.
  body = body.replace('"containers":[{"image":"busybox","name":"c"}]', '"containers":[{"image":"busybox","name":"c","command":["sleep","100000"]}]');
  if (recorded.method === 'PUT' && /"resourceVersion":"\d+"/.test(body)) {
    const { uid, resourceVersion } = (await json(collection)).metadata;
    body = body.replace(/"resourceVersion":"\d+"/, `"resourceVersion":"${resourceVersion}"`).replace(/"uid":"[^"]+"/, `"uid":"${uid}"`);
  }
  return { url, body: recorded.bodyFormat === 'protobuf' ? toProtobuf(JSON.parse(body)) : body };
}

// --- what kubectl accepts -------------------------------------------------------------------------------

/** Why an answer of ours has another status than the recorded one: by command and path. The first that fits counts. */
const EXCEPTIONS: readonly { readonly command: RegExp; readonly request?: RegExp; readonly status: readonly number[]; readonly why: string }[] = [
  { command: /kubectl top/, status: [404, 503], why: 'metrics.k8s.io belongs to metrics-server, which this cluster does not run' },
  { command: /describe node/, request: /leases\/node-1/, status: [200], why: 'the recorded cluster had no leases; ours has kubelets' },
  { command: /--as=jane/, status: [403], why: 'the recorded server did not authorize' },
  { command: /logs -p/, request: /previous=true/, status: [400], why: 'no container has ended here' },
  { command: /drain/, request: /eviction/, status: [429], why: 'a budget says no for now, and kubectl tries again' },
  { command: /drain/, request: /^GET .*\/pods\/app-/, status: [200], why: 'the pod whose eviction the budget put off' },
  {
    command: /apply --server-side/,
    request: /kubectl-last-applied/,
    status: [409],
    why: 'the recorded server had no managed fields, so kubectl did not first take over those of client-side apply (csaupgrade)',
  },
  { command: /--resource-version=1/, request: /PATCH/, status: [409], why: 'the recorded server did not look at resourceVersion' },
  {
    command: /drain/,
    request: /^GET .*\/pods\/st-\d/,
    status: [200],
    why: 'the controller of the StatefulSet makes a pod of the same name again; kubectl knows it by its uid',
  },
  { command: /delete jobs/, request: /jobs\/j2$/, status: [404], why: 'a CronJob keeps its three latest jobs, and by then it has made as many since' },
  { command: /delete pod r6/, request: /^GET/, status: [404], why: 'it ends at once when told to, and may be gone by the first look' },
  {
    command: /--rm/,
    request: /^GET/,
    status: [200, 404],
    why: 'the pod ends when its input does, and when that is has to do with time',
  },
];

/** Undefined: accepted. Otherwise what kubectl would stumble over. */
function problem(command: string, recorded: Recorded, url: string, answer: Answer): string | undefined {
  const type = String(answer.headers['content-type'] ?? '');
  const expected = [
    recorded.status,
    ...EXCEPTIONS.filter((e) => e.command.test(command) && (!e.request || e.request.test(`${recorded.method} ${url}`))).flatMap((e) => e.status),
  ];
  if (!expected.includes(answer.status)) return `status ${answer.status}, not ${expected.join(' or ')}: ${answer.text.slice(0, 300)}`;
  if (recorded.upgrade) return answer.headers['sec-websocket-protocol'] === recorded.chosen ? undefined : 'another protocol was chosen';
  if (answer.status >= 400) return failureProblem(answer, type);
  const path = url.split('?')[0]!;
  if (path === '/openapi/v2') {
    if (!type.includes('proto-openapi.spec.v2')) return `content type ${type}`;
    return answer.text.startsWith('\n\x032.0') ? undefined : 'no OpenAPI v2 document in protobuf';
  }
  if (path.endsWith('/log') || path === '/readyz') return type.startsWith('text/plain') ? undefined : `content type ${type}`;
  if (!type.startsWith('application/json')) return `content type ${type}`;
  if (recorded.watch) return answer.text === '' ? undefined : watchProblem(answer.text, recorded.accept ?? '');
  let body: Loose;
  try {
    body = JSON.parse(answer.text);
  } catch {
    return `no JSON: ${answer.text.slice(0, 200)}`;
  }
  if (path === '/api' || path === '/apis') {
    if ((recorded.accept ?? '').startsWith('application/json;g=apidiscovery')) {
      if (!type.includes('g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')) return `content type ${type}`;
      return body.kind === 'APIGroupDiscoveryList' && body.apiVersion === 'apidiscovery.k8s.io/v2' ? undefined : `kind ${body.kind}`;
    }
    return ['APIVersions', 'APIGroupList'].includes(body.kind) ? undefined : `kind ${body.kind}`;
  }
  if (path === '/version') return body.major === '1' && /^v1\.33/.test(body.gitVersion) ? undefined : 'no version';
  if (path === '/openapi/v3') return body.paths?.['api/v1']?.serverRelativeURL ? undefined : 'no index';
  if (path.startsWith('/openapi/v3/')) return body.openapi?.startsWith('3.0') && body.paths && body.components?.schemas ? undefined : 'no OpenAPI document';
  const target = parsePath(path);
  if (!target) return /^\/apis?\/[\w./]+$/.test(path) && body.kind === 'APIResourceList' ? undefined : `kind ${body.kind} at ${path}`;
  if (recorded.accept?.includes('as=Table')) return tableProblem(body, url);
  return objectProblem(body, target, recorded, path);
}

function failureProblem({ text, status }: Answer, type: string): string | undefined {
  if (!type.startsWith('application/json')) return `content type ${type}`;
  const body = JSON.parse(text) as Loose;
  const whole =
    body.kind === 'Status' && body.apiVersion === 'v1' && body.status === 'Failure' && body.code === status && body.message && body.reason && body.metadata;
  return whole ? undefined : `no Status: ${text}`;
}

function tableProblem(body: Loose, url: string): string | undefined {
  if (body.kind !== 'Table' || body.apiVersion !== 'meta.k8s.io/v1') return `kind ${body.apiVersion} ${body.kind}`;
  if (!body.columnDefinitions?.length || (body.columnDefinitions[0].name !== 'Name' && !/events/.test(url))) return 'no columns';
  const whole = url.includes('includeObject=Object');
  for (const row of body.rows) {
    if (row.cells.length !== body.columnDefinitions.length) return 'cells and columns differ';
    if (!whole && row.object.kind !== 'PartialObjectMetadata') return `a row carries ${row.object.kind}`;
    if (whole && row.object.kind === 'PartialObjectMetadata') return 'a row does not carry its object';
    if (!row.object.metadata?.name) return 'a row without a name';
  }
  return undefined;
}

function watchProblem(text: string, accept: string): string | undefined {
  const event = JSON.parse(text.split('\n')[0]!) as Loose;
  if (!['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'].includes(event.type)) return `event ${text.slice(0, 300)}`;
  if (accept.includes('as=Table')) return event.object.kind === 'Table' && event.object.rows.length === 1 ? undefined : 'no Table of one row';
  return event.object.kind && event.object.metadata?.resourceVersion ? undefined : 'no object';
}

function objectProblem(body: Loose, target: NonNullable<ReturnType<typeof parsePath>>, recorded: Recorded, path: string): string | undefined {
  const row = byPlural(target.group, target.version, target.resource);
  const kind = row?.kind ?? (target.group === 'ex.io' ? 'Widget' : undefined);
  if (recorded.method === 'DELETE') return body.kind === 'Status' || (body.kind === kind && body.metadata?.uid) ? undefined : `kind ${body.kind}`;
  if (target.subresource === 'eviction') return body.kind === 'Status' && body.status === 'Success' ? undefined : `kind ${body.kind}`;
  if (target.subresource === 'scale')
    return body.kind === 'Scale' && body.apiVersion === 'autoscaling/v1' && body.spec.replicas >= 0 ? undefined : `kind ${body.kind}`;
  if (target.subresource === 'token') return body.status?.token?.split('.').length === 3 ? undefined : 'no token';
  if (target.name === '' && recorded.method === 'GET') {
    if (body.kind !== `${kind}List` || !Array.isArray(body.items)) return `kind ${body.kind}`;
    return body.metadata?.resourceVersion ? undefined : 'a list without a version';
  }
  if (body.kind !== kind) return `kind ${body.kind} at ${path}`;
  if (row?.prefix === '') return body.status ? undefined : 'a review without an answer';
  return body.metadata?.name && body.metadata?.uid && body.metadata?.creationTimestamp ? undefined : 'an object without metadata';
}

beforeAll(async () => {
  served = await Served.start('three-nodes');
  await prepare();
}, 240_000);
afterAll(() => served?.stop());

test('every request the real kubectl was recorded with is answered as it needs it', async () => {
  const problems: string[] = [];
  let count = 0;
  for (const { command, requests } of wire.commands as { command: string; requests: Recorded[] }[]) {
    met.clear();
    for (const recorded of requests) {
      count++;
      const { url, body } = await translate(recorded);
      await supply(url, recorded.status);
      const streaming = recorded.watch === true || /[?&]follow=true/.test(url);
      let answer = await send({ ...recorded, url }, body, streaming);
      // Objects go gracefully here; kubectl looks again until they are gone.
      for (let look = 0; look < 20 && recorded.method === 'GET' && recorded.status === 404 && answer.text.includes('"deletionTimestamp"'); look++) {
        await served.wait(5);
        answer = await send({ ...recorded, url }, body, streaming);
      }
      if (streaming && /run|debug/.test(command)) await served.wait(8);
      const wrong = problem(command, recorded, url, answer);
      if (wrong) problems.push(`${command}\n    ${recorded.method} ${url}\n    ${wrong}`);
      if (recorded.method === 'GET' && !recorded.watch && answer.status === 200 && answer.text.startsWith('{"')) {
        const { metadata } = JSON.parse(answer.text) as Loose;
        if (metadata?.resourceVersion) versions.set(url.split('?')[0]!, metadata.resourceVersion);
        continueToken = metadata?.continue ?? continueToken;
      }
    }
    // The recorded server counted nothing: a quota on CPU would refuse every pod after it.
    if (/create quota/.test(command)) await send({ method: 'DELETE', url: '/api/v1/namespaces/default/resourcequotas/qx' });
    const verb = command.split(' ')[1] ?? '';
    if (['delete', 'drain', 'replace'].includes(verb)) await served.wait(35);
    else if (['apply', 'create', 'run', 'scale', 'set', 'rollout', 'debug', 'expose'].includes(verb)) await served.wait(5);
  }
  expect(problems.join('\n')).toBe('');
  expect(count).toBe(544);
}, 420_000);

test('at the border: gzip for large answers, HEAD, YAML, and lines for people', async () => {
  const large = await fetch(`${served.url}/openapi/v3/api/v1`);
  expect([large.headers.get('content-encoding'), ((await large.json()) as Loose).openapi]).toEqual(['gzip', '3.0.0']);
  const plain = await fetch(`${served.url}/openapi/v3/api/v1`, { headers: { 'accept-encoding': 'identity' } });
  expect(plain.headers.get('content-encoding')).toBeNull();
  await plain.text();
  const small = await fetch(`${served.url}/api/v1/namespaces/default`);
  expect([small.headers.get('content-encoding'), ((await small.json()) as Loose).kind]).toEqual([null, 'Namespace']);
  const head = await fetch(`${served.url}/api/v1/namespaces/default`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  const yaml = await fetch(`${served.url}/api/v1/namespaces/default`, { headers: { accept: 'application/yaml' } });
  expect([yaml.headers.get('content-type'), (await yaml.text()).startsWith('apiVersion: v1\nkind: Namespace\n')]).toEqual(['application/yaml', true]);
  const lines = await (await fetch(`${served.url}/api/v1/namespaces/nope?pretty=true`)).text();
  expect(lines).toMatch(/^\{\n {2}"kind": "Status",\n/);
}, 60_000);
