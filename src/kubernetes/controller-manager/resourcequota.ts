/**
 * Counts what the ResourceQuotas of each namespace are about, and writes it into their status
 * (pkg/controller/resourcequota). The API server's admission adds to `status.used` what it grants; only this
 * controller takes away again.
 *
 * Woken by: a quota that is new or whose limits changed; anything counted that goes, and pods that end,
 * services and claims that change; and every five minutes.
 *
 * The counting is brought in with the first quota (`resourcequota-count.ts`): most clusters have none.
 *
 * Here simplified: objects of custom resources are charged by admission and not counted again.
 */
import { minutes } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { type KubeObject, keyOf } from '../api/meta.ts';
import type { ResourceQuota } from '../api/types.gen.ts';
import { messageOf } from '../client/retry.ts';
import { createWorkqueue } from '../client/workqueue.ts';
import { runnable } from './controller.ts';
import { equal } from './json-equal.ts';

/** `--resource-quota-sync-period`, `--concurrent-resource-quota-syncs` */
const RESYNC = minutes(5);
const WORKERS = 5;

export const resourceQuotaController = runnable('resourcequota-controller', async (context) => {
  const { self, informer, client } = context;
  const quotas = informer('ResourceQuota');
  const queue = createWorkqueue(self, 'resourcequota_primary', 'ResourceQuota');
  const watched = new Set<string>();

  quotas.onChange(({ before, after }) => {
    if (after && !equal(before?.spec?.hard, after.spec?.hard)) queue.add(keyOf(after));
  });
  await quotas.synced();
  const first = await queue.get();
  const { count, rowsOf, gaveBack, concerns } = await self.outside(import('./resourcequota-count.ts'));

  /** From now on, what leaves or shrinks among these objects wakes the quotas that count them. */
  const watch = (quota: DeepReadonly<ResourceQuota>): void => {
    for (const row of rowsOf(quota)) {
      if (watched.has(row.type)) continue;
      watched.add(row.type);
      informer(row.type as 'Pod').onChange((change) => {
        const { before, after } = change as { before?: DeepReadonly<KubeObject>; after?: DeepReadonly<KubeObject> };
        if (!before || !gaveBack(row, before, after)) return;
        for (const each of quotas.list(before.metadata.namespace ?? '')) if (concerns(each, row)) queue.add(keyOf(each));
      });
    }
  };

  const reconcile = async (key: string): Promise<void> => {
    const quota = quotas.get(key);
    if (!quota) return;
    watch(quota);
    const rows = rowsOf(quota);
    for (const row of rows) await informer(row.type as 'Pod').synced();
    const namespace = quota.metadata.namespace ?? '';
    const status = count(quota, (row) => informer(row.type as 'Pod').list(namespace) as readonly DeepReadonly<KubeObject>[], self.clock.now());
    if (status) await client.of('ResourceQuota').updateStatus({ ...quota, status });
  };

  const work = async (start?: string): Promise<never> => {
    for (let key = start ?? (await queue.get()); ; key = await queue.get()) {
      self.trace.emit('reconcile.start', `ResourceQuota/${key}`, { controller: 'resourcequota-controller' });
      try {
        await reconcile(key);
        queue.forget(key);
        self.trace.emit('reconcile.end', `ResourceQuota/${key}`, { controller: 'resourcequota-controller', outcome: 'ok' });
      } catch (error) {
        self.trace.emit('reconcile.end', `ResourceQuota/${key}`, { controller: 'resourcequota-controller', outcome: 'retry', error: messageOf(error) });
        queue.addRateLimited(key);
      }
      queue.done(key);
    }
  };
  const resync = (): void => {
    for (const quota of quotas.list()) queue.add(keyOf(quota));
    self.clock.after(RESYNC, resync);
  };
  self.clock.after(RESYNC, resync);
  await Promise.all([work(first), ...Array.from({ length: WORKERS - 1 }, () => work())]);
});
