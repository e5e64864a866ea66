/**
 * Dynamic resource allocation (pkg/apis/resource/validation), in the words of v1beta1, which is what is validated whatever
 * version was asked for.
 *
 * Here simplified: the rules a person meets first: names, required fields, modes and counts, what never changes. CEL
 * expressions of selectors, attributes of devices, counters and taints are stored as they come.
 */
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../api/names.ts';
import type { ResourceClaimSpec, ResourceClaimTemplateV1beta1, ResourceClaimV1beta1, ResourceSliceV1beta1 } from '../../api/types.gen.ts';
import { duplicate, type Errors, each, IMMUTABLE, immutable, invalid, notSupported, required, tooMany } from './field.ts';

const MODES = ['All', 'ExactCount'];
const MOST_REQUESTS = 32;
const MOST_DEVICES = 128;

function driver(errors: Errors, field: string, name: string): void {
  if (name === '') errors.push(required(field));
  else each(errors, field, name, dns1123SubdomainErrors(name.toLowerCase()));
}

function validateSpec(errors: Errors, spec: ResourceClaimSpec | undefined, at: string): void {
  const requests = spec?.devices?.requests ?? [];
  const path = `${at}.devices.requests`;
  if (requests.length > MOST_REQUESTS) errors.push(tooMany(path, requests.length, MOST_REQUESTS));
  const names = new Set<string>();
  for (const [i, request] of requests.entries()) {
    const own = `${path}[${i}]`;
    each(errors, `${own}.name`, request.name ?? '', dns1123LabelErrors(request.name ?? ''));
    if (names.has(request.name)) errors.push(duplicate(`${own}.name`, request.name));
    names.add(request.name);
    if ((request.firstAvailable?.length ?? 0) > 0) continue;
    if (!request.deviceClassName) errors.push(required(`${own}.deviceClassName`));
    else each(errors, `${own}.deviceClassName`, request.deviceClassName, dns1123SubdomainErrors(request.deviceClassName));
    const mode = request.allocationMode ?? 'ExactCount';
    if (!MODES.includes(mode)) errors.push(notSupported(`${own}.allocationMode`, mode, MODES));
    else if (mode === 'All' && request.count) errors.push(invalid(`${own}.count`, request.count, "must not be specified when allocationMode is 'All'"));
    else if (mode === 'ExactCount' && (request.count ?? 1) <= 0) errors.push(invalid(`${own}.count`, request.count, 'must be greater than zero'));
  }
  for (const [i, constraint] of (spec?.devices?.constraints ?? []).entries()) {
    for (const [j, name] of (constraint.requests ?? []).entries()) {
      if (!names.has(name.split('/')[0] ?? ''))
        errors.push(
          invalid(
            `${at}.devices.constraints[${i}].requests[${j}]`,
            name,
            "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
          ),
        );
    }
  }
}

export function validateResourceClaim(errors: Errors, object: ResourceClaimV1beta1, old: ResourceClaimV1beta1 | undefined): void {
  if (old) immutable(errors, 'spec', object.spec, old.spec, IMMUTABLE);
  else validateSpec(errors, object.spec, 'spec');
}

export function validateResourceClaimTemplate(errors: Errors, object: ResourceClaimTemplateV1beta1, old: ResourceClaimTemplateV1beta1 | undefined): void {
  if (old) immutable(errors, 'spec', object.spec, old.spec, IMMUTABLE);
  else validateSpec(errors, object.spec?.spec, 'spec.spec');
}

export function validateResourceSlice(errors: Errors, object: ResourceSliceV1beta1, old: ResourceSliceV1beta1 | undefined): void {
  const { spec } = object;
  const ways = [spec.nodeName ? 'nodeName' : '', spec.nodeSelector ? 'nodeSelector' : '', spec.allNodes ? 'allNodes' : ''].filter((name) => name !== '');
  if (ways.length === 0 && !spec.perDeviceNodeSelection)
    errors.push(required('spec', 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'));
  driver(errors, 'spec.driver', spec.driver ?? '');
  if (!spec.pool?.name) errors.push(required('spec.pool.name'));
  if ((spec.pool?.resourceSliceCount ?? 0) <= 0)
    errors.push(invalid('spec.pool.resourceSliceCount', spec.pool?.resourceSliceCount ?? 0, 'must be greater than zero'));
  const devices = spec.devices ?? [];
  if (devices.length > MOST_DEVICES) errors.push(tooMany('spec.devices', devices.length, MOST_DEVICES));
  const names = new Set<string>();
  for (const [i, { name, basic }] of devices.entries()) {
    each(errors, `spec.devices[${i}].name`, name ?? '', dns1123LabelErrors(name ?? ''));
    if (names.has(name)) errors.push(duplicate(`spec.devices[${i}].name`, name));
    names.add(name);
    if (!basic) errors.push(required(`spec.devices[${i}].basic`));
  }
  if (!old) return;
  immutable(errors, 'spec.driver', spec.driver, old.spec.driver);
  immutable(errors, 'spec.pool.name', spec.pool?.name, old.spec.pool?.name);
  immutable(errors, 'spec.nodeName', spec.nodeName ?? '', old.spec.nodeName ?? '');
}
