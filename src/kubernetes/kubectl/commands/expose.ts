/** kubectl expose: a service for what runs already (kubectl pkg/cmd/expose). */
import type { Json } from '../../api/json.ts';
import type { Container, ServicePort } from '../../api/types.gen.ts';
import { resolveObjects, type Target } from '../builder.ts';
import { partOf } from '../change.ts';
import { AggregateFailure, KubectlError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { containersIn, podSpecPath } from '../pod-spec.ts';
import { dryRunOf, ResultPrinter, writeQuery } from '../printers/result.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import { withLastApplied } from './apply.ts';
import type { Command } from './command.ts';
import { withOverrides } from './overrides.ts';

type Labels = Readonly<Record<string, string>>;
type Found = Target & { readonly object: ObjectLike };

export const expose: Command = {
  summary: 'Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service',
  usage:
    'kubectl expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type] [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRINT_FLAGS,
    ...DRY_RUN_FLAGS,
    port: text(),
    protocol: text(),
    'target-port': text(),
    name: text(),
    type: text(),
    selector: text(),
    labels: text('l'),
    'external-ip': text(),
    'load-balancer-ip': text(),
    'session-affinity': text(),
    'cluster-ip': text(),
    overrides: text(),
    'override-type': text(undefined, 'merge'),
    'save-config': bool(),
    'field-manager': text(undefined, 'kubectl-expose'),
  },
  run: async (session, args) => {
    const dryRun = dryRunOf(session);
    // --selector is the new service's here, not a filter.
    const { found, failures } = await resolveObjects({ ...session, flags: withoutSelector(session) }, args);
    const errors: unknown[] = [...failures];
    for (const target of found) {
      try {
        const service = withOverrides(session, serviceFor(session, target));
        const printer = new ResultPrinter(session, dryRun);
        const info = await session.discovery.resolve('services');
        if (dryRun === 'client') {
          printer.printTyped(info, service, 'exposed');
          continue;
        }
        const body = session.flags.bool('save-config') ? withLastApplied(service) : service;
        const made = await session.request('POST', `/api/v1/namespaces/${target.namespace || session.namespace}/services`, {
          query: writeQuery(session, 'kubectl-expose', dryRun),
          body: body as unknown as Json,
        });
        printer.printTyped(info, made as unknown as ObjectLike, 'exposed');
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateFailure(errors);
  },
};

function withoutSelector(session: Session): Session['flags'] {
  const { flags } = session;
  return Object.assign(Object.create(Object.getPrototypeOf(flags)) as typeof flags, flags, {
    text: (name: string) => (name === 'selector' ? '' : flags.text(name)),
  });
}

const EXPOSABLE = ['Pod', 'Service', 'ReplicationController', 'Deployment', 'ReplicaSet'];

/** `a=b,c=d`. */
export function labelsOf(spec: string): Labels {
  const labels: Record<string, string> = {};
  for (const part of spec.split(',').filter((one) => one !== '')) {
    const pair = part.split('=');
    if (pair.length !== 2 || pair[0] === '') throw new KubectlError(`unexpected label spec: ${part}`);
    labels[pair[0]!] = pair[1]!;
  }
  return labels;
}

function selectorFor({ info, object }: Found): Labels {
  const bad = (why: string): never => {
    throw new KubectlError(`couldn't retrieve selectors via --selector flag or introspection: ${why}`);
  };
  if (info.kind === 'Pod')
    return Object.keys(object.metadata.labels ?? {}).length > 0 ? object.metadata.labels! : bad('the pod has no labels and cannot be exposed');
  const selector = partOf(object, ['spec', 'selector']);
  if (info.kind === 'Service') return isObject(selector) ? (selector as Labels) : bad('the service has no pod selector set');
  if (info.kind === 'ReplicationController') return (isObject(selector) ? selector : {}) as Labels;
  const expressions = isObject(selector) ? selector['matchExpressions'] : undefined;
  if (Array.isArray(expressions) && expressions.length > 0) bad(`couldn't convert expressions - ${JSON.stringify(expressions)} to map-based selector format`);
  const labels = isObject(selector) ? selector['matchLabels'] : undefined;
  return isObject(labels) ? (labels as Labels) : bad('invalid deployment: no selectors, therefore cannot be exposed');
}

/** Ports of the containers, or of the service; the first name or protocol of a number counts. */
function portsFor(target: Found): readonly { readonly port: number; readonly protocol: string }[] {
  if (target.info.kind === 'Service')
    return ((partOf(target.object, ['spec', 'ports']) ?? []) as unknown as readonly ServicePort[]).map(({ port, protocol }) => ({
      port,
      protocol: protocol ?? 'TCP',
    }));
  const path = podSpecPath(target);
  const containers: readonly Container[] = path ? containersIn(target.object, path, 'containers') : [];
  return containers.flatMap((container) => container.ports ?? []).map(({ containerPort, protocol }) => ({ port: containerPort, protocol: protocol ?? 'TCP' }));
}

const numberOrName = (value: string): number | string => (/^\d+$/.test(value) ? Number(value) : value);

function serviceFor(session: Session, target: Found): ObjectLike {
  const { flags } = session;
  const { info } = target;
  if (!EXPOSABLE.includes(info.kind)) throw new KubectlError(`cannot expose a ${info.group === '' ? info.kind : `${info.kind}.${info.group}`}`);
  const headless = flags.text('cluster-ip') === 'None';
  const selector = flags.text('selector') === '' ? selectorFor(target) : labelsOf(flags.text('selector'));
  const known = portsFor(target);
  const given = flags
    .text('port')
    .split(',')
    .filter((port) => port !== '')
    .map(Number);
  if (given.some((port) => !Number.isInteger(port))) throw new KubectlError(`strconv.Atoi: parsing ${JSON.stringify(flags.text('port'))}: invalid syntax`);
  const numbers = given.length > 0 ? given : [...new Set(known.map(({ port }) => port))];
  if (numbers.length === 0 && !headless) throw new KubectlError("couldn't find port via --port flag or introspection");
  const ports: JsonObject[] = [];
  for (const [i, port] of numbers.entries()) {
    const protocols =
      flags.text('protocol') !== ''
        ? [flags.text('protocol')]
        : given.length > 0 && known.length === 0
          ? ['TCP']
          : [...new Set(known.filter((one) => one.port === port).map(({ protocol }) => protocol))];
    for (const protocol of protocols.length > 0 ? protocols : ['TCP']) {
      const name = numbers.length > 1 || protocols.length > 1 ? `port-${i + 1}${protocols.length > 1 ? `-${protocol.toLowerCase()}` : ''}` : undefined;
      ports.push({ ...(name ? { name } : {}), port, protocol, targetPort: flags.text('target-port') === '' ? port : numberOrName(flags.text('target-port')) });
    }
  }
  const labels = flags.text('labels') === '' ? (target.object.metadata.labels ?? {}) : labelsOf(flags.text('labels'));
  const optional = (field: string, flag: string): JsonObject => (flags.text(flag) === '' ? {} : { [field]: flags.text(flag) });
  const affinity = flags.text('session-affinity');
  if (affinity !== '' && affinity !== 'None' && affinity !== 'ClientIP') throw new KubectlError(`unknown session affinity: ${affinity}`);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      name: flags.text('name') || target.name.slice(0, 63),
      ...(session.namespaceGiven ? { namespace: session.namespace } : {}),
    },
    spec: {
      ...(ports.length > 0 ? { ports: ports as unknown as Json } : {}),
      selector,
      ...optional('type', 'type'),
      ...optional('clusterIP', 'cluster-ip'),
      ...optional('loadBalancerIP', 'load-balancer-ip'),
      ...(flags.text('external-ip') === '' ? {} : { externalIPs: [flags.text('external-ip')] }),
      ...(affinity === '' ? {} : { sessionAffinity: affinity }),
    },
  } as unknown as ObjectLike;
}
