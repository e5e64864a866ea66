/**
 * Doing the same many times in batches of 1, 2, 4, …: when the first fails (a quota, say), hundreds more requests are
 * spared (`slowStartBatch`).
 */

/** Answers the errors of the batch after which it gave up; none: all were done. */
export async function slowStart(count: number, attempt: (i: number) => Promise<void>): Promise<readonly unknown[]> {
  let done = 0;
  for (let batch = Math.min(count, 1); batch > 0; batch = Math.min(2 * batch, count - done)) {
    const errors: unknown[] = [];
    await Promise.all(
      Array.from({ length: batch }, async (_, i) => {
        try {
          await attempt(done + i);
        } catch (error) {
          errors.push(error);
        }
      }),
    );
    done += batch;
    if (errors.length > 0) return errors;
  }
  return [];
}
