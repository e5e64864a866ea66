/**
 * How kinds differ when they are written (upstream `rest.RESTCreateStrategy` and its kin, pkg/registry).
 * What a kind does not say is what the generic store does.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { ResourceRow } from '../../api/resources.ts';
import type { Registry } from './store.ts';
import { daemonSetStrategy, statefulSetStrategy } from './workload.ts';

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: string | undefined;
  readonly orphanDependents?: boolean | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly dryRun?: readonly string[] | undefined;
}

/** Another object that was written so that this write may happen. */
export interface Claim {
  /** The write happened. */
  done(): Promise<void>;
  /** It did not. */
  undo(): Promise<void>;
}

export interface Strategy {
  /** True: a new object keeps the status it came with. */
  readonly keepsStatus?: boolean;
  /** Sets what only the server may set; status has been dropped already. */
  prepareCreate?(object: KubeObject, registry: Registry): KubeObject;
  /** Keeps what an update of the main resource may not change; status and system metadata have been kept already. */
  prepareUpdate?(next: KubeObject, old: KubeObject, registry: Registry): KubeObject;
  /** Same for the status subresource; everything but status and metadata has been kept already. */
  prepareStatus?(next: KubeObject, old: KubeObject, registry: Registry): KubeObject;
  /** Writes what must be there before the object is; `taken`: the object must be prepared anew. Not called in a dry run. */
  claim?(object: KubeObject, old: KubeObject | undefined): Promise<Claim | 'taken'> | undefined;
  /** The object is gone: what was claimed for it goes too. */
  release?(object: KubeObject): Promise<void>;
  /** What a delete makes of an object before it looks at its finalizers. */
  prepareDelete?(object: KubeObject, registry: Registry): KubeObject;
  /** Seconds a deleted object lives on (undefined: the kind knows no grace). */
  gracePeriod?(object: KubeObject, options: DeleteOptions): number;
  /** True: a delete without a policy leaves dependents orphaned. */
  readonly orphansByDefault?: boolean;
  /** False: dependents are never collected, so no finalizers of the garbage collector. */
  readonly collects?: boolean;
  /** True: PUT of a name that does not exist creates it. */
  readonly createsOnUpdate?: boolean;
  /** True: PUT must carry a resourceVersion. */
  readonly versionRequired?: boolean;
  /** Metadata generation counts changes of everything but metadata and status. */
  readonly counted?: boolean;
  /** Changes of annotations count too. */
  readonly countsAnnotations?: boolean;
  /** Seconds after which an object goes away by itself. */
  readonly ttl?: number;
  /** DELETE answers with the object that was, not with a Status. */
  readonly returnsDeleted?: boolean;
}

const counted: Strategy = { counted: true };
const rbac: Strategy = { createsOnUpdate: true };
const versioned: Strategy = { versionRequired: true };
const returned: Strategy = { returnsDeleted: true };

const withStatus =
  (status: object) =>
  (object: KubeObject): KubeObject =>
    ({ ...object, status }) as unknown as KubeObject;

/** Kinds without code of their own. */
export const PLAIN: Readonly<Record<string, Strategy>> = {
  deployments: { counted: true, countsAnnotations: true },
  replicasets: counted,
  statefulsets: statefulSetStrategy,
  daemonsets: daemonSetStrategy,
  replicationcontrollers: { counted: true, orphansByDefault: true },
  cronjobs: counted,
  ingresses: { counted: true, prepareCreate: withStatus({ loadBalancer: {} }) },
  ingressclasses: counted,
  ipaddresses: counted,
  servicecidrs: counted,
  deviceclasses: counted,
  resourceslices: counted,
  networkpolicies: counted,
  poddisruptionbudgets: { counted: true, versionRequired: true },
  endpointslices: counted,
  podtemplates: { counted: true, returnsDeleted: true },
  priorityclasses: counted,
  csidrivers: counted,
  events: { createsOnUpdate: true, ttl: 3600, collects: false },
  leases: { createsOnUpdate: true, versionRequired: true },
  endpoints: { createsOnUpdate: true },
  limitranges: { createsOnUpdate: true },
  clusterroles: rbac,
  clusterrolebindings: rbac,
  roles: rbac,
  rolebindings: rbac,
  csinodes: versioned,
  runtimeclasses: versioned,
  mutatingadmissionpolicies: { counted: true, versionRequired: true },
  mutatingadmissionpolicybindings: { counted: true, versionRequired: true },
  mutatingwebhookconfigurations: { counted: true, versionRequired: true },
  validatingwebhookconfigurations: { counted: true, versionRequired: true },
  validatingadmissionpolicies: { counted: true, versionRequired: true },
  validatingadmissionpolicybindings: { counted: true, versionRequired: true },
  serviceaccounts: returned,
  persistentvolumes: { returnsDeleted: true, prepareCreate: withStatus({ phase: 'Pending' }) },
  persistentvolumeclaims: { returnsDeleted: true, prepareCreate: withStatus({ phase: 'Pending' }) },
  resourcequotas: returned,
};

export const hasStatus = (row: ResourceRow): boolean => row.subresources.some((subresource) => subresource.name === 'status');
