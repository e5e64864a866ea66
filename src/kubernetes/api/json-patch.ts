/** JSON patch (RFC 6902), by the `rfc6902` package, with the API server's words for what does not fit. */
import { applyPatch, type Operation } from 'rfc6902';
import type { Json } from './json.ts';
import { PatchError } from './patch.ts';

/** Applies operations one by one; throws PatchError when one does not fit (422, in the words of evanphx/json-patch). */
export function applyJsonPatch(object: Json, operations: Json): Json {
  if (!Array.isArray(operations)) throw new PatchError('error decoding patch: json: cannot unmarshal object into Go value of type []interface {}');
  const copy = JSON.parse(JSON.stringify(object)) as Json;
  const list = JSON.parse(JSON.stringify(operations)) as Operation[];
  for (const operation of list) {
    for (const step of stepsOf(copy, operation)) {
      const error = misplaced(copy, step) ?? applyPatch(copy, [step])[0];
      if (error) throw new PatchError(jsonPatchMessage(operation, error), 422);
    }
  }
  return copy;
}

const keysOf = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((key) => key.replace(/~1/g, '/').replace(/~0/g, '~'));

/** A move takes out first and puts in then, so that indexes mean what is left. */
function stepsOf(document: Json, operation: Operation): readonly Operation[] {
  if (operation.op !== 'move' || typeof operation.from !== 'string' || operation.from === operation.path) return [operation];
  let value: Json | undefined = document;
  for (const key of keysOf(operation.from)) value = typeof value === 'object' && value !== null ? (value as { readonly [key: string]: Json })[key] : undefined;
  if (value === undefined) return [operation];
  return [
    { op: 'remove', path: operation.from },
    { op: 'add', path: operation.path, value },
  ];
}

/** Where the library is kinder than the server: paths into texts and numbers, indexes beyond a list's end, names in a list. */
function misplaced(document: Json, operation: Operation): Error | undefined {
  const puts = operation.op === 'add' || operation.op === 'copy' || operation.op === 'move';
  const paths = [[operation.path, puts] as const, ...('from' in operation ? [[operation.from, false] as const] : [])];
  for (const [path, put] of paths) {
    if (typeof path !== 'string') continue;
    let value: Json | undefined = document;
    const keys = keysOf(path);
    for (const [i, key] of keys.entries()) {
      if (value === undefined) break;
      if (typeof value !== 'object' || value === null) return new Error('missing');
      const last = put && i === keys.length - 1;
      if (Array.isArray(value) && !(last && key === '-') && !(/^\d+$/.test(key) && Number(key) < value.length + (last ? 1 : 0))) return new Error('missing');
      value = Object.hasOwn(value, key) ? (value as { readonly [key: string]: Json })[key] : undefined;
    }
  }
  return undefined;
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
