/**
 * Controllers of certificates, tokens and roles: pkg/controller/certificates (approver, signer, cleaner),
 * pkg/controller/serviceaccount (tokens_controller.go), pkg/controller/bootstrap (signer, token cleaner) and
 * pkg/controller/clusterroleaggregation. What each does is in files beside this one, brought in with the first
 * object that concerns it.
 */
import { type Duration, minutes, ms, seconds } from '../../../sim/clock.ts';
import type { DeepReadonly } from '../../api/json.ts';
import { type Key, type KubeObject, keyOf } from '../../api/meta.ts';
import { instantOf } from '../../api/time.ts';
import type { CertificateSigningRequest, Kind, Kinds } from '../../api/types.gen.ts';
import type { Informer } from '../../client/client.ts';
import { createWorkqueue } from '../../client/workqueue.ts';
import { type Context, type Runnable, reconciler, runnable } from '../controller.ts';
import { aggregate } from './aggregation.ts';

type Csr = DeepReadonly<CertificateSigningRequest>;
const has = (csr: Csr, type: string): boolean => csr.status?.conditions?.some((condition) => condition.type === type) ?? false;
const work = ({ self }: Context) => self.outside(import('./work.ts'));

/** Kubelets' own requests are approved when they may make them. */
export const csrApprovingController = reconciler({
  name: 'certificatesigningrequest-approving-controller',
  for: 'CertificateSigningRequest',
  async reconcile(csr, context) {
    if (csr.status?.certificate || has(csr, 'Approved') || has(csr, 'Denied')) return;
    if (csr.spec.signerName !== 'kubernetes.io/kube-apiserver-client-kubelet') return;
    await (await work(context)).approveKubelet(csr, context);
  },
});

const SIGNERS = ['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving', 'legacy-unknown'].map((name) => `kubernetes.io/${name}`);

/** `--cluster-signing-…`: approved requests get a certificate of the cluster's authority. */
export const csrSigningController = reconciler({
  name: 'certificatesigningrequest-signing-controller',
  for: 'CertificateSigningRequest',
  async reconcile(csr, context) {
    if (csr.status?.certificate || !has(csr, 'Approved') || has(csr, 'Denied') || has(csr, 'Failed')) return;
    if (SIGNERS.includes(csr.spec.signerName)) await (await work(context)).signRequest(csr, context);
  },
});

const ISSUED_FOR = minutes(60);
const PENDING_FOR = minutes(24 * 60);
const POLL = minutes(10);

/** Requests are forgotten an hour after their answer, and after a day without one. */
export const csrCleanerController: Runnable = runnable('certificatesigningrequest-cleaner-controller', async (context) => {
  const requests = context.informer('CertificateSigningRequest');
  const sweep = (): void => {
    context.self.clock.after(POLL, sweep);
    for (const csr of requests.list())
      if (isOld(csr, context.now()))
        context.client
          .of('CertificateSigningRequest')
          .delete(csr.metadata.name ?? '')
          .catch(() => {});
  };
  context.self.clock.after(POLL, sweep);
});

export function isOld(csr: Csr, now: number): boolean {
  const past = (stamp: string | undefined, lasts: number) => stamp !== undefined && now > (instantOf(stamp) ?? now) + lasts;
  const answered = csr.status?.conditions?.filter(({ type }) => type === 'Approved' || type === 'Denied' || type === 'Failed') ?? [];
  if (answered.length === 0) return past(csr.metadata.creationTimestamp, PENDING_FOR);
  return answered.some(({ lastUpdateTime }) => past(lastUpdateTime as string | undefined, ISSUED_FOR));
}

/**
 * A controller of the few objects of a kind that concern it: the others never enter its queue, of which there may be
 * thousands.
 */
function watching<K extends Kind>(
  name: string,
  kind: K,
  concerns: (object: DeepReadonly<Kinds[K]>) => boolean,
  act: (object: DeepReadonly<Kinds[K]>, context: Context) => Promise<undefined | { readonly again: Duration }>,
  start?: (context: Context, add: (key: Key) => void) => void,
): Runnable {
  return runnable(name, async (context) => {
    const queue = createWorkqueue(context.self, name, kind);
    const objects = context.informer(kind);
    (objects as unknown as Informer<KubeObject>).onChange(({ after }) => {
      if (after && concerns(after as DeepReadonly<Kinds[K]>)) queue.add(keyOf(after));
    });
    start?.(context, (key) => queue.add(key));
    await objects.synced();
    for (;;) {
      const key = await queue.get();
      const object = objects.get(key);
      try {
        const result = object && concerns(object) ? await act(object, context) : undefined;
        queue.forget(key);
        if (result) queue.addAfter(key, result.again);
      } catch {
        queue.addRateLimited(key);
      }
      queue.done(key);
    }
  });
}

const BOOTSTRAP = 'bootstrap.kubernetes.io/token';
const TOKEN = 'kubernetes.io/service-account-token';

/** Secrets of type service-account-token get their token; they go with their account. `seed` stands for sa.key. */
export const serviceAccountTokenController = (seed: string): Runnable =>
  watching(
    'serviceaccount-token-controller',
    'Secret',
    (secret) => secret.type === TOKEN,
    async (secret, context) => {
      await (await work(context)).fillTokenSecret(secret, context, seed);
      return undefined;
    },
    (context, add) =>
      context.informer('ServiceAccount').onChange(({ before, after }) => {
        const account = (after ?? before)!;
        if (before && after) return;
        for (const { type, metadata } of context.informer('Secret').list(account.metadata.namespace))
          if (type === TOKEN && metadata.annotations?.['kubernetes.io/service-account.name'] === account.metadata.name)
            add(`${metadata.namespace}/${metadata.name}`);
      }),
  );

/** Expired bootstrap tokens are deleted (tokencleaner.go). */
export const tokenCleanerController = watching(
  'token-cleaner-controller',
  'Secret',
  (secret) => secret.type === BOOTSTRAP && secret.metadata.namespace === 'kube-system',
  async (secret, context) => (await work(context)).cleanToken(secret, context),
);

/** ConfigMap cluster-info of kube-public is signed with every bootstrap token that may (bootstrapsigner.go). */
export const bootstrapSignerController = watching(
  'bootstrap-signer-controller',
  'ConfigMap',
  ({ metadata }) => metadata.namespace === 'kube-public' && metadata.name === 'cluster-info',
  async (map, context) => {
    // Nothing to sign with, nothing signed: what signs need not be brought in.
    const tokens = context
      .informer('Secret')
      .list('kube-system')
      .some(({ type }) => type === BOOTSTRAP);
    if (tokens || Object.keys(map.data ?? {}).some((key) => key.startsWith('jws-kubeconfig-'))) await (await work(context)).signClusterInfo(map, context);
    return undefined;
  },
  (context, add) =>
    context.informer('Secret').onChange(({ before, after }) => {
      if ((after ?? before)?.type === BOOTSTRAP) add('kube-public/cluster-info');
    }),
);

/** Many roles change at once when an API server starts. */
const GATHER_AFTER = ms(100);

/** Roles with an aggregationRule have the rules of all roles it selects. */
export const clusterRoleAggregationController = runnable('clusterrole-aggregation-controller', async (context) => {
  const roles = context.informer('ClusterRole');
  let due = false;
  const look = (delay: Duration): void => {
    if (due) return;
    due = true;
    context.self.clock.after(delay, () => {
      due = false;
      for (const role of roles.list()) if (role.aggregationRule) aggregate(role, context).catch(() => look(seconds(1)));
    });
  };
  await roles.synced();
  roles.onChange(() => look(GATHER_AFTER));
  look(GATHER_AFTER);
});
