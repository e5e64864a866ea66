/**
 * ValidatingAdmissionWebhook: programs in the cluster have a last look. All that match are asked at once; one
 * refusal is enough (apiserver `pkg/admission/plugin/webhook/validating`).
 */
import type { ValidatingWebhook } from '../../../api/types.gen.ts';
import type { Plugin } from '../admission.ts';
import { isConfiguration } from '../matching.ts';
import { ask, CallFailure, hooksOf, wantedBy } from './webhooks.ts';

export const validatingWebhooks: Plugin = {
  name: 'ValidatingAdmissionWebhook',
  validate(attributes, world) {
    if (isConfiguration(attributes)) return;
    const wanted = hooksOf<ValidatingWebhook>('validatingwebhookconfigurations', world).flatMap((hook) => {
      const view = wantedBy(hook, attributes, world);
      return view ? [{ hook, view }] : [];
    });
    if (wanted.length === 0) return;
    const { call } = attributes;
    return Promise.all(
      wanted.map(({ hook, view }) =>
        ask(hook, view, attributes, world, false).then(
          () => undefined,
          (error: unknown) => {
            if (!(error instanceof CallFailure)) return error;
            if (hook.webhook.failurePolicy !== 'Ignore') return error.status;
            call.annotate(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${wanted.findIndex((each) => each.hook === hook)}`, hook.webhook.name);
            return undefined;
          },
        ),
      ),
    ).then((errors) => {
      const first = errors.find((error) => error !== undefined);
      if (first) throw first;
    });
  },
};
