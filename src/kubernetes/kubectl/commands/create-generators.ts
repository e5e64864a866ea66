/** The objects `kubectl create <noun>` makes of its flags (kubectl pkg/cmd/create). */
import type { Json } from '../../api/json.ts';
import { wholeValue } from '../../api/quantity.ts';
import { parseSelector } from '../../api/selector.ts';
import { KubectlError, usageError } from '../errors.ts';
import { type FlagSpecs, text } from '../flags.ts';
import { encodeBase64 } from '../kubeconfig.ts';
import type { ObjectLike, Session } from '../session.ts';

export interface Generator {
  readonly summary: string;
  readonly usage: string;
  readonly flags: FlagSpecs;
  readonly required?: readonly string[];
  readonly aliases?: readonly string[];
  /** Words after `--` are the container's command. */
  readonly command?: boolean;
  readonly manyNames?: boolean;
  make(session: Session, name: string, rest: readonly string[]): ObjectLike | Promise<ObjectLike>;
}

const object = (
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string | undefined,
  rest: { readonly [key: string]: Json | undefined },
  labels?: Json,
): ObjectLike =>
  ({ apiVersion, kind, metadata: { ...(labels ? { labels } : {}), name, ...(namespace ? { namespace } : {}) }, ...rest }) as unknown as ObjectLike;

/** `nginx:1.27` → `nginx`: what containers are called after their image. */
const imageName = (image: string): string => image.split('/').at(-1)!.split('@')[0]!.split(':')[0]!.replaceAll('_', '-');

const list = (): { readonly type: 'strings' } => ({ type: 'strings' });

/** --from-literal, --from-file and --from-env-file, in that order of flags. */
function dataOf(session: Session): { readonly [key: string]: string } {
  const { flags, self } = session;
  const data: Record<string, string> = {};
  const read = (path: string): string => {
    const at = path.startsWith('/') ? path : `${self.cwd}/${path}`;
    if (!self.files.exists(at)) throw new KubectlError(`error reading ${path}: no such file or directory`);
    return self.files.read(at);
  };
  const add = (key: string, value: string) => {
    if (!/^[-._a-zA-Z0-9]+$/.test(key))
      throw new KubectlError(
        `${JSON.stringify(key)} is not a valid key name: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      );
    if (key in data)
      throw new KubectlError(
        `cannot add key ${JSON.stringify(key)}, another key by that name already exists in Data for ConfigMap ${JSON.stringify(session.flags.args[0] ?? '')}`,
      );
    data[key] = value;
  };
  for (const source of flags.all('from-file')) {
    const equals = source.indexOf('=');
    const path = equals < 0 ? source : source.slice(equals + 1);
    const at = path.startsWith('/') ? path : `${self.cwd}/${path}`;
    if (equals < 0 && self.files.isDirectory(at)) {
      for (const name of self.files.list(at)) if (!self.files.isDirectory(`${at}/${name}`)) add(name, self.files.read(`${at}/${name}`));
    } else add(equals < 0 ? path.split('/').at(-1)! : source.slice(0, equals), read(path));
  }
  for (const source of flags.all('from-literal')) {
    const equals = source.indexOf('=');
    if (equals <= 0) throw new KubectlError(`invalid literal source ${source}, expected key=value`);
    add(source.slice(0, equals), source.slice(equals + 1).replace(/^(["'])(.*)\1$/, '$2'));
  }
  for (const path of flags.all('from-env-file')) {
    for (const line of read(path).split('\n')) {
      const trimmed = line.trimStart();
      if (trimmed === '' || trimmed.startsWith('#')) continue;
      const equals = trimmed.indexOf('=');
      add(equals < 0 ? trimmed : trimmed.slice(0, equals), equals < 0 ? (self.env[trimmed] ?? '') : trimmed.slice(equals + 1));
    }
  }
  return data;
}
const DATA_FLAGS: FlagSpecs = { 'from-file': list(), 'from-literal': list(), 'from-env-file': list(), 'append-hash': { type: 'bool' } };

/** `80`, `80:8080`. */
function servicePorts(session: Session, flag: string): Json {
  return session.flags.list(flag).map((spec) => {
    const [port, target] = spec.split(':');
    if (!/^\d+$/.test(port ?? '') || Number(port) > 65_535) throw new KubectlError(`strconv.Atoi: parsing ${JSON.stringify(port ?? '')}: invalid syntax`);
    const targetPort = target === undefined ? Number(port) : /^\d+$/.test(target) ? Number(target) : target;
    return { name: `${port}${target === undefined ? '' : `-${target}`}`, port: Number(port), protocol: 'TCP', targetPort };
  }) as Json;
}
const service = (type: string): Generator => ({
  summary: `Create a ${type} service`,
  usage: `kubectl create service ${type.toLowerCase()} NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none] [options]`,
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
    const nodePort = session.flags.number('node-port');
    if (type === 'NodePort' && nodePort > 0) ports = ports.map((port) => ({ ...port, nodePort }));
    const spec: Record<string, Json> = { ...(ports.length > 0 ? { ports: ports as unknown as Json } : {}), selector: { app: name }, type };
    if (clusterIp) spec['clusterIP'] = clusterIp;
    if (type === 'ExternalName') spec['externalName'] = session.flags.text('external-name');
    return object('v1', 'Service', name, session.namespaceGiven ? session.namespace : undefined, { spec }, { app: name });
  },
});

const commandOf = (session: Session, rest: readonly string[]): { command?: Json } =>
  rest.length > 0 && session.flags.dashAt >= 0 ? { command: rest as Json } : {};
const spaced = (session: Session): string | undefined => (session.namespaceGiven ? session.namespace : undefined);

async function rulesOf(session: Session): Promise<Json> {
  const { flags } = session;
  const verbs = [...new Set(flags.list('verb'))];
  if (verbs.length === 0) throw new KubectlError('at least one verb must be specified');
  const urls = flags.list('non-resource-url');
  const resources = flags.list('resource');
  if (resources.length === 0 && urls.length === 0) throw new KubectlError('at least one resource must be specified');
  const rules: Json[] = [];
  const byGroup = new Map<string, string[]>();
  for (const resource of resources) {
    const [name, sub] = resource.split('/') as [string, string | undefined];
    if (name === '*') byGroup.set('*', ['*']);
    else {
      const found = await session.discovery.find(name);
      if (!found) throw new KubectlError(`the server doesn't have a resource type ${JSON.stringify(name)}`);
      const names = byGroup.get(found.group) ?? [];
      names.push(found.resource + (sub ? `/${sub}` : ''));
      byGroup.set(found.group, names);
    }
  }
  const names = flags.list('resource-name');
  for (const [apiGroup, resourceNames] of byGroup)
    rules.push({ apiGroups: [apiGroup], ...(names.length > 0 ? { resourceNames: names as Json } : {}), resources: resourceNames, verbs: verbs as Json });
  if (urls.length > 0) rules.push({ nonResourceURLs: urls as Json, verbs: verbs as Json });
  return rules;
}
const RULE_FLAGS: FlagSpecs = { verb: list(), resource: list(), 'resource-name': list() };

function subjectsOf(session: Session): Json {
  const { flags } = session;
  const subjects: Json[] = [];
  for (const name of flags.list('user')) subjects.push({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name });
  for (const name of flags.list('group')) subjects.push({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name });
  for (const account of flags.list('serviceaccount')) {
    const [namespace, name] = account.split(':');
    if (!namespace || !name) throw new KubectlError('serviceaccount must be <namespace>:<name>');
    subjects.push({ kind: 'ServiceAccount', name, namespace });
  }
  return subjects;
}
const SUBJECT_FLAGS: FlagSpecs = { user: list(), group: list(), serviceaccount: list() };

export const GENERATORS: Readonly<Record<string, Generator>> = {
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
      return object(
        'apps/v1',
        'Deployment',
        name,
        spaced(session),
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
    make: (_, name) => object('v1', 'Namespace', name, undefined, { spec: {} }),
  },
  configmap: {
    summary: 'Create a config map from a local file, directory or literal value',
    usage: 'kubectl create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none] [options]',
    aliases: ['cm'],
    flags: DATA_FLAGS,
    make: (session, name) => {
      const data = dataOf(session);
      return object('v1', 'ConfigMap', name, spaced(session), Object.keys(data).length > 0 ? { data } : {});
    },
  },
  'secret generic': {
    summary: 'Create a secret from a local file, directory, or literal value',
    usage:
      'kubectl create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none] [options]',
    flags: { ...DATA_FLAGS, type: text() },
    make: (session, name) => {
      const data = Object.fromEntries(Object.entries(dataOf(session)).map(([key, value]) => [key, encodeBase64(value)]));
      return object('v1', 'Secret', name, spaced(session), {
        ...(Object.keys(data).length > 0 ? { data } : {}),
        ...(session.flags.text('type') ? { type: session.flags.text('type') } : {}),
      });
    },
  },
  'secret tls': {
    summary: 'Create a TLS secret',
    usage: 'kubectl create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none] [options]',
    flags: { cert: text(), key: text(), 'append-hash': { type: 'bool' } },
    required: ['cert', 'key'],
    make: (session, name) => {
      const read = (path: string) => {
        const at = path.startsWith('/') ? path : `${session.self.cwd}/${path}`;
        if (!session.self.files.exists(at)) throw new KubectlError(`Cannot read file ${path}, open ${path}: no such file or directory`);
        return encodeBase64(session.self.files.read(at));
      };
      return object('v1', 'Secret', name, spaced(session), {
        data: { 'tls.crt': read(session.flags.text('cert')), 'tls.key': read(session.flags.text('key')) },
        type: 'kubernetes.io/tls',
      });
    },
  },
  'secret docker-registry': {
    summary: 'Create a secret for use with a Docker registry',
    usage:
      'kubectl create secret docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [options]',
    flags: { 'docker-username': text(), 'docker-password': text(), 'docker-email': text(), 'docker-server': text(undefined, 'https://index.docker.io/v1/') },
    required: ['docker-password', 'docker-username'],
    make: (session, name) => {
      const [username, password, email] = ['docker-username', 'docker-password', 'docker-email'].map((flag) => session.flags.text(flag)) as [
        string,
        string,
        string,
      ];
      const config = {
        auths: { [session.flags.text('docker-server')]: { username, password, ...(email ? { email } : {}), auth: encodeBase64(`${username}:${password}`) } },
      };
      return object('v1', 'Secret', name, spaced(session), {
        data: { '.dockerconfigjson': encodeBase64(JSON.stringify(config)) },
        type: 'kubernetes.io/dockerconfigjson',
      });
    },
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
    make: (session, name) => object('v1', 'ServiceAccount', name, spaced(session), {}),
  },
  job: {
    summary: 'Create a job with the specified name',
    usage: 'kubectl create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...] [options]',
    flags: { image: text(), from: text() },
    command: true,
    make: async (session, name, rest) => {
      const from = session.flags.text('from');
      const image = session.flags.text('image');
      if (!from && !image) throw new KubectlError('either --image or --from must be specified');
      if (from && image) throw new KubectlError('specify either --image or --from');
      if (from) {
        const [kind, cron] = from.split('/') as [string, string | undefined];
        if (!/^(cronjobs?|cj)(\.|$)/.test(kind) || !cron) throw new KubectlError(`from must be an existing cronjob: unknown object type ${kind}`);
        const job = (await session.request('GET', `/apis/batch/v1/namespaces/${session.namespace}/cronjobs/${cron}`)) as unknown as {
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
          spec: job.spec.jobTemplate.spec,
        } as unknown as ObjectLike;
      }
      return object('batch/v1', 'Job', name, spaced(session), {
        spec: { template: { metadata: {}, spec: { containers: [{ ...commandOf(session, rest), image, name, resources: {} }], restartPolicy: 'Never' } } },
      });
    },
  },
  cronjob: {
    summary: 'Create a cron job with the specified name',
    usage: "kubectl create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags] [options]",
    aliases: ['cj'],
    flags: { image: text(), schedule: text(), restart: text(undefined, 'OnFailure') },
    required: ['image', 'schedule'],
    command: true,
    make: (session, name, rest) =>
      object('batch/v1', 'CronJob', name, spaced(session), {
        spec: {
          jobTemplate: {
            metadata: { name },
            spec: {
              template: {
                metadata: {},
                spec: {
                  containers: [{ ...commandOf(session, rest), image: session.flags.text('image'), name, resources: {} }],
                  restartPolicy: session.flags.text('restart'),
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
      return object('v1', 'ResourceQuota', name, spaced(session), {
        spec: { ...(Object.keys(hard).length > 0 ? { hard } : {}), ...(scopes.length > 0 ? { scopes } : {}) },
      });
    },
  },
  role: {
    summary: 'Create a role with single rule',
    usage: 'kubectl create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none] [options]',
    flags: RULE_FLAGS,
    make: async (session, name) => object('rbac.authorization.k8s.io/v1', 'Role', name, spaced(session), { rules: await rulesOf(session) }),
  },
  clusterrole: {
    summary: 'Create a cluster role',
    usage: 'kubectl create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none] [options]',
    flags: { ...RULE_FLAGS, 'non-resource-url': list() },
    make: async (session, name) => object('rbac.authorization.k8s.io/v1', 'ClusterRole', name, undefined, { rules: await rulesOf(session) }),
  },
  rolebinding: {
    summary: 'Create a role binding for a particular role or cluster role',
    usage:
      'kubectl create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]',
    flags: { ...SUBJECT_FLAGS, clusterrole: text(), role: text() },
    make: (session, name) => {
      const [role, clusterRole] = [session.flags.text('role'), session.flags.text('clusterrole')];
      if ((role === '') === (clusterRole === '')) throw new KubectlError('exactly one of clusterrole or role must be specified');
      return object('rbac.authorization.k8s.io/v1', 'RoleBinding', name, spaced(session), {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role ? 'Role' : 'ClusterRole', name: role || clusterRole },
        subjects: subjectsOf(session),
      });
    },
  },
  clusterrolebinding: {
    summary: 'Create a cluster role binding for a particular cluster role',
    usage:
      'kubectl create clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]',
    flags: { ...SUBJECT_FLAGS, clusterrole: text() },
    required: ['clusterrole'],
    make: (session, name) =>
      object('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', name, undefined, {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: session.flags.text('clusterrole') },
        subjects: subjectsOf(session),
      }),
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
      const matchLabels = Object.fromEntries(
        parseSelector(session.flags.text('selector')).requirements.map((requirement) => [requirement.key, requirement.values[0] ?? '']),
      );
      return object('policy/v1', 'PodDisruptionBudget', name, spaced(session), {
        spec: { ...(minimum ? { minAvailable: number(minimum) } : { maxUnavailable: number(maximum) }), selector: { matchLabels } },
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
      object('scheduling.k8s.io/v1', 'PriorityClass', name, undefined, {
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
        const m = /^([^/,=]*)(\/[^=,]*)?=([^,]+)(?:,tls(?:=(.*))?)?$/.exec(rule);
        if (!m) throw usageError('kubectl create ingress', `rule ${rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
        const path = m[2] ?? '/';
        const paths = hosts.get(m[1]!) ?? [];
        paths.push({ backend: backend(m[3]!), path: path.replace(/\*$/, ''), pathType: path.endsWith('*') ? 'Prefix' : 'Exact' });
        hosts.set(m[1]!, paths);
        if (/,tls/.test(rule)) tls.push({ hosts: [m[1]!], ...(m[4] ? { secretName: m[4] } : {}) });
      }
      const fallback = session.flags.text('default-backend');
      if (hosts.size === 0 && fallback === '')
        throw new KubectlError(
          'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
        );
      const rules = [...hosts].map(([host, paths]) => ({ ...(host ? { host } : {}), http: { paths } }));
      return object('networking.k8s.io/v1', 'Ingress', name, spaced(session), {
        spec: {
          ...(fallback ? { defaultBackend: backend(fallback) } : {}),
          ...(session.flags.text('class') ? { ingressClassName: session.flags.text('class') } : {}),
          ...(rules.length > 0 ? { rules: rules as unknown as Json } : {}),
          ...(tls.length > 0 ? { tls } : {}),
        },
      });
    },
  },
};
