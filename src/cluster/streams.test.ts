/** Streams between the laptop and the cluster, typed at a shell: what needs no kubectl to compare with. */
import { beforeAll, expect, test } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { cluster, type Lab } from './testing.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await cluster('single');
  await lab.ok(
    'kubectl run web --image=nginx:1.29; kubectl expose pod web --port=8080 --target-port=80 > /dev/null; kubectl run box --image=busybox:1.36 -- sleep 100000',
  );
  await lab.ok('kubectl wait --for=condition=Ready pod web box --timeout=60s');
}, 120_000);

test('a forwarded port is one of the laptop while kubectl runs, and no longer', async () => {
  const told = await lab.ok(
    'kubectl port-forward web 8080:80 > pf & sleep 1; curl -s localhost:8080 | grep -c nginx; curl -s 127.0.0.1:8080/no | head -2 | tail -1; kill $!; wait; cat pf',
  );
  expect(told).toBe(
    '6\n<head><title>404 Not Found</title></head>\r\nForwarding from 127.0.0.1:8080 -> 80\nForwarding from [::1]:8080 -> 80\nHandling connection for 8080\nHandling connection for 8080\n',
  );
  expect((await lab.run('curl -s localhost:8080')).exitCode).toBe(7);
});

test('a pod that goes takes its forwarded connections with it', async () => {
  await lab.ok('kubectl run brief --image=nginx:1.29 && kubectl wait --for=condition=Ready pod brief --timeout=60s');
  const { stderr } = await lab.run(
    'kubectl port-forward brief 8081:80 > /dev/null & sleep 1; kubectl delete pod brief --now > /dev/null; curl -s localhost:8081; wait',
  );
  expect(stderr).toContain('error: lost connection to pod');
});

test('files go both ways as they are', async () => {
  await lab.ok("mkdir -p tree/sub && echo 'grüße' > tree/a && seq 5000 > tree/sub/numbers");
  await lab.ok('kubectl cp tree box:/tmp/tree && kubectl cp box:/tmp/tree back > /dev/null && diff tree/a back/a && diff tree/sub/numbers back/sub/numbers');
  expect(await lab.ok('kubectl exec box -- wc -c /tmp/tree/sub/numbers')).toBe('23893 /tmp/tree/sub/numbers\n');
});

test('kubectl proxy serves the API and what is behind it without credentials', async () => {
  expect(
    await lab.ok(
      'kubectl proxy --port=8002 > /dev/null & sleep 1; curl -s localhost:8002/api/v1/namespaces/default/services/web:8080/proxy/ | grep -c nginx; curl -s localhost:8002/healthz; kill $!',
    ),
  ).toBe('6\nok');
});

test('the same streams twice: the same world', async () => {
  const story = async (): Promise<string> => {
    const other = await cluster('single');
    await other.ok('kubectl run box --image=busybox:1.36 -- sleep 100000 && kubectl wait --for=condition=Ready pod box --timeout=60s');
    await other.ok('echo x | kubectl exec -i box -- cat; kubectl debug box --image=busybox:1.36 --profile=general -c d -- true');
    await other.world.run(other.now + seconds(20));
    return other.world.hash();
  };
  expect(await story()).toBe(await story());
}, 60_000);
