/** How long pictures took to draw, for `__lab.frameStats()`. */
const KEPT = 600;
const times: number[] = [];
export const meter = {
  add(ms: number): void {
    times.push(ms);
    if (times.length > KEPT) times.shift();
  },
  stats(): { readonly frames: number; readonly p50: number; readonly p95: number; readonly max: number } {
    const sorted = [...times].sort((a, b) => a - b);
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
    return { frames: sorted.length, p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? 0 };
  },
};
