/**
 * `kubectl __complete WORDS… CURRENT`: what the scripts of `kubectl completion` ask when Tab is pressed. As cobra's: one
 * candidate a line with a tab and what it is for, then `:` and a number of bits that say what the shell does next.
 */
import type { ProgramContext } from '../../linux/program.ts';
import { COMMANDS } from './commands/commands.ts';
import { type CompletionOptions, createKubectlCompletion } from './completion.ts';
import { FLAG_WORDS } from './help-words.ts';
import { findCommand } from './kubectl.ts';

/** cobra's ShellCompDirective, as far as kubectl uses it. */
const DIRECTIVES: Readonly<Record<number, string>> = {
  0: 'ShellCompDirectiveDefault',
  4: 'ShellCompDirectiveNoFileComp',
  6: 'ShellCompDirectiveNoSpace, ShellCompDirectiveNoFileComp',
};

/** Writes the answer; the exit code is 0. `describe` is false for `__completeNoDesc`. */
export async function answerCompletion(self: ProgramContext, options: CompletionOptions, words: readonly string[], describe: boolean): Promise<number> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const offered = await createKubectlCompletion(options)(['kubectl', ...before], current, {
    process: self.process,
    files: self.files,
    env: self.env,
    cwd: self.cwd,
  });
  const found = (offered ?? []).filter((word) => word.startsWith(current));
  // A candidate that ends in = or / goes on.
  const directive = offered === undefined ? 0 : found.length > 0 && found.every((word) => /[=/]$/.test(word) && !word.startsWith('-')) ? 6 : 4;
  const about = describe ? descriptions(before) : {};
  for (const word of found) {
    const bare = word.startsWith('--') ? word.replace(/=$/, '') : word;
    const text = word.startsWith('--') ? (describe ? FLAG_WORDS[bare.slice(2)] : undefined) : about[word];
    self.stdout(text === undefined ? `${bare}\n` : `${bare}\t${text}\n`);
  }
  self.stdout(`:${directive}\n`);
  self.stderr(`Completion ended with directive: ${DIRECTIVES[directive]}\n`);
  return 0;
}

/** What the commands one may go on with are for. */
function descriptions(before: readonly string[]): Readonly<Record<string, string>> {
  const words = before.filter((word) => !word.startsWith('-'));
  try {
    const table = words.length === 0 ? COMMANDS : (findCommand(words).command?.subcommands ?? {});
    return Object.fromEntries(Object.entries(table).map(([name, { summary }]) => [name, summary]));
  } catch {
    return {};
  }
}
