/**
 * The kubelet: what runs on a node is what this process last saw to.
 *
 * It learns of pods from two sources, the API server (those bound to its node) and the manifests
 * directory (static pods, which need no API server), gives each a worker, and tells the API server about
 * its node and what became of the pods. It may crash at any moment: containers go on running, and the next
 * kubelet finds them in the runtime and takes them over.
 */
import type { Files } from '../../linux/files.ts';
import type { Connection } from '../../linux/sockets.ts';
import { type Duration, minutes, ms, seconds } from '../../sim/clock.ts';
import { defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { wholeValue } from '../api/quantity.ts';
import { RELEASE } from '../api/release.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import type { Taint } from '../api/types.gen.ts';
import { createClient } from '../client/client.ts';
import { createRecorder } from '../client/events.ts';
import { createInformers } from '../client/informer.ts';
import { type Refusal, refusalOf } from './admit.ts';
import { Backoff } from './backoff.ts';
import type { ContainerRuntime } from './cri.ts';
import { EvictionManager } from './eviction.ts';
import type { ImageGc } from './image-gc.ts';
import { ImagePuller } from './image-puller.ts';
import { guarded, type KubeletNode, whileAlive } from './node.ts';
import { allocatableOf, type Capacity, type NodeInfo, NodeStatus } from './node-status.ts';
import { ObjectCache } from './object-cache.ts';
import { type PodObject, viewOf } from './pod-view.ts';
import { PodWorker } from './pod-worker.ts';
import { pendingResize } from './resize.ts';
import type { ServerSources } from './server.ts';
import { createSeen, isMirror, isStatic, Manifests, Mirrors, RESCAN } from './static-pods.ts';
import { Statuses, sameJson } from './statuses.ts';
import { emptyDirectory, sizeOf } from './volumes.ts';

export interface KubeletOptions {
  readonly nodeName: string;
  readonly addresses: { readonly internalIP: string };
  readonly capacity: Capacity;
  readonly nodeInfo: NodeInfo;
  /** To the API server. */
  readonly handler: ApiHandler;
  /** `system:node:<name>` in `system:nodes`. */
  readonly certificate: NonNullable<ApiRequest['certificate']>;
  readonly runtime: ContainerRuntime;
  /** The node's disk: /etc/kubernetes/manifests, /var/lib/kubelet, /etc/resolv.conf. */
  readonly files: Files;
  /** `--node-labels`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** `--register-with-taints`. */
  readonly taints?: readonly DeepReadonly<Taint>[];
  /** `['10.96.0.10']` */
  readonly clusterDns: readonly string[];
  /** `cluster.local` when undefined. */
  readonly clusterDomain?: string;
  /** Publishes the kubelet's own API (port 10250). */
  serve(handler: ApiHandler): void;
  /** The real token of one the API server gave its kubelet sealed (`apiserver/tokens.ts`); called when somebody reads the file. */
  completeToken?(sealed: string): string;
  /** From the node's own network, for httpGet, tcpSocket and grpc probes. */
  connect(ip: string, port: number, timeout: Duration): Promise<Connection>;
}

/** Runs for ever; a crash is the end of its process. */
export async function runKubelet(self: Process, options: KubeletOptions): Promise<void> {
  const { clock } = self;
  const { nodeName, files } = options;
  const runtime = guarded(self, options.runtime);
  const client = createClient({
    handler: (request) => whileAlive(self, options.handler(request)),
    userAgent: `kubelet/${RELEASE.gitVersion}`,
    certificate: options.certificate,
  });
  const recorder = createRecorder(self, client, { component: 'kubelet', host: nodeName });
  const informers = createInformers(self, client);
  const pods = informers.of('Pod', { fieldSelector: `spec.nodeName=${nodeName}` });
  const services = informers.of('Service');

  /** Pods the eviction manager has ended and that are not gone yet, by uid. */
  const evicted = new Set<string>();
  /** By uid. */
  const workers = new Map<string, PodWorker>();
  /** The manifests as last read, by namespace/name. */
  let manifests = new Map<string, PodObject>();
  /** Full names whose former pod is still being stopped: the new one waits (`podStartedByFullname`). */
  const startedAt = clock.now();

  const statics = (key: string): PodObject | undefined => manifests.get(key);
  const mirrorKeyed = (key: string): PodObject | undefined => {
    const pod = pods.get(key);
    return pod && isMirror(pod) ? pod : undefined;
  };
  const current = (uid: string): PodObject | undefined => {
    const worker = workers.get(uid);
    if (!worker) return undefined;
    const key = keyOf(worker.spec);
    const known = pods.get(key);
    if (isStatic(worker.spec)) return known?.metadata.annotations?.['kubernetes.io/config.mirror'] === uid ? known : undefined;
    return known?.metadata.uid === uid ? known : undefined;
  };

  const statuses = new Statuses(self, client, current);
  const refresh = (users: readonly string[]): void => {
    for (const uid of users) {
      const worker = workers.get(uid);
      // A pod's files follow at its next periodic sync: within syncFrequency, a minute.
      if (worker) clock.after(self.rng.between(ms(500), seconds(60)), () => worker.refreshVolumes());
    }
  };
  const eviction = new EvictionManager({
    now: () => clock.now(),
    memoryCapacity: wholeValue(options.capacity.memory),
    memoryUsed: () => runtime.load().memoryBytes,
    pods: () => [...workers.values()].flatMap((worker) => (worker.finished || worker.isStopping ? [] : [worker.spec])),
    uses: (pod) =>
      [...viewOf(runtime, pod.metadata.uid ?? '').containers].flatMap(([name, [newest]]) => {
        const stats = newest?.state === 'running' ? runtime.stats(newest.id) : undefined;
        return stats ? [{ name, memoryBytes: stats.memoryBytes }] : [];
      }),
    volumeSize: (pod, volume) => sizeOf(files, emptyDirectory(pod.metadata.uid ?? '', volume)),
    shortOf: (resource) => nodeStatus.shortOf(resource),
    evict: ({ pod, message, disruption }, grace) => {
      recorder.event(pod, 'Warning', 'Evicted', message);
      workers.get(pod.metadata.uid ?? '')?.stop(grace, { reason: 'Evicted', message, disruption });
      evicted.add(pod.metadata.uid ?? '');
    },
  });
  const nodeStatus: NodeStatus = new NodeStatus(
    self,
    client,
    recorder,
    runtime,
    {
      nodeName,
      internalIP: options.addresses.internalIP,
      capacity: options.capacity,
      nodeInfo: options.nodeInfo,
      labels: options.labels ?? {},
      taints: options.taints ?? [],
    },
    () => {
      for (const worker of workers.values()) worker.poke();
    },
    { tick: () => collectImages() },
    eviction,
  );
  // There is nothing to collect in the first five minutes: what does it comes then.
  let imageGc: ImageGc | 'coming' | undefined;
  const collectImages = (): void => {
    if (imageGc === 'coming' || clock.now() - startedAt < minutes(5)) return;
    if (imageGc) {
      imageGc.tick();
      return;
    }
    imageGc = 'coming';
    clock.wake();
    void self.outside(import('./image-gc.ts')).then(({ ImageGc: Gc }) => {
      imageGc = new Gc({
        now: () => clock.now(),
        runtime,
        capacity: wholeValue(options.capacity.ephemeralStorage),
        failed: (reason, message) => nodeStatus.diskFull(reason, message),
      });
      imageGc.tick();
    });
  };
  const mirrors = new Mirrors(
    { self, client, nodeName },
    () => nodeStatus.uid,
    (key) => pods.get(key),
    () => pods.hasSynced,
  );
  runtime.onSystemOom(({ process, pid }) => nodeStatus.outOfMemory(process, pid));
  const node: KubeletNode = {
    self,
    nodeName,
    hostIP: options.addresses.internalIP,
    allocatable: allocatableOf(options.capacity),
    memoryCapacity: wholeValue(options.capacity.memory),
    clusterDns: options.clusterDns,
    clusterDomain: options.clusterDomain ?? 'cluster.local',
    client,
    recorder,
    runtime,
    files,
    images: new ImagePuller(self, runtime),
    objects: new ObjectCache(self, client, refresh),
    statuses,
    crashes: new Backoff(seconds(10), seconds(300)),
    services: () => (services.hasSynced ? services.list() : undefined),
    current,
    ensureMirror: (pod) => mirrors.ensure(pod),
    pendingResize: (desired) =>
      pendingResize(desired, node.allocatable, () =>
        refusalOf(desired, { name: nodeName, allocatable: node.allocatable, ...nodeStatus.marks }, runningBeside(workers.get(desired.metadata.uid ?? ''))),
      ),
    connect: (ip, port, timeout) => whileAlive(self, options.connect(ip, port, timeout)),
  };

  // --- Workers ---------------------------------------------------------------------------------------
  const retire = (worker: PodWorker): void => {
    self.clock.wake();
    void worker.cleanUp().then(() => {
      if (workers.get(worker.uid) === worker) workers.delete(worker.uid);
      statuses.forget(worker.uid);
      startWaiting();
    });
  };
  const wanted = (worker: PodWorker): boolean => {
    if (isStatic(worker.spec)) return statics(keyOf(worker.spec))?.metadata.uid === worker.uid;
    return pods.get(keyOf(worker.spec))?.metadata.uid === worker.uid;
  };
  const onFinished = (worker: PodWorker): void => {
    // After an eviction it looks again at once: one may not have been enough.
    if (evicted.delete(worker.uid)) eviction.look();
    if (!wanted(worker)) retire(worker);
  };
  const begin = (pod: PodObject): void => {
    const uid = pod.metadata.uid ?? '';
    if (workers.has(uid)) return;
    const key = keyOf(pod);
    // A static pod's successor has the same name: one at a time.
    if (isStatic(pod) && [...workers.values()].some((worker) => keyOf(worker.spec) === key)) return;
    const worker = new PodWorker(node, pod, onFinished, clock.now() - startedAt < seconds(10));
    const refusal = refusalFor(worker.spec);
    workers.set(uid, worker);
    if (!refusal) worker.poke();
    else if (!refusal.ofNode) worker.refuse(refusal);
    else {
      // What is known here of the node's labels and taints may be old: the API server has the last word.
      clock.wake();
      void nodeStatus.fetch().then(() => {
        const still = refusalFor(worker.spec, worker);
        if (still) worker.refuse(still);
        else worker.poke();
      });
    }
  };
  /** Why this node does not take a pod; undefined when it does, or when the pod has ended or is ending anyway. */
  const refusalFor = (pod: PodObject, own?: PodWorker): Refusal | undefined => {
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return undefined;
    return eviction.refusal(pod) ?? refusalOf(pod, { name: nodeName, allocatable: node.allocatable, ...nodeStatus.marks }, runningBeside(own));
  };
  /** The pods admitted here that have not ended, with what they were granted. */
  const runningBeside = (own: PodWorker | undefined): readonly PodObject[] => {
    const others: PodObject[] = [];
    for (const worker of workers.values()) if (worker !== own && !worker.finished) others.push(worker.spec);
    return others;
  };
  const startWaiting = (): void => {
    for (const pod of manifests.values()) begin(pod);
  };
  const orphan = (worker: PodWorker): void => {
    if (worker.finished) retire(worker);
    else worker.stop(worker.spec.metadata.deletionGracePeriodSeconds ?? worker.spec.spec?.terminationGracePeriodSeconds);
  };

  // --- The API server's pods ---------------------------------------------------------------------------
  pods.onChange(({ before, after }) => {
    if (after && isMirror(after)) return mirrorChanged(after);
    if (before && isMirror(before) && !after) return mirrorChanged(before);
    if (!after) {
      const worker = before && workers.get(before.metadata.uid ?? '');
      if (worker) orphan(worker);
      return;
    }
    // Deleted and made again under one name between two looks.
    if (before && before.metadata.uid !== after.metadata.uid) {
      const old = workers.get(before.metadata.uid ?? '');
      if (old) orphan(old);
    }
    const worker = workers.get(after.metadata.uid ?? '');
    if (!worker) return begin(after);
    if (before && sameForKubelet(before, after)) {
      if (after.spec?.readinessGates?.length && !sameJson(before.status?.conditions, after.status?.conditions)) worker.poke();
      return;
    }
    if (worker.finished) {
      if (after.metadata.deletionTimestamp !== undefined) statuses.allowDeletion(worker.uid);
      return;
    }
    worker.update(after);
  });
  const mirrorChanged = (mirror: PodObject): void => {
    const pod = statics(keyOf(mirror));
    const now = mirrorKeyed(keyOf(mirror));
    if (!pod) {
      if (now) mirrors.remove(now);
      return;
    }
    mirrors.ensure(pod);
    statuses.kick(pod.metadata.uid ?? '');
  };

  // --- The manifests directory -------------------------------------------------------------------------
  const directory = new Manifests(files, nodeName, createSeen(clock.now));
  const scan = (): void => directory.read(self, take);
  const take = (read: readonly PodObject[]): void => {
    const found = new Map(read.map((pod) => [keyOf(pod), pod]));
    manifests = found;
    for (const worker of [...workers.values()]) {
      if (isStatic(worker.spec) && !wanted(worker) && !worker.isStopping) worker.stop(worker.spec.spec?.terminationGracePeriodSeconds);
    }
    startWaiting();
    if (!pods.hasSynced) return;
    for (const pod of pods.list()) if (isMirror(pod) && !found.has(keyOf(pod))) mirrors.remove(pod);
    for (const pod of found.values()) mirrors.ensure(pod);
  };
  const rescan = (): void => {
    clock.after(RESCAN, rescan);
    scan();
  };

  // --- The runtime's events: told apart once a second, as the pod lifecycle event generator relists ----
  const phase = self.rng.between(0, seconds(1));
  const dirty = new Set<string>();
  let relist = false;
  runtime.onEvent((event) => {
    if (event.what === 'deleted' || event.what === 'created') return;
    const sandbox = runtime.sandboxes().find((one) => one.id === event.sandbox);
    if (!sandbox) return;
    dirty.add(sandbox.config.uid);
    if (relist) return;
    relist = true;
    const wait = (phase + seconds(1) - (clock.now() % seconds(1))) % seconds(1);
    clock.after(wait || seconds(1), () => {
      relist = false;
      const due = [...dirty];
      dirty.clear();
      for (const uid of due) workers.get(uid)?.poke();
    });
  });

  const sources: ServerSources = {
    pod: (namespace, name) => {
      const key = `${namespace}/${name}`;
      return statics(key) ?? pods.get(key);
    },
    pods: () => [...workers.values()].map((worker) => worker.spec),
    status: (uid) => statuses.get(uid),
  };
  // Nobody asks a kubelet for anything while a cluster boots: what answers comes with the first question.
  let server: ApiHandler | undefined;
  options.serve(async (request) => {
    server ??= (await self.outside(import('./server.ts'))).createServer(node, sources);
    return server(request);
  });
  nodeStatus.start();
  rescan();

  await pods.synced();
  // What runs here and belongs to no pod any more is stopped (HandlePodCleanups).
  for (const sandbox of runtime.sandboxes()) {
    const { uid } = sandbox.config;
    if (workers.has(uid)) continue;
    void runtime.stopPodSandbox(sandbox.id).then(() => runtime.removePodSandbox(sandbox.id));
  }
  scan();
  await defer<never>(clock).promise;
}

/** Whether only what the kubelet itself writes (status, managed fields) differs. */
function sameForKubelet(before: PodObject, after: PodObject): boolean {
  const a = before.metadata;
  const b = after.metadata;
  return (
    a.deletionTimestamp === b.deletionTimestamp &&
    a.deletionGracePeriodSeconds === b.deletionGracePeriodSeconds &&
    sameJson(a.labels, b.labels) &&
    sameJson(a.annotations, b.annotations) &&
    sameJson(before.spec, after.spec)
  );
}
