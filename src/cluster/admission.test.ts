/** Admission in a whole cluster: a webhook served by a pod, and quotas that are counted. */
import { describe, expect, it } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { cluster, isReady, type Lab } from './testing.ts';

const WEBHOOK = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: hook}
spec:
  selector: {matchLabels: {app: hook}}
  template:
    metadata: {labels: {app: hook}}
    spec:
      containers:
      - name: webhook
        image: registry.k8s.io/e2e-test-images/agnhost:2.53
        args: [webhook, --tls-cert-file=/webhook.crt, --port=8444]
        readinessProbe: {httpGet: {path: /readyz, port: 8444}}
---
apiVersion: v1
kind: Service
metadata: {name: hook}
spec:
  selector: {app: hook}
  ports: [{port: 8443, targetPort: 8444}]
`;
const configuration = (kind: string, path: string, more: string): string => `
apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}WebhookConfiguration
metadata: {name: ${kind.toLowerCase()}}
webhooks:
- name: ${kind.toLowerCase()}.example.com
  clientConfig: {service: {namespace: default, name: hook, path: ${path}, port: 8443}}
  rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}
  sideEffects: None
  admissionReviewVersions: [v1]
  ${more}
`;
const apply = (lab: Lab, text: string): Promise<string> => lab.ok(`cat <<'EOF' | kubectl apply -f -\n${text}\nEOF`);

describe('a webhook in a pod', () => {
  it('changes and refuses, and its failures are as its policy says', async () => {
    const lab = await cluster('three-nodes');
    await apply(lab, WEBHOOK);
    await lab.until(() => lab.pods('app=hook').length === 1 && lab.pods('app=hook').every(isReady), 'the webhook to be ready');
    await lab.wait(seconds(5));
    await apply(lab, configuration('Mutating', '/mutating-configmaps', 'timeoutSeconds: 2'));
    await apply(lab, configuration('Validating', '/configmaps', 'timeoutSeconds: 2'));
    await lab.wait(seconds(1));

    await lab.ok('kubectl create configmap fine --from-literal=mutation-start=yes');
    expect(await lab.ok("kubectl get configmap fine -o jsonpath='{.data}'")).toBe('{"mutation-stage-1":"yes","mutation-start":"yes"}');
    const refused = await lab.run('kubectl create configmap bad --from-literal=webhook-e2e-test=webhook-disallow');
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      'error: failed to create configmap: admission webhook "validating.example.com" denied the request: the configmap contains unwanted key and value\n',
    ]);

    // Nobody behind the Service: refused at once, unless failures are ignored.
    await lab.ok('kubectl scale deployment hook --replicas=0');
    await lab.until(() => lab.pods('app=hook').length === 0, 'the webhook to be gone');
    await lab.wait(seconds(5));
    const failed = await lab.run('kubectl create configmap down --from-literal=a=b');
    expect(failed.stderr).toMatch(
      /^error: failed to create configmap: Internal error occurred: failed calling webhook "mutating\.example\.com": failed to call webhook: Post "https:\/\/hook\.default\.svc:8443\/mutating-configmaps\?timeout=2s": dial tcp 10\.[0-9.]+:8443: connect: connection refused\n$/,
    );
    for (const kind of ['mutating', 'validating'])
      await lab.ok(`kubectl patch ${kind}webhookconfiguration ${kind} --type=json -p '[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]'`);
    await lab.ok('kubectl create configmap down --from-literal=a=b');

    // Too slow an answer is none.
    await lab.ok('kubectl scale deployment hook --replicas=1');
    await lab.until(() => lab.pods('app=hook').length === 1 && lab.pods('app=hook').every(isReady), 'the webhook to be back');
    await lab.wait(seconds(5));
    await lab.ok('kubectl delete validatingwebhookconfiguration validating');
    await lab.ok(
      `kubectl patch mutatingwebhookconfiguration mutating --type=json -p '[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Fail"},{"op":"replace","path":"/webhooks/0/clientConfig/service/path","value":"/always-allow-delay-5s"}]'`,
    );
    const slow = await lab.run('kubectl create configmap slow');
    expect(slow.stderr).toBe(
      'error: failed to create configmap: Internal error occurred: failed calling webhook "mutating.example.com": failed to call webhook: Post "https://hook.default.svc:8443/always-allow-delay-5s?timeout=2s": context deadline exceeded\n',
    );
    expect(lab.world.loop.lateTouches).toBe(0);
  }, 60_000);
});

describe('a quota', () => {
  it('is counted, holds a deployment back, and gives again what is freed', async () => {
    const lab = await cluster('three-nodes');
    await lab.ok('kubectl create quota few --hard=pods=3,requests.cpu=1,count/deployments.apps=2');
    await lab.wait(seconds(2));
    const used = (): unknown => (lab.objects('resourcequotas')[0] as unknown as { status?: { used?: unknown } }).status?.used;
    expect(used()).toEqual({ pods: '0', 'requests.cpu': '0', 'count/deployments.apps': '0' });
    await lab.ok('kubectl create deployment web --image=nginx --replicas=5');
    await lab.wait(seconds(3));
    expect(
      lab.events('ReplicaSet/' + (lab.objects('replicasets').find(({ metadata }) => metadata.namespace === 'default')?.metadata.name ?? ''))[0]?.message,
    ).toMatch(/^Error creating: pods "web-[a-z0-9]+-[a-z0-9]+" is forbidden: failed quota: few: must specify requests\.cpu for: nginx$/);
    await lab.ok('kubectl set resources deployment web --requests=cpu=100m');
    await lab.until(() => lab.pods('app=web').filter(isReady).length === 3, 'three pods');
    expect(used()).toEqual({ pods: '3', 'requests.cpu': '300m', 'count/deployments.apps': '1' });
    await lab.ok('kubectl delete deployment web');
    await lab.until(
      () => JSON.stringify(used()) === JSON.stringify({ pods: '0', 'requests.cpu': '0', 'count/deployments.apps': '0' }),
      'everything to be given back',
    );
  }, 60_000);

  it('a claim in use stays until its pod is gone', async () => {
    const lab = await cluster('three-nodes');
    await apply(
      lab,
      `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, storageClassName: none}
`,
    );
    await lab.ok('kubectl delete pvc data');
    await lab.until(() => lab.objects('persistentvolumeclaims').length === 0, 'an unused claim to go', seconds(10));
  }, 60_000);
});
