/** JSON patch (RFC 6902), by the `rfc6902` package, with the API server's words for what does not fit. */
import { applyPatch, type Operation } from 'rfc6902';
import type { Json } from './json.ts';
import { PatchError } from './patch.ts';

/** Applies operations one by one; throws PatchError when one does not fit (422, in the words of evanphx/json-patch). */
export function applyJsonPatch(object: Json, operations: Json): Json {
  if (!Array.isArray(operations)) throw new PatchError('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  const copy = JSON.parse(JSON.stringify(object)) as Json;
  const list = JSON.parse(JSON.stringify(operations)) as Operation[];
  for (const operation of list) {
    const [error] = applyPatch(copy, [operation]);
    if (error) throw new PatchError(jsonPatchMessage(operation, error), 422);
  }
  return copy;
}

function jsonPatchMessage(operation: Operation, error: Error): string {
  const path = JSON.stringify(operation.path);
  switch (error.name) {
    case 'TestError':
      return `testing value ${operation.path} failed: test failed`;
    case 'InvalidOperationError':
      return `Unexpected kind: ${operation.op}`;
    default:
      if (operation.op === 'add') return `add operation does not apply: doc is missing path: ${path}: missing value`;
      if (operation.op === 'test') return `testing path ${operation.path} failed: missing value`;
      return `${operation.op} operation does not apply: doc is missing ${operation.op === 'replace' ? 'key' : 'path'}: ${operation.path}: missing value`;
  }
}
