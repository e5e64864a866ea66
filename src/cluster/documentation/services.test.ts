/** Pages on services, and on applications made of several. */
import { expect } from 'vitest';
import { documentation, type Page } from './documentation.test-support.ts';

const doc = documentation();

const deployment = (name: string, labels: string, replicas: number, container: string) => `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${replicas}
  selector:
    matchLabels: {${labels}}
  template:
    metadata:
      labels: {${labels}}
    spec:
      containers:
      - ${container}
`;
const service = (name: string, selector: string, ports: string, more = '') => `
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  ${more}
  selector: {${selector}}
  ports: [${ports}]
`;
/** A pod to look from, as the pages' busybox and curl pods. */
async function bystander(page: Page): Promise<(command: string) => Promise<string>> {
  await page.run('kubectl run bystander --image=curlimages/curl --command -- sleep infinity');
  await page.until('kubectl get pod bystander', /Running/);
  return (command) => page.run(`kubectl exec bystander -- ${command}`);
}

doc('tutorials/stateless-application/guestbook', 'what is written at the leader is read from the followers', async (page) => {
  await page.apply(
    deployment(
      'redis-leader',
      'app: redis, role: leader, tier: backend',
      1,
      'name: leader\n        image: "docker.io/redis:6.0.5"\n        resources: {requests: {cpu: 100m, memory: 100Mi}}\n        ports: [{containerPort: 6379}]',
    ),
  );
  await page.apply(service('redis-leader', 'app: redis, role: leader, tier: backend', '{port: 6379, targetPort: 6379}'));
  await page.run('kubectl rollout status deployment/redis-leader');
  expect(await page.run('kubectl logs deployment/redis-leader')).toContain('Ready to accept connections');
  await page.apply(
    deployment(
      'redis-follower',
      'app: redis, role: follower, tier: backend',
      2,
      'name: follower\n        image: us-docker.pkg.dev/google-samples/containers/gke/gb-redis-follower:v2\n        resources: {requests: {cpu: 100m, memory: 100Mi}}\n        ports: [{containerPort: 6379}]',
    ),
  );
  await page.apply(service('redis-follower', 'app: redis, role: follower, tier: backend', '{port: 6379}'));
  await page.apply(
    deployment(
      'frontend',
      'app: guestbook, tier: frontend',
      3,
      'name: php-redis\n        image: us-docker.pkg.dev/google-samples/containers/gke/gb-frontend:v5\n        env: [{name: GET_HOSTS_FROM, value: "dns"}]\n        resources: {requests: {cpu: 100m, memory: 100Mi}}\n        ports: [{containerPort: 80}]',
    ),
  );
  await page.apply(service('frontend', 'app: guestbook, tier: frontend', '{port: 80}'));
  for (const name of ['redis-follower', 'frontend']) await page.run(`kubectl rollout status deployment/${name}`);
  expect((await page.run('kubectl get pods -l app=guestbook -l tier=frontend --no-headers')).split('\n')).toHaveLength(3);
  await page.until('kubectl logs deployment/redis-follower', /MASTER <-> REPLICA sync: Finished with success/);
  const curl = await bystander(page);
  expect(await curl('curl -s http://frontend/')).toContain('<title>Guestbook</title>');
  expect(await curl("curl -s 'http://frontend/guestbook.php?cmd=set&key=messages&value=,hello'")).toBe('{"message": "Updated"}');
  await page.wait(1);
  expect(await curl("curl -s 'http://frontend/guestbook.php?cmd=get&key=messages'")).toBe('{"data": ",hello"}');
  expect(await page.run('kubectl exec deploy/redis-follower -- redis-cli SET a b')).toContain('READONLY');
  await page.run('kubectl scale deployment frontend --replicas=5');
  await page.until('kubectl get deployment frontend --no-headers', /5\/5/);
  await page.run('kubectl scale deployment frontend --replicas=2');
  await page.until('kubectl get pods -l tier=frontend --no-headers', /^[^\n]+\n[^\n]+\n$/);
});

doc('tutorials/services/connect-applications-service', 'a service of two replicas, its endpoints, its variables and its name', async (page) => {
  await page.apply(deployment('my-nginx', 'run: my-nginx', 2, 'name: my-nginx\n        image: nginx\n        ports: [{containerPort: 80}]'));
  await page.run('kubectl rollout status deployment/my-nginx');
  // Pods that were there before the service know nothing of it by their environment.
  expect(await page.run('kubectl exec deploy/my-nginx -- printenv | grep MY_NGINX_SERVICE || true')).toBe('');
  expect(await page.run('kubectl expose deployment/my-nginx')).toBe('service/my-nginx exposed');
  await page.until('kubectl get endpointslices -l kubernetes.io/service-name=my-nginx', /10\.244\.\d+\.\d+,10\.244\.\d+\.\d+/);
  expect(await page.run('kubectl describe svc my-nginx')).toMatch(
    /Selector: +run=my-nginx\n.*TargetPort: +80\/TCP\nEndpoints: +10\.244[\d.]+:80,10\.244[\d.]+:80/s,
  );
  await page.run('kubectl scale deployment my-nginx --replicas=0');
  await page.until('kubectl get pods -l run=my-nginx', /No resources found/);
  await page.run('kubectl scale deployment my-nginx --replicas=2');
  await page.run('kubectl rollout status deployment/my-nginx');
  const address = await page.run('kubectl get svc my-nginx -o jsonpath={.spec.clusterIP}');
  expect(await page.run('kubectl exec deploy/my-nginx -- printenv')).toContain(`MY_NGINX_SERVICE_HOST=${address}\n`);
  const from = await bystander(page);
  expect(await from('nslookup my-nginx')).toMatch(
    new RegExp(`Name:\\s+my-nginx\\.page-\\d+\\.svc\\.cluster\\.local\\s+Address(?: 1)?: ${address.replaceAll('.', '\\.')}`),
  );
  await page.run(`kubectl patch svc my-nginx -p '{"spec":{"type":"NodePort"}}'`);
  const port = await page.run('kubectl get svc my-nginx -o jsonpath={.spec.ports[0].nodePort}');
  await page.wait(2);
  expect(await page.run(`curl -s http://10.0.0.12:${port}`)).toContain('Welcome to nginx!');
});

doc('tasks/access-application-cluster/connecting-frontend-backend', 'nginx before three backends called hello', async (page) => {
  await page.apply(
    deployment(
      'backend',
      'app: hello, tier: backend, track: stable',
      3,
      'name: hello\n        image: "gcr.io/google-samples/hello-go-gke:1.0"\n        ports: [{name: http, containerPort: 80}]',
    ),
  );
  await page.apply(service('hello', 'app: hello, tier: backend', '{protocol: TCP, port: 80, targetPort: http}'));
  await page.apply(service('frontend', 'app: hello, tier: frontend', '{protocol: TCP, port: 80, targetPort: 80}', 'type: LoadBalancer'));
  await page.apply(
    deployment(
      'frontend',
      'app: hello, tier: frontend, track: stable',
      1,
      'name: nginx\n        image: "gcr.io/google-samples/hello-frontend:1.0"\n        lifecycle: {preStop: {exec: {command: ["/usr/sbin/nginx", "-s", "quit"]}}}',
    ),
  );
  await page.run('kubectl rollout status deployment/backend');
  await page.run('kubectl rollout status deployment/frontend');
  const from = await bystander(page);
  expect(await from('curl -s http://frontend')).toBe('{"message":"Hello"}');
});

doc('tutorials/kubernetes-basics', 'made, seen, exposed, scaled, updated and put back', async (page) => {
  await page.run('kubectl create deployment kubernetes-bootcamp --image=gcr.io/google-samples/kubernetes-bootcamp:v1');
  await page.run('kubectl rollout status deployment/kubernetes-bootcamp');
  expect(await page.run('kubectl logs deploy/kubernetes-bootcamp')).toContain('Kubernetes Bootcamp App Started At:');
  await page.run('kubectl expose deployment/kubernetes-bootcamp --type=NodePort --port 8080');
  const port = await page.run("kubectl get services/kubernetes-bootcamp -o go-template='{{(index .spec.ports 0).nodePort}}'");
  await page.wait(3);
  const ask = () => page.run(`curl -s http://10.0.0.11:${port}`);
  expect(await ask()).toMatch(/^Hello Kubernetes bootcamp! \| Running on: kubernetes-bootcamp-\w+-\w+ \| v=1$/);
  await page.run('kubectl label pods -l app=kubernetes-bootcamp version=v1');
  expect(await page.run('kubectl get pods -l version=v1 --no-headers')).toMatch(/kubernetes-bootcamp/);
  await page.run('kubectl scale deployments/kubernetes-bootcamp --replicas=4');
  await page.until('kubectl get deployments', /4\/4/);
  await page.wait(3);
  const answers = new Set<string>();
  for (let i = 0; i < 12; i++) answers.add(await ask());
  expect(answers.size).toBeGreaterThan(1);
  await page.run('kubectl scale deployments/kubernetes-bootcamp --replicas=2');
  await page.run('kubectl set image deployments/kubernetes-bootcamp kubernetes-bootcamp=docker.io/jocatalin/kubernetes-bootcamp:v2');
  await page.run('kubectl rollout status deployments/kubernetes-bootcamp');
  await page.wait(3);
  expect(await ask()).toContain('v=2');
  await page.run('kubectl set image deployments/kubernetes-bootcamp kubernetes-bootcamp=gcr.io/google-samples/kubernetes-bootcamp:v10');
  await page.until('kubectl get pods', /ImagePullBackOff/);
  expect(await page.run('kubectl describe pods')).toContain('gcr.io/google-samples/kubernetes-bootcamp:v10');
  await page.run('kubectl rollout undo deployments/kubernetes-bootcamp');
  await page.run('kubectl rollout status deployments/kubernetes-bootcamp');
  expect(await ask()).toContain('v=2');
  await page.run('kubectl delete service -l app=kubernetes-bootcamp');
  await page.wait(3);
  await page.refused(`curl -s --max-time 3 http://10.0.0.11:${port}`);
});

doc('tutorials/hello-minikube', 'an echo of agnhost behind a load balancer nobody provides', async (page) => {
  await page.run('kubectl create deployment hello-node --image=registry.k8s.io/e2e-test-images/agnhost:2.53 -- /agnhost netexec --http-port=8080');
  await page.run('kubectl rollout status deployment/hello-node');
  expect(await page.run('kubectl logs deploy/hello-node')).toContain('Started HTTP server on port 8080');
  await page.run('kubectl expose deployment hello-node --type=LoadBalancer --port=8080');
  expect(await page.run('kubectl get services hello-node --no-headers')).toMatch(/LoadBalancer +10\.\d+\.\d+\.\d+ +<pending> +8080:\d+\/TCP/);
});

doc('tasks/debug/debug-application/debug-service', 'from the name to the pods, and a selector that fits nothing', async (page) => {
  await page.run('kubectl create deployment hostnames --image=registry.k8s.io/serve_hostname');
  await page.run('kubectl scale deployment hostnames --replicas=3');
  await page.until('kubectl get deployment hostnames', /3\/3/);
  const from = await bystander(page);
  for (const ip of (await page.run('kubectl get pods -l app=hostnames -o go-template=\'{{range .items}}{{.status.podIP}}{{"\\n"}}{{end}}\'')).split('\n'))
    expect(await from(`wget -qO- ${ip}:9376`)).toMatch(/^hostnames-\w+-\w+$/);
  expect(await page.refused('kubectl exec bystander -- wget -O- hostnames')).toMatch(/bad address/);
  expect(await page.refused('kubectl get svc hostnames')).toBe('Error from server (NotFound): services "hostnames" not found');
  await page.run('kubectl expose deployment hostnames --port=80 --target-port=9376');
  await page.wait(3);
  expect(await from('nslookup hostnames')).toContain('svc.cluster.local');
  const seen = new Set<string>();
  for (let i = 0; i < 12; i++) seen.add(await from('wget -qO- hostnames'));
  expect(seen.size).toBe(3);
  expect(await page.run('kubectl get endpointslices -l kubernetes.io/service-name=hostnames --no-headers')).toMatch(/hostnames-\w+ +IPv4 +9376/);
  await page.run(`kubectl patch svc hostnames -p '{"spec":{"selector":{"app":"hostname"}}}'`);
  await page.until('kubectl describe svc hostnames', /Endpoints: +\n/);
  await page.refused('kubectl exec bystander -- wget -T 3 -qO- hostnames');
});

doc('concepts/services-networking/service', 'headless, without a selector, and another name', async (page) => {
  await page.apply(deployment('web', 'app: web', 2, 'name: web\n        image: nginx\n        ports: [{name: http-web-svc, containerPort: 80}]'));
  await page.run('kubectl rollout status deployment/web');
  await page.apply(service('headless', 'app: web', '{port: 80, targetPort: http-web-svc}', 'clusterIP: None'));
  await page.apply(service('named', 'app: web', '{name: name-of-service-port, port: 8080, targetPort: http-web-svc}'));
  await page.apply('apiVersion: v1\nkind: Service\nmetadata: {name: my-service}\nspec: {type: ExternalName, externalName: my.database.example.com}');
  const ip = await page.run("kubectl get pods -l app=web -o jsonpath='{.items[0].status.podIP}'");
  await page.apply('apiVersion: v1\nkind: Service\nmetadata: {name: by-hand}\nspec:\n  ports: [{name: http, protocol: TCP, port: 80, targetPort: 80}]');
  await page.apply(`apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: by-hand-1
  labels: {kubernetes.io/service-name: by-hand}
addressType: IPv4
ports: [{name: http, protocol: TCP, port: 80}]
endpoints: [{addresses: ["${ip}"]}]`);
  const from = await bystander(page);
  const found = await from('nslookup headless');
  for (const each of (await page.run("kubectl get pods -l app=web -o jsonpath='{.items[*].status.podIP}'")).split(' ')) expect(found).toContain(each);
  expect(await from('curl -s http://named:8080')).toContain('Welcome to nginx!');
  expect(await from('curl -s http://by-hand')).toContain('Welcome to nginx!');
  expect((await page.lab.run(`kubectl -n ${(await page.pod('bystander')).metadata.namespace} exec bystander -- nslookup my-service`)).stdout).toContain(
    'my.database.example.com',
  );
});

doc('concepts/services-networking/dns-pod-service', 'two pods with names of their own under a headless service', async (page) => {
  await page.apply(
    'apiVersion: v1\nkind: Service\nmetadata: {name: busybox-subdomain}\nspec:\n  selector: {name: busybox}\n  clusterIP: None\n  ports: [{name: foo, port: 1234}]',
  );
  for (const i of [1, 2])
    await page.apply(`apiVersion: v1
kind: Pod
metadata:
  name: busybox${i}
  labels: {name: busybox}
spec:
  hostname: busybox-${i}
  subdomain: busybox-subdomain
  containers: [{name: busybox, image: "busybox:1.28", command: [sleep, "3600"]}]`);
  for (const i of [1, 2]) await page.until(`kubectl get pod busybox${i}`, /Running/);
  await page.wait(3);
  const ip = (await page.pod('busybox2')).status?.podIP ?? '';
  expect(await page.run('kubectl exec busybox1 -- nslookup busybox-2.busybox-subdomain')).toContain(ip);
  expect(await page.run('kubectl exec busybox1 -- hostname')).toBe('busybox-1');
  expect(await page.run('kubectl exec busybox1 -- hostname -f')).toMatch(/^busybox-1\.busybox-subdomain\.page-\d+\.svc\.cluster\.local$/);
});

doc('tutorials/services/source-ip', 'whose address the server sees', async (page) => {
  await page.run('kubectl create deployment source-ip-app --image=registry.k8s.io/echoserver:1.10');
  await page.run('kubectl rollout status deployment/source-ip-app');
  await page.run('kubectl expose deployment source-ip-app --name=clusterip --port=80 --target-port=8080');
  const from = await bystander(page);
  const own = (await page.pod('bystander')).status?.podIP ?? '';
  expect(await from('curl -s http://clusterip')).toContain(`client_address=${own}\n`);
  await page.run('kubectl expose deployment source-ip-app --name=nodeport --port=80 --target-port=8080 --type=NodePort');
  const port = await page.run("kubectl get -o jsonpath='{.spec.ports[0].nodePort}' services nodeport");
  await page.wait(3);
  const home = JSON.parse(await page.run('kubectl get pods -l app=source-ip-app -o json')).items[0].status.hostIP as string;
  const nodes = ['10.0.0.11', '10.0.0.12', '10.0.0.13'];
  const asked = async (node: string) => /client_address=(\S+)/.exec((await page.lab.run(`curl -s --max-time 3 http://${node}:${port}`)).stdout)?.[1];
  // The node that passes it on puts its own address in the client's place.
  const elsewhere = nodes.find((node) => node !== home)!;
  const masked = await asked(elsewhere);
  expect(masked).toMatch(/^10\./);
  await page.run(`kubectl patch svc nodeport -p '{"spec":{"externalTrafficPolicy":"Local"}}'`);
  await page.wait(3);
  const true_ = await asked(home);
  expect(true_).toBeDefined();
  expect(true_).not.toBe(masked);
  // A node without the pod drops what comes.
  expect(await asked(elsewhere)).toBeUndefined();
});
