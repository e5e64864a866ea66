/** Which objects a command means: `pods`, `pod/web`, `deploy,svc`, names, selectors, files (cli-runtime pkg/resource builder). */

import { FileError } from '../../linux/files.ts';
import type { Json } from '../api/json.ts';
import { ApiError } from '../api/request.ts';
import { parseSelector } from '../api/selector.ts';
import { loadDocuments, YamlError } from '../api/yaml.ts';
import { groupVersionOf, pathOf, type ResourceInfo, resourceText } from './discovery.ts';
import { AggregateFailure, KubectlError } from './errors.ts';
import { type FlagSpecs, SELECTOR_FLAGS } from './flags.ts';
import { buildText } from './kustomize/build.ts';
import { KustomizeError } from './kustomize/resource.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from './session.ts';

export interface Target {
  readonly info: ResourceInfo;
  readonly namespace: string;
  readonly name: string;
}
export interface Selection {
  /** Named objects, in order. */
  readonly targets: readonly Target[];
  /** Whole kinds, filtered by the selectors. */
  readonly lists: readonly ResourceInfo[];
  /** Several kinds were asked for in one go. */
  readonly several: boolean;
}
export { type FlagSpecs, SELECTOR_FLAGS };

export const namespaceFor = (session: Session, info: ResourceInfo): string => (info.namespaced ? session.namespace : '');

/** Reads `TYPE[,TYPE…] [NAME…]` or `TYPE/NAME …`. */
export async function select(
  session: Session,
  args: readonly string[],
  options: { readonly everything?: boolean; readonly selector?: string; readonly verb?: string } = {},
): Promise<Selection> {
  const { discovery } = session;
  if (args.length === 0) return { targets: [], lists: [], several: false };
  if (args.some((arg) => arg.includes('/'))) {
    const targets: Target[] = [];
    for (const arg of args) {
      const parts = arg.split('/');
      if (parts.length === 1)
        throw new KubectlError(
          "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
        );
      if (parts.length > 2) throw new KubectlError('arguments in resource/name form may not have more than one slash');
      const [type, name] = parts as [string, string];
      if (type === '' || name === '' || type.includes(',')) throw new KubectlError(`arguments in resource/name form must have a single resource and name`);
      const info = await discovery.resolve(type);
      targets.push({ info, namespace: namespaceFor(session, info), name });
    }
    if (options.selector) throw new KubectlError('selectors and the all flag cannot be used when passing resource/name arguments');
    return { targets, lists: [], several: new Set(targets.map((target) => target.info)).size > 1 };
  }
  const infos: ResourceInfo[] = [];
  for (const type of args[0]!.split(',')) {
    if (type === '') throw new KubectlError('resource type not specified');
    const category = await categoryOf(session, type);
    if (category.length > 0) infos.push(...category);
    else infos.push(await discovery.resolve(type));
  }
  const unique = infos.filter((info, i) => infos.indexOf(info) === i);
  if (args.length === 1) return { targets: [], lists: unique, several: unique.length > 1 };
  if (options.selector) throw new KubectlError('name cannot be provided when a selector is specified');
  if (options.everything) throw new KubectlError('a resource cannot be retrieved by name across all namespaces');
  return {
    targets: unique.flatMap((info) => args.slice(1).map((name) => ({ info, namespace: namespaceFor(session, info), name }))),
    lists: [],
    several: unique.length > 1,
  };
}

/** `all`, `api-extensions`: only a name that is no resource is a category. */
async function categoryOf(session: Session, type: string): Promise<readonly ResourceInfo[]> {
  if (await session.discovery.find(type)) return [];
  return session.discovery.byCategory(type.toLowerCase());
}

export const getObject = async (session: Session, target: Target): Promise<ObjectLike> =>
  (await session.request('GET', pathOf(target.info, target.namespace, target.name))) as unknown as ObjectLike;

/** All of a kind; follows `continue`. */
export async function listObjects(
  session: Session,
  info: ResourceInfo,
  options: { readonly everything?: boolean; readonly selector?: string; readonly fieldSelector?: string; readonly namespace?: string; readonly chunk?: number },
): Promise<{ readonly items: readonly ObjectLike[]; readonly resourceVersion: string }> {
  const items: ObjectLike[] = [];
  let token = '';
  for (;;) {
    const query: Record<string, string> = {};
    if (options.selector) query['labelSelector'] = options.selector;
    if (options.fieldSelector) query['fieldSelector'] = options.fieldSelector;
    if (options.chunk !== 0) query['limit'] = String(options.chunk ?? 500);
    if (token) query['continue'] = token;
    const body = await explained(
      info,
      query,
      session.request('GET', pathOf(info, options.everything ? undefined : (options.namespace ?? session.namespace)), { query }),
    );
    if (!isObject(body)) return { items, resourceVersion: '' };
    const listKind = String(body['kind'] ?? '');
    for (const item of (body['items'] as readonly ObjectLike[] | undefined) ?? []) {
      // Items of a typed list come without kind and apiVersion.
      items.push(item.kind ? item : ({ ...item, apiVersion: String(body['apiVersion']), kind: listKind.replace(/List$/, '') } as ObjectLike));
    }
    const metadata = body['metadata'] as JsonObject | undefined;
    token = typeof metadata?.['continue'] === 'string' ? metadata['continue'] : '';
    if (!token) return { items, resourceVersion: String(metadata?.['resourceVersion'] ?? '') };
  }
}

/** What a selection that cannot be listed says (cli-runtime `Selector.Visit`). */
export async function explained<T>(info: ResourceInfo, query: Readonly<Record<string, string>>, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ApiError) || (error.code !== 400 && error.code !== 404)) throw error;
    const { labelSelector = '', fieldSelector = '' } = query;
    const what =
      labelSelector === '' && fieldSelector === ''
        ? `Unable to list ${JSON.stringify(resourceText(info))}`
        : `Unable to find ${JSON.stringify(resourceText(info))} that match label selector ${JSON.stringify(labelSelector)}, field selector ${JSON.stringify(fieldSelector)}`;
    throw new ApiError({ ...error.status, message: `${what}: ${error.status.message ?? ''}` });
  }
}

export interface Loaded {
  readonly object: ObjectLike;
  /** As errors name it: the path, or `STDIN`. */
  readonly source: string;
}

/** Files or a kustomization are given. */
export const fromFiles = (session: Session): boolean => session.flags.list('filename').length > 0 || session.flags.text('kustomize') !== '';

/** Objects of the files given with -f: files, directories, `-`, and `List`s taken apart. */
export async function loadFiles(session: Session): Promise<readonly Loaded[]> {
  const { self, flags } = session;
  const paths = flags.list('filename');
  const folder = flags.text('kustomize');
  if (paths.length === 0 && folder === '') throw new KubectlError('must specify one of -f and -k');
  if (folder !== '' && (paths.length > 0 || flags.bool('recursive')))
    throw new KubectlError(paths.length > 0 ? 'only one of -f or -k can be specified' : "the -k flag can't be used with -f or -R");
  const loaded: Loaded[] = [];
  if (folder !== '') {
    // A text like any other, as far as the rest is concerned.
    try {
      loaded.push(...parse(buildText(folder, { files: self.files, cwd: self.cwd, warn: session.err }), folder));
    } catch (error) {
      if (error instanceof KustomizeError) throw new KubectlError(error.message);
      throw error;
    }
  }
  for (const given of paths) {
    if (/^https?:\/\//.test(given)) throw new KubectlError(`unable to read URL ${JSON.stringify(given)}, the laptop has no way to the Internet`);
    if (given === '-') {
      const pieces: string[] = [];
      for (let piece = await self.stdin.read(); piece !== undefined; piece = await self.stdin.read()) pieces.push(piece);
      loaded.push(...parse(pieces.join(''), 'STDIN'));
      continue;
    }
    const path = given.startsWith('/') ? given : `${self.cwd === '/' ? '' : self.cwd}/${given}`;
    if (!self.files.exists(path)) throw new KubectlError(`the path ${JSON.stringify(given)} does not exist`);
    if (self.files.isDirectory(path)) {
      const names = filesOf(session, path, given.replace(/\/$/, ''), flags.bool('recursive'));
      if (names.length === 0) throw new KubectlError(`error reading [${given}]: recognized file extensions are [.json .yaml .yml]`);
      for (const [file, shown] of names) loaded.push(...parse(self.files.read(file), shown));
    } else {
      try {
        loaded.push(...parse(self.files.read(path), given));
      } catch (error) {
        if (error instanceof FileError) throw new KubectlError(`open ${given}: ${error.message.toLowerCase()}`);
        throw error;
      }
    }
  }
  if (loaded.length === 0) throw new KubectlError('no objects passed to ' + session.command.split(' ')[1]);
  const selector = flags.text('selector');
  if (!selector) return loaded;
  const wanted = parseSelector(selector);
  return loaded.filter(({ object }) => wanted.matches(object.metadata.labels));
}

function filesOf(session: Session, path: string, shown: string, deep: boolean): [string, string][] {
  const found: [string, string][] = [];
  for (const name of session.self.files.list(path)) {
    const at = `${path}/${name}`;
    if (session.self.files.isDirectory(at)) {
      if (deep) found.push(...filesOf(session, at, `${shown}/${name}`, deep));
    } else if (/\.(json|yaml|yml)$/.test(name)) found.push([at, `${shown}/${name}`]);
  }
  return found;
}

/** kubectl turns YAML into JSON by way of Go's maps, which are written with their keys in order. */
function sortedKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (!isObject(value)) return value;
  const out: Record<string, Json | undefined> = {};
  for (const key of Object.keys(value).sort()) out[key] = sortedKeys(value[key] ?? null);
  return out as Json;
}

function parse(text: string, source: string): Loaded[] {
  let documents: readonly Json[];
  try {
    documents = loadDocuments(text).map((document) => sortedKeys(document.value));
  } catch (error) {
    if (error instanceof YamlError) throw new KubectlError(`error parsing ${source}: error converting YAML to JSON: ${error.message}`);
    throw error;
  }
  return documents.flatMap((document): Loaded[] => {
    if (!isObject(document)) {
      throw new KubectlError(
        `error validating ${JSON.stringify(source)}: error validating data: invalid object to validate; if you choose to ignore these errors, turn validation off with --validate=false`,
      );
    }
    const missing = [...(document['apiVersion'] ? [] : ['apiVersion not set']), ...(document['kind'] ? [] : ['kind not set'])];
    if (missing.length > 0) {
      const what = missing.length === 1 ? missing[0] : `[${missing.join(', ')}]`;
      throw new KubectlError(
        `error validating ${JSON.stringify(source)}: error validating data: ${what}; if you choose to ignore these errors, turn validation off with --validate=false`,
      );
    }
    if (String(document['kind']).endsWith('List') && Array.isArray(document['items']))
      return (document['items'] as readonly ObjectLike[]).map((object) => ({ object, source }));
    const metadata = document['metadata'];
    return [{ object: { ...document, metadata: isObject(metadata) ? metadata : {} } as unknown as ObjectLike, source }];
  });
}

/** The resource an object of a file belongs to, and the namespace it goes to. */
export async function locate(session: Session, { object, source }: Loaded): Promise<Target & { readonly object: ObjectLike }> {
  const info = await session.discovery.byKind(object.apiVersion, object.kind);
  if (!info) {
    throw new KubectlError(
      `resource mapping not found for name: ${JSON.stringify(object.metadata.name ?? '')} namespace: ${JSON.stringify(object.metadata.namespace ?? '')} from ${JSON.stringify(source)}: no matches for kind ${JSON.stringify(object.kind)} in version ${JSON.stringify(object.apiVersion)}\nensure CRDs are installed first`,
    );
  }
  const own = object.metadata.namespace;
  if (info.namespaced && session.namespaceGiven && own && own !== session.namespace)
    throw new KubectlError(
      `the namespace from the provided object ${JSON.stringify(own)} does not match the namespace ${JSON.stringify(session.namespace)}. You must pass '--namespace=${own}' to perform this operation.`,
    );
  const namespace = info.namespaced ? own || session.namespace : '';
  const placed = info.namespaced && !own ? ({ ...object, metadata: { ...object.metadata, namespace } } as ObjectLike) : object;
  return { info, namespace, name: object.metadata.name ?? '', object: placed };
}

/** Runs `each` for every item, going on after a failure; throws them all at the end. */
export async function forEach<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      await each(item);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateFailure(failures);
}

/** What most verbs act on: files, or types and names, or types and a selector. Errors of single objects are collected. */
export async function resolveObjects(
  session: Session,
  args: readonly string[],
  /** A kind without a name or a selector means all of it. */
  whole = false,
): Promise<{ readonly found: readonly (Target & { readonly object: ObjectLike })[]; readonly failures: readonly unknown[] }> {
  const { flags } = session;
  const found: (Target & { readonly object: ObjectLike })[] = [];
  const failures: unknown[] = [];
  const attempt = async (target: Target) => {
    try {
      found.push({ ...target, object: await getObject(session, target) });
    } catch (error) {
      failures.push(error);
    }
  };
  if (fromFiles(session)) {
    for (const loaded of await loadFiles(session)) await attempt(await locate(session, loaded));
    return { found, failures };
  }
  if (args.length === 0) throw new KubectlError(MUST_PROVIDE);
  const everything = flags.bool('all-namespaces');
  const selector = flags.text('selector');
  const selection = await select(session, args, { everything, selector });
  for (const target of selection.targets) await attempt(target);
  for (const info of selection.lists) {
    if (!whole && !selector && !flags.bool('all') && !flags.text('field-selector'))
      throw new KubectlError('resource(s) were provided, but no name was specified');
    const list = await listObjects(session, info, { everything, selector, fieldSelector: flags.text('field-selector'), chunk: 0 });
    for (const object of list.items) found.push({ info, namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '', object });
  }
  return { found, failures };
}

export const MUST_PROVIDE = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;
export { groupVersionOf };
