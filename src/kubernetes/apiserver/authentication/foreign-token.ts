/**
 * Bearer tokens that are no service account's: bootstrap tokens (plugin/pkg/auth/authenticator/token/bootstrap)
 * and JSON Web Tokens of configured issuers (OpenID Connect, apiserver `plugin/pkg/authenticator/token/oidc`).
 */
import { type JsonWebKey, type Jwt, readJwt, verifyJwt } from '../../api/pki/jwt.ts';
import { EPOCH_SECONDS, instantOf } from '../../api/time.ts';
import type { Secret } from '../../api/types.gen.ts';
import type { Credentials, User } from '../authentication.ts';
import { fromBase64url } from '../base64.ts';
import type { JwtAuthenticator } from './configuration.ts';

const BOOTSTRAP = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;

/** The user, or why not; '' when no method knows such a token. */
export function userOfForeignToken(token: string, credentials: Credentials): User | string {
  const bootstrap = BOOTSTRAP.exec(token);
  if (bootstrap) return userOfBootstrapToken(bootstrap[1]!, bootstrap[2]!, credentials);
  const jwt = readJwt(token);
  const issuer = jwt && credentials.configuration?.jwt?.find(({ issuer: { url } }) => url === jwt.claims['iss']);
  return issuer ? userOfIssuer(jwt, issuer, credentials) : '';
}

function userOfBootstrapToken(id: string, secret: string, { secret: find, nowSeconds }: Credentials): User | string {
  const stored = find('kube-system', `bootstrap-token-${id}`) as Secret | undefined;
  if (!stored || stored.metadata.deletionTimestamp || stored.type !== 'bootstrap.kubernetes.io/token') return '';
  const data = (key: string): string => fromBase64url((stored.data?.[key] ?? '').replace(/=+$/, '').replace(/\+/g, '-').replace(/\//g, '_'));
  if (data('token-id') !== id || data('token-secret') !== secret) return '';
  const until = data('expiration');
  const instant = instantOf(until);
  if (until !== '' && (instant === undefined || instant <= (nowSeconds() - EPOCH_SECONDS) * 1_000_000)) return '';
  if (data('usage-bootstrap-authentication') !== 'true') return '';
  const groups = data('auth-extra-groups')
    .split(',')
    .flatMap((group) => (group === '' ? [] : [group]));
  if (groups.some((group) => !/^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group))) return '';
  return { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...[...new Set(groups)].sort(), 'system:authenticated'] };
}

function userOfIssuer(jwt: Jwt, { issuer, rules }: JwtAuthenticator, credentials: Credentials): User | string {
  const { claims } = jwt;
  const keys = credentials.configuration?.keysOf?.(issuer.url);
  if (!keys || !rules) return 'oidc: authenticator not initialized';
  const refuse = (why: string) => `oidc: ${why}`;
  const audience = claims['aud'];
  const heard = Array.isArray(audience) ? (audience as string[]) : [String(audience)];
  if (!heard.some((each) => issuer.audiences.includes(each)))
    return refuse(`verify token: oidc: expected audience ${JSON.stringify(issuer.audiences[0])} got ${JSON.stringify(heard)}`);
  const now = credentials.nowSeconds();
  if (Number(claims['exp'] ?? 0) <= now) return refuse('verify token: oidc: token is expired');
  if (!verifyJwt(jwt, keys as readonly JsonWebKey[])) return refuse('verify token: failed to verify signature: failed to verify id token signature');
  try {
    rules.checkClaims(claims);
    const uid = rules.uid(claims);
    const extra = rules.extra(claims);
    const user: User = {
      name: rules.username(claims),
      groups: rules.groups(claims),
      ...(uid === undefined ? {} : { uid }),
      ...(Object.keys(extra).length > 0 ? { extra } : {}),
    };
    rules.checkUser(user);
    return { ...user, groups: [...user.groups, 'system:authenticated'] };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
