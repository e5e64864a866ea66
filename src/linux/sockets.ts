/** What programs see of the network: listen, connect, getaddrinfo. Errors carry errno names. */
export interface Sockets {
  /** Accepts TCP on every address of the namespace. Throws SocketError EADDRINUSE. Returns the close function. */
  listen(port: number, onConnection: (connection: Connection) => void): () => void;
  /** `host` is an IPv4 address or a name. Rejects with SocketError: ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENOTFOUND. */
  connect(host: string, port: number, options?: { readonly timeout?: number }): Promise<Connection>;
  /** Answers datagrams on a UDP port. */
  listenUdp(port: number, onDatagram: (text: string, from: { readonly ip: string; readonly port: number }, reply: (text: string) => void) => void): () => void;
  /** One datagram and its answer; rejects with ETIMEDOUT. */
  askUdp(ip: string, port: number, text: string, timeout: number): Promise<string>;
  /** By /etc/hosts, then the nameservers and search list of /etc/resolv.conf. Rejects with ENOTFOUND. */
  resolve(name: string): Promise<readonly string[]>;
}
export interface Connection {
  readonly local: { readonly ip: string; readonly port: number };
  readonly remote: { readonly ip: string; readonly port: number };
  send(text: string): void;
  /** The next segment; undefined when the other side has closed. Rejects with ECONNRESET. */
  receive(): Promise<string | undefined>;
  /**
   * The same for hot paths, without a promise: `take` is told every segment in the event that brings it,
   * and undefined at the end; `failed` that there is no more. It says whether a promise hangs on it, for
   * which the world must then wait. Instead of `receive`, once; not every connection can.
   */
  onReceive?(take: (text: string | undefined) => boolean, failed: (error: SocketError) => void): void;
  close(): void;
}
export class SocketError extends Error {
  constructor(
    readonly code: 'ECONNREFUSED' | 'ETIMEDOUT' | 'EHOSTUNREACH' | 'ENETUNREACH' | 'ENOTFOUND' | 'ECONNRESET' | 'EADDRINUSE',
    message: string,
  ) {
    super(message);
    this.name = 'SocketError';
  }
}
