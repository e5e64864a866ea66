/** configMapGenerator and secretGenerator (kustomize api/internal/generators), and the hash in their names (api/hasher). */
import { shortHash } from '../hash.ts';
import { encodeBase64 } from '../kubeconfig.ts';
import { type Behavior, isTree, KustomizeError, Resource, type Tree, type Value } from './resource.ts';
import { wordsOf } from './transform.ts';

/** Reads a file beside the kustomization; throws KustomizeError. */
export type ReadFile = (path: string) => string;

const textsOf = (value: Value | undefined): readonly string[] => (Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []);

/** `shared` are the kustomization's generatorOptions. */
export function generate(kind: 'ConfigMap' | 'Secret', args: Tree, shared: Tree, read: ReadFile): Resource {
  const name = args['name'];
  if (typeof name !== 'string' || name === '') throw new KustomizeError(`configmap.v1.[noGrp]: must specify name`);
  const own = isTree(args['options']) ? args['options'] : {};
  const pairs = pairsOf(args, read);
  const data: Tree = {};
  for (const [key, value] of pairs) {
    if (!/^[-._a-zA-Z0-9]+$/.test(key))
      throw new KustomizeError(
        `${JSON.stringify(key)} is not a valid key name: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      );
    if (Object.hasOwn(data, key)) throw new KustomizeError(`configuration key ${key} already exists in map`);
    data[key] = kind === 'Secret' ? encodeBase64(value) : value;
  }
  const labels = { ...wordsOf(shared['labels']), ...wordsOf(own['labels']) };
  const annotations = { ...wordsOf(shared['annotations']), ...wordsOf(own['annotations']) };
  const immutable = own['immutable'] === true || shared['immutable'] === true;
  const object: Tree = {
    apiVersion: 'v1',
    ...(pairs.length > 0 ? { data } : {}),
    ...(immutable ? { immutable: true } : {}),
    kind,
    metadata: {
      name,
      ...(typeof args['namespace'] === 'string' ? { namespace: args['namespace'] } : {}),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    ...(kind === 'Secret' ? { type: typeof args['type'] === 'string' && args['type'] !== '' ? args['type'] : 'Opaque' } : {}),
  };
  const plain = own['disableNameSuffixHash'] === true || shared['disableNameSuffixHash'] === true;
  const behavior = String(args['behavior'] ?? 'unspecified') as Behavior;
  return new Resource(object, !plain, ['create', 'replace', 'merge'].includes(behavior) ? behavior : 'unspecified');
}

function pairsOf(args: Tree, read: ReadFile): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  const loading = <T>(what: string, sources: readonly string[], body: () => T): T => {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof KustomizeError)) throw error;
      throw new KustomizeError(`loading KV pairs: ${what} [${sources.join(' ')}]: ${error.message}`);
    }
  };
  const envs = [...textsOf(args['envs']), ...textsOf(args['env'])];
  loading('env source files:', envs, () => {
    for (const path of envs)
      for (const [i, raw] of read(path).split(/\r?\n/).entries()) {
        const line = raw.replace(/^\s+/, '');
        if (line === '' || line.startsWith('#')) continue;
        const at = line.indexOf('=');
        const key = at < 0 ? line : line.slice(0, at);
        if (key === '') throw new KustomizeError(`env source file: "${path}", line: ${i}: invalid`);
        pairs.push([key, at < 0 ? '' : line.slice(at + 1)]);
      }
  });
  loading('literal sources', textsOf(args['literals']), () => {
    for (const literal of textsOf(args['literals'])) {
      const at = literal.indexOf('=');
      if (at <= 0) throw new KustomizeError(`invalid literal source ${literal}, expected key=value`);
      const value = literal.slice(at + 1);
      pairs.push([literal.slice(0, at), /^(["'])(.*)\1$/s.test(value) && value.length > 1 ? value.slice(1, -1) : value]);
    }
  });
  loading('file sources:', textsOf(args['files']), () => {
    for (const source of textsOf(args['files'])) {
      const at = source.indexOf('=');
      const path = at < 0 ? source : source.slice(at + 1);
      if (at === 0) throw new KustomizeError(`missing key name for file path "${path}" in source "${source}"`);
      pairs.push([at < 0 ? path.split('/').at(-1)! : source.slice(0, at), read(path)]);
    }
  });
  return pairs;
}

/** What an overlay's `behavior: merge` or `replace` makes of what is there. */
export function absorb(resource: Resource, before: Resource): void {
  const [old, now] = [before.object, resource.object];
  const metadata = before.metadata;
  const merged = (field: string): Tree | undefined => {
    const [a, b] = [metadata[field], resource.metadata[field]];
    return isTree(a) || isTree(b) ? { ...(isTree(a) ? a : {}), ...(isTree(b) ? b : {}) } : undefined;
  };
  for (const field of ['labels', 'annotations']) {
    const both = merged(field);
    if (both) resource.metadata[field] = both;
  }
  resource.metadata['name'] = before.name;
  if (before.namespace !== '') resource.metadata['namespace'] = before.namespace;
  if (resource.behavior === 'merge') {
    for (const field of ['data', 'binaryData'])
      if (isTree(old[field]) || isTree(now[field])) now[field] = { ...((old[field] ?? {}) as Tree), ...((now[field] ?? {}) as Tree) };
  }
  resource.inherit(before);
  resource.behavior = before.behavior;
}

/** Ten letters that change with what the object holds: kind, data, and a secret's type. Upstream means to add the name, but looks it up where none is. */
export function hashOf({ object, kind }: Resource): string {
  const about: Record<string, Value> =
    kind === 'Secret'
      ? {
          kind,
          type: object['type'] ?? '',
          name: '',
          data: object['data'] ?? '',
          ...(isTree(object['stringData']) ? { stringData: object['stringData'] } : {}),
        }
      : { kind, name: '', data: object['data'] ?? '', ...(isTree(object['binaryData']) ? { binaryData: object['binaryData'] } : {}) };
  return shortHash(about);
}
