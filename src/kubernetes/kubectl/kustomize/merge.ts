/**
 * Strategic merge as kustomize does it (kyaml merge2): like the API server's, but items that a patch names or adds come
 * before those it does not, and kinds it has no schema of merge as plain maps.
 */
import { childModel, mergeKeyOf } from '../../api/merge-keys.ts';
import { copyOf, isTree, type Tree, type Value } from './resource.ts';

/** The merged map; undefined when the patch deletes it. `model` names the schema, undefined merges maps and replaces lists. */
export function mergeTree(model: string | undefined, target: Tree, patch: Tree): Tree | undefined {
  const { $patch: directive, ...rest } = patch;
  if (directive === 'delete') return undefined;
  if (directive === 'replace') return copyOf(rest);
  const out: Tree = { ...target };
  for (const [key, value] of Object.entries(rest)) {
    if (value === null) {
      delete out[key];
      continue;
    }
    const before = out[key];
    if (isTree(value)) {
      const merged = mergeTree(childModel(model, key), isTree(before) ? before : {}, value);
      if (merged === undefined) delete out[key];
      else out[key] = merged;
    } else if (Array.isArray(value)) out[key] = mergeList(model, key, Array.isArray(before) ? before : [], value);
    else out[key] = value;
  }
  return out;
}

/** Ports are told apart by more than the merge key of the API server's patches. */
const ALSO: Readonly<Record<string, string>> = { 'Container.ports': 'protocol', 'ServiceSpec.ports': 'protocol' };

function mergeList(model: string | undefined, field: string, before: Value[], patch: Value[]): Value[] {
  const key = mergeKeyOf(model, field);
  const items = patch.filter((item) => !(isTree(item) && item['$patch'] === 'replace' && Object.keys(item).length === 1));
  if (key === undefined || items.length < patch.length) return copyOf(items);
  if (key === '') return [...copyOf(items), ...before.filter((item) => !items.includes(item))];
  const also = ALSO[`${model}.${field}`];
  const same = (a: Value, b: Value): boolean =>
    isTree(a) && isTree(b) && a[key] === b[key] && (also === undefined || a[also] === undefined || b[also] === undefined || a[also] === b[also]);
  const first: Value[] = [];
  for (const item of items) {
    const old = before.find((one) => same(one, item));
    const merged = isTree(item) ? mergeTree(childModel(model, field), isTree(old) ? old : {}, item) : copyOf(item);
    if (merged !== undefined) first.push(merged);
  }
  return [...first, ...before.filter((one) => !items.some((item) => same(one, item)))];
}
