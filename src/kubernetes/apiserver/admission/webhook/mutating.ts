/**
 * MutatingAdmissionWebhook: programs in the cluster change what is written, one after the other, by JSON patch.
 * When one did, everybody before it who wants to know is asked once more (apiserver
 * `pkg/admission/plugin/webhook/mutating`).
 */

import type { Json } from '../../../api/json.ts';
import { applyJsonPatch } from '../../../api/json-patch.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { PatchError } from '../../../api/patch.ts';
import type { MutatingWebhook, Scale } from '../../../api/types.gen.ts';
import { customOf } from '../../apiextensions/custom-kind.ts';
import { fromBase64url } from '../../base64.ts';
import { border } from '../../border.ts';
import type { Call, Reinvocation } from '../../call.ts';
import { toStorage } from '../../conversion.ts';
import { badRequest, internal } from '../../errors.ts';
import { ledgerOf, withLedger } from '../../managed-fields/ledger.ts';
import { withScale } from '../../registry/scale.ts';
import type { Plugin, World, Writing } from '../admission.ts';
import { isConfiguration, shownAs, type View } from '../matching.ts';
import { ask, CallFailure, type Hook, hooksOf, wantedBy } from './webhooks.ts';

export const mutatingWebhooks: Plugin = {
  name: 'MutatingAdmissionWebhook',
  mutate(attributes, world) {
    if (isConfiguration(attributes)) return attributes.object;
    const hooks = hooksOf<MutatingWebhook>('mutatingwebhookconfigurations', world);
    // Before the first await: most requests match nothing, and pass without a promise.
    if (!hooks.some((hook) => wantedBy(hook, attributes, world))) return attributes.object;
    return callAll(hooks, attributes, world);
  },
};

const roundOf = (call: Call): Reinvocation => {
  call.reinvocation ??= { should: false, is: false, previous: new Set(), again: new Set(), last: undefined };
  return call.reinvocation;
};

async function callAll(hooks: readonly Hook<MutatingWebhook>[], attributes: Writing, world: World): Promise<KubeObject> {
  const { call } = attributes;
  const round = roundOf(call);
  const requireAgain = (): void => {
    for (const id of round.previous) round.again.add(id);
  };
  // Our own plugins changed what the webhooks had left behind.
  if (round.is && round.last !== attributes.object) requireAgain();
  let now = attributes;
  for (const [index, hook] of hooks.entries()) {
    const view = wantedBy(hook, now, world);
    if (!view || (round.is && !round.again.has(hook.id))) continue;
    const { webhook } = hook;
    try {
      const { patch } = await ask(hook, view, now, world, true);
      const next = patch === undefined ? now.object : patched(hook, view, now, patch, world);
      const changed = next !== now.object;
      call.annotate(
        `mutation.webhook.admission.k8s.io/round_${round.is ? 1 : 0}_index_${index}`,
        JSON.stringify({ configuration: hook.configuration, webhook: webhook.name, mutated: changed }),
      );
      if (changed) {
        call.mutated(`MutatingAdmissionWebhook ${webhook.name}`, now.object, next);
        now = { ...now, object: next };
        requireAgain();
        round.should = true;
      }
    } catch (error) {
      call.resume();
      if (!(error instanceof CallFailure)) throw error;
      if (webhook.failurePolicy !== 'Ignore') throw error.status;
      call.annotate(`failed-open.mutation.webhook.admission.k8s.io/round_${round.is ? 1 : 0}_index_${index}`, webhook.name);
    }
    if (webhook.reinvocationPolicy === 'IfNeeded') round.previous.add(hook.id);
  }
  round.last = now.object;
  return now.object;
}

/** The object with the webhook's patch, defaults filled in; the same object when the patch is empty. */
function patched(hook: Hook, view: View, attributes: Writing, patch: string, world: World): KubeObject {
  const fail = (reason: string): CallFailure => new CallFailure(hook.webhook.name, reason);
  let operations: Json;
  try {
    operations = JSON.parse(decodeBase64(patch)) as Json;
  } catch (error) {
    throw fail(`received undecodable patch in webhook response: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(operations))
    throw fail('received undecodable patch in webhook response: json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (operations.length === 0) return attributes.object;
  let after: KubeObject;
  try {
    after = applyJsonPatch(shownAs(view, attributes, attributes.object) as unknown as Json, operations) as unknown as KubeObject;
  } catch (error) {
    if (error instanceof PatchError) throw internal(error.message);
    throw error;
  }
  if (typeof after !== 'object' || after === null || typeof after.metadata !== 'object') throw badRequest("Object 'Kind' is missing in patched object");
  if (attributes.subresource === 'scale') return withScale(attributes.object, after as unknown as Scale);
  const { row } = attributes;
  // What a webhook made is read like anything else from outside; who owns which field is not for it to say.
  const { managedFields: _, ...metadata } = after.metadata;
  const clean = { ...after, metadata } as unknown as Json;
  const read = customOf(view.row)?.decode(clean) ?? border().decode(view.row.type, clean);
  const wrong = border().decodeError(read, after.kind, view.version, false);
  if (wrong !== undefined) throw internal(wrong);
  const whole = world.defaults(view.row, withLedger(read.object as unknown as KubeObject, ledgerOf(attributes.object)));
  return view.row === row ? whole : world.defaults(row, toStorage(view.row, whole));
}

/** RFC 4648 section 4, of UTF-8. Throws when it is neither. */
function decodeBase64(text: string): string {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) throw new Error('illegal base64 data');
  const bytes = fromBase64url(text.replace(/[\s=]/g, '').replaceAll('+', '-').replaceAll('/', '_'));
  // Bytes beyond ASCII are put as percent escapes, which decodeURIComponent reads as UTF-8.
  return decodeURIComponent(bytes.replace(/[%\x80-\xff]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`));
}
