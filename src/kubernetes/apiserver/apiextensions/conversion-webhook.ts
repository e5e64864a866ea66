/** Versions of one kind converted by a webhook (apiextensions-apiserver `pkg/apiserver/conversion/webhook_converter.go`). */
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import { failure } from '../errors.ts';
import type { WebhookClient, WebhookClientConfig } from '../webhook-client.ts';

interface Review {
  readonly response?: {
    readonly uid?: string;
    readonly convertedObjects?: readonly KubeObject[];
    readonly result?: { readonly status?: string; readonly message?: string };
  };
}

const TIMEOUT_SECONDS = 30;

/** Asks the webhook for `objects` in `apiVersion`. Rejects with ApiError (500) in upstream's words. */
export async function convertByWebhook(
  client: WebhookClient,
  config: WebhookClientConfig,
  reviewVersions: readonly string[],
  uid: string,
  objects: readonly KubeObject[],
  apiVersion: string,
): Promise<readonly KubeObject[]> {
  const [first] = objects;
  const version = reviewVersions.find((each) => each === 'v1' || each === 'v1beta1') ?? 'v1';
  const failed = (why: string) => failure(500, '', `conversion webhook for ${first?.apiVersion}, Kind=${first?.kind} failed: ${why}`);
  const review = {
    kind: 'ConversionReview',
    apiVersion: `apiextensions.k8s.io/${version}`,
    request: { uid, desiredAPIVersion: apiVersion, objects: objects as unknown as Json },
  } as unknown as Json;
  let answer: Review;
  try {
    answer = (await client.call(config, review, TIMEOUT_SECONDS)) as unknown as Review;
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error));
  }
  const { response } = answer;
  if (!response) throw failed('no response provided');
  if (response.uid !== uid) throw failed(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`);
  if (response.result?.status !== 'Success')
    throw failed(response.result?.message || `response.result.status was '${response.result?.status ?? ''}', not 'Success'`);
  const made = response.convertedObjects ?? [];
  if (made.length !== objects.length)
    throw failure(500, '', `conversion webhook for ${first?.apiVersion}, Kind=${first?.kind} returned ${made.length} objects, expected ${objects.length}`);
  return made.map((object, i) => {
    const before = objects[i]!;
    const wrong = (what: string) =>
      failure(500, '', `conversion webhook for ${before.apiVersion}, Kind=${before.kind} returned invalid converted object at index ${i}: ${what}`);
    if (object.apiVersion !== apiVersion) throw wrong(`invalid groupVersion (expected ${apiVersion}, received ${object.apiVersion ?? ''})`);
    if (object.kind !== before.kind) throw wrong(`invalid kind (expected ${before.kind}, received ${object.kind ?? ''})`);
    // A webhook may change labels and annotations, and nothing else of the metadata.
    const { labels, annotations } = object.metadata ?? {};
    const { labels: _l, annotations: _a, ...metadata } = before.metadata;
    return { ...object, metadata: { ...metadata, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) } };
  });
}
