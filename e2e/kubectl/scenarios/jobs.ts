/** Jobs, CronJobs and ReplicationControllers, with their controllers at work: what is said of them while they run and when they are done. */
import { type Scenario, wait } from '../scenario.ts';

const job = (name: string, spec: string, script: string, restartPolicy = 'Never') =>
  `apiVersion: batch/v1\nkind: Job\nmetadata: {name: ${name}}\nspec:\n${spec}  template:\n    metadata: {labels: {app: ${name}}}\n    spec:\n      restartPolicy: ${restartPolicy}\n      terminationGracePeriodSeconds: 1\n      containers:\n      - name: main\n        image: busybox:1.36\n        command: [sh, -c, ${JSON.stringify(script)}]\n`;

const CRON =
  'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: hello}\nspec:\n  schedule: "30 9 * * *"\n  timeZone: Europe/Berlin\n  startingDeadlineSeconds: 100\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: OnFailure\n          containers:\n          - name: hello\n            image: busybox:1.36\n            command: [sh, -c, "echo Hello from the Kubernetes cluster"]\n';

const RC =
  'apiVersion: v1\nkind: ReplicationController\nmetadata: {name: rc-nginx}\nspec:\n  replicas: 2\n  selector: {app: rc-nginx}\n  template:\n    metadata: {labels: {app: rc-nginx}}\n    spec:\n      terminationGracePeriodSeconds: 1\n      containers: [{name: c, image: "nginx:1.29", ports: [{containerPort: 80}]}]\n';

export const jobs: readonly Scenario[] = [
  {
    name: 'a job from beginning to end',
    unordered: true,
    files: {
      'count.yaml': job('count', '  completions: 2\n', 'echo working; sleep 5; echo done'),
      'long.yaml': job('long', '', 'echo working; sleep 1000000'),
    },
    steps: [
      'kubectl create -f count.yaml -f long.yaml',
      'kubectl wait --for=condition=ready pod -l job-name=long --timeout=60s',
      wait(3),
      'kubectl get job long',
      'kubectl logs job/long',
      'kubectl describe job long',
      'kubectl wait --for=condition=complete job/long --timeout=1s',
      'kubectl delete job long',
      'kubectl wait --for=condition=complete job/count --timeout=60s',
      'kubectl get job count -o wide',
      'kubectl describe job count',
      "kubectl get job count -o jsonpath='{.status.succeeded} {.status.conditions[*].type} {.status.conditions[1].reason}'",
      'kubectl get job count -o yaml',
      "kubectl get pods -l job-name=count --no-headers | awk '{print $2, $3, $4}'",
      'kubectl logs job/count',
      "kubectl get events --field-selector involvedObject.kind=Job,involvedObject.name=count --no-headers | awk '{print $2, $3, $4}'",
      'kubectl patch job count --type=merge -p \'{"spec":{"completions":3}}\'',
      'kubectl delete job count',
      wait(3),
      'kubectl get jobs,pods -l job-name=count',
    ],
  },
  {
    name: 'jobs that fail, wait and stop',
    unordered: true,
    files: {
      'fail.yaml': job('fail', '  backoffLimit: 0\n', 'exit 3'),
      'late.yaml': job('late', '  activeDeadlineSeconds: 5\n', 'sleep 1000'),
      'still.yaml': job('still', '  suspend: true\n', 'true'),
    },
    steps: [
      'kubectl apply -f fail.yaml -f late.yaml -f still.yaml',
      'kubectl wait --for=condition=failed job/fail --timeout=60s',
      wait(10),
      'kubectl get jobs fail late still',
      'kubectl describe job fail',
      'kubectl describe job late',
      'kubectl describe job still',
      'kubectl patch job still --type=merge -p \'{"spec":{"suspend":false}}\'',
      'kubectl wait --for=condition=complete job/still --timeout=60s',
      "kubectl get job still -o jsonpath='{.status.conditions[0].type} {.status.conditions[0].status} {.status.conditions[0].reason}'",
      'kubectl delete job fail late still --cascade=foreground',
    ],
  },
  {
    name: 'indexed jobs',
    unordered: true,
    files: {
      'indexed.yaml': job('indexed', '  completionMode: Indexed\n  completions: 4\n  parallelism: 2\n', 'echo I am $JOB_COMPLETION_INDEX'),
      'some.yaml': job(
        'some',
        '  completionMode: Indexed\n  completions: 4\n  parallelism: 4\n  backoffLimitPerIndex: 0\n',
        'exit $(( JOB_COMPLETION_INDEX % 2 ))',
      ),
    },
    steps: [
      'kubectl apply -f indexed.yaml -f some.yaml',
      'kubectl wait --for=condition=complete job/indexed --timeout=60s',
      'kubectl wait --for=condition=failed job/some --timeout=60s',
      'kubectl get jobs indexed some',
      'kubectl describe job indexed',
      'kubectl describe job some',
      "kubectl get job some -o jsonpath='{.status.completedIndexes} {.status.failedIndexes} {.status.failed}'",
      'kubectl logs -l job-name=indexed,batch.kubernetes.io/job-completion-index=2',
      'kubectl apply -f - <<EOF\napiVersion: batch/v1\nkind: Job\nmetadata: {name: bad}\nspec:\n  completionMode: Indexed\n  podFailurePolicy: {rules: [{action: FailIndex, onExitCodes: {operator: In, values: [0]}}]}\n  template: {spec: {containers: [{name: c, image: busybox}]}}\nEOF',
      'kubectl delete job indexed some',
    ],
  },
  {
    name: 'jobs by create job',
    unordered: true,
    steps: [
      'kubectl create job quick --image=busybox:1.36 -- echo quick',
      'kubectl wait --for=condition=complete job/quick --timeout=60s',
      'kubectl logs job/quick',
      'kubectl create job quick --image=busybox:1.36',
      "kubectl create cronjob nightly --image=busybox:1.36 --schedule='0 3 * * *' -- echo nightly",
      'kubectl get cronjob nightly',
      'kubectl create job tonight --from=cronjob/nightly',
      'kubectl wait --for=condition=complete job/tonight --timeout=60s',
      'kubectl logs job/tonight',
      "kubectl get job tonight -o jsonpath='{.metadata.annotations}{.metadata.ownerReferences[0].kind}'",
      'kubectl describe cronjob nightly',
      'kubectl delete job quick',
      'kubectl delete cronjob nightly',
      wait(3),
      'kubectl get jobs',
    ],
  },
  {
    name: 'a cronjob at work',
    unordered: true,
    files: { 'cron.yaml': CRON },
    steps: [
      'kubectl apply -f cron.yaml',
      // Half past nine in Berlin is half past eight in UTC, and worlds begin at eight.
      wait(3600),
      'kubectl get cronjobs hello',
      "kubectl get jobs --no-headers | awk '{print $2, $3}'",
      'kubectl describe cronjob hello',
      "kubectl get cronjob hello -o jsonpath='{.status.active} {.spec.concurrencyPolicy} {.spec.successfulJobsHistoryLimit} {.spec.failedJobsHistoryLimit}'",
      "kubectl get jobs -o jsonpath='{.items[0].metadata.annotations}'",
      'kubectl patch cronjob hello -p \'{"spec":{"suspend":true}}\'',
      'kubectl get cronjob hello -o wide',
      'kubectl patch cronjob hello -p \'{"spec":{"timeZone":"Europe/Atlantis"}}\'',
      'kubectl patch cronjob hello -p \'{"spec":{"schedule":"61 * * * *"}}\'',
      'kubectl delete cronjob hello --wait=false',
      wait(3),
      'kubectl get jobs',
    ],
  },
  {
    name: 'a replication controller',
    unordered: true,
    files: { 'rc.yaml': RC },
    steps: [
      'kubectl apply -f rc.yaml',
      wait(12),
      'kubectl get rc rc-nginx -o wide',
      'kubectl describe rc rc-nginx',
      'kubectl scale rc rc-nginx --replicas=3',
      wait(4),
      'kubectl get rc/rc-nginx',
      "kubectl get pods -l app=rc-nginx -o jsonpath='{.items[*].metadata.ownerReferences[*].kind}'",
      'kubectl delete rc rc-nginx --cascade=orphan',
      wait(3),
      "kubectl get pods -l app=rc-nginx --no-headers | awk '{print $2, $3}'",
      'kubectl delete pods -l app=rc-nginx --now | wc -l',
    ],
  },
];
