/**
 * TokenRequest, the `token` subresource of service accounts (pkg/registry/core/serviceaccount/storage/token.go):
 * tokens bound to a pod, a secret or a node, with an audience and an end.
 */
import type { KubeObject } from '../../api/meta.ts';
import { EPOCH_SECONDS, rfc3339 } from '../../api/time.ts';
import type { Pod, TokenRequest } from '../../api/types.gen.ts';
import type { Call } from '../call.ts';
import { badRequest, conflict, failure, notFound, quote } from '../errors.ts';
import type { Registry } from '../registry/store.ts';
import { type Bound, ISSUER, type TokenClaims, type TokenSigner } from '../tokens.ts';

const SHORTEST = 600;
const LONGEST = 2 ** 32;
/** The well-known marker of a pod's own token: clients too old to reload it are given a year (extended expiration). */
const WARNED_AFTER = 3607;
const EXTENDED = 365 * 24 * 3600;

interface Context {
  readonly registry: Registry;
  readonly tokens: TokenSigner;
}

/** The request with its token. Rejects with Invalid, BadRequest, NotFound or Conflict. */
export async function issueToken({ registry, tokens }: Context, call: Call, account: KubeObject, request: TokenRequest): Promise<object> {
  const { spec } = request;
  const seconds = spec?.expirationSeconds ?? 3600;
  if (seconds < SHORTEST) throw invalid(seconds, 'may not specify a duration less than 10 minutes');
  if (seconds > LONGEST) throw invalid(seconds, 'may not specify a duration larger than 2^32 seconds');
  const name = account.metadata.name ?? '';
  const reference = spec?.boundObjectRef;
  const bound = reference ? await boundObject(registry, call, name, reference) : undefined;
  const now = EPOCH_SECONDS + Math.floor(registry.self.clock.now() / 1_000_000);
  const audiences = spec?.audiences?.length ? spec.audiences : [ISSUER];
  const extended = seconds === WARNED_AFTER && bound?.pod !== undefined && audiences.includes(ISSUER);
  const claims: TokenClaims = {
    namespace: call.namespace,
    serviceAccount: name,
    uid: account.metadata.uid ?? '',
    ...bound,
    audiences,
    iat: now,
    exp: now + (extended ? EXTENDED : seconds),
    jti: registry.uid(),
    ...(extended ? { warnAfter: now + seconds } : {}),
  };
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace: call.namespace, creationTimestamp: registry.timestamp() },
    spec: { ...spec, audiences, expirationSeconds: seconds },
    status: { token: call.request.typed ? tokens.seal(claims) : tokens.sign(claims), expirationTimestamp: rfc3339(now + seconds) },
  };
}

function invalid(seconds: number, detail: string) {
  const message = `Invalid value: ${seconds}: ${detail}`;
  return failure(422, 'Invalid', `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: ${message}`, {
    group: 'authentication.k8s.io',
    kind: 'TokenRequest',
    causes: [{ reason: 'FieldValueInvalid', message, field: 'spec.expirationSeconds' }],
  });
}

type Reference = NonNullable<NonNullable<TokenRequest['spec']>['boundObjectRef']>;
const PLACES: Readonly<Record<string, readonly [claim: 'pod' | 'secret' | 'node', resource: string]>> = {
  Pod: ['pod', 'pods'],
  Secret: ['secret', 'secrets'],
  Node: ['node', 'nodes'],
};

async function boundObject(registry: Registry, call: Call, account: string, reference: Reference): Promise<{ pod?: Bound; secret?: Bound; node?: Bound }> {
  const { kind = '', name = '', uid, apiVersion = 'v1' } = reference;
  const place = apiVersion === 'v1' ? PLACES[kind] : undefined;
  if (!place) {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  }
  const [claim, resource] = place;
  const at = async (key: string) => {
    const stored = await registry.storage.get(key);
    call.resume();
    return stored?.object;
  };
  const object = await at(claim === 'node' ? `/registry/minions/${name}` : `/registry/${resource}/${call.namespace}/${name}`);
  if (!object) throw notFound('', resource, name);
  if (claim === 'pod' && (object as Pod).spec?.serviceAccountName !== account)
    throw badRequest(`cannot bind token for serviceaccount ${quote(account)} to pod running with different serviceaccount name.`);
  if (uid && uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict('', kind, name, why);
  }
  const identity = ({ metadata }: KubeObject): Bound => ({ name: metadata.name ?? '', uid: metadata.uid ?? '' });
  const where = claim === 'pod' ? (object as Pod).spec?.nodeName : undefined;
  const node = where ? registry.storage.cache.get(`/registry/minions/${where}`)?.object : undefined;
  return { [claim]: identity(object), ...(node ? { node: identity(node) } : {}) };
}
