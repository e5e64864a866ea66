/**
 * The patch `kubectl apply` sends: what the manifest changes or adds, and deletions of what the last applied manifest
 * had and this one has not; what others added to the object is left alone (strategicpatch.CreateThreeWayMergePatch).
 */
import { canonicalJson } from '../../kubernetes/api/hash.ts';
import type { Json } from '../../kubernetes/api/json.ts';
import { childModel, mergeKeyOf, retainsKeys } from '../../kubernetes/api/merge-keys.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

type JsonObject = { readonly [key: string]: Json | undefined };
const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const equal = (a: Json | undefined, b: Json | undefined): boolean => a === b || canonicalJson(a) === canonicalJson(b);
const idOf = (value: Json | undefined): string => String(value);

/** `{}` when there is nothing to do. `model` is the kind's type name; without one, lists are replaced whole. */
export function threeWayPatch(model: string | undefined, original: Json | undefined, modified: Json, current: Json): JsonObject {
  return patchMap(model, isObject(original) ? original : {}, isObject(modified) ? modified : {}, isObject(current) ? current : {});
}

function patchMap(model: string | undefined, original: JsonObject, modified: JsonObject, current: JsonObject): JsonObject {
  const patch: Record<string, Json> = {};
  for (const [key, wanted] of Object.entries(modified)) {
    if (wanted === undefined) continue;
    const is = current[key];
    if (isObject(wanted) && isObject(is)) {
      const was = original[key];
      const inner = patchMap(childModel(model, key), isObject(was) ? was : {}, wanted, is);
      if (Object.keys(inner).length > 0) patch[key] = retainsKeys(model, key) ? { ...inner, $retainKeys: Object.keys(wanted).sort() } : inner;
    } else if (Array.isArray(wanted) && Array.isArray(is)) {
      const was = original[key];
      patchList(model, key, Array.isArray(was) ? was : [], wanted, is, patch);
    } else if (wanted === null) {
      if (is !== undefined && is !== null) patch[key] = null;
    } else if (!equal(wanted, is)) patch[key] = wanted;
  }
  for (const key of Object.keys(original)) {
    const wanted = modified[key];
    if (wanted === undefined && original[key] !== undefined && current[key] !== undefined) patch[key] = null;
  }
  return patch;
}

function patchList(
  model: string | undefined,
  field: string,
  original: readonly Json[],
  modified: readonly Json[],
  current: readonly Json[],
  patch: Record<string, Json>,
): void {
  const mergeKey = mergeKeyOf(model, field);
  if (mergeKey === undefined || (mergeKey !== '' && modified.some((item) => !isObject(item) || item[mergeKey] === undefined))) {
    if (!equal(modified, current)) patch[field] = modified;
    return;
  }
  if (mergeKey === '') {
    const added = modified.filter((item) => !current.some((one) => equal(one, item)));
    const removed = original.filter((item) => !modified.some((one) => equal(one, item)) && current.some((one) => equal(one, item)));
    if (added.length > 0) patch[field] = added;
    if (removed.length > 0) patch[`$deleteFromPrimitiveList/${field}`] = removed;
    if (added.length > 0 || removed.length > 0) patch[`$setElementOrder/${field}`] = modified;
    return;
  }
  const find = (list: readonly Json[], id: Json | undefined): JsonObject | undefined =>
    list.find((item): item is JsonObject => isObject(item) && idOf(item[mergeKey]) === idOf(id));
  const child = childModel(model, field);
  const items: Json[] = [];
  for (const item of modified as readonly JsonObject[]) {
    const id = item[mergeKey];
    const is = find(current, id);
    if (!is) {
      items.push(item);
      continue;
    }
    const inner = patchMap(child, find(original, id) ?? {}, item, is);
    if (Object.keys(inner).length > 0) items.push({ [mergeKey]: id, ...inner });
  }
  for (const item of original) {
    if (!isObject(item) || find(modified, item[mergeKey]) || !find(current, item[mergeKey])) continue;
    items.push({ $patch: 'delete', [mergeKey]: item[mergeKey] });
  }
  const order = (modified as readonly JsonObject[]).map((item) => ({ [mergeKey]: item[mergeKey] }));
  const kept = current.filter((item) => isObject(item) && find(modified, item[mergeKey])).map((item) => idOf((item as JsonObject)[mergeKey]));
  const wantedOrder = order.map((item) => idOf(item[mergeKey])).filter((id) => kept.includes(id));
  if (items.length === 0 && canonicalJson(kept) === canonicalJson(wantedOrder)) return;
  patch[`$setElementOrder/${field}`] = order;
  if (items.length > 0) patch[field] = items;
}
