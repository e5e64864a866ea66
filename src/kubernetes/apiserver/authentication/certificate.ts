/**
 * Client certificates (apiserver `pkg/authentication/request/x509`): signed by the cluster's authority, valid now, for
 * client authentication. The common name is the user, organizations are groups.
 */
import { CLUSTER_CA } from '../../api/pki/cluster-ca.ts';
import { type Certificate, readCertificates, signedBy } from '../../api/pki/x509.ts';
import { rfc3339 } from '../../api/time.ts';
import type { User } from '../authentication.ts';

interface Judged {
  readonly certificate: Certificate;
  /** Undefined: signed by the authority. */
  readonly error: string | undefined;
}

/** A signature is checked once; the same certificate is shown with every request. */
const judged = new Map<string, Judged | string>();
let authority: Certificate | undefined;

/** The user of a certificate (the first of a PEM text), or why it is not accepted, in Go's words. */
export function userOfCertificate(pem: string, nowSeconds: number): User | string {
  let found = judged.get(pem);
  if (found === undefined) {
    found = judge(pem);
    if (judged.size >= 256) judged.clear();
    judged.set(pem, found);
  }
  if (typeof found === 'string') return found;
  const { certificate, error } = found;
  const why = error ?? datesError(certificate, nowSeconds) ?? usageError(certificate);
  if (why) return `verifying certificate SN=${certificate.serial} failed: ${why}`;
  const { commonName, organizations } = certificate.subject;
  return { name: commonName, groups: [...organizations, 'system:authenticated'] };
}

function judge(pem: string): Judged | string {
  const certificate = readCertificates(pem)?.[0];
  if (!certificate) return 'x509: malformed certificate';
  authority ??= readCertificates(CLUSTER_CA)![0]!;
  return { certificate, error: signedBy(certificate, authority) ? undefined : 'x509: certificate signed by unknown authority' };
}

/** Texts of RFC 3339 in UTC compare as the instants do. */
function datesError({ notBefore, notAfter }: Certificate, nowSeconds: number): string | undefined {
  const now = rfc3339(nowSeconds);
  const outside = 'x509: certificate has expired or is not yet valid: current time';
  if (now < notBefore) return `${outside} ${now} is before ${notBefore}`;
  return now > notAfter ? `${outside} ${now} is after ${notAfter}` : undefined;
}

const usageError = ({ usages }: Certificate): string | undefined => {
  const extended = usages.filter((usage) => usage.endsWith('auth') || usage === 'any');
  return extended.length === 0 || extended.includes('client auth') || extended.includes('any')
    ? undefined
    : 'x509: certificate specifies an incompatible key usage';
};
