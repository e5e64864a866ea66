/** Streams for those who read at leisure: `for await` over what is pushed. Costs a promise per value; hot readers use `read`. */
import type { Clock } from '../../sim/clock.ts';
import { Mailbox } from '../../sim/mailbox.ts';
import type { Stream } from '../api/stream.ts';

type Item<T> = { readonly value: T } | { readonly end: true; readonly error?: Error };

/** The stream's values in order. Throws what the stream broke with; leaving the loop cancels the stream. */
export async function* values<T>(clock: Pick<Clock, 'wake'>, stream: Stream<T>): AsyncGenerator<T, void, undefined> {
  const mailbox = new Mailbox<Item<T>>(clock);
  stream.read({
    value: (value) => mailbox.put({ value }),
    end: (error) => mailbox.put(error ? { end: true, error } : { end: true }),
  });
  try {
    for (;;) {
      const item = await mailbox.take();
      if ('end' in item) {
        if (item.error) throw item.error;
        return;
      }
      yield item.value;
    }
  } finally {
    stream.cancel();
  }
}
