/** Who may do what, and who says so: authentication, RBAC, certificates. (The real kubectl shows no token over plain HTTP, so nobody speaks with one here.) */
import { type Scenario, wait } from '../scenario.ts';

/** Made by openssl with an RSA key: O=dev, CN=jane. */
const JANE =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQ1lqQ0NBVW9DQVFBd0hURU1NQW9HQTFVRUNnd0RaR1YyTVEwd0N3WURWUVFEREFScVlXNWxNSUlCSWpBTgpCZ2txaGtpRzl3MEJBUUVGQUFPQ0FROEFNSUlCQ2dLQ0FRRUFvOG0wa0EwOWdlcUc2WHdHekloTHp3akl2MEpYCnhCZFR2Ylpqb2NDdEhkcGVsRGJ2eFhMM1hXV3dTOUx5RXJ5UVR1Y1Nldkl0NklvUTlyVmdRVXF3eVNGV3ZrTXAKQmJxWXVmSXBRSGJlT2l2QURzZUZGaFQzMmRyM2lnemJGODdXclZ0YXlLWVRRVUFzeWg3K1NRUTNWalNhYTNvWgpRUmhOWjF4UUlmVW5QdTZ4UHd0Z0h2bXc3UE9renpteitCejNZTE1SM0VySlVlK2pxcy9UeitWNkx0MVkwamd4CitRV2xpOFdnTTlGdUQ3RGgxVU4rZnFqY2c1QVhNUDA1cjhScXh4ZDRjU0kvQW9FRGZHSmdySzRvTFZNWGhNYm8KOVFDWUdtWHFhK3ZLYXpXelVFSFZvUVdlRHVuUDE1clcwczc4VHFGSVJtMUJHbUJZOHB2R1JQSVFud0lEQVFBQgpvQUF3RFFZSktvWklodmNOQVFFTEJRQURnZ0VCQUhLTVREZ0tiRm9jbytObHBmc0RvUXZxTkNtZGo5MS9vVFJFCithWTN2VlFUNC9mZ1pqMWIrWHhTblhzRUNWSkwyOXJNQ3FIa2FRN253Uy83SFhJVS91UkRhZEVFRUpuNGRUNUkKc2ZDcHFuS0VhUXZPQjJESWNzSEtxNG05VzdUUHUvb0hrM0xmamNQTzNaWUtPUHBvQkR2REZtekF6cWh6S3BUZAo1YW5kc1VWdzJRa2hVSlN4RUFGc1lhZFY2Ti9TN1gyNCtBd3FmMDFZV0FkUnl6VnMwK0wrcExPdTA5eUhpRGUxCllnYmVra3YwUXRqYkJCOGgyMTk5czVkYktvWjVBQ0I1M3lSVlVtZ3pWWEtKQjhFbk04VkhTaUxoa2dKdGRVWGsKK1Jldms2S2JpSVJXQVdJMGZGczFBYTN2YVNDYndKVzVBN3NlV251YUMvZzBpOHIzTS9vPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K';
/** The same with a key on P-256: CN=bob. */
const BOB =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISk1IQUNBUUF3RGpFTU1Bb0dBMVVFQXd3RFltOWlNRmt3RXdZSEtvWkl6ajBDQVFZSUtvWkl6ajBEQVFjRApRZ0FFYW9jdjVZS1I1c2JpMW5jRkpLRHB3Y1NXa1RFV1RaRjZmdHNQVW00RE9YbEgyeGZSSmVyUmxkREpHd0VNCkVuak1rcEhjSXpWTndrS2srRG4rNGg0V1lxQUFNQW9HQ0NxR1NNNDlCQU1DQTBrQU1FWUNJUUNqeFZNQzVvMHAKejhZODJTU1ZUSzBsOGdydjgrOWluZXhObGZUYWtQbWRhd0loQUxDSk0zYk05M2x2bmxmenF0OUhrcGliMTAydQpDaGV2bDFXZE5tTjI2SjhxCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=';

const csr = (name: string, request: string, more = 'usages: [client auth]'): string => `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata:
  name: ${name}
spec:
  request: ${request}
  signerName: kubernetes.io/kube-apiserver-client
  ${more}
`;
const RBAC = 'apiVersion: rbac.authorization.k8s.io/v1';

export const security: readonly Scenario[] = [
  {
    name: 'whoami',
    steps: [
      'kubectl auth whoami',
      'kubectl auth whoami -o yaml | grep -v creationTimestamp',
      'kubectl auth whoami --as jane --as-group dev --as-group ops --as-uid 7',
    ],
  },
  {
    name: 'can-i',
    steps: [
      'kubectl auth can-i create pods',
      'kubectl auth can-i create pods --as jane',
      'kubectl auth can-i get pods/log --as jane -q',
      'kubectl auth can-i get /healthz --as jane',
      'kubectl auth can-i get /metrics --as jane',
      'kubectl auth can-i list nodes --as system:kube-scheduler',
      'kubectl auth can-i list secrets --as system:kube-scheduler -n kube-system',
      'kubectl auth can-i get deployments.apps/web --as system:serviceaccount:kube-system:deployment-controller',
    ],
  },
  {
    name: 'can-i of kubelets',
    steps: [
      'kubectl auth can-i get secrets --as system:node:node-1 --as-group system:nodes',
      'kubectl auth can-i get nodes/node-1 --as system:node:node-1 --as-group system:nodes',
      'kubectl auth can-i get nodes/node-2 --as system:node:node-1 --as-group system:nodes',
      'kubectl get secrets --as system:node:node-1 --as-group system:nodes',
      'kubectl get node node-2 --as system:node:node-1 --as-group system:nodes',
      'kubectl get pods -A --as system:node:node-1 --as-group system:nodes',
    ],
  },
  {
    name: 'can-i --list',
    steps: [
      'kubectl auth can-i --list --as jane',
      'kubectl auth can-i --list',
      'kubectl auth can-i --list -n kube-system --as system:serviceaccount:kube-system:token-cleaner --as-group system:authenticated',
    ],
  },
  {
    name: 'roles of somebody',
    steps: [
      'kubectl create namespace guarded',
      'kubectl create role reader --verb=get,list --resource=pods -n guarded',
      'kubectl create rolebinding jane --role=reader --user=jane -n guarded',
      'kubectl get pods -n guarded --as jane',
      'kubectl get pods -n default --as jane',
      'kubectl delete pod x -n guarded --as jane',
      'kubectl auth can-i list pods -n guarded --as jane',
      'kubectl auth can-i --list -n guarded --as jane',
      'kubectl describe role reader -n guarded',
      'kubectl describe rolebinding jane -n guarded',
      'kubectl delete role reader -n guarded',
      'kubectl get pods -n guarded --as jane',
    ],
  },
  {
    name: 'no more than one has',
    files: {
      'writer.yaml': `${RBAC}
kind: ClusterRole
metadata: {name: role-writer}
rules:
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, create]
- apiGroups: [""]
  resources: [pods]
  verbs: [get]
`,
    },
    steps: [
      'kubectl apply -f writer.yaml',
      'kubectl create clusterrolebinding mary --clusterrole=role-writer --user=mary',
      'kubectl create role fine --verb=get --resource=pods --as mary',
      'kubectl create role more --verb=get,delete --resource=pods,secrets --as mary',
      'kubectl create rolebinding all --clusterrole=cluster-admin --user=mary --as mary',
      'kubectl create rolebinding none --role=nowhere --user=mary --as mary',
      'kubectl create clusterrole wide --verb=get --resource=nodes --as mary',
      'kubectl delete clusterrolebinding mary',
    ],
  },
  {
    name: 'reconcile',
    files: {
      'rbac.yaml': `${RBAC}
kind: ClusterRole
metadata: {name: kept}
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
---
${RBAC}
kind: ClusterRoleBinding
metadata: {name: kept}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kept}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: jane}
`,
    },
    steps: [
      'kubectl auth reconcile -f rbac.yaml',
      'kubectl auth reconcile -f rbac.yaml',
      'kubectl get clusterrole kept -o jsonpath={.rules}',
      'kubectl delete clusterrole kept',
    ],
  },
  {
    name: 'aggregated roles',
    files: {
      'things.yaml': `${RBAC}
kind: ClusterRole
metadata:
  name: things
  labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}
rules:
- apiGroups: [example.com]
  resources: [things]
  verbs: [get]
`,
    },
    steps: [
      'kubectl apply -f things.yaml',
      wait(3),
      'kubectl describe clusterrole view | grep example',
      'kubectl describe clusterrole admin | grep example',
      'kubectl delete -f things.yaml',
      wait(3),
      'kubectl describe clusterrole view | grep example',
    ],
  },
  {
    name: 'bootstrap roles',
    steps: [
      'kubectl get clusterroles | wc -l',
      'kubectl get clusterroles -o name | grep system:controller',
      'kubectl describe clusterrole system:controller:replicaset-controller',
      'kubectl describe clusterrolebinding system:controller:replicaset-controller cluster-admin',
      'kubectl get roles,rolebindings -n kube-system -o name',
      'kubectl get clusterrole edit -o yaml | grep -v creationTimestamp | head -30',
    ],
  },
  {
    name: 'certificates',
    files: { 'jane.yaml': csr('jane', JANE), 'bob.yaml': csr('bob', BOB, 'usages: [client auth]\n  expirationSeconds: 3600') },
    steps: [
      'kubectl apply -f jane.yaml -f bob.yaml',
      'kubectl get csr',
      'kubectl get csr jane -o jsonpath="{.spec.username} {.spec.groups}"',
      'kubectl certificate approve jane',
      'kubectl certificate deny bob',
      wait(3),
      'kubectl get csr',
      "kubectl get csr jane -o jsonpath='{.status.conditions[0].reason}: {.status.conditions[0].message}'",
      "kubectl get csr jane -o jsonpath='{.status.certificate}' | base64 -d | head -1",
      'kubectl certificate approve nobody',
      'kubectl delete csr jane bob',
    ],
  },
  {
    name: 'certificates with mistakes',
    files: {
      'usages.yaml': csr('wrong', BOB, 'usages: []'),
      'brief.yaml': csr('wrong', BOB, 'usages: [client auth]\n  expirationSeconds: 60'),
      'usage.yaml': csr('wrong', BOB, 'usages: [eating]'),
    },
    steps: ['kubectl apply -f usages.yaml', 'kubectl apply -f brief.yaml', 'kubectl apply -f usage.yaml', 'kubectl certificate approve wrong --as jane'],
  },
  {
    name: 'tokens',
    steps: [
      'kubectl create serviceaccount robot',
      'kubectl create token robot | cut -d. -f1 | wc -l',
      'kubectl create token robot --duration 1m',
      'kubectl create token robot --bound-object-kind Pod --bound-object-name nothing',
      'kubectl create token nobody',
      'kubectl delete serviceaccount robot',
    ],
  },
  {
    name: 'flow control',
    steps: ['kubectl get flowschemas', 'kubectl get prioritylevelconfigurations', 'kubectl get flowschema probes -o jsonpath={.spec.matchingPrecedence}'],
  },
];
