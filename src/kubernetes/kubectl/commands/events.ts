/** kubectl events. */
import type { DeepReadonly, Json } from '../../api/json.ts';
import type { WatchEvent } from '../../api/request.ts';
import { humanDuration, instantOf } from '../../api/time.ts';
import type { Event } from '../../api/types.gen.ts';
import { select } from '../builder.ts';
import { groupVersionOf } from '../discovery.ts';
import { KubectlError } from '../errors.ts';
import { bool, PRINT_FLAGS, text } from '../flags.ts';
import { objectPrinter } from '../printers/objects.ts';
import { TableWriter } from '../printers/tabwriter.ts';
import { isObject, type JsonObject, type Session } from '../session.ts';
import type { Command } from './command.ts';

type EventObject = DeepReadonly<Event>;

export const events: Command = {
  summary: 'List events',
  usage:
    'kubectl events [(-o|--output=)json|yaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] [--for TYPE/NAME] [--watch] [--types=Normal,Warning] [options]',
  flags: {
    ...PRINT_FLAGS,
    for: text(),
    watch: bool('w'),
    types: { type: 'strings' },
    'all-namespaces': bool('A'),
    'no-headers': bool(),
    'chunk-size': { type: 'int', default: '500' },
  },
  run: async (session) => {
    const { flags } = session;
    const everything = flags.bool('all-namespaces');
    const types = flags.list('types').map((type) => type.toLowerCase());
    for (const type of types) if (type !== 'normal' && type !== 'warning') throw new KubectlError(`valid --types are Normal or Warning`);
    const wanted = (event: EventObject) => types.length === 0 || types.includes((event.type ?? '').toLowerCase());
    const query: Record<string, string> = { limit: '500' };
    if (flags.text('for')) {
      const target = (await select(session, [flags.text('for')])).targets[0];
      if (!target) throw new KubectlError('--for must be in resource/name form');
      query['fieldSelector'] =
        `involvedObject.kind=${target.info.kind},involvedObject.apiVersion=${groupVersionOf(target.info)},involvedObject.name=${target.name}`;
    }
    const path = everything ? '/api/v1/events' : `/api/v1/namespaces/${session.namespace}/events`;
    const printer = objectPrinter(session);
    const writer = new TableWriter();
    if (flags.bool('watch')) {
      const reader = await session.open<WatchEvent<EventObject>>(path, { query: { ...query, watch: 'true' } });
      if (!printer && !flags.bool('no-headers')) session.out(writer.rows([header(everything)]));
      for (let event = await reader.next(); event !== undefined; event = await reader.next()) {
        if ((event.type !== 'ADDED' && event.type !== 'MODIFIED') || !wanted(event.object)) continue;
        session.out(printer ? printer(event.object as unknown as JsonObject) : writer.rows([row(session, event.object, everything)]));
      }
      return;
    }
    const body = await session.request('GET', path, { query });
    const items = (isObject(body) ? ((body['items'] as unknown as readonly EventObject[] | undefined) ?? []) : []).filter(wanted);
    const sorted = [...items].sort((a, b) => lastSeen(a) - lastSeen(b));
    if (sorted.length === 0) {
      if (everything) session.err('No events found.\n');
      else session.err(`No events found in ${session.namespace} namespace.\n`);
      return;
    }
    if (printer)
      session.out(
        printer({
          apiVersion: 'v1',
          items: sorted.map((event) => ({ ...event, apiVersion: 'v1', kind: 'Event' })) as unknown as Json,
          kind: 'EventList',
          metadata: {},
        }),
      );
    else session.out(writer.rows([...(flags.bool('no-headers') ? [] : [header(everything)]), ...sorted.map((event) => row(session, event, everything))]));
  },
};

const header = (everything: boolean): string[] => [...(everything ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'];
const lastSeen = (event: EventObject): number =>
  instantOf(event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp) ?? 0;

function row(session: Session, event: EventObject, everything: boolean): string[] {
  const now = session.self.process.clock.now();
  const since = (time: string | undefined) => {
    const at = instantOf(time);
    return at === undefined ? '<unknown>' : humanDuration(now - at);
  };
  const first = since(event.eventTime ?? event.firstTimestamp);
  const interval = event.series
    ? `${since(event.series.lastObservedTime)} (x${event.series.count} over ${first})`
    : (event.count ?? 0) > 1
      ? `${since(event.lastTimestamp)} (x${event.count} over ${first})`
      : first;
  return [
    ...(everything ? [event.metadata.namespace ?? ''] : []),
    interval,
    event.type ?? '',
    event.reason ?? '',
    `${event.involvedObject.kind}/${event.involvedObject.name}`,
    (event.message ?? '').trim(),
  ];
}
