/**
 * What a client allows itself: so many requests a second, and so many at once after a pause (client-go
 * `util/flowcontrol` TokenBucketRateLimiter, `rest.Config` QPS and Burst).
 */
import type { Process } from '../../sim/process.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';

export interface Limits {
  /** Below 0: none at all. 0 is client-go's own default, 5. */
  readonly qps: number;
  /** 0 is client-go's own default, 10. */
  readonly burst: number;
}
const SECOND = 1_000_000;

/** The same handler, slower: requests wait for their turn in the order they came. `log` hears of waits of more than a second. */
export function throttled(handler: ApiHandler, self: Process, limits: Limits, log?: (message: string) => void): ApiHandler {
  if (limits.qps < 0) return handler;
  const interval = Math.max(1, Math.round(SECOND / (limits.qps || 5)));
  const ahead = interval * (limits.burst || 10);
  const { clock, trace } = self;
  /** When the bucket will be full again. */
  let full = 0;
  return (request: ApiRequest) => {
    const now = clock.now();
    full = Math.max(full, now) + interval;
    const wait = full - ahead - now;
    if (wait <= 0) return handler(request);
    const cause = trace.current();
    return clock.sleep(wait).then(() => {
      if (wait > SECOND)
        log?.(
          `request.go:752] "Waited before sending request" delay="${wait / SECOND}s" reason="client-side throttling, not priority and fairness" verb="${request.method}" URL="https://10.0.0.10:6443${request.path}"`,
        );
      trace.because(cause);
      return handler(request);
    });
  };
}
