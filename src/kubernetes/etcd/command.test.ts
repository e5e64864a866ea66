import { expect, test } from 'vitest';
import { type Command, commandOf, decode, encode, entryOf, type Operation } from './command.ts';

const operations: Operation[] = [
  { type: 'put', request: { key: '/k', value: '{"a":"1;2:3"}', lease: 12, prevKv: true, ignoreValue: false, ignoreLease: true } },
  { type: 'delete', request: { key: 'a', rangeEnd: '\0', prevKv: true } },
  { type: 'compact', revision: 77 },
  { type: 'grant', lease: 2 ** 52, ttl: -5 },
  { type: 'revoke', lease: 3 },
  {
    type: 'txn',
    request: {
      compare: [
        { key: 'k', rangeEnd: '', target: 'mod', result: '=', operand: 9 },
        { key: 'k', rangeEnd: 'l', target: 'value', result: '!=', operand: 'x;y' },
      ],
      success: [
        { requestPut: { key: 'k', value: 'ä€🙂', lease: 0, prevKv: false, ignoreValue: false, ignoreLease: false } },
        { requestTxn: { compare: [], success: [{ requestDeleteRange: { key: 'd', rangeEnd: '', prevKv: false } }], failure: [] } },
      ],
      failure: [
        {
          requestRange: {
            key: 'k',
            rangeEnd: '',
            limit: 5,
            revision: 3,
            sortOrder: 'descend',
            sortTarget: 'value',
            serializable: true,
            keysOnly: false,
            countOnly: true,
            minModRevision: 1,
            maxModRevision: 2,
            minCreateRevision: 3,
            maxCreateRevision: 4,
          },
        },
      ],
    },
  },
];

test.each(operations.map((operation) => [operation.type, operation] as const))('a %s survives the log', (_, operation) => {
  const command: Command = { id: 2 ** 50 + 1, cause: 42, operation };
  expect(decode(encode(command.id, command.cause, operation))).toEqual(command);
  const entry = entryOf(command);
  expect(commandOf(entry)).toBe(command);
  const { note: _note, ...onlyText } = entry;
  expect(commandOf(onlyText)).toEqual(command);
});

test('text that is no command is refused', () => {
  expect(() => decode('12;3;X')).toThrow('no such command');
  expect(() => decode('hello')).toThrow('broken');
});
