/**
 * The server's description of itself: /openapi/v3, an index and a document per group version, built when first asked
 * for from the generated schema, and /openapi/v2, of which real clients need only that it exists. `kubectl explain`
 * prints the v3 documents; `apply` and `create` look in them for a PATCH that knows `fieldValidation`, and then leave
 * validation to the server. Strategic merge patch is not announced: kubectl would compute patches from merge keys that our schemas lack.
 */
import { fnv32a } from '../api/hash.ts';
import type { Json } from '../api/json.ts';
import { RELEASE } from '../api/release.ts';
import { collectionPath, RESOURCES, type ResourceRow, SERVED } from '../api/resources.ts';
import { modelOf, SCHEMA, type Texts } from '../api/schema.ts';

export const OPENAPI_V2_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** The smallest v2 document kubectl accepts, protobuf; each character is one byte. */
export function openApiV2(): string {
  const field = (tag: number, content: string): string => String.fromCharCode((tag << 3) | 2, content.length) + content;
  return field(1, '2.0') + field(2, field(1, 'Kubernetes') + field(2, RELEASE.gitVersion)) + field(8, '');
}

const rootOf = (group: string, version: string): string => (group ? `apis/${group}/${version}` : `api/${version}`);

/** Body of GET /openapi/v3. */
export function openApiV3Index(rows: readonly ResourceRow[] = SERVED, custom: readonly { readonly root: string; readonly hash: string }[] = []): Json {
  const paths: Record<string, Json> = {};
  for (const row of rows) {
    const root = rootOf(row.group, row.version);
    const hash = fnv32a(`${RELEASE.gitVersion}/${root}`).toString(16).toUpperCase().padStart(8, '0');
    paths[root] = { serverRelativeURL: `/openapi/v3/${root}?hash=${hash}` };
  }
  for (const { root, hash } of custom)
    paths[root] = { serverRelativeURL: `/openapi/v3/${root}?hash=${fnv32a(hash).toString(16).toUpperCase().padStart(8, '0')}` };
  return { paths };
}

/**
 * Documents of `/openapi/v3/{root}`; `root` is `api/v1` or `apis/apps/v1`. Undefined for what is not served. Without
 * `loadTexts` fields have no descriptions. Each document is built once.
 */
export class OpenApiV3 {
  private readonly documents = new Map<string, Json>();
  private texts: Texts | undefined;

  constructor(
    private readonly loadTexts?: () => Promise<Texts>,
    private readonly rows: readonly ResourceRow[] = RESOURCES,
  ) {}

  /** The texts of fields, loaded once. */
  async textsOfFields(): Promise<Texts> {
    if (!this.texts && this.loadTexts) this.texts = await this.loadTexts();
    return this.texts ?? {};
  }

  async document(root: string): Promise<Json | undefined> {
    const known = this.documents.get(root);
    if (known) return known;
    const rows = this.rows.filter((row) => rootOf(row.group, row.version) === root);
    if (rows.length === 0) return undefined;
    const document = build(rows, await this.textsOfFields());
    this.documents.set(root, document);
    return document;
  }
}

const META = new Set([
  'ObjectMeta',
  'OwnerReference',
  'ManagedFieldsEntry',
  'LabelSelector',
  'LabelSelectorRequirement',
  'Condition',
  'DeleteOptions',
  'Preconditions',
  'Status',
  'ListMeta',
]);
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';

let namesByModel: Map<string, string> | undefined;

/** `io.k8s.api.apps.v1.Deployment`: a model belongs to the first group, core before others, from which it is reached. */
function schemaName(model: string): string {
  if (!namesByModel) {
    namesByModel = new Map();
    for (const row of RESOURCES) {
      const prefix = `io.k8s.api.${row.group.split('.')[0] || 'core'}.${row.version}.`;
      for (const reached of reachable([row.type])) {
        if (!namesByModel.has(reached))
          namesByModel.set(
            reached,
            META.has(reached)
              ? `io.k8s.apimachinery.pkg.apis.meta.v1.${reached}`
              : prefix + (SCHEMA[reached]?.gvk?.[2] ?? reached.replace(/V1(?:ALPHA|BETA)\d$/, '')),
          );
      }
    }
  }
  return namesByModel.get(model) ?? `io.k8s.api.core.v1.${model}`;
}

function reachable(roots: readonly string[]): string[] {
  const seen = new Set<string>();
  const queue = [...roots];
  for (let model = queue.shift(); model !== undefined; model = queue.shift()) {
    if (seen.has(model)) continue;
    seen.add(model);
    for (const type of Object.values(SCHEMA[model]?.fields ?? {})) {
      const next = modelOf(type);
      if (next) queue.push(next);
    }
  }
  return [...seen];
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

function typeSchema(type: string): { readonly [key: string]: Json } {
  if (type.startsWith('[]')) return { type: 'array', items: typeSchema(type.slice(2)) };
  if (type.startsWith('{}')) return { type: 'object', additionalProperties: typeSchema(type.slice(2)) };
  if (type.startsWith('#')) return { allOf: [ref(schemaName(type.slice(1)))], default: {} };
  switch (type) {
    case 'b':
      return { type: 'boolean' };
    case 'i32':
      return { type: 'integer', format: 'int32' };
    case 'i64':
      return { type: 'integer', format: 'int64' };
    case 'd':
      return { type: 'number', format: 'double' };
    case 't':
    case 'mt':
      return { type: 'string', format: 'date-time' };
    case 'by':
      return { type: 'string', format: 'byte' };
    case 'q':
      return { allOf: [ref(QUANTITY)] };
    case 'is':
      return { allOf: [ref(INT_OR_STRING)] };
    case 'any':
      return { type: 'object' };
    default:
      return { type: 'string' };
  }
}

function modelSchema(name: string, texts: Texts): Json {
  const model = SCHEMA[name];
  const own = texts[name] ?? {};
  const properties: Record<string, Json> = {};
  for (const [field, type] of Object.entries(model?.fields ?? {})) {
    const text = own[field];
    properties[field] = { ...(text ? { description: text } : {}), ...typeSchema(type) };
  }
  const [group = '', version = '', kind = ''] = model?.gvk ?? [];
  return {
    ...(own[''] ? { description: own[''] } : {}),
    type: 'object',
    properties,
    ...(model?.required ? { required: [...model.required] } : {}),
    ...(model?.gvk ? { 'x-kubernetes-group-version-kind': [{ group, kind, version }] } : {}),
  };
}

function build(rows: readonly ResourceRow[], texts: Texts): Json {
  const schemas: Record<string, Json> = {
    [QUANTITY]: { description: 'Quantity is a fixed-point representation of a number.', oneOf: [{ type: 'string' }, { type: 'number' }] },
    [INT_OR_STRING]: {
      description: 'IntOrString is a type that can hold an int32 or a string.',
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
    },
  };
  for (const model of reachable(rows.map((row) => row.type)).sort()) schemas[schemaName(model)] = modelSchema(model, texts);
  const paths: Record<string, Json> = {};
  for (const row of rows) addPaths(paths, row);
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: RELEASE.gitVersion }, paths, components: { schemas } };
}

/** The document of custom kinds of one group version; `schemas` are their own, to which those of metadata are added. */
export function customDocument(
  rows: readonly ResourceRow[],
  nameOf: (row: ResourceRow) => string,
  schemas: Readonly<Record<string, Json>>,
  texts: Texts,
): Json {
  const all: Record<string, Json> = { ...schemas };
  for (const model of reachable(['ObjectMeta']).sort()) all[schemaName(model)] = modelSchema(model, texts);
  const paths: Record<string, Json> = {};
  for (const row of rows) addPaths(paths, row, nameOf(row));
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: RELEASE.gitVersion }, paths, components: { schemas: all } };
}

const METHODS = [
  ['get', 'get', 'get'],
  ['update', 'put', 'put'],
  ['patch', 'patch', 'patch'],
  ['delete', 'delete', 'delete'],
] as const;

function addPaths(paths: Record<string, Json>, row: ResourceRow, name = schemaName(row.type)): void {
  const collection = collectionPath(row, '{namespace}');
  const body = ref(name);
  const operation = (action: string): Json => {
    const writes = action === 'post' || action === 'put' || action === 'patch';
    return {
      operationId: `${action}${row.namespaced ? 'Namespaced' : ''}${row.kind}`,
      ...(writes ? { parameters: ['dryRun', 'fieldManager', 'fieldValidation', ...(action === 'patch' ? ['force'] : [])].map(queryParameter) } : {}),
      ...(action === 'patch'
        ? {
            requestBody: {
              content: {
                'application/apply-patch+yaml': { schema: { type: 'object' } },
                'application/json-patch+json': { schema: { type: 'object' } },
                'application/merge-patch+json': { schema: { type: 'object' } },
              },
            },
          }
        : {}),
      ...(action === 'post' || action === 'put' ? { requestBody: { content: { '*/*': { schema: body } } } } : {}),
      responses: { '200': { description: 'OK', content: { 'application/json': { schema: body } } } },
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group: row.group, kind: row.kind, version: row.version },
    };
  };
  const onCollection: Record<string, Json> = {};
  if (row.verbs.includes('list')) onCollection['get'] = operation('list');
  if (row.verbs.includes('create')) onCollection['post'] = operation('post');
  paths[collection] = onCollection;
  if (row.namespaced && row.verbs.includes('list')) paths[collectionPath(row)] = { get: operation('list') };
  const onObject: Record<string, Json> = {};
  for (const [verb, method, action] of METHODS) if (row.verbs.includes(verb)) onObject[method] = operation(action);
  if (Object.keys(onObject).length > 0) paths[`${collection}/{name}`] = onObject;
}

const queryParameter = (name: string): Json => ({ name, in: 'query', schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true } });
