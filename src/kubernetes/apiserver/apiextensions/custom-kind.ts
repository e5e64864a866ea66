/**
 * A kind that a CustomResourceDefinition brings: an ordinary row of the table of resources, with what the server
 * must know about it hanging on. Everything else asks `customOf(row)`; how it is done is in the files beside this one,
 * which are loaded with the first definition.
 */
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { ResourceRow } from '../../api/resources.ts';
import type { Texts } from '../../api/schema.ts';
import type { Scale } from '../../api/types.gen.ts';
import type { Printer } from '../printers/table.ts';
import type { Strategy } from '../registry/strategy.ts';
import type { Decoded } from '../validation/decode.ts';
import type { FieldError } from '../validation/field.ts';
import type { Schema } from './schema.ts';

export interface CustomKind {
  readonly listKind: string;
  /** The schema of this version, by which server-side apply merges. */
  readonly schema: Schema;
  /** The row of the version that is stored. */
  storage(): ResourceRow;
  readonly strategy: Strategy;
  /** Prunes what the schema does not know, coerces metadata. */
  decode(value: Json): Decoded;
  defaults(object: KubeObject): KubeObject;
  /** `warn` hears of rules that were broken before and still are (ratcheting). */
  validate(object: KubeObject, old: KubeObject | undefined, warn: (text: string) => void): readonly FieldError[];
  /** From another version of the same definition, where no webhook is needed. */
  convert(object: KubeObject): KubeObject;
  /** Set when versions are converted by a webhook: takes objects of any version. Rejects with ApiError. */
  readonly convertAll?: (objects: readonly KubeObject[]) => Promise<readonly KubeObject[]>;
  readonly printer: Printer<KubeObject>;
  /** `spec.color` → value as text; undefined when objects cannot be selected by it. */
  selectable(field: string, object: KubeObject): string | undefined;
  readonly selectableFields: readonly string[];
  scale?: { of(object: KubeObject): Scale; with(object: KubeObject, scale: Scale): KubeObject };
  /** Of a version that is on its way out: told with every answer. */
  readonly deprecation: string | undefined;
  /** The definition is being deleted, or its names are taken: nothing may be created. */
  readonly refusesCreate: (() => Error | undefined) | undefined;
}

export interface CustomRow extends ResourceRow {
  readonly custom: CustomKind;
}

/** What hangs on a row; undefined for the kinds every server has. */
export const customOf = (row: ResourceRow): CustomKind | undefined => (row as Partial<CustomRow>).custom;

/** What the server knows of definitions once they are loaded. */
export interface Extensions {
  find(group: string, version: string, plural: string): ResourceRow | undefined;
  /** Every served version of every established definition, in the order of discovery. */
  rows(): readonly ResourceRow[];
  /** The OpenAPI v3 document of `apis/example.com/v1`. */
  openApi(root: string, texts: Texts): Json | undefined;
  /** What the index of OpenAPI documents gives as the hash of a root. */
  openApiRoots(): readonly { readonly root: string; readonly hash: string }[];
}
