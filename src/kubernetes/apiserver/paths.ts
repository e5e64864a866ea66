/**
 * Paths that name no resource: health, version, discovery, the server's description of itself.
 */
import type { Json } from '../api/json.ts';
import type { ApiRequest, ApiResponse } from '../api/request.ts';
import type { Texts } from '../api/schema.ts';
import { border } from './border.ts';
import { noSuchPath } from './errors.ts';
import type { OpenApiV3 } from './openapi.ts';

export interface PathContext {
  readonly started: boolean;
  /** Throws Forbidden. */
  authorize(verb: string): void;
  readonly texts: (() => Promise<unknown>) | undefined;
  /** What discovery says the server's address is. */
  readonly address: string;
}

/** Health is asked by probes all the time and needs nothing of the border. */
export const isHealthPath = (path: string): boolean => HEALTH.test(path);
const HEALTH = /^\/(healthz|livez|readyz)(?:\/(.+))?$/;
/** A selection of upstream's checks, in their order. */
const CHECKS = [
  'ping',
  'log',
  'etcd',
  'poststarthook/start-apiserver-admission-initializer',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/bootstrap-controller',
  'poststarthook/start-system-namespaces-controller',
];
/** Checks that fail until the server has made sure of what every cluster has. */
const AFTER_START = new Set(CHECKS.slice(4));

/** Rejects with Forbidden, or NotFound for a path nobody serves. */
export async function servePath(request: ApiRequest, context: PathContext): Promise<ApiResponse> {
  context.authorize(request.method === 'GET' || request.method === 'HEAD' ? 'get' : request.method.toLowerCase());
  const answer = serveStaticPath(request, context.started, context.address);
  if (answer) return answer;
  const root = /^\/openapi\/v3\/(.+)$/.exec(request.path)?.[1];
  if (root !== undefined) {
    const document = await documents(context.texts).document(root);
    if (document !== undefined) return { status: 200, headers: JSON_HEADERS, body: document };
  }
  throw noSuchPath();
}

const JSON_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json' };
const TEXT_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

/** Documents are built once for each way of loading texts. */
const built = new Map<unknown, OpenApiV3>();
function documents(texts: (() => Promise<unknown>) | undefined): OpenApiV3 {
  let found = built.get(texts);
  if (!found) {
    found = new (border().OpenApiV3)(texts as (() => Promise<Texts>) | undefined);
    built.set(texts, found);
  }
  return found;
}

/** Answers that need no waiting; undefined for any other path. */
export function serveStaticPath(request: ApiRequest, started: boolean, address = ''): ApiResponse | undefined {
  const { path } = request;
  const health = HEALTH.exec(path);
  if (health) return healthAnswer(request, health[1]!, health[2], started);
  const { OPENAPI_V2_TYPE, openApiV2, openApiV3Index, discover } = border();
  if (path === '/openapi/v2') return { status: 200, headers: { 'content-type': OPENAPI_V2_TYPE }, body: openApiV2() };
  if (path === '/openapi/v3') return { status: 200, headers: JSON_HEADERS, body: openApiV3Index() };
  const found = discover(path, request.headers['accept'] ?? '', address);
  return found && { status: 200, headers: { 'content-type': found.contentType }, body: found.body };
}

function healthAnswer(request: ApiRequest, which: string, only: string | undefined, started: boolean): ApiResponse {
  const ok = (check: string) => started || which === 'livez' || !AFTER_START.has(check);
  const checks = only === undefined ? CHECKS : CHECKS.filter((check) => check === only);
  if (checks.length === 0) throw noSuchPath();
  const failed = checks.some((check) => !ok(check));
  const lines = checks.map((check) => (ok(check) ? `[+]${check} ok` : `[-]${check} failed: reason withheld`)).join('\n');
  let body: Json = 'ok';
  if (failed) body = `${lines}\n${which} check failed\n`;
  else if (request.query['verbose'] !== undefined) body = `${lines}\n${which} check passed\n`;
  return { status: failed ? 500 : 200, headers: TEXT_HEADERS, body };
}
