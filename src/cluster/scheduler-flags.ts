/**
 * What the flags of kube-scheduler mean: `--config` names a KubeSchedulerConfiguration in the container's own files, which
 * goes before `--leader-elect`. Who the scheduler is: the kubeconfig kubeadm gave the static pod, or, in a pod without one, its
 * service account (upstream `cmd/kube-scheduler/app/options`).
 */
import type { SchedulerConfig, SchedulerOptions } from '../kubernetes/scheduler/run.ts';
import type { ProgramContext } from '../linux/program.ts';
import { flagsOf } from './apiserver-flags.ts';

const KUBECONFIG = '/etc/kubernetes/scheduler.conf';
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

type FromFlags = Pick<SchedulerOptions, 'certificate' | 'token' | 'leaderElect' | 'config'>;

/** Rejects with an Error whose message kube-scheduler exits with. */
export async function schedulerOfFlags(self: ProgramContext, tokenOf: () => string | undefined): Promise<FromFlags> {
  const flags = flagsOf(self.argv);
  let config: SchedulerConfig | undefined;
  const path = flags.get('config');
  if (path !== undefined) {
    if (!self.files.exists(path)) throw new Error(`open ${path}: no such file or directory`);
    const { parseConfig } = await self.process.outside(import('../kubernetes/scheduler/config.ts'));
    config = parseConfig(self.files.read(path));
  }
  const flag = flags.get('leader-elect');
  const leaderElect = flag === undefined ? (config?.leaderElection.leaderElect ?? true) : flag !== 'false';
  const inCluster = !self.files.exists(KUBECONFIG) && self.files.exists(TOKEN);
  return {
    leaderElect,
    ...(inCluster ? { token: tokenOf } : { certificate: { commonName: 'system:kube-scheduler', organizations: [] } }),
    ...(config ? { config } : {}),
  };
}
