/** How a name on a command line becomes a program of the image: by path, by PATH, or by the first line of a script. */
import type { Files } from '../../linux/files.ts';
import { type Image, PATH } from './image.ts';
import type { Lookup } from './task.ts';

/** `root` is what the container sees of disks: scripts may be mounted from ConfigMaps. */
export function lookupIn(image: Image, root: Files): Lookup {
  const at = (path: string): ReturnType<Lookup> => {
    const program = image.program(path);
    if (program) return { program, prefix: [] };
    if (!root.exists(path) || root.isDirectory(path)) return undefined;
    // A script: its first line names the interpreter (execve(2)).
    const m = /^#!\s*(\S+)/.exec(root.read(path));
    const interpreter = m ? image.program(m[1]!) : undefined;
    return interpreter ? { program: interpreter, prefix: [m![1]!] } : undefined;
  };
  return (name, env, cwd) => {
    if (name === '') return undefined;
    if (name.includes('/')) return at(name.startsWith('/') ? name : `${cwd === '/' ? '' : cwd}/${name}`);
    for (const directory of (env['PATH'] ?? PATH).split(':')) {
      const found = at(`${directory}/${name}`);
      if (found) return found;
    }
    return undefined;
  };
}

/** What runc says of a program that is not there. */
export const notFoundText = (name: string): string =>
  name.includes('/') ? `exec: "${name}": stat ${name}: no such file or directory` : `exec: "${name}": executable file not found in $PATH`;
