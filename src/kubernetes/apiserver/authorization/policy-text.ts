/**
 * The roles every API server makes sure of, as facts in a form of our own (upstream
 * plugin/pkg/auth/authorizer/rbac/bootstrappolicy/{policy,controller_policy,namespace_policy}.go, v1.33):
 *
 *     name > what it is aggregated to < what it gathers
 *       verbs groups resources names          `-` is the core group, R is get, list, watch, W all that changes
 *       verbs /path /path
 *
 * `events` alone is the rule every writer of events has. Roles of controllers, whose names all begin with
 * `system:controller:` and who are bound to the service account of that name in kube-system, stand apart.
 */
export const CLUSTER_ROLES = `
cluster-admin
  * * *
  * /*
system:discovery
  get /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/
system:public-info-viewer
  get /healthz /livez /readyz /version /version/
system:monitoring
  get /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*
system:basic-user
  create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews
  create authentication.k8s.io selfsubjectreviews
admin < admin
edit > admin < edit
view > edit < view
system:aggregate-to-admin > admin
  create authorization.k8s.io localsubjectaccessreviews
  W,R rbac.authorization.k8s.io rolebindings,roles
system:aggregate-to-edit > edit
  R - pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy
  impersonate - serviceaccounts
  W - pods,pods/attach,pods/exec,pods/portforward,pods/proxy
  create - pods/eviction
  W - configmaps,events,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy
  create - serviceaccounts/token
  W apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale
  W autoscaling horizontalpodautoscalers
  W batch cronjobs,jobs
  W extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,networkpolicies,replicasets,replicasets/scale,replicationcontrollers/scale
  W policy poddisruptionbudgets
  W networking.k8s.io ingresses,networkpolicies
  W,R coordination.k8s.io leases
system:aggregate-to-view > view
  R - configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status
  R - bindings,events,limitranges,namespaces/status,pods/log,pods/status,replicationcontrollers/status,resourcequotas,resourcequotas/status
  R - namespaces
  R discovery.k8s.io endpointslices
  R apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status
  R autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status
  R batch cronjobs,cronjobs/status,jobs,jobs/status
  R extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale
  R policy poddisruptionbudgets,poddisruptionbudgets/status
  R networking.k8s.io ingresses,ingresses/status,networkpolicies
system:heapster
  R - events,namespaces,nodes,pods
  R extensions deployments
system:node
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews
  R - services
  create,R - nodes
  patch,update - nodes/status
  patch,update - nodes
  create,patch,update - events
  R - pods
  create,delete - pods
  patch,update - pods/status
  create - pods/eviction
  R - configmaps,secrets
  get - persistentvolumeclaims,persistentvolumes
  get - endpoints
  create,R certificates.k8s.io certificatesigningrequests
  create,delete,get,patch,update coordination.k8s.io leases
  get storage.k8s.io volumeattachments
  create - serviceaccounts/token
  get,patch,update - persistentvolumeclaims/status
  R storage.k8s.io csidrivers
  create,delete,get,patch,update storage.k8s.io csinodes
  R node.k8s.io runtimeclasses
system:node-problem-detector
  get - nodes
  patch - nodes/status
  events
system:kubelet-api-admin
  R - nodes
  proxy - nodes
  * - nodes/configz,nodes/healthz,nodes/log,nodes/metrics,nodes/pods,nodes/proxy,nodes/stats
system:node-bootstrapper
  create,R certificates.k8s.io certificatesigningrequests
system:auth-delegator
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
system:kube-aggregator
  R - endpoints,services
system:kube-controller-manager
  events
  create coordination.k8s.io leases
  get,update coordination.k8s.io leases kube-controller-manager
  create - secrets,serviceaccounts
  delete - secrets
  get - configmaps,namespaces,secrets,serviceaccounts
  update - secrets,serviceaccounts
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
  list,watch * *
  create - serviceaccounts/token
system:kube-dns
  list,watch - endpoints,services
system:persistent-volume-provisioner
  create,delete,R - persistentvolumes
  update,R - persistentvolumeclaims
  R storage.k8s.io storageclasses
  watch - events
  events
system:volume-scheduler
  patch,update,R - persistentvolumes
  R storage.k8s.io storageclasses
  patch,update,R - persistentvolumeclaims
system:kube-scheduler
  events
  create coordination.k8s.io leases
  get,list,update,watch coordination.k8s.io leases kube-scheduler
  create,get,list,update,watch coordination.k8s.io leasecandidates
  R - nodes
  delete,R - pods
  create - bindings,pods/binding
  patch,update - pods/status
  R - replicationcontrollers,services
  R apps,extensions replicasets
  R apps statefulsets
  R policy poddisruptionbudgets
  R - persistentvolumeclaims,persistentvolumes
  create authentication.k8s.io tokenreviews
  create authorization.k8s.io subjectaccessreviews
  R storage.k8s.io csinodes
  R - namespaces
  R storage.k8s.io csidrivers
  R storage.k8s.io csistoragecapacities
system:node-proxier
  list,watch - endpoints,services
  R - nodes
  events
  list,watch discovery.k8s.io endpointslices
  list,watch networking.k8s.io servicecidrs
system:certificates.k8s.io:certificatesigningrequests:nodeclient
  create certificates.k8s.io certificatesigningrequests/nodeclient
system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
  create certificates.k8s.io certificatesigningrequests/selfnodeclient
system:certificates.k8s.io:kube-apiserver-client-approver
  approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client
system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
  approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
system:certificates.k8s.io:kubelet-serving-approver
  approve certificates.k8s.io signers kubernetes.io/kubelet-serving
system:certificates.k8s.io:legacy-unknown-approver
  approve certificates.k8s.io signers kubernetes.io/legacy-unknown
system:service-account-issuer-discovery
  get /.well-known/openid-configuration /openid/v1/jwks
`;

export const CONTROLLER_ROLES = `
attachdetach-controller
  list,watch - persistentvolumeclaims,persistentvolumes
  R - nodes
  patch,update - nodes/status
  list,watch - pods
  events
  create,delete,R storage.k8s.io volumeattachments
  R storage.k8s.io csidrivers
  R storage.k8s.io csinodes
clusterrole-aggregation-controller
  escalate,patch,update,R rbac.authorization.k8s.io clusterroles
cronjob-controller
  update,R batch cronjobs
  create,delete,patch,update,R batch jobs
  update batch cronjobs/status
  update batch cronjobs/finalizers
  delete,list,watch - pods
  events
daemon-set-controller
  R apps,extensions daemonsets
  update apps,extensions daemonsets/status
  update apps,extensions daemonsets/finalizers
  list,watch - nodes
  create,delete,list,patch,watch - pods
  create - pods/binding
  create,delete,patch,update,R apps controllerrevisions
  events
deployment-controller
  update,R apps,extensions deployments
  update apps,extensions deployments/status
  update apps,extensions deployments/finalizers
  create,delete,patch,update,R apps,extensions replicasets
  update,R - pods
  events
disruption-controller
  R apps,extensions deployments
  R apps,extensions replicasets
  R - replicationcontrollers
  R policy poddisruptionbudgets
  R apps statefulsets
  update policy poddisruptionbudgets/status
  patch,update - pods/status
  get * */scale
  events
endpoint-controller
  R - pods,services
  create,delete,update,R - endpoints
  create - endpoints/restricted
  events
endpointslice-controller
  R - nodes,pods,services
  update - services/finalizers
  create,delete,update,R discovery.k8s.io endpointslices
  events
endpointslicemirroring-controller
  R - endpoints,services
  update - services/finalizers
  update - endpoints/finalizers
  create,delete,update,R discovery.k8s.io endpointslices
  events
expand-controller
  patch,update,R - persistentvolumes
  patch,update - persistentvolumeclaims/status
  R - persistentvolumeclaims
  get - endpoints,services
  events
ephemeral-volume-controller
  R - pods
  update - pods/finalizers
  create,R - persistentvolumeclaims
  events
generic-garbage-collector
  delete,patch,update,R * *
  events
horizontal-pod-autoscaler
  R autoscaling horizontalpodautoscalers
  update autoscaling horizontalpodautoscalers/status
  get,update * */scale
  list,watch - pods
  list,watch metrics.k8s.io pods
  R custom.metrics.k8s.io *
  R external.metrics.k8s.io *
  events
job-controller
  patch,update,R batch jobs
  update batch jobs/status
  update batch jobs/finalizers
  create,delete,list,patch,watch - pods
  events
namespace-controller
  delete,R - namespaces
  update - namespaces/finalize,namespaces/status
  delete,deletecollection,R * *
node-controller
  delete,patch,update,R - nodes
  patch,update - nodes/status
  patch,update - pods/status
  delete,R - pods
  events
persistent-volume-binder
  create,delete,update,R - persistentvolumes
  update - persistentvolumes/status
  update,R - persistentvolumeclaims
  update - persistentvolumeclaims/status
  create,delete,R - pods
  R storage.k8s.io storageclasses
  get - services
  list,watch - nodes
  watch - events
  events
pod-garbage-collector
  delete,list,watch - pods
  R - nodes
  patch - pods/status
replicaset-controller
  update,R apps,extensions replicasets
  update apps,extensions replicasets/status
  update apps,extensions replicasets/finalizers
  create,delete,list,patch,watch - pods
  events
replication-controller
  update,R - replicationcontrollers
  update - replicationcontrollers/status
  update - replicationcontrollers/finalizers
  create,delete,list,patch,watch - pods
  events
resourcequota-controller
  list,watch * *
  update - resourcequotas/status
  events
route-controller
  list,watch - nodes
  patch - nodes/status
  events
service-account-controller
  create - serviceaccounts
  events
service-cidrs-controller
  patch,update,R networking.k8s.io servicecidrs
  patch,update networking.k8s.io servicecidrs/finalizers
  patch,update networking.k8s.io servicecidrs/status
  R networking.k8s.io ipaddresses
  events
service-controller
  R - services
  patch,update - services/status
  list,watch - nodes
  events
statefulset-controller
  list,watch - pods
  R apps statefulsets
  update apps statefulsets/status
  update apps statefulsets/finalizers
  create,delete,get,patch,update - pods
  create,delete,patch,update,R apps controllerrevisions
  create,R - persistentvolumeclaims
  delete,update - persistentvolumeclaims
  update - pods/finalizers
  events
ttl-controller
  list,patch,update,watch - nodes
  events
certificate-controller
  delete,R certificates.k8s.io certificatesigningrequests
  update certificates.k8s.io certificatesigningrequests/approval,certificatesigningrequests/status
  approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
  sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown
  create authorization.k8s.io subjectaccessreviews
  events
pvc-protection-controller
  update,R - persistentvolumeclaims
  R - pods
  events
pv-protection-controller
  update,R - persistentvolumes
  events
ttl-after-finished-controller
  delete,R batch jobs
  events
root-ca-cert-publisher
  create,update - configmaps
  events
validatingadmissionpolicy-status-controller
  R admissionregistration.k8s.io validatingadmissionpolicies
  get,patch,update admissionregistration.k8s.io validatingadmissionpolicies/status
  events
legacy-service-account-token-cleaner
  get - configmaps kube-apiserver-legacy-service-account-token-tracking
  delete,patch - secrets
selinux-warning-controller
  events
  R - persistentvolumes
  R - persistentvolumeclaims
  R - pods
  R storage.k8s.io csidrivers
`;

/** Names begin with their namespace. */
export const ROLES = `
kube-public/system:controller:bootstrap-signer
  R - configmaps
  update - configmaps cluster-info
  events
kube-system/extension-apiserver-authentication-reader
  R - configmaps extension-apiserver-authentication
kube-system/system::leader-locking-kube-controller-manager
  create,get,list,update,watch coordination.k8s.io leases
  create,get,list,update,watch coordination.k8s.io leasecandidates
kube-system/system::leader-locking-kube-scheduler
  create,get,list,update,watch coordination.k8s.io leases
  create,get,list,update,watch coordination.k8s.io leasecandidates
kube-system/system:controller:bootstrap-signer
  R - secrets
kube-system/system:controller:cloud-provider
  create,R - configmaps
kube-system/system:controller:token-cleaner
  delete,R - secrets
  events
`;

/** binding role subjects; a subject is a group, `@user` or `#account` of kube-system. */
export const BINDINGS = `
cluster-admin cluster-admin system:masters
system:monitoring system:monitoring system:monitoring
system:discovery system:discovery system:authenticated
system:basic-user system:basic-user system:authenticated
system:public-info-viewer system:public-info-viewer system:authenticated system:unauthenticated
system:node-proxier system:node-proxier @system:kube-proxy
system:kube-controller-manager system:kube-controller-manager @system:kube-controller-manager
system:kube-dns system:kube-dns #kube-dns
system:kube-scheduler system:kube-scheduler @system:kube-scheduler
system:volume-scheduler system:volume-scheduler @system:kube-scheduler
system:node system:node
system:service-account-issuer-discovery system:service-account-issuer-discovery system:serviceaccounts
kube-public/system:controller:bootstrap-signer system:controller:bootstrap-signer #bootstrap-signer
kube-system/system::extension-apiserver-authentication-reader extension-apiserver-authentication-reader @system:kube-controller-manager @system:kube-scheduler
kube-system/system::leader-locking-kube-controller-manager system::leader-locking-kube-controller-manager @system:kube-controller-manager #kube-controller-manager #leader-election-controller
kube-system/system::leader-locking-kube-scheduler system::leader-locking-kube-scheduler @system:kube-scheduler #kube-scheduler
kube-system/system:controller:bootstrap-signer system:controller:bootstrap-signer #bootstrap-signer
kube-system/system:controller:cloud-provider system:controller:cloud-provider #cloud-provider
kube-system/system:controller:token-cleaner system:controller:token-cleaner #token-cleaner
`;

/**
 * What kubeadm adds (phases bootstraptoken, addons and kubeconfig): roles, and bindings of the same form. Its
 * objects bear no mark and are not kept up to date.
 */
export const KUBEADM_ROLES = `
kubeadm:get-nodes
  get - nodes
kube-system/kubeadm:kubelet-config
  get - configmaps kubelet-config
kube-system/kubeadm:nodes-kubeadm-config
  get - configmaps kubeadm-config
kube-public/kubeadm:bootstrap-signer-clusterinfo
  get - configmaps cluster-info
`;
export const KUBEADM_BINDINGS = `
kubeadm:cluster-admins cluster-admin kubeadm:cluster-admins
kubeadm:get-nodes kubeadm:get-nodes system:bootstrappers:kubeadm:default-node-token
kubeadm:kubelet-bootstrap system:node-bootstrapper system:bootstrappers:kubeadm:default-node-token
kubeadm:node-autoapprove-bootstrap system:certificates.k8s.io:certificatesigningrequests:nodeclient system:bootstrappers:kubeadm:default-node-token
kubeadm:node-autoapprove-certificate-rotation system:certificates.k8s.io:certificatesigningrequests:selfnodeclient system:nodes
kube-system/kubeadm:kubelet-config kubeadm:kubelet-config system:nodes system:bootstrappers:kubeadm:default-node-token
kube-system/kubeadm:nodes-kubeadm-config kubeadm:nodes-kubeadm-config system:bootstrappers:kubeadm:default-node-token system:nodes
kube-public/kubeadm:bootstrap-signer-clusterinfo kubeadm:bootstrap-signer-clusterinfo @system:anonymous
`;
