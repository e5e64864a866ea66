/** Changing one object: the difference between what was read and what it should be, sent as a patch. */
import type { Json } from '../api/json.ts';
import { twoWayPatch } from '../api/three-way.ts';
import type { Target } from './builder.ts';
import { isBuiltIn, modelFor } from './commands/apply.ts';
import { pathOf } from './discovery.ts';
import { type DryRun, writeQuery } from './printers/result.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from './session.ts';

export type PatchKind = 'strategic' | 'merge' | 'json';
export const MEDIA: Readonly<Record<PatchKind, string>> = {
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
};

export interface PatchOptions {
  /** The field manager; none for requests that real kubectl sends without one. */
  readonly manager?: string;
  readonly dryRun?: DryRun;
  readonly subresource?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
}

/** A patch that is a mere text crosses as JSON: a string as a body is text that still has to be read. */
const text = (patch: Json): Json => (typeof patch === 'string' ? JSON.stringify(patch) : patch);

/** Sends a patch; rejects with ApiError. */
export async function sendPatch(session: Session, target: Target, kind: PatchKind, body: Json, options: PatchOptions = {}): Promise<ObjectLike> {
  const query = options.manager ? writeQuery(session, options.manager, options.dryRun ?? 'none') : options.dryRun === 'server' ? { dryRun: 'All' } : {};
  const path = pathOf(target.info, target.namespace, target.name, options.subresource);
  return (await session.request('PATCH', path, { query: { ...query, ...options.query }, contentType: MEDIA[kind], body: text(body) })) as unknown as ObjectLike;
}

/** The two-way patch of a kind: strategic for the kinds compiled into kubectl, a merge patch for custom resources. */
export function differenceOf(target: Target, before: ObjectLike, after: ObjectLike): { readonly kind: PatchKind; readonly patch: JsonObject } {
  const { info } = target;
  const builtIn = isBuiltIn(info.kind, info.group, info.version);
  return { kind: builtIn ? 'strategic' : 'merge', patch: twoWayPatch(builtIn ? modelFor(info.kind, info.group) : undefined, before, after) };
}

export const isEmpty = (object: JsonObject): boolean => Object.keys(object).length === 0;

/** The object with one part of it replaced; missing parents are made. */
export function withPart(object: JsonObject, path: readonly string[], value: Json | undefined): JsonObject {
  const [key, ...rest] = path;
  if (key === undefined) return object;
  if (rest.length > 0) {
    const inner = object[key];
    return { ...object, [key]: withPart(isObject(inner) ? inner : {}, rest, value) as Json };
  }
  if (value !== undefined) return { ...object, [key]: value };
  const { [key]: _, ...others } = object;
  return others;
}

/** What stands at a path; undefined when a parent is missing. */
export function partOf(object: JsonObject, path: readonly string[]): Json | undefined {
  let at: Json | undefined = object as Json;
  for (const key of path) at = isObject(at) ? at[key] : undefined;
  return at;
}

/** `deployments.apps`, as kubectl's messages name a resource. */
export const resourceText = (target: Target): string => (target.info.group === '' ? target.info.resource : `${target.info.resource}.${target.info.group}`);
