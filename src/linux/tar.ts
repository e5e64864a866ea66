/** tar archives as text (POSIX ustar with pax headers and GNU's long names): what `tar` and `kubectl cp` read and write. */
import { byteLength, byteOffset } from './bytes.ts';

export interface TarEntry {
  /** As written: directories may end with a slash. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits. */
  readonly mode: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly text: string;
  /** What a link leads to. */
  readonly link: string;
}

const BLOCK = 512;
/** Two empty blocks. */
export const TAR_END = '\0'.repeat(2 * BLOCK);

export class TarError extends Error {
  constructor(
    readonly code: 'INVALID' | 'TRUNCATED',
    message: string,
  ) {
    super(message);
    this.name = 'TarError';
  }
}

const field = (text: string, width: number): string => text + '\0'.repeat(Math.max(0, width - byteLength(text)));
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
const padded = (text: string): string => {
  const over = byteLength(text) % BLOCK;
  return over === 0 ? text : text + '\0'.repeat(BLOCK - over);
};

/** One member: its header, its content, padding. */
export function formatTarEntry(entry: Pick<TarEntry, 'name' | 'type' | 'mode' | 'time'> & Partial<Pick<TarEntry, 'text'>>): string {
  const directory = entry.type === 'directory';
  const name = directory && !entry.name.endsWith('/') ? `${entry.name}/` : entry.name;
  const text = directory ? '' : (entry.text ?? '');
  const flag = directory ? '5' : '0';
  const split = splitName(name);
  // A name that fits nowhere comes before, as a member of its own (GNU).
  const long = split === undefined ? header('././@LongLink', '', 0o644, byteLength(name) + 1, 0, 'L') + padded(`${name}\0`) : '';
  const [prefix, rest] = split ?? ['', name.slice(0, byteOffset(name, 100) ?? name.length)];
  return long + header(rest, prefix, entry.mode, byteLength(text), entry.time, flag) + padded(text);
}

/** A hundred bytes of name, and before a slash as many as 155. */
function splitName(name: string): readonly [string, string] | undefined {
  if (byteLength(name) <= 100) return ['', name];
  for (let at = name.indexOf('/'); at >= 0 && at < name.length - 1; at = name.indexOf('/', at + 1)) {
    if (byteLength(name.slice(0, at)) > 155) return undefined;
    if (byteLength(name.slice(at + 1)) <= 100) return [name.slice(0, at), name.slice(at + 1)];
  }
  return undefined;
}

function header(name: string, prefix: string, mode: number, size: number, time: number, flag: string): string {
  const before = field(name, 100) + octal(mode, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(time, 12);
  const after = `${flag}${field('', 100)}ustar\x0000${field('root', 32)}${field('root', 32)}${octal(0, 8)}${octal(0, 8)}${field(prefix, 155)}${'\0'.repeat(12)}`;
  const sum = checksum(before) + 8 * 32 + checksum(after);
  return `${before}${sum.toString(8).padStart(6, '0')}\0 ${after}`;
}

/** The sum of the bytes. */
function checksum(text: string): number {
  let sum = 0;
  for (const c of text) {
    const code = c.codePointAt(0)!;
    if (code < 0x80) sum += code;
    else if (code >= 0xdc80 && code <= 0xdcff) sum += code - 0xdc00;
    else if (code < 0x800) sum += (0xc0 | (code >> 6)) + (0x80 | (code & 63));
    else if (code < 0x10000) sum += (0xe0 | (code >> 12)) + (0x80 | ((code >> 6) & 63)) + (0x80 | (code & 63));
    else sum += (0xf0 | (code >> 18)) + (0x80 | ((code >> 12) & 63)) + (0x80 | ((code >> 6) & 63)) + (0x80 | (code & 63));
  }
  return sum;
}

/** Reads an archive that is there as a whole. Throws TarError. */
export function readTar(archive: string): TarEntry[] {
  const entries: TarEntry[] = [];
  let at = 0;
  let longName: string | undefined;
  let longLink: string | undefined;
  let pax: Readonly<Record<string, string>> = {};
  const take = (bytes: number): string => {
    const end = byteOffset(archive, bytes, at);
    if (end === undefined) throw new TarError('TRUNCATED', 'unexpected EOF');
    const text = archive.slice(at, end);
    at = end;
    return text;
  };
  while (at < archive.length) {
    const head = take(BLOCK);
    if (/^\0*$/.test(head)) break;
    const fields = new Fields(head);
    const [name, mode, , , size, time, sum] = [
      fields.text(100),
      fields.octal(8),
      fields.octal(8),
      fields.octal(8),
      fields.octal(12),
      fields.octal(12),
      fields.octal(8),
    ];
    const [flag, link, magic] = [fields.text(1), fields.text(100), fields.text(6)];
    if (checksum(head) - checksum(fields.sumText) + 8 * 32 !== sum) throw new TarError('INVALID', 'invalid tar header');
    fields.text(2 + 32 + 32 + 8 + 8);
    const prefix = magic.startsWith('ustar') && !magic.startsWith('ustar ') ? fields.text(155) : '';
    const length = pax['size'] === undefined ? size : Number(pax['size']);
    const text = take(length);
    take((BLOCK - (length % BLOCK)) % BLOCK);
    if (flag === 'x') pax = parsePax(text);
    else if (flag === 'L') longName = text.replace(/\0.*$/s, '');
    else if (flag === 'K') longLink = text.replace(/\0.*$/s, '');
    else if (flag !== 'g') {
      const full = pax['path'] ?? longName ?? (prefix === '' ? name : `${prefix}/${name}`);
      const type =
        flag === '5' || ((flag === '' || flag === '0') && full.endsWith('/'))
          ? 'directory'
          : flag === '2'
            ? 'symlink'
            : ['', '0', '7'].includes(flag)
              ? 'file'
              : 'other';
      entries.push({ name: full, type, mode: mode & 0o7777, time, text, link: pax['linkpath'] ?? longLink ?? link });
      longName = undefined;
      longLink = undefined;
      pax = {};
    }
  }
  return entries;
}

/** The fixed places of a header, one after the other. */
class Fields {
  private at = 0;
  /** The field the checksum itself stands in. */
  sumText = '';
  constructor(private readonly head: string) {}

  private raw(width: number): string {
    const end = byteOffset(this.head, width, this.at) ?? this.head.length;
    const text = this.head.slice(this.at, end);
    this.at = end;
    return text;
  }
  text(width: number): string {
    const text = this.raw(width);
    const end = text.indexOf('\0');
    return end < 0 ? text : text.slice(0, end);
  }
  octal(width: number): number {
    this.sumText = this.raw(width);
    const digits = /[0-7]+/.exec(this.sumText)?.[0];
    return digits === undefined ? 0 : Number.parseInt(digits, 8);
  }
}

/** `length key=value\n`, again and again. */
function parsePax(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < text.length; ) {
    const m = /^(\d+) /.exec(text.slice(at, at + 20));
    const end = m ? byteOffset(text, Number(m[1]), at) : undefined;
    if (!m || end === undefined || end <= at) break;
    const record = text.slice(at + m[0].length, end - 1);
    const equals = record.indexOf('=');
    if (equals > 0) found[record.slice(0, equals)] = record.slice(equals + 1);
    at = end;
  }
  return found;
}
