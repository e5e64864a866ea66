/** kubectl debug: an ephemeral container, a copy of a pod, or a pod on a node (kubectl pkg/cmd/debug). */
import { FileError } from '../../../linux/files.ts';
import type { Json } from '../../api/json.ts';
import { applyStrategicMergePatch } from '../../api/patch.ts';
import { ApiError } from '../../api/request.ts';
import { twoWayPatch } from '../../api/three-way.ts';
import type { Kind, Pod } from '../../api/types.gen.ts';
import { parseYaml } from '../../api/yaml.ts';
import { getObject, loadFiles, type Target } from '../builder.ts';
import { ExitWith, KubectlError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import { watchUntil } from '../wait.ts';
import { attachTo } from './attach.ts';
import type { Command } from './command.ts';
import { applyProfile, type Draft, type Kept, type Profile, profileOf } from './debug-profiles.ts';
import { showLog } from './logs.ts';
import type { PodObject } from './pods.ts';
import { REFERENCE } from './run.ts';

export const debug: Command = {
  summary: 'Create debugging sessions for troubleshooting workloads and nodes',
  usage: 'kubectl debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ] [options]',
  flags: {
    'arguments-only': bool(),
    attach: bool(),
    container: text('c'),
    'copy-to': text(),
    custom: text(),
    env: { type: 'strings' },
    filename: { type: 'strings', short: 'f' },
    image: text(),
    'image-pull-policy': text(),
    'keep-annotations': bool(),
    'keep-init-containers': { type: 'bool', default: 'true' },
    'keep-labels': bool(),
    'keep-liveness': bool(),
    'keep-readiness': bool(),
    'keep-startup': bool(),
    profile: text(undefined, 'legacy'),
    quiet: bool('q'),
    replace: bool(),
    'same-node': bool(),
    'set-image': { type: 'strings' },
    'share-processes': { type: 'bool', default: 'true' },
    stdin: bool('i'),
    target: text(),
    tty: bool('t'),
  },
  run: async (session, args) => {
    const { flags } = session;
    const dash = flags.dashAt >= 0 ? flags.dashAt : args.length;
    const [names, command] = [args.slice(0, dash), args.slice(dash)];
    const wish: Wish = {
      command,
      env: [...pairs(session, 'env')].map(([name, value]) => ({ name, value })),
      images: pairs(session, 'set-image'),
      profile: profileOf(flags.text('profile')),
      custom: customOf(session),
      attach: flags.has('attach') ? flags.bool('attach') : flags.bool('stdin'),
    };
    validate(session, wish, names);
    for (const target of await targetsOf(session, names)) {
      const object = await getObject(session, target);
      const made = await make(session, wish, target, object);
      if (wish.attach && made.container !== '') await follow(session, made.pod, made.container);
    }
  },
};

interface Wish {
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly images: ReadonlyMap<string, string>;
  readonly profile: Profile;
  readonly custom: { readonly [name: string]: Json | undefined } | undefined;
  readonly attach: boolean;
}

/** pflag's StringToString: `a=b,c=d`. */
function pairs(session: Session, flag: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pair of session.flags.has(flag) ? session.flags.list(flag) : []) {
    const at = pair.indexOf('=');
    if (at < 0)
      throw new KubectlError(
        `invalid argument ${JSON.stringify(pair)} for "--${flag}" flag: ${pair} must be formatted as key=value\nSee 'kubectl debug --help' for usage.`,
      );
    found.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return found;
}

function customOf({ self, flags }: Session): Wish['custom'] {
  const file = flags.text('custom');
  if (file === '') return undefined;
  let written: string;
  try {
    written = self.files.read(file.startsWith('/') ? file : `${self.cwd === '/' ? '' : self.cwd}/${file}`);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new KubectlError(`must pass a container spec json file for custom profile: open ${file}: ${error.message.toLowerCase()}`);
  }
  const value = parseYaml(written);
  if (!isObject(value)) throw new KubectlError(`${file} does not contain a valid container spec: ${JSON.stringify(written)} is no object`);
  return value;
}

const POLICIES = ['', 'Always', 'IfNotPresent', 'Never'];

function validate(session: Session, { command, images, profile, custom, attach }: Wish, names: readonly string[]): void {
  const { flags } = session;
  const refuse = (message: string): never => {
    throw new KubectlError(message);
  };
  const image = flags.text('image');
  const copy = flags.text('copy-to') !== '';
  if (attach && flags.has('attach') && image === '' && flags.text('container') === '')
    refuse('you must specify --container or create a new container using --image in order to attach.');
  if (copy) {
    if (image === '' && images.size === 0 && command.length === 0) refuse('you must specify --image, --set-image or command arguments.');
    if (command.length > 0 && flags.text('container') === '' && image === '')
      refuse('you must specify an existing container or a new image when specifying args.');
  } else if (flags.bool('replace')) refuse('--replace may only be used with --copy-to.');
  else if (flags.bool('same-node')) refuse('--same-node may only be used with --copy-to.');
  else if (images.size > 0) refuse('--set-image may only be used with --copy-to.');
  else if (image === '') refuse('you must specify --image when not using --copy-to.');
  if (image !== '' && !REFERENCE.test(image)) refuse(`invalid image name ${JSON.stringify(image)}: invalid reference format`);
  if (names.length === 0 && flags.all('filename').length === 0) refuse('NAME or filename is required for debug');
  if (!POLICIES.includes(flags.text('image-pull-policy'))) refuse(`invalid image pull policy: ${flags.text('image-pull-policy')}`);
  for (const [name, wanted] of images)
    if (!REFERENCE.test(wanted)) refuse(`invalid image name ${JSON.stringify(wanted)} for container ${JSON.stringify(name)}: invalid reference format`);
  const target = flags.text('target');
  if (target !== '') {
    if (copy) refuse('--target is incompatible with --copy-to. Use --share-processes instead.');
    if (!flags.bool('quiet'))
      session.out(
        `Targeting container ${JSON.stringify(target)}. If you don't see processes from this container it may be because the container runtime doesn't support this feature.\n`,
      );
  }
  if (flags.bool('tty') && !flags.bool('stdin')) refuse('-i/--stdin is required for containers with -t/--tty=true');
  if (custom && ['name', 'command', 'image', 'lifecycle', 'volumeDevices'].some((field) => custom[field] !== undefined))
    refuse('name, command, image, lifecycle and volume devices are not modifiable via custom profile');
  if (profile === 'legacy')
    session.err(
      '--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a profile, for example "--profile=general".\n',
    );
}

async function targetsOf(session: Session, names: readonly string[]): Promise<readonly Target[]> {
  const { discovery, namespace } = session;
  const targets: Target[] = [];
  if (session.flags.all('filename').length > 0) {
    for (const { object } of await loadFiles(session))
      targets.push({
        info: await discovery.resolve(object.kind.toLowerCase()),
        namespace: object.metadata.namespace ?? namespace,
        name: object.metadata.name ?? '',
      });
  }
  for (const name of names) {
    const [type, rest] = name.includes('/') ? (name.split('/', 2) as [string, string]) : ['pods', name];
    const info = await discovery.resolve(type);
    targets.push({ info, namespace: info.namespaced ? namespace : '', name: rest });
  }
  return targets;
}

interface Made {
  readonly pod: PodObject;
  /** Empty: there is nothing to attach to. */
  readonly container: string;
}

function make(session: Session, wish: Wish, { info }: Target, object: ObjectLike): Promise<Made> {
  if (info.kind === 'Node' && info.group === '') return onNode(session, wish, object.metadata.name ?? '');
  if (info.kind !== 'Pod' || info.group !== '')
    throw new KubectlError(`${JSON.stringify(`${info.group === '' ? '' : `${info.group}/`}${info.version}, Kind=${info.kind}`)} not supported by debug`);
  const pod = object as unknown as Pod;
  return session.flags.text('copy-to') === '' ? inPod(session, wish, pod) : asCopy(session, wish, pod);
}

const SUFFIX = 'bcdfghjklmnpqrstvwxz2456789';
const suffix = (session: Session): string => session.self.process.rng.text(5, SUFFIX);

/** The name asked for, or one that is free; said unless told to be quiet. */
function containerName(session: Session, pod: Pick<Pod, 'spec'>): string {
  const asked = session.flags.text('container');
  if (asked !== '') return asked;
  const taken = new Set(
    [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []), ...(pod.spec?.ephemeralContainers ?? [])].map(({ name }) => name),
  );
  let name = '';
  do name = `debugger-${suffix(session)}`;
  while (taken.has(name));
  if (!session.flags.bool('quiet')) session.out(`Defaulting debug container name to ${name}.\n`);
  return name;
}

/** A container as the flags describe it. */
function newContainer({ flags }: Session, { command, env }: Wish, name: string): { [field: string]: Json | undefined } {
  return {
    name,
    image: flags.text('image'),
    ...(command.length > 0 ? { [flags.bool('arguments-only') ? 'args' : 'command']: command as Json } : {}),
    ...(env.length > 0 ? { env: env as unknown as Json } : {}),
    ...(flags.text('image-pull-policy') === '' ? {} : { imagePullPolicy: flags.text('image-pull-policy') }),
    ...(flags.bool('stdin') ? { stdin: true } : {}),
    ...(flags.bool('tty') ? { tty: true } : {}),
    resources: {},
    terminationMessagePolicy: 'File',
  };
}

const keptOf = ({ flags }: Session): Kept => ({
  labels: flags.bool('keep-labels'),
  annotations: flags.bool('keep-annotations'),
  livenessProbe: flags.bool('keep-liveness'),
  readinessProbe: flags.bool('keep-readiness'),
  startupProbe: flags.bool('keep-startup'),
  initContainers: flags.bool('keep-init-containers'),
});

/** A deep copy to work on. */
const draftOf = (pod: Pod): Draft => JSON.parse(JSON.stringify({ metadata: pod.metadata, spec: pod.spec ?? {} })) as Draft;

function customise(draft: Draft, list: 'containers' | 'ephemeralContainers', name: string, { custom }: Wish): void {
  if (!custom) return;
  draft.spec[list] = (draft.spec[list] as unknown as { readonly name: string }[]).map((one) => {
    if (one.name !== name) return one as unknown as Json;
    return applyStrategicMergePatch('Container' as Kind, one as unknown as Json, { ...custom, name } as Json);
  });
}

function warnOfRoot(session: Session, draft: Draft, name: string): void {
  const user = (draft.spec['securityContext'] as { readonly runAsUser?: number } | undefined)?.runAsUser;
  if (!user) return;
  const context = [
    ...((draft.spec['containers'] as unknown as DebugContainer[]) ?? []),
    ...((draft.spec['ephemeralContainers'] as unknown as DebugContainer[]) ?? []),
  ].find((one) => one.name === name)?.securityContext;
  if (!context || context.runAsUser === 0 || (!context.privileged && !context.capabilities?.add?.length)) return;
  session.err(
    'Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile may not work. Please consider using "--custom" with a custom profile that specifies "securityContext.runAsUser: 0".\n',
  );
}
interface DebugContainer {
  readonly name: string;
  readonly securityContext?: { readonly runAsUser?: number; readonly privileged?: boolean; readonly capabilities?: { readonly add?: readonly string[] } };
}

async function inPod(session: Session, wish: Wish, pod: Pod): Promise<Made> {
  const name = containerName(session, pod);
  const draft = draftOf(pod);
  const target = session.flags.text('target');
  const container = { ...newContainer(session, wish, name), ...(target === '' ? {} : { targetContainerName: target }) };
  draft.spec['ephemeralContainers'] = [...((draft.spec['ephemeralContainers'] as Json[] | undefined) ?? []), container as Json];
  applyProfile(wish.profile, 'ephemeral', draft, name, keptOf(session));
  customise(draft, 'ephemeralContainers', name, wish);
  warnOfRoot(session, draft, name);
  const before = pod as unknown as JsonObject;
  const after = { ...before, spec: draft.spec as Json };
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/ephemeralcontainers`;
  try {
    const body = twoWayPatch('Pod', before, after) as Json;
    const patched = await session.request('PATCH', path, { body, contentType: 'application/strategic-merge-patch+json' });
    return { pod: patched as unknown as PodObject, container: name };
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'NotFound' && !error.status.details?.name)
      throw new KubectlError(`ephemeral containers are disabled for this cluster (error from server: ${JSON.stringify(error.message)})`);
    throw error;
  }
}

async function asCopy(session: Session, wish: Wish, pod: Pod): Promise<Made> {
  const { flags } = session;
  const name = flags.text('copy-to');
  const { labels, annotations } = pod.metadata;
  const draft = draftOf(pod);
  draft.metadata = {
    name,
    namespace: pod.metadata.namespace ?? '',
    ...(annotations ? { annotations: annotations as Json } : {}),
    ...(labels ? { labels: labels as Json } : {}),
  };
  delete draft.spec['ephemeralContainers'];
  if (flags.has('share-processes')) draft.spec['shareProcessNamespace'] = flags.bool('share-processes');
  if (!flags.bool('same-node')) delete draft.spec['nodeName'];
  const containers = (draft.spec['containers'] ?? []) as unknown as { [field: string]: Json | undefined }[];
  for (const one of containers) {
    const image = wish.images.get(String(one['name'])) ?? wish.images.get('*');
    if (image !== undefined) one['image'] = image;
  }
  let container = '';
  const asked = flags.text('container');
  const known = containers.find((one) => one['name'] === asked);
  if (!known && flags.text('image') === '' && wish.images.size === 0) throw new KubectlError('you must specify image when creating new container');
  if (known || flags.text('image') !== '') {
    container = asked || containerName(session, draft as unknown as Pick<Pod, 'spec'>);
    const fresh = newContainer(session, wish, container);
    if (!known) containers.push(fresh);
    else changeContainer(session, wish, known);
    draft.spec['containers'] = containers as unknown as Json;
    applyProfile(wish.profile, 'copy', draft, container, keptOf(session));
    customise(draft, 'containers', container, wish);
    warnOfRoot(session, draft, container);
  }
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods`;
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: draft.metadata, spec: draft.spec } as unknown as Json;
  const made = await session.request('POST', path, { body });
  if (flags.bool('replace')) await session.request('DELETE', `${path}/${pod.metadata.name}`, { body: { gracePeriodSeconds: 0 } });
  return { pod: made as unknown as PodObject, container };
}

/** A container of the original, with what was given changed. */
function changeContainer({ flags }: Session, { command, env }: Wish, container: { [field: string]: Json | undefined }): void {
  if (command.length > 0 && flags.bool('arguments-only')) container['args'] = command as Json;
  else if (command.length > 0) {
    container['command'] = command as Json;
    delete container['args'];
  }
  if (env.length > 0) container['env'] = env as unknown as Json;
  if (flags.text('image') !== '') container['image'] = flags.text('image');
  if (flags.text('image-pull-policy') !== '') container['imagePullPolicy'] = flags.text('image-pull-policy');
  container['stdin'] = flags.bool('stdin');
  container['tty'] = flags.bool('tty');
}

async function onNode(session: Session, wish: Wish, node: string): Promise<Made> {
  const { flags, namespace } = session;
  const container = flags.text('container') || 'debugger';
  const name = `node-debugger-${node}-${suffix(session)}`;
  if (!flags.bool('quiet')) session.out(`Creating debugging pod ${name} with container ${container} on node ${node}.\n`);
  const draft: Draft = {
    metadata: { name },
    spec: { containers: [newContainer(session, wish, container)] as Json, nodeName: node, restartPolicy: 'Never', tolerations: [{ operator: 'Exists' }] },
  };
  applyProfile(wish.profile, 'node', draft, container, keptOf(session));
  customise(draft, 'containers', container, wish);
  const made = await session.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
    body: { apiVersion: 'v1', kind: 'Pod', metadata: draft.metadata, spec: draft.spec } as unknown as Json,
  });
  return { pod: made as unknown as PodObject, container };
}

/** Waits for the container, then attaches; of one that has ended, or cannot be attached to, shows the log. */
async function follow(session: Session, created: PodObject, container: string): Promise<void> {
  const { flags } = session;
  const target: Target = { info: await session.discovery.resolve('pods'), namespace: created.metadata.namespace ?? '', name: created.metadata.name ?? '' };
  let pod = created;
  let ended = false;
  const warned = new Set<string>();
  await watchUntil(session, target, 0, (object) => {
    if (!object) throw new KubectlError('pods "" not found');
    pod = object as unknown as PodObject;
    const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
    const state = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].find((one) => one.name === container)?.state;
    ended = state?.terminated !== undefined;
    const waiting = state?.waiting?.message;
    if (waiting && !flags.bool('quiet') && !warned.has(waiting)) {
      warned.add(waiting);
      session.err(`Warning: container ${container}: ${waiting}\n`);
    }
    return ended || state?.running !== undefined;
  });
  if (ended) return showLog(session, target, container);
  try {
    await attachTo(session, pod, { container, stdin: flags.bool('stdin'), tty: flags.bool('tty'), quiet: flags.bool('quiet') });
  } catch (error) {
    if (error instanceof ExitWith) throw error;
    session.err(`warning: couldn't attach to pod/${target.name}, falling back to streaming logs: ${error instanceof Error ? error.message : String(error)}\n`);
    await showLog(session, target, container);
  }
}
