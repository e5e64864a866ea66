/**
 * Paths that name no resource: health, version, discovery, the server's description of itself.
 */
import type { Json } from '../api/json.ts';
import type { ApiRequest, ApiResponse } from '../api/request.ts';
import { type ResourceRow, SERVED } from '../api/resources.ts';
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
  /** What `/metrics` tells. */
  metrics?(): Promise<string>;
  /** The server's own kinds, where they are others than usual. */
  readonly served?: readonly ResourceRow[];
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
  if (request.path === '/metrics' && context.metrics)
    return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores' }, body: await context.metrics() };
  const answer = serveStaticPath(request, context.started, context.address, context.extensions, context.served);
  if (answer) return answer;
  const root = /^\/openapi\/v3\/(.+)$/.exec(request.path)?.[1];
  if (root !== undefined) {
    const custom = context.extensions?.openApiRoots().some((each) => each.root === root)
      ? context.extensions.openApi(root, await documents(context.texts).textsOfFields())
      : undefined;
    if (custom !== undefined) return { status: 200, headers: JSON_HEADERS, body: custom };
    const isServed = (context.served ?? SERVED).some((row) => (row.group ? `apis/${row.group}/${row.version}` : `api/${row.version}`) === root);
    const document = isServed ? await documents(context.texts).document(root) : undefined;
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

/** `GET /`: every path that is served, in order. */
function pathList(extensions: Extensions | undefined, served: readonly ResourceRow[]): Json {
  const roots = [...served, ...(extensions?.rows() ?? [])].flatMap(({ group, version }) =>
    group ? [`/apis/${group}`, `/apis/${group}/${version}`] : [`/api/${version}`],
  );
  const health = ['healthz', 'livez', 'readyz'].flatMap((which) => [`/${which}`, ...CHECKS.map((check) => `/${which}/${check}`)]);
  const others = [
    '/.well-known/openid-configuration',
    '/api',
    '/apis',
    '/apis/',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/openid/v1/jwks',
    '/version',
  ];
  return { paths: [...new Set([...others, ...roots, ...health])].sort() };
}

/** Answers that need no waiting; undefined for any other path. */
export function serveStaticPath(request: ApiRequest, started: boolean, address = '', extensions?: Extensions, served = SERVED): ApiResponse | undefined {
  const { path } = request;
  const health = HEALTH.exec(path);
  if (health) return healthAnswer(request, health[1]!, health[2], started);
  const { OPENAPI_V2_TYPE, openApiV2, openApiV3Index, discover } = border();
  if (path === '/openapi/v2') return { status: 200, headers: { 'content-type': OPENAPI_V2_TYPE }, body: openApiV2() };
  if (path === '/openapi/v3') return { status: 200, headers: JSON_HEADERS, body: openApiV3Index(served, extensions?.openApiRoots()) };
  if (path === '/') return { status: 200, headers: JSON_HEADERS, body: pathList(extensions, served) };
  const custom = extensions?.rows() ?? [];
  const found = discover(path, request.headers['accept'] ?? '', address, custom.length > 0 ? [...served, ...custom] : served);
  return found && { status: 200, headers: { 'content-type': found.contentType }, body: found.body };
}

function healthAnswer(request: ApiRequest, which: string, only: string | undefined, started: boolean): ApiResponse {
  const ok = (check: string) => started || which === 'livez' || !AFTER_START.has(check);
  const checks = only === undefined ? CHECKS : CHECKS.filter((check) => check === only);
  if (checks.length === 0) throw noSuchPath();
  const { exclude = [] } = request.query;
  const excluded = new Set(typeof exclude === 'string' ? [exclude] : exclude);
  const told = (check: string): string => {
    if (excluded.has(check)) return `[+]${check} excluded: ok\n`;
    return ok(check) ? `[+]${check} ok\n` : `[-]${check} failed: reason withheld\n`;
  };
  const failed = checks.some((check) => !excluded.has(check) && !ok(check));
  const unknown = [...excluded].filter((each) => !checks.includes(each)).sort();
  const warning =
    unknown.length > 0 ? `warn: some health checks cannot be excluded: no matches for ${unknown.map((each) => JSON.stringify(each)).join(',')}\n` : '';
  const lines = checks.map(told).join('') + warning;
  let body: Json = 'ok';
  if (failed) body = `${lines}${which} check failed\n`;
  else if (request.query['verbose'] !== undefined) body = `${lines}${which} check passed\n`;
  return { status: failed ? 500 : 200, headers: TEXT_HEADERS, body };
}
