/** The revisions of workloads: replica sets of a deployment, controller revisions of the others (kubectl pkg/polymorphichelpers history.go, rollback.go). */
import type { Json } from '../api/json.ts';
import { applyStrategicMergePatch } from '../api/patch.ts';
import { equalJson } from '../api/three-way.ts';
import type { Kind, PodTemplateSpec } from '../api/types.gen.ts';
import { listObjects } from './builder.ts';
import { partOf, withPart } from './change.ts';
import { selectorTextOf } from './commands/pods.ts';
import { writePodTemplate } from './describe/pod.ts';
import { Sheet } from './describe/sheet.ts';
import { KubectlError } from './errors.ts';
import { alignTabs, DESCRIBE_TABS } from './printers/tabwriter.ts';
import { REVISION } from './rollout-status.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from './session.ts';

const CHANGE_CAUSE = 'kubernetes.io/change-cause';
const HASH = 'pod-template-hash';

export interface Revision {
  readonly number: number;
  readonly cause: string;
  /** The replica set, or the workload as the controller revision has it: what `history -o` prints. */
  readonly object: ObjectLike;
  readonly template: JsonObject;
  /** The replica set or the controller revision itself. */
  readonly record: ObjectLike;
}

/** All revisions, the oldest first. `object` is a Deployment, DaemonSet or StatefulSet. */
export async function revisionsOf(session: Session, object: ObjectLike): Promise<readonly Revision[]> {
  const deployment = object.kind === 'Deployment';
  const info = await session.discovery.byKind('apps/v1', deployment ? 'ReplicaSet' : 'ControllerRevision');
  if (!info) return [];
  const list = await listObjects(session, info, {
    namespace: object.metadata.namespace ?? session.namespace,
    selector: selectorTextOf(object, object.kind) ?? '',
    chunk: 0,
  });
  const owned = list.items.filter((item) => ownerOf(item) === object.metadata.uid);
  const revisions = owned.map((record): Revision => {
    const cause = record.metadata.annotations?.[CHANGE_CAUSE] ?? '';
    if (deployment) return { number: Number(record.metadata.annotations?.[REVISION] ?? 0), cause, object: record, template: templateOf(record), record };
    const applied = applyStrategicMergePatch(object.kind as Kind, object as unknown as Json, (record['data'] ?? {}) as Json) as unknown as ObjectLike;
    return { number: Number(record['revision'] ?? 0), cause, object: applied, template: templateOf(applied), record };
  });
  return revisions.filter(({ number }) => number > 0 || !deployment).sort((a, b) => a.number - b.number);
}

const ownerOf = (object: ObjectLike): string | undefined => {
  const owners = object.metadata['ownerReferences'];
  const owner = Array.isArray(owners) ? (owners as readonly JsonObject[]).find((one) => one['controller'] === true) : undefined;
  return owner ? String(owner['uid']) : undefined;
};

export const templateOf = (object: JsonObject): JsonObject => {
  const template = partOf(object, ['spec', 'template']);
  return isObject(template) ? template : {};
};

/** The table of `rollout history`, or a revision's template. */
export function historyText(revisions: readonly Revision[], wanted: number): string {
  if (revisions.length === 0) return 'No rollout history found.';
  if (wanted > 0) {
    const revision = revisions.find(({ number }) => number === wanted);
    if (!revision) throw new KubectlError('unable to find the specified revision');
    return templateText(revision.cause ? withPart(revision.template, ['metadata', 'annotations', CHANGE_CAUSE], revision.cause) : revision.template);
  }
  return alignTabs(`REVISION\tCHANGE-CAUSE\n${revisions.map(({ number, cause }) => `${number}\t${cause || '<none>'}\n`).join('')}`, DESCRIBE_TABS);
}

/** Unlike descriptions these keep their tabs as they are. */
class RawSheet extends Sheet {
  raw = '';
  override line(level: number, ...cells: readonly string[]): void {
    this.raw += `${'  '.repeat(level)}${cells.join('\t')}\n`;
  }
}

export function templateText(template: JsonObject): string {
  const sheet = new RawSheet();
  writePodTemplate(sheet, template as unknown as PodTemplateSpec);
  return sheet.raw;
}

/** The revision to go back to: the one named, or the last but one. */
export function revisionFor(object: ObjectLike, revisions: readonly Revision[], wanted: number): Revision {
  const notFound = (): never => {
    throw new KubectlError(`unable to find specified revision ${wanted} in history`);
  };
  if (wanted < 0) notFound();
  if (wanted > 0) return revisions.find(({ number }) => number === wanted) ?? notFound();
  const previous = revisions.at(-2);
  if (previous) return previous;
  throw new KubectlError(
    object.kind === 'Deployment' ? `no rollout history found for deployment ${JSON.stringify(object.metadata.name ?? '')}` : 'no last revision to roll back to',
  );
}

export const withoutHash = (template: JsonObject): JsonObject => {
  const labels = partOf(template, ['metadata', 'labels']);
  if (!isObject(labels) || labels[HASH] === undefined) return template;
  const { [HASH]: _, ...others } = labels;
  return withPart(template, ['metadata', 'labels'], others as Json);
};

export const sameTemplate = (a: JsonObject, b: JsonObject): boolean => equalJson(withoutHash(a) as Json, withoutHash(b) as Json);
