/**
 * What `apply --prune` removes and `diff --prune` shows as gone (kubectl pkg/cmd/apply/prune.go, pkg/util/prune):
 * objects once applied, that the selection covers, and that the files no longer name.
 */
import { LAST_APPLIED } from '../../api/three-way.ts';
import { listObjects, type Target } from '../builder.ts';
import { pathOf, type ResourceInfo } from '../discovery.ts';
import { isNotFound, KubectlError } from '../errors.ts';
import { bool, type FlagSpecs } from '../flags.ts';
import type { DryRun, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';

export const PRUNE_FLAGS: FlagSpecs = { prune: bool(), 'prune-allowlist': { type: 'strings' } };

/** GetRESTMappings: the kinds pruned unless told otherwise, namespaced ones first as upstream keeps them. */
const DEFAULTS: readonly (readonly [string, string, string])[] = [
  ['', 'v1', 'ConfigMap'],
  ['', 'v1', 'Endpoints'],
  ['', 'v1', 'PersistentVolumeClaim'],
  ['', 'v1', 'Pod'],
  ['', 'v1', 'ReplicationController'],
  ['', 'v1', 'Secret'],
  ['', 'v1', 'Service'],
  ['batch', 'v1', 'Job'],
  ['batch', 'v1', 'CronJob'],
  ['networking.k8s.io', 'v1', 'Ingress'],
  ['apps', 'v1', 'DaemonSet'],
  ['apps', 'v1', 'Deployment'],
  ['apps', 'v1', 'ReplicaSet'],
  ['apps', 'v1', 'StatefulSet'],
];
const CLUSTER_WIDE: readonly (readonly [string, string, string])[] = [
  ['', 'v1', 'Namespace'],
  ['', 'v1', 'PersistentVolume'],
];

/** The kinds that may be pruned. Throws KubectlError for a list that cannot be read. */
export async function kindsOf(session: Session): Promise<readonly ResourceInfo[]> {
  const given = session.flags.all('prune-allowlist');
  const wanted: (readonly [string, string, string])[] = given.map((one) => {
    const parts = one.split('/').map((part) => part.trim());
    const [group = '', version = '', kind = ''] = parts;
    if (parts.length !== 3) throw new KubectlError(`invalid GroupVersionKind format: ${one}, please follow <group/version/kind>`);
    return [group === 'core' ? '' : group, version, kind] as const;
  });
  if (wanted.length === 0) wanted.push(...DEFAULTS, ...(session.namespaceGiven ? [] : CLUSTER_WIDE));
  const infos: ResourceInfo[] = [];
  for (const [group, version, kind] of wanted) {
    const info = await session.discovery.byKind(group === '' ? version : `${group}/${version}`, kind);
    if (info) infos.push(info);
    else if (given.length > 0)
      throw new KubectlError(`no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(group === '' ? version : `${group}/${version}`)}`);
  }
  return infos;
}

/** Throws KubectlError when --prune is asked for without saying of what. */
export function requirePruneScope(session: Session): void {
  const { flags } = session;
  if (!flags.bool('prune')) return;
  if (flags.bool('all') && flags.text('selector') !== '') throw new KubectlError('cannot set --all and --selector at the same time');
  if (!flags.bool('all') && flags.text('selector') === '')
    throw new KubectlError(
      'all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector',
    );
}

/** Objects to remove, in the order upstream visits them: namespaced kinds by namespace, then cluster-wide ones. */
export async function prunable(
  session: Session,
  applied: readonly (Target & { readonly uid?: string })[],
): Promise<readonly (Target & { readonly object: ObjectLike })[]> {
  const infos = await kindsOf(session);
  const selector = session.flags.text('selector');
  const namespaces = [...new Set(applied.filter(({ info }) => info.namespaced).map(({ namespace }) => namespace))].sort();
  const kept = new Set(applied.map(({ info, namespace, name }) => `${info.group}/${info.kind}/${namespace}/${name}`));
  const found: (Target & { readonly object: ObjectLike })[] = [];
  const look = async (info: ResourceInfo, namespace: string) => {
    const { items } = await listObjects(session, info, { selector, chunk: 0, ...(namespace ? { namespace } : { everything: true }) });
    for (const object of items) {
      const name = object.metadata.name ?? '';
      if (object.metadata.annotations?.[LAST_APPLIED] === undefined) continue;
      if (!kept.has(`${info.group}/${info.kind}/${namespace}/${name}`)) found.push({ info, namespace, name, object });
    }
  };
  for (const namespace of namespaces) for (const info of infos) if (info.namespaced) await look(info, namespace);
  for (const info of infos) if (!info.namespaced) await look(info, '');
  return found;
}

/** Deletes what is left over; says `configmap/x pruned`. */
export async function prune(session: Session, applied: readonly Target[], dryRun: DryRun, printer: ResultPrinter): Promise<void> {
  const grace = session.flags.number('grace-period');
  for (const target of await prunable(session, applied)) {
    if (dryRun !== 'client') {
      const body = {
        propagationPolicy: 'Background',
        ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}),
        ...(dryRun === 'server' ? { dryRun: ['All'] } : {}),
      };
      try {
        await session.request('DELETE', pathOf(target.info, target.namespace, target.name), { body });
      } catch (error) {
        if (isNotFound(error)) return;
        throw error;
      }
    }
    printer.print(target.info, target.object, 'pruned');
  }
}
