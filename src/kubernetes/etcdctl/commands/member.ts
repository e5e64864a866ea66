/** member and move-leader: who belongs to the cluster and who leads it (etcd etcdctl/ctlv3/command/{member,move_leader}_command.go). */
import type { MembersResponse } from '../../etcd/api.ts';
import type { Ctl } from '../ctl.ts';
import { badArgs, CtlError, ExitCode } from '../errors.ts';
import { bool, text } from '../flags.ts';
import type { Command } from './command.ts';
import { urlsFault } from './urls.ts';

/** A member as it is written: hexadecimal. Throws CtlError. */
function memberOf(written: string): string {
  if (!/^[0-9a-fA-F]{1,16}$/.test(written))
    throw badArgs(`bad member ID arg (strconv.ParseUint: parsing ${JSON.stringify(written)}: invalid syntax), expecting ID in Hex`);
  return BigInt(`0x${written}`).toString();
}

const urls = (flags: Ctl['flags']): readonly string[] => flags.list('peer-urls');
/** clientv3 looks at them before anybody is asked. Throws CtlError. */
function mustBeUrls(given: readonly string[]): void {
  const fault = urlsFault(given);
  if (fault !== undefined) throw new CtlError(ExitCode.Error, fault);
}
const PEER_URLS = { 'peer-urls': text('comma separated peer URLs for the new member.') };

const list: Command = {
  use: 'member list',
  short: 'Lists all members in the cluster',
  long: `When --write-out is set to simple, this command prints out comma-separated member lists for each endpoint.
The items in the lists are ID, Status, Name, Peer Addrs, Client Addrs, Is Learner.`,
  async run(ctl) {
    ctl.printer.memberList(await ctl.ask(ctl.client.call((server) => server.memberList({ linearizable: true }), true)));
  },
};

const add: Command = {
  use: 'member add <memberName> [options]',
  short: 'Adds a member into the cluster',
  flags: { ...PEER_URLS, learner: bool('indicates if the new member is raft learner') },
  async run(ctl, args) {
    if (args.length < 1) throw badArgs('member name not provided');
    if (args.length > 1) {
      const example = args.slice(1).find((each) => each.startsWith('http'));
      throw badArgs(`too many arguments${example ? `, did you mean --peer-urls=${example}` : ''}`);
    }
    const [name = ''] = args;
    const peerURLs = urls(ctl.flags);
    if (peerURLs.length === 0) throw badArgs('member peer urls not provided');
    mustBeUrls(peerURLs);
    const request = { peerURLs, isLearner: ctl.flags.bool('learner') };
    const response = await ctl.ask(ctl.client.call((server) => server.memberAdd(request), false));
    const added = response.member!;
    ctl.printer.member('add', added.id, response);
    if (ctl.flags.text('write-out') !== 'simple') return;
    const { members } = await ctl.ask(ctl.client.call((server) => server.memberList({ linearizable: true }), true));
    const cluster = members.flatMap((member) => member.peerURLs.map((url) => `${member.id === added.id ? name : member.name}=${url}`));
    ctl.self.stdout(
      `\nETCD_NAME=${JSON.stringify(name)}\nETCD_INITIAL_CLUSTER=${JSON.stringify(cluster.join())}\nETCD_INITIAL_ADVERTISE_PEER_URLS=${JSON.stringify(peerURLs.join())}\nETCD_INITIAL_CLUSTER_STATE="existing"\n`,
    );
  },
};

async function change(
  ctl: Ctl,
  action: 'remove' | 'update' | 'promote',
  args: readonly string[],
  call: (id: string) => Promise<MembersResponse>,
): Promise<void> {
  if (args.length !== 1) throw badArgs(action === 'update' ? 'member ID is not provided' : 'member ID is not provided');
  const id = memberOf(args[0]!);
  ctl.printer.member(action, id, await ctl.ask(call(id)));
}

const remove: Command = {
  use: 'member remove <memberID>',
  short: 'Removes a member from the cluster',
  run: (ctl, args) => change(ctl, 'remove', args, (id) => ctl.client.call((server) => server.memberRemove({ id }), false)),
};

const update: Command = {
  use: 'member update <memberID> [options]',
  short: 'Updates a member in the cluster',
  flags: { 'peer-urls': text('comma separated peer URLs for the updated member.') },
  async run(ctl, args) {
    if (args.length === 1 && urls(ctl.flags).length === 0) throw badArgs('member peer urls not provided');
    await change(ctl, 'update', args, (id) => {
      mustBeUrls(urls(ctl.flags));
      return ctl.client.call((server) => server.memberUpdate({ id, peerURLs: urls(ctl.flags) }), false);
    });
  },
};

const promote: Command = {
  use: 'member promote <memberID>',
  short: 'Promotes a non-voting member in the cluster',
  long: 'Promotes a non-voting learner member to a voting one in the cluster.',
  run: (ctl, args) => change(ctl, 'promote', args, (id) => ctl.client.call((server) => server.memberPromote({ id }), false)),
};

export const member: Command = {
  use: 'member <subcommand>',
  short: 'Membership related commands',
  commands: { add, list, promote, remove, update },
};

export const moveLeader: Command = {
  use: 'move-leader <transferee-member-id>',
  short: 'Transfers leadership to another etcd cluster member.',
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('move-leader command needs 1 argument');
    if (!/^[0-9a-fA-F]{1,16}$/.test(args[0]!)) throw badArgs(`strconv.ParseUint: parsing ${JSON.stringify(args[0])}: invalid syntax`);
    const targetId = memberOf(args[0]!);
    // Only the leader can: it must be among the endpoints.
    for (const endpoint of ctl.endpoints) {
      const { leader, header } = await ctl.ask(ctl.at(endpoint, (server) => server.status()));
      if (leader !== header.memberId) continue;
      await ctl.ask(ctl.at(endpoint, (server) => server.moveLeader({ targetId })));
      ctl.printer.moveLeader(leader, targetId);
      return;
    }
    throw badArgs(`no leader endpoint given at [${ctl.endpoints.join(' ')}]`);
  },
};
