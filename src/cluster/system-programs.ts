/** What `system-images.ts` brings in when a container first runs one of them, in one piece: the programs beside the API server. */
export { runKindnet } from '../kubernetes/cni/kindnet.ts';
export { runControllerManager } from '../kubernetes/controller-manager/run.ts';
export { runCoreDns } from '../kubernetes/coredns/run.ts';
export { runKubeProxy } from '../kubernetes/kube-proxy/run.ts';
export { runScheduler } from '../kubernetes/scheduler/run.ts';
export { schedulerOfFlags } from './scheduler-flags.ts';
