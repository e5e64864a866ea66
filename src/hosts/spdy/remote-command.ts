/**
 * exec and attach over SPDY/3.1, as kubectl before 1.30 asks for them: a stream for each of stdin, stdout,
 * stderr, error and resize, told apart by their `streamType` (`v4.channel.k8s.io`).
 */
import type { Frame } from '../../kubernetes/api/request.ts';
import type { Stream } from '../../kubernetes/api/stream.ts';
import { ByteReader, toBytes } from '../bytes.ts';
import { SpdyConnection, type SpdyStream, type SpdyWire } from './connection.ts';

const CHANNELS: Readonly<Record<string, Frame['channel']>> = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 };

/** `expected`: the streams the client is going to open; nothing is said before they are there. */
export function joinRemoteCommand(wire: SpdyWire, expected: readonly string[], stream: Stream<Frame>, send: (frame?: Frame) => void): SpdyConnection {
  const opened = new Map<Frame['channel'], SpdyStream>();
  let over = false;
  const listen = (): void =>
    stream.read({
      value: ({ channel, data }) => {
        if (!over) opened.get(channel)?.write(toBytes(data));
      },
      end: () => {
        for (const one of opened.values()) one.close();
        connection.close();
      },
    });
  const connection = new SpdyConnection(
    wire,
    (one) => {
      const channel = CHANNELS[one.headers['streamtype'] ?? ''];
      if (channel === undefined || opened.has(channel)) return false;
      opened.set(channel, one);
      const bytes = new ByteReader();
      one.onData = (piece) => {
        const text = piece ? bytes.read(piece) : bytes.end();
        if (text !== '' && (channel === 0 || channel === 4)) send({ channel, data: text });
        if (!piece && channel === 0) send({ channel: 255, data: '0' });
      };
      if (expected.every((name) => opened.has(CHANNELS[name]!)) && opened.size === expected.length) listen();
      return true;
    },
    () => {
      over = true;
      send();
    },
  );
  return connection;
}
