/**
 * What Tab offers after `kubectl`: commands, flags, kinds, names of objects, namespaces, containers. The real one does
 * it through `kubectl __complete`; asking the server takes virtual time here too.
 */

import type { Files } from '../../linux/files.ts';
import type { ProgramContext } from '../../linux/program.ts';
import { noInput } from '../../linux/shell/text-pipe.ts';
import type { Sockets } from '../../linux/sockets.ts';
import type { Process } from '../../sim/process.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import type { Command } from './commands/command.ts';
import { COMMANDS } from './commands/commands.ts';
import { pathOf, type ResourceInfo } from './discovery.ts';
import { type Flags, GLOBAL_FLAGS, parseFlags } from './flags.ts';
import { openSession } from './kubectl.ts';
import { isObject, type JsonObject, type Session } from './session.ts';

export interface CompletionOptions {
  /** The API server as seen from the process that asks. */
  handler(self: Process): ApiHandler;
  readonly certificate?: ApiRequest['certificate'];
}
interface CompletionContext {
  readonly process: Process;
  readonly files: Files;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const OUTPUTS = ['custom-columns=', 'custom-columns-file=', 'json', 'jsonpath=', 'jsonpath-as-json=', 'jsonpath-file=', 'name', 'wide', 'yaml'];
/** Commands whose arguments are pods, or kinds with pods behind them. */
const POD_COMMANDS = new Set(['logs', 'exec', 'attach', 'port-forward', 'debug', 'cp']);
const NODE_COMMANDS = new Set(['cordon', 'uncordon', 'drain']);
const WORKLOADS = ['daemonset', 'deployment', 'statefulset'];
const SCALABLE = ['deployment', 'replicaset', 'replicationcontroller', 'statefulset'];

/** Gives the completer for `MachineOptions.completers`. `words` are those before the cursor, `kubectl` first. */
export function createKubectlCompletion(
  options: CompletionOptions,
): (words: readonly string[], current: string, context: CompletionContext) => Promise<readonly string[] | undefined> {
  return async (words, current, context) => {
    const { command, path, rest } = walk(words.slice(1));
    const specs = { ...GLOBAL_FLAGS, ...command?.flags };
    let flags: Flags;
    const last = words.at(-1) ?? '';
    const open = pendingFlag(last, specs);
    try {
      flags = parseFlags(open === undefined ? rest : rest.slice(0, -1), specs, path);
    } catch {
      return [];
    }
    const session = openSession(programContext(context), flags, path, {
      handler: options.handler(context.process),
      ...(options.certificate ? { certificate: options.certificate } : {}),
    });
    try {
      const assigned = /^--([a-z-]+)=(.*)$/.exec(current);
      if (assigned) return (await flagValues(session, assigned[1]!))?.map((value) => `--${assigned[1]}=${value}`);
      if (open !== undefined) return flagValues(session, open);
      if (current.startsWith('-'))
        return Object.entries(specs)
          .map(([name, spec]) => `--${name}${spec.type === 'bool' || spec.bare !== undefined ? '' : '='}`)
          .sort();
      if (!command?.run || (command.subcommands && flags.args.length === 0)) {
        const names = Object.keys(command ? (command.subcommands ?? {}) : COMMANDS).sort();
        if (names.length > 0) return names;
      }
      return await argumentsOf(session, path.split(' ').slice(1), flags.args, current);
    } catch {
      // A server that does not answer offers nothing.
      return [];
    }
  };
}

function walk(words: readonly string[]): { command: Command | undefined; path: string; rest: readonly string[] } {
  let command: Command | undefined;
  let path = 'kubectl';
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const table: Readonly<Record<string, Command>> | undefined = command ? command.subcommands : COMMANDS;
    const next: [string, Command] | undefined =
      word.startsWith('-') || !table ? undefined : Object.entries(table).find(([name, one]) => name === word || one.aliases?.includes(word));
    const previous = words[i - 1];
    if (next && !(previous !== undefined && pendingFlag(previous, { ...GLOBAL_FLAGS, ...command?.flags }) !== undefined)) {
      command = next[1];
      path += ` ${next[0]}`;
    } else rest.push(word);
  }
  return { command, path, rest };
}

/** The flag a word leaves waiting for its value. */
function pendingFlag(
  word: string,
  specs: Readonly<Record<string, { readonly type: string; readonly short?: string; readonly bare?: string }>>,
): string | undefined {
  if (word.startsWith('--') && !word.includes('=')) {
    const spec = specs[word.slice(2)];
    return spec && spec.type !== 'bool' && spec.bare === undefined ? word.slice(2) : undefined;
  }
  if (/^-[A-Za-z]$/.test(word)) {
    const found = Object.entries(specs).find(([, spec]) => spec.short === word[1]);
    return found && found[1].type !== 'bool' && found[1].bare === undefined ? found[0] : undefined;
  }
  return undefined;
}

async function flagValues(session: Session, flag: string): Promise<readonly string[] | undefined> {
  switch (flag) {
    case 'namespace':
      return namesOf(session, 'namespaces');
    case 'output':
      return OUTPUTS;
    case 'context':
      return session.config.contexts.map((entry) => entry.name).sort();
    case 'cluster':
      return session.config.clusters.map((entry) => entry.name).sort();
    case 'user':
      return session.config.users.map((entry) => entry.name).sort();
    case 'dry-run':
      return ['client', 'none', 'server'];
    case 'cascade':
      return ['background', 'foreground', 'orphan'];
    case 'container': {
      const pod = session.flags.args[0];
      if (!pod) return [];
      const object = await session.request('GET', `/api/v1/namespaces/${session.namespace}/pods/${pod.replace(/^pods?\//, '')}`);
      const spec = isObject(object) ? object['spec'] : undefined;
      return isObject(spec) ? ((spec['containers'] as unknown as readonly { readonly name: string }[]) ?? []).map((container) => container.name) : [];
    }
    case 'filename':
    case 'kubeconfig':
    case 'from-file':
      return undefined;
    default:
      return [];
  }
}

async function namesOf(session: Session, type: string | ResourceInfo, labelSelector = ''): Promise<readonly string[]> {
  const info = typeof type === 'string' ? await session.discovery.find(type) : type;
  if (!info) return [];
  const body = await session.request('GET', pathOf(info, session.flags.bool('all-namespaces') ? undefined : session.namespace), {
    query: { limit: '500', ...(labelSelector ? { labelSelector } : {}) },
    accept: 'application/json',
  });
  const items = isObject(body) ? ((body['items'] as readonly JsonObject[] | undefined) ?? []) : [];
  return items.map((item) => String((item['metadata'] as JsonObject)['name'])).sort();
}

async function kinds(session: Session): Promise<readonly string[]> {
  const all = await session.discovery.all();
  return [
    ...new Set(
      all
        .filter((info) => info.preferred && info.verbs.includes('get'))
        // As `api-resources -o name` has them.
        .map((info) => (info.group === '' ? info.resource : `${info.resource}.${info.group}`)),
    ),
  ].sort();
}

async function argumentsOf(session: Session, path: readonly string[], args: readonly string[], current: string): Promise<readonly string[] | undefined> {
  const [verb = '', sub = ''] = path;
  const prefixed = async (types: readonly string[]): Promise<readonly string[]> => {
    const slash = current.indexOf('/');
    if (slash >= 0) return (await namesOf(session, current.slice(0, slash))).map((name) => current.slice(0, slash + 1) + name);
    return types.map((type) => `${type}/`);
  };
  if (verb === 'apply' || (verb === 'create' && sub === '') || verb === 'replace' || verb === 'diff' || verb === 'kustomize') return undefined;
  if (verb === 'completion') return args.length > 0 ? [] : ['bash', 'fish', 'powershell', 'zsh'];
  if (verb === 'certificate') return (await namesOf(session, 'certificatesigningrequests')).filter((name) => !args.includes(name));
  if (verb === 'exec' && args.length > 0) return undefined;
  if (POD_COMMANDS.has(verb)) {
    if (args.length > 0) return [];
    if (current.includes('/')) return prefixed([]);
    return [...(await namesOf(session, 'pods')), ...[...WORKLOADS, 'job', 'replicaset', 'service'].map((type) => `${type}/`)].sort();
  }
  if (NODE_COMMANDS.has(verb)) return (await namesOf(session, 'nodes')).filter((name) => !args.includes(name));
  if (verb === 'top') return namesOf(session, sub === 'node' ? 'nodes' : 'pods');
  if (verb === 'config') return configNames(session, sub, args.length);
  if (verb === 'explain') return args.length > 0 ? [] : kinds(session);
  if (verb === 'rollout' || verb === 'set') return args.length === 0 ? (current.includes('/') ? prefixed([]) : WORKLOADS) : namesOf(session, args[0]!);
  if (verb === 'scale' || verb === 'autoscale') return args.length === 0 ? (current.includes('/') ? prefixed([]) : SCALABLE) : namesOf(session, args[0]!);
  if (verb === 'taint') return args.length === 0 ? ['node', 'nodes'] : args.length === 1 ? namesOf(session, 'nodes') : [];
  if (['get', 'describe', 'delete', 'edit', 'label', 'annotate', 'patch', 'expose', 'wait'].includes(verb)) {
    if (current.includes('/')) return prefixed([]);
    if (args.length === 0) {
      const comma = current.lastIndexOf(',') + 1;
      return (await kinds(session)).map((kind) => current.slice(0, comma) + kind);
    }
    if (args[0]!.includes('/')) return [];
    return (await namesOf(session, args[0]!.split(',')[0]!)).filter((name) => !args.includes(name));
  }
  return [];
}

/** What of the kubeconfig a `config` command takes by name. */
function configNames({ config }: Session, sub: string, given: number): readonly string[] {
  if (given > 0) return [];
  const names = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name);
  if (['use-context', 'delete-context', 'set-context', 'rename-context', 'get-contexts'].includes(sub)) return names(config.contexts);
  if (sub === 'set-cluster' || sub === 'delete-cluster') return names(config.clusters);
  return sub === 'set-credentials' || sub === 'delete-user' ? names(config.users) : [];
}

/** As much of a program as a session asks for; what it would print is nobody's business. */
const programContext = (context: CompletionContext): ProgramContext => ({
  argv: ['kubectl'],
  env: context.env,
  cwd: context.cwd,
  hostname: '',
  files: context.files,
  sockets: {} as unknown as Sockets,
  process: context.process,
  stdin: noInput,
  stdout: () => {},
  stderr: () => {},
  onSignal: () => {},
  run: async () => 127,
});
