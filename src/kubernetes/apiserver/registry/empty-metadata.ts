/** Lists and maps of the metadata that a patch has emptied are as if they had never been: Go leaves them out when it writes them. */
import type { Json } from '../../api/json.ts';

const FIELDS = ['finalizers', 'ownerReferences', 'labels', 'annotations'];

export function withoutEmptyMetadata(object: Json): Json {
  if (!isObject(object) || !isObject(object['metadata'])) return object;
  const { metadata } = object;
  const empty = FIELDS.filter((field) => {
    const value = metadata[field];
    return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
  });
  if (empty.length === 0) return object;
  return { ...object, metadata: Object.fromEntries(Object.entries(metadata).filter(([field]) => !empty.includes(field))) };
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } => typeof value === 'object' && value !== null && !Array.isArray(value);
