/**
 * kubectl cp: tar over exec (kubectl pkg/cmd/cp). Here simplified: patterns in local names are the shell's
 * business alone.
 */
import { FileError } from '../../../linux/files.ts';
import type { Input } from '../../../linux/program.ts';
import { formatTarEntry, readTar, TAR_END, TarError } from '../../../linux/tar.ts';
import { EPOCH_SECONDS } from '../../api/time.ts';
import { ExitWith, KubectlError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import type { Session } from '../session.ts';
import type { Command } from './command.ts';
import { execIn } from './exec.ts';
import { type PodObject, podsOf } from './pods.ts';

interface FileSpec {
  readonly namespace: string;
  /** Empty for a local one. */
  readonly pod: string;
  readonly file: string;
}

export const cp: Command = {
  summary: 'Copy files and directories to and from containers',
  usage: 'kubectl cp <file-spec-src> <file-spec-dest> [options]',
  flags: { container: text('c'), 'no-preserve': bool(), retries: { type: 'int', default: '0' } },
  run: async (session, args) => {
    if (args.length !== 2) throw new KubectlError('source and destination are required');
    const [from, to] = [specOf(args[0]!), specOf(args[1]!)];
    if (from.pod !== '' && to.pod !== '') throw new KubectlError('one of src or dest must be a local file specification');
    if (from.file === '' || to.file === '') throw new KubectlError('filepath can not be empty');
    if (from.pod !== '') await copyFrom(session, from, to.file);
    else if (to.pod !== '') await copyTo(session, from.file, to);
    else throw new KubectlError('one of src or dest must be a remote file specification');
  },
};

/** `[[namespace/]pod:]file/path`. */
function specOf(arg: string): FileSpec {
  const wrong = () => new KubectlError('filespec must match the canonical format: [[namespace/]pod:]file/path');
  const colon = arg.indexOf(':');
  if (colon === 0) throw wrong();
  if (colon < 0) return { namespace: '', pod: '', file: withoutSlash(arg) };
  const place = arg.slice(0, colon).split('/');
  if (place.length > 2) throw wrong();
  return { namespace: place.length === 2 ? place[0]! : '', pod: place.at(-1)!, file: withoutSlash(arg.slice(colon + 1).replaceAll('\\', '/')) };
}

// --- Paths, as Go's `path` has them ------------------------------------------------------------------
const withoutSlash = (path: string): string => (path !== '/' && path.endsWith('/') ? path.slice(0, -1) : path);
function clean(path: string): string {
  const rooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!rooted) parts.push('..');
  }
  return (rooted ? '/' : '') + parts.join('/') || (rooted ? '/' : '.');
}
const directoryOf = (path: string): string => clean(path.slice(0, path.lastIndexOf('/') + 1));
const baseOf = (path: string): string => path.replace(/\/+$/, '').split('/').at(-1) || (path === '' ? '.' : '/');
const join = (...parts: readonly string[]): string => {
  const given = parts.filter((part) => part !== '');
  return given.length === 0 ? '' : clean(given.join('/'));
};
const isWithin = (base: string, path: string): boolean => {
  const from = clean(base);
  const to = clean(path);
  return from === '.' ? !to.startsWith('/') && to !== '..' && !to.startsWith('../') : to === from || to.startsWith(from === '/' ? '/' : `${from}/`);
};
/** What is left of a path that wanted to climb above the root. */
function withoutClimbing(path: string): string {
  let rest = path;
  while (rest.startsWith('../')) rest = rest.slice(3);
  if (rest === '.' || rest === '..') return '';
  return rest.startsWith('/') ? rest.slice(1) : rest;
}

async function podOf(session: Session, { namespace, pod }: FileSpec): Promise<PodObject> {
  const { pods } = await podsOf(namespace === '' ? session : { ...session, namespace }, `pods/${pod}`);
  return pods[0]!;
}
const local = (session: Session, path: string): string => (path.startsWith('/') ? path : `${session.self.cwd === '/' ? '' : session.self.cwd}/${path}`);
const container = (session: Session): string => session.flags.text('container');
const nothing = (): void => {};
const silent = (session: Session): Session => ({ ...session, err: nothing });

// --- To a container --------------------------------------------------------------------------------
async function copyTo(session: Session, source: string, to: FileSpec): Promise<void> {
  const { files } = session.self;
  if (!files.exists(local(session, source))) throw new KubectlError(`${source} doesn't exist in local filesystem`);
  const pod = await podOf(session, to);
  let target = to.file;
  try {
    await execIn(silent(session), pod, container(session), ['test', '-d', target], { stdin: undefined, out: nothing, err: nothing, quiet: true });
    // It is a directory: what is copied goes into it.
    target = join(target, baseOf(source));
  } catch {
    // Whatever went wrong will go wrong again below, and be said then.
  }
  const plain = session.flags.bool('no-preserve') ? ['--no-same-permissions', '--no-same-owner'] : [];
  const command = ['tar', ...plain, '-xmf', '-', '-C', directoryOf(target)];
  const archive = archiveOf(session, source, baseOf(clean(target)));
  await execIn(session, pod, container(session), command, { stdin: oncePiece(archive), out: session.out, err: session.err, quiet: false });
}

const oncePiece = (text: string): Input => {
  let left: string | undefined = text;
  return {
    read: () => {
      const piece = left;
      left = undefined;
      return Promise.resolve(piece);
    },
  };
};

/** Files below `source`, named as they shall be called; of directories only those that are empty. */
function archiveOf(session: Session, source: string, name: string): string {
  const { files, process } = session.self;
  const time = EPOCH_SECONDS + Math.floor(process.clock.now() / 1_000_000);
  const pieces: string[] = [];
  const add = (at: string, member: string): void => {
    if (!files.isDirectory(at)) {
      pieces.push(formatTarEntry({ name: member, type: 'file', mode: 0o644, time, text: files.read(at) }));
      return;
    }
    const names = files.list(at);
    if (names.length === 0) pieces.push(formatTarEntry({ name: member, type: 'directory', mode: 0o755, time }));
    for (const child of names) add(`${at}/${child}`, join(member, child));
  };
  add(local(session, clean(source)), name);
  return pieces.join('') + TAR_END;
}

// --- From a container ------------------------------------------------------------------------------
async function copyFrom(session: Session, from: FileSpec, target: string): Promise<void> {
  const pod = await podOf(session, from);
  const prefix = withoutClimbing(clean(from.file.replace(/^\/+/, '') || ''));
  const archive = await fetchArchive(session, pod, from.file);
  const { files } = session.self;
  let entries: ReturnType<typeof readTar>;
  try {
    entries = readTar(archive);
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    throw new KubectlError(error.code === 'TRUNCATED' ? 'unexpected EOF' : 'archive/tar: invalid tar header');
  }
  let warned = false;
  for (const { name, type, text: content, link } of entries) {
    if (!name.startsWith(prefix)) throw new KubectlError('tar contents corrupted');
    const destination = withoutSlash(join(target, withoutSlash(name.slice(prefix.length))));
    if (!isWithin(target, destination)) {
      session.err(`warning: file ${JSON.stringify(destination)} is outside target destination, skipping\n`);
      continue;
    }
    try {
      if (type === 'directory') files.mkdir(local(session, destination));
      else if (type === 'symlink') {
        if (!warned)
          session.err(
            `warning: skipping symlink: ${JSON.stringify(destination)} -> ${JSON.stringify(link)} (consider using "kubectl exec -n ${JSON.stringify(from.namespace)} ${JSON.stringify(from.pod)} -- tar cf - ${JSON.stringify(from.file)} | tar xf -")\n`,
          );
        else session.err(`warning: skipping symlink: ${JSON.stringify(destination)} -> ${JSON.stringify(link)}\n`);
        warned = true;
      } else files.write(local(session, destination), content);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new KubectlError(`open ${destination}: ${error.message.toLowerCase()}`);
    }
  }
}

/** What `tar` writes; its complaints go to standard output, as upstream. Here simplified: no connection breaks half way, so `--retries` never has to resume. */
async function fetchArchive(session: Session, pod: PodObject, file: string): Promise<string> {
  const pieces: string[] = [];
  const say = { stdin: undefined, out: (piece: string) => void pieces.push(piece), err: session.out, quiet: false };
  const retries = session.flags.number('retries');
  if (retries === 0) {
    try {
      await execIn(silent(session), pod, container(session), ['tar', 'cf', '-', file], say);
    } catch (error) {
      // Upstream reads the archive while its exec runs: an empty one has been read, and the command is over, before tar's failure is.
      if (!(error instanceof ExitWith)) throw error;
    }
    return pieces.join('');
  }
  await execIn(session, pod, container(session), ['sh', '-c', `tar cf - ${file} | tail -c+0`], say);
  return pieces.join('');
}
