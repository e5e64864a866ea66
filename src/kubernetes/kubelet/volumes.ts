/**
 * A pod's volumes, as directories and files on the node's disk (`volumemanager`, `pkg/volume/*`), ready
 * before its containers start and kept current while they run.
 *
 * Here simplified: files are written directly instead of through the `..data` link of AtomicWriter; a
 * PersistentVolume that is no hostPath or local volume lives in a directory of the node that mounts it.
 */
import type { Files } from '../../linux/files.ts';
import { type Duration, seconds } from '../../sim/clock.ts';
import type { DeepReadonly, Json } from '../api/json.ts';
import type { ConfigMap, KeyToPath, Secret, Volume } from '../api/types.gen.ts';
import { decodeBase64 } from './base64.ts';
import type { Mount } from './cri.ts';
import { fieldValue, resourceValue, type Sources } from './environment.ts';
import type { KubeletNode } from './node.ts';
import { allContainers, type ContainerSpec, type PodObject } from './pod-view.ts';

type VolumeSpec = DeepReadonly<Volume>;

/** A volume could not be set up; the message goes into a FailedMount event. */
export class MountError extends Error {}

export const podDirectory = (uid: string): string => `/var/lib/kubelet/pods/${uid}`;
/** Where an emptyDir is kept. */
export const emptyDirectory = (uid: string, volume: string): string => `${podDirectory(uid)}/volumes/kubernetes.io~empty-dir/${volume}`;
/** Bytes of all files below a directory; 0 when there is none. */
export function sizeOf(files: Files, path: string): number {
  if (!files.exists(path)) return 0;
  if (!files.isDirectory(path)) return files.read(path).length;
  return files.list(path).reduce((sum, name) => sum + sizeOf(files, `${path}/${name}`), 0);
}

const PLUGIN: readonly (readonly [keyof Volume, string])[] = [
  ['emptyDir', 'empty-dir'],
  ['configMap', 'configmap'],
  ['secret', 'secret'],
  ['projected', 'projected'],
  ['downwardAPI', 'downward-api'],
];

/** Sets up every volume the pod's containers mount. Rejects with MountError at the first that cannot be. */
export class PodVolumes {
  /** Volume name → directory or file on the node. */
  private readonly paths = new Map<string, string>();
  private readonly tokens = new Map<string, { readonly token: string; readonly refreshAt: number }>();
  /** Text last written, per file: a refresh rewrites only what changed. */
  private readonly written = new Map<string, string>();

  constructor(
    private readonly node: KubeletNode,
    private readonly uid: string,
  ) {}

  /** Brings every volume up to date. Returns after how long a token is due for renewal, if any. */
  async mount(pod: PodObject): Promise<Duration | undefined> {
    const used = new Set(allContainers(pod).flatMap((container) => (container.volumeMounts ?? []).map((mount) => mount.name)));
    for (const volume of pod.spec?.volumes ?? []) {
      if (!used.has(volume.name)) continue;
      try {
        this.paths.set(volume.name, await this.setUp(pod, volume));
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new MountError(error instanceof MountError ? message : `MountVolume.SetUp failed for volume "${volume.name}" : ${message}`);
      }
    }
    const now = this.node.self.clock.now();
    let next: Duration | undefined;
    for (const { refreshAt } of this.tokens.values()) next = Math.min(next ?? Number.POSITIVE_INFINITY, Math.max(0, refreshAt - now));
    return next;
  }

  /** The mounts of one container. */
  mountsOf(container: ContainerSpec): Mount[] {
    return (container.volumeMounts ?? []).flatMap((mount) => {
      const base = this.paths.get(mount.name);
      if (base === undefined) return [];
      const hostPath = mount.subPath ? `${base}/${mount.subPath}` : base;
      if (!this.node.files.exists(hostPath)) this.node.files.mkdir(hostPath);
      return [{ containerPath: mount.mountPath, readOnly: mount.readOnly === true, hostPath }];
    });
  }

  /** The pod is gone: what was its own is removed. */
  tearDown(): void {
    const directory = podDirectory(this.uid);
    if (this.node.files.exists(directory)) this.node.files.remove(directory);
  }

  private async setUp(pod: PodObject, volume: VolumeSpec): Promise<string> {
    const { files } = this.node;
    const plugin = PLUGIN.find(([field]) => volume[field] !== undefined);
    if (plugin) {
      const directory = `${podDirectory(this.uid)}/volumes/kubernetes.io~${plugin[1]}/${volume.name}`;
      if (!files.exists(directory)) files.mkdir(directory);
      if (volume.configMap) this.fill(directory, await this.configMap(pod, volume.configMap.name ?? '', volume.configMap.items, volume.configMap.optional));
      else if (volume.secret) this.fill(directory, await this.secret(pod, volume.secret.secretName ?? '', volume.secret.items, volume.secret.optional));
      else if (volume.downwardAPI) this.fill(directory, this.downward(pod, volume.downwardAPI.items ?? []));
      else if (volume.projected) this.fill(directory, await this.projected(pod, volume));
      return directory;
    }
    if (volume.hostPath) return this.hostPath(volume.name, volume.hostPath.path, volume.hostPath.type ?? '');
    if (volume.persistentVolumeClaim) return this.claim(pod, volume.name, volume.persistentVolumeClaim.claimName);
    if (volume.ephemeral) return this.claim(pod, volume.name, `${pod.metadata.name}-${volume.name}`);
    throw new Error(`no volume plugin matched`);
  }

  private hostPath(name: string, path: string, type: string): string {
    const { files } = this.node;
    const there = files.exists(path);
    const refuse = (what: string): never => {
      throw new MountError(`MountVolume.SetUp failed for volume "${name}" : hostPath type check failed: ${path} is not a ${what}`);
    };
    if (type === 'DirectoryOrCreate' && !there) files.mkdir(path);
    else if (type === 'FileOrCreate' && !there) files.write(path, '');
    else if ((type === 'Directory' || type === 'DirectoryOrCreate') && !(there && files.isDirectory(path))) refuse('directory');
    else if ((type === 'File' || type === 'FileOrCreate') && !(there && !files.isDirectory(path))) refuse('file');
    else if (!there) files.mkdir(path);
    return path;
  }

  /** The directory of a claim's volume, which outlives the pod (`desired_state_of_world_populator.go`, `operation_generator.go`). */
  private async claim(pod: PodObject, name: string, claimName: string): Promise<string> {
    const { files, client } = this.node;
    const namespace = pod.metadata.namespace ?? '';
    const failed = (why: string): MountError =>
      new MountError(
        `Unable to attach or mount volumes: unmounted volumes=[${name}], unattached volumes=[], failed to process volumes=[${name}]: error processing PVC ${namespace}/${claimName}: ${why}`,
      );
    const claim = await client
      .of('PersistentVolumeClaim')
      .get(`${namespace}/${claimName}`)
      .catch((error) => {
        throw failed(`failed to fetch PVC from API server: ${error instanceof Error ? error.message : String(error)}`);
      });
    if (claim.metadata.deletionTimestamp && this.paths.get(name) === undefined) throw failed('PVC is being deleted');
    if (claim.status?.phase !== 'Bound' || !claim.spec?.volumeName) throw failed('PVC is not bound');
    const { metadata, spec } = await client
      .of('PersistentVolume')
      .get(claim.spec.volumeName)
      .catch((error) => {
        throw failed(`failed to fetch PV ${claim.spec?.volumeName} from API server: ${error instanceof Error ? error.message : String(error)}`);
      });
    const volume = metadata.name ?? '';
    if (spec?.hostPath) return this.hostPath(volume, spec.hostPath.path, spec.hostPath.type ?? '');
    if (spec?.local) {
      // Nobody makes a local disk by mounting it.
      if (!files.exists(spec.local.path))
        throw new MountError(`MountVolume.NewMounter initialization failed for volume "${volume}" : path "${spec.local.path}" does not exist`);
      return spec.local.path;
    }
    const path = `/var/lib/kubelet/plugins/kubernetes.io/csi/${volume}/globalmount`;
    if (!files.exists(path)) files.mkdir(path);
    return path;
  }

  private async configMap(
    pod: PodObject,
    name: string,
    items: readonly DeepReadonly<KeyToPath>[] | undefined,
    optional: boolean | undefined,
  ): Promise<Record<string, string>> {
    const map = (await this.node.objects.get('ConfigMap', pod.metadata.namespace ?? '', name, this.uid)) as DeepReadonly<ConfigMap> | undefined;
    if (!map && !optional) throw new Error(`configmap "${name}" not found`);
    const data: Record<string, string> = {};
    for (const [key, value] of Object.entries(map?.data ?? {})) data[key] = value ?? '';
    for (const [key, value] of Object.entries(map?.binaryData ?? {})) data[key] = decodeBase64(value ?? '');
    return select(data, items, optional);
  }
  private async secret(
    pod: PodObject,
    name: string,
    items: readonly DeepReadonly<KeyToPath>[] | undefined,
    optional: boolean | undefined,
  ): Promise<Record<string, string>> {
    const secret = (await this.node.objects.get('Secret', pod.metadata.namespace ?? '', name, this.uid)) as DeepReadonly<Secret> | undefined;
    if (!secret && !optional) throw new Error(`secret "${name}" not found`);
    const data: Record<string, string> = {};
    for (const [key, value] of Object.entries(secret?.data ?? {})) data[key] = decodeBase64(value ?? '');
    return select(data, items, optional);
  }
  private downward(pod: PodObject, items: NonNullable<NonNullable<VolumeSpec['downwardAPI']>['items']>): Record<string, string> {
    const data: Record<string, string> = {};
    const sources: Pick<Sources, 'nodeName' | 'hostIP' | 'podIPs'> = { nodeName: this.node.nodeName, hostIP: this.node.hostIP, podIPs: [] };
    for (const item of items) {
      if (item.fieldRef) data[item.path] = fieldValue(pod, item.fieldRef, sources);
      else if (item.resourceFieldRef) {
        const container = allContainers(pod).find((one) => one.name === item.resourceFieldRef!.containerName);
        if (container) data[item.path] = resourceValue(container, item.resourceFieldRef, this.node.allocatable);
      }
    }
    return data;
  }
  private async projected(pod: PodObject, volume: VolumeSpec): Promise<Record<string, string>> {
    const all: Record<string, string> = {};
    for (const source of volume.projected?.sources ?? []) {
      if (source.configMap) Object.assign(all, await this.configMap(pod, source.configMap.name ?? '', source.configMap.items, source.configMap.optional));
      else if (source.secret) Object.assign(all, await this.secret(pod, source.secret.name ?? '', source.secret.items, source.secret.optional));
      else if (source.downwardAPI) Object.assign(all, this.downward(pod, source.downwardAPI.items ?? []));
      else if (source.serviceAccountToken) {
        const { path, audience, expirationSeconds = 3600 } = source.serviceAccountToken;
        all[path] = await this.token(pod, audience, expirationSeconds);
      }
    }
    return all;
  }

  /** A bound token, renewed once 80 % of its life is over (`token_manager.go`). */
  private async token(pod: PodObject, audience: string | undefined, expirationSeconds: number): Promise<string> {
    const { clock } = this.node.self;
    const key = `${audience ?? ''}|${expirationSeconds}`;
    const held = this.tokens.get(key);
    if (held && clock.now() < held.refreshAt) return held.token;
    const account = `${pod.metadata.namespace}/${pod.spec?.serviceAccountName || 'default'}`;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        ...(audience && { audiences: [audience] }),
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid },
      },
    };
    try {
      const answer = (await this.node.client.of('ServiceAccount').createSubresource(account, 'token', body as Json)) as {
        readonly status?: { readonly token?: string };
      };
      const token = answer.status?.token ?? '';
      this.tokens.set(key, { token, refreshAt: clock.now() + seconds(Math.floor((expirationSeconds * 4) / 5)) });
      return token;
    } catch (error) {
      throw new Error(`failed to fetch token: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Makes a directory hold exactly these files. */
  private fill(directory: string, data: Readonly<Record<string, string>>): void {
    const { files } = this.node;
    for (const [path, text] of Object.entries(data)) {
      const full = `${directory}/${path}`;
      if (this.written.get(full) === text && files.exists(full)) continue;
      const { completeToken } = this.node;
      if (completeToken && text.startsWith('~.')) files.promise(full, text, () => completeToken(text));
      else files.write(full, text);
      this.written.set(full, text);
    }
    for (const full of [...this.written.keys()]) {
      if (!full.startsWith(`${directory}/`) || data[full.slice(directory.length + 1)] !== undefined) continue;
      this.written.delete(full);
      if (files.exists(full)) files.remove(full);
    }
  }
}

/** All keys as files of their own name, or the chosen ones under the paths given. */
function select(data: Record<string, string>, items: readonly DeepReadonly<KeyToPath>[] | undefined, optional: boolean | undefined): Record<string, string> {
  if (!items) return data;
  const chosen: Record<string, string> = {};
  for (const { key, path } of items) {
    const value = data[key];
    if (value !== undefined) chosen[path] = value;
    else if (!optional) throw new Error(`references non-existent config key: ${key}`);
  }
  return chosen;
}
