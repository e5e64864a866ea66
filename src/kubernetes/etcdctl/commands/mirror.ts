/**
 * make-mirror: copies what is there, then every change, to another cluster (etcd etcdctl/ctlv3/command/make_mirror_command.go
 * and client/v3/mirror).
 *
 * Here simplified: the base is read in one piece where upstream takes a thousand keys at a time.
 */
import { seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import { EtcdError, type RequestOp } from '../../etcd/api.ts';
import { badArgs, CtlError, ExitCode } from '../errors.ts';
import { bool, int, text } from '../flags.ts';
import type { Command } from './command.ts';
import { prefixEnd } from './range.ts';

const TOLD_EVERY = seconds(30);

export const makeMirror: Command = {
  use: 'make-mirror [options] <destination>',
  short: 'Makes a mirror at the destination etcd cluster',
  flags: {
    'dest-cacert': text('Verify certificates of TLS enabled secure servers using this CA bundle'),
    'dest-cert': text('Identify secure client using this TLS certificate file for the destination cluster'),
    'dest-insecure-transport': { ...bool('Disable transport security for client connections'), default: 'true' },
    'dest-key': text('Identify secure client using this TLS key file'),
    'dest-password': text("Destination password for authentication (if this option is used, --user option shouldn't include password)"),
    'dest-prefix': text('destination prefix to mirror a prefix to a different prefix in the destination cluster'),
    'dest-user': text('Destination username[:password] for authentication (prompt if password is not supplied)'),
    'max-txn-ops': { ...int('Maximum number of operations permitted in a transaction during syncing updates.', 128) },
    'no-dest-prefix': bool('mirror key-values to the root of the destination cluster'),
    prefix: text('Key-value prefix to mirror'),
    rev: int('Specify the kv revision to start to mirror'),
  },
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('make-mirror takes one destination argument');
    const { flags, self } = ctl;
    const prefix = flags.text('prefix');
    const root = flags.bool('no-dest-prefix');
    if (root && flags.text('dest-prefix') !== '') throw badArgs('`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one');
    const destination = root ? '' : flags.text('dest-prefix') || prefix;
    const moved = (key: string): string => destination + key.slice(prefix.length);
    const most = Math.max(1, flags.int('max-txn-ops'));
    const to = ctl.clientOf([args[0]!], credentialsOf(flags.text('dest-user'), flags.text('dest-password')));
    // An empty prefix is everything.
    const range = prefix === '' ? { key: '\0', rangeEnd: '\0' } : { key: prefix, rangeEnd: prefixEnd(prefix) };
    let copied = 0;
    self.process.spawn(`${self.argv[0]}/told`, async (teller) => {
      for (;;) {
        await teller.clock.sleep(TOLD_EVERY);
        self.stdout(`${copied}\n`);
      }
    });
    try {
      let from = flags.int('rev');
      if (from === 0) {
        const { header, kvs } = await ctl.client.range(range);
        from = header.revision + 1;
        for (const { key, value } of kvs) {
          await to.put({ key: moved(key), value });
          copied++;
        }
      }
      const over = defer<void>(self.process.clock);
      let turn = Promise.resolve();
      const flush = async (ops: readonly RequestOp[]): Promise<void> => {
        if (ops.length === 0) return;
        await to.txn({ compare: [], success: ops, failure: [] });
        copied += ops.length;
      };
      ctl.client.watch({ ...range, startRevision: from }, ({ events, canceled, compactRevision, cancelReason }) => {
        if (canceled) {
          over.reject(new EtcdError(compactRevision ? 'etcdserver: mvcc: required revision has been compacted' : (cancelReason ?? ''), 'OutOfRange'));
          return;
        }
        turn = turn
          .then(async () => {
            // What was one revision there is one transaction here, so far as it fits into one.
            let ops: RequestOp[] = [];
            let revision = 0;
            for (const { type, kv } of events) {
              if ((revision !== 0 && kv.modRevision > revision) || ops.length >= most) {
                await flush(ops);
                ops = [];
              }
              revision = kv.modRevision;
              ops.push(type === 'PUT' ? { requestPut: { key: moved(kv.key), value: kv.value } } : { requestDeleteRange: { key: moved(kv.key) } });
            }
            await flush(ops);
          })
          .catch(over.reject);
      });
      await over.promise;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      throw new CtlError(ExitCode.Error, error.message);
    }
  },
};

function credentialsOf(user: string, password: string): { readonly user: string; readonly password: string } | undefined {
  if (user === '') return undefined;
  const colon = user.indexOf(':');
  if (password !== '' || colon < 0) return { user, password };
  return { user: user.slice(0, colon), password: user.slice(colon + 1) };
}
