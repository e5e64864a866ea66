/** kubectl cluster-info dump: everything somebody needs who looks for what is wrong (kubectl pkg/cmd/clusterinfo/clusterinfo_dump.go). */
import type { Json } from '../../api/json.ts';
import { listObjects } from '../builder.ts';
import { bool, PRINT_FLAGS, text } from '../flags.ts';
import { objectPrinter } from '../printers/objects.ts';
import type { JsonObject, Session } from '../session.ts';
import type { Command } from './command.ts';

/** Kinds of a namespace, by the file each goes to. */
const KINDS: readonly (readonly [string, string])[] = [
  ['events', 'events.v1.'],
  ['replication-controllers', 'replicationcontrollers'],
  ['services', 'services'],
  ['daemonsets', 'daemonsets.apps'],
  ['deployments', 'deployments.apps'],
  ['replicasets', 'replicasets.apps'],
  ['pods', 'pods'],
];

export const dump: Command = {
  summary: 'Dump relevant information for debugging and diagnosis',
  usage: 'kubectl cluster-info dump [flags] [options]',
  flags: {
    ...PRINT_FLAGS,
    output: text('o', 'json'),
    'all-namespaces': bool('A'),
    namespaces: { type: 'strings' },
    'output-directory': text(),
    'pod-running-timeout': { type: 'duration', default: '20s' },
  },
  run: async (session) => {
    const { flags, self } = session;
    const printer = objectPrinter(session)!;
    const folder = flags.text('output-directory');
    const extension = flags.text('output') === 'yaml' ? 'yaml' : 'json';
    const write = (file: string, content: string): void => {
      if (folder === '' || folder === '-') session.out(content);
      else self.files.write(`${folder.startsWith('/') ? folder : `${self.cwd}/${folder}`}/${file}`, content);
    };
    const list = async (resource: string, namespace: string): Promise<readonly JsonObject[]> => {
      const info = await session.discovery.resolve(resource);
      const { items, resourceVersion } = await listObjects(session, info, namespace === '' ? { everything: true, chunk: 0 } : { namespace, chunk: 0 });
      const bare = items.map(({ kind: _, apiVersion: __, ...rest }) => rest as JsonObject);
      const all = {
        kind: `${info.kind}List`,
        apiVersion: info.group === '' ? info.version : `${info.group}/${info.version}`,
        metadata: { resourceVersion },
        items: bare as unknown as Json,
      };
      const name = KINDS.find(([, plural]) => plural === resource)?.[0] ?? resource;
      write(namespace === '' ? `${name}.${extension}` : `${namespace}/${name}.${extension}`, printer(all, true));
      return bare;
    };
    await list('nodes', '');
    for (const namespace of await namespacesOf(session)) {
      let pods: readonly JsonObject[] = [];
      for (const [, resource] of KINDS) pods = await list(resource === 'events.v1.' ? 'events' : resource, namespace);
      for (const pod of pods) await logsOf(session, namespace, pod, write);
    }
    if (folder !== '' && folder !== '-') session.out(`Cluster info dumped to ${folder}\n`);
  },
};

async function namespacesOf(session: Session): Promise<readonly string[]> {
  const { flags } = session;
  if (flags.bool('all-namespaces')) {
    const { items } = await listObjects(session, await session.discovery.resolve('namespaces'), { everything: true, chunk: 0 });
    return items.map((item) => item.metadata.name ?? '');
  }
  return flags.has('namespaces') ? flags.list('namespaces') : ['kube-system', session.namespace];
}

async function logsOf(session: Session, namespace: string, pod: JsonObject, write: (file: string, content: string) => void): Promise<void> {
  const { name } = pod['metadata'] as { readonly name: string };
  const spec = pod['spec'] as { readonly containers?: readonly { readonly name: string }[]; readonly initContainers?: readonly { readonly name: string }[] };
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    write(`${namespace}/${name}/logs.txt`, `==== START logs for container ${container.name} of pod ${namespace}/${name} ====\n`);
    const answer = await session.send('GET', `/api/v1/namespaces/${namespace}/pods/${name}/log`, { query: { container: container.name } });
    if (typeof answer.body === 'string') write(`${namespace}/${name}/logs.txt`, answer.body);
    else if (answer.stream) {
      const pieces: string[] = [];
      await new Promise<void>((resolve) => answer.stream!.read({ value: (piece) => pieces.push(String(piece)), end: () => resolve() }));
      write(`${namespace}/${name}/logs.txt`, pieces.join(''));
    } else
      write(`${namespace}/${name}/logs.txt`, `Create log request failed: ${String((answer.body as JsonObject | undefined)?.['message'] ?? answer.status)}\n`);
    write(`${namespace}/${name}/logs.txt`, `==== END logs for container ${container.name} of pod ${namespace}/${name} ====\n`);
  }
}
