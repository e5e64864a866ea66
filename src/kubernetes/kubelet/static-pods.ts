/**
 * Static pods: manifests on the node's disk that run without any API server (`config/file.go`,
 * `pod/mirror_client.go`). For people to see them, each gets a mirror pod in the API, owned by the Node;
 * changing the mirror changes nothing.
 */
import type { Files } from '../../linux/files.ts';
import { seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import { hash32 } from '../../sim/rng.ts';
import type { DeepReadonly, Json } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { microTimestamp } from '../api/time.ts';
import type { Pod } from '../api/types.gen.ts';
import { knownYaml } from '../api/yaml-memory.ts';
import { defaultPolicy } from './image-puller.ts';
import type { KubeletNode } from './node.ts';
import type { PodObject } from './pod-view.ts';

export const MANIFESTS = '/etc/kubernetes/manifests';
/** fileCheckFrequency */
export const RESCAN = seconds(20);

/**
 * The manifests directory. A text is parsed once and kept until it is gone from the disk; most are never parsed,
 * because kubeadm wrote them. The parser is brought in for texts of others, while the clock stands still.
 */
export class Manifests {
  private readonly parsed = new Map<string, Json>();
  /** What became of each file as it was last read, so that a look at an unchanged directory costs nothing. */
  private readonly made = new Map<string, { readonly text: string; readonly pod: PodObject | undefined }>();

  constructor(
    private readonly files: Files,
    private readonly nodeName: string,
    /** When a pod was first seen, by its uid. */
    private readonly seen: (uid: string) => string,
  ) {}

  /** Hands over the pods of the directory, at the same instant. A file that is no pod is skipped, as upstream logs and goes on. */
  read(self: Pick<Process, 'outside'>, take: (pods: readonly PodObject[]) => void): void {
    const texts = this.texts();
    for (const text of this.parsed.keys()) if (!texts.some((one) => one.text === text)) this.parsed.delete(text);
    const foreign = texts.filter(({ text }) => this.valueOf(text) === undefined);
    if (foreign.length === 0) {
      take(this.pods(texts));
      return;
    }
    void self.outside(import('../api/yaml.ts')).then(({ parseYaml }) => {
      for (const { text } of foreign) {
        try {
          this.parsed.set(text, parseYaml(text));
        } catch {
          // Half-written or broken: another text is read when it is mended.
          this.parsed.set(text, null);
        }
      }
      take(this.pods(texts));
    });
  }

  private texts(): { readonly path: string; readonly text: string }[] {
    if (!this.files.exists(MANIFESTS) || !this.files.isDirectory(MANIFESTS)) return [];
    return this.files
      .list(MANIFESTS)
      .filter((name) => !name.startsWith('.') && /\.(ya?ml|json)$/.test(name) && !this.files.isDirectory(`${MANIFESTS}/${name}`))
      .map((name) => ({ path: `${MANIFESTS}/${name}`, text: this.files.read(`${MANIFESTS}/${name}`) }));
  }

  private valueOf(text: string): Json | undefined {
    return this.parsed.has(text) ? this.parsed.get(text) : knownYaml(text);
  }

  private pods(texts: readonly { readonly path: string; readonly text: string }[]): PodObject[] {
    const pods: PodObject[] = [];
    for (const { path, text } of texts) {
      try {
        const known = this.made.get(path);
        const pod = known?.text === text ? known.pod : staticPod(this.valueOf(text) as unknown as DeepReadonly<Pod>, this.nodeName, path, this.seen);
        if (known?.text !== text) this.made.set(path, { text, pod });
        if (pod) pods.push(pod);
      } catch {
        // YAML, but not shaped as a pod.
      }
    }
    return pods;
  }
}

/** Gives a manifest its name on this node, a uid from its content, and the defaults an API server would. */
export function staticPod(manifest: DeepReadonly<Pod>, nodeName: string, path: string, seen: (uid: string) => string): PodObject | undefined {
  if (manifest?.kind !== 'Pod' || !manifest.metadata?.name || !manifest.spec) return undefined;
  const text = JSON.stringify(manifest) + nodeName + path;
  let uid = '';
  for (let i = 0; i < 4; i++)
    uid += hash32(text, i + 1)
      .toString(16)
      .padStart(8, '0');
  const container = <C extends { readonly image?: string; readonly imagePullPolicy?: string }>(one: C): C => ({
    ...one,
    imagePullPolicy: one.imagePullPolicy ?? defaultPolicy(one.image ?? ''),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
  return {
    ...manifest,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...manifest.metadata,
      name: `${manifest.metadata.name}-${nodeName}`,
      namespace: manifest.metadata.namespace ?? 'default',
      uid,
      annotations: {
        ...manifest.metadata.annotations,
        'kubernetes.io/config.hash': uid,
        'kubernetes.io/config.seen': seen(uid),
        'kubernetes.io/config.source': 'file',
      },
    },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      schedulerName: 'default-scheduler',
      securityContext: {},
      ...manifest.spec,
      nodeName,
      containers: manifest.spec.containers.map(container),
      ...(manifest.spec.initContainers && { initContainers: manifest.spec.initContainers.map(container) }),
      tolerations: [...(manifest.spec.tolerations ?? []), { effect: 'NoExecute', operator: 'Exists' }],
    },
    status: { phase: 'Pending' },
  };
}

export const isMirror = (pod: PodObject): boolean => pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
export const isStatic = (pod: PodObject): boolean => pod.metadata.annotations?.['kubernetes.io/config.source'] === 'file' && !isMirror(pod);

/** The mirror a static pod should have. */
export function mirrorOf(pod: PodObject, node: { readonly name: string; readonly uid: string }): PodObject {
  const { uid, ...metadata } = pod.metadata;
  const { status: _, ...rest } = pod;
  return {
    ...rest,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, 'kubernetes.io/config.mirror': uid ?? '' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid, controller: true }],
    },
  };
}

/** Keeps mirrors in step: one attempt in flight per pod, repeated by the pod worker's own retries. */
export class Mirrors {
  private readonly busy = new Set<string>();
  constructor(
    private readonly node: Pick<KubeletNode, 'self' | 'client' | 'nodeName'>,
    private readonly nodeUid: () => string | undefined,
    /** The mirror now in the API, by namespace/name. */
    private readonly existing: (key: string) => PodObject | undefined,
    private readonly known: () => boolean,
  ) {}

  /** Makes the mirror, or replaces one of an older manifest. Does nothing until the node is registered. */
  ensure(pod: PodObject): void {
    const key = keyOf(pod);
    const uid = this.nodeUid();
    if (uid === undefined || !this.known() || this.busy.has(key)) return;
    const mirror = this.existing(key);
    if (mirror && mirror.metadata.deletionTimestamp === undefined && mirror.metadata.annotations?.['kubernetes.io/config.mirror'] === pod.metadata.uid) return;
    this.busy.add(key);
    this.node.self.clock.after(0, () => {
      this.node.self.clock.wake();
      void this.replace(pod, mirror, uid).finally(() => this.busy.delete(key));
    });
  }

  /** The manifest is gone: so is its mirror. */
  remove(mirror: PodObject): void {
    const key = keyOf(mirror);
    if (this.busy.has(key)) return;
    this.busy.add(key);
    this.node.self.clock.after(0, () => {
      this.node.self.clock.wake();
      void this.delete(mirror).finally(() => this.busy.delete(key));
    });
  }

  private async replace(pod: PodObject, old: PodObject | undefined, nodeUid: string): Promise<void> {
    if (old) await this.delete(old);
    await this.node.client
      .of('Pod')
      .create(mirrorOf(pod, { name: this.node.nodeName, uid: nodeUid }))
      .catch(() => {});
  }
  private async delete(mirror: PodObject): Promise<void> {
    await this.node.client
      .of('Pod')
      .delete(keyOf(mirror), { gracePeriodSeconds: 0, preconditions: { uid: mirror.metadata.uid! } })
      .catch(() => {});
  }
}

/** When a pod was first seen, as `kubernetes.io/config.seen` says it. */
export function createSeen(now: () => number): (uid: string) => string {
  const first = new Map<string, string>();
  return (uid) => {
    let at = first.get(uid);
    if (at === undefined) {
      at = microTimestamp(now()).replace('Z', '000Z');
      first.set(uid, at);
    }
    return at;
  };
}
