/** kubectl config. */

import type { Json } from '../../api/json.ts';
import { dump } from '../../api/yaml.ts';
import { ExitWith, KubectlError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import { configObject, encodeBase64, type KubeConfig } from '../kubeconfig.ts';
import { goJson, objectPrinter } from '../printers/objects.ts';
import { TableWriter } from '../printers/tabwriter.ts';
import type { Session } from '../session.ts';
import type { Command } from './command.ts';
import { CONFIG_WRITERS } from './config-set.ts';

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
/** The order of clientcmd's v1.Config and what it holds. */
const ORDER =
  'kind apiVersion preferences name cluster user context server tls-server-name insecure-skip-tls-verify certificate-authority certificate-authority-data proxy-url disable-compression client-certificate client-certificate-data client-key client-key-data token tokenFile as as-uid as-groups as-user-extra username password namespace auth-provider exec command args env installHint provideClusterInfo interactiveMode extensions clusters users contexts current-context'.split(
    ' ',
  );
function inStructOrder(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map((item) => inStructOrder(item as Json));
  if (typeof value !== 'object' || value === null) return value ?? null;
  const rank = (key: string): number => (ORDER.indexOf(key) + ORDER.length + 1) % (ORDER.length + 1);
  const keys = Object.keys(value).sort((a, b) => rank(a) - rank(b));
  return Object.fromEntries(keys.map((key) => [key, inStructOrder((value as Readonly<Record<string, Json>>)[key])]));
}

/** With the content of files instead of their names. */
function flattened(session: Session, config: KubeConfig): KubeConfig {
  const inline = (entry: Readonly<Record<string, Json | undefined>>, names: readonly string[]): Record<string, Json | undefined> => {
    const out = { ...entry };
    for (const name of names) {
      const path = out[name];
      if (typeof path !== 'string' || path === '') continue;
      const at = path.startsWith('/') ? path : `${session.self.cwd}/${path}`;
      if (!session.self.files.exists(at)) throw new KubectlError(`open ${at}: no such file or directory`);
      out[`${name}-data`] = encodeBase64(session.self.files.read(at));
      delete out[name];
    }
    return out;
  };
  return {
    ...config,
    clusters: config.clusters.map((entry) => ({ ...entry, cluster: inline(entry.cluster, ['certificate-authority']) })),
    users: config.users.map((entry) => ({ ...entry, user: inline(entry.user, ['client-certificate', 'client-key']) })),
  };
}

export const config: Command = {
  summary: 'Modify kubeconfig files',
  usage: 'kubectl config SUBCOMMAND [options]',
  subcommands: {
    ...CONFIG_WRITERS,
    'current-context': {
      summary: 'Display the current-context',
      usage: 'kubectl config current-context [flags] [options]',
      run: async (session) => {
        if (session.config.currentContext === '') throw new KubectlError('current-context is not set');
        session.out(`${session.config.currentContext}\n`);
      },
    },
    'get-contexts': {
      summary: 'Describe one or many contexts',
      usage: 'kubectl config get-contexts [(-o|--output=)name)] [options]',
      flags: { output: text('o'), 'no-headers': bool() },
      run: async (session, args) => {
        const { config: all, flags } = session;
        const output = flags.text('output');
        if (output !== '' && output !== 'name')
          throw new KubectlError(`--output ${output} is not available in kubectl config get-contexts; resetting to default output format`);
        const unknown = args.filter((name) => !all.contexts.some((entry) => entry.name === name));
        const shown = [...all.contexts].filter((entry) => args.length === 0 || args.includes(entry.name)).sort((a, b) => (a.name < b.name ? -1 : 1));
        if (output === 'name') session.out(shown.map((entry) => `${entry.name}\n`).join(''));
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
        for (const name of unknown) session.err(`error: context ${name} not found\n`);
        if (unknown.length > 0) throw new ExitWith(1);
      },
    },
    'get-clusters': {
      summary: 'Display clusters defined in the kubeconfig',
      usage: 'kubectl config get-clusters [flags] [options]',
      run: async (session) => session.out(['NAME', ...session.config.clusters.map((entry) => entry.name)].map((name) => `${name}\n`).join('')),
    },
    'get-users': {
      summary: 'Display users defined in the kubeconfig',
      usage: 'kubectl config get-users [flags] [options]',
      run: async (session) => session.out(['NAME', ...session.config.users.map((entry) => entry.name)].map((name) => `${name}\n`).join('')),
    },
    view: {
      summary: 'Display merged kubeconfig settings or a specified kubeconfig file',
      usage: 'kubectl config view [flags] [options]',
      flags: {
        output: text('o', 'yaml'),
        minify: bool(),
        raw: bool(),
        flatten: bool(),
        merge: { type: 'bool', bare: 'true', default: 'true' },
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
            currentContext: name,
            contexts: [context],
            clusters: shown.clusters.filter((entry) => entry.name === context.context.cluster),
            users: shown.users.filter((entry) => entry.name === context.context.user),
          };
        }
        if (flags.bool('flatten')) shown = flattened(session, shown);
        if (!flags.bool('raw') && !flags.bool('flatten')) shown = redact(shown);
        const object = configObject(shown);
        const output = flags.text('output');
        if (output === '' || output === 'yaml') session.out(dump(object));
        else if (output === 'json') session.out(`${goJson(inStructOrder(object), 4, false)}\n`);
        else session.out(objectPrinter(session)!(object));
      },
    },
  },
};
