/**
 * `@kubernetes/client-node`, the official client for Node, against a world over HTTP: informer, patches, exec, watch.
 * It knows nothing of us; whatever it stumbles over, another client would.
 */
import { PassThrough } from 'node:stream';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  type ObjectCache,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Pod,
  type V1Status,
  VersionApi,
  Watch,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Served } from './served.ts';

const NAMESPACE = 'default';
let served: Served;
let config: KubeConfig;
let core: CoreV1Api;

beforeAll(async () => {
  served = await Served.start('single');
  config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'orrery', server: served.url, skipTLSVerify: true }],
    users: [{ name: 'admin' }],
    contexts: [{ name: 'c', cluster: 'orrery', user: 'admin' }],
    currentContext: 'c',
  });
  core = config.makeApiClient(CoreV1Api);
}, 240_000);
afterAll(() => served?.stop());

/** Waits, in real time, until something is so; virtual time passes meanwhile. */
async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const begun = Date.now();
  while (!(await holds())) {
    if (Date.now() - begun > 40_000) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const configMap = (name: string, data: Record<string, string>, more: object = {}): V1ConfigMap => ({ metadata: { name, ...more }, data });
const create = (name: string, data: Record<string, string>, more: object = {}) =>
  core.createNamespacedConfigMap({ namespace: NAMESPACE, body: configMap(name, data, more) });

/** What the server answered to a call that had to fail. */
async function refusal(call: Promise<unknown>): Promise<V1Status & { readonly httpCode: number }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ApiException)) throw error;
    return { ...(JSON.parse(String(error.body)) as V1Status), httpCode: error.code };
  }
  throw new Error('it was not refused');
}

test('an informer lists, hears of every change, and lists again after 410', async () => {
  await create('seen-0', { a: '0' }, { labels: { informed: 'yes' } });
  const heard: string[] = [];
  let lists = 0;
  const informer = makeInformer<V1ConfigMap>(
    config,
    `/api/v1/namespaces/${NAMESPACE}/configmaps`,
    () => {
      lists++;
      return core.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector: 'informed=yes' });
    },
    'informed=yes',
  );
  for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, ({ metadata, data }) => heard.push(`${verb} ${metadata?.name} ${data?.['a']}`));
  let errors = 0;
  informer.on('error', () => errors++);
  await informer.start();
  await until(() => heard.length === 1, 'the first');
  await create('seen-1', { a: '1' }, { labels: { informed: 'yes' } });
  await create('unseen', { a: '1' });
  await core.replaceNamespacedConfigMap({ namespace: NAMESPACE, name: 'seen-1', body: configMap('seen-1', { a: '2' }, { labels: { informed: 'yes' } }) });
  await core.deleteNamespacedConfigMap({ namespace: NAMESPACE, name: 'seen-0' });
  await until(() => heard.length === 4, 'add, update, delete');
  // An object that ceases to match is gone for who selects, one that begins to match is new.
  await core.replaceNamespacedConfigMap({ namespace: NAMESPACE, name: 'seen-1', body: configMap('seen-1', { a: '3' }) });
  await until(() => heard.length === 5, 'unlabelled');
  expect(heard).toEqual(['add seen-0 0', 'add seen-1 1', 'update seen-1 2', 'delete seen-0 0', 'delete seen-1 2']);
  expect((informer as unknown as ObjectCache<V1ConfigMap>).list()).toEqual([]);
  expect([lists, errors]).toEqual([1, 0]);

  // It fell behind: the version it knows is gone from the window, and it begins anew.
  await informer.stop();
  // What is older than 75 s leaves a full window.
  await served.wait(100);
  for (let i = 0; i < 130; i++) await core.replaceNamespacedConfigMap({ namespace: NAMESPACE, name: 'unseen', body: configMap('unseen', { a: String(i) }) });
  await create('seen-2', { a: '1' }, { labels: { informed: 'yes' } });
  (informer as unknown as { resourceVersion: string }).resourceVersion = '1';
  await informer.start();
  await until(() => heard.includes('add seen-2 1'), 'relist');
  expect(lists).toBe(2);
  await informer.stop();
});

test('patches of all four kinds', async () => {
  const apps = config.makeApiClient(AppsV1Api);
  const labels = { app: 'patched' };
  await apps.createNamespacedDeployment({
    namespace: NAMESPACE,
    body: {
      metadata: { name: 'patched', labels },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'nginx:1.27' }] } },
      },
    },
  });
  const patch = (body: unknown, strategy: string, more: object = {}) =>
    apps.patchNamespacedDeployment({ namespace: NAMESPACE, name: 'patched', body, ...more }, setHeaderOptions('Content-Type', strategy));
  const json = await patch([{ op: 'replace', path: '/spec/minReadySeconds', value: 3 }], PatchStrategy.JsonPatch).catch((error: unknown) => error);
  // `replace` of what is not there is refused; `add` is what one means.
  expect((json as ApiException<string>).code).toBe(422);
  expect((await patch([{ op: 'add', path: '/spec/minReadySeconds', value: 3 }], PatchStrategy.JsonPatch)).spec?.minReadySeconds).toBe(3);
  const strategic = await patch({ spec: { template: { spec: { containers: [{ name: 'b', image: 'busybox:1.36' }] } } } }, PatchStrategy.StrategicMergePatch);
  expect(strategic.spec?.template.spec?.containers.map(({ name }) => name).sort()).toEqual(['a', 'b']);
  const merged = await patch(
    { spec: { minReadySeconds: null, template: { spec: { containers: [{ name: 'c', image: 'nginx' }] } } } },
    PatchStrategy.MergePatch,
  );
  expect(merged.spec?.template.spec?.containers.map(({ name }) => name)).toEqual(['c']);
  const apply = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'patched', labels: { tier: 'front' } }, spec: { replicas: 0 } };
  const conflict = await refusal(patch({ ...apply, spec: { replicas: 2 } }, PatchStrategy.ServerSideApply, { fieldManager: 'tester' }));
  expect([conflict.code, conflict.reason, conflict.details?.causes?.map(({ field }) => field)]).toEqual([409, 'Conflict', ['.spec.replicas']]);
  const applied = await patch(apply, PatchStrategy.ServerSideApply, { fieldManager: 'tester', force: true });
  expect(applied.metadata?.labels).toEqual({ app: 'patched', tier: 'front' });
  const owner = applied.metadata?.managedFields?.find(({ manager }) => manager === 'tester');
  expect(owner).toMatchObject({ operation: 'Apply', apiVersion: 'apps/v1', fieldsType: 'FieldsV1' });
  // What an applier leaves out of its next application goes.
  const { labels: _, ...metadata } = apply.metadata;
  const fewer = await patch({ ...apply, metadata }, PatchStrategy.ServerSideApply, { fieldManager: 'tester', force: true });
  expect(fewer.metadata?.labels).toEqual({ app: 'patched' });
});

test('what is there already, what has changed meanwhile, what is not there', async () => {
  const made = await create('once', { a: '1' });
  const again = await refusal(create('once', { a: '2' }));
  expect(again).toMatchObject({
    httpCode: 409,
    reason: 'AlreadyExists',
    message: 'configmaps "once" already exists',
    details: { name: 'once', kind: 'configmaps' },
  });
  const replace = (body: V1ConfigMap) => core.replaceNamespacedConfigMap({ namespace: NAMESPACE, name: 'once', body });
  await replace({ ...made, data: { a: '2' } });
  expect(await refusal(replace({ ...made, data: { a: '3' } }))).toMatchObject({
    httpCode: 409,
    reason: 'Conflict',
    message: 'Operation cannot be fulfilled on configmaps "once": the object has been modified; please apply your changes to the latest version and try again',
  });
  expect(await refusal(core.readNamespacedConfigMap({ namespace: NAMESPACE, name: 'never' }))).toMatchObject({ httpCode: 404, reason: 'NotFound' });
  const wrongUid = core.deleteNamespacedConfigMap({ namespace: NAMESPACE, name: 'once', body: { preconditions: { uid: 'another' } } });
  expect(await refusal(wrongUid)).toMatchObject({ httpCode: 409, reason: 'Conflict' });
  expect(await core.deleteNamespacedConfigMap({ namespace: NAMESPACE, name: 'once' })).toMatchObject({ status: 'Success' });
});

test('a watch with bookmarks, from the beginning and to its time-out', async () => {
  await create('watched', { a: '1' });
  const types: string[] = [];
  let ended: (() => void) | undefined;
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const query = {
    allowWatchBookmarks: true,
    sendInitialEvents: true,
    resourceVersionMatch: 'NotOlderThan',
    timeoutSeconds: 20,
    fieldSelector: 'metadata.name=watched',
  };
  let initial: Record<string, string> | undefined;
  await new Watch(config).watch(
    `/api/v1/namespaces/${NAMESPACE}/configmaps`,
    query,
    (type: string, object: V1ConfigMap) => {
      types.push(type);
      if (type === 'BOOKMARK') initial ??= object.metadata?.annotations ?? {};
    },
    () => ended?.(),
  );
  await until(() => types.includes('BOOKMARK'), 'the end of what was');
  expect(types).toEqual(['ADDED', 'BOOKMARK']);
  expect(initial).toEqual({ 'k8s.io/initial-events-end': 'true' });
  await core.deleteNamespacedConfigMap({ namespace: NAMESPACE, name: 'watched' });
  await served.wait(25);
  await over;
  expect(types.slice(0, 3)).toEqual(['ADDED', 'BOOKMARK', 'DELETED']);
});

test('exec over WebSocket, with input, output and exit code, and logs', async () => {
  const container = { name: 'c', image: 'busybox:1.36', command: ['sh', '-c', 'echo begun; sleep 100000'] };
  await core.createNamespacedPod({
    namespace: NAMESPACE,
    body: { metadata: { name: 'shell' }, spec: { containers: [container], terminationGracePeriodSeconds: 0 } },
  });
  const phase = async (): Promise<V1Pod> => core.readNamespacedPod({ namespace: NAMESPACE, name: 'shell' });
  await until(async () => (await phase()).status?.phase === 'Running', 'a running pod');
  const run = async (command: string[], stdin?: string): Promise<{ out: string; error: string; status: V1Status }> => {
    let [out, error] = ['', ''];
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    stdout.on('data', (piece: Buffer) => (out += piece.toString()));
    stderr.on('data', (piece: Buffer) => (error += piece.toString()));
    const input = stdin === undefined ? null : new PassThrough();
    const status = await new Promise<V1Status>((resolve, reject) => {
      new Exec(config).exec(NAMESPACE, 'shell', 'c', command, stdout, stderr, input, false, resolve).catch(reject);
      input?.end(stdin);
    });
    return { out, error, status };
  };
  expect(await run(['echo', 'hello'])).toMatchObject({ out: 'hello\n', error: '', status: { status: 'Success' } });
  const failed = await run(['sh', '-c', 'echo no >&2; exit 3']);
  expect(failed).toMatchObject({ out: '', error: 'no\n', status: { status: 'Failure', reason: 'NonZeroExitCode' } });
  expect(failed.status.details?.causes).toEqual([{ reason: 'ExitCode', message: '3' }]);
  expect((await run(['head', '-n', '1'], 'first\nsecond\n')).out).toBe('first\n');

  let text = '';
  const log = new PassThrough();
  log.on('data', (piece: Buffer) => (text += piece.toString()));
  const following = await new Log(config).log(NAMESPACE, 'shell', 'c', log, { follow: true });
  await until(() => text.includes('begun'), 'the log');
  following.abort();
  await core.deleteNamespacedPod({ namespace: NAMESPACE, name: 'shell' });
});

test("objects of any kind, also of custom resources, and the server's version", async () => {
  const any = KubernetesObjectApi.makeApiClient(config);
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } } },
        },
      ],
    },
  };
  await any.create(crd);
  const custom = config.makeApiClient(CustomObjectsApi);
  const place = { group: 'example.com', version: 'v1', namespace: NAMESPACE, plural: 'widgets' };
  const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w', namespace: NAMESPACE }, spec: { size: 1 } };
  await until(async () => (await custom.listNamespacedCustomObject(place).catch(() => undefined)) !== undefined, 'the new kind');
  await any.create(widget);
  expect(await any.read(widget)).toMatchObject({ kind: 'Widget', spec: { size: 1 } });
  expect(await any.patch({ ...widget, spec: { size: 2 } }, undefined, undefined, 'tester', undefined, PatchStrategy.MergePatch)).toMatchObject({
    spec: { size: 2 },
  });
  expect(await refusal(any.create({ ...widget, metadata: { name: 'x', namespace: NAMESPACE }, spec: { size: 'big' } } as never))).toMatchObject({
    httpCode: 422,
    reason: 'Invalid',
    message: 'Widget.example.com "x" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
  });
  await any.delete(widget);
  await any.delete(crd);
  expect((await config.makeApiClient(VersionApi).getCode()).gitVersion).toMatch(/^v1\.33\./);
});
