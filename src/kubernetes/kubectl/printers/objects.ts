/** -o yaml, json, name, jsonpath, custom-columns: whole objects on standard output. */
import type { Json } from '../../api/json.ts';
import { dump } from '../../api/yaml.ts';
import { shownName } from '../discovery.ts';
import { KubectlError } from '../errors.ts';
import { findValues, JsonPathError, parseJsonPath, printJsonPath, relaxed, valuesOf } from '../jsonpath.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import { TableWriter } from './tabwriter.ts';

/** JSON as Go's encoder writes maps: keys sorted, `<`, `>` and `&` escaped. `indent` 4 is what -o json has; 0 is compact. */
export function goJson(value: Json | undefined, indent = 4, level = 0): string {
  const line = (n: number) => (indent === 0 ? '' : `\n${' '.repeat(indent * n)}`);
  if (value === undefined) return 'null';
  if (typeof value === 'string') return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${value.map((item) => line(level + 1) + goJson(item as Json, indent, level + 1)).join(',')}${line(level)}]`;
  }
  const keys = Object.keys(value)
    .filter((key) => (value as JsonObject)[key] !== undefined)
    .sort();
  if (keys.length === 0) return '{}';
  return `{${keys.map((key) => `${line(level + 1)}${goJson(key)}:${indent === 0 ? '' : ' '}${goJson((value as JsonObject)[key], indent, level + 1)}`).join(',')}${line(level)}}`;
}

/** Without managedFields, which nobody wants to read. */
export function withoutManagedFields<T extends JsonObject>(object: T): T {
  const metadata = object['metadata'];
  let result: JsonObject = object;
  if (isObject(metadata) && metadata['managedFields'] !== undefined) {
    const { managedFields: _, ...rest } = metadata;
    result = { ...object, metadata: rest };
  }
  if (Array.isArray(object['items'])) result = { ...result, items: (object['items'] as readonly JsonObject[]).map((item) => withoutManagedFields(item)) };
  return result as T;
}

export type ObjectPrinter = (object: JsonObject) => string;

const FORMATS = 'custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml';

/** The printer -o asks for; undefined for tables. `operation` is what `-o name` leaves out and success messages add. */
export function objectPrinter(session: Session, formats = FORMATS): ObjectPrinter | undefined {
  const { flags, self } = session;
  const given = flags.text('output');
  if (given === '' || given === 'wide') return undefined;
  const equals = given.indexOf('=');
  const format = equals < 0 ? given : given.slice(0, equals);
  let argument = equals < 0 ? flags.text('template') : given.slice(equals + 1);
  const clean = (object: JsonObject): JsonObject => (flags.bool('show-managed-fields') ? object : withoutManagedFields(object));
  const readArgument = (): void => {
    const path = argument.startsWith('/') ? argument : `${self.cwd}/${argument}`;
    if (!self.files.exists(path)) throw new KubectlError(`error reading template ${argument}, open ${argument}: no such file or directory`);
    argument = self.files.read(path);
  };
  const allowMissing = flags.text('allow-missing-template-keys') !== 'false';
  const unable = (): never => {
    throw new KubectlError(`unable to match a printer suitable for the output format ${JSON.stringify(given)}, allowed formats are: ${formats}`);
  };
  switch (format) {
    case 'yaml': {
      let first = true;
      return (object) => {
        const separator = first ? '' : '---\n';
        first = false;
        return separator + dump(clean(object));
      };
    }
    case 'json':
      return (object) => `${goJson(clean(object))}\n`;
    case 'name':
      return (object) => (Array.isArray(object['items']) ? (object['items'] as readonly ObjectLike[]).map(nameLine).join('') : nameLine(object as unknown as ObjectLike));
    case 'jsonpath-file':
      readArgument();
      argument = argument.replace(/\n$/, '');
    // falls through
    case 'jsonpath': {
      if (argument === '') throw new KubectlError('template format specified but no template given');
      const template = wrap(() => parseJsonPath(argument), argument);
      return (object) => run(() => printJsonPath(template, object as Json, allowMissing), argument, object);
    }
    case 'jsonpath-as-json': {
      if (argument === '') throw new KubectlError('template format specified but no template given');
      const template = wrap(() => parseJsonPath(argument), argument);
      return (object) => run(() => `${goJson(template.flatMap((part) => (part[0]?.kind === 'text' ? [] : findValues(part, object as Json, object as Json, allowMissing))))}\n`, argument, object);
    }
    case 'custom-columns-file':
      readArgument();
      {
        const [headers = '', paths = ''] = argument.split('\n');
        const names = headers.trim().split(/\s+/);
        argument = paths
          .trim()
          .split(/\s+/)
          .map((path, i) => `${names[i]}:${path}`)
          .join(',');
      }
    // falls through
    case 'custom-columns':
      return customColumns(argument, flags.bool('no-headers'));
    default:
      return unable();
  }
}

const nameLine = (object: ObjectLike): string => {
  const [group] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : [''];
  return `${shownName({ group: group!, kind: object.kind }, object.metadata.name ?? '')}\n`;
};

function wrap<T>(body: () => T, template: string): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof JsonPathError) throw new KubectlError(`error parsing jsonpath ${template}, ${error.message}`);
    throw error;
  }
}
function run(body: () => string, template: string, object: JsonObject): string {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new KubectlError(`error executing jsonpath ${JSON.stringify(template)}: Error executing template: ${error.message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${template}\n\tobject given to jsonpath engine was:\n\t\t${goJson(object, 0)}\n\n`);
  }
}

/** Go's `%v` of a decoded value, near enough: maps and lists as Go prints them. */
const goValue = (value: Json | undefined): string => {
  if (value === undefined || value === null) return '<none>';
  if (Array.isArray(value)) return `[${value.map((item) => goValue(item as Json)).join(' ')}]`;
  if (typeof value === 'object') return `map[${Object.keys(value).sort().map((key) => `${key}:${goValue((value as JsonObject)[key])}`).join(' ')}]`;
  return String(value);
};

function customColumns(spec: string, noHeaders: boolean): ObjectPrinter {
  if (spec === '') throw new KubectlError('custom-columns format specified but no custom columns given');
  const columns = spec.split(',').map((part) => {
    const at = part.indexOf(':');
    if (at < 0) throw new KubectlError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return { header: part.slice(0, at), template: wrap(() => relaxed(part.slice(at + 1)), part.slice(at + 1)) };
  });
  const writer = new TableWriter();
  let first = true;
  return (object) => {
    const items = Array.isArray(object['items']) ? (object['items'] as readonly JsonObject[]) : [object];
    const rows = items.map((item) =>
      columns.map(({ template }) => {
        const values = valuesOf(template, item as Json);
        return values.length === 0 ? '<none>' : values.map((value) => (typeof value === 'string' ? value : goValue(value))).join(',');
      }),
    );
    if (first && !noHeaders) rows.unshift(columns.map((column) => column.header));
    first = false;
    return writer.rows(rows);
  };
}
