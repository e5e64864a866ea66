/** `echo` and `printf`, shared by the shell's builtins and the programs of that name. */

const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', e: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };

/** Backslash escapes; `stop` after `\c`. */
export function unescapeText(text: string, octal: RegExp = /^0?[0-7]{1,3}/): { readonly text: string; readonly stop: boolean } {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      result += text[i];
      continue;
    }
    const next = text[++i] ?? '\\';
    if (next === 'c') return { text: result, stop: true };
    const number = octal.exec(text.slice(i, i + 4));
    const hex = next === 'x' ? /^x([0-9a-fA-F]{1,2})/.exec(text.slice(i)) : null;
    if (number) {
      result += String.fromCharCode(Number.parseInt(number[0], 8));
      i += number[0].length - 1;
    } else if (hex) {
      result += String.fromCharCode(Number.parseInt(hex[1]!, 16));
      i += hex[0].length - 1;
    } else result += ESCAPES[next] ?? `\\${next}`;
  }
  return { text: result, stop: false };
}

export function echoText(args: readonly string[]): string {
  let newline = true;
  let escapes = false;
  let at = 0;
  for (; at < args.length && /^-[neE]+$/.test(args[at]!); at++) {
    if (args[at]!.includes('n')) newline = false;
    if (args[at]!.includes('e')) escapes = true;
    if (args[at]!.includes('E')) escapes = false;
  }
  const text = args.slice(at).join(' ');
  if (!escapes) return text + (newline ? '\n' : '');
  const unescaped = unescapeText(text, /^0[0-7]{0,3}/);
  return unescaped.text + (newline && !unescaped.stop ? '\n' : '');
}

/** The format is used again while arguments are left. `invalid` names the arguments that are no numbers. */
export function formatPrintf(format: string, args: readonly string[]): { readonly text: string; readonly invalid: readonly string[] } {
  const invalid: string[] = [];
  let text = '';
  let at = 0;
  do {
    const start = at;
    let i = 0;
    while (i < format.length) {
      const m = /^%([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+))?([diouxXcsbqfeEgG%])/.exec(format.slice(i));
      if (format[i] === '%' && m) {
        i += m[0].length;
        if (m[4] === '%') {
          text += '%';
          continue;
        }
        const width = m[2] === '*' ? Number(args[at++] ?? 0) : Number(m[2] ?? 0);
        const precision = m[3] === undefined ? undefined : m[3] === '*' ? Number(args[at++] ?? 0) : Number(m[3]);
        const argument = args[at++];
        const flags = width < 0 ? `${m[1]}-` : m[1]!;
        const converted = convert(m[4]!, argument, precision, flags, invalid);
        text += pad(converted.text, Math.abs(width), flags);
        if (converted.stop) return { text, invalid };
        continue;
      }
      const end = format[i] === '\\' ? i + 1 : i;
      const chunk = /^\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[\s\S])|^[^%\\]+|^[\s\S]/.exec(format.slice(end === i ? i : i))![0];
      const unescaped = unescapeText(chunk);
      text += unescaped.text;
      if (unescaped.stop) return { text, invalid };
      i += chunk.length;
    }
    if (at === start) break;
  } while (at < args.length);
  return { text, invalid };
}

function convert(
  type: string,
  argument: string | undefined,
  precision: number | undefined,
  flags: string,
  invalid: string[],
): { text: string; stop?: boolean } {
  const cut = (text: string) => (precision === undefined ? text : text.slice(0, precision));
  switch (type) {
    case 's':
      return { text: cut(argument ?? '') };
    case 'b': {
      const unescaped = unescapeText(argument ?? '');
      return { text: cut(unescaped.text), stop: unescaped.stop };
    }
    case 'q':
      return { text: argument === undefined || argument === '' ? "''" : argument.replace(/[^\w@%+=:,./-]/g, '\\$&') };
    case 'c':
      return { text: (argument ?? '').slice(0, 1) };
  }
  const number = toNumber(argument ?? '', invalid);
  const sign = number < 0 ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const size = Math.abs(number);
  const whole = Math.trunc(size);
  const digits = (text: string) => sign + text.padStart(precision ?? 0, '0');
  switch (type) {
    case 'x':
      return { text: digits((flags.includes('#') ? '0x' : '') + whole.toString(16)) };
    case 'X':
      return { text: digits(whole.toString(16).toUpperCase()) };
    case 'o':
      return { text: digits(whole.toString(8)) };
    case 'e':
    case 'E':
      return { text: sign + size.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2') };
    case 'f':
      return { text: sign + size.toFixed(precision ?? 6) };
    case 'g':
    case 'G':
      return { text: sign + String(Number(size.toPrecision(precision || 6))) };
    default:
      return { text: digits(String(whole)) };
  }
}

function toNumber(text: string, invalid: string[]): number {
  const trimmed = text.trim();
  if (trimmed === '') return 0;
  if (/^["']/.test(trimmed)) return trimmed.charCodeAt(1) || 0;
  if (/^[+-]?0[0-7]+$/.test(trimmed)) return Number.parseInt(trimmed, 8);
  const number = Number(trimmed);
  if (!Number.isNaN(number)) return number;
  invalid.push(text);
  return Number.parseFloat(trimmed) || 0;
}

function pad(text: string, width: number, flags: string): string {
  if (text.length >= width) return text;
  if (flags.includes('-')) return text.padEnd(width);
  if (flags.includes('0') && /^[+-]?[\d.]/.test(text)) {
    const sign = /^[+-]/.test(text) ? text[0]! : '';
    return sign + text.slice(sign.length).padStart(width - sign.length, '0');
  }
  return text.padStart(width);
}
