import { expect, test } from 'vitest';
import { modelOf, SCHEMA } from '../../api/schema.ts';
import { type Fields, fieldsOf, messageOf, tableRows } from './tables.ts';

const messages = [...tableRows().keys()].filter((name) => !name.startsWith('...'));
const flat = (fields: Fields): { name: string; type: string }[] => [...fields.values()].flatMap((field) => (field.embedded ? flat(field.embedded) : [field]));

test('all fields of the schema have a number, and no others', () => {
  for (const message of messages) {
    const model = SCHEMA[message];
    expect(model, message).toBeDefined();
    // An object's apiVersion and kind are told around the message; a reference's are fields as any other.
    const told = Object.keys(model?.fields ?? {}).filter((name) => !(isObject(message) && (name === 'apiVersion' || name === 'kind')));
    expect(
      flat(fieldsOf(message))
        .map(({ name }) => name)
        .sort(),
      message,
    ).toEqual(told.sort());
  }
});

const isObject = (message: string): boolean => SCHEMA[message]?.fields['metadata'] !== undefined || message === 'DeleteOptions';

test('a word is a number that goes up, or a field; every row is used', () => {
  const used = new Set<string>();
  for (const [name, words] of tableRows()) {
    let last = 0;
    for (const word of words) {
      if (/^\d+$/.test(word)) {
        expect(Number(word), name).toBeGreaterThan(last + 1);
        last = Number(word) - 1;
      } else {
        expect(word, name).toMatch(/^(\.\.\.)?[A-Za-z]\w*\*?(=q)?$/);
        last += 1;
      }
      if (word.startsWith('...')) used.add(word);
    }
  }
  for (const name of tableRows().keys()) {
    if (name.startsWith('...')) expect(used.has(name), name).toBe(true);
  }
});

test('every message that is needed has a row, every row is reached', () => {
  const reached = new Set<string>();
  const reach = (message: string): void => {
    if (reached.has(message)) return;
    reached.add(message);
    for (const { type } of flat(fieldsOf(message))) {
      const inner = modelOf(type);
      if (inner !== undefined) reach(inner);
    }
  };
  for (const [name, model] of Object.entries(SCHEMA)) {
    const [group, version, kind] = model?.gvk ?? [];
    // Here simplified: definitions have no protobuf form, in which only programs that know their Go types send them.
    // Neither have alphas and betas, which are off unless a flag asks for them.
    if (kind === undefined || kind === 'CustomResourceDefinition' || /alpha|beta/.test(version ?? '')) continue;
    expect(messageOf(`${group ? `${group}/` : ''}${version}`, kind)).toBe(name);
    reach(name);
  }
  for (const [apiVersion, kind] of [
    ['policy/v1', 'Eviction'],
    ['authentication.k8s.io/v1', 'TokenRequest'],
    ['autoscaling/v1', 'Scale'],
    ['v1', 'DeleteOptions'],
  ] as const) {
    reach(messageOf(apiVersion, kind)!);
  }
  expect([...reached].sort()).toEqual([...messages].sort());
});
