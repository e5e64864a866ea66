import { type Scenario, wait } from '../scenario.ts';
import { configMap, deployment, pod } from './manifests.ts';

const PVC =
  'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk}\nspec:\n  accessModes: [ReadWriteOnce]\n  storageClassName: none\n  resources: {requests: {storage: 1Gi}}\n';
const QUOTA =
  'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few}\nspec:\n  hard: {pods: "5", requests.cpu: "2"}\n---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: limits}\nspec:\n  limits:\n  - type: Container\n    default: {memory: 256Mi}\n    defaultRequest: {memory: 128Mi}\n';
const RBAC =
  'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}\nrules:\n- apiGroups: ["", apps]\n  resources: [pods, deployments]\n  verbs: [get, list, watch]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: readers}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}\nsubjects:\n- {kind: ServiceAccount, name: default, namespace: default}\n- {kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}\n';
const POLICY =
  'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed}\nspec:\n  podSelector: {matchLabels: {app: web}}\n  policyTypes: [Ingress]\n  ingress:\n  - from: [{podSelector: {matchLabels: {app: front}}}]\n    ports: [{port: 80}]\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: door}\nspec:\n  rules:\n  - host: shop.example.com\n    http:\n      paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]\n---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: some}\nspec:\n  minAvailable: 1\n  selector: {matchLabels: {app: web}}\n';
const BATCH =
  'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly}\nspec:\n  schedule: "0 3 * * *"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: OnFailure\n          containers: [{name: c, image: busybox:1.36, command: [date]}]\n---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n  minReplicas: 1\n  maxReplicas: 5\n  metrics:\n  - type: Resource\n    resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}\n';
const TWO = `apiVersion: v1
kind: Pod
metadata:
  name: two
  labels: {app: two}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - name: first
    image: busybox:1.36
    command: [sh, -c, echo prepared]
  containers:
  - name: left
    image: busybox:1.36
    command: [sh, -c, echo from the left; sleep 100000]
    env:
    - {name: PLAIN, value: x}
    - name: NODE
      valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
    volumeMounts: [{name: shared, mountPath: /data}]
    livenessProbe: {exec: {command: ["true"]}, periodSeconds: 10}
  - name: right
    image: busybox:1.36
    command: [sh, -c, echo from the right; sleep 100000]
    volumeMounts: [{name: shared, mountPath: /data, readOnly: true}]
  volumes:
  - {name: shared, emptyDir: {}}
  tolerations: [{key: a, operator: Exists, effect: NoSchedule}]
`;

/** Kinds beyond the first dozen: their columns and descriptions. */
export const kinds: readonly Scenario[] = [
  {
    name: 'claims',
    files: { 'pvc.yaml': PVC },
    steps: [
      'kubectl apply -f pvc.yaml',
      wait(3),
      'kubectl get pvc',
      'kubectl describe pvc disk',
      'kubectl get pvc disk -o yaml',
      'kubectl delete pvc disk --wait=false',
    ],
  },
  {
    name: 'quotas and limits',
    files: { 'quota.yaml': QUOTA, 'counted.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: counted, labels: {a: b}}\n' },
    steps: [
      'kubectl apply -f counted.yaml',
      wait(2),
      'kubectl apply -f quota.yaml -n counted',
      wait(2),
      'kubectl get limits -n counted',
      'kubectl describe limits -n counted',
      'kubectl get ns counted --show-labels',
    ],
  },
  {
    name: 'roles',
    files: { 'rbac.yaml': RBAC },
    steps: [
      'kubectl apply -f rbac.yaml',
      'kubectl get roles,rolebindings',
      'kubectl get rolebinding readers -o wide',
      'kubectl describe role reader',
      'kubectl describe rolebinding readers',
      'kubectl get pods --as=jane -l none=here',
      'kubectl get secrets --as=jane',
      'kubectl delete -f rbac.yaml',
    ],
  },
  {
    name: 'network and disruption',
    files: { 'policy.yaml': POLICY },
    steps: [
      'kubectl apply -f policy.yaml',
      wait(2),
      'kubectl get netpol,ingress,pdb',
      'kubectl describe netpol closed',
      'kubectl describe ingress door',
      'kubectl delete -f policy.yaml',
    ],
  },
  {
    name: 'batch and scaling',
    files: { 'batch.yaml': BATCH },
    steps: [
      'kubectl apply -f batch.yaml',
      'kubectl get cronjob',
      'kubectl describe cronjob nightly',
      // The autoscaler looks every 15 s.
      wait(40),
      'kubectl get hpa web -o yaml | grep -v -A99 ^status',
      'kubectl delete -f batch.yaml',
    ],
  },
  {
    name: 'a pod of two containers',
    files: { 'two.yaml': TWO },
    unordered: true,
    steps: [
      'kubectl apply -f two.yaml',
      wait(30),
      'kubectl get pod two',
      'kubectl describe pod two',
      'kubectl logs two',
      'kubectl logs two -c right',
      'kubectl logs two -c first',
      'kubectl logs two --all-containers',
      'kubectl logs two --all-containers --prefix',
      'kubectl exec two -- printenv PLAIN',
      "kubectl exec two -c left -- sh -c 'echo shared > /data/file'",
      'kubectl exec two -c right -- cat /data/file',
      "kubectl get pod two -o jsonpath='{range .status.containerStatuses[*]}{.name}={.ready} {end}'",
      'kubectl delete pod two',
    ],
  },
  {
    name: 'a stateful set',
    files: {
      'sts.yaml':
        'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  serviceName: db\n  replicas: 2\n  selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n    spec:\n      terminationGracePeriodSeconds: 1\n      containers: [{name: c, image: redis:7, ports: [{containerPort: 6379}]}]\n',
    },
    steps: [
      'kubectl apply -f sts.yaml',
      wait(40),
      'kubectl get sts db',
      'kubectl scale sts db --replicas=1',
      'kubectl get sts db -o name',
      'kubectl delete sts db',
    ],
  },
  {
    name: 'a daemon set',
    unordered: true,
    files: {
      'ds.yaml':
        'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec:\n  selector: {matchLabels: {app: agent}}\n  template:\n    metadata: {labels: {app: agent}}\n    spec:\n      terminationGracePeriodSeconds: 1\n      containers: [{name: c, image: busybox:1.36, command: [sleep, "100000"]}]\n',
    },
    steps: [
      'kubectl apply -f ds.yaml',
      wait(30),
      'kubectl get ds agent',
      'kubectl describe ds agent',
      'kubectl rollout status ds/agent',
      'kubectl get pods -l app=agent',
      'kubectl delete ds agent',
    ],
  },
];

export const odds: readonly Scenario[] = [
  {
    name: 'watch with a format',
    files: { 'seen.yaml': configMap('seen', { a: '1' }).replace('metadata:\n', 'metadata:\n  labels: {seen: "yes"}\n') },
    steps: [
      '(kubectl get cm -w -l seen=yes -o name > names & sleep 5; kubectl apply -f seen.yaml > /dev/null; sleep 5; kubectl annotate cm seen x=y > /dev/null; sleep 5; kubectl delete cm seen > /dev/null; sleep 5; kill %1) 2> /dev/null; cat names',
      '(kubectl get cm -w -l seen=yes --output-watch-events > seen & sleep 5; kubectl apply -f seen.yaml > /dev/null; sleep 5; kubectl delete cm seen > /dev/null; sleep 5; kill %1) 2> /dev/null; cat seen',
    ],
  },
  {
    name: 'service names and numbers',
    files: {
      'svc.yaml':
        'apiVersion: v1\nkind: Service\nmetadata: {name: np}\nspec:\n  type: NodePort\n  selector: {app: np}\n  ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}, {name: dns, port: 53, protocol: UDP}]\n---\napiVersion: v1\nkind: Service\nmetadata: {name: outside}\nspec: {type: ExternalName, externalName: example.com}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: headless}\nspec: {clusterIP: None, selector: {app: x}, ports: [{port: 80}]}\n',
    },
    steps: [
      'kubectl apply -f svc.yaml',
      'kubectl get svc np outside headless',
      'kubectl describe svc outside headless',
      'kubectl get svc np -o wide',
      'kubectl delete svc np outside headless',
    ],
  },
  {
    name: 'conflicts',
    files: {
      'old.yaml': configMap('race', { a: '1' }),
      'stale.yaml': configMap('race', { a: '2' }).replace('metadata:\n', 'metadata:\n  resourceVersion: "1"\n'),
    },
    steps: ['kubectl create -f old.yaml', 'kubectl replace -f stale.yaml', 'kubectl apply -f stale.yaml', 'kubectl delete cm race'],
  },
  {
    name: 'flags that are wrong',
    steps: [
      'kubectl get pods --output',
      'kubectl get pods -z',
      'kubectl logs x --tail=many',
      'kubectl scale deploy x --replicas=many',
      'kubectl get pods --watch=perhaps',
      'kubectl delete pod x --grace-period=soon',
      'kubectl get pods --request-timeout=x',
      'kubectl --context=nowhere get pods',
      'kubectl --user=nobody --cluster=kubernetes get pods -l a=b',
      'kubectl getx pods',
      'kubectl get pods --namespace',
    ],
  },
  {
    name: 'a deployment that scales and is gone',
    files: { 'gone.yaml': deployment('gone', 2) },
    steps: [
      'kubectl apply -f gone.yaml',
      wait(40),
      'kubectl get deploy gone',
      'kubectl get rs -l app=gone',
      'kubectl scale deploy gone --replicas=0',
      wait(40),
      'kubectl get deploy,rs,pod -l app=gone',
      'kubectl delete -f gone.yaml',
    ],
  },
  {
    name: 'a pod that fails',
    files: { 'fail.yaml': pod('fail', 'echo doomed; exit 7'), 'loop.yaml': pod('loop', 'exit 1').replace('restartPolicy: Never', 'restartPolicy: Always') },
    steps: [
      'kubectl apply -f fail.yaml -f loop.yaml',
      wait(25),
      'kubectl get pod fail',
      'kubectl describe pod fail',
      'kubectl logs fail',
      'kubectl exec fail -- true',
      "kubectl get pod loop -o jsonpath='{.status.containerStatuses[0].lastState.terminated.exitCode}'",
      'kubectl delete pod fail loop --now',
    ],
  },
  {
    name: 'a pod that cannot be placed',
    files: { 'far.yaml': pod('far', 'true', '  nodeSelector: {disk: ssd}\n'), 'big.yaml': pod('big', 'true', '    resources: {requests: {cpu: "100"}}\n') },
    steps: [
      'kubectl apply -f far.yaml -f big.yaml',
      wait(5),
      'kubectl get pod far big',
      'kubectl describe pod far',
      'kubectl describe pod big',
      'kubectl delete pod far big --now',
    ],
  },
];
