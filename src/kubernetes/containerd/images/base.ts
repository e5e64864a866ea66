/** What most images share: a shell and busybox' programs, at the paths they have in busybox and Debian images. */
import type { Program } from '../../../linux/program.ts';
import { bringApplet, lazyApplets } from '../../../linux/shell/lazy.ts';

/** `/bin/sh` and every applet under /bin; nano is no part of busybox, and images come without an editor. */
export const basePrograms: Readonly<Record<string, Program>> = {
  ...Object.fromEntries(Object.entries(lazyApplets).flatMap(([name, program]) => (name === 'nano' ? [] : [[`/bin/${name}`, program]]))),
  '/bin/sh': bringApplet('sh'),
  '/bin/bash': bringApplet('sh'),
  '/usr/bin/env': bringApplet('env'),
};

export const passwd = (...users: string[]): string => `${['root:x:0:0:root:/root:/bin/sh', ...users].join('\n')}\n`;

/** A Debian image's files. */
export const debianFiles: Readonly<Record<string, string>> = {
  '/etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nID=debian\n',
  '/etc/debian_version': '12.11\n',
  '/etc/passwd': passwd('nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin'),
};
