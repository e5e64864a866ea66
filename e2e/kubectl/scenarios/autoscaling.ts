/** Metrics, autoscalers and disruption budgets. */
import { LAPTOP_FILES } from '../../../src/cluster/laptop-files.ts';
import { type Scenario, wait } from '../scenario.ts';

const web = (name: string, replicas: number): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - {name: c, image: nginx, resources: {requests: {cpu: 100m, memory: 64Mi}}}
`;

const EVERY_METRIC = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: every-metric}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: scaled}
  minReplicas: 2
  maxReplicas: 10
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
  - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 100Mi}}}
  - {type: ContainerResource, containerResource: {name: cpu, container: c, target: {type: Utilization, averageUtilization: 60}}}
  - {type: Pods, pods: {metric: {name: packets-per-second}, target: {type: AverageValue, averageValue: 1k}}}
  - type: Object
    object:
      metric: {name: requests-per-second}
      describedObject: {apiVersion: networking.k8s.io/v1, kind: Ingress, name: main-route}
      target: {type: Value, value: 10k}
  - type: External
    external:
      metric: {name: queue_messages_ready, selector: {matchLabels: {queue: worker_tasks}}}
      target: {type: AverageValue, averageValue: "30"}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 120
      policies:
      - {type: Percent, value: 10, periodSeconds: 60}
      - {type: Pods, value: 5, periodSeconds: 60}
      selectPolicy: Min
`;
const WRONG = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: wrong}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ""}
  minReplicas: 3
  maxReplicas: 2
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization}}}
  - {type: Sausage}
  behavior: {scaleUp: {policies: [{type: Pods, value: 0, periodSeconds: 15}]}}
`;
const V1 = `apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: old}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: scaled}
  maxReplicas: 3
`;
const budget = (name: string, spec: string): string => `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: ${name}}
spec: {${spec}}
`;

export const autoscaling: readonly Scenario[] = [
  {
    name: 'metrics-server comes',
    files: { 'metrics-server.yaml': LAPTOP_FILES['components.yaml']! },
    steps: [
      'kubectl top node',
      'kubectl top pod --sort-by=size',
      'kubectl apply -f metrics-server.yaml',
      wait(3),
      'kubectl top node',
      'kubectl top pod',
      'kubectl get podmetrics',
      wait(90),
      'kubectl get apiservice v1beta1.metrics.k8s.io',
      'kubectl get apiservice v1beta1.metrics.k8s.io -o jsonpath={.status.conditions[0].message}',
      'kubectl top node | head -n 1',
      'kubectl top node --no-headers | cut -d " " -f 1',
      'kubectl top node node-1 --no-headers | wc -l',
      'kubectl top node node-9',
      'kubectl top node --selector=nothing=here',
      'kubectl top pod',
      'kubectl top pod nobody',
      'kubectl top pod -n kube-system -l k8s-app=kube-dns | head -n 1',
      'kubectl top pod -A -l k8s-app=kube-dns --containers | head -n 1',
      'kubectl top pod -A --no-headers -l component | cut -d " " -f 1 | sort -u',
      'kubectl top pod -n kube-system -l k8s-app=kube-dns --containers --no-headers | wc -l',
      'kubectl top pod -n kube-system --sort-by=cpu --no-headers | wc -l',
      'kubectl top pod -n kube-system --sum --no-headers -l component=kube-scheduler | wc -l',
      'kubectl get --raw /apis/metrics.k8s.io/v1beta1',
      'kubectl api-resources --api-group=metrics.k8s.io',
      'kubectl auth can-i list pods.metrics.k8s.io --as=system:serviceaccount:kube-system:horizontal-pod-autoscaler',
    ],
  },
  {
    name: 'autoscale a deployment',
    files: { 'scaled.yaml': web('scaled', 2) },
    steps: [
      'kubectl apply -f scaled.yaml',
      'kubectl autoscale deployment scaled --min=2 --max=5 --cpu-percent=80',
      'kubectl autoscale deployment scaled --max=5',
      'kubectl autoscale deployment scaled --min=2 --max=5 --cpu-percent=80 --name=second --dry-run=client -o yaml',
      'kubectl autoscale deployment scaled --min=5 --max=2',
      'kubectl autoscale deployment scaled --min=1',
      'kubectl autoscale configmap kube-root-ca.crt --max=3',
      'kubectl autoscale deployment nobody --max=3',
      wait(20),
      'kubectl get hpa',
      'kubectl get hpa scaled -o jsonpath="{.status.conditions[*].reason}"',
      wait(75),
      'kubectl get hpa -o wide',
      "kubectl describe hpa scaled | grep -v resource | sed '/^Events/,$d'",
      'kubectl get horizontalpodautoscalers.v1.autoscaling scaled -o jsonpath={.spec.targetCPUUtilizationPercentage}',
      "kubectl describe horizontalpodautoscalers.v1.autoscaling scaled | sed '/^Events/,$d'",
      'kubectl get hpa.v1.autoscaling scaled -o jsonpath={.apiVersion}',
      'kubectl delete hpa scaled',
    ],
  },
  {
    name: 'an autoscaler of every metric',
    files: { 'scaled.yaml': web('scaled', 2), 'every-metric.yaml': EVERY_METRIC, 'wrong.yaml': WRONG, 'old.yaml': V1 },
    steps: [
      'kubectl apply -f scaled.yaml',
      'kubectl apply -f every-metric.yaml',
      'kubectl apply -f wrong.yaml',
      // The autoscaler looks every 15 s.
      wait(40),
      'kubectl get hpa every-metric -o jsonpath={.spec.behavior}',
      'kubectl get hpa every-metric',
      'kubectl describe hpa every-metric | head -n 34',
      `kubectl get horizontalpodautoscalers.v1.autoscaling every-metric -o 'jsonpath={.metadata.annotations.autoscaling\\.alpha\\.kubernetes\\.io/metrics}'`,
      `kubectl get horizontalpodautoscalers.v1.autoscaling every-metric -o 'jsonpath={.metadata.annotations.autoscaling\\.alpha\\.kubernetes\\.io/behavior}'`,
      'kubectl create -f old.yaml',
      'kubectl get hpa old -o jsonpath={.spec.metrics}',
      `kubectl patch hpa every-metric --type=merge -p '{"spec":{"maxReplicas":1}}'`,
      'kubectl delete hpa --all',
    ],
  },
  {
    name: 'disruption budgets and drains',
    files: {
      'guarded.yaml': web('guarded', 3),
      'both.yaml': budget('both', 'minAvailable: 1, maxUnavailable: 1, selector: {matchLabels: {app: guarded}}').replace('both', 'neither'),
      'percent.yaml': budget('percent', 'maxUnavailable: 120%, unhealthyPodEvictionPolicy: Sometimes'),
    },
    unordered: true,
    steps: [
      'kubectl apply -f guarded.yaml',
      wait(40),
      'kubectl create pdb guarded --selector=app=guarded --min-available=3',
      'kubectl create pdb guarded --selector=app=guarded',
      'kubectl create pdb half --selector=app=other --max-unavailable=50% --dry-run=client -o yaml',
      'kubectl apply -f percent.yaml',
      wait(2),
      'kubectl get pdb',
      'kubectl get pdb guarded -o jsonpath={.status.conditions[0].reason}',
      'kubectl describe pdb guarded',
      `kubectl get pdb guarded -o 'jsonpath={.status.currentHealthy} {.status.desiredHealthy} {.status.expectedPods} {.status.disruptionsAllowed}'`,
      `kubectl delete pod -l app=nobody`,
      `kubectl patch pdb guarded --type=merge -p '{"spec":{"minAvailable":2}}'`,
      wait(2),
      'kubectl get pdb guarded',
      'kubectl delete pdb guarded',
      'kubectl delete deployment guarded',
    ],
  },
  {
    name: 'a drain waits for the budget',
    files: {
      'lone.yaml': `${web('lone', 1).replace('    spec:\n', '    spec:\n      nodeSelector: {kubernetes.io/hostname: node-2}\n      terminationGracePeriodSeconds: 1\n')}---\n${budget('lone', 'minAvailable: 1, selector: {matchLabels: {app: lone}}')}`,
    },
    steps: [
      'kubectl apply -f lone.yaml',
      wait(40),
      `kubectl drain node-2 --ignore-daemonsets --delete-emptydir-data --force --timeout=12s --pod-selector=app=lone 2>&1 | sed -E 's/lone-[0-9a-z]+-[0-9a-z]+/lone-x/g'`,
      'kubectl get node node-2 -o jsonpath={.spec.unschedulable}',
      'kubectl delete pdb lone',
      `kubectl drain node-2 --ignore-daemonsets --pod-selector=app=lone | sed -E 's/lone-[0-9a-z]+-[0-9a-z]+/lone-x/g'`,
      'kubectl uncordon node-2',
      'kubectl delete deployment lone',
    ],
  },
];
