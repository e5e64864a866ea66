/** DER, as far as certificates need it (ITU-T X.690): definite lengths, tags below 31. */
import { type Bytes, concat, textOf, utf8 } from './bytes.ts';

/** Not DER, or not what was expected there: Go's `asn1: structure error`. */
export class DerError extends Error {}

export function tlv(tag: number, ...content: readonly Bytes[]): Bytes {
  const body = concat(...content);
  const { length } = body;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return concat(Uint8Array.of(tag, ...head), body);
}

export const sequence = (...parts: readonly Bytes[]): Bytes => tlv(0x30, ...parts);
/** SET OF in DER's order. */
export const setOf = (...parts: readonly Bytes[]): Bytes => tlv(0x31, ...[...parts].sort(compareBytes));
export const octets = (...content: readonly Bytes[]): Bytes => tlv(0x04, ...content);
export const bits = (content: Bytes, unused = 0): Bytes => tlv(0x03, Uint8Array.of(unused), content);
export const boolean = (value: boolean): Bytes => tlv(0x01, Uint8Array.of(value ? 255 : 0));
export const nothing = (): Bytes => tlv(0x05);
/** `[n]` with constructed content. */
export const context = (n: number, ...content: readonly Bytes[]): Bytes => tlv(0xa0 | n, ...content);

export function integer(value: bigint): Bytes {
  let hex = value.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  if (Number.parseInt(hex.slice(0, 2), 16) > 127) hex = `00${hex}`;
  return tlv(
    0x02,
    Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16)),
  );
}

export function oid(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const out = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 127];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 127) | 128);
    out.push(...groups);
  }
  return tlv(0x06, Uint8Array.from(out));
}

/** PrintableString where its alphabet suffices, else UTF8String, as Go's encoding/asn1 chooses. */
export const string = (text: string): Bytes => tlv(/^[A-Za-z0-9 '()+,./:=?-]*$/.test(text) ? 0x13 : 0x0c, utf8(text));

/** Seconds since 1970 as UTCTime, or GeneralizedTime from 2050 on (RFC 5280 4.1.2.5). `stamp` is RFC 3339. */
export function time(stamp: string): Bytes {
  const digits = `${stamp.replace(/[-:T]/g, '').replace(/Z$/, '')}Z`;
  return Number(stamp.slice(0, 4)) < 2050 ? tlv(0x17, utf8(digits.slice(2))) : tlv(0x18, utf8(digits));
}

export interface Node {
  readonly tag: number;
  readonly content: Bytes;
  /** With tag and length: what was signed. */
  readonly whole: Bytes;
}

/** The value at the beginning of `bytes`. Throws DerError. */
export function readNode(bytes: Bytes): { readonly node: Node; readonly rest: Bytes } {
  const tag = bytes[0];
  let length = bytes[1];
  if (tag === undefined || length === undefined) throw new DerError('asn1: syntax error: data truncated');
  let at = 2;
  if (length > 127) {
    const count = length & 127;
    if (count === 0 || count > 3) throw new DerError('asn1: structure error: length too large');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[at++] ?? 0);
  }
  if (at + length > bytes.length) throw new DerError('asn1: syntax error: data truncated');
  return { node: { tag, content: bytes.subarray(at, at + length), whole: bytes.subarray(0, at + length) }, rest: bytes.subarray(at + length) };
}

export function children(node: Node): readonly Node[] {
  const out: Node[] = [];
  let left = node.content;
  while (left.length > 0) {
    const { node: next, rest } = readNode(left);
    out.push(next);
    left = rest;
  }
  return out;
}

/** A node with that tag. Throws DerError for anything else. */
export function expect(node: Node | undefined, tag: number): Node {
  if (node?.tag !== tag) throw new DerError("asn1: structure error: tags don't match");
  return node;
}

export function oidOf(node: Node): string {
  const { content } = expect(node, 0x06);
  const first = content[0] ?? 0;
  const parts = [Math.floor(first / 40), first % 40];
  let part = 0;
  for (const byte of content.subarray(1)) {
    part = part * 128 + (byte & 127);
    if (byte < 128) {
      parts.push(part);
      part = 0;
    }
  }
  return parts.join('.');
}

export const integerOf = (node: Node): bigint => bigOf(expect(node, 0x02).content);
export const bigOf = (bytes: Bytes): bigint => {
  let value = 0n;
  for (const byte of bytes) value = value * 256n + BigInt(byte);
  return value;
};

/** The bytes of a BIT STRING whose bits fill them. */
export const bitsOf = (node: Node | undefined): Bytes => expect(node, 0x03).content.subarray(1);
export const stringOf = (node: Node): string => textOf(node.content);

/** RFC 3339. */
export function timeOf(node: Node): string {
  const text = textOf(node.content);
  const full = node.tag === 0x17 ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const m = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  if (!m) throw new DerError('x509: malformed time');
  return `${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}Z`;
}

function compareBytes(a: Bytes, b: Bytes): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
