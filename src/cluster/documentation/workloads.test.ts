/** Pages on what keeps pods alive and where they are put. */
import { expect } from 'vitest';
import { documentation } from './documentation.test-support.ts';

const doc = documentation();
const NGINX = `
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: nginx-deployment
      labels:
        app: nginx
    spec:
      replicas: 3
      selector:
        matchLabels:
          app: nginx
      template:
        metadata:
          labels:
            app: nginx
        spec:
          containers:
          - name: nginx
            image: nginx:1.14.2
            ports:
            - containerPort: 80
`;

doc('concepts/workloads/controllers/deployment', 'created, updated, undone, scaled, paused and resumed', async (page) => {
  await page.apply(NGINX);
  expect(await page.run('kubectl rollout status deployment/nginx-deployment')).toContain('deployment "nginx-deployment" successfully rolled out');
  expect(await page.run('kubectl get deployments --no-headers')).toMatch(/nginx-deployment +3\/3 +3 +3/);
  expect(await page.run('kubectl get rs --no-headers')).toMatch(/nginx-deployment-\w+ +3 +3 +3/);
  expect(await page.run('kubectl get pods --show-labels --no-headers')).toMatch(/app=nginx,pod-template-hash=\w+/);

  await page.run('kubectl set image deployment/nginx-deployment nginx=nginx:1.16.1');
  await page.run('kubectl rollout status deployment/nginx-deployment');
  expect(await page.run('kubectl get rs --no-headers')).toMatch(/ 3 +3 +3[\s\S]* 0 +0 +0|0 +0 +0[\s\S]* 3 +3 +3/);

  // The page's typo: 1.161 is no release.
  await page.run('kubectl set image deployment/nginx-deployment nginx=nginx:1.161');
  await page.until('kubectl get pods', /ImagePullBackOff/);
  expect(await page.run('kubectl get rs --no-headers')).toMatch(/ 1 +1 +0 /);
  expect(await page.run('kubectl rollout history deployment/nginx-deployment')).toMatch(/REVISION +CHANGE-CAUSE\n1 .*\n2 .*\n3 /);
  expect(await page.run('kubectl rollout undo deployment/nginx-deployment')).toBe('deployment.apps/nginx-deployment rolled back');
  await page.run('kubectl rollout status deployment/nginx-deployment');
  expect(await page.run('kubectl describe deployment nginx-deployment')).toMatch(/Image: +nginx:1\.16\.1/);

  await page.run('kubectl scale deployment/nginx-deployment --replicas=10');
  await page.run('kubectl rollout status deployment/nginx-deployment');
  expect(await page.run('kubectl get deployments --no-headers')).toMatch(/10\/10/);

  await page.run('kubectl rollout pause deployment/nginx-deployment');
  await page.run('kubectl set image deployment/nginx-deployment nginx=nginx:1.16.1');
  await page.run('kubectl set resources deployment/nginx-deployment -c=nginx --limits=cpu=200m,memory=512Mi');
  await page.wait(10);
  expect(await page.run('kubectl get deployments --no-headers')).toMatch(/10\/10 +0 +10|10\/10 +10 +10/);
  expect((await page.run('kubectl get rs --no-headers')).split('\n')).toHaveLength(3);
  await page.run('kubectl rollout resume deployment/nginx-deployment');
  await page.run('kubectl rollout status deployment/nginx-deployment');
  expect((await page.run('kubectl get rs --no-headers')).split('\n')).toHaveLength(4);
});

doc('concepts/workloads/controllers/deployment', 'a deadline that is missed', async (page) => {
  await page.apply(NGINX.replace('nginx:1.14.2', 'nginx:nonesuch').replace('replicas: 3', 'replicas: 1\n      progressDeadlineSeconds: 60'));
  await page.until(
    'kubectl get deployment nginx-deployment -o jsonpath=\'{.status.conditions[?(@.type=="Progressing")].reason}\'',
    /ProgressDeadlineExceeded/,
    90,
  );
  expect(await page.refused('kubectl rollout status deployment/nginx-deployment')).toContain(
    'error: deployment "nginx-deployment" exceeded its progress deadline',
  );
});

doc('concepts/workloads/controllers/replicaset', 'three frontends; strays are taken in', async (page) => {
  const stray = (name: string) => `
    apiVersion: v1
    kind: Pod
    metadata:
      name: ${name}
      labels:
        tier: frontend
    spec:
      containers:
      - name: hello
        image: gcr.io/google-samples/hello-app:2.0
  `;
  await page.apply(stray('pod1'));
  await page.apply(stray('pod2'));
  await page.apply(`
    apiVersion: apps/v1
    kind: ReplicaSet
    metadata:
      name: frontend
      labels:
        app: guestbook
        tier: frontend
    spec:
      replicas: 3
      selector:
        matchLabels:
          tier: frontend
      template:
        metadata:
          labels:
            tier: frontend
        spec:
          containers:
          - name: hello
            image: gcr.io/google-samples/hello-app:1.0
  `);
  await page.until('kubectl get rs frontend --no-headers', /frontend +3 +3 +3/);
  const names = (await page.run('kubectl get pods -o name')).split('\n');
  expect(names).toHaveLength(3);
  expect(names).toEqual(expect.arrayContaining(['pod/pod1', 'pod/pod2']));
  await page.run('kubectl delete rs frontend --cascade=orphan');
  await page.wait(5);
  expect((await page.run('kubectl get pods -o name')).split('\n')).toHaveLength(3);
});

doc('concepts/workloads/controllers/daemonset', 'one on every node, the control plane too', async (page) => {
  await page.apply(`
    apiVersion: apps/v1
    kind: DaemonSet
    metadata:
      name: fluentd-elasticsearch
      labels:
        k8s-app: fluentd-logging
    spec:
      selector:
        matchLabels:
          name: fluentd-elasticsearch
      template:
        metadata:
          labels:
            name: fluentd-elasticsearch
        spec:
          tolerations:
          - key: node-role.kubernetes.io/control-plane
            operator: Exists
            effect: NoSchedule
          containers:
          - name: fluentd-elasticsearch
            image: busybox:1.28
            command: ['sleep', '3600']
            resources:
              limits:
                memory: 200Mi
              requests:
                cpu: 100m
                memory: 200Mi
            volumeMounts:
            - name: varlog
              mountPath: /var/log
          terminationGracePeriodSeconds: 30
          volumes:
          - name: varlog
            hostPath:
              path: /var/log
  `);
  await page.until('kubectl get ds --no-headers', /fluentd-elasticsearch +4 +4 +4 +4 +4/);
});

doc('concepts/services-networking/service', 'pods behind a name, and the way of a request', async (page) => {
  await page.apply(NGINX);
  await page.run('kubectl rollout status deployment/nginx-deployment');
  await page.apply(`
    apiVersion: v1
    kind: Service
    metadata:
      name: my-service
    spec:
      selector:
        app: nginx
      ports:
      - protocol: TCP
        port: 8080
        targetPort: 80
  `);
  await page.until('kubectl get endpointslices', /10\.244\.\d+\.\d+,10\.244\.\d+\.\d+/);
  expect(await page.run('kubectl run probe --rm -i --quiet --restart=Never --image=busybox:1.28 -- wget -qO- http://my-service:8080')).toContain(
    'Welcome to nginx!',
  );
});

doc('tutorials/stateless-application/expose-external-ip-address', 'a NodePort from outside', async (page) => {
  await page.run('kubectl create deployment hello-world --image=gcr.io/google-samples/hello-app:1.0 --port=8080 --replicas=2');
  await page.run('kubectl rollout status deployment/hello-world');
  await page.run('kubectl expose deployment hello-world --type=NodePort --name=example-service');
  const port = await page.run('kubectl get service example-service -o jsonpath={.spec.ports[0].nodePort}');
  expect(Number(port)).toBeGreaterThanOrEqual(30_000);
  await page.wait(3);
  expect(await page.run(`curl -s http://10.0.0.11:${port}`)).toContain('Hello, world!');
});

doc('concepts/scheduling-eviction/taint-and-toleration', 'a taint keeps away, a toleration lets in', async (page) => {
  for (const node of ['node-1', 'node-2', 'node-3']) await page.run(`kubectl taint nodes ${node} key1=value1:NoSchedule`);
  await page.run('kubectl run stranger --image=nginx');
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: nginx
      labels:
        env: test
    spec:
      containers:
      - name: nginx
        image: nginx
        imagePullPolicy: IfNotPresent
      tolerations:
      - key: "key1"
        operator: "Equal"
        value: "value1"
        effect: "NoSchedule"
  `);
  await page.until('kubectl get pod nginx', /Running/);
  expect(await page.run('kubectl describe pod stranger')).toMatch(/0\/4 nodes are available: .*3 node\(s\) had untolerated taint \{key1: value1\}/);
  for (const node of ['node-1', 'node-2', 'node-3']) await page.run(`kubectl taint nodes ${node} key1=value1:NoSchedule-`);
  await page.until('kubectl get pod stranger', /Running/);
});

doc('concepts/scheduling-eviction/assign-pod-node', 'a cache beside every web server, never two on a node', async (page) => {
  const app = (name: string, image: string, affinity: string) => `
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: ${name}
    spec:
      selector:
        matchLabels:
          app: ${name}
      replicas: 3
      template:
        metadata:
          labels:
            app: ${name}
        spec:
          affinity:
            podAntiAffinity:
              requiredDuringSchedulingIgnoredDuringExecution:
              - labelSelector:
                  matchExpressions:
                  - {key: app, operator: In, values: [${name}]}
                topologyKey: "kubernetes.io/hostname"
            ${affinity}
          containers:
          - name: server
            image: ${image}
  `;
  await page.apply(app('store', 'redis:3.2-alpine', 'nodeAffinity: {}'));
  await page.apply(
    app(
      'web-store',
      'nginx:1.16-alpine',
      'podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {app: store}}, topologyKey: kubernetes.io/hostname}]}',
    ),
  );
  await page.run('kubectl rollout status deployment/web-store');
  const nodes = async (name: string) => (await page.run(`kubectl get pods -l app=${name} -o jsonpath='{.items[*].spec.nodeName}'`)).split(' ').sort();
  expect(await nodes('store')).toEqual(['node-1', 'node-2', 'node-3']);
  expect(await nodes('web-store')).toEqual(['node-1', 'node-2', 'node-3']);
});

doc('concepts/scheduling-eviction/topology-spread-constraints', 'at most one more on any node', async (page) => {
  await page.apply(`
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: spread
    spec:
      replicas: 6
      selector:
        matchLabels:
          foo: bar
      template:
        metadata:
          labels:
            foo: bar
        spec:
          topologySpreadConstraints:
          - maxSkew: 1
            topologyKey: kubernetes.io/hostname
            whenUnsatisfiable: DoNotSchedule
            nodeTaintsPolicy: Honor
            labelSelector:
              matchLabels:
                foo: bar
          containers:
          - name: pause
            image: registry.k8s.io/pause:3.8
  `);
  await page.run('kubectl rollout status deployment/spread');
  const nodes = (await page.run("kubectl get pods -o jsonpath='{.items[*].spec.nodeName}'")).split(' ');
  for (const node of ['node-1', 'node-2', 'node-3']) expect(nodes.filter((name) => name === node)).toHaveLength(2);
});

doc('concepts/scheduling-eviction/pod-scheduling-readiness', 'gates are taken away one by one', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: test-pod
    spec:
      schedulingGates:
      - name: example.com/foo
      - name: example.com/bar
      containers:
      - name: pause
        image: registry.k8s.io/pause:3.8
  `);
  expect(await page.run('kubectl get pod test-pod --no-headers')).toMatch(/0\/1 +SchedulingGated/);
  await page.run('kubectl patch pod test-pod --type=json -p \'[{"op":"remove","path":"/spec/schedulingGates/0"}]\'');
  await page.wait(3);
  expect(await page.run('kubectl get pod test-pod --no-headers')).toMatch(/0\/1 +SchedulingGated/);
  await page.run('kubectl patch pod test-pod --type=json -p \'[{"op":"remove","path":"/spec/schedulingGates"}]\'');
  await page.until('kubectl get pod test-pod', /Running/);
});

doc('tasks/administer-cluster/manage-resources/memory-default-namespace', 'a namespace’s defaults', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: LimitRange
    metadata:
      name: mem-limit-range
    spec:
      limits:
      - default:
          memory: 512Mi
        defaultRequest:
          memory: 256Mi
        type: Container
  `);
  await page.run('kubectl run default-mem-demo --image=nginx');
  expect((await page.pod('default-mem-demo')).spec?.containers[0]?.resources).toEqual({ limits: { memory: '512Mi' }, requests: { memory: '256Mi' } });
});

doc('tasks/administer-cluster/manage-resources/memory-constraint-namespace', 'too much and too little', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: LimitRange
    metadata:
      name: mem-min-max-demo-lr
    spec:
      limits:
      - max:
          memory: 1Gi
        min:
          memory: 500Mi
        type: Container
  `);
  const demo = (limit: string, request: string) =>
    page.refused(
      `kubectl run constraints-mem-demo --image=nginx --overrides='{"spec":{"containers":[{"name":"c","image":"nginx","resources":{"limits":{"memory":"${limit}"},"requests":{"memory":"${request}"}}}]}}'`,
    );
  expect(await demo('1.5Gi', '800Mi')).toContain('pods "constraints-mem-demo" is forbidden: maximum memory usage per Container is 1Gi, but limit is 1536Mi');
  expect(await demo('800Mi', '100Mi')).toContain('pods "constraints-mem-demo" is forbidden: minimum memory usage per Container is 500Mi, but request is 100Mi');
});

doc('tasks/administer-cluster/manage-resources/quota-memory-cpu-namespace', 'a second pod over the quota', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: ResourceQuota
    metadata:
      name: mem-cpu-demo
    spec:
      hard:
        requests.cpu: "1"
        requests.memory: 1Gi
        limits.cpu: "2"
        limits.memory: 2Gi
  `);
  const demo = (name: string, memory: string) => `
    apiVersion: v1
    kind: Pod
    metadata:
      name: ${name}
    spec:
      containers:
      - name: ${name}-ctr
        image: nginx
        resources:
          limits: {memory: 1Gi, cpu: 800m}
          requests: {memory: ${memory}, cpu: 400m}
  `;
  await page.until("kubectl get resourcequota mem-cpu-demo -o jsonpath='{.status.used}'", /requests/);
  await page.apply(demo('quota-mem-cpu-demo', '600Mi'));
  await page.until("kubectl get resourcequota mem-cpu-demo -o jsonpath='{.status.used.requests\\.memory}'", /600Mi/);
  expect(await page.refused(`kubectl apply -f - <<'MANIFEST'\n${demo('quota-mem-cpu-demo-2', '700Mi')}\nMANIFEST`)).toContain(
    'pods "quota-mem-cpu-demo-2" is forbidden: exceeded quota: mem-cpu-demo, requested: requests.memory=700Mi, used: requests.memory=600Mi, limited: requests.memory=1Gi',
  );
});

doc('concepts/workloads/pods', 'an image nobody here knows runs and answers, and says that it is assumed', async (page) => {
  await page.run('kubectl run app --image=someone/app:2 --port=8080 --expose');
  await page.until('kubectl get pod app', /Running/);
  expect(await page.run('kubectl logs app')).toBe('orrery: docker.io/someone/app:2 is assumed: it answers 200 on port 8080');
  expect(await page.run('kubectl run probe --rm -i --quiet --restart=Never --image=busybox:1.28 -- wget -qO- http://app:8080')).toBe(
    'docker.io/someone/app:2 (assumed) on app',
  );
});
