/**
 * Chance, as an argument. Integers only: floating point may differ between engines.
 *
 * Each name has a stream of its own (`fork`), so that a newcomer never shifts anybody else's luck.
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand), seeded from the hash of seed and path.
 */
export interface Rng {
  /** An integer in [low, high). Throws RangeError if the range is empty. */
  between(low: number, high: number): number;
  pick<T>(choices: readonly T[]): T;
  /** A stream of its own, fully determined by this stream's path and the name. */
  fork(name: string): Rng;
  /** `length` characters of `alphabet`. */
  text(length: number, alphabet: string): string;
}

/** FNV-1a with a final avalanche (murmur3 fmix32); a 32-bit unsigned integer. */
export function hash32(text: string, seed = 0): number {
  let h = (2166136261 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export function createRng(seed: number, path = ''): Rng {
  let a = hash32(path, seed);
  let b = hash32(path, a ^ 0x9e3779b9);
  let c = hash32(path, b ^ 0x243f6a88);
  let d = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();

  const between = (low: number, high: number): number => {
    const range = high - low;
    if (!(range > 0)) throw new RangeError(`between(${low}, ${high}): empty range`);
    // Two draws give 53 bits, so ranges beyond 2^32 µs (71 minutes) stay even.
    const wide = (next() >>> 5) * 67108864 + (next() >>> 6);
    return low + (wide % range);
  };
  return {
    between,
    pick: (choices) => choices[between(0, choices.length)]!,
    fork: (name) => createRng(seed, `${path}/${name}`),
    text: (length, alphabet) => {
      let out = '';
      for (let i = 0; i < length; i++) out += alphabet[between(0, alphabet.length)];
      return out;
    },
  };
}
