/** kubectl run: one pod of an image (kubectl pkg/cmd/run). */
import type { Json } from '../../api/json.ts';
import type { Pod } from '../../api/types.gen.ts';
import { getObject, type Target } from '../builder.ts';
import { ExitWith, isNotFound, KubectlError, usageError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { dryRunOf, ResultPrinter, writeQuery } from '../printers/result.ts';
import type { JsonObject, ObjectLike, Session } from '../session.ts';
import { watchUntil } from '../wait.ts';
import { withLastApplied } from './apply.ts';
import { attachTo } from './attach.ts';
import type { Command } from './command.ts';
import { labelsOf } from './expose.ts';
import { showLog } from './logs.ts';
import { withOverrides } from './overrides.ts';
import type { PodObject } from './pods.ts';

const RESTART = ['Always', 'OnFailure', 'Never'];
const PULL = ['', 'Always', 'IfNotPresent', 'Never'];
/** distribution's reference grammar: a domain, path components, a tag and a digest. */
export const REFERENCE =
  /^([a-zA-Z0-9][-a-zA-Z0-9.]*(:\d+)?\/)?[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*(:\w[\w.-]{0,127})?(@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

export const run: Command = {
  summary: 'Run a particular image on the cluster',
  usage:
    'kubectl run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...] [options]',
  flags: {
    ...PRINT_FLAGS,
    ...DRY_RUN_FLAGS,
    image: text(),
    'image-pull-policy': text(),
    annotations: { type: 'strings' },
    env: { type: 'strings' },
    labels: text('l'),
    port: text(),
    expose: bool(),
    command: bool(),
    restart: text(undefined, 'Always'),
    rm: bool(),
    stdin: bool('i'),
    tty: bool('t'),
    attach: bool(),
    'leave-stdin-open': bool(),
    quiet: bool('q'),
    privileged: bool(),
    overrides: text(),
    'override-type': text(undefined, 'merge'),
    'pod-running-timeout': { type: 'duration', default: '1m0s' },
    'grace-period': { type: 'int', default: '-1' },
    force: bool(),
    'save-config': bool(),
    'field-manager': text(),
  },
  required: ['image'],
  run: async (session, args) => {
    const { flags } = session;
    const dryRun = dryRunOf(session);
    const attached = flags.has('attach') ? flags.bool('attach') : flags.bool('stdin');
    validate(session, args, attached);
    const [name = '', ...rest] = args;
    const pod = withOverrides(session, podOf(session, name, rest));
    const service = flags.bool('expose') ? serviceOf(session, name, pod) : undefined;
    const printer = new ResultPrinter(session, dryRun);
    const pods = await session.discovery.resolve('pods');
    const services = service && (await session.discovery.resolve('services'));
    const create = async (object: ObjectLike, plural: string): Promise<ObjectLike> => {
      if (dryRun === 'client') return object;
      const body = flags.bool('save-config') ? withLastApplied(object) : object;
      return (await session.request('POST', `/api/v1/namespaces/${session.namespace}/${plural}`, {
        query: writeQuery(session, 'kubectl-run', dryRun),
        body: body as unknown as Json,
      })) as unknown as ObjectLike;
    };
    const made = await create(pod, 'pods');
    // With --expose the service is printed first.
    if (service && services) {
      printer.printTyped(services, await create(service, 'services'), 'created');
      // Upstream writes a separator of its own, and the printer another.
      if (flags.text('output') === 'yaml') session.out('---\n');
    }
    if (!attached) {
      printer.printTyped(pods, made, 'created');
      return;
    }
    const target: Target = { info: pods, namespace: session.namespace, name };
    try {
      await follow(session, target);
    } finally {
      if (flags.bool('rm')) await removeAll(session, [target, ...(services ? [{ info: services, namespace: session.namespace, name }] : [])]);
    }
  },
};

function validate(session: Session, args: readonly string[], attached: boolean): void {
  const { flags } = session;
  const usage = (message: string): never => {
    throw usageError('kubectl run', message);
  };
  if (args.length === 0 || flags.dashAt === 0) usage('NAME is required for run');
  const image = flags.text('image');
  if (image === '') usage('--image is required');
  if (!REFERENCE.test(image)) throw new KubectlError(`Invalid image name ${JSON.stringify(image)}: invalid reference format`);
  if (flags.bool('tty') && !flags.bool('stdin')) usage('-i/--stdin is required for containers with -t/--tty=true');
  if (flags.bool('expose') && flags.text('port') === '') usage('--port must be set when exposing a service');
  if (!RESTART.includes(flags.text('restart'))) usage(`invalid restart policy: ${flags.text('restart')}`);
  if (!attached && flags.bool('rm')) usage('--rm should only be used for attached containers');
  if (attached && dryRunOf(session) !== 'none') usage("--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)");
  if (!PULL.includes(flags.text('image-pull-policy'))) usage(`invalid image pull policy: ${flags.text('image-pull-policy')}`);
}

function podOf(session: Session, name: string, rest: readonly string[]): ObjectLike {
  const { flags } = session;
  const env = flags.all('env').map((pair) => {
    const at = pair.indexOf('=');
    if (at <= 0) throw new KubectlError(`invalid env: ${pair}`);
    return { name: pair.slice(0, at), value: pair.slice(at + 1) };
  });
  const port = flags.text('port');
  if (port !== '' && !/^[-+]?\d+$/.test(port)) throw new KubectlError(`strconv.Atoi: parsing ${JSON.stringify(port)}: invalid syntax`);
  const annotations = Object.fromEntries(
    flags.all('annotations').map((pair) => {
      const at = pair.indexOf('=');
      if (at <= 0) throw new KubectlError(`unexpected annotation: ${pair}`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  const stdin = flags.bool('stdin');
  const container: Record<string, Json> = {
    ...(rest.length > 0 ? { [flags.bool('command') ? 'command' : 'args']: rest } : {}),
    ...(env.length > 0 ? { env } : {}),
    image: flags.text('image'),
    ...(flags.text('image-pull-policy') === '' ? {} : { imagePullPolicy: flags.text('image-pull-policy') }),
    name,
    ...(port === '' ? {} : { ports: [{ containerPort: Number(port) }] }),
    resources: {},
    ...(flags.bool('privileged') ? { securityContext: { privileged: true } } : {}),
    ...(stdin ? { stdin: true, ...(flags.bool('leave-stdin-open') ? {} : { stdinOnce: true }) } : {}),
    ...(flags.bool('tty') ? { tty: true } : {}),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      labels: flags.text('labels') === '' ? { run: name } : labelsOf(flags.text('labels')),
      name,
      ...(session.namespaceGiven ? { namespace: session.namespace } : {}),
    },
    spec: { containers: [container], dnsPolicy: 'ClusterFirst', restartPolicy: flags.text('restart') },
  } as unknown as ObjectLike;
}

function serviceOf(session: Session, name: string, pod: ObjectLike): ObjectLike {
  const port = Number(session.flags.text('port'));
  const labels = pod.metadata.labels ?? {};
  const own = session.flags.text('labels') === '' ? {} : { labels };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...own, name, ...(session.namespaceGiven ? { namespace: session.namespace } : {}) },
    spec: { ports: [{ port, protocol: 'TCP', targetPort: port }], selector: labels },
  } as unknown as ObjectLike;
}

const phaseOf = (object: JsonObject): string => (object as unknown as Pod).status?.phase ?? '';
const isOver = (object: JsonObject): boolean => phaseOf(object) === 'Succeeded' || phaseOf(object) === 'Failed';
const isReady = (object: JsonObject): boolean =>
  phaseOf(object) === 'Running' && (object as unknown as Pod).status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

/** Waits until there is something to attach to; attaches, or shows the log of what is over already; ends with the container's code. */
async function follow(session: Session, target: Target): Promise<void> {
  const { flags } = session;
  let pod: JsonObject | undefined;
  const started = await watchUntil(session, target, flags.duration('pod-running-timeout'), (object) => {
    pod = object ?? pod;
    return object !== undefined && (isReady(object) || isOver(object));
  });
  if (started === 'timeout' || !pod) throw new KubectlError('timed out waiting for the condition');
  if (isOver(pod)) await showLog(session, target);
  else {
    try {
      await attachTo(session, pod as unknown as PodObject, { container: '', stdin: flags.bool('stdin'), tty: flags.bool('tty'), quiet: flags.bool('quiet') });
    } catch (error) {
      if (error instanceof ExitWith) throw error;
      session.err(`warning: couldn't attach to pod/${target.name}, falling back to streaming logs: ${(error as Error).message}\n`);
      await showLog(session, target);
    }
  }
  if (flags.bool('leave-stdin-open') || flags.text('restart') === 'Always') return;
  if (!isOver(pod))
    await watchUntil(session, target, 0, (object) => {
      pod = object ?? pod;
      return object === undefined || isOver(object);
    });
  const { status } = pod as unknown as Pod;
  if (status?.phase !== 'Failed') return;
  const ended = status.containerStatuses?.[0]?.state?.terminated;
  if (!ended || ended.exitCode === 0) throw new KubectlError(`pod ${target.namespace}/${target.name} failed with unknown exit code`);
  session.err(`pod ${target.namespace}/${target.name} terminated (${ended.reason ?? ''})${ended.message ? `\n${ended.message}` : ''}\n`);
  throw new ExitWith(ended.exitCode);
}

async function removeAll(session: Session, targets: readonly Target[]): Promise<void> {
  for (const target of targets) {
    try {
      await getObject(session, target);
      await session.request('DELETE', `/api/v1/namespaces/${target.namespace}/${target.info.resource}/${target.name}`, {
        body: { propagationPolicy: 'Background' },
      });
    } catch (error) {
      if (isNotFound(error)) continue;
      throw error;
    }
    if (!session.flags.bool('quiet')) session.out(`${target.info.singular || target.info.kind.toLowerCase()} ${JSON.stringify(target.name)} deleted\n`);
  }
}
