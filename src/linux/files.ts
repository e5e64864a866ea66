/** A file system in memory: absolute paths, directories made as needed. */
export interface Files {
  /** Throws FileError ENOENT or EISDIR. */
  read(path: string): string;
  /** Parents are made. Throws EISDIR. */
  write(path: string, text: string): void;
  /**
   * A file whose text is made when somebody first reads it: what costs too much to make for nobody. Until then `note`
   * is what those know of it who hold the same secret (a token's claims without its signature).
   */
  promise(path: string, note: string, produce: () => string): void;
  /** The note of a file nobody has read yet; undefined for any other. */
  note(path: string): string | undefined;
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
  const promised = new Map<string, { readonly note: string; produce(): string }>();
  /** Directories, each with the names in it. */
  const directories = new Map<string, Set<string>>([['/', new Set()]]);
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
  const parent = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
  const name = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  /** The names in a directory, made with its parents if it is not there. */
  const ensure = (at: string): Set<string> => {
    let names = directories.get(at);
    if (names) return names;
    if (at !== '/') {
      const above = ensure(parent(at));
      if (files.has(at)) throw new FileError('ENOTDIR', at);
      above.add(name(at));
    }
    names = new Set();
    directories.set(at, names);
    return names;
  };
  const write = (path: string, text: string): void => {
    const at = normalise(path);
    if (directories.has(at)) throw new FileError('EISDIR', path);
    // Most writes are to files that are there.
    if (!files.has(at)) ensure(parent(at)).add(name(at));
    files.set(at, text);
    if (promised.size > 0) promised.delete(at);
  };
  const forget = (at: string): void => {
    files.delete(at);
    promised.delete(at);
    for (const child of directories.get(at) ?? []) forget(at === '/' ? `/${child}` : `${at}/${child}`);
    directories.delete(at);
  };
  const self: Files = {
    read: (path) => {
      const at = normalise(path);
      const text = files.get(at);
      if (text === undefined) throw new FileError(directories.has(at) ? 'EISDIR' : 'ENOENT', path);
      const promise = promised.size > 0 ? promised.get(at) : undefined;
      if (!promise) return text;
      const made = promise.produce();
      promised.delete(at);
      files.set(at, made);
      return made;
    },
    write,
    promise: (path, note, produce) => {
      write(path, '');
      promised.set(normalise(path), { note, produce });
    },
    note: (path) => promised.get(normalise(path))?.note,
    append: (path, text) => write(path, (files.has(normalise(path)) ? self.read(path) : '') + text),
    list: (path) => {
      const at = normalise(path);
      const names = directories.get(at);
      if (!names) throw new FileError(files.has(at) ? 'ENOTDIR' : 'ENOENT', path);
      return [...names].sort();
    },
    exists: (path) => {
      const at = normalise(path);
      return files.has(at) || directories.has(at);
    },
    isDirectory: (path) => directories.has(normalise(path)),
    mkdir: (path) => {
      ensure(normalise(path));
    },
    remove: (path) => {
      const at = normalise(path);
      if (!files.has(at) && !directories.has(at)) throw new FileError('ENOENT', path);
      forget(at);
      if (at !== '/') directories.get(parent(at))?.delete(name(at));
    },
  };
  for (const [path, text] of Object.entries(initial)) write(path, text);
  return self;
}
