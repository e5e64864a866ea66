/** Commands that change workloads and nodes, before a real API server. The texts were recorded from the real kubectl. */
import { describe, expect, it } from 'vitest';
import { createFiles, type Files } from '../../../linux/files.ts';
import { applets } from '../../../linux/shell/applets/applets.ts';
import { Machine } from '../../../linux/shell/machine.ts';
import { runCommand, sh } from '../../../linux/shell/shell.ts';
import type { Sockets } from '../../../linux/sockets.ts';
import { seconds } from '../../../sim/clock.ts';
import { ADMIN, type TestServer, withApiServer } from '../../apiserver/testing.test-support.ts';
import { createKubectl } from '../kubectl.ts';

interface Lab {
  readonly server: TestServer;
  readonly files: Files;
  /** Standard output, with standard error after it and the exit code when it is not 0. */
  run(line: string): Promise<string>;
}

async function lab(story: (lab: Lab) => Promise<void>): Promise<void> {
  await withApiServer(async (server) => {
    const files = createFiles({ '/home/you/.keep': '' });
    const kubectl = createKubectl({ handler: (request) => server.api.handle(request), certificate: ADMIN });
    const machine = new Machine({
      hostname: 'laptop',
      files,
      sockets: { resolve: async () => [] } as unknown as Sockets,
      programs: (name) => (name === 'kubectl' ? kubectl : name === 'sh' ? sh : Object.hasOwn(applets, name) ? applets[name] : undefined),
    });
    const run = async (line: string): Promise<string> => {
      const { stdout, stderr, exitCode } = await runCommand({ self: server.self, machine, env: { HOME: '/home/you' }, cwd: '/home/you' }, line);
      return stdout + stderr + (exitCode === 0 ? '' : `[${exitCode}]\n`);
    };
    // The service account controller's work.
    await server.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    await story({ server, files, run });
  });
}

type Table = readonly (readonly [string, string])[];
/** Runs line after line; each must say exactly this. */
async function says(run: Lab['run'], table: Table): Promise<void> {
  for (const [line, text] of table) expect(await run(line), line).toBe(text);
}
const WEB = 'kubectl create deploy web --image=nginx:1.27 --replicas=2';
const DEPLOYMENT = '/apis/apps/v1/namespaces/default/deployments/web';

describe('scale', () => {
  it('with and without preconditions', async () => {
    await lab(async ({ run }) => {
      await run(WEB);
      await says(run, [
        ['kubectl scale deploy web --replicas=3', 'deployment.apps/web scaled\n'],
        ['kubectl get deploy web -o jsonpath={.spec.replicas}', '3'],
        ['kubectl scale deploy web --replicas=4 --current-replicas=9', 'error: Expected replicas to be 9, was 3\n[1]\n'],
        ['kubectl scale deploy web --replicas=4 --current-replicas=3', 'deployment.apps/web scaled\n'],
        ['kubectl scale deploy web --replicas=-1', 'error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0\n[1]\n'],
        ['kubectl scale deploy nope --replicas=3', 'error: no objects passed to scale deployments.apps "nope" not found\n[1]\n'],
        ['kubectl scale deploy web --replicas=1 --dry-run=server', 'deployment.apps/web scaled (server dry run)\n'],
        ['kubectl get deploy web -o jsonpath={.spec.replicas}', '4'],
      ]);
    });
  });
});

describe('rollout', () => {
  it('status follows the object until it is done', async () => {
    await lab(async ({ run, server }) => {
      await run(WEB);
      const seen = run('kubectl rollout status deploy/web');
      const steps = [
        { observedGeneration: 1 },
        { observedGeneration: 1, replicas: 2, updatedReplicas: 2 },
        { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 },
      ];
      for (const status of steps) {
        await server.sleep(seconds(1));
        await server.patch(`${DEPLOYMENT}/status`, { status }, 'merge');
      }
      expect(await seen).toBe(
        'Waiting for deployment spec update to be observed...\n' +
          'Waiting for deployment "web" rollout to finish: 0 out of 2 new replicas have been updated...\n' +
          'Waiting for deployment "web" rollout to finish: 0 of 2 updated replicas are available...\n' +
          'deployment "web" successfully rolled out\n',
      );
      await server.patch(`${DEPLOYMENT}/status`, { status: { availableReplicas: 1, readyReplicas: 1 } }, 'merge');
      expect(await run('kubectl rollout status deploy/web --timeout=3s')).toBe(
        'Waiting for deployment "web" rollout to finish: 1 of 2 updated replicas are available...\nerror: timed out waiting for the condition\n[1]\n',
      );
      expect(await run('kubectl rollout status deploy/web --watch=false')).toMatch(/^Waiting.*\n$/);
      const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
      await server.patch(`${DEPLOYMENT}/status`, { status: { conditions } }, 'merge');
      expect(await run('kubectl rollout status deploy/web')).toBe('error: deployment "web" exceeded its progress deadline\n[1]\n');
    });
  });

  it('pause, resume, restart and what they refuse', async () => {
    await lab(async ({ run }) => {
      await run(WEB);
      await says(run, [
        ['kubectl rollout restart deploy web', 'deployment.apps/web restarted\n'],
        ['kubectl rollout pause deploy web', 'deployment.apps/web paused\n'],
        ['kubectl rollout pause deploy web', 'error: deployments.apps "web" is already paused\n[1]\n'],
        ['kubectl rollout restart deploy web', 'error: deployments.apps "web" can\'t restart paused deployment (run rollout resume first)\n[1]\n'],
        ['kubectl rollout resume deploy web', 'deployment.apps/web resumed\n'],
        ['kubectl rollout resume deploy web', 'error: deployments.apps "web" is not paused\n[1]\n'],
        ['kubectl rollout status', 'error: required resource not specified\n[1]\n'],
        ['kubectl rollout status svc/kubernetes', 'error: no status viewer has been implemented for Service\n[1]\n'],
        ['kubectl rollout history svc/kubernetes', 'error: error retrieving history for "Service", no visitor method exists for { Service}\n[1]\n'],
      ]);
    });
  });

  it('history and undo', async () => {
    await lab(async ({ run, server }) => {
      await run(WEB);
      const { body } = await server.get(DEPLOYMENT);
      const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: body.metadata.uid, controller: true };
      const set = (hash: string, revision: number, image: string, annotations = {}) =>
        server.post('/apis/apps/v1/namespaces/default/replicasets', {
          metadata: {
            name: `web-${hash}`,
            labels: { app: 'web', 'pod-template-hash': hash },
            annotations: { 'deployment.kubernetes.io/revision': String(revision), ...annotations },
            ownerReferences: [owner],
          },
          spec: {
            replicas: 0,
            selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } },
            template: {
              ...body.spec.template,
              metadata: { labels: { app: 'web', 'pod-template-hash': hash } },
              spec: { ...body.spec.template.spec, containers: [{ ...body.spec.template.spec.containers[0], image }] },
            },
          },
        });
      await set('a', 1, 'nginx:1.26', { 'kubernetes.io/change-cause': 'first' });
      expect(await run('kubectl rollout undo deploy web')).toBe('error: no rollout history found for deployment "web"\n[1]\n');
      await set('b', 2, 'nginx:1.27');
      await says(run, [
        ['kubectl rollout history deploy web', 'deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         first\n2         <none>\n\n'],
        [
          'kubectl rollout history deploy web --revision=2',
          'deployment.apps/web with revision #2\nPod Template:\n  Labels:\tapp=web\n\tpod-template-hash=b\n  Containers:\n   nginx:\n    Image:\tnginx:1.27\n    Port:\t<none>\n    Host Port:\t<none>\n    Environment:\t<none>\n    Mounts:\t<none>\n  Volumes:\t<none>\n  Node-Selectors:\t<none>\n  Tolerations:\t<none>\n\n',
        ],
        ['kubectl rollout history deploy web --revision=7', 'error: unable to find the specified revision\n[1]\n'],
        ['kubectl rollout undo deploy web --to-revision=9', 'error: unable to find specified revision 9 in history\n[1]\n'],
        ['kubectl rollout undo deploy web --to-revision=2', 'deployment.apps/web skipped rollback (current template already matches revision 2)\n'],
      ]);
      // The json patch replaces annotations, which the deployment controller will have set by then.
      await run('kubectl annotate deploy web deployment.kubernetes.io/revision=2');
      expect(await run('kubectl rollout undo deploy web')).toBe('deployment.apps/web rolled back\n');
      expect(
        await run('kubectl get deploy web -o jsonpath="{.spec.template.spec.containers[0].image} {.spec.template.metadata.labels} {.metadata.annotations}"'),
      ).toBe('nginx:1.26 {"app":"web"} {"deployment.kubernetes.io/revision":"2","kubernetes.io/change-cause":"first"}');
    });
  });
});

describe('label, annotate, set', () => {
  it('label and annotate', async () => {
    await lab(async ({ run }) => {
      await run(WEB);
      await says(run, [
        ['kubectl label deploy web a=b', 'deployment.apps/web labeled\n'],
        ['kubectl label deploy web a=b', 'deployment.apps/web not labeled\n'],
        ['kubectl label deploy web a=c', "error: 'a' already has a value (b), and --overwrite is false\n[1]\n"],
        ['kubectl label deploy web a=c --overwrite', 'deployment.apps/web labeled\n'],
        ['kubectl label deploy web a-', 'deployment.apps/web unlabeled\n'],
        ['kubectl label deploy web a-', 'label "a" not found.\ndeployment.apps/web not labeled\n'],
        [
          'kubectl label deploy/web svc/kubernetes --list',
          'Listing labels for Deployment.apps/web:\n app=web\nListing labels for Service./kubernetes:\n component=apiserver\n provider=kubernetes\n',
        ],
        ['kubectl label deploy web x=y foo', 'error: all resources must be specified before label changes: foo\n[1]\n'],
        ['kubectl label deploy web foo', 'error: at least one label update is required\n[1]\n'],
        ['kubectl label pods a=b a-', 'error: can not both modify and remove a label in the same command\n[1]\n'],
        ['kubectl annotate deploy web a=b', 'deployment.apps/web annotated\n'],
        ['kubectl annotate deploy web a=c', "error: --overwrite is false but found the following declared annotation(s): 'a' already has a value (b)\n[1]\n"],
        ['kubectl annotate deploy web a-', 'deployment.apps/web annotated\n'],
        ['kubectl get deploy web -o jsonpath={.metadata.labels}{.metadata.annotations}', '{"app":"web"}'],
      ]);
    });
  });
  it('set image, env, resources, serviceaccount, selector', async () => {
    await lab(async ({ run }) => {
      await run(WEB);
      await says(run, [
        ['kubectl set image deploy/web nginx=nginx:1.28', 'deployment.apps/web image updated\n'],
        ['kubectl set image deploy/web nginx=nginx:1.28', ''],
        ['kubectl set image deploy/web foo=nginx:1.28', 'error: unable to find container named "foo"\n[1]\n'],
        ['kubectl set image deploy/web', 'error: at least one image update is required\n[1]\n'],
        [
          'kubectl set image deploy/web nginx=',
          'error: failed to patch image update to pod template: Deployment.apps "web" is invalid: spec.template.spec.containers[0].image: Required value\n[1]\n',
        ],
        ['kubectl set image svc/kubernetes a=b', 'error: services/kubernetes the object is not a pod or does not have a pod template: *v1.Service\n[1]\n'],
        ['kubectl set env deploy/web A=b C=d', 'deployment.apps/web env updated\n'],
        ['kubectl set env deploy/web --list', '# Deployment web, container nginx\nA=b\nC=d\n'],
        ['kubectl set env deploy/web A-', 'deployment.apps/web env updated\n'],
        ['kubectl set env deploy/web A=b A-', 'error: can not both modify and remove the same environment variable in the same command\n[1]\n'],
        ['kubectl set resources deploy/web --limits=cpu=200m,memory=64Mi --requests=cpu=100m', 'deployment.apps/web resource requirements updated\n'],
        ['kubectl set resources deploy/web --limits=cpu', 'error: Invalid argument syntax cpu, expected <resource>=<value>\n[1]\n'],
        ['kubectl set resources deploy/web -c=foo --limits=cpu=200m', 'error: unable to find container named foo\n[1]\n'],
        ['kubectl set serviceaccount deploy/web sa1', 'deployment.apps/web serviceaccount updated\n'],
        [
          "kubectl get deploy/web -o jsonpath='{.spec.template.spec.containers[0].env}{.spec.template.spec.containers[0].resources.limits.cpu} {.spec.template.spec.serviceAccountName}'",
          '[{"name":"C","value":"d"}]200m sa1',
        ],
        ['kubectl expose deploy web --port=80', 'service/web exposed\n'],
        ['kubectl set selector svc/web a=b', 'service/web selector updated\n'],
        ['kubectl get svc web -o jsonpath={.spec.selector}', '{"a":"b"}'],
      ]);
    });
  });
});

describe('run, expose', () => {
  it('generate what upstream generates', async () => {
    await lab(async ({ run }) => {
      await run(WEB);
      await says(run, [
        [
          'kubectl run a --image=x --command --env=A=b --port=80 --dry-run=client -o yaml -- x y',
          'apiVersion: v1\nkind: Pod\nmetadata:\n  creationTimestamp: null\n  labels:\n    run: a\n  name: a\nspec:\n  containers:\n  - command:\n    - x\n    - "y"\n    env:\n    - name: A\n      value: b\n    image: x\n    name: a\n    ports:\n    - containerPort: 80\n    resources: {}\n  dnsPolicy: ClusterFirst\n  restartPolicy: Always\nstatus: {}\n',
        ],
        ['kubectl run a --image=x --expose --port=80', 'service/a created\npod/a created\n'],
        ['kubectl run a --image=X=', 'error: Invalid image name "X=": invalid reference format\n[1]\n'],
        ['kubectl run a --image=x --rm', "error: --rm should only be used for attached containers\nSee 'kubectl run -h' for help and examples\n[1]\n"],
        ['kubectl run a --image=x --restart=Foo', "error: invalid restart policy: Foo\nSee 'kubectl run -h' for help and examples\n[1]\n"],
        ['kubectl run a --image=x --env=foo', 'error: invalid env: foo\n[1]\n'],
        ['kubectl expose deploy web', "error: couldn't find port via --port flag or introspection\n[1]\n"],
        [
          'kubectl expose deploy web --port=80 --target-port=8080 --type=NodePort --name=w2 --dry-run=client -o yaml',
          'apiVersion: v1\nkind: Service\nmetadata:\n  creationTimestamp: null\n  labels:\n    app: web\n  name: w2\nspec:\n  ports:\n  - port: 80\n    protocol: TCP\n    targetPort: 8080\n  selector:\n    app: web\n  type: NodePort\nstatus:\n  loadBalancer: {}\n',
        ],
        ['kubectl expose svc a --name=w3 --port=90', 'service/w3 exposed\n'],
        ['kubectl expose svc a --name=w3 --port=90', 'Error from server (AlreadyExists): services "w3" already exists\n[1]\n'],
      ]);
    });
  });
});

describe('wait', () => {
  it('for conditions, values, creation and the end', async () => {
    await lab(async ({ run, server }) => {
      await run(WEB);
      const waiting = run('kubectl wait deploy/web --for=condition=Available');
      await server.sleep(seconds(5));
      await server.patch(`${DEPLOYMENT}/status`, { status: { observedGeneration: 1, conditions: [{ type: 'Available', status: 'True' }] } }, 'merge');
      expect(await waiting).toBe('deployment.apps/web condition met\n');
      await says(run, [
        ['kubectl wait deploy/web --for=condition=available=true', 'deployment.apps/web condition met\n'],
        ['kubectl wait deploy/web --for=condition=Foo --timeout=1s', 'error: timed out waiting for the condition on deployments/web\n[1]\n'],
        ['kubectl wait deploy/web --for=condition=Foo --timeout=0', 'error: condition not met for deployments/web\n[1]\n'],
        ['kubectl wait deploy/nope --for=condition=Foo', 'Error from server (NotFound): deployments.apps "nope" not found\n[1]\n'],
        ['kubectl wait pods --for=condition=Ready -l app=nope', 'error: no matching resources found\n[1]\n'],
        ['kubectl wait deploy/nope --for=delete', ''],
        ['kubectl wait deploy/web --for=delete --timeout=1s', 'error: timed out waiting for the condition on deployments/web\n[1]\n'],
        ["kubectl wait deploy/web --for=jsonpath='{.spec.replicas}'=2", 'deployment.apps/web condition met\n'],
        ["kubectl wait deploy/web --for=jsonpath='{.spec.template}'=x", 'error: jsonpath leads to a nested object or list which is not supported\n[1]\n'],
        ["kubectl wait deploy/web --for=jsonpath='{.foo}'=x --timeout=1s", 'error: timed out waiting for the condition on deployments/web\n[1]\n'],
        ['kubectl wait deploy/nope --for=create --timeout=2s', 'error: timed out waiting for the condition\n[1]\n'],
        ['kubectl wait deploy/web --for=foo', 'error: unrecognized condition: "foo"\n[1]\n'],
      ]);
      const gone = run('kubectl wait deploy/web --for=delete');
      await server.sleep(seconds(5));
      await server.delete(DEPLOYMENT);
      expect(await gone).toBe('deployment.apps/web condition met\n');
    });
  });
});

describe('patch, edit', () => {
  it('patches in three ways, also a subresource', async () => {
    await lab(async ({ run }) => {
      await run(WEB);
      await says(run, [
        ['kubectl patch deploy web -p \'{"spec":{"replicas":3}}\'', 'deployment.apps/web patched\n'],
        ['kubectl patch deploy web -p \'{"spec":{"replicas":3}}\'', 'deployment.apps/web patched (no change)\n'],
        ["kubectl patch deploy web --type=merge -p 'spec: {replicas: 4}'", 'deployment.apps/web patched\n'],
        ['kubectl patch deploy web --type=json -p \'[{"op":"replace","path":"/spec/replicas","value":2}]\'', 'deployment.apps/web patched\n'],
        ['kubectl patch deploy web --subresource=scale --type=merge -p \'{"spec":{"replicas":1}}\'', 'scale.autoscaling/web patched\n'],
        ['kubectl patch deploy web -p \'{"spec":{"replicas":5}}\' --dry-run=client -o jsonpath={.spec.replicas}', '5'],
        ['kubectl get deploy web -o jsonpath={.spec.replicas}', '1'],
        ['kubectl patch deploy web', 'error: must specify --patch or --patch-file containing the contents of the patch\n[1]\n'],
        ['kubectl patch deploy web -p x --type=foo', 'error: --type must be one of [json merge strategic], not "foo"\n[1]\n'],
      ]);
    });
  });
  it('edits through the editor the environment names', async () => {
    await lab(async ({ run }) => {
      await run(WEB);
      await says(run, [
        ['KUBE_EDITOR=true kubectl edit deploy web', 'Edit cancelled, no changes made.\n'],
        ['KUBE_EDITOR=nope kubectl edit deploy web', 'error: unable to launch the editor "nope"\n[1]\n'],
        ['KUBE_EDITOR=false kubectl edit deploy web', 'error: there was a problem with the editor "false"\n[1]\n'],
        ['EDITOR="sed -i s/nginx:1.27/nginx:1.28/" kubectl edit deploy web', 'deployment.apps/web edited\n'],
        ["kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}'", 'nginx:1.28'],
      ]);
      const edit = async (script: string) => (await run(`KUBE_EDITOR="sed -i ${script}" kubectl edit deploy web`)).replace(/\d{10}/g, 'N');
      const copy = 'A copy of your changes has been stored to "/tmp/kubectl-edit-N.yaml"\n';
      const cancelled = `${copy}error: Edit cancelled, no valid changes were saved.\n[1]\n`;
      expect(await edit('s/image:/imago:/')).toBe(
        'error: deployments.apps "web" is invalid\nA copy of your changes has been stored to "/tmp/kubectl-edit-N.yaml"\nerror: Edit cancelled, no valid changes were saved.\n[1]\n',
      );
      expect(await edit('s/RollingUpdate/Rolling/')).toBe(`error: deployments.apps "web" is invalid\n${cancelled}`);
      expect(await edit('s/Deployment/Depp/')).toBe(cancelled);
      expect(await edit('s/name:.w/&x/')).toBe(`${copy}error: At least one of apiVersion, kind and name was changed\n[1]\n`);
    });
  });
});

describe('nodes', () => {
  const node = (name: string) => ({ metadata: { name } });
  const pod = (name: string, more: object = {}, metadata: object = {}) => ({
    metadata: { name, labels: { app: 'web' }, ...metadata },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'nginx' }], ...more },
  });
  const owned = { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '1', controller: true }] };

  it('cordon and taint', async () => {
    await lab(async ({ run, server }) => {
      await server.post('/api/v1/nodes', node('node-1'));
      await server.post('/api/v1/nodes', node('node-2'));
      await says(run, [
        ['kubectl cordon node-1', 'node/node-1 cordoned\n'],
        ['kubectl cordon node-1', 'node/node-1 already cordoned\n'],
        ['kubectl uncordon node-1 node-2', 'node/node-1 uncordoned\nnode/node-2 already uncordoned\n'],
        ['kubectl cordon nope', 'Error from server (NotFound): nodes "nope" not found\n[1]\n'],
        ['kubectl cordon', "error: USAGE: cordon NODE [flags]\nSee 'kubectl cordon -h' for help and examples\n[1]\n"],
        ['kubectl taint nodes node-1 k=v:NoSchedule', 'node/node-1 tainted\n'],
        ['kubectl taint nodes node-1 k=w:NoSchedule', 'error: node node-1 already has k taint(s) with same effect(s) and --overwrite is false\n[1]\n'],
        ['kubectl taint nodes node-1 k=w:NoSchedule --overwrite', 'node/node-1 modified\n'],
        ['kubectl taint nodes node-1 k:NoSchedule-', 'node/node-1 untainted\n'],
        ['kubectl taint nodes node-1 k-', 'error: taint "k" not found\n[1]\n'],
        ['kubectl taint pods x k=v:NoSchedule', 'error: invalid resource type pods, only node types are supported\n[1]\n'],
        ['kubectl taint nodes node-1 k=v:X', "error: invalid taint effect: X, unsupported taint effect\nSee 'kubectl taint -h' for help and examples\n[1]\n"],
        ['kubectl taint nodes node-1 a b=c:NoExecute d', 'error: all resources must be specified before taint changes: d\n[1]\n'],
      ]);
    });
  });

  it('drain refuses what would be lost', async () => {
    await lab(async ({ run, server }) => {
      await server.post('/api/v1/nodes', node('node-1'));
      await server.post('/api/v1/namespaces/default/pods', pod('lone'));
      await server.post('/api/v1/namespaces/default/pods', pod('vol', { volumes: [{ name: 'v', emptyDir: {} }] }, owned));
      const [local, unmanaged] = [
        'cannot delete Pods with local storage (use --delete-emptydir-data to override): default/vol',
        'cannot delete cannot delete Pods that declare no controller (use --force to override): default/lone',
      ];
      expect(await run('kubectl drain node-1')).toBe(
        `node/node-1 cordoned\nerror: unable to drain node "node-1" due to error: [${unmanaged}, ${local}], continuing command...\nThere are pending nodes to be drained:\n node-1\n${unmanaged}\n${local}\n[1]\n`,
      );
      expect(await run('kubectl drain node-1 --force --delete-emptydir-data --dry-run=client')).toBe(
        'node/node-1 already cordoned (dry run)\nevicting pod default/lone (dry run)\nevicting pod default/vol (dry run)\nnode/node-1 drained (dry run)\nWarning: deleting Pods that declare no controller: default/lone\n',
      );
    });
  });

  it('drain tries again while a budget says no', async () => {
    await lab(async ({ run, server }) => {
      await server.post('/api/v1/nodes', node('node-1'));
      await server.post('/api/v1/namespaces/default/pods', pod('web-1', {}, owned));
      const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
      await server.patch('/api/v1/namespaces/default/pods/web-1/status', { status: ready }, 'merge');
      const budget = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
      await server.post(budget, { metadata: { name: 'p' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } });
      await server.patch(
        `${budget}/p/status`,
        { status: { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 } },
        'merge',
      );
      const draining = run('kubectl drain node-1');
      await server.sleep(seconds(7));
      await server.delete(`${budget}/p`);
      await server.sleep(seconds(7));
      // What the kubelet does once the containers have ended.
      await server.delete('/api/v1/namespaces/default/pods/web-1', { gracePeriodSeconds: 0 });
      const no = `error when evicting pods/"web-1" -n "default" (will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.\n`;
      expect(await draining).toBe(`node/node-1 cordoned\n${'evicting pod default/web-1\n'.repeat(3)}pod/web-1 evicted\nnode/node-1 drained\n${no}${no}`);
    });
  });
});

describe('auth, top', () => {
  it('asks who and what', async () => {
    await lab(async ({ run }) => {
      await says(run, [
        ['kubectl auth can-i get pods', 'yes\n'],
        ['kubectl auth can-i get pods --as=bob', 'no\n[1]\n'],
        ['kubectl auth can-i get pods -q --as=bob', '[1]\n'],
        ['kubectl auth can-i get nodes', "yes\nWarning: resource 'nodes' is not namespace scoped\n\n"],
        ['kubectl auth can-i get foo', "yes\nWarning: the server doesn't have a resource type 'foo'\n\n"],
        [
          'kubectl auth can-i get',
          "error: you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.\n[1]\n",
        ],
        ['kubectl auth whoami', 'ATTRIBUTE   VALUE\nUsername    kubernetes-admin\nGroups      [system:masters system:authenticated]\n'],
        ['kubectl top pods', 'error: Metrics API not available\n[1]\n'],
      ]);
      expect(await run('kubectl auth can-i --list --as=bob')).toMatch(
        /^Resources +Non-Resource URLs +Resource Names +Verbs\nselfsubjectreviews\.authentication\.k8s\.io +\[\] +\[\] +\[create\]\n/,
      );
    });
  });
});
