/** Pages on running applications, and on seeing what they do. */
import { expect } from 'vitest';
import { documentation } from './documentation.test-support.ts';

const doc = documentation();

doc('tasks/run-application/run-stateless-application-deployment', 'two of nginx, updated, then four', async (page) => {
  const manifest = (image: string, replicas: number) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: nginx-deployment\nspec:\n  selector: {matchLabels: {app: nginx}}\n  replicas: ${replicas}\n  template:\n    metadata: {labels: {app: nginx}}\n    spec: {containers: [{name: nginx, image: "${image}", ports: [{containerPort: 80}]}]}`;
  await page.apply(manifest('nginx:1.14.2', 2));
  await page.run('kubectl rollout status deployment/nginx-deployment');
  expect(await page.run('kubectl describe deployment nginx-deployment')).toMatch(
    /Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable/,
  );
  const before = await page.run('kubectl get pods -l app=nginx -o name');
  await page.apply(manifest('nginx:1.16.1', 2));
  await page.run('kubectl rollout status deployment/nginx-deployment');
  await page.until('kubectl get pods -l app=nginx --no-headers', /^[^\n]+\n[^\n]+\n$/);
  for (const name of (await page.run('kubectl get pods -l app=nginx -o name')).split('\n')) expect(before).not.toContain(name);
  await page.apply(manifest('nginx:1.16.1', 4));
  await page.until('kubectl get deployment nginx-deployment', /4\/4/);
});

doc('tasks/run-application/run-single-instance-stateful-application', 'MySQL on a claim keeps what it was told', async (page) => {
  await page.apply(
    'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: mysql-pv-claim\nspec:\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}',
  );
  await page.apply('apiVersion: v1\nkind: Service\nmetadata:\n  name: mysql\nspec:\n  ports: [{port: 3306}]\n  selector: {app: mysql}\n  clusterIP: None');
  await page.apply(`
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: mysql
    spec:
      selector: {matchLabels: {app: mysql}}
      strategy: {type: Recreate}
      template:
        metadata: {labels: {app: mysql}}
        spec:
          containers:
          - image: mysql:9
            name: mysql
            env: [{name: MYSQL_ROOT_PASSWORD, value: password}]
            ports: [{containerPort: 3306, name: mysql}]
            volumeMounts: [{name: mysql-persistent-storage, mountPath: /var/lib/mysql}]
          volumes: [{name: mysql-persistent-storage, persistentVolumeClaim: {claimName: mysql-pv-claim}}]
  `);
  await page.run('kubectl rollout status deployment/mysql');
  await page.wait(10);
  const client = (sql: string) => page.run(`kubectl run mysql-client --image=mysql:9 -i --rm --quiet --restart=Never -- mysql -h mysql -ppassword -e '${sql}'`);
  await client(
    'CREATE DATABASE app; USE app; CREATE TABLE notes (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(40)); INSERT INTO notes (text) VALUES ("kept")',
  );
  await page.run('kubectl rollout restart deployment/mysql');
  await page.run('kubectl rollout status deployment/mysql');
  await page.wait(10);
  expect(await client('SELECT * FROM app.notes')).toBe('id\ttext\n1\tkept');
});

doc('tasks/run-application/configure-pdb', 'a budget in numbers, and what it allows', async (page) => {
  await page.run('kubectl create deployment zk --image=registry.k8s.io/pause:3.9 --replicas=3');
  await page.run('kubectl rollout status deployment/zk');
  await page.apply(
    'apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: zk-pdb\nspec:\n  minAvailable: 2\n  selector: {matchLabels: {app: zk}}',
  );
  await page.until('kubectl get poddisruptionbudgets --no-headers', /zk-pdb +2 +N\/A +1/);
  const status = JSON.parse(await page.run('kubectl get pdb zk-pdb -o json')).status;
  expect(status).toMatchObject({ currentHealthy: 3, desiredHealthy: 2, disruptionsAllowed: 1, expectedPods: 3 });
});

const WEB = `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  serviceName: nginx
  replicas: 2
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers:
      - name: nginx
        image: registry.k8s.io/nginx-slim:0.24
        ports: [{containerPort: 80, name: web}]
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumeClaimTemplates:
  - metadata: {name: www}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}`;
doc('tasks/run-application/scale-stateful-set, delete-stateful-set', 'up, down, and away without its pods', async (page) => {
  await page.apply(WEB);
  await page.until('kubectl get sts web --no-headers', /2\/2/);
  await page.run('kubectl scale statefulsets web --replicas=3');
  await page.until('kubectl get sts web --no-headers', /3\/3/);
  await page.run(`kubectl patch statefulsets web -p '{"spec":{"replicas":1}}'`);
  await page.until('kubectl get pods -l app=nginx --no-headers', /^web-0[^\n]+\n$/);
  expect((await page.run('kubectl get pvc -o name')).split('\n')).toHaveLength(3);
  await page.run('kubectl delete sts web --cascade=orphan');
  expect(await page.run('kubectl get pods --no-headers')).toMatch(/^web-0 +1\/1 +Running/);
  await page.run('kubectl delete pods -l app=nginx');
  await page.run('kubectl delete pvc -l app=nginx --wait=false');
});

doc('concepts/cluster-administration/logging', 'a counter, and a sidecar for each of its files', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: counter
    spec:
      containers:
      - name: count
        image: busybox:1.28
        args: [/bin/sh, -c, 'i=0; while true; do echo "$i: $(date)" >> /var/log/1.log; echo "$(date) INFO $i" >> /var/log/2.log; i=$((i+1)); sleep 1; done']
        volumeMounts: [{name: varlog, mountPath: /var/log}]
      - name: count-log-1
        image: busybox:1.28
        args: [/bin/sh, -c, 'tail -n+1 -F /var/log/1.log']
        volumeMounts: [{name: varlog, mountPath: /var/log}]
      - name: count-agent
        image: registry.k8s.io/fluentd-gcp:1.30
        env: [{name: FLUENTD_ARGS, value: -c /etc/fluentd-config/fluentd.conf}]
        volumeMounts: [{name: varlog, mountPath: /var/log}, {name: config-volume, mountPath: /etc/fluentd-config}]
      volumes:
      - {name: varlog, emptyDir: {}}
      - {name: config-volume, configMap: {name: fluentd-config}}
  `);
  await page.apply(`
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: fluentd-config
    data:
      fluentd.conf: |
        <source>
          type tail
          format none
          path /var/log/2.log
          pos_file /var/log/2.log.pos
          tag count.format2
        </source>
        <match **>
          type stdout
        </match>
  `);
  await page.until('kubectl get pod counter --no-headers', /3\/3 +Running/, 200);
  await page.wait(6);
  expect(await page.run('kubectl logs counter count-log-1')).toMatch(/^0: .*\n1: /);
  expect(await page.run('kubectl logs counter count-agent')).toMatch(/count\.format2: \{"message":".* INFO \d+"\}/);
});

doc('tasks/manage-daemon/rollback-daemon-set', 'updated, and put back to its first revision', async (page) => {
  await page.apply(
    'apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: agent\nspec:\n  selector: {matchLabels: {name: agent}}\n  template:\n    metadata: {labels: {name: agent}}\n    spec: {containers: [{name: agent, image: "registry.k8s.io/pause:3.8"}]}',
  );
  await page.run('kubectl rollout status ds/agent');
  await page.run('kubectl set image ds/agent agent=registry.k8s.io/pause:3.9');
  await page.run('kubectl rollout status ds/agent');
  expect(await page.run('kubectl rollout history daemonset agent')).toMatch(/REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/);
  expect(await page.run('kubectl rollout history daemonset agent --revision=1')).toContain('pause:3.8');
  expect(await page.run('kubectl rollout undo daemonset agent --to-revision=1')).toBe('daemonset.apps/agent rolled back');
  await page.run('kubectl rollout status ds/agent');
  expect(await page.run("kubectl get controllerrevisions -o jsonpath='{.items[*].revision}'")).toMatch(/^(2 3|3 2)$/);
});

doc('tasks/debug/debug-application/debug-running-pod', 'a container beside one without a shell, and a copy with another command', async (page) => {
  await page.run('kubectl run ephemeral-demo --image=registry.k8s.io/pause:3.1 --restart=Never');
  await page.until('kubectl get pod ephemeral-demo', /Running|ErrImagePull|ImagePullBackOff/);
  expect(await page.refused('kubectl exec ephemeral-demo -- sh')).toMatch(/executable file not found|no such file/);
  await page.run('kubectl debug ephemeral-demo --image=busybox:1.28 --target=ephemeral-demo -- sleep 300');
  await page.until('kubectl describe pod ephemeral-demo', /Ephemeral Containers:\n {2}debugger-\w+:[\s\S]*State: +Running/);
  await page.run('kubectl run myapp --image=busybox:1.28 -- false');
  await page.until('kubectl get pod myapp', /CrashLoopBackOff/);
  await page.run('kubectl debug myapp --copy-to=myapp-debug --container=myapp -- sleep 1d');
  await page.until('kubectl get pod myapp-debug', /Running/);
});

doc('tasks/job/automated-tasks-with-cron-jobs', 'hello every minute', async (page) => {
  await page.apply(
    'apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: hello\nspec:\n  schedule: "* * * * *"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - name: hello\n            image: busybox:1.28\n            command: [/bin/sh, -c, date; echo Hello from the Kubernetes cluster]\n          restartPolicy: OnFailure',
  );
  expect(await page.run('kubectl get cronjob hello --no-headers')).toMatch(/^hello +\* \* \* \* \* +<none> +False +0 +<none>/);
  await page.until('kubectl get jobs --no-headers', /hello-\d+ +Complete +1\/1/, 130);
  const pod = (await page.run('kubectl get pods -o name')).split('\n')[0]!;
  expect(await page.run(`kubectl logs ${pod}`)).toMatch(/UTC 2026\nHello from the Kubernetes cluster$/);
});

doc('concepts/workloads/controllers/deployment', 'databases of other pages keep their rows in a StatefulSet', async (page) => {
  await page.run('kubectl create secret generic pg --from-literal=password=secret');
  await page.apply('apiVersion: v1\nkind: Service\nmetadata:\n  name: postgres\nspec:\n  ports: [{port: 5432}]\n  selector: {app: postgres}');
  await page.apply(`
    apiVersion: apps/v1
    kind: StatefulSet
    metadata:
      name: postgres
    spec:
      serviceName: postgres
      selector: {matchLabels: {app: postgres}}
      template:
        metadata: {labels: {app: postgres}}
        spec:
          containers:
          - name: postgres
            image: postgres:16-alpine
            env:
            - {name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: pg, key: password}}}
            - {name: PGDATA, value: /var/lib/postgresql/data/pgdata}
            ports: [{containerPort: 5432}]
            readinessProbe: {exec: {command: [pg_isready, -U, postgres]}, periodSeconds: 2}
            volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
      volumeClaimTemplates:
      - metadata: {name: data}
        spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
  `);
  await page.until('kubectl get pod postgres-0 --no-headers', /1\/1/);
  const psql = (sql: string) => page.run(`kubectl exec postgres-0 -- psql -U postgres -tAc "${sql}"`);
  await psql('CREATE TABLE visits (id serial primary key, who text)');
  await psql("INSERT INTO visits (who) VALUES ('ada'), ('grace')");
  await page.run('kubectl delete pod postgres-0');
  await page.until('kubectl get pod postgres-0 --no-headers', /1\/1/);
  expect(await psql('SELECT who FROM visits ORDER BY id')).toBe('ada\ngrace');
  expect(
    await page.run(
      'kubectl run pg-client --image=postgres:16-alpine -i --rm --quiet --restart=Never --env=PGPASSWORD=secret -- psql -h postgres -U postgres -tAc "select count(*) from visits"',
    ),
  ).toBe('2');
  await page.refused(
    'kubectl run pg-wrong --image=postgres:16-alpine -i --rm --quiet --restart=Never --env=PGPASSWORD=wrong -- psql -h postgres -U postgres -c "select 1"',
  );
});
