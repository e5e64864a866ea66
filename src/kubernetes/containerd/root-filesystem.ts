/**
 * What a container sees of disks: the image's files with a writable layer of its own, and directories
 * (or single files) of the node mounted over it. Deepest mount wins, as in a mount namespace.
 */
import { createFiles, FileError, type Files } from '../../linux/files.ts';
import type { Mount } from '../kubelet/cri.ts';

interface Bind {
  readonly at: string;
  readonly from: string;
  readonly readOnly: boolean;
}

const tidy = (path: string): string => {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
};

/** The container's view. `image` is copied; the node's files are shared live. */
export function createRootFilesystem(image: Readonly<Record<string, string>>, mounts: readonly Mount[], node: Files): Files {
  const layer = createFiles(image);
  for (const directory of ['/tmp', '/etc', '/proc', '/dev', '/var/run', '/root']) if (!layer.exists(directory)) layer.mkdir(directory);
  const binds: Bind[] = mounts
    .map((mount) => ({ at: tidy(mount.containerPath), from: tidy(mount.hostPath), readOnly: mount.readOnly }))
    .sort((a, b) => b.at.length - a.at.length);
  // The mount point itself must be visible in its parent's listing.
  for (const bind of binds) {
    if (layer.exists(bind.at)) continue;
    if (node.exists(bind.from) && !node.isDirectory(bind.from)) layer.write(bind.at, '');
    else layer.mkdir(bind.at);
  }
  const find = (path: string): { readonly files: Files; readonly path: string; readonly readOnly: boolean; readonly root: boolean } => {
    const at = tidy(path);
    for (const bind of binds) {
      if (at === bind.at) return { files: node, path: bind.from, readOnly: bind.readOnly, root: true };
      if (at.startsWith(bind.at === '/' ? '/' : `${bind.at}/`))
        return { files: node, path: bind.from + at.slice(bind.at.length), readOnly: bind.readOnly, root: false };
    }
    return { files: layer, path: at, readOnly: false, root: false };
  };
  const writable = (path: string) => {
    const found = find(path);
    if (found.readOnly) throw new FileError('EROFS', path);
    return found;
  };
  return {
    read: (path) => {
      const found = find(path);
      return found.files.read(found.path);
    },
    write: (path, text) => {
      const found = writable(path);
      found.files.write(found.path, text);
    },
    promise: (path, note, produce) => {
      const found = writable(path);
      found.files.promise(found.path, note, produce);
    },
    note: (path) => {
      const found = find(path);
      return found.files.note(found.path);
    },
    append: (path, text) => {
      const found = writable(path);
      found.files.append(found.path, text);
    },
    list: (path) => {
      const found = find(path);
      const names = new Set(found.files.list(found.path));
      const at = tidy(path);
      // Mounts below a mounted directory appear in it too.
      for (const bind of binds) {
        const parent = bind.at.slice(0, bind.at.lastIndexOf('/')) || '/';
        if (parent === at) names.add(bind.at.slice(bind.at.lastIndexOf('/') + 1));
      }
      return [...names].sort();
    },
    exists: (path) => {
      const found = find(path);
      return found.files.exists(found.path);
    },
    isDirectory: (path) => {
      const found = find(path);
      return found.files.isDirectory(found.path);
    },
    mkdir: (path) => {
      const found = writable(path);
      found.files.mkdir(found.path);
    },
    remove: (path) => {
      const found = writable(path);
      if (found.root) throw new FileError('EROFS', path);
      found.files.remove(found.path);
    },
  };
}
