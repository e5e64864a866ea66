/** Which names are taken to exist, and how they are told from those that are known. */
import { expect, test } from 'vitest';
import { findImage } from '../image.ts';
import { imageFamilies, images, isAssumed } from './images.ts';

test.each<[string, 'known' | 'assumed' | 'none']>([
  ['nginx', 'known'],
  ['nginx:1.14.2', 'known'],
  ['nginx:1.16-alpine', 'known'],
  ['nginx:1.161', 'none'],
  ['nginx:1.14.3', 'none'],
  ['ngimx', 'none'],
  ['busybox:1.28', 'known'],
  ['grafana/grafana:11.1.0', 'assumed'],
  ['ghcr.io/someone/app@sha256:0000000000000000000000000000000000000000000000000000000000000000', 'none'],
  ['quay.io/jetstack/cert-manager-controller:v1.14.0', 'assumed'],
  ['europe-west1-docker.pkg.dev/project/repository/app:v1', 'assumed'],
  ['registry.example.com/app:1', 'none'],
  ['non-existing-repo/non-existing-image:example', 'none'],
  ['registry.k8s.io/no-such-thing:v1', 'none'],
])('%s is %s', (reference, wanted) => {
  const image = findImage(images, reference, imageFamilies);
  expect(image === undefined ? 'none' : image.assumed ? 'assumed' : 'known').toBe(wanted);
  expect(isAssumed(reference)).toBe(wanted === 'assumed');
});

test('one name is one image, with a digest of its own; its tools are tools, anything else is the server', () => {
  const image = findImage(images, 'someone/app:2', imageFamilies)!;
  expect(findImage(images, 'docker.io/someone/app:2', imageFamilies)).toBe(image);
  expect(findImage(images, 'someone/app:3', imageFamilies)!.digest).not.toBe(image.digest);
  const server = image.program('/entrypoint');
  expect(image.program('/srv/bin/start')).toBe(server);
  expect(image.program('/bin/sh')).not.toBe(server);
  expect(image.program('/usr/local/sbin/sh')).toBeUndefined();
});

test('what is no reference is not assumed', () => {
  expect(isAssumed('UPPER/case')).toBe(false);
  expect(isAssumed('')).toBe(false);
});
