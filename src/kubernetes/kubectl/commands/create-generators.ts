/** The objects `kubectl create <noun>` makes of its flags (kubectl pkg/cmd/create). */
import type { Json } from '../../api/json.ts';
import { wholeValue } from '../../api/quantity.ts';
import { parseSelector } from '../../api/selector.ts';
import { getObject, select } from '../builder.ts';
import { KubectlError } from '../errors.ts';
import { text } from '../flags.ts';
import type { ObjectLike, Session } from '../session.ts';
import { DATA_GENERATORS } from './create-data.ts';
import { RBAC_GENERATORS } from './create-rbac.ts';
import { type Generator, newObject, ownNamespace } from './generator.ts';

/** `nginx:1.27` → `nginx`: what containers are called after their image. */
const imageName = (image: string): string => image.split('/').at(-1)!.split('@')[0]!.split(':')[0]!.replaceAll('_', '-');

const list = (): { readonly type: 'strings' } => ({ type: 'strings' });

/** What a label selector of an object calls them. */
const OPERATORS: Readonly<Record<string, string>> = { in: 'In', notin: 'NotIn', '!=': 'NotIn', exists: 'Exists', '!': 'DoesNotExist' };

/** `80`, `80:8080`. */
function servicePorts(session: Session, flag: string): Json {
  return session.flags.list(flag).map((spec) => {
    const [port, target] = spec.split(':');
    const range = (text: string): number => {
      if (!/^\d+$/.test(text)) throw new KubectlError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
      if (Number(text) > 65_535) throw new KubectlError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
      return Number(text);
    };
    range(port ?? '');
    if (target !== undefined && /^\d+$/.test(target) && (Number(target) < 1 || Number(target) > 65_535))
      throw new KubectlError('must be between 1 and 65535, inclusive');
    const targetPort = target === undefined ? Number(port) : /^\d+$/.test(target) ? Number(target) : target;
    return { name: `${port}${target === undefined ? '' : `-${target}`}`, port: Number(port), protocol: 'TCP', targetPort };
  }) as Json;
}
const service = (type: string): Generator => ({
  summary: `Create a ${type} service`,
  usage: `kubectl create service ${type.toLowerCase()} NAME ${
    type === 'ExternalName' ? '--external-name external.name' : type === 'ClusterIP' ? '[--tcp=<port>:<targetPort>]' : '[--tcp=port:targetPort]'
  } [--dry-run=server|client|none] [options]`,
  flags: {
    tcp: list(),
    ...(type === 'ClusterIP' ? { clusterip: text() } : {}),
    ...(type === 'NodePort' ? { 'node-port': { type: 'int' as const, default: '0' } } : {}),
    ...(type === 'ExternalName' ? { 'external-name': text() } : {}),
  },
  ...(type === 'ExternalName' ? { required: ['external-name'] } : {}),
  make: (session, name) => {
    let ports = servicePorts(session, 'tcp') as readonly Record<string, Json>[];
    const clusterIp = session.flags.text('clusterip');
    if (ports.length === 0 && type !== 'ExternalName' && clusterIp !== 'None') throw new KubectlError('at least one tcp port specifier must be provided');
    const external = session.flags.text('external-name');
    if (type === 'ExternalName' && !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(external))
      throw new KubectlError(`invalid service external name ${external}`);
    const nodePort = session.flags.number('node-port');
    if (type === 'NodePort' && nodePort > 0) ports = ports.map((port) => ({ ...port, nodePort }));
    const spec: Record<string, Json> = { ...(ports.length > 0 ? { ports: ports as unknown as Json } : {}), selector: { app: name }, type };
    if (clusterIp) spec['clusterIP'] = clusterIp;
    if (type === 'ExternalName') spec['externalName'] = session.flags.text('external-name');
    return newObject('v1', 'Service', name, ownNamespace(session), { spec }, { app: name });
  },
});

/** Go's struct of a template always has metadata. */
const withMetadata = (spec: Json): Json => {
  const { template, ...rest } = spec as { readonly template?: { readonly [key: string]: Json } };
  return { ...rest, template: { metadata: {}, ...template } } as Json;
};

const commandOf = (session: Session, rest: readonly string[]): { command?: Json } =>
  rest.length > 0 && session.flags.dashAt >= 0 ? { command: rest as Json } : {};

export const GENERATORS: Readonly<Record<string, Generator>> = {
  ...DATA_GENERATORS,
  ...RBAC_GENERATORS,
  deployment: {
    summary: 'Create a deployment with the specified name',
    usage: 'kubectl create deployment NAME --image=image -- [COMMAND] [args...] [options]',
    aliases: ['deploy', 'dep'],
    flags: { image: list(), replicas: { type: 'int', short: 'r', default: '1' }, port: { type: 'int', default: '-1' } },
    required: ['image'],
    command: true,
    make: (session, name, rest) => {
      const images = session.flags.list('image');
      if (images.length > 1 && session.flags.dashAt >= 0) throw new KubectlError('cannot specify multiple --image options and command');
      const port = session.flags.number('port');
      const labels = { app: name };
      const containers = images.map((image, i) => ({
        image,
        name: imageName(image),
        ...(port >= 0 && i === 0 ? { ports: [{ containerPort: port }] } : {}),
        ...(i === 0 ? commandOf(session, rest) : {}),
        resources: {},
      }));
      return newObject(
        'apps/v1',
        'Deployment',
        name,
        ownNamespace(session),
        {
          spec: {
            replicas: session.flags.number('replicas'),
            selector: { matchLabels: labels },
            strategy: {},
            template: { metadata: { labels }, spec: { containers: containers as unknown as Json } },
          },
        },
        labels,
      );
    },
  },
  namespace: {
    summary: 'Create a namespace with the specified name',
    usage: 'kubectl create namespace NAME [--dry-run=server|client|none] [options]',
    aliases: ['ns'],
    flags: {},
    make: (_, name) => newObject('v1', 'Namespace', name, undefined, { spec: {} }),
  },
  'service clusterip': service('ClusterIP'),
  'service nodeport': service('NodePort'),
  'service loadbalancer': service('LoadBalancer'),
  'service externalname': service('ExternalName'),
  serviceaccount: {
    summary: 'Create a service account with the specified name',
    usage: 'kubectl create serviceaccount NAME [--dry-run=server|client|none] [options]',
    aliases: ['sa'],
    flags: {},
    make: (session, name) => newObject('v1', 'ServiceAccount', name, ownNamespace(session), {}),
  },
  job: {
    summary: 'Create a job with the specified name',
    usage: 'kubectl create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...] [options]',
    flags: { image: text(), from: text() },
    command: true,
    make: async (session, name, rest) => {
      const from = session.flags.text('from');
      const image = session.flags.text('image');
      if ((from === '') === (image === '')) throw new KubectlError('either --image or --from must be specified');
      if (from && rest.length > 0) throw new KubectlError('cannot specify --from and command');
      if (from) {
        const { targets, lists } = await select(session, [from]);
        const [target] = targets;
        if (!target || lists.length > 0) throw new KubectlError('resource(s) were provided, but no name was specified');
        const found = await getObject(session, target);
        if (target.info.kind !== 'CronJob')
          throw new KubectlError(`from must be an existing cronjob: unknown object type *${target.info.version}.${target.info.kind}`);
        const job = found as unknown as {
          readonly metadata: { readonly name: string; readonly uid: string };
          readonly spec: {
            readonly jobTemplate: {
              readonly spec: Json;
              readonly metadata?: { readonly labels?: Json; readonly annotations?: Readonly<Record<string, string>> };
            };
          };
        };
        return {
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: {
            annotations: { ...job.spec.jobTemplate.metadata?.annotations, 'cronjob.kubernetes.io/instantiate': 'manual' },
            ...(job.spec.jobTemplate.metadata?.labels ? { labels: job.spec.jobTemplate.metadata.labels } : {}),
            name,
            ownerReferences: [{ apiVersion: 'batch/v1', controller: true, kind: 'CronJob', name: job.metadata.name, uid: job.metadata.uid }],
          },
          spec: withMetadata(job.spec.jobTemplate.spec),
        } as unknown as ObjectLike;
      }
      return newObject('batch/v1', 'Job', name, ownNamespace(session), {
        spec: { template: { metadata: {}, spec: { containers: [{ ...commandOf(session, rest), image, name, resources: {} }], restartPolicy: 'Never' } } },
      });
    },
  },
  cronjob: {
    summary: 'Create a cron job with the specified name',
    usage: "kubectl create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags] [options]",
    aliases: ['cj'],
    flags: { image: text(), schedule: text(), restart: text() },
    required: ['image', 'schedule'],
    command: true,
    make: (session, name, rest) =>
      newObject('batch/v1', 'CronJob', name, ownNamespace(session), {
        spec: {
          jobTemplate: {
            metadata: { name },
            spec: {
              template: {
                metadata: {},
                spec: {
                  containers: [{ ...commandOf(session, rest), image: session.flags.text('image'), name, resources: {} }],
                  restartPolicy: session.flags.text('restart') || 'OnFailure',
                },
              },
            },
          },
          schedule: session.flags.text('schedule'),
        },
      }),
  },
  quota: {
    summary: 'Create a quota with the specified name',
    usage: 'kubectl create quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none] [options]',
    aliases: ['resourcequota'],
    flags: { hard: text(), scopes: text() },
    make: (session, name) => {
      const hard: Record<string, string> = {};
      for (const pair of session.flags
        .text('hard')
        .split(',')
        .filter((part) => part !== '')) {
        const [key, value] = pair.split('=');
        if (!key || value === undefined) throw new KubectlError(`Invalid argument syntax ${pair}, expected <resource>=<value>`);
        wholeValue(value);
        hard[key] = value;
      }
      const scopes = session.flags
        .text('scopes')
        .split(',')
        .filter((part) => part !== '');
      return newObject('v1', 'ResourceQuota', name, ownNamespace(session), {
        spec: { ...(Object.keys(hard).length > 0 ? { hard } : {}), ...(scopes.length > 0 ? { scopes } : {}) },
      });
    },
  },
  poddisruptionbudget: {
    summary: 'Create a pod disruption budget with the specified name',
    usage: 'kubectl create poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none] [options]',
    aliases: ['pdb'],
    flags: { selector: text(), 'min-available': text(), 'max-unavailable': text() },
    make: (session, name) => {
      const [minimum, maximum] = [session.flags.text('min-available'), session.flags.text('max-unavailable')];
      if (session.flags.text('selector') === '') throw new KubectlError('a selector must be specified');
      if (minimum === '' && maximum === '') throw new KubectlError('one of min-available or max-unavailable must be specified');
      if (minimum !== '' && maximum !== '') throw new KubectlError('min-available and max-unavailable cannot be both specified');
      const number = (value: string): Json => (/^\d+$/.test(value) ? Number(value) : value);
      for (const [flag, value] of [
        ['min-available', minimum],
        ['max-unavailable', maximum],
      ] as const)
        if (value !== '' && !/^\d+%?$/.test(value)) throw new KubectlError(`invalid format specified for ${flag}`);
      const { requirements } = parseSelector(session.flags.text('selector'));
      const plain = requirements.filter(({ operator }) => operator === '=' || operator === '==');
      const others = requirements.filter((one) => !plain.includes(one));
      const selector = {
        ...(others.length > 0
          ? {
              matchExpressions: others.map(({ key, operator, values }) => ({
                key,
                operator: OPERATORS[operator] ?? operator,
                ...(values.length > 0 ? { values: [...values] } : {}),
              })),
            }
          : {}),
        ...(plain.length > 0 ? { matchLabels: Object.fromEntries(plain.map(({ key, values }) => [key, values[0] ?? ''])) } : {}),
      } as Json;
      return newObject('policy/v1', 'PodDisruptionBudget', name, ownNamespace(session), {
        spec: { ...(minimum ? { minAvailable: number(minimum) } : { maxUnavailable: number(maximum) }), selector },
      });
    },
  },
  priorityclass: {
    summary: 'Create a priority class with the specified name',
    usage: 'kubectl create priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none] [options]',
    aliases: ['pc'],
    flags: {
      value: { type: 'int', default: '0' },
      'global-default': { type: 'bool' },
      description: text(),
      'preemption-policy': text(undefined, 'PreemptLowerPriority'),
    },
    make: (session, name) =>
      newObject('scheduling.k8s.io/v1', 'PriorityClass', name, undefined, {
        ...(session.flags.text('description') ? { description: session.flags.text('description') } : {}),
        ...(session.flags.bool('global-default') ? { globalDefault: true } : {}),
        preemptionPolicy: session.flags.text('preemption-policy'),
        value: session.flags.number('value'),
      }),
  },
  ingress: {
    summary: 'Create an ingress with the specified name',
    usage: 'kubectl create ingress NAME --rule=host/path=service:port[,tls[=secret]]  [options]',
    aliases: ['ing'],
    flags: { rule: list(), class: text(), 'default-backend': text(), annotation: list() },
    make: (session, name) => {
      const backend = (spec: string): Json => {
        const [service, port] = spec.split(':') as [string, string | undefined];
        return { service: { name: service, port: /^\d+$/.test(port ?? '') ? { number: Number(port) } : { name: port ?? '' } } };
      };
      const hosts = new Map<string, Json[]>();
      const tls: Json[] = [];
      for (const rule of session.flags.all('rule')) {
        const m = /^([^/,=]*)(\/[^=,]*)?=([^,:]+:[^,]+)(?:,tls(?:=(.*))?)?$/.exec(rule);
        if (!m) throw new KubectlError(`rule ${rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
        const path = m[2] ?? '/';
        const paths = hosts.get(m[1]!) ?? [];
        paths.push({ backend: backend(m[3]!), path: path.replace(/\*$/, ''), pathType: path.endsWith('*') ? 'Prefix' : 'Exact' });
        hosts.set(m[1]!, paths);
        if (/,tls/.test(rule)) tls.push({ hosts: [m[1]!], ...(m[4] ? { secretName: m[4] } : {}) });
      }
      const annotations: Record<string, string> = {};
      for (const pair of session.flags.all('annotation')) {
        if (!/^[^=]+=/.test(pair)) throw new KubectlError(`annotation ${pair} is invalid and should be in format key=[value]`);
        annotations[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1);
      }
      const fallback = session.flags.text('default-backend');
      if (fallback !== '' && !/^[^:]+:[^:]+$/.test(fallback)) throw new KubectlError('default-backend should be in format servicename:serviceport');
      if (hosts.size === 0 && fallback === '')
        throw new KubectlError(
          'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
        );
      const rules = [...hosts].map(([host, paths]) => ({ ...(host ? { host } : {}), http: { paths } }));
      const made = newObject('networking.k8s.io/v1', 'Ingress', name, ownNamespace(session), {
        spec: {
          ...(fallback ? { defaultBackend: backend(fallback) } : {}),
          ...(session.flags.text('class') ? { ingressClassName: session.flags.text('class') } : {}),
          ...(rules.length > 0 ? { rules: rules as unknown as Json } : {}),
          ...(tls.length > 0 ? { tls } : {}),
        },
      });
      return Object.keys(annotations).length > 0 ? { ...made, metadata: { annotations, ...made.metadata } } : made;
    },
  },
};
