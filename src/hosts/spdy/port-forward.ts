/**
 * Port-forward as kubectl speaks it: for every connection it opens two SPDY streams of one request ID, one
 * for errors and one for data (kubelet `pkg/cri/streaming/portforward/httpstream.go`), here joined with the
 * frames of the world.
 */
import type { Frame } from '../../kubernetes/api/request.ts';
import type { Stream } from '../../kubernetes/api/stream.ts';
import { ByteReader, toBytes } from '../bytes.ts';
import { SpdyConnection, type SpdyStream, type SpdyWire } from './connection.ts';

interface Pair {
  error?: SpdyStream;
  data?: SpdyStream;
}

/** `send` gives the world what the client says, and nothing once it is gone. Returns the end that takes the client's bytes. */
export function joinPortForward(wire: SpdyWire, stream: Stream<Frame>, send: (frame?: Frame) => void): SpdyConnection {
  const pairs = new Map<number, Pair>();
  let over = false;
  const begin = (id: number, data: SpdyStream): void => {
    const bytes = new ByteReader();
    send({ stream: id, channel: 4, data: data.headers['port'] ?? '' });
    data.onData = (piece) => {
      const text = piece ? bytes.read(piece) : bytes.end();
      if (text !== '') send({ stream: id, channel: 0, data: text });
      if (!piece) send({ stream: id, channel: 255, data: '0' });
    };
    data.onReset = () => send({ stream: id, channel: 255, data: '4' });
  };
  const connection = new SpdyConnection(
    wire,
    (opened) => {
      const id = Number(opened.headers['requestid'] ?? opened.id);
      const type = opened.headers['streamtype'];
      if ((type !== 'error' && type !== 'data') || !/^\d+$/.test(opened.headers['port'] ?? '') || !Number.isInteger(id)) return false;
      const pair = pairs.get(id) ?? {};
      if (pair[type]) return false;
      pair[type] = opened;
      pairs.set(id, pair);
      if (type === 'data') begin(id, opened);
      return true;
    },
    () => {
      over = true;
      send();
    },
  );
  stream.read({
    value: ({ stream: id = 0, channel, data }) => {
      const pair = pairs.get(id);
      if (over || !pair) return;
      if (channel === 1) pair.data?.write(toBytes(data));
      else if (channel === 3) pair.error?.write(toBytes(data));
      else if (channel === 255) {
        pair.data?.close();
        pair.error?.close();
        pairs.delete(id);
      }
    },
    end: () => connection.close(),
  });
  return connection;
}
