/** kubectl set env (kubectl pkg/cmd/set/set_env.go). */
import type { Container, EnvVar } from '../../api/types.gen.ts';
import { fromFiles, getObject, type Target } from '../builder.ts';
import { KubectlError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import { decodeBase64 } from '../kubeconfig.ts';
import { containersIn, mapContainers, nameMatches } from '../pod-spec.ts';
import { isObject, type ObjectLike, type Session } from '../session.ts';
import type { Command } from './command.ts';
import { changeAll, objectsFor, requirePodSpec, SET_FLAGS } from './set-pods.ts';

export const env: Command = {
  summary: 'Update environment variables on a pod template',
  usage: 'kubectl set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N [options]',
  flags: {
    ...SET_FLAGS,
    containers: text('c', '*'),
    from: text(),
    prefix: text(),
    keys: { type: 'strings' },
    env: { type: 'strings', short: 'e' },
    list: bool(),
    resolve: bool(),
    overwrite: { type: 'bool', default: 'true' },
  },
  run: async (session, args) => {
    const { flags } = session;
    const isPair = (arg: string): boolean => /^[^=/]+=/.test(arg) || (arg.endsWith('-') && arg.length > 1);
    const resources = args.filter((arg) => arg !== '-' && !isPair(arg));
    const { set, remove } = await editsOf(session, [...args.filter((arg) => arg === '-' || isPair(arg)), ...flags.all('env')]);
    if (resources.length === 0 && !fromFiles(session))
      throw new KubectlError('one or more resources must be specified as <resource> <name> or <resource>/<name>');
    if (flags.bool('list') && flags.text('output') !== '') throw new KubectlError('--list and --output may not be specified together');
    const wanted = [...(await importedFrom(session)), ...set];
    const { found, failures } = await objectsFor(session, resources);
    const pattern = flags.text('containers');
    const resolved = flags.bool('resolve') ? await resolvedLines(session, found) : new Map<EnvVar, string>();
    await changeAll(session, {
      found,
      failures,
      manager: 'kubectl-set',
      outcome: 'env updated',
      failed: 'failed to patch env update to pod template',
      change: (target) => {
        const path = requirePodSpec(target);
        const matching = containersIn(target.object, path, 'containers').filter((container) => nameMatches(pattern, container.name));
        if (matching.length === 0) {
          session.err(`Warning: ${target.info.kind}/${target.name} does not have any containers matching ${JSON.stringify(pattern)}\n`);
          return target.object;
        }
        if (!flags.bool('overwrite')) refuseOverwrites(target, matching, wanted);
        const after = mapContainers(target.object, path, ['containers'], (container) =>
          nameMatches(pattern, container.name) ? withEnv(container, wanted, remove) : container,
        );
        if (!flags.bool('list')) return after;
        for (const container of containersIn(after, path, 'containers')) {
          if (!nameMatches(pattern, container.name)) continue;
          session.out(`# ${target.info.kind} ${target.name}, container ${container.name}\n`);
          for (const one of container.env ?? []) session.out(`${resolved.get(one) ?? lineOf(one)}\n`);
        }
        return target.object;
      },
    });
  },
};

/** Lines for variables that take their value from a config map or a secret, with that value. */
async function resolvedLines(session: Session, found: readonly (Target & { readonly object: ObjectLike })[]): Promise<ReadonlyMap<EnvVar, string>> {
  const lines = new Map<EnvVar, string>();
  for (const target of found)
    for (const container of containersIn(target.object, requirePodSpec(target), 'containers'))
      for (const one of container.env ?? []) {
        const { configMapKeyRef, secretKeyRef } = one.valueFrom ?? {};
        const reference = configMapKeyRef ?? secretKeyRef;
        if (!reference) continue;
        const info = await session.discovery.resolve(configMapKeyRef ? 'configmaps' : 'secrets');
        const data = (await getObject(session, { info, namespace: target.namespace, name: reference.name ?? '' }))['data'];
        const value = isObject(data) ? String(data[reference.key] ?? '') : '';
        lines.set(one, `${one.name}=${secretKeyRef ? decodeBase64(value) : value}`);
      }
  return lines;
}

async function editsOf(session: Session, pairs: readonly string[]): Promise<{ readonly set: readonly EnvVar[]; readonly remove: readonly string[] }> {
  const set: EnvVar[] = [];
  const remove: string[] = [];
  const add = (pair: string): void => {
    const at = pair.indexOf('=');
    set.push({ name: pair.slice(0, at), value: pair.slice(at + 1) });
  };
  for (const pair of pairs) {
    if (pair === '-') {
      let all = '';
      for (let piece = await session.self.stdin.read(); piece !== undefined; piece = await session.self.stdin.read()) all += piece;
      for (const line of all
        .split('\n')
        .map((one) => one.trim())
        .filter((one) => one.includes('=') && !one.startsWith('#')))
        add(line);
    } else if (pair.includes('=')) add(pair);
    else if (pair.endsWith('-')) remove.push(pair.slice(0, -1));
    else throw new KubectlError(`unknown resource: ${pair}`);
  }
  if (remove.some((name) => set.some((one) => one.name === name)))
    throw new KubectlError('can not both modify and remove the same environment variable in the same command');
  return { set, remove };
}

/** --from=configmap/x or secret/x: a reference for every key. */
async function importedFrom(session: Session): Promise<readonly EnvVar[]> {
  const { flags } = session;
  const from = flags.text('from');
  if (from === '') return [];
  const [type = '', name = ''] = from.split('/');
  const info = await session.discovery.resolve(type);
  if (info.group !== '' || (info.kind !== 'ConfigMap' && info.kind !== 'Secret')) throw new KubectlError(`unsupported resource specified in --from`);
  const target: Target = { info, namespace: session.namespace, name };
  const data = (await getObject(session, target))['data'];
  const keys = flags.list('keys');
  const field = info.kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef';
  return Object.keys(isObject(data) ? data : {})
    .sort()
    .filter((key) => keys.length === 0 || keys.includes(key))
    .map((key) => {
      const name = key.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
      if (name !== key) session.err(`Warning: key ${key} transferred to ${name}\n`);
      return [key, `${flags.text('prefix')}${name}`] as const;
    })
    .map(([key, variable]) => ({ name: variable, valueFrom: { [field]: { name, key } } }));
}

function refuseOverwrites({ info, name: owner }: Target, containers: readonly Container[], wanted: readonly EnvVar[]): void {
  for (const container of containers)
    for (const one of container.env ?? [])
      if (wanted.some(({ name }) => name === one.name))
        throw new KubectlError(`${info.resource}/${owner} '${one.name}' already has a value (${one.value ?? ''}), and --overwrite is false`);
}

function withEnv(container: Container, wanted: readonly EnvVar[], remove: readonly string[]): Container {
  if (wanted.length === 0 && remove.length === 0) return container;
  const list = [...(container.env ?? [])];
  for (const one of wanted) {
    const at = list.findIndex(({ name }) => name === one.name);
    if (at < 0) list.push(one);
    else list[at] = one;
  }
  const kept = list.filter(({ name }) => !remove.includes(name));
  const { env: _, ...others } = container;
  return kept.length > 0 ? { ...container, env: kept } : (others as Container);
}

/** As --list shows a variable. */
function lineOf({ name, value, valueFrom }: EnvVar): string {
  if (!valueFrom) return `${name}=${value ?? ''}`;
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom;
  if (configMapKeyRef) return `# ${name} from configmap ${configMapKeyRef.name}, key ${configMapKeyRef.key}`;
  if (secretKeyRef) return `# ${name} from secret ${secretKeyRef.name}, key ${secretKeyRef.key}`;
  if (fieldRef) return `# ${name} from field path ${fieldRef.fieldPath}`;
  if (resourceFieldRef) return `# ${name} from resource field ${resourceFieldRef.resource}`;
  return `# ${name} from an unknown source`;
}
