/**
 * Text as bytes: how many it has, and where so many of them end. Files and pipes of the world hold text; what
 * came from outside and is not UTF-8 is a lone surrogate for each byte (U+DC80 to U+DCFF, as Python's
 * `surrogateescape`).
 */

const ASCII = /^[\0-\x7f]*$/;

/** The bytes of the character that begins at `at`, and how many units of the string it takes. */
function sizeAt(text: string, at: number): { readonly bytes: number; readonly units: number } {
  const code = text.codePointAt(at)!;
  if (code < 0x80) return { bytes: 1, units: 1 };
  if (code < 0x800) return { bytes: 2, units: 1 };
  if (code >= 0xdc80 && code <= 0xdcff) return { bytes: 1, units: 1 };
  return code < 0x10000 ? { bytes: 3, units: 1 } : { bytes: 4, units: 2 };
}

/** How long a text is on a disk or a wire. */
export function byteLength(text: string): number {
  if (ASCII.test(text)) return text.length;
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    const size = sizeAt(text, at);
    bytes += size.bytes;
    at += size.units;
  }
  return bytes;
}

/** Where in the string its first `count` bytes end, counted from `from`; undefined when it has fewer. A character that lies across belongs to what comes after. */
export function byteOffset(text: string, count: number, from = 0): number | undefined {
  if (text.length - from >= count && ASCII.test(text.slice(from, from + count))) return from + count;
  let left = count;
  let at = from;
  while (left > 0) {
    if (at >= text.length) return undefined;
    const size = sizeAt(text, at);
    if (size.bytes > left) return at;
    left -= size.bytes;
    at += size.units;
  }
  return at;
}
