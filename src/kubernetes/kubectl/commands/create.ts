/** kubectl create: from files, or one of the generators. */
import type { Json } from '../../api/json.ts';
import { ApiError, TransportError } from '../../api/request.ts';
import { LAST_APPLIED } from '../../api/three-way.ts';
import { forEach, fromFiles, loadFiles, locate } from '../builder.ts';
import { pathOf, type ResourceInfo, shownName } from '../discovery.ts';
import { KubectlError, usageError, withSource } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, type FlagSpecs, PRINT_FLAGS, text } from '../flags.ts';
import { inGoOrder } from '../printers/go-order.ts';
import { goJson } from '../printers/objects.ts';
import { dryRunOf, ResultPrinter, writeQuery } from '../printers/result.ts';
import { asTyped } from '../printers/typed.ts';
import type { ObjectLike, Session } from '../session.ts';
import { validation, withLastApplied } from './apply.ts';
import type { Command } from './command.ts';
import { GENERATORS } from './create-generators.ts';
import { token } from './create-token.ts';
import type { Generator } from './generator.ts';
import { sendRaw } from './raw.ts';

const VALIDATE: FlagSpecs = {
  validate: { type: 'string', bare: 'strict', default: 'strict' },
  'field-manager': text(undefined, 'kubectl-create'),
  'save-config': bool(),
};

/** Sends a new object, or prints it with --dry-run=client. */
export async function createObject(session: Session, object: ObjectLike, manager: string): Promise<void> {
  const dryRun = dryRunOf(session);
  const printer = new ResultPrinter(session, dryRun);
  if (dryRun === 'client') {
    const info = infoOf(object);
    printer.printTyped(info, remembered(session, object), 'created');
    return;
  }
  const target = await locate(session, { object, source: '' });
  const body = remembered(session, target.object);
  try {
    const created = await session.request('POST', pathOf(target.info, target.namespace), {
      query: { ...writeQuery(session, manager, dryRun), ...(session.flags.has('validate') ? validation(session) : { fieldValidation: 'Strict' }) },
      body: body as unknown as Json,
    });
    printer.printTyped(target.info, created as unknown as ObjectLike, 'created');
  } catch (error) {
    const prefix = FAILURES[object.kind];
    // Most generators put the failure into words of their own, and with that lose what kind of error it was.
    if (prefix && error instanceof ApiError) throw new KubectlError(`${prefix(object)}${error.message}`);
    if (prefix && error instanceof TransportError)
      throw new KubectlError(
        `${prefix(object)}Post "${session.serverUrl}${pathOf(target.info, target.namespace)}?fieldManager=${manager}&fieldValidation=Strict": ${error.message}`,
      );
    throw error;
  }
}

/** With --save-config: the configuration as Go writes the object kubectl holds. */
function remembered(session: Session, object: ObjectLike): ObjectLike {
  if (!session.flags.bool('save-config')) return object;
  const written = `${goJson(inGoOrder(asTyped(object) as unknown as Json), 0, false)}\n`;
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [LAST_APPLIED]: written } } };
}

const FAILURES: Readonly<Record<string, (object: ObjectLike) => string>> = {
  ClusterRoleBinding: () => 'failed to create clusterrolebinding: ',
  ConfigMap: () => 'failed to create configmap: ',
  CronJob: () => 'failed to create cronjob: ',
  Deployment: () => 'failed to create deployment: ',
  Ingress: () => 'failed to create ingress: ',
  Job: () => 'failed to create job: ',
  PodDisruptionBudget: () => 'failed to create poddisruptionbudgets: ',
  PriorityClass: () => 'failed to create priorityclass: ',
  ResourceQuota: () => 'failed to create quota: ',
  RoleBinding: () => 'failed to create rolebinding: ',
  Secret: () => 'failed to create secret ',
  Service: (object) => `failed to create ${(object['spec'] as { readonly type?: string } | undefined)?.type ?? ''} service: `,
  ServiceAccount: () => 'failed to create serviceaccount: ',
};

/** Enough of a resource to name an object: --dry-run=client works without a server. */
const infoOf = (object: ObjectLike): ResourceInfo => ({
  group: object.apiVersion.includes('/') ? object.apiVersion.split('/')[0]! : '',
  version: object.apiVersion.split('/').at(-1)!,
  resource: '',
  singular: '',
  kind: object.kind,
  namespaced: false,
  verbs: [],
  shortNames: [],
  categories: [],
  subresources: [],
  preferred: true,
});

const fromGenerator = (path: string, generator: Generator): Command => ({
  summary: generator.summary,
  usage: generator.usage,
  flags: { ...PRINT_FLAGS, ...DRY_RUN_FLAGS, ...VALIDATE, ...generator.flags },
  ...(generator.required ? { required: generator.required } : {}),
  ...(generator.aliases ? { aliases: generator.aliases } : {}),
  run: async (session, args) => {
    const [name, ...rest] = args;
    const words = generator.command ? session.flags.dashAt : -1;
    const count = words >= 0 ? words : args.length;
    if (name === undefined || count !== 1) {
      if (!(generator.command && words < 0 && name !== undefined) && !generator.manyNames) throw usageError(path, `exactly one NAME is required, got ${count}`);
      if (name === undefined) throw usageError(path, 'exactly one NAME is required, got 0');
    }
    await createObject(session, await generator.make(session, name, rest), 'kubectl-create');
  },
});

const group = (summary: string, path: string, usage: string, names: readonly string[], aliases?: readonly string[]): Command => ({
  summary,
  usage: `${path} ${usage}`,
  ...(aliases ? { aliases } : {}),
  subcommands: Object.fromEntries(names.map((name) => [name, fromGenerator(`${path} ${name}`, GENERATORS[`${path.split(' ').at(-1)} ${name}`]!)])),
});
const single = (name: string): Command => fromGenerator(`kubectl create ${name}`, GENERATORS[name]!);

export const create: Command = {
  summary: 'Create a resource from a file or from stdin',
  usage: 'kubectl create -f FILENAME [options]',
  flags: { ...FILE_FLAGS, ...PRINT_FLAGS, ...DRY_RUN_FLAGS, ...VALIDATE, selector: text('l'), edit: bool(), raw: text(), 'windows-line-endings': bool() },
  subcommands: {
    clusterrole: single('clusterrole'),
    clusterrolebinding: single('clusterrolebinding'),
    configmap: single('configmap'),
    cronjob: single('cronjob'),
    deployment: single('deployment'),
    ingress: single('ingress'),
    job: single('job'),
    namespace: single('namespace'),
    poddisruptionbudget: single('poddisruptionbudget'),
    priorityclass: single('priorityclass'),
    quota: single('quota'),
    role: single('role'),
    rolebinding: single('rolebinding'),
    secret: group('Create a secret using a specified subcommand', 'kubectl create secret', '(docker-registry | generic | tls) [options]', [
      'generic',
      'tls',
      'docker-registry',
    ]),
    service: group(
      'Create a service using a specified subcommand',
      'kubectl create service',
      '[flags] [options]',
      ['clusterip', 'nodeport', 'loadbalancer', 'externalname'],
      ['svc'],
    ),
    serviceaccount: single('serviceaccount'),
    token,
  },
  run: async (session, args) => {
    if (args.length > 0 && !fromFiles(session)) throw usageError('kubectl create', `Unexpected args: [${args.join(' ')}]`);
    if (session.flags.text('raw') !== '')
      return sendRaw(session, 'POST', [
        ['edit', '--edit'],
        ['selector', '--selector (-l)'],
      ]);
    const dryRun = dryRunOf(session);
    const printer = new ResultPrinter(session, dryRun);
    await forEach(await loadFiles(session), async (loaded) => {
      const target = await locate(session, loaded);
      const body = session.flags.bool('save-config') ? withLastApplied(target.object) : target.object;
      if (dryRun === 'client') {
        printer.print(target.info, body, 'created');
        return;
      }
      try {
        const created = await session.request('POST', pathOf(target.info, target.namespace), {
          query: { ...writeQuery(session, 'kubectl-create', dryRun), ...validation(session) },
          body: body as unknown as Json,
        });
        printer.print(target.info, created as unknown as ObjectLike, 'created');
      } catch (error) {
        throw withSource(error, 'creating', loaded.source);
      }
    });
  },
};

export const replace: Command = {
  summary: 'Replace a resource by file name or stdin',
  usage: 'kubectl replace -f FILENAME [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRINT_FLAGS,
    ...DRY_RUN_FLAGS,
    ...VALIDATE,
    'field-manager': text(undefined, 'kubectl-replace'),
    raw: text(),
    subresource: text(),
    wait: bool(),
    force: bool(),
    'grace-period': { type: 'int', default: '-1' },
    cascade: { type: 'string', bare: 'background', default: 'background' },
    timeout: { type: 'duration', default: '0' },
  },
  run: async (session) => {
    if (session.flags.text('raw') !== '') return sendRaw(session, 'PUT', []);
    const dryRun = dryRunOf(session);
    const printer = new ResultPrinter(session, dryRun);
    await forEach(await loadFiles(session), async (loaded) => {
      const target = await locate(session, loaded);
      const query = { ...writeQuery(session, 'kubectl-replace', dryRun), ...validation(session) };
      const path = pathOf(target.info, target.namespace, target.name);
      try {
        if (session.flags.bool('force')) {
          await session
            .request('DELETE', path, { body: { propagationPolicy: 'Background', gracePeriodSeconds: Math.max(0, session.flags.number('grace-period')) } })
            .then(
              () => session.out(`${shownName(target.info, '').replace(/\/$/, '')} ${JSON.stringify(target.name)} deleted\n`),
              (error: unknown) => {
                if (!(error instanceof Error && 'code' in error && error.code === 404)) throw error;
              },
            );
          for (let tries = 0; tries < 300; tries++) {
            if ((await session.send('GET', path)).status === 404) break;
            await session.self.process.clock.sleep(1_000_000);
          }
          const created = await session.request('POST', pathOf(target.info, target.namespace), { query, body: target.object as unknown as Json });
          printer.print(target.info, created as unknown as ObjectLike, 'replaced');
          return;
        }
        // Without a resourceVersion of its own the file overwrites whatever is there.
        let body = target.object;
        if (!body.metadata.resourceVersion) {
          const live = (await session.request('GET', path)) as unknown as ObjectLike;
          body = { ...body, metadata: { ...body.metadata, resourceVersion: live.metadata.resourceVersion ?? '' } } as ObjectLike;
        }
        const replaced = await session.request('PUT', path, { query, body: body as unknown as Json });
        printer.print(target.info, replaced as unknown as ObjectLike, 'replaced');
      } catch (error) {
        throw withSource(error, 'replacing', loaded.source);
      }
    });
  },
};
