/** Programs that read lines and write lines. Each hands on what it can as soon as it can. */
import { seconds } from '../../../sim/clock.ts';
import { byteLength } from '../../bytes.ts';
import { FileError } from '../../files.ts';
import type { Program, ProgramContext } from '../../program.ts';
import { escapeRegExp } from '../pattern.ts';
import { Lines, readAll } from '../text-pipe.ts';
import { AppletError, allLines, applet, eachBatch, eachInput, fileMessage, nameOf, openInput, parseFlags, pathOf, wholeNumber } from './applet.ts';

const cat = applet(async (self) => {
  const flags = parseFlags(self, 'nbAeEtTvsu', { number: 'n' });
  let number = 0;
  let atStart = true;
  return eachInput(self, flags.operands, async (input) => {
    for (let piece = await input.read(); piece !== undefined; piece = await input.read()) {
      self.process.clock.wake();
      if (!flags.has('n') && !flags.has('A') && !flags.has('E') && !flags.has('e')) {
        self.stdout(piece);
        continue;
      }
      let text = '';
      for (const c of piece) {
        if (atStart && flags.has('n')) text += `${String(++number).padStart(6)}\t`;
        atStart = c === '\n';
        text += c === '\n' && (flags.has('A') || flags.has('E') || flags.has('e')) ? '$\n' : c === '\t' && flags.has('A') ? '^I' : c;
      }
      self.stdout(text);
    }
  });
});

/** POSIX regular expressions as JavaScript's: basic ones escape what extended ones do not. */
export function posixRegExp(pattern: string, extended: boolean, flags = ''): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '[') {
      const m = /^\[(\^?)(\]?(?:\[:\w+:\]|[^\]])*)\]/.exec(pattern.slice(i));
      if (!m) throw new AppletError('Unmatched [, [^, [:, [., or [=', 2);
      const classes: Record<string, string> = {
        alpha: 'A-Za-z',
        digit: '0-9',
        alnum: 'A-Za-z0-9',
        upper: 'A-Z',
        lower: 'a-z',
        space: '\\s',
        blank: ' \\t',
        punct: '!-\\/:-@\\[-`{-~',
        xdigit: '0-9A-Fa-f',
      };
      source += `[${m[1]}${m[2]!.replace(/\[:(\w+):\]|[\\\][]/g, (match, name: string | undefined) => (name ? (classes[name] ?? '') : `\\${match}`))}]`;
      i += m[0].length - 1;
    } else if (c === '\\') {
      const next = pattern[++i] ?? '';
      if (next === '<' || next === '>') source += '\\b';
      else if (!extended && '(){}|+?'.includes(next)) source += next;
      else if (/[wWsSbBdD1-9nt]/.test(next)) source += `\\${next}`;
      else source += escapeRegExp(next);
    } else if (!extended && '(){}|+?'.includes(c)) source += `\\${c}`;
    // In a basic expression they anchor only at its ends, or those of a group or alternative.
    else if (!extended && c === '$' && i < pattern.length - 1 && !/^\\[)|]/.test(pattern.slice(i + 1))) source += '\\$';
    else if (!extended && c === '^' && i > 0 && !/\\[(|]$/.test(pattern.slice(0, i))) source += '\\^';
    else if (c === '*' && (source === '' || source.endsWith('^') || (source.endsWith('(') && !source.endsWith('\\(')))) source += '\\*';
    else source += c === '/' ? '\\/' : c;
  }
  try {
    return new RegExp(source, flags);
  } catch {
    throw new AppletError('Invalid regular expression', 2);
  }
}

const grep = applet(async (self) => {
  const name = nameOf(self);
  const flags = parseFlags(self, 'viEFGcnoqhHlLwxsrRe:A:B:C:m:aP', {
    'invert-match': 'v', 'ignore-case': 'i', 'extended-regexp': 'E', 'fixed-strings': 'F', count: 'c', 'line-number': 'n', 'only-matching': 'o', quiet: 'q', 'line-buffered': 'a',
    color: 'a', 'word-regexp': 'w', 'files-with-matches': 'l', 'after-context': 'A:', 'before-context': 'B:', context: 'C:', recursive: 'r', 'no-filename': 'h', 'max-count': 'm:', regexp: 'e:',
  }); // biome-ignore format: a table
  const operands = [...flags.operands];
  const patterns = flags.has('e') ? flags.values('e') : [operands.shift() ?? ''];
  if (!flags.has('e') && flags.operands.length === 0) {
    self.stderr("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n");
    return 2;
  }
  const regExps = patterns
    .flatMap((text) => text.split('\n'))
    .map((text) => {
      const base =
        name === 'fgrep' || flags.has('F') ? new RegExp(escapeRegExp(text)) : posixRegExp(text, name === 'egrep' || flags.has('E') || flags.has('P'));
      const source = flags.has('x') ? `^(?:${base.source})$` : flags.has('w') ? `\\b(?:${base.source})\\b` : base.source;
      return new RegExp(source, flags.has('i') ? 'gi' : 'g');
    });
  let paths: string[] = operands;
  if (flags.has('r') || flags.has('R')) paths = (operands.length === 0 ? ['.'] : operands).flatMap((path) => walk(self, path));
  const named = !flags.has('h') && (paths.length > 1 || flags.has('H') || flags.has('r') || flags.has('R'));
  const after = Number(flags.value('A') ?? flags.value('C') ?? 0);
  const before = Number(flags.value('B') ?? flags.value('C') ?? 0);
  const most = flags.has('m') ? Number(flags.value('m')) : Number.POSITIVE_INFINITY;
  let any = false;
  let code = 0;
  for (const path of paths.length === 0 ? ['-'] : paths) {
    let number = 0;
    let count = 0;
    let shownTo = 0;
    let tail = 0;
    const past: { number: number; line: string }[] = [];
    const prefix = (mark: string, at: number) => (named ? `${path === '-' ? '(standard input)' : path}${mark}` : '') + (flags.has('n') ? `${at}${mark}` : '');
    try {
      const lines = new Lines(openInput(self, path));
      for (let batch = await lines.batch(); batch && count < most; batch = await lines.batch()) {
        self.process.clock.wake();
        let output = '';
        for (const line of batch) {
          number++;
          const matches = regExps.some((regExp) => line.search(regExp) >= 0) !== flags.has('v');
          if (matches) {
            count++;
            any = true;
            if (flags.has('q')) return 0;
            if (flags.has('c') || flags.has('l') || flags.has('L')) continue;
            if (flags.has('o')) {
              for (const regExp of regExps) for (const m of line.matchAll(regExp)) if (m[0] !== '') output += `${prefix(':', number)}${m[0]}\n`;
            } else {
              if ((after > 0 || before > 0) && shownTo > 0 && Math.max(number - before, past[0]?.number ?? number) > shownTo + 1) output += '--\n';
              for (const old of past) if (old.number > shownTo) output += `${prefix('-', old.number)}${old.line}\n`;
              output += `${prefix(':', number)}${line}\n`;
              shownTo = number;
              tail = after;
            }
            if (count >= most) break;
          } else if (tail > 0) {
            tail--;
            output += `${prefix('-', number)}${line}\n`;
            shownTo = number;
          }
          past.push({ number, line });
          if (past.length > before) past.shift();
        }
        self.stdout(output);
      }
      if (flags.has('c')) self.stdout(`${named ? `${path}:` : ''}${count}\n`);
      if ((flags.has('l') && count > 0) || (flags.has('L') && count === 0)) self.stdout(`${path}\n`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (!flags.has('s')) self.stderr(`${name}: ${error.code === 'ENOENT' ? `${path}: ${error.message}` : fileMessage(self, path, error)}\n`);
      code = 2;
    }
  }
  return code !== 0 ? code : any ? 0 : 1;
});

export function walk(self: ProgramContext, path: string): string[] {
  const at = pathOf(self, path);
  if (!self.files.isDirectory(at)) return [path];
  return self.files.list(at).flatMap((name) => walk(self, `${path === '/' ? '' : path.replace(/\/$/, '')}/${name}`));
}

/** `head -5` and `tail -3` are old spellings of `-n`. */
const withOldCount = (self: ProgramContext): ProgramContext => ({
  ...self,
  argv: self.argv.flatMap((arg, i) => (i > 0 && /^-\d+$/.test(arg) ? ['-n', arg.slice(1)] : [arg])),
});

const head = applet(async (given) => {
  const self = withOldCount(given);
  const flags = parseFlags(self, 'n:c:qv', { lines: 'n:', bytes: 'c:', quiet: 'q' });
  const bytes = flags.value('c');
  const count = wholeNumber(bytes ?? flags.value('n') ?? '10', bytes === undefined ? 'invalid number of lines' : 'invalid number of bytes');
  const many = flags.operands.length > 1 && !flags.has('q');
  let first = true;
  return eachInput(self, flags.operands, async (input, path) => {
    if (many) self.stdout(`${first ? '' : '\n'}==> ${path} <==\n`);
    first = false;
    if (bytes !== undefined) {
      for (let left = count; left > 0; ) {
        const piece = await input.read();
        if (piece === undefined) break;
        self.stdout(piece.slice(0, left));
        left -= piece.length;
      }
      return;
    }
    if (count < 0) {
      const lines = (await readAll(input)).split('\n');
      if (lines.at(-1) === '') lines.pop();
      for (const line of lines.slice(0, count)) self.stdout(`${line}\n`);
      return;
    }
    const lines = new Lines(input);
    for (let left = count; left > 0; left--) {
      const line = await lines.next();
      if (!line) break;
      self.stdout(line.text + (line.complete ? '\n' : ''));
    }
  });
});

const tail = applet(async (given) => {
  const self = withOldCount(given);
  const flags = parseFlags(self, 'n:c:fFqv', { lines: 'n:', bytes: 'c:', follow: 'f', quiet: 'q' });
  const bytes = flags.value('c');
  const text = bytes ?? flags.value('n') ?? '10';
  const count = Math.abs(wholeNumber(text, bytes === undefined ? 'invalid number of lines' : 'invalid number of bytes'));
  const many = flags.operands.length > 1 && !flags.has('q');
  let first = true;
  const code = await eachInput(self, flags.operands, async (input, path) => {
    if (many) self.stdout(`${first ? '' : '\n'}==> ${path} <==\n`);
    first = false;
    const all = await readAll(input);
    if (bytes !== undefined) {
      self.stdout(text.startsWith('+') ? all.slice(Math.max(0, count - 1)) : count === 0 ? '' : all.slice(-count));
      return;
    }
    const lines = all.split('\n');
    const ended = lines.at(-1) === '';
    if (ended) lines.pop();
    const shown = text.startsWith('+') ? lines.slice(Math.max(0, count - 1)) : count === 0 ? [] : lines.slice(-count);
    if (shown.length > 0) self.stdout(shown.join('\n') + (ended ? '\n' : ''));
  });
  if (!flags.has('f') && !flags.has('F')) return code;
  // Here simplified: looks every quarter of a second, as a tail without inotify would.
  const sizes = new Map(flags.operands.map((path) => [path, self.files.exists(pathOf(self, path)) ? self.files.read(pathOf(self, path)).length : 0]));
  for (;;) {
    await self.process.clock.sleep(seconds(0.25));
    for (const [path, size] of sizes) {
      const at = pathOf(self, path);
      if (!self.files.exists(at) || self.files.isDirectory(at)) continue;
      const now = self.files.read(at);
      if (now.length < size) self.stderr(`tail: ${path}: file truncated\n`);
      if (now.length !== size) self.stdout(now.slice(now.length < size ? 0 : size));
      sizes.set(path, now.length);
    }
  }
});

const wc = applet(async (self) => {
  const flags = parseFlags(self, 'lwcm', { lines: 'l', words: 'w', bytes: 'c', chars: 'm' });
  const all = !['l', 'w', 'c', 'm'].some((flag) => flags.has(flag));
  const rows: { counts: number[]; name: string }[] = [];
  const code = await eachInput(self, flags.operands, async (input, path) => {
    const text = await readAll(input);
    const counts: number[] = [];
    if (all || flags.has('l')) counts.push(text.split('\n').length - 1);
    if (all || flags.has('w')) counts.push(text.split(/\s+/).filter((word) => word !== '').length);
    if (flags.has('m')) counts.push([...text].length);
    if (all || flags.has('c')) counts.push(byteLength(text));
    rows.push({ counts, name: flags.operands.length === 0 ? '' : path });
  });
  if (rows.length > 1) rows.push({ counts: rows[0]!.counts.map((_, i) => rows.reduce((sum, row) => sum + row.counts[i]!, 0)), name: 'total' });
  const single = rows.length === 1 && rows[0]!.counts.length === 1;
  const width = single ? 0 : flags.operands.length === 0 ? 7 : Math.max(...rows.flatMap((row) => row.counts.map((count) => String(count).length)));
  for (const row of rows) self.stdout(`${[...row.counts.map((count) => String(count).padStart(width)), ...(row.name ? [row.name] : [])].join(' ')}\n`);
  return code;
});

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** A number with an optional suffix, for `sort -h`. */
const humanNumber = (text: string): number => {
  const m = /^\s*(-?[\d.]+)([KMGTPE]?)/i.exec(text);
  return m ? Number(m[1]) * 1024 ** (m[2] ? 'KMGTPE'.indexOf(m[2].toUpperCase()) + 1 : 0) : 0;
};

const sort = applet(async (self) => {
  const flags = parseFlags(self, 'nrufhVbdMk:t:o:cs', {
    'numeric-sort': 'n',
    reverse: 'r',
    unique: 'u',
    key: 'k:',
    'field-separator': 't:',
    'human-numeric-sort': 'h',
    'version-sort': 'V',
    stable: 's',
  });
  const { lines, code } = await allLines(self, flags.operands);
  const separator = flags.value('t');
  const keys = flags.values('k').map((text) => {
    const m = /^(\d+)(?:\.\d+)?([a-zA-Z]*)(?:,(\d+)(?:\.\d+)?([a-zA-Z]*))?$/.exec(text);
    if (!m) throw new AppletError(`invalid number at field start: invalid count at start of '${text}'`, 2);
    return { from: Number(m[1]), to: m[3] === undefined ? undefined : Number(m[3]), modifiers: m[2]! + (m[4] ?? '') };
  });
  const fieldsOf = (line: string) => (separator === undefined ? (line.match(/\s*\S+/g) ?? []) : line.split(separator));
  const compareBy = (a: string, b: string, modifiers: string): number => {
    if (modifiers.includes('n')) return (Number.parseFloat(a) || 0) - (Number.parseFloat(b) || 0);
    if (modifiers.includes('h')) return humanNumber(a) - humanNumber(b);
    if (modifiers.includes('V')) {
      const chunks = (text: string) => text.match(/\d+|\D+/g) ?? [];
      const [x, y] = [chunks(a), chunks(b)];
      for (let i = 0; i < Math.max(x.length, y.length); i++) {
        if (x[i] === y[i]) continue;
        if (x[i] === undefined || y[i] === undefined) return x[i] === undefined ? -1 : 1;
        const numeric = /^\d/.test(x[i]!) && /^\d/.test(y[i]!) ? Number(x[i]) - Number(y[i]) : 0;
        return numeric !== 0 ? numeric : compareText(x[i]!, y[i]!);
      }
      return 0;
    }
    const fold = (text: string) => (modifiers.includes('f') ? text.toUpperCase() : text);
    const strip = (text: string) => (modifiers.includes('b') ? text.trimStart() : text);
    return compareText(fold(strip(a)), fold(strip(b)));
  };
  const global = ['n', 'h', 'V', 'f', 'b'].filter((flag) => flags.has(flag)).join('');
  const compare = (a: string, b: string): number => {
    for (const key of keys) {
      const part = (line: string) =>
        fieldsOf(line)
          .slice(key.from - 1, key.to)
          .join(separator ?? '');
      const modifiers = /[nhVf]/.test(key.modifiers) ? key.modifiers : global + key.modifiers;
      const order = compareBy(part(a), part(b), modifiers);
      if (order !== 0) return key.modifiers.includes('r') !== flags.has('r') ? -order : order;
    }
    if (keys.length > 0 && (flags.has('s') || flags.has('u'))) return 0;
    const order = keys.length > 0 ? compareText(a, b) : compareBy(a, b, global) || (flags.has('u') || flags.has('s') ? 0 : compareText(a, b));
    return flags.has('r') ? -order : order;
  };
  lines.sort(compare);
  const shown = flags.has('u') ? lines.filter((line, i) => i === 0 || compare(lines[i - 1]!, line) !== 0) : lines;
  const text = shown.map((line) => `${line}\n`).join('');
  const target = flags.value('o');
  if (target !== undefined) self.files.write(pathOf(self, target), text);
  else self.stdout(text);
  return code === 0 ? 0 : 2;
});

const uniq = applet(async (self) => {
  const flags = parseFlags(self, 'cdui', { count: 'c', repeated: 'd', unique: 'u' });
  let last: string | undefined;
  let count = 0;
  const emit = () => {
    if (last === undefined || (flags.has('d') && count < 2) || (flags.has('u') && count > 1)) return;
    self.stdout(`${flags.has('c') ? `${String(count).padStart(7)} ` : ''}${last}\n`);
  };
  const code = await eachBatch(self, flags.operands.slice(0, 1), (lines) => {
    for (const line of lines) {
      if (last !== undefined && (flags.has('i') ? line.toLowerCase() === last.toLowerCase() : line === last)) count++;
      else {
        emit();
        last = line;
        count = 1;
      }
    }
  });
  emit();
  return code;
});

const cut = applet(async (self) => {
  const flags = parseFlags(self, 'd:f:c:b:s', { delimiter: 'd:', fields: 'f:', characters: 'c:', 'output-delimiter': 'o:' });
  const list = flags.value('f') ?? flags.value('c') ?? flags.value('b');
  if (list === undefined) throw new AppletError('you must specify a list of bytes, characters, or fields');
  const ranges = list.split(',').map((text) => {
    const m = /^(\d*)(-?)(\d*)$/.exec(text);
    if (!m || text === '' || text === '-') throw new AppletError(`invalid field value '${text}'`);
    return [Number(m[1] || 1), m[2] ? (m[3] ? Number(m[3]) : Number.POSITIVE_INFINITY) : Number(m[1])] as const;
  });
  const wanted = (n: number) => ranges.some(([from, to]) => n >= from && n <= to);
  const delimiter = flags.value('d') ?? '\t';
  return eachBatch(self, flags.operands, (lines) => {
    let output = '';
    for (const line of lines) {
      if (!flags.has('f')) output += `${[...line].filter((_, i) => wanted(i + 1)).join('')}\n`;
      else if (!line.includes(delimiter)) output += flags.has('s') ? '' : `${line}\n`;
      else
        output += `${line
          .split(delimiter)
          .filter((_, i) => wanted(i + 1))
          .join(flags.value('o') ?? delimiter)}\n`;
    }
    self.stdout(output);
  });
});

const tr = applet(async (self) => {
  const flags = parseFlags(self, '+dscC', { delete: 'd', 'squeeze-repeats': 's', complement: 'c' });
  const expand = (text: string): string[] => {
    const plain = text
      .replace(
        /\[:(\w+):\]/g,
        (_, name: string) =>
          ({ upper: 'A-Z', lower: 'a-z', digit: '0-9', alpha: 'A-Za-z', alnum: 'A-Za-z0-9', space: ' \\t\\n\\r', blank: ' \\t', punct: '!-/:-@[-`{-~' })[
            name
          ] ?? '',
      )
      .replace(/\\([ntr\\0])/g, (_, letter: string) => ({ n: '\n', t: '\t', r: '\r', '\\': '\\', '0': '\0' })[letter]!);
    const characters = [...plain];
    const set: string[] = [];
    for (let i = 0; i < characters.length; i++) {
      if (characters[i + 1] === '-' && characters[i + 2] !== undefined) {
        for (let code = characters[i]!.codePointAt(0)!; code <= characters[i + 2]!.codePointAt(0)!; code++) set.push(String.fromCodePoint(code));
        i += 2;
      } else set.push(characters[i]!);
    }
    return set;
  };
  const [first, second] = flags.operands;
  if (first === undefined) throw new AppletError('missing operand');
  if (second === undefined && !flags.has('d') && !flags.has('s')) throw new AppletError(`missing operand after '${first}'`);
  const complement = flags.has('c') || flags.has('C');
  const from = expand(first);
  const to = second === undefined ? [] : expand(second);
  const inFirst = (c: string) => from.includes(c) !== complement;
  const squeezed = new Set(second !== undefined ? to : []);
  let last = '';
  for (let piece = await self.stdin.read(); piece !== undefined; piece = await self.stdin.read()) {
    self.process.clock.wake();
    let output = '';
    for (const c of piece) {
      if (flags.has('d') && inFirst(c)) continue;
      const mapped = !flags.has('d') && to.length > 0 && inFirst(c) ? (complement ? to.at(-1)! : (to[from.indexOf(c)] ?? to.at(-1)!)) : c;
      if (flags.has('s') && mapped === last && (second === undefined ? inFirst(mapped) : squeezed.has(mapped))) continue;
      output += mapped;
      last = mapped;
    }
    self.stdout(output);
  }
  return 0;
});

const tee = applet(async (self) => {
  const flags = parseFlags(self, 'a', { append: 'a' });
  for (const path of flags.operands) if (!flags.has('a') || !self.files.exists(pathOf(self, path))) self.files.write(pathOf(self, path), '');
  for (let piece = await self.stdin.read(); piece !== undefined; piece = await self.stdin.read()) {
    self.process.clock.wake();
    for (const path of flags.operands) self.files.append(pathOf(self, path), piece);
    self.stdout(piece);
  }
  return 0;
});

const tac = applet(async (self) => {
  const { lines, code } = await allLines(self, parseFlags(self, '').operands);
  self.stdout(
    lines
      .reverse()
      .map((line) => `${line}\n`)
      .join(''),
  );
  return code;
});
const rev = applet((self) =>
  eachBatch(self, parseFlags(self, '').operands, (lines) => {
    self.stdout(lines.map((line) => `${[...line].reverse().join('')}\n`).join(''));
  }),
);
const nl = applet(async (self) => {
  let number = 0;
  return eachBatch(self, parseFlags(self, 'b:').operands, (lines) => {
    self.stdout(lines.map((line) => (line === '' ? '       \n' : `${String(++number).padStart(6)}\t${line}\n`)).join(''));
  });
});

/** Longest common subsequence, for `diff`. */
const diff = applet(async (self) => {
  const flags = parseFlags(self, 'uqNrwbBU:', { unified: 'u', brief: 'q' });
  const [left, right] = flags.operands;
  if (left === undefined || right === undefined) throw new AppletError(`missing operand after '${left ?? 'diff'}'`, 2);
  const read = async (path: string): Promise<string[]> => {
    try {
      const text = await readAll(openInput(self, path));
      return text === '' ? [] : text.replace(/\n$/, '').split('\n');
    } catch (error) {
      if (error instanceof FileError) throw new AppletError(`${path}: ${error.message}`, 2);
      throw error;
    }
  };
  const [a, b] = [await read(left), await read(right)];
  const table: number[][] = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
  const edits: { kind: ' ' | '-' | '+'; line: string; i: number; j: number }[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) edits.push({ kind: ' ', line: a[i]!, i: i++, j: j++ });
    else if (j >= b.length || (i < a.length && table[i + 1]![j]! >= table[i]![j + 1]!)) edits.push({ kind: '-', line: a[i]!, i: i++, j });
    else edits.push({ kind: '+', line: b[j]!, i, j: j++ });
  }
  if (edits.every((edit) => edit.kind === ' ')) return 0;
  if (flags.has('q')) {
    self.stdout(`Files ${left} and ${right} differ\n`);
    return 1;
  }
  if (flags.has('u') || flags.has('U')) {
    const context = Number(flags.value('U') || 3);
    self.stdout(`--- ${left}\n+++ ${right}\n`);
    for (let at = 0; at < edits.length; ) {
      if (edits[at]!.kind === ' ') {
        at++;
        continue;
      }
      let end = at;
      for (let quiet = 0, k = at; k < edits.length && quiet <= context * 2; k++) {
        quiet = edits[k]!.kind === ' ' ? quiet + 1 : 0;
        if (quiet === 0) end = k + 1;
      }
      const hunk = edits.slice(Math.max(0, at - context), Math.min(edits.length, end + context));
      const olds = hunk.filter((edit) => edit.kind !== '+').length;
      const news = hunk.filter((edit) => edit.kind !== '-').length;
      const range = (start: number, size: number) => (size === 1 ? `${start + 1}` : `${size === 0 ? start : start + 1},${size}`);
      self.stdout(`@@ -${range(hunk[0]!.i, olds)} +${range(hunk[0]!.j, news)} @@\n${hunk.map((edit) => `${edit.kind}${edit.line}\n`).join('')}`);
      at = end + context;
    }
    return 1;
  }
  for (let at = 0; at < edits.length; ) {
    if (edits[at]!.kind === ' ') {
      at++;
      continue;
    }
    let end = at;
    while (end < edits.length && edits[end]!.kind !== ' ') end++;
    const chunk = edits.slice(at, end);
    const removed = chunk.filter((edit) => edit.kind === '-');
    const added = chunk.filter((edit) => edit.kind === '+');
    const range = (from: number, size: number) => (size > 1 ? `${from + 1},${from + size}` : `${from + (size === 0 ? 0 : 1)}`);
    const letter = removed.length === 0 ? 'a' : added.length === 0 ? 'd' : 'c';
    self.stdout(`${range(chunk[0]!.i, removed.length)}${letter}${range(chunk[0]!.j, added.length)}\n`);
    self.stdout(removed.map((edit) => `< ${edit.line}\n`).join('') + (letter === 'c' ? '---\n' : '') + added.map((edit) => `> ${edit.line}\n`).join(''));
    at = end;
  }
  return 1;
});

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** UTF-8, as atob and btoa are not part of the language. */
export function toBase64(text: string): string {
  const bytes: number[] = [];
  for (const part of encodeURIComponent(text).match(/%[0-9A-F]{2}|[^%]/g) ?? [])
    bytes.push(part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0));
  let result = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    result +=
      ALPHABET[(word >> 18) & 63]! +
      ALPHABET[(word >> 12) & 63]! +
      (i + 1 < bytes.length ? ALPHABET[(word >> 6) & 63]! : '=') +
      (i + 2 < bytes.length ? ALPHABET[word & 63]! : '=');
  }
  return result;
}
/** Undefined for text that is not base64. Bytes that are no UTF-8 become one character each. */
export function fromBase64(text: string): string | undefined {
  const clean = text.replace(/\s/g, '').replace(/=+$/, '');
  if (/[^A-Za-z0-9+/]/.test(clean) || clean.length % 4 === 1) return undefined;
  const bytes: number[] = [];
  for (let i = 0, bits = 0, word = 0; i < clean.length; i++) {
    word = ((word << 6) | ALPHABET.indexOf(clean[i]!)) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((word >> bits) & 255);
    }
  }
  try {
    return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  } catch {
    return bytes.map((byte) => String.fromCharCode(byte)).join('');
  }
}

const base64 = applet(async (self) => {
  const flags = parseFlags(self, 'dDw:i', { decode: 'd', wrap: 'w:' });
  let text = '';
  const code = await eachInput(self, flags.operands, async (input) => {
    text += await readAll(input);
  });
  if (flags.has('d') || flags.has('D')) {
    const decoded = fromBase64(text);
    if (decoded === undefined) throw new AppletError('invalid input');
    self.stdout(decoded);
    return code;
  }
  const width = Number(flags.value('w') ?? 76);
  const encoded = toBase64(text);
  self.stdout(width === 0 ? encoded : encoded.replace(new RegExp(`.{1,${width}}`, 'g'), '$&\n'));
  return code;
});

const column = applet(async (self) => {
  const flags = parseFlags(self, 'ts:o:');
  const { lines, code } = await allLines(self, flags.operands);
  const rows = lines.map((line) => (flags.has('s') ? line.split(flags.value('s')!) : line.trim().split(/\s+/)));
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  self.stdout(rows.map((row) => `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join(flags.value('o') ?? '  ')}\n`).join(''));
  return code;
});

export const textApplets: Readonly<Record<string, Program>> = {
  cat,
  grep,
  egrep: grep,
  fgrep: grep,
  head,
  tail,
  wc,
  sort,
  uniq,
  cut,
  tr,
  tee,
  tac,
  rev,
  nl,
  diff,
  base64,
  column,
};
