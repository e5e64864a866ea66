/**
 * Regular expressions as Go has them (RE2), on the engine that is here: what RE2 refuses is refused, and what
 * is written differently is rewritten. Used by CEL's `matches` and by `pattern` in structural schemas.
 */

/** Why a pattern is none, in the words of Go's regexp/syntax. */
export class RegexError extends Error {
  constructor(message: string) {
    super(`error parsing regexp: ${message}`);
    this.name = 'RegexError';
  }
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

const known = new Map<string, RegExp>();

/** Throws RegexError. */
export function goRegex(pattern: string): RegExp {
  const had = known.get(pattern);
  if (had) return had;
  const made = translate(pattern);
  if (known.size > 1_000) known.clear();
  known.set(pattern, made);
  return made;
}

function translate(pattern: string): RegExp {
  let flags = 'u';
  let source = '';
  let inClass = false;
  let body = pattern;
  const leading = /^\(\?([ims]+)\)/.exec(pattern);
  if (leading) {
    body = pattern.slice(leading[0].length);
    flags += [...new Set(leading[1])].join('');
  }
  for (let i = 0; i < body.length; i++) {
    const char = body[i]!;
    if (char === '\\') {
      const next = body[++i];
      if (next === undefined) throw new RegexError('trailing backslash at end of expression: ``');
      if (/[1-9]/.test(next)) throw new RegexError(`invalid escape sequence: \`\\${next}\``);
      if (next === 'A') source += '^';
      else if (next === 'z') source += '$';
      else if (next === 'Q') {
        const end = body.indexOf('\\E', i);
        const literal = body.slice(i + 1, end < 0 ? undefined : end);
        source += literal.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&');
        i = end < 0 ? body.length : end + 1;
      } else if (next === 'a') source += '\\x07';
      else if (next === 'C') throw new RegexError('invalid escape sequence: `\\C`');
      else if ((next === 'p' || next === 'P') && body[i + 1] !== '{') source += `\\${next}{${body[++i]}}`;
      else if (next === 'x' && body[i + 1] === '{') {
        const end = body.indexOf('}', i);
        source += `\\u${body.slice(i + 1, end + 1)}`;
        i = end;
      } else if (/[\^$\\.*+?()[\]{}|/]/.test(next) || (inClass && next === '-') || /[dDwWsSbBnrtfvpPxu0]/.test(next)) source += `\\${next}`;
      else if (/[A-Za-z]/.test(next)) throw new RegexError(`invalid escape sequence: \`\\${next}\``);
      else source += next;
      continue;
    }
    if (inClass) {
      if (char === '[' && body[i + 1] === ':') {
        const m = /^\[:(\^?)(\w+):\]/.exec(body.slice(i));
        if (m && POSIX[m[2]!] !== undefined) {
          if (m[1]) throw new RegexError(`invalid character class range: \`${m[0]}\``);
          source += POSIX[m[2]!];
          i += m[0].length - 1;
          continue;
        }
      }
      if (char === ']') inClass = false;
      source += char === '[' ? '\\[' : char;
      continue;
    }
    if (char === '[') {
      inClass = true;
      source += char;
      if (body[i + 1] === '^') source += body[++i];
      // A bracket that comes first stands for itself.
      if (body[i + 1] === ']') {
        source += '\\]';
        i++;
      }
      continue;
    }
    if (char === '(' && body[i + 1] === '?') {
      const m = /^\(\?(P?<\w+>|:|[imsU-]+[:)]|.{0,2})/.exec(body.slice(i));
      const what = m?.[1] ?? '';
      if (/^P?<\w+>$/.test(what)) {
        source += `(?${what.replace(/^P/, '')}`;
        i += what.length + 1;
        continue;
      }
      if (what === ':') {
        source += '(?:';
        i += 2;
        continue;
      }
      // Flags in the middle hold for what follows. Here simplified: they hold for everything.
      if (/^[ims]+\)$/.test(what)) {
        for (const flag of what.slice(0, -1)) if (!flags.includes(flag)) flags += flag;
        i += what.length + 1;
        continue;
      }
      const off = /^[imsU-]+:$/.test(what);
      if (off) {
        source += '(?:';
        for (const flag of what.replace(/[-:U].*$/, '')) if (!flags.includes(flag)) flags += flag;
        i += what.length + 1;
        continue;
      }
      throw new RegexError(`invalid or unsupported Perl syntax: \`(?${what.slice(0, 1) === '<' ? what.slice(0, 2) : what.slice(0, 1)}\``);
    }
    // A brace that is no repetition stands for itself.
    if (char === '{' && !/^\{\d+(,\d*)?\}/.test(body.slice(i))) source += '\\{';
    else if (char === '}' && !/\{\d+(,\d*)?$/.test(source)) source += '\\}';
    else if (char === ']') source += '\\]';
    else source += char;
  }
  if (inClass) throw new RegexError(`missing closing ]: \`${pattern.slice(pattern.lastIndexOf('['))}\``);
  try {
    return new RegExp(source, flags);
  } catch {
    throw new RegexError(complaint(pattern));
  }
}

function complaint(pattern: string): string {
  if (/^[*+?]/.test(pattern)) return `missing argument to repetition operator: \`${pattern[0]}\``;
  const doubled = /[*+?]([*+])/.exec(pattern);
  if (doubled) return `invalid nested repetition operator: \`${doubled[0]}\``;
  let depth = 0;
  for (const char of pattern.replace(/\\./g, '').replace(/\[[^\]]*\]/g, '')) {
    if (char === '(') depth++;
    if (char === ')' && --depth < 0) return `unexpected ): \`${pattern}\``;
  }
  return depth > 0 ? `missing closing ): \`${pattern}\`` : `invalid character class range: \`${pattern}\``;
}
