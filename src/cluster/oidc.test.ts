/** OpenID Connect as a person sets it up: an issuer in the cluster, flags in the manifest, a token in the kubeconfig. */
import { expect, it } from 'vitest';
import { seconds } from '../sim/clock.ts';
import { cluster } from './testing.ts';

const ISSUER = `apiVersion: v1
kind: Pod
metadata: {name: oidc, labels: {app: oidc}}
spec:
  containers:
  - name: issuer
    image: orrery/oidc-issuer:1.0
    args: [--issuer=https://oidc.default.svc, --client-id=kubernetes]
    readinessProbe: {httpGet: {path: /keys, port: 443}}
---
apiVersion: v1
kind: Service
metadata: {name: oidc}
spec:
  selector: {app: oidc}
  ports: [{port: 443}]
---
apiVersion: v1
kind: Pod
metadata: {name: box}
spec:
  containers: [{name: box, image: "busybox:1.36", command: [sleep, "3600"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: devs-view}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "oidc:dev"}]
`;

it('an issuer of the cluster lets its users in', async () => {
  const lab = await cluster('three-nodes');
  const laptop = lab.world.cluster.machine('laptop').files;
  const controlPlane = lab.world.cluster.machine('control-plane').files;
  laptop.write('/home/you/oidc.yaml', ISSUER);
  await lab.ok('kubectl apply -f oidc.yaml');
  await lab.ok('kubectl wait --for=condition=Ready pod/oidc pod/box --timeout=60s');
  const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';
  const flags = [
    '--oidc-issuer-url=https://oidc.default.svc',
    '--oidc-client-id=kubernetes',
    '--oidc-username-prefix=oidc:',
    '--oidc-groups-claim=groups',
    '--oidc-groups-prefix=oidc:',
  ];
  controlPlane.write(
    manifest,
    controlPlane.read(manifest).replace(/^( *)- --advertise-address/m, (line, indent: string) => flags.map((flag) => `${indent}- "${flag}"\n`).join('') + line),
  );
  await lab.wait(seconds(45));
  await lab.until(() => lab.world.cluster.machine('control-plane').ports.has(6443), 'an API server');
  await lab.wait(seconds(20));
  const token = (await lab.ok("kubectl exec box -- wget -qO- 'http://oidc:443/token?user=jane&groups=dev,ops'")).trim();
  expect(token.split('.').length).toBe(3);
  expect(await lab.ok(`kubectl --token=${token} auth whoami -o jsonpath='{.status.userInfo.username} {.status.userInfo.groups}'`)).toBe(
    'oidc:jane ["oidc:dev","oidc:ops","system:authenticated"]',
  );
  expect(await lab.ok(`kubectl --token=${token} get pods -o name`)).toBe('pod/box\npod/oidc\n');
  expect((await lab.run(`kubectl --token=${token} delete pod box`)).stderr).toContain('User "oidc:jane" cannot delete resource "pods"');
  const stranger = (await lab.ok("kubectl exec box -- wget -qO- 'http://oidc:443/token?user=jane&aud=other'")).trim();
  expect((await lab.run(`kubectl --token=${stranger} get pods`)).stderr).toContain('Unauthorized');
}, 120_000);
