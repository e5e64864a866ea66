/**
 * How Go writes plain values: kubectl prints what it found in an object with json.Marshal, %v, %q or %#v, and
 * scripts depend on it.
 */

type Entries = readonly (readonly [string, unknown])[];

/** An object's entries by key; Go's maps are printed sorted. */
export const sortedEntries = (value: object): Entries =>
  Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** A number as %v writes it: as an integer when it is one. */
export function goNumber(value: number): string {
  const text = String(value);
  const m = /^(-?)(\d)(?:\.(\d+))?e([+-])(\d+)$/.exec(text);
  if (m) return `${m[1]}${m[2]}${m[3] ? `.${m[3]}` : ''}e${m[4]}${(m[5] ?? '').padStart(2, '0')}`;
  const small = /^(-?)0\.0000(0*)([1-9])(\d*)$/.exec(text);
  if (small) return `${small[1]}${small[3]}${small[4] ? `.${small[4]}` : ''}e-${String((small[2] ?? '').length + 5).padStart(2, '0')}`;
  return text;
}

/** json.Marshal: keys sorted; `<`, `>`, `&` and the line separators escaped. */
export function goJson(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value === 'object')
    return `{${sortedEntries(value)
      .map(([key, v]) => `${goJson(key)}:${goJson(v)}`)
      .join(',')}}`;
  if (typeof value !== 'string') return JSON.stringify(value);
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** %v: `map[a:1 b:[x y]]`, strings bare, `<nil>` for nothing. */
export function goPrint(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
  if (typeof value === 'object')
    return `map[${sortedEntries(value)
      .map(([key, v]) => `${key}:${goPrint(v)}`)
      .join(' ')}]`;
  return typeof value === 'number' ? goNumber(value) : String(value);
}

/** %q. */
export const goQuote = (text: string): string =>
  JSON.stringify(text).replace(/\\u00([01][0-9a-f])|\u007f/g, (_, hex: string | undefined) =>
    hex === undefined ? '\\x7f' : hex === '07' ? '\\a' : hex === '0b' ? '\\v' : `\\x${hex}`,
  );

/** %#v of decoded JSON. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (typeof value === 'object')
    return `map[string]interface {}{${sortedEntries(value)
      .map(([key, v]) => `${goQuote(key)}:${goSyntax(v)}`)
      .join(', ')}}`;
  return typeof value === 'string' ? goQuote(value) : goPrint(value);
}

/** The Go type decoded JSON has, as %T names it. */
export function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}

/** cli-runtime's EscapeTerminal: what objects say must not steer the terminal. */
export const escapeTerminal = (text: string): string => text.replaceAll('\u001b', '^[').replaceAll('\r', '\\r');
