/** A file system in memory: absolute paths, directories made as needed. */
export interface Files {
  /** Throws FileError ENOENT or EISDIR. */
  read(path: string): string;
  /** Parents are made. Throws EISDIR. */
  write(path: string, text: string): void;
  append(path: string, text: string): void;
  /** Names in a directory, sorted; throws ENOENT or ENOTDIR. */
  list(path: string): readonly string[];
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  mkdir(path: string): void;
  /** Removes a file, or a directory with all below it. */
  remove(path: string): void;
}
export class FileError extends Error {
  constructor(
    readonly code: 'ENOENT' | 'EISDIR' | 'ENOTDIR' | 'EEXIST' | 'EROFS',
    readonly path: string,
  ) {
    super(
      { ENOENT: 'No such file or directory', EISDIR: 'Is a directory', ENOTDIR: 'Not a directory', EEXIST: 'File exists', EROFS: 'Read-only file system' }[
        code
      ],
    );
    this.name = 'FileError';
  }
}

/** The one implementation: a map from path to text, directories explicit. */
export function createFiles(initial: Readonly<Record<string, string>> = {}): Files {
  const files = new Map<string, string>();
  const directories = new Set<string>(['/']);
  const normalise = (path: string): string => {
    // Nearly every path is in its normal form already, and programs read the same few over and over.
    if (path.length > 1 && path.startsWith('/') && !path.endsWith('/') && !path.includes('//') && !path.includes('/.')) return path;
    const parts: string[] = [];
    for (const part of path.split('/')) {
      if (part === '' || part === '.') continue;
      if (part === '..') parts.pop();
      else parts.push(part);
    }
    return `/${parts.join('/')}`;
  };
  const mkdir = (path: string): void => {
    if (directories.has(path)) return;
    const parts = normalise(path).split('/').slice(1);
    let at = '';
    for (const part of parts) {
      if (part === '') continue;
      at += `/${part}`;
      if (files.has(at)) throw new FileError('ENOTDIR', at);
      directories.add(at);
    }
  };
  const parent = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
  const write = (path: string, text: string): void => {
    const at = normalise(path);
    if (directories.has(at)) throw new FileError('EISDIR', path);
    mkdir(parent(at));
    files.set(at, text);
  };
  const self: Files = {
    read: (path) => {
      const at = normalise(path);
      const text = files.get(at);
      if (text === undefined) throw new FileError(directories.has(at) ? 'EISDIR' : 'ENOENT', path);
      return text;
    },
    write,
    append: (path, text) => write(path, (files.get(normalise(path)) ?? '') + text),
    list: (path) => {
      const at = normalise(path);
      if (files.has(at)) throw new FileError('ENOTDIR', path);
      if (!directories.has(at)) throw new FileError('ENOENT', path);
      const prefix = at === '/' ? '/' : `${at}/`;
      const names = new Set<string>();
      const see = (known: string): void => {
        if (known === at || !known.startsWith(prefix)) return;
        const slash = known.indexOf('/', prefix.length);
        names.add(known.slice(prefix.length, slash < 0 ? undefined : slash));
      };
      for (const known of files.keys()) see(known);
      for (const known of directories) see(known);
      return [...names].sort();
    },
    exists: (path) => files.has(normalise(path)) || directories.has(normalise(path)),
    isDirectory: (path) => directories.has(normalise(path)),
    mkdir,
    remove: (path) => {
      const at = normalise(path);
      if (!files.has(at) && !directories.has(at)) throw new FileError('ENOENT', path);
      files.delete(at);
      directories.delete(at);
      for (const known of [...files.keys()]) if (known.startsWith(`${at}/`)) files.delete(known);
      for (const known of [...directories]) if (known.startsWith(`${at}/`)) directories.delete(known);
    },
  };
  for (const [path, text] of Object.entries(initial)) write(path, text);
  return self;
}
