/** Base64 of Secrets and binaryData (RFC 4648), to and from text in UTF-8. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Bytes that are not UTF-8 become Latin-1 characters: files here are text. */
export function decodeBase64(text: string): string {
  let bytes = '';
  let bits = 0;
  let held = 0;
  for (const char of text) {
    const value = ALPHABET.indexOf(char);
    if (value < 0) continue;
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += String.fromCharCode((held >> bits) & 255);
    }
  }
  let escaped = '';
  for (let i = 0; i < bytes.length; i++) escaped += `%${bytes.charCodeAt(i).toString(16).padStart(2, '0')}`;
  try {
    return decodeURIComponent(escaped);
  } catch {
    return bytes;
  }
}
