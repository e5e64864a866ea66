/** What go-yaml v2 makes of a plain scalar (resolve.go): shared by the reader and, to know what needs quotes, by the writer. */

const WORDS = new Map<string, 'null' | 'bool' | 'float' | 'merge'>();
for (const word of ['', '~', 'null', 'Null', 'NULL']) WORDS.set(word, 'null');
for (const word of ['y', 'yes', 'on', 'true', 'n', 'no', 'off', 'false']) {
  for (const form of [word, (word[0] ?? '').toUpperCase() + word.slice(1), word.toUpperCase()]) WORDS.set(form, 'bool');
}
for (const word of ['.nan', '.NaN', '.NAN', '.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF', '-.inf', '-.Inf', '-.INF']) WORDS.set(word, 'float');
WORDS.set('<<', 'merge');

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:[Zz]|[-+]\d\d:\d\d)?)?$/;

/** strconv.ParseInt with base 0 after underscores are dropped: `0644` and `0o644` octal, `0x1f`, `0b11`. */
export function goInteger(source: string): number | undefined {
  const m = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/.exec(source.replace(/_/g, ''));
  if (!m || !/^[-+0-9]/.test(source)) return undefined;
  const digits = m[2] ?? '';
  const magnitude = /^0[xXbB]/.test(digits) ? Number(digits) : /^0[oO]?./.test(digits) ? Number.parseInt(digits.replace(/^0[oO]?/, ''), 8) : Number(digits);
  return m[1] === '-' ? (magnitude === 0 ? 0 : -magnitude) : magnitude;
}

export function goFloat(source: string): number | undefined {
  const plain = source.replace(/_/g, '');
  return FLOAT.test(plain) && /^[-+.0-9]/.test(source) ? Number(plain) : undefined;
}

/** Whether a text written without quotes would be read back as this text (encode.go, stringv). */
export function readsAsString(text: string): boolean {
  if (WORDS.has(text)) return false;
  if (goInteger(text) !== undefined || goFloat(text) !== undefined) return false;
  return !BASE_60.test(text) && !TIMESTAMP.test(text);
}
