/**
 * A text of one or many YAML documents as the list of objects it asks for, each with its place in the text, the paths
 * of the API it belongs to and the body to send. Pure; big texts are read in a worker (`reader.worker.ts`).
 */
import { canonicalJson } from '../../kubernetes/api/hash.ts';
import type { Json } from '../../kubernetes/api/json.ts';
import { byObject, collectionPath, objectPath } from '../../kubernetes/api/resources.ts';
import { LAST_APPLIED, threeWayPatch } from '../../kubernetes/api/three-way.ts';
import { loadDocuments, parseYaml, YamlError } from '../../kubernetes/api/yaml.ts';
import { dump } from '../../kubernetes/api/yaml-dump.ts';
import { lineOf } from './place.ts';

export const DEFAULT_NAMESPACE = 'default';

/** What the page needs of one object; the object itself stays with the reader. */
export interface Manifest {
  readonly id: number;
  /** Line of its document's first content, from 1. */
  readonly line: number;
  /** `Deployment/web`, for people. */
  readonly title: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** Where it is created. */
  readonly collection: string;
  /** Where it is once created. */
  readonly path: string;
  /** JSON with the last-applied annotation, as `kubectl apply` sends it. */
  readonly body: string;
}
/** Something that cannot even be sent. */
export interface Problem {
  readonly line: number;
  readonly column?: number;
  readonly title: string;
  readonly message: string;
}
export type Read = { readonly manifest: Manifest } | { readonly problem: Problem };

interface Kept {
  readonly text: string;
  /** Lines of the whole text before this document's text. */
  readonly above: number;
  /** Path of the object in its document: an item of a List. */
  readonly prefix: string;
  readonly type: string | undefined;
  readonly object: Json;
}

type JsonObject = { readonly [key: string]: Json | undefined };
const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** Cuts a text where a line begins with `---`, each part with its number of lines above. The separator stays with what follows it. */
export function* parts(text: string): Generator<{ readonly text: string; readonly above: number }> {
  let from = 0;
  let above = 0;
  let lines = 0;
  for (let at = 0; at <= text.length; ) {
    const end = text.indexOf('\n', at);
    const next = end < 0 ? text.length + 1 : end + 1;
    if (at > from && text.startsWith('---', at)) {
      yield { text: text.slice(from, at), above };
      from = at;
      above = lines;
    }
    lines++;
    at = next;
  }
  if (from < text.length) yield { text: text.slice(from), above };
}

/** Reads one text; keeps the objects for `patch` and `lineOfField`. */
export class Reader {
  private readonly kept: Kept[] = [];

  *read(text: string): Generator<Read> {
    for (const part of parts(text)) {
      let documents: ReturnType<typeof loadDocuments>;
      try {
        documents = loadDocuments(part.text);
      } catch (error) {
        if (!(error instanceof YamlError)) throw error;
        const line = part.above + error.line;
        // kubectl counts from the document's first line; here the line is one a person can go to.
        yield { problem: { line, column: error.column, title: `line ${line}`, message: error.message.replace(/^yaml: line \d+/, `yaml: line ${line}`) } };
        continue;
      }
      for (const document of documents) {
        const top = document.value;
        if (isObject(top) && top['kind'] === 'List' && Array.isArray(top['items'])) {
          for (const [i, item] of top['items'].entries()) yield this.one(item as Json, part, `items[${i}]`, document.line);
        } else yield this.one(top, part, '', document.line);
      }
    }
  }

  private one(value: Json, part: { readonly text: string; readonly above: number }, prefix: string, firstLine: number): Read {
    const keep: Kept = { text: part.text, above: part.above, prefix, type: undefined, object: value };
    const line = prefix === '' ? part.above + firstLine : this.place(keep, '');
    const problem = (field: string, title: string, message: string): Read => ({ problem: { line: this.place(keep, field) || line, title, message } });
    if (!isObject(value)) return { problem: { line, title: `line ${line}`, message: 'A manifest must be a mapping with apiVersion, kind and metadata.' } };
    const apiVersion = textOf(value['apiVersion']);
    const kind = textOf(value['kind']);
    const metadata = isObject(value['metadata']) ? value['metadata'] : {};
    const name = textOf(metadata['name']);
    const title = kind === '' ? `line ${line}` : `${kind}/${name || '?'}`;
    if (kind === '') return problem('', title, "Object 'Kind' is missing.");
    if (apiVersion === '') return problem('', title, "Object 'apiVersion' is missing.");
    const row = byObject({ apiVersion, kind });
    if (!row) return problem('kind', title, `no matches for kind "${kind}" in version "${apiVersion}"`);
    if (name === '') {
      const generated = textOf(metadata['generateName']);
      return problem('metadata', title, generated === '' ? 'resource name may not be empty' : `from ${generated}: cannot use generate name with apply`);
    }
    const namespace = row.namespaced ? textOf(metadata['namespace']) || DEFAULT_NAMESPACE : '';
    const object: JsonObject = withLastApplied(row.namespaced ? { ...value, metadata: { ...metadata, namespace } } : value);
    const id = this.kept.length;
    this.kept.push({ ...keep, type: row.type, object });
    return {
      manifest: {
        id,
        line,
        title,
        kind,
        name,
        namespace,
        collection: collectionPath(row, encodeURIComponent(namespace)),
        path: objectPath(row, encodeURIComponent(namespace), encodeURIComponent(name)),
        body: JSON.stringify(object),
      },
    };
  }

  /** The patch that makes `current` (an object's JSON) what the manifest asks for; `{}` when it already is. */
  patch(id: number, current: string): string {
    const kept = this.kept[id]!;
    const is = JSON.parse(current) as JsonObject;
    const annotations = isObject(is['metadata']) && isObject(is['metadata']['annotations']) ? is['metadata']['annotations'] : {};
    let original: JsonObject | undefined;
    try {
      const applied = JSON.parse(textOf(annotations[LAST_APPLIED])) as Json;
      if (isObject(applied)) original = applied;
    } catch {
      // Never applied, or by something that wrote no JSON: then nothing is deleted.
    }
    return JSON.stringify(threeWayPatch(kept.type, original, isObject(kept.object) ? kept.object : {}, is));
  }

  /** The line of the whole text on which a field of the manifest stands. */
  lineOfField(id: number, field: string): number {
    return this.place(this.kept[id]!, field);
  }

  private place(kept: Kept, field: string): number {
    // A part may begin with its separator line; js-yaml reads that too, so lines agree.
    const path = [kept.prefix, field].filter(Boolean).join('.');
    return kept.above + lineOf(kept.text, path);
  }
}

/** As kubectl's GetModifiedConfiguration: the object without the annotation, in one line, as the annotation's value. */
function withLastApplied(object: JsonObject): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const { [LAST_APPLIED]: _, ...annotations } = isObject(metadata['annotations']) ? metadata['annotations'] : {};
  const bare = { ...object, metadata: { ...metadata, annotations } };
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: `${canonicalJson(bare)}\n` } } };
}

/** An object as the API keeps it, without what only the API server writes: what a person may want to change and apply again. */
export function editable(yaml: string): string {
  let value: Json;
  try {
    value = parseYaml(yaml);
  } catch {
    return yaml;
  }
  if (!isObject(value) || !isObject(value['metadata'])) return yaml;
  const { status: _, ...rest } = value;
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, managedFields: _m, selfLink: _s, annotations, ...metadata } = value['metadata'];
  const { [LAST_APPLIED]: _l, ...others } = isObject(annotations) ? annotations : {};
  return dump({ ...rest, metadata: { ...metadata, ...(Object.keys(others).length > 0 ? { annotations: others } : {}) } });
}
