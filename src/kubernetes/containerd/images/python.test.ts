/** The little Python of the documentation's scripts: what it says, and with which code it ends. */
import { expect, test } from 'vitest';
import { parsePython } from './python-syntax.ts';

test.each([
  ['x = 1\nif x == 1:\n  pass\nelif x:\n  pass\nelse:\n  pass\nprint("done")', 3],
  ['import os, sys; print(os.environ.get("A", "b"))', 3],
  ['for i in range(3): print(i, end="")', 1],
  ['# only a comment', 0],
])('%j has %i statements', (source, count) => {
  expect(parsePython(source)).toHaveLength(count);
});

test.each([
  ['if x\n  pass', "expected ':'", 1],
  ['if x:\npass', "expected an indented block after 'if' statement on line 1", 2],
  ['x = 1\n  y = 2', 'unexpected indent', 2],
  ['print(1', 'invalid syntax', 1],
  ['def f(): pass', 'invalid syntax', 1],
])('%j: %s', (source, message, line) => {
  expect(() => parsePython(source)).toThrow(expect.objectContaining({ message, line }));
});
