/** Bytes and their texts: UTF-8, base64 (RFC 4648), PEM (RFC 7468). The world has no Buffer and no TextEncoder. */
export type Bytes = Uint8Array;

export function concat(...parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function utf8(text: string): Bytes {
  const out: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(out);
}

/** Bytes that are no UTF-8 become one character each. */
export function textOf(bytes: Bytes): string {
  let hex = '';
  for (const byte of bytes) hex += `%${byte < 16 ? '0' : ''}${byte.toString(16)}`;
  try {
    return decodeURIComponent(hex);
  } catch {
    return binary(bytes);
  }
}

/** One character a byte: how bytes are kept where the world keeps texts. */
export function binary(bytes: Bytes): string {
  let out = '';
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}
export const fromBinary = (text: string): Bytes => Uint8Array.from(text, (char) => char.charCodeAt(0) & 255);

export const hexOf = (bytes: Bytes): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function base64(bytes: Bytes): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += ALPHABET[word >> 18]! + ALPHABET[(word >> 12) & 63]! + (left > 1 ? ALPHABET[(word >> 6) & 63]! : '=') + (left > 2 ? ALPHABET[word & 63]! : '=');
  }
  return out;
}

/** Both alphabets, with or without padding; what is of neither is passed over (line ends). Undefined for what cannot be base64. */
export function fromBase64(text: string): Bytes | undefined {
  const out: number[] = [];
  let bits = 0;
  let word = 0;
  for (const char of text) {
    if (char === '\n' || char === '\r') continue;
    if (char === '=') break;
    const value = ALPHABET.indexOf(char === '-' ? '+' : char === '_' ? '/' : char);
    if (value < 0) return undefined;
    word = ((word << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push((word >> bits) & 255);
    }
  }
  return Uint8Array.from(out);
}

/** RFC 4648 section 5 without padding, as JOSE writes it. */
export const base64url = (bytes: Bytes): string => base64(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

export function pem(label: string, der: Bytes): string {
  const lines = base64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export interface PemBlock {
  readonly label: string;
  readonly der: Bytes;
}

/** Every block of a PEM text, in order; what stands between them is passed over. */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const [, label, body] of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/g)) {
    const der = fromBase64(body!.replace(/[ \t]/g, ''));
    if (der) blocks.push({ label: label!, der });
  }
  return blocks;
}
