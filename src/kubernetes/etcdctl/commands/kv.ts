/** put, get, del: keys and values (etcd etcdctl/ctlv3/command/{put,get,del}_command.go). */
import { type DeleteRangeRequest, EtcdError, type PutRequest, type RangeRequest } from '../../etcd/api.ts';
import type { Ctl } from '../ctl.ts';
import { badArgs, CtlError, ExitCode } from '../errors.ts';
import { bool, type Flags, int, text } from '../flags.ts';
import type { Command } from './command.ts';
import { rangeOf } from './range.ts';

export async function readAll(ctl: Ctl): Promise<string> {
  let all = '';
  for (let piece = await ctl.self.stdin.read(); piece !== undefined; piece = await ctl.self.stdin.read()) all += piece;
  return all;
}

/** A lease as it is written: hexadecimal. Throws CtlError. */
export function leaseOf(written: string, called = 'lease ID'): number {
  if (!/^[0-9a-fA-F]+$/.test(written))
    throw badArgs(`bad ${called} (strconv.ParseInt: parsing ${JSON.stringify(written)}: invalid syntax), expecting ID in Hex`);
  return Number.parseInt(written, 16);
}

const PUT_ARGS = 'put command needs 1 argument and input from stdin or 2 arguments';

/** `value` is what stands on standard input, for a key alone. Throws CtlError. */
export function putOf(flags: Flags, args: readonly string[], value: string): PutRequest {
  const [key] = args;
  const ignoreValue = flags.bool('ignore-value');
  if (key === undefined) throw badArgs(PUT_ARGS);
  if (ignoreValue && args.length > 1) throw badArgs("put command needs only 1 argument when 'ignore-value' is set");
  if (!ignoreValue && args.length === 1 && value === '') throw badArgs(PUT_ARGS);
  return {
    key,
    value: ignoreValue ? '' : (args[1] ?? value),
    lease: leaseOf(flags.text('lease')),
    prevKv: flags.bool('prev-kv'),
    ignoreValue,
    ignoreLease: flags.bool('ignore-lease'),
  };
}

const ORDERS: Readonly<Record<string, NonNullable<RangeRequest['sortOrder']>>> = { ASCEND: 'ascend', DESCEND: 'descend', '': 'none' };
const TARGETS: Readonly<Record<string, NonNullable<RangeRequest['sortTarget']>>> = {
  CREATE: 'create',
  KEY: 'key',
  MODIFY: 'mod',
  VALUE: 'value',
  VERSION: 'version',
  '': 'key',
};

/** Throws CtlError. */
export function getOf(flags: Flags, args: readonly string[]): RangeRequest {
  if (args.length === 0) throw badArgs('get command needs one argument as key and an optional argument as range_end');
  const bad = (message: string) => new CtlError(ExitCode.BadFeature, message);
  const consistency = flags.text('consistency');
  if (consistency !== 'l' && consistency !== 's') throw bad(`unknown consistency flag ${JSON.stringify(consistency)}`);
  const range = rangeOf(flags, args);
  const order = flags.text('order').toUpperCase();
  const target = flags.text('sort-by').toUpperCase();
  if (!Object.hasOwn(ORDERS, order)) throw bad(`bad sort order ${flags.text('order')}`);
  if (!Object.hasOwn(TARGETS, target)) throw bad(`bad sort target ${flags.text('sort-by')}`);
  if (flags.bool('keys-only') && flags.bool('count-only')) throw badArgs('`--keys-only` and `--count-only` cannot be set at the same time, choose one');
  const revision = flags.int('rev');
  return {
    ...range,
    limit: flags.int('limit'),
    ...(revision > 0 ? { revision } : {}),
    sortOrder: ORDERS[order]!,
    sortTarget: TARGETS[target]!,
    serializable: consistency === 's',
    keysOnly: flags.bool('keys-only'),
    countOnly: flags.bool('count-only'),
  };
}

/** Throws CtlError. */
export function delOf(flags: Flags, args: readonly string[]): DeleteRangeRequest {
  if (args.length === 0 || args.length > 2) throw badArgs('del command needs one argument as key and an optional argument as range_end');
  return { ...rangeOf(flags, args), prevKv: flags.bool('prev-kv') };
}

export const put: Command = {
  use: 'put [options] <key> <value> (<value> can also be given from stdin)',
  short: 'Puts the given key into the store',
  long: `Puts the given key into the store.

When <value> begins with '-', <value> is interpreted as a flag.
Insert '--' for workaround:

$ put <key> -- <value>
$ put -- <key> <value>

If <value> isn't given as a command line argument and '--ignore-value' is not specified,
this command tries to read the value from standard input.

If <lease> isn't given as a command line argument and '--ignore-lease' is not specified,
this command tries to read the value from standard input.

For example,
$ cat file | put <key>
will store the content of the file to <key>.`,
  flags: {
    'ignore-lease': bool('updates the key using its current lease'),
    'ignore-value': bool('updates the key using its current value'),
    lease: text('lease ID (in hexadecimal) to attach to the key', '0'),
    'prev-kv': bool('return the previous key-value pair before modification'),
  },
  async run(ctl, args) {
    const fromInput = args.length === 1 && !ctl.flags.bool('ignore-value');
    const request = putOf(ctl.flags, args, fromInput ? await readAll(ctl) : '');
    ctl.printer.put(await ctl.ask(ctl.client.put(request)));
  },
};

export const get: Command = {
  use: 'get [options] <key> [range_end]',
  short: 'Gets the key or a range of keys',
  flags: {
    consistency: text('Linearizable(l) or Serializable(s)', 'l'),
    'count-only': bool('Get only the count'),
    'from-key': bool('Get keys that are greater than or equal to the given key using byte compare'),
    'keys-only': bool('Get only the keys'),
    limit: int('Maximum number of results'),
    order: text('Order of results; ASCEND or DESCEND (ASCEND by default)'),
    prefix: bool('Get keys with matching prefix'),
    'print-value-only': bool('Only write values when using the "simple" output format'),
    rev: int('Specify the kv revision'),
    'sort-by': text('Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION'),
  },
  async run(ctl, args) {
    const request = getOf(ctl.flags, args);
    const form = ctl.flags.text('write-out');
    if (request.countOnly && form !== 'fields') throw badArgs('--count-only is only for `--write-out=fields`');
    // What cannot be printed is still asked for first.
    const response = await ctl.ask(ctl.client.range(request));
    const valueOnly = ctl.flags.bool('print-value-only');
    if (valueOnly && form !== 'simple') throw badArgs('print-value-only is only for `--write-out=simple`');
    ctl.printer.get(response, valueOnly);
  },
};

export const del: Command = {
  use: 'del [options] <key> [range_end]',
  short: 'Removes the specified key or range of keys [key, range_end)',
  flags: {
    'from-key': bool('delete keys that are greater than or equal to the given key using byte compare'),
    prefix: bool('delete keys with matching prefix'),
    'prev-kv': bool('return deleted key-value pairs'),
    range: bool('delete range of keys'),
  },
  async run(ctl, args) {
    ctl.printer.del(await ctl.ask(ctl.client.deleteRange(delOf(ctl.flags, args))));
  },
};

/** Throws CtlError. */
function revisionOf(written: string): number {
  if (!/^[-+]?\d+$/.test(written)) throw new CtlError(ExitCode.Error, `strconv.ParseInt: parsing ${JSON.stringify(written)}: invalid syntax`);
  return Number(written);
}

export const compaction: Command = {
  use: 'compaction [options] <revision>',
  short: 'Compacts the event history in etcd',
  flags: { physical: bool("'true' to wait for compaction to physically remove all old revisions") },
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('compaction command needs 1 argument');
    const revision = revisionOf(args[0]!);
    await ctl.ask(ctl.client.compact({ revision, physical: ctl.flags.bool('physical') }));
    ctl.self.stdout(`compacted revision ${revision}\n`);
  },
};

export const isEtcdError = (error: unknown): error is EtcdError => error instanceof EtcdError;
