/**
 * The natural logarithm of a small whole number, in billionths. Engines may round Math.log as they please; sums and
 * quotients of doubles they may not.
 */
export const NANO = 1_000_000_000;
const { LN2 } = Math;

const known: number[] = [];

/** @param n a whole number from 1 on */
export function lnNano(n: number): number {
  let value = known[n];
  if (value === undefined) {
    let halvings = 0;
    let m = n;
    while (m >= 2) {
      m /= 2;
      halvings++;
    }
    // 1 ≤ m < 2: ln m = 2 · artanh((m − 1) / (m + 1)).
    const x = (m - 1) / (m + 1);
    let power = x;
    let sum = 0;
    for (let k = 1; k < 60; k += 2) {
      sum += power / k;
      power *= x * x;
    }
    value = Math.round((halvings * LN2 + 2 * sum) * NANO);
    known[n] = value;
  }
  return value;
}
