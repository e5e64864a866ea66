/** Pages on pods: their life, their probes, what they are given and what they may use. */
import { expect } from 'vitest';
import { documentation } from './documentation.test-support.ts';

const doc = documentation();
const running = (name: string) => [`kubectl get pod ${name}`, /Running/] as const;

doc('concepts/workloads/pods', 'a pod of nginx', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
  `);
  await page.until(...running('nginx'));
  expect(
    await page.run(
      "kubectl run probe --rm -i --quiet --restart=Never --image=busybox:1.28 -- wget -qO- $(kubectl get pod nginx -o jsonpath='{.status.podIP}')",
    ),
  ).toContain('Welcome to nginx!');
});

doc('concepts/workloads/pods/init-containers', 'an app waits for two services that come later', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: myapp-pod
      labels:
        app.kubernetes.io/name: MyApp
    spec:
      containers:
      - name: myapp-container
        image: busybox:1.28
        command: ['sh', '-c', 'echo The app is running! && sleep 3600']
      initContainers:
      - name: init-myservice
        image: busybox:1.28
        command: ['sh', '-c', "until nslookup myservice.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; do echo waiting for myservice; sleep 2; done"]
      - name: init-mydb
        image: busybox:1.28
        command: ['sh', '-c', "until nslookup mydb.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; do echo waiting for mydb; sleep 2; done"]
  `);
  await page.until('kubectl get pod myapp-pod', /0\/1 +Init:0\/2 +0/);
  await page.wait(10);
  expect(await page.run('kubectl logs myapp-pod -c init-myservice')).toContain('waiting for myservice');
  for (const [name, port] of [
    ['myservice', 9376],
    ['mydb', 9377],
  ])
    await page.apply(`
      apiVersion: v1
      kind: Service
      metadata:
        name: ${name}
      spec:
        ports:
        - protocol: TCP
          port: 80
          targetPort: ${port}
    `);
  await page.until('kubectl get pod myapp-pod', /1\/1 +Running/);
  expect(await page.run('kubectl logs myapp-pod')).toBe('The app is running!');
});

doc('concepts/workloads/pods/sidecar-containers', 'a log shipper beside an app', async (page) => {
  await page.apply(`
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: myapp
      labels:
        app: myapp
    spec:
      replicas: 1
      selector:
        matchLabels:
          app: myapp
      template:
        metadata:
          labels:
            app: myapp
        spec:
          containers:
          - name: myapp
            image: alpine:latest
            command: ['sh', '-c', 'while true; do echo "logging" >> /opt/logs.txt; sleep 1; done']
            volumeMounts:
            - name: data
              mountPath: /opt
          initContainers:
          - name: logshipper
            image: alpine:latest
            restartPolicy: Always
            command: ['sh', '-c', 'tail -F /opt/logs.txt']
            volumeMounts:
            - name: data
              mountPath: /opt
          volumes:
          - name: data
            emptyDir: {}
  `);
  await page.run('kubectl rollout status deployment myapp');
  expect(await page.run('kubectl get pods -l app=myapp --no-headers')).toMatch(/2\/2 +Running/);
  await page.wait(5);
  expect(await page.run('kubectl logs deploy/myapp -c logshipper')).toMatch(/logging\nlogging/);
});

doc('tasks/configure-pod-container/configure-liveness-readiness-startup-probes', 'a command that begins to fail', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      labels:
        test: liveness
      name: liveness-exec
    spec:
      containers:
      - name: liveness
        image: registry.k8s.io/busybox:1.27.2
        args:
        - /bin/sh
        - -c
        - touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600
        livenessProbe:
          exec:
            command:
            - cat
            - /tmp/healthy
          initialDelaySeconds: 5
          periodSeconds: 5
  `);
  await page.until(...running('liveness-exec'));
  await page.wait(25);
  expect(await page.run('kubectl describe pod liveness-exec')).not.toContain('Unhealthy');
  await page.wait(15);
  expect(await page.run('kubectl describe pod liveness-exec')).toMatch(
    /Unhealthy .*Liveness probe failed: cat: can't open '\/tmp\/healthy': No such file or directory/,
  );
  await page.until('kubectl get pod liveness-exec', /Running +1 \(/);
  expect(await page.run('kubectl describe pod liveness-exec')).toContain('Container liveness failed liveness probe, will be restarted');
});

doc('tasks/configure-pod-container/configure-liveness-readiness-startup-probes', 'an HTTP server that turns sick after ten seconds', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      labels:
        test: liveness
      name: liveness-http
    spec:
      containers:
      - name: liveness
        image: registry.k8s.io/e2e-test-images/agnhost:2.40
        args:
        - liveness
        livenessProbe:
          httpGet:
            path: /healthz
            port: 8080
            httpHeaders:
            - name: Custom-Header
              value: Awesome
          initialDelaySeconds: 3
          periodSeconds: 3
  `);
  await page.until('kubectl get pod liveness-http', /Running +1 \(/, 60);
  expect(await page.run('kubectl describe pod liveness-http')).toContain('Liveness probe failed: HTTP probe failed with statuscode: 500');
});

doc('tasks/configure-pod-container/configure-liveness-readiness-startup-probes', 'a TCP port that opens', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: goproxy
      labels:
        app: goproxy
    spec:
      containers:
      - name: goproxy
        image: registry.k8s.io/e2e-test-images/agnhost:2.40
        args: ['netexec', '--http-port=8080']
        ports:
        - containerPort: 8080
        readinessProbe:
          tcpSocket:
            port: 8080
          initialDelaySeconds: 15
          periodSeconds: 10
        livenessProbe:
          tcpSocket:
            port: 8080
          initialDelaySeconds: 15
          periodSeconds: 10
  `);
  await page.until(...running('goproxy'));
  await page.wait(5);
  expect(await page.run('kubectl get pod goproxy --no-headers')).toMatch(/0\/1 +Running/);
  await page.until('kubectl get pod goproxy --no-headers', /1\/1 +Running +0/, 30);
});

doc('tasks/configure-pod-container/attach-handler-lifecycle-event', 'handlers after the start and before the end', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: lifecycle-demo
    spec:
      containers:
      - name: lifecycle-demo-container
        image: nginx
        lifecycle:
          postStart:
            exec:
              command: ["/bin/sh", "-c", "echo Hello from the postStart handler > /usr/share/message"]
          preStop:
            exec:
              command: ["/bin/sh","-c","nginx -s quit; while killall -0 nginx; do sleep 1; done"]
  `);
  await page.until(...running('lifecycle-demo'));
  expect(await page.run('kubectl exec lifecycle-demo -- cat /usr/share/message')).toBe('Hello from the postStart handler');
});

doc('tasks/configure-pod-container/configure-pod-initialization', 'an init container fetches the page', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: init-demo
    spec:
      containers:
      - name: nginx
        image: nginx
        ports:
        - containerPort: 80
        volumeMounts:
        - name: workdir
          mountPath: /usr/share/nginx/html
      initContainers:
      - name: install
        image: busybox:1.28
        command: ['sh', '-c', 'echo "<p>fetched</p>" > /work-dir/index.html']
        volumeMounts:
        - name: workdir
          mountPath: "/work-dir"
      dnsPolicy: Default
      volumes:
      - name: workdir
        emptyDir: {}
  `);
  await page.until(...running('init-demo'));
  expect(await page.run('kubectl exec init-demo -- curl -s localhost')).toBe('<p>fetched</p>');
});

doc('tasks/configure-pod-container/assign-cpu-resource', 'more than any node has', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: cpu-demo-2
    spec:
      containers:
      - name: cpu-demo-ctr-2
        image: vish/stress
        resources:
          limits:
            cpu: "100"
          requests:
            cpu: "100"
        args: ["-cpus", "2"]
  `);
  await page.wait(5);
  expect(await page.run('kubectl get pod cpu-demo-2')).toMatch(/0\/1 +Pending/);
  expect(await page.run('kubectl describe pod cpu-demo-2')).toMatch(/FailedScheduling .*0\/4 nodes are available: .*3 Insufficient cpu/);
});

doc('tasks/configure-pod-container/assign-memory-resource', 'more than the node allows', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: memory-demo-3
    spec:
      containers:
      - name: memory-demo-3-ctr
        image: polinux/stress
        resources:
          requests:
            memory: "1000Gi"
          limits:
            memory: "1000Gi"
        command: ["stress"]
        args: ["--vm", "1", "--vm-bytes", "150M", "--vm-hang", "1"]
  `);
  await page.wait(5);
  expect(await page.run('kubectl describe pod memory-demo-3')).toMatch(/0\/4 nodes are available: .*3 Insufficient memory/);
});

doc('tasks/configure-pod-container/assign-memory-resource', 'a container that takes more than its limit', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: memory-demo-2
    spec:
      containers:
      - name: memory-demo-2-ctr
        image: polinux/stress
        resources:
          requests:
            memory: "50Mi"
          limits:
            memory: "100Mi"
        command: ["stress"]
        args: ["--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"]
  `);
  await page.until('kubectl get pod memory-demo-2', /OOMKilled/);
  await page.until('kubectl get pod memory-demo-2', /CrashLoopBackOff/);
  const status = (await page.pod('memory-demo-2')).status?.containerStatuses?.[0];
  expect(status?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
});

doc('tasks/configure-pod-container/quality-service-pod', 'three classes', async (page) => {
  const demo = (name: string, resources: string) => `
    apiVersion: v1
    kind: Pod
    metadata:
      name: ${name}
    spec:
      containers:
      - name: ${name}-ctr
        image: nginx
        resources: ${resources}
  `;
  await page.apply(demo('qos-demo', '{limits: {memory: 200Mi, cpu: 700m}, requests: {memory: 200Mi, cpu: 700m}}'));
  await page.apply(demo('qos-demo-2', '{limits: {memory: 200Mi}, requests: {memory: 100Mi}}'));
  await page.apply(demo('qos-demo-3', '{}'));
  for (const [name, wanted] of [
    ['qos-demo', 'Guaranteed'],
    ['qos-demo-2', 'Burstable'],
    ['qos-demo-3', 'BestEffort'],
  ])
    expect(await page.run(`kubectl get pod ${name} -o jsonpath={.status.qosClass}`)).toBe(wanted);
});

doc('tasks/configure-pod-container/assign-pods-nodes', 'a label chooses the node', async (page) => {
  await page.run('kubectl label nodes node-2 disktype=ssd');
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
      nodeSelector:
        disktype: ssd
  `);
  await page.until(...running('nginx'));
  expect((await page.pod('nginx')).spec?.nodeName).toBe('node-2');
  await page.run('kubectl label nodes node-2 disktype-');
});

doc('tasks/configure-pod-container/configure-pod-configmap', 'a ConfigMap as environment and as files', async (page) => {
  await page.run('kubectl create configmap special-config --from-literal=special.how=very --from-literal=special.type=charm');
  await page.run('kubectl create configmap env-config --from-literal=log_level=INFO');
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: dapi-test-pod
    spec:
      containers:
      - name: test-container
        image: registry.k8s.io/busybox:1.27.2
        command: [ "/bin/sh", "-c", "env; ls /etc/config/; cat /etc/config/special.how" ]
        env:
        - name: SPECIAL_LEVEL_KEY
          valueFrom:
            configMapKeyRef:
              name: special-config
              key: special.how
        envFrom:
        - configMapRef:
            name: env-config
        volumeMounts:
        - name: config-volume
          mountPath: /etc/config
      volumes:
      - name: config-volume
        configMap:
          name: special-config
      restartPolicy: Never
  `);
  await page.until('kubectl get pod dapi-test-pod', /Completed/);
  const said = await page.run('kubectl logs dapi-test-pod');
  expect(said).toContain('SPECIAL_LEVEL_KEY=very');
  expect(said).toContain('log_level=INFO');
  expect(said).toMatch(/special\.how\nspecial\.type\nvery$/);
});

doc('tasks/inject-data-application/distribute-credentials-secure', 'a Secret as files', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Secret
    metadata:
      name: test-secret
    data:
      username: bXktYXBw
      password: Mzk1MjgkdmRnN0pi
  `);
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: secret-test-pod
    spec:
      containers:
      - name: test-container
        image: nginx
        volumeMounts:
        - name: secret-volume
          mountPath: /etc/secret-volume
          readOnly: true
      volumes:
      - name: secret-volume
        secret:
          secretName: test-secret
  `);
  await page.until(...running('secret-test-pod'));
  expect(await page.run('kubectl exec secret-test-pod -- ls /etc/secret-volume')).toBe('password\nusername');
  expect(await page.run('kubectl exec secret-test-pod -- cat /etc/secret-volume/username /etc/secret-volume/password')).toBe('my-app39528$vdg7Jb');
});

doc('tasks/inject-data-application/environment-variable-expose-pod-information', 'fields of the pod as variables', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: dapi-envars-fieldref
    spec:
      containers:
      - name: test-container
        image: registry.k8s.io/busybox:1.27.2
        command: [ "sh", "-c"]
        args:
        - while true; do
            echo -en '\\n';
            printenv MY_NODE_NAME MY_POD_NAME MY_POD_NAMESPACE;
            printenv MY_POD_IP MY_POD_SERVICE_ACCOUNT;
            sleep 10;
          done;
        env:
        - name: MY_NODE_NAME
          valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
        - name: MY_POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        - name: MY_POD_NAMESPACE
          valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
        - name: MY_POD_IP
          valueFrom: {fieldRef: {fieldPath: status.podIP}}
        - name: MY_POD_SERVICE_ACCOUNT
          valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}
      restartPolicy: Never
  `);
  await page.until(...running('dapi-envars-fieldref'));
  await page.wait(2);
  expect(await page.run('kubectl logs dapi-envars-fieldref')).toMatch(/^\n?node-\d\ndapi-envars-fieldref\npage-\d+\n10\.244\.\d+\.\d+\ndefault$/);
});

doc('tasks/inject-data-application/define-interdependent-environment-variables', 'variables made of variables', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: dependent-envars-demo
    spec:
      containers:
      - name: dependent-envars-demo
        args:
        - while true; do echo -en '\\n'; printf UNCHANGED_REFERENCE=$UNCHANGED_REFERENCE'\\n'; printf SERVICE_ADDRESS=$SERVICE_ADDRESS'\\n';printf ESCAPED_REFERENCE=$ESCAPED_REFERENCE'\\n'; sleep 30; done;
        command:
        - sh
        - -c
        image: busybox:1.28
        env:
        - name: SERVICE_PORT
          value: "80"
        - name: SERVICE_IP
          value: "172.17.0.1"
        - name: UNCHANGED_REFERENCE
          value: "$(PROTOCOL)://$(SERVICE_IP):$(SERVICE_PORT)"
        - name: PROTOCOL
          value: "https"
        - name: SERVICE_ADDRESS
          value: "$(PROTOCOL)://$(SERVICE_IP):$(SERVICE_PORT)"
        - name: ESCAPED_REFERENCE
          value: "$$(PROTOCOL)://$(SERVICE_IP):$(SERVICE_PORT)"
  `);
  await page.until(...running('dependent-envars-demo'));
  await page.wait(2);
  expect((await page.run('kubectl logs dependent-envars-demo')).trim()).toBe(
    'UNCHANGED_REFERENCE=$(PROTOCOL)://172.17.0.1:80\nSERVICE_ADDRESS=https://172.17.0.1:80\nESCAPED_REFERENCE=$(PROTOCOL)://172.17.0.1:80',
  );
});

doc('tasks/configure-pod-container/share-process-namespace', 'two containers, one volume', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: two-containers
    spec:
      restartPolicy: Never
      volumes:
      - name: shared-data
        emptyDir: {}
      containers:
      - name: nginx-container
        image: nginx
        volumeMounts:
        - name: shared-data
          mountPath: /usr/share/nginx/html
      - name: debian-container
        image: debian
        volumeMounts:
        - name: shared-data
          mountPath: /pod-data
        command: ["/bin/sh"]
        args: ["-c", "echo Hello from the debian container > /pod-data/index.html"]
  `);
  await page.until('kubectl get pod two-containers', /1\/2 +NotReady/);
  expect(await page.run('kubectl exec two-containers -c nginx-container -- curl -s localhost')).toBe('Hello from the debian container');
});

doc('tasks/debug/debug-application/determine-reason-pod-failure', 'the message a container leaves', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: termination-demo
    spec:
      containers:
      - name: termination-demo-container
        image: debian
        command: ["/bin/sh"]
        args: ["-c", "sleep 10 && echo Sleep expired > /dev/termination-log"]
  `);
  await page.until(
    'kubectl get pod termination-demo -o go-template="{{range .status.containerStatuses}}{{.lastState.terminated.message}}{{end}}"',
    /^Sleep expired/,
  );
});

doc('tasks/configure-pod-container/static-pod', 'a file on the node is a pod', async (page) => {
  await page.run(
    'ssh node-1 \'printf "apiVersion: v1\\nkind: Pod\\nmetadata:\\n  name: static-web\\n  labels: {role: myrole}\\nspec:\\n  containers:\\n  - {name: web, image: nginx}\\n" > /etc/kubernetes/manifests/static-web.yaml\'',
  );
  await page.until('kubectl get pods -A', /default +static-web-node-1 +1\/1 +Running/);
  await page.run('kubectl delete pod static-web-node-1 -n default --wait=false');
  await page.until('kubectl get pods -A', /default +static-web-node-1 +1\/1 +Running/);
  await page.run("ssh node-1 'rm /etc/kubernetes/manifests/static-web.yaml'");
  await page.until('kubectl get pods -A | grep -c static-web-node-1', /^0$/m, 90);
});
