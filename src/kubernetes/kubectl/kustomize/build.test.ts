import { expect, test } from 'vitest';
import { createFiles } from '../../../linux/files.ts';
import { build, buildText } from './build.ts';

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: nginx, image: "nginx:1.27", envFrom: [{configMapRef: {name: settings}}]}
      - {name: side, image: busybox}
`;
const run = (files: Readonly<Record<string, string>>, target = 'over', warn: (line: string) => void = () => {}): string =>
  buildText(target, { files: createFiles(Object.fromEntries(Object.entries(files).map(([name, text]) => [`/home/${name}`, text]))), cwd: '/home', warn });

const BASE = {
  'base/kustomization.yaml': 'resources: [web.yaml]\nconfigMapGenerator: [{name: settings, literals: [color=blue]}]\n',
  'base/web.yaml': DEPLOYMENT,
};

test('names follow prefixes and hashes', () => {
  const text = run({ ...BASE, 'over/kustomization.yaml': 'resources: [../base]\nnamePrefix: a-\nnamespace: shop\n' });
  const name = /name: (a-settings-[a-z0-9]{10})\n/.exec(text)?.[1];
  expect(name).toBeDefined();
  expect(text.split(name!).length).toBe(3);
  expect(text).toContain('namespace: shop');
  // Config maps come before deployments.
  expect(text.indexOf('kind: ConfigMap')).toBeLessThan(text.indexOf('kind: Deployment'));
});

test('the hash is that of kustomize', () => {
  // kubectl 1.33 says so of the same folder.
  expect(run({ 'over/kustomization.yaml': 'configMapGenerator: [{name: c, literals: [a=b]}]\n' })).toContain('name: c-4h2mbtbbt6');
});

test('a strategic patch puts what it names first', () => {
  const patch =
    'patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n    spec: {template: {spec: {containers: [{name: side, image: b:2}]}}}\n';
  const [object] = build('over', {
    files: createFiles({ '/w/over/kustomization.yaml': `resources: [web.yaml]\n${patch}`, '/w/over/web.yaml': DEPLOYMENT }),
    cwd: '/w',
    warn: () => {},
  });
  const { containers } = (object as unknown as { spec: { template: { spec: { containers: readonly { name: string }[] } } } }).spec.template.spec;
  expect(containers.map(({ name }) => name)).toEqual(['side', 'nginx']);
});

test.each([
  ['resources: [nope.yaml]\n', /accumulation err='accumulating resources from 'nope.yaml': evalsymlink failure/],
  ['foo: 1\n', /invalid Kustomization: json: unknown field "foo"/],
  ['', /kustomization.yaml is empty/],
  ['resources: [.]\n', /cycle detected/],
  ['replicas: [{name: x, count: 1}]\n', /does not match a config with the following GVK/],
])('refused: %s', (text, message) => expect(() => run({ 'over/kustomization.yaml': text })).toThrow(message));

test('old fields are warned of', () => {
  const warnings: string[] = [];
  run({ ...BASE, 'over/kustomization.yaml': 'bases: [../base]\ncommonLabels: {a: b}\n' }, 'over', (line) => warnings.push(line));
  expect(warnings.map((line) => /'(\w+)'/.exec(line)?.[1])).toEqual(['bases', 'commonLabels']);
});
