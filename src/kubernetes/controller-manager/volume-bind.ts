/** The four writes that bind a volume to a claim, each left out where it is done already (pkg/controller/volume/persistentvolume, `bind`). */
import type { DeepReadonly } from '../api/json.ts';
import type { PersistentVolumeClaimStatus, PersistentVolumeStatus } from '../api/types.gen.ts';
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, boundToClaim, type Claim, type Volume } from '../api/volumes.ts';
import type { Client } from '../client/client.ts';
import { equal } from './json-equal.ts';

type Phase = NonNullable<PersistentVolumeStatus['phase']>;

/**
 * The claim into the volume, the volume's phase, the volume into the claim, the claim's status: in this order, so that
 * whoever stops half-way is understood by whoever goes on. Rejects when a write does.
 */
export async function bind(client: Client, volume: Volume, claim: Claim): Promise<void> {
  let held = boundToClaim(volume, claim);
  if (held !== volume) held = await client.of('PersistentVolume').update(held);
  held = await setPhase(client, held, 'Bound');

  let bound = intoClaim(held, claim);
  if (bound !== claim) bound = await client.of('PersistentVolumeClaim').update(bound);
  await setClaimStatus(client, bound, {
    ...bound.status,
    phase: 'Bound',
    ...(held.spec?.accessModes ? { accessModes: held.spec.accessModes } : {}),
    // What a resize has granted is not taken back.
    ...(bound.status?.phase === 'Bound' && bound.status.capacity ? {} : held.spec?.capacity ? { capacity: held.spec.capacity } : {}),
  });
}

function intoClaim(volume: Volume, claim: Claim): Claim {
  const { annotations } = claim.metadata;
  const ours = claim.spec?.volumeName === volume.metadata.name;
  if (ours && annotations?.[BIND_COMPLETED] !== undefined) return claim;
  return {
    ...claim,
    metadata: { ...claim.metadata, annotations: { ...annotations, ...(ours ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }), [BIND_COMPLETED]: 'yes' } },
    spec: { ...claim.spec, ...(volume.metadata.name ? { volumeName: volume.metadata.name } : {}) },
  };
}

/** Sets a volume's phase, if it is another. */
export async function setPhase(client: Client, volume: Volume, phase: Phase, message?: string): Promise<Volume> {
  if (volume.status?.phase === phase && volume.status.message === message) return volume;
  const { message: _, ...rest } = volume.status ?? {};
  return client.of('PersistentVolume').updateStatus({ ...volume, status: { ...rest, phase, ...(message === undefined ? {} : { message }) } });
}

export async function setClaimStatus(client: Client, claim: Claim, status: DeepReadonly<PersistentVolumeClaimStatus>): Promise<void> {
  if (!equal(claim.status, status)) await client.of('PersistentVolumeClaim').updateStatus({ ...claim, status });
}
