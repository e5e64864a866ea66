/** `replacements` (kustomize api/filters/replacement) and the older `vars` (api/internal/accumulator, api/filters/refvar). */
import { copyOf, groupVersion, type Id, isTree, KustomizeError, type Resource, type Tree, type Value } from './resource.ts';

/** Copies a field of one resource into fields of others. Throws KustomizeError. */
export function replace(resources: readonly Resource[], replacement: Tree): void {
  const { source, targets } = replacement;
  if (!isTree(source) || !Array.isArray(targets)) throw new KustomizeError('replacements must specify a source and at least one target');
  const value = refined(sourceValue(resources, source), isTree(source['options']) ? source['options'] : {});
  for (const target of targets) {
    if (!isTree(target) || !isTree(target['select'])) throw new KustomizeError('target must specify resources to select');
    const rejects = (Array.isArray(target['reject']) ? target['reject'] : []).filter(isTree);
    const paths = Array.isArray(target['fieldPaths']) ? target['fieldPaths'].map(String) : ['metadata.name'];
    const options = isTree(target['options']) ? target['options'] : {};
    for (const resource of resources) {
      if (!resource.ids.some((id) => isSelected(id, target['select'] as Tree))) continue;
      if (rejects.some((reject) => resource.ids.some((id) => isSelected(id, reject)))) continue;
      for (const path of paths) {
        const places = placesOf(resource.object, splitPath(path), options['create'] === true);
        if (places.length === 0 && options['create'] !== true) throw new KustomizeError(`unable to find field ${JSON.stringify(path)} in replacement target`);
        for (const { holder, key } of places)
          (holder as Record<string | number, Value>)[key] = written((holder as Record<string | number, Value>)[key], value, options);
      }
    }
  }
}

const isSelected = (id: Id, selector: Tree): boolean =>
  (['group', 'version', 'kind', 'name', 'namespace'] as const).every((part) => {
    const wanted = selector[part];
    return (
      wanted === undefined || wanted === '' || (part === 'namespace' ? (id.namespace || 'default') === wanted || id.namespace === wanted : id[part] === wanted)
    );
  });

function sourceValue(resources: readonly Resource[], source: Tree): Value {
  const found = resources.filter((resource) => resource.ids.some((id) => isSelected(id, source)));
  const shown = selectorText(source);
  if (found.length > 1) throw new KustomizeError(`multiple matches for selector ${shown}`);
  if (found.length === 0) throw new KustomizeError(`nothing selected by ${shown}`);
  const path = typeof source['fieldPath'] === 'string' && source['fieldPath'] !== '' ? source['fieldPath'] : 'metadata.name';
  const [place] = placesOf(found[0]!.object, splitPath(path), false);
  if (!place) throw new KustomizeError(`fieldPath \`${path}\` is missing for replacement source ${shown}`);
  return (place.holder as Record<string | number, Value>)[place.key]!;
}

/** `ConfigMap.v1.[noGrp]/x.[noNs]`. */
function selectorText(source: Tree): string {
  const part = (name: string, nothing: string): string => (typeof source[name] === 'string' && source[name] !== '' ? (source[name] as string) : nothing);
  return `${part('kind', '[noKind]')}.${part('version', '[noVer]')}.${part('group', '[noGrp]')}/${part('name', '[noName]')}.${part('namespace', '[noNs]')}`;
}

function refined(value: Value, options: Tree): Value {
  const delimiter = options['delimiter'];
  if (typeof delimiter !== 'string' || delimiter === '') return value;
  if (typeof value === 'object') throw new KustomizeError('delimiter option can only be used with scalar nodes');
  const parts = String(value).split(delimiter);
  const index = Number(options['index'] ?? 0);
  if (index < 0 || index >= parts.length) throw new KustomizeError(`options.index ${index} is out of bounds for value ${String(value)}`);
  return parts[index]!;
}

function written(before: Value | undefined, value: Value, options: Tree): Value {
  const delimiter = options['delimiter'];
  if (typeof delimiter !== 'string' || delimiter === '') return typeof before === 'string' && typeof value !== 'object' ? String(value) : copyOf(value);
  if (typeof before === 'object') throw new KustomizeError('delimiter option can only be used with scalar nodes');
  const parts = String(before).split(delimiter);
  const index = Number(options['index'] ?? 0);
  if (index < 0) parts.unshift(String(value));
  else if (index >= parts.length) parts.push(String(value));
  else parts[index] = String(value);
  return parts.join(delimiter);
}

/** Dots part; `\.` is a dot of a key, and so are those in brackets. */
function splitPath(path: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  for (let i = 0; i < path.length; i++) {
    const c = path[i]!;
    if (c === '\\' && path[i + 1] === '.') part += path[++i]!;
    else if (c === '.' && depth === 0) {
      parts.push(part);
      part = '';
    } else {
      if (c === '[') depth++;
      if (c === ']') depth--;
      part += c;
    }
  }
  return [...parts, part];
}

interface Place {
  readonly holder: Tree | Value[];
  readonly key: string | number;
}

function placesOf(root: Tree, path: readonly string[], create: boolean): readonly Place[] {
  let places: readonly { readonly value: Value; readonly place?: Place }[] = [{ value: root }];
  path.forEach((part, i) => {
    const next: { readonly value: Value; readonly place: Place }[] = [];
    const add = (holder: Tree | Value[], key: string | number): void => {
      next.push({ value: (holder as Record<string | number, Value>)[key]!, place: { holder, key } });
    };
    for (const { value } of places) {
      const match = /^\[([^=]+)=(.*)\]$/.exec(part);
      if (Array.isArray(value)) {
        if (part === '*') value.forEach((_, at) => add(value, at));
        else if (match) {
          const at = value.map((item, index) => (isTree(item) && String(item[match[1]!]) === match[2] ? index : -1)).filter((index) => index >= 0);
          if (at.length === 0 && create) {
            value.push({ [match[1]!]: match[2]! });
            at.push(value.length - 1);
          }
          for (const index of at) add(value, index);
        } else if (/^\d+$/.test(part) && value[Number(part)] !== undefined) add(value, Number(part));
      } else if (isTree(value)) {
        const key = /^\[([^=]*)\]$/.exec(part)?.[1] ?? part;
        if (key === '*') for (const name of Object.keys(value).sort()) add(value, name);
        else {
          if (value[key] === undefined && create) value[key] = i === path.length - 1 ? '' : /^\[.+=/.test(path[i + 1]!) ? [] : {};
          if (value[key] !== undefined) add(value, key);
        }
      }
    }
    places = next;
  });
  return places.flatMap(({ place }) => (place ? [place] : []));
}

// --- vars --------------------------------------------------------------------------------------------------

/** Replaces `$(NAME)` in texts by what the variables' fields say. Here simplified: in every text of the spec, not only in the fields of upstream's list. */
export function fillVariables(resources: readonly Resource[], variables: readonly Tree[]): void {
  const values = new Map<string, Value>();
  for (const variable of variables) {
    const [reference, field] = [isTree(variable['objref']) ? variable['objref'] : {}, isTree(variable['fieldref']) ? variable['fieldref'] : {}];
    const [group, version] = groupVersion(String(reference['apiVersion'] ?? ''));
    const selector: Tree = { ...reference, group: reference['group'] ?? group, version: reference['version'] ?? version };
    const found = resources.filter((resource) => resource.ids.some((id) => isSelected(id, selector)));
    const name = String(variable['name'] ?? '');
    if (found.length === 0) throw new KustomizeError(`var '${JSON.stringify(variable)}' cannot be mapped to a field in the set of known resources`);
    const path = String(field['fieldPath'] ?? field['fieldpath'] ?? 'metadata.name')
      .replace(/^\./, '')
      .replace(/\[(\d+)\]/g, '.$1');
    const [place] = placesOf(found[0]!.object, splitPath(path), false);
    if (!place) throw new KustomizeError(`field specified in var '${name}' not found in corresponding resource`);
    values.set(name, (place.holder as Record<string | number, Value>)[place.key]!);
  }
  const fill = (value: Value): Value => {
    if (Array.isArray(value)) return value.map(fill);
    if (isTree(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner)]));
    if (typeof value !== 'string') return value;
    const whole = /^\$\(([^()]+)\)$/.exec(value)?.[1];
    if (whole !== undefined && values.has(whole)) return values.get(whole)!;
    return value.replace(/\$\(([^()]+)\)/g, (text, name: string) => (values.has(name) ? String(values.get(name)) : text));
  };
  if (values.size === 0) return;
  for (const { object } of resources) for (const key of Object.keys(object)) if (key !== 'metadata') object[key] = fill(object[key]!);
}
