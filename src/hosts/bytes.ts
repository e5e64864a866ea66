/**
 * Bytes of the outside as text of the world and back, without loss.
 *
 * Inside a world everything is text, so a stream is read as UTF-8. What is not UTF-8 (a compressed archive
 * that `kubectl cp` carries) becomes a lone surrogate for each byte, U+DC80 to U+DCFF, and turns into that
 * byte again on its way out: Python's `surrogateescape` (PEP 383).
 */
const LONE = /[\udc80-\udcff]/u;
const ESCAPE = 0xdc00;

/** The bytes that a text stands for. */
export function toBytes(text: string): Buffer {
  if (!LONE.test(text)) return Buffer.from(text, 'utf8');
  const pieces: Buffer[] = [];
  for (const part of text.split(/([\udc80-\udcff]+)/u)) {
    const escaped = LONE.test(part);
    pieces.push(escaped ? Buffer.from([...part].map((c) => c.charCodeAt(0) - ESCAPE)) : Buffer.from(part, 'utf8'));
  }
  return Buffer.concat(pieces);
}

/** How many bytes the sequence that begins with `lead` has; 0 when no sequence does. */
const lengthAt = (lead: number): number => (lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0);

/** Reads a stream of bytes as text; a character may be cut in two between pieces. */
export class ByteReader {
  private rest: Buffer = Buffer.alloc(0);
  private readonly strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /** What can be read by now. */
  read(piece: Uint8Array): string {
    const all = this.rest.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.length) : Buffer.concat([this.rest, piece]);
    const cut = all.length - unfinished(all);
    this.rest = Buffer.from(all.subarray(cut));
    return this.decode(all.subarray(0, cut));
  }

  /** The stream is over: what is left of a cut character is bytes. */
  end(): string {
    const text = this.decode(this.rest);
    this.rest = Buffer.alloc(0);
    return text;
  }

  private decode(bytes: Buffer): string {
    if (bytes.length === 0) return '';
    try {
      return this.strict.decode(bytes);
    } catch {
      return escapeInvalid(bytes, this.strict);
    }
  }
}

/** Bytes at the end that may be the beginning of a character. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return lengthAt(byte) > back ? back : 0;
  }
  return 0;
}

function escapeInvalid(bytes: Buffer, strict: TextDecoder): string {
  const pieces: string[] = [];
  let begun = 0;
  const flush = (to: number): void => {
    if (to > begun) pieces.push(strict.decode(bytes.subarray(begun, to)));
  };
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes[at]!);
    let valid = length > 0 && at + length <= bytes.length;
    if (valid && length > 1) {
      try {
        strict.decode(bytes.subarray(at, at + length));
      } catch {
        valid = false;
      }
    }
    if (valid) {
      at += length;
      continue;
    }
    flush(at);
    pieces.push(String.fromCharCode(ESCAPE + bytes[at]!));
    at += 1;
    begun = at;
  }
  flush(bytes.length);
  return pieces.join('');
}
