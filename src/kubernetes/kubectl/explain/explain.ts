/**
 * `kubectl explain`: what the API server's OpenAPI v3 document says of a kind or of one of its fields, laid out as
 * kubectl 1.33's plaintext template does (pkg/explain/v2/templates/plaintext.tmpl).
 */
import type { Json } from '../../api/json.ts';
import type { ResourceRow } from '../../api/resources.ts';
import { goPrint } from '../gostring.ts';
import { wordWrap } from './word-wrap.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly externalDocs?: { readonly description?: string; readonly url?: string };
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
}

/** Why nothing could be explained. kubectl has written `printed` to standard output by then. */
export class ExplainError extends Error {
  constructor(
    message: string,
    readonly printed: string,
  ) {
    super(message);
    this.name = 'ExplainError';
  }
}

type Seen = ReadonlySet<string>;
const NOTHING_SEEN: Seen = new Set();

/**
 * The text for a kind, or for the field `path` leads to; with `recursive` the tree of all fields below instead of
 * their descriptions. Throws ExplainError `field "x" does not exist`.
 */
export function explainText(document: Json, row: ResourceRow, path: readonly string[], recursive: boolean): string {
  const schemas = ((document as { components?: { schemas?: Readonly<Record<string, Schema>> } } | null)?.components?.schemas ?? {}) as Readonly<
    Record<string, Schema>
  >;
  const schema = Object.values(schemas).find((candidate) =>
    candidate['x-kubernetes-group-version-kind']?.some((gvk) => gvk.group === row.group && gvk.version === row.version && gvk.kind === row.kind),
  );
  if (!schema) throw new ExplainError(`GVR (${row.group}/${row.version}, Resource=${row.plural}) not found in OpenAPI schema`, '');
  const head = `${row.group ? `GROUP:      ${row.group}\n` : ''}KIND:       ${row.kind}\nVERSION:    ${row.version}\n\n`;
  const text = new Explanation(schemas, recursive).output(schema, path, NOTHING_SEEN);
  if (text === '') throw new ExplainError(`field "${path.at(-1) ?? ''}" does not exist`, head);
  return `${head}${text}\n`;
}

const indent = (amount: number, text: string): string => ' '.repeat(amount) + text.replaceAll('\n', `\n${' '.repeat(amount)}`);

class Explanation {
  constructor(
    private readonly schemas: Readonly<Record<string, Schema>>,
    private readonly recursive: boolean,
  ) {}

  /** Follows the path through properties, lists and maps; empty when it leads nowhere. */
  output(schema: Schema, path: readonly string[], seen: Seen): string {
    const ref = schema.$ref ?? '';
    const resolved = this.resolve(ref) ?? schema;
    const [field] = path;
    if (field === undefined) {
      const docs = externalDocs(resolved, 0);
      const fields = this.fieldList(resolved, 1, NOTHING_SEEN);
      const description = indent(4, wordWrap(this.description(resolved) || '<empty>', 76));
      return `DESCRIPTION:\n${description}\n${docs ? `\n${docs}` : ''}${fields ? `FIELDS:\n${fields}` : ''}`;
    }
    if (ref && seen.has(ref)) return '';
    const now = new Set([...seen, ref]);
    const property = resolved.properties && Object.hasOwn(resolved.properties, field) ? resolved.properties[field] : undefined;
    if (property) {
      const head = path.length === 1 ? `FIELD: ${field} <${this.typeName(property)}>\n${longEnum(property)}\n\n` : '';
      return head + this.output(property, path.slice(1), NOTHING_SEEN);
    }
    if (resolved.items) return this.output(resolved.items, path, now);
    if (typeof resolved.additionalProperties === 'object') return this.output(resolved.additionalProperties, path, now);
    for (const alternative of resolved.allOf ?? []) {
      const text = this.output(alternative, path, now);
      if (text !== '') return text;
    }
    return '';
  }

  private resolve(ref: string): Schema | undefined {
    return ref.startsWith('#/components/schemas/') ? this.schemas[ref.slice('#/components/schemas/'.length)] : undefined;
  }

  /** The schema's own text and those of all it refers to, a line each. */
  private description(schema: Schema): string {
    const at = this.resolve(schema.$ref ?? '') ?? schema;
    let text = at.description ? `${at.description}\n` : '';
    for (const part of at.allOf ?? []) text += this.description(part);
    if (at.items) text += this.description(at.items);
    if (typeof at.additionalProperties === 'object') text += this.description(at.additionalProperties);
    return text;
  }

  private fieldList(schema: Schema, level: number, seen: Seen): string {
    const ref = schema.$ref ?? '';
    if (ref && seen.has(ref)) return '';
    const now = new Set([...seen, ref]);
    const at = this.resolve(ref) ?? schema;
    let text = '';
    for (const [name, field] of sorted(at.properties ?? {})) {
      text += this.fieldDetail(name, field, at.required?.includes(name) ?? false, level);
      if (this.recursive) text += this.fieldList(field, level + 1, now);
    }
    for (const part of at.allOf ?? []) text += this.fieldList(part, level, now);
    if (at.items) text += this.fieldList(at.items, level, now);
    if (typeof at.additionalProperties === 'object') text += this.fieldList(at.additionalProperties, level, now);
    return text;
  }

  private fieldDetail(name: string, field: Schema, required: boolean, level: number): string {
    const amount = level * 2;
    const head = `${indent(amount, name)}\t<${this.typeName(field)}>${required ? ' -required-' : ''}${shortEnum(field, amount)}\n`;
    if (this.recursive) return head;
    const docs = externalDocs(field, amount + 2);
    return `${head}${indent(amount + 2, wordWrap(field.description || '<no description>', 78 - amount))}\n${docs ? `\n${docs}` : ''}\n`;
  }

  /** `string`, `[]Container`, `map[string]string`, `Object`. */
  private typeName(schema: Schema): string {
    if (schema.items) return `[]${this.typeName(schema.items)}`;
    if (typeof schema.additionalProperties === 'object') return `map[string]${this.typeName(schema.additionalProperties)}`;
    const [only] = schema.allOf ?? [];
    if (only && !schema.properties && schema.allOf?.length === 1) return this.typeName(only);
    if (schema.$ref) {
      const type = this.resolve(schema.$ref)?.type;
      if (type && type !== 'object') return type;
      return schema.$ref.split('/').at(-1)?.split('.').at(-1) || 'Object';
    }
    return !schema.type || schema.type === 'object' ? 'Object' : schema.type;
  }
}

const sorted = (properties: Readonly<Record<string, Schema>>): [string, Schema][] => Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));

const enumText = (value: unknown): string => (value === '' ? '""' : goPrint(value));

/** All values of one field, a line each. */
const longEnum = ({ enum: values = [] }: Schema): string => (values.length === 0 ? '' : `ENUM:${values.map((value) => `\n    ${enumText(value)}`).join('')}`);

/** At most four values, in a list of fields. */
function shortEnum({ enum: values = [] }: Schema, amount: number): string {
  if (values.length === 0) return '';
  return `\n${' '.repeat(amount)}enum: ${values.slice(0, 4).map(enumText).join(', ')}${values.length > 4 ? ', ....' : ''}`;
}

function externalDocs({ externalDocs: docs }: Schema, amount: number): string {
  if (!docs) return '';
  const title = `${indent(amount, 'EXTERNAL DOCS:')}\n`;
  const text = docs.description ? `${indent(amount + 4 - (amount ? 2 : 0), wordWrap(docs.description, 76 - Math.max(0, amount - 2)))}\n` : '';
  const url = docs.url ? `${indent(amount + 4 - (amount ? 2 : 0), `URL: ${docs.url}`)}\n` : '';
  return title + text + url;
}
