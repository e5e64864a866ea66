/**
 * The Node authorizer (plugin/pkg/auth/authorizer/node): what a kubelet may read and write. Secrets, ConfigMaps,
 * claims, volumes and token requests only as far as a pod of that node refers to them; pods and nodes only its own
 * (AuthorizeNodeWithSelectors); the rest by fixed rules.
 *
 * Upstream keeps a graph of all references; here it is followed from the node's pods, of which there are few.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttachment } from '../../api/types.gen.ts';
import type { User } from '../authentication.ts';
import { quote } from '../errors.ts';
import type { Attributes, PolicyRule, Verdict } from '../rbac.ts';
import type { WatchCache } from '../watch-cache.ts';

const READ = ['get', 'list', 'watch'];
const rule = (verbs: readonly string[], group: string, ...resources: string[]): PolicyRule => ({ apiGroups: [group], resources, verbs });
/** What is not decided object by object. */
const RULES: readonly PolicyRule[] = [
  rule(['create'], 'authentication.k8s.io', 'tokenreviews'),
  rule(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews', 'subjectaccessreviews'),
  rule(READ, '', 'services'),
  rule(['create', 'patch', 'update'], '', 'events'),
  rule(['get'], '', 'endpoints'),
  rule(['create', ...READ], 'certificates.k8s.io', 'certificatesigningrequests'),
  rule(READ, 'storage.k8s.io', 'csidrivers'),
  rule(READ, 'node.k8s.io', 'runtimeclasses'),
];

const ALLOW: Verdict = { allowed: true, reason: '' };
const refuse = (reason: string): Verdict => ({ allowed: false, reason });
const NONE = refuse('');
const PODS = '/registry/pods/';
const LEASE_NAMESPACE = 'kube-node-lease';

export class NodeAuthorizer {
  /** Pods by node and key, kept current from the first question on. */
  private pods: Map<string, Map<string, KubeObject>> | undefined;
  private readonly references = new WeakMap<object, ReadonlySet<string>>();

  constructor(
    private readonly cache: WatchCache,
    private readonly allows: (rule: PolicyRule, what: Attributes) => boolean,
  ) {
    cache.listen((prefix, { type, object, previous }) => {
      if (prefix !== PODS || !this.pods) return;
      const key = keyOf(object);
      const before = previous && nodeOf(previous);
      const now = type === 'DELETED' ? '' : nodeOf(object);
      if (before && before !== now) this.pods.get(before)?.delete(key);
      if (now) this.on(now).set(key, object);
    });
  }

  /** The cache has been read anew. */
  reset(): void {
    this.pods = undefined;
  }

  /** Undefined when the user is no kubelet. */
  authorize(user: User, what: Attributes): Verdict | undefined {
    if (!user.groups.includes('system:nodes')) return undefined;
    if (!user.name.startsWith('system:node:')) return undefined;
    const node = user.name.slice('system:node:'.length);
    if (node === '') return refuse(`unknown node for user ${quote(user.name)}`);
    const { verb, subresource } = what;
    if (what.resource !== '')
      switch (`${what.group}/${what.resource}`) {
        case '/secrets':
        case '/configmaps':
          if (!READ.includes(verb)) return refuse('can only read resources of this type');
          if (subresource) return refuse('cannot read subresource');
          if (!what.namespace) return refuse('can only read namespaced object of this type');
          return this.related(node, what);
        case '/persistentvolumeclaims':
          if (subresource === 'status') return verb === 'update' || verb === 'patch' ? this.related(node, what) : refuse('can only get/update/patch this type');
          return this.get(node, what);
        case '/persistentvolumes':
        case 'storage.k8s.io/volumeattachments':
        case 'resource.k8s.io/resourceclaims':
          return this.get(node, what);
        case '/serviceaccounts':
          if (verb !== 'create' || !what.name) return refuse('can only create tokens for individual service accounts');
          if (subresource !== 'token') return refuse('can only create token subresource of serviceaccount');
          return this.related(node, what);
        case 'coordination.k8s.io/leases':
          return lease(node, what);
        case 'storage.k8s.io/csinodes':
          return csiNode(node, what);
        case '/nodes':
          return ownNode(node, what);
        case '/pods':
          return this.pod(node, what);
      }
    return RULES.some((each) => this.allows(each, what)) ? ALLOW : NONE;
  }

  private get(node: string, what: Attributes): Verdict {
    if (what.verb !== 'get') return refuse('can only get individual resources of this type');
    return what.subresource ? refuse('cannot get subresource') : this.related(node, what);
  }

  private pod(node: string, what: Attributes): Verdict {
    const { verb, subresource } = what;
    if (subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOW : NONE;
    if (subresource === 'eviction') return verb === 'create' ? ALLOW : NONE;
    if (subresource !== '') return NONE;
    if (verb === 'create' || verb === 'delete') return ALLOW;
    if (verb === 'get') return this.get(node, what);
    if (verb !== 'list' && verb !== 'watch') return NONE;
    if ((what.fieldSelector ?? '').split(',').some((part) => /^spec\.nodeName==?(.*)$/.exec(part)?.[1] === node)) return ALLOW;
    return what.name ? this.related(node, what) : refuse('can only list/watch pods with spec.nodeName field selector');
  }

  /** Is there a way from the object to the node? */
  private related(node: string, what: Attributes): Verdict {
    if (!what.name) return refuse('No Object name found');
    return this.reaches(node, what) ? ALLOW : refuse(`no relationship found between node '${node}' and this object`);
  }

  private reaches(node: string, { resource, namespace, name }: Attributes): boolean {
    const pods = this.on(node);
    if (resource === 'pods') return pods.has(`${namespace}/${name}`);
    if (resource === 'volumeattachments')
      return (this.cache.get(`/registry/volumeattachments/${name}`)?.object as VolumeAttachment | undefined)?.spec?.nodeName === node;
    if (resource === 'persistentvolumes') return [...pods.values()].some((pod) => this.claimsOf(pod).some((claim) => claim.spec?.volumeName === name));
    const wanted = `${resource}/${name}`;
    for (const pod of pods.values()) {
      if (pod.metadata.namespace === namespace && this.referencesOf(pod).has(wanted)) return true;
      if (resource === 'secrets' && this.claimsOf(pod).some((claim) => this.volumeSecrets(claim).includes(`${namespace}/${name}`))) return true;
    }
    return false;
  }

  private claimsOf(pod: KubeObject): PersistentVolumeClaim[] {
    const claims: PersistentVolumeClaim[] = [];
    for (const reference of this.referencesOf(pod)) {
      if (!reference.startsWith('persistentvolumeclaims/')) continue;
      const found = this.cache.get(`/registry/persistentvolumeclaims/${pod.metadata.namespace}/${reference.slice('persistentvolumeclaims/'.length)}`);
      if (found) claims.push(found.object as PersistentVolumeClaim);
    }
    return claims;
  }

  private volumeSecrets(claim: PersistentVolumeClaim): string[] {
    const volume = this.cache.get(`/registry/persistentvolumes/${claim.spec?.volumeName ?? ''}`)?.object as PersistentVolume | undefined;
    const csi = volume?.spec?.csi;
    return [csi?.nodeStageSecretRef, csi?.nodePublishSecretRef, csi?.nodeExpandSecretRef].flatMap((ref) => (ref?.name ? [`${ref.namespace}/${ref.name}`] : []));
  }

  private referencesOf(pod: KubeObject): ReadonlySet<string> {
    let found = this.references.get(pod);
    if (!found) {
      found = referencesOf(pod as Pod);
      this.references.set(pod, found);
    }
    return found;
  }

  private on(node: string): Map<string, KubeObject> {
    if (!this.pods) {
      this.pods = new Map();
      for (const { object } of this.cache.under(PODS)) {
        const where = nodeOf(object);
        if (where) this.on(where).set(keyOf(object), object);
      }
    }
    let pods = this.pods.get(node);
    if (!pods) {
      pods = new Map();
      this.pods.set(node, pods);
    }
    return pods;
  }
}

const nodeOf = (object: KubeObject): string => (object as Pod).spec?.nodeName ?? '';
const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

function lease(node: string, { verb, namespace, name }: Attributes): Verdict {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) return refuse('can only get, create, update, patch, or delete a node lease');
  if (namespace !== LEASE_NAMESPACE) return refuse(`can only access leases in the ${quote(LEASE_NAMESPACE)} system namespace`);
  return verb !== 'create' && name !== node ? refuse('can only access node lease with the same name as the requesting node') : ALLOW;
}

function csiNode(node: string, { verb, subresource, name }: Attributes): Verdict {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) return refuse('can only get, create, update, patch, or delete a CSINode');
  if (subresource) return refuse('cannot authorize CSINode subresources');
  return verb !== 'create' && name !== node ? refuse('can only access CSINode with the same name as the requesting node') : ALLOW;
}

function ownNode(node: string, { verb, subresource, name }: Attributes): Verdict {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOW : NONE;
  if (subresource !== '') return NONE;
  if (verb === 'create' || verb === 'update' || verb === 'patch') return ALLOW;
  if (!READ.includes(verb)) return NONE;
  if (name === node) return ALLOW;
  return refuse(
    name === '' ? `node '${node}' cannot read all nodes, only its own Node object` : `node '${node}' cannot read '${name}', only its own Node object`,
  );
}

/** What a pod refers to in its own namespace, as `resource/name`. */
function referencesOf(pod: Pod): ReadonlySet<string> {
  const found = new Set<string>();
  const take = (resource: string, name: string | undefined): void => {
    if (name) found.add(`${resource}/${name}`);
  };
  const { spec } = pod;
  take('serviceaccounts', spec?.serviceAccountName);
  for (const secret of spec?.imagePullSecrets ?? []) take('secrets', secret.name);
  for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])]) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      take('configmaps', configMapRef?.name);
      take('secrets', secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      take('configmaps', valueFrom?.configMapKeyRef?.name);
      take('secrets', valueFrom?.secretKeyRef?.name);
    }
  }
  for (const volume of spec?.volumes ?? []) {
    take('configmaps', volume.configMap?.name);
    take('secrets', volume.secret?.secretName);
    take('secrets', volume.csi?.nodePublishSecretRef?.name);
    take('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName);
    if (volume.ephemeral) take('persistentvolumeclaims', `${pod.metadata.name}-${volume.name}`);
    for (const { configMap, secret } of volume.projected?.sources ?? []) {
      take('configmaps', configMap?.name);
      take('secrets', secret?.name);
    }
  }
  return found;
}
