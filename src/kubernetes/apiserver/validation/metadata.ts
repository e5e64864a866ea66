/** Metadata of every object: apimachinery pkg/api/validation/objectmeta.go; and label selectors. */
import type { ObjectMeta } from '../../api/meta.ts';
import { dns1035LabelErrors, dns1123LabelErrors, dns1123SubdomainErrors, labelValueErrors, qualifiedNameErrors } from '../../api/names.ts';
import type { LabelSelector } from '../../api/types.gen.ts';
import { type Errors, each, forbidden, invalid, required, sameJson, tooLong } from './field.ts';

export type NameRule = (name: string) => string[];

export const SUBDOMAIN: NameRule = dns1123SubdomainErrors;
export const LABEL: NameRule = dns1123LabelErrors;
export const SERVICE_NAME: NameRule = dns1035LabelErrors;
/** Roles and bindings may have any name that fits in a path. */
export const PATH_SEGMENT: NameRule = (name) => {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  const errors: string[] = [];
  for (const illegal of ['/', '%']) if (name.includes(illegal)) errors.push(`may not contain '${illegal}'`);
  return errors;
};

const ANNOTATIONS_LIMIT = 256 * 1024;
const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

export function validateMetadata(errors: Errors, metadata: ObjectMeta, namespaced: boolean, nameRule: NameRule, path = 'metadata'): void {
  if (metadata.generateName) {
    // A name is checked as it would be with something after the prefix.
    const sample = metadata.generateName.replace(/.-$/, 'a').replace(/^-$/, 'a');
    each(errors, `${path}.generateName`, metadata.generateName, nameRule(sample));
  }
  if (!metadata.name) errors.push(required(`${path}.name`, 'name or generateName is required'));
  else each(errors, `${path}.name`, metadata.name, nameRule(metadata.name));
  if (namespaced) {
    if (!metadata.namespace) errors.push(required(`${path}.namespace`));
    else each(errors, `${path}.namespace`, metadata.namespace, dns1123LabelErrors(metadata.namespace));
  } else if (metadata.namespace) errors.push(forbidden(`${path}.namespace`, 'not allowed on this type'));
  if (metadata.generation !== undefined && metadata.generation < 0)
    errors.push(invalid(`${path}.generation`, metadata.generation, 'must be greater than or equal to 0'));
  if (metadata.labels) validateLabels(errors, metadata.labels, `${path}.labels`);
  if (metadata.annotations) validateAnnotations(errors, metadata.annotations, `${path}.annotations`);
  if (metadata.ownerReferences) validateOwners(errors, metadata, `${path}.ownerReferences`);
  for (const [i, finalizer] of (metadata.finalizers ?? []).entries()) {
    const reasons = qualifiedNameErrors(finalizer);
    each(errors, `${path}.finalizers`, finalizer, reasons);
    if (reasons.length === 0 && !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
      errors.push(invalid(`${path}.finalizers[${i}]`, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
    }
  }
}

export function validateLabels(errors: Errors, labels: Readonly<Record<string, string>>, path: string): void {
  for (const key in labels) {
    each(errors, path, key, qualifiedNameErrors(key));
    const value = labels[key] ?? '';
    each(errors, path, value, labelValueErrors(value));
  }
}

export function validateAnnotations(errors: Errors, annotations: Readonly<Record<string, string>>, path: string): void {
  let size = 0;
  for (const key in annotations) {
    // Letters of either case are fine in keys of annotations.
    each(errors, path, key, qualifiedNameErrors(key.toLowerCase()));
    size += key.length + (annotations[key] ?? '').length;
  }
  if (size > ANNOTATIONS_LIMIT) errors.push(tooLong(path, ANNOTATIONS_LIMIT));
}

function validateOwners(errors: Errors, metadata: ObjectMeta, path: string): void {
  let controller: string | undefined;
  for (const [i, owner] of (metadata.ownerReferences ?? []).entries()) {
    const at = `${path}[${i}]`;
    if (!owner.apiVersion) errors.push(invalid(`${at}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    if (!owner.kind) errors.push(invalid(`${at}.kind`, owner.kind ?? '', 'must not be empty'));
    if (!owner.name) errors.push(invalid(`${at}.name`, owner.name ?? '', 'must not be empty'));
    if (!owner.uid) errors.push(invalid(`${at}.uid`, owner.uid ?? '', 'must not be empty'));
    if (owner.apiVersion === 'v1' && owner.kind === 'Event')
      errors.push(invalid(at, owner, `${owner.apiVersion}, Kind=${owner.kind} is disallowed from being an owner`));
    if (!owner.controller) continue;
    if (controller === undefined) controller = owner.name;
    else
      errors.push(
        invalid(
          path,
          metadata.ownerReferences,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`,
        ),
      );
  }
}

/** What of an object's metadata never changes. */
export function validateMetadataUpdate(errors: Errors, metadata: ObjectMeta, before: ObjectMeta, path = 'metadata'): void {
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp'] as const) {
    if ((metadata[field] ?? '') !== (before[field] ?? '')) errors.push(invalid(`${path}.${field}`, metadata[field] ?? '', 'field is immutable'));
  }
  if (before.deletionTimestamp) {
    const added = (metadata.finalizers ?? []).filter((f) => !before.finalizers?.includes(f));
    if (added.length > 0) {
      errors.push(
        forbidden(
          `${path}.finalizers`,
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(', ')}}`,
        ),
      );
    }
    if (!sameJson(metadata.deletionTimestamp, before.deletionTimestamp))
      errors.push(invalid(`${path}.deletionTimestamp`, metadata.deletionTimestamp, 'field is immutable'));
  }
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** metav1 validation.ValidateLabelSelector. */
export function validateLabelSelector(errors: Errors, selector: LabelSelector, path: string): void {
  if (selector.matchLabels) validateLabels(errors, selector.matchLabels, `${path}.matchLabels`);
  for (const [i, requirement] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${i}]`;
    const values = requirement.values?.length ?? 0;
    if (requirement.operator === 'In' || requirement.operator === 'NotIn') {
      if (values === 0) errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (requirement.operator === 'Exists' || requirement.operator === 'DoesNotExist') {
      if (values > 0) errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else if (!OPERATORS.includes(requirement.operator)) errors.push(invalid(`${at}.operator`, requirement.operator, 'not a valid selector operator'));
    each(errors, `${at}.key`, requirement.key, qualifiedNameErrors(requirement.key));
    for (const [j, value] of (requirement.values ?? []).entries()) each(errors, `${at}.values[${j}]`, value, labelValueErrors(value));
  }
}
