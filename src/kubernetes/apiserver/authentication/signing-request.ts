/**
 * CertificateSigningRequests as the API server treats them: who asks is written down (pkg/registry/certificates),
 * the PKCS #10 request is really read (pkg/apis/certificates/validation), and who approves or signs must be allowed
 * to for that signer (plugin/pkg/admission/certificates).
 */
import type { KubeObject } from '../../api/meta.ts';
import { fromBase64, textOf } from '../../api/pki/bytes.ts';
import { readCertificates, readRequest } from '../../api/pki/x509.ts';
import { ApiError } from '../../api/request.ts';
import type { CertificateSigningRequest } from '../../api/types.gen.ts';
import type { Attributes, Writing } from '../admission/admission.ts';
import type { User } from '../authentication.ts';
import { border } from '../border.ts';
import { forbidden } from '../errors.ts';
import type { Attributes as Access } from '../rbac.ts';
import { equalJson } from '../registry/equal.ts';
import type { FieldError } from '../validation/field.ts';

const GROUP = 'certificates.k8s.io';
const PLURAL = 'certificatesigningrequests';

/** The object with its maker written into spec, whatever the maker wrote there. Throws Invalid. */
export function fillRequest({ object, user }: Writing): KubeObject {
  const csr = object as CertificateSigningRequest;
  const { username: _n, uid: _u, groups: _g, extra: _e, ...spec } = csr.spec;
  const filled = {
    ...csr,
    spec: {
      ...spec,
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.groups.length > 0 ? { groups: [...user.groups] } : {}),
      ...(user.extra ? { extra: user.extra } : {}),
    },
  };
  const errors = validate(filled as unknown as CertificateSigningRequest);
  if (errors.length > 0) throw new ApiError(border().invalidStatus('CertificateSigningRequest', GROUP, csr.metadata.name ?? '', errors));
  return filled as unknown as KubeObject;
}

const USAGES = new Set([
  'signing',
  'digital signature',
  'content commitment',
  'key encipherment',
  'key agreement',
  'data encipherment',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
  'any',
  'server auth',
  'client auth',
  'code signing',
  'email protection',
  's/mime',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'timestamping',
  'ocsp signing',
  'microsoft sgc',
  'netscape sgc',
]);

function validate({ spec }: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = [];
  const invalid = (field: string, badValue: unknown, detail: string) => errors.push({ type: 'FieldValueInvalid', field, badValue, detail });
  const required = (field: string, detail: string) => errors.push({ type: 'FieldValueRequired', field, detail });
  const request = spec.request ?? '';
  try {
    readRequest(textOf(fromBase64(request) ?? new Uint8Array()));
  } catch (error) {
    // Go prints the bytes as numbers; a byte slice is what the field is there.
    invalid('spec.request', Array.from(fromBase64(request) ?? []), error instanceof Error ? error.message : String(error));
  }
  const usages = spec.usages ?? [];
  if (usages.length === 0) required('spec.usages', '');
  const seen = new Set<string>();
  usages.forEach((usage, i) => {
    if (!USAGES.has(usage)) errors.push({ type: 'FieldValueNotSupported', field: `spec.usages[${i}]`, badValue: usage, detail: '' });
    else if (seen.has(usage)) errors.push({ type: 'FieldValueDuplicate', field: `spec.usages[${i}]`, badValue: usage, detail: '' });
    seen.add(usage);
  });
  const signer = spec.signerName ?? '';
  if (signer === '') required('spec.signerName', '');
  else if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\/[-a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(signer))
    invalid('spec.signerName', signer, 'must be a fully qualified domain and path of the form "example.com/signer-name"');
  else if (signer === 'kubernetes.io/legacy-unknown') invalid('spec.signerName', signer, 'the legacy signerName is not allowed via this API version');
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600)
    invalid('spec.expirationSeconds', spec.expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)');
  return errors;
}

/** Who approves, signs or asks for more than the signer gives. Throws Forbidden. */
export function checkRequest(attributes: Attributes, allowed: (user: User, what: Access) => boolean): void {
  const { operation, subresource, object, old, user } = attributes;
  const csr = object as CertificateSigningRequest | undefined;
  const refuse = (why: string) => forbidden(GROUP, PLURAL, csr?.metadata.name ?? '', why);
  if (operation === 'CREATE' && csr) {
    const groups = requestOf(csr)?.subject.organizations ?? [];
    if (csr.spec.signerName === 'kubernetes.io/kube-apiserver-client' && groups.includes('system:masters'))
      throw refuse('use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed');
  } else if (operation === 'UPDATE' && csr && (subresource === 'approval' || subresource === 'status')) {
    const before = (old as CertificateSigningRequest).status;
    if (subresource === 'status' && before?.certificate === csr.status?.certificate && equalJson(before?.conditions ?? [], csr.status?.conditions ?? []))
      return;
    const verb = subresource === 'approval' ? 'approve' : 'sign';
    const signer = csr.spec.signerName;
    const names = [signer, `${signer.split('/')[0]}/*`];
    const may = names.some((name) => allowed(user, { verb, group: GROUP, resource: 'signers', subresource: '', namespace: '', name, path: '' }));
    if (!may) throw refuse(`user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`);
  }
}

const requestOf = (csr: CertificateSigningRequest) => {
  try {
    return readRequest(textOf(fromBase64(csr.spec.request) ?? new Uint8Array()));
  } catch {
    return undefined;
  }
};

type Condition = NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>[number];

/** What PUT and PATCH of `approval` leave: new conditions, with their times, and nothing else changed. Throws Invalid. */
export function approved(old: KubeObject, wanted: KubeObject, now: string): KubeObject {
  const before = (old as CertificateSigningRequest).status;
  const conditions = (wanted as CertificateSigningRequest).status?.conditions ?? [];
  const errors: FieldError[] = [];
  const types = new Set(conditions.map(({ type }) => type));
  if (types.has('Approved') && types.has('Denied'))
    conditions.forEach(({ type }, i) => {
      if (type === 'Denied')
        errors.push({
          type: 'FieldValueInvalid',
          field: `status.conditions[${i}].type`,
          badValue: type,
          detail: 'Approved and Denied conditions are mutually exclusive',
        });
    });
  conditions.forEach(({ type, status }, i) => {
    if ((type === 'Approved' || type === 'Denied' || type === 'Failed') && status !== 'True')
      errors.push({ type: 'FieldValueNotSupported', field: `status.conditions[${i}].status`, badValue: status, detail: 'supported values: "True"' });
  });
  for (const type of ['Approved', 'Denied', 'Failed'])
    if (before?.conditions?.some((condition) => condition.type === type) && !types.has(type))
      errors.push({ type: 'FieldValueForbidden', field: 'status.conditions', detail: `updates may not remove a condition of type ${JSON.stringify(type)}` });
  if (errors.length > 0) throw new ApiError(border().invalidStatus('CertificateSigningRequest', GROUP, old.metadata.name ?? '', errors));
  const timed = conditions.map((condition): Condition => {
    const known = before?.conditions?.find(({ type }) => type === condition.type);
    return {
      ...condition,
      status: condition.status ?? 'True',
      lastUpdateTime: condition.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? (known?.status === condition.status ? known.lastTransitionTime : undefined) ?? now,
    } as Condition;
  });
  const { resourceVersion } = wanted.metadata;
  return {
    ...old,
    metadata: { ...old.metadata, ...(resourceVersion ? { resourceVersion } : {}) },
    status: { ...before, conditions: timed },
  } as unknown as KubeObject;
}

/** Whether a certificate put into status is one. */
export const isCertificate = (text: string): boolean => (readCertificates(textOf(fromBase64(text) ?? new Uint8Array()))?.length ?? 0) > 0;
