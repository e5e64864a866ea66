/** RFC 4648 section 5, without padding, for texts of ASCII: tokens and continue keys. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export function base64url(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i += 3) {
    const left = text.length - i;
    const bits = (text.charCodeAt(i) << 16) | ((left > 1 ? text.charCodeAt(i + 1) : 0) << 8) | (left > 2 ? text.charCodeAt(i + 2) : 0);
    out += ALPHABET[bits >> 18]! + ALPHABET[(bits >> 12) & 63]! + (left > 1 ? ALPHABET[(bits >> 6) & 63]! : '') + (left > 2 ? ALPHABET[bits & 63]! : '');
  }
  return out;
}

export function fromBase64url(text: string): string {
  let out = '';
  let bits = 0;
  let have = 0;
  for (const char of text) {
    bits = ((bits << 6) | ALPHABET.indexOf(char)) & 0xffffff;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += String.fromCharCode((bits >> have) & 255);
    }
  }
  return out;
}

/** RFC 4648 section 4, with padding, of a text's UTF-8 bytes: the form of a Secret's data. */
export const base64 = (text: string): string => base64OfBytes(utf8(text));

/** The same of bytes, one character each. */
export function base64OfBytes(bytes: string): string {
  const out = base64url(bytes).replace(/-/g, '+').replace(/_/g, '/');
  return out + '='.repeat((4 - (out.length % 4)) % 4);
}

/** The bytes of a text, one character each. */
function utf8(text: string): string {
  let out = '';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code < 0x80) out += char;
    else if (code < 0x800) out += String.fromCharCode(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) out += String.fromCharCode(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else out += String.fromCharCode(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return out;
}
