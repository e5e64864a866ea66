/** Small questions about two states of one object, and the refusal that names one field. */
import type { KubeObject } from '../../api/meta.ts';
import type { ApiError } from '../../api/request.ts';
import type { ResourceRow } from '../../api/resources.ts';
import { failure, quote } from '../errors.ts';
import { equalJson } from './equal.ts';
import { specFinalizers } from './namespace.ts';

/** No finalizers left on an object that was only waiting for them: the update deletes it (ShouldDeleteDuringUpdate). */
export const isReadyToGo = (next: KubeObject, old: KubeObject): boolean =>
  next.metadata.deletionTimestamp !== undefined &&
  (next.metadata.finalizers ?? []).length === 0 &&
  (next.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  (old.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  !(next.kind === 'Namespace' && specFinalizers(next).length > 0);

export function keep<T extends object, F extends keyof T>(target: T, source: T, field: F): void {
  if (source[field] === undefined) delete target[field];
  else target[field] = source[field];
}

/** Equal except for the resourceVersion, which the stored object has and the wanted one may not. */
export function sameBut(next: KubeObject, old: KubeObject): boolean {
  for (const field in next) {
    const name = field as keyof KubeObject;
    if (name !== 'metadata' && !equalJson(next[name], old[name])) return false;
  }
  for (const field in old) if (!(field in next) && old[field as keyof KubeObject] !== undefined) return false;
  return next.metadata === old.metadata || equalJson({ ...next.metadata, resourceVersion: '' }, { ...old.metadata, resourceVersion: '' });
}

export function contentChanged(next: KubeObject, old: KubeObject): boolean {
  const fields = new Set([...Object.keys(next), ...Object.keys(old)]);
  for (const field of fields) {
    if (field === 'metadata' || field === 'status' || field === 'kind' || field === 'apiVersion') continue;
    if (!equalJson(next[field as keyof KubeObject], old[field as keyof KubeObject])) return true;
  }
  return false;
}

/** A 422 for one field, where the machinery itself and not a kind's rules finds fault. */
export function invalidField(row: ResourceRow, name: string, field: string, reason: string, message: string): ApiError {
  const kind = row.group ? `${row.kind}.${row.group}` : row.kind;
  return failure(422, 'Invalid', `${kind} ${quote(name)} is invalid: ${field}: ${message}`, {
    name,
    ...(row.group ? { group: row.group } : {}),
    kind: row.kind,
    causes: [{ reason, message, field }],
  });
}
