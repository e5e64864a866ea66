/**
 * The shape of every served kind, generated without texts so that the worker can decode, prune and merge with it.
 * A field's type is one short word: `s` string, `b` boolean, `i32`, `i64`, `d` double, `t` time, `mt` time with
 * microseconds, `by` base64, `q` quantity, `is` int-or-string, `any`; `#Model` a model, `[]x` a list, `{}x` a map.
 */
import generated from './schema.gen.json';

export type FieldType = string;

export interface Model {
  readonly fields: Readonly<Record<string, FieldType>>;
  readonly required?: readonly string[];
  /** Group, version, kind of a served kind. */
  readonly gvk?: readonly string[];
}

/** By type name, the key of `Kinds` for served kinds: `Pod`, `PodSpec`, `ObjectMeta`. */
export const SCHEMA = generated as unknown as Readonly<Record<string, Model | undefined>>;

/** Texts of fields, `''` being the model's own: what `explain` prints. Loaded only when asked for. */
export type Texts = Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;

/** The model a field type leads to through lists and maps; undefined for scalars. */
export function modelOf(type: FieldType | undefined): string | undefined {
  let at = 0;
  if (type === undefined) return undefined;
  while (type.startsWith('[]', at) || type.startsWith('{}', at)) at += 2;
  return type[at] === '#' ? type.slice(at + 1) : undefined;
}
