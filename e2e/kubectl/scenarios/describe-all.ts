import { type Scenario, wait } from '../scenario.ts';

const ALL = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec:
  podSelector: {matchLabels: {a: b}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {c: d}}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 80, protocol: TCP}, {port: 100, endPort: 200}]}, {}]
  egress: [{to: [{namespaceSelector: {}}]}]
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: rq}
spec: {hard: {pods: "10", requests.cpu: "2"}, scopes: [NotTerminating]}
---
apiVersion: v1
kind: LimitRange
metadata: {name: lr}
spec: {limits: [{type: Container, max: {cpu: "1"}, min: {cpu: 10m}, default: {cpu: 100m}, defaultRequest: {cpu: 50m}, maxLimitRequestRatio: {cpu: "10"}}, {type: Pod, max: {memory: 1Gi}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: pdb1}
spec: {minAvailable: 50%, selector: {matchLabels: {a: b}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv1}
spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}, storageClassName: slow}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: pvc1}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 2Gi}}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: slow, annotations: {storageclass.kubernetes.io/is-default-class: "false"}}
provisioner: x.y/z
parameters: {a: b, c: d}
mountOptions: [ro]
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: pc1}
value: 5
description: words
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: le1}
spec: {holderIdentity: me, leaseDurationSeconds: 5}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: ic1}
spec: {controller: a.b/c}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ing1, annotations: {x: why}}
spec:
  ingressClassName: ic1
  defaultBackend: {service: {name: d, port: {number: 80}}}
  tls: [{hosts: [a.b], secretName: s}, {hosts: [c.d]}]
  rules: [{host: a.b, http: {paths: [{path: /x, pathType: Prefix, backend: {service: {name: kubernetes, port: {number: 443}}}}, {path: /y, pathType: Exact, backend: {resource: {kind: Bucket, name: q, apiGroup: g.io}}}]}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: h1}
spec:
  minReplicas: 1
  maxReplicas: 4
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: nope}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}, {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 100Mi}}}]
  behavior: {scaleDown: {stabilizationWindowSeconds: 60, policies: [{type: Pods, value: 1, periodSeconds: 30}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cjd}
spec: {schedule: "0 0 1 1 *", timeZone: Etc/UTC, suspend: true, concurrencyPolicy: Forbid, jobTemplate: {spec: {backoffLimit: 2, template: {spec: {restartPolicy: Never, containers: [{name: c, image: "busybox:1.36", args: [a]}]}}}}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: es1, labels: {kubernetes.io/service-name: none}}
addressType: IPv4
ports: [{name: http, port: 80}]
endpoints: [{addresses: [10.9.9.9], conditions: {ready: true}, hostname: h, nodeName: node-1, zone: z}]
---
apiVersion: v1
kind: ReplicationController
metadata: {name: rc1}
spec: {replicas: 0, selector: {a: b}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "busybox:1.36"}]}}}
`;

/** A description of every kind that has one. */
export const describeAll: readonly Scenario[] = [
  {
    name: 'describe: many kinds',
    files: { 'all.yaml': ALL },
    steps: [
      'kubectl apply -f all.yaml > /dev/null; echo $?',
      // The autoscaler looks every 15 s.
      wait(40),
      'kubectl describe netpol np',
      'kubectl describe quota rq',
      'kubectl describe limits lr',
      'kubectl describe pdb pdb1',
      'kubectl describe pv pv1',
      // How often it was told so depends on when one looks.
      'kubectl describe pvc pvc1 | head -n 12',
      'kubectl describe sc slow',
      'kubectl describe pc pc1',
      'kubectl describe lease le1',
      'kubectl describe ingressclass ic1',
      'kubectl describe ing ing1',
      'kubectl describe hpa h1',
      'kubectl describe cj cjd',
      'kubectl describe endpointslice es1',
      'kubectl describe rc rc1',
    ],
  },
  {
    name: 'describe: accounts, roles, namespaces',
    steps: [
      'kubectl describe sa default',
      'kubectl describe clusterrole view | head -20',
      'kubectl describe clusterrolebinding cluster-admin',
      'kubectl describe ns default',
      'kubectl describe ep kubernetes',
      'kubectl describe priorityclass system-node-critical',
      'kubectl describe csinode',
      'kubectl describe netpol,quota',
      'kubectl describe lease -n kube-node-lease node-1',
    ],
  },
  {
    name: 'describe: beginnings and mistakes',
    steps: ['kubectl describe pods -l nope=x', 'kubectl describe svc kubern', 'kubectl describe nope x', 'kubectl describe cm nope', 'kubectl describe'],
  },
];
