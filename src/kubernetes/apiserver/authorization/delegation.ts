/**
 * What an API server asks others: may somebody do this (SubjectAccessReview to an authorization webhook), whose token
 * is this (TokenReview), and an issuer's keys (OpenID Connect discovery). Each question is asked before the chain needs
 * its answer and kept as upstream keeps it; the chain itself then decides without waiting (apiserver
 * `plugin/pkg/authorizer/webhook`, `authenticator/token/webhook`, `authenticator/token/oidc`).
 *
 * Here simplified: a call that fails is not repeated, and what asks in the midst of a write (escalation checks,
 * owner references) hears only what is already known.
 */
import { type Instant, seconds } from '../../../sim/clock.ts';
import type { Json } from '../../api/json.ts';
import { pki } from '../../api/pki/lazy.ts';
import type { ApiRequest } from '../../api/request.ts';
import type { User } from '../authentication.ts';
import type { Attributes, Verdict } from '../rbac.ts';
import { createWebhookClient, fetchJson, type WebhookSource } from '../webhook-client.ts';
import type { Authorizer, WebhookAuthorizer } from './configuration.ts';

export interface DelegationOptions {
  readonly authorizers?: readonly Authorizer[];
  readonly tokenWebhook?: { readonly url: string; readonly ttl: number; readonly version: string };
  /** Issuers whose keys are to be read. */
  readonly issuers: readonly string[];
  log?(message: string): void;
}
/** What the authorizers of this server's own say. */
export interface Own {
  Node(user: User, what: Attributes): Verdict | undefined;
  RBAC(user: User, what: Attributes): Verdict;
}
type Decision = 'allow' | 'deny' | 'none';
interface Kept<T> {
  readonly value: T;
  readonly until: Instant;
}

/** Beyond this many answers the oldest go. */
const KEPT = 8_192;
const KEYS_AGAIN = seconds(10);

export class Delegation {
  private readonly decisions = new Map<string, Kept<{ readonly decision: Decision; readonly reason: string }>>();
  private readonly users = new Map<string, Kept<User | string>>();
  private readonly keys = new Map<string, { readonly keys: readonly object[] | undefined; readonly read: Instant }>();
  private readonly client: ReturnType<typeof createWebhookClient>;

  constructor(
    private readonly source: WebhookSource,
    private readonly options: DelegationOptions,
  ) {
    this.client = createWebhookClient(source);
  }

  private get now(): Instant {
    return this.source.self.clock.now();
  }

  /** Before a request is recognised: asks whose its token is, or reads the keys of its issuer. Undefined when there is nothing to ask. */
  prepare({ certificate, headers }: ApiRequest): Promise<void> | undefined {
    if (certificate && certificate.pem === undefined) return undefined;
    const token = /^bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
    return token === undefined || token.startsWith('~') ? undefined : this.prepareToken(token);
  }

  prepareToken(token: string): Promise<void> | undefined {
    const jwt = pki().readJwt(token);
    const issuer = jwt && this.options.issuers.find((url) => url === jwt.claims['iss']);
    if (issuer !== undefined) {
      const known = this.keys.get(issuer);
      const suits = known?.keys?.some((key) => jwt!.header.kid === undefined || (key as { readonly kid?: string }).kid === jwt!.header.kid);
      return suits || (known && known.keys === undefined && this.now - known.read < KEYS_AGAIN) ? undefined : this.readKeys(issuer);
    }
    const { tokenWebhook } = this.options;
    if (!tokenWebhook || this.fresh(this.users, token)) return undefined;
    return this.askWhose(token, tokenWebhook);
  }

  /** What the webhook said of a token; '' when it knows none, undefined where there is no webhook. */
  tokenUser(token: string): User | string | undefined {
    return this.options.tokenWebhook ? (this.fresh(this.users, token) ?? '') : undefined;
  }

  keysOf(issuer: string): readonly object[] | undefined {
    return this.keys.get(issuer)?.keys;
  }

  /** Before the chain authorizes: asks those webhooks whose answer is wanted and not known. */
  consult(user: User, what: Attributes, own: Own): Promise<void> | undefined {
    if (user.groups.includes('system:masters')) return undefined;
    for (const authorizer of this.options.authorizers ?? []) {
      if (typeof authorizer === 'string') {
        if (this.own(authorizer, user, what, own)?.allowed) return undefined;
        continue;
      }
      const key = keyOf(authorizer, user, what);
      const known = this.fresh(this.decisions, key);
      if (!known) return this.ask(authorizer, key, user, what).then(() => this.consult(user, what, own));
      if (known.decision !== 'none') return undefined;
    }
    return undefined;
  }

  /** The authorizers in their order, where the configuration has any; undefined where it has none. */
  decide(user: User, what: Attributes, own: Own): Verdict | undefined {
    const { authorizers } = this.options;
    if (!authorizers) return undefined;
    const reasons: string[] = [];
    for (const authorizer of authorizers) {
      if (typeof authorizer === 'string') {
        const verdict = this.own(authorizer, user, what, own);
        if (verdict?.allowed) return verdict;
        if (verdict?.reason) reasons.push(verdict.reason);
        continue;
      }
      const { decision, reason } = this.fresh(this.decisions, keyOf(authorizer, user, what)) ?? { decision: 'none', reason: '' };
      if (decision !== 'none') return decision === 'allow' ? { allowed: true, reason } : { allowed: false, denied: true, reason };
      if (reason !== '') reasons.push(reason);
    }
    return { allowed: false, reason: reasons.join('\n') };
  }

  private own(name: string, user: User, what: Attributes, own: Own): Verdict | undefined {
    switch (name) {
      case 'AlwaysAllow':
        return { allowed: true, reason: '' };
      case 'AlwaysDeny':
        return { allowed: false, reason: 'Everything is forbidden.' };
      case 'Node':
        return own.Node(user, what);
      default:
        return own.RBAC(user, what);
    }
  }

  private async ask(webhook: WebhookAuthorizer, key: string, user: User, what: Attributes): Promise<void> {
    const spec = specOf(user, what);
    const failed: Decision = webhook.failurePolicy === 'Deny' ? 'deny' : 'none';
    const keep = (decision: Decision, reason: string, ttl: number): void => this.keep(this.decisions, key, { decision, reason }, ttl);
    try {
      if (!webhook.matches(spec)) return keep('none', '', 0);
      const review = { kind: 'SubjectAccessReview', apiVersion: `authorization.k8s.io/${webhook.version}`, metadata: { creationTimestamp: null }, spec };
      const answer = (await this.client.call({ url: webhook.url }, { ...review, status: { allowed: false } } as Json, webhook.timeout)) as {
        readonly status?: { readonly allowed?: boolean; readonly denied?: boolean; readonly reason?: string };
      };
      const { allowed = false, denied = false, reason = '' } = answer.status ?? {};
      if (allowed && denied) throw new Error('webhook subject access review returned both allow and deny response');
      keep(allowed ? 'allow' : denied ? 'deny' : 'none', reason, allowed ? webhook.authorizedTtl : webhook.unauthorizedTtl);
    } catch (error) {
      this.options.log?.(`webhook.go:269] "Failed to make webhook authorizer request" err=${JSON.stringify(message(error))}`);
      keep(failed, '', 0);
    }
  }

  private async askWhose(token: string, { url, ttl, version }: { readonly url: string; readonly ttl: number; readonly version: string }): Promise<void> {
    try {
      const review = {
        kind: 'TokenReview',
        apiVersion: `authentication.k8s.io/${version}`,
        metadata: { creationTimestamp: null },
        spec: { token },
        status: { user: {} },
      };
      const answer = (await this.client.call({ url }, review as Json, 30)) as {
        readonly status?: {
          readonly authenticated?: boolean;
          readonly error?: string;
          readonly user?: { readonly username?: string; readonly uid?: string; readonly groups?: readonly string[]; readonly extra?: User['extra'] };
        };
      };
      const { authenticated = false, error = '', user } = answer.status ?? {};
      const found: User | string = authenticated
        ? {
            name: user?.username ?? '',
            ...(user?.uid ? { uid: user.uid } : {}),
            groups: [...new Set([...(user?.groups ?? []), 'system:authenticated'])],
            ...(user?.extra ? { extra: user.extra } : {}),
          }
        : error;
      this.keep(this.users, token, found, ttl);
    } catch (error) {
      this.options.log?.(`webhook.go:154] Failed to make webhook authenticator request: ${message(error)}`);
      this.keep(this.users, token, message(error), 0);
    }
  }

  private async readKeys(issuer: string): Promise<void> {
    let keys: readonly object[] | undefined;
    try {
      const found = (await fetchJson(this.source, `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)) as { issuer?: string; jwks_uri?: string };
      if (found.issuer !== issuer)
        throw new Error(
          `oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(issuer)} got ${JSON.stringify(found.issuer ?? '')}`,
        );
      keys = ((await fetchJson(this.source, found.jwks_uri ?? '')) as { readonly keys?: readonly object[] }).keys;
    } catch (error) {
      this.options.log?.(`oidc.go:357] "Unhandled Error" err=${JSON.stringify(`oidc authenticator: initializing plugin: ${message(error)}`)}`);
    }
    this.keys.set(issuer, { keys: keys ?? this.keys.get(issuer)?.keys, read: this.now });
  }

  private fresh<T>(kept: Map<string, Kept<T>>, key: string): T | undefined {
    const found = kept.get(key);
    return found && found.until >= this.now ? found.value : undefined;
  }
  /** For so many seconds; 0 keeps it for whoever has just asked. */
  private keep<T>(kept: Map<string, Kept<T>>, key: string, value: T, ttl: number): void {
    kept.delete(key);
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
    kept.set(key, { value, until: this.now + seconds(ttl) });
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const keyOf = ({ name }: WebhookAuthorizer, user: User, what: Attributes): string => JSON.stringify([name, specOf(user, what)]);

/** What a SubjectAccessReview asks. */
function specOf(user: User, { verb, group, resource, subresource, namespace, name, path, version }: Attributes): object {
  const attributes = { namespace, verb, group, version: version ?? '', resource, subresource, name };
  return {
    ...(resource !== ''
      ? { resourceAttributes: Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== '')) }
      : { nonResourceAttributes: { path, verb } }),
    user: user.name,
    groups: user.groups,
    ...(user.extra ? { extra: user.extra } : {}),
    ...(user.uid ? { uid: user.uid } : {}),
  };
}
