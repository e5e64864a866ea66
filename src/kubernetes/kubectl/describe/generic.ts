/** What kubectl shows of a kind it has no description for: its fields, named after their keys. */
import type { KubeObject } from '../../api/meta.ts';
import { goPrint, sortedEntries } from '../gostring.ts';
import { aboutObject, eventsOf } from './events.ts';
import type { Describer } from './reader.ts';
import type { Sheet } from './sheet.ts';

const SKIPPED = new Set(['.metadata.managedFields', '.metadata.name', '.metadata.namespace', '.metadata.labels', '.metadata.annotations']);

export const describeAny: Describer<KubeObject> = async (sheet, object, context) => {
  const { metadata } = object;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  writeContent(sheet, 0, object, '');
  await eventsOf(sheet, context, aboutObject(object));
};

function writeContent(sheet: Sheet, level: number, content: object, prefix: string): void {
  for (const [field, value] of sortedEntries(content)) {
    const path = `${prefix}.${field}`;
    if (SKIPPED.has(path)) continue;
    if (Array.isArray(value)) {
      sheet.line(level, `${labelOf(field)}:`);
      for (const item of value as readonly unknown[]) {
        if (typeof item === 'object' && item !== null && !Array.isArray(item)) writeContent(sheet, level + 1, item, path);
        else sheet.line(level + 1, goPrint(item));
      }
    } else if (typeof value === 'object' && value !== null) {
      sheet.line(level, `${labelOf(field)}:`);
      writeContent(sheet, level + 1, value, path);
    } else sheet.line(level, `${labelOf(field)}:`, goPrint(value));
  }
}

const ACRONYMS = new Set(['API', 'URL', 'UID', 'GUID']);

/** `holderIdentity` → `Holder Identity`; a key with other than letters and dashes stays as it is. */
function labelOf(field: string): string {
  if (/[^\p{L}-]/u.test(field)) return field;
  return splitWords(field)
    .map((word) => {
      if (ACRONYMS.has(word.toUpperCase())) return word.toUpperCase();
      return word === word.toLowerCase() ? word.charAt(0).toUpperCase() + word.slice(1) : word;
    })
    .join(' ');
}

/** Runs of one case, where the last capital of a run begins the next word (fatih/camelcase). */
function splitWords(field: string): string[] {
  const runs = field.match(/\p{Lu}+|\p{Ll}+|[^\p{Lu}\p{Ll}]+/gu) ?? [];
  const words = [...runs];
  for (let i = 0; i < words.length - 1; i += 1) {
    const word = words[i] ?? '';
    const next = words[i + 1] ?? '';
    if (!/^\p{Lu}/u.test(word) || !/^\p{Ll}/u.test(next)) continue;
    words[i + 1] = word.slice(-1) + next;
    words[i] = word.slice(0, -1);
  }
  return words.filter((word) => word !== '');
}
