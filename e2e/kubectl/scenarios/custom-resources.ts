/** CustomResourceDefinitions and the kinds they bring. */
import { type Scenario, wait } from '../scenario.ts';

const crd = (plural: string, kind: string, more = ''): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${plural}.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: ${plural}, singular: ${kind.toLowerCase()}, kind: ${kind}, shortNames: [${kind.slice(0, 2).toLowerCase()}], categories: [customs]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.labelSelector}
    selectableFields:
    - jsonPath: .spec.image
    additionalPrinterColumns:
    - {name: Spec, type: string, description: The cron spec, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Image, type: string, priority: 1, jsonPath: .spec.image}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        description: Something that runs now and then.
        properties:
          spec:
            type: object
            required: [cronSpec]
            x-kubernetes-validations:
            - {rule: "!has(self.replicas) || self.replicas <= self.maxReplicas", message: too many replicas}
            - {rule: "self.cronSpec == oldSelf.cronSpec", message: cronSpec is immutable}
            properties:
              cronSpec: {type: string, pattern: '^(\\S+\\s+){4}\\S+$', description: When it runs.}
              image: {type: string, default: busybox}
              replicas: {type: integer, minimum: 1, maximum: 10}
              maxReplicas: {type: integer, default: 5}
              mode: {type: string, enum: [fast, slow]}
${more}
          status:
            type: object
            properties:
              replicas: {type: integer}
              labelSelector: {type: string}
              conditions:
                type: array
                items: {type: object, properties: {type: {type: string}, status: {type: string}}}
`;
const object = (kind: string, name: string, spec: string): string =>
  `apiVersion: stable.example.com/v1\nkind: ${kind}\nmetadata:\n  name: ${name}\nspec:\n${spec
    .split(';')
    .map((line) => `  ${line.trim()}\n`)
    .join('')}`;

/** Each scenario has a definition of its own, for they share a cluster. */
export const customResources: readonly Scenario[] = [
  {
    name: 'a definition is created and served',
    files: { 'crd.yaml': crd('crontabs', 'CronTab') },
    steps: [
      'kubectl get crd',
      'kubectl apply -f crd.yaml',
      'kubectl wait --for=condition=Established crd/crontabs.stable.example.com --timeout=10s',
      wait(1),
      'kubectl get crd',
      "kubectl get crd crontabs.stable.example.com -o jsonpath='{.status.conditions[*].type} {.status.conditions[*].status} {.status.storedVersions}'",
      'kubectl api-resources --api-group=stable.example.com',
      'kubectl api-resources --api-group=stable.example.com -o wide',
      'kubectl api-versions | grep stable',
      'kubectl get crontabs',
      'kubectl get ct',
      'kubectl get crontab nope',
    ],
  },
  {
    name: 'custom objects are applied, printed and changed',
    files: {
      'crd-a.yaml': crd('apples', 'Apple'),
      'a.yaml': object('Apple', 'a', 'cronSpec: "* * * * */5";replicas: 2'),
      'a2.yaml': object('Apple', 'a', 'cronSpec: "* * * * */5";replicas: 3;image: nginx'),
    },
    steps: [
      'kubectl apply -f crd-a.yaml',
      wait(1),
      'kubectl apply -f a.yaml',
      'kubectl apply -f a.yaml',
      'kubectl get apples',
      'kubectl get ap -o wide',
      'kubectl get apples.v1.stable.example.com a -o yaml',
      'kubectl diff -f a2.yaml',
      'kubectl apply -f a2.yaml',
      "kubectl get apple a -o jsonpath='{.spec} {.metadata.generation}'",
      'kubectl get customs',
      'kubectl get apples --field-selector spec.image=nginx',
      'kubectl get apples --field-selector spec.image=busybox',
      'kubectl get apples --field-selector spec.replicas=3',
      'kubectl label apple a tier=one',
      'kubectl annotate apple a note=two',
      'kubectl get apples -l tier=one -L tier',
      'kubectl delete apple a',
      'kubectl delete apple a --ignore-not-found',
    ],
  },
  {
    name: 'custom objects that are wrong are refused',
    files: {
      'crd-b.yaml': crd('berries', 'Berry'),
      'pattern.yaml': object('Berry', 'b', 'cronSpec: "* *"'),
      'missing.yaml': object('Berry', 'b', 'replicas: 2'),
      'several.yaml': object('Berry', 'b', 'cronSpec: "* * * * *";replicas: 20;mode: medium'),
      'type.yaml': object('Berry', 'b', 'cronSpec: 5;replicas: many'),
      'rule.yaml': object('Berry', 'b', 'cronSpec: "* * * * *";replicas: 6'),
      'unknown.yaml': object('Berry', 'b', 'cronSpec: "* * * * *";colour: red'),
      'good.yaml': object('Berry', 'b', 'cronSpec: "* * * * *";replicas: 2'),
      'changed.yaml': object('Berry', 'b', 'cronSpec: "1 * * * *";replicas: 2'),
    },
    steps: [
      'kubectl apply -f crd-b.yaml',
      wait(1),
      'kubectl apply -f pattern.yaml',
      'kubectl apply -f missing.yaml',
      'kubectl apply -f several.yaml',
      'kubectl apply -f type.yaml',
      'kubectl apply -f rule.yaml',
      'kubectl apply -f unknown.yaml',
      'kubectl apply -f unknown.yaml --validate=warn',
      'kubectl delete -f unknown.yaml',
      'kubectl apply -f good.yaml --dry-run=server',
      'kubectl apply -f good.yaml',
      'kubectl apply -f changed.yaml',
      'kubectl patch berry b --type=merge -p \'{"spec":{"replicas":0}}\'',
      'kubectl patch berry b -p \'{"spec":{"replicas":3}}\'',
      'kubectl patch berry b --type=json -p \'[{"op":"replace","path":"/spec/replicas","value":4}]\'',
      "kubectl get berry b -o jsonpath='{.spec.replicas}'",
    ],
  },
  {
    name: 'custom objects are explained and described',
    files: { 'crd-c.yaml': crd('cherries', 'Cherry'), 'c.yaml': object('Cherry', 'c', 'cronSpec: "* * * * *";replicas: 2') },
    steps: [
      'kubectl apply -f crd-c.yaml',
      wait(1),
      'kubectl explain cherries',
      'kubectl explain cherries.spec',
      'kubectl explain cherry.spec.cronSpec',
      'kubectl explain cherries --recursive',
      'kubectl explain cherries.spec.nope',
      'kubectl apply -f c.yaml',
      "kubectl describe cherry c | grep -v 'Resource Version'",
      "kubectl describe crd cherries.stable.example.com | head -20 | grep -v 'Resource Version'",
    ],
  },
  {
    name: 'status and scale of custom objects',
    files: { 'crd-d.yaml': crd('dates', 'Date'), 'd.yaml': object('Date', 'd', 'cronSpec: "* * * * *";replicas: 2') },
    steps: [
      'kubectl apply -f crd-d.yaml',
      wait(1),
      'kubectl create -f d.yaml',
      'kubectl scale date d --replicas=4',
      "kubectl get date d -o jsonpath='{.spec.replicas} {.metadata.generation}'",
      'kubectl scale date d --replicas=9',
      'kubectl get date d --subresource=scale',
      'kubectl patch date d --subresource=status --type=merge -p \'{"status":{"replicas":4,"conditions":[{"type":"Ready","status":"True"}]}}\'',
      "kubectl get date d -o jsonpath='{.status.replicas} {.metadata.generation}'",
      'kubectl wait --for=condition=Ready date/d --timeout=60s',
      "kubectl wait --for=jsonpath='{.status.replicas}'=4 date/d --timeout=60s",
      'kubectl patch date d --subresource=status --type=merge -p \'{"status":{"replicas":"x"}}\'',
    ],
  },
  {
    name: 'definitions that are wrong are refused',
    files: {
      'name.yaml': crd('elders', 'Elder').replace('name: elders.stable', 'name: elder.stable'),
      'storage.yaml': crd('elders', 'Elder').replace('storage: true', 'storage: false'),
      'type.yaml': crd('elders', 'Elder').replace('image: {type: string, default: busybox}', 'image: {default: busybox}'),
      'rule.yaml': crd('elders', 'Elder').replace('self.replicas <= self.maxReplicas', 'self.replica <= 5'),
      'default.yaml': crd('elders', 'Elder').replace('default: 5', 'default: five'),
      'old.yaml': crd('elders', 'Elder').replace('apiextensions.k8s.io/v1', 'apiextensions.k8s.io/v1beta1'),
    },
    steps: [
      'kubectl apply -f name.yaml',
      'kubectl apply -f type.yaml',
      'kubectl apply -f rule.yaml',
      'kubectl apply -f default.yaml',
      'kubectl apply -f old.yaml',
      'kubectl get crd elders.stable.example.com',
    ],
  },
  {
    name: 'names of definitions that are taken',
    files: { 'crd-f.yaml': crd('figs', 'Fig'), 'crd-f2.yaml': crd('figurines', 'Fig') },
    steps: [
      'kubectl apply -f crd-f.yaml',
      wait(1),
      'kubectl apply -f crd-f2.yaml',
      wait(1),
      'kubectl get crd figurines.stable.example.com -o jsonpath=\'{range .status.conditions[*]}{.type} {.status} {.reason} {.message}{"\\n"}{end}\'',
      'kubectl get figurines',
    ],
  },
  {
    name: 'a definition takes its objects along',
    files: {
      'crd-g.yaml': crd('grapes', 'Grape'),
      'g.yaml': object('Grape', 'g', 'cronSpec: "* * * * *"'),
    },
    steps: [
      'kubectl apply -f crd-g.yaml',
      wait(1),
      'kubectl apply -f g.yaml',
      'kubectl delete crd grapes.stable.example.com',
      'kubectl get grapes',
      'kubectl apply -f g.yaml',
      'kubectl get crd grapes.stable.example.com',
      'kubectl apply -f crd-g.yaml',
      wait(1),
      'kubectl get grapes',
    ],
  },
  {
    name: 'custom objects go with their namespace and their owners',
    files: { 'crd-h.yaml': crd('hazels', 'Hazel'), 'h.yaml': object('Hazel', 'h', 'cronSpec: "* * * * *"') },
    steps: [
      'kubectl apply -f crd-h.yaml',
      wait(1),
      'kubectl create ns nuts',
      'kubectl apply -n nuts -f h.yaml',
      'kubectl get hazels -A',
      'kubectl delete ns nuts',
      'kubectl get hazels -A',
    ],
  },
  {
    name: 'several versions of a custom kind',
    files: {
      'crd-i.yaml': crd('irises', 'Iris').replace(
        '  versions:\n',
        '  versions:\n  - name: v1beta1\n    served: true\n    storage: false\n    deprecated: true\n    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}\n',
      ),
      'i.yaml': object('Iris', 'i', 'cronSpec: "* * * * *"'),
      'i-old.yaml': object('Iris', 'old', 'cronSpec: "* * * * *"').replace('stable.example.com/v1', 'stable.example.com/v1beta1'),
    },
    steps: [
      'kubectl apply -f crd-i.yaml',
      wait(1),
      'kubectl apply -f i.yaml',
      'kubectl apply -f i-old.yaml',
      'kubectl get irises',
      'kubectl get irises.v1beta1.stable.example.com i -o jsonpath={.apiVersion}',
      'kubectl api-versions | grep stable',
    ],
  },
];
