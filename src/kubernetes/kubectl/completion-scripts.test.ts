/** The script for bash in a real bash, with a kubectl that only says what it was asked. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { SCRIPTS } from './completion-scripts.ts';

const FAKE = 'kubectl() { printf "[%s]" "$@" >&3; printf "pods\\tx\\npodtemplates\\n:4\\n"; }\nexec 3>&1\n';

it.each([
  ['(kubectl get po)', 2, '[__complete][get][po]pods podtemplates'],
  ['(kubectl get "")', 2, '[__complete][get][]pods podtemplates'],
  ['(kubectl get --output = js)', 4, '[__complete][get][--output=js]pods podtemplates'],
])('bash: %s', (words, at, said) => {
  const line = `${FAKE}${SCRIPTS['bash']}\nCOMP_WORDS=${words}; COMP_CWORD=${at}; __kubectl_complete; echo "\${COMPREPLY[@]}"\n`;
  expect(execFileSync('bash', ['-c', line], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()).toBe(said);
});
