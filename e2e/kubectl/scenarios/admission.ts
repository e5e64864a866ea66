/** What admission adds and refuses, as kubectl shows it. */
import { type Scenario, wait } from '../scenario.ts';

const ns = (name: string, labels = ''): string => `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n${labels ? `  labels: {${labels}}\n` : ''}`;
const pod = (name: string, namespace: string, container: string, more = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec:\n  containers:\n  - {name: c, image: nginx${container ? `, ${container}` : ''}}\n${more}`;

const LIMITS = `apiVersion: v1
kind: LimitRange
metadata: {name: limits, namespace: adm-limits}
spec:
  limits:
  - type: Container
    default: {cpu: 500m, memory: 256Mi}
    defaultRequest: {cpu: 100m}
    min: {cpu: 50m}
    max: {cpu: "1", memory: 1Gi}
  - type: PersistentVolumeClaim
    max: {storage: 5Gi}
`;
const CLAIM = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: big, namespace: adm-limits}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
`;

const POLICY = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few-replicas}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
  - expression: object.spec.replicas <= 2
    messageExpression: "'too many: ' + string(object.spec.replicas)"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few-replicas}
spec:
  policyName: few-replicas
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {policed: "yes"}}}
`;

const webhooks = (path: string, more = ''): string => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: nobody}
webhooks:
- name: nobody.example.com
  clientConfig: {service: {namespace: adm-hooks, name: nobody, path: ${path}}}
  rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: adm-hooks}}
  sideEffects: None
  admissionReviewVersions: [v1]
${more}`;

const SERVED = `apiVersion: v1
kind: Pod
metadata: {name: hook, namespace: adm-served, labels: {app: hook}}
spec:
  containers:
  - name: webhook
    image: registry.k8s.io/e2e-test-images/agnhost:2.53
    args: [webhook, --port=8444]
    readinessProbe: {httpGet: {path: /readyz, port: 8444}}
---
apiVersion: v1
kind: Service
metadata: {name: hook, namespace: adm-served}
spec: {selector: {app: hook}, ports: [{port: 443, targetPort: 8444}]}
`;
const served = (kind: string, path: string): string => `apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}WebhookConfiguration
metadata: {name: adm-served}
webhooks:
- name: ${kind.toLowerCase()}.example.com
  clientConfig: {service: {namespace: adm-served, name: hook, path: ${path}}}
  rules: [{operations: [CREATE, DELETE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: adm-served}}
  timeoutSeconds: 3
  sideEffects: None
  admissionReviewVersions: [v1]
`;

export const admission: readonly Scenario[] = [
  {
    name: 'admission: webhooks served by a pod',
    files: {
      'served.yaml': `${ns('adm-served')}---\n${SERVED}`,
      'hooks.yaml': `${served('Mutating', '/add-label')}---\n${served('Validating', '/configmaps')}`,
    },
    steps: [
      'kubectl apply -f served.yaml',
      'kubectl wait -n adm-served --for=condition=Ready pod/hook --timeout=90s',
      wait(5),
      'kubectl apply -f hooks.yaml',
      wait(1),
      'kubectl create configmap fine -n adm-served --from-literal=a=b',
      'kubectl get configmap fine -n adm-served --show-labels',
      'kubectl create configmap bad -n adm-served --from-literal=webhook-e2e-test=webhook-disallow',
      'kubectl create configmap bad -n adm-served --from-literal=webhook-e2e-test=webhook-disallow --dry-run=server',
      'kubectl delete pod hook -n adm-served --now',
      wait(5),
      'kubectl create configmap late -n adm-served',
      'kubectl delete mutatingwebhookconfiguration,validatingwebhookconfiguration adm-served',
      'kubectl create configmap late -n adm-served',
      'kubectl delete ns adm-served --wait=false',
    ],
  },
  {
    name: 'admission: limit ranges',
    files: {
      'limits.yaml': `${ns('adm-limits')}---\n${LIMITS}`,
      'plain.yaml': pod('plain', 'adm-limits', ''),
      'small.yaml': pod('small', 'adm-limits', 'resources: {requests: {cpu: 10m}}'),
      'large.yaml': pod('large', 'adm-limits', 'resources: {limits: {cpu: "2", memory: 2Gi}}'),
      'claim.yaml': CLAIM,
    },
    steps: [
      'kubectl apply -f limits.yaml',
      wait(2),
      'kubectl get limits -n adm-limits',
      'kubectl describe limits -n adm-limits | sort',
      'kubectl apply -f plain.yaml',
      'kubectl get pod plain -n adm-limits -o jsonpath=\'{.spec.containers[0].resources}{"\\n"}{.metadata.annotations.kubernetes\\.io/limit-ranger}{"\\n"}\'',
      'kubectl apply -f small.yaml',
      'kubectl apply -f large.yaml',
      'kubectl apply -f claim.yaml',
      'kubectl delete ns adm-limits --wait=false',
    ],
  },
  {
    name: 'admission: quotas',
    files: { 'quota.yaml': `${ns('adm-quota')}`, 'one.yaml': pod('one', 'adm-quota', 'resources: {requests: {cpu: 200m, memory: 64Mi}}') },
    steps: [
      'kubectl apply -f quota.yaml',
      'kubectl create quota small -n adm-quota --hard=pods=1,requests.cpu=1,requests.memory=1Gi,count/configmaps=2',
      wait(3),
      'kubectl run bare -n adm-quota --image=nginx',
      'kubectl apply -f one.yaml',
      wait(3),
      'kubectl get quota -n adm-quota',
      'kubectl describe quota small -n adm-quota',
      "sed 's/one/two/' one.yaml | kubectl apply -f -",
      'kubectl create configmap extra -n adm-quota',
      'kubectl create configmap more -n adm-quota',
      'kubectl delete pod one -n adm-quota --now',
      wait(5),
      "kubectl get quota small -n adm-quota -o jsonpath='{.status.used.pods}'",
      'kubectl delete ns adm-quota --wait=false',
    ],
  },
  {
    name: 'admission: quotas with scopes',
    files: { 'ns.yaml': ns('adm-scope') },
    steps: [
      'kubectl apply -f ns.yaml',
      'kubectl create quota best -n adm-scope --hard=pods=0 --scopes=BestEffort',
      wait(3),
      'kubectl run bare -n adm-scope --image=nginx',
      'kubectl describe quota best -n adm-scope',
      'kubectl delete ns adm-scope --wait=false',
    ],
  },
  {
    name: 'admission: pod security',
    files: {
      'secure.yaml': ns('adm-secure', 'pod-security.kubernetes.io/enforce: restricted'),
      'open.yaml': ns('adm-open'),
      'wrong.yaml': ns('adm-wrong', 'pod-security.kubernetes.io/enforce: strict'),
      'host.yaml': pod('host', 'adm-open', '', '  hostNetwork: true\n'),
    },
    steps: [
      'kubectl apply -f secure.yaml -f open.yaml',
      wait(2),
      'kubectl run bare -n adm-secure --image=nginx',
      'kubectl create deployment web -n adm-secure --image=nginx',
      'kubectl get deployment web -n adm-secure -o name',
      'kubectl apply -f host.yaml',
      'kubectl label ns adm-open pod-security.kubernetes.io/enforce=baseline',
      'kubectl label ns adm-open pod-security.kubernetes.io/warn=restricted --dry-run=server',
      'kubectl apply -f wrong.yaml',
      'kubectl delete ns adm-secure adm-open --wait=false',
    ],
  },
  {
    name: 'admission: policies',
    files: {
      'policy.yaml': POLICY,
      'policed.yaml': ns('adm-policed', 'policed: "yes"'),
      'bad.yaml': POLICY.split('---')[0]!.replace('object.spec.replicas <= 2', 'objekt.spec.replicas <= 2'),
    },
    steps: [
      'kubectl apply -f policed.yaml -f policy.yaml',
      wait(2),
      'kubectl get validatingadmissionpolicy,validatingadmissionpolicybinding',
      'kubectl create deployment ok -n adm-policed --image=nginx --replicas=2',
      'kubectl create deployment many -n adm-policed --image=nginx --replicas=3',
      'kubectl scale deployment ok -n adm-policed --replicas=5',
      'kubectl patch deployment ok -n adm-policed -p \'{"spec":{"replicas":4}}\'',
      'kubectl create deployment free --image=nginx --replicas=3',
      'kubectl patch validatingadmissionpolicybinding few-replicas --type=merge -p \'{"spec":{"validationActions":["Warn"]}}\'',
      wait(1),
      'kubectl create deployment many -n adm-policed --image=nginx --replicas=3',
      'kubectl delete validatingadmissionpolicybinding few-replicas',
      'kubectl apply -f bad.yaml',
      'kubectl delete validatingadmissionpolicy few-replicas',
      'kubectl delete deployment free',
      'kubectl delete ns adm-policed --wait=false',
    ],
  },
  {
    name: 'admission: webhooks without a service',
    files: {
      'hooks.yaml': ns('adm-hooks'),
      'webhook.yaml': webhooks('/validate'),
      'ignore.yaml': webhooks('/validate', '  failurePolicy: Ignore\n'),
      'bad.yaml': webhooks('/validate', '  timeoutSeconds: 60\n').replace('sideEffects: None', 'sideEffects: Some').replace('nobody.example.com', 'nobody'),
    },
    steps: [
      'kubectl apply -f hooks.yaml -f webhook.yaml',
      wait(2),
      'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
      'kubectl create configmap a -n adm-hooks',
      'kubectl apply -f ignore.yaml',
      wait(1),
      'kubectl create configmap a -n adm-hooks',
      'kubectl apply -f bad.yaml',
      'kubectl delete validatingwebhookconfiguration nobody',
      'kubectl delete ns adm-hooks --wait=false',
    ],
  },
  {
    name: 'admission: claims in use',
    files: {
      'claim.yaml':
        'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: kept}\nspec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}\n',
    },
    steps: [
      'kubectl apply -f claim.yaml',
      "kubectl get pvc kept -o jsonpath='{.metadata.finalizers}'",
      'kubectl patch pvc kept -p \'{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}\'',
      'kubectl delete pvc kept',
      'kubectl get pvc kept',
    ],
  },
  {
    name: 'admission: service accounts, priorities and runtimes',
    files: {
      'account.yaml': pod('account', 'default', '', '  serviceAccountName: nobody\n'),
      'priority.yaml': pod('priority', 'default', '', '  priorityClassName: none\n'),
      'runtime.yaml': pod('runtime', 'default', '', '  runtimeClassName: none\n'),
      'overhead.yaml': pod('overhead', 'default', '', '  overhead: {cpu: 1m}\n'),
      'nowhere.yaml': pod('nowhere', 'adm-nowhere', ''),
    },
    steps: [
      'kubectl apply -f account.yaml',
      'kubectl apply -f priority.yaml',
      'kubectl apply -f runtime.yaml',
      'kubectl apply -f overhead.yaml',
      'kubectl apply -f nowhere.yaml',
      'kubectl delete ns default',
    ],
  },
];
