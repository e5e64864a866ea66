/**
 * Recording Events (client-go tools/record): short notes about objects for people. Written aside, one
 * after the other, so that nobody waits for them; lost when they cannot be written.
 *
 * Identical events become one with a count; many events of one object that differ only in their message
 * become "(combined from similar events)"; an object that floods is cut off by a token bucket.
 */
import { type Instant, minutes, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import { hash32 } from '../../sim/rng.ts';
import type { TraceId } from '../../sim/trace.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { KubeObject } from '../api/meta.ts';
import { TransportError } from '../api/request.ts';
import { EPOCH_SECONDS, timestamp } from '../api/time.ts';
import type { Event } from '../api/types.gen.ts';
import { jitter } from './backoff.ts';
import type { Client } from './client.ts';
import { isNotFound } from './retry.ts';

export interface Recorder {
  /** Notes something about an object; returns at once. `fieldPath` as in `spec.containers{web}`. */
  event(about: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string, options?: { readonly fieldPath?: string }): void;
}

export interface EventSource {
  /** `deployment-controller`, `kubelet` */
  readonly component: string;
  readonly host?: string;
}

/** Any object, or what a reference to one tells. */
export interface EventSubject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: DeepReadonly<KubeObject>['metadata'];
}

/** record/events_cache.go and record/event.go */
const MAX_SIMILAR = 10;
const SIMILAR_WINDOW = minutes(10);
const SPAM_BURST = 25;
const SPAM_REFILL = minutes(5);
const QUEUE_LENGTH = 1000;
const MAX_TRIES = 12;
const RETRY_SLEEP = seconds(10);
const CACHE_SIZE = 4096;

interface Seen {
  name: string;
  count: number;
  firstTimestamp: string;
}

export function createRecorder(self: Pick<Process, 'clock' | 'rng' | 'trace'>, client: Client, source: EventSource): Recorder {
  const { clock, trace } = self;
  const seen = new Map<string, Seen>();
  const similar = new Map<string, { messages: Set<string>; last: Instant }>();
  const buckets = new Map<string, Instant>();
  const waiting: { event: DeepReadonly<Event>; key: string; cause: TraceId }[] = [];
  const componentDigits = hash32(`${source.component}@${source.host ?? ''}`) % 1000;
  let lastName = 0n;
  let writing = false;

  /** Nanoseconds since 1970, as client-go names events; the last three digits tell components apart that speak in the same microsecond. */
  const uniqueNanos = (): string => {
    let nanos = BigInt(EPOCH_SECONDS) * 1_000_000_000n + BigInt(clock.now()) * 1_000n + BigInt(componentDigits);
    if (nanos <= lastName) nanos = lastName + 1n;
    lastName = nanos;
    return nanos.toString(16);
  };

  /** True when this source and object have used up their burst: 25 events, then one every five minutes. */
  const isSpam = (spamKey: string): boolean => {
    const now = clock.now();
    const fullAt = Math.max(buckets.get(spamKey) ?? 0, now);
    if (fullAt + SPAM_REFILL - now > SPAM_BURST * SPAM_REFILL) return true;
    remember(buckets, spamKey, fullAt + SPAM_REFILL);
    return false;
  };

  /** The message to use, and the key under which equal events are counted: its own, or that of its group once more than ten differ. */
  const aggregate = (groupKey: string, message: string): { key: string; message: string } => {
    const now = clock.now();
    let group = similar.get(groupKey);
    if (!group || now - group.last > SIMILAR_WINDOW) group = { messages: new Set(), last: now };
    group.last = now;
    group.messages.add(message);
    remember(similar, groupKey, group);
    if (group.messages.size < MAX_SIMILAR) return { key: `${groupKey}|${message}`, message };
    // The oldest is forgotten so that the set stays small, as PopAny does.
    for (const oldest of group.messages) {
      group.messages.delete(oldest);
      break;
    }
    return { key: groupKey, message: `(combined from similar events): ${message}` };
  };

  const write = async (event: DeepReadonly<Event>, key: string): Promise<void> => {
    const known = seen.get(key);
    const now = timestamp(clock.now());
    const events = client.of('Event');
    const namespace = event.metadata.namespace!;
    if (known) {
      const count = known.count + 1;
      remember(seen, key, { ...known, count });
      try {
        await events.patch(`${namespace}/${known.name}`, { count, lastTimestamp: event.lastTimestamp ?? now, message: event.message ?? '' }, 'strategic');
        return;
      } catch (error) {
        // Gone after its hour: a new one is made, and counting goes on.
        if (!isNotFound(error)) throw error;
        remember(seen, key, { name: event.metadata.name!, count, firstTimestamp: known.firstTimestamp });
        await events.create({ ...event, count, firstTimestamp: known.firstTimestamp });
        return;
      }
    }
    await events.create(event);
    remember(seen, key, { name: event.metadata.name!, count: 1, firstTimestamp: event.firstTimestamp ?? now });
  };

  const drain = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) {
      const { event, key, cause } = waiting.shift()!;
      for (let attempt = 1; attempt <= MAX_TRIES; attempt++) {
        trace.because(cause);
        try {
          await write(event, key);
          break;
        } catch (error) {
          // The server said no (a namespace on its way out, say): an event is not worth a quarrel.
          if (!(error instanceof TransportError)) break;
          await clock.sleep(attempt === 1 ? jitter(self, RETRY_SLEEP, 100) : RETRY_SLEEP);
        }
      }
    }
    writing = false;
  };

  return {
    event: (about, type, reason, message, options = {}) => {
      const metadata = about.metadata ?? {};
      const reference = {
        kind: about.kind ?? '',
        ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
        name: metadata.name ?? '',
        ...(metadata.uid ? { uid: metadata.uid } : {}),
        apiVersion: about.apiVersion ?? 'v1',
        ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
        ...(options.fieldPath ? { fieldPath: options.fieldPath } : {}),
      };
      const subject = `${reference.kind}|${metadata.namespace ?? ''}|${reference.name}|${metadata.uid ?? ''}|${options.fieldPath ?? ''}`;
      if (waiting.length >= QUEUE_LENGTH || isSpam(subject)) return;
      const { key, message: text } = aggregate(`${subject}|${type}|${reason}`, message);
      const now = timestamp(clock.now());
      const event: DeepReadonly<Event> = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${reference.name}.${uniqueNanos()}`, namespace: metadata.namespace || 'default' },
        involvedObject: reference,
        reason,
        message: text,
        source: { component: source.component, ...(source.host ? { host: source.host } : {}) },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
        type,
        reportingComponent: source.component,
        reportingInstance: source.host ?? '',
      };
      waiting.push({ event, key, cause: trace.current() });
      if (writing) return;
      writing = true;
      // In an event of its own: the caller goes on undisturbed, and what it waits for is not ours.
      clock.after(0, () => {
        clock.wake();
        void drain();
      });
    },
  };
}

/** Sets, and drops the oldest entry when there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= CACHE_SIZE) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
