/**
 * Frames of SPDY/3.1 as bytes (SPDY/3 draft, 2.2 and 2.6): what kubectl and the API server speak for
 * port-forward, and what kubectl before 1.31 speaks for exec too.
 *
 * Header blocks are compressed with one zlib stream a direction, so every block must be read, and in order.
 */
import { Unzlib } from 'fflate';
import { DICTIONARY } from './dictionary.ts';

export type Headers = Readonly<Record<string, string>>;

export type SpdyFrame =
  | { readonly type: 'data'; readonly stream: number; readonly fin: boolean; readonly data: Uint8Array }
  | { readonly type: 'syn-stream'; readonly stream: number; readonly fin: boolean; readonly headers: Headers }
  | { readonly type: 'syn-reply'; readonly stream: number; readonly fin: boolean; readonly headers: Headers }
  | { readonly type: 'headers'; readonly stream: number; readonly fin: boolean; readonly headers: Headers }
  | { readonly type: 'rst-stream'; readonly stream: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway'; readonly lastStream: number; readonly status: number }
  | { readonly type: 'window-update'; readonly stream: number; readonly delta: number }
  /** SETTINGS and whatever else there may be: read and left alone. */
  | { readonly type: 'other'; readonly kind: number };

const VERSION = 3;
const FIN = 1;
const KIND = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goaway: 7, headers: 8, windowUpdate: 9 } as const;
/** A header name or value longer than this is no header. */
const LONGEST = 1 << 20;

export class SpdyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SpdyError';
  }
}

/** Takes bytes as they come and gives whole frames. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);
  private block: Uint8Array[] = [];
  private readonly unzip = new Unzlib({ dictionary: DICTIONARY }, (chunk) => this.block.push(chunk));

  /** Throws SpdyError for what is no SPDY/3. */
  read(piece: Uint8Array): SpdyFrame[] {
    let bytes = this.rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.rest, piece]);
    const frames: SpdyFrame[] = [];
    while (bytes.length >= 8) {
      const length = bytes.readUIntBE(5, 3);
      if (bytes.length < 8 + length) break;
      frames.push(this.frame(bytes.subarray(0, 8), bytes.subarray(8, 8 + length)));
      bytes = bytes.subarray(8 + length);
    }
    this.rest = Buffer.from(bytes);
    return frames;
  }

  private frame(head: Buffer, body: Buffer): SpdyFrame {
    const flags = head[4]!;
    const fin = (flags & FIN) !== 0;
    if (head[0]! < 0x80) return { type: 'data', stream: head.readUInt32BE(0), fin, data: Buffer.from(body) };
    const version = head.readUInt16BE(0) & 0x7fff;
    if (version !== VERSION) throw new SpdyError(`SPDY version ${version} is not spoken`);
    const kind = head.readUInt16BE(2);
    const need = (size: number): void => {
      if (body.length < size) throw new SpdyError(`a frame of kind ${kind} with ${body.length} bytes`);
    };
    const id = (at = 0): number => body.readUInt32BE(at) & 0x7fffffff;
    switch (kind) {
      case KIND.synStream:
        need(10);
        return { type: 'syn-stream', stream: id(), fin, headers: this.headers(body.subarray(10)) };
      case KIND.synReply:
        need(4);
        return { type: 'syn-reply', stream: id(), fin, headers: this.headers(body.subarray(4)) };
      case KIND.headers:
        need(4);
        return { type: 'headers', stream: id(), fin, headers: this.headers(body.subarray(4)) };
      case KIND.rstStream:
        need(8);
        return { type: 'rst-stream', stream: id(), status: body.readUInt32BE(4) };
      case KIND.ping:
        need(4);
        return { type: 'ping', id: body.readUInt32BE(0) };
      case KIND.goaway:
        need(8);
        return { type: 'goaway', lastStream: id(), status: body.readUInt32BE(4) };
      case KIND.windowUpdate:
        need(8);
        return { type: 'window-update', stream: id(), delta: id(4) };
      default:
        return { type: 'other', kind };
    }
  }

  private headers(packed: Uint8Array): Headers {
    this.block = [];
    try {
      this.unzip.push(packed, false);
    } catch (error) {
      throw new SpdyError(`a header block that cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
    }
    return parseHeaders(Buffer.concat(this.block));
  }
}

/** Deflate with a window of 32 KiB and a dictionary, and that dictionary's Adler-32 (RFC 1950). */
const ZLIB_HEAD = Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2]);

const SYNC = Buffer.from([0, 0, 0, 0xff, 0xff]);

/** Writes frames; one per direction of a connection, for its header blocks are one stream. */
export class FrameWriter {
  private begun = false;

  write(frame: Exclude<SpdyFrame, { readonly type: 'other' }>): Buffer {
    switch (frame.type) {
      case 'data': {
        const head = Buffer.alloc(8);
        head.writeUInt32BE(frame.stream, 0);
        head[4] = frame.fin ? FIN : 0;
        head.writeUIntBE(frame.data.length, 5, 3);
        return Buffer.concat([head, frame.data]);
      }
      case 'syn-stream':
        return control(KIND.synStream, frame.fin, Buffer.concat([numbers(frame.stream, 0), Buffer.alloc(2), this.pack(frame.headers)]));
      case 'syn-reply':
        return control(KIND.synReply, frame.fin, Buffer.concat([numbers(frame.stream), this.pack(frame.headers)]));
      case 'headers':
        return control(KIND.headers, frame.fin, Buffer.concat([numbers(frame.stream), this.pack(frame.headers)]));
      case 'rst-stream':
        return control(KIND.rstStream, false, numbers(frame.stream, frame.status));
      case 'ping':
        return control(KIND.ping, false, numbers(frame.id));
      case 'goaway':
        return control(KIND.goaway, false, numbers(frame.lastStream, frame.status));
      case 'window-update':
        return control(KIND.windowUpdate, false, numbers(frame.stream, frame.delta));
    }
  }

  /**
   * A zlib stream of stored blocks. What we say in headers is nearly nothing, so packing it would save
   * nothing. An empty block follows each: Go's reader hands over what it has at that sign, as after zlib's
   * sync flush, and without it waits for more.
   */
  private pack(headers: Headers): Buffer {
    const plain = formatHeaders(headers);
    if (plain.length > 0xffff) throw new SpdyError('headers that are too long');
    const head = Buffer.from([0, plain.length & 255, plain.length >> 8, ~plain.length & 255, (~plain.length >> 8) & 255]);
    const pieces = [...(this.begun ? [] : [ZLIB_HEAD]), head, plain, SYNC];
    this.begun = true;
    return Buffer.concat(pieces);
  }
}

function control(kind: number, fin: boolean, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(kind, 2);
  head[4] = fin ? FIN : 0;
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

function numbers(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    out.writeUInt32BE(value, i * 4);
  });
  return out;
}

function formatHeaders(headers: Headers): Buffer {
  const pairs = Object.entries(headers);
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'utf8');
    return Buffer.concat([numbers(bytes.length), bytes]);
  };
  return Buffer.concat([numbers(pairs.length), ...pairs.flatMap(([name, value]) => [text(name.toLowerCase()), text(value)])]);
}

function parseHeaders(block: Buffer): Headers {
  const headers: Record<string, string> = {};
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new SpdyError('a header block that ends too early');
    const value = block.readUInt32BE(at);
    at += 4;
    return value;
  };
  const text = (): string => {
    const length = number();
    if (length > LONGEST || at + length > block.length) throw new SpdyError('a header block that ends too early');
    const value = block.toString('utf8', at, at + length);
    at += length;
    return value;
  };
  for (let left = number(); left > 0; left--) {
    const name = text();
    // Several values of one name are separated by NUL.
    headers[name] = text().replaceAll('\0', ', ');
  }
  return headers;
}
