/** Field numbers of all served groups but the core's; the form is told in `tables.ts`. */
export const GROUPS = `
APIService: metadata spec status
APIServiceCondition: type status lastTransitionTime reason message
APIServiceSpec: service group version insecureSkipTLSVerify caBundle 7 groupPriorityMinimum versionPriority
APIServiceStatus: conditions
ApiregistrationV1ServiceReference: namespace name port*
...IngressRuleValue: http
AggregationRule: clusterRoleSelectors
BoundObjectReference: kind apiVersion name uid
CSIDriver: metadata spec
CSIDriverSpec: attachRequired* podInfoOnMount* volumeLifecycleModes storageCapacity* fsGroupPolicy* tokenRequests requiresRepublish* seLinuxMount*
  nodeAllocatableUpdatePeriodSeconds*
CSINode: metadata spec
CSINodeDriver: name nodeID topologyKeys allocatable
CSINodeSpec: drivers
CertificateSigningRequest: metadata spec status
CertificateSigningRequestCondition: type reason message lastUpdateTime lastTransitionTime status
CertificateSigningRequestSpec: request username uid groups usages extra signerName expirationSeconds*
CertificateSigningRequestStatus: conditions certificate
ClusterRole: metadata rules aggregationRule
ClusterRoleBinding: metadata subjects roleRef
ContainerResourceMetricSource: name target container
ContainerResourceMetricStatus: name current container
ControllerRevision: metadata data revision
CronJob: metadata spec status
CronJobSpec: schedule startingDeadlineSeconds* concurrencyPolicy suspend* jobTemplate successfulJobsHistoryLimit* failedJobsHistoryLimit* timeZone*
CronJobStatus: active 4 lastScheduleTime lastSuccessfulTime
CrossVersionObjectReference: kind name apiVersion
CrossVersionObjectReferenceV1: kind name apiVersion
DaemonSet: metadata spec status
DaemonSetCondition: type status lastTransitionTime reason message
DaemonSetSpec: selector template updateStrategy minReadySeconds 6 revisionHistoryLimit*
DaemonSetStatus: currentNumberScheduled numberMisscheduled desiredNumberScheduled numberReady observedGeneration updatedNumberScheduled numberAvailable
  numberUnavailable collisionCount* conditions
DaemonSetUpdateStrategy: type rollingUpdate
Deployment: metadata spec status
DeploymentCondition: type status 4 reason message lastUpdateTime lastTransitionTime
DeploymentSpec: replicas* selector template strategy minReadySeconds revisionHistoryLimit* paused 9 progressDeadlineSeconds*
DeploymentStatus: observedGeneration replicas updatedReplicas availableReplicas unavailableReplicas conditions readyReplicas collisionCount*
  terminatingReplicas*
DeploymentStrategy: type rollingUpdate
DiscoveryV1EndpointPort: name* protocol* port* appProtocol*
Endpoint: addresses conditions hostname* targetRef deprecatedTopology nodeName* zone* hints
EndpointConditions: ready* serving* terminating*
EndpointHints: forZones forNodes
EndpointSlice: metadata endpoints ports addressType
EventsV1Event: metadata eventTime series reportingController reportingInstance action reason regarding related note type deprecatedSource
  deprecatedFirstTimestamp deprecatedLastTimestamp deprecatedCount
EventsV1EventSeries: count lastObservedTime
Eviction: metadata deleteOptions
ExemptPriorityLevelConfiguration: nominalConcurrencyShares* lendablePercent*
ExternalMetricSource: metric target
ExternalMetricStatus: metric current
FieldSelectorAttributes: rawSelector requirements
FlowDistinguisherMethod: type
FlowSchema: metadata spec status
FlowSchemaCondition: type status lastTransitionTime reason message
FlowSchemaSpec: priorityLevelConfiguration matchingPrecedence distinguisherMethod rules
FlowSchemaStatus: conditions
ForNode: name
ForZone: name
GroupSubject: name
HPAScalingPolicy: type value periodSeconds
HPAScalingRules: selectPolicy* policies stabilizationWindowSeconds* tolerance=q
HTTPIngressPath: path backend pathType*
HTTPIngressRuleValue: paths
HorizontalPodAutoscaler: metadata spec status
HorizontalPodAutoscalerBehavior: scaleUp scaleDown
HorizontalPodAutoscalerCondition: type status lastTransitionTime reason message
HorizontalPodAutoscalerSpec: scaleTargetRef minReplicas* maxReplicas metrics behavior
HorizontalPodAutoscalerSpecV1: scaleTargetRef minReplicas* maxReplicas targetCPUUtilizationPercentage*
HorizontalPodAutoscalerStatus: observedGeneration* lastScaleTime currentReplicas desiredReplicas currentMetrics conditions
HorizontalPodAutoscalerStatusV1: observedGeneration* lastScaleTime currentReplicas desiredReplicas currentCPUUtilizationPercentage*
HorizontalPodAutoscalerV1: metadata spec status
IPBlock: cidr except
Ingress: metadata spec status
IngressBackend: 3 resource service
IngressClass: metadata spec
IngressClassParametersReference: apiGroup* kind name scope* namespace*
IngressClassSpec: controller parameters
IngressLoadBalancerIngress: ip hostname 4 ports
IngressLoadBalancerStatus: ingress
IngressPortStatus: port protocol error*
IngressRule: host ...IngressRuleValue
IngressServiceBackend: name port
IngressSpec: defaultBackend tls rules ingressClassName*
IngressStatus: loadBalancer
IngressTLS: hosts secretName
Job: metadata spec status
JobCondition: type status lastProbeTime lastTransitionTime reason message
JobSpec: parallelism* completions* activeDeadlineSeconds* selector manualSelector* template backoffLimit* ttlSecondsAfterFinished* completionMode* suspend*
  podFailurePolicy backoffLimitPerIndex* maxFailedIndexes* podReplacementPolicy* managedBy* successPolicy
JobStatus: conditions startTime completionTime active succeeded failed completedIndexes uncountedTerminatedPods ready* failedIndexes* terminating*
JobTemplateSpec: metadata spec
LabelSelectorAttributes: rawSelector requirements
Lease: metadata spec
LeaseSpec: holderIdentity* leaseDurationSeconds* acquireTime renewTime leaseTransitions* strategy* preferredHolder*
LimitResponse: type queuing
LimitedPriorityLevelConfiguration: nominalConcurrencyShares* limitResponse lendablePercent* borrowingLimitPercent*
LocalSubjectAccessReview: metadata spec status
MetricIdentifier: name selector
MetricSpec: type object pods resource external 7 containerResource
MetricStatus: type object pods resource external 7 containerResource
MetricTarget: type value averageValue averageUtilization*
MetricValueStatus: value averageValue averageUtilization*
NetworkPolicy: metadata spec
NetworkPolicyEgressRule: ports to
NetworkPolicyIngressRule: ports from
NetworkPolicyPeer: podSelector namespaceSelector ipBlock
NetworkPolicyPort: protocol* port endPort*
NetworkPolicySpec: podSelector ingress egress policyTypes
NonResourceAttributes: path verb
NonResourcePolicyRule: verbs 6 nonResourceURLs
NonResourceRule: verbs nonResourceURLs
ObjectMetricSource: describedObject target metric
ObjectMetricStatus: metric current describedObject
Overhead: podFixed
PodDisruptionBudget: metadata spec status
PodDisruptionBudgetSpec: minAvailable selector maxUnavailable unhealthyPodEvictionPolicy*
PodDisruptionBudgetStatus: observedGeneration disruptedPods disruptionsAllowed currentHealthy desiredHealthy expectedPods conditions
PodFailurePolicy: rules
PodFailurePolicyOnExitCodesRequirement: containerName* operator values
PodFailurePolicyOnPodConditionsPattern: type status
PodFailurePolicyRule: action onExitCodes onPodConditions
PodsMetricSource: metric target
PodsMetricStatus: metric current
PolicyRule: verbs apiGroups resources resourceNames nonResourceURLs
PolicyRulesWithSubjects: subjects resourceRules nonResourceRules
PriorityClass: metadata value globalDefault description preemptionPolicy*
PriorityLevelConfiguration: metadata spec status
PriorityLevelConfigurationCondition: type status lastTransitionTime reason message
PriorityLevelConfigurationReference: name
PriorityLevelConfigurationSpec: type limited exempt
PriorityLevelConfigurationStatus: conditions
QueuingConfiguration: queues handSize queueLengthLimit
RbacV1Subject: kind apiGroup name namespace
ReplicaSet: metadata spec status
ReplicaSetCondition: type status lastTransitionTime reason message
ReplicaSetSpec: replicas* selector template minReadySeconds
ReplicaSetStatus: replicas fullyLabeledReplicas observedGeneration readyReplicas availableReplicas conditions terminatingReplicas*
ResourceAttributes: namespace verb group version resource subresource name fieldSelector labelSelector
ResourceMetricSource: name target
ResourceMetricStatus: name current
ResourcePolicyRule: verbs apiGroups resources clusterScope namespaces
ResourceRule: verbs apiGroups resources resourceNames
Role: metadata rules
RoleBinding: metadata subjects roleRef
RoleRef: apiGroup kind name
RollingUpdateDaemonSet: maxUnavailable maxSurge
RollingUpdateDeployment: maxUnavailable maxSurge
RollingUpdateStatefulSetStrategy: partition* maxUnavailable
RuntimeClass: metadata handler overhead scheduling
Scale: metadata spec status
ScaleSpec: replicas
ScaleStatus: replicas selector
Scheduling: nodeSelector tolerations
SelfSubjectAccessReview: metadata spec status
SelfSubjectAccessReviewSpec: resourceAttributes nonResourceAttributes
SelfSubjectReview: metadata status
SelfSubjectReviewStatus: userInfo
SelfSubjectRulesReview: metadata spec status
SelfSubjectRulesReviewSpec: namespace
ServiceAccountSubject: namespace name
ServiceBackendPort: name number
StatefulSet: metadata spec status
StatefulSetCondition: type status lastTransitionTime reason message
StatefulSetOrdinals: start
StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted whenScaled
StatefulSetSpec: replicas* selector template volumeClaimTemplates serviceName podManagementPolicy updateStrategy revisionHistoryLimit* minReadySeconds
  persistentVolumeClaimRetentionPolicy ordinals
StatefulSetStatus: observedGeneration replicas readyReplicas currentReplicas updatedReplicas currentRevision updateRevision 9 collisionCount* conditions
  availableReplicas
StatefulSetUpdateStrategy: type rollingUpdate
CSIStorageCapacity: metadata nodeTopology storageClassName capacity maximumVolumeSize
IPAddress: metadata spec
IPAddressSpec: parentRef
ParentReference: group resource namespace name
ServiceCIDR: metadata spec status
ServiceCIDRSpec: cidrs
ServiceCIDRStatus: conditions
StorageClass: metadata provisioner parameters reclaimPolicy* mountOptions allowVolumeExpansion* volumeBindingMode* allowedTopologies
StorageV1TokenRequest: audience expirationSeconds*
Subject: kind user group serviceAccount
SubjectAccessReview: metadata spec status
SubjectAccessReviewSpec: resourceAttributes nonResourceAttributes user groups extra uid
SubjectAccessReviewStatus: allowed reason evaluationError denied
SubjectRulesReviewStatus: resourceRules nonResourceRules incomplete evaluationError
SuccessPolicy: rules
SuccessPolicyRule: succeededIndexes* succeededCount*
TokenRequest: metadata spec status
TokenRequestSpec: audiences 3 boundObjectRef expirationSeconds*
TokenRequestStatus: token expirationTimestamp
TokenReview: metadata spec status
TokenReviewSpec: token audiences
TokenReviewStatus: authenticated user error audiences
UncountedTerminatedPods: succeeded failed
UserInfo: username uid groups extra
UserSubject: name
VolumeAttachment: metadata spec status
VolumeAttachmentSource: persistentVolumeName* inlineVolumeSpec
VolumeAttachmentSpec: attacher source nodeName
VolumeAttachmentStatus: attached attachmentMetadata attachError detachError
VolumeError: time message errorCode*
VolumeNodeResources: count*
AuditAnnotation: key valueExpression
ExpressionWarning: 2 fieldRef warning
MatchCondition: name expression
MatchResources: namespaceSelector objectSelector resourceRules excludeResourceRules 7 matchPolicy*
MutatingWebhook: name clientConfig rules failurePolicy* namespaceSelector sideEffects* timeoutSeconds* admissionReviewVersions matchPolicy*
  reinvocationPolicy* objectSelector matchConditions
MutatingWebhookConfiguration: metadata webhooks
NamedRuleWithOperations: resourceNames ...RuleWithOperations
ParamKind: apiVersion kind
ParamRef: name namespace selector parameterNotFoundAction*
...Rule: apiGroups apiVersions resources scope*
RuleWithOperations: operations ...Rule
...RuleWithOperations: operations ...Rule
ServiceReference: namespace name path* port*
TypeChecking: expressionWarnings
ValidatingAdmissionPolicy: metadata spec status
ValidatingAdmissionPolicyBinding: metadata spec
ValidatingAdmissionPolicyBindingSpec: policyName paramRef matchResources validationActions
ValidatingAdmissionPolicySpec: paramKind matchConstraints validations failurePolicy* auditAnnotations matchConditions variables
ValidatingAdmissionPolicyStatus: observedGeneration typeChecking conditions
ValidatingWebhook: name clientConfig rules failurePolicy* namespaceSelector sideEffects* timeoutSeconds* admissionReviewVersions matchPolicy*
  objectSelector matchConditions
ValidatingWebhookConfiguration: metadata webhooks
Validation: expression message reason* messageExpression
Variable: name expression
WebhookClientConfig: service caBundle url*
`;
