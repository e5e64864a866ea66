/** What `lazy.ts` brings in, in one piece: plugins by name. */
import { alwaysPullImages } from './always-pull-images.ts';
import { denyExternalIps } from './deny-external-ips.ts';
import { extendedResourceToleration } from './extended-resource-toleration.ts';
import { limitRanger } from './limit-ranger.ts';
import { mountableSecrets } from './mountable-secrets.ts';
import { ownerReferences } from './owner-references.ts';
import { podSecurity } from './pod-security/pod-security.ts';
import { podTolerationRestriction } from './pod-toleration-restriction.ts';
import { admissionConfiguration } from './policy/configuration.ts';
import { mutatingPolicies } from './policy/mutating.ts';
import { validatingPolicies } from './policy/validating.ts';
import { resourceQuota } from './resource-quota.ts';
import { runtimeClass } from './runtime-class.ts';
import { storageInUse } from './storage-in-use.ts';
import { volumeResize } from './volume-resize.ts';
import { mutatingWebhooks } from './webhook/mutating.ts';
import { validatingWebhooks } from './webhook/validating.ts';

export const HEAVY = {
  AlwaysPullImages: alwaysPullImages,
  DenyServiceExternalIPs: denyExternalIps,
  ExtendedResourceToleration: extendedResourceToleration,
  OwnerReferencesPermissionEnforcement: ownerReferences,
  PersistentVolumeClaimResize: volumeResize,
  PodTolerationRestriction: podTolerationRestriction,
  RuntimeClass: runtimeClass,
  ServiceAccount: mountableSecrets,
  StorageObjectInUseProtection: storageInUse,
  AdmissionConfiguration: admissionConfiguration,
  MutatingAdmissionPolicy: mutatingPolicies,
  MutatingAdmissionWebhook: mutatingWebhooks,
  ValidatingAdmissionPolicy: validatingPolicies,
  ValidatingAdmissionWebhook: validatingWebhooks,
  LimitRanger: limitRanger,
  PodSecurity: podSecurity,
  ResourceQuota: resourceQuota,
};
