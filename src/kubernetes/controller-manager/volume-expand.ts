/**
 * A claim that was made larger (pkg/controller/volume/expand): nothing built in can make a volume grow any more, so all
 * it does is to say who is waited for.
 *
 * Woken by: the claim.
 */
import { compareQuantities } from '../api/quantity.ts';
import { requestOf } from '../api/volumes.ts';
import { reconciler } from './controller.ts';

export const volumeExpandController = reconciler({
  name: 'persistentvolume-expander-controller',
  for: 'PersistentVolumeClaim',
  reads: ['PersistentVolume'],
  async reconcile(claim, { informer, event }) {
    if (claim.status?.phase !== 'Bound' || compareQuantities(requestOf(claim), claim.status.capacity?.['storage'] ?? '0') <= 0) return;
    if (!informer('PersistentVolume').get(claim.spec?.volumeName ?? '')) return;
    event(claim, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC');
  },
});
