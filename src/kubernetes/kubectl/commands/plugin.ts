/** kubectl plugin list (kubectl pkg/cmd/plugin): programs on the PATH named `kubectl-…`. */
import { KubectlError } from '../errors.ts';
import { bool } from '../flags.ts';
import type { Command } from './command.ts';

export const plugin: Command = {
  summary: 'Provides utilities for interacting with plugins',
  usage: 'kubectl plugin [flags] [options]',
  subcommands: {
    list: {
      summary: "List all visible plugin executables on a user's PATH",
      usage: 'kubectl plugin list [flags] [options]',
      flags: { 'name-only': bool() },
      run: async (session) => {
        const { files, env } = session.self;
        const found: string[] = [];
        for (const folder of (env['PATH'] ?? '').split(':').filter((one) => one.trim() !== '')) {
          if (!files.exists(folder) || !files.isDirectory(folder)) continue;
          for (const name of files.list(folder)) if (name.startsWith('kubectl-')) found.push(session.flags.bool('name-only') ? name : `${folder}/${name}`);
        }
        if (found.length === 0) throw new KubectlError('unable to find any kubectl plugins in your PATH');
        session.out(`The following compatible plugins are available:\n\n${found.map((one) => `${one}\n`).join('')}`);
      },
    },
  },
};
