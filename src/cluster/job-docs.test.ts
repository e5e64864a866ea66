/**
 * Manifests like those that kubernetes.io prints for Jobs, CronJobs and ReplicationControllers, in our own words: each is
 * applied and reaches the state that its page describes. A page is named by its path under /docs.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { Job } from '../kubernetes/api/types.gen.ts';
import { minutes, seconds } from '../sim/clock.ts';
import { cluster, type Lab } from './testing.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await cluster('three-nodes');
}, 120_000);

const apply = (yaml: string) => lab.ok(`kubectl apply -f - <<'END'\n${yaml}END`);
const job = (name: string) => (lab.objects('jobs') as readonly DeepReadonly<Job>[]).find((each) => each.metadata.name === name);
const is = (name: string, type: string) => job(name)?.status?.conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
const complete = (name: string) => lab.until(() => is(name, 'Complete'), `${name} complete`);
const failed = (name: string) => lab.until(() => is(name, 'Failed'), `${name} failed`);
const pods = (name: string) => lab.pods(`job-name=${name}`);
const reason = (name: string) => job(name)?.status?.conditions?.find((each) => each.type === 'Failed')?.reason;

const python = (script: string, spec: string) =>
  `apiVersion: batch/v1
kind: Job
metadata:
  name: NAME
spec:
  completionMode: Indexed
${spec}  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: docker.io/library/python:3
        command:
        - python3
        - -c
        - |
${script.replace(/^/gm, '          ')}
`;
const bash = (name: string, script: string, spec: string) =>
  `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
${spec}  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: docker.io/library/bash:5
        command: [bash]
        args: [-c, ${JSON.stringify(script)}]
`;

describe('concepts/workloads/controllers/job', () => {
  test('pi to 2000 places', async () => {
    await apply(`apiVersion: batch/v1
kind: Job
metadata:
  name: pi
spec:
  backoffLimit: 4
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: pi
        image: perl:5.34.0
        command: [perl, "-Mbignum=bpi", -wle, "print bpi(2000)"]
`);
    await complete('pi');
    expect(await lab.ok('kubectl logs jobs/pi')).toMatch(/^3\.14159265358979323846264338327950288\d+\n$/);
    expect(await lab.ok("kubectl get pods --selector=batch.kubernetes.io/job-name=pi --output=jsonpath='{.items[*].metadata.name}'")).toBe(
      pods('pi')[0]?.metadata.name,
    );
  });

  test('backoff limit per index: odd indexes succeed, all are tried', async () => {
    const spec = '  completions: 10\n  parallelism: 3\n  backoffLimitPerIndex: 1\n  maxFailedIndexes: 5\n';
    const script = 'import os, sys\nprint("Hello world")\nif int(os.environ.get("JOB_COMPLETION_INDEX")) % 2 == 0:\n  sys.exit(1)';
    await apply(python(script, spec).replace('NAME', 'per-index'));
    await failed('per-index');
    expect(job('per-index')?.status).toMatchObject({ completedIndexes: '1,3,5,7,9', failedIndexes: '0,2,4,6,8', succeeded: 5, failed: 10 });
    expect(reason('per-index')).toBe('FailedIndexes');
  }, 30_000);

  test('success policy: one of 0, 2 and 3 is enough', async () => {
    // The page runs all ten at once, of which nine fail: more than backoffLimit, if they are seen before the one that succeeds.
    const spec = '  completions: 10\n  parallelism: 3\n  successPolicy:\n    rules:\n    - succeededIndexes: 0,2-3\n      succeededCount: 1\n';
    const script = 'import os, sys\nif os.environ.get("JOB_COMPLETION_INDEX") == "2":\n  sys.exit(0)\nelse:\n  sys.exit(1)';
    await apply(python(script, spec).replace('NAME', 'success'));
    await complete('success');
    expect(job('success')?.status?.conditions?.map(({ type, reason: why }) => [type, why])).toEqual([
      ['SuccessCriteriaMet', 'SuccessPolicy'],
      ['Complete', 'SuccessPolicy'],
    ]);
  });

  test('pod failure policy: 42 in main ends the Job', async () => {
    const spec =
      '  completions: 12\n  parallelism: 3\n  backoffLimit: 6\n  podFailurePolicy:\n    rules:\n    - action: FailJob\n      onExitCodes: {containerName: main, operator: In, values: [42]}\n    - action: Ignore\n      onPodConditions: [{type: DisruptionTarget}]\n';
    await apply(bash('policy', 'echo "Hello world!" && sleep 5 && exit 42', spec));
    await failed('policy');
    expect(reason('policy')).toBe('PodFailurePolicy');
  });
});

describe('tasks/job', () => {
  // indexed-parallel-processing-static
  test('static work: an init container looks its item up, the worker turns it around', async () => {
    await apply(`apiVersion: batch/v1
kind: Job
metadata:
  name: indexed-job
spec:
  completions: 5
  parallelism: 3
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - name: input
        image: docker.io/library/bash
        command:
        - bash
        - -c
        - |
          items=(foo bar baz qux xyz)
          echo \${items[$JOB_COMPLETION_INDEX]} > /input/data.txt
        volumeMounts:
        - {mountPath: /input, name: input}
      containers:
      - name: worker
        image: docker.io/library/busybox
        command: [rev, /input/data.txt]
        volumeMounts:
        - {mountPath: /input, name: input}
      volumes:
      - name: input
        emptyDir: {}
`);
    await complete('indexed-job');
    const said: string[] = [];
    for (const pod of pods('indexed-job'))
      said.push(`${pod.metadata.labels?.['batch.kubernetes.io/job-completion-index']} ${await lab.ok(`kubectl logs ${pod.metadata.name}`)}`);
    expect(said.sort()).toEqual(['0 oof\n', '1 rab\n', '2 zab\n', '3 xuq\n', '4 zyx\n']);
    expect(await lab.ok('kubectl describe jobs/indexed-job')).toContain('Completed Indexes:  0-4\n');
  });

  // job-with-pod-to-pod-communication
  test('pods of an Indexed Job find each other by name', async () => {
    await apply(`apiVersion: v1
kind: Service
metadata:
  name: headless-svc
spec:
  clusterIP: None
  selector:
    job-name: talking
---
apiVersion: batch/v1
kind: Job
metadata:
  name: talking
spec:
  completions: 3
  parallelism: 3
  completionMode: Indexed
  template:
    spec:
      subdomain: headless-svc
      restartPolicy: Never
      containers:
      - name: example-workload
        image: bash:latest
        command:
        - bash
        - -c
        - |
          for i in 0 1 2
          do
            gotStatus="-1"
            wantStatus="0"
            while [ $gotStatus -ne $wantStatus ]
            do
              ping -c 1 talking-\${i}.headless-svc > /dev/null 2>&1
              gotStatus=$?
              if [ $gotStatus -ne $wantStatus ]; then
                echo "Failed to ping pod talking-\${i}.headless-svc, retrying in 1 second..."
                sleep 1
              fi
            done
            echo "Successfully pinged pod: talking-\${i}.headless-svc"
          done
          sleep 10
`);
    await complete('talking');
    for (const pod of pods('talking')) {
      const log = await lab.ok(`kubectl logs ${pod.metadata.name}`);
      for (const i of [0, 1, 2]) expect(log).toContain(`Successfully pinged pod: talking-${i}.headless-svc\n`);
    }
  });

  // parallel-processing-expansion
  test('one template, many Jobs', async () => {
    await lab.ok(`mkdir -p jobs && cat > job-tmpl.yaml <<'END'
apiVersion: batch/v1
kind: Job
metadata:
  name: process-item-$ITEM
  labels:
    jobgroup: jobexample
spec:
  template:
    metadata:
      labels:
        jobgroup: jobexample
    spec:
      restartPolicy: Never
      containers:
      - name: c
        image: busybox:1.28
        command: ["sh", "-c", "echo Processing item $ITEM && sleep 5"]
END
for i in apple banana cherry
do
  cat job-tmpl.yaml | sed "s/\\$ITEM/$i/" > ./jobs/job-$i.yaml
done`);
    expect(await lab.ok('kubectl create -f ./jobs')).toBe(
      'job.batch/process-item-apple created\njob.batch/process-item-banana created\njob.batch/process-item-cherry created\n',
    );
    for (const item of ['apple', 'banana', 'cherry']) await complete(`process-item-${item}`);
    expect((await lab.ok('kubectl logs -f -l jobgroup=jobexample')).split('\n').sort()).toEqual([
      '',
      'Processing item apple',
      'Processing item banana',
      'Processing item cherry',
    ]);
    expect(await lab.ok('kubectl get jobs -l jobgroup=jobexample --no-headers | wc -l')).toBe('3\n');
    await lab.ok('kubectl delete job -l jobgroup=jobexample');
  });

  // pod-failure-policy
  test('a bug ends the Job at once', async () => {
    const spec =
      '  completions: 8\n  parallelism: 2\n  backoffLimit: 6\n  podFailurePolicy:\n    rules:\n    - action: FailJob\n      onExitCodes: {containerName: main, operator: In, values: [42]}\n';
    await apply(bash('failjob', 'echo "Hello world! I\'m going to exit with 42 to simulate a software bug." && sleep 30 && exit 42', spec));
    await failed('failjob');
    expect(reason('failjob')).toBe('PodFailurePolicy');
    expect(pods('failjob').length).toBeLessThanOrEqual(2);
  });

  test('a drained node is no failure', async () => {
    const spec =
      '  completions: 4\n  parallelism: 2\n  backoffLimit: 0\n  podFailurePolicy:\n    rules:\n    - action: Ignore\n      onPodConditions: [{type: DisruptionTarget}]\n';
    await apply(bash('ignore', 'echo "Hello world! I\'m going to exit with 0 (success)." && sleep 90 && exit 0', spec));
    await lab.until(() => job('ignore')?.status?.ready === 2, 'two run');
    const node = pods('ignore')[0]?.spec?.nodeName;
    await lab.ok(`kubectl drain nodes/${node} --ignore-daemonsets --delete-emptydir-data --force --grace-period=0`);
    expect(job('ignore')?.status?.failed).toBeUndefined();
    await lab.ok(`kubectl uncordon nodes/${node}`);
    await lab.until(() => is('ignore', 'Complete'), 'ignore complete', minutes(10));
    expect(job('ignore')?.status?.succeeded).toBe(4);
  }, 30_000);

  test('FailIndex: 1 is not tried again, 0 is', async () => {
    const spec =
      '  completions: 4\n  parallelism: 2\n  backoffLimitPerIndex: 1\n  backoffLimit: 6\n  podFailurePolicy:\n    rules:\n    - action: FailIndex\n      onExitCodes: {containerName: main, operator: In, values: [42]}\n';
    const script =
      'import os, sys\nindex = int(os.environ.get("JOB_COMPLETION_INDEX"))\nif index == 0:\n  sys.exit(1)\nelif index == 1:\n  sys.exit(42)\nelse:\n  sys.exit(0)';
    await apply(python(script, spec).replace('NAME', 'failindex'));
    await failed('failindex');
    expect(job('failindex')?.status).toMatchObject({ succeeded: 2, failed: 3, completedIndexes: '2,3', failedIndexes: '0,1' });
    const counts = pods('failindex').map((pod) => pod.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count']);
    expect(counts.sort()).toEqual(['0', '0', '0', '0', '1']);
  }, 30_000);
});

describe('concepts and tutorials besides', () => {
  // concepts/workloads/pods/sidecar-containers: "Jobs with sidecar containers"
  test('a sidecar does not keep a Job from completing', async () => {
    await apply(`apiVersion: batch/v1
kind: Job
metadata:
  name: myjob
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: myjob
        image: alpine:latest
        command: [sh, -c, 'echo "logging" > /opt/logs.txt']
        volumeMounts: [{name: data, mountPath: /opt}]
      initContainers:
      - name: logshipper
        image: alpine:latest
        restartPolicy: Always
        command: [sh, -c, 'tail -F /opt/logs.txt']
        volumeMounts: [{name: data, mountPath: /opt}]
      volumes: [{name: data, emptyDir: {}}]
`);
    await complete('myjob');
    expect(job('myjob')?.status?.succeeded).toBe(1);
  });

  // concepts/workloads/controllers/ttlafterfinished
  test('a finished Job goes by itself', async () => {
    await apply(`apiVersion: batch/v1
kind: Job
metadata:
  name: pi-with-ttl
spec:
  ttlSecondsAfterFinished: 100
  template:
    spec:
      restartPolicy: Never
      containers: [{name: pi, image: "perl:5.34.0", command: [perl, "-Mbignum=bpi", -wle, "print bpi(2000)"]}]
`);
    await complete('pi-with-ttl');
    await lab.wait(seconds(90));
    expect(job('pi-with-ttl')).toBeDefined();
    await lab.until(() => !job('pi-with-ttl') && pods('pi-with-ttl').length === 0, 'gone', seconds(20));
  });

  // concepts/workloads/controllers/cron-jobs
  test('hello, once a minute', async () => {
    await apply(`apiVersion: batch/v1
kind: CronJob
metadata:
  name: hello
spec:
  schedule: "* * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
          - name: hello
            image: busybox:1.28
            imagePullPolicy: IfNotPresent
            command: [/bin/sh, -c, date; echo Hello from the Kubernetes cluster]
`);
    await lab.wait(minutes(2) + seconds(30));
    const made = await lab.ok('kubectl get jobs -o jsonpath=\'{range .items[?(@.metadata.ownerReferences[0].name=="hello")]}{.metadata.name} {end}\'');
    const [first] = made.trim().split(' ');
    expect(await lab.ok(`kubectl logs $(kubectl get pods --selector=job-name=${first} --output=jsonpath='{.items[0].metadata.name}')`)).toMatch(
      / 2026\nHello from the Kubernetes cluster\n$/,
    );
    await lab.ok('kubectl delete cronjob hello');
  });

  // concepts/workloads/controllers/replicationcontroller
  test('three times nginx', async () => {
    await apply(`apiVersion: v1
kind: ReplicationController
metadata:
  name: nginx
spec:
  replicas: 3
  selector:
    app: nginx
  template:
    metadata:
      name: nginx
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx
        ports: [{containerPort: 80}]
`);
    await lab.until(() => lab.pods('app=nginx').filter((pod) => pod.status?.phase === 'Running').length === 3, 'three run');
    expect(await lab.ok('kubectl describe replicationcontrollers/nginx')).toMatch(
      /Replicas: +3 current \/ 3 desired\nPods Status: +3 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed\n/,
    );
    await lab.ok('kubectl delete rc nginx');
    await lab.until(() => lab.pods('app=nginx').length === 0, 'gone');
  });
});
