/** What Tab offers: commands where a command is expected, else what a command's own completer knows, else files. */
import { BUILTINS } from './builtins.ts';
import type { ShellHost } from './interpreter.ts';
import type { Completion } from './line-editor.ts';
import { resolvePath } from './pattern.ts';
import type { Shell } from './state.ts';

export async function completeLine(line: string, cursor: number, shell: Shell, host: ShellHost): Promise<Completion> {
  const before = line.slice(0, cursor);
  // The simple command the cursor is in.
  const from = Math.max(...['|', ';', '&', '(', '`'].map((separator) => before.lastIndexOf(separator))) + 1;
  const segment = before.slice(from);
  const words = splitWords(segment.trimStart());
  const current = /\s$/.test(segment) || segment === '' ? '' : (words.pop() ?? '');
  const start = cursor - current.length;
  while (words[0] !== undefined && /^[A-Za-z_]\w*=/.test(words[0])) words.shift();
  for (const prefix of ['sudo', 'time', 'watch', 'xargs', 'exec']) if (words[0] === prefix) words.shift();
  if (current.startsWith('$') && !current.includes('/')) {
    const name = current.slice(1);
    return {
      start,
      candidates: [...shell.variables.keys()]
        .filter((key) => key.startsWith(name))
        .sort()
        .map((key) => `$${key}`),
    };
  }
  if (words.length === 0 && !current.includes('/')) {
    const names = new Set([...Object.keys(BUILTINS), ...shell.aliases.keys(), ...shell.functions.keys(), ...(host.machine.options.programNames ?? [])]);
    return { start, candidates: [...names].filter((name) => name.startsWith(current) && (current !== '' || /^\w/.test(name))).sort() };
  }
  const alias = words[0] === undefined ? undefined : shell.aliases.get(words[0]);
  const full = alias === undefined ? words : [...splitWords(alias), ...words.slice(1)];
  const completers = host.machine.options.completers ?? {};
  const completer = full[0] !== undefined && Object.hasOwn(completers, full[0]) ? completers[full[0]] : undefined;
  if (completer && !/[<>]\s*$/.test(segment.slice(0, segment.length - current.length))) {
    const offered = await completer(full, current, { process: host.process, files: host.files, env: shell.environment, cwd: shell.cwd });
    if (offered) return { start, candidates: offered.filter((text) => text.startsWith(current)) };
  }
  return { start, candidates: completeFile(current, shell, host) };
}

function completeFile(current: string, shell: Shell, host: ShellHost): readonly string[] {
  const slash = current.lastIndexOf('/');
  const directory = current.slice(0, slash + 1);
  const prefix = current.slice(slash + 1);
  const home = shell.get('HOME') ?? '/root';
  const path = resolvePath(shell.cwd, directory.startsWith('~/') ? home + directory.slice(1) : directory === '' ? '.' : directory);
  if (!host.files.isDirectory(path)) return [];
  return host.files
    .list(path)
    .filter((name) => name.startsWith(prefix) && (prefix.startsWith('.') || !name.startsWith('.')))
    .map((name) => directory + name + (host.files.isDirectory(resolvePath(path, name)) ? '/' : ''));
}

const splitWords = (text: string): string[] => text.match(/(?:[^\s"']|"[^"]*"?|'[^']*'?)+/g) ?? [];
