/** lock and elect, made of leases and transactions (etcd client/v3/concurrency): the owner of the oldest key under a prefix has it. */
import { type Duration, seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import type { KeyValue } from '../../etcd/api.ts';
import type { Ctl } from '../ctl.ts';
import { badArgs, Ended } from '../errors.ts';
import { bool, int } from '../flags.ts';
import type { Command } from './command.ts';
import { prefixEnd } from './range.ts';

/** concurrency.NewSession: a lease kept alive for as long as the program runs. */
async function session(ctl: Ctl, ttl: number): Promise<number> {
  const { id } = await ctl.ask(ctl.client.leaseGrant({ ttl }));
  const every: Duration = Math.floor(seconds(ttl) / 3);
  ctl.self.process.spawn(`${ctl.self.argv[0]}/keep-alive`, async (self) => {
    for (;;) {
      await self.clock.sleep(every);
      await ctl.client.leaseKeepAlive({ id }).catch(() => {});
    }
  });
  return id;
}

/** Puts a key of its own under `prefix` and waits until all older ones are gone. Resolves to that key. */
async function acquire(ctl: Ctl, prefix: string, value: string, lease: number): Promise<KeyValue> {
  const key = `${prefix}/${BigInt(lease).toString(16)}`;
  await ctl.ask(
    ctl.client.txn({
      compare: [{ key, target: 'create', result: '=', operand: 0 }],
      success: [{ requestPut: { key, value, lease } }],
      failure: [{ requestRange: { key } }],
    }),
  );
  for (;;) {
    const { kvs } = await ctl.ask(ctl.client.range({ key: `${prefix}/`, rangeEnd: prefixEnd(`${prefix}/`) }));
    const own = kvs.find((kv) => kv.key === key);
    if (!own) throw new Ended(1);
    const before = kvs.filter((kv) => kv.createRevision < own.createRevision).sort((a, b) => b.createRevision - a.createRevision)[0];
    if (!before) return own;
    const gone = defer<void>(ctl.self.process.clock);
    const cancel = ctl.client.watch({ key: before.key, startRevision: before.modRevision + 1 }, ({ events, canceled }) => {
      if (canceled || events.some(({ type }) => type === 'DELETE')) gone.resolve();
    });
    await gone.promise;
    cancel();
  }
}

/** A program that holds something gives it back when it is told to end. */
function untilTold(ctl: Ctl): Promise<void> {
  const told = defer<void>(ctl.self.process.clock);
  ctl.self.onSignal(() => told.resolve());
  return told.promise;
}

export const lock: Command = {
  use: 'lock <lockname> [exec-command arg1 arg2 ...]',
  short: 'Acquires a named lock',
  flags: { ttl: int('timeout for session', 10) },
  async run(ctl, [name, ...command]) {
    if (name === undefined) throw badArgs('lock takes a lock name argument and an optional command to execute');
    const lease = await session(ctl, ctl.flags.int('ttl'));
    const told = untilTold(ctl);
    const held = await acquire(ctl, name, '', lease);
    let code = 0;
    if (command.length > 0) {
      let complaint = '';
      const env = { ...ctl.self.env, ETCD_LOCK_KEY: held.key, ETCD_LOCK_REV: String(held.createRevision) };
      code = await ctl.self.run(command, { env, stderr: (text) => (complaint += text) });
      const missing = code === 127 && complaint === `sh: ${command[0]}: not found\n`;
      // Go's os/exec says what became of it.
      ctl.self.stderr(
        missing
          ? `Error: exec: ${JSON.stringify(command[0])}: executable file not found in $PATH\n`
          : complaint + (code === 0 ? '' : `Error: exit status ${code}\n`),
      );
      if (missing) code = 1;
    } else {
      ctl.self.stdout(`${held.key}\n`);
      await told;
    }
    await ctl.ask(ctl.client.leaseRevoke({ id: lease }));
    if (code !== 0) throw new Ended(code);
  },
};

export const elect: Command = {
  use: 'elect <election-name> [proposal]',
  short: 'Observes and participates in leader election',
  flags: { listen: bool('observation mode', 'l') },
  async run(ctl, args) {
    const [name, proposal] = args;
    if (name === undefined || args.length > 2) throw badArgs('elect takes one election name argument and an optional proposal argument');
    const range = { key: `${name}/`, rangeEnd: prefixEnd(`${name}/`) };
    if (ctl.flags.bool('listen')) {
      if (proposal !== undefined) throw badArgs('cannot listen on election with a proposal');
      let last = '';
      const show = async (): Promise<void> => {
        const { kvs } = await ctl.ask(ctl.client.range({ ...range, sortTarget: 'create', sortOrder: 'ascend', limit: 1 }));
        const [leader] = kvs;
        if (leader && `${leader.key}=${leader.value}` !== last) {
          last = `${leader.key}=${leader.value}`;
          ctl.self.stdout(`${leader.key}\n${leader.value}\n`);
        }
      };
      await show();
      ctl.client.watch(range, () => void show());
      await untilTold(ctl);
      return;
    }
    if (proposal === undefined) throw badArgs('missing proposal argument');
    const lease = await session(ctl, 60);
    const told = untilTold(ctl);
    const won = await acquire(ctl, name, proposal, lease);
    ctl.self.stdout(`${won.key}\n${won.value}\n`);
    await told;
    await ctl.ask(ctl.client.leaseRevoke({ id: lease }));
  },
};
