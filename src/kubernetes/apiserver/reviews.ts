/**
 * Kinds that are asked and never stored: may I, who am I, is this token good (upstream
 * pkg/registry/authorization, pkg/registry/authentication).
 */
import type { KubeObject } from '../api/meta.ts';
import { type TokenLookup, type User, userOfToken } from './authentication.ts';
import type { Call } from './call.ts';
import { badRequest, noSuchPath } from './errors.ts';
import type { Attributes, PolicyRule, Rbac } from './rbac.ts';
import type { TokenSigner } from './tokens.ts';

interface AccessSpec {
  readonly user?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly resourceAttributes?: {
    readonly namespace?: string;
    readonly verb?: string;
    readonly group?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly name?: string;
  };
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  readonly namespace?: string;
  readonly token?: string;
  readonly audiences?: readonly string[];
}
type Review = KubeObject & { readonly spec?: AccessSpec };

export interface ReviewContext {
  readonly rbac: Rbac;
  readonly tokens: TokenSigner;
  readonly alive: TokenLookup;
  nowSeconds(): number;
}

/** The review with its status. Throws BadRequest when it asks for nothing. */
export function review(context: ReviewContext, call: Call, body: KubeObject): KubeObject {
  const asked = body as Review;
  const spec = asked.spec ?? {};
  const answer = (status: object): KubeObject => ({ ...asked, status }) as unknown as KubeObject;
  switch (call.row.kind) {
    case 'SelfSubjectAccessReview':
      return answer(access(context.rbac, call.user, spec));
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview': {
      if (!spec.user && !spec.groups?.length) throw badRequest('spec.user: Invalid value: "": at least one of user or group must be specified');
      if (call.row.namespaced && spec.resourceAttributes?.namespace !== call.namespace)
        throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${call.namespace}`);
      return answer(access(context.rbac, { name: spec.user ?? '', groups: spec.groups ?? [], ...(spec.uid ? { uid: spec.uid } : {}) }, spec));
    }
    case 'SelfSubjectRulesReview': {
      const rules = context.rbac.rulesOf(call.user, spec.namespace ?? '');
      const resourceRules = rules
        .filter((rule) => rule.resources !== undefined)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, ...(resourceNames ? { resourceNames } : {}) }));
      const nonResourceRules = rules
        .filter((rule) => rule.nonResourceURLs !== undefined)
        .map(({ verbs, nonResourceURLs }: PolicyRule) => ({ verbs, nonResourceURLs }));
      return answer({ resourceRules, nonResourceRules, incomplete: false });
    }
    case 'SelfSubjectReview':
      return answer({ userInfo: userInfo(call.user) });
    case 'TokenReview': {
      const user = userOfToken(spec.token ?? '', context.tokens, context.alive, context.nowSeconds());
      if (!user) return answer({ user: {}, error: '[invalid bearer token, service account token has been invalidated]' });
      return answer({ authenticated: true, user: userInfo(user), audiences: spec.audiences ?? context.tokens.verify(spec.token ?? '')?.audiences ?? [] });
    }
    default:
      throw noSuchPath();
  }
}

const userInfo = ({ name, uid, groups, extra }: User): object => ({ username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) });

function access(rbac: Rbac, user: User, { resourceAttributes: resource, nonResourceAttributes: path }: AccessSpec): object {
  if (!resource === !path)
    throw badRequest('spec.resourceAttributes: Invalid value: "null": exactly one of nonResourceAttributes or resourceAttributes must be specified');
  const what: Attributes = {
    verb: resource?.verb ?? path?.verb ?? '',
    group: resource?.group ?? '',
    resource: resource ? (resource.resource ?? '*') : '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
    path: path?.path ?? '',
  };
  const { allowed, reason } = rbac.authorize(user, what);
  return { allowed, ...(reason ? { reason } : {}) };
}
