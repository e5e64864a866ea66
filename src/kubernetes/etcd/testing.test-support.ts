/** Three members and the wires between them, for tests. */
import { type Duration, ms } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import { forever, type Process } from '../../sim/process.ts';
import { testHost } from '../../sim/test-host.ts';
import { type EtcdClient, type EtcdEndpoint, EtcdError, type EtcdServer } from './api.ts';
import { createEtcdClient } from './client.ts';
import { EtcdDisk } from './disk.ts';
import { startEtcd } from './member.ts';
import type { EtcdMember, EtcdOptions } from './member-types.ts';
import { clusterIdOf, foundingChanges } from './membership.ts';

export interface TestMember {
  readonly name: string;
  readonly id: number;
  readonly disk: EtcdDisk;
  process: Process | undefined;
  etcd: EtcdMember | undefined;
}

export class TestCluster {
  readonly loop: Loop;
  readonly members: TestMember[];
  /** Pairs of names that cannot hear each other. */
  readonly cut = new Set<string>();
  /** `from>to`: ways that are cut in one direction. */
  readonly cutWays = new Set<string>();
  latency: Duration = ms(1);
  private readonly closers = new Map<string, Set<() => void>>();

  constructor(
    seed: number,
    size = 3,
    private readonly options: Partial<EtcdOptions> = {},
  ) {
    this.loop = new Loop({ seed, host: testHost });
    const names = Array.from({ length: size }, (_, i) => `etcd-${i + 1}`);
    const founding = foundingChanges(
      names.map((name) => ({ name, peerURL: urlOf(name) })),
      seed,
    );
    const clusterId = clusterIdOf(
      founding.map(({ member }) => member.id),
      seed,
    );
    this.members = founding.map(({ member }, i) => ({
      name: names[i]!,
      id: member.raftId,
      disk: new EtcdDisk(member.raftId, member.id, clusterId, founding),
      process: undefined,
      etcd: undefined,
    }));
    for (const member of this.members) this.start(member);
  }

  member(name: string): TestMember {
    return this.members.find((member) => member.name === name)!;
  }

  start(member: TestMember): void {
    member.process = this.loop.spawn(member.name, async (self) => {
      member.etcd = startEtcd(self, {
        name: member.name,
        clientURLs: [`http://${member.name}:2379`],
        disk: member.disk,
        send: (url, message) => {
          const to = hostOf(url);
          this.carry(member.name, to, () => this.member(to).etcd?.step(message));
        },
        ...this.options,
      });
      await forever();
    });
  }

  kill(member: TestMember): void {
    member.process?.kill();
    member.process = undefined;
    member.etcd = undefined;
    for (const close of [...(this.closers.get(member.name) ?? [])]) this.loop.after(this.latency, close);
    this.closers.delete(member.name);
  }

  isolate(name: string): void {
    for (const other of this.members) if (other.name !== name) this.cut.add(pair(name, other.name));
  }

  heal(): void {
    this.cut.clear();
    this.cutWays.clear();
  }

  leader(): TestMember | undefined {
    const leaders = this.members.filter(({ etcd }) => etcd?.status().role === 'Leader');
    return leaders.sort((a, b) => b.etcd!.status().term - a.etcd!.status().term)[0];
  }

  /** A client whose calls take time and fail as wires do. */
  client(self: Process, members: readonly TestMember[] = this.members): EtcdClient {
    return createEtcdClient(
      self,
      members.map((member) => this.endpoint(self, member)),
    );
  }

  private endpoint(self: Process, member: TestMember): EtcdEndpoint {
    return {
      name: member.name,
      call: async <T>(invoke: (server: EtcdServer) => Promise<T>): Promise<T> => {
        await self.clock.sleep(this.latency);
        const { etcd } = member;
        if (!etcd) throw new EtcdError('connection error: desc = "transport: Error while dialing: connect: connection refused"', 'Unavailable');
        const answer = new Promise<T>((resolve, reject) => {
          const close = () => {
            this.loop.wake();
            reject(new EtcdError('error reading from server: EOF', 'Unavailable'));
          };
          this.closer(member.name, close);
          invoke(etcd.server).then(resolve, reject);
        });
        try {
          return await answer;
        } finally {
          await self.clock.sleep(this.latency);
        }
      },
      watch: (request, onResponse, onClosed) => {
        let cancel = () => {};
        let open = true;
        this.loop.after(this.latency, () => {
          if (!open) return;
          if (!member.etcd) {
            onClosed();
            return;
          }
          this.closer(member.name, () => open && onClosed());
          cancel = member.etcd.server.watch(request, (response) => {
            this.loop.after(this.latency, () => open && onResponse(response));
          });
        });
        return () => {
          open = false;
          cancel();
        };
      },
    };
  }

  private closer(name: string, close: () => void): void {
    if (!this.closers.has(name)) this.closers.set(name, new Set());
    this.closers.get(name)!.add(close);
  }

  private carry(from: string, to: string, deliver: () => void): void {
    if (this.cut.has(pair(from, to)) || this.cutWays.has(`${from}>${to}`)) return;
    this.loop.after(this.latency, () => {
      if (!this.cut.has(pair(from, to))) deliver();
    });
  }
}

const pair = (a: string, b: string): string => (a < b ? `${a}|${b}` : `${b}|${a}`);

const urlOf = (name: string): string => `http://${name}:2380`;
const hostOf = (url: string): string => url.slice('http://'.length, -':2380'.length);
