/**
 * snapshot: a member's whole store in a file, and a new cluster from it (etcd etcdctl/ctlv3/command/snapshot_command.go,
 * etcdutl/snapshot/v3_snapshot.go). What is restored has the ids of a new cluster, so that it can never be mistaken for the old one.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { FileError } from '../../../linux/files.ts';
import type { ProgramContext } from '../../../linux/program.ts';
import { hash32 } from '../../../sim/rng.ts';
import { hexOf, utf8 } from '../../api/pki/bytes.ts';
import { timestamp } from '../../api/time.ts';
import { clusterIdOf, foundingChanges } from '../../etcd/membership.ts';
import { readSnapshot, type SnapshotContent } from '../../etcd/snapshot-file.ts';
import type { Ctl } from '../ctl.ts';
import { badArgs, CtlError, ExitCode } from '../errors.ts';
import { bool, type Flags, type FlagTable, text } from '../flags.ts';
import { hexId, humanBytes } from '../printers/rows.ts';
import { box } from '../printers/table.ts';
import type { Command } from './command.ts';

/** Ends the file: the sum of all before it. */
const SUM = 'sha256 ';
const failed = (message: string): CtlError => new CtlError(ExitCode.Error, message);
const absolute = (self: ProgramContext, path: string): string => (path.startsWith('/') ? path : `${self.cwd}/${path}`);

/** zap's JSON, on standard error. */
function log(ctl: Ctl, caller: string, msg: string, fields: Readonly<Record<string, string>>): void {
  const now = ctl.self.process.clock.now();
  const ts = `${timestamp(now).slice(0, -1)}.${String(now % 1_000_000).padStart(6, '0')}Z`;
  ctl.self.stderr(`${JSON.stringify({ level: 'info', ts, caller, msg, ...fields })}\n`);
}

export const save: Command = {
  use: 'snapshot save <filename>',
  short: 'Stores an etcd node backend snapshot to a given file',
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('snapshot save expects one argument');
    const [path = ''] = args;
    const { self, endpoints } = ctl;
    const broken = (message: string): CtlError => new CtlError(ExitCode.Interrupted, message);
    if (endpoints.length !== 1) throw broken(`snapshot must be requested to one selected node, not multiple [${endpoints.join(' ')}]`);
    const [endpoint = ''] = endpoints;
    log(ctl, 'snapshot/v3_snapshot.go:65', 'created temporary db file', { path: `${path}.part` });
    const from = self.process.clock.now();
    log(ctl, 'snapshot/v3_snapshot.go:73', 'fetching snapshot', { endpoint });
    let content: string;
    try {
      content = (await ctl.within(ctl.streams.call((server) => server.snapshot(), true))).text;
    } catch (error) {
      throw broken(`rpc error: ${(error as Error).message}`);
    }
    const took = self.process.clock.now() - from;
    log(ctl, 'snapshot/v3_snapshot.go:88', 'fetched snapshot', {
      endpoint,
      size: humanBytes(content.length),
      took: took < 1_000_000 ? 'now' : `${Math.floor(took / 1_000_000)} seconds ago`,
    });
    self.files.write(absolute(self, path), `${content}${SUM}${hexOf(sha256(utf8(content)))}\n`);
    log(ctl, 'snapshot/v3_snapshot.go:97', 'saved', { path });
    self.stdout(`Snapshot saved at ${path}\n`);
  },
};

/** A snapshot file without its sum. Throws CtlError. */
function open(self: ProgramContext, path: string, skipHashCheck: boolean): { readonly body: string; readonly content: SnapshotContent } {
  let whole: string;
  try {
    whole = self.files.read(absolute(self, path));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw failed(`${error.code === 'EISDIR' ? 'read' : 'open'} ${path}: ${error.message.toLowerCase()}`);
  }
  const at = whole.lastIndexOf(`\n${SUM}`);
  const body = at < 0 ? whole : whole.slice(0, at + 1);
  if (!skipHashCheck) {
    if (at < 0) throw failed('snapshot missing hash but --skip-hash-check=false');
    const said = whole.slice(at + 1 + SUM.length).trim();
    const found = hexOf(sha256(utf8(body)));
    if (said !== found) throw failed(`expected sha256 ${bytesOf(said)}, got ${bytesOf(found)}`);
  }
  try {
    return { body, content: readSnapshot(body) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw failed(error.message);
  }
}

/** As Go prints bytes: `[12 255]`. */
const bytesOf = (hex: string): string => `[${(hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)).join(' ')}]`;

async function status({ self, flags }: Pick<Ctl, 'self' | 'flags'>, args: readonly string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('snapshot status requires exactly one argument');
  const [path = ''] = args;
  if (!self.files.exists(absolute(self, path))) throw failed(`stat ${path}: no such file or directory`);
  const { body, content } = open(self, path, true);
  const { store, leases, auth } = content;
  // The buckets beside the keys: what is known of the log, of compactions, of leases and of users.
  const meta = 4 + (store.compacted > 0 ? 2 : 0) + leases.length + (auth ? auth.users.length + auth.roles.length + 2 : 0);
  const totalKey = store.keys.reduce((sum, [, versions]) => sum + versions.length, 0) + meta;
  const hash = hash32(body);
  const row = [hash.toString(16), String(store.revision), String(totalKey), humanBytes(body.length)];
  switch (flags.text('write-out')) {
    case 'simple':
      self.stdout(`${row.join(', ')}\n`);
      return;
    case 'json':
      self.stdout(`${JSON.stringify({ hash, revision: store.revision, totalKey, totalSize: body.length })}\n`);
      return;
    case 'fields':
      self.stdout(`"Hash" : ${hash}\n"Revision" : ${store.revision}\n"Keys" : ${totalKey}\n"Size" : ${body.length}\n`);
      return;
    case 'table':
      self.stdout(box({ head: ['hash', 'revision', 'total keys', 'total size'], rows: [row] }));
      return;
    default:
      throw new CtlError(ExitCode.BadFeature, 'unsupported output format');
  }
}

const RESTORE: FlagTable = {
  'bump-revision': text('How much to increase the latest revision after restore', '0'),
  'data-dir': text('Path to the output data directory'),
  'initial-advertise-peer-urls': text("List of this member's peer URLs to advertise to the rest of the cluster", 'http://localhost:2380'),
  'initial-cluster': text('Initial cluster configuration for restore bootstrap', 'default=http://localhost:2380'),
  'initial-cluster-token': text('Initial cluster token for the etcd cluster during restore bootstrap', 'etcd-cluster'),
  'mark-compacted': bool('Mark the latest revision after restore as the point of scheduled compaction (required if --bump-revision > 0, disallowed otherwise)'),
  name: text('Human-readable name for this member', 'default'),
  'skip-hash-check': bool('Ignore snapshot integrity hash value (required if copied from data directory)'),
  'wal-dir': text('Path to the WAL directory (use --data-dir if none given)'),
};

/** `name=url,name=url`. Throws CtlError. */
function clusterOf(flags: Flags): readonly { readonly name: string; readonly peerURL: string }[] {
  return flags.list('initial-cluster').map((each) => {
    const [name = '', peerURL] = each.split('=');
    if (!peerURL || name === '') throw failed(`empty URL given for ${JSON.stringify(name)}`);
    return { name, peerURL };
  });
}

async function restore({ self, flags }: Pick<Ctl, 'self' | 'flags'>, args: readonly string[]): Promise<void> {
  if (args.length !== 1) throw badArgs('snapshot restore requires exactly one argument');
  const [path = ''] = args;
  const name = flags.text('name');
  const bump = Number(flags.text('bump-revision'));
  if (bump > 0 !== flags.bool('mark-compacted')) throw badArgs('--mark-compacted required if --revision-bump > 0');
  const members = clusterOf(flags);
  const own = members.filter((member) => member.name === name).map(({ peerURL }) => peerURL);
  if (own.length === 0) throw failed(`couldn't find local name ${JSON.stringify(name)} in the initial cluster configuration`);
  const advertised = flags.list('initial-advertise-peer-urls');
  const missing = own.filter((url) => !advertised.includes(url));
  if (missing.length > 0)
    throw failed(`--initial-cluster has ${missing.map((url) => `${name}=${url}`).join()} but missing from --initial-advertise-peer-urls=${advertised.join()} `);
  const dataDir = flags.text('data-dir') || `${name}.etcd`;
  const at = absolute(self, dataDir);
  if (self.files.exists(at) && !(self.files.isDirectory(at) && self.files.list(at).length === 0))
    throw failed(`data-dir ${JSON.stringify(dataDir)} not empty or could not be read`);

  const now = `${timestamp(self.process.clock.now())}`;
  const where = JSON.stringify({ path, 'wal-dir': `${dataDir}/member/wal`, 'data-dir': dataDir, 'snap-dir': `${dataDir}/member/snap` });
  const spaced = (json: string): string => json.replace(/":"/g, '": "').replace(/","/g, '", "').replace(/":\[/g, '": [');
  self.stderr(`${now}\tinfo\tsnapshot/v3_snapshot.go:265\trestoring snapshot\t${spaced(where)}\n`);
  const { body, content } = open(self, path, flags.bool('skip-hash-check'));
  const token = flags.text('initial-cluster-token');
  const ids = foundingChanges(members, hash32(token)).map(({ member }) => member);
  const cluster = clusterIdOf(
    ids.map(({ id }) => id),
    hash32(token),
  );
  for (const { id, peerURLs } of ids) {
    const fields = { 'cluster-id': hexId(cluster), 'local-member-id': '0', 'added-peer-id': hexId(id), 'added-peer-peer-urls': peerURLs };
    self.stderr(`${now}\tinfo\tmembership/cluster.go:421\tadded member\t${spaced(JSON.stringify(fields))}\n`);
  }
  self.files.write(`${at}/member/snap/db`, bump > 0 ? bumped(body, content, bump) : body);
  self.files.write(`${at}/member/wal/0000000000000000-0000000000000000.wal`, `${JSON.stringify({ etcd: 'wal', name, token, members })}\n`);
  self.stderr(`${now}\tinfo\tsnapshot/v3_snapshot.go:286\trestored snapshot\t${spaced(where)}\n`);
}

/** With a revision no client can have seen, and no history before it: watches of the old cluster must begin anew. */
function bumped(body: string, { store }: SnapshotContent, by: number): string {
  const [head = '', ...rest] = body.split('\n');
  const revision = store.revision + by;
  return [JSON.stringify({ ...JSON.parse(head), revision, compacted: revision, settled: rest.filter(Boolean).length }), ...rest].join('\n');
}

const deprecated = (command: Command, name: string): Command => ({
  ...command,
  async run(ctl, args) {
    ctl.self.stderr(`Deprecated: Use \`etcdutl snapshot ${name}\` instead.\n\n`);
    await command.run!(ctl, args);
  },
});

export const utlStatus: Command = {
  use: 'snapshot status <filename>',
  short: 'Gets backend snapshot status of a given file',
  long: `When --write-out is set to simple, this command prints out comma-separated status lists for each endpoint.
The items in the lists are hash, revision, total keys, total size.`,
  run: status,
};
export const utlRestore: Command = {
  use: 'snapshot restore <filename> --data-dir {output dir} [options]',
  short: 'Restores an etcd member snapshot to an etcd directory',
  flags: RESTORE,
  run: restore,
};

export const snapshot: Command = {
  use: 'snapshot <subcommand>',
  short: 'Manages etcd node snapshots',
  commands: {
    restore: deprecated({ ...utlRestore, short: 'Restores an etcd member snapshot to an etcd directory' }, 'restore'),
    save,
    status: deprecated({ ...utlStatus, short: '[deprecated] Gets backend snapshot status of a given file' }, 'status'),
  },
};
