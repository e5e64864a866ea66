/** Lists of indexes as people and controllers write them: `0,2-5` (validateIndexesFormat in pkg/apis/batch/validation). */

/** How many indexes the text names, or what is wrong with it. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let last: number | undefined;
  let total = 0;
  for (const piece of text.split(',')) {
    const interval = intervalOf(piece, completions);
    if (typeof interval === 'string') return interval;
    const [from, to] = interval;
    if (last !== undefined && last >= from) return `non-increasing order, previous: ${last}, current: ${from}`;
    total += to - from + 1;
    last = to;
  }
  return total;
}

export function intervalOf(text: string, completions: number): readonly [number, number] | string {
  const limits = text.split('-');
  if (limits.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  for (const limit of limits) {
    if (!/^[+-]?\d+$/.test(limit)) return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
    if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`;
  }
  const [from, to] = limits.map(Number) as [number, number | undefined];
  if (to !== undefined && from >= to) return `non-increasing order, previous: ${from}, current: ${to}`;
  return [from, to ?? from];
}
