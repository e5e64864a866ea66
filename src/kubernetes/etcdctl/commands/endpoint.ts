/** endpoint: what single members say of themselves (etcd etcdctl/ctlv3/command/ep_command.go), and defrag and alarm, which are asked of them too. */
import { EtcdError } from '../../etcd/api.ts';
import type { Ctl } from '../ctl.ts';
import { badArgs, CtlError, Ended, ExitCode } from '../errors.ts';
import { bool, int } from '../flags.ts';
import type { EndpointHash, EndpointHealth, EndpointStatus } from '../printers/printer.ts';
import type { Command } from './command.ts';

const CLUSTER = { cluster: bool('use all endpoints from the cluster member list') };

/** Those of `--endpoints`, or with `--cluster` those the members name. */
async function endpointsOf(ctl: Ctl): Promise<readonly string[]> {
  if (!ctl.flags.bool('cluster')) return ctl.endpoints;
  const list = ctl.client.call((server) => server.memberList({ linearizable: true }), true);
  const { members } = await ctl.ask(list, (message) => `failed to fetch endpoints from etcd cluster member list: ${message}`);
  return members.flatMap(({ clientURLs }) => clientURLs);
}

/** Go's time.Duration of so many microseconds. */
export function goDuration(micros: number): string {
  if (micros < 1000) return `${micros}µs`;
  return micros < 1_000_000 ? `${micros / 1000}ms` : `${micros / 1_000_000}s`;
}

const health: Command = {
  use: 'endpoint health',
  short: 'Checks the healthiness of endpoints specified in `--endpoints` flag',
  async run(ctl) {
    const { clock } = ctl.self.process;
    const endpoints = await endpointsOf(ctl);
    // All at once; they are listed in the order of their answers, as upstream's goroutines come in.
    const list: EndpointHealth[] = [];
    await Promise.all(
      endpoints.map(async (endpoint) => {
        const from = clock.now();
        let error = '';
        try {
          await ctl.at(endpoint, (server) => server.range({ key: 'health' }));
          const { alarms } = await ctl.at(endpoint, (server) => server.alarm({ action: 'GET', memberId: '0', alarm: 'NONE' }));
          if (alarms.length > 0) error = `Active Alarm(s): ${[...new Set(alarms.map(({ alarm }) => alarm))].join(' ')}`;
        } catch (failure) {
          if (!(failure instanceof EtcdError)) throw failure;
          error = failure.message;
        }
        list.push({ endpoint, health: error === '', took: goDuration(clock.now() - from), error });
      }),
    );
    ctl.printer.health(list, (text) => ctl.self.stderr(text));
    if (list.some((each) => !each.health)) throw new CtlError(ExitCode.Error, 'unhealthy cluster');
  },
};

const status: Command = {
  use: 'endpoint status',
  short: 'Prints out the status of endpoints specified in `--endpoints` flag',
  long: `When --write-out is set to simple, this command prints out comma-separated status lists for each endpoint.
The items in the lists are endpoint, ID, version, db size, is leader, is learner, raft term, raft index, raft applied index, errors.`,
  async run(ctl) {
    const list: EndpointStatus[] = [];
    let failed = false;
    for (const endpoint of await endpointsOf(ctl)) {
      try {
        list.push({ endpoint, status: await ctl.at(endpoint, (server) => server.status()) });
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        failed = true;
        ctl.self.stderr(`Failed to get the status of endpoint ${endpoint} (${error.message})\n`);
      }
    }
    ctl.printer.status(list);
    if (failed) throw new Ended(ExitCode.Error);
  },
};

const hashkv: Command = {
  use: 'endpoint hashkv',
  short: 'Prints the KV history hash for each endpoint in --endpoints',
  flags: { rev: int('maximum revision to hash (default: latest revision)') },
  async run(ctl) {
    const revision = ctl.flags.int('rev');
    const list: EndpointHash[] = [];
    let failed: string | undefined;
    for (const endpoint of await endpointsOf(ctl)) {
      try {
        list.push({ endpoint, hash: await ctl.at(endpoint, (server) => server.hashKv({ revision })) });
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        failed = error.message;
        ctl.self.stderr(`Failed to get the hash of endpoint ${endpoint} (${error.message})\n`);
      }
    }
    ctl.printer.hashKv(list);
    if (failed !== undefined) throw new CtlError(ExitCode.Error, failed);
  },
};

export const endpoint: Command = { use: 'endpoint <subcommand>', short: 'Endpoint related commands', shared: CLUSTER, commands: { hashkv, health, status } };

export const defrag: Command = {
  use: 'defrag',
  short: 'Defragments the storage of the etcd members with given endpoints',
  flags: CLUSTER,
  async run(ctl) {
    let failures = 0;
    for (const each of await endpointsOf(ctl)) {
      try {
        await ctl.at(each, (server) => server.defragment());
        ctl.self.stdout(`Finished defragmenting etcd member[${each}]\n`);
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        failures++;
        ctl.self.stderr(`Failed to defragment etcd member[${each}] (${error.message})\n`);
      }
    }
    if (failures > 0) throw new Ended(ExitCode.Error);
  },
};

const alarmCommand = (name: 'list' | 'disarm', short: string): Command => ({
  use: `alarm ${name}`,
  short,
  async run(ctl, args) {
    if (args.length !== 0) throw badArgs(`alarm ${name} command accepts no arguments`);
    const ask = (request: Parameters<Parameters<Parameters<typeof ctl.client.call>[0]>[0]['alarm']>[0]) =>
      ctl.ask(ctl.client.call((server) => server.alarm(request), name === 'list'));
    const { header, alarms } = await ask({ action: 'GET', memberId: '0', alarm: 'NONE' });
    if (name === 'disarm') for (const { memberId, alarm } of alarms) await ask({ action: 'DEACTIVATE', memberId, alarm });
    ctl.printer.alarms(header, alarms);
  },
});

export const alarm: Command = {
  use: 'alarm <subcommand>',
  short: 'Alarm related commands',
  commands: { disarm: alarmCommand('disarm', 'Disarms all alarms'), list: alarmCommand('list', 'Lists all alarms') },
};
