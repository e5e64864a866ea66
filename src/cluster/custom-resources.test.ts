/** Custom kinds in a whole cluster: the collector and the namespace controller know them, and the API server reaches Services. */
import { expect, test } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { cluster } from './testing.ts';

const CRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boxes.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: boxes, kind: Box}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;
const API_SERVICE = `apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.remote.example.com}
spec: {group: remote.example.com, version: v1, groupPriorityMinimum: 100, versionPriority: 100, service: {namespace: default, name: web, port: 80}}
`;

test('custom kinds are collected, go with their namespace, and an APIService is asked over the network', async () => {
  const lab = await cluster('three-nodes');
  const apply = (text: string) => lab.ok(`cat <<'EOF' | kubectl apply -f -\n${text}EOF\n`);
  await apply(CRD);
  await lab.wait(seconds(1));
  await apply('apiVersion: example.com/v1\nkind: Box\nmetadata: {name: outer}\nspec: {size: 1}\n');
  const uid = (await lab.ok("kubectl get box outer -o jsonpath='{.metadata.uid}'")).trim();
  const owner = `ownerReferences: [{apiVersion: example.com/v1, kind: Box, name: outer, uid: ${uid}}]`;
  await apply(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: inside, ${owner}}\n`);
  await apply(`apiVersion: example.com/v1\nkind: Box\nmetadata: {name: inner, ${owner}}\n`);
  await lab.ok('kubectl delete box outer');
  await lab.until(() => !lab.objects('configmaps').some(({ metadata }) => metadata.name === 'inside'), 'what the box owned to go', seconds(60));
  expect((await lab.run('kubectl get boxes')).stderr).toBe('No resources found in default namespace.\n');

  await lab.ok('kubectl create ns shed');
  await lab.ok("printf 'apiVersion: example.com/v1\\nkind: Box\\nmetadata: {name: old, namespace: shed}\\n' | kubectl apply -f -");
  await lab.ok('kubectl delete ns shed --timeout=60s');
  expect((await lab.run('kubectl get boxes -A')).stderr).toBe('No resources found\n');

  await lab.ok('kubectl create deployment web --image=nginx --port=80');
  await lab.ok('kubectl expose deployment web');
  await lab.ok('kubectl wait --for=condition=Available deploy/web --timeout=60s');
  await apply(API_SERVICE);
  await lab.wait(seconds(5));
  // The pod answers, though not as an API server.
  expect(await lab.ok("kubectl get apiservice v1.remote.example.com -o jsonpath='{.status.conditions[0].reason} {.status.conditions[0].message}'")).toMatch(
    /^FailedDiscoveryCheck failing or missing response from https:\/\/10\.\d+\.\d+\.\d+:80\/apis\/remote\.example\.com\/v1: bad status from https:.*: 404$/,
  );
});
