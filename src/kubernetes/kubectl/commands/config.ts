/** kubectl config. */

import type { Json } from '../../api/json.ts';
import { dump } from '../../api/yaml.ts';
import { KubectlError, usageError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import { type ConfigContext, configObject, configPath, type KubeConfig, writeConfig } from '../kubeconfig.ts';
import { goJson, objectPrinter } from '../printers/objects.ts';
import { TableWriter } from '../printers/tabwriter.ts';
import type { Command } from './command.ts';

const REDACTED = new Set(['client-key-data', 'client-certificate-data', 'certificate-authority-data', 'token', 'password']);
const redact = (config: KubeConfig): KubeConfig => ({
  ...config,
  clusters: config.clusters.map((entry) => ({
    ...entry,
    cluster: Object.fromEntries(Object.entries(entry.cluster).map(([key, value]) => [key, REDACTED.has(key) ? 'DATA+OMITTED' : value])),
  })),
  users: config.users.map((entry) => ({
    ...entry,
    user: Object.fromEntries(
      Object.entries(entry.user).map(([key, value]) => [
        key,
        REDACTED.has(key) ? (key === 'token' || key === 'password' ? 'REDACTED' : 'DATA+OMITTED') : value,
      ]),
    ),
  })),
});
const noContext = (name: string): KubectlError => new KubectlError(`no context exists with the name: ${JSON.stringify(name)}`);

/** `current-context`, `contexts.NAME`, `users.NAME.token`: without the value that the path leads to. */
function unset(config: KubeConfig, property: string): KubeConfig {
  const [head = '', ...rest] = property.split('.');
  if (head === 'current-context') return { ...config, currentContext: '' };
  const keys = { clusters: 'cluster', contexts: 'context', users: 'user' } as const;
  if (!(head in keys)) throw new KubectlError(`unable to set: ${property}`);
  const list = head as keyof typeof keys;
  // Names may hold dots: the longest that is there is meant.
  const entry = [...config[list]]
    .sort((a, b) => b.name.length - a.name.length)
    .find(({ name }) => rest.join('.') === name || rest.join('.').startsWith(`${name}.`));
  if (rest.length === 0) return { ...config, [list]: [] };
  if (!entry) return config;
  const field = rest.join('.').slice(entry.name.length + 1);
  if (field === '') return { ...config, [list]: config[list].filter((each) => each !== entry) };
  const key = keys[list];
  const { [field]: _, ...left } = (entry as unknown as Record<string, Record<string, Json>>)[key] ?? {};
  return { ...config, [list]: config[list].map((each) => (each === entry ? { ...entry, [key]: left } : each)) } as KubeConfig;
}

export const config: Command = {
  summary: 'Modify kubeconfig files',
  usage: 'kubectl config SUBCOMMAND [options]',
  subcommands: {
    'current-context': {
      summary: 'Display the current-context',
      run: async (session) => {
        if (session.config.currentContext === '') throw new KubectlError('current-context is not set');
        session.out(`${session.config.currentContext}\n`);
      },
    },
    'get-contexts': {
      summary: 'Describe one or many contexts',
      flags: { output: text('o'), 'no-headers': bool() },
      run: async (session, args) => {
        const { config: all, flags } = session;
        for (const name of args) if (!all.contexts.some((entry) => entry.name === name)) session.err(`error: context ${name} not found\n`);
        const shown = [...all.contexts].filter((entry) => args.length === 0 || args.includes(entry.name)).sort((a, b) => (a.name < b.name ? -1 : 1));
        if (flags.text('output') === 'name') session.out(shown.map((entry) => `${entry.name}\n`).join(''));
        else
          session.out(
            new TableWriter().rows([
              ...(flags.bool('no-headers') ? [] : [['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE']]),
              ...shown.map(({ name, context }) => [
                name === all.currentContext ? '*' : '',
                name,
                context.cluster ?? '',
                context.user ?? '',
                context.namespace ?? '',
              ]),
            ]),
          );
      },
    },
    'get-clusters': {
      summary: 'Display clusters defined in the kubeconfig',
      run: async (session) => session.out(['NAME', ...session.config.clusters.map((entry) => entry.name)].map((name) => `${name}\n`).join('')),
    },
    'get-users': {
      summary: 'Display users defined in the kubeconfig',
      run: async (session) => session.out(['NAME', ...session.config.users.map((entry) => entry.name)].map((name) => `${name}\n`).join('')),
    },
    'use-context': {
      summary: 'Set the current-context in a kubeconfig file',
      aliases: ['use'],
      run: async (session, args) => {
        const [name] = args;
        if (name === undefined || args.length > 1) throw usageError('kubectl config use-context', `unexpected args: [${args.join(' ')}]`);
        if (!session.config.contexts.some((entry) => entry.name === name)) throw noContext(name);
        writeConfig(session.self, session.flags, { ...session.config, currentContext: name });
        session.out(`Switched to context ${JSON.stringify(name)}.\n`);
      },
    },
    'set-context': {
      summary: 'Set a context entry in kubeconfig',
      // --cluster, --user and --namespace are global flags too; here they say what the context shall have.
      flags: { current: bool() },
      run: async (session, args) => {
        const { flags, config: all } = session;
        const name = flags.bool('current') ? all.currentContext : args[0];
        if (flags.bool('current') && name === '') throw new KubectlError('no current context is set');
        if (name === undefined || name === '') throw usageError('kubectl config set-context', 'you must specify a non-empty context name or --current');
        const old = all.contexts.find((entry) => entry.name === name);
        const given: ConfigContext = {
          ...(flags.has('cluster') ? { cluster: flags.text('cluster') } : {}),
          ...(flags.has('user') ? { user: flags.text('user') } : {}),
          ...(flags.has('namespace') ? { namespace: flags.text('namespace') } : {}),
        };
        const context = { ...old?.context, ...given };
        writeConfig(session.self, flags, {
          ...all,
          contexts: old ? all.contexts.map((entry) => (entry === old ? { name, context } : entry)) : [...all.contexts, { name, context }],
        });
        session.out(`Context ${JSON.stringify(name)} ${old ? 'modified' : 'created'}.\n`);
      },
    },
    'set-cluster': {
      summary: 'Set a cluster entry in kubeconfig',
      flags: {},
      run: async (session, args) => {
        const { flags, config: all } = session;
        const [name] = args;
        if (name === undefined) throw usageError('kubectl config set-cluster', 'unexpected args: []');
        const old = all.clusters.find((entry) => entry.name === name);
        const cluster = {
          ...old?.cluster,
          ...(flags.has('server') ? { server: flags.text('server') } : {}),
          ...(flags.has('insecure-skip-tls-verify') ? { 'insecure-skip-tls-verify': flags.bool('insecure-skip-tls-verify') } : {}),
        };
        writeConfig(session.self, flags, {
          ...all,
          clusters: old ? all.clusters.map((entry) => (entry === old ? { name, cluster } : entry)) : [...all.clusters, { name, cluster }],
        });
        session.out(`Cluster ${JSON.stringify(name)} set.\n`);
      },
    },
    'set-credentials': {
      summary: 'Set a user entry in kubeconfig',
      flags: { username: text(), password: text(), 'embed-certs': bool() },
      run: async (session, args) => {
        const { flags, config: all } = session;
        const [name] = args;
        if (name === undefined) throw usageError('kubectl config set-credentials', 'unexpected args: []');
        const old = all.users.find((entry) => entry.name === name);
        const given: Record<string, string> = {};
        for (const key of ['token', 'client-certificate', 'client-key', 'username', 'password']) if (flags.has(key)) given[key] = flags.text(key);
        const user = { ...old?.user, ...given };
        writeConfig(session.self, flags, {
          ...all,
          users: old ? all.users.map((entry) => (entry === old ? { name, user } : entry)) : [...all.users, { name, user }],
        });
        session.out(`User ${JSON.stringify(name)} set.\n`);
      },
    },
    'delete-context': {
      summary: 'Delete the specified context from the kubeconfig',
      run: async (session, args) => {
        const [name] = args;
        const all = session.config;
        if (name === undefined) throw usageError('kubectl config delete-context', 'exactly one context name is required');
        if (!all.contexts.some((entry) => entry.name === name))
          throw new KubectlError(`cannot delete context ${name}, not in ${configPath(session.self, session.flags)}`);
        if (all.currentContext === name) session.err('warning: this removed your active context, use "kubectl config use-context" to select a different one\n');
        writeConfig(session.self, session.flags, { ...all, contexts: all.contexts.filter((entry) => entry.name !== name) });
        session.out(`deleted context ${name} from ${session.flags.text('kubeconfig') || configPath(session.self, session.flags)}\n`);
      },
    },
    'rename-context': {
      summary: 'Rename a context from the kubeconfig file',
      run: async (session, args) => {
        const [from, to] = args;
        const all = session.config;
        if (from === undefined || to === undefined || args.length > 2) throw usageError('kubectl config rename-context', 'unexpected args');
        if (!all.contexts.some((entry) => entry.name === from))
          throw new KubectlError(`cannot rename the context ${JSON.stringify(from)}, it's not in ${configPath(session.self, session.flags)}`);
        writeConfig(session.self, session.flags, {
          ...all,
          contexts: all.contexts.map((entry) => (entry.name === from ? { ...entry, name: to } : entry)),
          currentContext: all.currentContext === from ? to : all.currentContext,
        });
        session.out(`Context ${JSON.stringify(from)} renamed to ${JSON.stringify(to)}.\n`);
      },
    },
    unset: {
      summary: 'Unset an individual value in a kubeconfig file',
      usage: 'kubectl config unset PROPERTY_NAME [options]',
      run: async (session, args) => {
        const [property] = args;
        if (property === undefined || args.length > 1) throw usageError('kubectl config unset', `unexpected args: [${args.join(' ')}]`);
        writeConfig(session.self, session.flags, unset(session.config, property));
        session.out(`Property ${JSON.stringify(property)} unset.\n`);
      },
    },
    view: {
      summary: 'Display merged kubeconfig settings or a specified kubeconfig file',
      flags: {
        output: text('o'),
        minify: bool(),
        raw: bool(),
        flatten: bool(),
        merge: { type: 'bool', default: 'true' },
        template: text(),
        'show-managed-fields': bool(),
        'allow-missing-template-keys': { type: 'bool', default: 'true' },
      },
      run: async (session) => {
        const { flags } = session;
        let shown = session.config;
        if (flags.bool('minify')) {
          const name = flags.text('context') || shown.currentContext;
          const context = shown.contexts.find((entry) => entry.name === name);
          if (!context) throw new KubectlError(name === '' ? 'current-context must exist in order to minify' : `cannot locate context ${name}`);
          shown = {
            ...shown,
            contexts: [context],
            clusters: shown.clusters.filter((entry) => entry.name === context.context.cluster),
            users: shown.users.filter((entry) => entry.name === context.context.user),
          };
        }
        if (!flags.bool('raw')) shown = redact(shown);
        const object = configObject(shown);
        const output = flags.text('output');
        if (output === '' || output === 'yaml') session.out(dump(object));
        else if (output === 'json') session.out(`${goJson(object as Json)}\n`);
        else session.out(objectPrinter(session)!(object));
      },
    },
  },
};
