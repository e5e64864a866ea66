/** kubectl completion: the text a shell reads to complete commands (kubectl pkg/cmd/completion). */
import { usageError } from '../errors.ts';
import type { Command } from './command.ts';

export const completion: Command = {
  summary: 'Output shell completion code for the specified shell (bash, zsh, fish, or powershell)',
  usage: 'kubectl completion SHELL [options]',
  flags: {},
  run: async (session, args) => {
    const [shell] = args;
    if (shell === undefined) throw usageError('kubectl completion', 'Shell not specified.');
    if (args.length > 1) throw usageError('kubectl completion', 'Too many arguments. Expected only the shell type.');
    const { SCRIPTS } = await session.self.process.outside(import('../completion-scripts.ts'));
    if (!Object.hasOwn(SCRIPTS, shell)) throw usageError('kubectl completion', `Unsupported shell type ${JSON.stringify(shell)}.`);
    session.out(SCRIPTS[shell]!);
  },
};
