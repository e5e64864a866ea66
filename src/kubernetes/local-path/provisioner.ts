/**
 * rancher/local-path-provisioner: makes volumes of directories on nodes (provisioner.go, and the
 * sig-storage-lib-external-provisioner it is built on).
 *
 * A claim that names it and has a node gets a directory there, made by a helper pod that runs the `setup` script of
 * its ConfigMap; then a volume that only that node reaches. A volume left behind loses its directory the same way
 * (`teardown`), and then itself.
 *
 * Here simplified: `sharedFileSystemPath`, patterns of path names and volume types by annotation are not known.
 */
import { type Duration, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { wholeValue } from '../api/quantity.ts';
import type { ApiHandler } from '../api/request.ts';
import type { Pod, PodSpec } from '../api/types.gen.ts';
import {
  BETA_STORAGE_PROVISIONER,
  type Claim,
  type Class,
  capacityOf,
  classOf,
  isDelayed,
  PROVISIONED_BY,
  requestOf,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  type Volume,
} from '../api/volumes.ts';
import { type Client, createClient } from '../client/client.ts';
import { createRecorder, type Recorder } from '../client/events.ts';
import { createInformers, type Informers } from '../client/informer.ts';
import { isAlreadyExists, isNotFound, messageOf } from '../client/retry.ts';
import { createWorkqueue, type Workqueue } from '../client/workqueue.ts';

export interface ProvisionerOptions {
  readonly handler: ApiHandler;
  readonly token: () => string | undefined;
  /** `--provisioner-name`-less default: what classes name. */
  readonly name?: string;
  /** POD_NAMESPACE: where its ConfigMap is and helper pods run. */
  readonly namespace: string;
  /** `--service-account-name`, for helper pods. */
  readonly serviceAccount: string;
  /** `--configmap-name` */
  readonly configMap: string;
  /** The host's name and something random, as events are signed. */
  readonly identity: string;
  /** The text of a mounted file of the ConfigMap; undefined when there is none. */
  readonly file: (name: 'config.json' | 'helperPod.yaml') => string | undefined;
  readonly log: (text: string) => void;
}

const DEFAULT_NODE = 'DEFAULT_PATH_FOR_NON_LISTED_NODES';
const HOSTNAME = 'kubernetes.io/hostname';
/** `cmdTimeoutSeconds`, and how often the helper pod is looked at. */
const HELPER_TIMEOUT = seconds(120);
const HELPER_POLL = seconds(1);
const WORKERS = 4;

/** Runs until killed. */
export async function runProvisioner(self: Process, options: ProvisionerOptions): Promise<void> {
  const client = createClient({ handler: options.handler, userAgent: 'local-path-provisioner', token: options.token });
  await new Provisioner(self, client, options).run();
}

class Provisioner {
  private readonly informers: Informers;
  private readonly recorder: Recorder;
  private readonly name: string;

  constructor(
    private readonly self: Process,
    private readonly client: Client,
    private readonly options: ProvisionerOptions,
  ) {
    this.name = options.name ?? 'rancher.io/local-path';
    this.informers = createInformers(self, client);
    this.recorder = createRecorder(self, client, { component: `${this.name}_${options.identity}` });
  }

  async run(): Promise<void> {
    const { self, informers } = this;
    const claims = createWorkqueue(self, 'claims', 'PersistentVolumeClaim');
    const volumes = createWorkqueue(self, 'volumes', 'PersistentVolume');
    informers.of('StorageClass');
    informers.of('PersistentVolumeClaim').onChange(({ after }) => {
      if (after && this.isOurs(after)) claims.add(keyOf(after));
    });
    informers.of('PersistentVolume').onChange(({ after }) => {
      if (after && this.isLeftBehind(after)) volumes.add(keyOf(after));
    });
    await informers.synced();
    this.options.log('Provisioner started');
    const lines = Array.from({ length: WORKERS }, () => [this.work(claims, (key) => this.provision(key)), this.work(volumes, (key) => this.remove(key))]);
    await Promise.all(lines.flat());
  }

  private async work(queue: Workqueue, act: (key: string) => Promise<Duration | undefined>): Promise<never> {
    for (;;) {
      const key = await queue.get();
      try {
        const again = await act(key);
        queue.forget(key);
        if (again !== undefined) queue.addAfter(key, again);
      } catch (error) {
        this.options.log(`error syncing "${key}": ${messageOf(error)}`);
        queue.addRateLimited(key);
      }
      queue.done(key);
    }
  }

  /** Asked of us, not yet bound, and with a node where the class waits for one (`shouldProvision`). */
  private isOurs(claim: Claim): boolean {
    const { annotations } = claim.metadata;
    if (claim.spec?.volumeName || claim.metadata.deletionTimestamp) return false;
    return (annotations?.[STORAGE_PROVISIONER] ?? annotations?.[BETA_STORAGE_PROVISIONER]) === this.name;
  }

  /** Made by us, released, and to be deleted (`shouldDelete`). */
  private isLeftBehind({ metadata, spec, status }: Volume): boolean {
    return (
      metadata.annotations?.[PROVISIONED_BY] === this.name &&
      status?.phase === 'Released' &&
      spec?.persistentVolumeReclaimPolicy === 'Delete' &&
      !metadata.deletionTimestamp
    );
  }

  private async provision(key: string): Promise<undefined> {
    const claim = this.informers.of('PersistentVolumeClaim').get(key);
    if (!claim || !this.isOurs(claim)) return;
    const storage = this.informers.of('StorageClass').get(classOf(claim));
    if (!storage || storage.provisioner !== this.name) return;
    const node = claim.metadata.annotations?.[SELECTED_NODE];
    if (isDelayed(storage) && node === undefined) return;
    const name = `pvc-${claim.metadata.uid}`;
    if (this.informers.of('PersistentVolume').get(name)) return;
    this.recorder.event(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${key}"`);
    try {
      const problem = refusal(claim, node);
      if (problem) throw new Error(problem);
      const directory = `${name}_${claim.metadata.namespace}_${claim.metadata.name}`;
      const path = `${this.basePath(node!)}/${directory}`;
      this.options.log(`Creating volume ${name} at ${node}:${path}`);
      await this.help('create', name, node!, path, requestOf(claim));
      await this.create(volumeFor(claim, storage, name, node!, path, this.name));
    } catch (error) {
      this.recorder.event(claim, 'Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass "${classOf(claim)}": ${messageOf(error)}`);
      throw error;
    }
    this.recorder.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`);
  }

  private async create(volume: Volume): Promise<void> {
    try {
      await this.client.of('PersistentVolume').create(volume);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  private async remove(key: string): Promise<undefined> {
    const volume = this.informers.of('PersistentVolume').get(key);
    if (!volume || !this.isLeftBehind(volume)) return;
    const path = volume.spec?.hostPath?.path ?? volume.spec?.local?.path ?? '';
    const node = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.find((each) => each.key === HOSTNAME)?.values?.[0];
    try {
      if (node) {
        this.options.log(`Deleting volume ${key} at ${node}:${path}`);
        await this.help('delete', key, node, path, capacityOf(volume));
      }
      await this.client.of('PersistentVolume').delete(key);
    } catch (error) {
      if (isNotFound(error)) return;
      this.recorder.event(volume, 'Warning', 'VolumeFailedDelete', messageOf(error));
      throw error;
    }
  }

  /** Where volumes go on a node: the first of its paths in `config.json`. */
  private basePath(node: string): string {
    const config = JSON.parse(this.options.file('config.json') ?? '{}') as {
      readonly nodePathMap?: readonly { readonly node: string; readonly paths: readonly string[] }[];
    };
    const map = config.nodePathMap ?? [];
    const entry = map.find((each) => each.node === node) ?? map.find((each) => each.node === DEFAULT_NODE);
    if (!entry) throw new Error(`config doesn't contain node ${node}, and no ${DEFAULT_NODE} available`);
    const [path] = entry.paths;
    if (!path) throw new Error(`no local path available on node ${node}`);
    return path;
  }

  /** Runs a script on the node in a pod of its own, and waits for its end (`createHelperPod`). */
  private async help(action: 'create' | 'delete', volume: string, node: string, path: string, size: string): Promise<void> {
    const text = this.options.file('helperPod.yaml') ?? '';
    const { parseYaml } = await this.self.outside(import('../api/yaml.ts'));
    const pods = this.client.of('Pod');
    const helper = helperPod(parseYaml(text) as unknown as DeepReadonly<Pod>, {
      name: `helper-pod-${action}-${volume}`.slice(0, 128),
      namespace: this.options.namespace,
      script: action === 'create' ? '/script/setup' : '/script/teardown',
      serviceAccount: this.options.serviceAccount,
      configMap: this.options.configMap,
      node,
      path,
      size: String(wholeValue(size)),
      action,
    });
    const key = keyOf(helper);
    try {
      await pods.create(helper);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    try {
      const started = this.self.clock.now();
      for (;;) {
        const { status } = await pods.get(key);
        if (status?.phase === 'Succeeded') return;
        if (this.self.clock.now() - started >= HELPER_TIMEOUT) throw new Error(`create process timeout after ${HELPER_TIMEOUT / seconds(1)} seconds`);
        await this.self.clock.sleep(HELPER_POLL);
      }
    } catch (error) {
      throw new Error(`failed to ${action} volume ${volume}: ${messageOf(error)}`);
    } finally {
      await pods.delete(key).catch(() => {});
    }
  }
}

/** What it cannot do. */
function refusal({ spec }: Claim, node: string | undefined): string | undefined {
  if (spec?.selector) return 'claim.Spec.Selector is not supported';
  if (!spec?.accessModes?.every((mode) => mode === 'ReadWriteOnce' || mode === 'ReadWriteOncePod'))
    return 'NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes';
  return node === undefined ? 'configuration error, no node was specified' : undefined;
}

function volumeFor({ metadata, spec }: Claim, storage: Class, name: string, node: string, path: string, provisioner: string): Volume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { 'local.path.provisioner/selected-node': node, [PROVISIONED_BY]: provisioner } },
    spec: {
      accessModes: spec?.accessModes ?? [],
      capacity: { storage: requestOf({ metadata, spec } as Claim) },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name: metadata.name ?? '',
        namespace: metadata.namespace ?? '',
        ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
        ...(metadata.uid ? { uid: metadata.uid } : {}),
      },
      hostPath: { path, type: 'DirectoryOrCreate' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [node] }] }] } },
      persistentVolumeReclaimPolicy: storage.reclaimPolicy ?? 'Delete',
      storageClassName: storage.metadata.name ?? '',
      ...(storage.mountOptions ? { mountOptions: storage.mountOptions } : {}),
      volumeMode: spec?.volumeMode ?? 'Filesystem',
    },
  };
}

interface Help {
  readonly name: string;
  readonly namespace: string;
  readonly script: string;
  readonly serviceAccount: string;
  readonly configMap: string;
  readonly node: string;
  readonly path: string;
  readonly size: string;
  readonly action: string;
}

/** The template of `helperPod.yaml`, with the script, the node's directory and what is asked. */
function helperPod(template: DeepReadonly<Pod>, help: Help): DeepReadonly<Pod> {
  const slash = help.path.lastIndexOf('/');
  const [parent, directory] = [help.path.slice(0, slash), help.path.slice(slash + 1)];
  const spec: DeepReadonly<PodSpec> = template.spec ?? { containers: [{ name: 'helper-pod', image: 'busybox' }] };
  const [container, ...others] = spec.containers;
  return {
    ...template,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, name: help.name, namespace: help.namespace },
    spec: {
      ...spec,
      serviceAccountName: help.serviceAccount,
      nodeName: help.node,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }, ...(spec.tolerations ?? [])],
      volumes: [
        ...(spec.volumes ?? []),
        { name: 'data', hostPath: { path: parent, type: 'DirectoryOrCreate' } },
        {
          name: 'script',
          configMap: {
            name: help.configMap,
            items: [
              { key: 'setup', path: 'setup' },
              { key: 'teardown', path: 'teardown' },
            ],
          },
        },
      ],
      containers: [
        {
          ...container!,
          command: ['/bin/sh', help.script],
          args: ['-p', `${parent}/${directory}`, '-s', help.size, '-m', 'Filesystem', '-a', help.action],
          env: [
            ...(container?.env ?? []),
            { name: 'VOL_DIR', value: `${parent}/${directory}` },
            { name: 'VOL_MODE', value: 'Filesystem' },
            { name: 'VOL_SIZE_BYTES', value: help.size },
          ],
          volumeMounts: [...(container?.volumeMounts ?? []), { name: 'script', mountPath: '/script' }, { name: 'data', mountPath: parent }],
          securityContext: { privileged: true },
        },
        ...others,
      ],
    },
  };
}
