/** `patches`, and the two older lists it replaced (kustomize PatchTransformer, PatchStrategicMergeTransformer, PatchJson6902Transformer). */
import type { Json } from '../../api/json.ts';
import { applyJsonPatch } from '../../api/json-patch.ts';
import { parseSelector } from '../../api/selector.ts';
import { isBuiltIn, modelFor } from '../commands/apply.ts';
import { mergeTree } from './merge.ts';
import { groupVersion, type Id, idText, isTree, KustomizeError, Resource, sameId, type Tree, type Value } from './resource.ts';
import { wordsOf } from './transform.ts';

/** Applies one entry of `patches`; `documents` is its text read as YAML, `text` the same as written, `from` its path. Answers what is left: a patch may delete. */
export function applyPatch(resources: readonly Resource[], entry: Tree, documents: readonly Value[], text: string, from: string): readonly Resource[] {
  const target = isTree(entry['target']) ? entry['target'] : undefined;
  const [first] = documents;
  if (Array.isArray(first)) {
    if (!target) throw new KustomizeError(`must specify a target for JSON patch ${from === '' ? text : ''}`.trim());
    for (const resource of selected(resources, target)) {
      const kept = resource.object;
      try {
        replaceObject(resource, applyJsonPatch(kept as unknown as Json, first as unknown as Json) as unknown as Tree);
      } catch (error) {
        throw new KustomizeError(inGoWords((error as Error).message, kept));
      }
    }
    return resources;
  }
  let left = resources;
  const options = isTree(entry['options']) ? entry['options'] : {};
  for (const document of documents) {
    if (!isTree(document)) throw new KustomizeError('unable to parse SM or JSON patch from [patch: ' + JSON.stringify(text) + ']');
    left = target ? mergeInto(left, selected(left, target), document, options) : merged(left, document, options);
  }
  return left;
}

/** A path whose parent is missing too is said to be a missing path, not a missing key. */
function inGoWords(message: string, object: Tree): string {
  const m = /doc is missing key: (\S+): missing value$/.exec(message);
  if (!m) return message;
  let at: Value | undefined = object;
  for (const part of m[1]!.split('/').slice(1, -1)) at = isTree(at) ? at[part] : Array.isArray(at) ? at[Number(part)] : undefined;
  return at === undefined ? message.replace('missing key', 'missing path') : message;
}

/** A patch that names what it is for. Throws when nothing or several things are meant. */
export function merged(resources: readonly Resource[], patch: Tree, options: Tree = {}): readonly Resource[] {
  const id = new Resource(patch).id;
  const found = resources.filter((resource) => resource.ids.some((one) => sameId(one, id)));
  if (found.length === 0)
    throw new KustomizeError(
      `no resource matches strategic merge patch ${JSON.stringify(idText(id))}: no matches for Id ${idText(id)}; failed to find unique target for patch ${idText(id)}`,
    );
  if (found.length > 1) throw new KustomizeError(`multiple matches for Id ${idText(id)}; failed to find unique target for patch ${idText(id)}`);
  return mergeInto(resources, found, patch, options);
}

function mergeInto(resources: readonly Resource[], targets: readonly Resource[], patch: Tree, options: Tree): readonly Resource[] {
  const gone = new Set<Resource>();
  for (const target of targets) {
    const { id } = target;
    const after = mergeTree(modelOf(id), target.object, patch);
    if (after === undefined || Object.keys(after).length === 0) {
      gone.add(target);
      continue;
    }
    // A patch for many says a name and a kind only to be read; they are not taken over unless asked for.
    const metadata = isTree(after['metadata']) ? after['metadata'] : {};
    if (options['allowNameChange'] !== true) after['metadata'] = { ...metadata, name: id.name };
    else if (metadata['name'] !== id.name) target.remember();
    if (isTree(after['metadata']) && after['metadata']['namespace'] !== undefined && id.namespace === '') delete after['metadata']['namespace'];
    else if (id.namespace !== '' && isTree(after['metadata'])) after['metadata']['namespace'] = id.namespace;
    if (options['allowKindChange'] !== true) {
      after['kind'] = target.object['kind']!;
      after['apiVersion'] = target.object['apiVersion']!;
    } else if (after['kind'] !== id.kind) target.remember();
    replaceObject(target, after);
  }
  return gone.size === 0 ? resources : resources.filter((resource) => !gone.has(resource));
}

/** The schema's name of a kind, if kustomize has it built in. */
function modelOf({ group, version, kind }: Id): string | undefined {
  return isBuiltIn(kind, group, version) ? modelFor(kind, group) : undefined;
}

function replaceObject(resource: Resource, next: Tree): void {
  for (const key of Object.keys(resource.object)) delete resource.object[key];
  Object.assign(resource.object, next);
}

/** Names and namespaces are patterns, matched whole; an empty part matches everything. */
export function selected(resources: readonly Resource[], target: Tree): readonly Resource[] {
  const pattern = (part: string): ((text: string) => boolean) => {
    const wanted = target[part];
    if (typeof wanted !== 'string' || wanted === '') return () => true;
    const regex = new RegExp(`^(?:${wanted.replace(/^\^/, '').replace(/\$$/, '')})$`);
    return (text) => regex.test(text);
  };
  const [name, namespace, group, version, kind] = ['name', 'namespace', 'group', 'version', 'kind'].map(pattern) as [Test, Test, Test, Test, Test];
  const labels = typeof target['labelSelector'] === 'string' ? parseSelector(target['labelSelector']) : undefined;
  const annotations = typeof target['annotationSelector'] === 'string' ? parseSelector(target['annotationSelector']) : undefined;
  return resources.filter((resource) => {
    if (!resource.ids.some((id) => name(id.name) && namespace(id.namespace))) return false;
    const [ownGroup, ownVersion] = groupVersion(String(resource.object['apiVersion'] ?? ''));
    if (!group(ownGroup) || !version(ownVersion) || !kind(resource.kind)) return false;
    if (labels && !labels.matches(wordsOf(resource.metadata['labels']))) return false;
    return !annotations || annotations.matches(wordsOf(resource.metadata['annotations']));
  });
}
type Test = (text: string) => boolean;
