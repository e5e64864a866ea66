/** -o yaml, json, name, jsonpath, custom-columns: whole objects on standard output. */
import type { Json } from '../../api/json.ts';
import { dump } from '../../api/yaml.ts';
import { shownName } from '../discovery.ts';
import { KubectlError } from '../errors.ts';
import { parseJsonPath } from '../jsonpath.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import { printCustomColumns } from './custom-columns.ts';
import { inGoOrder } from './go-order.ts';
import { templatePrinter } from './go-template.ts';

/** JSON as Go's encoder writes maps: keys sorted (unless `sorted` is false), `<`, `>` and `&` escaped. `indent` 4 is what -o json has; 0 is compact. */
export function goJson(value: Json | undefined, indent = 4, sorted = true, level = 0): string {
  const line = (n: number) => (indent === 0 ? '' : `\n${' '.repeat(indent * n)}`);
  if (value === undefined) return 'null';
  if (typeof value === 'string') return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${value.map((item) => line(level + 1) + goJson(item as Json, indent, sorted, level + 1)).join(',')}${line(level)}]`;
  }
  const keys = Object.keys(value).filter((key) => (value as JsonObject)[key] !== undefined);
  if (sorted) keys.sort();
  if (keys.length === 0) return '{}';
  return `{${keys.map((key) => `${line(level + 1)}${goJson(key)}:${indent === 0 ? '' : ' '}${goJson((value as JsonObject)[key], indent, sorted, level + 1)}`).join(',')}${line(level)}}`;
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

/** A typed object is one that Go holds in its struct, and so writes as JSON in the struct's order. */
export type ObjectPrinter = (object: JsonObject, typed?: boolean) => string;

/** What all others print. */
const FORMATS = 'go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,yaml';
/** What `get` prints. */
export const GET_FORMATS =
  'custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml';

/** The printer -o asks for; undefined for tables. `operation` is what `-o name` leaves out and success messages add. */
export function objectPrinter(session: Session, formats = FORMATS): ObjectPrinter | undefined {
  const { flags, self } = session;
  // A template without a format is a Go template.
  const given = flags.text('output') || (flags.text('template') === '' ? '' : 'go-template');
  if (given === '' || given === 'wide') return undefined;
  const equals = given.indexOf('=');
  const format = equals < 0 ? given : given.slice(0, equals);
  let argument = equals < 0 ? flags.text('template') : given.slice(equals + 1);
  const clean = (object: JsonObject): JsonObject => (flags.bool('show-managed-fields') ? object : withoutManagedFields(object));
  const readArgument = (): void => {
    const path = argument.startsWith('/') ? argument : `${self.cwd}/${argument}`;
    if (!self.files.exists(path)) throw new KubectlError(`error reading --template ${argument}, open ${argument}: no such file or directory`);
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
      return (object, typed = false) => `${typed ? goJson(inGoOrder(clean(object)), 4, false) : goJson(clean(object))}\n`;
    case 'name':
      return (object) =>
        Array.isArray(object['items']) ? (object['items'] as readonly ObjectLike[]).map(nameLine).join('') : nameLine(object as unknown as ObjectLike);
    case 'jsonpath-file':
    case 'jsonpath': {
      if (format === 'jsonpath-file') readArgument();
      if (argument === '') throw new KubectlError('template format specified but no template given');
      const path = own(() => parseJsonPath(argument, allowMissing));
      return (object) => own(() => path.print(object));
    }
    case 'jsonpath-as-json': {
      if (argument === '') throw new KubectlError('template format specified but no template given');
      const path = own(() => parseJsonPath(argument, allowMissing));
      return (object) => own(() => `${goJson(path.find(object) as Json)}\n`);
    }
    case 'custom-columns-file':
    case 'custom-columns': {
      if (format === 'custom-columns-file') {
        readArgument();
        const [headers = '', paths = ''] = argument.split('\n');
        const names = headers.trim().split(/\s+/);
        argument = paths
          .trim()
          .split(/\s+/)
          .map((path, i) => `${names[i]}:${path}`)
          .join(',');
      }
      const spec = argument;
      own(() => printCustomColumns(spec, [], true));
      let first = true;
      return (object) => {
        const noHeaders = !first || flags.bool('no-headers');
        first = false;
        return own(() => printCustomColumns(spec, Array.isArray(object['items']) ? (object['items'] as readonly Json[]) : [object], noHeaders));
      };
    }
    case 'go-template':
    case 'template':
    case 'go-template-file':
    case 'templatefile':
      return templatePrinter(format, argument, allowMissing, self);
    default:
      return unable();
  }
}

const nameLine = (object: ObjectLike): string => {
  const [group] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : [''];
  return `${shownName({ group: group!, kind: object.kind }, object.metadata.name ?? '')}\n`;
};

/** The engines' plain errors are kubectl's own. */
function own<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new KubectlError((error as Error).message.replace(/\n$/, ''));
  }
}
