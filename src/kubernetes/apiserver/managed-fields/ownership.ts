/**
 * Where writes meet the record of who owns what: components' own writes go by `record.ts`, everybody else's by the field
 * manager behind the border.
 */
import type { KubeObject } from '../../api/meta.ts';
import { apiVersionOf, type ResourceRow } from '../../api/resources.ts';
import { border, isBorderOpen } from '../border.ts';
import type { Call } from '../call.ts';
import { hasStatus } from '../registry/strategy.ts';
import { ledgerOf, withLedger } from './ledger.ts';
import { managerOf, recordCreate, recordNobody, recordUpdate, type Writer } from './record.ts';

export const APPLY = 'application/apply-patch+yaml';

/** Subresources whose requests are about something else than the object itself: what they change there is nobody's. */
const NOBODYS = new Set(['binding', 'eviction']);

export const isApply = ({ request, verb }: Call): boolean => verb === 'patch' && (request.headers['content-type'] ?? '').startsWith(APPLY);

/** Who writes, as an entry names them. */
export function writerOf(call: Call): Writer {
  const { row, path, request } = call;
  const manager = managerOf(call.parameter('fieldManager'), request.headers['user-agent']) || (request.typed ? 'kube-apiserver' : '');
  return { manager, apiVersion: apiVersionOf(row), subresource: path.subresource };
}

/** A request from outside is about to create `object`, defaults filled in: with the ledger it is to have. */
export function beforeCreate(call: Call, object: KubeObject, time: string): KubeObject {
  if (call.request.typed || isApply(call)) return object;
  return border().ownedByUpdate(call.row, undefined, object, writerOf(call), time);
}

/** A component created `object` from `wanted`. */
export function afterCreate(call: Call, wanted: KubeObject, object: KubeObject, time: string): KubeObject {
  if (!call.request.typed) return object;
  return recordCreate(wanted, object, writerOf(call), time, hasStatus(call.row));
}

/** A request from outside is about to make `next` of `old`. `raw`: a subresource that knows by itself what it changes. */
export function beforeUpdate(call: Call, old: KubeObject, next: KubeObject, time: string, raw: boolean): KubeObject {
  if (call.request.typed || raw || isApply(call)) return next;
  return border().ownedByUpdate(call.row, old, next, writerOf(call), time);
}

/** A component, or a subresource, made `next` of `old`. */
export function afterUpdate(call: Call, old: KubeObject, next: KubeObject, time: string, raw: boolean): KubeObject {
  if (!call.request.typed && !raw) return next;
  if (raw && isApply(call)) return border().ownedByScaleApply(call.row, old, next, writerOf(call), { force: call.flag('force'), time });
  if (NOBODYS.has(call.path.subresource)) return recordNobody(old, next);
  // What nobody tracks is tracked from the first apply on.
  return ledgerOf(old) === undefined ? withLedger(next, undefined) : recordUpdate(old, next, writerOf(call), time);
}

/** As a request from outside sees the object: `managedFields` in upstream's form; without them while nobody has opened the border. */
export function shownTo(row: ResourceRow, object: KubeObject, typed: boolean | undefined): KubeObject {
  if (typed || object.metadata?.managedFields === undefined) return object;
  return isBorderOpen() ? border().withManagedFields(row, object) : withLedger(object, undefined);
}
