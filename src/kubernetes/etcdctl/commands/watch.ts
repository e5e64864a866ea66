/** watch: every change from now on, or from a revision (etcd etcdctl/ctlv3/command/watch_command.go). */
import { defer } from '../../../sim/mailbox.ts';
import type { WatchCreateRequest, WatchResponse } from '../../etcd/api.ts';
import type { Ctl } from '../ctl.ts';
import { badArgs, CtlError, Ended, ExitCode } from '../errors.ts';
import { bool, type Flags, int, parseFlags } from '../flags.ts';
import type { Command } from './command.ts';
import { Lines } from './input.ts';
import { prefixEnd } from './range.ts';
import { argify } from './txn.ts';

const FLAGS = {
  interactive: bool('Interactive mode', 'i'),
  prefix: bool('Watch on a prefix if prefix is set'),
  'prev-kv': bool('get the previous key-value pair before the event happens'),
  'progress-notify': bool('get periodic watch progress notification from server'),
  rev: int('Revision to start watching'),
} as const;

const NO_COMMAND = 'bad number of arguments (found separator --, but no commands)';

/** Throws CtlError. */
function requestOf(flags: Ctl['flags'], keys: readonly string[]): WatchCreateRequest {
  const [key, end] = keys;
  if (key === undefined) throw badArgs('bad number of arguments');
  if (end !== undefined && flags.bool('prefix')) throw badArgs('`range_end` and `--prefix` are mutually exclusive');
  const rangeEnd = flags.bool('prefix') ? prefixEnd(key) : end;
  return {
    key: flags.bool('prefix') && key === '' ? '\0' : key,
    ...(rangeEnd === undefined ? {} : { rangeEnd }),
    startRevision: flags.int('rev'),
    prevKv: flags.bool('prev-kv'),
    progressNotify: flags.bool('progress-notify'),
  };
}

/** Commands on standard input, as they come: `watch …`, and `progress`, after which every watch says how far it is. Ends with the input. Throws CtlError. */
async function converse(ctl: Ctl): Promise<void> {
  const { self } = ctl;
  const lines = new Lines(self);
  const watches = new Set<(response: WatchResponse) => void>();
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    const [verb, ...rest] = argify(line);
    const named = self.env['ETCDCTL_WATCH_KEY'] ?? '';
    if (verb === undefined) self.stderr(`Invalid command: ${line} (watch and progress supported)\n`);
    else if (verb === 'progress') {
      // Every event up to this revision is on its way before the answer.
      const header = await ctl.ask(ctl.client.call((server) => server.watchProgress(), true));
      for (const show of watches) show({ header, events: [] });
    } else if (verb !== 'watch') self.stderr(`Invalid command ${line} (only support watch)\n`);
    else if (rest.length === 0 && named === '') self.stderr(`Invalid command ${line} (command type or key is not provided)\n`);
    else {
      const flags = parsed(rest);
      const command = flags.dash >= 0 ? flags.args.slice(flags.dash) : [];
      if (flags.dash >= 0 && command.length === 0) throw badArgs(NO_COMMAND);
      const keys = flags.dash >= 0 ? flags.args.slice(0, flags.dash) : flags.args;
      let request: WatchCreateRequest;
      try {
        request = requestOf(flags, named === '' ? keys : [named, self.env['ETCDCTL_WATCH_RANGE_END'] ?? ''].filter((each) => each !== ''));
      } catch (error) {
        if (!(error instanceof CtlError)) throw error;
        self.stderr(`Invalid command ${line} (${error.message})\n`);
        continue;
      }
      const following = follow(ctl, request, command);
      watches.add(following.show);
      following.over.then(
        () => watches.delete(following.show),
        () => watches.delete(following.show),
      );
    }
  }
}

/** Throws CtlError. */
function parsed(words: readonly string[]): Flags {
  try {
    return parseFlags(words, FLAGS, {});
  } catch (error) {
    throw badArgs((error as Error).message);
  }
}

/** Prints what comes until the members cancel the watch; `command` is run for every change. */
function follow(ctl: Ctl, request: WatchCreateRequest, command: readonly string[]): { readonly over: Promise<void>; show(response: WatchResponse): void } {
  const over = defer<void>(ctl.self.process.clock);
  let turn = Promise.resolve();
  const show = (response: WatchResponse): void => {
    if (response.canceled) ctl.self.stderr(`watch was canceled (${response.cancelReason ?? ''})\n`);
    else if (response.events.length === 0) ctl.self.stdout(`progress notify: ${response.header.revision}\n`);
    try {
      ctl.printer.watch(response);
    } catch (error) {
      over.reject(error as Error);
      return;
    }
    for (const { type, kv } of command.length > 0 ? response.events : []) {
      const env = {
        ...ctl.self.env,
        ETCD_WATCH_REVISION: String(response.header.revision),
        ETCD_WATCH_EVENT_TYPE: JSON.stringify(type),
        ETCD_WATCH_KEY: JSON.stringify(kv.key),
        ETCD_WATCH_VALUE: JSON.stringify(kv.value),
      };
      turn = turn.then(async () => {
        const code = await ctl.self.run(command, { env });
        if (code === 0) return;
        ctl.self.stderr(`command ${JSON.stringify(command)} error (exit status ${code})\n`);
        over.reject(new Ended(1));
      });
    }
    if (response.canceled) over.resolve();
  };
  ctl.client.watch(request, show);
  return { over: over.promise, show };
}

export const watch: Command = {
  use: 'watch [options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]',
  short: 'Watches events stream on keys or prefixes',
  flags: FLAGS,
  async run(ctl, args) {
    const { flags, self } = ctl;
    if (flags.bool('interactive')) {
      await converse(ctl);
      throw new CtlError(ExitCode.InvalidInput, 'error reading watch request line: EOF');
    }
    const named = [self.env['ETCDCTL_WATCH_KEY'], self.env['ETCDCTL_WATCH_RANGE_END']].filter((each): each is string => each !== undefined && each !== '');
    if (!self.env['ETCDCTL_WATCH_KEY'] && self.env['ETCDCTL_WATCH_RANGE_END'])
      throw badArgs(`ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END=${JSON.stringify(self.env['ETCDCTL_WATCH_RANGE_END'])}`);
    const keys = flags.dash >= 0 ? args.slice(0, flags.dash) : args;
    const command = flags.dash >= 0 ? args.slice(flags.dash) : [];
    if (flags.dash >= 0 && command.length === 0) throw badArgs(NO_COMMAND);
    if (named.length > 0 && keys.length > 0) throw badArgs('bad number of arguments (found conflicting environment key)');
    await follow(ctl, requestOf(flags, named.length > 0 ? named : keys), command).over;
    throw new CtlError(ExitCode.Interrupted, 'watch is canceled by the server');
  },
};
