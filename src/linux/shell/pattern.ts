/** Shell patterns (`*`, `?`, `[a-z]`) and the file names they stand for. */
import type { Files } from '../files.ts';

/** A pattern is text in which a backslash takes the next character's meaning away. */
export function patternToRegExp(pattern: string, options: { readonly anchored?: boolean; readonly path?: boolean; readonly lazy?: boolean } = {}): RegExp {
  const any = options.path ? '[^/]' : '[\\s\\S]';
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') {
      i++;
      source += escapeRegExp(pattern[i] ?? '\\');
    } else if (c === '*') source += `${any}*${options.lazy ? '?' : ''}`;
    else if (c === '?') source += any;
    else if (c === '[') {
      const m = /^\[(!|\^)?(\]?(?:\[:\w+:\]|[^\]])*)\]/.exec(pattern.slice(i));
      if (!m) source += '\\[';
      else {
        source += `[${m[1] ? '^' : ''}${classSource(m[2]!)}]`;
        i += m[0].length - 1;
      }
    } else source += escapeRegExp(c);
  }
  return new RegExp(options.anchored === false ? source : `^${source}$`);
}

const CLASSES: Readonly<Record<string, string>> = {
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
const classSource = (inside: string): string =>
  inside.replace(/\[:(\w+):\]|[\\\]^]/g, (match, name: string | undefined) => (name ? (CLASSES[name] ?? '') : `\\${match}`));

export const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
export const escapePattern = (text: string): string => text.replace(/[*?[\]\\]/g, '\\$&');
export const isPattern = (text: string): boolean => /(^|[^\\])(\\\\)*[*?[]/.test(text);
const unescapePattern = (text: string): string => text.replace(/\\(.)/g, '$1');

/** The paths a pattern matches, sorted; none if it matches nothing. */
export function glob(files: Files, cwd: string, pattern: string): readonly string[] {
  const absolute = pattern.startsWith('/');
  let found: string[] = [absolute ? '/' : ''];
  const parts = pattern.split('/').filter((part) => part !== '');
  parts.forEach((part, i) => {
    const last = i === parts.length - 1;
    const next: string[] = [];
    for (const base of found) {
      const directory = base === '' ? cwd : resolvePath(cwd, base);
      if (!isPattern(part)) {
        const path = base + unescapePattern(part);
        if (files.exists(resolvePath(cwd, path))) next.push(last ? path : `${path}/`);
        continue;
      }
      if (!files.isDirectory(directory)) continue;
      const regExp = patternToRegExp(part, { path: true });
      for (const name of files.list(directory)) {
        if (name.startsWith('.') && !part.startsWith('.')) continue;
        if (!regExp.test(name)) continue;
        if (!last && !files.isDirectory(resolvePath(directory, name))) continue;
        next.push(last ? base + name : `${base}${name}/`);
      }
    }
    found = next;
  });
  if (pattern.endsWith('/')) return found.filter((path) => files.isDirectory(resolvePath(cwd, path))).map((path) => (path.endsWith('/') ? path : `${path}/`));
  return found.sort();
}

/** Absolute and without `.` and `..`. */
export function resolvePath(cwd: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}
