/**
 * `agnhost webhook` and `agnhost crd-conversion-webhook`, the programs by which Kubernetes' own e2e tests try
 * admission and conversion webhooks (`test/images/agnhost/{webhook,crd-conversion-webhook}`): each path does one thing.
 *
 * Here simplified: TLS is not modelled, so `--tls-cert-file` and `--tls-private-key-file` are accepted and not read,
 * and the port (443 unless `--port` says otherwise) speaks HTTP.
 */
import { type HttpRequest, type HttpResponse, serveHttp } from '../../../linux/http.ts';
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import { slashTime } from './clock-text.ts';

interface Thing {
  readonly apiVersion?: string;
  readonly metadata?: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly containers?: readonly { readonly name: string }[] };
  readonly data?: Readonly<Record<string, string>>;
}
interface Request {
  readonly uid: string;
  readonly name?: string;
  readonly operation?: string;
  readonly object?: Thing | null;
  readonly oldObject?: Thing | null;
}
interface Verdict {
  readonly allowed: boolean;
  readonly message?: string;
  readonly patch?: readonly object[];
}
type Handler = (request: Request, self: ProgramContext) => Verdict | Promise<Verdict>;

const ALLOW: Verdict = { allowed: true };
const E2E = 'webhook-e2e-test';
const DISALLOW = 'webhook-disallow';

const addLabel: Handler = ({ object }) => {
  const labels = object?.metadata?.labels;
  if (!labels || Object.keys(labels).length === 0) return { allowed: true, patch: [{ op: 'add', path: '/metadata/labels', value: { 'added-label': 'yes' } }] };
  if (labels['added-label'] === 'yes') return ALLOW;
  return { allowed: true, patch: [{ op: labels['added-label'] === undefined ? 'add' : 'replace', path: '/metadata/labels/added-label', value: 'yes' }] };
};

const pods: Handler = ({ object }) => {
  const label = object?.metadata?.labels?.[E2E];
  if (label === 'wait-forever') return new Promise<Verdict>(() => {});
  const said = [
    ...(label === DISALLOW ? ['the pod contains unwanted label;'] : []),
    ...(object?.spec?.containers ?? []).filter(({ name }) => name.includes(DISALLOW)).map(() => 'the pod contains unwanted container name;'),
  ];
  return said.length > 0 ? { allowed: false, message: said.join(' ') } : ALLOW;
};

/** ConfigMaps and custom resources alike. */
const unwantedData =
  (message: string): Handler =>
  ({ object, oldObject, operation }) =>
    (operation === 'DELETE' ? oldObject : object)?.data?.[E2E] === DISALLOW ? { allowed: false, message } : ALLOW;

/** Two stages, so that a second webhook or a second round shows. */
const stages: Handler = ({ object }) => {
  const data = object?.data ?? {};
  const patch = [
    ...(data['mutation-start'] === 'yes' ? [{ op: 'add', path: '/data/mutation-stage-1', value: 'yes' }] : []),
    ...(data['mutation-stage-1'] === 'yes' ? [{ op: 'add', path: '/data/mutation-stage-2', value: 'yes' }] : []),
  ];
  return patch.length > 0 ? { allowed: true, patch } : ALLOW;
};

const HANDLERS: Readonly<Record<string, Handler>> = {
  '/always-allow-delay-5s': async (_, self) => {
    await self.process.clock.sleep(seconds(5));
    return { allowed: true, message: 'this webhook allows all requests' };
  },
  '/always-deny': () => ({ allowed: false, message: 'this webhook denies all requests' }),
  '/add-label': addLabel,
  '/pods': pods,
  '/pods/attach': ({ name }) => (name === 'to-be-attached-pod' ? { allowed: false, message: "attaching to pod 'to-be-attached-pod' is not allowed" } : ALLOW),
  '/mutating-pods': ({ object }) =>
    object?.metadata?.name === 'webhook-to-be-mutated'
      ? {
          allowed: true,
          patch: [{ op: 'add', path: '/spec/initContainers', value: [{ image: 'webhook-added-image', name: 'webhook-added-init-container', resources: {} }] }],
        }
      : ALLOW,
  '/mutating-pods-sidecar': (_, self) => ({
    allowed: true,
    patch: [{ op: 'add', path: '/spec/containers/-', value: { image: flag(self, 'sidecar-image', ''), name: 'webhook-added-sidecar' } }],
  }),
  '/configmaps': unwantedData('the configmap contains unwanted key and value'),
  '/mutating-configmaps': stages,
  '/custom-resource': unwantedData('the custom resource contains unwanted data'),
  '/mutating-custom-resource': stages,
  '/crd': ({ object }) => (object?.metadata?.labels?.[E2E] === DISALLOW ? { allowed: false, message: 'the crd contains unwanted label' } : ALLOW),
};

const flag = (self: ProgramContext, name: string, or: string): string => {
  const at = self.argv.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  if (at < 0) return or;
  return self.argv[at]!.includes('=') ? self.argv[at]!.slice(self.argv[at]!.indexOf('=') + 1) : (self.argv[at + 1] ?? or);
};

const json = (value: unknown): HttpResponse => ({ status: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });

/** Serves POSTs of JSON until told to stop. */
async function serve(self: ProgramContext, answer: (request: HttpRequest, body: never) => HttpResponse | Promise<HttpResponse>): Promise<number> {
  const done = defer<number>(self.process.clock);
  self.onSignal((signal) => {
    if (signal === 'TERM' || signal === 'INT') done.resolve(signal === 'TERM' ? 143 : 130);
  });
  const log = (text: string): void => self.stderr(`${slashTime(self.process.clock.now())} ${text}\n`);
  serveHttp(self.sockets, Number(flag(self, 'port', '443')), (request) => {
    if (request.path === '/readyz') return { status: 200, body: 'ok' };
    if (request.headers['content-type'] !== 'application/json') {
      log(`contentType=${request.headers['content-type'] ?? ''}, expect application/json`);
      return { status: 200, body: '' };
    }
    log(`handling request: ${request.path}`);
    try {
      return answer(request, JSON.parse(request.body) as never);
    } catch (error) {
      return { status: 400, body: `Request could not be decoded: ${error instanceof Error ? error.message : String(error)}\n` };
    }
  });
  return done.promise;
}

export const webhook: Program = (self) =>
  serve(self, async ({ path }, review: { kind?: string; apiVersion?: string; request?: Request }) => {
    const handler = HANDLERS[path];
    if (!handler) return { status: 404, body: '404 page not found\n' };
    const { kind, apiVersion, request } = review;
    if (kind !== 'AdmissionReview' || !request) return { status: 400, body: `Unsupported group version kind: ${apiVersion}, Kind=${kind}\n` };
    const { allowed, message, patch } = await handler(request, self);
    const patched = patch ? { patchType: 'JSONPatch', patch: base64(JSON.stringify(patch)) } : {};
    return json({ kind, apiVersion, response: { uid: request.uid, allowed, ...(message ? { status: { metadata: {}, message } } : {}), ...patched } });
  });

// --- conversion ------------------------------------------------------------------------------------------

type Custom = Readonly<Record<string, unknown>> & { readonly apiVersion: string };
class Unconvertible extends Error {}

/** `stable.example.com`: v1 says `hostPort`, v2 `host` and `port`. Throws Unconvertible. */
function convert(object: Custom, to: string): Custom {
  const from = object.apiVersion;
  if (from === to) throw new Unconvertible(`conversion from a version to itself should not call the webhook: ${to}`);
  const unexpected = () => new Unconvertible(`unexpected conversion version ${JSON.stringify(to)}`);
  if (from === 'stable.example.com/v1') {
    if (to !== 'stable.example.com/v2') throw unexpected();
    const { hostPort, ...rest } = object;
    if (hostPort === undefined) return { ...rest, apiVersion: to };
    const parts = String(hostPort).split(':');
    if (parts.length !== 2) throw new Unconvertible(`invalid hostPort value \`${String(hostPort)}\``);
    return { ...rest, apiVersion: to, host: parts[0], port: parts[1] };
  }
  if (from !== 'stable.example.com/v2' || to !== 'stable.example.com/v1') throw unexpected();
  const { host, port, ...rest } = object;
  return host === undefined && port === undefined ? { ...rest, apiVersion: to } : { ...rest, apiVersion: to, hostPort: `${host ?? ''}:${port ?? ''}` };
}

export const conversionWebhook: Program = (self) =>
  serve(self, ({ path }, review: { kind?: string; apiVersion?: string; request?: { uid: string; desiredAPIVersion: string; objects: readonly Custom[] } }) => {
    if (path !== '/crdconvert') return { status: 404, body: '404 page not found\n' };
    const { kind, apiVersion, request } = review;
    if (kind !== 'ConversionReview' || !request) return { status: 400, body: `Unsupported group version kind: ${apiVersion}, Kind=${kind}\n` };
    const { uid, desiredAPIVersion, objects } = request;
    try {
      const convertedObjects = objects.map((object) => convert(object, desiredAPIVersion));
      return json({ kind, apiVersion, response: { uid, convertedObjects, result: { status: 'Success' } } });
    } catch (error) {
      if (!(error instanceof Unconvertible)) throw error;
      return json({ kind, apiVersion, response: { uid, convertedObjects: [], result: { status: 'Failure', message: error.message } } });
    }
  });

// --- base64 ----------------------------------------------------------------------------------------------

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648 section 4 of the UTF-8 of a text. */
function base64(text: string): string {
  const bytes = encodeURIComponent(text).replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const three = (bytes.charCodeAt(i) << 16) | ((left > 1 ? bytes.charCodeAt(i + 1) : 0) << 8) | (left > 2 ? bytes.charCodeAt(i + 2) : 0);
    out += ALPHABET[three >> 18]! + ALPHABET[(three >> 12) & 63]! + (left > 1 ? ALPHABET[(three >> 6) & 63]! : '=') + (left > 2 ? ALPHABET[three & 63]! : '=');
  }
  return out;
}
