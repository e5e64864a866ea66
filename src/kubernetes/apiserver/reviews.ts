/**
 * Kinds that are asked and never stored: may I, who am I, is this token good (upstream
 * pkg/registry/authorization, pkg/registry/authentication).
 */
import type { KubeObject } from '../api/meta.ts';
import { ApiError } from '../api/request.ts';
import { type Credentials, type User, userOfToken } from './authentication.ts';
import { border } from './border.ts';
import type { Call } from './call.ts';
import { badRequest, noSuchPath } from './errors.ts';
import type { Attributes, PolicyRule, Rbac } from './rbac.ts';
import { ISSUER } from './tokens.ts';

interface ResourceAttributes {
  readonly namespace?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly fieldSelector?: { readonly rawSelector?: string; readonly requirements?: readonly { key: string; operator: string; values?: readonly string[] }[] };
}
interface AccessSpec {
  readonly user?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  readonly namespace?: string;
  readonly token?: string;
  readonly audiences?: readonly string[];
}
type Review = KubeObject & { readonly spec?: AccessSpec };

export interface ReviewContext {
  readonly rbac: Rbac;
  readonly credentials: Credentials;
  /** Asks whoever knows whose a token is; undefined when nobody need be asked. */
  readonly prepareToken?: (token: string) => Promise<void> | undefined;
}

/** What must be known before `review` can answer at once: what webhooks think of the question, or whose the token is. */
export async function prepareReview({ rbac, prepareToken }: ReviewContext, call: Call, body: KubeObject): Promise<void> {
  const { user, groups, uid, token, resourceAttributes, nonResourceAttributes } = (body as Review).spec ?? {};
  if (token) await prepareToken?.(token);
  if (!resourceAttributes && !nonResourceAttributes) return;
  const who = call.row.kind === 'SelfSubjectAccessReview' ? call.user : { name: user ?? '', groups: groups ?? [], ...(uid ? { uid } : {}) };
  await rbac.consult(who, attributesOf(resourceAttributes, nonResourceAttributes));
}

/** The review with its status. Throws Invalid (422) when it asks for nothing, BadRequest for another namespace than its own. */
export function review({ rbac, credentials }: ReviewContext, call: Call, body: KubeObject): KubeObject {
  const asked = body as Review;
  const spec = asked.spec ?? {};
  const { row, user } = call;
  const answer = (status: object): KubeObject => ({ ...asked, status }) as unknown as KubeObject;
  const refuse = (...errors: readonly { field: string; value: unknown; detail: string }[]): never => {
    const list = errors.map(({ field, value, detail }) => ({ type: 'FieldValueInvalid' as const, field, badValue: value, detail }));
    throw new ApiError(border().invalidStatus(row.kind, row.group, body.metadata?.name ?? '', list));
  };
  const access = (who: User): object => {
    const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
    if (resource && path) refuse({ field: 'spec.nonResourceAttributes', value: path, detail: 'cannot be specified in combination with resourceAttributes' });
    if (!resource && !path)
      refuse({ field: 'spec.resourceAttributes', value: null, detail: 'exactly one of nonResourceAttributes or resourceAttributes must be specified' });
    const { allowed, reason, denied } = rbac.authorize(who, attributesOf(resource, path));
    return { allowed, ...(denied ? { denied } : {}), ...(reason ? { reason } : {}) };
  };
  switch (row.kind) {
    case 'SelfSubjectAccessReview':
      return answer(access(user));
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview': {
      if (!spec.user && !spec.groups?.length) refuse({ field: 'spec.user', value: '', detail: 'at least one of user or group must be specified' });
      if (row.namespaced && spec.resourceAttributes?.namespace !== call.namespace) {
        if (spec.nonResourceAttributes)
          refuse({ field: 'spec.nonResourceAttributes', value: spec.nonResourceAttributes, detail: 'disallowed on this kind of request' });
        throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${call.namespace}`);
      }
      return answer(access({ name: spec.user ?? '', groups: spec.groups ?? [], ...(spec.uid ? { uid: spec.uid } : {}) }));
    }
    case 'SelfSubjectRulesReview': {
      if (!spec.namespace) throw badRequest('no namespace on request');
      return answer(rulesReview(rbac, user, spec.namespace));
    }
    case 'SelfSubjectReview':
      return answer({ userInfo: userInfo(user) });
    case 'TokenReview': {
      if (!spec.token) throw badRequest('token is required for TokenReview in authentication');
      const found = userOfToken(spec.token, credentials, spec.audiences ?? [ISSUER]);
      if (typeof found === 'string') return answer({ user: {}, error: found ? `[invalid bearer token, ${found}]` : 'invalid bearer token' });
      const audiences = spec.audiences
        ? (credentials.tokens.verify(spec.token)?.audiences ?? spec.audiences).filter((audience) => spec.audiences!.includes(audience))
        : [ISSUER];
      return answer({ authenticated: true, user: userInfo(found), audiences });
    }
    default:
      throw noSuchPath();
  }
}

/** The Node authorizer cannot list what it allows; RBAC can. */
function rulesReview(rbac: Rbac, user: User, namespace: string): object {
  const { rules, errors } = rbac.rulesOf(user, namespace);
  const isNode = user.groups.includes('system:nodes');
  const wrong = [...(isNode ? ['node authorizer does not support user rule resolution'] : []), ...errors];
  const masters = user.groups.includes('system:masters');
  const everything: readonly PolicyRule[] = masters && rules.length === 0 ? [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] : [];
  const resourceRules = [...everything, ...rules]
    .filter((rule) => rule.resources !== undefined)
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, ...(resourceNames ? { resourceNames } : {}) }));
  const nonResourceRules = rules.filter((rule) => rule.nonResourceURLs !== undefined).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
  return { resourceRules, nonResourceRules, incomplete: wrong.length > 0, ...(wrong.length > 0 ? { evaluationError: wrong.join('; ') } : {}) };
}

const userInfo = ({ name, uid, groups, extra }: User): object => ({ username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) });

function attributesOf(resource: ResourceAttributes | undefined, path: AccessSpec['nonResourceAttributes']): Attributes {
  const { rawSelector, requirements } = resource?.fieldSelector ?? {};
  const selector =
    rawSelector ?? requirements?.flatMap(({ key, operator, values }) => (operator === 'In' && values?.length === 1 ? [`${key}=${values[0]}`] : [])).join(',');
  return {
    verb: resource?.verb ?? path?.verb ?? '',
    group: resource?.group ?? '',
    resource: resource ? (resource.resource ?? '*') : '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
    path: path?.path ?? '',
    ...(resource?.version ? { version: resource.version } : {}),
    ...(selector ? { fieldSelector: selector } : {}),
  };
}
