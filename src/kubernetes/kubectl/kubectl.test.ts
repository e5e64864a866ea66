import { describe, expect, it } from 'vitest';
import { createFiles, type Files } from '../../linux/files.ts';
import { applets } from '../../linux/shell/applets/applets.ts';
import { Machine } from '../../linux/shell/machine.ts';
import { runCommand, sh } from '../../linux/shell/shell.ts';
import type { Sockets } from '../../linux/sockets.ts';
import { seconds } from '../../sim/clock.ts';
import { type ApiHandler, TransportError } from '../api/request.ts';
import { type TestServer, withApiServer } from '../apiserver/testing.test-support.ts';
import { createKubectl } from './kubectl.ts';

const ADMIN = { commonName: 'kubernetes-admin', organizations: ['system:masters'] };
const noSockets = { resolve: async () => [] } as unknown as Sockets;

interface Lab {
  readonly server: TestServer;
  readonly files: Files;
  /** Standard output, with standard error after it and the exit code when it is not 0. */
  run(line: string): Promise<string>;
}

/** A laptop with kubectl before a real API server (no controllers, no nodes). */
async function lab(story: (lab: Lab) => Promise<void>, wrap: (handler: ApiHandler) => ApiHandler = (handler) => handler): Promise<void> {
  await withApiServer(async (server) => {
    const files = createFiles({ '/home/you/.keep': '' });
    const kubectl = createKubectl({ handler: wrap((request) => server.api.handle(request)), certificate: ADMIN });
    const machine = new Machine({
      hostname: 'laptop',
      files,
      sockets: noSockets,
      programs: (name) => (name === 'kubectl' ? kubectl : name === 'sh' ? sh : Object.hasOwn(applets, name) ? applets[name] : undefined),
    });
    await story({
      server,
      files,
      run: async (line) => {
        const { stdout, stderr, exitCode } = await runCommand({ self: server.self, machine, env: { HOME: '/home/you' }, cwd: '/home/you' }, line);
        return stdout + stderr + (exitCode === 0 ? '' : `[${exitCode}]\n`);
      },
    });
  });
}

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
        ports: [{containerPort: 80}]
`;

describe('get', () => {
  it('tables, names, empty answers and errors', async () => {
    await lab(async ({ run }) => {
      expect(await run('kubectl get pods')).toBe('No resources found in default namespace.\n');
      expect(await run('kubectl get pods -A')).toBe('No resources found\n');
      expect(await run('kubectl get pod nope')).toBe('Error from server (NotFound): pods "nope" not found\n[1]\n');
      expect(await run('kubectl get foos')).toBe('error: the server doesn\'t have a resource type "foos"\n[1]\n');
      expect(await run('kubectl get pod nope --ignore-not-found')).toBe('');
      await run('kubectl run web --image=nginx || true');
      await run('kubectl create deployment web --image=nginx --replicas=2');
      expect(await run('kubectl get deploy')).toMatch(/^NAME {3}READY {3}UP-TO-DATE {3}AVAILABLE {3}AGE\nweb {4}0\/2 {5}0 {12}0 {11}\d+s\n$/);
      expect(await run('kubectl get deploy,cm -o name')).toBe('deployment.apps/web\n');
      expect(await run('kubectl get deploy/web ns/default --no-headers')).toMatch(
        /^deployment.apps\/web {3}0\/2 {3}0 {5}0 {5}\d+s\nnamespace\/default {3}Active {3}\d+s\n$/,
      );
      expect(await run('kubectl get deploy --show-labels -L app')).toMatch(/APP +LABELS\nweb .* web +app=web\n$/);
    });
  });
  it('yaml, json, jsonpath, custom columns, sorting', async () => {
    await lab(async ({ run }) => {
      await run('kubectl create cm b --from-literal=k=v; kubectl create cm a --from-literal=x=y --from-literal=z=1');
      expect(await run('kubectl get cm a -o yaml')).toMatch(
        /^apiVersion: v1\ndata:\n {2}x: "?y"?\n {2}z: "1"\nkind: ConfigMap\nmetadata:\n {2}creationTimestamp: "2026-/,
      );
      expect(await run('kubectl get cm a -o json')).toMatch(/^\{\n {4}"apiVersion": "v1",\n {4}"data": \{\n/);
      expect(await run('kubectl get cm -l none=1 -o yaml')).toBe('apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  resourceVersion: ""\n');
      expect(await run('kubectl get cm a b -o jsonpath=\'{range .items[*]}{.metadata.name}{"\\n"}{end}\'')).toBe('a\nb\n');
      expect(await run('kubectl get cm a b -o custom-columns=N:.metadata.name,V:.data.k')).toBe('N     V\na     <none>\nb     v\n');
      expect(await run('kubectl get cm --sort-by=.metadata.name --no-headers | cut -d" " -f1')).toMatch(/^a\nb\n/);
      expect(await run('kubectl get pods -o nope')).toMatch(
        /^error: unable to match a printer suitable for the output format "nope", allowed formats are: custom-columns,/,
      );
    });
  });
  it('watches, through a pipeline, as it happens', async () => {
    await lab(async ({ run, server }) => {
      const seen = run('kubectl get cm -w --no-headers | grep --line-buffered web | head -2');
      await server.sleep(seconds(1));
      await server.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'web-1' } });
      await server.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'other' } });
      await server.sleep(seconds(5));
      await server.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'web-2' } });
      expect(await seen).toMatch(/^web-1 +0 +0s\nweb-2 +0 +0s\n$/);
    });
  });
});

describe('apply, create, delete', () => {
  it('creates, leaves alone, changes', async () => {
    await lab(async ({ run, files, server }) => {
      files.write('/home/you/web.yaml', WEB);
      expect(await run('kubectl apply -f web.yaml')).toBe('deployment.apps/web created\n');
      expect(await run('kubectl apply -f web.yaml')).toBe('deployment.apps/web unchanged\n');
      files.write('/home/you/web.yaml', WEB.replace('replicas: 2', 'replicas: 3').replace('{name: A, value: "1"}, ', '').replace('1.27', '1.28'));
      expect(await run('kubectl apply -f web.yaml --dry-run=server')).toBe('deployment.apps/web configured (server dry run)\n');
      expect(await run('kubectl apply -f web.yaml')).toBe('deployment.apps/web configured\n');
      const { body } = await server.get('/apis/apps/v1/namespaces/default/deployments/web');
      expect(body.spec.replicas).toBe(3);
      expect(body.spec.template.spec.containers[0].env).toEqual([{ name: 'B', value: '2' }]);
      expect(body.spec.template.spec.containers[0].image).toBe('nginx:1.28');
      // What somebody else set and the file never said stays.
      await server.patch('/apis/apps/v1/namespaces/default/deployments/web', { spec: { paused: true } });
      files.write('/home/you/web.yaml', WEB);
      expect(await run('cat web.yaml | kubectl apply -f -')).toBe('deployment.apps/web configured\n');
      expect((await server.get('/apis/apps/v1/namespaces/default/deployments/web')).body.spec.paused).toBe(true);
    });
  });
  it('says what is wrong with a file', async () => {
    await lab(async ({ run, files }) => {
      files.write('/home/you/a.yaml', WEB.replace('replicas', 'replica'));
      expect(await run('kubectl apply -f a.yaml')).toBe(
        'Error from server (BadRequest): error when creating "a.yaml": Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"\n[1]\n',
      );
      files.write('/home/you/b.yaml', 'apiVersion: v1\nkind: Foo\nmetadata:\n  name: x\n');
      expect(await run('kubectl apply -f b.yaml')).toBe(
        'error: resource mapping not found for name: "x" namespace: "" from "b.yaml": no matches for kind "Foo" in version "v1"\nensure CRDs are installed first\n[1]\n',
      );
      files.write('/home/you/c.yaml', 'kind: Pod\n');
      expect(await run('kubectl apply -f c.yaml')).toBe(
        'error: error validating "c.yaml": error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false\n[1]\n',
      );
      files.write('/home/you/d.yaml', WEB.replace('app: web}}\n  template', 'app: other}}\n  template'));
      expect(await run('kubectl create -f d.yaml')).toMatch(
        /^The Deployment "web" is invalid: spec.template.metadata.labels: Invalid value: .*: `selector` does not match template `labels`\n\[1\]\n$/,
      );
      expect(await run('kubectl apply -f nope.yaml')).toBe('error: the path "nope.yaml" does not exist\n[1]\n');
      files.write('/home/you/e.yaml', 'a: b: c\n');
      expect(await run('kubectl apply -f e.yaml')).toBe(
        'error: error parsing e.yaml: error converting YAML to JSON: yaml: mapping values are not allowed in this context\n[1]\n',
      );
    });
  });
  it('generates', async () => {
    await lab(async ({ run }) => {
      expect(await run('kubectl create deployment web --image=nginx:1.27 --port=80 --dry-run=client -o yaml')).toBe(
        'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  creationTimestamp: null\n  labels:\n    app: web\n  name: web\nspec:\n  replicas: 1\n  selector:\n    matchLabels:\n      app: web\n  strategy: {}\n  template:\n    metadata:\n      creationTimestamp: null\n      labels:\n        app: web\n    spec:\n      containers:\n      - image: nginx:1.27\n        name: nginx\n        ports:\n        - containerPort: 80\n        resources: {}\nstatus: {}\n',
      );
      expect(await run('kubectl create ns team; kubectl create ns team')).toBe(
        'namespace/team created\nError from server (AlreadyExists): namespaces "team" already exists\n[1]\n',
      );
      expect(await run('kubectl create secret generic s --from-literal=p=häl; kubectl get secret s -o jsonpath={.data.p} | base64 -d')).toBe(
        'secret/s created\nhäl',
      );
      expect(
        await run(
          'kubectl -n team create sa bot; kubectl create role r --verb=get,list --resource=pods,deployments -n team; kubectl get role r -n team -o jsonpath={.rules}',
        ),
      ).toContain('role.rbac.authorization.k8s.io/r created\n[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]},{"apiGroups":["apps"],');
      expect(await run('kubectl create service clusterip web --tcp=80:8080; kubectl create job j --image=busybox -- sleep 1')).toBe(
        'service/web created\njob.batch/j created\n',
      );
      expect(await run('kubectl create deployment web --image=a; kubectl create deployment web --image=a')).toBe(
        'deployment.apps/web created\nerror: failed to create deployment: deployments.apps "web" already exists\n[1]\n',
      );
      expect(await run('kubectl create deployment x')).toBe('error: required flag(s) "image" not set\n[1]\n');
    });
  });
  it('deletes, and waits until it is gone', async () => {
    await lab(async ({ run, server }) => {
      await run('kubectl create cm a; kubectl create cm b');
      expect(await run('kubectl delete cm a nope')).toBe('configmap "a" deleted\nError from server (NotFound): configmaps "nope" not found\n[1]\n');
      expect(await run('kubectl delete cm -l app=none')).toBe('No resources found\n');
      expect(await run('kubectl delete cm')).toBe('error: resource(s) were provided, but no name was specified\n[1]\n');
      await server.patch('/api/v1/namespaces/default/configmaps/b', { metadata: { finalizers: ['example.com/wait'] } }, 'merge');
      const gone = run('kubectl delete cm b && echo gone');
      await server.sleep(seconds(3));
      const still = await server.get('/api/v1/namespaces/default/configmaps/b');
      expect(still.body.metadata.deletionTimestamp).toBeDefined();
      await server.patch('/api/v1/namespaces/default/configmaps/b', { metadata: { finalizers: null } }, 'merge');
      expect(await gone).toBe('configmap "b" deleted\ngone\n');
    });
  });
});

describe('the rest', () => {
  it('describe, explain, api-resources, version, events, config', async () => {
    await lab(async ({ run, files }) => {
      files.write('/home/you/web.yaml', WEB);
      await run('kubectl apply -f web.yaml');
      expect(await run('kubectl describe deploy web')).toMatch(/^Name: {19}web\nNamespace: {14}default\nCreationTimestamp: {6}Mon, 05 Jan 2026 /);
      expect(await run('kubectl describe cm nope')).toBe('Error from server (NotFound): configmaps "nope" not found\n[1]\n');
      expect(await run('kubectl explain deployment.spec.replicas')).toMatch(
        /^GROUP: {6}apps\nKIND: {7}Deployment\nVERSION: {4}v1\n\nFIELD: replicas <integer>\n/,
      );
      expect(await run('kubectl explain deployment.spec.nope')).toContain('error: field "nope" does not exist\n[1]\n');
      expect(await run('kubectl api-resources --api-group=apps')).toMatch(
        /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\ncontrollerrevisions +apps\/v1 +true +ControllerRevision\n/,
      );
      expect(await run('kubectl api-versions')).toMatch(/^admissionregistration.*\napps\/v1\n|apps\/v1\n/m);
      expect(await run('kubectl version')).toBe('Client Version: v1.33.1\nKustomize Version: v5.6.0\nServer Version: v1.33.1\n');
      expect(await run('kubectl events')).toBe('No events found in default namespace.\n');
      files.write(
        '/home/you/.kube/config',
        'apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: {cluster: k, user: u}\nclusters:\n- name: k\n  cluster: {server: "https://10.0.0.10:6443"}\nusers:\n- name: u\n  user: {}\n',
      );
      expect(await run('kubectl config set-context --current --namespace=kube-system; kubectl get pods; kubectl config get-contexts')).toBe(
        'Context "c" modified.\nCURRENT   NAME   CLUSTER   AUTHINFO   NAMESPACE\n*         c      k         u          kube-system\nNo resources found in kube-system namespace.\n',
      );
    });
  });
  it('writes typed objects in the order of their structs, others sorted', async () => {
    await lab(async ({ run }) => {
      const keys = (text: string) => [...text.matchAll(/"(\w+)":/g)].map((match) => match[1]).join(' ');
      expect(keys(await run('kubectl create deployment web --image=nginx --port=80 --dry-run=client -o json'))).toBe(
        'kind apiVersion metadata name creationTimestamp labels app spec replicas selector matchLabels app template metadata creationTimestamp labels app spec containers name image ports containerPort resources strategy status',
      );
      expect(keys(await run('kubectl create rolebinding r --role=r --user=u -o json'))).toBe(
        'kind apiVersion metadata name namespace uid resourceVersion creationTimestamp subjects kind apiGroup name roleRef apiGroup kind name',
      );
      expect(keys(await run('kubectl get rolebinding r -o json'))).toBe(
        'apiVersion kind metadata creationTimestamp name namespace resourceVersion uid roleRef apiGroup kind name subjects apiGroup kind name',
      );
    });
  });
  it('several errors at once', async () => {
    await lab(async ({ run, files }) => {
      const service = (name: string) => `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 0, targetPort: 1}]}\n`;
      const wrong = 'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive';
      files.write('/home/you/two.yaml', `${service('a')}---\n${service('b')}`);
      expect(await run('kubectl create -f two.yaml')).toBe(
        `Error from server (Invalid): error when creating "two.yaml": Service "a" is invalid: ${wrong}\nError from server (Invalid): error when creating "two.yaml": Service "b" is invalid: ${wrong}\n[1]\n`,
      );
      files.write('/home/you/one.yaml', service('a'));
      expect(await run('kubectl create -f one.yaml')).toBe(`The Service "a" is invalid: ${wrong}\n[1]\n`);
      await run('kubectl create deployment web --image=nginx; kubectl create deployment api --image=nginx');
      expect(await run('kubectl rollout undo deployment web api')).toBe(
        'no rollout history found for deployment "web"\nno rollout history found for deployment "api"\n[1]\n',
      );
    });
  });
  it('mistakes at the command line', async () => {
    await lab(async ({ run }) => {
      expect(await run('kubectl gett pods')).toBe('error: unknown command "gett" for "kubectl"\n\nDid you mean this?\n\tset\n\tget\n[1]\n');
      expect(await run('kubectl get pods --foo')).toBe("error: unknown flag: --foo\nSee 'kubectl get --help' for usage.\n[1]\n");
      expect(await run('kubectl get pods -o')).toBe("error: flag needs an argument: 'o' in -o\nSee 'kubectl get --help' for usage.\n[1]\n");
      expect(await run('kubectl get')).toContain('error: Required resource not specified.\n');
      expect(await run('kubectl logs')).toBe(
        "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'kubectl logs -h' for help and examples\n[1]\n",
      );
      expect(await run('kubectl delete pod pod/x')).toContain(
        "(e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'\n",
      );
      expect(await run('kubectl exec x')).toBe('error: you must specify at least one command for the container\n[1]\n');
      expect(await run('kubectl get pods/x -A; kubectl get pods x -A')).toContain('error: a resource cannot be retrieved by name across all namespaces\n');
    });
  });
  it('a server that is down', async () => {
    let down = false;
    await lab(
      async ({ run }) => {
        await run('kubectl get pods');
        down = true;
        expect(await run('kubectl get pods')).toBe('The connection to the server 10.0.0.10:6443 was refused - did you specify the right host or port?\n[1]\n');
      },
      (handler) => async (request) => {
        if (down) throw new TransportError('dial tcp 10.0.0.10:6443: connect: connection refused');
        return handler(request);
      },
    );
  });
  it('who is not allowed is told so', async () => {
    await lab(async ({ run }) => {
      expect(await run('kubectl get pods --as=jane')).toBe(
        'Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"\n[1]\n',
      );
    });
  });
});
