/**
 * The order in which Go writes the fields of typed objects as JSON: as the structs of k8s.io/api name them.
 * Objects that kubectl reads as maps are written with their keys sorted; those it makes itself are typed.
 *
 * Here simplified: one order for all structs, which holds for the objects the generators of `create`, `run`
 * and `expose` make and for what the server adds to them; structs that disagree have their own.
 */
import type { Json } from '../../api/json.ts';
import { isObject } from '../session.ts';

const indexOf = (words: string): ReadonlyMap<string, number> => new Map(words.split(/\s+/).map((word, i) => [word, i]));

const COMMON = indexOf(`
  kind apiVersion metadata apiGroup
  name generateName namespace uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds
  labels annotations ownerReferences finalizers
  immutable data binaryData stringData secrets rules aggregationRule subjects roleRef value globalDefault description
  image command args workingDir hostPort containerPort protocol appProtocol
  replicas parallelism completions
  scaleTargetRef minReplicas maxReplicas metrics behavior
  observedGeneration lastScaleTime currentReplicas desiredReplicas currentMetrics
  schedule timeZone startingDeadlineSeconds concurrencyPolicy
  minAvailable
  ingressClassName defaultBackend tls
  volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds
  podFailurePolicy successPolicy backoffLimit
  dnsPolicy nodeSelector serviceAccountName serviceAccount automountServiceAccountToken nodeName hostNetwork hostPID hostIPC shareProcessNamespace
  host http ports selector template maxUnavailable strategy
  ttlSecondsAfterFinished completionMode suspend podReplacementPolicy jobTemplate successfulJobsHistoryLimit failedJobsHistoryLimit
  clusterIP clusterIPs
  envFrom env resources resizePolicy volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle
  terminationMessagePath terminationMessagePolicy imagePullPolicy
  securityContext imagePullSecrets hostname subdomain affinity schedulerName
  key operator path pathType backend port number targetPort nodePort hostIP
  verbs apiGroups resourceNames nonResourceURLs
  hard scopes scopeSelector
  matchLabels matchExpressions values
  type rollingUpdate minReadySeconds revisionHistoryLimit paused progressDeadlineSeconds
  externalIPs sessionAffinity loadBalancerIP loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort
  publishNotReadyAddresses sessionAffinityConfig ipFamilies ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy
  effect tolerationSeconds tolerations hostAliases priorityClassName priority dnsConfig readinessGates runtimeClassName enableServiceLinks preemptionPolicy
  readOnly mountPath subPath
  configMapRef secretRef valueFrom fieldRef resourceFieldRef configMapKeyRef secretKeyRef fieldPath
  projected sources serviceAccountToken audience expirationSeconds configMap secret downwardAPI items mode defaultMode
  stdin stdinOnce tty
  controller blockOwnerDeletion
  disruptionsAllowed currentHealthy desiredHealthy expectedPods
  phase conditions qosClass
  username groups extra
  spec status`);

/** By the field that holds them. */
const OWN: Readonly<Record<string, ReadonlyMap<string, number>>> = {
  ownerReferences: indexOf('apiVersion kind name uid controller blockOwnerDeletion'),
  roleRef: indexOf('apiGroup kind name'),
  rollingUpdate: indexOf('maxUnavailable maxSurge'),
  rules: indexOf('verbs apiGroups resources resourceNames nonResourceURLs host http'),
  serviceAccountToken: indexOf('audience expirationSeconds path'),
  downwardAPI: indexOf('items defaultMode'),
  fieldRef: indexOf('apiVersion fieldPath'),
  scaleTargetRef: indexOf('kind name apiVersion'),
  metrics: indexOf('type object pods resource containerResource external'),
  target: indexOf('type value averageValue averageUtilization'),
  userInfo: indexOf('username uid groups extra'),
};
/** Maps, not structs: sorted. */
const MAPS = new Set(['annotations', 'binaryData', 'data', 'hard', 'labels', 'limits', 'matchLabels', 'nodeSelector', 'requests', 'stringData', 'extra']);

/** The same value with its keys as Go writes them; `field` is what holds it. Fields not known here come last, sorted. */
export function inGoOrder(value: Json, field = ''): Json {
  if (Array.isArray(value)) return value.map((item) => inGoOrder(item as Json, field));
  if (!isObject(value)) return value;
  const isMap = MAPS.has(field) || (field === 'selector' && value['matchLabels'] === undefined && value['matchExpressions'] === undefined);
  const order = isMap ? undefined : Object.hasOwn(OWN, field) ? OWN[field] : COMMON;
  const rank = (key: string): number => order?.get(key) ?? Number.MAX_SAFE_INTEGER;
  const keys = Object.keys(value).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return Object.fromEntries(keys.map((key) => [key, inGoOrder(value[key] as Json, isMap ? '' : key)]));
}
