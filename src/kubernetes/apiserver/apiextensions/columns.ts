/** `additionalPrinterColumns` (apiextensions-apiserver `pkg/registry/customresource/tableconvertor`). */
import type { Instant } from '../../../sim/clock.ts';
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import { instantOf } from '../../api/time.ts';
import { ageOf, type ColumnDefinition, type Printer } from '../printers/table.ts';
import { isPlainObject, type PrinterColumn } from './schema.ts';

const NAME_TEXT =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';
const AGE: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
  jsonPath: '.metadata.creationTimestamp',
};

type Step =
  | { readonly name: string }
  | { readonly index: number }
  | { readonly all: true }
  | { readonly path: readonly Step[]; readonly op: string; readonly value: Json | undefined };

/** Reads the paths columns use: `.a.b`, `['a.b']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`. Here simplified: no unions, slices or recursive descent. Undefined when it is none of these. */
export function compilePath(text: string): ((object: Json) => Json | undefined) | undefined {
  const steps = parse(text.replace(/^\{|\}$/g, ''));
  return steps && ((object) => follow([object], steps)[0]);
}

function parse(text: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  let rest = text.replace(/^\$/, '');
  while (rest !== '' && rest !== '.') {
    const m =
      /^\.((?:\\.|[^.[\]\\])+)/.exec(rest) ??
      /^\[\?\(\s*@((?:\.[^\s=!<>~)]+|\[[^\]]*\])*)\s*(?:(==|!=|<=|>=|<|>)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^)]+?))?\s*\)\]/.exec(rest) ??
      /^\.?\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/.exec(rest) ??
      /^\.?\[(-?\d+|\*)\]/.exec(rest);
    if (!m) return undefined;
    if (m[0].startsWith('[?')) {
      const path = parse(m[1] ?? '');
      if (!path) return undefined;
      steps.push({ path, op: m[2] ?? '', value: m[3] === undefined ? undefined : literal(m[3]) });
    } else if (/^\.?\[['"]/.test(m[0])) steps.push({ name: (m[1] ?? m[2] ?? '').replace(/\\(.)/g, '$1') });
    else if (/^\.?\[/.test(m[0])) steps.push(m[1] === '*' ? { all: true } : { index: Number(m[1]) });
    else steps.push(m[1] === '*' ? { all: true } : { name: m[1]!.replace(/\\(.)/g, '$1') });
    rest = rest.slice(m[0].length);
  }
  return steps;
}

const literal = (text: string): Json => {
  if (/^["']/.test(text)) return text.slice(1, -1).replace(/\\(.)/g, '$1');
  return text === 'true' ? true : text === 'false' ? false : Number.isNaN(Number(text)) ? text : Number(text);
};

function follow(values: readonly Json[], steps: readonly Step[]): readonly Json[] {
  let now = values;
  for (const step of steps) {
    now = now.flatMap((value): readonly Json[] => {
      if ('name' in step) return isPlainObject(value) && value[step.name] !== undefined ? [value[step.name]!] : [];
      if ('index' in step)
        return Array.isArray(value) ? ((value as readonly Json[]).at(step.index) === undefined ? [] : [(value as readonly Json[]).at(step.index)!]) : [];
      const each: readonly Json[] = Array.isArray(value) ? value : isPlainObject(value) ? Object.values(value) : [];
      return 'all' in step ? each : each.filter((item) => holds(follow([item], step.path)[0], step.op, step.value));
    });
  }
  return now;
}

function holds(left: Json | undefined, op: string, right: Json | undefined): boolean {
  if (op === '') return left !== undefined;
  if (left === undefined || right === undefined || left === null || right === null || typeof left !== typeof right) return op === '!=' && left !== undefined;
  switch (op) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return left >= right;
  }
}

function cell(type: string, value: Json | undefined, now: Instant): Json {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return instantOf(value) === undefined ? '<invalid>' : ageOf(value, now);
    default:
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}

/** How `kubectl get` prints a custom kind: its name, its columns, and its age when it names none. */
export function printerOf(given: readonly PrinterColumn[] | undefined): Printer<KubeObject> {
  const columns = given && given.length > 0 ? given : [AGE];
  const paths = columns.map((column) => compilePath(column.jsonPath));
  return {
    columns: [
      { name: 'Name', type: 'string', format: 'name', description: NAME_TEXT, priority: 0 },
      ...columns.map(
        (column): ColumnDefinition => ({
          name: column.name,
          type: column.type,
          format: column.format ?? '',
          description: column.description || `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
          priority: column.priority ?? 0,
        }),
      ),
    ],
    cells: (object, now) => [object.metadata.name ?? '', ...columns.map((column, i) => cell(column.type, paths[i]?.(object as unknown as Json), now))],
  };
}
