/** The walkthrough of horizontal pod autoscaling (kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale-walkthrough), on a whole cluster. */
import { expect, test } from 'vitest';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { Deployment, HorizontalPodAutoscaler } from '../kubernetes/api/types.gen.ts';
import { minutes, seconds } from '../sim/clock.ts';
import { cluster, isReady, type Lab } from './testing.ts';

const autoscaler = (lab: Lab): DeepReadonly<HorizontalPodAutoscaler> => {
  const [found] = lab.objects('horizontalpodautoscalers') as readonly DeepReadonly<HorizontalPodAutoscaler>[];
  if (!found) throw new Error('there is no autoscaler');
  return found;
};
const replicas = (lab: Lab): number =>
  (lab.objects('deployments') as readonly DeepReadonly<Deployment>[]).find(({ metadata }) => metadata.name === 'php-apache')?.spec?.replicas ?? 0;
const percent = (lab: Lab): number | undefined => autoscaler(lab).status?.currentMetrics?.[0]?.resource?.current.averageUtilization;
const condition = (lab: Lab, type: string) => {
  const found = autoscaler(lab).status?.conditions?.find((each) => each.type === type);
  return found && { status: found.status, reason: found.reason, message: found.message };
};

test('load comes: more replicas; load goes: one again, five minutes later', async () => {
  const lab = await cluster();
  await lab.ok('kubectl apply -f examples/php-apache.yaml');
  await lab.until(() => lab.pods('run=php-apache').length === 1 && lab.pods('run=php-apache').every(isReady), 'php-apache runs');
  expect(await lab.ok('kubectl autoscale deployment php-apache --cpu-percent=50 --min=1 --max=10')).toBe(
    'horizontalpodautoscaler.autoscaling/php-apache autoscaled\n',
  );
  await lab.wait(seconds(20));
  // No metrics yet.
  expect(await lab.ok('kubectl get hpa --no-headers')).toMatch(/^php-apache +Deployment\/php-apache +cpu: <unknown>\/50% +1 +10 +1 +/);
  expect(condition(lab, 'ScalingActive')).toEqual({
    status: 'False',
    reason: 'FailedGetResourceMetric',
    message:
      'the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
  });
  expect(lab.events('HorizontalPodAutoscaler/php-apache').map(({ reason, message, source }) => [reason, message, source?.component])).toEqual([
    [
      'FailedGetResourceMetric',
      'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
      'horizontal-pod-autoscaler',
    ],
    [
      'FailedComputeMetricsReplicas',
      'invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
      'horizontal-pod-autoscaler',
    ],
  ]);

  await lab.ok('kubectl apply -f components.yaml');
  await lab.until(() => percent(lab) !== undefined, 'metrics', minutes(5));
  expect(percent(lab)).toBe(0);
  expect(condition(lab, 'ScalingActive')).toEqual({
    status: 'True',
    reason: 'ValidMetricFound',
    message: 'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
  });
  expect(condition(lab, 'AbleToScale')?.reason).toMatch(/ReadyForNewScale|ScaleDownStabilized/);

  await lab.ok('kubectl run load-generator --image=busybox:1.28 --restart=Never -- /bin/sh -c "while sleep 0.01; do wget -q -O- http://php-apache; done"');
  await lab.until(() => (percent(lab) ?? 0) > 100, 'load', minutes(3));
  await lab.until(() => replicas(lab) >= 5, 'more replicas', minutes(3));
  await lab.wait(minutes(3));
  // The documentation's cluster settles at seven.
  expect(replicas(lab)).toBeGreaterThanOrEqual(5);
  expect(replicas(lab)).toBeLessThanOrEqual(10);
  expect(percent(lab)).toBeLessThan(100);
  expect(lab.events('HorizontalPodAutoscaler/php-apache').map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/^New size: \d+; reason: cpu resource utilization \(percentage of request\) above target$/),
  );

  await lab.ok('kubectl delete pod load-generator --grace-period=0 --force');
  const most = replicas(lab);
  const took = await lab.until(() => replicas(lab) < most, 'fewer', minutes(8));
  // The window: recommendations of the last five minutes.
  expect(took).toBeGreaterThan(minutes(4.5));
  await lab.until(() => replicas(lab) === 1, 'one again', minutes(6));
  expect(lab.events('HorizontalPodAutoscaler/php-apache').map(({ message }) => message)).toContain('New size: 1; reason: All metrics below target');
  await lab.wait(seconds(45));
  expect(await lab.ok('kubectl get hpa --no-headers')).toMatch(/^php-apache +Deployment\/php-apache +cpu: 0%\/50% +1 +10 +1 +/);
  const described = await lab.ok('kubectl describe hpa php-apache');
  expect(described).toMatch(/resource cpu on pods {2}\(as a percentage of request\): +0% \(\dm\) \/ 50%/);
  expect(described).toMatch(/Normal +SuccessfulRescale +\S+ +horizontal-pod-autoscaler +New size: 1; reason: All metrics below target/);
}, 240_000);
