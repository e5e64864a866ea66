/**
 * An etcd member on a machine of its own: kubeadm's "external etcd" topology. Three of them are the
 * cluster's memory; they are not nodes of the cluster.
 */

import { timestamp } from '../kubernetes/api/time.ts';
import { type EtcdClient, type EtcdEndpoint, EtcdError, type EtcdServer, type WatchResponse } from '../kubernetes/etcd/api.ts';
import { createEtcdClient } from '../kubernetes/etcd/client.ts';
import { EtcdDisk } from '../kubernetes/etcd/disk.ts';
import { type Member, startEtcd } from '../kubernetes/etcd/member.ts';
import type { EtcdMember, EtcdOptions } from '../kubernetes/etcd/member-types.ts';
import { clusterIdOf, foundingChanges } from '../kubernetes/etcd/membership.ts';
import type { Wires } from '../linux/wire.ts';
import { type Duration, type Instant, ms, seconds } from '../sim/clock.ts';
import type { Loop } from '../sim/loop.ts';
import { defer } from '../sim/mailbox.ts';
import { forever, type Process, whenRunning } from '../sim/process.ts';
import type { EtcdFlags } from './etcd-flags.ts';
import { Machine } from './machine.ts';
import type { RaftWire } from './raft-wire.ts';
import type { StoreMirror } from './store-mirror.ts';

const WAL = '/var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal';
const DB = '/var/lib/etcd/member/snap/db';
const FLAGS = '/etc/default/etcd';
const LOG = '/var/log/etcd.log';

/** What the hosts of one cluster have in common. */
export interface EtcdCluster {
  readonly loop: Loop;
  readonly wires: Wires;
  readonly raftWire: RaftWire;
  readonly mirror: StoreMirror;
  /** `https` with kubeadm's certificates, `http` in a world of etcd alone. Here simplified: only the URLs tell. */
  readonly scheme: 'http' | 'https';
  /** Times of a lesson, which etcd itself would refuse as flags; undefined: the defaults. */
  timing?: EtcdOptions['timing'];
  /** Every machine with an etcd on it, those that have not joined yet too. */
  hosts(): readonly EtcdHost[];
}

export class EtcdHost {
  readonly machine: Machine;
  /** Survives everything but a new cluster. Made at first start. */
  private disk: EtcdDisk | undefined;
  member: EtcdMember | undefined;
  private startedAt: Instant = 0;
  /** When somebody could last not be reached from here, or may not have been. */
  private disturbedAt: Instant = 0;
  /** Faults of its disk, which outlive what is on it. */
  private slow: Duration = 0;
  private full = false;
  /** What stands in its data directory, so that another one put there is known. */
  private tag: string | undefined;
  private directories = 0;
  private removed = false;
  private readonly peers = new Map<string, EtcdHost>();
  private received: { readonly clusterId: string; readonly take: (message: unknown) => void } | undefined;

  constructor(
    private readonly cluster: EtcdCluster,
    readonly name: string,
    readonly ip: string,
    /** One of those the cluster begins with; others join what is there (`--initial-cluster-state existing`). */
    private readonly founder: boolean,
  ) {
    const { loop, wires } = cluster;
    this.machine = new Machine(loop, wires, name, ip);
    this.machine.enable({ name: 'etcd', main: (self) => this.run(self), restartAfter: seconds(5) });
    wires.onChange(() => {
      this.disturbedAt = loop.now;
    });
  }

  get clientURL(): string {
    return `${this.cluster.scheme}://${this.ip}:2379`;
  }
  get peerURL(): string {
    return `${this.cluster.scheme}://${this.ip}:2380`;
  }

  private async run(self: Process): Promise<void> {
    const { loop, wires, raftWire, mirror } = this.cluster;
    await self.clock.sleep(ms(self.rng.between(50, 300)));
    const restored = await this.openData(self);
    const disk = this.disk!;
    disk.slow = this.slow;
    disk.full = this.full;
    const flags = await this.flags(self);
    this.startedAt = loop.now;
    const member = startEtcd(self, {
      ...(this.cluster.timing ? { timing: this.cluster.timing } : {}),
      ...flags?.options,
      name: this.name,
      clientURLs: [this.clientURL],
      disk,
      quiet: (key) => key.startsWith('/registry/leases/') || key === 'compact_rev_key' || key === 'compaction',
      send: (url, message) => {
        const peer = this.peer(url);
        if (peer) raftWire.send(this.name, peer.name, message, peer.receiver(disk.clusterId));
      },
      connectedSince: (url) => {
        const peer = this.peer(url);
        if (!peer?.member || !wires.reachable(this.name, peer.name) || !wires.reachable(peer.name, this.name)) return undefined;
        const since = Math.max(this.startedAt, peer.startedAt, this.disturbedAt);
        return self.clock.now() - (loop.now - since);
      },
      fatal: (message) => this.fatal(self, message),
      onRemoved: () => {
        // It ends by itself, with exit code 0: systemd does not start it again.
        this.removed = true;
        self.clock.after(0, () => this.machine.kill('etcd', true));
      },
      onApply: (revision, key, modRevision) => {
        // Every member applies the same; the digest needs it once, from the first to get there.
        if (revision <= mirror.revision) return;
        loop.mixInt(revision);
        loop.mixInt(modRevision);
        loop.mix(key);
      },
    });
    this.member = member;
    if (flags?.autoCompaction) flags.startAutoCompaction(self, member as Member, flags.autoCompaction);
    if (restored) mirror.replace(member.store);
    member.store.observe((events, revision) => mirror.apply(events, revision));
    self.onExit(() => {
      if (this.member === member) this.member = undefined;
    });
    await forever();
  }

  /** Takes messages of members of a cluster, as soon as the process takes them from its socket. One function for good: thousands a second pass through it. */
  private receiver(clusterId: string): (message: unknown) => void {
    if (this.received?.clusterId === clusterId) return this.received.take;
    const take = (message: unknown): void => {
      const process = this.machine.process('etcd');
      if (!process) return;
      if (process.paused) process.clock.after(0, () => this.receive(process, message, clusterId));
      else this.receive(process, message, clusterId);
    };
    this.received = { clusterId, take };
    return take;
  }

  private receive(process: Process, message: unknown, clusterId: string): void {
    if (!this.member) return;
    // rafthttp refuses the stream: "request sent was ignored (cluster ID mismatch: …)".
    if (this.disk?.clusterId !== clusterId) {
      process.trace.chatter('etcd.mismatch', `EtcdMember/${this.name}`, { peer: clusterId, local: this.disk?.clusterId });
      return;
    }
    try {
      this.member.step(message);
    } catch (error) {
      const beyond = /^raft: commit (\d+) is beyond the last index (\d+)/.exec((error as Error).message);
      if (!beyond) throw error;
      this.fatal(process, `tocommit(${beyond[1]}) is out of range [lastIndex(${beyond[2]})]. Was the raft log corrupted, truncated, or lost?`);
    }
  }

  /** It cannot go on: it says why, in its log and in the world's, and ends. systemd starts it again. */
  private fatal(self: Process, message: string): void {
    self.trace.emit('etcd.fatal', `EtcdMember/${this.name}`, { message });
    this.machine.files.append(LOG, `${JSON.stringify({ level: 'fatal', ts: timestamp(self.clock.now()), msg: message })}\n`);
    self.kill();
  }

  /** What `/etc/default/etcd` says, if there is one; never resolves when etcd would not take it. */
  private async flags(self: Process): Promise<(EtcdFlags & Pick<typeof import('./etcd-flags.ts'), 'startAutoCompaction'>) | undefined> {
    const { files } = this.machine;
    if (!files.exists(FLAGS)) return undefined;
    const { readFlags, startAutoCompaction } = await self.outside(import('./etcd-flags.ts'));
    try {
      return { ...readFlags(files.read(FLAGS)), startAutoCompaction };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.fatal(self, error.message);
      return forever();
    }
  }

  /**
   * Finds the disk to start from: the one it had, if the data directory says it is still that one; a restored one that was put
   * in its place; or a new one. Says whether it was restored. Never resolves when there is nothing to start from.
   */
  private async openData(self: Process): Promise<boolean> {
    const { files } = this.machine;
    const stop = (message: string): Promise<never> => {
      this.fatal(self, message);
      return forever();
    };
    const wal = files.exists(WAL) ? files.read(WAL) : undefined;
    if (wal === undefined) {
      const lost = this.tag !== undefined;
      this.disk = await (this.founder && !this.removed ? this.refound(self, lost, stop) : this.join(self));
      this.removed = false;
    } else if (wal === this.tag) {
      if (this.removed) return stop('the member has been permanently removed from the cluster');
      return false;
    } else if (this.tag !== undefined && wal.startsWith('etcd ')) return stop('failed to read WAL, cannot be repaired: walpb: crc mismatch');
    else {
      const { restoredDisk } = await self.outside(import('./etcd-data.ts'));
      try {
        this.disk = await restoredDisk(self, wal, files.exists(DB) ? files.read(DB) : '');
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return stop(`failed to read WAL, cannot be repaired: ${error.message}`);
      }
      this.removed = false;
      this.mark(this.disk);
      return true;
    }
    this.mark(this.disk);
    return false;
  }

  /** Writes down whose directory it is. Here simplified: the log and the store themselves are kept beside the files, not in them. */
  private mark({ memberId, clusterId }: EtcdDisk): void {
    this.tag = `etcd member ${memberId} of cluster ${clusterId}, directory ${++this.directories}\n`;
    this.machine.files.write(WAL, this.tag);
    if (!this.machine.files.exists(DB)) this.machine.files.write(DB, 'etcd\n');
  }

  /** A founding member begins with an empty log: not again, once the others know it as started (etcd bootstrap.go, isMemberBootstrapped). */
  private async refound(self: Process, lost: boolean, stop: (message: string) => Promise<never>): Promise<EtcdDisk> {
    const disk = this.found();
    if (!lost) return disk;
    const { isBootstrapped } = await self.outside(import('./etcd-data.ts'));
    if (await isBootstrapped(this.others(self), disk.memberId)) return stop(`member ${BigInt(disk.memberId).toString(16)} has already been bootstrapped`);
    return disk;
  }

  /** The election timer runs out now. Throws RangeError when there is no member to do it. */
  campaign(): void {
    const process = this.machine.process('etcd');
    if (!this.member || !process) throw new RangeError(`etcd does not run on ${this.name}`);
    whenRunning(process, () => this.member?.campaign());
  }

  /** How long every sync takes; 0: as usual. */
  slowDisk(sync: Duration): void {
    this.slow = sync;
    if (this.disk) this.disk.slow = sync;
  }

  /** The faults of its disk, for drawing. */
  get diskFaults(): { readonly sync: Duration; readonly full: boolean } {
    return { sync: this.slow, full: this.full };
  }

  fillDisk(full: boolean): void {
    this.full = full;
    if (this.disk) this.disk.full = full;
  }

  private peer(url: string): EtcdHost | undefined {
    // Hot: asked for every message of Raft. A host keeps its address; a new one is found when first asked for.
    let peer = this.peers.get(url);
    if (!peer) {
      peer = this.cluster.hosts().find((host) => host.peerURL === url);
      if (peer) this.peers.set(url, peer);
    }
    return peer;
  }

  private found(): EtcdDisk {
    const founders = this.cluster.hosts().filter((host) => host.founder);
    const changes = foundingChanges(founders, SALT);
    const clusterId = clusterIdOf(
      changes.map(({ member }) => member.id),
      SALT,
    );
    const { member } = changes[founders.indexOf(this)]!;
    return new EtcdDisk(member.raftId, member.id, clusterId, changes);
  }

  /** Asks the members there are who it is to be. Throws, and so crashes, while nobody has added it. */
  private async join(self: Process): Promise<EtcdDisk> {
    const { joinedDisk } = await self.outside(import('./etcd-data.ts'));
    return joinedDisk(this.others(self), this.peerURL);
  }

  private others(self: Process): readonly EtcdEndpoint[] {
    return this.cluster
      .hosts()
      .filter((host) => host !== this)
      .map((host) => endpoint(self, this.name, host, this.cluster.wires));
  }
}

/** Ids are the same in every world, so that they can be written down in a lesson. */
const SALT = 0;

const TOLD_ATTEMPTS = 6;

/** A client of these members for a process on `from`, over the wires. */
export function etcdClient(self: Process, from: string, hosts: readonly EtcdHost[], wires: Wires): EtcdClient {
  return createEtcdClient(
    self,
    hosts.map((host) => endpoint(self, from, host, wires)),
    // A member that does not answer is part of the story of whatever asked; when none does, not every attempt is.
    (member, error, attempt) =>
      attempt < TOLD_ATTEMPTS
        ? self.trace.emit('etcd.failed', '', { member, error: error.message, attempt: attempt + 1 })
        : self.trace.chatter('etcd.failed', '', { member, error: error.message, attempt: attempt + 1 }),
  );
}

const unavailable = (what: string): EtcdError => new EtcdError(what, 'Unavailable');

/** What gRPC says of an address where nobody listens. */
const dialError = (address: string, why: string): string => `connection error: desc = "transport: Error while dialing: dial tcp ${address}: connect: ${why}"`;

/** What a client finds at a URL: a member, or nobody. `localhost` is the machine the client runs on. */
export function endpointAt(self: Process, from: string, url: string, hosts: readonly EtcdHost[], wires: Wires): EtcdEndpoint {
  const [, address = ''] = /^(?:[a-z]+:\/\/)?([^/]*)/.exec(url) ?? [];
  const [name = '', port] = address.split(':');
  const host = hosts.find((each) => each.ip === name || each.name === name || (each.name === from && (name === 'localhost' || name === '127.0.0.1')));
  if (host && port === '2379') return { ...endpoint(self, from, host, wires), name: url };
  const refuse = async (): Promise<never> => {
    await self.clock.sleep(ms(1));
    throw unavailable(dialError(address, 'connection refused'));
  };
  return {
    name: url,
    call: refuse,
    watch: (_request, _onResponse, onClosed) => self.clock.after(ms(1), onClosed),
  };
}

function endpoint(self: Process, from: string, host: EtcdHost, wires: Wires): EtcdEndpoint {
  const refused = dialError(`${host.ip}:2379`, 'connection refused');
  return {
    name: host.clientURL,
    call<T>(invoke: (server: EtcdServer) => Promise<T>): Promise<T> {
      const answer = defer<T>(self.clock);
      const fail = (error: EtcdError): void => {
        cancel();
        answer.reject(error);
      };
      const sent = wires.send(from, host.name, () => {
        const serving = host.machine.process('etcd');
        const member = host.member;
        if (!member || !serving) {
          wires.send(host.name, from, () => fail(unavailable(refused)));
          return;
        }
        const stop = serving.onExit(() => wires.send(host.name, from, () => fail(unavailable('error reading from server: EOF'))));
        const reply = (settle: () => void): void => {
          stop();
          // A lost reply is noticed by the deadline below.
          wires.send(host.name, from, () => whenRunning(self, settle));
        };
        whenRunning(serving, () => {
          serving.clock.wake();
          invoke(member.server).then(
            (value) =>
              reply(() => {
                cancel();
                answer.resolve(value);
              }),
            (error) => reply(() => fail(error)),
          );
        });
      });
      // gRPC's own deadline in the API server is 10 s; an unreachable machine is noticed by ARP sooner.
      const cancel = self.clock.after(sent ? seconds(10) : seconds(3), () =>
        answer.reject(
          sent ? new EtcdError('context deadline exceeded', 'DeadlineExceeded') : unavailable(refused.replace('connection refused', 'no route to host')),
        ),
      );
      return answer.promise;
    },
    watch(request, onResponse: (response: WatchResponse) => void, onClosed: () => void): () => void {
      let open = true;
      let cancelAtMember = (): void => {};
      const close = (): void => {
        if (!open) return;
        open = false;
        stops.splice(0).forEach((stop) => {
          stop();
        });
        onClosed();
      };
      let lost = false;
      const stops: (() => void)[] = [
        // A wire that goes quiet is noticed by keepalive pings (gRPC keepalive time-out, 10 s in the API server's client). What was
        // lost meanwhile is not sent again here, so the stream is over even if the wire is mended before: it must not go on with a hole in it.
        wires.onChange(() => {
          if (lost || (wires.reachable(host.name, from) && wires.reachable(from, host.name))) return;
          lost = true;
          self.clock.after(seconds(10), close);
        }),
      ];
      const sent = wires.send(from, host.name, () => {
        const serving = host.machine.process('etcd');
        if (!host.member || !serving) {
          wires.send(host.name, from, close);
          return;
        }
        stops.push(serving.onExit(() => wires.send(host.name, from, close)));
        const { member } = host;
        let cancelled = false;
        let cancel = (): void => {};
        cancelAtMember = () => {
          cancelled = true;
          cancel();
        };
        whenRunning(serving, () => {
          if (cancelled) return;
          cancel = member.server.watch(request, (response) => {
            wires.send(host.name, from, () =>
              whenRunning(self, () => {
                if (open && !lost) onResponse(response);
              }),
            );
          });
        });
        stops.push(cancelAtMember);
      });
      if (!sent) self.clock.after(seconds(3), close);
      return () => {
        if (!open) return;
        open = false;
        wires.send(from, host.name, cancelAtMember);
        stops.splice(0).forEach((stop) => {
          if (stop !== cancelAtMember) stop();
        });
      };
    },
  };
}
