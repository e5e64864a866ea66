/** Pages on configuration, volumes, storage and permissions. */
import { expect } from 'vitest';
import { documentation } from './documentation.test-support.ts';

const doc = documentation();

doc('tutorials/configuration/configure-redis-using-configmap', 'redis reads its configuration, after a restart only', async (page) => {
  const map = (config: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: example-redis-config\ndata:\n  redis-config: ${config}`;
  const pod = `
    apiVersion: v1
    kind: Pod
    metadata:
      name: redis
    spec:
      containers:
      - name: redis
        image: redis:8.0.2
        command: ["redis-server", "/redis-master/redis.conf"]
        env: [{name: MASTER, value: "true"}]
        ports: [{containerPort: 6379}]
        resources: {limits: {cpu: "0.1"}}
        volumeMounts:
        - {mountPath: /redis-master-data, name: data}
        - {mountPath: /redis-master, name: config}
      volumes:
      - {name: data, emptyDir: {}}
      - name: config
        configMap:
          name: example-redis-config
          items: [{key: redis-config, path: redis.conf}]
  `;
  await page.apply(map('""'));
  await page.apply(pod);
  await page.until('kubectl get pod redis', /Running/);
  const get = (name: string) => page.run(`kubectl exec redis -- redis-cli CONFIG GET ${name}`);
  expect([await get('maxmemory'), await get('maxmemory-policy')]).toEqual(['maxmemory\n0', 'maxmemory-policy\nnoeviction']);
  await page.apply(map('|\n    maxmemory 2mb\n    maxmemory-policy allkeys-lru'));
  expect(await page.run('kubectl describe configmap/example-redis-config')).toMatch(/redis-config:\n----\nmaxmemory 2mb\nmaxmemory-policy allkeys-lru/);
  await page.wait(90);
  expect(await page.run('kubectl exec redis -- cat /redis-master/redis.conf')).toContain('maxmemory 2mb');
  expect(await get('maxmemory')).toBe('maxmemory\n0');
  await page.run('kubectl delete pod redis');
  await page.apply(pod);
  await page.until('kubectl get pod redis', /Running/);
  expect([await get('maxmemory'), await get('maxmemory-policy')]).toEqual(['maxmemory\n2097152', 'maxmemory-policy\nallkeys-lru']);
});

doc('tasks/configure-pod-container/configure-projected-volume-storage', 'two secrets in one directory', async (page) => {
  await page.run('kubectl create secret generic user --from-literal=username.txt=admin');
  await page.run('kubectl create secret generic pass --from-literal=password.txt=1f2d1e2e67df');
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: test-projected-volume
    spec:
      containers:
      - name: test-projected-volume
        image: busybox:1.28
        args: [sleep, "86400"]
        volumeMounts: [{name: all-in-one, mountPath: /projected-volume, readOnly: true}]
      volumes:
      - name: all-in-one
        projected:
          sources:
          - secret: {name: user}
          - secret: {name: pass}
  `);
  await page.until('kubectl get pod test-projected-volume', /Running/);
  expect(await page.run('kubectl exec test-projected-volume -- ls /projected-volume/')).toBe('password.txt\nusername.txt');
  expect(await page.run('kubectl exec test-projected-volume -- cat /projected-volume/password.txt')).toBe('1f2d1e2e67df');
});

doc('tasks/inject-data-application/downward-api-volume-expose-pod-information', 'labels and resources as files', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: downward
      labels: {zone: us-est-coast, cluster: test-cluster1}
      annotations: {build: two, builder: john-doe}
    spec:
      containers:
      - name: client-container
        image: registry.k8s.io/busybox:1.27.2
        command: [sleep, "3600"]
        resources:
          requests: {memory: 32Mi, cpu: 125m}
          limits: {memory: 64Mi, cpu: 250m}
        volumeMounts: [{name: podinfo, mountPath: /etc/podinfo}]
      volumes:
      - name: podinfo
        downwardAPI:
          items:
          - {path: labels, fieldRef: {fieldPath: metadata.labels}}
          - {path: annotations, fieldRef: {fieldPath: metadata.annotations}}
          - {path: cpu_limit, resourceFieldRef: {containerName: client-container, resource: limits.cpu, divisor: 1m}}
          - {path: mem_request, resourceFieldRef: {containerName: client-container, resource: requests.memory, divisor: 1Mi}}
  `);
  await page.until('kubectl get pod downward', /Running/);
  const cat = (name: string) => page.run(`kubectl exec downward -- cat /etc/podinfo/${name}`);
  expect(await cat('labels')).toBe('cluster="test-cluster1"\nzone="us-est-coast"');
  expect(await cat('annotations')).toContain('build="two"\nbuilder="john-doe"');
  expect([await cat('cpu_limit'), await cat('mem_request')]).toEqual(['250', '32']);
  await page.run('kubectl label pod downward --overwrite zone=elsewhere');
  await page.until('kubectl exec downward -- cat /etc/podinfo/labels', /zone="elsewhere"/, 120);
});

doc('tasks/configure-pod-container/configure-service-account', 'accounts, their tokens, and a pod without one', async (page) => {
  expect(await page.run('kubectl get serviceaccounts --no-headers')).toMatch(/^default +0/);
  await page.run('kubectl create serviceaccount build-robot');
  expect(await page.run('kubectl create token build-robot')).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
  const pod = (name: string, spec: string) =>
    page.apply(`apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  containers: [{name: nginx, image: nginx${spec}`);
  await pod(
    'with',
    ', volumeMounts: [{mountPath: /var/run/secrets/tokens, name: vault-token}]}]\n  serviceAccountName: build-robot\n  volumes:\n  - name: vault-token\n    projected:\n      sources:\n      - serviceAccountToken: {path: vault-token, expirationSeconds: 7200, audience: vault}',
  );
  await pod('without', '}]\n  automountServiceAccountToken: false');
  await page.until('kubectl get pod with', /Running/);
  await page.until('kubectl get pod without', /Running/);
  const claims = await page.run('kubectl exec with -- cat /var/run/secrets/tokens/vault-token');
  const body = JSON.parse(await page.run(`echo ${claims.split('.')[1]}== | tr '_-' '/+' | base64 -d`)) as {
    aud: string[];
    sub: string;
    exp: number;
    iat: number;
  };
  expect(body).toMatchObject({ aud: ['vault'], sub: expect.stringMatching(/^system:serviceaccount:page-\d+:build-robot$/) });
  expect(body.exp - body.iat).toBe(7200);
  expect(await page.refused('kubectl exec without -- ls /var/run/secrets/kubernetes.io/serviceaccount')).toContain('No such file or directory');
  await page.apply(
    'apiVersion: v1\nkind: Secret\nmetadata:\n  name: build-robot-secret\n  annotations: {kubernetes.io/service-account.name: build-robot}\ntype: kubernetes.io/service-account-token',
  );
  await page.until('kubectl describe secrets/build-robot-secret', /token: +eyJ/);
});

doc('reference/access-authn-authz/rbac', 'one may read pods, and nothing else', async (page) => {
  await page.run('kubectl create serviceaccount jane');
  await page.run('kubectl create role pod-reader --verb=get --verb=list --verb=watch --resource=pods');
  const namespace = (await page.run('kubectl get role pod-reader -o jsonpath={.metadata.namespace}')).trim();
  await page.run(`kubectl create rolebinding read-pods --role=pod-reader --serviceaccount=${namespace}:jane`);
  const as = `--as=system:serviceaccount:${namespace}:jane`;
  expect(await page.run(`kubectl auth can-i list pods ${as}`)).toBe('yes');
  expect((await page.lab.run(`kubectl -n ${namespace} auth can-i delete pods ${as}`)).stdout.trim()).toBe('no');
  expect(await page.refused(`kubectl get secrets ${as}`)).toBe(
    `Error from server (Forbidden): secrets is forbidden: User "system:serviceaccount:${namespace}:jane" cannot list resource "secrets" in API group "" in the namespace "${namespace}"`,
  );
  // Whose access is looked for from within: the token of the pod.
  await page.run(`kubectl run inside --image=curlimages/curl --overrides='{"spec":{"serviceAccountName":"jane"}}' --command -- sleep infinity`);
  await page.until('kubectl get pod inside', /Running/);
  const ask = (resource: string) =>
    page.run(
      `kubectl exec inside -- sh -c 'curl -sk -H "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)" https://kubernetes.default.svc/api/v1/namespaces/${namespace}/${resource}'`,
    );
  expect(JSON.parse(await ask('pods')).kind).toBe('PodList');
  expect(JSON.parse(await ask('secrets'))).toMatchObject({ kind: 'Status', reason: 'Forbidden', code: 403 });
});

doc('tasks/configmap-secret/managing-secret-using-kubectl', 'made, described and decoded', async (page) => {
  await page.run(`kubectl create secret generic db-user-pass --from-literal=username=admin --from-literal=password='S!B\\*d$zDsb='`);
  expect(await page.run('kubectl describe secret db-user-pass')).toMatch(/Type: +Opaque\n\nData\n====\npassword: +\d+ bytes\nusername: +5 bytes/);
  expect(await page.run("kubectl get secret db-user-pass -o jsonpath='{.data.username}' | base64 --decode")).toBe('admin');
});

doc('tasks/configure-pod-container/configure-volume-storage', 'a directory outlives the container', async (page) => {
  await page.apply(
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: redis\nspec:\n  containers:\n  - name: redis\n    image: redis\n    volumeMounts: [{name: redis-storage, mountPath: /data/redis}]\n  volumes: [{name: redis-storage, emptyDir: {}}]',
  );
  await page.until('kubectl get pod redis', /Running/);
  await page.run("kubectl exec redis -- sh -c 'echo Hello > /data/redis/test-file; echo gone > /tmp/other'");
  // The shell that asks for it ends with the container.
  await page.refused("kubectl exec redis -- sh -c 'kill 1'");
  await page.until('kubectl get pod redis --no-headers', /Running +1 /);
  expect(await page.run('kubectl exec redis -- cat /data/redis/test-file')).toBe('Hello');
  expect(await page.refused('kubectl exec redis -- cat /tmp/other')).toContain('No such file');
});

doc('tasks/configure-pod-container/configure-persistent-volume-storage', 'a volume by hand, a claim, and a page on it', async (page) => {
  const node = 'node-1';
  await page.apply(`
    apiVersion: v1
    kind: PersistentVolume
    metadata:
      name: task-pv-volume
      labels: {type: local}
    spec:
      storageClassName: manual
      capacity: {storage: 10Gi}
      accessModes: [ReadWriteOnce]
      hostPath: {path: /mnt/data}
  `);
  expect(await page.run('kubectl get pv task-pv-volume --no-headers')).toMatch(/10Gi +RWO +Retain +Available +manual/);
  await page.apply(
    'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: task-pv-claim\nspec:\n  storageClassName: manual\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 3Gi}}',
  );
  await page.until('kubectl get pvc task-pv-claim --no-headers', /Bound +task-pv-volume +10Gi +RWO +manual/);
  const pod = (name: string, command: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  nodeName: ${node}\n  volumes: [{name: task-pv-storage, persistentVolumeClaim: {claimName: task-pv-claim}}]\n  containers:\n  - name: c\n    image: nginx\n    ${command}\n    volumeMounts: [{mountPath: /usr/share/nginx/html, name: task-pv-storage}]`;
  await page.apply(pod('writer', `command: [sh, -c, "echo 'Hello from Kubernetes storage' > /usr/share/nginx/html/index.html; sleep 3600"]`));
  await page.apply(pod('task-pv-pod', 'ports: [{containerPort: 80, name: http-server}]'));
  await page.until('kubectl get pod task-pv-pod', /Running/);
  await page.until('kubectl exec task-pv-pod -- curl -s http://localhost/', /Hello from Kubernetes storage/, 20);
  await page.run('kubectl delete pod writer task-pv-pod --grace-period=1');
  await page.run('kubectl delete pvc task-pv-claim');
  await page.until('kubectl get pv task-pv-volume --no-headers', /Released/, 20);
  await page.run('kubectl delete pv task-pv-volume');
});
