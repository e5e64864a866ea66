/**
 * kubeadm: `init` on the control-plane node, the pod network, then `join` on each worker, in that order.
 */

import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import { ApiError, type ApiHandler } from '../kubernetes/api/request.ts';
import type { Kind } from '../kubernetes/api/types.gen.ts';
import { dumpKnown } from '../kubernetes/api/yaml-known.ts';
import { type Client, createClient } from '../kubernetes/client/client.ts';
import { ms } from '../sim/clock.ts';
import type { Process } from '../sim/process.ts';
import { coreDns, kindnet, kubeProxy, staticPods } from './addons.ts';
import { clusterInfo } from './cluster-info.ts';
import type { EtcdHost } from './etcd-host.ts';
import type { ClusterNode } from './node.ts';
import { CA_PATH, type ClusterSecrets } from './pki.ts';

export interface Kubeadm {
  readonly controlPlane: ClusterNode;
  readonly workers: readonly ClusterNode[];
  readonly etcd: readonly EtcdHost[];
  readonly secrets: ClusterSecrets;
  apiServer(self: Process, from: string): ApiHandler;
  /** Installs kind's storage as well, once this is true. */
  readonly storageAfter?: (() => boolean) | undefined;
  /** And metrics-server after that. */
  readonly withMetrics?: boolean | undefined;
}

/** Brings a cluster up on machines that are on. Ends when the last worker has been told to join. */
export async function kubeadm(self: Process, { controlPlane, workers, etcd, secrets, apiServer, storageAfter, withMetrics }: Kubeadm): Promise<void> {
  const client = createClient({
    handler: apiServer(self, controlPlane.name),
    userAgent: 'kubeadm',
    certificate: { commonName: 'kubernetes-super-admin', organizations: ['system:masters'] },
  });
  self.trace.emit('boot', '', { phase: 'init' });

  // [certs], [kubeconfig]
  secrets.writeControlPlane(controlPlane.machine.files);

  // [control-plane] static pod manifests, then [kubelet-start]; the kubelet runs them before there is any API to ask.
  for (const { path, pod } of staticPods(
    controlPlane.ip,
    etcd.map((host) => `https://${host.machine.ip}:2379`),
  )) {
    controlPlane.machine.files.write(path, dumpKnown(pod));
  }
  controlPlane.join();

  // [wait-control-plane]
  await until(self, async () => {
    await client.request({ method: 'GET', path: '/readyz', query: {}, headers: {} }).then((response) => {
      if (response.status !== 200) throw new Error('not ready');
    });
    await client.of('Node').get(controlPlane.name);
  });

  // [mark-control-plane]
  await until(self, () =>
    client.of('Node').patch(
      controlPlane.name,
      {
        metadata: { labels: { 'node-role.kubernetes.io/control-plane': '', 'node.kubernetes.io/exclude-from-external-load-balancers': '' } },
        spec: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] },
      },
      'strategic',
    ),
  );

  // [bootstrap-token]
  const server = `https://${controlPlane.ip}:6443`;
  for (const object of clusterInfo(server, controlPlane.machine.files.read(CA_PATH))) await until(self, () => createOnce(client, object));

  // [addons], then the pod network.
  for (const object of [...coreDns(), ...kubeProxy(server), ...kindnet()]) await until(self, () => createOnce(client, object));

  for (const worker of workers) {
    self.trace.because(0);
    self.trace.emit('boot', `Node/${worker.name}`, { phase: 'join' });
    secrets.writeNode(worker.name, worker.machine.files);
    worker.join();
    await self.clock.sleep(ms(300));
  }

  if (!storageAfter) return;
  while (!storageAfter()) await self.clock.sleep(ms(500));
  self.trace.because(0);
  const { localPathStorage } = await self.outside(import('./local-path-storage.ts'));
  for (const object of localPathStorage()) await until(self, () => createOnce(client, object));
  if (!withMetrics) return;
  const { metricsServer } = await self.outside(import('./metrics-server-addon.ts'));
  for (const object of metricsServer()) await until(self, () => createOnce(client, object));
}

/** Again and again, half a second apart, as kubeadm's own retries; the cluster is only just starting. */
async function until(self: Process, attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch {
      await self.clock.sleep(ms(500));
    }
  }
}

async function createOnce(client: Client, object: DeepReadonly<KubeObject>): Promise<void> {
  try {
    await client.of(object.kind as Kind).create(object as never);
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
  }
}
