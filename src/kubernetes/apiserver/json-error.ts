/** What Go's encoding/json says of a text that is no JSON: the offending character, and what was looked for there (scanner.go). */

class Found {
  constructor(readonly words: string) {}
}

const END = 'unexpected end of JSON input';
const shown = (char: string): string => (char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${JSON.stringify(char).slice(1, -1)}'`);

/** The words for a text that `JSON.parse` refuses. */
export function jsonErrorText(text: string): string {
  try {
    scan(text);
  } catch (found) {
    if (found instanceof Found) return found.words;
    throw found;
  }
  return END;
}

function scan(text: string): void {
  let at = 0;
  const fail = (context: string): never => {
    const char = text[at];
    throw new Found(char === undefined ? END : `invalid character ${shown(char)} ${context}`);
  };
  const space = (): void => {
    while (text[at] !== undefined && ' \t\r\n'.includes(text[at]!)) at++;
  };
  const digits = (context: string): void => {
    if (!isDigit(text[at])) fail(context);
    while (isDigit(text[at])) at++;
  };
  const string = (): void => {
    for (at++; text[at] !== '"'; at++) {
      const char = text[at];
      if (char === undefined || char < ' ') fail('in string literal');
      if (char !== '\\') continue;
      at++;
      if (text[at] === 'u') {
        for (let i = 0; i < 4; i++) {
          at++;
          if (!/[0-9a-fA-F]/.test(text[at] ?? '')) fail('in \\u hexadecimal character escape');
        }
      } else if (!'bfnrt\\/"'.includes(text[at] ?? ' ')) fail('in string escape code');
    }
    at++;
  };
  const number = (): void => {
    if (text[at] === '-') at++;
    if (text[at] === '0') at++;
    else digits('in numeric literal');
    if (text[at] === '.') {
      at++;
      digits('after decimal point in numeric literal');
    }
    if (text[at] === 'e' || text[at] === 'E') {
      at++;
      if (text[at] === '+' || text[at] === '-') at++;
      digits('in exponent of numeric literal');
    }
  };
  const literal = (word: string): void => {
    for (const [i, letter] of [...word].entries()) {
      if (text[at] !== letter) fail(`in literal ${word} (expecting '${word[i]}')`);
      at++;
    }
  };
  const object = (): void => {
    at++;
    space();
    if (text[at] === '}') {
      at++;
      return;
    }
    for (;;) {
      space();
      if (text[at] !== '"') fail('looking for beginning of object key string');
      string();
      space();
      if (text[at] !== ':') fail('after object key');
      at++;
      value();
      if (text[at] === '}') break;
      if (text[at] !== ',') fail('after object key:value pair');
      at++;
    }
    at++;
  };
  const list = (): void => {
    at++;
    space();
    if (text[at] === ']') {
      at++;
      return;
    }
    for (;;) {
      value();
      if (text[at] === ']') break;
      if (text[at] !== ',') fail('after array element');
      at++;
    }
    at++;
  };
  const value = (): void => {
    space();
    const char = text[at];
    if (char === '{') object();
    else if (char === '[') list();
    else if (char === '"') string();
    else if (char === '-' || isDigit(char)) number();
    else if (char === 't') literal('true');
    else if (char === 'f') literal('false');
    else if (char === 'n') literal('null');
    else fail('looking for beginning of value');
    space();
  };
  value();
  if (text[at] !== undefined) fail('after top-level value');
}

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9';
