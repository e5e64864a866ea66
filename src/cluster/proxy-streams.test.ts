/** Watches and logs that go through something on their way: they come as they are, not when they are over. */
import { beforeAll, expect, test } from 'vitest';
import { cluster, type Lab } from './testing.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await cluster('single');
  await lab.ok('kubectl run ticker --image=busybox:1.36 -- sh -c "i=0; while true; do i=$((i+1)); echo tick $i; sleep 1; done"');
  await lab.ok('kubectl wait --for=condition=Ready pod ticker --timeout=60s');
}, 120_000);

const CONFIG_MAPS = 'api/v1/namespaces/default/configmaps?watch=1';
const names = (text: string): string[] => [...text.matchAll(/"type":"(\w+)".*?"name":"([\w.-]+)"/g)].map(([, type, name]) => `${type} ${name}`);

test('kubectl proxy passes a watch on while it goes on', async () => {
  const told = await lab.ok(
    `kubectl proxy --port=8011 > /dev/null & p=$!; sleep 1; curl -sN "localhost:8011/${CONFIG_MAPS}" > seen & c=$!; sleep 1; kubectl create configmap first > /dev/null; sleep 1; cat seen; kill $c $p`,
  );
  expect(names(told)).toEqual(['ADDED kube-root-ca.crt', 'ADDED first']);
});

test('and a log that is followed', async () => {
  const told = await lab.ok(
    'kubectl proxy --port=8012 > /dev/null & p=$!; sleep 1; curl -sN "localhost:8012/api/v1/namespaces/default/pods/ticker/log?follow=true&tailLines=1" > seen & c=$!; sleep 3; wc -l < seen; kill $c $p',
  );
  expect(Number(told)).toBeGreaterThanOrEqual(3);
});

test('a watch through the proxy of a Service, which is that of the API server itself', async () => {
  await lab.ok('kubectl create clusterrolebinding anonymous-view --clusterrole=view --user=system:anonymous');
  const told = await lab.ok(
    `kubectl get --raw "/api/v1/namespaces/default/services/https:kubernetes:https/proxy/${CONFIG_MAPS}" > seen & c=$!; sleep 1; kubectl create configmap second > /dev/null; sleep 1; cat seen; kill $c`,
  );
  expect(names(told)).toEqual(expect.arrayContaining(['ADDED kube-root-ca.crt', 'ADDED second']));
});

test('who leaves is missed by nobody: the watch ends where it began', async () => {
  const watchers = async (): Promise<number> => {
    const dump = await lab.ok('kubectl get --raw /debug/api_priority_and_fairness/dump_requests | wc -l');
    return Number(dump);
  };
  const before = await watchers();
  await lab.ok(
    `kubectl proxy --port=8013 > /dev/null & p=$!; sleep 1; for i in 1 2 3; do curl -sN -m 1 "localhost:8013/${CONFIG_MAPS}" > /dev/null; done; kill $p; true`,
  );
  expect(await watchers()).toBe(before);
});
