/**
 * Checks new policies against the types they are about and writes what it found into their status
 * (pkg/controller/validatingadmissionpolicystatus).
 *
 * Here simplified: upstream runs this in kube-controller-manager; here it lives where CEL does, in the API server.
 */
import type { KubeObject } from '../../../api/meta.ts';
import { ApiError } from '../../../api/request.ts';
import { byKind } from '../../../api/resources.ts';
import type { ValidatingAdmissionPolicy } from '../../../api/types.gen.ts';
import type { World } from '../admission.ts';
import { typeWarnings } from './type-check.ts';

/** Rejects only when etcd does not answer; whoever changed the policy meanwhile is checked on their own behalf. */
export async function writePolicyStatus(object: KubeObject, world: World): Promise<void> {
  const policy = object as ValidatingAdmissionPolicy;
  const expressionWarnings = typeWarnings(policy);
  const status = {
    ...policy.status,
    observedGeneration: policy.metadata.generation ?? 1,
    typeChecking: expressionWarnings.length > 0 ? { expressionWarnings } : {},
  };
  try {
    await world.writeStatus(byKind('ValidatingAdmissionPolicy'), { ...policy, status } as unknown as KubeObject, true);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
