/** Webhook configurations and admission policies (pkg/apis/admissionregistration/v1/defaults.go). */
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhook,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
} from '../../api/types.gen.ts';
import { at, each, fill } from './fill.ts';

const scoped = <R extends { scope?: string }>(rules: R[]): R[] => each(rules, (rule) => fill<{ scope?: string }>(rule, { scope: '*' }) as R);

/** For both kinds; a mutating webhook is not asked twice unless it says so. */
export function webhookConfigurationDefaults<C extends { kind: string; webhooks?: (MutatingWebhook | ValidatingWebhook)[] }>(configuration: C): C {
  const mutating = configuration.kind === 'MutatingWebhookConfiguration';
  const filled = (webhook: MutatingWebhook | ValidatingWebhook) => {
    const more: Partial<MutatingWebhook> = {
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      ...(mutating ? { reinvocationPolicy: 'Never' } : {}),
    };
    const whole = fill<MutatingWebhook>(webhook, more);
    const named = at(whole, 'clientConfig', (config) => at(config, 'service', (service) => fill(service, { port: 443 })));
    return at(named, 'rules', scoped);
  };
  const { webhooks } = configuration;
  if (!webhooks) return configuration;
  const after = each(webhooks, filled);
  return after === webhooks ? configuration : { ...configuration, webhooks: after };
}

const matchDefaults = (match: MatchResources): MatchResources => {
  const filled = fill<MatchResources>(match, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} });
  return at(at(filled, 'resourceRules', scoped), 'excludeResourceRules', scoped);
};

export const policyDefaults = (policy: ValidatingAdmissionPolicy): ValidatingAdmissionPolicy =>
  at(policy, 'spec', (spec) => at(fill(spec, { failurePolicy: 'Fail' }), 'matchConstraints', matchDefaults));

export const policyBindingDefaults = (binding: ValidatingAdmissionPolicyBinding): ValidatingAdmissionPolicyBinding =>
  at(binding, 'spec', (spec) => at(spec, 'matchResources', matchDefaults));

/** Of kinds of the same form. */
export const mutatingPolicyDefaults = (policy: MutatingAdmissionPolicy): MutatingAdmissionPolicy =>
  policyDefaults(policy as unknown as ValidatingAdmissionPolicy) as unknown as MutatingAdmissionPolicy;

export const mutatingPolicyBindingDefaults = (binding: MutatingAdmissionPolicyBinding): MutatingAdmissionPolicyBinding =>
  policyBindingDefaults(binding as unknown as ValidatingAdmissionPolicyBinding) as unknown as MutatingAdmissionPolicyBinding;
