/** `--help` of one command, and `kubectl options`: laid out as cobra and kubectl's templater do (kubectl pkg/util/templates). */
import type { Command } from './commands/command.ts';
import type { FlagSpec, FlagSpecs } from './flags.ts';
import { FLAG_WORDS } from './help-words.ts';

/** Here simplified: one sentence instead of the long description, and no examples. */
export function helpOf(command: Command, path: string): string {
  const parts = [`${command.summary}.\n`];
  if (command.aliases?.length) parts.push(`Aliases:\n${[path.split(' ').at(-1)!, ...command.aliases].join(', ')}\n`);
  const names = Object.keys(command.subcommands ?? {}).sort();
  if (names.length > 0) {
    const width = Math.max(11, ...names.map((name) => name.length)) + 3;
    parts.push(`Available Commands:\n${names.map((name) => `  ${name.padEnd(width)}${command.subcommands![name]!.summary}\n`).join('')}`);
  }
  const options = optionsText(command.flags ?? {});
  if (options !== '') parts.push(`Options:\n${options}`);
  const usage = (command.usage ?? `${path} [options]`).split('\n').map((line) => `  ${line}\n`);
  parts.push(`Usage:\n${usage.join('')}`);
  const more = names.length > 0 ? `Use "${path} <command> --help" for more information about a given command.\n` : '';
  parts.push(`${more}Use "kubectl options" for a list of global command-line options (applies to all commands).\n`);
  return parts.join('\n');
}

/** Every flag with its default and a line about it, by name. */
export const optionsText = (flags: FlagSpecs): string =>
  Object.entries(flags)
    .filter(([, spec]) => !spec.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, spec]) => `    ${spec.short ? `-${spec.short}, ` : ''}--${name}=${defaultText(spec)}:\n\t${FLAG_WORDS[name] ?? ''}\n`)
    .join('\n');

function defaultText({ type, default: value = '' }: FlagSpec): string {
  switch (type) {
    case 'bool':
      return value || 'false';
    case 'strings':
      return `[${value}]`;
    case 'int':
      return value || '0';
    case 'duration':
      return value === '' || value === '0' ? '0s' : value;
    case 'string':
      return `'${value}'`;
    case 'plain':
      return value;
  }
}
