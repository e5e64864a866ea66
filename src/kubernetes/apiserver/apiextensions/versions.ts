/** One object in several versions: between the version a request speaks and the one that is stored. */
import type { KubeObject } from '../../api/meta.ts';
import type { WatchEvent } from '../../api/request.ts';
import type { ResourceRow } from '../../api/resources.ts';
import { Pipe } from '../../api/stream.ts';
import type { Present } from '../registry/watch.ts';
import { type CustomKind, customOf } from './custom-kind.ts';

/** An object as the row's version has it; kinds that every server has come back as they are. Rejects with ApiError when a conversion webhook fails. */
export function inVersion(row: ResourceRow, object: KubeObject): Promise<KubeObject> | KubeObject {
  const custom = customOf(row);
  if (!custom) return object;
  return custom.convertAll ? custom.convertAll([object]).then(([made]) => made!) : custom.convert(object);
}

/** What is stored for an object given in the row's version. */
export const stored = (row: ResourceRow, object: KubeObject): Promise<KubeObject> | KubeObject => inVersion(customOf(row)?.storage() ?? row, object);

/** A watch whose objects go through a conversion webhook, one after the other, so that their order stays. */
export function convertedWatch(events: Pipe<unknown>, convert: NonNullable<CustomKind['convertAll']>, show: Present): Pipe<unknown> {
  const out = new Pipe<unknown>();
  let last: Promise<void> = Promise.resolve();
  const then = (work: () => Promise<void> | void): void => {
    last = last.then(work).catch((error: unknown) => {
      out.close(error instanceof Error ? error : new Error(String(error)));
    });
  };
  events.read({
    value: (value) =>
      then(async () => {
        const event = value as WatchEvent<KubeObject>;
        if (event.type === 'ERROR') out.write(event);
        else if (event.type === 'BOOKMARK') out.write({ type: event.type, object: show(event.object) });
        else out.write({ type: event.type, object: show((await convert([event.object]))[0]!) });
      }),
    end: (error) => then(() => out.close(error)),
  });
  out.onCancel(() => events.cancel());
  return out;
}
