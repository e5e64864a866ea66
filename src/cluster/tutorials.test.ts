/**
 * The stateful tutorials of kubernetes.io, with manifests of our own: "StatefulSet Basics", "Deploying WordPress and MySQL
 * with Persistent Volumes", "Deploying Cassandra with a StatefulSet" and "Running ZooKeeper". Each reaches the state its
 * page describes.
 */
import { expect, test } from 'vitest';
import type { StatefulSet } from '../kubernetes/api/types.gen.ts';
import { seconds } from '../sim/clock.ts';
import { cluster, isReady, type Lab } from './testing.ts';

const apply = (manifest: string) => `cat <<'EOF' | kubectl apply -f -\n${manifest}\nEOF`;
const ready = (lab: Lab, selector: string, count: number, limit?: number) =>
  lab.until(() => lab.pods(selector).length === count && lab.pods(selector).every(isReady), `${count} ready pods of ${selector}`, limit);
const set = (lab: Lab, name: string) => (lab.objects('statefulsets') as readonly StatefulSet[]).find(({ metadata }) => metadata.name === name)!;

const claims = (name: string, size = '1Gi') => `  volumeClaimTemplates:
  - metadata: {name: ${name}}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: ${size}}}}
`;
const WEB = `apiVersion: v1
kind: Service
metadata: {name: nginx, labels: {app: nginx}}
spec:
  ports: [{port: 80, name: web}]
  clusterIP: None
  selector: {app: nginx}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: nginx
  replicas: 2
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers:
      - name: nginx
        image: registry.k8s.io/nginx-slim:0.21
        ports: [{containerPort: 80, name: web}]
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
${claims('www')}`;

test('StatefulSet Basics: identity, storage, scaling, updates in order and with a partition, deleting', async () => {
  const lab = await cluster('three-nodes');
  await lab.ok(apply(WEB));
  await ready(lab, 'app=nginx', 2);
  expect(await lab.ok('kubectl get statefulset web')).toMatch(/web +2\/2 /);
  const [first, second] = lab.pods('app=nginx').toSorted((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1));
  expect(Date.parse(second!.metadata.creationTimestamp!)).toBeGreaterThan(Date.parse(first!.metadata.creationTimestamp!));

  // Ordinal, host name, and a name in the headless Service's domain.
  expect(await lab.ok('for i in 0 1; do kubectl exec web-$i -- sh -c hostname; done')).toBe('web-0\nweb-1\n');
  const lookup = await lab.ok('kubectl run dns-test --image=busybox:1.28 --restart=Never --rm -i -- nslookup web-0.nginx');
  expect(lookup).toContain(`Address: ${first!.status!.podIP}`);

  // What is written stays with the ordinal.
  expect(await lab.ok('kubectl get pvc -l app=nginx')).toMatch(/www-web-0 +Bound.*\n.*www-web-1 +Bound/);
  await lab.ok("for i in 0 1; do kubectl exec web-$i -- sh -c 'echo $(hostname) > /usr/share/nginx/html/index.html'; done");
  await lab.ok('kubectl delete pod -l app=nginx');
  await ready(lab, 'app=nginx', 2);
  expect(await lab.ok('for i in 0 1; do kubectl exec web-$i -- curl -s http://localhost/; done')).toBe('web-0\nweb-1\n');

  await lab.ok('kubectl scale sts web --replicas=5');
  await ready(lab, 'app=nginx', 5);
  await lab.ok(`kubectl patch sts web -p '{"spec":{"replicas":3}}'`);
  await ready(lab, 'app=nginx', 3);
  expect(lab.objects('persistentvolumeclaims')).toHaveLength(5);

  const images = () =>
    lab
      .pods('app=nginx')
      .map(({ metadata, spec }) => `${metadata.name} ${spec!.containers[0]!.image!.split(':')[1]}`)
      .sort();
  await lab.ok(`kubectl patch statefulset web -p '{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":2}}}}'`);
  await lab.ok('kubectl set image sts/web nginx=registry.k8s.io/nginx-slim:0.24');
  await lab.until(() => images().includes('web-2 0.24'), 'the canary');
  await ready(lab, 'app=nginx', 3);
  expect(images()).toEqual(['web-0 0.21', 'web-1 0.21', 'web-2 0.24']);
  expect(await lab.ok('kubectl rollout status sts/web')).toBe('partitioned roll out complete: 1 new pods have been updated...\n');
  await lab.ok(`kubectl patch statefulset web -p '{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":0}}}}'`);
  expect(await lab.ok('kubectl rollout status sts/web')).toMatch(/partitioned roll out complete: 3 new pods have been updated\.\.\.\n$/);
  expect(images()).toEqual(['web-0 0.24', 'web-1 0.24', 'web-2 0.24']);
  expect(await lab.ok('kubectl rollout history sts/web')).toMatch(/REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/);
  expect(await lab.ok('kubectl rollout undo sts/web')).toContain('statefulset.apps/web rolled back');
  await lab.until(() => images().every((text) => text.endsWith('0.21')) && images().length === 3, 'the old image');

  const refused = await lab.run(`kubectl patch sts web -p '{"spec":{"serviceName":"other"}}'`);
  expect(refused.stderr).toBe(
    `The StatefulSet "web" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden\n`,
  );

  await ready(lab, 'app=nginx', 3);
  await lab.ok('kubectl delete statefulset web --cascade=orphan');
  await lab.wait(seconds(10));
  expect(lab.pods('app=nginx')).toHaveLength(3);
  await lab.ok('kubectl delete pod web-0');
  await lab.ok(apply(WEB));
  // web-1 and web-2 are adopted, web-0 is made anew, then web-2 is one too many.
  await lab.until(() => lab.pods('app=nginx').some((pod) => pod.metadata.name === 'web-0'), 'web-0');
  await ready(lab, 'app=nginx', 2);
  expect(await lab.ok('kubectl exec web-0 -- curl -s http://localhost/')).toBe('web-0\n');
  await lab.ok('kubectl delete statefulset web');
  await lab.until(() => lab.pods('app=nginx').length === 0, 'no pods');
  expect(lab.objects('persistentvolumeclaims')).toHaveLength(5);
  await lab.ok(apply(WEB.replace('  replicas: 2', '  podManagementPolicy: Parallel\n  replicas: 2')));
  await ready(lab, 'app=nginx', 2);
  expect(set(lab, 'web').status).toMatchObject({ replicas: 2, readyReplicas: 2, availableReplicas: 2 });
});

test('WordPress and MySQL: the site finds its database, and the database outlives its pod', async () => {
  const lab = await cluster('three-nodes');
  const app = (tier: string, image: string, port: number, env: string, path: string) => `apiVersion: v1
kind: Service
metadata: {name: wordpress${tier === 'mysql' ? '-mysql' : ''}, labels: {app: wordpress}}
spec:
  ports: [{port: ${port}}]
  selector: {app: wordpress, tier: ${tier}}
  ${tier === 'mysql' ? 'clusterIP: None' : 'type: LoadBalancer'}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${tier === 'mysql' ? 'mysql' : 'wp'}-pv-claim, labels: {app: wordpress}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 20Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: wordpress${tier === 'mysql' ? '-mysql' : ''}, labels: {app: wordpress}}
spec:
  selector: {matchLabels: {app: wordpress, tier: ${tier}}}
  strategy: {type: Recreate}
  template:
    metadata: {labels: {app: wordpress, tier: ${tier}}}
    spec:
      containers:
      - image: ${image}
        name: ${tier}
        env:
${env}
        ports: [{containerPort: ${port}}]
        volumeMounts: [{name: data, mountPath: ${path}}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: ${tier === 'mysql' ? 'mysql' : 'wp'}-pv-claim}}]
`;
  const secret = '{name: mysql-pass, key: password}';
  await lab.ok('kubectl create secret generic mysql-pass --from-literal=password=opensesame');
  await lab.ok(
    apply(
      app(
        'mysql',
        'mysql:8.0',
        3306,
        `        - {name: MYSQL_ROOT_PASSWORD, valueFrom: {secretKeyRef: ${secret}}}
        - {name: MYSQL_DATABASE, value: wordpress}
        - {name: MYSQL_USER, value: wordpress}
        - {name: MYSQL_PASSWORD, valueFrom: {secretKeyRef: ${secret}}}`,
        '/var/lib/mysql',
      ),
    ),
  );
  await lab.ok(
    apply(
      app(
        'frontend',
        'wordpress:6.2.1-apache',
        80,
        `        - {name: WORDPRESS_DB_HOST, value: wordpress-mysql}
        - {name: WORDPRESS_DB_PASSWORD, valueFrom: {secretKeyRef: ${secret}}}
        - {name: WORDPRESS_DB_USER, value: wordpress}`,
        '/var/www/html',
      ),
    ),
  );
  await ready(lab, 'app=wordpress', 2);
  expect(await lab.ok('kubectl get pvc')).toMatch(/mysql-pv-claim +Bound.*\n.*wp-pv-claim +Bound/);
  const page = () => lab.ok('kubectl exec deploy/wordpress -- curl -s http://wordpress/wp-admin/install.php');
  await lab.wait(seconds(15));
  expect(await page()).toContain('Installation');

  const mysql = (sql: string) => lab.ok(`kubectl exec deploy/wordpress-mysql -- mysql -uroot -popensesame -e '${sql}'`);
  await mysql('CREATE TABLE wordpress.posts (title TEXT); INSERT INTO wordpress.posts VALUES ("hello")');
  await lab.ok('kubectl delete pod -l tier=mysql');
  await ready(lab, 'tier=mysql', 1);
  await lab.wait(seconds(5));
  expect(await mysql('SELECT COUNT(*) FROM wordpress.posts')).toContain('1');
  expect(await page()).toContain('Installation');
});

test('Cassandra: every node is up and normal in one ring', async () => {
  const lab = await cluster('three-nodes');
  await lab.ok(
    apply(`apiVersion: v1
kind: Service
metadata: {name: cassandra, labels: {app: cassandra}}
spec: {clusterIP: None, ports: [{port: 9042}], selector: {app: cassandra}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: cassandra, labels: {app: cassandra}}
spec:
  serviceName: cassandra
  replicas: 3
  selector: {matchLabels: {app: cassandra}}
  template:
    metadata: {labels: {app: cassandra}}
    spec:
      terminationGracePeriodSeconds: 500
      containers:
      - name: cassandra
        image: gcr.io/google-samples/cassandra:v13
        ports:
        - {containerPort: 7000, name: intra-node}
        - {containerPort: 7199, name: jmx}
        - {containerPort: 9042, name: cql}
        resources: {limits: {cpu: 500m, memory: 1Gi}, requests: {cpu: 500m, memory: 1Gi}}
        securityContext: {capabilities: {add: [IPC_LOCK]}}
        lifecycle: {preStop: {exec: {command: [/bin/sh, -c, nodetool drain]}}}
        env:
        - {name: CASSANDRA_SEEDS, value: cassandra-0.cassandra.default.svc.cluster.local}
        - {name: CASSANDRA_CLUSTER_NAME, value: K8Demo}
        - {name: CASSANDRA_DC, value: DC1-K8Demo}
        - {name: CASSANDRA_RACK, value: Rack1-K8Demo}
        - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        readinessProbe: {exec: {command: [/bin/bash, -c, /ready-probe.sh]}, initialDelaySeconds: 15, timeoutSeconds: 5}
        volumeMounts: [{name: cassandra-data, mountPath: /cassandra_data}]
${claims('cassandra-data')}`),
  );
  await ready(lab, 'app=cassandra', 3);
  await lab.wait(seconds(10));
  const status = await lab.ok('kubectl exec -it cassandra-0 -- nodetool status');
  expect(status).toContain('Datacenter: DC1-K8Demo');
  expect(status.split('\n').filter((line) => line.startsWith('UN'))).toHaveLength(3);
  await lab.ok('kubectl scale sts cassandra --replicas=4');
  await ready(lab, 'app=cassandra', 4);
  await lab.wait(seconds(10));
  expect((await lab.ok('kubectl exec cassandra-0 -- nodetool status')).split('\n').filter((line) => line.startsWith('UN'))).toHaveLength(4);
});

test('ZooKeeper: an ensemble that survives its pods, one on a node, with a budget', async () => {
  const lab = await cluster('three-nodes');
  await lab.ok(
    apply(`apiVersion: v1
kind: Service
metadata: {name: zk-hs, labels: {app: zk}}
spec: {clusterIP: None, ports: [{port: 2888, name: server}, {port: 3888, name: leader-election}], selector: {app: zk}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: zk-pdb}
spec: {selector: {matchLabels: {app: zk}}, maxUnavailable: 1}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: zk}
spec:
  selector: {matchLabels: {app: zk}}
  serviceName: zk-hs
  replicas: 3
  updateStrategy: {type: RollingUpdate}
  podManagementPolicy: OrderedReady
  template:
    metadata: {labels: {app: zk}}
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - labelSelector: {matchExpressions: [{key: app, operator: In, values: [zk]}]}
            topologyKey: kubernetes.io/hostname
      containers:
      - name: kubernetes-zookeeper
        image: registry.k8s.io/kubernetes-zookeeper:1.0-3.4.10
        resources: {requests: {memory: 1Gi, cpu: 500m}}
        ports: [{containerPort: 2181, name: client}, {containerPort: 2888, name: server}, {containerPort: 3888, name: leader-election}]
        command: [sh, -c, "start-zookeeper --servers=3 --data_dir=/var/lib/zookeeper/data --data_log_dir=/var/lib/zookeeper/data/log --conf_dir=/opt/zookeeper/conf --client_port=2181"]
        readinessProbe: {exec: {command: [sh, -c, "zookeeper-ready 2181"]}, initialDelaySeconds: 10, timeoutSeconds: 5}
        livenessProbe: {exec: {command: [sh, -c, "zookeeper-ready 2181"]}, initialDelaySeconds: 10, timeoutSeconds: 5}
        volumeMounts: [{name: datadir, mountPath: /var/lib/zookeeper}]
      securityContext: {runAsUser: 1000, fsGroup: 1000}
${claims('datadir', '10Gi')}`),
  );
  await ready(lab, 'app=zk', 3);
  expect(await lab.ok('for i in 0 1 2; do kubectl exec zk-$i -- hostname -f; done')).toBe(
    [0, 1, 2].map((i) => `zk-${i}.zk-hs.default.svc.cluster.local\n`).join(''),
  );
  expect(await lab.ok('for i in 0 1 2; do kubectl exec zk-$i -- cat /var/lib/zookeeper/data/myid; done')).toBe('1\n2\n3\n');
  expect(await lab.ok('kubectl exec zk-0 -- cat /opt/zookeeper/conf/zoo.cfg')).toContain('server.2=zk-1.zk-hs.default.svc.cluster.local:2888:3888');
  expect(new Set(lab.pods('app=zk').map(({ spec }) => spec!.nodeName)).size).toBe(3);

  expect(await lab.ok('kubectl exec zk-0 -- zkCli.sh create /hello world')).toContain('Created /hello');
  expect(await lab.ok('kubectl exec zk-1 -- zkCli.sh get /hello')).toContain('world');
  await lab.ok('kubectl delete pod -l app=zk');
  await ready(lab, 'app=zk', 3);
  expect(await lab.ok('kubectl exec zk-2 -- zkCli.sh get /hello')).toContain('world');

  await lab.ok(`kubectl patch sts zk --type=json -p='[{"op": "replace", "path": "/spec/template/spec/containers/0/resources/requests/cpu", "value":"0.3"}]'`);
  expect(await lab.ok('kubectl rollout status sts/zk')).toMatch(
    /statefulset rolling update complete 3 pods at revision zk-|partitioned roll out complete: 3 new pods have been updated/,
  );
  expect(await lab.ok('kubectl rollout history sts/zk')).toContain('REVISION');
  expect(await lab.ok('kubectl exec zk-0 -- zkCli.sh get /hello')).toContain('world');
});
