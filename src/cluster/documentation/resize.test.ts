/** Pages on what containers may use, changed while they run, and on images that are not for everybody. */
import { expect } from 'vitest';
import { documentation } from './documentation.test-support.ts';

const doc = documentation();

doc('tasks/configure-pod-container/resize-container-resources', 'processors without a restart, memory with one, and too much', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: resize-demo
    spec:
      containers:
      - name: pause
        image: registry.k8s.io/pause:3.8
        resizePolicy:
        - resourceName: cpu
          restartPolicy: NotRequired
        - resourceName: memory
          restartPolicy: RestartContainer
        resources:
          limits:
            memory: "200Mi"
            cpu: "700m"
          requests:
            memory: "200Mi"
            cpu: "700m"
  `);
  await page.until('kubectl get pod resize-demo', /1\/1 +Running +0/);
  const container = async () => (await page.pod('resize-demo')).status?.containerStatuses?.[0];
  const both = (cpu: string, memory: string) => ({ limits: { cpu, memory }, requests: { cpu, memory } });
  expect((await page.pod('resize-demo')).status?.qosClass).toBe('Guaranteed');
  expect(await container()).toMatchObject({ restartCount: 0, resources: both('700m', '200Mi') });

  const patch = (cpu: string, memory: string) =>
    `kubectl patch pod resize-demo --subresource resize --patch '{"spec":{"containers":[{"name":"pause", "resources":{"requests":{${memory}${cpu}}, "limits":{${memory}${cpu}}}}]}}'`;
  expect(await page.run(patch('"cpu":"800m"', ''))).toBe('pod/resize-demo patched');
  await page.wait(5);
  expect(await container()).toMatchObject({ restartCount: 0, resources: both('800m', '200Mi'), allocatedResources: { cpu: '800m', memory: '200Mi' } });

  await page.run(patch('', '"memory":"300Mi"'));
  await page.until("kubectl get pod resize-demo -o jsonpath='{.status.containerStatuses[0].restartCount}'", /^1$/);
  await page.wait(5);
  expect(await container()).toMatchObject({ restartCount: 1, resources: both('800m', '300Mi') });

  await page.run(patch('"cpu":"1000"', ''));
  await page.wait(5);
  const stuck = await page.pod('resize-demo');
  expect(stuck.spec?.containers[0]?.resources?.requests?.['cpu']).toBe('1k');
  expect(stuck.status?.conditions?.find(({ type }) => type === 'PodResizePending')).toMatchObject({
    reason: 'Infeasible',
    message: "Node didn't have enough capacity: cpu, requested: 1000000, capacity: 4000",
  });
  expect(await container()).toMatchObject({ restartCount: 1, resources: both('800m', '300Mi') });

  await page.run(patch('"cpu":"700m"', ''));
  await page.wait(5);
  expect((await page.pod('resize-demo')).status?.conditions?.some(({ type }) => type.startsWith('PodResize'))).toBe(false);
  expect(await container()).toMatchObject({ restartCount: 1, resources: both('700m', '300Mi') });
});

doc('tasks/configure-pod-container/resize-container-resources', 'limitations of v1.33', async (page) => {
  await page.apply(`
    apiVersion: v1
    kind: Pod
    metadata:
      name: qos
    spec:
      containers:
      - name: pause
        image: registry.k8s.io/pause:3.8
        resources:
          limits: {memory: "200Mi", cpu: "700m"}
          requests: {memory: "100Mi", cpu: "700m"}
  `);
  await page.until('kubectl get pod qos', /1\/1 +Running/);
  const patch = (resources: string) =>
    page.refused(`kubectl patch pod qos --subresource resize --patch '{"spec":{"containers":[{"name":"pause","resources":${resources}}]}}'`);
  expect(await patch('{"limits":{"memory":"150Mi"}}')).toBe(
    'The Pod "qos" is invalid: spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer',
  );
  expect(await patch('{"requests":{"memory":"200Mi"}}')).toBe(
    'The Pod "qos" is invalid: spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
  );
  expect(await patch('{"limits":{"cpu":null}}')).toContain('spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed');
});

doc('tasks/configure-pod-container/pull-image-private-registry', 'a secret lets a pod have an image', async (page) => {
  const manifest = (name: string, more: string) => `
    apiVersion: v1
    kind: Pod
    metadata:
      name: ${name}
    spec:
      containers:
      - name: private-reg-container
        image: registry.example.net/private/app:v1
      ${more}
  `;
  await page.apply(manifest('nobody', 'restartPolicy: Always'));
  await page.until('kubectl get pod nobody', /ErrImagePull|ImagePullBackOff/);
  await page.run('kubectl create secret docker-registry regcred --docker-server=registry.example.net --docker-username=learner --docker-password=orrery-pull');
  await page.apply(manifest('private-reg', 'imagePullSecrets: [{name: regcred}]'));
  await page.until('kubectl get pod private-reg', /1\/1 +Running/);
  // tasks/configure-pod-container/configure-service-account: the account's pods have its secrets.
  await page.run(`kubectl patch serviceaccount default -p '{"imagePullSecrets": [{"name": "regcred"}]}'`);
  await page.apply(manifest('by-account', 'restartPolicy: Always'));
  await page.until('kubectl get pod by-account', /1\/1 +Running/);
});

doc('concepts/containers/runtime-class', 'a handler that no node has, and one that costs something', async (page) => {
  await page.apply(`
    apiVersion: node.k8s.io/v1
    kind: RuntimeClass
    metadata:
      name: myclass
    handler: myconfiguration
  `);
  await page.apply(`
    apiVersion: node.k8s.io/v1
    kind: RuntimeClass
    metadata:
      name: heavy
    handler: runc
    overhead:
      podFixed:
        memory: "120Mi"
        cpu: "250m"
  `);
  const manifest = (runtime: string) => `
    apiVersion: v1
    kind: Pod
    metadata:
      name: ${runtime}
    spec:
      runtimeClassName: ${runtime}
      containers:
      - name: nginx
        image: nginx
        resources:
          requests:
            cpu: 100m
  `;
  await page.apply(manifest('myclass'));
  await page.until(
    'kubectl get events',
    /FailedCreatePodSandBox +pod\/myclass +Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "myconfiguration" is configured/,
  );
  await page.apply(manifest('heavy'));
  await page.until('kubectl get pod heavy', /1\/1 +Running/);
  expect((await page.pod('heavy')).spec?.overhead).toEqual({ cpu: '250m', memory: '120Mi' });
});
