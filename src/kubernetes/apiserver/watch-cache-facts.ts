/**
 * What the watch cache says of itself: one fact for every change it takes in, before its watchers hear of it, so that
 * whatever they do is the doing of that change.
 */
import type { Process } from '../../sim/process.ts';
import type { TraceId } from '../../sim/trace.ts';
import type { WatchCache } from './watch-cache.ts';

/** Renewed for ever; etcd's members keep these quiet, too. */
const QUIET = '/registry/leases/';

/** `watchcache.add`, about the object's key in etcd: its revision, what happened to it and how many watchers it concerns. */
export function tellOfChanges({ trace }: Pick<Process, 'trace'>, cache: WatchCache): void {
  let last: TraceId = 0;
  let cause: TraceId = 0;
  cache.listen((prefix, event) => {
    if (prefix === QUIET) return;
    const { metadata } = event.object;
    // Several changes that arrive together have one cause; none of them is the cause of the next.
    if (trace.current() === last) trace.because(cause);
    else cause = trace.current();
    const key = metadata.namespace === undefined ? prefix + metadata.name : `${prefix}${metadata.namespace}/${metadata.name}`;
    last = trace.emit('watchcache.add', key, { type: event.type, revision: event.revision, watchers: cache.resource(prefix).concerned(event) });
  });
}
