/**
 * kubectl, a program of the world: what it prints and asks of the server is what the real one (v1.33)
 * prints and asks.
 *
 * This file finds the command and reads its flags; each command is a file in `commands/`. `builder.ts`
 * says which objects are meant, `discovery.ts` what the server serves, `session.ts` talks to it,
 * `printers/` and `describe/` write what people read.
 */

import type { Files } from '../../linux/files.ts';
import type { Program, ProgramContext } from '../../linux/program.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import { TransportError } from '../api/request.ts';
import type { Command } from './commands/command.ts';
import { COMMANDS } from './commands/commands.ts';
import { helpText } from './commands/help.ts';
import { Discovery, type DiscoveryCache, emptyCache } from './discovery.ts';
import { describeError, ExitWith, KubectlError } from './errors.ts';
import { type Flags, GLOBAL_FLAGS, parseDuration, parseFlags } from './flags.ts';
import { helpOf } from './help-text.ts';
import { klog } from './klog.ts';
import { readConfig, subjectOf } from './kubeconfig.ts';
import { createRequester, type Session } from './session.ts';

export interface KubectlOptions {
  /** Already dialled: the API server the kubeconfig names. */
  readonly handler: ApiHandler;
  /** Who the caller is when the kubeconfig's user does not say it in a way we can read. */
  readonly certificate?: ApiRequest['certificate'];
  /** Kept for compositions that load texts lazily; explain reads the server's documents. */
  readonly loadTexts?: () => Promise<unknown>;
}

/** What kubectl keeps in ~/.kube/cache: one per machine, that is, per file system. */
const CACHES = new WeakMap<Files, DiscoveryCache>();

function cacheOf(files: Files): DiscoveryCache {
  const known = CACHES.get(files);
  if (known) return known;
  const fresh = emptyCache();
  CACHES.set(files, fresh);
  return fresh;
}

export function createKubectl(options: KubectlOptions): Program {
  return async (self) => {
    let server = '10.0.0.10:6443';
    try {
      const given = self.argv.slice(1);
      // `help get` is `get --help`.
      if (given[0] === 'help') return helpFor(self, given.slice(1));
      if (given[0] === '__complete' || given[0] === '__completeNoDesc') {
        const { answerCompletion } = await self.process.outside(import('./complete-protocol.ts'));
        const reach = { handler: () => options.handler, ...(options.certificate ? { certificate: options.certificate } : {}) };
        return await answerCompletion(self, reach, given.slice(1), given[0] === '__complete');
      }
      const found = findCommand(given);
      if (!found.command) {
        self.stdout(helpText(COMMANDS));
        return 0;
      }
      const { command, path, rest } = found;
      const flags = parseFlags(rest, { ...GLOBAL_FLAGS, ...command.flags }, path);
      if (flags.bool('help') || !command.run) {
        // A group of commands without one of them: its help, and a failure (`DefaultSubCommandRun`).
        const failed = !command.run && !flags.bool('help');
        if (failed && path !== 'kubectl rollout' && path !== 'kubectl certificate') self.stderr(helpOf(command, path));
        else self.stdout(helpOf(command, path));
        return failed ? 1 : 0;
      }
      const missing = (command.required ?? []).filter((name) => !flags.has(name));
      if (missing.length > 0) throw new KubectlError(`required flag(s) ${missing.map((name) => JSON.stringify(name)).join(', ')} not set`);
      const session = openSession(self, flags, path, options);
      server = session.server;
      await command.run(session, flags.args);
      const warnings = session.warnings();
      if (flags.bool('warnings-as-errors') && warnings > 0) throw new KubectlError(`${warnings} warning${warnings === 1 ? '' : 's'} received`);
      return 0;
    } catch (error) {
      const { text, code } = describeError(error, server);
      self.stderr(text);
      return code;
    }
  };
}

/** cobra's `help`: the text of a command, or of them all. */
function helpFor(self: ProgramContext, words: readonly string[]): number {
  const topic = words.filter((word) => !word.startsWith('-'));
  if (topic.length === 0) {
    self.stdout(helpText(COMMANDS));
    return 0;
  }
  if (!Object.entries(COMMANDS).some(([name, command]) => name === topic[0] || command.aliases?.includes(topic[0]!))) {
    self.stderr(`Unknown help topic [\`${topic.join('` `')}\`]\n${helpText(COMMANDS).replace(/^[\s\S]*?\n\n[\s\S]*?\n\n/, '\n\n')}`);
    return 0;
  }
  const { command, path } = findCommand(topic);
  self.stdout(helpOf(command!, path));
  return 0;
}

/** Their --user is not the kubeconfig's. */
const OWN_USER = /^kubectl (create (cluster)?rolebinding|set subject)\b/;
/** `kubectl config` works on what is not there yet. */
const needsServer = (command: string): boolean => !command.startsWith('kubectl config');

export function openSession(self: ProgramContext, flags: Flags, command: string, options: KubectlOptions): Session {
  const file = flags.text('kubeconfig');
  if (file !== '' && needsServer(command) && !self.files.exists(file.startsWith('/') ? file : `${self.cwd}/${file}`))
    throw new KubectlError(`stat ${file}: no such file or directory`);
  const config = readConfig(self, flags);
  const contextName = flags.text('context') || config.currentContext;
  const context = config.contexts.find((entry) => entry.name === contextName)?.context;
  if (flags.text('context') && !context && needsServer(command)) {
    self.stderr(`Error in configuration: context was not found for specified context: ${contextName}\n`);
    throw new ExitWith(1);
  }
  const clusterName = flags.text('cluster') || context?.cluster;
  const cluster = config.clusters.find((entry) => entry.name === clusterName)?.cluster;
  const asked = OWN_USER.test(command) ? '' : flags.text('user');
  const userName = asked || context?.user;
  const user = config.users.find((entry) => entry.name === userName)?.user;
  if (needsServer(command)) {
    if (flags.text('cluster') && !cluster) throw new KubectlError(`cluster ${JSON.stringify(clusterName)} does not exist`);
    if (asked && !user) throw new KubectlError(`auth info ${JSON.stringify(userName)} does not exist`);
    const timeout = flags.text('request-timeout');
    if (timeout !== '' && parseDuration(timeout) === undefined && !/^[+-]?\d+$/.test(timeout))
      throw new KubectlError(
        'Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)',
      );
  }
  const serverUrl = flags.text('server') || cluster?.server || 'https://10.0.0.10:6443';
  const server = serverUrl.replace(/^https?:\/\//, '').replace(/\/$/, '');
  const token = flags.text('token') || user?.token;
  const requester = createRequester({ self, handler: options.handler, certificate: subjectOf(user, self) ?? options.certificate, token, flags, server });
  const discovery = new Discovery(
    cacheOf(self.files),
    async (path, accept) => {
      try {
        return await requester.send('GET', path, { accept });
      } catch (error) {
        if (error instanceof TransportError) {
          // client-go's memory cache tries five times and logs each failure through klog.
          for (let i = 0; i < 5; i++)
            self.stderr(
              klog(
                self,
                `memcache.go:265] "Unhandled Error" err=${JSON.stringify(`couldn't get current server API group list: Get "${serverUrl}/api?timeout=32s": ${error.message}`)}`,
              ),
            );
        }
        throw error;
      }
    },
    () => self.process.clock.now(),
  );
  return {
    self,
    flags,
    config,
    server,
    serverUrl,
    namespace: flags.text('namespace') || context?.namespace || 'default',
    namespaceGiven: flags.has('namespace'),
    command,
    discovery,
    loadTexts: options.loadTexts,
    out: self.stdout,
    err: self.stderr,
    ...requester,
  };
}

interface Found {
  readonly command: Command | undefined;
  readonly path: string;
  readonly rest: readonly string[];
}

/** Walks down the subcommands; flags may stand before them. */
export function findCommand(argv: readonly string[]): Found {
  let path = 'kubectl';
  let table: Readonly<Record<string, Command>> | undefined = COMMANDS;
  let command: Command | undefined;
  const rest = [...argv];
  while (table) {
    const at = commandIndex(rest, command);
    if (at < 0) break;
    const name = rest[at]!;
    const next: [string, Command] | undefined = Object.entries(table).find(([key, value]) => key === name || value.aliases?.includes(name));
    if (!next) {
      if (!command) {
        const near = suggestions(name, Object.keys(COMMANDS));
        throw new KubectlError(
          `unknown command ${JSON.stringify(name)} for "kubectl"${near.length > 0 ? `\n\nDid you mean this?\n${near.map((text) => `\t${text}`).join('\n')}` : ''}`,
        );
      }
      // Only groups of commands (rollout, set, config) insist; `create -f x` and `create foo` go to create itself.
      if (command.run) break;
      throw new KubectlError(`unknown command ${JSON.stringify(name)}\nSee '${path} -h' for help and examples`);
    }
    rest.splice(at, 1);
    path += ` ${next[0]}`;
    command = next[1];
    table = command.subcommands;
  }
  if (!command) {
    const flags = parseFlags(rest, GLOBAL_FLAGS, 'kubectl');
    void flags;
    return { command: undefined, path, rest };
  }
  return { command, path, rest };
}

/** The first word that is no flag and no flag's value. */
function commandIndex(argv: readonly string[], command: Command | undefined): number {
  const specs = { ...GLOBAL_FLAGS, ...command?.flags };
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--') return -1;
    if (!arg.startsWith('-') || arg === '-') return i;
    const long = arg.startsWith('--') ? arg.slice(2) : undefined;
    if (long?.includes('=')) continue;
    const spec = long !== undefined ? specs[long] : Object.values(specs).find((entry) => entry.short === arg[1]);
    if (spec && spec.type !== 'bool' && spec.bare === undefined && (long !== undefined || arg.length === 2)) i++;
  }
  return -1;
}

/** In the order in which kubectl's groups list them, as cobra suggests them. */
const ORDER =
  'create expose run set explain get edit delete rollout scale autoscale certificate cluster-info top cordon uncordon drain taint describe logs attach exec port-forward proxy cp auth debug events diff apply patch replace wait kustomize label annotate completion config plugin version api-versions api-resources options'.split(
    ' ',
  );

/** cobra's: Levenshtein distance of at most two, or a common beginning. */
function suggestions(typed: string, names: readonly string[]): readonly string[] {
  return names
    .filter((name) => distance(typed.toLowerCase(), name) <= 2 || name.startsWith(typed.toLowerCase()))
    .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
}
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
