/**
 * Which field a number means in the protobuf form of Kubernetes v1.33: the facts of upstream's generated.proto
 * files, in a form of our own. A number, once given, never changes.
 *
 * One paragraph tells one message, under its name in `api/schema.ts`, which also knows what type each field has:
 *
 *     PodIP: ip                     the fields in the order of their numbers, from 1
 *     ServicePort: name 5 nodePort  a number: the next field has it
 *     replicas*                     a pointer to a plain value: 0, "" and false are values too, not absence
 *     2 ...VolumeSource             a message of its own there, whose fields lie among the owner's in JSON
 *     tolerance=q                   the type, where the schema's published form differs
 */
import { type FieldType, SCHEMA } from '../../api/schema.ts';
import { CORE } from './tables-core.ts';
import { GROUPS } from './tables-groups.ts';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** A plain value that is zero is dropped, unless the field is a pointer or JSON always has it. */
  readonly keepsZero: boolean;
  /** The fields of an embedded message, in whose place they stand. */
  readonly embedded?: Fields;
}
export type Fields = ReadonlyMap<number, Field>;

/** Bodies of subresources, which have no resource of their own. */
const BODIES: Readonly<Record<string, string>> = {
  'policy/v1/Eviction': 'Eviction',
  'authentication.k8s.io/v1/TokenRequest': 'TokenRequest',
  'autoscaling/v1/Scale': 'Scale',
};

const PLAIN: readonly FieldType[] = ['s', 'b', 'i32', 'i64'];

let rows: ReadonlyMap<string, readonly string[]> | undefined;
let roots: ReadonlyMap<string, string> | undefined;
const compiled = new Map<string, Fields>();

/** Every message's words by its name; embedded ones under `...Name`. */
export function tableRows(): ReadonlyMap<string, readonly string[]> {
  if (rows) return rows;
  const paragraphs = `${CORE}${GROUPS}`.trim().split(/\n+(?! )/);
  rows = new Map(
    paragraphs.map((paragraph) => {
      const [name, ...words] = paragraph.split(/\s+/) as [string, ...string[]];
      return [name.slice(0, -1), words];
    }),
  );
  return rows;
}

/** The message of a kind, undefined when it has no protobuf form here. DeleteOptions belong to every group. */
export function messageOf(apiVersion: string, kind: string): string | undefined {
  if (kind === 'DeleteOptions') return kind;
  if (!roots) {
    const all = new Map(Object.entries(BODIES));
    for (const name of tableRows().keys()) {
      const [group, version, served] = SCHEMA[name]?.gvk ?? [];
      if (served !== undefined) all.set(`${group ? `${group}/` : ''}${version}/${served}`, name);
    }
    roots = all;
  }
  return roots.get(`${apiVersion}/${kind}`);
}

/** The fields of a message by number. A name of no row is a mistake in the tables, and throws. */
export function fieldsOf(message: string): Fields {
  let fields = compiled.get(message);
  if (!fields) {
    fields = compile(message, message);
    compiled.set(message, fields);
  }
  return fields;
}

function compile(row: string, owner: string): Fields {
  const words = tableRows().get(row);
  const model = SCHEMA[owner];
  if (!words || !model) throw new Error(`no protobuf table of ${row}`);
  const fields = new Map<number, Field>();
  let number = 1;
  for (const word of words) {
    if (/^\d/.test(word)) {
      number = Number(word);
      continue;
    }
    const [, name, pointer, type] = /^([\w.$]+)(\*?)(?:=(\w+))?$/.exec(word) as unknown as [string, string, string, string | undefined];
    const told = type ?? model.fields[name] ?? '';
    fields.set(
      number,
      name.startsWith('...')
        ? { name, type: '', keepsZero: false, embedded: compile(name, owner) }
        : { name, type: told, keepsZero: pointer !== '' || !PLAIN.includes(told) || (model.required?.includes(name) ?? false) },
    );
    number += 1;
  }
  return fields;
}
