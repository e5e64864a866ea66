/** Certificates, tokens, the audit log and encryption as a person meets them: files of the control plane, and kubectl. */
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { base64, utf8 } from '../kubernetes/api/pki/bytes.ts';
import { keyOf, privatePem } from '../kubernetes/api/pki/keys.ts';
import { openPki } from '../kubernetes/api/pki/lazy.ts';
import { requestPem } from '../kubernetes/api/pki/x509.ts';
import { seconds } from '../sim/clock.ts';
import { cluster, type Lab } from './testing.ts';

const b64 = (text: string) => base64(utf8(text));
let lab: Lab;
const controlPlane = () => lab.world.cluster.machine('control-plane').files;
const laptop = () => lab.world.cluster.machine('laptop').files;
beforeAll(async () => {
  lab = await cluster('three-nodes');
  // A test reads files without a shell.
  await openPki();
}, 60_000);

describe('files', () => {
  it('kubeadm’s are there and fit together', () => {
    const files = controlPlane();
    const ca = new X509Certificate(files.read('/etc/kubernetes/pki/ca.crt'));
    for (const name of ['apiserver.crt', 'apiserver-kubelet-client.crt'])
      expect(new X509Certificate(files.read(`/etc/kubernetes/pki/${name}`)).verify(ca.publicKey)).toBe(true);
    const front = new X509Certificate(files.read('/etc/kubernetes/pki/front-proxy-ca.crt'));
    expect(new X509Certificate(files.read('/etc/kubernetes/pki/front-proxy-client.crt')).verify(front.publicKey)).toBe(true);
    expect(new X509Certificate(files.read('/var/lib/kubelet/pki/kubelet-client-current.pem')).subject).toBe('O=system:nodes\nCN=system:node:control-plane');
    expect(files.read('/etc/kubernetes/kubelet.conf')).toContain('client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem');
    expect(lab.world.cluster.machine('node-1').files.read('/etc/kubernetes/pki/ca.crt')).toBe(ca.toString());
  });

  it('the administrator’s kubeconfig bears a certificate, and the server goes by it', async () => {
    const text = laptop().read('/home/you/.kube/config');
    const data = /client-certificate-data: (\S+)/.exec(text)![1]!;
    expect(new X509Certificate(Buffer.from(data, 'base64')).subject).toBe('O=kubeadm:cluster-admins\nCN=kubernetes-admin');
    expect(await lab.ok('kubectl auth whoami')).toContain('kubernetes-admin');
    laptop().write('/home/you/broken.conf', text.replace(data, b64(controlPlane().read('/etc/kubernetes/pki/front-proxy-client.crt'))));
    const refused = await lab.run('kubectl --kubeconfig broken.conf auth whoami');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('Unauthorized');
  });
});

describe('cluster-info', () => {
  it('is there for everybody, and signed by bootstrap tokens', async () => {
    const text = await lab.ok('kubectl get --raw /api/v1/namespaces/kube-public/configmaps/cluster-info --as=system:anonymous');
    expect(text).toContain('server: https://10.0.0.10:6443');
    expect((await lab.run('kubectl get --raw /api/v1/namespaces/kube-public/configmaps/kube-root-ca.crt --as=system:anonymous')).exitCode).toBe(1);
    await lab.ok(
      'kubectl create secret generic bootstrap-token-abcdef -n kube-system --type=bootstrap.kubernetes.io/token --from-literal=token-id=abcdef --from-literal=token-secret=0123456789abcdef --from-literal=usage-bootstrap-signing=true',
    );
    await lab.wait(seconds(2));
    expect(await lab.ok("kubectl get cm cluster-info -n kube-public -o jsonpath='{.data.jws-kubeconfig-abcdef}'")).toMatch(/^[\w-]+\.\.[\w-]+$/);
    await lab.ok('kubectl delete secret bootstrap-token-abcdef -n kube-system');
    await lab.wait(seconds(2));
    expect(await lab.ok("kubectl get cm cluster-info -n kube-public -o jsonpath='{.data.jws-kubeconfig-abcdef}'")).toBe('');
  });
});

describe('requests', () => {
  it('become certificates that let in', async () => {
    const key = keyOf('jane’s laptop');
    laptop().write(
      '/home/you/csr.yaml',
      `apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {name: jane}\nspec:\n  request: ${b64(requestPem({ commonName: 'jane', organizations: ['dev'] }, key))}\n  signerName: kubernetes.io/kube-apiserver-client\n  usages: [client auth]\n  expirationSeconds: 600\n`,
    );
    await lab.ok('kubectl apply -f csr.yaml');
    expect(await lab.ok('kubectl get csr --no-headers')).toMatch(/^jane +\d+s +kubernetes.io\/kube-apiserver-client +kubernetes-admin +10m +Pending\n$/);
    await lab.ok('kubectl certificate approve jane');
    await lab.wait(seconds(2));
    expect(await lab.ok('kubectl get csr --no-headers')).toMatch(/ Approved,Issued\n$/);
    const certificate = await lab.ok("kubectl get csr jane -o jsonpath='{.status.certificate}'");
    const issued = new X509Certificate(Buffer.from(certificate, 'base64'));
    expect([issued.subject, issued.verify(new X509Certificate(controlPlane().read('/etc/kubernetes/pki/ca.crt')).publicKey)]).toEqual(['O=dev\nCN=jane', true]);
    const config = laptop()
      .read('/home/you/.kube/config')
      .replace(/client-certificate-data: \S+/, `client-certificate-data: ${certificate}`)
      .replace(/client-key-data: \S+/, `client-key-data: ${b64(privatePem(key))}`);
    laptop().write('/home/you/jane.conf', config);
    expect(await lab.ok('kubectl --kubeconfig jane.conf auth whoami')).toMatch(/Username +jane\nGroups +\[dev system:authenticated\]/);
  }, 120_000);
});

describe('tokens', () => {
  it('kept in a Secret are filled in', async () => {
    await lab.ok('kubectl create serviceaccount robot');
    laptop().write(
      '/home/you/robot.yaml',
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: robot\n  annotations: {kubernetes.io/service-account.name: robot}\ntype: kubernetes.io/service-account-token\n',
    );
    await lab.ok('kubectl apply -f robot.yaml');
    await lab.wait(seconds(2));
    const token = await lab.ok("kubectl get secret robot -o jsonpath='{.data.token}' | base64 -d");
    expect(await lab.ok(`kubectl --token ${token} auth whoami`)).toContain('system:serviceaccount:default:robot');
    await lab.ok('kubectl delete serviceaccount robot');
    await lab.wait(seconds(2));
    expect(await lab.ok('kubectl get secrets -o name')).toBe('');
  });

  it('mounted in a pod are real when somebody reads them', async () => {
    await lab.ok('kubectl run box --image=busybox --command -- sleep 100000');
    await lab.until(() => lab.pods('run=box').some((pod) => pod.status?.phase === 'Running'), 'a pod that runs');
    const token = await lab.ok('kubectl exec box -- cat /var/run/secrets/kubernetes.io/serviceaccount/token');
    expect(token.split('.')).toHaveLength(3);
    expect(await lab.ok(`kubectl --token ${token} auth whoami`)).toContain('system:serviceaccount:default:default');
  });
});

describe('roles', () => {
  it('that gather follow what they gather', async () => {
    laptop().write(
      '/home/you/more.yaml',
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: more\n  labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}\nrules:\n- apiGroups: [example.com]\n  resources: [things]\n  verbs: [get]\n',
    );
    await lab.ok('kubectl apply -f more.yaml');
    await lab.wait(seconds(3));
    for (const name of ['view', 'edit', 'admin']) expect(await lab.ok(`kubectl get clusterrole ${name} -o yaml`)).toContain('- things');
    await lab.ok('kubectl delete clusterrole more');
    await lab.wait(seconds(3));
    expect(await lab.ok('kubectl get clusterrole admin -o yaml')).not.toContain('- things');
  });
});

describe('the API server’s flags', () => {
  const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
  const restarted = async (change: (text: string) => string) => {
    controlPlane().write(MANIFEST, change(controlPlane().read(MANIFEST)));
    await lab.wait(seconds(45));
    await lab.until(() => lab.world.cluster.machine('control-plane').ports.has(6443), 'an API server');
    await lab.wait(seconds(20));
  };
  const withFlags =
    (...flags: string[]) =>
    (text: string) =>
      text.replace(/^( *)- --advertise-address/m, `${flags.map((flag) => `$1- ${flag}\n`).join('')}$1- --advertise-address`);

  it('turn the audit log and encryption at rest on', async () => {
    const files = controlPlane();
    files.write(
      '/etc/kubernetes/audit/policy.yaml',
      'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n- level: Request\n  users: [kubernetes-admin]\n  resources:\n  - group: ""\n    resources: [secrets]\n',
    );
    files.write(
      '/etc/kubernetes/enc/enc.yaml',
      `apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - aescbc:\n      keys:\n      - name: key1\n        secret: ${Buffer.alloc(32, 3).toString('base64')}\n  - identity: {}\n`,
    );
    await restarted((text) =>
      withFlags(
        '--audit-log-path=/var/log/kubernetes/audit/audit.log',
        '--audit-policy-file=/etc/kubernetes/audit/policy.yaml',
        '--encryption-provider-config=/etc/kubernetes/enc/enc.yaml',
      )(text)
        .replace(/^( *)volumeMounts:\n/m, '$1volumeMounts:\n$1- mountPath: /var/log/kubernetes/audit\n$1  name: audit\n')
        .replace(/^( *)volumes:\n/m, '$1volumes:\n$1- hostPath:\n$1    path: /var/log/kubernetes/audit\n$1    type: DirectoryOrCreate\n$1  name: audit\n'),
    );
    await lab.ok('kubectl create secret generic s --from-literal=password=hunter2');
    const events = files
      .read('/var/log/kubernetes/audit/audit.log')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({
      level: 'Request',
      verb: 'create',
      user: { username: 'kubernetes-admin' },
      objectRef: { resource: 'secrets', namespace: 'default', name: 's' },
    });
    expect(await lab.ok("kubectl get secret s -o jsonpath='{.data.password}'")).toBe(b64('hunter2'));
    const { kvs } = lab.world.cluster.mirror.range({ key: '/registry/secrets/default/s', rangeEnd: '/registry/secrets/default/t' });
    expect(kvs[0]!.value.startsWith('k8s:enc:aescbc:v1:key1:')).toBe(true);
    expect(lab.objects('secrets').some(({ metadata }) => metadata.name === 's')).toBe(true);
  }, 120_000);

  it('keep it down when they are wrong', async () => {
    const good = controlPlane().read(MANIFEST);
    controlPlane().write(MANIFEST, good.replace('/etc/kubernetes/audit/policy.yaml', '/etc/kubernetes/nowhere.yaml'));
    await lab.wait(seconds(45));
    expect(lab.world.cluster.machine('control-plane').ports.has(6443)).toBe(false);
    expect((await lab.run('kubectl get nodes')).stderr).toContain('was refused');
    controlPlane().write(MANIFEST, good);
    await lab.until(() => lab.world.cluster.machine('control-plane').ports.has(6443), 'an API server again');
  }, 120_000);
});
