/**
 * Breaks text at spaces (mitchellh/go-wordwrap, which kubectl uses): lengths are counted in bytes, a no-break space is
 * no space, and a word longer than the limit stays whole.
 */
export function wordWrap(text: string, limit: number): string {
  let out = '';
  let line = 0;
  let word = '';
  let wordBytes = 0;
  let space = '';
  const flush = (): void => {
    line += space.length + wordBytes;
    out += space + word;
    space = '';
    word = '';
    wordBytes = 0;
  };
  for (const ch of text) {
    if (ch === '\n') {
      if (word !== '' || line + space.length <= limit) flush();
      space = '';
      out += ch;
      line = 0;
    } else if (/[ \t\v\f\r]/.test(ch)) {
      if (space === '' || word !== '') flush();
      space += ch;
    } else {
      word += ch;
      wordBytes += bytesOf(ch.codePointAt(0) ?? 0);
      if (line + space.length + wordBytes > limit && wordBytes < limit) {
        out += '\n';
        line = 0;
        space = '';
      }
    }
  }
  if (word !== '' || line + space.length <= limit) flush();
  return out;
}

/** Bytes a character takes in UTF-8. */
const bytesOf = (point: number): number => (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4);
