/** What only requests from outside need of field ownership, beside the field manager: their options, and apply. */
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import { apiVersionOf, type ResourceRow } from '../../api/resources.ts';
import type { Call } from '../call.ts';
import { failure } from '../errors.ts';
import { ownedByApply } from './field-manager.ts';
import { ledgerOf, withLedger } from './ledger.ts';
import { isApply } from './ownership.ts';

/** Server-side apply: what the configuration in `call` makes of `live`, with its ledger. Throws 400, 409, 422, 500. */
export function applied(call: Call, row: ResourceRow, live: KubeObject | undefined, config: Json, time: string): KubeObject {
  checkOptions(call);
  const writer = { manager: call.parameter('fieldManager') ?? '', apiVersion: apiVersionOf(row), subresource: call.path.subresource };
  return ownedByApply(row, live, config, writer, { force: call.flag('force'), time });
}

/** What a patch may say beside its body (metav1 `ValidatePatchOptions`). Throws 400, 422. */
export function checkOptions(call: Call): void {
  if (call.request.typed) return;
  const manager = call.parameter('fieldManager') ?? '';
  const refuse = (options: string, reason: string, field: string, message: string): never => {
    throw failure(422, 'Invalid', `${options}.meta.k8s.io "" is invalid: ${field}: ${message}`, {
      group: 'meta.k8s.io',
      kind: options,
      causes: [{ reason, message, field }],
    });
  };
  const options = call.verb === 'patch' ? 'PatchOptions' : call.verb === 'create' ? 'CreateOptions' : 'UpdateOptions';
  if (call.verb === 'patch') {
    if (isApply(call)) {
      if (manager === '') refuse(options, 'FieldValueRequired', 'fieldManager', 'Required value: is required for apply patch');
    } else if (call.parameter('force') !== undefined) refuse(options, 'FieldValueForbidden', 'force', 'Forbidden: may not be specified for non-apply patch');
  }
  if (manager.length > 128) refuse(options, 'FieldValueTooLong', 'fieldManager', 'Too long: may not be more than 128 bytes');
  const odd = [...manager].find((char) => char < ' ' || char === '\u007f');
  if (odd !== undefined)
    refuse(options, 'FieldValueInvalid', 'fieldManager', `Invalid value: ${JSON.stringify(manager)}: should only contain printable characters`);
}

/** The times of entries are no change by themselves (`IgnoreManagedFieldsTimestampsTransformer`): with `old`'s ledger if that is all. */
export function ignoringTimes(next: KubeObject, old: KubeObject): KubeObject {
  const [now, before] = [ledgerOf(next), ledgerOf(old)];
  if (now === before || now === undefined || before === undefined || now.length !== before.length) return next;
  const left = before.map(timeless).sort();
  const right = now.map(timeless).sort();
  return left.every((line, i) => line === right[i]) ? withLedger(next, before) : next;
}
const timeless = (line: string): string => {
  const parts = line.split('|');
  parts[4] = '';
  return parts.join('|');
};
