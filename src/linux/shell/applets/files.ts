/** Programs for files and directories. Here simplified: files have no owner, no mode and no time; what `ls -l` says of them is a constant. */
import { byteLength } from '../../bytes.ts';
import { FileError } from '../../files.ts';
import type { Program, ProgramContext } from '../../program.ts';
import { patternToRegExp } from '../pattern.ts';
import { AppletError, applet, isBusybox, nameOf, parseFlags, pathOf } from './applet.ts';

const missing = (self: ProgramContext, path: string, verb: string, error = 'No such file or directory'): string =>
  isBusybox(self) ? `${nameOf(self)}: ${path}: ${error}\n` : `${nameOf(self)}: ${verb} '${path}': ${error}\n`;
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const baseName = (path: string): string => path.replace(/\/+$/, '').split('/').at(-1) || '/';

const ls = applet(async (self) => {
  const flags = parseFlags(self, 'laA1hdRrtSFi', { all: 'a', color: '1' });
  const { files } = self;
  let code = 0;
  const line = (path: string, shown: string): string => {
    if (!flags.has('l')) return `${shown}\n`;
    const directory = files.isDirectory(path);
    const size = directory ? 4096 : byteLength(files.read(path));
    const text = flags.has('h') && size >= 1024 ? `${(size / 1024).toFixed(1)}K` : String(size);
    return `${directory ? 'drwxr-xr-x    2' : '-rw-r--r--    1'} root     root     ${text.padStart(9)} Jan  5 08:00 ${shown}\n`;
  };
  const show = (path: string, header: boolean): void => {
    const at = pathOf(self, path);
    let names = [...files.list(at)].filter((name) => flags.has('a') || flags.has('A') || !name.startsWith('.'));
    if (flags.has('a')) names = ['.', '..', ...names];
    if (flags.has('r')) names.reverse();
    if (header) self.stdout(`${path}:\n`);
    if (flags.has('l')) self.stdout(`total ${names.length * 4}\n`);
    const entry = (name: string) => `${at === '/' ? '' : at}/${name}`;
    if (!flags.has('l') && !flags.has('1') && self.terminal && names.length > 0) {
      // In columns, as at a terminal.
      const width = Math.max(...names.map((name) => name.length)) + 2;
      const perRow = Math.max(1, Math.floor(self.terminal.columns / width));
      const rows = Math.ceil(names.length / perRow);
      for (let row = 0; row < rows; row++)
        self.stdout(
          `${names
            .filter((_, i) => i % rows === row)
            .map((name) => name.padEnd(width))
            .join('')
            .trimEnd()}\n`,
        );
    } else
      for (const name of names)
        self.stdout(line(name === '.' ? at : name === '..' ? parentOf(at) : entry(name), name + (flags.has('F') && files.isDirectory(entry(name)) ? '/' : '')));
    if (flags.has('R')) {
      for (const name of names) {
        if (name === '.' || name === '..' || !files.isDirectory(entry(name))) continue;
        self.stdout('\n');
        show(`${path.replace(/\/$/, '')}/${name}`, true);
      }
    }
  };
  const operands = flags.operands.length === 0 ? ['.'] : flags.operands;
  const existing = operands.filter((path) => {
    if (files.exists(pathOf(self, path))) return true;
    self.stderr(missing(self, path, 'cannot access'));
    code = isBusybox(self) ? 1 : 2;
    return false;
  });
  const plain = existing.filter((path) => flags.has('d') || !files.isDirectory(pathOf(self, path)));
  const directories = existing.filter((path) => !plain.includes(path));
  for (const path of plain) self.stdout(line(pathOf(self, path), path));
  directories.forEach((path, i) => {
    if (i > 0 || plain.length > 0) self.stdout('\n');
    show(path, operands.length > 1 || flags.has('R'));
  });
  return code;
});

const mkdir = applet(async (self) => {
  const flags = parseFlags(self, 'pvm:', { parents: 'p' });
  if (flags.operands.length === 0) throw new AppletError('missing operand');
  let code = 0;
  for (const path of flags.operands) {
    const at = pathOf(self, path);
    const error = flags.has('p')
      ? self.files.exists(at) && !self.files.isDirectory(at)
        ? 'File exists'
        : undefined
      : self.files.exists(at)
        ? 'File exists'
        : self.files.isDirectory(parentOf(at))
          ? undefined
          : 'No such file or directory';
    if (error) {
      self.stderr(isBusybox(self) ? `mkdir: can't create directory '${path}': ${error}\n` : `mkdir: cannot create directory ‘${path}’: ${error}\n`);
      code = 1;
    } else self.files.mkdir(at);
  }
  return code;
});

const rmdir = applet(async (self) => {
  let code = 0;
  for (const path of parseFlags(self, 'p').operands) {
    const at = pathOf(self, path);
    const error = !self.files.exists(at)
      ? 'No such file or directory'
      : !self.files.isDirectory(at)
        ? 'Not a directory'
        : self.files.list(at).length > 0
          ? 'Directory not empty'
          : undefined;
    if (error) {
      self.stderr(isBusybox(self) ? `rmdir: '${path}': ${error}\n` : `rmdir: failed to remove '${path}': ${error}\n`);
      code = 1;
    } else self.files.remove(at);
  }
  return code;
});

const rm = applet(async (self) => {
  const flags = parseFlags(self, 'rRfivd', { recursive: 'r', force: 'f' });
  if (flags.operands.length === 0 && !flags.has('f')) throw new AppletError('missing operand');
  const complain = (path: string, error: string) => {
    self.stderr(
      isBusybox(self)
        ? `rm: ${error === 'Is a directory' ? `'${path}' is a directory` : `can't remove '${path}': ${error}`}\n`
        : `rm: cannot remove '${path}': ${error}\n`,
    );
    return 1;
  };
  let code = 0;
  for (const path of flags.operands) {
    const at = pathOf(self, path);
    if (!self.files.exists(at)) {
      if (!flags.has('f')) code = complain(path, 'No such file or directory');
    } else if (self.files.isDirectory(at) && !flags.has('r') && !flags.has('R')) code = complain(path, 'Is a directory');
    else {
      try {
        self.files.remove(at);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        code = complain(path, error.message);
      }
    }
  }
  return code;
});

function copy(self: ProgramContext, from: string, to: string): void {
  if (self.files.isDirectory(from)) {
    self.files.mkdir(to);
    for (const name of self.files.list(from)) copy(self, `${from}/${name}`, `${to}/${name}`);
  } else self.files.write(to, self.files.read(from));
}

const transfer = (move: boolean): Program =>
  applet(async (self) => {
    const flags = parseFlags(self, move ? 'fvn' : 'rRafpvdL', { recursive: 'r', archive: 'a', force: 'f' });
    const sources = flags.operands.slice(0, -1);
    const target = flags.operands.at(-1);
    if (target === undefined) throw new AppletError('missing file operand');
    if (sources.length === 0) throw new AppletError(`missing destination file operand after '${target}'`);
    const to = pathOf(self, target);
    const into = self.files.isDirectory(to);
    if (sources.length > 1 && !into) throw new AppletError(`target '${target}'${isBusybox(self) ? ' is not a directory' : ': No such file or directory'}`);
    let code = 0;
    for (const path of sources) {
      const from = pathOf(self, path);
      if (!self.files.exists(from)) {
        self.stderr(
          isBusybox(self)
            ? `${nameOf(self)}: can't ${move ? 'rename' : 'stat'} '${path}': No such file or directory\n`
            : `${nameOf(self)}: cannot stat '${path}': No such file or directory\n`,
        );
        code = 1;
        continue;
      }
      if (!move && self.files.isDirectory(from) && !['r', 'R', 'a'].some((flag) => flags.has(flag))) {
        self.stderr(isBusybox(self) ? `cp: omitting directory '${path}'\n` : `cp: -r not specified; omitting directory '${path}'\n`);
        code = 1;
        continue;
      }
      const destination = into ? `${to}/${baseName(from)}` : to;
      if (destination === from || destination.startsWith(`${from}/`)) throw new AppletError(`'${path}' and '${target}' are the same file`);
      copy(self, from, destination);
      if (move) self.files.remove(from);
    }
    return code;
  });

const touch = applet(async (self) => {
  for (const path of parseFlags(self, 'camr:d:t:').operands) {
    const at = pathOf(self, path);
    if (self.files.exists(at)) continue;
    if (!self.files.isDirectory(parentOf(at)))
      throw new AppletError(isBusybox(self) ? `${path}: No such file or directory` : `cannot touch '${path}': No such file or directory`);
    self.files.write(at, '');
  }
  return 0;
});

/** `find`: `-name`, `-iname`, `-path`, `-type`, `-maxdepth`, `-mindepth`, `!`, `-o`, `-print`, `-delete`, `-exec … \;`. */
const find = applet(async (self) => {
  const args = self.argv.slice(1);
  const starts: string[] = [];
  while (args[0] !== undefined && !/^[-!(]/.test(args[0])) starts.push(args.shift()!);
  let maxDepth = Number.POSITIVE_INFINITY;
  let minDepth = 0;
  let printed = false;
  type Test = (path: string, at: string) => boolean | Promise<boolean>;
  const either: Test[][] = [[]];
  let negate = false;
  const add = (test: Test) => {
    const wanted = !negate;
    negate = false;
    either.at(-1)!.push(async (path, at) => (await test(path, at)) === wanted);
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const value = () => {
      const next = args[++i];
      if (next === undefined) throw new AppletError(`missing argument to \`${arg}'`);
      return next;
    };
    if (arg === '-maxdepth') maxDepth = Number(value());
    else if (arg === '-mindepth') minDepth = Number(value());
    else if (arg === '!' || arg === '-not') negate = true;
    else if (arg === '-o' || arg === '-or') either.push([]);
    else if (arg === '-a' || arg === '-and') continue;
    else if (arg === '-name' || arg === '-iname') {
      const pattern = value();
      const regExp = arg === '-name' ? patternToRegExp(pattern) : new RegExp(patternToRegExp(pattern).source, 'i');
      add((path) => regExp.test(baseName(path)));
    } else if (arg === '-path') {
      const regExp = patternToRegExp(value());
      add((path) => regExp.test(path));
    } else if (arg === '-type') {
      const type = value();
      add((_, at) => self.files.isDirectory(at) === (type === 'd'));
    } else if (arg === '-empty') add((_, at) => (self.files.isDirectory(at) ? self.files.list(at).length === 0 : self.files.read(at) === ''));
    else if (arg === '-print' || arg === '-print0') {
      printed = true;
      add((path) => {
        self.stdout(path + (arg === '-print' ? '\n' : '\0'));
        return true;
      });
    } else if (arg === '-delete') {
      printed = true;
      add((_, at) => {
        self.files.remove(at);
        return true;
      });
    } else if (arg === '-exec') {
      printed = true;
      const command: string[] = [];
      for (let next = value(); next !== ';' && next !== '+'; next = value()) command.push(next);
      add(async (path) => (await self.run(command.map((word) => word.replaceAll('{}', path)))) === 0);
    } else throw new AppletError(`unknown predicate \`${arg}'`);
  }
  const visit = async (path: string, depth: number): Promise<void> => {
    const at = pathOf(self, path);
    const children = self.files.isDirectory(at) && depth < maxDepth ? self.files.list(at) : [];
    if (depth >= minDepth) {
      let matched = false;
      for (const tests of either) {
        let all = true;
        for (const test of tests) {
          if (await test(path, at)) continue;
          all = false;
          break;
        }
        if (all) {
          matched = true;
          break;
        }
      }
      if (matched && !printed) self.stdout(`${path}\n`);
    }
    self.process.clock.wake();
    for (const name of children) await visit(`${path === '/' ? '' : path}/${name}`, depth + 1);
  };
  let code = 0;
  for (const start of starts.length === 0 ? ['.'] : starts) {
    if (self.files.exists(pathOf(self, start))) await visit(start, 0);
    else {
      self.stderr(isBusybox(self) ? `find: ${start}: No such file or directory\n` : `find: ‘${start}’: No such file or directory\n`);
      code = 1;
    }
  }
  return code;
});

const basename = applet(async (self) => {
  const [path, suffix] = parseFlags(self, '').operands;
  if (path === undefined) throw new AppletError('missing operand');
  const name = baseName(path);
  self.stdout(`${suffix !== undefined && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`);
  return 0;
});
const dirname = applet(async (self) => {
  const [path] = parseFlags(self, '').operands;
  if (path === undefined) throw new AppletError('missing operand');
  const trimmed = path.replace(/\/+$/, '');
  self.stdout(`${trimmed.includes('/') ? trimmed.slice(0, trimmed.lastIndexOf('/')).replace(/\/+$/, '') || '/' : path.startsWith('/') ? '/' : '.'}\n`);
  return 0;
});
const realpath = applet(async (self) => {
  for (const path of parseFlags(self, 'fe').operands) self.stdout(`${pathOf(self, path)}\n`);
  return 0;
});
const stat = applet(async (self) => {
  for (const path of parseFlags(self, 'c:t').operands) {
    const at = pathOf(self, path);
    if (!self.files.exists(at))
      throw new AppletError(isBusybox(self) ? `can't stat '${path}': No such file or directory` : `cannot statx '${path}': No such file or directory`);
    const directory = self.files.isDirectory(at);
    self.stdout(`  File: ${path}\n  Size: ${directory ? 4096 : byteLength(self.files.read(at))}\t${directory ? 'directory' : 'regular file'}\n`);
  }
  return 0;
});
/** Here simplified: files have no modes; it only looks whether they are there. */
const chmod = applet(async (self) => {
  const [, ...paths] = self.argv.slice(1).filter((arg) => !/^-[a-zA-Z]/.test(arg) || /^-[rwx]/.test(arg));
  for (const path of paths)
    if (!self.files.exists(pathOf(self, path)))
      throw new AppletError(isBusybox(self) ? `${path}: No such file or directory` : `cannot access '${path}': No such file or directory`);
  return 0;
});

export const fileApplets: Readonly<Record<string, Program>> = {
  ls,
  mkdir,
  rmdir,
  rm,
  cp: transfer(false),
  mv: transfer(true),
  touch,
  find,
  basename,
  dirname,
  realpath,
  readlink: realpath,
  stat,
  chmod,
  chown: chmod,
};
