/**
 * Clients and servers of other years. `fixtures/wire-variants.json` holds what kubectl 1.27 to 1.33 sent for the same
 * commands, and what kubectl said when a server lacked something (recorded against a server made for it).
 *
 * Sent again here: the requests of kubectl 1.30 to 1.33, each of which must be answered as that release needs. And where
 * a real kubectl is found, it is led through a door that takes away what the recorded server lacked: it must say of
 * ours what it said of that one, so that what is left of our answers is what kubectl falls back on.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findKubectl } from '../kubectl/real.ts';
import variants from './fixtures/wire-variants.json';
import { Served } from './served.ts';

interface Variant {
  readonly scene: string;
  readonly version: string;
  readonly cmd: string;
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
  readonly requests: readonly string[];
}
interface Sent {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly accept: string;
  readonly contentType: string;
  readonly upgrade: string | undefined;
  readonly offered: string | undefined;
}

const LABELS = { app: 'app' };
const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'app' },
  spec: {
    replicas: 2,
    selector: { matchLabels: LABELS },
    template: { metadata: { labels: LABELS }, spec: { containers: [{ name: 'c', image: 'nginx:1.27' }] } },
  },
};
const POD = { metadata: { name: 'p1' }, spec: { containers: [{ name: 'c', image: 'busybox', command: ['sleep', '100000'] }] } };
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm-file' }, data: { a: '1' } };

let served: Served;

/** `GET /api/v1/pods 200 accept=application/json, *\/* ct= upgrade=websocket offered=a, b` */
function read(line: string): Sent {
  const [, method = '', url = '', status = '', accept = '', contentType = '', upgrade, offered] =
    /^(\S+) (\S+) (\d+) accept=(.*?) ct=(\S*)(?: protobuf)?(?: upgrade=(\S+) offered=(.*))?$/.exec(line) ?? [];
  if (url === '') throw new Error(`cannot read ${line}`);
  return { method, url, status: Number(status), accept, contentType, upgrade, offered };
}

function send({ method, url, accept, contentType, upgrade, offered }: Sent, body?: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${served.url}${url}`, {
      method,
      headers: {
        ...(accept ? { accept } : {}),
        ...(contentType ? { 'content-type': contentType } : {}),
        ...(upgrade
          ? {
              connection: 'Upgrade',
              upgrade,
              ...(upgrade === 'websocket'
                ? { 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-protocol': offered }
                : { 'x-stream-protocol-version': offered }),
            }
          : {}),
      },
    });
    outgoing.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, text: '' });
    });
    outgoing.on('response', (response) => {
      let text = '';
      response.on('data', (piece) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Bodies are not in the recording: what each command sends, in the form of releases that sent JSON. */
function bodyOf({ method, url }: Sent): unknown {
  if (method === 'PATCH') return { spec: { replicas: 3 } };
  if (method !== 'POST' || url.includes('/portforward') || url.includes('/exec')) return undefined;
  if (url.includes('selfsubjectaccessreviews')) {
    const resourceAttributes = { namespace: 'default', verb: 'get', resource: 'pods' };
    return { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', metadata: {}, spec: { resourceAttributes } };
  }
  if (url.includes('/deployments')) return { ...DEPLOYMENT, metadata: { name: 'm' } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mm' }, data: { a: 'b' } };
}

const FORM: Readonly<Record<string, string>> = {
  '/deployments': '/apis/apps/v1/namespaces/default/deployments',
  '/configmaps': '/api/v1/namespaces/default/configmaps',
};

beforeAll(async () => {
  served = await Served.start('three-nodes');
  const post = (url: string, object: unknown) =>
    send({ method: 'POST', url, status: 0, accept: '', contentType: 'application/json', upgrade: undefined, offered: undefined }, object);
  await post('/api/v1/namespaces/default/pods', POD);
  await post('/apis/apps/v1/namespaces/default/deployments', DEPLOYMENT);
  await served.wait(40);
}, 120_000);
afterAll(() => served?.stop());

const MATRIX = (variants as readonly Variant[]).filter(({ scene, version }) => scene === 'version matrix' && Number(version) >= 1.3);

describe('what kubectl of other releases sends', () => {
  test.each(MATRIX.map((one) => [one.version, one.cmd, one] as const))('%s: %s', async (_version, _cmd, { requests }) => {
    for (const line of requests) {
      const sent = read(line);
      // kubectl 1.32 sends protobuf, which is replayed in `wire.test.ts`; the content is the same.
      const contentType = sent.contentType === 'application/vnd.kubernetes.protobuf' ? 'application/json' : sent.contentType;
      // Long addresses are cut short in the recording.
      const document = sent.url.replace('hash=PROBE', 'hash=0').replace(/kind%$/, 'kind%3DService');
      // What the recorded server did not do: SPDY on the connection itself, Endpoints, OpenAPI v2.
      const expected = sent.upgrade ? 101 : /endpoints|openapi\/v2/.test(sent.url) ? 200 : sent.status;
      const { status, text } = await send({ ...sent, url: document, contentType }, bodyOf(sent));
      expect([line, status, status === expected ? '' : text]).toEqual([line, expected, '']);
      if (sent.method !== 'POST') continue;
      for (const [part, collection] of Object.entries(FORM)) {
        const name = part === '/deployments' ? 'm' : 'mm';
        if (sent.url.includes(part)) await send({ ...sent, method: 'DELETE', url: `${collection}/${name}`, contentType: '', upgrade: undefined });
      }
    }
  });
});

// --- what a server lacks -----------------------------------------------------------------------------------

/** Answers a request in the server's place; undefined lets it through. `change` alters what the server answered. */
interface Lack {
  readonly scene: string;
  instead?(request: IncomingMessage): { status: number; body: object } | undefined;
  headers?(request: IncomingMessage): void;
  change?(request: IncomingMessage, text: string): string;
}
const status = (code: number, reason: string, message: string): { status: number; body: object } => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details: {}, code },
});
const noPath = status(404, 'NotFound', 'the server could not find the requested resource');

const LACKS: readonly Lack[] = [
  {
    scene: 'protobuf bodies refused (415)',
    instead: ({ headers, method }) =>
      method === 'POST' && headers['content-type']?.includes('protobuf')
        ? status(
            415,
            'UnsupportedMediaType',
            'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
          )
        : undefined,
  },
  {
    scene: 'legacy discovery',
    headers: (request) => {
      if (request.headers.accept?.includes('apidiscovery')) request.headers.accept = 'application/json';
    },
  },
  { scene: 'no openapi at all', instead: ({ url = '' }) => (url.startsWith('/openapi') ? noPath : undefined) },
  {
    scene: 'openapi v2 as JSON only',
    instead: ({ url = '' }) =>
      url.startsWith('/openapi/v3') ? noPath : url.startsWith('/openapi/v2') ? { status: 200, body: { swagger: '2.0', info: {}, paths: {} } } : undefined,
  },
];

/** The server behind a door that lacks something. */
function door(lack: Lack): Promise<Server> {
  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const own = lack.instead?.(incoming);
    if (own) {
      incoming.resume();
      outgoing.writeHead(own.status, { 'content-type': 'application/json' }).end(JSON.stringify(own.body));
      return;
    }
    lack.headers?.(incoming);
    const { host: _, ...headers } = incoming.headers;
    const onward = httpRequest(`${served.url}${incoming.url}`, { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Texts without what chance and the recorded server named. */
const plain = (text: string): string =>
  text
    .replace(/\/tmp\/\S+/g, 'FILE')
    .replace(/accepted media types include:.*/g, 'accepted media types include')
    .replace(/proto:\s/g, 'proto: ')
    .trim();

const kubectl = findKubectl();

describe.runIf(kubectl !== undefined)('what kubectl says of a server that lacks something', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'orrery-variants-'));
    const file = (name: string, object: object): void => writeFileSync(join(folder, name), JSON.stringify(object));
    file('cm.yaml', CONFIG_MAP);
    file('dep.yaml', DEPLOYMENT);
    file('dep2.yaml', { ...DEPLOYMENT, spec: { ...DEPLOYMENT.spec, replicas: 4 } });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (url: string, command: string): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      // Validation by the server would need no document, but it is told of in one.
      const home = mkdtempSync(join(folder, 'home-'));
      execFile(
        kubectl!,
        ['--server', url, ...command.split(' ')],
        { cwd: folder, env: { ...process.env, HOME: home, KUBECONFIG: join(home, 'none') } },
        (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out, err }),
      );
    });

  const cases = LACKS.flatMap((lack) =>
    (variants as readonly Variant[]).filter(({ scene }) => scene === lack.scene).map((variant) => [lack, variant] as const),
  );
  test.each(cases.map(([lack, variant]) => [lack.scene, variant.cmd, lack, variant] as const))('%s: %s', async (_scene, _cmd, lack, variant) => {
    const server = await door(lack);
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { code, err, out } = await run(url, variant.cmd);
      // The recorded deployment had been applied; ours was made without the note apply looks for.
      const noise = (text: string): string => plain(text.replace(/^Warning: resource .* is missing the kubectl.kubernetes.io\/last-applied.*\n/m, ''));
      expect({ code, err: noise(err) }).toEqual({ code: variant.exit, err: plain(variant.err) });
      if (variant.cmd === 'get pods') expect(out).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE\n/);
      if (variant.cmd === 'api-resources') expect(out).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
