/**
 * The patch `kubectl apply` sends: what the file no longer says is deleted (last-applied against file), what it
 * says is set (live against file); what only others wrote stays. Strategic where the kind's lists have merge
 * keys, plain JSON merge otherwise (apimachinery strategicpatch.CreateThreeWayMergePatch, jsonmergepatch).
 */
import type { Json } from './json.ts';
import { childModel, mergeKeyOf, retainsKeys } from './merge-keys.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

type JsonObject = { readonly [key: string]: Json | undefined };
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

interface DiffOptions {
  readonly ignoreDeletions: boolean;
  readonly ignoreChanges: boolean;
  readonly retainKeys: boolean;
  /** False: a plain merge patch, lists replaced whole. */
  readonly strategic: boolean;
}

export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equalJson(item as Json, b[i] as Json));
  if (isObject(a) && isObject(b)) {
    const keys = (object: JsonObject) => Object.keys(object).filter((key) => object[key] !== undefined);
    return keys(a).length === keys(b).length && keys(a).every((key) => equalJson(a[key], b[key]));
  }
  return false;
}

/** `model` names the kind's schema; undefined makes a JSON merge patch. */
export function threeWayPatch(model: string | undefined, original: JsonObject | undefined, modified: JsonObject, current: JsonObject): JsonObject {
  const strategic = model !== undefined;
  const changes = diffMap(model, current, modified, { ignoreDeletions: true, ignoreChanges: false, retainKeys: true, strategic });
  const deletions = original ? diffMap(model, original, modified, { ignoreDeletions: false, ignoreChanges: true, retainKeys: false, strategic }) : {};
  return mergePatches(model, deletions, changes);
}

/** The patch that makes `from` into `to`: what `edit`, `label` and `set` send. */
export const twoWayPatch = (model: string | undefined, from: JsonObject, to: JsonObject): JsonObject =>
  diffMap(model, from, to, { ignoreDeletions: false, ignoreChanges: false, retainKeys: true, strategic: model !== undefined });

function diffMap(model: string | undefined, from: JsonObject, to: JsonObject, options: DiffOptions): JsonObject {
  const patch: Record<string, Json | undefined> = {};
  for (const [key, before] of Object.entries(from)) {
    if (before === undefined) continue;
    const after = to[key];
    if (after === undefined || (after === null && before !== null)) {
      if (after === null ? !options.ignoreChanges || !options.ignoreDeletions : !options.ignoreDeletions) patch[key] = null;
      continue;
    }
    if (isObject(before) && isObject(after)) {
      const inner = diffMap(childModel(model, key), before, after, options);
      if (Object.keys(inner).length > 0)
        patch[key] = options.strategic && options.retainKeys && retainsKeys(model, key) ? { $retainKeys: Object.keys(after).sort(), ...inner } : inner;
    } else if (Array.isArray(before) && Array.isArray(after))
      Object.assign(patch, diffList(model, key, before as readonly Json[], after as readonly Json[], options));
    else if (!equalJson(before, after) && !options.ignoreChanges) patch[key] = after;
  }
  if (!options.ignoreChanges) {
    for (const [key, after] of Object.entries(to)) {
      if (after === undefined || after === null || from[key] !== undefined) continue;
      patch[key] = after;
    }
  }
  return patch;
}

function diffList(model: string | undefined, field: string, before: readonly Json[], after: readonly Json[], options: DiffOptions): JsonObject {
  const mergeKey = options.strategic ? mergeKeyOf(model, field) : undefined;
  if (mergeKey === undefined) return options.ignoreChanges || equalJson(before as Json, after as Json) ? {} : { [field]: after as Json };
  const patch: Record<string, Json> = {};
  if (mergeKey === '') {
    const added = after.filter((item) => !before.includes(item));
    const removed = before.filter((item) => !after.includes(item));
    if (!options.ignoreChanges && added.length > 0) patch[field] = added as Json;
    if (!options.ignoreDeletions && removed.length > 0) patch[`$deleteFromPrimitiveList/${field}`] = removed as Json;
    if (Object.keys(patch).length > 0) patch[`$setElementOrder/${field}`] = after as Json;
    return patch;
  }
  const idOf = (item: Json): string => (isObject(item) ? String(item[mergeKey]) : '');
  const child = childModel(model, field);
  const known = new Map(before.map((item) => [idOf(item), item]));
  const list: Json[] = [];
  for (const item of after) {
    const old = known.get(idOf(item));
    if (old === undefined) {
      if (!options.ignoreChanges) list.push(item);
    } else if (isObject(old) && isObject(item)) {
      const inner = diffMap(child, old, item, options);
      const retain = options.retainKeys && retainsKeys(model, field) && Object.keys(inner).length > 0 ? { $retainKeys: Object.keys(item).sort() } : {};
      if (Object.keys(inner).length > 0) list.push({ ...retain, ...inner, [mergeKey]: item[mergeKey] });
    }
  }
  if (!options.ignoreDeletions) {
    const wanted = new Set(after.map(idOf));
    for (const item of before) if (isObject(item) && !wanted.has(idOf(item))) list.push({ $patch: 'delete', [mergeKey]: item[mergeKey] });
  }
  const reordered = !options.ignoreChanges && !sameOrder(before.map(idOf), after.map(idOf));
  if (list.length > 0) patch[field] = list;
  if (list.length > 0 || reordered) patch[`$setElementOrder/${field}`] = after.map((item) => ({ [mergeKey]: (item as JsonObject)[mergeKey] ?? null })) as Json;
  return patch;
}

/** Items that both have stand in the same order. */
function sameOrder(before: readonly string[], after: readonly string[]): boolean {
  const kept = before.filter((id) => after.includes(id));
  const wanted = after.filter((id) => before.includes(id));
  return kept.every((id, i) => id === wanted[i]);
}

function mergePatches(model: string | undefined, a: JsonObject, b: JsonObject): JsonObject {
  const out: Record<string, Json | undefined> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = out[key];
    if (isObject(before) && isObject(value)) out[key] = mergePatches(childModel(model, key), before, value);
    else if (Array.isArray(before) && Array.isArray(value) && !key.startsWith('$')) {
      const mergeKey = mergeKeyOf(model, key);
      out[key] = mergeKey === undefined ? value : mergeItems(childModel(model, key), mergeKey, before as readonly Json[], value as readonly Json[]);
    } else out[key] = value;
  }
  return out;
}

function mergeItems(model: string | undefined, mergeKey: string, a: readonly Json[], b: readonly Json[]): Json {
  if (mergeKey === '') return [...new Set([...a, ...b])];
  const out = [...a];
  for (const item of b) {
    const at = out.findIndex((other) => isObject(other) && isObject(item) && String(other[mergeKey]) === String(item[mergeKey]));
    const old = out[at];
    if (at >= 0 && isObject(old) && isObject(item)) out[at] = mergePatches(model, old, item);
    else out.push(item);
  }
  return out;
}
