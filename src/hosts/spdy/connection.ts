/**
 * The server's end of a SPDY/3.1 connection: streams the client opens, their bytes both ways.
 *
 * As moby/spdystream, on both of whose ends this is spoken to, it keeps no flow-control windows: it neither
 * waits for a WINDOW_UPDATE nor sends one.
 */
import { FrameReader, FrameWriter, type Headers, SpdyError, type SpdyFrame } from './frames.ts';

/** Stream status codes (SPDY/3 draft, 2.6.3). */
const PROTOCOL_ERROR = 1;
const REFUSED_STREAM = 3;
const CANCEL = 5;

export class SpdyStream {
  /** Bytes from the client; undefined once it has no more. */
  onData: (data: Uint8Array | undefined) => void = () => {};
  /** The client wants no more of it. */
  onReset: () => void = () => {};
  finished = false;
  constructor(
    readonly id: number,
    /** Names in lower case. */
    readonly headers: Headers,
    private readonly connection: SpdyConnection,
  ) {}

  write(data: Uint8Array): void {
    if (this.finished) return;
    // A frame's length has 24 bits; smaller frames let others in between.
    for (let at = 0; at < data.length; at += 65_536) this.connection.send({ type: 'data', stream: this.id, fin: false, data: data.subarray(at, at + 65_536) });
  }

  /** Nothing more will be written. */
  close(): void {
    if (this.finished) return;
    this.finished = true;
    this.connection.send({ type: 'data', stream: this.id, fin: true, data: new Uint8Array(0) });
  }

  reset(): void {
    this.finished = true;
    this.connection.forget(this.id);
    this.connection.send({ type: 'rst-stream', stream: this.id, status: CANCEL });
  }
}

export interface SpdyWire {
  send(bytes: Buffer): void;
  close(): void;
}

export class SpdyConnection {
  private readonly reader = new FrameReader();
  private readonly writer = new FrameWriter();
  private readonly streams = new Map<number, SpdyStream>();
  private lastStream = 0;
  private open = true;

  constructor(
    private readonly wire: SpdyWire,
    /** False refuses the stream. */
    private readonly onStream: (stream: SpdyStream) => boolean,
    private readonly onClose: () => void,
  ) {}

  /** Bytes from the client. What is not SPDY ends the connection. */
  take(bytes: Uint8Array): void {
    if (!this.open) return;
    try {
      for (const frame of this.reader.read(bytes)) this.frame(frame);
    } catch (error) {
      if (!(error instanceof SpdyError)) throw error;
      this.close(PROTOCOL_ERROR);
    }
  }

  send(frame: Parameters<FrameWriter['write']>[0]): void {
    if (this.open) this.wire.send(this.writer.write(frame));
  }

  forget(stream: number): void {
    this.streams.delete(stream);
  }

  /** This end is done: GOAWAY, and the wire is closed. */
  close(status = 0): void {
    if (!this.open) return;
    this.send({ type: 'goaway', lastStream: this.lastStream, status });
    this.open = false;
    this.wire.close();
    this.onClose();
  }

  /** The wire is gone. */
  lost(): void {
    if (!this.open) return;
    this.open = false;
    this.onClose();
  }

  private frame(frame: SpdyFrame): void {
    switch (frame.type) {
      case 'syn-stream': {
        this.lastStream = frame.stream;
        const stream = new SpdyStream(frame.stream, frame.headers, this);
        this.streams.set(frame.stream, stream);
        if (!this.onStream(stream)) {
          this.streams.delete(frame.stream);
          this.send({ type: 'rst-stream', stream: frame.stream, status: REFUSED_STREAM });
          return;
        }
        this.send({ type: 'syn-reply', stream: frame.stream, fin: false, headers: {} });
        if (frame.fin) stream.onData(undefined);
        return;
      }
      case 'data': {
        const stream = this.streams.get(frame.stream);
        if (frame.data.length > 0) stream?.onData(frame.data);
        if (frame.fin) stream?.onData(undefined);
        return;
      }
      case 'rst-stream': {
        const stream = this.streams.get(frame.stream);
        this.streams.delete(frame.stream);
        if (!stream) return;
        stream.finished = true;
        stream.onReset();
        return;
      }
      case 'ping':
        // The client's are odd; an even one is the echo of ours, of which there are none.
        if (frame.id % 2 === 1) this.send({ type: 'ping', id: frame.id });
        return;
      case 'goaway':
        this.close();
        return;
      default:
    }
  }
}
