/**
 * The three patches an API server takes: JSON patch (RFC 6902), JSON merge patch (RFC 7386) and Kubernetes' own
 * strategic merge patch (apimachinery pkg/util/strategicpatch), where lists of named things merge by name.
 * None edits its arguments; what a patch leaves alone keeps its identity.
 */
import { canonicalJson } from './hash.ts';
import type { Json } from './json.ts';
import { childModel, mergeKeyOf } from './merge-keys.ts';
import type { Kind } from './types.gen.ts';

/** The patch cannot be applied; the message is what the server answers with. */
export class PatchError extends Error {
  constructor(
    message: string,
    /** 400 for a patch that is malformed, 422 for one that does not fit the object. */
    readonly code: 400 | 422 = 400,
  ) {
    super(message);
    this.name = 'PatchError';
  }
}

type JsonObject = { readonly [key: string]: Json | undefined };
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

// --- JSON merge patch ----------------------------------------------------------------------------------

/** null removes, an object merges, anything else replaces. */
export function applyMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const base: JsonObject = isObject(target) ? target : {};
  const out: Record<string, Json | undefined> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete out[key];
    else out[key] = applyMergePatch(base[key], value);
  }
  return out;
}

// --- strategic merge patch -----------------------------------------------------------------------------

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PREFIX = '$deleteFromPrimitiveList/';
const ORDER_PREFIX = '$setElementOrder/';

/** Merges `patch` into an object of `kind`. Throws PatchError for directives that make no sense. */
export function applyStrategicMergePatch(kind: Kind, object: Json, patch: Json): Json {
  if (!isObject(patch)) throw new PatchError('unable to decode patch: expected a map');
  return mergeMap(kind, isObject(object) ? object : {}, patch) ?? {};
}

/** undefined means: delete the map. */
function mergeMap(model: string | undefined, original: JsonObject, patch: JsonObject): JsonObject | undefined {
  const directive = patch[DIRECTIVE];
  if (directive === 'replace') {
    const { [DIRECTIVE]: _, ...rest } = patch;
    return rest;
  }
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') throw new PatchError(`Wrong patch type: ${String(directive)}`);

  const out: Record<string, Json | undefined> = { ...original };
  const retain = patch[RETAIN_KEYS];
  if (Array.isArray(retain)) for (const key of Object.keys(out)) if (!retain.includes(key)) delete out[key];

  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || key === DIRECTIVE || key === RETAIN_KEYS) continue;
    if (key.startsWith(ORDER_PREFIX)) continue;
    if (key.startsWith(DELETE_PREFIX)) {
      const field = key.slice(DELETE_PREFIX.length);
      const before = out[field];
      if (!Array.isArray(value)) throw new PatchError('invalid $deleteFromPrimitiveList: expected a list');
      if (Array.isArray(before)) out[field] = before.filter((item) => !value.includes(item));
      continue;
    }
    if (value === null) {
      delete out[key];
      continue;
    }
    const before = out[key];
    if (isObject(value)) {
      const merged = mergeMap(childModel(model, key), isObject(before) ? before : {}, value);
      if (merged !== undefined) out[key] = merged;
    } else if (Array.isArray(value)) out[key] = mergeList(model, key, Array.isArray(before) ? before : undefined, value);
    else out[key] = value;
  }

  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(ORDER_PREFIX)) continue;
    const field = key.slice(ORDER_PREFIX.length);
    const list = out[field];
    if (Array.isArray(list) && Array.isArray(order))
      out[field] = reorder(mergeKeyOf(model, field), list, order, Array.isArray(original[field]) ? (original[field] as readonly Json[]) : []);
  }
  return out;
}

function mergeList(model: string | undefined, field: string, original: readonly Json[] | undefined, patch: readonly Json[]): readonly Json[] {
  const key = mergeKeyOf(model, field);
  const special = (item: Json): boolean => isObject(item) && item[DIRECTIVE] !== undefined;
  const rest = patch.filter((item) => !special(item));
  // The whole list is replaced by the other items.
  if (patch.some((item) => isObject(item) && item[DIRECTIVE] === 'replace')) return rest;
  if (key === undefined) return patch.map(clean);
  if (key === '') return reorder('', [...new Set([...(original ?? []), ...patch])], patch, original ?? []);

  const child = childModel(model, field);
  const idOf = (item: Json): Json => {
    if (!isObject(item)) throw new PatchError(`expected a map in the list ${field}`);
    const id = item[key];
    if (id === undefined) throw new PatchError(`map: ${canonicalJson(item)} does not contain declared merge key: ${key}`);
    return id;
  };
  // What is to go goes first, wherever in the patch that is said.
  let kept: readonly Json[] = original ?? [];
  for (const item of patch) {
    if (!special(item)) continue;
    const directive = (item as JsonObject)[DIRECTIVE];
    if (directive === 'merge') throw new PatchError('merging lists cannot yet be specified in the patch');
    if (directive !== 'delete') throw new PatchError(`Wrong patch type: ${String(directive)}`);
    const id = idOf(item);
    kept = kept.filter((existing) => !(isObject(existing) && same(existing[key], id)));
  }
  const out: Json[] = [...kept];
  for (const item of rest) {
    const id = idOf(item);
    const at = out.findIndex((existing) => isObject(existing) && same(existing[key], id));
    const before = out[at];
    if (at >= 0 && isObject(before)) out[at] = mergeMap(child, before, item as JsonObject) ?? {};
    else out.push(mergeMap(child, {}, item as JsonObject) ?? {});
  }
  // The patch's order counts, so what only the patch has comes first.
  return reorder(key, out, rest, kept);
}

/** A value put in where nothing was: directives and nulls in it mean nothing any more. */
function clean(value: Json): Json {
  if (Array.isArray(value)) return value.map(clean);
  if (!isObject(value)) return value;
  const out: Record<string, Json | undefined> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined || inner === null || key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(ORDER_PREFIX) || key.startsWith(DELETE_PREFIX))
      continue;
    out[key] = clean(inner);
  }
  return out;
}

// YAML gives 80 or "80" for a port; Go compares the printed values.
const same = (a: Json | undefined, b: Json | undefined): boolean => a === b || String(a) === String(b);

/**
 * Items that `order` names (a patch's list, or `$setElementOrder`) stand in its order; items only the server has keep
 * their place relative to the named ones that stood before them (strategicpatch.normalizeElementOrder, mergeSortedSlice).
 */
function reorder(key: string | undefined, list: readonly Json[], order: readonly Json[], original: readonly Json[]): readonly Json[] {
  const idOf = (item: Json): string => (key && isObject(item) ? String(item[key]) : String(item));
  const wanted = new Map(order.map((item, i) => [idOf(item), i]));
  const before = new Map(original.map((item, i) => [idOf(item), i]));
  const named = list.filter((item) => wanted.has(idOf(item))).sort((a, b) => (wanted.get(idOf(a)) ?? 0) - (wanted.get(idOf(b)) ?? 0));
  const serverOnly = list.filter((item) => !wanted.has(idOf(item)));
  const out: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < named.length && j < serverOnly.length) {
    const left = named[i] as Json;
    const right = serverOnly[j] as Json;
    const l = before.get(idOf(left));
    const r = before.get(idOf(right));
    if (l !== undefined && r !== undefined && r < l) {
      out.push(right);
      j += 1;
    } else {
      out.push(left);
      i += 1;
    }
  }
  return [...out, ...named.slice(i), ...serverOnly.slice(j)];
}
