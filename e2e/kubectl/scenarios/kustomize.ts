import type { Scenario } from '../scenario.ts';

const FILES: Readonly<Record<string, string>> = {
  'bad1/kustomization.yaml': 'resources: [nope.yaml]\n',
  'bad10/kustomization.yaml': 'kind: Other\napiVersion: v1\nnamePrefix: a\n',
  'bad11/kustomization.yaml': 'resources: [../base, ../base]\n',
  'bad12/a.yaml': 'a: b\n',
  'bad12/kustomization.yaml': 'resources: [a.yaml]\n',
  'bad14/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  'bad14/kustomization.yaml':
    'resources: [a.yaml]\npatches:\n- patch: "[{\\"op\\":\\"replace\\",\\"path\\":\\"/data/x\\",\\"value\\":1}]"\n  target: {kind: ConfigMap}\n',
  'bad15/kustomization.yaml': 'resources: [../base]\nreplacements:\n- source: {kind: Nope}\n  targets: [{select: {kind: Service}}]\n',
  'bad16/kustomization.yaml': 'resources: [../base]\nreplacements:\n- source: {kind: Service, fieldPath: spec.nope}\n  targets: [{select: {kind: Service}}]\n',
  'bad17/kustomization.yaml': 'resources: [.]\n',
  'bad18/kustomization.yaml': 'configMapGenerator: [{name: a, literals: [a]}]\n',
  'bad19/kustomization.yaml': 'configMapGenerator: [{name: a, files: [zz]}]\n',
  'bad2/kustomization.yaml': 'foo: bar\n',
  'bad20/kustomization.yaml': 'configMapGenerator: [{name: a, envs: [zz/yy]}]\n',
  'bad3/kustomization.yaml': 'resources: [../base]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: Service\n    metadata: {name: nope}\n',
  'bad4/kustomization.yaml': 'resources: [../base/deploy.yaml]\n',
  'bad5/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  'bad5/kustomization.yaml': 'resources: [../bad4/x.yaml, a.yaml, a.yaml]\n',
  'bad6/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  'bad6/kustomization.yaml': 'resources: [a.yaml, a.yaml]\n',
  'bad7/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  'bad7/kustomization.yaml': 'resources: [a.yaml]\nreplicas: [{name: q, count: 1}]\n',
  'bad8/kustomization.yaml': 'kind: Other\napiVersion: v1\n',
  'bad9/kustomization.yaml': 'configMapGenerator: [{name: a, behavior: merge, literals: [a=b]}]\n',
  'base/app.conf': 'a=1\nb=2\n',
  'base/deploy.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      serviceAccountName: runner\n      containers:\n      - name: nginx\n        image: nginx:1.27\n        ports: [{containerPort: 80}]\n        envFrom: [{configMapRef: {name: settings}}]\n        env:\n        - name: P\n          valueFrom: {secretKeyRef: {name: pw, key: pass}}\n        - {name: HOST, value: $(SVC)}\n      - name: side\n        image: registry.example.com:5000/side@sha256:abc\n      volumes:\n      - name: conf\n        configMap: {name: settings}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports: [{port: 80}]\n---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  maxReplicas: 3\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec:\n  rules:\n  - host: a.example.com\n    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n',
  'base/kustomization.yaml':
    'resources:\n- deploy.yaml\n- rbac.yaml\nconfigMapGenerator:\n- name: settings\n  literals:\n  - color=blue\n  - "q=\'x y\'"\n  files:\n  - app.conf\n  - other=app.conf\nsecretGenerator:\n- name: pw\n  literals: [user=admin, pass=hunter2]\nlabels:\n- pairs: {team: a}\n  includeSelectors: true\ncommonAnnotations:\n  note: "yes"\n',
  'base/rbac.yaml':
    'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\nrules: [{apiGroups: [""], resources: [pods], verbs: [get]}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: reader}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}\nsubjects:\n- {kind: ServiceAccount, name: runner}\n- {kind: ServiceAccount, name: default, namespace: x}\n---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  serviceName: web\n  selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n    spec: {containers: [{name: c, image: redis}]}\n  volumeClaimTemplates:\n  - metadata: {name: data}\n    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {name: tick}\nspec:\n  schedule: "* * * * *"\n  jobTemplate:\n    spec:\n      template:\n        spec: {restartPolicy: Never, containers: [{name: c, image: "nginx:1.27"}]}\n',
  'comp/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nsecretGenerator:\n- name: pw\n  behavior: merge\n  literals: [more=1]\npatches:\n- target: {kind: Service}\n  patch: \'[{"op":"add","path":"/spec/type","value":"NodePort"}]\'\n',
  'lab/kustomization.yaml':
    'resources: [../ns]\nnamePrefix: z-\nlabels:\n- pairs: {a: b}\n- pairs: {t: u}\n  includeTemplates: true\n- pairs: {f: g}\n  fields: [{path: spec/extra, create: true, kind: Widget}]\npatches:\n- target: {labelSelector: "team=a", kind: Service}\n  patch: |\n    apiVersion: v1\n    kind: Service\n    metadata: {name: zzz, labels: {patched: "1"}}\n- patch: |\n    apiVersion: example.com/v1\n    kind: Widget\n    metadata: {name: w}\n    spec: {list: [{name: b, v: 2}]}\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: li}\n    data: {n: null, m: "x"}\n- target: {name: li}\n  patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: renamed}\n  options: {allowNameChange: true}\n- patch: |\n    $patch: delete\n    apiVersion: batch/v1\n    kind: CronJob\n    metadata: {name: tick}\nimages: [{name: nginx, newName: mirror/nginx, newTag: v2}, {name: redis, digest: "sha256:1"}]\n',
  'misc/e.env': 'A=1\n# c\nB=two words\n',
  'misc/kustomization.yaml':
    'bases: [../base]\ncommonLabels: {c: d}\npatchesStrategicMerge:\n- |-\n  apiVersion: v1\n  kind: Service\n  metadata: {name: web}\n  $patch: delete\n- psm.yaml\npatchesJson6902:\n- target: {version: v1, group: apps, kind: Deployment, name: web}\n  patch: \'[{"op": "remove", "path": "/spec/replicas"}]\'\nvars:\n- name: SVC\n  objref: {kind: Deployment, name: web, apiVersion: apps/v1}\n  fieldref: {fieldpath: metadata.name}\ngeneratorOptions: {disableNameSuffixHash: true, labels: {g: h}}\nsecretGenerator: [{name: tls, type: kubernetes.io/tls, literals: [tls.crt=a, tls.key=b]}, {name: e, envs: [e.env]}]\nsortOptions: {order: fifo}\nbuildMetadata: [managedByLabel]\n',
  'misc/psm.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: nginx, env: [{name: NEW, value: v}]}]}}}\n',
  'ns/kustomization.yaml': 'namespace: n2\nresources: [r.yaml, ../base]\n',
  'ns/r.yaml':
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: rb, namespace: old}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects:\n- {kind: ServiceAccount, name: default, namespace: old}\n- {kind: ServiceAccount, name: other, namespace: old}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: other, namespace: old}\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {list: [{name: a, v: 1}]}\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: vw}\nwebhooks: [{name: a.b.c, clientConfig: {service: {name: web, namespace: old}}}]\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: li}, data: {a: "1", m: "on"}}\n',
  'over/cj.yaml': 'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: any}\nspec: {suspend: true, schedule: null}\n',
  'over/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: prod\nnamePrefix: p-\nnameSuffix: -x\nresources: [../base]\ncomponents: [../comp]\nimages:\n- name: nginx\n  newTag: "1.28"\n- name: registry.example.com:5000/side\n  newName: side\n  digest: sha256:def\nreplicas: [{name: web, count: 4}]\nconfigMapGenerator:\n- name: settings\n  behavior: merge\n  literals: [color=red, extra=1]\n- name: plain\n  options: {disableNameSuffixHash: true, labels: {l: "1"}, immutable: true}\n  literals: [a=b]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n    spec:\n      template:\n        spec:\n          containers:\n          - name: side\n            env: [{name: X, value: "1"}]\n          - name: new\n            image: busybox\n          volumes:\n          - name: conf\n            $patch: delete\n- target: {kind: Deployment, name: w.*}\n  patch: |-\n    - op: replace\n      path: /spec/template/spec/containers/0/image\n      value: changed:1\n    - op: add\n      path: /metadata/labels/added\n      value: "x"\n- path: cj.yaml\n  target: {kind: CronJob}\nreplacements:\n- source: {kind: Service, name: web, fieldPath: spec.ports.0.port}\n  targets:\n  - select: {kind: Ingress, name: web}\n    fieldPaths: ["spec.rules.0.http.paths.0.backend.service.port.number"]\n- source: {kind: ConfigMap, name: plain, fieldPath: data.a}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: ["spec.template.spec.containers.[name=nginx].env.[name=HOST].value", "metadata.annotations.[a.b/c]"]\n    options: {create: true}\n',
  'rep/kustomization.yaml':
    'resources: [../base]\nreplacements:\n- source: {kind: Deployment, name: web, fieldPath: "spec.template.spec.containers.[name=nginx].image", options: {delimiter: ":", index: 1}}\n  targets:\n  - select: {kind: ServiceAccount}\n    fieldPaths: [metadata.annotations.tag]\n    options: {create: true}\n  - select: {kind: Ingress}\n    fieldPaths: [spec.rules.0.host]\n    options: {delimiter: ".", index: 0}\n  - select: {kind: CronJob}\n    reject: [{name: tick}]\n    fieldPaths: [metadata.name]\n  - select: {kind: Deployment}\n    fieldPaths: ["spec.template.spec.containers.*.image"]\n    options: {delimiter: ":", index: 1}\n',
};

/** Overlays, built without a server. */
export const kustomize: readonly Scenario[] = [
  {
    name: 'kustomize: a base',
    files: FILES,
    steps: ['kubectl kustomize base'],
  },
  {
    name: 'kustomize: an overlay with a component',
    files: FILES,
    steps: ['kubectl kustomize over'],
  },
  {
    name: 'kustomize: older fields',
    files: FILES,
    steps: ['kubectl kustomize misc'],
  },
  {
    name: 'kustomize: namespaces',
    files: FILES,
    steps: ['kubectl kustomize ns'],
  },
  {
    name: 'kustomize: labels, deletions, new names',
    files: FILES,
    steps: ['kubectl kustomize lab'],
  },
  {
    name: 'kustomize: replacements',
    files: FILES,
    steps: ['kubectl kustomize rep'],
  },
  {
    name: 'kustomize: what cannot be built',
    files: FILES,
    steps: [
      'kubectl kustomize bad1',
      'kubectl kustomize bad2',
      'kubectl kustomize bad3',
      'kubectl kustomize bad4',
      'kubectl kustomize bad5',
      'kubectl kustomize bad6',
      'kubectl kustomize bad7',
      'kubectl kustomize bad8',
      'kubectl kustomize bad9',
    ],
  },
  {
    name: 'kustomize: more that cannot be built',
    files: FILES,
    steps: [
      'kubectl kustomize bad10',
      'kubectl kustomize bad11',
      'kubectl kustomize bad12',
      'kubectl kustomize bad14',
      'kubectl kustomize bad15',
      'kubectl kustomize bad16',
      'kubectl kustomize bad17',
      'kubectl kustomize bad18',
      'kubectl kustomize bad19',
      'kubectl kustomize bad20',
    ],
  },
  {
    name: 'kustomize and other verbs',
    files: FILES,
    steps: [
      'kubectl kustomize nope',
      'kubectl kustomize base/app.conf',
      'kubectl kustomize',
      'kubectl apply -k base --dry-run=server',
      'kubectl apply -k base -f base/deploy.yaml',
      'kubectl create -k over --dry-run=client',
      'kubectl get -k nope',
      'kubectl kustomize over -o out.yaml && cat out.yaml | head -5',
      'mkdir outd && kubectl kustomize base -o outd && ls outd',
      'kubectl kustomize a b',
      'kubectl kustomize base --load-restrictor=nope',
      'kubectl kustomize bad4 --load-restrictor=LoadRestrictionsNone | head -5',
      'kubectl kustomize https://example.com/x',
      'kubectl apply -k nope',
      'kubectl delete -k nope',
      "kubectl diff -k base | grep '^[-+]' | head -5",
    ],
  },
];
