/** What `rollout status` says of a workload (kubectl pkg/polymorphichelpers/rollout_status.go). */

import type { DeepReadonly } from '../api/json.ts';
import type { DaemonSet, Deployment, StatefulSet } from '../api/types.gen.ts';
import { KubectlError } from './errors.ts';

export interface RolloutStatus {
  readonly text: string;
  readonly done: boolean;
}
const going = (text: string): RolloutStatus => ({ text, done: false });
const done = (text: string): RolloutStatus => ({ text, done: true });

export const REVISION = 'deployment.kubernetes.io/revision';

export type StatusViewer = (object: unknown, revision: number) => RolloutStatus;

/** By kind of the apps group; other kinds have none. The viewers throw KubectlError when a rollout cannot succeed. */
export const STATUS_VIEWERS: Readonly<Record<string, StatusViewer | undefined>> = {
  Deployment: (object, revision) => deploymentStatus(object as DeepReadonly<Deployment>, revision),
  DaemonSet: (object) => daemonSetStatus(object as DeepReadonly<DaemonSet>),
  StatefulSet: (object) => statefulSetStatus(object as DeepReadonly<StatefulSet>),
};

function deploymentStatus({ metadata, spec, status = {} }: DeepReadonly<Deployment>, revision: number): RolloutStatus {
  const name = JSON.stringify(metadata.name ?? '');
  if (revision > 0) {
    const current = Number(metadata.annotations?.[REVISION] ?? 0);
    if (current !== revision) throw new KubectlError(`desired revision (${revision}) is different from the running revision (${current})`);
  }
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) return going('Waiting for deployment spec update to be observed...\n');
  const { updatedReplicas: updated = 0, replicas = 0, availableReplicas: available = 0 } = status;
  if (status.conditions?.find(({ type }) => type === 'Progressing')?.reason === 'ProgressDeadlineExceeded')
    throw new KubectlError(`deployment ${name} exceeded its progress deadline`);
  const waiting = `Waiting for deployment ${name} rollout to finish:`;
  if (spec?.replicas !== undefined && updated < spec.replicas)
    return going(`${waiting} ${updated} out of ${spec.replicas} new replicas have been updated...\n`);
  if (replicas > updated) return going(`${waiting} ${replicas - updated} old replicas are pending termination...\n`);
  if (available < updated) return going(`${waiting} ${available} of ${updated} updated replicas are available...\n`);
  return done(`deployment ${name} successfully rolled out\n`);
}

const onlyRolling = (type: string | undefined): void => {
  if (type !== 'RollingUpdate') throw new KubectlError('rollout status is only available for RollingUpdate strategy type');
};

function daemonSetStatus({ metadata, spec, status }: DeepReadonly<DaemonSet>): RolloutStatus {
  onlyRolling(spec?.updateStrategy?.type);
  const name = JSON.stringify(metadata.name ?? '');
  if ((metadata.generation ?? 0) > (status?.observedGeneration ?? 0)) return going('Waiting for daemon set spec update to be observed...\n');
  const { updatedNumberScheduled: updated = 0, desiredNumberScheduled: desired = 0, numberAvailable: available = 0 } = status ?? {};
  const waiting = `Waiting for daemon set ${name} rollout to finish:`;
  if (updated < desired) return going(`${waiting} ${updated} out of ${desired} new pods have been updated...\n`);
  if (available < desired) return going(`${waiting} ${available} of ${desired} updated pods are available...\n`);
  return done(`daemon set ${name} successfully rolled out\n`);
}

function statefulSetStatus({ metadata, spec, status }: DeepReadonly<StatefulSet>): RolloutStatus {
  onlyRolling(spec?.updateStrategy?.type);
  if (!status?.observedGeneration || (metadata.generation ?? 0) > status.observedGeneration)
    return going('Waiting for statefulset spec update to be observed...\n');
  const { readyReplicas: ready = 0, updatedReplicas: updated = 0, updateRevision, currentRevision, currentReplicas = 0 } = status;
  const replicas = spec?.replicas;
  if (replicas !== undefined && ready < replicas) return going(`Waiting for ${replicas - ready} pods to be ready...\n`);
  const rolling = spec?.updateStrategy?.rollingUpdate;
  if (rolling) {
    if (replicas !== undefined && rolling.partition !== undefined && updated < replicas - rolling.partition)
      return going(`Waiting for partitioned roll out to finish: ${updated} out of ${replicas - rolling.partition} new pods have been updated...\n`);
    return done(`partitioned roll out complete: ${updated} new pods have been updated...\n`);
  }
  if (updateRevision !== currentRevision) return going(`waiting for statefulset rolling update to complete ${updated} pods at revision ${updateRevision}...\n`);
  return done(`statefulset rolling update complete ${currentReplicas} pods at revision ${currentRevision}...\n`);
}
