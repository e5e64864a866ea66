/**
 * How far the world is from what objects ask for, counted from what is stored: a controller that is paused writes no
 * status, so its word is not taken for it. Each controller is held against its own work only: a Deployment's is what it
 * asks of its ReplicaSets, theirs is pods.
 *
 * Controllers without a rule of their own are held against `status.observedGeneration`.
 */
import type { LoopDrift } from '../hosts/protocol.ts';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import { type KubeObject, keyOf } from '../kubernetes/api/meta.ts';
import { RESOURCES } from '../kubernetes/api/resources.ts';
import { matchesSet } from '../kubernetes/api/selector.ts';
import type {
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  HorizontalPodAutoscaler,
  Job,
  Node,
  Pod,
  ReplicaSet,
  Service,
} from '../kubernetes/api/types.gen.ts';
import { shouldRun } from '../kubernetes/controller-manager/daemonset-plan.ts';
import { findNew } from '../kubernetes/controller-manager/deployment.ts';
import { hasEndpoints } from '../kubernetes/controller-manager/endpoint-pods.ts';
import { SERVICE_NAME } from '../kubernetes/controller-manager/endpointslice.ts';
import { isActive, isFinished, isReady } from '../kubernetes/controller-manager/pods.ts';
import type { StoreMirror } from './store-mirror.ts';

type Stored = DeepReadonly<KubeObject>;
type APod = DeepReadonly<Pod>;

/** Whose work is looked at. */
export interface Worker {
  readonly name: string;
  readonly role: 'controller' | 'scheduler' | 'kubelet';
  readonly kind: string;
  /** Of a kubelet. */
  readonly node?: string;
}

/** The store at one moment; what several rules need is sorted once. */
export class DriftTable {
  private owned: Map<string, APod[]> | undefined;
  private uids: Map<string, string> | undefined;
  private readonly sorted = new Map<string, Map<string, Stored[]>>();

  constructor(private readonly mirror: Pick<StoreMirror, 'list' | 'get'>) {}

  of(worker: Worker): readonly LoopDrift[] {
    if (worker.role === 'scheduler') return this.unplaced();
    if (worker.role === 'kubelet') return this.onNode(worker.node ?? '');
    const byName = BY_NAME[worker.name];
    if (byName) return byName(this);
    const byKind = BY_KIND[worker.kind];
    const objects = this.kind(worker.kind);
    if (byKind) return objects.flatMap((object) => byKind(object as never, this));
    return objects.flatMap((object) => unseenSpec(object, worker.kind));
  }

  list<T extends Stored>(plural: string): readonly T[] {
    return this.mirror.list(plural) as unknown as readonly T[];
  }
  get(plural: string, key: string): Stored | undefined {
    return this.mirror.get(plural, key);
  }

  /** `Pod/default/web-1`, of the kinds that own and are owned; undefined: gone, or another kind. */
  nameOf(uid: string): string | undefined {
    if (!this.uids) {
      this.uids = new Map();
      for (const plural of new Set([...OWNERS, ...OWNED])) {
        const kind = RESOURCES.find((row) => row.plural === plural)?.kind ?? plural;
        for (const object of this.mirror.list(plural)) this.uids.set(object.metadata.uid ?? '', `${kind}/${keyOf(object)}`);
      }
    }
    return this.uids.get(uid);
  }

  private kind(kind: string): readonly Stored[] {
    const row = RESOURCES.find((each) => each.kind === kind && each.prefix !== '');
    return row ? this.mirror.list(row.plural) : [];
  }

  /** Pods by the uid of the controller that owns them. */
  podsOf(owner: Stored): readonly APod[] {
    this.owned ??= this.byOwner<APod>('pods');
    return this.owned.get(owner.metadata.uid ?? '') ?? [];
  }
  ownedBy<T extends Stored>(plural: string, owner: Stored): readonly T[] {
    let map = this.sorted.get(plural);
    if (!map) {
      map = this.byOwner(plural);
      this.sorted.set(plural, map);
    }
    return (map.get(owner.metadata.uid ?? '') ?? []) as unknown as readonly T[];
  }
  private byOwner<T extends Stored>(plural: string): Map<string, T[]> {
    const map = new Map<string, T[]>();
    for (const object of this.list<T>(plural)) {
      const uid = object.metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
      if (uid === undefined) continue;
      const list = map.get(uid);
      if (list) list.push(object);
      else map.set(uid, [object]);
    }
    return map;
  }

  private unplaced(): readonly LoopDrift[] {
    return this.list<APod>('pods').flatMap((pod) =>
      pod.spec?.nodeName || pod.metadata.deletionTimestamp || isFinished(pod) ? [] : [drift('Pod', pod, 'a node', 1, 0)],
    );
  }

  private onNode(node: string): readonly LoopDrift[] {
    return this.list<APod>('pods')
      .filter((pod) => pod.spec?.nodeName === node && !isFinished(pod))
      .map((pod) => {
        const containers = pod.spec?.containers.length ?? 0;
        const running = (pod.status?.containerStatuses ?? []).filter(({ state }) => state?.running).length;
        return drift('Pod', pod, 'containers running', pod.metadata.deletionTimestamp ? 0 : containers, running);
      });
  }
}

const drift = (kind: string, object: Stored, what: string, desired: number, observed: number): LoopDrift => ({
  about: `${kind}/${keyOf(object)}`,
  what,
  desired,
  observed,
});

/** The spec was changed, and the controller has not said that it has seen it. */
function unseenSpec(object: Stored, kind: string): readonly LoopDrift[] {
  const { generation } = object.metadata as { generation?: number };
  const status = (object as { status?: { observedGeneration?: number } }).status;
  if (generation === undefined || status?.observedGeneration === undefined) return [];
  return [drift(kind, object, 'generation seen', generation, status.observedGeneration)];
}

interface Counted extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}
const replicas = (kind: string) => (object: DeepReadonly<Counted>, table: DriftTable) => [
  drift(kind, object, 'pods', object.metadata.deletionTimestamp ? 0 : (object.spec?.replicas ?? 1), table.podsOf(object).filter(isActive).length),
];

const BY_KIND: Readonly<Record<string, (object: never, table: DriftTable) => readonly LoopDrift[]>> = {
  ReplicaSet: replicas('ReplicaSet'),
  ReplicationController: replicas('ReplicationController'),
  StatefulSet: replicas('StatefulSet'),
  Deployment: (d: DeepReadonly<Deployment>, table) => {
    if (d.metadata.deletionTimestamp) return [];
    const sets = table.ownedBy<DeepReadonly<ReplicaSet>>('replicasets', d);
    const newSet = findNew(d, sets);
    const old = sets.filter((set) => set !== newSet).reduce((sum, set) => sum + (set.spec?.replicas ?? 0), 0);
    const rows = [drift('Deployment', d, 'replicas asked of its ReplicaSet', d.spec?.replicas ?? 1, newSet?.spec?.replicas ?? 0)];
    return old > 0 ? [...rows, drift('Deployment', d, 'replicas asked of older ReplicaSets', 0, old)] : rows;
  },
  DaemonSet: (ds: DeepReadonly<DaemonSet>, table) => [
    drift(
      'DaemonSet',
      ds,
      'pods',
      ds.metadata.deletionTimestamp ? 0 : table.list<DeepReadonly<Node>>('nodes').filter((node) => shouldRun(ds, node).run).length,
      table.podsOf(ds).filter(isActive).length,
    ),
  ],
  Job: (job: DeepReadonly<Job>, table) => {
    if (job.status?.conditions?.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')) return [];
    const { parallelism = 1, completions, suspend } = job.spec ?? {};
    const left = completions === undefined ? parallelism : Math.max(0, completions - (job.status?.succeeded ?? 0));
    return [drift('Job', job, 'pods at work', suspend ? 0 : Math.min(parallelism, left), table.podsOf(job).filter(isActive).length)];
  },
  HorizontalPodAutoscaler: (hpa: DeepReadonly<HorizontalPodAutoscaler>) =>
    hpa.status?.desiredReplicas ? [drift('HorizontalPodAutoscaler', hpa, 'replicas', hpa.status.desiredReplicas, hpa.status.currentReplicas ?? 0)] : [],
};

const services = (table: DriftTable): readonly DeepReadonly<Service>[] =>
  table.list<DeepReadonly<Service>>('services').filter((service) => hasEndpoints(service) && !service.metadata.deletionTimestamp);
const readyBehind = (service: DeepReadonly<Service>, table: DriftTable): number =>
  table
    .list<APod>('pods')
    .filter(
      (pod) =>
        pod.metadata.namespace === service.metadata.namespace &&
        matchesSet(service.spec?.selector, pod.metadata.labels) &&
        !pod.metadata.deletionTimestamp &&
        isReady(pod),
    ).length;
const inEvery =
  (plural: string, name: string, what: string) =>
  (table: DriftTable): readonly LoopDrift[] =>
    table
      .list('namespaces')
      .filter((namespace) => !namespace.metadata.deletionTimestamp)
      .map((namespace) => drift('Namespace', namespace, what, 1, table.get(plural, `${namespace.metadata.name}/${name}`) ? 1 : 0));

/** What owners and owned of the garbage collector's commonest work are. */
const OWNERS = ['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'jobs', 'cronjobs', 'replicationcontrollers', 'services', 'nodes'];
const OWNED = ['pods', 'replicasets', 'jobs', 'controllerrevisions', 'endpointslices'];

/** Controllers whose work is not told by the kind they look after. */
const BY_NAME: Readonly<Record<string, (table: DriftTable) => readonly LoopDrift[]>> = {
  'endpoint-slice-controller': (table) => {
    const slices = new Map<string, number>();
    for (const slice of table.list<DeepReadonly<EndpointSlice>>('endpointslices')) {
      const key = `${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME] ?? ''}`;
      slices.set(key, (slices.get(key) ?? 0) + (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready).length);
    }
    return services(table).map((service) => drift('Service', service, 'ready endpoints', readyBehind(service, table), slices.get(keyOf(service)) ?? 0));
  },
  'endpoint-controller': (table) =>
    services(table).map((service) => {
      const endpoints = table.get('endpoints', keyOf(service)) as DeepReadonly<Endpoints> | undefined;
      const listed = (endpoints?.subsets ?? []).reduce((sum, { addresses }) => sum + (addresses?.length ?? 0), 0);
      return drift('Service', service, 'addresses', readyBehind(service, table), listed);
    }),
  'serviceaccount-controller': inEvery('serviceaccounts', 'default', 'ServiceAccount default'),
  'root-ca-certificate-publisher': inEvery('configmaps', 'kube-root-ca.crt', 'ConfigMap kube-root-ca.crt'),
  'namespace-controller': (table) =>
    table.list('namespaces').flatMap((namespace) => (namespace.metadata.deletionTimestamp ? [drift('Namespace', namespace, 'to be gone', 0, 1)] : [])),
  'node-ipam-controller': (table) =>
    table.list<DeepReadonly<Node>>('nodes').map((node) => drift('Node', node, 'a range of addresses', 1, node.spec?.podCIDR ? 1 : 0)),
  'generic-garbage-collector': (table) => {
    const alive = new Set(OWNERS.flatMap((plural) => table.list(plural).map(({ metadata }) => metadata.uid)));
    return OWNED.flatMap((plural) =>
      table.list(plural).flatMap((object) => {
        const owners = object.metadata.ownerReferences ?? [];
        const orphaned = owners.length > 0 && owners.every(({ uid, kind }) => OWNERS.includes(`${kind.toLowerCase()}s`) && !alive.has(uid));
        const kind = RESOURCES.find((row) => row.plural === plural)?.kind ?? plural;
        return orphaned ? [drift(kind, object, 'to be gone: its owner is', 0, 1)] : [];
      }),
    );
  },
};
