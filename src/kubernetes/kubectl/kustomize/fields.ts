/** Places in objects, as kustomize names them: `spec/template/metadata/labels`, lists walked through (api/filters/fieldspec). */
import { groupVersion, isTree, type Resource, type Tree, type Value } from './resource.ts';

export interface FieldSpec {
  readonly path: string;
  readonly group?: string | undefined;
  readonly version?: string | undefined;
  readonly kind?: string | undefined;
  /** Make what is missing on the way. */
  readonly create?: boolean | undefined;
}

export function applies(spec: Omit<FieldSpec, 'path'>, resource: Resource): boolean {
  const [group, version] = groupVersion(String(resource.object['apiVersion'] ?? ''));
  return (!spec.group || spec.group === group) && (!spec.version || spec.version === version) && (!spec.kind || spec.kind === resource.kind);
}

/** Slashes in keys are written `\/`. */
export const partsOf = (path: string): string[] => path.split(/(?<!\\)\//).map((part) => part.replaceAll('\\/', '/'));

/** Calls `change` with what stands at the path in every branch; its answer is put there, undefined changes nothing. `fresh` is made where `create` may. */
export function changeField(resource: Resource, spec: FieldSpec, change: (value: Value) => Value | undefined, fresh?: () => Value): void {
  if (applies(spec, resource)) walk(resource.object, partsOf(spec.path), spec.create === true ? fresh : undefined, change);
}

function walk(at: Value, path: readonly string[], fresh: (() => Value) | undefined, change: (value: Value) => Value | undefined): void {
  if (Array.isArray(at)) {
    for (const item of at) walk(item, path, fresh, change);
    return;
  }
  if (!isTree(at)) return;
  const [raw = '', ...rest] = path;
  const key = raw.replace(/\[\]$/, '');
  const here = at[key];
  if (rest.length > 0) {
    if (here === undefined || here === null) {
      if (!fresh || raw.endsWith('[]')) return;
      at[key] = {};
    }
    walk(at[key]!, rest, fresh, change);
    return;
  }
  if (here === undefined || here === null) {
    if (!fresh) return;
    at[key] = fresh();
  }
  const next = change(at[key]!);
  if (next !== undefined) at[key] = next;
}

/** Sets entries of the map at the path. */
export const addEntries = (resource: Resource, spec: FieldSpec, entries: Readonly<Record<string, string>>): void =>
  changeField(
    resource,
    spec,
    (value) => (isTree(value) ? Object.assign(value, entries) : undefined),
    (): Tree => ({}),
  );
