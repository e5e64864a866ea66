/**
 * NamespaceLifecycle: nothing is created in a namespace that is not there or is going, and the three
 * namespaces the system needs are never deleted (apiserver `pkg/admission/plugin/namespace/lifecycle`).
 */
import type { KubeObject } from '../../api/meta.ts';
import { failure, forbidden, notFound } from '../errors.ts';
import type { Attributes, Plugin } from './admission.ts';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/** Creating the very things that tell of what is wrong stays possible. */
const ACCESS_REVIEWS = new Set(['localsubjectaccessreviews']);

export const namespaceLifecycle: Plugin = {
  name: 'NamespaceLifecycle',
  /** Before anybody else: without its namespace, whatever else is wrong with an object does not matter. */
  mutate(attributes, world) {
    const { operation, row, namespace, object } = attributes;
    if (namespace === '' || row.plural === 'namespaces' || operation !== 'CREATE' || ACCESS_REVIEWS.has(row.plural)) return object;
    const key = `/registry/namespaces/${namespace}`;
    const cached = world.get(key);
    if (cached && !isTerminating(cached)) return object;
    return world.live(key).then((stored) => {
      check(attributes, stored?.object);
      return object;
    });
  },
  validate({ operation, row, old }) {
    if (operation !== 'DELETE' || row.plural !== 'namespaces' || row.group !== '') return;
    const name = old?.metadata.name ?? '';
    if (IMMORTAL.has(name)) throw forbidden('', 'namespaces', name, 'this namespace may not be deleted');
  },
};

function check({ row, namespace, object }: Attributes, found: KubeObject | undefined): void {
  if (!found) throw notFound('', 'namespaces', namespace);
  if (!isTerminating(found)) return;
  const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const name = object?.metadata.name ?? '';
  const refusal = forbidden(row.group, row.plural, name, message).status;
  throw failure(403, 'Forbidden', refusal.message ?? '', {
    ...refusal.details,
    causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }],
  });
}

const isTerminating = (namespace: KubeObject): boolean =>
  namespace.metadata.deletionTimestamp !== undefined || (namespace as { status?: { phase?: string } }).status?.phase === 'Terminating';
