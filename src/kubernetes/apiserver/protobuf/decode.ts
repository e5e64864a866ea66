/**
 * `application/vnd.kubernetes.protobuf` to the value its JSON form would have: what kubectl 1.32 and later send
 * for all commands of typed clients (apimachinery `pkg/runtime/serializer/protobuf`). Only inwards: answers are JSON.
 *
 * The tables give a number its name, the schema gives the name its type. Go writes every plain value that is no
 * pointer, so a zero says nothing and is left out, as `omitempty` would.
 */
import type { Json } from '../../api/json.ts';
import type { FieldType } from '../../api/schema.ts';
import { rfc3339 } from '../../api/time.ts';
import { base64OfBytes } from '../base64.ts';
import { type Field, type Fields, fieldsOf, messageOf } from './tables.ts';
import { BYTES, Reader, utf8Text, VARINT, WireError } from './wire.ts';

const PREFIX = 'k8s\0';
/** `runtime.Unknown` and its `runtime.TypeMeta`. */
const [TYPE_META, RAW] = [1, 2];
const [API_VERSION, KIND] = [1, 2];

interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

export type FromProtobuf =
  | { readonly value: Json }
  /** No table tells of that kind. */
  | { readonly unknown: TypeMeta }
  /** Go's words for what is wrong, and the kind when the bytes came as far as to tell it. */
  | { readonly error: string; readonly gvk?: TypeMeta };

/** Reads a body whose characters are bytes; `expected` is its kind if it does not name one. Never throws. */
export function fromProtobuf(body: string, expected: TypeMeta): FromProtobuf {
  let gvk: TypeMeta | undefined;
  try {
    if (body === '') throw new WireError('empty data');
    if (!body.startsWith(PREFIX)) throw new WireError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
    if (body.length === PREFIX.length) throw new WireError('empty body');
    const envelope = readEnvelope(new Reader(body, PREFIX.length));
    const { apiVersion, kind } = envelope;
    const named = { apiVersion: apiVersion || expected.apiVersion, kind: kind || expected.kind };
    const message = messageOf(named.apiVersion, named.kind);
    if (message === undefined) return { unknown: named };
    gvk = named;
    return { value: { ...gvk, ...(readMessage(fieldsOf(message), envelope.raw) as object) } };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { error: error.message, ...(gvk ? { gvk } : {}) };
  }
}

function readEnvelope(reader: Reader): TypeMeta & { readonly raw: Reader } {
  let raw = new Reader('');
  let [apiVersion, kind] = ['', ''];
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire === BYTES && number === RAW) raw = reader.inner();
    else if (wire === BYTES && number === TYPE_META) {
      const meta = reader.inner();
      while (!meta.done) {
        const tag = meta.tag();
        if (tag.wire === BYTES && tag.number === API_VERSION) apiVersion = utf8Text(meta.text());
        else if (tag.wire === BYTES && tag.number === KIND) kind = utf8Text(meta.text());
        else meta.skip(tag.wire);
      }
    } else reader.skip(wire);
  }
  return { apiVersion, kind, raw };
}

function readMessage(fields: Fields, reader: Reader): Json {
  const out = new Map<string, Json>();
  readInto(out, fields, reader);
  // Not by assignment: a key of a map may be `__proto__`.
  return Object.fromEntries(out);
}

/** Here simplified: a message that comes twice is not merged, the later one counts. Go's clients write each once. */
function readInto(out: Map<string, Json>, fields: Fields, reader: Reader): void {
  while (!reader.done) {
    const { number, wire } = reader.tag();
    const field = fields.get(number);
    // Of a version after ours, or another's: Go passes over it as well.
    if (!field) reader.skip(wire);
    else if (field.embedded) readInto(out, field.embedded, innerOf(field, reader, wire));
    else if (field.type.startsWith('[]')) readElement(out, field, reader, wire);
    else if (field.type.startsWith('{}')) readEntry(out, field, reader, wire);
    else {
      const value = readValue(field.type, field, reader, wire);
      if (value === undefined || (!field.keepsZero && (value === '' || value === 0 || value === false))) out.delete(field.name);
      else out.set(field.name, value);
    }
  }
}

function readElement(out: Map<string, Json>, field: Field, reader: Reader, wire: number): void {
  const type = field.type.slice(2);
  const list = (out.get(field.name) as Json[] | undefined) ?? [];
  out.set(field.name, list);
  if (wire === BYTES && isNumber(type)) {
    const packed = reader.inner();
    while (!packed.done) list.push(readValue(type, field, packed, VARINT) ?? 0);
  } else list.push(readValue(type, field, reader, wire) ?? null);
}

function readEntry(out: Map<string, Json>, field: Field, reader: Reader, wire: number): void {
  const type = field.type.slice(2);
  const entry = innerOf(field, reader, wire);
  let key = '';
  let value: Json | undefined;
  while (!entry.done) {
    const tag = entry.tag();
    if (tag.number === 1) key = readValue('s', field, entry, tag.wire) as string;
    else if (tag.number === 2) value = type.startsWith('[]') ? readItems(type.slice(2), field, entry, tag.wire) : readValue(type, field, entry, tag.wire);
    else entry.skip(tag.wire);
  }
  const map = (out.get(field.name) as Record<string, Json> | undefined) ?? {};
  Object.defineProperty(map, key, { value: value ?? zero(type), enumerable: true, writable: true, configurable: true });
  out.set(field.name, map);
}

/** A list as a map's value has a message of its own around it, of one field (`ExtraValue`). */
function readItems(type: FieldType, field: Field, reader: Reader, wire: number): Json {
  const items: Json[] = [];
  const inner = innerOf(field, reader, wire);
  while (!inner.done) {
    const tag = inner.tag();
    if (tag.number === 1) items.push(readValue(type, field, inner, tag.wire) ?? null);
    else inner.skip(tag.wire);
  }
  return items;
}

const isNumber = (type: FieldType): boolean => type === 'i32' || type === 'i64' || type === 'b';

function zero(type: FieldType): Json {
  if (type.startsWith('[]')) return [];
  if (type.startsWith('#')) return {};
  return type === 'b' ? false : isNumber(type) || type === 'is' ? 0 : type === 'q' ? '0' : '';
}

/** One value; undefined for Go's zero time and for an empty RawExtension, which JSON writes as null. */
function readValue(type: FieldType, field: Field, reader: Reader, wire: number): Json | undefined {
  if (isNumber(type)) {
    if (wire !== VARINT) throw wrongType(field, wire);
    const value = reader.varint();
    return type === 'b' ? value !== 0 : type === 'i32' ? value | 0 : value;
  }
  if (wire !== BYTES) throw wrongType(field, wire);
  if (type.startsWith('#')) return readMessage(fieldsOf(type.slice(1)), reader.inner());
  switch (type) {
    case 's':
      return utf8Text(reader.text());
    case 'by':
      return base64OfBytes(reader.text());
    case 'q':
      return readQuantity(reader.inner());
    case 't':
    case 'mt':
      return readTime(type, reader.inner());
    case 'is':
      return readIntOrString(reader.inner());
    default:
      return readRaw(reader.inner());
  }
}

/** The name in Go is the name in JSON but for the first letter. Here simplified: some abbreviations are capitals upstream. */
const wrongType = ({ name }: Field, wire: number): WireError => {
  const plain = name.replace(/^\.*/, '');
  return new WireError(`proto: wrong wireType = ${wire} for field ${plain.charAt(0).toUpperCase()}${plain.slice(1)}`);
};

function innerOf(field: Field, reader: Reader, wire: number): Reader {
  if (wire !== BYTES) throw wrongType(field, wire);
  return reader.inner();
}

/** The numbers and texts of a small message, by field number. */
function plainFields(reader: Reader): { readonly numbers: Map<number, number>; readonly texts: Map<number, string> } {
  const [numbers, texts] = [new Map<number, number>(), new Map<number, string>()];
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire === VARINT) numbers.set(number, reader.varint());
    else if (wire === BYTES) texts.set(number, utf8Text(reader.text()));
    else reader.skip(wire);
  }
  return { numbers, texts };
}

/** `resource.Quantity` is its text, in a message. */
const readQuantity = (reader: Reader): string => plainFields(reader).texts.get(1) || '0';

/** `metav1.Time` is seconds and nanoseconds since 1970; Go's zero time writes neither. */
function readTime(type: 't' | 'mt', reader: Reader): string | undefined {
  const { numbers } = plainFields(reader);
  if (numbers.size === 0) return undefined;
  const text = rfc3339(numbers.get(1) ?? 0);
  if (type === 't') return text;
  return `${text.slice(0, -1)}.${String(Math.floor((numbers.get(2) ?? 0) / 1_000)).padStart(6, '0')}Z`;
}

/** `intstr.IntOrString`: which of the two, the number, the text. */
function readIntOrString(reader: Reader): string | number {
  const { numbers, texts } = plainFields(reader);
  return (numbers.get(1) ?? 0) === 0 ? (numbers.get(2) ?? 0) | 0 : (texts.get(3) ?? '');
}

/** `runtime.RawExtension` and `metav1.FieldsV1`: JSON text. */
function readRaw(reader: Reader): Json | undefined {
  const text = plainFields(reader).texts.get(1);
  if (!text) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new WireError('invalid JSON in a raw field');
  }
}
