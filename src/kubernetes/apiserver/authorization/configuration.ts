/**
 * AuthorizationConfiguration (apiserver.config.k8s.io/v1, KEP-3221) and the flags it stands for: which authorizers
 * there are, in which order, and how a webhook is asked (apiserver `pkg/apis/apiserver/validation`).
 */
import { compile } from '../cel/environment.ts';

export interface WebhookAuthorizer {
  readonly name: string;
  readonly url: string;
  /** Seconds. */
  readonly timeout: number;
  readonly authorizedTtl: number;
  readonly unauthorizedTtl: number;
  readonly version: string;
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  /** True when every condition holds for a SubjectAccessReview's spec; throws when one cannot be told. */
  matches(spec: object): boolean;
}
export type Authorizer = 'AlwaysAllow' | 'AlwaysDeny' | 'Node' | 'RBAC' | WebhookAuthorizer;

interface Webhook {
  readonly authorizedTTL?: string;
  readonly unauthorizedTTL?: string;
  readonly timeout?: string;
  readonly subjectAccessReviewVersion?: string;
  readonly matchConditionSubjectAccessReviewVersion?: string;
  readonly failurePolicy?: string;
  readonly connectionInfo?: { readonly type?: string; readonly kubeConfigFile?: string };
  readonly matchConditions?: readonly { readonly expression?: string }[];
}
interface File {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly authorizers?: readonly { readonly type?: string; readonly name?: string; readonly webhook?: Webhook }[];
}

const TYPES = ['ABAC', 'AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'];
const quoted = (words: readonly string[]): string => words.map((word) => JSON.stringify(word)).join(', ');
/** `1m30s` in seconds; undefined when it is none. */
export function secondsOf(text: string | undefined): number | undefined {
  const m = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text ?? '');
  return m && text !== '' && text !== undefined ? Number(m[1] ?? 0) * 3600 + Number(m[2] ?? 0) * 60 + Number(m[3] ?? 0) : undefined;
}

/** The address in a kubeconfig that says where a webhook is: that of its current context. Throws an Error. */
export function serverOf(value: unknown): string {
  const config = value as {
    readonly 'current-context'?: string;
    readonly contexts?: readonly { readonly name: string; readonly context?: { readonly cluster?: string } }[];
    readonly clusters?: readonly { readonly name: string; readonly cluster?: { readonly server?: string } }[];
  } | null;
  const context = config?.contexts?.find(({ name }) => name === config['current-context'])?.context;
  const server = config?.clusters?.find(({ name }) => name === context?.cluster)?.cluster?.server;
  if (!server) throw new Error('invalid configuration: no configuration has been provided');
  return server;
}

/** Reads `--authorization-config`; `kubeconfig` gives the content of a file it names. Throws an Error with the text kube-apiserver exits with. */
export function readAuthorizers(value: unknown, kubeconfig: (path: string) => unknown): readonly Authorizer[] {
  const file = value as File | null;
  if (file?.kind !== 'AuthorizationConfiguration' || !/^apiserver\.config\.k8s\.io\/v1(beta1|alpha1)?$/.test(file.apiVersion ?? ''))
    throw new Error(`no kind ${JSON.stringify(file?.kind ?? '')} is registered for version ${JSON.stringify(file?.apiVersion ?? '')} in scheme`);
  const errors: string[] = [];
  const types = new Set<string>();
  const names = new Set<string>();
  const made: Authorizer[] = [];
  const list = file.authorizers ?? [];
  if (list.length === 0) errors.push('authorizers: Required value: at least one authorization mode must be defined');
  list.forEach(({ type = '', name = '', webhook }, i) => {
    const at = `authorizers[${i}]`;
    if (type === '') errors.push(`${at}.type: Required value`);
    else if (!TYPES.includes(type)) errors.push(`${at}.type: Unsupported value: ${JSON.stringify(type)}: supported values: ${quoted(TYPES)}`);
    else if (type !== 'Webhook' && types.has(type)) errors.push(`${at}.type: Duplicate value: ${JSON.stringify(type)}`);
    types.add(type);
    if (name === '') errors.push(`${at}.name: Required value`);
    else if (names.has(name)) errors.push(`${at}.name: Duplicate value: ${JSON.stringify(name)}`);
    names.add(name);
    if (type !== 'Webhook') {
      if (webhook) errors.push(`${at}.webhook: Invalid value: "non-null": may only be specified when type=Webhook`);
      if (type === 'AlwaysAllow' || type === 'AlwaysDeny' || type === 'Node' || type === 'RBAC') made.push(type);
      return;
    }
    if (!webhook) {
      errors.push(`${at}.webhook: Required value: required when type=Webhook`);
      return;
    }
    const before = errors.length;
    const conditions = checkWebhook(`${at}.webhook`, webhook, errors);
    if (errors.length > before || !conditions) return;
    const { connectionInfo } = webhook;
    made.push({
      name,
      url: connectionInfo?.type === 'InClusterConfig' ? 'https://kubernetes.default.svc' : serverOf(kubeconfig(connectionInfo?.kubeConfigFile ?? '')),
      timeout: secondsOf(webhook.timeout)!,
      authorizedTtl: secondsOf(webhook.authorizedTTL) ?? 300,
      unauthorizedTtl: secondsOf(webhook.unauthorizedTTL) ?? 30,
      version: webhook.subjectAccessReviewVersion!,
      failurePolicy: webhook.failurePolicy as 'NoOpinion' | 'Deny',
      matches: conditions,
    });
  });
  if (errors.length > 0) throw new Error(errors.length > 1 ? `[${errors.join(', ')}]` : errors[0]);
  return made;
}

function checkWebhook(at: string, webhook: Webhook, errors: string[]): WebhookAuthorizer['matches'] | undefined {
  const oneOf = (field: string, value: string | undefined, allowed: readonly string[]): void => {
    if (!value) errors.push(`${at}.${field}: Required value`);
    else if (!allowed.includes(value)) errors.push(`${at}.${field}: Unsupported value: ${JSON.stringify(value)}: supported values: ${quoted(allowed)}`);
  };
  const timeout = secondsOf(webhook.timeout);
  if (webhook.timeout === undefined) errors.push(`${at}.timeout: Required value`);
  else if (timeout === undefined || timeout <= 0 || timeout > 30)
    errors.push(`${at}.timeout: Invalid value: ${JSON.stringify(webhook.timeout)}: must be > 0s and <= 30s`);
  oneOf('subjectAccessReviewVersion', webhook.subjectAccessReviewVersion, ['v1', 'v1beta1']);
  if (webhook.matchConditions?.length) oneOf('matchConditionSubjectAccessReviewVersion', webhook.matchConditionSubjectAccessReviewVersion, ['v1']);
  oneOf('failurePolicy', webhook.failurePolicy, ['Deny', 'NoOpinion']);
  oneOf('connectionInfo.type', webhook.connectionInfo?.type, ['InClusterConfig', 'KubeConfigFile']);
  if (webhook.connectionInfo?.type === 'KubeConfigFile' && !webhook.connectionInfo.kubeConfigFile)
    errors.push(`${at}.connectionInfo.kubeConfigFile: Required value`);
  const programs = (webhook.matchConditions ?? []).flatMap(({ expression = '' }, i) => {
    const where = `${at}.matchConditions[${i}].expression`;
    if (expression.trim() === '') {
      errors.push(`${where}: Required value`);
      return [];
    }
    try {
      return [compile(expression, { variables: ['request'], returns: 'bool' })];
    } catch (error) {
      errors.push(`${where}: Invalid value: ${JSON.stringify(expression)}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  return (spec) => programs.every((program) => program.evaluate({ request: spec }) === true);
}
