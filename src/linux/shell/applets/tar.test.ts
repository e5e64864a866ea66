import { expect, test } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { Loop } from '../../../sim/loop.ts';
import { testHost } from '../../../sim/test-host.ts';
import { createFiles } from '../../files.ts';
import { Machine } from '../machine.ts';
import { runCommand, sh } from '../shell.ts';
import { applets } from './applets.ts';

const FILES = { '/home/a.txt': 'eins\n', '/home/dir/b.txt': 'zwei\n', '/home/dir/sub/c.txt': 'grüße\n', '/out/.keep': '' };

async function run(line: string, files: Record<string, string> = FILES): Promise<string> {
  const loop = new Loop({ seed: 1, host: testHost });
  let said = '';
  loop.spawn('box', async (self) => {
    const machine = new Machine({
      hostname: 'box',
      files: createFiles(files),
      sockets: {} as never,
      programs: (name) => (name === 'sh' ? sh : applets[name]),
    });
    const { stdout, stderr, exitCode } = await runCommand({ self, machine, env: { PATH: '/bin' }, cwd: '/home', shell: 'sh' }, line);
    said = `${stdout}${stderr}${exitCode}`;
  });
  await loop.run(seconds(10));
  return said;
}
const BUSYBOX = { ...FILES, '/bin/busybox': 'ELF' };

test.each([
  ['to and from a pipe', 'tar cf - dir a.txt | tar xf - -C /out && cat /out/dir/sub/c.txt /out/a.txt', 'grüße\neins\n0'],
  ['to and from a file', 'tar -cf /tmp.tar dir && tar -tf /tmp.tar', 'dir/\ndir/b.txt\ndir/sub/\ndir/sub/c.txt\n0'],
  ['only what is named', 'tar cf x.tar . && tar xf x.tar -C /out ./dir/sub && ls /out/dir', 'sub\n0'],
  ['as kubectl cp extracts', 'tar cf - a.txt | tar -xmf - -C /out && cat /out/a.txt', 'eins\n0'],
  ['with a path stripped', 'tar cf x.tar dir && tar xf x.tar --strip-components=1 -C /out && cat /out/b.txt', 'zwei\n0'],
  ['to standard output', 'tar cf x.tar dir/b.txt; tar -xOf x.tar', 'zwei\n0'],
  ['without some', "tar cf - --exclude='*.txt' dir | tar tf -", 'dir/\ndir/sub/\n0'],
  ['in long form', 'tar cf x.tar a.txt; tar tvf x.tar', '-rw-r--r-- root/root         5 2026-01-05 08:00 a.txt\n0'],
])('GNU tar %s', async (_, line, expected) => {
  expect(await run(line)).toBe(expected);
});

test.each([
  [
    'a name from the root',
    'tar cf - /home/a.txt | tar t',
    "home/a.txt\ntar: Removing leading `/' from member names\n0",
    "home/a.txt\ntar: removing leading '/' from member names\n0",
  ],
  [
    'what is not there',
    'tar cf x nope',
    'tar: nope: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors\n2',
    'tar: nope: No such file or directory\ntar: error exit delayed from previous errors\n1',
  ],
  [
    'a directory that is not there',
    'tar cf x a.txt; tar xf x -C /nope',
    'tar: /nope: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n2',
    "tar: can't change directory to '/nope': No such file or directory\n1",
  ],
  [
    'no archive',
    'seq 1000 | tar x',
    'tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n2',
    'tar: invalid tar magic\n1',
  ],
])('complaints: %s', async (_, line, gnu, busybox) => {
  expect(await run(line)).toBe(gnu);
  expect(await run(line, BUSYBOX)).toBe(busybox);
});
