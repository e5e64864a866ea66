/**
 * Images of the control plane and the add-ons: the programs that run the rooms of `src/kubernetes`.
 *
 * Each also serves its health endpoint on the node's sockets, so that the kubelet's probes, and curl,
 * find it. Here simplified: TLS is not modelled; a port that speaks HTTPS speaks HTTP here.
 */

import type { ApiHandler, ApiRequest, ApiResponse } from '../kubernetes/api/request.ts';
import { timestamp } from '../kubernetes/api/time.ts';
import { createApiServer } from '../kubernetes/apiserver/apiserver.ts';
import { defineImage, type Image } from '../kubernetes/containerd/image.ts';
import type { EtcdClient, EtcdEndpoint } from '../kubernetes/etcd/api.ts';
import { type HttpRequest, type HttpResponse, serveHttp } from '../linux/http.ts';
import type { Program, ProgramContext } from '../linux/program.ts';
import { ms } from '../sim/clock.ts';
import { forever, type Process } from '../sim/process.ts';
import { flagsOf, optionsOfFlags } from './apiserver-flags.ts';
import { dialServices } from './dial-service.ts';
import { localPathImages } from './local-path-images.ts';
import type { LoopBook } from './loop-book.ts';
import type { ClusterNode } from './node.ts';
import { CA_PATH, type ClusterSecrets } from './pki.ts';
import { IMAGES, POD_CIDR, SERVICE_CIDR } from './plan.ts';

const MiB = 1024 * 1024;
/** An add-on people install: its image is pulled. */
const METRICS_SERVER = 'registry.k8s.io/metrics-server/metrics-server:v0.7.2';

export interface ControlPlane {
  readonly secrets: ClusterSecrets;
  readonly loops: LoopBook;
  apiServer(self: Process, from: string): ApiHandler;
  etcd(self: Process, from: string): EtcdClient;
  /** Each member by itself. */
  etcdMembers(self: Process, from: string): readonly EtcdEndpoint[];
  /** A handler that reaches the kubelet of a node. */
  kubelet(self: Process, from: string, node: string): ApiHandler | undefined;
  readonly loadTexts?: () => Promise<unknown>;
}

/** klog's header: `I0105 08:00:42.000000       1 `. */
const klog = (self: ProgramContext, message: string): void => self.stdout(`I${klogTime(self)}       1 ${message}\n`);
const klogTime = ({ process }: ProgramContext): string => {
  const now = timestamp(process.clock.now());
  return `${now.slice(5, 7)}${now.slice(8, 10)} ${now.slice(11, 19)}.${String(process.clock.now() % 1_000_000).padStart(6, '0')}`;
};

const tokenOf = (self: ProgramContext): (() => string | undefined) => {
  const path = '/var/run/secrets/kubernetes.io/serviceaccount/token';
  // The cluster's own show the sealed token the kubelet was given: nobody need sign it.
  return () => (self.files.exists(path) ? (self.files.note(path) ?? self.files.read(path)) : undefined);
};

/** Answers the health paths with `ok` while the program lives. */
const serveHealth = (self: ProgramContext, port: number): void => {
  serveHttp(self.sockets, port, ({ path }) =>
    /^\/(healthz|livez|readyz)/.test(path)
      ? { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok' }
      : { status: 404, body: '404 page not found\n' },
  );
};

/** As the programs of other images: read when a container runs one, and on their way by then (`cluster.ts`). The clock stands still meanwhile. */
const bring = (self: ProgramContext): Promise<typeof import('./system-programs.ts')> => self.process.outside(import('./system-programs.ts'));

/** The API server, as fast as `--kube-api-qps` and `--kube-api-burst` allow where they are given. */
async function limited(self: ProgramContext, handler: ApiHandler, qps: number, burst: number): Promise<ApiHandler> {
  const flags = flagsOf(self.argv);
  if (!flags.has('kube-api-qps') && !flags.has('kube-api-burst')) return handler;
  const { limitedByFlags } = await self.process.outside(import('./client-limits.ts'));
  return limitedByFlags(self, flags, handler, { qps, burst });
}

export function systemImages(node: ClusterNode, plane: ControlPlane): readonly Image[] {
  const image = (name: string, sizeBytes: number, path: string, program: Program, memory: number): Image =>
    defineImage({ names: [name], sizeBytes, programs: { [path]: program }, entrypoint: [path], idle: { memoryBytes: memory * MiB, cpuMilli: 5 } });

  const apiserver: Program = async (self) => {
    klog(self, 'server.go:145] "Version: v1.33.1"');
    await self.process.clock.sleep(ms(self.process.rng.between(300, 500)));
    let configured: Awaited<ReturnType<typeof optionsOfFlags>>;
    try {
      configured = await optionsOfFlags(self);
    } catch (error) {
      self.stderr(`E${klogTime(self)}       1 run.go:72] "command failed" err=${JSON.stringify(error instanceof Error ? error.message : String(error))}\n`);
      return 1;
    }
    const server = createApiServer(self.process, {
      ...configured,
      tokens: plane.secrets.tokens,
      log: (message) => klog(self, message),
      etcd: plane.etcd(self.process, node.name),
      etcdMembers: () => plane.etcdMembers(self.process, node.name),
      kubelet: (name) => plane.kubelet(self.process, node.name, name),
      serviceCidr: SERVICE_CIDR,
      advertiseAddress: node.ip,
      dialService: dialServices(self),
      ...(plane.loadTexts ? { openapiTexts: plane.loadTexts } : {}),
    });
    node.machine.listen(6443, self.process, server.handle);
    serveHttp(self.sockets, 6443, (request) => overHttp(request, server.handle));
    klog(self, 'secure_serving.go:213] Serving securely on [::]:6443');
    self.onSignal(() => self.process.kill());
    return forever();
  };

  const certificate = (commonName: string) => ({ commonName, organizations: [] as string[] });
  const controllerManager: Program = async (self) => {
    klog(self, 'serving.go:386] Generated self-signed cert in-memory');
    serveHealth(self, 10257);
    const { runControllerManager } = await bring(self);
    const identity = `${node.name}_${uuid(self)}`;
    const copy = plane.loops.open('kube-controller-manager', node.name, identity, self.process);
    await runControllerManager(self.process, {
      handler: await limited(self, plane.apiServer(self.process, node.name), 20, 30),
      certificate: certificate('system:kube-controller-manager'),
      clusterCidr: POD_CIDR,
      rootCa: self.files.read(CA_PATH),
      serviceAccountSeed: plane.secrets.seed,
      leaderElect: true,
      identity,
      onStart: (controllers) => {
        copy.controllers = controllers;
      },
    });
    return 1;
  };
  const scheduler: Program = async (self) => {
    klog(self, 'serving.go:386] Generated self-signed cert in-memory');
    serveHealth(self, 10259);
    const { runScheduler, schedulerOfFlags } = await bring(self);
    let configured: Awaited<ReturnType<typeof schedulerOfFlags>>;
    try {
      configured = await schedulerOfFlags(self, tokenOf(self));
    } catch (error) {
      self.stderr(`E${klogTime(self)}       1 run.go:72] "command failed" err=${JSON.stringify(error instanceof Error ? error.message : String(error))}\n`);
      return 1;
    }
    const identity = `${node.name}_${uuid(self)}`;
    plane.loops.open('kube-scheduler', node.name, identity, self.process);
    await runScheduler(self.process, {
      ...configured,
      handler: await limited(self, plane.apiServer(self.process, node.name), 50, 100),
      identity,
    });
    return 1;
  };
  const kubeProxy: Program = async (self) => {
    klog(self, 'server_linux.go:53] "Using iptables proxy"');
    const { runKubeProxy } = await bring(self);
    await runKubeProxy(self.process, {
      nodeName: node.name,
      handler: plane.apiServer(self.process, node.name),
      token: tokenOf(self),
      kernel: node.kernel,
      clusterCidr: POD_CIDR,
    });
    return 1;
  };
  const kindnetd: Program = async (self) => {
    klog(self, 'main.go:109] connected to apiserver: https://10.96.0.1:443');
    const { runKindnet } = await bring(self);
    await runKindnet(self.process, {
      nodeName: node.name,
      handler: plane.apiServer(self.process, node.name),
      token: tokenOf(self),
      kernel: node.kernel,
      files: node.machine.files,
      podSubnet: POD_CIDR,
    });
    return 1;
  };
  const coredns: Program = async (self) => {
    self.stdout('.:53\nCoreDNS-1.12.0\nlinux/amd64, go1.23.3, 51e11f1\n');
    const { runCoreDns } = await bring(self);
    await runCoreDns(self.process, { handler: plane.apiServer(self.process, node.name), token: tokenOf(self), sockets: self.sockets, files: self.files });
    return 1;
  };
  const metricsServer: Program = async (self) => {
    const { runMetricsServer } = await self.process.outside(import('../kubernetes/metrics-server/run.ts'));
    try {
      await runMetricsServer(self.process, {
        argv: self.argv.slice(1),
        handler: plane.apiServer(self.process, node.name),
        token: tokenOf(self),
        sockets: self.sockets,
        kubelet: (name) => plane.kubelet(self.process, node.name, name),
        log: (severity, text) => self.stderr(`${severity}${klogTime(self)}       1 ${text}\n`),
      });
    } catch (error) {
      self.stderr(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    }
    return 1;
  };
  const localPath: Program = async (self) => {
    const { runProvisioner } = await self.process.outside(import('../kubernetes/local-path/provisioner.ts'));
    const mount = (self.env['CONFIG_MOUNT_PATH'] ?? '/etc/config/').replace(/\/$/, '');
    await runProvisioner(self.process, {
      handler: plane.apiServer(self.process, node.name),
      token: tokenOf(self),
      namespace: self.env['POD_NAMESPACE'] ?? 'local-path-storage',
      serviceAccount: 'local-path-provisioner-service-account',
      configMap: 'local-path-config',
      identity: `${self.hostname}_${uuid(self)}`,
      file: (name) => (self.files.exists(`${mount}/${name}`) ? self.files.read(`${mount}/${name}`) : undefined),
      log: (text) => self.stderr(`I${klogTime(self)}       1 ${text}\n`),
    });
    return 1;
  };
  return [
    ...localPathImages(localPath),
    image(METRICS_SERVER, 19_494_617, '/metrics-server', metricsServer, 18),
    image(IMAGES.apiserver, 30_070_000, '/usr/local/bin/kube-apiserver', apiserver, 250),
    image(IMAGES.controllerManager, 27_640_000, '/usr/local/bin/kube-controller-manager', controllerManager, 60),
    image(IMAGES.scheduler, 21_780_000, '/usr/local/bin/kube-scheduler', scheduler, 25),
    image(IMAGES.kubeProxy, 31_890_000, '/usr/local/bin/kube-proxy', kubeProxy, 20),
    image(IMAGES.kindnet, 44_375_000, '/bin/kindnetd', kindnetd, 15),
    image(IMAGES.coredns, 20_940_000, '/coredns', coredns, 16),
  ];
}

const uuid = (self: ProgramContext): string => {
  const hex = self.process.rng.text(32, '0123456789abcdef');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
};

/** A request that came through the pod network, answered by the same handler. Without credentials it is anonymous. */
async function overHttp(http: HttpRequest, handle: ApiHandler): Promise<HttpResponse> {
  const request: ApiRequest = {
    method: http.method as ApiRequest['method'],
    path: http.path,
    query: http.query,
    headers: http.headers,
    ...(http.body ? { body: http.body } : {}),
  };
  const response: ApiResponse = await handle(request);
  const { stream } = response;
  if (stream) {
    const { 'transfer-encoding': _, ...headers } = response.headers;
    return {
      status: response.status,
      headers,
      pour: (out) => {
        stream.read({ value: (value) => out.write(typeof value === 'string' ? value : `${JSON.stringify(value)}\n`), end: () => out.end() });
        return () => stream.cancel();
      },
    };
  }
  const body = response.body === undefined ? '' : typeof response.body === 'string' ? response.body : `${JSON.stringify(response.body, null, 2)}\n`;
  return { status: response.status, headers: response.headers, body };
}
