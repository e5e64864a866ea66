/** What the server is and serves: api-resources, api-versions, version, cluster-info. */
import { RELEASE } from '../../api/release.ts';
import { dump } from '../../api/yaml.ts';
import { groupVersionOf, qualified, type ResourceInfo } from '../discovery.ts';
import { KubectlError, usageError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import { TableWriter } from '../printers/tabwriter.ts';
import { isObject, type ObjectLike } from '../session.ts';
import { dump as clusterInfoDump } from './cluster-info-dump.ts';
import type { Command } from './command.ts';

export const apiResources: Command = {
  summary: 'Print the supported API resources on the server',
  usage: 'kubectl api-resources [flags] [options]',
  flags: {
    'api-group': text(),
    namespaced: { type: 'bool', default: 'true' },
    verbs: { type: 'strings' },
    categories: { type: 'strings' },
    output: text('o'),
    'no-headers': bool(),
    cached: bool(),
    'sort-by': text(),
  },
  run: async (session, args) => {
    const { flags } = session;
    if (args.length > 0) throw usageError('kubectl api-resources', `unexpected arguments: [${args.join(' ')}]`);
    const output = flags.text('output');
    if (!['', 'wide', 'name'].includes(output)) throw new KubectlError(`--output ${output} is not available`);
    if (!['', 'name', 'kind'].includes(flags.text('sort-by'))) throw new KubectlError(`--sort-by accepts only name or kind`);
    if (!flags.bool('cached')) await session.discovery.refresh();
    const rows = (await session.discovery.all()).filter(
      (info) =>
        info.verbs.length > 0 &&
        info.kind !== '' &&
        info.preferred &&
        (!flags.has('api-group') || info.group === flags.text('api-group')) &&
        (!flags.has('namespaced') || info.namespaced === flags.bool('namespaced')) &&
        flags.list('verbs').every((verb) => info.verbs.includes(verb)) &&
        flags.list('categories').every((category) => info.categories.includes(category)),
    );
    const key = (info: ResourceInfo) =>
      flags.text('sort-by') === 'kind' ? info.kind : flags.text('sort-by') === 'name' ? info.resource : `${info.group}\0${info.resource}`;
    const sorted = [...rows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
    if (output === 'name') {
      session.out(sorted.map((info) => `${qualified(info)}\n`).join(''));
      return;
    }
    const table = sorted.map((info) => [
      info.resource,
      info.shortNames.join(','),
      groupVersionOf(info),
      String(info.namespaced),
      info.kind,
      ...(output === 'wide' ? [info.verbs.join(','), info.categories.join(',')] : []),
    ]);
    const header = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', ...(output === 'wide' ? ['VERBS', 'CATEGORIES'] : [])];
    session.out(new TableWriter().rows(flags.bool('no-headers') ? table : [header, ...table]));
  },
};

export const apiVersions: Command = {
  summary: 'Print the supported API versions on the server, in the form of "group/version"',
  usage: 'kubectl api-versions [options]',
  flags: {},
  run: async (session) => {
    await session.discovery.refresh();
    session.out(
      [...(await session.discovery.groupVersions())]
        .sort()
        .map((groupVersion) => `${groupVersion}\n`)
        .join(''),
    );
  },
};

export const version: Command = {
  summary: 'Print the client and server version information',
  usage: 'kubectl version [flags] [options]',
  flags: { client: bool(), output: text('o') },
  run: async (session) => {
    const { flags } = session;
    const output = flags.text('output');
    if (!['', 'yaml', 'json'].includes(output)) throw new KubectlError(`--output must be 'yaml' or 'json'`);
    const clientVersion = {
      buildDate: '2025-05-15T08:27:33Z',
      compiler: 'gc',
      gitCommit: '',
      gitTreeState: 'clean',
      gitVersion: RELEASE.gitVersion,
      goVersion: 'go1.24.2',
      major: RELEASE.major,
      minor: RELEASE.minor,
      platform: 'linux/amd64',
    };
    let server: unknown;
    let failure: unknown;
    if (!flags.bool('client')) {
      try {
        server = await session.request('GET', '/version');
      } catch (error) {
        failure = error;
      }
    }
    if (output === '') {
      session.out(`Client Version: ${clientVersion.gitVersion}\nKustomize Version: v5.6.0\n`);
      if (isObject(server)) session.out(`Server Version: ${server['gitVersion']}\n`);
    } else {
      const whole = { clientVersion, kustomizeVersion: 'v5.6.0', ...(isObject(server) ? { serverVersion: server } : {}) };
      // Written in the order of the Go struct, as encoding/json does for structs, not sorted.
      session.out(output === 'json' ? `${JSON.stringify(whole, null, 2)}\n` : dump(whole));
    }
    if (failure) throw failure;
  },
};

export const clusterInfo: Command = {
  summary: 'Display cluster information',
  usage: 'kubectl cluster-info [flags] [options]',
  flags: {},
  subcommands: { dump: clusterInfoDump },
  run: async (session) => {
    const green = (title: string) => `\x1b[0;32m${title}\x1b[0m`;
    const yellow = (address: string) => `\x1b[0;33m${address}\x1b[0m`;
    // Colours only where somebody sees them.
    const paint = session.self.terminal !== undefined;
    const line = (title: string, address: string) => `${paint ? green(title) : title} is running at ${paint ? yellow(address) : address}\n`;
    try {
      const body = await session.request('GET', '/api/v1/namespaces/kube-system/services', { query: { labelSelector: 'kubernetes.io/cluster-service=true' } });
      session.out(line('Kubernetes control plane', session.serverUrl));
      const items = isObject(body) ? ((body['items'] as unknown as readonly ObjectLike[] | undefined) ?? []) : [];
      for (const service of items) {
        const spec = service['spec'] as { readonly ports?: readonly { readonly name?: string; readonly port: number }[] } | undefined;
        const port = spec?.ports?.[0];
        const name = service.metadata.labels?.['kubernetes.io/name'] ?? service.metadata.name ?? '';
        session.out(
          line(name, `${session.serverUrl}/api/v1/namespaces/kube-system/services/${service.metadata.name}${port?.name ? `:${port.name}` : ''}/proxy`),
        );
      }
    } finally {
      session.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
    }
  },
};
