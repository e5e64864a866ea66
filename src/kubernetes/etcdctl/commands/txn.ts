/**
 * txn: comparisons, then what to do when they hold, then what to do when they do not; three paragraphs
 * on standard input (etcd etcdctl/ctlv3/command/txn_command.go).
 */
import type { Compare, RequestOp, TxnRequest } from '../../etcd/api.ts';
import type { Ctl } from '../ctl.ts';
import { CtlError, ExitCode } from '../errors.ts';
import { bool, parseFlags } from '../flags.ts';
import type { Command } from './command.ts';
import { Lines } from './input.ts';
import { del, delOf, get, getOf, put, putOf } from './kv.ts';

const malformed = (message: string): CtlError => new CtlError(ExitCode.InvalidInput, message);

const TARGETS: Readonly<Record<string, Compare['target']>> = {
  ver: 'version',
  version: 'version',
  c: 'create',
  create: 'create',
  m: 'mod',
  mod: 'mod',
  val: 'value',
  value: 'value',
  lease: 'lease',
};
const RESULTS = ['=', '!=', '<', '>'];

/** `mod("key") > "5"`. Throws CtlError. */
export function parseCompare(line: string): Compare {
  const paren = line.indexOf('(');
  if (paren < 0) throw malformed(`malformed comparison: ${line}`);
  const target = line.slice(0, paren);
  const m = /^\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\)\s*(\S+)\s+("(?:[^"\\]|\\.)*"|`[^`]*`)/.exec(line.slice(paren + 1));
  if (!m) throw malformed(`malformed comparison: ${line}; got ${target}("")  ""`);
  const [key, result, value] = [unquote(m[1]!), m[2]!, unquote(m[3]!)];
  const kind = Object.hasOwn(TARGETS, target) ? TARGETS[target]! : undefined;
  if (!kind) throw malformed(`malformed comparison: ${line} (unknown target ${target})`);
  // clientv3's Compare has no other way to refuse: a comparison with an unknown sign panics, and so does one of a lease, whose value it expects as a number.
  if (!RESULTS.includes(result)) throw new CtlError(2, 'panic: Unknown result op');
  if (kind === 'lease') throw new CtlError(2, 'panic: bad value');
  if (kind === 'value') return { key, target: kind, result: result as Compare['result'], operand: value };
  if (!/^[-+]?\d+$/.test(value)) throw malformed(`invalid txn compare request: ${line}`);
  return { key, target: kind, result: result as Compare['result'], operand: Number(value) };
}

const unquote = (text: string): string => (text.startsWith('`') ? text.slice(1, -1) : (JSON.parse(text) as string));

/** Words of a line, with quotes and backslashes as a shell reads them (etcdctl's argify). */
export function argify(line: string): string[] {
  const words: string[] = [];
  for (const m of line.matchAll(/"(?:[^"\\]|\\.)*"|'[^']*'|(?:\\.|[^\s'"])+/g)) {
    const word = m[0];
    if (word.startsWith('"')) words.push((JSON.parse(word) as string) ?? '');
    else words.push(word.startsWith("'") ? word.slice(1, -1) : word.replace(/\\(.)/g, '$1'));
  }
  return words;
}

/** `put k v`, `get k`, `del k`, with their flags. Throws CtlError. */
export function parseRequest(line: string): RequestOp {
  const [verb, ...rest] = argify(line);
  if (rest.length === 0) throw malformed(`invalid txn compare request: ${line}`);
  const read = (command: Command) => parseFlags(rest, command.flags ?? {}, {});
  try {
    switch (verb) {
      case 'put': {
        const flags = read(put);
        return { requestPut: putOf(flags, flags.args, '') };
      }
      case 'get': {
        const flags = read(get);
        return { requestRange: getOf(flags, flags.args) };
      }
      case 'del': {
        const flags = read(del);
        return { requestDeleteRange: delOf(flags, flags.args) };
      }
    }
  } catch (error) {
    if (error instanceof CtlError) throw error;
  }
  throw malformed(`invalid txn request: ${line}`);
}

/** Lines up to the next empty one, each read as it comes. Throws CtlError, also when the input ends before. */
async function paragraph<T>(lines: Lines, read: (line: string) => T): Promise<T[]> {
  const out: T[] = [];
  for (;;) {
    const line = await lines.next();
    if (line === undefined) throw malformed('EOF');
    if (line.trim() === '') return out;
    out.push(read(line));
  }
}

export const txn: Command = {
  use: 'txn [options]',
  short: 'Txn processes all the requests in one transaction',
  flags: { interactive: bool('Input transaction in interactive mode', 'i') },
  async run(ctl: Ctl, args) {
    if (args.length !== 0) throw new CtlError(ExitCode.BadArgs, 'txn command does not accept argument');
    const prompt = (text: string): void => {
      if (ctl.flags.bool('interactive')) ctl.self.stdout(text);
    };
    const lines = new Lines(ctl.self);
    prompt('compares:\n');
    const compare = await paragraph(lines, parseCompare);
    prompt('success requests (get, put, del):\n');
    const success = await paragraph(lines, parseRequest);
    prompt('failure requests (get, put, del):\n');
    const failure = await paragraph(lines, parseRequest);
    const request: TxnRequest = { compare, success, failure };
    ctl.printer.txn(await ctl.ask(ctl.client.txn(request)));
  },
};
