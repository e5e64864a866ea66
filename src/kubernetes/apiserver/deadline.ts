/**
 * How long a request may take (apiserver `pkg/endpoints/filters/request_deadline.go`, `pkg/server/filters/timeout.go`):
 * `--request-timeout`, a minute, or less where `?timeout=` says so, as `kubectl --request-timeout` makes it say. What is
 * still under way by then goes on, and its answer is lost. Watches, logs and other streams take as long as they like.
 */
import { type Duration, seconds } from '../../sim/clock.ts';
import { defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { ApiHandler, ApiRequest, ApiResponse } from '../api/request.ts';
import { parsePath } from '../api/resources.ts';
import { parseDuration } from './cel/time.ts';
import { badRequest, failure } from './errors.ts';

const LONGEST: Duration = seconds(60);
const LONG_RUNNING = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

function isLongRunning(request: ApiRequest): boolean {
  const { watch } = request.query;
  if (watch !== undefined && watch !== 'false' && watch !== '0') return true;
  return LONG_RUNNING.has(parsePath(request.path)?.subresource ?? '');
}

/** Throws 400 for what Go's time.ParseDuration does not read. */
function timeoutOf({ query }: ApiRequest): Duration {
  const text = Array.isArray(query['timeout']) ? query['timeout'][0] : query['timeout'];
  if (text === undefined || text === '') return LONGEST;
  const nanos = parseDuration(text as string);
  if (nanos === undefined) {
    const why = /^[-+]?\d+$/.test(text as string) ? 'missing unit in duration' : 'invalid duration';
    throw badRequest(`invalid timeout specified in the request URL - time: ${why} ${JSON.stringify(text)}`);
  }
  const asked = Number(nanos / 1_000n);
  return asked <= 0 || asked > LONGEST ? LONGEST : asked;
}

/** The answer of `serve`, or a 504 when it is too late. Rejects with ApiError 400 for a time that is none. */
export async function withDeadline(self: Process, request: ApiRequest, serve: ApiHandler): Promise<ApiResponse> {
  if (isLongRunning(request)) return serve(request);
  const timeout = timeoutOf(request);
  const { promise, resolve, reject } = defer<ApiResponse>(self.clock);
  const cancel = self.clock.after(timeout, () => reject(failure(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout', {})));
  const ended = (answer: () => void): void => {
    cancel();
    answer();
  };
  serve(request).then(
    (response) => ended(() => resolve(response)),
    (error: unknown) => ended(() => reject(error as Error)),
  );
  return promise;
}
