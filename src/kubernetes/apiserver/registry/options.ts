/**
 * What may be asked of lists, watches and deletes beside their selectors (apimachinery
 * `pkg/apis/meta/internalversion/validation`, `pkg/apis/meta/v1/validation`). Only requests from outside are held to it.
 */
import { ApiError } from '../../api/request.ts';
import type { Call } from '../call.ts';
import { badRequest } from '../errors.ts';
import { type Errors, forbidden, invalid, invalidStatus, notSupported } from '../validation/field.ts';
import type { DeleteOptions } from './strategy.ts';

const refuse = (kind: string, errors: Errors): void => {
  if (errors.length > 0) throw new ApiError(invalidStatus(kind, 'meta.k8s.io', '', errors));
};

/**
 * Throws Invalid (422) for combinations of resourceVersion, resourceVersionMatch, continue and sendInitialEvents that mean nothing.
 * Here simplified: the feature gate WatchList, off by default in v1.33, is on.
 */
export function checkListOptions(call: Call): void {
  const errors: Errors = [];
  for (const name of ['limit', 'timeoutSeconds'] as const) integer(call, name);
  const match = call.parameter('resourceVersionMatch') ?? '';
  const initial = call.parameter('sendInitialEvents') !== undefined;
  const continues = (call.parameter('continue') ?? '') !== '';
  const path = 'resourceVersionMatch';
  if (call.verb === 'watch') {
    if (initial && match !== 'NotOlderThan') errors.push(forbidden(path, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
    if (match !== '') {
      if (!initial) errors.push(forbidden(path, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
      if (match !== 'NotOlderThan') errors.push(notSupported(path, match, ['NotOlderThan']));
      if (continues) errors.push(forbidden(path, 'resourceVersionMatch is forbidden when continue is provided'));
    }
    refuse('ListOptions', errors);
    return;
  }
  if (match !== '') {
    if ((call.parameter('resourceVersion') ?? '') === '') errors.push(forbidden(path, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (continues) errors.push(forbidden(path, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(notSupported(path, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && call.parameter('resourceVersion') === '0')
      errors.push(forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (initial) errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  refuse('ListOptions', errors);
}

/** A parameter that is a number has to be one, as Go reads it. Throws 400. */
function integer(call: Call, name: string): void {
  const text = call.parameter(name) ?? '';
  if (text !== '' && !/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** Throws Invalid (422). */
export function checkDeleteOptions(options: DeleteOptions): void {
  const errors: Errors = [];
  const { orphanDependents, propagationPolicy, dryRun } = options;
  if (orphanDependents !== undefined && orphanDependents !== null && propagationPolicy !== undefined && propagationPolicy !== null)
    errors.push(invalid('propagationPolicy', propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'));
  if (propagationPolicy !== undefined && propagationPolicy !== null && !POLICIES.includes(propagationPolicy))
    errors.push(notSupported('propagationPolicy', propagationPolicy, [...POLICIES, 'nil']));
  checkDryRun(errors, dryRun ?? []);
  refuse('DeleteOptions', errors);
}

function checkDryRun(errors: Errors, dryRun: readonly string[]): void {
  if (dryRun.some((value) => value !== 'All')) errors.push(notSupported('dryRun', dryRun, ['All']));
}

const VALIDATION = ['', 'Ignore', 'Strict', 'Warn'];

/** dryRun and fieldValidation of a write. Throws Invalid (422). */
export function checkWriteOptions(call: Call): void {
  const errors: Errors = [];
  const dryRun = call.request.query['dryRun'];
  if (dryRun !== undefined) checkDryRun(errors, typeof dryRun === 'string' ? [dryRun] : dryRun);
  const validation = call.parameter('fieldValidation') ?? '';
  if (!VALIDATION.includes(validation)) errors.push(notSupported('fieldValidation', validation, VALIDATION));
  refuse(call.verb === 'patch' ? 'PatchOptions' : call.verb === 'create' ? 'CreateOptions' : 'UpdateOptions', errors);
}
