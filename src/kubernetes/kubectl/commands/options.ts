/** kubectl options: the flags every command takes. */
import { GLOBAL_FLAGS } from '../flags.ts';
import { optionsText } from '../help-text.ts';
import type { Command } from './command.ts';

export const options: Command = {
  summary: 'Print the list of flags inherited by all commands',
  usage: 'kubectl options [flags] [options]',
  run: async (session) => {
    const { HOME = '/root' } = session.self.env;
    const flags = { ...GLOBAL_FLAGS, 'cache-dir': { ...GLOBAL_FLAGS['cache-dir']!, default: `${HOME}/.kube/cache` } };
    session.out(`The following options can be passed to any command:\n\n${optionsText(flags)}\n`);
  },
};
