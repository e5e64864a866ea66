/**
 * Makes the vocabulary of the Kubernetes API from npm packages: types, a compact schema for the worker,
 * field texts, discovery facts, and a JSON Schema for the YAML editor. No OpenAPI document is published on
 * npm, so the models are read out of `@kubernetes/client-node`, whose generated classes carry every field with
 * its wire name, type and format; `kubernetes-types` fills the field texts those classes drop, and says
 * which strings are quantities. Which kinds are served is read from `src/kubernetes/api/resources.ts`,
 * which lists merge by key from `merge-keys.ts` beside it.
 *
 * Run `node scripts/generate.mjs`. A second run with the same inputs does nothing.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const client = join(root, 'node_modules/@kubernetes/client-node');
const typesDir = join(root, 'node_modules/kubernetes-types');
const tableFile = join(root, 'src/kubernetes/api/resources.ts');
const mergeKeysFile = join(root, 'src/kubernetes/api/merge-keys.ts');
const out = {
  types: join(root, 'src/kubernetes/api/types.gen.ts'),
  schema: join(root, 'src/kubernetes/api/schema.gen.json'),
  mergePaths: join(root, 'src/kubernetes/api/merge-paths.gen.json'),
  texts: join(root, 'src/kubernetes/api/texts.gen.json'),
  discovery: join(root, 'src/kubernetes/api/discovery.gen.json'),
  editor: join(root, 'public/schemas/k8s.gen.json'),
};

/** Models wanted beside the served kinds: bodies of subresources and of requests. */
const EXTRA_ROOTS = ['V1Scale', 'V1Eviction', 'AuthenticationV1TokenRequest', 'V1DeleteOptions', 'V1LabelSelector', 'V1Status', 'V1ObjectMeta'];

/** Fields newer than kubernetes-types that hold a quantity. */
const QUANTITY_FIELDS = new Set([
  'capacity',
  'allocatable',
  'allocatedResources',
  'overhead',
  'podFixed',
  'sizeLimit',
  'averageValue',
  'divisor',
  'hard',
  'used',
  'maximumVolumeSize',
]);

/** Values the server accepts, where upstream's document would list an enum. The editor offers them. */
const ENUMS = {
  'Container.imagePullPolicy': ['Always', 'IfNotPresent', 'Never'],
  'Container.terminationMessagePolicy': ['FallbackToLogsOnError', 'File'],
  'ContainerPort.protocol': ['SCTP', 'TCP', 'UDP'],
  'PodSpec.restartPolicy': ['Always', 'Never', 'OnFailure'],
  'PodSpec.dnsPolicy': ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
  'PodSpec.preemptionPolicy': ['Never', 'PreemptLowerPriority'],
  'ServiceSpec.type': ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'],
  'ServiceSpec.sessionAffinity': ['ClientIP', 'None'],
  'ServiceSpec.externalTrafficPolicy': ['Cluster', 'Local'],
  'ServiceSpec.internalTrafficPolicy': ['Cluster', 'Local'],
  'ServiceSpec.ipFamilyPolicy': ['PreferDualStack', 'RequireDualStack', 'SingleStack'],
  'ServicePort.protocol': ['SCTP', 'TCP', 'UDP'],
  'DeploymentStrategy.type': ['Recreate', 'RollingUpdate'],
  'DaemonSetUpdateStrategy.type': ['OnDelete', 'RollingUpdate'],
  'StatefulSetUpdateStrategy.type': ['OnDelete', 'RollingUpdate'],
  'StatefulSetSpec.podManagementPolicy': ['OrderedReady', 'Parallel'],
  'CronJobSpec.concurrencyPolicy': ['Allow', 'Forbid', 'Replace'],
  'JobSpec.completionMode': ['Indexed', 'NonIndexed'],
  'Taint.effect': ['NoExecute', 'NoSchedule', 'PreferNoSchedule'],
  'Toleration.effect': ['NoExecute', 'NoSchedule', 'PreferNoSchedule'],
  'Toleration.operator': ['Equal', 'Exists'],
  'TopologySpreadConstraint.whenUnsatisfiable': ['DoNotSchedule', 'ScheduleAnyway'],
  'LabelSelectorRequirement.operator': ['DoesNotExist', 'Exists', 'In', 'NotIn'],
  'NodeSelectorRequirement.operator': ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'],
  'PersistentVolumeSpec.persistentVolumeReclaimPolicy': ['Delete', 'Recycle', 'Retain'],
  'HTTPGetAction.scheme': ['HTTP', 'HTTPS'],
  'HTTPIngressPath.pathType': ['Exact', 'ImplementationSpecific', 'Prefix'],
  'StorageClass.volumeBindingMode': ['Immediate', 'WaitForFirstConsumer'],
  'StorageClass.reclaimPolicy': ['Delete', 'Recycle', 'Retain'],
};

const table = readFileSync(tableFile, 'utf8');
const mergeKeys = readFileSync(mergeKeysFile, 'utf8');
const versionOf = (dir) => JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')).version;
const stamp = createHash('sha256')
  .update([versionOf(client), versionOf(typesDir), table, mergeKeys, readFileSync(fileURLToPath(import.meta.url), 'utf8')].join('\0'))
  .digest('hex')
  .slice(0, 16);
if (Object.values(out).every(existsSync) && readFileSync(out.types, 'utf8').slice(0, 200).includes(`stamp ${stamp}`)) {
  console.log('generate: up to date');
  process.exit(0);
}

// --- the served kinds ------------------------------------------------------------------------------

const served = table
  .slice(table.indexOf('export const RESOURCES'), table.indexOf('\n];'))
  .split(/\n {2}row\(/)
  .slice(1)
  .map((text) => {
    const literals = /^\s*'([^']*)',\s*'([^']*)',\s*'([^']*)'/.exec(text);
    if (!literals) throw new Error(`generate: cannot read the row ${text.slice(0, 60)}`);
    const [, group, version, kind] = literals;
    return { group, version, kind, type: /\btype: '(\w+)'/.exec(text)?.[1] ?? kind };
  });
if (served.length < 10) throw new Error('generate: could not read the rows of resources.ts');

// --- the models of client-node ---------------------------------------------------------------------

const modelsDir = join(client, 'dist/gen/models');
const exported = new Set(
  [...readFileSync(join(client, 'dist/gen/types/PromiseAPI.d.ts'), 'utf8').matchAll(/^import \{ (\w+) \} from '\.\.\/models\//gm)].map((m) => m[1]),
);

const tidy = (text) =>
  text
    .replace(/\\(['"`])/g, '$1')
    .replace(/\\?&#39;/g, "'")
    .replace(/\\?&quot;/g, '"')
    .replace(/&#x60;/g, '`')
    .replace(/&#x3D;/g, '=')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s*\n\s*\*?\s*/g, ' ')
    .trim();

/** class name → { text, fields: { name: { type, format, required, text } } } */
const classes = new Map();
function readClass(name) {
  const known = classes.get(name);
  if (known) return known;
  const js = readFileSync(join(modelsDir, `${name}.js`), 'utf8');
  const dts = readFileSync(join(modelsDir, `${name}.d.ts`), 'utf8');
  const map = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(js);
  const attributes = map ? JSON.parse(map[1]) : [];
  const docs = new Map(
    [...dts.matchAll(/(?:\/\*\*\s*\n((?:\s*\*[^\n]*\n)*?)\s*\*\/\s*\n)?\s{4}'([^']+)'(\?)?:/g)].map((m) => [
      m[2],
      { text: tidy((m[1] ?? '').replace(/^\s*\*/, '')), optional: m[3] === '?' },
    ]),
  );
  const text = /\/\*\*\n((?:\*[^\n]*\n)*?)\*\/\nexport declare class/.exec(dts);
  const model = { text: text ? tidy(text[1].replace(/^\*/, '')) : '', fields: {} };
  for (const { name: property, baseName, type, format } of attributes.sort((a, b) => (a.baseName < b.baseName ? -1 : 1))) {
    const doc = docs.get(property);
    model.fields[baseName] = { type, format, required: doc ? !doc.optional : false, text: doc?.text ?? '' };
  }
  classes.set(name, model);
  return model;
}

const prefixed = /^([A-Z][a-z]+)?V(\d+(?:alpha\d+|beta\d+)?)([A-Z].*)$/;
const parseName = (name) => {
  const m = prefixed.exec(name);
  return m ? { group: (m[1] ?? '').toLowerCase(), version: `v${m[2]}`, short: m[3] } : undefined;
};
const groupWord = (group) => (group === '' ? 'core' : (group.split('.')[0] ?? ''));

/** The class of a served kind: with the group's word in front where several groups share the name. */
function classOf({ group, version, kind }) {
  const word = groupWord(group);
  const v = version[0].toUpperCase() + version.slice(1);
  const names = [`${word[0].toUpperCase()}${word.slice(1)}${v}${kind}`, `${v}${kind}`];
  const found = names.find((name) => exported.has(name));
  if (!found) throw new Error(`generate: no model for ${group}/${version} ${kind}`);
  return found;
}

const refOf = (type) => {
  let m = /^Array<(.*)>$/.exec(type);
  if (m) return refOf(m[1]);
  m = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (m) return refOf(m[1]);
  return type !== 'V1MicroTime' && prefixed.test(type) ? type : undefined;
};

const roots = new Map(served.map((s) => [classOf(s), s]));
const reached = new Set();
const queue = [...roots.keys(), ...EXTRA_ROOTS];
for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
  if (reached.has(name)) continue;
  reached.add(name);
  for (const field of Object.values(readClass(name).fields)) {
    const ref = refOf(field.type);
    if (ref) queue.push(ref);
  }
}

// --- short names -----------------------------------------------------------------------------------

const shortOf = new Map();
{
  const taken = new Map();
  const rank = (name) => {
    const p = parseName(name);
    if (roots.get(name)?.type === p.short) return 0;
    if (/alpha|beta/.test(p.version)) return 4;
    if (p.version !== 'v1') return 1;
    if (p.group === '' || p.group === 'core') return 2;
    return 3;
  };
  const names = [...reached].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  for (const name of names) {
    const p = parseName(name);
    let short = roots.get(name)?.type ?? p.short;
    if (taken.has(short)) short = p.group ? name : `${p.short}${p.version.toUpperCase()}`;
    if (taken.has(short)) throw new Error(`generate: two models want the name ${short}`);
    taken.set(short, name);
    shortOf.set(name, short);
  }
}

// --- texts and quantities from kubernetes-types -----------------------------------------------------

/** `group/version` → interface name → { field → { text, quantity } } */
const upstream = new Map();
for (const group of readdirSync(typesDir, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  for (const file of readdirSync(join(typesDir, group.name)).sort()) {
    const interfaces = new Map();
    const source = readFileSync(join(typesDir, group.name, file), 'utf8');
    for (const [, name, body] of source.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)) {
      const fields = {};
      for (const [, text, field, type] of body.matchAll(/^ {4}(?:\/\*\* ([\s\S]*?) \*\/\n {4})?(?:readonly )?"?([\w$-]+)"?\??: ([\s\S]*?);\n/gm)) {
        fields[field] = { text: tidy(text ?? ''), quantity: /\bQuantity\b/.test(type) };
      }
      interfaces.set(name, fields);
    }
    upstream.set(`${group.name}/${file.replace('.d.ts', '')}`, interfaces);
  }
}
function upstreamFields(name) {
  const p = parseName(name);
  const own = Object.keys(readClass(name).fields);
  let best = {};
  let score = -1;
  for (const [groupVersion, interfaces] of upstream) {
    const [group, version] = groupVersion.split('/');
    const fields = interfaces.get(p.short);
    if (!fields || version !== p.version || (p.group && p.group !== group)) continue;
    const shared = own.filter((field) => field in fields).length;
    if (shared > score) {
      best = fields;
      score = shared;
    }
  }
  return best;
}

// --- the neutral form -------------------------------------------------------------------------------

/**
 * Compact types: s string, b boolean, i32, i64, d double, t date-time, mt date-time with microseconds, by base64,
 * q quantity, is int-or-string, any; `#Model`, `[]element`, `{}value`.
 */
function compact(type, format, quantity) {
  let m = /^Array<(.*)>$/.exec(type);
  if (m) return `[]${compact(m[1], format, quantity)}`;
  m = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (m) return `{}${compact(m[1], format, quantity)}`;
  if (type === 'IntOrString' || format === 'int-or-string') return 'is';
  if (type === 'string') return quantity ? 'q' : format === 'byte' ? 'by' : 's';
  if (type === 'boolean') return 'b';
  if (type === 'number') return format === 'int32' ? 'i32' : format === 'double' ? 'd' : 'i64';
  if (type === 'Date' || type === 'V1MicroTime') return format === 'date-time-micro' || type === 'V1MicroTime' ? 'mt' : 't';
  if (type === 'any' || type === 'object') return 'any';
  const short = shortOf.get(type);
  if (!short) throw new Error(`generate: unknown type ${type}`);
  return `#${short}`;
}

const models = {};
for (const [name, short] of [...shortOf].sort((a, b) => (a[1] < b[1] ? -1 : 1))) {
  const { fields, text } = readClass(name);
  const texts = upstreamFields(name);
  const model = { text, fields: {}, required: [], top: 'apiVersion' in fields && 'kind' in fields && fields.metadata?.type === 'V1ObjectMeta' };
  const known = Object.keys(texts).length > 0;
  for (const [field, { type, format, required, text: own }] of Object.entries(fields)) {
    const quantity = texts[field]?.quantity ?? (QUANTITY_FIELDS.has(field) && (!known || /string/.test(type)));
    const ref = refOf(type);
    // A reference's own text is lost in client-node (it prints the text of the model it points to).
    const lost = ref !== undefined || type === 'IntOrString' || !own;
    model.fields[field] = { type: compact(type, format, quantity), text: (lost ? texts[field]?.text : own) || own || texts[field]?.text || '' };
    if (required) model.required.push(field);
  }
  const root = roots.get(name);
  if (root) model.gvk = [root.group, root.version, root.kind];
  models[short] = model;
}

// --- types.gen.ts ------------------------------------------------------------------------------------

const ts = (type) => {
  if (type.startsWith('[]')) return `${/[ |]/.test(ts(type.slice(2))) ? `(${ts(type.slice(2))})` : ts(type.slice(2))}[]`;
  if (type.startsWith('{}')) return `Record<string, ${ts(type.slice(2))}>`;
  if (type.startsWith('#')) return type.slice(1);
  return {
    s: 'string',
    q: 'string',
    t: 'string',
    mt: 'string',
    by: 'string',
    b: 'boolean',
    i32: 'number',
    i64: 'number',
    d: 'number',
    is: 'number | string',
    any: 'Json',
  }[type];
};
const IMPORTED = new Set(['ObjectMeta', 'OwnerReference']);
const HIDDEN = new Set(['ManagedFieldsEntry']);
const lines = [
  `// Generated by scripts/generate.mjs from npm packages; do not edit. stamp ${stamp}`,
  "import type { Json } from './json.ts';",
  "import type { ObjectMeta, OwnerReference } from './meta.ts';",
  '',
  'export type { ObjectMeta, OwnerReference };',
  '',
];
const property = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));
const comment = (text, indent) => (text ? [`${indent}/** ${text.replace(/\*\//g, '*\\/')} */`] : []);
for (const [short, model] of Object.entries(models)) {
  if (IMPORTED.has(short) || HIDDEN.has(short)) continue;
  lines.push(...comment(model.text, ''), `export interface ${short} {`);
  for (const [field, { type, text }] of Object.entries(model.fields)) {
    const must = model.required.includes(field) || (model.top && (field === 'apiVersion' || field === 'kind' || field === 'metadata'));
    lines.push(...comment(text, '  '), `  ${property(field)}${must ? '' : '?'}: ${ts(type)};`);
  }
  lines.push('}', '');
}
lines.push('/** Every served kind. Where two versions or groups share a kind name, the key is the type name. */', 'export interface Kinds {');
for (const { type } of [...served].sort((a, b) => (a.type < b.type ? -1 : 1))) lines.push(`  ${type}: ${type};`);
lines.push('}', 'export type Kind = keyof Kinds;', '');

// --- the other outputs --------------------------------------------------------------------------------

const schema = {};
const texts = {};
for (const [short, model] of Object.entries(models)) {
  schema[short] = { fields: Object.fromEntries(Object.entries(model.fields).map(([field, { type }]) => [field, type])) };
  if (model.required.length) schema[short].required = model.required;
  if (model.gvk) schema[short].gvk = model.gvk;
  texts[short] = { '': model.text, ...Object.fromEntries(Object.entries(model.fields).map(([field, { text }]) => [field, text])) };
}

// Of all models only those on the way to a list that merges by key: a thirtieth of the schema, and all that merging asks.
const MODEL = /^(?:\[\]|\{\})*#(.+)$/;
const merging = new Set([...mergeKeys.matchAll(/'(\w+)\.\w+'/g)].map(([, model]) => model));
const links = Object.entries(schema).map(([short, { fields }]) => [
  short,
  Object.entries(fields).flatMap(([field, type]) => (MODEL.test(type) ? [[field, MODEL.exec(type)[1]]] : [])),
]);
for (let before = -1; before !== merging.size; ) {
  before = merging.size;
  for (const [short, fields] of links) if (fields.some(([, model]) => merging.has(model))) merging.add(short);
}
const mergePaths = Object.fromEntries(
  links
    .map(([short, fields]) => [short, Object.fromEntries(fields.filter(([, model]) => merging.has(model)))])
    .filter(([, fields]) => Object.keys(fields).length > 0),
);

const jsonType = (type) => {
  if (type.startsWith('[]')) return { type: ['array', 'null'], items: jsonType(type.slice(2)) };
  if (type.startsWith('{}')) return { type: ['object', 'null'], additionalProperties: jsonType(type.slice(2)) };
  if (type.startsWith('#')) return { $ref: `#/definitions/${type.slice(1)}` };
  return {
    s: { type: ['string', 'null'] },
    by: { type: ['string', 'null'], format: 'byte' },
    t: { type: ['string', 'null'], format: 'date-time' },
    mt: { type: ['string', 'null'], format: 'date-time' },
    q: { type: ['string', 'number', 'null'] },
    b: { type: ['boolean', 'null'] },
    i32: { type: ['integer', 'null'] },
    i64: { type: ['integer', 'null'] },
    d: { type: ['number', 'null'] },
    is: { type: ['integer', 'string', 'null'] },
    any: {},
  }[type];
};
const definitions = {};
for (const [short, model] of Object.entries(models)) {
  const properties = {};
  for (const [field, { type, text }] of Object.entries(model.fields)) {
    const base = jsonType(type);
    // Draft-07 ignores what stands beside $ref, so a text needs allOf.
    const value = base.$ref && text ? { type: ['object', 'null'], allOf: [base], description: text } : text ? { ...base, description: text } : base;
    const values = ENUMS[`${short}.${field}`];
    properties[field] = values ? { ...value, enum: [...values, null] } : value;
  }
  if (model.gvk) {
    const [group, version, kind] = model.gvk;
    properties.apiVersion = { ...properties.apiVersion, enum: [group ? `${group}/${version}` : version], type: 'string' };
    properties.kind = { ...properties.kind, enum: [kind], type: 'string' };
  }
  definitions[short] = {
    description: model.text,
    type: ['object', 'null'],
    properties,
    additionalProperties: false,
    ...(model.required.length ? { required: model.required } : {}),
  };
}
const tops = Object.entries(models).filter(([, model]) => model.gvk);
const apiVersionText = (gvk) => (gvk[0] ? `${gvk[0]}/${gvk[1]}` : gvk[1]);
const editor = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    apiVersion: { type: 'string', enum: [...new Set(tops.map(([, m]) => apiVersionText(m.gvk)))].sort() },
    kind: { type: 'string', enum: [...new Set(tops.map(([, m]) => m.gvk[2]))].sort() },
  },
  required: ['apiVersion', 'kind'],
  allOf: tops.map(([short, m]) => ({
    if: { properties: { apiVersion: { const: apiVersionText(m.gvk) }, kind: { const: m.gvk[2] } }, required: ['apiVersion', 'kind'] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: { $ref: `#/definitions/${short}` },
  })),
  definitions,
};

// --- discovery, from the paths of the API classes ------------------------------------------------------

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const found = new Map();
for (const file of readdirSync(join(client, 'dist/gen/apis'))
  .filter((name) => /V\d+(?:(?:alpha|beta)\d+)?Api\.js$/.test(name))
  .sort()) {
  const source = readFileSync(join(client, 'dist/gen/apis', file), 'utf8');
  const returns = new Map([...source.matchAll(/async (\w+)WithHttpInfo\(response\) \{[\s\S]*?\), "(\w+)", "/g)].map((m) => [m[1], m[2]]));
  for (const [, method, path, verb] of source.matchAll(
    /\n {4}async (\w+)\([^)]*\) \{(?:(?!\n {4}\}\n)[\s\S])*?localVarPath = '([^']+)'(?:(?!\n {4}\}\n)[\s\S])*?HttpMethod\.(\w+)\)/g,
  )) {
    const m = /^\/(?:api|apis\/([^/]+))\/([^/]+)\/(namespaces\/\{namespace\}\/)?([a-z]+)(\/\{name\})?(?:\/([a-z]+))?$/.exec(path);
    if (!m || path.includes('/watch/')) continue;
    const [, group = '', version, namespaced, plural, named, sub] = m;
    const key = `${group}/${version}/${plural}`;
    const entry = found.get(key) ?? { group, version, plural, kind: '', namespaced: false, verbs: new Set(), subresources: new Map() };
    found.set(key, entry);
    if (namespaced) entry.namespaced = true;
    const returned = parseName(returns.get(method) ?? '')?.short;
    const one = { POST: ['create'], PUT: ['update'], PATCH: ['patch'] }[verb];
    if (sub) {
      const subresource = entry.subresources.get(sub) ?? { name: sub, kind: returned ?? '', verbs: new Set() };
      entry.subresources.set(sub, subresource);
      for (const v of one ?? (verb === 'DELETE' ? ['delete'] : verb === 'GET' ? ['get'] : [])) subresource.verbs.add(v);
    } else {
      for (const v of one ?? (verb === 'DELETE' ? [named ? 'delete' : 'deletecollection'] : verb === 'GET' ? (named ? ['get'] : ['list', 'watch']) : []))
        entry.verbs.add(v);
      if ((verb === 'POST' || (verb === 'GET' && named && entry.kind === '')) && returned && returned !== 'Status') entry.kind = returned;
    }
  }
}
// The classes give every list a parameter `watch`; what is only asked cannot be watched.
found.get('/v1/componentstatuses')?.verbs.delete('watch');
const discovery = [...found.values()]
  .filter((entry) => entry.verbs.size > 0)
  .sort((a, b) => (`${a.group}/${a.version}/${a.plural}` < `${b.group}/${b.version}/${b.plural}` ? -1 : 1))
  .map((entry) => ({
    group: entry.group,
    version: entry.version,
    plural: entry.plural,
    singular: entry.kind.toLowerCase(),
    kind: entry.kind,
    namespaced: entry.namespaced,
    verbs: VERBS.filter((verb) => entry.verbs.has(verb)),
    subresources: [...entry.subresources.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((s) => ({ ...s, verbs: VERBS.filter((verb) => s.verbs.has(verb)) })),
  }));

mkdirSync(dirname(out.editor), { recursive: true });
writeFileSync(out.schema, `${JSON.stringify(schema)}\n`);
writeFileSync(out.mergePaths, `${JSON.stringify(mergePaths)}\n`);
writeFileSync(out.texts, `${JSON.stringify(texts)}\n`);
writeFileSync(out.discovery, `${JSON.stringify(discovery, null, 1)}\n`);
writeFileSync(out.editor, `${JSON.stringify(editor)}\n`);
writeFileSync(out.types, lines.join('\n'));
console.log(`generate: ${Object.keys(models).length} models, ${served.length} kinds, ${discovery.length} resources`);
