/** Pages on what a container runs as, what it is told, and what it shares. */
import { expect } from 'vitest';
import { documentation } from './documentation.test-support.ts';

const doc = documentation();

doc('tasks/inject-data-application/define-command-argument-container', 'arguments with a variable', async (page) => {
  await page.apply(
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: command-demo\nspec:\n  containers:\n  - name: command-demo-container\n    image: debian\n    command: ["printenv"]\n    args: ["HOSTNAME", "KUBERNETES_PORT"]\n  restartPolicy: OnFailure',
  );
  await page.until('kubectl get pod command-demo', /Completed/);
  expect(await page.run('kubectl logs command-demo')).toBe('command-demo\ntcp://10.96.0.1:443');
  await page.apply(
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: greet\nspec:\n  containers:\n  - name: c\n    image: debian\n    env: [{name: MESSAGE, value: "hello world"}]\n    command: ["/bin/echo"]\n    args: ["$(MESSAGE)", "$(UNKNOWN)", "$$(MESSAGE)"]\n  restartPolicy: OnFailure',
  );
  await page.until('kubectl get pod greet', /Completed/);
  expect(await page.run('kubectl logs greet')).toBe('hello world $(UNKNOWN) $(MESSAGE)');
});

doc('tasks/configure-pod-container/security-context', 'a user of its own', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: security-context-demo
    spec:
      securityContext: {runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000}
      volumes: [{name: sec-ctx-vol, emptyDir: {}}]
      containers:
      - name: sec-ctx-demo
        image: busybox:1.28
        command: ["sh", "-c", "sleep 1h"]
        volumeMounts: [{name: sec-ctx-vol, mountPath: /data/demo}]
        securityContext: {allowPrivilegeEscalation: false}
  `);
  await page.until('kubectl get pod security-context-demo', /Running/);
  expect(await page.run('kubectl exec security-context-demo -- id')).toMatch(/^uid=1000 gid=3000/);
  expect(await page.run('kubectl exec security-context-demo -- id')).toContain('groups=3000,2000');
});

doc('tasks/network/customize-hosts-file-for-pods', 'names of one’s own in /etc/hosts', async (page) => {
  await page.apply(
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: hostaliases-pod\nspec:\n  restartPolicy: Never\n  hostAliases:\n  - ip: "127.0.0.1"\n    hostnames: [foo.local, bar.local]\n  - ip: "10.1.2.3"\n    hostnames: [foo.remote, bar.remote]\n  containers: [{name: cat-hosts, image: "busybox:1.28", command: [cat], args: [/etc/hosts]}]',
  );
  await page.until('kubectl get pod hostaliases-pod', /Completed/);
  const text = await page.run('kubectl logs hostaliases-pod');
  expect(text).toMatch(/^# Kubernetes-managed hosts file\./);
  expect(text).toContain('# Entries added by HostAliases.\n127.0.0.1\tfoo.local\tbar.local\n10.1.2.3\tfoo.remote\tbar.remote');
});

doc('tasks/access-application-cluster/communicate-containers-same-pod-shared-volume', 'one writes, the other serves', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: two-containers
    spec:
      restartPolicy: Never
      volumes: [{name: shared-data, emptyDir: {}}]
      containers:
      - name: nginx-container
        image: nginx
        volumeMounts: [{name: shared-data, mountPath: /usr/share/nginx/html}]
      - name: debian-container
        image: debian
        volumeMounts: [{name: shared-data, mountPath: /pod-data}]
        command: ["/bin/sh"]
        args: ["-c", "echo Hello from the debian container > /pod-data/index.html"]
  `);
  await page.until('kubectl get pod two-containers --no-headers', /1\/2 +NotReady/);
  expect(await page.run('kubectl exec two-containers -c nginx-container -- curl -s localhost')).toBe('Hello from the debian container');
});

doc('tasks/access-application-cluster/port-forward-access-application-cluster', 'a database of documents, by its name and through a port', async (page) => {
  await page.run('kubectl create deployment mongo --image=mongo:7 --port=27017');
  await page.run('kubectl rollout status deployment/mongo');
  await page.run('kubectl expose deployment mongo');
  await page.wait(3);
  expect(await page.run('kubectl exec deploy/mongo -- mongosh --quiet --host mongo --eval "db.runCommand( { ping: 1 } )"')).toBe('{ ok: 1 }');
  await page.run(`kubectl exec deploy/mongo -- mongosh --quiet --eval "db.people.insertMany([{name: 'Ada'}, {name: 'Grace'}])"`);
  expect(await page.run('kubectl exec deploy/mongo -- mongosh --quiet --eval "db.people.countDocuments()"')).toBe('2');
});

doc('tasks/job/parallel-processing-expansion', 'a job for every word', async (page) => {
  for (const item of ['apple', 'banana', 'cherry'])
    await page.apply(
      `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: process-item-${item}\n  labels: {jobgroup: jobexample}\nspec:\n  template:\n    metadata: {labels: {jobgroup: jobexample}}\n    spec:\n      containers: [{name: c, image: "busybox:1.28", command: ["sh", "-c", "echo Processing item ${item} && sleep 5"]}]\n      restartPolicy: Never`,
    );
  await page.run('kubectl wait --for=condition=complete job -l jobgroup=jobexample --timeout=60s');
  expect((await page.run('kubectl logs -f -l jobgroup=jobexample')).split('\n').sort()).toEqual(
    ['apple', 'banana', 'cherry'].map((item) => `Processing item ${item}`),
  );
});

doc('tasks/debug/debug-application/debug-statefulset', 'pods that will not start say why', async (page) => {
  await page.run('kubectl run typo --image=postgres:99');
  await page.until('kubectl get pod typo', /ErrImagePull|ImagePullBackOff/);
  expect(await page.run('kubectl describe pod typo')).toContain(
    'failed to resolve reference "docker.io/library/postgres:99": docker.io/library/postgres:99: not found',
  );
  // The image's own word for what is missing.
  await page.run('kubectl run forgotten --image=postgres:16');
  await page.until('kubectl get pod forgotten', /CrashLoopBackOff|Error/);
  expect(await page.run('kubectl logs forgotten')).toContain('You must specify POSTGRES_PASSWORD to a non-empty value');
});
