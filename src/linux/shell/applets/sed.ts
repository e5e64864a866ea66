/** sed: `s///`, `p`, `d`, `q`, `a`, `i`, `c`, `y`, `=`, `n`, with line, `$` and pattern addresses. Here simplified: no hold space and no branches. */
import type { Program } from '../../program.ts';
import { readAll, textInput } from '../text-pipe.ts';
import { AppletError, applet, eachInput, parseFlags, pathOf } from './applet.ts';
import { posixRegExp } from './text.ts';

type Address = { readonly kind: 'line'; readonly line: number } | { readonly kind: 'last' } | { readonly kind: 'match'; readonly regExp: RegExp };
interface Command {
  readonly from?: Address;
  readonly to?: Address;
  readonly negate: boolean;
  readonly name: string;
  readonly text: string;
  readonly regExp?: RegExp;
  readonly flags?: string;
  readonly body?: readonly Command[];
  active: boolean;
}

function parse(script: string, extended: boolean): Command[] {
  let at = 0;
  const unknown = (what: string): never => {
    throw new AppletError(`-e expression #1, char ${at}: ${what}`);
  };
  const delimited = (delimiter: string): string => {
    let text = '';
    while (at < script.length && script[at] !== delimiter) {
      if (script[at] === '[') {
        const m = /^\[\^?\]?(?:\[:\w+:\]|[^\]])*\]/.exec(script.slice(at));
        if (m && !m[0].includes('\n')) {
          text += m[0];
          at += m[0].length;
          continue;
        }
      }
      if (script[at] === '\\' && script[at + 1] === delimiter && !/[|+?(){}]/.test(delimiter)) at++;
      else if (script[at] === '\\') text += script[at++];
      text += script[at++] ?? '';
    }
    if (script[at] !== delimiter) unknown("unterminated `s' command");
    at++;
    return text;
  };
  const replacementText = (delimiter: string): string => {
    let text = '';
    while (at < script.length && script[at] !== delimiter) {
      if (script[at] === '\\') {
        if (script[at + 1] === delimiter) at++;
        else text += script[at++];
      }
      text += script[at++] ?? '';
    }
    if (script[at] !== delimiter) unknown("unterminated `s' command");
    at++;
    return text;
  };
  const address = (): Address | undefined => {
    const number = /^\d+/.exec(script.slice(at));
    if (number) {
      at += number[0].length;
      return { kind: 'line', line: Number(number[0]) };
    }
    if (script[at] === '$') {
      at++;
      return { kind: 'last' };
    }
    if (script[at] === '/' || script[at] === '\\') {
      if (script[at] === '\\') at++;
      const delimiter = script[at++]!;
      const pattern = delimited(delimiter);
      const insensitive = script[at] === 'I';
      if (insensitive) at++;
      return { kind: 'match', regExp: posixRegExp(pattern, extended, insensitive ? 'i' : '') };
    }
    return undefined;
  };
  const block = (nested: boolean): Command[] => {
    const commands: Command[] = [];
    for (;;) {
      while (/[\s;]/.test(script[at] ?? '')) at++;
      if (at >= script.length) {
        if (nested) unknown("unmatched `{'");
        return commands;
      }
      if (script[at] === '#') {
        while (at < script.length && script[at] !== '\n') at++;
        continue;
      }
      if (script[at] === '}') {
        at++;
        if (!nested) unknown("unexpected `}'");
        return commands;
      }
      const from = address();
      let to: Address | undefined;
      if (from && script[at] === ',') {
        at++;
        to = address();
      }
      while (script[at] === ' ') at++;
      let negate = false;
      while (script[at] === '!' || (negate && script[at] === ' ')) {
        negate = true;
        at++;
      }
      const name = script[at++];
      const base = { ...(from ? { from } : {}), ...(to ? { to } : {}), negate, active: false };
      if (name === undefined) unknown('missing command');
      else if (name === '{') commands.push({ ...base, name, text: '', body: block(true) });
      else if (name === 's' || name === 'y') {
        const delimiter = script[at++] ?? '';
        const pattern = name === 's' ? delimited(delimiter) : replacementText(delimiter);
        const text = replacementText(delimiter);
        const flags = name === 's' ? (/^[gpiI0-9]*/.exec(script.slice(at))?.[0] ?? '') : '';
        at += flags.length;
        if (/\S/.test(script[at] ?? '') && !';}#'.includes(script[at]!)) unknown(`unknown option to \`${name}'`);
        if (name === 'y') commands.push({ ...base, name, text, flags: pattern });
        else commands.push({ ...base, name, text, flags, regExp: posixRegExp(pattern, extended, `g${/i/i.test(flags) ? 'i' : ''}`) });
      } else if ('aic'.includes(name)) {
        const m = /^\s*\\?\n?([^\n]*)/.exec(script.slice(at))!;
        at += m[0].length;
        commands.push({ ...base, name, text: m[1]! });
      } else if ('pdqQ=nN'.includes(name)) commands.push({ ...base, name, text: '' });
      else unknown(`unknown command: \`${name}'`);
    }
  };
  return block(false);
}

const replacementOf = (text: string, match: RegExpMatchArray): string =>
  text.replace(/\\(.)|&/g, (whole, escaped: string | undefined) => {
    if (whole === '&') return match[0];
    if (/\d/.test(escaped!)) return match[Number(escaped)] ?? '';
    return escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped!;
  });

function substitute(command: Command, line: string): string | undefined {
  const flags = command.flags ?? '';
  const nth = Number(/\d+/.exec(flags)?.[0] ?? 1);
  let count = 0;
  let changed = false;
  let result = '';
  let last = 0;
  for (const match of line.matchAll(command.regExp!)) {
    count++;
    if (count < nth || (count > nth && !flags.includes('g'))) continue;
    changed = true;
    result += line.slice(last, match.index) + replacementOf(command.text, match);
    last = match.index + match[0].length;
  }
  return changed ? result + line.slice(last) : undefined;
}

export const sed: Program = applet(async (self) => {
  const flags = parseFlags(self, 'nrEie:f:s', { quiet: 'n', silent: 'n', 'regexp-extended': 'E', 'in-place': 'i', expression: 'e:' });
  const operands = [...flags.operands];
  const scripts = [...flags.values('e')];
  if (flags.has('f')) scripts.push(self.files.read(pathOf(self, flags.value('f')!)));
  if (scripts.length === 0) {
    const script = operands.shift();
    if (script === undefined) throw new AppletError('no script specified');
    scripts.push(script);
  }
  const commands = parse(scripts.join('\n'), flags.has('E') || flags.has('r'));
  const quiet = flags.has('n');
  let number = 0;
  let quit = false;
  const process = (line: string, last: boolean): string => {
    number++;
    let output = '';
    let space: string | undefined = line;
    let appended = '';
    const is = (address: Address): boolean =>
      address.kind === 'line' ? address.line === number : address.kind === 'last' ? last : address.regExp.test(space!);
    const selected = (command: Command): boolean => {
      if (!command.from) return !command.negate;
      let hit: boolean;
      if (!command.to) hit = is(command.from);
      else if (command.active) {
        hit = true;
        if (command.to.kind === 'line' ? number >= command.to.line : is(command.to)) command.active = false;
      } else {
        hit = is(command.from);
        if (hit) command.active = !(command.to.kind === 'line' && command.to.line <= number);
      }
      return hit !== command.negate;
    };
    const run = (list: readonly Command[]): boolean => {
      for (const command of list) {
        if (!selected(command)) continue;
        switch (command.name) {
          case '{':
            if (!run(command.body!)) return false;
            break;
          case 's': {
            const changed = substitute(command, space!);
            if (changed === undefined) break;
            space = changed;
            if (command.flags!.includes('p')) output += `${space}\n`;
            break;
          }
          case 'y':
            space = [...space!].map((c) => [...command.text][[...command.flags!].indexOf(c)] ?? c).join('');
            break;
          case 'p':
            output += `${space}\n`;
            break;
          case '=':
            output += `${number}\n`;
            break;
          case 'a':
            appended += `${command.text}\n`;
            break;
          case 'i':
            output += `${command.text}\n`;
            break;
          case 'c':
            if (!command.to || !command.active) output += `${command.text}\n`;
            space = undefined;
            return false;
          case 'd':
            space = undefined;
            return false;
          case 'q':
            quit = true;
            return false;
          case 'Q':
            quit = true;
            space = undefined;
            return false;
        }
      }
      return true;
    };
    run(commands);
    if (space !== undefined && !quiet) output += `${space}\n`;
    return output + appended;
  };
  if (flags.has('i')) {
    for (const path of operands) {
      const at = pathOf(self, path);
      if (!self.files.exists(at)) throw new AppletError(`can't read ${path}: No such file or directory`, 2);
      const lines = self.files.read(at).replace(/\n$/, '').split('\n');
      number = 0;
      self.files.write(at, lines.map((line, i) => process(line, i === lines.length - 1)).join(''));
    }
    return 0;
  }
  const needsLast = scripts.some((script) => script.includes('$'));
  return eachInput(self, operands, async (input) => {
    // `$` needs to know the last line; without it lines go out as they come.
    const source = needsLast ? textInput(await readAll(input)) : input;
    let rest = '';
    for (let piece = await source.read(); piece !== undefined && !quit; piece = await source.read()) {
      self.process.clock.wake();
      rest += piece;
      const lines = rest.split('\n');
      rest = lines.pop()!;
      let output = '';
      lines.forEach((line, i) => {
        if (!quit) output += process(line, needsLast && rest === '' && i === lines.length - 1);
      });
      self.stdout(output);
    }
    if (rest !== '' && !quit) self.stdout(process(rest, true));
    return !quit;
  });
});
