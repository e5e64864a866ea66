/**
 * `kustomize build` (v5.6, the one kubectl 1.33 carries): resources of a folder and of the folders it names, generated
 * ones, components, then the transformers in their fixed order; at the end hashes, references, order. Each folder's
 * transformers work on what that folder gathered, so an overlay sees its bases as they left them.
 */
import type { Files } from '../../../linux/files.ts';
import { dump } from '../../api/yaml.ts';
import { absorb, generate, hashOf } from './generate.ts';
import { documentsOf, type Kustomization, MalformedYaml, readKustomization } from './kustomization.ts';
import { sorted } from './order.ts';
import { applyPatch, merged } from './patches.ts';
import { followNames } from './references.ts';
import { fillVariables, replace } from './replace.ts';
import { copyOf, idText, isTree, KustomizeError, Resource, sameId, type Tree, type Value } from './resource.ts';
import {
  ANNOTATIONS,
  addToMaps,
  type ImageChange,
  LABELS_EVERYWHERE,
  LABELS_OF_OBJECTS,
  LABELS_OF_TEMPLATES,
  rename,
  setImage,
  setNamespace,
  setReplicas,
  wordsOf,
} from './transform.ts';

export interface BuildOptions {
  readonly files: Files;
  readonly cwd: string;
  /** `LoadRestrictionsNone` lets files be read from outside the kustomization's folder. */
  readonly unrestricted?: boolean;
  warn(line: string): void;
}

/** The objects of a kustomization, in the order they are printed. Throws KustomizeError. */
export function build(target: string, options: BuildOptions): readonly Tree[] {
  const folder = absolute(target, options.cwd);
  const { files } = options;
  if (!files.exists(folder))
    throw new KustomizeError(
      `must build at directory: not a valid directory: evalsymlink failure on '${target}' : lstat ${firstMissing(files, folder)}: no such file or directory`,
    );
  if (!files.isDirectory(folder)) throw new KustomizeError(`must build at directory: '${target}': file is not directory`);
  const build = new Build(options);
  const kustomization = build.read(folder);
  const resources = build.gather(folder, kustomization, []);
  for (const resource of resources.list)
    if (resource.hashed) {
      const hash = hashOf(resource);
      resource.remember();
      resource.name = `${resource.name}-${hash}`;
    }
  followNames(resources.list);
  fillVariables(resources.list, resources.variables);
  const managed = listOf(kustomization.fields['buildMetadata']).includes('managedByLabel');
  const shown = sorted(resources.list, isTree(kustomization.fields['sortOptions']) ? kustomization.fields['sortOptions'] : undefined).filter(
    ({ metadata }) => wordsOf(metadata['annotations'])['config.kubernetes.io/local-config'] !== 'true',
  );
  if (managed) addToMaps(shown, LABELS_OF_OBJECTS, { 'app.kubernetes.io/managed-by': 'kustomize-(devel)' });
  return shown.map(({ object }) => object);
}

/** As `kubectl kustomize` prints it. */
export const buildText = (target: string, options: BuildOptions): string =>
  build(target, options)
    .map((object) => dump(object))
    .join('---\n');

interface Gathered {
  readonly list: readonly Resource[];
  readonly variables: readonly Tree[];
}

const listOf = (value: Value | undefined): readonly Value[] => (Array.isArray(value) ? value : []);
const treesOf = (value: Value | undefined): readonly Tree[] => listOf(value).filter(isTree);

class Circle extends KustomizeError {}

class Build {
  /** Folders on the way down, for circles. */
  private readonly way: string[] = [];

  constructor(private readonly options: BuildOptions) {}

  read(folder: string): Kustomization {
    const read = readKustomization(this.options.files, folder);
    for (const warning of read.warnings) this.options.warn(warning);
    return read;
  }

  gather(folder: string, { fields }: Kustomization, before: readonly Resource[], inherited: readonly Tree[] = []): Gathered {
    if (this.way.includes(folder)) throw new Circle(`cycle detected: candidate root '${folder}' contains visited root '${folder}'`);
    this.way.push(folder);
    let list: readonly Resource[] = before;
    let variables: readonly Tree[] = inherited;
    for (const path of [...listOf(fields['resources']), ...listOf(fields['bases'])].map(String)) {
      const added = this.resourcesAt(folder, path);
      list = this.append(list, added.list, path, absolute(path, folder));
      variables = [...variables, ...added.variables];
    }
    list = this.generated(folder, fields, list);
    for (const path of listOf(fields['components']).map(String)) {
      const at = this.folderAt(folder, path, 'accumulating components');
      const component = this.read(at);
      if (!component.component)
        throw new KustomizeError(`accumulating components: accumulateDirectory: "expected kind 'Component' for path '${path}' but got 'Kustomization'"`);
      ({ list, variables } = this.gather(at, component, list, variables));
    }
    list = this.transformed(folder, fields, list);
    this.way.pop();
    return { list, variables: [...variables, ...treesOf(fields['vars'])] };
  }

  // --- what goes in ----------------------------------------------------------------------------------------

  private resourcesAt(folder: string, path: string): Gathered {
    const { files } = this.options;
    const at = absolute(path, folder);
    if (/^https?:\/\//.test(path))
      throw new KustomizeError(`accumulating resources: accumulation err='accumulating resources from '${path}': the laptop has no way to the Internet'`);
    if (files.exists(at) && files.isDirectory(at)) {
      const inner = this.read(at);
      if (inner.component)
        throw new KustomizeError(
          `accumulating resources: accumulation err='accumulating resources from '${path}': '${at}' must resolve to a file': recursed accumulation of path '${at}': expected kind != 'Component' for path '${path}'`,
        );
      try {
        return this.gather(at, inner, []);
      } catch (error) {
        if (!(error instanceof KustomizeError)) throw error;
        const inside = error instanceof Circle ? '' : `recursed accumulation of path '${at}': `;
        throw new KustomizeError(
          `accumulating resources: accumulation err='accumulating resources from '${path}': '${at}' must resolve to a file': ${inside}${error.message}`,
        );
      }
    }
    if (!files.exists(at))
      throw new KustomizeError(
        `accumulating resources: accumulation err='accumulating resources from '${path}': evalsymlink failure on '${at}' : lstat ${firstMissing(files, at)}: no such file or directory': must build at directory: not a valid directory: evalsymlink failure on '${at}' : lstat ${firstMissing(files, at)}: no such file or directory`,
      );
    let documents: readonly Value[];
    try {
      documents = documentsOf(this.readFile(folder, path));
    } catch (error) {
      if (error instanceof MalformedYaml)
        throw new KustomizeError(`accumulating resources: accumulating resources from '${path}': MalformedYAMLError: ${error.message} in File: ${path}`);
      if (!(error instanceof KustomizeError)) throw error;
      throw new KustomizeError(
        `accumulating resources: accumulation err='accumulating resources from '${path}': ${error.message}': must build at directory: '${at}': file is not directory`,
      );
    }
    const list = documents.map((document) => {
      const wrong = !isTree(document)
        ? 'expected a map'
        : typeof document['kind'] !== 'string' || document['kind'] === ''
          ? 'missing Resource metadata'
          : !isTree(document['metadata']) || typeof document['metadata']['name'] !== 'string'
            ? 'missing metadata.name in object ' + goMap(document)
            : undefined;
      if (wrong !== undefined)
        throw new KustomizeError(
          `accumulating resources: accumulation err='accumulating resources from '${path}': ${wrong}': must build at directory: '${at}': file is not directory`,
        );
      return new Resource(copyOf(document as Tree));
    });
    return { list, variables: [] };
  }

  private append(list: readonly Resource[], added: readonly Resource[], path: string, at: string): readonly Resource[] {
    for (const resource of added) {
      const { id } = resource;
      if (!list.some((one) => sameId(one.id, id))) continue;
      const twice = `may not add resource with an already registered id: ${idText(id)}`;
      throw new KustomizeError(
        this.options.files.isDirectory(at)
          ? `accumulating resources: accumulation err='accumulating resources from '${path}': '${at}' must resolve to a file': recursed merging from path '${at}': ${twice}`
          : `accumulating resources: accumulation err='merging resources from '${path}': ${twice}': must build at directory: '${at}': file is not directory`,
      );
    }
    return [...list, ...added];
  }

  private generated(folder: string, fields: Tree, before: readonly Resource[]): readonly Resource[] {
    const shared = isTree(fields['generatorOptions']) ? fields['generatorOptions'] : {};
    let list = before;
    for (const kind of ['ConfigMap', 'Secret'] as const)
      for (const args of treesOf(fields[kind === 'ConfigMap' ? 'configMapGenerator' : 'secretGenerator'])) {
        const made = generate(kind, args, shared, (path) => this.readFile(folder, path));
        const { id } = made;
        const found = list.filter((one) => one.ids.some((other) => sameId(other, id)));
        if (found.length === 0) {
          if (made.behavior === 'merge' || made.behavior === 'replace')
            throw new KustomizeError(
              `merging from generator &{0xc000000000 <nil>}: id resid.ResId{Gvk:resid.Gvk{Group:"", Version:"v1", Kind:"${kind}", isClusterScoped:false}, Name:"${made.name}", Namespace:"${made.namespace}"} does not exist; cannot merge or replace`,
            );
          list = [...list, made];
          continue;
        }
        if (found.length > 1)
          throw new KustomizeError(`found multiple objects [${found.map((one) => idText(one.id)).join(' ')}] that could accept merge of ${idText(id)}`);
        if (made.behavior !== 'merge' && made.behavior !== 'replace')
          throw new KustomizeError(`merging from generator &{0xc000000000 <nil>}: id ${idText(id)} exists; behavior must be merge or replace`);
        absorb(made, found[0]!);
        list = list.map((one) => (one === found[0] ? made : one));
      }
    return list;
  }

  // --- what is done to it ----------------------------------------------------------------------------------

  private transformed(folder: string, fields: Tree, before: readonly Resource[]): readonly Resource[] {
    let list = before;
    for (const one of listOf(fields['patchesStrategicMerge'])) {
      const at = absolute(String(one), folder);
      const text = this.options.files.exists(at) ? this.readFile(folder, String(one)) : String(one);
      for (const document of documentsOf(text)) if (isTree(document)) list = merged(list, document);
    }
    for (const entry of treesOf(fields['patches'])) list = this.patched(folder, list, entry);
    if (typeof fields['namespace'] === 'string' && fields['namespace'] !== '') setNamespace(list, fields['namespace']);
    rename(list, String(fields['namePrefix'] ?? ''), '');
    rename(list, '', String(fields['nameSuffix'] ?? ''));
    for (const entry of treesOf(fields['labels'])) {
      const specs = entry['includeSelectors'] === true ? LABELS_EVERYWHERE : entry['includeTemplates'] === true ? LABELS_OF_TEMPLATES : LABELS_OF_OBJECTS;
      const own = treesOf(entry['fields']).map((spec) => ({
        ...(wordsOf(spec) as { path?: string }),
        path: String(spec['path'] ?? ''),
        create: spec['create'] === true,
      }));
      addToMaps(list, [...own, ...specs], wordsOf(entry['pairs']));
    }
    addToMaps(list, LABELS_EVERYWHERE, wordsOf(fields['commonLabels']));
    addToMaps(list, ANNOTATIONS, wordsOf(fields['commonAnnotations']));
    for (const entry of treesOf(fields['patchesJson6902'])) list = this.patched(folder, list, entry);
    for (const { name, count } of treesOf(fields['replicas'])) setReplicas(list, String(name), Number(count ?? 0));
    for (const change of [...treesOf(fields['images']), ...treesOf(fields['imageTags'])]) setImage(list, wordsOf(change) as unknown as ImageChange);
    for (const entry of treesOf(fields['replacements'])) {
      const path = entry['path'];
      const many = typeof path === 'string' ? documentsOf(this.readFile(folder, path)).flatMap((one) => (Array.isArray(one) ? one : [one])) : [entry];
      for (const one of many) if (isTree(one)) replace(list, one);
    }
    return list;
  }

  private patched(folder: string, list: readonly Resource[], entry: Tree): readonly Resource[] {
    const { patch, path } = entry;
    if (typeof patch === 'string' && patch !== '' && typeof path === 'string' && path !== '')
      throw new KustomizeError("patch and path can't be set at the same time\n" + goMap(entry));
    if (typeof patch !== 'string' && typeof path !== 'string') throw new KustomizeError('must specify one of patch and path in\n' + goMap(entry));
    let text = String(patch ?? '');
    if (typeof path === 'string' && path !== '') {
      try {
        text = this.readFile(folder, path);
      } catch (error) {
        if (!(error instanceof KustomizeError)) throw error;
        throw new KustomizeError(`failed to get the patch file from path(${path}): ${error.message}`);
      }
    }
    return applyPatch(list, entry, documentsOf(text), text, String(path ?? ''));
  }

  // --- files -----------------------------------------------------------------------------------------------

  private readFile(folder: string, path: string): string {
    const at = absolute(path, folder);
    const { files, unrestricted } = this.options;
    if (!files.exists(at)) throw new KustomizeError(`evalsymlink failure on '${at}' : lstat ${firstMissing(files, at)}: no such file or directory`);
    if (!unrestricted && !at.startsWith(`${folder === '/' ? '' : folder}/`)) throw new KustomizeError(`security; file '${at}' is not in or below '${folder}'`);
    return files.read(at);
  }

  private folderAt(folder: string, path: string, doing: string): string {
    const at = absolute(path, folder);
    if (this.options.files.exists(at) && this.options.files.isDirectory(at)) return at;
    throw new KustomizeError(
      `${doing}: accumulateDirectory: "couldn't make target for path '${at}': unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${at}'"`,
    );
  }
}

/** What `lstat` fails at: the first part of the path that is not there. */
function firstMissing(files: Files, path: string): string {
  const parts = path.split('/').slice(1);
  for (let i = 1; i <= parts.length; i++) {
    const at = `/${parts.slice(0, i).join('/')}`;
    if (!files.exists(at)) return at;
  }
  return path;
}

/** A path made whole, without `.` and `..`. */
function absolute(path: string, cwd: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Go's %v of decoded JSON, as the older errors print objects. */
const goMap = (tree: Tree): string => JSON.stringify(tree);
