/**
 * Webhooks in general: which are to be called for a request, the call itself, and how its answer is read
 * (apiserver `pkg/admission/plugin/webhook/{generic,request,errors}`).
 */
import type { Json } from '../../../api/json.ts';
import type { ApiError, Status } from '../../../api/request.ts';
import type { MatchCondition, MutatingWebhook, ValidatingWebhook } from '../../../api/types.gen.ts';
import { openBorder } from '../../border.ts';
import { badRequest, failure, forbidden, internal } from '../../errors.ts';
import { createWebhookClient, WebhookError } from '../../webhook-client.ts';
import { type Attributes, nameOf, type World } from '../admission.ts';
import { authorizersFor, conditionsMatch, matchRules, requestOf, selectorsMatch, shownAs, type View } from '../matching.ts';

export interface Hook<W extends MutatingWebhook | ValidatingWebhook = MutatingWebhook | ValidatingWebhook> {
  /** Tells it from all others. */
  readonly id: string;
  readonly configuration: string;
  readonly webhook: W;
}

const lists = new WeakMap<World, Map<string, { readonly version: number; readonly hooks: readonly Hook[] }>>();

/** All webhooks of a kind of configuration: configurations by name, webhooks in their order. Collected anew when one changes. */
export function hooksOf<W extends MutatingWebhook | ValidatingWebhook>(plural: string, world: World): readonly Hook<W>[] {
  const prefix = `/registry/${plural}/`;
  const version = world.version(prefix);
  let lists_ = lists.get(world);
  if (!lists_) {
    lists_ = new Map();
    lists.set(world, lists_);
  }
  let known = lists_.get(plural);
  if (known?.version !== version) {
    const hooks = [...world.under(prefix)].flatMap(({ object }) =>
      ((object as { webhooks?: readonly W[] }).webhooks ?? []).map((webhook) => ({
        id: `${object.metadata.uid}/${webhook.name}`,
        configuration: object.metadata.name ?? '',
        webhook,
      })),
    );
    known = { version, hooks };
    lists_.set(plural, known);
  }
  return known.hooks as readonly Hook<W>[];
}

/** In which version the webhook wants this request; undefined when it does not. Throws Forbidden when its match conditions cannot be told. */
export function wantedBy({ webhook }: Hook, attributes: Attributes, world: World): View | undefined {
  const view = matchRules(webhook.rules ?? [], attributes, webhook.matchPolicy);
  if (!view || !selectorsMatch(webhook, attributes, world)) return undefined;
  const list = webhook.matchConditions as readonly MatchCondition[] | undefined;
  if (!list || list.length === 0) return view;
  const matches = conditionsMatch(list, {
    object: shownAs(view, attributes, attributes.object),
    oldObject: shownAs(view, attributes, attributes.old),
    request: requestOf(attributes, view, ''),
    ...authorizersFor(attributes, world),
  });
  if (matches === true) return view;
  if (matches === false || webhook.failurePolicy === 'Ignore') return undefined;
  throw forbidden(attributes.row.group, attributes.row.plural, nameOf(attributes), matches.message);
}

/** Nobody usable answered: the failure policy decides. */
export class CallFailure extends Error {
  constructor(webhook: string, reason: string) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${reason}`);
  }
  get status(): ApiError {
    return internal(this.message);
  }
}

interface Response {
  readonly uid?: string;
  readonly allowed?: boolean;
  readonly status?: Partial<Status>;
  readonly patch?: string;
  readonly patchType?: string;
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly warnings?: readonly string[];
}

const REVIEW = 'AdmissionReview';

/** Worlds whose server has brought in the border: objects are shown to strangers, and theirs are read, by what lies behind it. */
const opened = new WeakSet<World>();
async function open(world: World): Promise<void> {
  if (opened.has(world)) return;
  await world.outside(openBorder());
  opened.add(world);
}

/**
 * Asks one webhook. Gives its answer when it allows; throws CallFailure when none came, ApiError when it
 * refuses. Warnings and audit annotations have been passed on.
 */
export async function ask({ webhook, configuration }: Hook, view: View, attributes: Attributes, world: World, mutating: boolean): Promise<Response> {
  const { call, dryRun } = attributes;
  const fail = (reason: string): CallFailure => new CallFailure(webhook.name, reason);
  if (dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun')
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
  await open(world);
  const version = webhook.admissionReviewVersions.find((each) => each === 'v1' || each === 'v1beta1') ?? 'v1';
  const apiVersion = `admission.k8s.io/${version}`;
  const uid = world.uid();
  const review = {
    kind: REVIEW,
    apiVersion,
    request: {
      ...requestOf(attributes, view, uid),
      object: shownAs(view, attributes, attributes.object, true),
      oldObject: shownAs(view, attributes, attributes.old, true),
    },
  };
  const began = world.clock.now();
  const told = (more: Readonly<Record<string, unknown>>): void => {
    call.resume();
    call.stage('api.webhook', { webhook: webhook.name, configuration, phase: mutating ? 'mutate' : 'validate', took: world.clock.now() - began, ...more });
  };
  let answer: { kind?: string; apiVersion?: string; response?: Response };
  try {
    answer = (await createWebhookClient(world.webhookSource).call(
      webhook.clientConfig,
      review as unknown as Json,
      webhook.timeoutSeconds ?? 10,
    )) as typeof answer;
  } catch (error) {
    if (!(error instanceof WebhookError)) throw error;
    const failed = fail(`failed to call webhook: ${error.message}`);
    told({ outcome: 'failed', failurePolicy: webhook.failurePolicy ?? 'Fail', message: failed.message });
    throw failed;
  }
  const wrong = invalidAnswer(answer, uid, apiVersion, mutating);
  if (wrong !== undefined) {
    const failed = fail(`received invalid webhook response: ${wrong}`);
    told({ outcome: 'failed', failurePolicy: webhook.failurePolicy ?? 'Fail', message: failed.message });
    throw failed;
  }
  const response = answer.response!;
  for (const [key, value] of Object.entries(response.auditAnnotations ?? {})) call.annotate(`${webhook.name}/${key}`, value);
  for (const text of response.warnings ?? []) call.warn(text);
  if (!response.allowed) {
    const refusal = refused(webhook.name, response.status);
    told({ outcome: 'denied', message: refusal.message });
    throw refusal;
  }
  told({ outcome: 'allowed', patched: response.patch !== undefined });
  return response;
}

/** What is wrong with an AdmissionReview that came back (request.VerifyAdmissionResponse). */
function invalidAnswer(answer: unknown, uid: string, apiVersion: string, mutating: boolean): string | undefined {
  const { kind, apiVersion: given, response } = (answer ?? {}) as { kind?: string; apiVersion?: string; response?: Response };
  if (!response) return 'webhook response was absent';
  // v1beta1 asks for less.
  if (apiVersion.endsWith('/v1beta1')) return undefined;
  const named = (of: string | undefined, what: string | undefined): string => `${of || '/'}, Kind=${what ?? ''}`;
  if (kind !== REVIEW || given !== apiVersion) return `expected webhook response of ${named(apiVersion, REVIEW)}, got ${named(given, kind)}`;
  if (response.uid !== uid) return `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`;
  if (!mutating) {
    if (response.patch) return 'validating webhook may not return response.patch';
    return response.patchType !== undefined ? 'validating webhook may not return response.patchType' : undefined;
  }
  if (response.patch && response.patchType === undefined) return 'webhook returned response.patch but not response.patchType';
  if (!response.patch && response.patchType !== undefined) return 'webhook returned response.patchType but not response.patch';
  if (response.patch && response.patchType !== 'JSONPatch') return `webhook returned invalid response.patchType of ${JSON.stringify(response.patchType)}`;
  return undefined;
}

/** A refusal as the caller gets it (webhookerrors.ToStatusErr). */
function refused(webhook: string, status: Partial<Status> | undefined): ApiError {
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const { code = 0, message, reason, details } = status ?? {};
  const text = message ? `${denied}: ${message}` : reason ? `${denied}: ${reason}` : `${denied} without explanation`;
  return failure(Math.max(code, 400), reason ?? '', text, details);
}
