/**
 * The protobuf wire format, read from a text whose characters are bytes (protobuf.dev "Encoding"). What is
 * wrong is said as gogo's generated code says it.
 */

/** The bytes are no such message; `message` is Go's. */
export class WireError extends Error {}

export const VARINT = 0;
const FIXED64 = 1;
export const BYTES = 2;
const GROUP = 3;
const GROUP_END = 4;
const FIXED32 = 5;

/** What is ahead: a field's number and how its value is written. */
interface Tag {
  readonly number: number;
  readonly wire: number;
}

export class Reader {
  /** Reads `bytes` from `at` up to `end`, no copies taken. */
  constructor(
    private readonly bytes: string,
    private at = 0,
    private readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  tag(): Tag {
    const value = this.varint();
    const wire = ((value % 8) + 8) % 8;
    const number = Math.floor(value / 8);
    if (wire === GROUP_END) throw new WireError('proto: wiretype end group for non-group');
    if (number <= 0 || number > 0x1fffffff) throw new WireError(`proto: illegal tag ${number} (wire type ${wire})`);
    return { number, wire };
  }

  /** A signed 64-bit integer; beyond 2^53 only nearly, as any JSON number in a script. */
  varint(): number {
    let [low, middle, high] = [0, 0, 0];
    for (let i = 0; ; i++) {
      if (this.at >= this.end) throw new WireError('unexpected EOF');
      if (i === 10) throw new WireError('proto: integer overflow');
      const byte = this.bytes.charCodeAt(this.at++);
      const seven = byte & 0x7f;
      if (i < 4) low += seven * 2 ** (7 * i);
      else if (i < 8) middle += seven * 2 ** (7 * (i - 4));
      else high += seven * 2 ** (7 * (i - 8));
      if (byte < 0x80) break;
    }
    high &= 0xff;
    if (high < 0x80) return low + middle * 2 ** 28 + high * 2 ** 56;
    // Two's complement, bit by bit: the plain sum would round the low bits away.
    return -(0xfffffff - low + (0xfffffff - middle) * 2 ** 28 + (0xff - high) * 2 ** 56) - 1;
  }

  /** A length-delimited value as bytes. */
  text(): string {
    const start = this.span();
    return this.bytes.slice(start, this.at);
  }

  /** A length-delimited value to be read on: a message, or packed numbers. */
  inner(): Reader {
    const start = this.span();
    return new Reader(this.bytes, start, this.at);
  }

  private span(): number {
    const length = this.varint();
    if (length < 0) throw new WireError('proto: negative length found during unmarshaling');
    if (length > this.end - this.at) throw new WireError('unexpected EOF');
    const start = this.at;
    this.at += length;
    return start;
  }

  /** Passes over a field nobody asked for. */
  skip(wire: number): void {
    let depth = 0;
    for (let kind = wire; ; kind = this.varint() & 7) {
      if (kind === VARINT) this.varint();
      else if (kind === FIXED64) this.pass(8);
      else if (kind === BYTES) this.span();
      else if (kind === GROUP) depth += 1;
      else if (kind === GROUP_END) depth -= 1;
      else if (kind === FIXED32) this.pass(4);
      else throw new WireError(`proto: illegal wireType ${kind}`);
      if (depth < 0) throw new WireError('proto: unexpected end of group');
      if (depth === 0) return;
    }
  }

  private pass(length: number): void {
    if (length > this.end - this.at) throw new WireError('unexpected EOF');
    this.at += length;
  }
}

/** UTF-8 bytes as text; what is no UTF-8 becomes U+FFFD, as Go writes it to JSON. */
export function utf8Text(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  let out = '';
  for (let i = 0; i < bytes.length; ) {
    const first = bytes.charCodeAt(i);
    const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    let code = more > 0 ? first & (0x3f >> more) : first;
    let good = more >= 0 && i + more < bytes.length;
    for (let k = 1; good && k <= more; k++) {
      const next = bytes.charCodeAt(i + k);
      good = (next & 0xc0) === 0x80;
      code = (code << 6) | (next & 0x3f);
    }
    // Longer than need be, a surrogate, or beyond Unicode.
    if (good && ((more === 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) || (more === 3 && (code < 0x10000 || code > 0x10ffff)))) good = false;
    out += good ? String.fromCodePoint(code) : '\ufffd';
    i += good ? more + 1 : 1;
  }
  return out;
}
