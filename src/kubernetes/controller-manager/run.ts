/**
 * kube-controller-manager: many controllers in one process, sharing one set of informers. Each is a child
 * process of its own name, so the trace says who acted; when one crashes all go down, as one panic ends the
 * real program, and the kubelet starts it again.
 */
import { defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import { RELEASE } from '../api/release.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import { type Client, createClient } from '../client/client.ts';
import { createRecorder } from '../client/events.ts';
import { createInformers } from '../client/informer.ts';
import { runLeaderElected } from '../client/leader-election.ts';
import { accountOf, componentOf } from './accounts.ts';
import type { Manager, RunningController } from './controller.ts';
import { controllers } from './index.ts';

export interface ControllerManagerOptions {
  readonly handler: ApiHandler;
  /** `system:kube-controller-manager` */
  readonly certificate?: ApiRequest['certificate'];
  /** `--cluster-cidr` */
  readonly clusterCidr: string;
  readonly leaderElect: boolean;
  /** Unique among the copies: the host's name, an underscore and something random. */
  readonly identity: string;
  /** `--root-ca-file`, its content */
  readonly rootCa?: string;
  /** What stands for the content of `--service-account-private-key-file`. */
  readonly serviceAccountSeed?: string;
  /**
   * `--use-service-account-credentials`: a client for a controller that is allowed only what that controller needs.
   * Without it all act as the manager itself.
   */
  readonly clientFor?: (controller: string) => Client;
  /** Told once, when it leads and its controllers have been started. */
  readonly onStart?: (controllers: readonly RunningController[]) => void;
}

/**
 * Runs until killed. Rejects with `leaderelection lost` when another copy may have taken over, or with the
 * error that crashed a controller.
 */
export async function runControllerManager(self: Process, options: ControllerManagerOptions): Promise<void> {
  const clientNamed = (component: string, certificate = options.certificate) =>
    createClient({
      handler: options.handler,
      userAgent: `kube-controller-manager/${RELEASE.gitVersion} (linux/amd64) kubernetes/${component}`,
      ...(certificate ? { certificate } : {}),
    });
  const main = (process: Process) => runControllers(process, options, clientNamed);
  if (!options.leaderElect) return main(self);
  return runLeaderElected(self, clientNamed('leader-election'), { name: 'kube-controller-manager', identity: options.identity }, main);
}

async function runControllers(
  self: Process,
  options: ControllerManagerOptions,
  clientNamed: (component: string, certificate?: ApiRequest['certificate']) => Client,
): Promise<void> {
  const manager: Manager = {
    self,
    informers: createInformers(self, clientNamed('shared-informers')),
    clientFor:
      options.clientFor ?? ((controller) => clientNamed(`system:serviceaccount:kube-system:${controller}`, options.certificate && accountOf(controller))),
    recorderFor: (controller, process, client) => createRecorder(process, client, { component: componentOf(controller) }).event,
  };
  const crash = defer<never>(self.clock);
  const started: RunningController[] = [];
  for (const controller of controllers({ clusterCidr: options.clusterCidr, rootCa: options.rootCa ?? '', serviceAccountSeed: options.serviceAccountSeed })) {
    const child = self.spawn(controller.name, controller.run(manager));
    started.push({ name: controller.name, kind: controller.for, process: child });
    child.onExit((exit) => {
      if (exit.how === 'crashed') crash.reject(exit.error);
    });
  }
  options.onStart?.(started);
  await crash.promise;
}
