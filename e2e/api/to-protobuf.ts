/**
 * JSON as kubectl's typed clients would have written it: protobuf from the same tables by which the server reads it.
 * Those are held against bytes of the real kubectl elsewhere (`apiserver/protobuf/decode.test.ts`); this is only their inverse.
 */
import { envelope, field, nested, number } from '../../src/kubernetes/apiserver/protobuf/encode.test-support.ts';
import { type Fields, fieldsOf, messageOf } from '../../src/kubernetes/apiserver/protobuf/tables.ts';

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A body of characters that are bytes. Throws for a kind without tables. */
export function toProtobuf(body: { readonly apiVersion: string; readonly kind: string }): string {
  const message = messageOf(body.apiVersion, body.kind);
  if (!message) throw new Error(`${body.kind} has no protobuf form`);
  return envelope(body.apiVersion, body.kind, write(fieldsOf(message), body as unknown as Record<string, unknown>));
}

function write(fields: Fields, value: Readonly<Record<string, unknown>>): string {
  let out = '';
  for (const [tag, { name, type, embedded }] of fields) {
    if (embedded) {
      const inner = write(embedded, value);
      if (inner) out += nested(tag, inner);
    } else if (value[name] !== undefined && value[name] !== null) out += writeField(tag, type, value[name]);
  }
  return out;
}

function writeField(tag: number, type: string, value: unknown): string {
  if (type.startsWith('[]')) return (value as unknown[]).map((item) => writeField(tag, type.slice(2), item)).join('');
  if (type.startsWith('{}'))
    return Object.entries(value as object)
      .map(([key, item]) =>
        nested(tag, field(1, utf8(key)) + (type.startsWith('{}[]') ? nested(2, writeField(1, type.slice(2), item)) : writeField(2, type.slice(2), item))),
      )
      .join('');
  if (type.startsWith('#')) return nested(tag, write(fieldsOf(type.slice(1)), value as Record<string, unknown>));
  switch (type) {
    case 'b':
      return number(tag, value ? 1 : 0);
    case 'i32':
    case 'i64':
      return number(tag, value as number);
    case 's':
      return field(tag, utf8(value as string));
    case 'by':
      return field(tag, Buffer.from(value as string, 'base64').toString('latin1'));
    case 'q':
      return nested(tag, field(1, value as string));
    case 't':
    case 'mt':
      return nested(tag, number(1, Math.floor(Date.parse(value as string) / 1_000)));
    case 'is':
      return nested(tag, typeof value === 'number' ? number(1, 0) + number(2, value) : number(1, 1) + field(3, utf8(value as string)));
    default:
      return nested(tag, field(1, utf8(JSON.stringify(value))));
  }
}
