/**
 * node, ruby and go. Here simplified: none of them reads its language. They tell their version, print what a one-line
 * program prints that is a literal, and say so when they are asked for more.
 */
import type { Program, ProgramContext } from '../../../linux/program.ts';
import { defer } from '../../../sim/mailbox.ts';

/** Prints each literal a call prints; undefined when there is something else in the program. */
export function printed(source: string, call: RegExp): string | undefined {
  let out = '';
  for (const statement of source.split(/;|\n/).map((each) => each.trim())) {
    if (statement === '') continue;
    const text = call.exec(statement)?.[1]?.trim();
    const literal = /^(?:'([^'\\]*)'|"([^"\\#$]*)"|`([^`$\\]*)`|(-?\d+(?:\.\d+)?))$/.exec(text ?? '');
    if (!literal) return undefined;
    out += `${literal[1] ?? literal[2] ?? literal[3] ?? literal[4]}\n`;
  }
  return out;
}

function answer(self: ProgramContext, name: string, source: string, call: RegExp): number {
  const out = printed(source, call);
  if (out === undefined) {
    self.stderr(`orrery: this ${name} prints literals, and runs nothing else: ${source.split('\n')[0]}\n`);
    return 1;
  }
  self.stdout(out);
  return 0;
}

const language =
  (name: string, versionText: string, versionFlags: readonly string[], inline: string, call: RegExp): Program =>
  async (self) => {
    const args = self.argv.slice(1);
    if (args.length === 0) {
      // A prompt that reads nothing: it ends with its input, as on a container without -i.
      if (!self.terminal) return 0;
      return defer<number>(self.process.clock).promise;
    }
    if (versionFlags.includes(args[0]!)) {
      self.stdout(`${versionText}\n`);
      return 0;
    }
    if (args[0] === inline) return answer(self, name, args[1] ?? '', call);
    const path = args[0]!.startsWith('/') ? args[0]! : `${self.cwd.replace(/\/$/, '')}/${args[0]}`;
    if (!self.files.exists(path)) {
      self.stderr(
        name === 'node'
          ? `node:internal/modules/cjs/loader\n\nError: Cannot find module '${path}'\n`
          : `${name}: No such file or directory -- ${args[0]} (LoadError)\n`,
      );
      return 1;
    }
    return answer(self, name, self.files.read(path), call);
  };

export const node = (version: string): Program => language('node', `v${version}`, ['-v', '--version'], '-e', /^console\.log\((.*)\)$/);
export const ruby = (version: string): Program => language('ruby', `ruby ${version} [x86_64-linux]`, ['-v', '--version'], '-e', /^puts\s*\(?(.*?)\)?$/);
export const go =
  (version: string): Program =>
  async (self) => {
    if (self.argv[1] === 'version') {
      self.stdout(`go version go${version} linux/amd64\n`);
      return 0;
    }
    self.stderr(`orrery: this go tells its version, and builds nothing\n`);
    return 2;
  };
