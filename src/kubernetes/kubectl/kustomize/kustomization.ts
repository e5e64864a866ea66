/** A kustomization file: found, read, checked (kustomize api/types/kustomization.go, api/internal/target). */
import type { Files } from '../../../linux/files.ts';
import { loadDocuments, parseYaml, YamlError } from '../../api/yaml.ts';
import { isTree, KustomizeError, type Tree, type Value } from './resource.ts';

/** Of the YAML in a resource, one that cannot be read is told apart from one that is no resource. */
export class MalformedYaml extends KustomizeError {}

const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Fields there are; what is not listed in `DONE` is refused by name when it says anything. */
const FIELDS = new Set(
  'apiVersion kind metadata openapi namePrefix nameSuffix namespace commonLabels labels commonAnnotations patchesStrategicMerge patchesJson6902 patches images imageTags replacements replicas vars sortOptions resources components crds bases configMapGenerator secretGenerator helmGlobals helmCharts helmChartInflationGenerator generatorOptions configurations generators transformers validators inventory buildMetadata'.split(
    ' ',
  ),
);
/** Here simplified: plugins, charts and transformer configurations are not built. */
const NOT_BUILT = ['helmGlobals', 'helmCharts', 'helmChartInflationGenerator', 'configurations', 'generators', 'transformers', 'validators', 'crds'];

const NAMING = new Set(['apiVersion', 'kind', 'metadata']);

const FIX = "Run 'kustomize edit fix' to update your Kustomization automatically.";
const DEPRECATED: readonly (readonly [string, string])[] = [
  ['bases', `'bases' is deprecated. Please use 'resources' instead. ${FIX}`],
  ['commonLabels', `'commonLabels' is deprecated. Please use 'labels' instead. ${FIX}`],
  ['imageTags', `'imageTags' is deprecated. Please use 'images' instead. ${FIX}`],
  ['patchesJson6902', `'patchesJson6902' is deprecated. Please use 'patches' instead. ${FIX}`],
  ['patchesStrategicMerge', `'patchesStrategicMerge' is deprecated. Please use 'patches' instead. ${FIX}`],
  ['vars', `'vars' is deprecated. Please use 'replacements' instead. [EXPERIMENTAL] ${FIX}`],
];

export interface Kustomization {
  readonly fields: Tree;
  /** Said on standard error, once for each file. */
  readonly warnings: readonly string[];
  /** A component works on what its user has gathered so far. */
  readonly component: boolean;
}

/** Throws KustomizeError. `folder` is absolute. */
export function readKustomization(files: Files, folder: string): Kustomization {
  const found = NAMES.filter((name) => files.exists(`${folder}/${name}`) && !files.isDirectory(`${folder}/${name}`));
  if (found.length === 0)
    throw new KustomizeError(`unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${folder}'`);
  if (found.length > 1) throw new KustomizeError(`Found multiple kustomization files: ${folder}\n`);
  const text = files.read(`${folder}/${found[0]}`);
  if (text.trim() === '') throw new KustomizeError(`${found[0]} is empty`.replace(/^.* is/, 'kustomization.yaml is'));
  let value: Value;
  try {
    value = parseYaml(text) as Value;
  } catch (error) {
    if (error instanceof YamlError) throw new KustomizeError(`invalid Kustomization: ${error.message}`);
    throw error;
  }
  if (value === null) throw new KustomizeError('kustomization.yaml is empty');
  if (!isTree(value))
    throw new KustomizeError(
      `invalid Kustomization: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type types.Kustomization`,
    );
  const unknown = Object.keys(value)
    .sort()
    .find((key) => !FIELDS.has(key));
  if (unknown !== undefined) throw new KustomizeError(`invalid Kustomization: json: unknown field ${JSON.stringify(unknown)}`);
  const fields: Tree = { ...value };
  if (!Object.entries(value).some(([key, one]) => !NAMING.has(key) && one !== null)) throw new KustomizeError('kustomization.yaml is empty');
  for (const name of NOT_BUILT) if (fields[name] !== undefined && fields[name] !== null) throw new KustomizeError(`${name} is not modelled here`);
  const warnings = DEPRECATED.filter(([name]) => fields[name] !== undefined && fields[name] !== null).map(([, message]) => `# Warning: ${message}\n`);
  const kind = String(fields['kind'] ?? '') || 'Kustomization';
  const wanted = kind === 'Component' ? 'kustomize.config.k8s.io/v1alpha1' : 'kustomize.config.k8s.io/v1beta1';
  const wrong: string[] = [];
  if (kind !== 'Kustomization' && kind !== 'Component') wrong.push('kind should be Kustomization or Component');
  const version = String(fields['apiVersion'] ?? '');
  if (version !== '' && version !== wanted) wrong.push(`apiVersion for ${kind} should be ${wanted}`);
  if (wrong.length > 0) throw new KustomizeError(`Failed to read kustomization file under ${folder}:\n${wrong.join('\n')}`);
  return { fields, warnings, component: kind === 'Component' };
}

/** The objects of a YAML text; `List`s are taken apart. Throws KustomizeError. */
export function documentsOf(text: string): readonly Value[] {
  try {
    return loadDocuments(text)
      .map(({ value }) => value as Value)
      .filter((value) => value !== null)
      .flatMap((value) => (isTree(value) && String(value['kind'] ?? '').endsWith('List') && Array.isArray(value['items']) ? value['items'] : [value]));
  } catch (error) {
    if (error instanceof YamlError) throw new MalformedYaml(error.message);
    throw error;
  }
}
