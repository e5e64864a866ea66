/**
 * Paths that name no resource: health, version, discovery, the server's description of itself.
 */
import type { Json } from '../api/json.ts';
import type { ApiRequest, ApiResponse } from '../api/request.ts';
import { RESOURCES } from '../api/resources.ts';
import type { Texts } from '../api/schema.ts';
import type { Extensions } from './apiextensions/custom-kind.ts';
import { border } from './border.ts';
import { noSuchPath } from './errors.ts';
import type { OpenApiV3 } from './openapi.ts';
import { ISSUER } from './tokens.ts';

export interface PathContext {
  readonly started: boolean;
  /** Throws Forbidden. */
  authorize(): void;
  /** The keys by which service account tokens are verified. */
  keys?(): readonly object[];
  readonly texts: (() => Promise<unknown>) | undefined;
  /** What discovery says the server's address is. */
  readonly address: string;
  /** What custom kinds add to discovery and OpenAPI. */
  readonly extensions?: Extensions | undefined;
  /** What the server tells of its own insides, by path. */
  debug?(request: ApiRequest): ApiResponse | undefined;
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
  context.authorize();
  if (request.path === '/.well-known/openid-configuration') return { status: 200, headers: JSON_HEADERS, body: ISSUER_CONFIGURATION };
  if (request.path === '/openid/v1/jwks') return { status: 200, headers: JWKS_HEADERS, body: { keys: context.keys?.() ?? [] } as unknown as Json };
  const inside = context.debug?.(request);
  if (inside) return inside;
  const answer = serveStaticPath(request, context.started, context.address, context.extensions);
  if (answer) return answer;
  const root = /^\/openapi\/v3\/(.+)$/.exec(request.path)?.[1];
  if (root !== undefined) {
    const custom = context.extensions?.openApiRoots().some((each) => each.root === root)
      ? context.extensions.openApi(root, await documents(context.texts).textsOfFields())
      : undefined;
    if (custom !== undefined) return { status: 200, headers: JSON_HEADERS, body: custom };
    const document = await documents(context.texts).document(root);
    if (document !== undefined) return { status: 200, headers: JSON_HEADERS, body: document };
  }
  throw noSuchPath();
}

const JSON_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json' };
const TEXT_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

const JWKS_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=3600' };
/** OpenID Connect discovery of service account tokens (pkg/serviceaccount/openidmetadata.go). */
const ISSUER_CONFIGURATION: Json = {
  issuer: ISSUER,
  jwks_uri: `${ISSUER}/openid/v1/jwks`,
  response_types_supported: ['id_token'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
};

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
export function serveStaticPath(request: ApiRequest, started: boolean, address = '', extensions?: Extensions): ApiResponse | undefined {
  const { path } = request;
  const health = HEALTH.exec(path);
  if (health) return healthAnswer(request, health[1]!, health[2], started);
  const { OPENAPI_V2_TYPE, openApiV2, openApiV3Index, discover } = border();
  if (path === '/openapi/v2') return { status: 200, headers: { 'content-type': OPENAPI_V2_TYPE }, body: openApiV2() };
  if (path === '/openapi/v3') return { status: 200, headers: JSON_HEADERS, body: openApiV3Index(undefined, extensions?.openApiRoots()) };
  const custom = extensions?.rows() ?? [];
  const found = discover(path, request.headers['accept'] ?? '', address, custom.length > 0 ? [...RESOURCES, ...custom] : RESOURCES);
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
