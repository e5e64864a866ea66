/** kubectl config's commands that write: set, set-cluster, set-context, set-credentials, unset, delete-*, rename-context, use-context. */
import type { Json } from '../../api/json.ts';
import { ExitWith, KubectlError, usageError } from '../errors.ts';
import { bool, type FlagSpecs, text } from '../flags.ts';
import { helpOf } from '../help-text.ts';
import { type ConfigContext, configPath, encodeBase64, type KubeConfig, shownConfigPath, writeConfig } from '../kubeconfig.ts';
import type { JsonObject, Session } from '../session.ts';
import type { Command } from './command.ts';
import { setProperty, unsetProperty } from './config-path.ts';

type Lists = 'clusters' | 'contexts' | 'users';
const SINGULAR = { clusters: 'cluster', contexts: 'context', users: 'user' } as const;

/** As many arguments as there must be; else the help on standard output, and a failure unless `quiet`. */
function argumentsOf(session: Session, args: readonly string[], count: number, quiet = false): readonly string[] {
  if (args.length === count) return args;
  session.out(helpOf(CONFIG_WRITERS[session.command.split(' ').at(-1)!]!, session.command));
  const word = session.command.endsWith('set-credentials') ? 'unexpected' : 'Unexpected';
  throw quiet ? new ExitWith(0) : new KubectlError(`${word} args: [${args.join(' ')}]`);
}

/** An entry with some fields set; others stay. */
function withEntry<L extends Lists>(config: KubeConfig, list: L, name: string, fields: JsonObject): KubeConfig {
  const key = SINGULAR[list];
  const entries = config[list] as readonly { readonly name: string }[];
  const old = entries.find((entry) => entry.name === name) as (JsonObject & { readonly name: string }) | undefined;
  const set = clean({ ...(old?.[key] as JsonObject | undefined), ...fields });
  // A cluster always says its server, though it be none.
  const entry = { name, [key]: list === 'clusters' ? { server: '', ...set } : set };
  return { ...config, [list]: old ? entries.map((one) => (one === old ? entry : one)) : [...entries, entry] };
}
const clean = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined && value !== false));

/** A file's path as the kubeconfig keeps it: told from the kubeconfig's own folder when it is in there. */
function kept(session: Session, path: string): string {
  const whole = path.startsWith('/') ? path : `${session.self.cwd}/${path}`;
  const at = configPath(session.self, session.flags);
  const folder = at.slice(0, at.lastIndexOf('/') + 1);
  return whole.startsWith(folder) ? whole.slice(folder.length) : whole;
}
function contentOf(session: Session, path: string, what: string): string {
  const at = path.startsWith('/') ? path : `${session.self.cwd}/${path}`;
  if (!session.self.files.exists(at)) throw new KubectlError(`could not read ${what} data from ${path}: open ${path}: no such file or directory`);
  return encodeBase64(session.self.files.read(at));
}

const CLUSTER_FLAGS: FlagSpecs = {
  'certificate-authority': text(),
  'embed-certs': bool(),
  'insecure-skip-tls-verify': bool(),
  'proxy-url': text(),
  server: text('s'),
  'tls-server-name': text(),
};

const setCluster: Command = {
  summary: 'Set a cluster entry in kubeconfig',
  usage:
    'kubectl config set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com] [options]',
  flags: { ...CLUSTER_FLAGS, server: text() },
  run: async (session, args) => {
    const { flags, config } = session;
    const name = argumentsOf(session, args, 1)[0]!;
    const authority = flags.text('certificate-authority');
    if (flags.bool('insecure-skip-tls-verify') && authority !== '')
      throw new KubectlError('you cannot specify a certificate authority and insecure mode at the same time');
    if (flags.bool('embed-certs') && authority === '') throw new KubectlError('you must specify a --certificate-authority to embed');
    const fields: Record<string, Json> = {};
    if (flags.has('server')) fields['server'] = flags.text('server');
    for (const key of ['tls-server-name', 'proxy-url']) if (flags.has(key)) fields[key] = flags.text(key);
    if (flags.has('insecure-skip-tls-verify')) {
      fields['insecure-skip-tls-verify'] = flags.bool('insecure-skip-tls-verify');
      if (flags.bool('insecure-skip-tls-verify')) Object.assign(fields, { 'certificate-authority': '', 'certificate-authority-data': '' });
    }
    if (authority !== '')
      Object.assign(
        fields,
        { 'insecure-skip-tls-verify': false },
        flags.bool('embed-certs')
          ? { 'certificate-authority': '', 'certificate-authority-data': contentOf(session, authority, 'certificate-authority') }
          : { 'certificate-authority': kept(session, authority), 'certificate-authority-data': '' },
      );
    writeConfig(session.self, flags, withEntry(config, 'clusters', name, fields));
    session.out(`Cluster ${JSON.stringify(name)} set.\n`);
  },
};

const setContext: Command = {
  summary: 'Set a context entry in kubeconfig',
  usage: 'kubectl config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace] [options]',
  // These are global flags too; here they say what the context shall have.
  flags: { current: bool(), cluster: text(), namespace: text(), user: text() },
  run: async (session, args) => {
    const { flags, config } = session;
    const current = flags.bool('current');
    if (args.length > 1) throw usageError('kubectl config set-context', `unexpected args: [${args.join(' ')}]`);
    if (current && args.length > 0) throw new KubectlError('you cannot specify both a context name and --current');
    if (!current && (args[0] ?? '') === '') throw new KubectlError('you must specify a non-empty context name or --current');
    if (current && config.currentContext === '') throw new KubectlError('no current context is set');
    const name = current ? config.currentContext : args[0]!;
    const known = config.contexts.some((entry) => entry.name === name);
    const given: ConfigContext = {
      ...(flags.has('cluster') ? { cluster: flags.text('cluster') } : {}),
      ...(flags.has('user') ? { user: flags.text('user') } : {}),
      ...(flags.has('namespace') ? { namespace: flags.text('namespace') } : {}),
    };
    const before = config.contexts.find((entry) => entry.name === name)?.context;
    const context = { cluster: '', user: '', ...before, ...given };
    if (context.namespace === '') delete context.namespace;
    const entry = { name, context };
    writeConfig(session.self, flags, {
      ...config,
      contexts: known ? config.contexts.map((one) => (one.name === name ? entry : one)) : [...config.contexts, entry],
    });
    session.out(`Context ${JSON.stringify(name)} ${known ? 'modified' : 'created'}.\n`);
  },
};

const setCredentials: Command = {
  summary: 'Set a user entry in kubeconfig',
  usage:
    'kubectl config set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password] [--auth-provider=provider_name] [--auth-provider-arg=key=value] [--exec-command=exec_command] [--exec-api-version=exec_api_version] [--exec-arg=arg] [--exec-env=key=value] [options]',
  flags: {
    'auth-provider': text(),
    'auth-provider-arg': { type: 'strings' },
    'client-certificate': text(),
    'client-key': text(),
    'embed-certs': bool(),
    'exec-api-version': text(),
    'exec-arg': { type: 'strings' },
    'exec-command': text(),
    'exec-env': { type: 'strings' },
    'exec-interactive-mode': text(),
    'exec-provide-cluster-info': bool(),
    password: text(),
    token: text(),
    username: text(),
  },
  run: async (session, args) => {
    const { flags, config } = session;
    const name = argumentsOf(session, args, 1)[0]!;
    const methods = [
      ...(flags.text('token') !== '' ? ['--token'] : []),
      ...(flags.text('username') !== '' || flags.text('password') !== '' ? ['--username/--password'] : []),
    ];
    if (methods.length > 1) throw new KubectlError(`you cannot specify more than one authentication method at the same time: ${methods.join(', ')}`);
    const [certificate, key] = [flags.text('client-certificate'), flags.text('client-key')];
    if (flags.bool('embed-certs') && certificate === '' && key === '')
      throw new KubectlError('you must specify a --client-certificate or --client-key to embed');
    const old = config.users.find((entry) => entry.name === name)?.user;
    const fields: Record<string, Json> = {};
    for (const [flag, path] of [
      ['client-certificate', certificate],
      ['client-key', key],
    ] as const) {
      if (path === '') continue;
      if (flags.bool('embed-certs')) Object.assign(fields, { [flag]: '', [`${flag}-data`]: contentOf(session, path, flag) });
      else Object.assign(fields, { [flag]: kept(session, path), [`${flag}-data`]: '' });
    }
    // A token puts name and password out of use, and the other way round.
    if (flags.text('token') !== '') Object.assign(fields, { token: flags.text('token'), username: '', password: '' });
    for (const word of ['username', 'password']) if (flags.text(word) !== '') Object.assign(fields, { [word]: flags.text(word), token: '' });
    const exec = execOf(session, old?.['exec'] as JsonObject | undefined);
    if (exec) fields['exec'] = exec as Json;
    if (flags.text('auth-provider') !== '') {
      const pairs = flags.all('auth-provider-arg').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const);
      fields['auth-provider'] = { config: pairs.length > 0 ? Object.fromEntries(pairs) : null, name: flags.text('auth-provider') } as Json;
    }
    writeConfig(session.self, flags, withEntry(config, 'users', name, fields));
    session.out(`User ${JSON.stringify(name)} set.\n`);
  },
};

/** The command that gets credentials, with what was given now. */
function execOf({ flags }: Session, before: JsonObject | undefined): JsonObject | undefined {
  const given = ['exec-command', 'exec-api-version', 'exec-arg', 'exec-env', 'exec-interactive-mode', 'exec-provide-cluster-info'].some((name) =>
    flags.has(name),
  );
  if (!given) return undefined;
  const exec: Record<string, Json | undefined> = { apiVersion: '', args: null, command: '', env: null, provideClusterInfo: false, ...before };
  if (flags.has('exec-command')) exec['command'] = flags.text('exec-command');
  if (flags.has('exec-api-version')) exec['apiVersion'] = flags.text('exec-api-version');
  if (flags.has('exec-arg')) exec['args'] = flags.list('exec-arg') as Json;
  if (flags.has('exec-interactive-mode')) exec['interactiveMode'] = flags.text('exec-interactive-mode');
  if (flags.has('exec-provide-cluster-info')) exec['provideClusterInfo'] = flags.bool('exec-provide-cluster-info');
  if (flags.has('exec-env')) {
    const env = [...((exec['env'] as readonly { readonly name: string; readonly value: string }[] | null) ?? [])];
    for (const pair of flags.list('exec-env')) {
      const at = pair.indexOf('=');
      const name = at < 0 ? pair.replace(/-$/, '') : pair.slice(0, at);
      const found = env.findIndex((one) => one.name === name);
      if (at < 0) env.splice(found, found < 0 ? 0 : 1);
      else if (found < 0) env.push({ name, value: pair.slice(at + 1) });
      else env[found] = { name, value: pair.slice(at + 1) };
    }
    exec['env'] = env as unknown as Json;
  }
  return exec;
}

const shownPath = (session: Session): string => shownConfigPath(session.self, session.flags);

/** delete-cluster, delete-context, delete-user: alike but for the word. */
const deletion = (list: Lists): Command => {
  const word = SINGULAR[list];
  return {
    summary: list === 'contexts' ? 'Delete the specified context from the kubeconfig' : `Delete the specified ${word} from the kubeconfig`,
    usage: `kubectl config delete-${word} NAME [options]`,
    run: async (session, args) => {
      const { config } = session;
      if (list === 'users' && args.length !== 1) throw usageError('kubectl config delete-user', 'user to delete is required');
      const name = argumentsOf(session, args, 1, true)[0]!;
      if (!config[list].some((entry) => entry.name === name)) throw new KubectlError(`cannot delete ${word} ${name}, not in ${shownPath(session)}`);
      if (list === 'contexts' && config.currentContext === name)
        session.err('warning: this removed your active context, use "kubectl config use-context" to select a different one\n');
      writeConfig(session.self, session.flags, {
        ...config,
        [list]: (config[list] as readonly { readonly name: string }[]).filter((entry) => entry.name !== name),
      } as KubeConfig);
      session.out(`deleted ${word} ${name} from ${shownPath(session)}\n`);
    },
  };
};

export const CONFIG_WRITERS: Readonly<Record<string, Command>> = {
  'set-cluster': setCluster,
  'set-context': setContext,
  'set-credentials': setCredentials,
  'delete-cluster': deletion('clusters'),
  'delete-context': deletion('contexts'),
  'delete-user': deletion('users'),
  'use-context': {
    summary: 'Set the current-context in a kubeconfig file',
    usage: 'kubectl config use-context CONTEXT_NAME [options]',
    aliases: ['use'],
    run: async (session, args) => {
      const name = argumentsOf(session, args, 1)[0]!;
      if (!session.config.contexts.some((entry) => entry.name === name)) throw new KubectlError(`no context exists with the name: ${JSON.stringify(name)}`);
      writeConfig(session.self, session.flags, { ...session.config, currentContext: name });
      session.out(`Switched to context ${JSON.stringify(name)}.\n`);
    },
  },
  'rename-context': {
    summary: 'Rename a context from the kubeconfig file',
    usage: 'kubectl config rename-context CONTEXT_NAME NEW_NAME [options]',
    run: async (session, args) => {
      const [from, to] = argumentsOf(session, args, 2) as readonly [string, string];
      const { config } = session;
      const at = shownPath(session);
      if (!config.contexts.some((entry) => entry.name === from)) throw new KubectlError(`cannot rename the context ${JSON.stringify(from)}, it's not in ${at}`);
      if (config.contexts.some((entry) => entry.name === to))
        throw new KubectlError(`cannot rename the context ${JSON.stringify(from)}, the context ${JSON.stringify(to)} already exists in ${at}`);
      writeConfig(session.self, session.flags, {
        ...config,
        contexts: config.contexts.map((entry) => (entry.name === from ? { ...entry, name: to } : entry)),
        currentContext: config.currentContext === from ? to : config.currentContext,
      });
      session.out(`Context ${JSON.stringify(from)} renamed to ${JSON.stringify(to)}.\n`);
    },
  },
  set: {
    summary: 'Set an individual value in a kubeconfig file',
    usage: 'kubectl config set PROPERTY_NAME PROPERTY_VALUE [options]',
    flags: { 'set-raw-bytes': bool() },
    run: async (session, args) => {
      const [property, value] = argumentsOf(session, args, 2) as readonly [string, string];
      if (value === '') throw new KubectlError('you cannot use set to unset a property');
      writeConfig(session.self, session.flags, setProperty(session.config, property, value, session.flags.bool('set-raw-bytes')));
      session.out(`Property ${JSON.stringify(property)} set.\n`);
    },
  },
  unset: {
    summary: 'Unset an individual value in a kubeconfig file',
    usage: 'kubectl config unset PROPERTY_NAME [options]',
    run: async (session, args) => {
      const property = argumentsOf(session, args, 1)[0]!;
      writeConfig(session.self, session.flags, unsetProperty(session.config, property));
      session.out(`Property ${JSON.stringify(property)} unset.\n`);
    },
  },
};
