/**
 * etcdctl, a program of the world: what it prints is what the real one of etcd 3.5 prints.
 *
 * This file finds the command and reads its flags; each family of commands is a file in `commands/`, each
 * form of output one in `printers/`. It reaches the members through the endpoints it is told of, over the
 * same wires as everything else. Here simplified: TLS flags are read and have no effect.
 */
import type { Program, ProgramContext } from '../../linux/program.ts';
import { EtcdError } from '../etcd/api.ts';
import { auth, role, user } from './commands/auth.ts';
import { check } from './commands/check.ts';
import type { Command } from './commands/command.ts';
import { elect, lock } from './commands/concurrency.ts';
import { alarm, defrag, endpoint } from './commands/endpoint.ts';
import { compaction, del, get, put, readAll } from './commands/kv.ts';
import { lease } from './commands/lease.ts';
import { member, moveLeader } from './commands/member.ts';
import { makeMirror } from './commands/mirror.ts';
import { snapshot, utlRestore, utlStatus } from './commands/snapshot.ts';
import { txn } from './commands/txn.ts';
import { watch } from './commands/watch.ts';
import { Ctl, type Dialer } from './ctl.ts';
import { CtlError, Ended, ExitCode } from './errors.ts';
import { bool, describeFlags, FlagError, type FlagTable, GLOBAL, parseFlags } from './flags.ts';

const help: Command = {
  use: 'help [command]',
  short: 'Help about any command',
  long: 'Help provides help for any command in the application.\nSimply type etcdctl help [path to command] for full details.',
  // Found by its name and answered before anything is run: see `programOf`.
  async run() {},
};

const version: Command = {
  use: 'version',
  short: 'Prints the version of etcdctl',
  async run({ self }) {
    self.stdout('etcdctl version: 3.5.21\nAPI version: 3.5\n');
  },
};

const COMMANDS: Readonly<Record<string, Command>> = {
  alarm,
  auth,
  check,
  compaction,
  defrag,
  del,
  elect,
  endpoint,
  get,
  help,
  lease,
  lock,
  'make-mirror': makeMirror,
  member,
  'move-leader': moveLeader,
  put,
  role,
  snapshot,
  txn,
  user,
  version,
  watch,
};
/** cobra's `SuggestFor` and prefix matching: etcdctl has it on, so `compact` is `compaction`. */
const byPrefix = (commands: Readonly<Record<string, Command>>, word: string): Command | undefined => {
  if (Object.hasOwn(commands, word)) return commands[word];
  const found = Object.keys(commands).filter((name) => word !== '' && name.startsWith(word));
  return found.length === 1 ? commands[found[0]!] : undefined;
};

/** `dial` says what is found at an endpoint. Ends with etcdctl's exit codes. */
export const createEtcdctl = (dialer: Dialer): Program =>
  programOf({ name: 'etcdctl', about: 'A simple command line client for etcd3.', commands: COMMANDS, global: GLOBAL }, dialer);

/** etcdutl: what is done to files, without any member. */
export const createEtcdutl = (): Program =>
  programOf(
    { name: 'etcdutl', about: 'An administrative command line tool for etcd3.', commands: UTL, global: { 'write-out': GLOBAL['write-out']! } },
    {
      dial: () => {
        throw new Error('etcdutl speaks to nobody');
      },
    },
  );

const UTL: Readonly<Record<string, Command>> = {
  snapshot: { use: 'snapshot <subcommand>', short: 'Manages etcd node snapshots', commands: { restore: utlRestore, status: utlStatus } },
  version: {
    use: 'version',
    short: 'Prints the version of etcdutl',
    async run({ self }) {
      self.stdout('etcdutl version: 3.5.21\nAPI version: 3.5\n');
    },
  },
};

interface Suite {
  readonly name: 'etcdctl' | 'etcdutl';
  readonly about: string;
  readonly commands: Readonly<Record<string, Command>>;
  /** Flags of every command. */
  readonly global: FlagTable;
}

function programOf(suite: Suite, dialer: Dialer): Program {
  return async (self) => {
    const { command, path, rest } = find(suite.commands, self.argv.slice(1));
    const table: FlagTable = {
      ...suite.global,
      ...suite.commands[path[0] ?? '']?.shared,
      ...command?.flags,
      help: bool(`help for ${path.at(-1) ?? suite.name}`, 'h'),
    };
    try {
      const flags = parseFlags(rest, table, self.env);
      if (command === help && !flags.bool('help')) return explain(suite, self, flags.args);
      if (!command?.run) return group(suite, self, command, path, flags.args, flags.bool('help'));
      if (flags.bool('help')) {
        self.stdout(usage(suite, command, path));
        return 0;
      }
      const ctl = new Ctl(self, flags, dialer);
      await ctl.login(async () => (await readAll(ctl)).split('\n')[0]!);
      await command.run(ctl, flags.args);
      return 0;
    } catch (error) {
      if (error instanceof FlagError) {
        self.stderr(`Error: ${error.message}\n`);
        self.stdout(command ? usage(suite, command, path) : overview(suite));
        self.stderr(`\nError: ${error.message}\n`);
        return ExitCode.Error;
      }
      if (error instanceof Ended) return error.code;
      if (error instanceof CtlError && error.message.startsWith('panic: ')) self.stderr(`${error.message}\n`);
      else if (error instanceof CtlError || error instanceof EtcdError) self.stderr(`Error: ${error.message}\n`);
      else throw error;
      return error instanceof CtlError ? error.code : ExitCode.Error;
    }
  };
}

/** Words up to the command, wherever global flags stand among them. */
function find(
  all: Readonly<Record<string, Command>>,
  argv: readonly string[],
): { readonly command: Command | undefined; readonly path: readonly string[]; readonly rest: readonly string[] } {
  let command: Command | undefined;
  let commands: Readonly<Record<string, Command>> | undefined = all;
  const path: string[] = [];
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    const known: Command | undefined = commands && !word.startsWith('-') ? byPrefix(commands, word) : undefined;
    if (known) {
      command = known;
      commands = known.commands;
      path.push(word);
      continue;
    }
    rest.push(word);
    if (word === '--' || (!word.startsWith('-') && commands)) {
      rest.push(...argv.slice(i + 1));
      break;
    }
    // The value of a global flag before the command is no command.
    const flag = word.startsWith('--') ? GLOBAL[word.slice(2)] : Object.values(GLOBAL).find(({ short }) => word === `-${short}`);
    if (flag && flag.type !== 'bool' && i + 1 < argv.length) rest.push(argv[++i]!);
  }
  return { command, path, rest };
}

/** A group without one of its commands: its help, or what was not understood. */
function group(suite: Suite, self: ProgramContext, command: Command | undefined, path: readonly string[], args: readonly string[], help: boolean): number {
  const [unknown] = args;
  if (unknown !== undefined && !help && !command) {
    const message = `Error: unknown command ${JSON.stringify(unknown)} for "${suite.name}"\n`;
    self.stderr(`${message}Run '${suite.name} --help' for usage.\n${message}`);
    return ExitCode.Error;
  }
  self.stdout(command ? usage(suite, command, path) : overview(suite));
  return 0;
}

/** `help get`: the page of a command, or what cobra says of words that are none. */
function explain(suite: Suite, self: ProgramContext, words: readonly string[]): number {
  const { command, path, rest } = find(suite.commands, words);
  if (rest.length > 0 && !command) {
    self.stderr(`Unknown help topic [${words.map((word) => `\`${word}\``).join(' ')}]\n`);
    self.stdout(overview(suite));
    return 0;
  }
  self.stdout(command ? usage(suite, command, path) : overview(suite));
  return 0;
}

function usage(suite: Suite, command: Command, path: readonly string[]): string {
  const name = path.at(-1)!;
  const group = path.length > 1 ? suite.commands[path[0]!] : undefined;
  const own = { ...command.flags, ...command.shared, help: bool(`help for ${name}`, 'h') };
  const inner = command.commands
    ? `\nAPI VERSION:\n\t3.5\n\n\nCOMMANDS:\n${table(Object.entries(command.commands).map(([each, { short }]) => [each, short]))}`
    : '';
  const long = command.long ? `\nDESCRIPTION:\n${command.long.replace(/^/gm, '\t')}\n` : '';
  const global = { ...suite.global, ...group?.shared };
  return `NAME:\n\t${path.join(' ')} - ${command.short}\n\nUSAGE:\n\t${suite.name} ${command.use} [flags]\n${inner}${long}\nOPTIONS:\n${describeFlags(own)}\nGLOBAL OPTIONS:\n${describeFlags(global)}\n`;
}

/** Names and what they are for, at one column of tabs (Go's text/tabwriter with cells of eight). */
function table(rows: readonly (readonly [name: string, about: string])[]): string {
  const column = Math.floor(Math.max(...rows.map(([name]) => name.length)) / 8) + 1;
  return rows.map(([name, about]) => `\t${name}${'\t'.repeat(column - Math.floor(name.length / 8))}${about}\n`).join('');
}

function overview({ name: program, about, commands, global }: Suite): string {
  const rows = Object.entries(commands).flatMap(([name, command]): [string, string][] =>
    command.commands ? Object.entries(command.commands).map(([each, { short }]) => [`${name} ${each}`, short]) : [[name, command.short]],
  );
  return `NAME:\n\t${program} - ${about}\n\nUSAGE:\n\t${program} [flags]\n\nVERSION:\n\t3.5.21\n\nAPI VERSION:\n\t3.5\n\n\nCOMMANDS:\n${table(rows)}\nOPTIONS:\n${describeFlags({ ...global, help: bool(`help for ${program}`, 'h') })}\n`;
}
