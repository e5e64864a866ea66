import { describe, expect, test } from 'vitest';
import { duplicateFields } from './duplicates.ts';
import { jsonErrorText } from './json-error.ts';

describe('what Go says of a text that is no JSON', () => {
  test.each([
    ['', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{} {}', "invalid character '{' after top-level value"],
    ['{"a":trie}', "invalid character 'i' in literal true (expecting 'u')"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
  ])('%s', (text, words) => expect(jsonErrorText(text)).toBe(words));
});

test('fields given twice are told by their paths, each once', () => {
  expect(duplicateFields('{"a":{"b":1,"b":2,"b":3},"l":[{"c":1},{"c":1,"c":"\\"}"}],"a":[]}')).toEqual([
    'duplicate field "a.b"',
    'duplicate field "l[1].c"',
    'duplicate field "a"',
  ]);
  expect(duplicateFields(' { "x" : [ ] , "y" : { } , "z" : "a,b" } ')).toEqual([]);
});
