/**
 * One request to an API server and its answer. An API server, a transport to one, and every layer
 * between are the same function, `ApiHandler`; layers compose.
 */
import type { Json } from './json.ts';
import type { Pipe, Stream } from './stream.ts';

export interface PresentedCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** The certificate itself. The API server then goes by it alone: its signature, its dates, its subject. */
  readonly pem?: string;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  /** Without the query: `/api/v1/namespaces/default/pods`. Percent-decoded. */
  readonly path: string;
  /** A parameter given several times (`command=sh&command=-c`) is an array. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** A frozen value inside the world. A host that received text passes a string with its content-type; the API server decodes it. */
  readonly body?: Json | undefined;
  /** Who the TLS handshake proved the caller to be. Here simplified: there is no handshake; the cluster's own processes show only the subject, others the certificate, whose key they have. */
  readonly certificate?: PresentedCertificate | undefined;
  /** Set by `createClient`: the body was made by the cluster's own code from generated types, so its shape needs no checking. What people and other programs send does not have it. */
  readonly typed?: boolean | undefined;
  /** For exec, attach and port-forward: what the caller sends, channel by channel. Cancelling the response stream closes the connection. */
  readonly upgrade?: Stream<Frame> | undefined;
}

export interface ApiResponse {
  readonly status: number;
  /** Names in lower case. Several warnings are joined by ", " as HTTP allows. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Json | undefined;
  /** A watch: WatchEvents. A log: strings. An upgraded connection: Frames. Values arrive until the reader cancels or the server closes. */
  readonly stream?: Stream<unknown> | undefined;
}

/** May reject with a TransportError when no HTTP answer came back at all. */
export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse>;
export type Layer = (next: ApiHandler) => ApiHandler;

/** A frame of `v5.channel.k8s.io`: 0 stdin, 1 stdout, 2 stderr, 3 error (a Status as JSON), 4 resize, 255 close of the channel named in data. */
export interface Frame {
  readonly channel: 0 | 1 | 2 | 3 | 4 | 255;
  readonly data: string;
  /**
   * Of port-forward alone: which of the connections that share this one (upstream: a pair of SPDY streams
   * with a request ID). Channel 4 opens it, its data is the port; 0 is data to the pod and 1 from it, 3 what
   * went wrong as text, 255 the end of the direction named in data, `4` the end of both.
   */
  readonly stream?: number;
}
export type FramePipe = Pipe<Frame>;

export interface WatchEvent<T = unknown> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/** `metav1.Status`, the body of every failure. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
    readonly retryAfterSeconds?: number;
  };
  readonly code: number;
}

/** A failure the API server answered with; what client-go calls a StatusError. */
export class ApiError extends Error {
  constructor(readonly status: Status) {
    super(status.message ?? status.reason ?? `HTTP ${status.code}`);
    this.name = 'ApiError';
  }
  get code(): number {
    return this.status.code;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
}

/** No answer came: `dial tcp 10.0.0.10:6443: connect: connection refused`, a time-out, a cut wire. */
export class TransportError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TransportError';
  }
}
