/**
 * A reply that is read as it arrives: chunks, a length, or until the connection closes (RFC 9112 6 and 7). For
 * whoever shows or passes on what goes on for long: curl at a watch, the API server's proxies.
 */
import type { Clock, Duration } from '../sim/clock.ts';
import { HttpError, type HttpReply, headOf, read, unitsOf } from './http.ts';
import type { Connection, SocketError } from './sockets.ts';

export interface HttpStreamReader {
  /** Says whether a promise hangs on it. */
  head(status: number, headers: Readonly<Record<string, string>>): boolean;
  /** A piece of the body, never empty. */
  data(text: string): void;
  /** Once, at the end; with an error when the reply broke off. Says whether a promise hangs on it. */
  end(error?: HttpError | SocketError): boolean;
}

/** Sends a request and reads the reply piece by piece. Returns the function that hangs up; nothing is told after that. */
export function httpStream(connection: Connection, request: string, reader: HttpStreamReader, headOnly = false): () => void {
  connection.send(request);
  let text = '';
  let over = false;
  let chunked = false;
  /** Bytes that are still to come; undefined: as many as there are. */
  let left: number | undefined;
  let began = false;
  const finish = (error?: HttpError | SocketError): boolean => {
    if (over) return false;
    over = true;
    connection.close();
    return reader.end(error);
  };
  const give = (piece: string): void => {
    if (piece !== '') reader.data(piece);
  };
  /** Takes chunks from the front of the text; true when that was the last. */
  const chunks = (): boolean => {
    for (;;) {
      const eol = text.indexOf('\r\n');
      if (eol < 0) return false;
      const size = Number.parseInt(text.slice(0, eol), 16);
      const units = size >= 0 ? unitsOf(text.slice(eol + 2), size) : undefined;
      if (units === undefined || text.length < eol + 2 + units + 2) return false;
      give(text.slice(eol + 2, eol + 2 + units));
      text = text.slice(eol + 2 + units + 2);
      if (size === 0) return true;
    }
  };
  const body = (): boolean => {
    if (chunked) return chunks() ? finish() : false;
    if (left === undefined) {
      const piece = text;
      text = '';
      give(piece);
      return false;
    }
    const units = unitsOf(text, left);
    if (units === undefined) return false;
    left = 0;
    give(text.slice(0, units));
    return finish();
  };
  const take = (segment: string | undefined): boolean => {
    if (over) return false;
    if (segment === undefined) {
      if (began && !chunked && left === undefined) return finish();
      return finish(new HttpError(text === '' && !began ? 'CLOSED' : 'MALFORMED', began ? 'unexpected EOF' : 'EOF'));
    }
    text = text === '' ? segment : text + segment;
    let awaited = false;
    if (!began) {
      const split = text.indexOf('\r\n\r\n');
      if (split < 0) return false;
      const { first, headers } = headOf(text.slice(0, split));
      const m = /^HTTP\/1\.\d (\d{3})/.exec(first);
      if (!m) return finish(new HttpError('MALFORMED', `malformed HTTP response "${first.slice(0, 40)}"`));
      text = text.slice(split + 4);
      began = true;
      const status = Number(m[1]);
      chunked = headers['transfer-encoding'] === 'chunked';
      if (headOnly || status === 204 || status === 304 || status < 200) [chunked, left] = [false, 0];
      else if (!chunked && headers['content-length'] !== undefined) left = Number(headers['content-length']);
      awaited = reader.head(status, headers);
      if (over) return awaited;
    }
    return body() || awaited;
  };
  read(connection, take, (error) => finish(error));
  return () => {
    if (over) return;
    over = true;
    connection.close();
  };
}

export interface Piecewise {
  readonly clock?: Clock | undefined;
  /** For the whole exchange. */
  readonly timeout?: Duration | undefined;
  readonly headOnly?: boolean;
  /** Told of every piece as it comes. */
  pieces(text: string, head: { readonly status: number; readonly headers: Readonly<Record<string, string>> }): void;
}

/** The whole reply in the end, and its pieces on the way. Rejects with HttpError or SocketError. */
export function httpPieces(connection: Connection, request: string, { clock, timeout, headOnly, pieces }: Piecewise): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    let head: { status: number; headers: Readonly<Record<string, string>> } = { status: 0, headers: {} };
    let body = '';
    const hangUp = httpStream(
      connection,
      request,
      {
        head: (status, headers) => {
          head = { status, headers };
          return false;
        },
        data: (text) => {
          body += text;
          pieces(text, head);
        },
        end: (error) => {
          cancel?.();
          if (error) reject(error);
          else resolve({ ...head, body });
          return true;
        },
      },
      headOnly,
    );
    const cancel =
      clock && timeout !== undefined
        ? clock.after(timeout, () => {
            hangUp();
            clock.wake();
            reject(new HttpError('TIMEOUT', 'timed out'));
          })
        : undefined;
  });
}
