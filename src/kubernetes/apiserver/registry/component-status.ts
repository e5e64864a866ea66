/**
 * ComponentStatus is asked, not kept: the scheduler and the controller manager on the API server's own machine are
 * asked for their health, and each member of etcd for a read (pkg/registry/core/componentstatus, pkg/registry/core/rest).
 * Deprecated upstream for what it cannot see: managers on other machines. Answers come in one order here; upstream's come
 * as they arrive.
 */
import { type Duration, seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import type { Process } from '../../../sim/process.ts';
import type { KubeObject } from '../../api/meta.ts';
import { type EtcdEndpoint, EtcdError } from '../../etcd/api.ts';
import { failure } from '../errors.ts';
import type { DialService } from '../webhook-client.ts';

export interface ComponentSource {
  readonly self: Process;
  readonly dialService?: DialService | undefined;
  /** `--etcd-servers`, one by one. */
  readonly etcdMembers?: (() => readonly EtcdEndpoint[]) | undefined;
}

/** `probeTimeOut` of upstream's validator. */
const TIMEOUT: Duration = seconds(20);
const AGAIN: Duration = seconds(1);

type Health = { readonly status: 'True' | 'False'; readonly message?: string; readonly error?: string };

async function overHttp({ dialService }: ComponentSource, port: number): Promise<Health> {
  const address = `127.0.0.1:${port}`;
  const told = (why: string): Health => ({ status: 'False', message: `Get "https://${address}/healthz": ${why}` });
  if (!dialService) return told(`dial tcp ${address}: connect: connection refused`);
  try {
    const reply = await dialService({ method: 'GET', ip: '127.0.0.1', port, host: address, path: '/healthz', headers: {}, timeout: TIMEOUT });
    return reply.status >= 200 && reply.status < 400
      ? { status: 'True', message: reply.body }
      : { status: 'False', message: `HTTP probe failed with statuscode: ${reply.status}` };
  } catch (error) {
    return told(error instanceof Error ? error.message : String(error));
  }
}

/** A new connection is tried for as long as the time-out lets it; a member that answers with an error has said why. */
async function ofMember({ self }: ComponentSource, member: EtcdEndpoint): Promise<Health> {
  const began = self.clock.now();
  for (;;) {
    const { promise, resolve } = defer<Health | undefined>(self.clock);
    let over = false;
    const cancel = self.clock.after(TIMEOUT - (self.clock.now() - began), () => {
      over = true;
      resolve({ status: 'False', error: 'context deadline exceeded' });
    });
    const answered = (health: Health | undefined): void => {
      if (over) return;
      cancel();
      resolve(health);
    };
    member
      .call((server) => server.range({ key: '/registry/health' }))
      .then(
        () => answered({ status: 'True', message: 'ok' }),
        (error: unknown) => answered(error instanceof EtcdError && error.code !== 'Unavailable' ? { status: 'False', error: error.message } : undefined),
      );
    const outcome = await promise;
    if (outcome) return outcome;
    await self.clock.sleep(AGAIN);
    if (self.clock.now() - began >= TIMEOUT) return { status: 'False', error: 'context deadline exceeded' };
  }
}

const statusOf = (name: string, health: Health): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'ComponentStatus',
    metadata: { name, creationTimestamp: null },
    conditions: [
      { type: 'Healthy', status: health.status, ...(health.message ? { message: health.message } : {}), ...(health.error ? { error: health.error } : {}) },
    ],
  }) as unknown as KubeObject;

const checks = (source: ComponentSource): readonly (readonly [string, () => Promise<Health>])[] => [
  ['controller-manager', () => overHttp(source, 10257)],
  ['scheduler', () => overHttp(source, 10259)],
  ...(source.etcdMembers?.() ?? []).map((member, i) => [`etcd-${i}`, () => ofMember(source, member)] as const),
];

/** All components, asked at the same time. */
export const listComponents = (source: ComponentSource): Promise<readonly KubeObject[]> =>
  Promise.all(checks(source).map(async ([name, check]) => statusOf(name, await check())));

/** One component. Rejects with a 500 for one that is not known, which upstream gives no reason either. */
export async function getComponent(source: ComponentSource, name: string): Promise<KubeObject> {
  const found = checks(source).find(([each]) => each === name);
  if (!found) throw failure(500, '', `Component not found: ${name}`);
  return statusOf(name, await found[1]());
}
