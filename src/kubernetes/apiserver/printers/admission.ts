/** Tables of the kinds that configure admission (pkg/printers/internalversion). */
import type {
  MutatingAdmissionPolicy,
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../../api/types.gen.ts';
import { age, columns, type Printer } from './table.ts';

const UNSET = '<unset>';

export const webhookConfigurationPrinter: Printer<MutatingWebhookConfiguration | ValidatingWebhookConfiguration> = {
  columns: columns('Name', 'Webhooks #', 'Age'),
  cells: (object, now) => [object.metadata.name ?? '', object.webhooks?.length ?? 0, age(object, now)],
};

export const admissionPolicyPrinter: Printer<ValidatingAdmissionPolicy> = {
  columns: columns('Name', 'Validations #', 'ParamKind', 'Age'),
  cells: (object, now) => {
    const { validations, paramKind } = object.spec ?? {};
    return [object.metadata.name ?? '', validations?.length ?? 0, paramKind ? `${paramKind.apiVersion}/${paramKind.kind}` : UNSET, age(object, now)];
  },
};

export const mutatingPolicyPrinter: Printer<MutatingAdmissionPolicy> = {
  columns: columns('Name', 'Mutations #', 'ParamKind', 'Age'),
  cells: (object, now) => {
    const { mutations, paramKind } = object.spec ?? {};
    return [object.metadata.name ?? '', mutations?.length ?? 0, paramKind ? `${paramKind.apiVersion}/${paramKind.kind}` : UNSET, age(object, now)];
  },
};

/** Of both kinds of policies. */
export const admissionPolicyBindingPrinter: Printer<ValidatingAdmissionPolicyBinding> = {
  columns: columns('Name', 'PolicyName', 'ParamRef', 'Age'),
  cells: (object, now) => {
    const { policyName = '', paramRef } = object.spec ?? {};
    const reference = paramRef?.name ? `${paramRef.namespace ? `${paramRef.namespace}/` : ''}${paramRef.name}` : UNSET;
    return [object.metadata.name ?? '', policyName, reference, age(object, now)];
  },
};
