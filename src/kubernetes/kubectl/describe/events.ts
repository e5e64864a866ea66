/** The table of events at the end of a description. */

import type { Instant } from '../../../sim/clock.ts';
import { instantOf } from '../../api/time.ts';
import type { Event } from '../../api/types.gen.ts';
import { type Context, listOf } from './reader.ts';
import { type Sheet, since } from './sheet.ts';

/** Whom events are about; parts left out are not asked for. */
export interface About {
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
}

export const aboutObject = (object: { readonly kind: string; readonly metadata: About }): About => ({ ...object.metadata, kind: object.kind });

/** Events about something; none when they cannot be read, since a description does not fail for them. */
export async function findEvents({ read }: Context, { kind, namespace = '', name = '', uid }: About): Promise<readonly Event[]> {
  const terms = [`involvedObject.name=${name}`, `involvedObject.namespace=${namespace}`];
  if (kind) terms.unshift(`involvedObject.kind=${kind}`);
  if (uid) terms.push(`involvedObject.uid=${uid}`);
  try {
    return await listOf(read, 'Event', namespace, { fieldSelector: terms.join(',') });
  } catch {
    return [];
  }
}

/** Finds and writes an object's events, unless they are not wanted. */
export async function eventsOf(sheet: Sheet, context: Context, about: About): Promise<void> {
  if (context.showEvents) writeEvents(sheet, await findEvents(context, about), context.now);
}

export function writeEvents(sheet: Sheet, events: readonly Event[], now: Instant): void {
  if (events.length === 0) {
    sheet.line(0, 'Events:', '<none>');
    return;
  }
  sheet.line(0, 'Events:');
  sheet.line(1, 'Type', 'Reason', 'Age', 'From', 'Message');
  sheet.line(1, '----', '------', '----', '----', '-------');
  for (const event of [...events].sort((a, b) => lastSeen(a) - lastSeen(b))) {
    const source = event.source?.component || event.reportingComponent || '';
    sheet.line(1, event.type ?? '', event.reason ?? '', ageOf(event, now), source, (event.message ?? '').trim());
  }
}

/** Events of the newer API have no last timestamp and come first. */
const lastSeen = (event: Event): number => instantOf(event.lastTimestamp) ?? Number.MIN_SAFE_INTEGER;

function ageOf(event: Event, now: Instant): string {
  const first = since(event.eventTime ?? event.firstTimestamp, now);
  if (event.series) return `${since(event.series.lastObservedTime, now)} (x${event.series.count ?? 0} over ${first})`;
  if ((event.count ?? 0) > 1) return `${since(event.lastTimestamp, now)} (x${event.count} over ${first})`;
  return first;
}
