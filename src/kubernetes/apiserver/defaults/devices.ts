/** Requests for devices: one device unless told otherwise (pkg/apis/resource/v1beta1/defaults.go). */

type Request = Readonly<Record<string, unknown>> & { readonly firstAvailable?: readonly Request[]; readonly exactly?: Request };
interface Spec {
  readonly devices?: { readonly requests?: readonly Request[] };
}

function filled(request: Request): Request {
  if (request.exactly) return { ...request, exactly: filled(request.exactly) };
  if (request.firstAvailable && request.firstAvailable.length > 0) return { ...request, firstAvailable: request.firstAvailable.map(filled) };
  if (request['deviceClassName'] === undefined && request['name'] !== undefined && request['allocationMode'] === undefined && request['count'] === undefined)
    return request;
  const mode = request['allocationMode'] ?? 'ExactCount';
  return { ...request, allocationMode: mode, ...(mode === 'ExactCount' && request['count'] === undefined ? { count: 1 } : {}) };
}

const ofSpec = <T extends Spec | undefined>(spec: T): T =>
  spec?.devices?.requests ? { ...spec, devices: { ...spec.devices, requests: spec.devices.requests.map(filled) } } : spec;

export const claimDefaultsOfDevices = <T extends object>(claim: T): T => ({ ...claim, spec: ofSpec((claim as { spec?: Spec }).spec) });

export const claimTemplateDefaults = <T extends object>(template: T): T => {
  const { spec } = template as { spec?: { spec?: Spec } };
  return spec ? { ...template, spec: { ...spec, spec: ofSpec(spec.spec) } } : template;
};
