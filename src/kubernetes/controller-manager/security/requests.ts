/** Approving and signing of CertificateSigningRequests (pkg/controller/certificates/{approver,signer}, authority/policies.go). */

import type { DeepReadonly, Json } from '../../api/json.ts';
import { openPki } from '../../api/pki/lazy.ts';
import { EPOCH_SECONDS, timestamp } from '../../api/time.ts';
import type { CertificateSigningRequest } from '../../api/types.gen.ts';
import type { Context } from '../controller.ts';

type Csr = DeepReadonly<CertificateSigningRequest>;
type Pki = Awaited<ReturnType<typeof openPki>>;

const read = ({ fromBase64, readRequest, textOf }: Pki, csr: Csr) => readRequest(textOf(fromBase64(csr.spec.request) ?? new Uint8Array()));

const condition = (context: Context, type: string, reason: string, message: string) => {
  const now = timestamp(context.now());
  return { type, status: 'True', reason, message, lastUpdateTime: now, lastTransitionTime: now };
};

export async function approveKubelet(csr: Csr, context: Context): Promise<void> {
  const pki = await context.self.outside(openPki());
  const request = read(pki, csr);
  if (kubeletClientError(request, csr.spec.usages ?? []) !== undefined) return;
  // A kubelet renewing its own certificate, or one that is new and shows a bootstrap token.
  const tries = [
    ...(csr.spec.username === request.subject.commonName
      ? [['selfnodeclient', 'Auto approving self kubelet client certificate after SubjectAccessReview.'] as const]
      : []),
    ['nodeclient', 'Auto approving kubelet client certificate after SubjectAccessReview.'] as const,
  ];
  for (const [subresource, message] of tries) {
    const { username, uid, groups } = csr.spec;
    const review = (await context.client.of('SubjectAccessReview').create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        ...(username ? { user: username } : {}),
        ...(uid ? { uid } : {}),
        ...(groups ? { groups: [...groups] } : {}),
        resourceAttributes: { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', verb: 'create', subresource, version: '*' },
      },
    } as never)) as { readonly status?: { readonly allowed?: boolean } };
    if (!review.status?.allowed) continue;
    await put(csr, context, 'approval', {
      ...csr.status,
      conditions: [...(csr.status?.conditions ?? []), condition(context, 'Approved', 'AutoApproved', message)],
    });
    return;
  }
}

async function put(csr: Csr, { client }: Context, subresource: string, status: object): Promise<void> {
  const { metadata } = csr;
  const response = await client.request({
    method: 'PUT',
    path: `/apis/certificates.k8s.io/v1/certificatesigningrequests/${metadata.name}/${subresource}`,
    query: {},
    headers: { 'content-type': 'application/json' },
    body: { ...csr, status } as unknown as Json,
    typed: true,
  });
  if (response.status >= 400) throw new Error((response.body as { message?: string }).message ?? `HTTP ${response.status}`);
}

type Request = ReturnType<Pki['readRequest']>;
const only = (usages: readonly string[], required: readonly string[], optional: readonly string[]): boolean =>
  required.every((usage) => usages.includes(usage)) && usages.every((usage) => required.includes(usage) || optional.includes(usage));

/** pkg/apis/certificates/helpers.go: what a kubelet's client certificate must be. */
function kubeletClientError({ subject, dnsNames, addresses, emails, uris }: Request, usages: readonly string[]): string | undefined {
  if (subject.organizations.join() !== 'system:nodes') return 'subject organization is not system:nodes';
  if (dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (addresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (emails.length > 0) return 'Email subjectAltNames are not allowed';
  if (uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!subject.commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node: ';
  return only(usages, ['digital signature', 'client auth'], ['key encipherment']) ? undefined : `usages did not match expected kubelet client usages`;
}

function kubeletServingError({ subject, dnsNames, addresses, emails, uris }: Request, usages: readonly string[]): string | undefined {
  if (subject.organizations.join() !== 'system:nodes') return 'subject organization is not system:nodes';
  if (dnsNames.length + addresses.length === 0) return 'DNS or IP subjectAltName is required';
  if (emails.length > 0) return 'Email subjectAltNames are not allowed';
  if (uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!only(usages, ['digital signature', 'server auth'], ['key encipherment'])) return 'usages did not match expected kubelet serving usages';
  return subject.commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node: ';
}

const CLIENT_USAGES = ['digital signature', 'key encipherment', 'client auth'];
const errorFor = (signer: string, request: Request, usages: readonly string[]): string | undefined => {
  if (signer === 'kubernetes.io/kube-apiserver-client-kubelet') return kubeletClientError(request, usages);
  if (signer === 'kubernetes.io/kubelet-serving') return kubeletServingError(request, usages);
  if (signer === 'kubernetes.io/kube-apiserver-client')
    return only(usages, ['client auth'], CLIENT_USAGES) ? undefined : `invalid usages for client certificate: [${usages.join(' ')}]`;
  return undefined;
};

/** `--cluster-signing-duration` */
const LASTS = 8_760 * 3_600;
const BACKDATE = 300;
/** Shorter ones are not dated back. */
const SHORT = 8 * 3_600;

export async function signRequest(csr: Csr, context: Context): Promise<void> {
  const pki = await context.self.outside(openPki());
  const { base64, certificatePem, signWithClusterAuthority, utf8 } = pki;
  const request = read(pki, csr);
  const usages = csr.spec.usages ?? [];
  const wrong = errorFor(csr.spec.signerName, request, usages);
  if (wrong !== undefined) {
    await put(csr, context, 'status', {
      ...csr.status,
      conditions: [...(csr.status?.conditions ?? []), condition(context, 'Failed', 'SignerValidationFailure', wrong)],
    });
    return;
  }
  const now = EPOCH_SECONDS + Math.floor(context.now() / 1_000_000);
  const asked = csr.spec.expirationSeconds;
  const lasts = asked === undefined ? LASTS : Math.min(Math.max(asked, 600), LASTS);
  const backdate = lasts < SHORT ? 0 : BACKDATE;
  const der = signWithClusterAuthority({
    subject: request.subject,
    publicInfo: request.publicInfo,
    notBefore: now - BACKDATE,
    notAfter: now + lasts - backdate,
    usages,
    dnsNames: request.dnsNames,
    addresses: request.addresses,
  });
  await put(csr, context, 'status', { ...csr.status, certificate: base64(utf8(certificatePem(der))) });
}
