/**
 * tar: creates, lists and extracts archives; busybox' and GNU's words. Here simplified: files have no
 * owner, no mode and no time, and nothing is compressed.
 */
import { byteLength } from '../../bytes.ts';
import { FileError } from '../../files.ts';
import type { ProgramContext } from '../../program.ts';
import { formatTarEntry, readTar, TAR_END, type TarEntry, TarError } from '../../tar.ts';
import { patternToRegExp } from '../pattern.ts';
import { readAll } from '../text-pipe.ts';
import { AppletError, applet, isBusybox, parseFlags, pathOf } from './applet.ts';
import { BOOT_SECONDS, dateAt } from './calendar.ts';

const LONG: Readonly<Record<string, string>> = {
  create: 'c',
  extract: 'x',
  get: 'x',
  list: 't',
  file: 'f:',
  directory: 'C:',
  verbose: 'v',
  gzip: 'z',
  touch: 'm',
  'preserve-permissions': 'p',
  'same-permissions': 'p',
  'no-same-permissions': '1',
  'no-same-owner': 'o',
  'same-owner': '1',
  'to-stdout': 'O',
  'keep-old-files': 'k',
  overwrite: '1',
  dereference: 'h',
  exclude: 'X:',
  'strip-components': 'S:',
};

/** Ends with the code of an error that cannot be recovered from. */
const fatal = (self: ProgramContext, busy: string, gnu: string): AppletError =>
  isBusybox(self) ? new AppletError(busy) : new AppletError(`${gnu}\ntar: Error is not recoverable: exiting now`, 2);

export const tar = applet(async (self) => {
  const [, first, ...rest] = self.argv;
  // `tar xf x.tar`: the letters stand without their dash.
  const old = first !== undefined && first !== '' && !first.startsWith('-');
  const flags = parseFlags(old ? { ...self, argv: [self.argv[0]!, `-${first}`, ...rest] } : self, 'cxtf:C:vzmpokOhjJ', LONG);
  const modes = ['c', 'x', 't'].filter((mode) => flags.has(mode));
  if (modes.length !== 1) {
    throw isBusybox(self)
      ? new AppletError('must specify one of -cxt')
      : new AppletError(
          `${modes.length > 1 ? "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option" : "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options"}\nTry 'tar --help' or 'tar --usage' for more information.`,
          2,
        );
  }
  for (const packed of ['z', 'j', 'J'])
    if (flags.has(packed)) throw fatal(self, `${packed}: compression is not modelled`, `-${packed}: compression is not modelled`);
  const directory = pathOf(self, flags.value('C') ?? '.');
  if (!self.files.isDirectory(directory)) {
    const why = self.files.exists(directory) ? 'Not a directory' : 'No such file or directory';
    throw fatal(self, `can't change directory to '${flags.value('C')}': ${why}`, `${flags.value('C')}: Cannot open: ${why}`);
  }
  const file = flags.value('f') ?? '-';
  const excluded = flags.values('X').map((pattern) => patternToRegExp(pattern));
  const skipped = (name: string): boolean => excluded.some((pattern) => pattern.test(name) || name.split('/').some((part) => pattern.test(part)));
  const job: Job = { self, directory, verbose: flags.has('v'), skipped };
  if (modes[0] === 'c') return create(job, flags.operands, file);
  let archive: string;
  try {
    archive = file === '-' ? await readAll(self.stdin) : self.files.read(pathOf(self, file));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw fatal(self, `can't open '${file}': ${error.message}`, `${file}: Cannot open: ${error.message}`);
  }
  let entries: readonly TarEntry[];
  try {
    entries = readTar(archive);
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    if (error.code === 'TRUNCATED') throw fatal(self, 'short read', 'Unexpected EOF in archive');
    throw isBusybox(self)
      ? new AppletError('invalid tar magic')
      : new AppletError('This does not look like a tar archive\ntar: Exiting with failure status due to previous errors', 2);
  }
  if (archive === '' && isBusybox(self)) throw new AppletError('short read');
  const wanted = entries.filter(({ name }) => !skipped(name) && (flags.operands.length === 0 || flags.operands.some((each) => isWithin(name, each))));
  if (modes[0] === 't') return list(job, wanted);
  return extract(job, wanted, { toOutput: flags.has('O'), keep: flags.has('k'), strip: Number(flags.value('S') ?? 0) });
});

interface Job {
  readonly self: ProgramContext;
  readonly directory: string;
  readonly verbose: boolean;
  skipped(name: string): boolean;
}

const trimmed = (name: string): string => name.replace(/\/+$/, '');
const isWithin = (name: string, above: string): boolean => trimmed(name) === trimmed(above) || name.startsWith(`${trimmed(above)}/`);
const below = (directory: string, name: string): string => (name.startsWith('/') ? name : `${directory === '/' ? '' : directory}/${name}`);

/** Says once that names are made relative. */
function relativeNames(self: ProgramContext): (name: string) => string {
  let said = false;
  return (name) => {
    const relative = name.replace(/^(\/|(.*\/)?\.\.(\/|$))+/, '');
    const cut = name.slice(0, name.length - relative.length);
    if (cut !== '' && !said) {
      said = true;
      self.stderr(isBusybox(self) ? `tar: removing leading '${cut}' from member names\n` : `tar: Removing leading \`${cut}' from member names\n`);
    }
    return relative === '' ? './' : relative;
  };
}

function create({ self, directory, verbose, skipped }: Job, operands: readonly string[], file: string): number {
  if (operands.length === 0)
    throw isBusybox(self)
      ? new AppletError('empty archive')
      : new AppletError("Cowardly refusing to create an empty archive\nTry 'tar --help' or 'tar --usage' for more information.", 2);
  const pieces: string[] = [];
  const relative = relativeNames(self);
  let failed = false;
  const time = BOOT_SECONDS;
  const add = (name: string): void => {
    if (skipped(name)) return;
    const at = below(directory, name);
    if (!self.files.exists(at)) {
      failed = true;
      self.stderr(isBusybox(self) ? `tar: ${name}: No such file or directory\n` : `tar: ${name}: Cannot stat: No such file or directory\n`);
      return;
    }
    const isDirectory = self.files.isDirectory(at);
    const member = relative(isDirectory ? `${trimmed(name)}/` : name);
    if (verbose) (file === '-' ? self.stderr : self.stdout)(`${member}\n`);
    if (!isDirectory) {
      pieces.push(formatTarEntry({ name: member, type: 'file', mode: 0o644, time, text: self.files.read(at) }));
      return;
    }
    pieces.push(formatTarEntry({ name: member, type: 'directory', mode: 0o755, time }));
    for (const child of self.files.list(at)) add(`${trimmed(name)}/${child}`);
  };
  for (const operand of operands) add(operand);
  const archive = pieces.join('') + TAR_END;
  if (file === '-') self.stdout(archive);
  else self.files.write(pathOf(self, file), archive);
  if (!failed) return 0;
  self.stderr(isBusybox(self) ? 'tar: error exit delayed from previous errors\n' : 'tar: Exiting with failure status due to previous errors\n');
  return isBusybox(self) ? 1 : 2;
}

function list({ self, verbose }: Job, entries: readonly TarEntry[]): number {
  for (const entry of entries) {
    if (!verbose) self.stdout(`${entry.name}\n`);
    else {
      const date = dateAt((entry.time - BOOT_SECONDS) * 1_000_000);
      const two = (value: number) => String(value).padStart(2, '0');
      const when = `${date.year}-${two(date.month)}-${two(date.day)} ${two(date.hour)}:${two(date.minute)}`;
      const size = String(byteLength(entry.text));
      self.stdout(
        isBusybox(self)
          ? `${modeText(entry)} root/root ${size.padStart(9)} ${when}:${two(date.second)} ${entry.name}\n`
          : `${modeText(entry)} root/root ${size.padStart(9)} ${when} ${entry.name}\n`,
      );
    }
  }
  return 0;
}

const modeText = ({ type, mode }: TarEntry): string =>
  (type === 'directory' ? 'd' : type === 'symlink' ? 'l' : '-') +
  [6, 3, 0].map((shift) => 'rwx'.replace(/./g, (c, i) => ((mode >> shift) & (4 >> i) ? c : '-'))).join('');

function extract(
  { self, directory, verbose }: Job,
  entries: readonly TarEntry[],
  how: { readonly toOutput: boolean; readonly keep: boolean; readonly strip: number },
): number {
  const relative = relativeNames(self);
  let failed = false;
  for (const entry of entries) {
    const name = relative(entry.name).split('/').slice(how.strip).join('/');
    if (trimmed(name) === '') continue;
    if (verbose) (how.toOutput ? self.stderr : self.stdout)(`${entry.name}\n`);
    if (how.toOutput) {
      self.stdout(entry.text);
      continue;
    }
    const at = below(directory, trimmed(name));
    try {
      // Links are not modelled: one is left out, as a file system without them would.
      if (entry.type === 'directory') self.files.mkdir(at);
      else if (entry.type !== 'file') throw new FileError('EROFS', at);
      else if (how.keep && self.files.exists(at)) throw new FileError('EEXIST', at);
      else self.files.write(at, entry.text);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      failed = true;
      self.stderr(isBusybox(self) ? `tar: can't open '${name}': ${error.message}\n` : `tar: ${name}: Cannot open: ${error.message}\n`);
      if (isBusybox(self)) return 1;
    }
  }
  if (failed) self.stderr('tar: Exiting with failure status due to previous errors\n');
  return failed ? 2 : 0;
}
