/**
 * Who owns which field of an object, as it is kept with the object: `metadata.managedFields`, in a compact form.
 *
 * Upstream computes an entry's full field set on every write. Here a set is written out only where it differs from what
 * can be told from the object itself: whoever created an object owns all of it except what is listed (`*`), and
 * everybody else's set is a short text. So a component's own write costs a comparison of what it changed, the object
 * in etcd grows by a line, and the sets people read (`field-manager.ts`) are worked out when somebody asks. What is stored is the
 * same whether anybody asks or not.
 *
 * A set's text: `f` elements without their prefix, `k:` and `v:` with quotes turned (" for '), children in parentheses,
 * `!` for a node with children that is itself a member.
 */
import type { KubeObject, ObjectMeta } from '../../api/meta.ts';
import { isEmpty, type PathElement, type PathSet, SetBuilder } from './path-set.ts';

export interface Head {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339, or empty. */
  readonly time: string;
}

export interface Entry extends Head {
  readonly owned: Owned;
  /** The entry as it is stored; its last part is `owned`. */
  readonly line: string;
}

/** `listed` are the fields, or, when `all` is true, the exceptions. */
export interface Owned {
  readonly all: boolean;
  readonly listed: PathSet;
}

/** What an object carries: a line an entry. */
export type Ledger = readonly string[];

/** The ledger of an object as it is inside the world. */
export const ledgerOf = (object: KubeObject): Ledger | undefined => object.metadata.managedFields as unknown as Ledger | undefined;

/** The object with another ledger; undefined takes it away. */
export function withLedger(object: KubeObject, ledger: Ledger | undefined): KubeObject {
  if (ledgerOf(object) === ledger) return object;
  if (ledger !== undefined && ledger.length > 0)
    return { ...object, metadata: { ...object.metadata, managedFields: ledger as unknown as NonNullable<ObjectMeta['managedFields']> } };
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Read once for each ledger; an object keeps its own through every change of something else. */
const read = new WeakMap<Ledger, readonly Entry[]>();

export function entriesOf(ledger: Ledger | undefined): readonly Entry[] {
  if (ledger === undefined) return [];
  let entries = read.get(ledger);
  if (!entries) {
    entries = ledger.map(readEntry);
    read.set(ledger, entries);
  }
  return entries;
}

/** The ledger of these entries; those that own nothing are left out. */
export function ledgerWith(entries: readonly Entry[]): Ledger {
  const kept = entries.every(ownsSomething) ? entries : entries.filter(ownsSomething);
  const ledger = kept.map(({ line }) => line);
  read.set(ledger, kept);
  return ledger;
}

const ownsSomething = ({ owned }: Entry): boolean => owned.all || !isEmpty(owned.listed);

export const entry = (head: Head, owned: Owned): Entry => entryOf(head, owned, (owned.all ? '*' : '') + setText(owned.listed));

/** The entry at another time: what it owns is not spelled out again. */
export const entryAt = (one: Entry, time: string): Entry =>
  time === one.time ? one : entryOf({ ...one, time }, one.owned, one.line.slice(one.line.lastIndexOf('|') + 1));

const entryOf = ({ manager, operation, apiVersion, subresource, time }: Head, owned: Owned, text: string): Entry => ({
  manager,
  operation,
  apiVersion,
  subresource,
  time,
  owned,
  line: `${operation[0]}|${escaped(manager)}|${apiVersion}|${subresource}|${time}|${text}`,
});

/** Who and when, without reading what is owned. */
function headOf(line: string): Head {
  const [operation = '', manager = '', apiVersion = '', subresource = '', time = ''] = line.split('|', 5);
  return { manager: unescaped(manager), operation: operation === 'A' ? 'Apply' : 'Update', apiVersion, subresource, time };
}

function readEntry(line: string): Entry {
  const text = line.slice(line.lastIndexOf('|') + 1);
  const all = text[0] === '*';
  return { ...headOf(line), owned: { all, listed: readSet(all ? text.slice(1) : text) }, line };
}

const SPECIAL = /[%|(),!:"\\\u0000-\u001f]/;
const SPECIALS = /[%|(),!:"\\\u0000-\u001f]/g;
const hex = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
const escaped = (text: string): string => (SPECIAL.test(text) ? text.replace(SPECIALS, hex) : text);
const unescaped = (text: string): string =>
  text.includes('%') ? text.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))) : text;
const turned = (text: string): string => text.replace(/["']/g, (quote) => (quote === '"' ? "'" : '"'));

const elementText = (element: PathElement): string =>
  element[0] === 'f' ? escaped(element.slice(2)) : element.slice(0, 2) + escaped(turned(element.slice(2)));
const readElement = (text: string): PathElement => (text[1] === ':' ? text.slice(0, 2) + turned(unescaped(text.slice(2))) : `f:${unescaped(text)}`);

function setText(set: PathSet): string {
  let out = '';
  for (const [element, child] of set.children) {
    if (out !== '') out += ',';
    out += elementText(element);
    if (child.children.size > 0) out += `${child.own ? '!' : ''}(${setText(child)})`;
  }
  return out;
}

function readSet(text: string): PathSet {
  const root = new SetBuilder();
  const stack = [root];
  let start = 0;
  let last: SetBuilder | undefined;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c !== undefined && c !== ',' && c !== '(' && c !== ')') continue;
    if (i > start) {
      const member = text[i - 1] === '!';
      const token = text.slice(start, member ? i - 1 : i);
      last = stack[stack.length - 1]!.child(readElement(token));
      last.own = member || c !== '(';
    }
    if (c === '(') stack.push(last!);
    else if (c === ')') stack.pop();
    start = i + 1;
  }
  return root.build();
}
