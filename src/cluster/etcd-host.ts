/**
 * An etcd member on a machine of its own: kubeadm's "external etcd" topology. Three of them are the
 * cluster's memory; they are not nodes of the cluster.
 */
import type { EtcdClient, WatchResponse } from '../kubernetes/etcd/api.ts';
import { EtcdError } from '../kubernetes/etcd/api.ts';
import { createEtcdClient, type EtcdEndpoint } from '../kubernetes/etcd/client.ts';
import { EtcdDisk } from '../kubernetes/etcd/disk.ts';
import { type EtcdMember, startEtcd } from '../kubernetes/etcd/member.ts';
import type { EtcdServer } from '../kubernetes/etcd/server.ts';
import type { Wires } from '../linux/wire.ts';
import { ms, seconds } from '../sim/clock.ts';
import type { Loop } from '../sim/loop.ts';
import { defer } from '../sim/mailbox.ts';
import { forever, type Process } from '../sim/process.ts';
import { Machine } from './machine.ts';
import type { StoreMirror } from './store-mirror.ts';

export class EtcdHost {
  readonly machine: Machine;
  /** Survives everything but a new cluster. Made at first start, when all peers are known. */
  private disk: EtcdDisk | undefined;
  member: EtcdMember | undefined;

  constructor(
    private readonly loop: Loop,
    private readonly wires: Wires,
    readonly name: string,
    ip: string,
    private readonly peers: () => readonly EtcdHost[],
    private readonly mirror: StoreMirror,
  ) {
    this.machine = new Machine(loop, wires, name, ip);
    this.machine.enable({ name: 'etcd', main: (self) => this.run(self), restartAfter: seconds(5) });
  }

  get id(): number {
    return this.peers().indexOf(this) + 1;
  }

  private async run(self: Process): Promise<void> {
    await self.clock.sleep(ms(self.rng.between(50, 300)));
    this.disk ??= new EtcdDisk(this.peers().map((peer) => peer.id));
    const peers = new Map(this.peers().map((peer) => [peer.name, peer]));
    const member = startEtcd(self, {
      name: this.name,
      clusterMembers: this.peers().map((peer) => ({ name: peer.name, id: peer.id })),
      disk: this.disk,
      quiet: (key) => key.startsWith('/registry/leases/'),
      send: (to, message) => {
        const peer = peers.get(to);
        if (peer) this.wires.send(this.name, to, () => peer.member?.step(this.name, message));
      },
      onApply: (revision, key, modRevision) => {
        // Every member applies the same; the digest needs it once, from the first to get there.
        if (revision <= this.mirror.revision) return;
        this.loop.mixInt(revision);
        this.loop.mixInt(modRevision);
        this.loop.mix(key);
      },
    });
    this.member = member;
    member.store.observe((events, revision) => this.mirror.apply(events, revision));
    self.onExit(() => {
      if (this.member === member) this.member = undefined;
    });
    await forever();
  }
}

/** A client of these members for a process on `from`, over the wires. */
export function etcdClient(self: Process, from: string, hosts: readonly EtcdHost[], wires: Wires): EtcdClient {
  return createEtcdClient(
    self,
    hosts.map((host) => endpoint(self, from, host, wires)),
  );
}

const unavailable = (what: string): EtcdError => new EtcdError(what, 'Unavailable');

function endpoint(self: Process, from: string, host: EtcdHost, wires: Wires): EtcdEndpoint {
  const refused = `connection error: desc = "transport: Error while dialing: dial tcp ${host.machine.ip}:2379: connect: connection refused"`;
  return {
    name: host.name,
    call<T>(invoke: (server: EtcdServer) => Promise<T>): Promise<T> {
      const answer = defer<T>(self.clock);
      const process = (): Process | undefined => host.machine.process('etcd');
      const sent = wires.send(from, host.name, () => {
        const serving = process();
        const member = host.member;
        if (!member || !serving) {
          wires.send(host.name, from, () => answer.reject(unavailable(refused)));
          return;
        }
        const stop = serving.onExit(() => wires.send(host.name, from, () => answer.reject(unavailable('error reading from server: EOF'))));
        const reply = (settle: () => void): void => {
          stop();
          // A lost reply is noticed by the deadline below.
          wires.send(host.name, from, settle);
        };
        serving.clock.wake();
        invoke(member.server).then(
          (value) => reply(() => answer.resolve(value)),
          (error) => reply(() => answer.reject(error)),
        );
      });
      // gRPC's own deadline in the API server is 10 s; an unreachable machine is noticed by ARP sooner.
      const cancel = self.clock.after(sent ? seconds(10) : seconds(3), () =>
        answer.reject(
          sent ? new EtcdError('context deadline exceeded', 'DeadlineExceeded') : unavailable(refused.replace('connection refused', 'no route to host')),
        ),
      );
      return answer.promise.finally(cancel);
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
      const stops: (() => void)[] = [
        // A wire that goes quiet is noticed by keepalive pings (gRPC keepalive time-out, 10 s in the API server's client).
        wires.onChange(() => {
          if (!wires.reachable(host.name, from)) self.clock.after(seconds(10), close);
        }),
      ];
      const sent = wires.send(from, host.name, () => {
        const serving = host.machine.process('etcd');
        if (!host.member || !serving) {
          wires.send(host.name, from, close);
          return;
        }
        stops.push(serving.onExit(() => wires.send(host.name, from, close)));
        cancelAtMember = host.member.server.watch(request, (response) => {
          wires.send(host.name, from, () => {
            if (open) onResponse(response);
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
