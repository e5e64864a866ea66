/** Waiting for one object to become something: list, then watch (client-go UntilWithSync). */

import { defer } from '../../sim/mailbox.ts';
import type { Json } from '../api/json.ts';
import { ApiError, type Status, type WatchEvent } from '../api/request.ts';
import type { Target } from './builder.ts';
import { pathOf } from './discovery.ts';
import { isObject, type ObjectLike, type Session } from './session.ts';

export type Outcome = 'done' | 'timeout';

/**
 * Calls `check` with the object as it is now and after every change, with undefined once it is gone, until it says
 * true. `timeout` in microseconds; 0 or less is for ever.
 */
export async function watchUntil(session: Session, target: Target, timeout: number, check: (object: ObjectLike | undefined) => boolean): Promise<Outcome> {
  const { clock } = session.self.process;
  const over = defer<Outcome>(clock);
  const cancelTimer = timeout > 0 ? clock.after(timeout, () => over.resolve('timeout')) : () => {};
  let closed = false;
  let cancel = () => {};
  const collection = pathOf(target.info, target.namespace);
  const fieldSelector = `metadata.name=${target.name}`;
  const run = async () => {
    while (!closed) {
      const list = await session.request('GET', collection, { query: { fieldSelector, limit: '500', resourceVersion: '0' } });
      if (!isObject(list)) return;
      const items = (list['items'] as readonly ObjectLike[] | undefined) ?? [];
      if (check(items[0])) return over.resolve('done');
      const metadata = list['metadata'];
      const resourceVersion = isObject(metadata) ? String(metadata['resourceVersion'] ?? '') : '';
      const reader = await session.open<WatchEvent<Json>>(collection, {
        query: { fieldSelector, watch: 'true', allowWatchBookmarks: 'true', resourceVersion },
      });
      cancel = () => reader.cancel();
      for (let event = await reader.next(); event !== undefined && !closed; event = await reader.next()) {
        if (event.type === 'BOOKMARK') continue;
        if (event.type === 'ERROR') {
          const status = event.object as unknown as Status;
          if (status.code === 410) break;
          throw new ApiError(status);
        }
        if (check(event.type === 'DELETED' ? undefined : (event.object as unknown as ObjectLike))) return over.resolve('done');
      }
      if (!closed) await clock.sleep(1_000_000);
    }
  };
  run().catch((error: Error) => over.reject(error));
  try {
    return await over.promise;
  } finally {
    closed = true;
    cancelTimer();
    cancel();
  }
}
