/**
 * Leader election by a Lease (client-go tools/leaderelection): of several copies of a program one acts,
 * the others wait. The holder renews the Lease every two seconds; a candidate that has seen it unchanged
 * for fifteen takes it. A holder that could not renew for ten seconds stops, five before anybody else
 * may start: that gap, and not the Lease, is what keeps two from acting at once.
 *
 * Candidates never compare clocks: each counts from when it saw the record change.
 */
import { type Instant, inSeconds, seconds } from '../../sim/clock.ts';
import type { Main, Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import { microTimestamp } from '../api/time.ts';
import type { Lease } from '../api/types.gen.ts';
import { jitter } from './backoff.ts';
import type { Client } from './client.ts';
import { createRecorder } from './events.ts';
import { isNotFound } from './retry.ts';

export interface LeaderElectionOptions {
  /** The Lease: `kube-controller-manager` */
  readonly name: string;
  /** `kube-system` if not told */
  readonly namespace?: string;
  /** Who stands: `control-plane_1f2e3d…` */
  readonly identity: string;
}

export const LEASE_DURATION = seconds(15);
export const RENEW_DEADLINE = seconds(10);
export const RETRY_PERIOD = seconds(2);

/**
 * Waits to be leader, then runs `main` for as long as it is. Rejects with `leaderelection lost` when the
 * Lease could not be kept: the process must end with it, as kube-controller-manager exits, since
 * whatever `main` began is still under way.
 */
export async function runLeaderElected(self: Process, client: Client, options: LeaderElectionOptions, main: Main): Promise<void> {
  const { clock, trace } = self;
  const { name, identity, namespace = 'kube-system' } = options;
  const about = `Lease/${namespace}/${name}`;
  const leases = client.of('Lease');
  const recorder = createRecorder(self, client, { component: identity });
  let observed: DeepReadonly<Lease> | undefined;
  let observedAt: Instant = 0;

  const observe = (lease: DeepReadonly<Lease>) => {
    if (observed?.metadata.resourceVersion !== lease.metadata.resourceVersion) observedAt = clock.now();
    observed = lease;
  };
  const holds = () => observed?.spec?.holderIdentity === identity;
  const recordFor = (old: DeepReadonly<Lease>['spec']): DeepReadonly<Lease>['spec'] => {
    const now = microTimestamp(clock.now());
    const same = old?.holderIdentity === identity;
    return {
      ...old,
      holderIdentity: identity,
      leaseDurationSeconds: inSeconds(LEASE_DURATION),
      acquireTime: same && old?.acquireTime ? old.acquireTime : now,
      renewTime: now,
      leaseTransitions: (old?.leaseTransitions ?? 0) + (same || !old?.holderIdentity ? 0 : 1),
    };
  };

  /** True if the Lease is ours now. Failures of every kind are only a "not this time". */
  const tryAcquireOrRenew = async (): Promise<boolean> => {
    try {
      // The holder writes on what it last saw, without a read.
      if (observed && holds() && clock.now() < observedAt + LEASE_DURATION) {
        try {
          observe(await leases.update({ ...observed, spec: recordFor(observed.spec) }));
          return true;
        } catch {
          // Somebody touched it: read it like everybody else.
        }
      }
      let current: DeepReadonly<Lease>;
      try {
        current = await leases.get(`${namespace}/${name}`);
      } catch (error) {
        if (!isNotFound(error)) return false;
        observe(await leases.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec: recordFor(undefined) }));
        return true;
      }
      observe(current);
      const holder = current.spec?.holderIdentity;
      const duration = seconds(current.spec?.leaseDurationSeconds ?? inSeconds(LEASE_DURATION));
      if (holder && holder !== identity && observedAt + duration > clock.now()) return false;
      observe(await leases.update({ ...current, spec: recordFor(current.spec) }));
      return true;
    } catch {
      return false;
    }
  };

  while (!(await tryAcquireOrRenew())) await clock.sleep(jitter(self, RETRY_PERIOD, 120));
  trace.emit('lease.acquire', about, { holder: identity });
  recorder.event(observed ?? {}, 'Normal', 'LeaderElection', `${identity} became leader`);

  const keep = async (): Promise<never> => {
    let renewedAt = clock.now();
    for (;;) {
      await clock.sleep(RETRY_PERIOD);
      const attempt = tryAcquireOrRenew();
      // An unanswered request must not outlast the deadline.
      const deadline = falseAfter(self, renewedAt + RENEW_DEADLINE - clock.now());
      const renewed = await Promise.race([attempt, deadline.promise]);
      deadline.cancel();
      if (renewed) {
        renewedAt = clock.now();
        trace.chatter('lease.renew', about, { holder: identity });
      } else if (clock.now() >= renewedAt + RENEW_DEADLINE) {
        trace.emit('lease.lost', about, { holder: identity });
        recorder.event(observed ?? {}, 'Normal', 'LeaderElection', `${identity} stopped leading`);
        throw new Error('leaderelection lost');
      }
    }
  };
  await Promise.race([main(self), keep()]);
}

/** False after `delay`, unless cancelled. */
function falseAfter(self: Process, delay: number): { promise: Promise<false>; cancel(): void } {
  let cancel = () => {};
  const promise = new Promise<false>((resolve) => {
    cancel = self.clock.after(Math.max(0, delay), () => {
      self.clock.wake();
      resolve(false);
    });
  });
  return { promise, cancel };
}
