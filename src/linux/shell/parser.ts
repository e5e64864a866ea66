/**
 * Reads a script into its tree (`syntax.ts`), straight from the characters, by recursive descent.
 *
 * The npm package `just-bash` has a parser too, but it can only be imported with its whole interpreter
 * (1.2 MB in one bundle), and that interpreter hands on a command's output only when the command has
 * ended, so `kubectl get pods -w | grep web` would stay silent.
 */
import { type AndOr, type Assignment, type Command, type Pipeline, type Redirect, type Script, ShellSyntaxError, type Word, type WordPart } from './syntax.ts';
import { asQuoted, readArithmeticWord, readBackquoted, readDollar, type Scanner } from './word-parser.ts';

const RESERVED = new Set(['if', 'then', 'else', 'elif', 'fi', 'do', 'done', 'case', 'esac', 'while', 'until', 'for', '{', '}', '!', 'in', 'function']);
const METACHARACTERS = new Set([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')']);
const OPERATORS = ['&>>', '<<<', '<<-', ';;&', '&&', '||', ';;', ';&', '<<', '>>', '<&', '>&', '<>', '>|', '&>', '|&', '|', '&', ';', '<', '>', '(', ')', '\n'];

export function parseScript(source: string, aliases: ReadonlyMap<string, string> = new Map()): Script {
  const parser = new Parser(source, aliases);
  const script = parser.list(new Set());
  if (!parser.atEnd) throw parser.unexpected();
  return script;
}

/** Gives the commands of one line (or of as many as they need) after the other; undefined at the end. Throws ShellSyntaxError when it gets there. */
export function readLines(source: string, aliases: ReadonlyMap<string, string>): () => Script | undefined {
  const parser = new Parser(source, aliases);
  return () => {
    if (parser.atEnd) return undefined;
    const script = parser.list(new Set(), true);
    if (script.length === 0 && !parser.atEnd) throw parser.unexpected();
    return script;
  };
}

export class Parser implements Scanner {
  at = 0;
  private readonly pendingHereDocuments: { redirect: { target: Word }; delimiter: string; stripTabs: boolean; expand: boolean }[] = [];
  private readonly expanding = new Set<string>();

  constructor(
    public source: string,
    readonly aliases: ReadonlyMap<string, string>,
  ) {}

  get atEnd(): boolean {
    return this.at >= this.source.length;
  }

  line(): number {
    let line = 1;
    for (let i = 0; i < this.at && i < this.source.length; i++) if (this.source[i] === '\n') line++;
    return line;
  }

  unexpected(): ShellSyntaxError {
    this.blanks();
    if (this.atEnd) return this.incomplete();
    const operator = this.peekOperator();
    if (operator) return new ShellSyntaxError(operator, this.line(), false);
    const end = /[\s;&|<>()]/.exec(this.source.slice(this.at))?.index ?? this.source.length - this.at;
    return new ShellSyntaxError(this.source.slice(this.at, this.at + Math.max(1, end)), this.line(), false);
  }

  incomplete(): ShellSyntaxError {
    return new ShellSyntaxError('', this.line(), true);
  }

  /** Blanks, continued lines and a comment. */
  blanks(): void {
    for (;;) {
      const c = this.source[this.at];
      if (c === ' ' || c === '\t' || c === '\r') this.at++;
      else if (c === '\\' && this.source[this.at + 1] === '\n') this.at += 2;
      else if (c === '#') {
        while (!this.atEnd && this.source[this.at] !== '\n') this.at++;
      } else return;
    }
  }

  private newlines(): void {
    for (;;) {
      this.blanks();
      if (this.source[this.at] !== '\n') return;
      this.newline();
    }
  }

  /** Steps over a line's end; the here-documents announced on the line begin there. */
  private newline(): void {
    this.at++;
    for (const pending of this.pendingHereDocuments.splice(0)) {
      const lines: string[] = [];
      for (;;) {
        if (this.atEnd) {
          // As bash: a here-document may end with the file, if the delimiter is the last line or missing.
          throw this.incomplete();
        }
        const end = this.source.indexOf('\n', this.at);
        let text = this.source.slice(this.at, end < 0 ? undefined : end);
        this.at = end < 0 ? this.source.length : end + 1;
        if (pending.stripTabs) text = text.replace(/^\t+/, '');
        if (text === pending.delimiter) break;
        lines.push(`${text}\n`);
        if (end < 0) throw this.incomplete();
      }
      const body = lines.join('');
      pending.redirect.target = pending.expand ? hereDocumentWord(body, this.aliases) : [{ kind: 'text', text: body, quoted: true }];
    }
  }

  private peekOperator(): string | undefined {
    this.blanks();
    return OPERATORS.find((operator) => this.source.startsWith(operator, this.at));
  }

  private accept(operator: string): boolean {
    if (this.peekOperator() !== operator) return false;
    if (operator === '\n') this.newline();
    else this.at += operator.length;
    return true;
  }

  /** The literal word ahead, if it is unquoted and plain. */
  private peekPlain(): string | undefined {
    this.blanks();
    const m = /^[^\s;&|<>()'"\\$`#][^\s;&|<>()'"\\$`]*/.exec(this.source.slice(this.at, this.at + 200));
    if (!m) return undefined;
    const next = this.source[this.at + m[0].length];
    return next === undefined || METACHARACTERS.has(next) || next === '\r' ? m[0] : undefined;
  }

  private acceptWord(word: string): boolean {
    if (this.peekPlain() !== word) return false;
    this.at += word.length;
    return true;
  }

  private expectWord(word: string): void {
    this.newlines();
    if (!this.acceptWord(word)) throw this.unexpected();
  }

  /** Commands up to the end, a `)`, or a reserved word of `stops`. */
  list(stops: ReadonlySet<string>, oneLine = false): Script {
    const items: AndOr[] = [];
    for (;;) {
      if (oneLine && items.length > 0) {
        this.blanks();
        if (this.source[this.at] === '\n') {
          this.newline();
          break;
        }
      }
      this.newlines();
      if (this.atEnd) break;
      const operator = this.peekOperator();
      if (operator === ')' || operator === ';;' || operator === ';&' || operator === ';;&') break;
      const plain = this.peekPlain();
      if (plain !== undefined && stops.has(plain)) break;
      const start = this.at;
      const line = this.line();
      const first = this.pipeline();
      const rest: { operator: '&&' | '||'; pipeline: Pipeline }[] = [];
      for (;;) {
        const next = this.peekOperator();
        if (next !== '&&' && next !== '||') break;
        this.at += 2;
        this.newlines();
        rest.push({ operator: next, pipeline: this.pipeline() });
      }
      const source = this.source.slice(start, this.at).trim();
      const background = this.accept('&');
      items.push({ first, rest, background, source, line });
      if (!background && !this.accept(';')) {
        const after = this.peekOperator();
        if (after !== '\n' && !this.atEnd && after !== ')' && after !== ';;' && after !== ';&' && after !== ';;&') throw this.unexpected();
      }
    }
    return items;
  }

  private body(stops: readonly string[]): Script {
    const script = this.list(new Set(stops));
    if (script.length === 0) throw this.unexpected();
    return script;
  }

  private pipeline(): Pipeline {
    const timed = this.acceptWord('time');
    let negate = false;
    while (this.acceptWord('!')) negate = !negate;
    const commands = [this.command()];
    const bothStreams: boolean[] = [];
    for (;;) {
      const operator = this.peekOperator();
      if (operator !== '|' && operator !== '|&') break;
      this.at += operator.length;
      bothStreams.push(operator === '|&');
      this.newlines();
      commands.push(this.command());
    }
    return { negate, timed, commands, bothStreams };
  }

  private command(): Command {
    this.blanks();
    if (this.source.startsWith('((', this.at)) {
      const saved = this.at;
      this.at += 2;
      const expression = readArithmeticWord(this, '))');
      if (expression) return { kind: 'arithmetic', expression, redirects: this.redirects() };
      this.at = saved;
    }
    if (this.accept('(')) {
      const body = this.list(new Set());
      if (body.length === 0 || !this.accept(')')) throw this.unexpected();
      return { kind: 'subshell', body, redirects: this.redirects() };
    }
    const plain = this.peekPlain();
    switch (plain) {
      case '{': {
        this.at++;
        const body = this.body(['}']);
        this.expectWord('}');
        return { kind: 'group', body, redirects: this.redirects() };
      }
      case 'if':
        return this.ifCommand();
      case 'while':
      case 'until': {
        this.at += 5;
        const condition = this.body(['do']);
        const body = this.doGroup();
        return { kind: 'loop', until: plain === 'until', condition, body, redirects: this.redirects() };
      }
      case 'for':
        return this.forCommand();
      case 'case':
        return this.caseCommand();
      case 'function': {
        this.at += 8;
        const name = this.peekPlain();
        if (!name) throw this.unexpected();
        this.at += name.length;
        if (this.accept('(') && !this.accept(')')) throw this.unexpected();
        this.newlines();
        return { kind: 'function', name, body: this.command() };
      }
      case '[[':
        return this.conditional();
    }
    if (plain !== undefined && RESERVED.has(plain) && plain !== 'in') throw this.unexpected();
    return this.simple();
  }

  private doGroup(): Script {
    this.expectWord('do');
    const body = this.body(['done']);
    this.expectWord('done');
    return body;
  }

  private ifCommand(): Command {
    const branches: { condition: Script; body: Script }[] = [];
    let otherwise: Script | undefined;
    this.at += 2;
    for (;;) {
      const condition = this.body(['then']);
      this.expectWord('then');
      const body = this.body(['elif', 'else', 'fi']);
      branches.push({ condition, body });
      if (this.acceptWord('elif')) continue;
      if (this.acceptWord('else')) otherwise = this.body(['fi']);
      this.expectWord('fi');
      return { kind: 'if', branches, ...(otherwise ? { otherwise } : {}), redirects: this.redirects() };
    }
  }

  private forCommand(): Command {
    this.at += 3;
    this.blanks();
    if (this.source.startsWith('((', this.at)) {
      this.at += 2;
      const start = readArithmeticWord(this, ';');
      const condition = readArithmeticWord(this, ';');
      const step = readArithmeticWord(this, '))');
      if (!start || !condition || !step) throw this.unexpected();
      this.accept(';');
      return { kind: 'for-arithmetic', start, condition, step, body: this.doGroup(), redirects: this.redirects() };
    }
    const name = this.peekPlain();
    if (!name || !/^[A-Za-z_]\w*$/.test(name)) throw this.unexpected();
    this.at += name.length;
    this.newlines();
    let words: Word[] | undefined;
    if (this.acceptWord('in')) {
      words = [];
      for (;;) {
        const operator = this.peekOperator();
        if (operator !== undefined || this.atEnd) break;
        words.push(this.word());
      }
      if (!this.accept(';') && !this.accept('\n')) throw this.unexpected();
    } else this.accept(';');
    return { kind: 'for', name, ...(words ? { words } : {}), body: this.doGroup(), redirects: this.redirects() };
  }

  private caseCommand(): Command {
    this.at += 4;
    this.blanks();
    const word = this.word();
    this.expectWord('in');
    const items: { patterns: Word[]; body: Script; fallThrough: boolean }[] = [];
    for (;;) {
      this.newlines();
      if (this.acceptWord('esac')) break;
      this.accept('(');
      const patterns = [this.word()];
      while (this.accept('|')) patterns.push(this.word());
      if (!this.accept(')')) throw this.unexpected();
      const body = this.list(new Set(['esac']));
      const fallThrough = this.accept(';&');
      items.push({ patterns, body, fallThrough });
      if (!fallThrough && !this.accept(';;') && !this.accept(';;&')) {
        this.expectWord('esac');
        break;
      }
    }
    return { kind: 'case', word, items, redirects: this.redirects() };
  }

  /** `[[ … ]]`: words up to `]]`; `(`, `)`, `<`, `>`, `&&`, `||` are words of their own here. */
  private conditional(): Command {
    this.at += 2;
    const words: Word[] = [];
    for (;;) {
      this.newlines();
      if (this.atEnd) throw this.incomplete();
      if (this.acceptWord(']]')) break;
      const operator = ['&&', '||', '<', '>', '(', ')'].find((text) => this.source.startsWith(text, this.at));
      const previous = words.at(-1)?.[0];
      if (previous?.kind === 'text' && previous.text === '=~') {
        // A regular expression may hold parentheses and bars.
        words.push(this.word(new Set([' ', '\t', '\n'])));
      } else if (operator) {
        this.at += operator.length;
        words.push([{ kind: 'text', text: operator, quoted: false }]);
      } else words.push(this.word());
    }
    return { kind: 'conditional', words, redirects: this.redirects() };
  }

  private simple(): Command {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    let aliasNext = true;
    for (;;) {
      const redirect = this.redirect();
      if (redirect) {
        redirects.push(redirect);
        continue;
      }
      const operator = this.peekOperator();
      if (this.atEnd || operator !== undefined) {
        if (operator === '(' && words.length === 1 && assignments.length === 0) {
          const name = words[0]!.map((part) => (part.kind === 'text' ? part.text : '\0')).join('');
          if (/^[\w.:-]+$/.test(name)) {
            this.at++;
            if (!this.accept(')')) throw this.unexpected();
            this.newlines();
            return { kind: 'function', name, body: this.command() };
          }
        }
        break;
      }
      if (words.length === 0) {
        const m = /^([A-Za-z_]\w*)(?:\[([^\]=]+)\])?(\+?)=/.exec(this.source.slice(this.at, this.at + 200));
        if (m) {
          this.at += m[0].length;
          const next = this.source[this.at];
          if (next === '(' && m[2] === undefined) assignments.push({ name: m[1]!, append: m[3] === '+', value: [], items: this.items() });
          else {
            const value = next === undefined || METACHARACTERS.has(next) ? [] : this.word();
            assignments.push({ name: m[1]!, append: m[3] === '+', value, ...(m[2] === undefined ? {} : { index: asQuoted(m[2], this.aliases) }) });
          }
          continue;
        }
      }
      if (aliasNext) {
        const plain = this.peekPlain();
        const replacement = plain === undefined || this.expanding.has(plain) ? undefined : this.aliases.get(plain);
        if (plain !== undefined && replacement !== undefined) {
          this.expanding.add(plain);
          this.source = this.source.slice(0, this.at) + replacement + this.source.slice(this.at + plain.length);
          // As POSIX: an alias that ends in a blank lets the next word be an alias too.
          aliasNext = words.length === 0 || replacement.endsWith(' ');
          if (words.length === 0 && this.peekPlain() !== undefined && RESERVED.has(this.peekPlain()!)) return this.command();
          continue;
        }
        aliasNext = false;
      }
      words.push(this.word());
    }
    this.expanding.clear();
    if (words.length === 0 && assignments.length === 0 && redirects.length === 0) throw this.unexpected();
    return { kind: 'simple', assignments, words, redirects };
  }

  /** The words between the brackets of an array. */
  private items(): Word[] {
    this.at++;
    const items: Word[] = [];
    for (;;) {
      this.newlines();
      if (this.accept(')')) return items;
      if (this.atEnd) throw this.incomplete();
      if (this.peekOperator() !== undefined) throw this.unexpected();
      items.push(this.word());
    }
  }

  private redirects(): Redirect[] {
    const found: Redirect[] = [];
    for (let redirect = this.redirect(); redirect; redirect = this.redirect()) found.push(redirect);
    return found;
  }

  private redirect(): Redirect | undefined {
    this.blanks();
    const m = /^(\d*)(&>>|&>|<<<|<<-|<<|>>|<&|>&|<>|>\||<|>)/.exec(this.source.slice(this.at, this.at + 12));
    if (!m || (m[1] !== '' && m[2]!.startsWith('&'))) return undefined;
    if (this.source.startsWith('<(', this.at) || this.source.startsWith('>(', this.at)) throw this.unexpected();
    this.at += m[0].length;
    this.blanks();
    if (this.atEnd || METACHARACTERS.has(this.source[this.at]!)) throw this.atEnd ? new ShellSyntaxError('\n', this.line(), false) : this.unexpected();
    const fd = m[1] === '' ? {} : { fd: Number(m[1]) };
    const operator = m[2]!;
    if (operator === '<<' || operator === '<<-') {
      const start = this.at;
      const delimiter = this.word();
      const raw = this.source.slice(start, this.at);
      const redirect = { ...fd, operator: '<<' as const, target: [] as Word };
      this.pendingHereDocuments.push({
        redirect,
        delimiter: delimiter.map((part) => (part.kind === 'text' ? part.text : '')).join(''),
        stripTabs: operator === '<<-',
        expand: !/['"\\]/.test(raw),
      });
      return redirect;
    }
    return { ...fd, operator: operator as Redirect['operator'], target: this.word() };
  }

  /** One word, up to an unquoted metacharacter. */
  word(ends: ReadonlySet<string> = METACHARACTERS): Word {
    const parts: WordPart[] = [];
    let text = '';
    const flush = () => {
      if (text !== '') parts.push({ kind: 'text', text, quoted: false });
      text = '';
    };
    while (!this.atEnd) {
      const c = this.source[this.at]!;
      if (ends.has(c) || (c === '\r' && this.source[this.at + 1] === '\n')) break;
      if (c === '\\') {
        const next = this.source[this.at + 1];
        this.at += 2;
        if (next === undefined) throw this.incomplete();
        if (next === '\n') continue;
        flush();
        parts.push({ kind: 'text', text: next, quoted: true });
      } else if (c === "'") {
        const end = this.source.indexOf("'", this.at + 1);
        if (end < 0) throw this.incomplete();
        flush();
        parts.push({ kind: 'text', text: this.source.slice(this.at + 1, end), quoted: true });
        this.at = end + 1;
      } else if (c === '"') {
        this.at++;
        flush();
        parts.push(...this.doubleQuoted());
      } else if (c === '$' && this.source[this.at + 1] === "'") {
        flush();
        parts.push({ kind: 'text', text: this.dollarQuoted(), quoted: true });
      } else if (c === '$') {
        const part = readDollar(this, false);
        if (part) {
          flush();
          parts.push(part);
        } else text += '$';
      } else if (c === '`') {
        flush();
        parts.push(readBackquoted(this, false));
      } else {
        text += c;
        this.at++;
      }
    }
    flush();
    return parts;
  }

  /** After the opening `"`. */
  doubleQuoted(): WordPart[] {
    const parts: WordPart[] = [];
    let text = '';
    const flush = () => {
      if (text !== '') parts.push({ kind: 'text', text, quoted: true });
      text = '';
    };
    for (;;) {
      const c = this.source[this.at];
      if (c === undefined) throw this.incomplete();
      if (c === '"') {
        this.at++;
        break;
      }
      if (c === '\\') {
        const next = this.source[this.at + 1];
        if (next === undefined) throw this.incomplete();
        this.at += 2;
        if (next === '\n') continue;
        text += '$`"\\'.includes(next) ? next : `\\${next}`;
      } else if (c === '$') {
        const part = readDollar(this, true);
        if (part) {
          flush();
          parts.push(part);
        } else text += '$';
      } else if (c === '`') {
        flush();
        parts.push(readBackquoted(this, true));
      } else {
        text += c;
        this.at++;
      }
    }
    flush();
    // `""` is an argument, though an empty one.
    if (parts.length === 0) parts.push({ kind: 'text', text: '', quoted: true });
    return parts;
  }

  /** `$'…'`. */
  private dollarQuoted(): string {
    this.at += 2;
    let text = '';
    for (;;) {
      const c = this.source[this.at++];
      if (c === undefined) throw this.incomplete();
      if (c === "'") return text;
      if (c !== '\\') {
        text += c;
        continue;
      }
      const next = this.source[this.at++] ?? '';
      const plain: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', e: '\x1b', f: '\f', v: '\v', '\\': '\\', "'": "'", '"': '"' };
      const hex =
        next === 'x' ? /^[0-9a-fA-F]{1,2}/.exec(this.source.slice(this.at)) : next === 'u' ? /^[0-9a-fA-F]{1,4}/.exec(this.source.slice(this.at)) : null;
      const octal = /^[0-7]{1,3}/.exec(this.source.slice(this.at - 1));
      if (hex) {
        text += String.fromCharCode(Number.parseInt(hex[0], 16));
        this.at += hex[0].length;
      } else if (octal) {
        text += String.fromCharCode(Number.parseInt(octal[0], 8));
        this.at += octal[0].length - 1;
      } else text += plain[next] ?? `\\${next}`;
    }
  }
}

/** The body of a here-document is expanded like a double-quoted word in which `"` means itself. */
function hereDocumentWord(body: string, aliases: ReadonlyMap<string, string>): Word {
  const parser = new Parser(`${body.replace(/\\?"/g, (m) => (m === '"' ? '\\"' : '\\\\\\"'))}"`, aliases);
  return parser.doubleQuoted();
}
