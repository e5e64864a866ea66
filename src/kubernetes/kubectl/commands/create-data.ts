/** kubectl create configmap and secret (kubectl pkg/cmd/create, pkg/generate/versioned). */
import { KubectlError } from '../errors.ts';
import { type FlagSpecs, text } from '../flags.ts';
import { shortHash } from '../hash.ts';
import { encodeBase64 } from '../kubeconfig.ts';
import type { ObjectLike, Session } from '../session.ts';
import { type Generator, newObject, ownNamespace } from './generator.ts';

const list = (): { readonly type: 'strings' } => ({ type: 'strings' });
const DATA_FLAGS: FlagSpecs = { 'from-file': list(), 'from-literal': list(), 'from-env-file': list(), 'append-hash': { type: 'bool' } };
type Data = Readonly<Record<string, string>>;

const pathOf = (session: Session, path: string): string => (path.startsWith('/') ? path : `${session.self.cwd}/${path}`);
function read(session: Session, path: string): string {
  const at = pathOf(session, path);
  if (!session.self.files.exists(at)) throw new KubectlError(`error reading ${path}: no such file or directory`);
  return session.self.files.read(at);
}

/** Entries of --from-file, --from-literal and --from-env-file, in that order. */
function dataOf(session: Session, kind: 'ConfigMap' | 'Secret', name: string): Data {
  const { flags, self } = session;
  const data: Record<string, string> = {};
  if (flags.has('from-env-file') && (flags.has('from-file') || flags.has('from-literal')))
    throw new KubectlError('from-env-file cannot be combined with from-file or from-literal');
  const add = (key: string, value: string): void => {
    if (!/^[-._a-zA-Z0-9]+$/.test(key))
      throw new KubectlError(
        `${JSON.stringify(key)} is not ${kind === 'Secret' ? '' : 'a '}valid key name for a ${kind}${kind === 'Secret' ? '' : ':'} a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      );
    if (Object.hasOwn(data, key))
      throw new KubectlError(
        kind === 'Secret'
          ? `cannot add key ${key}, another key by that name already exists`
          : `cannot add key ${JSON.stringify(key)}, another key by that name already exists in Data for ConfigMap ${JSON.stringify(name)}`,
      );
    data[key] = value;
  };
  for (const source of flags.all('from-file')) {
    const parts = source.split('=');
    const [key, path] = parts.length === 1 ? ['', source] : [parts[0]!, parts[1]!];
    if (parts.length > 2) throw new KubectlError("key names or file paths cannot contain '='");
    if (parts.length === 2 && key === '') throw new KubectlError(`key name for file path ${path} missing`);
    if (parts.length === 2 && path === '') throw new KubectlError(`file path for key name ${key} missing`);
    const at = pathOf(session, path);
    if (self.files.exists(at) && self.files.isDirectory(at)) {
      if (parts.length > 1) throw new KubectlError('cannot give a key name for a directory path');
      for (const file of self.files.list(at)) if (!self.files.isDirectory(`${at}/${file}`)) add(file, self.files.read(`${at}/${file}`));
    } else add(key === '' ? path.split('/').at(-1)! : key, read(session, path));
  }
  for (const literal of flags.all('from-literal')) {
    const at = literal.indexOf('=');
    if (at <= 0) throw new KubectlError(`invalid literal source ${literal}, expected key=value`);
    add(literal.slice(0, at), literal.slice(at + 1));
  }
  for (const path of flags.all('from-env-file'))
    for (const line of read(session, path).split('\n')) {
      const trimmed = line.trimStart();
      if (trimmed === '' || trimmed.startsWith('#')) continue;
      const at = trimmed.indexOf('=');
      add(at < 0 ? trimmed : trimmed.slice(0, at), at < 0 ? (self.env[trimmed] ?? '') : trimmed.slice(at + 1));
    }
  return data;
}

const encoded = (data: Data): Data => Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encodeBase64(value)]));
const orNone = (data: Data): { readonly data?: Data } => (Object.keys(data).length > 0 ? { data } : {});

/** With the hash of the content after the name, if asked for. */
function named(session: Session, object: ObjectLike): ObjectLike {
  if (!session.flags.bool('append-hash')) return object;
  const { kind, metadata } = object;
  const { name } = metadata;
  const data = object['data'] ?? null;
  const hash = shortHash(kind === 'Secret' ? { data, kind, name, type: object['type'] ?? '' } : { data: data ?? '', kind, name });
  return { ...object, metadata: { ...metadata, name: `${name}-${hash}` } };
}

export const DATA_GENERATORS: Readonly<Record<string, Generator>> = {
  configmap: {
    summary: 'Create a config map from a local file, directory or literal value',
    usage: 'kubectl create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none] [options]',
    aliases: ['cm'],
    flags: DATA_FLAGS,
    make: (session, name) => named(session, newObject('v1', 'ConfigMap', name, ownNamespace(session), orNone(dataOf(session, 'ConfigMap', name)))),
  },
  'secret generic': {
    summary: 'Create a secret from a local file, directory, or literal value',
    usage:
      'kubectl create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none] [options]',
    flags: { ...DATA_FLAGS, type: text() },
    make: (session, name) => {
      const type = session.flags.text('type');
      return named(
        session,
        newObject('v1', 'Secret', name, ownNamespace(session), { ...orNone(encoded(dataOf(session, 'Secret', name))), ...(type ? { type } : {}) }),
      );
    },
  },
  'secret tls': {
    summary: 'Create a TLS secret',
    usage: 'kubectl create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none] [options]',
    flags: { cert: text(), key: text(), 'append-hash': { type: 'bool' } },
    make: async (session, name) => {
      if (session.flags.text('cert') === '' || session.flags.text('key') === '') throw new KubectlError('key and cert must be specified');
      const paths = ['cert', 'key'].map((flag) => session.flags.text(flag));
      for (const path of paths)
        if (!session.self.files.exists(pathOf(session, path))) throw new KubectlError(`Cannot read file ${path}, open ${path}: no such file or directory`);
      const [certificate, key] = paths.map((path) => session.self.files.read(pathOf(session, path))) as [string, string];
      const { pairProblem } = await session.self.process.outside(import('../key-pair.ts'));
      const problem = await session.self.process.outside(pairProblem(certificate, key));
      if (problem !== undefined) throw new KubectlError(problem);
      const data = { 'tls.crt': encodeBase64(certificate), 'tls.key': encodeBase64(key) };
      return named(session, newObject('v1', 'Secret', name, ownNamespace(session), { data, type: 'kubernetes.io/tls' }));
    },
  },
  'secret docker-registry': {
    summary: 'Create a secret for use with a Docker registry',
    usage:
      'kubectl create secret docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none] [options]',
    flags: {
      'from-file': list(),
      'append-hash': { type: 'bool' },
      'docker-username': text(),
      'docker-password': text(),
      'docker-email': text(),
      'docker-server': text(undefined, 'https://index.docker.io/v1/'),
    },
    make: (session, name) => {
      const { flags } = session;
      const [username, password, email, server] = ['docker-username', 'docker-password', 'docker-email', 'docker-server'].map((flag) => flags.text(flag));
      if (!flags.has('from-file') && (!username || !password || !server))
        throw new KubectlError('either --from-file or the combination of --docker-username, --docker-password and --docker-server is required');
      let config: string;
      if (flags.has('from-file')) {
        const source = flags.all('from-file')[0]!;
        config = read(session, source.slice(source.indexOf('=') + 1));
      } else
        config = JSON.stringify({ auths: { [server!]: { username, password, ...(email ? { email } : {}), auth: encodeBase64(`${username}:${password}`) } } });
      const data = { '.dockerconfigjson': encodeBase64(config) };
      return named(session, newObject('v1', 'Secret', name, ownNamespace(session), { data, type: 'kubernetes.io/dockerconfigjson' }));
    },
  },
};
