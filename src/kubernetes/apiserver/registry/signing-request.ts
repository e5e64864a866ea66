/** What of a CertificateSigningRequest its updates leave alone (pkg/registry/certificates, pkg/apis/certificates/validation). */
import type { KubeObject } from '../../api/meta.ts';
import { byKind } from '../../api/resources.ts';
import type { CertificateSigningRequest } from '../../api/types.gen.ts';
import { invalidField } from './objects.ts';
import type { Strategy } from './strategy.ts';

/** Only `approval` may say these. */
const VERDICTS = ['Approved', 'Denied'] as const;

const refuse = (object: KubeObject, field: string, why: string): never => {
  throw invalidField(byKind('CertificateSigningRequest'), object.metadata.name ?? '', field, 'FieldValueForbidden', `Forbidden: ${why}`);
};

export const signingRequestStrategy: Strategy = {
  // What was asked for is what was asked for: a spec that says otherwise is not refused but ignored.
  prepareUpdate: (next, old) => ({ ...next, spec: (old as CertificateSigningRequest).spec }) as KubeObject,
  prepareStatus(next, old) {
    const [now, before] = [(next as CertificateSigningRequest).status, (old as CertificateSigningRequest).status];
    if (before?.certificate && now?.certificate !== before.certificate)
      refuse(next, 'status.certificate', 'updates may not modify existing certificate content');
    for (const type of VERDICTS) {
      const had = before?.conditions?.some((condition) => condition.type === type);
      if (!had && now?.conditions?.some((condition) => condition.type === type))
        refuse(next, 'status.conditions', `updates may not add a condition of type ${JSON.stringify(type)}`);
    }
    const kept = (before?.conditions ?? []).filter(({ type }) => (VERDICTS as readonly string[]).includes(type));
    const others = (now?.conditions ?? []).filter(({ type }) => !(VERDICTS as readonly string[]).includes(type));
    return kept.length === 0 ? next : ({ ...next, status: { ...now, conditions: [...kept, ...others] } } as unknown as KubeObject);
  },
};
