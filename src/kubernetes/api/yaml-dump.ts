/**
 * YAML as kubectl writes it: go-yaml v2's encoder and emitter, by way of sigs.k8s.io/yaml. Keys in its natural
 * order, lists not indented under their key, texts quoted only where needed and folded after column 80.
 */
import type { Json } from './json.ts';
import { readsAsString } from './yaml-scalars.ts';

const WIDTH = 80;

/** Ends with a newline. Absent (undefined) fields are left out, as JSON does. */
export function dump(value: unknown): string {
  const out = new Emitter();
  out.node(value as Json, 0, 'root');
  return out.text.endsWith('\n') ? out.text : `${out.text}\n`;
}

class Emitter {
  text = '';
  private column = 0;

  private write(part: string): void {
    this.text += part;
    const at = part.lastIndexOf('\n');
    this.column = at < 0 ? this.column + part.length : part.length - at - 1;
  }

  private newline(indent: number): void {
    if (this.text !== '') this.write('\n');
    this.write(' '.repeat(indent));
  }

  /** `indent` is the column of this collection's items; `place` says what stands on the line already. */
  node(value: Json | undefined, indent: number, place: 'root' | 'value' | 'item'): void {
    if (Array.isArray(value)) this.list(value, indent, place);
    else if (typeof value === 'object' && value !== null) this.map(value as { readonly [key: string]: Json | undefined }, indent, place);
    else this.scalar(value ?? null, indent, place);
  }

  private map(value: { readonly [key: string]: Json | undefined }, indent: number, place: 'root' | 'value' | 'item'): void {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    if (keys.length === 0) {
      this.write(place === 'root' ? '{}' : ' {}');
      return;
    }
    keys.sort(compareKeys).forEach((key, i) => {
      if (i > 0 || place === 'value') this.newline(indent);
      else if (place === 'item') this.write(' ');
      this.write(scalarText(key, true));
      this.write(':');
      const inner = value[key];
      // A list under a key stands at the key's own column.
      this.node(inner, Array.isArray(inner) && inner.length > 0 ? indent : indent + 2, 'value');
    });
  }

  private list(value: readonly Json[], indent: number, place: 'root' | 'value' | 'item'): void {
    if (value.length === 0) {
      this.write(place === 'root' ? '[]' : ' []');
      return;
    }
    value.forEach((item, i) => {
      if (i > 0 || place === 'value') this.newline(indent);
      else if (place === 'item') this.write(' ');
      this.write('-');
      this.node(item, indent + 2, 'item');
    });
  }

  private scalar(value: Json, indent: number, place: 'root' | 'value' | 'item'): void {
    if (place !== 'root') this.write(' ');
    if (typeof value !== 'string') {
      this.write(typeof value === 'number' ? numberText(value) : String(value));
      return;
    }
    // A scalar in a map is continued two columns in from the key; in a list, from the dash.
    const continuation = place === 'root' ? 2 : indent;
    const style = styleOf(value, false);
    if (style === 'plain') this.folded(value, continuation, '');
    else if (style === 'double') this.doubleQuoted(value, continuation);
    else if (style === 'literal') this.literal(value, continuation);
    else {
      this.write("'");
      this.folded(value.replace(/'/g, "''"), continuation, "'");
      this.write("'");
    }
  }

  /** Breaks at the first single space after column 80 (yaml_emitter_write_plain_scalar). */
  private folded(text: string, indent: number, quote: string): void {
    let spaces = false;
    for (let i = 0; i < text.length; i += 1) {
      const ch = text[i] as string;
      if (ch === ' ') {
        const inside = quote === '' || (i > 0 && i < text.length - 1);
        if (inside && !spaces && this.column > WIDTH && text[i + 1] !== ' ') this.write(`\n${' '.repeat(indent)}`);
        else this.write(ch);
        spaces = true;
      } else {
        this.write(ch);
        spaces = false;
      }
    }
  }

  private doubleQuoted(text: string, indent: number): void {
    this.write('"');
    const units = [...text];
    let spaces = false;
    units.forEach((ch, i) => {
      if (ch === ' ') {
        if (!spaces && this.column > WIDTH && i > 0 && i < units.length - 1) {
          this.write(`\n${' '.repeat(indent)}`);
          if (units[i + 1] === ' ') this.write('\\');
        } else this.write(ch);
        spaces = true;
      } else {
        this.write(escapeDouble(ch));
        spaces = false;
      }
    });
    this.write('"');
  }

  private literal(text: string, indent: number): void {
    let header = '|';
    if (/^[ \n]/.test(text)) header += '2';
    if (!text.endsWith('\n')) header += '-';
    else if (text.endsWith('\n\n') || text === '\n') header += '+';
    this.write(header);
    const body = text.endsWith('\n') ? text.slice(0, -1) : text;
    for (const line of body.split('\n')) this.write(line === '' ? '\n' : `\n${' '.repeat(indent)}${line}`);
  }
}

type Style = 'plain' | 'single' | 'double' | 'literal';

/** yaml_emitter_analyze_scalar and select_scalar_style, in block context. */
function styleOf(text: string, key: boolean): Style {
  const multiline = text.includes('\n');
  if (hasSpecial(text) || / \n/.test(text)) return 'double';
  if (multiline) return key || / $/.test(text) ? 'double' : 'literal';
  if (!readsAsString(text)) return 'double';
  if (/^ | $/.test(text)) return 'single';
  if (/^(?:---|\.\.\.)/.test(text) || /^[#,[\]{}&*!|>'"%@`]/.test(text) || /^[-?:](?: |$)/.test(text) || /:(?: |$)| #/.test(text)) return 'single';
  return 'plain';
}

/** What go-yaml cannot print as it is: a tab among others. */
function hasSpecial(text: string): boolean {
  for (const ch of text) {
    const code = ch.codePointAt(0) ?? 0;
    if (
      code === 0x0a ||
      (code >= 0x20 && code <= 0x7e) ||
      code === 0x85 ||
      (code >= 0xa0 && code <= 0xd7ff) ||
      (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff)
    )
      continue;
    return true;
  }
  return false;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\v': '\\v',
  '\f': '\\f',
  '\x1b': '\\e',
};

function escapeDouble(ch: string): string {
  const known = ESCAPES[ch];
  if (known) return known;
  const code = ch.codePointAt(0) ?? 0;
  if (code >= 0x20 && !hasSpecial(ch)) return ch;
  if (code <= 0xff) return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).toUpperCase().padStart(4, '0')}` : `\\U${code.toString(16).toUpperCase().padStart(8, '0')}`;
}

function scalarText(text: string, key: boolean): string {
  switch (styleOf(text, key)) {
    case 'plain':
      return text;
    case 'single':
      return `'${text.replace(/'/g, "''")}'`;
    default:
      return `"${[...text].map(escapeDouble).join('')}"`;
  }
}

/** Go's shortest form: exponents have two digits at least. */
const numberText = (value: number): string => String(value).replace(/e([-+])(\d)$/, 'e$10$2');

const isLetter = (ch: string): boolean => /\p{L}/u.test(ch);
const isDigit = (ch: string | undefined): boolean => ch !== undefined && ch >= '0' && ch <= '9';

/** keyList.Less of go-yaml: numbers inside keys count as numbers, letters come after other signs. */
export function compareKeys(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const x = a[i] as string;
    const y = b[i] as string;
    if (x === y) continue;
    const xl = isLetter(x);
    const yl = isLetter(y);
    if (xl && yl) return x < y ? -1 : 1;
    if (xl || yl) return yl ? -1 : 1;
    let an = 0;
    let bn = 0;
    if (x === '0' || y === '0') {
      for (let j = i - 1; j >= 0 && isDigit(a[j]); j -= 1) {
        if (a[j] !== '0') {
          an = 1;
          bn = 1;
          break;
        }
      }
    }
    let ai = i;
    for (; ai < a.length && isDigit(a[ai]); ai += 1) an = an * 10 + Number(a[ai]);
    let bi = i;
    for (; bi < b.length && isDigit(b[bi]); bi += 1) bn = bn * 10 + Number(b[bi]);
    if (an !== bn) return an < bn ? -1 : 1;
    if (ai !== bi) return ai < bi ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}
