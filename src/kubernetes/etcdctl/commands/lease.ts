/** lease: grants that run out unless they are kept alive, and take their keys with them (etcd etcdctl/ctlv3/command/lease_command.go). */
import { type Duration, seconds } from '../../../sim/clock.ts';
import { EtcdError } from '../../etcd/api.ts';
import { badArgs, CtlError, ExitCode } from '../errors.ts';
import { bool } from '../flags.ts';
import type { Command } from './command.ts';
import { leaseOf } from './kv.ts';

const grant: Command = {
  use: 'lease grant <ttl>',
  short: 'Creates leases',
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('lease grant command needs TTL argument');
    const [ttl = ''] = args;
    if (!/^[-+]?\d+$/.test(ttl)) throw badArgs(`bad TTL (strconv.ParseInt: parsing ${JSON.stringify(ttl)}: invalid syntax)`);
    ctl.printer.grant(await ctl.ask(ctl.client.leaseGrant({ ttl: Number(ttl) }), (message) => `failed to grant lease (${message})`));
  },
};

const revoke: Command = {
  use: 'lease revoke <leaseID>',
  short: 'Revokes leases',
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('lease revoke command needs 1 argument');
    const id = leaseOf(args[0]!, 'lease ID arg');
    const { header } = await ctl.ask(ctl.client.leaseRevoke({ id }), (message) => `failed to revoke lease (${message})`);
    ctl.printer.revoke(id, header);
  },
};

const timetolive: Command = {
  use: 'lease timetolive <leaseID> [options]',
  short: 'Get lease information',
  flags: { keys: bool('Get keys attached to this lease') },
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('lease timetolive command needs lease ID as argument');
    const keys = ctl.flags.bool('keys');
    ctl.printer.timeToLive(await ctl.ask(ctl.client.leaseTimeToLive({ id: leaseOf(args[0]!, 'lease ID arg'), keys })), keys);
  },
};

const list: Command = {
  use: 'lease list',
  short: 'List all active leases',
  async run(ctl) {
    const { header, ids } = await ctl.ask(ctl.client.call((server) => server.leases(), true));
    ctl.printer.leases(header, ids);
  },
};

const keepAlive: Command = {
  use: 'lease keep-alive [options] <leaseID>',
  short: 'Keeps leases alive (renew)',
  flags: { once: bool('Resets the keep-alive time to its original value and cobrautl.Exits immediately') },
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('lease keep-alive command needs lease ID as argument');
    const id = leaseOf(args[0]!, 'lease ID arg');
    // It is a stream: what goes wrong on it is not logged as a call would be.
    const client = ctl.streams;
    for (;;) {
      let ttl: number;
      try {
        const response = await ctl.within(client.leaseKeepAlive({ id }), false);
        ttl = response.ttl;
        ctl.printer.keepAlive(response);
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        if (ctl.flags.bool('once')) throw new CtlError(ExitCode.BadConnection, error.message);
        ctl.self.stdout(`lease ${args[0]!.padStart(16, '0')} expired or revoked.\n`);
        return;
      }
      if (ctl.flags.bool('once')) return;
      await ctl.self.process.clock.sleep(renewAfter(ttl));
    }
  },
};

/** clientv3 renews after a third of the time, at least every half second. */
const renewAfter = (ttl: number): Duration => Math.max(500_000, Math.floor(seconds(ttl) / 3));

export const lease: Command = {
  use: 'lease <subcommand>',
  short: 'Lease related commands',
  commands: { grant, 'keep-alive': keepAlive, list, revoke, timetolive },
};
